/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_SRC (gst_spice_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceSrc, gst_spice_src, GST, SPICE_SRC, GstBin)

G_END_DECLS
