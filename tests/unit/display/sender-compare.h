/* Comparing what a client has with what it should have.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/pixels.h"

/** As pixels_equal(), but the unused bit of 555 may be anything. */
bool sent_pixels_equal(const SpicePixels *a, const SpicePixels *b);

/** The colours' peak signal-to-noise ratio in dB, of 32-bit pixels of one size; infinite if equal. */
double sent_pixels_psnr(const SpicePixels *a, const SpicePixels *b);
