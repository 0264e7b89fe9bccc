/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_SPICE_TYPE_DISPLAY_ENC (gst_spice_display_enc_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceDisplayEnc, gst_spice_display_enc, GST_SPICE, DISPLAY_ENC, GstElement)

G_END_DECLS
