/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_HEADS (gst_spice_heads_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceHeads, gst_spice_heads, GST, SPICE_HEADS, GstElement)

G_END_DECLS
