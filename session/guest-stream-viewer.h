/* One client that sees a display which its guest streams itself: what the client has been sent, and what
 * is to be sent so that it shows what there is. I/O thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "server-private.h"

G_BEGIN_DECLS

/** What the guest streams. */
typedef struct {
    guint serial; /* of the FORMAT that said so; 0: nothing */
    guint32 width, height;
    SpiceVideoCodecType codec;
} GstSpiceGuestFormat;

/** An access unit. */
typedef struct {
    GBytes *bytes; /* NULL: none */
    guint32 time;  /* of the server's clock, when its first byte came */
    gboolean key;
} GstSpiceGuestFrame;

struct GstSpiceGuestStreamViewer {
    GstSpiceGuestStream *stream;
    GstSpiceServerLink *link;
    guint serial;          /* of the format that it has been told of; 0: none */
    guint32 width, height; /* of its surface; 0: it has none */
    gint stream_id;        /* -1: there is none at the client */
    guint32 last_stream_id;
    gboolean wants_key; /* frames before the next key frame are of no use to it */
    gboolean missed;    /* it was not sent the newest frame */
};

GstSpiceGuestStreamViewer *gst_spice_guest_viewer_new(GstSpiceGuestStream *stream,
                                                      GstSpiceServerLink *link);
void gst_spice_guest_viewer_free(GstSpiceGuestStreamViewer *viewer);

/** Whether its client decodes this. */
gboolean gst_spice_guest_viewer_decodes(const GstSpiceGuestStreamViewer *viewer,
                                        SpiceVideoCodecType codec);
/** Tells it of the format: now, or with the next frame if it is behind. serial 0: the stream ends, and
 * the last picture stays. */
void gst_spice_guest_viewer_follow(GstSpiceGuestStreamViewer *viewer,
                                   const GstSpiceGuestFormat *format);
/** Sends a frame, unless the client is behind or cannot begin with it: a frame that is left out
 * costs an inter codec all up to the next key frame. */
void gst_spice_guest_viewer_send(GstSpiceGuestStreamViewer *viewer,
                                 const GstSpiceGuestFormat *format,
                                 const GstSpiceGuestFrame *frame);

G_END_DECLS
