/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_RECORD_SINK (gst_spice_record_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceRecordSink, gst_spice_record_sink, GST, SPICE_RECORD_SINK, GstBaseSink)

G_END_DECLS
