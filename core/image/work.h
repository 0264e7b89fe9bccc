/* Counts what decoders do, where the fuzz targets are built: so that these show that a decoder's
 * work is bounded by its stream and its picture, whatever the stream says. Elsewhere it is nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

/** Tokens or symbols read and pixels written so far. */
extern uint64_t spice_image_work;

#ifdef SPICE_COUNT_WORK
#define SPICE_WORK(n) (spice_image_work += (n))
#else
#define SPICE_WORK(n) ((void)0)
#endif
