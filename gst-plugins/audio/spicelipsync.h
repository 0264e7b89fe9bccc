/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_LIPSYNC (gst_spice_lipsync_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceLipsync, gst_spice_lipsync, GST, SPICE_LIPSYNC, GstElement)

G_END_DECLS
