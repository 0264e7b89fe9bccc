/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imagedec.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_GLZ_DEC (gst_spice_glz_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceGlzDec, gst_spice_glz_dec, GST, SPICE_GLZ_DEC, GstSpiceImageDec)

G_END_DECLS
