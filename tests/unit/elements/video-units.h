/* The codecs of SPICE's video streams, units of them to decode, and this machine's decoders: for a test and
 * a bench.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

typedef struct {
    const char *name; /* as spicevideoenc has it */
    guint8 type;      /* SpiceVideoCodecType */
    const char *caps; /* as it is sent */
} VideoCodec;

enum { N_VIDEO_CODECS = 5 };
extern const VideoCodec video_codecs[N_VIDEO_CODECS];

/** Access units (GBytes) of pictures by spicevideoenc, 25 a second, one of which is a key frame besides
 * the first: `key`. `make_picture` gives BGRx. (transfer full) */
GPtrArray *video_units_encode(const VideoCodec *codec, guint width, guint height, guint n_pictures,
                              guint key, guint bit_rate, GstBuffer *(*make_picture)(guint n));

/** Factories of decoders, by rank. Free with gst_plugin_feature_list_free(). */
GList *video_units_decoders(const VideoCodec *codec);
gboolean video_units_is_of_a_card(gpointer factory);
