/* Files and pictures for the tests of core/image: plain stdio, so that they run anywhere.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A whole file, NULL if it cannot be read; in memory of exactly its size, so that a sanitizer
 * sees the first byte past it. free() it. */
uint8_t *read_file(const char *folder, const char *name, size_t *size);

/** A P5, P6 or P7 picture: `depth` samples a pixel, top row first. */
typedef struct {
    int width, height, depth, max;
    uint8_t *samples; /* free() it */
} Picture;

/** The picture at *data, which is moved past it. */
bool parse_picture(const uint8_t **data, size_t *size, Picture *picture);
bool read_picture(const char *folder, const char *name, Picture *picture);

/** Samples in R G B (A) order to 32-bit pixels B G R A, rows without gaps; grey goes to the fourth
 * byte. free() it. */
uint32_t *picture_to_32(const Picture *picture);

/** xorshift*: the same series everywhere. */
uint32_t random_u32(uint64_t *state);
static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(((uint64_t)random_u32(state) * limit) >> 32);
}

/** What random 32-bit pictures look like. */
enum { RANDOM_STYLES = 8 };

/** Fills `width` x `height` pixels with noise, flat areas, runs, tiles, few colours, ramps or a
 * mixture, all four bytes of each. */
void random_picture(uint64_t *state, uint32_t *pixels, uint32_t width, uint32_t height);
