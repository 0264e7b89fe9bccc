/* LZ4 images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/lz4.h"

#include "image-decoders.h"

SpiceDecodeOutcome spice_decode_lz4(const SpiceImage *image, const SpiceDecodeContext *context,
                                    SpicePicture **picture, SpiceError *error)
{
    SpiceLz4 *lz4 = spice_lz4_new(context->allocator);
    uint8_t format;
    bool ok;

    *picture = spice_picture_create(context->allocator, PIXMAN_x8r8g8b8, image->width,
                                    image->height, error);
    ok = lz4 && *picture &&
         spice_lz4_decode(lz4, image->data.data, image->data.size, image->width, image->height,
                          (*picture)->pixels.data, (*picture)->pixels.stride, &format, error);
    spice_lz4_free(lz4);
    if (ok) {
        if (format == SPICE_LZ4_RGBA)
            (*picture)->pixels.format = PIXMAN_a8r8g8b8;
        return SPICE_DECODED;
    }
    spice_error_set(error, SPICE_ERROR_MEMORY, "lz4"); /* unless another error stands there */
    spice_picture_unref(*picture);
    *picture = NULL;
    return SPICE_DECODE_FAILED;
}
