/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session-audio.h"

#include "core/wire/channel.h"
#include "session/session-sound.h"
#include "spicelipsync.h"
#include "spiceplaybacksrc.h"
#include "spicerecordsink.h"
#include "spicesounddec.h"

static void expose(GstElement *bin, GstElement *element, const char *name)
{
    GstPad *pad = gst_element_get_static_pad(element, name);

    gst_element_add_pad(bin, gst_ghost_pad_new(name, pad));
    gst_object_unref(pad);
}

/* Playback */

static void follow_volume(GstSpiceSession *session, GstElement *element)
{
    GstSpiceVolume volume;

    if (gst_spice_session_get_volume(session, SPICE_CHANNEL_PLAYBACK, &volume))
        g_object_set(element, "volume", gst_spice_volume_get_factor(&volume), "mute", volume.mute,
                     NULL);
}

static void on_volume_changed(GstSpiceSession *session, guint type, gpointer element)
{
    if (type == SPICE_CHANNEL_PLAYBACK)
        follow_volume(session, element);
}

GstElement *gst_spice_playback_bin_new(GstSpiceSession *session)
{
    GstElement *bin = gst_bin_new(NULL);
    GstElement *source = g_object_new(GST_TYPE_SPICE_PLAYBACK_SRC, "session", session, NULL);
    GstElement *decoder = g_object_new(GST_TYPE_SPICE_SOUND_DEC, NULL);
    GstElement *lipsync = g_object_new(GST_TYPE_SPICE_LIPSYNC, "session", session, NULL);
    GstElement *volume = gst_element_factory_make("volume", NULL);

    gst_bin_add_many(GST_BIN(bin), source, decoder, lipsync, NULL);
    gst_element_link_many(source, decoder, lipsync, NULL);
    if (volume) {
        gst_bin_add(GST_BIN(bin), volume);
        gst_element_link(lipsync, volume);
        follow_volume(session, volume);
        g_signal_connect_object(session, "volume-changed", G_CALLBACK(on_volume_changed), volume,
                                0);
    }
    expose(bin, volume ? volume : lipsync, "src");
    return bin;
}

/* Record */

GstElement *gst_spice_record_bin_new(GstSpiceSession *session)
{
    GstElement *bin, *convert = gst_element_factory_make("audioconvert", NULL);
    GstElement *resample = gst_element_factory_make("audioresample", NULL), *sink;

    if (!convert || !resample) {
        g_clear_pointer(&convert, gst_object_unref);
        g_clear_pointer(&resample, gst_object_unref);
        return NULL;
    }
    bin = gst_bin_new(NULL);
    sink = g_object_new(GST_TYPE_SPICE_RECORD_SINK, "session", session, "name", "record", NULL);
    gst_bin_add_many(GST_BIN(bin), convert, resample, sink, NULL);
    gst_element_link_many(convert, resample, sink, NULL);
    expose(bin, convert, "sink");
    return bin;
}

void gst_spice_record_bin_set_session(GstElement *bin, GstSpiceSession *session)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(bin), "record");

    g_object_set(sink, "session", session, NULL);
    gst_object_unref(sink);
}
