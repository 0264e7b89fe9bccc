/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image-decoder.h"

#include "core/image/bitmap.h"

#include "image-decoders.h"

static SpiceDecodeOutcome decode_bitmap(const SpiceImage *image, const SpiceDecodeContext *context,
                                        SpicePicture **picture, SpiceError *error)
{
    *picture = spice_bitmap_read(image, context->palette, context->surface_format,
                                 context->allocator, error);
    return *picture ? SPICE_DECODED : SPICE_DECODE_FAILED;
}

static const struct {
    uint8_t type;
    SpiceImageDecode decode;
} decoders[] = {
    {SPICE_IMAGE_TYPE_BITMAP, decode_bitmap},
    {SPICE_IMAGE_TYPE_QUIC, spice_decode_quic},
    {SPICE_IMAGE_TYPE_LZ_PLT, spice_decode_lz_plt},
    {SPICE_IMAGE_TYPE_LZ_RGB, spice_decode_lz_rgb},
    {SPICE_IMAGE_TYPE_GLZ_RGB, spice_decode_glz},
    {SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB, spice_decode_glz},
    {SPICE_IMAGE_TYPE_JPEG, spice_decode_jpeg},
    {SPICE_IMAGE_TYPE_JPEG_ALPHA, spice_decode_jpeg},
    {SPICE_IMAGE_TYPE_LZ4, spice_decode_lz4},
};

SpiceImageDecode spice_image_decoder_find(uint8_t type)
{
    for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
        if (decoders[i].type == type)
            return decoders[i].decode;
    return NULL;
}
