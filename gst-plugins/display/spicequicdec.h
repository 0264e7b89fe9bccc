/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "imagedec.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_QUIC_DEC (gst_spice_quic_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceQuicDec, gst_spice_quic_dec, GST, SPICE_QUIC_DEC, GstSpiceImageDec)

G_END_DECLS
