/* Blocks of a device's stream: packed and unpacked again; sizes that lie; damage.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/device/vmc-block.h"

#include "tests/unit/tap.h"

static uint8_t data[SPICE_VMC_MAX_BLOCK + 1], packed[SPICE_VMC_MAX_BLOCK + 1],
    out[SPICE_VMC_MAX_BLOCK + 1];

int main(void)
{
    static const size_t sizes[] = {1001, 65536, SPICE_VMC_MAX_BLOCK};
    unsigned wrong = 0;
    size_t n;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i / 100);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        n = spice_vmc_block_pack(data, sizes[i], packed, sizes[i]);
        memset(out, 0xee, sizeof out);
        TAP_OK(n > 0 && n < sizes[i] / 10 && spice_vmc_block_unpack(packed, n, out, sizes[i]) &&
                   memcmp(out, data, sizes[i]) == 0 && out[sizes[i]] == 0xee,
               "%zu bytes, packed into %zu, come back", sizes[i], n);
    }
    n = spice_vmc_block_pack(data, 5000, packed, sizeof packed);
    TAP_OK(!spice_vmc_block_unpack(packed, n, out, 4999) &&
               !spice_vmc_block_unpack(packed, n, out, 5001) &&
               !spice_vmc_block_unpack(packed, n, out, 0) &&
               !spice_vmc_block_unpack(packed, n, out, SPICE_VMC_MAX_BLOCK + 1),
           "another size than the true one is found out");
    for (size_t cut = 0; cut < n; cut++)
        wrong += spice_vmc_block_unpack(packed, cut, out, 5000);
    TAP_OK(wrong == 0, "a block cut short at each of %zu places is refused", n);
    TAP_OK(spice_vmc_block_pack(data, 0, packed, 100) == 0 &&
               spice_vmc_block_pack(data, SPICE_VMC_MAX_BLOCK + 1, packed, sizeof packed) == 0,
           "nothing, and more than a block, are not packed");
    for (size_t i = 0; i < 2000; i++)
        data[i] = (uint8_t)(i * i * 7919 >> 5 ^ i * 31 ^ i >> 3);
    TAP_OK(spice_vmc_block_pack(data, 3, packed, 3) == 0, "what would not get smaller is not");
    return tap_done();
}
