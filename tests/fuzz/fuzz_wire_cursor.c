/* Messages of the cursor channel.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "fuzz_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t channels[] = {SPICE_CHANNEL_CURSOR};

    return fuzz_wire_channel(channels, sizeof channels, data, size);
}
