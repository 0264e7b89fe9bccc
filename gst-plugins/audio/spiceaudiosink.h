/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sound-device.h"

G_BEGIN_DECLS

#define GST_TYPE_SPICE_AUDIO_SINK (gst_spice_audio_sink_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceAudioSink, gst_spice_audio_sink, GST, SPICE_AUDIO_SINK,
                     GstSpiceSoundDevice)

G_END_DECLS
