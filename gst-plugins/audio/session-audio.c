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

/* A guest's mixer, for an element `volume` of each direction */

static void follow_volume(GstSpiceSession *session, guint8 type, GstElement *element)
{
    GstSpiceVolume volume;

    if (gst_spice_session_get_volume(session, type, &volume))
        g_object_set(element, "volume", gst_spice_volume_get_factor(&volume), "mute", volume.mute,
                     NULL);
}

static void on_volume_changed(GstSpiceSession *session, guint type, gpointer element)
{
    if (type == GPOINTER_TO_UINT(g_object_get_data(element, "channel-type")))
        follow_volume(session, (guint8)type, element);
}

/** NULL: there is no such element. */
static GstElement *make_volume(guint8 type)
{
    GstElement *volume = gst_element_factory_make("volume", NULL);

    if (volume)
        g_object_set_data(G_OBJECT(volume), "channel-type", GUINT_TO_POINTER((guint)type));
    return volume;
}

static void watch_volume(GstSpiceSession *session, guint8 type, GstElement *volume)
{
    follow_volume(session, type, volume);
    g_signal_connect_object(session, "volume-changed", G_CALLBACK(on_volume_changed), volume, 0);
}

/* Playback */

GstElement *gst_spice_playback_bin_new(GstSpiceSession *session, gboolean silence)
{
    GstElement *bin = gst_bin_new(NULL);
    GstElement *source =
        g_object_new(GST_TYPE_SPICE_PLAYBACK_SRC, "session", session, "silence", silence, NULL);
    GstElement *decoder = g_object_new(GST_TYPE_SPICE_SOUND_DEC, NULL);
    GstElement *lipsync = g_object_new(GST_TYPE_SPICE_LIPSYNC, "session", session, NULL);
    GstElement *volume = make_volume(SPICE_CHANNEL_PLAYBACK);

    gst_bin_add_many(GST_BIN(bin), source, decoder, lipsync, NULL);
    gst_element_link_many(source, decoder, lipsync, NULL);
    if (volume) {
        gst_bin_add(GST_BIN(bin), volume);
        gst_element_link(lipsync, volume);
        watch_volume(session, SPICE_CHANNEL_PLAYBACK, volume);
    }
    expose(bin, volume ? volume : lipsync, "src");
    return bin;
}

/* Record */

GstElement *gst_spice_record_bin_new(GstSpiceSession *session)
{
    GstElement *bin, *convert = gst_element_factory_make("audioconvert", NULL);
    GstElement *resample = gst_element_factory_make("audioresample", NULL), *sink, *volume;

    if (!convert || !resample) {
        g_clear_pointer(&convert, gst_object_unref);
        g_clear_pointer(&resample, gst_object_unref);
        return NULL;
    }
    bin = gst_bin_new(NULL);
    sink = g_object_new(GST_TYPE_SPICE_RECORD_SINK, "name", "record", NULL);
    volume = make_volume(SPICE_CHANNEL_RECORD);
    gst_bin_add_many(GST_BIN(bin), convert, resample, sink, NULL);
    gst_element_link(convert, resample);
    if (volume) {
        gst_object_set_name(GST_OBJECT(volume), "volume");
        gst_bin_add(GST_BIN(bin), volume);
        gst_element_link_many(resample, volume, sink, NULL);
    } else {
        gst_element_link(resample, sink);
    }
    gst_spice_record_bin_set_session(bin, session);
    expose(bin, convert, "sink");
    return bin;
}

void gst_spice_record_bin_set_session(GstElement *bin, GstSpiceSession *session)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(bin), "record");
    GstElement *volume = gst_bin_get_by_name(GST_BIN(bin), "volume");

    g_object_set(sink, "session", session, NULL);
    if (volume && session)
        watch_volume(session, SPICE_CHANNEL_RECORD, volume);
    g_clear_object(&volume);
    gst_object_unref(sink);
}
