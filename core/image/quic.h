/* QUIC: the lossless codec of photo-like pictures (image type QUIC). It predicts each colour from
 * its neighbours and codes the difference in adaptive Golomb-Rice codes, with a run-length mode.
 * There is exactly one valid stream for a picture.
 *
 * Pixels in memory are little endian: 32 bits are the bytes B G R x, 16 bits are x1r5g5b5. A
 * picture is given as its top row and a stride in bytes, which may be negative.
 *
 * An encoder or decoder holds state that grows with the width of the widest image and serves one
 * image at a time; different objects may be used from different threads.
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
    SPICE_QUIC_GRAY = 1, /* one byte a pixel; never sent as an image */
    SPICE_QUIC_RGB16 = 2,
    SPICE_QUIC_RGB24 = 3, /* bytes B G R */
    SPICE_QUIC_RGB32 = 4,
    SPICE_QUIC_RGBA = 5,
} SpiceQuicType;

enum { SPICE_QUIC_HEADER_SIZE = 20, SPICE_QUIC_MIN_SIZE = 28 };

/** A header that was found sound. */
typedef struct {
    uint8_t type; /* SpiceQuicType */
    uint32_t width, height;
} SpiceQuicHeader;

/** Reads and checks the header: magic, version, type, dimensions above 0 with at most `max_pixels`
 * pixels, and that `size` is not less than what a picture of that size takes at the very least.
 * Whether type and dimensions fit the image that it belongs to is the caller's to check. */
bool spice_quic_read_header(SpiceQuicHeader *header, const uint8_t *data, size_t size,
                            uint64_t max_pixels, SpiceError *error);

/** What the decoder writes. */
typedef enum {
    SPICE_QUIC_TO_32,   /* all but GRAY; RGB16 is widened; byte 3 is the alpha of RGBA, else 0 */
    SPICE_QUIC_TO_555,  /* RGB16: two bytes a pixel, bit 15 clear */
    SPICE_QUIC_TO_GRAY, /* GRAY: one byte a pixel */
} SpiceQuicTarget;

/** Bytes that one decoded row takes; 0 if `target` does not go with the type. */
size_t spice_quic_row_size(const SpiceQuicHeader *header, SpiceQuicTarget target);

typedef struct SpiceQuicDecoder SpiceQuicDecoder;

/** NULL if the allocator, which must outlive the decoder, refuses. */
SpiceQuicDecoder *spice_quic_decoder_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu);
void spice_quic_decoder_free(SpiceQuicDecoder *decoder);

/** Decodes the stream whose header was read from the same `data` into rows of
 * spice_quic_row_size() bytes, which must not overlap. False if the stream is bad (TRUNCATED,
 * CORRUPT) or memory for rows was refused (MEMORY); the picture is then partly written, nothing
 * outside of its rows ever is. Bytes after the stream are ignored. */
bool spice_quic_decode(SpiceQuicDecoder *decoder, const SpiceQuicHeader *header,
                       const uint8_t *data, size_t size, SpiceQuicTarget target, uint8_t *top,
                       ptrdiff_t stride, SpiceError *error);

/** An uncompressed picture. */
typedef struct {
    uint8_t type; /* SpiceQuicType */
    uint32_t width, height;
    const uint8_t *top; /* the top row */
    ptrdiff_t stride;   /* to the row below */
} SpiceQuicSource;

/** The QUIC type of a SPICE_BITMAP_FMT_* value; 0 if it has none. */
uint8_t spice_quic_type_of_format(uint8_t format);

typedef struct SpiceQuicEncoder SpiceQuicEncoder;

/** NULL if the allocator, which must outlive the encoder, refuses. */
SpiceQuicEncoder *spice_quic_encoder_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu);
void spice_quic_encoder_free(SpiceQuicEncoder *encoder);

/** Encodes `source` into `out`. The bytes written (a multiple of 4), or 0 if they would be more
 * than `capacity` (the caller then sends the picture uncompressed) or memory was refused. The
 * pixels must not change meanwhile. Images without pixels or of 2^29 or more give 0, too. */
size_t spice_quic_encode(SpiceQuicEncoder *encoder, const SpiceQuicSource *source, uint8_t *out,
                         size_t capacity);
