/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imagedec.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_LZ_DEC (gst_spice_lz_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceLzDec, gst_spice_lz_dec, GST, SPICE_LZ_DEC, GstSpiceImageDec)

G_END_DECLS
