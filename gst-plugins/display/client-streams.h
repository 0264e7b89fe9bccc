/* The video streams of one client, between its view and its channel: for each an encoder that works
 * on a pool of threads, and the control of its rate.
 *
 * The newest picture wins: at most one is being encoded and one waits, which a newer one replaces.
 * What is done is taken out on the client's streaming thread, which alone sends.
 *
 * Threads: all calls on the client's streaming thread; `done` comes on a thread of the pool and
 * must not wait.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "core/display/view.h"
#include "session/media-channel.h"

G_BEGIN_DECLS

typedef struct GstSpiceClientStreams GstSpiceClientStreams;

/** `done` says that there is something to take out. Without a channel nothing limits the rate, and
 * codecs are MJPEG. */
GstSpiceClientStreams *gst_spice_client_streams_new(GstSpiceMediaChannel *channel,
                                                    void (*done)(gpointer user_data),
                                                    gpointer user_data);
/** No `done` comes any more. */
void gst_spice_client_streams_free(GstSpiceClientStreams *self);

/** A stream begins: *codec is what it is sent in. FALSE if there is no encoder for it. */
gboolean gst_spice_client_streams_begin(GstSpiceClientStreams *self, const SpiceViewFrame *stream,
                                        const SpiceRect *dest, guint8 *codec);
/** It ends; what is being encoded comes to nothing. Without an effect if it does not run. */
void gst_spice_client_streams_end(GstSpiceClientStreams *self, guint32 id);
gboolean gst_spice_client_streams_has(GstSpiceClientStreams *self, guint32 id);

/** A frame, of which `picture`, a DRAW_COPY of a bitmap, is kept by a reference. FALSE if it is
 * dropped, as the link is full. */
gboolean gst_spice_client_streams_take(GstSpiceClientStreams *self, const SpiceViewFrame *frame,
                                       SpiceDrawable *picture);

/** Whether the client, or the server, has come to want other codecs since this was last asked. */
gboolean gst_spice_client_streams_codecs_changed(GstSpiceClientStreams *self);

/** A newer picture of `box` than all frames so far is being sent otherwise: frames that are still being
 * encoded are not shown after it. */
void gst_spice_client_streams_overtake(GstSpiceClientStreams *self, const SpiceRect *box);

typedef struct {
    guint32 id;
    guint64 time;        /* us: when it was drawn */
    GBytes *data;        /* (transfer full) */
    guint width, height; /* 0: those of the stream */
    SpiceRect dest;      /* where it is shown */
} GstSpiceEncodedFrame;

/** Takes out a frame that is to be sent now. FALSE if there is none. */
gboolean gst_spice_client_streams_next(GstSpiceClientStreams *self, GstSpiceEncodedFrame *frame);

/** Looks at what the client has reported. TRUE if it cannot show one of its streams, which is
 * forgotten: *id and *generation are that one's. To be called until it returns FALSE. */
gboolean gst_spice_client_streams_look(GstSpiceClientStreams *self, guint32 *id,
                                       guint64 *generation);

/** What happened so far. */
typedef struct {
    guint64 streams, frames, bytes, dropped, reports;
} GstSpiceClientStreamsStats;
GstSpiceClientStreamsStats gst_spice_client_streams_get_stats(const GstSpiceClientStreams *self);

G_END_DECLS
