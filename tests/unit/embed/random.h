/* Random numbers that are the same each time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "../display/publish-world.h"

typedef struct {
    uint64_t state;
} Random;

static inline uint32_t random_below(void *context, uint32_t n)
{
    Random *self = context;

    self->state ^= self->state << 13;
    self->state ^= self->state >> 7;
    self->state ^= self->state << 17;
    return (uint32_t)((self->state >> 16) % n);
}
