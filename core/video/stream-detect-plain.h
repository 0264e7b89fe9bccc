/* The rule by which the reference server finds video, as it is published: a draw with the same
 * box and source size as one up to 200 ms ago is its next frame; after 20 such, 20 % of them
 * gradual, a stream begins, and it ends after a second without a frame. The baseline that
 * stream-detect.h is measured against; same input, same output.
 *
 * Its tree of pending draws is a list of the last 64 draws here, from which covered ones go to the
 * ring of 8 past regions. A source is taken to be as large as its box.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/stream-detect.h"

typedef struct SpicePlainDetector SpicePlainDetector;

/** NULL without memory. The size of the surface does not matter to it. */
SpicePlainDetector *spice_plain_detector_new(const SpiceAllocator *allocator, SpiceStreamMode mode);

void spice_plain_detector_free(SpicePlainDetector *self);

/** As spice_stream_detector_draw(). A frame larger than its stream's box is the stream's, too. */
SpiceStreamVerdict spice_plain_detector_draw(SpicePlainDetector *self, const SpiceStreamDraw *draw);

/** As spice_stream_detector_advance(). */
SpiceStreamVerdict spice_plain_detector_advance(SpicePlainDetector *self, uint64_t time);

/** As spice_stream_detector_info(). */
bool spice_plain_detector_info(const SpicePlainDetector *self, uint32_t id, SpiceStreamInfo *info);
