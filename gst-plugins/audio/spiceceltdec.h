/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_CELT_DEC (gst_spice_celt_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceCeltDec, gst_spice_celt_dec, GST, SPICE_CELT_DEC, GstAudioDecoder)

G_END_DECLS
