/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_SPICE_TYPE_SINK (gst_spice_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceSink, gst_spice_sink, GST_SPICE, SINK, GstBin)

G_END_DECLS
