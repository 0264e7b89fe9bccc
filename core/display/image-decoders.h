/* The decoders of the image types, each of the kind SpiceImageDecode.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "image-decoder.h"

SpiceDecodeOutcome spice_decode_lz_rgb(const SpiceImage *image, const SpiceDecodeContext *context,
                                       SpicePicture **picture, SpiceError *error);
SpiceDecodeOutcome spice_decode_lz_plt(const SpiceImage *image, const SpiceDecodeContext *context,
                                       SpicePicture **picture, SpiceError *error);
SpiceDecodeOutcome spice_decode_quic(const SpiceImage *image, const SpiceDecodeContext *context,
                                     SpicePicture **picture, SpiceError *error);
SpiceDecodeOutcome spice_decode_lz4(const SpiceImage *image, const SpiceDecodeContext *context,
                                    SpicePicture **picture, SpiceError *error);
/** GLZ_RGB and ZLIB_GLZ_RGB. WAIT: feed the same image, at the same address, again. */
SpiceDecodeOutcome spice_decode_glz(const SpiceImage *image, const SpiceDecodeContext *context,
                                    SpicePicture **picture, SpiceError *error);
/** JPEG and JPEG_ALPHA. */
SpiceDecodeOutcome spice_decode_jpeg(const SpiceImage *image, const SpiceDecodeContext *context,
                                     SpicePicture **picture, SpiceError *error);
