/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_SPICE_TYPE_CHANNEL_SINK (gst_spice_channel_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceChannelSink, gst_spice_channel_sink, GST_SPICE, CHANNEL_SINK,
                     GstBaseSink)

G_END_DECLS
