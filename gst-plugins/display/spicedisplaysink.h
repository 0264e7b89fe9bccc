/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_SPICE_TYPE_DISPLAY_SINK (gst_spice_display_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceDisplaySink, gst_spice_display_sink, GST_SPICE, DISPLAY_SINK,
                     GstElement)

G_END_DECLS
