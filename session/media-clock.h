/* When what a session receives is to be played: sound and pictures together.
 *
 *     stream = gst_spice_media_clock_take(clock, SPICE_MEDIA_VIDEO, mm, 0, arrival, NULL);
 *     due = gst_spice_media_clock_get_due(clock, SPICE_MEDIA_VIDEO, stream, g_get_monotonic_time());
 *
 * A unit is taken when it comes, once and in the order of coming, and asked for as often as one likes.
 * While sound plays, pictures wait for it, and it for them; without, they are shown as soon as most of
 * them are there (core/sync).
 *
 * All times are g_get_monotonic_time()'s but stream times, which mean something here alone. Any thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/sync/media-clock.h"
#include "session.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpiceMediaClock GstSpiceMediaClock;

/** (transfer none) */
GstSpiceMediaClock *gst_spice_session_get_media_clock(GstSpiceSession *session);

GstSpiceMediaClock *gst_spice_media_clock_new(void);
void gst_spice_media_clock_free(GstSpiceMediaClock *clock);

/** A unit came; see spice_media_clock_take(). The stream time of its beginning. */
gint64 gst_spice_media_clock_take(GstSpiceMediaClock *clock, SpiceMediaKind kind, guint32 mm,
                                  gint64 length_us, gint64 arrival_us, gboolean *jump);

/** When the unit that begins at a stream time is to be seen or heard, as things are now. */
gint64 gst_spice_media_clock_get_due(GstSpiceMediaClock *clock, SpiceMediaKind kind,
                                     gint64 stream_us, gint64 now_us);
/** How long units of a kind wait now, beyond their way. */
gint64 gst_spice_media_clock_get_delay(GstSpiceMediaClock *clock, SpiceMediaKind kind,
                                       gint64 now_us);

/** Whether sound plays, how long what plays it holds it, and by how much it is heard earlier than it
 * is due: pictures then follow it, as it moves slowly towards that time. */
void gst_spice_media_clock_set_audio(GstSpiceMediaClock *clock, gboolean plays, gint64 latency_us,
                                     gint64 early_us);
/** Sound came too late to be played in its time, by so much: by how much longer it waits from now on, which is
 * not more than what most packets need. */
gint64 gst_spice_media_clock_extend_audio(GstSpiceMediaClock *clock, gint64 late_us);
/** A picture took so long to be decoded; pictures are due later by what most of them take. */
void gst_spice_media_clock_take_decoding(GstSpiceMediaClock *clock, gint64 took_us);

#pragma GCC visibility pop
G_END_DECLS
