/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_PLAYBACK_SRC (gst_spice_playback_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpicePlaybackSrc, gst_spice_playback_src, GST, SPICE_PLAYBACK_SRC,
                     GstPushSrc)

/** How long one GAP event lasts. */
#define GST_SPICE_PLAYBACK_GAP (20 * GST_MSECOND)

G_END_DECLS
