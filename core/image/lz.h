/* LZ: the codec of the image types LZ_RGB and LZ_PLT, and of the alpha plane of JPEG_ALPHA.
 *
 * A stream is a header of 28 bytes and tokens (literals and matches) that count *units*: pixels,
 * or bytes of indices for the palette types. RGBA is two passes, colours then alpha.
 *
 * Pixels in memory are little endian: 32 bits are the bytes B G R x, 16 bits are x1r5g5b5.
 * A picture is given as its top row and a stride in bytes, which may be negative.
 *
 * Nothing here is thread-safe for one object; different objects and the decoder (which has none)
 * may be used from different threads.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cpu.h"
#include "core/wire/arena.h"
#include "core/wire/error.h"

/** The type field of the header. */
typedef enum {
    SPICE_LZ_PLT1_LE = 1, /* bit 0 is the leftmost pixel */
    SPICE_LZ_PLT1_BE = 2,
    SPICE_LZ_PLT4_LE = 3, /* the low nibble is the left pixel */
    SPICE_LZ_PLT4_BE = 4,
    SPICE_LZ_PLT8 = 5,
    SPICE_LZ_RGB16 = 6,
    SPICE_LZ_RGB24 = 7,
    SPICE_LZ_RGB32 = 8,
    SPICE_LZ_RGBA = 9,
    SPICE_LZ_XXXA = 10, /* the alpha bytes of 32-bit pixels: only inside JPEG_ALPHA */
    SPICE_LZ_A8 = 11,
} SpiceLzType;

enum { SPICE_LZ_HEADER_SIZE = 28 };

/** A header that was found sound. */
typedef struct {
    uint8_t type;  /* SpiceLzType */
    bool top_down; /* the stream begins with the top row */
    uint32_t width, height;
    uint32_t stride; /* bytes of a source row, as the type prescribes */
} SpiceLzHeader;

/** Whether the type codes indices into a palette. */
static inline bool spice_lz_is_palette(uint8_t type)
{
    return type >= SPICE_LZ_PLT1_LE && type <= SPICE_LZ_PLT8;
}

/** Reads and checks the header: magic, version, type, dimensions above 0 with at most `max_pixels`
 * pixels, and the exact stride that the type demands. Whether type and dimensions fit the image
 * that the stream belongs to is the caller's to check. */
bool spice_lz_read_header(SpiceLzHeader *header, const uint8_t *data, size_t size,
                          uint64_t max_pixels, SpiceError *error);

/** What the decoder writes. */
typedef enum {
    SPICE_LZ_TO_32,      /* RGB16 (widened), RGB24, RGB32, A8 (colour 0), RGBA; byte 3 is the
                            alpha, 0 where there is none */
    SPICE_LZ_TO_555,     /* RGB16: two bytes a pixel, bit 15 clear */
    SPICE_LZ_TO_INDICES, /* palette types: header.stride bytes a row, packed as the type says */
    SPICE_LZ_TO_PLANE,   /* A8, XXXA: one alpha byte a pixel */
    SPICE_LZ_TO_ALPHA,   /* A8, XXXA: byte 3 of each pixel of a 32-bit picture; colours stay */
} SpiceLzTarget;

/** Bytes that one decoded row takes; 0 if `target` does not go with the type. */
size_t spice_lz_row_size(const SpiceLzHeader *header, SpiceLzTarget target);

/** Decodes the stream whose header was read from the same `data`. `top` is the top row of the
 * picture, `stride` the step to the row below; the rows must not overlap. It is fastest if rows
 * follow each other without a gap in the order of the stream: stride = row size for a top-down
 * stream, and minus that for one that is not. Bytes after the last pixel are ignored.
 *
 * False if the stream is bad: TRUNCATED or CORRUPT. The picture is then partly written; nothing
 * outside its rows ever is. No allocation; the work is bounded by the picture and the stream. */
bool spice_lz_decode(const SpiceLzHeader *header, const uint8_t *data, size_t size,
                     SpiceLzTarget target, uint8_t *top, ptrdiff_t stride, SpiceCpuFlags cpu,
                     SpiceError *error);

typedef struct SpiceLzEncoder SpiceLzEncoder;

/** An encoder: a hash table, and scratch memory that grows to the largest image that needs it
 * (24 bits a pixel, alpha, or rows with gaps). NULL if the allocator, which must outlive the
 * encoder, refuses. */
SpiceLzEncoder *spice_lz_encoder_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu);
void spice_lz_encoder_free(SpiceLzEncoder *encoder);

/** An uncompressed picture. */
typedef struct {
    uint8_t type; /* SpiceLzType; for XXXA the pixels are 32-bit */
    uint32_t width, height;
    const uint8_t *top; /* the top row */
    ptrdiff_t stride;   /* to the row below; its size at least that of a row */
} SpiceLzSource;

/** The LZ type of a SPICE_BITMAP_FMT_* value; 0 if it has none. */
uint8_t spice_lz_type_of_format(uint8_t format);

/** Encodes `source` into `out`. The bytes written, or 0 if they would be more than `capacity` (the
 * caller then sends the picture uncompressed) or scratch memory was refused. The direction in the
 * header is that of the memory: bottom-up for a negative stride. Images of 2^30 or more units or
 * without pixels give 0, too. */
size_t spice_lz_encode(SpiceLzEncoder *encoder, const SpiceLzSource *source, uint8_t *out,
                       size_t capacity);
