/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sound-device.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_AUDIO_SRC (gst_spice_audio_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceAudioSrc, gst_spice_audio_src, GST, SPICE_AUDIO_SRC,
                     GstSpiceSoundDevice)

G_END_DECLS
