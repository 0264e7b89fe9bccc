/* Four lanes of multiply and rotate, so that the multiplications overlap, and a final mix.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "sent-content.h"

#include <string.h>

/* Odd, with bits well spread: the golden ratio and primes. */
static const uint64_t spread = UINT64_C(0x9e3779b97f4a7c15), first = UINT64_C(0xd6e8feb86659fd93),
                      second = UINT64_C(0xa0761d6478bd642f);

enum { LANES = 4 };

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t load(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static uint64_t stir(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * first, 29) * second;
}

static uint64_t finish(uint64_t hash)
{
    hash = (hash ^ hash >> 32) * first;
    hash = (hash ^ hash >> 29) * spread;
    return hash ^ hash >> 32;
}

uint64_t spice_content_hash(uint64_t seed, const uint8_t *data, size_t size)
{
    uint64_t lanes[LANES] = {seed, seed + spread, seed ^ first, seed - second};
    uint64_t hash, rest = 0;

    hash = seed + size * spread;
    for (; size >= LANES * sizeof(uint64_t); size -= LANES * sizeof(uint64_t)) {
        for (unsigned i = 0; i < LANES; i++)
            lanes[i] = stir(lanes[i], load(data + i * sizeof(uint64_t)));
        data += LANES * sizeof(uint64_t);
    }
    for (unsigned i = 0; i < LANES; i++)
        hash = stir(hash, lanes[i]);
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), data += sizeof(uint64_t))
        hash = stir(hash, load(data));
    if (size)
        memcpy(&rest, data, size);
    return finish(stir(hash, rest));
}
