/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "core/display/drawable.h"

G_BEGIN_DECLS

#define GST_SPICE_TYPE_QXL_SRC (gst_spice_qxl_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceQxlSrc, gst_spice_qxl_src, GST_SPICE, QXL_SRC, GstElement)

/** Pushes a draw, whose reference is taken over, from the caller's thread, which must always be the
 * same. `more`: others follow at once. */
void gst_spice_qxl_src_push(GstSpiceQxlSrc *src, SpiceDrawable *drawable, gboolean more);

G_END_DECLS
