/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_VIDEO_ENC (gst_spice_video_enc_get_type())
__attribute__((visibility("default")))
G_DECLARE_FINAL_TYPE(GstSpiceVideoEnc, gst_spice_video_enc, GST, SPICE_VIDEO_ENC, GstBin)

    /** Whether this machine has what it takes to encode `codec` (`vp8` and so on). */
    gboolean gst_spice_video_enc_is_possible(const char *codec);

G_END_DECLS
