/* Which draws are sent as video streams and how, as types for properties.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

#include "core/video/stream-detect.h"
#include "core/wire/display.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

/** Values as of #SpiceStreamMode. */
typedef enum {
    GST_SPICE_STREAMING_VIDEO_OFF = SPICE_STREAM_MODE_OFF,
    GST_SPICE_STREAMING_VIDEO_ALL = SPICE_STREAM_MODE_ALL,
    GST_SPICE_STREAMING_VIDEO_FILTER = SPICE_STREAM_MODE_FILTER,
} GstSpiceStreamingVideo;

GType gst_spice_streaming_video_get_type(void);
#define GST_SPICE_TYPE_STREAMING_VIDEO (gst_spice_streaming_video_get_type())

enum { GST_SPICE_N_VIDEO_CODECS = 5 };
#define GST_SPICE_DEFAULT_VIDEO_CODECS "mjpeg,vp8,vp9,h264,h265"

/** Codecs (SpiceVideoCodecType), the best first. */
typedef struct {
    guint n;
    guint8 codecs[GST_SPICE_N_VIDEO_CODECS];
} GstSpiceVideoCodecs;

/** Of names; those that are not known, and repetitions, are left out. FALSE if none is left. */
gboolean gst_spice_video_codecs_parse(const char *names, GstSpiceVideoCodecs *codecs);
/** The names, comma-separated. (transfer full) */
char *gst_spice_video_codecs_to_string(const GstSpiceVideoCodecs *codecs);
/** Puts what `preferred` names first, in its order; adds none. */
void gst_spice_video_codecs_prefer(GstSpiceVideoCodecs *codecs, const guint8 *preferred, guint n);
/** A number that an atomic can hold, and back. */
guint gst_spice_video_codecs_pack(const GstSpiceVideoCodecs *codecs);
GstSpiceVideoCodecs gst_spice_video_codecs_unpack(guint packed);
/** `mjpeg` and so on; NULL if there is no such codec. */
const char *gst_spice_video_codec_name(guint8 codec);
/** The capability (SPICE_DISPLAY_CAP_CODEC_*) of a client that decodes it. */
guint gst_spice_video_codec_capability(guint8 codec);

#pragma GCC visibility pop
G_END_DECLS
