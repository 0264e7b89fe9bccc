/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_CHANNEL_SRC (gst_spice_channel_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceChannelSrc, gst_spice_channel_src, GST, SPICE_CHANNEL_SRC, GstPushSrc)

G_END_DECLS
