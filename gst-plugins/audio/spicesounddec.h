/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_SOUND_DEC (gst_spice_sound_dec_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceSoundDec, gst_spice_sound_dec, GST, SPICE_SOUND_DEC, GstElement)

G_END_DECLS
