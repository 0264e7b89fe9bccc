/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_SPICE_TYPE_DRAW_SRC (gst_spice_draw_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceDrawSrc, gst_spice_draw_src, GST_SPICE, DRAW_SRC, GstPushSrc)

G_END_DECLS
