/* Decoded frames of video streams that wait for the time at which they are to be seen.
 *
 * Few of them wait, and not for long: when there are too many, the oldest counts as due.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/image/picture.h"
#include "core/wire/display.h"

G_BEGIN_DECLS

typedef struct {
    guint32 stream;
    SpiceRect dest;
    SpicePicture *picture; /* a reference */
    gint64 due_us;         /* monotonic */
} GstSpiceTimedFrame;

typedef struct GstSpiceTimedFrames GstSpiceTimedFrames;

GstSpiceTimedFrames *gst_spice_timed_frames_new(void);
void gst_spice_timed_frames_free(GstSpiceTimedFrames *self);

/** Takes the frame's reference over. Frames of a stream come in their order. */
void gst_spice_timed_frames_add(GstSpiceTimedFrames *self, const GstSpiceTimedFrame *frame);
/** The next frame that is due by `now_us`; FALSE: none. What it hides of its own stream is dropped. */
gboolean gst_spice_timed_frames_take_due(GstSpiceTimedFrames *self, gint64 now_us,
                                         GstSpiceTimedFrame *frame);
/** The next frame of a stream (negative: of any) that touches `box` (NULL: anywhere), due or not. */
gboolean gst_spice_timed_frames_take(GstSpiceTimedFrames *self, gint64 stream, const SpiceRect *box,
                                     GstSpiceTimedFrame *frame);
/** When the next is due; 0: none waits. */
gint64 gst_spice_timed_frames_get_due(const GstSpiceTimedFrames *self);

G_END_DECLS
