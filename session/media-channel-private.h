/* Inside of a display's media channel: what its files share.
 *
 *     media-channel.c   the end that the pipeline holds
 *     media-link.c      the end on the I/O thread
 *     media-scanout.c   pictures of a GPU, for clients that can be given their descriptors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/link-window.h"
#include "server-private.h"

G_BEGIN_DECLS

/* Bytes that may wait: handed over but not yet with the socket, and in the kernel but not yet sent.
 * Little, so that what is sent is new: while it waits in a view, it can still be left out. */
enum { GST_SPICE_MAX_WAITING = 256 << 10, GST_SPICE_MAX_UNSENT = 128 << 10 };

/* Reports of streams that wait to be looked at; the oldest go when there are more. */
enum { GST_SPICE_MAX_REPORTS = 32 };

/** One that waits to be sent. */
typedef struct {
    guint16 type;
    GBytes *body;
    GstSpiceScanout *scanout; /* whose descriptor goes with it; NULL: none does */
} GstSpiceMediaMessage;

struct GstSpiceClientShared {
    gatomicrefcount refs;
    GMutex lock;
    gpointer state;
    GDestroyNotify destroy;
};

struct GstSpiceMediaChannel {
    gatomicrefcount refs;

    /* constant once opened */
    GMainContext *context;
    guint8 type, id;
    guint client;
    gboolean local;
    guint32 caps;
    SpiceMsgcDisplayInit display_init;
    struct GstSpiceClientShared *shared;
    GstSpiceServerImages *settings; /* the server's */
    gint preferred;                 /* atomic: what the client wishes; -1: nothing */

    GMutex lock;
    GCond wake;
    guint waiting;              /* under lock: threads that wait for `wake` */
    SpiceServerChannel *sender; /* under lock, a reference; NULL once closed */
    GQueue messages;            /* under lock */
    gsize queued;               /* under lock: bytes in `messages` */
    gsize backlog;              /* under lock: bytes that the connection has queued */
    gboolean blocked, drains, flushing, closed; /* under lock; drains: a drain will come */
    gboolean corked, held;  /* under lock; held: there may be bytes that were not offered yet */
    guint64 next_serial;    /* under lock */
    guint64 sent;           /* under lock: bytes that were handed over */
    gboolean waited;        /* under lock: what is sent next could not be sent at once */
    guint64 link_rate;      /* under lock: bits a second, as the kernel last measured; 0: not yet */
    SpiceLinkWindow window; /* under lock */
    GSocket *socket;        /* under lock; NULL once closed */
    SpiceMsgcDisplayStreamReport reports[GST_SPICE_MAX_REPORTS]; /* under lock, a ring */
    guint first_report, n_reports;                               /* under lock */
    guint8 preferred_codecs[16];                                 /* under lock */
    guint n_preferred_codecs;                                    /* under lock */
    GstSpiceDisplayFigures figures;                              /* under lock */

    gboolean shows_scanouts;  /* constant: it is given descriptors */
    GstSpiceScanout *scanout; /* under lock; NULL: none */
    guint others;             /* under lock: messages that the encoder has yet to hear of */
    guint unanswered_draws;   /* under lock: of the scanout */
    gboolean missed_draws;    /* I/O thread: some were left out meanwhile */
    guint64 asked;            /* I/O thread: by which draw it was asked last */

    struct Media *media; /* I/O thread: NULL once closed */
};

/** The channel on the I/O thread. */
typedef struct Media {
    GstSpiceServerLink link;
    GstSpiceMediaChannel *channel; /* a reference */
    gboolean opened;               /* INIT has come */
    GstSpiceGuestStreamViewer
        *guest; /* it is fed by a guest's stream, and by no pipeline; else NULL */
} Media;

/* All of these under the channel's lock. */

/** Puts a message into the queue; the I/O thread sends it. `scanout`: whose descriptor goes with it. */
void gst_spice_media_channel_enqueue(GstSpiceMediaChannel *self, guint16 type, GBytes *body,
                                     GstSpiceScanout *scanout);
/** Has the I/O thread take messages. */
void gst_spice_media_channel_schedule_drain(GstSpiceMediaChannel *self);
/** The primary surface was created anew: what it shows is told again. */
void gst_spice_media_channel_tell_scanout(GstSpiceMediaChannel *self);

void gst_spice_media_message_free(gpointer message);

/* On the I/O thread */

/** An answer to a draw of a scanout; FALSE: there was nothing to answer. */
gboolean gst_spice_media_channel_take_draw_done(GstSpiceMediaChannel *self);

G_END_DECLS
