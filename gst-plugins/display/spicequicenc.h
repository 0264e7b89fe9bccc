/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imageenc.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_QUIC_ENC (gst_spice_quic_enc_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceQuicEnc, gst_spice_quic_enc, GST, SPICE_QUIC_ENC, GstSpiceImageEnc)

G_END_DECLS
