/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_CELT_ENC (gst_spice_celt_enc_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceCeltEnc, gst_spice_celt_enc, GST, SPICE_CELT_ENC, GstAudioEncoder)

G_END_DECLS
