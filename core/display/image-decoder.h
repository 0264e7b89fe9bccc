/* From an image message to a picture: one function for each image type that carries pixels.
 *
 * A new codec comes in as one more line of the table in image-decoder.c.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/cpu.h"
#include "core/image/picture.h"
#include "core/wire/draw.h"

/** What the GLZ decoders keep of a channel between two calls; opaque to all but them. */
struct SpiceGlzChannel;

/** What a decoder may use. */
typedef struct {
    const SpiceAllocator *allocator; /* for the picture */
    SpiceArena *scratch;             /* until the message is done */
    SpiceCpuFlags cpu;
    pixman_format_code_t surface_format; /* of the surface that is drawn to */
    const SpicePalette *palette;         /* that the image names, found; NULL if it has none */
    struct SpiceGlzChannel *glz;         /* never NULL */
} SpiceDecodeContext;

typedef enum {
    SPICE_DECODED,
    SPICE_DECODE_FAILED, /* *error says why */
    SPICE_DECODE_WAIT,   /* needs an image that another channel brings; nothing was changed */
} SpiceDecodeOutcome;

/** Decodes `image` into a new picture in its working format (SPICE protocol, "Source images"),
 * with dimensions equal to the image's. HIGH_BITS_SET is the caller's to apply. */
typedef SpiceDecodeOutcome (*SpiceImageDecode)(const SpiceImage *image,
                                               const SpiceDecodeContext *context,
                                               SpicePicture **picture, SpiceError *error);

/** The decoder of a SPICE_IMAGE_TYPE_*; NULL if this build has none. */
SpiceImageDecode spice_image_decoder_find(uint8_t type);

/** Whether the type has a palette reference: BITMAP, LZ_PLT. */
static inline bool spice_image_has_palette(uint8_t type)
{
    return type == SPICE_IMAGE_TYPE_BITMAP || type == SPICE_IMAGE_TYPE_LZ_PLT;
}

/** Whether decoding the type moves the GLZ window on, so that it must not be left out. */
static inline bool spice_image_is_glz(uint8_t type)
{
    return type == SPICE_IMAGE_TYPE_GLZ_RGB || type == SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB;
}

/** Whether the type's pictures differ from the original. */
static inline bool spice_image_is_lossy(uint8_t type)
{
    return type == SPICE_IMAGE_TYPE_JPEG || type == SPICE_IMAGE_TYPE_JPEG_ALPHA;
}
