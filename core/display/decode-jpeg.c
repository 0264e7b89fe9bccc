/* JPEG and JPEG_ALPHA images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/jpeg.h"

#include "image-decoders.h"

SpiceDecodeOutcome spice_decode_jpeg(const SpiceImage *image, const SpiceDecodeContext *context,
                                     SpicePicture **picture, SpiceError *error)
{
    const bool has_alpha = image->type == SPICE_IMAGE_TYPE_JPEG_ALPHA;
    SpiceJpeg *jpeg = spice_jpeg_new(context->allocator, context->cpu);
    const SpicePixels *pixels;
    bool ok = false;

    *picture = spice_picture_create(context->allocator,
                                    has_alpha ? PIXMAN_a8r8g8b8 : PIXMAN_x8r8g8b8, image->width,
                                    image->height, error);
    if (jpeg && *picture) {
        pixels = &(*picture)->pixels;
        ok = has_alpha ? spice_jpeg_alpha_decode(jpeg, image->bitmap_flags, image->jpeg_size,
                                                 image->data.data, image->data.size, image->width,
                                                 image->height, pixels->data, pixels->stride, error)
                       : spice_jpeg_decode(jpeg, image->data.data, image->data.size, image->width,
                                           image->height, pixels->data, pixels->stride, error);
    }
    spice_jpeg_free(jpeg);
    if (ok)
        return SPICE_DECODED;
    spice_error_set(error, SPICE_ERROR_MEMORY, "jpeg"); /* unless another error stands there */
    spice_picture_unref(*picture);
    *picture = NULL;
    return SPICE_DECODE_FAILED;
}
