/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_DISPLAY_DEC (gst_spice_display_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceDisplayDec, gst_spice_display_dec, GST, SPICE_DISPLAY_DEC, GstElement)

/**
 * GstSpiceTimestamps:
 * @GST_SPICE_TIMESTAMPS_NONE: frames have no timestamps: sinks show them at once
 * @GST_SPICE_TIMESTAMPS_ARRIVAL: the running time at which the frame was complete, less the latency of the
 *     pipeline (frame-stamps.h)
 */
typedef enum {
    GST_SPICE_TIMESTAMPS_NONE,
    GST_SPICE_TIMESTAMPS_ARRIVAL,
} GstSpiceTimestamps;

#define GST_TYPE_SPICE_TIMESTAMPS (gst_spice_timestamps_get_type())
GType gst_spice_timestamps_get_type(void);

G_END_DECLS
