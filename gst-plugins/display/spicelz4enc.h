/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imageenc.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_LZ4_ENC (gst_spice_lz4_enc_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceLz4Enc, gst_spice_lz4_enc, GST, SPICE_LZ4_ENC, GstSpiceImageEnc)

G_END_DECLS
