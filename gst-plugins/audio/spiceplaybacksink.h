/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_PLAYBACK_SINK (gst_spice_playback_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSpicePlaybackSink, gst_spice_playback_sink, GST, SPICE_PLAYBACK_SINK,
                     GstBaseSink)

G_END_DECLS
