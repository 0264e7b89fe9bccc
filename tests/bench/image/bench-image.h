/* What bench-image runs: one entry a codec and pixel format.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "screens.h"

enum { BENCH_FRAMES = 3 };

typedef struct {
    const char *name;
    int width, height;
    int frames;        /* pictures behind each other in `pixels`; 1 but for codecs of sequences */
    uint8_t *pixels;   /* the picture, in the format that prepare() made of the 32-bit screen */
    uint8_t *decoded;  /* what a decoder last wrote */
    uint8_t *coded;    /* ours */
    size_t coded_size; /* of all frames */
    size_t sizes[BENCH_FRAMES];
    uint8_t *reference_coded; /* theirs */
    size_t reference_coded_size;
    size_t reference_sizes[BENCH_FRAMES];
    size_t capacity; /* of both */
} BenchImage;

typedef struct BenchCodec BenchCodec;

/** Encodes pixels to coded, or decodes coded to decoded; `theirs` its own. False if it failed. */
typedef bool (*BenchRun)(const BenchCodec *codec, BenchImage *image);

typedef struct {
    BenchRun encode, decode; /* NULL if the library has none */
} BenchReference;

struct BenchCodec {
    const char *name;
    int type; /* of the codec's own numbers */
    void (*prepare)(const BenchCodec *codec, BenchImage *image);
    BenchRun encode, decode;
    BenchReference (*reference)(void *library);
};

/** Ends with an entry without a name. */
extern const BenchCodec bench_codecs[];
