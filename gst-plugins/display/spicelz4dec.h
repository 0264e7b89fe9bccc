/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imagedec.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_LZ4_DEC (gst_spice_lz4_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceLz4Dec, gst_spice_lz4_dec, GST, SPICE_LZ4_DEC, GstSpiceImageDec)

G_END_DECLS
