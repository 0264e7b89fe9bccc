/* A client's media channel, seen by the pipeline that feeds it.
 *
 * The channel itself lives on the server's I/O thread; this is the end that a streaming thread
 * holds: it hands over messages and waits while the client is behind.
 *
 * Threads: any, unless said otherwise.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <glib-object.h>

#include "core/wire/display.h"
#include "display-figures.h"
#include "image-compression.h"
#include "streaming-video.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpiceMediaChannel GstSpiceMediaChannel;

#define GST_SPICE_TYPE_MEDIA_CHANNEL (gst_spice_media_channel_get_type())
GType gst_spice_media_channel_get_type(void); /* boxed, by reference */

GstSpiceMediaChannel *gst_spice_media_channel_ref(GstSpiceMediaChannel *channel);
void gst_spice_media_channel_unref(GstSpiceMediaChannel *channel);

guint8 gst_spice_media_channel_get_id(const GstSpiceMediaChannel *channel);
/** Whether the client has a capability of this channel type. */
gboolean gst_spice_media_channel_peer_has(const GstSpiceMediaChannel *channel, guint capability);

/** What the client's DISPLAY_INIT said, checked. */
const SpiceMsgcDisplayInit *
gst_spice_media_channel_get_display_init(const GstSpiceMediaChannel *channel);
/** How images are to be sent now: as the client wishes, if it does, else as the server is set. */
GstSpiceImageCompression
gst_spice_media_channel_get_image_compression(const GstSpiceMediaChannel *channel);
/** Whether JPEG, or zlib around GLZ (`zlib`), is to be used now. */
GstSpiceWanCompression
gst_spice_media_channel_get_wan_compression(const GstSpiceMediaChannel *channel, gboolean zlib);
/** Codecs of video streams, the best first: of the server's those that the client decodes, in the
 * order that it prefers, if it does. */
GstSpiceVideoCodecs gst_spice_media_channel_get_video_codecs(const GstSpiceMediaChannel *channel);
/** The number of the message that the next send will be, given that only the pipeline sends. */
guint64 gst_spice_media_channel_get_next_serial(GstSpiceMediaChannel *channel);

/** What is known of the way to the client; 0: not yet. */
typedef struct {
    guint64 bits_per_second;
    guint round_trip_us;
    guint jitter_us;       /* by which it takes longer now and then */
    gboolean told_by_peer; /* the rate follows from what the client has read */
} GstSpiceLinkQuality;
GstSpiceLinkQuality gst_spice_media_channel_get_link(GstSpiceMediaChannel *channel);

/** Whether the client is on this machine, by a unix socket. */
gboolean gst_spice_media_channel_is_local(const GstSpiceMediaChannel *channel);

/** How many bytes were handed over in all, and how many of them the client's machine has, as far as
 * is known: no more than that. */
typedef struct {
    guint64 sent, delivered;
} GstSpiceChannelProgress;
GstSpiceChannelProgress gst_spice_media_channel_get_progress(GstSpiceMediaChannel *channel);

/** Takes out the oldest of the last reports of streams that the client has made: FALSE if there is
 * none. Nothing of it has been checked but the stream's id (< SPICE_MAX_STREAMS). */
gboolean gst_spice_media_channel_take_report(GstSpiceMediaChannel *channel,
                                             SpiceMsgcDisplayStreamReport *report);

/** State that the channels of one client share and whoever feeds them defines, made by `create` on
 * the first call; it lives as long as one of these channels. (transfer none) */
gpointer gst_spice_media_channel_get_shared(GstSpiceMediaChannel *channel, gpointer (*create)(void),
                                            GDestroyNotify destroy);

/** Tells what the encoder has done so far. */
void gst_spice_media_channel_set_figures(GstSpiceMediaChannel *channel,
                                         const GstSpiceDisplayFigures *figures);
GstSpiceDisplayFigures gst_spice_media_channel_get_figures(GstSpiceMediaChannel *channel);

typedef enum {
    GST_SPICE_SEND_OK,
    GST_SPICE_SEND_FLUSHING,
    GST_SPICE_SEND_CLOSED, /* the client is gone */
} GstSpiceSendResult;

/** Waits while the client is behind, as a send would, so that what is sent next can be chosen as late as
 * possible. On the streaming thread that feeds the channel. */
void gst_spice_media_channel_wait(GstSpiceMediaChannel *channel);
/** Hands one message over. Waits while the client is behind: more than two ACK windows, or more
 * bytes than a limit or than its way takes in a moment (core/video/link-window.h). On the one streaming thread that feeds the channel. */
GstSpiceSendResult gst_spice_media_channel_send(GstSpiceMediaChannel *channel, guint16 type,
                                                GBytes *body);
/** How many messages went out that were not handed over here, since this or the next serial was last
 * asked for. */
guint gst_spice_media_channel_take_others(GstSpiceMediaChannel *channel);
/** While a channel is corked, a little is held back, to be sent together with what is about to
 * follow; uncorking sends it. On the streaming thread that feeds the channel, which uncorks before
 * it waits for more. */
void gst_spice_media_channel_cork(GstSpiceMediaChannel *channel, gboolean corked);
/** Whether a PING of that id is to be sent next: its answer tells that the client has read what was sent
 * before. To be asked after each message, by the thread that sends them; on a channel where nobody asks,
 * nothing is known but what the kernel says. */
gboolean gst_spice_media_channel_wants_mark(GstSpiceMediaChannel *channel, gboolean last,
                                            guint32 *id);
/** Makes a send that waits, and all that follow, return at once; FALSE undoes it. */
void gst_spice_media_channel_set_flushing(GstSpiceMediaChannel *channel, gboolean flushing);

/** Has the channel closed, as something is wrong with it; `why` is for a log. */
void gst_spice_media_channel_close(GstSpiceMediaChannel *channel, const char *why);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstSpiceMediaChannel, gst_spice_media_channel_unref)

#pragma GCC visibility pop
G_END_DECLS
