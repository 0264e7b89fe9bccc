/* Timestamps of frames that are recorded, or mixed with others and with sound.
 *
 * A sink shows what bears a timestamp later by the latency of its pipeline, and so spicelipsync sets that of
 * sound earlier by it: frames are stamped likewise, so that both are together in what is made of
 * them, whatever the latency is (none, where no sink keeps time). What comes after has GST_SPICE_FRAME_HEADROOM to work on a frame, which is a
 * part of the latency.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** How long before it is to be seen a frame is handed on. */
#define GST_SPICE_FRAME_HEADROOM (40 * GST_MSECOND)

/** Zero-initialised, the latency is not known yet. */
typedef struct {
    GstClockTime latency;
    GstClockTime last;
} GstSpiceFrameStamps;

/** A LATENCY event that comes from the sinks. */
void gst_spice_frame_stamps_take_latency(GstSpiceFrameStamps *stamps, GstEvent *event);
/** For a frame that `element` hands on now; never less than the last. NONE: it has no clock. */
GstClockTime gst_spice_frame_stamps_next(GstSpiceFrameStamps *stamps, GstElement *element);
/** Adds the headroom to the answer of a LATENCY query. */
void gst_spice_frame_stamps_add_latency(GstQuery *query);

G_END_DECLS
