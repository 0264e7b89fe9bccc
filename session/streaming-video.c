/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "streaming-video.h"

#include <string.h>

#include "core/wire/link.h"

enum { PACKED_BITS = 3 };

GType gst_spice_streaming_video_get_type(void)
{
    static const GEnumValue values[] = {
        {GST_SPICE_STREAMING_VIDEO_OFF, "Nothing", "off"},
        {GST_SPICE_STREAMING_VIDEO_ALL, "All that is drawn again and again", "all"},
        {GST_SPICE_STREAMING_VIDEO_FILTER, "What looks like film", "filter"},
        {0, NULL, NULL},
    };
    static gsize type;

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstSpiceStreamingVideo", values));
    return type;
}

static const struct {
    const char *name;
    guint capability;
} known[] = {
    [SPICE_VIDEO_CODEC_TYPE_MJPEG] = {"mjpeg", SPICE_DISPLAY_CAP_CODEC_MJPEG},
    [SPICE_VIDEO_CODEC_TYPE_VP8] = {"vp8", SPICE_DISPLAY_CAP_CODEC_VP8},
    [SPICE_VIDEO_CODEC_TYPE_H264] = {"h264", SPICE_DISPLAY_CAP_CODEC_H264},
    [SPICE_VIDEO_CODEC_TYPE_VP9] = {"vp9", SPICE_DISPLAY_CAP_CODEC_VP9},
    [SPICE_VIDEO_CODEC_TYPE_H265] = {"h265", SPICE_DISPLAY_CAP_CODEC_H265},
};

const char *gst_spice_video_codec_name(guint8 codec)
{
    return codec < G_N_ELEMENTS(known) ? known[codec].name : NULL;
}

guint gst_spice_video_codec_capability(guint8 codec)
{
    return known[codec].capability;
}

static gboolean has(const GstSpiceVideoCodecs *codecs, guint8 codec)
{
    return codecs->n > 0 && memchr(codecs->codecs, codec, codecs->n);
}

static void add(GstSpiceVideoCodecs *codecs, guint8 codec)
{
    if (gst_spice_video_codec_name(codec) && !has(codecs, codec))
        codecs->codecs[codecs->n++] = codec;
}

gboolean gst_spice_video_codecs_parse(const char *names, GstSpiceVideoCodecs *codecs)
{
    g_auto(GStrv) parts = g_strsplit(names ? names : "", ",", -1);
    guint i;
    guint8 codec;

    *codecs = (GstSpiceVideoCodecs){0};
    for (i = 0; parts[i]; i++)
        for (codec = 1; codec < G_N_ELEMENTS(known); codec++)
            if (g_ascii_strcasecmp(g_strstrip(parts[i]), known[codec].name) == 0)
                add(codecs, codec);
    return codecs->n > 0;
}

char *gst_spice_video_codecs_to_string(const GstSpiceVideoCodecs *codecs)
{
    GString *names = g_string_new(NULL);
    guint i;

    for (i = 0; i < codecs->n; i++)
        g_string_append_printf(names, "%s%s", i ? "," : "", known[codecs->codecs[i]].name);
    return g_string_free(names, FALSE);
}

void gst_spice_video_codecs_prefer(GstSpiceVideoCodecs *codecs, const guint8 *preferred, guint n)
{
    const GstSpiceVideoCodecs before = *codecs;
    guint i;

    codecs->n = 0;
    for (i = 0; i < n; i++)
        if (has(&before, preferred[i]))
            add(codecs, preferred[i]);
    for (i = 0; i < before.n; i++)
        add(codecs, before.codecs[i]);
}

guint gst_spice_video_codecs_pack(const GstSpiceVideoCodecs *codecs)
{
    guint packed = 0, i;

    for (i = codecs->n; i-- > 0;)
        packed = packed << PACKED_BITS | codecs->codecs[i];
    return packed;
}

GstSpiceVideoCodecs gst_spice_video_codecs_unpack(guint packed)
{
    GstSpiceVideoCodecs codecs = {0};

    for (; packed; packed >>= PACKED_BITS)
        add(&codecs, packed & ((1u << PACKED_BITS) - 1));
    return codecs;
}
