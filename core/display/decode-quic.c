/* QUIC images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/quic.h"

#include "image-decoders.h"

enum { CACHE_FLAGS = SPICE_IMAGE_FLAGS_CACHE_ME | SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME };

/** The working format of a QUIC type; 0 for one that is no image. */
static pixman_format_code_t working_format(const SpiceQuicHeader *header, const SpiceImage *image,
                                           const SpiceDecodeContext *context)
{
    switch (header->type) {
    case SPICE_QUIC_RGB16:
        /* What is cached may be used on a surface of another depth later on. */
        return PIXMAN_FORMAT_BPP(context->surface_format) == 32 &&
                       !(image->flags & CACHE_FLAGS)
                   ? PIXMAN_x8r8g8b8
                   : PIXMAN_x1r5g5b5;
    case SPICE_QUIC_RGB24:
    case SPICE_QUIC_RGB32:
        return PIXMAN_x8r8g8b8;
    case SPICE_QUIC_RGBA:
        return PIXMAN_a8r8g8b8;
    default:
        return 0;
    }
}

static bool decode_into(const SpiceQuicHeader *header, const SpiceImage *image,
                        const SpiceDecodeContext *context, SpicePicture *picture,
                        SpiceError *error)
{
    const SpiceQuicTarget target =
        picture->pixels.format == PIXMAN_x1r5g5b5 ? SPICE_QUIC_TO_555 : SPICE_QUIC_TO_32;
    SpiceQuicDecoder *decoder = spice_quic_decoder_new(context->allocator, context->cpu);
    bool ok;

    if (!decoder)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "quic");
    ok = spice_quic_decode(decoder, header, image->data.data, image->data.size, target,
                           picture->pixels.data, picture->pixels.stride, error);
    spice_quic_decoder_free(decoder);
    return ok;
}

SpiceDecodeOutcome spice_decode_quic(const SpiceImage *image, const SpiceDecodeContext *context,
                                     SpicePicture **picture, SpiceError *error)
{
    pixman_format_code_t format;
    SpiceQuicHeader header;

    *picture = NULL;
    if (!spice_quic_read_header(&header, image->data.data, image->data.size, SPICE_MAX_PIXELS,
                                error))
        return SPICE_DECODE_FAILED;
    format = working_format(&header, image, context);
    if (!format || header.width != image->width || header.height != image->height) {
        spice_error_set(error, SPICE_ERROR_CORRUPT, "quic.header");
        return SPICE_DECODE_FAILED;
    }
    *picture =
        spice_picture_create(context->allocator, format, header.width, header.height, error);
    if (*picture && decode_into(&header, image, context, *picture, error))
        return SPICE_DECODED;
    spice_picture_unref(*picture);
    *picture = NULL;
    return SPICE_DECODE_FAILED;
}
