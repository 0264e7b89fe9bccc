/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imageenc.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_GLZ_ENC (gst_spice_glz_enc_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceGlzEnc, gst_spice_glz_enc, GST, SPICE_GLZ_ENC, GstSpiceImageEnc)

G_END_DECLS
