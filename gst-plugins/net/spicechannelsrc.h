/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_SPICE_CHANNEL_SRC (gst_spice_channel_src_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceChannelSrc, gst_spice_channel_src, GST, SPICE_CHANNEL_SRC, GstPushSrc)

/** Sends a message on the channel of `src`; dropped if it is not open. Any thread. */
void gst_spice_channel_src_send(GstSpiceChannelSrc *src, guint16 type, GBytes *body);

G_END_DECLS
