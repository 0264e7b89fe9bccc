/* Messages of a display channel become pixels: receiver, video streams, and waiting for what other
 * displays of the client have to bring.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "display-group.h"

G_BEGIN_DECLS

typedef struct GstSpiceDisplayPainter GstSpiceDisplayPainter;

/** What a painter tells, on the thread that hands it messages. */
typedef struct {
    /** Pixels of the primary changed within `damage`; `anew`: the picture is another one. */
    void (*changed)(const pixman_region32_t *damage, gboolean anew, gpointer user_data);
    /** The next message has to wait for another display: what was painted need not. */
    void (*waits)(gpointer user_data);
    /** The server said where its monitors lie on the surface. */
    void (*monitors)(const SpiceHead *heads, guint n_heads, gpointer user_data);
    /** A message of the client's for the server, as its struct. */
    void (*send)(guint16 type, const void *message, gpointer user_data);
    /** The server's multimedia time, in ms, as far as it was told. */
    guint32 (*mm_time)(gpointer user_data);
    /** When the stream frame that is just being taken is to be seen, monotonic; 0: at once. */
    gint64 (*due)(gpointer user_data);
    /** A stream frame took so long to be decoded, in microseconds. */
    void (*decoded)(gint64 took_us, gpointer user_data);
} GstSpiceDisplayPainterEvents;

/** A painter of display `id`, which joins `group` (a reference is taken). NULL without memory. */
GstSpiceDisplayPainter *gst_spice_display_painter_new(GstSpiceDisplayGroup *group, guint8 id,
                                                      const GstSpiceDisplayPainterEvents *events,
                                                      gpointer user_data);
/** Leaves the group, too. */
void gst_spice_display_painter_free(GstSpiceDisplayPainter *painter);

/** Ends a wait that is under way and lets none begin, or lets them again. Any thread. */
void gst_spice_display_painter_set_stop(GstSpiceDisplayPainter *painter, gboolean stop);
gboolean gst_spice_display_painter_is_stopped(GstSpiceDisplayPainter *painter);

/** Takes one message: mini header and body; `serial` is its number on the wire. FALSE and *error if
 * the channel cannot go on. A malformed draw is dropped and counted, which is no error. */
gboolean gst_spice_display_painter_take(GstSpiceDisplayPainter *painter, const guint8 *data,
                                        gsize size, guint64 serial, SpiceError *error);

/** Paints the stream frames whose time has come by `now_us`. Frames that wait are painted earlier if a
 * message that is taken would be painted before them though it came later. */
void gst_spice_display_painter_paint_due(GstSpiceDisplayPainter *painter, gint64 now_us);
/** When the next stream frame is due; 0: none waits. */
gint64 gst_spice_display_painter_get_due(const GstSpiceDisplayPainter *painter);

/** The picture, if there is one to be shown: the primary surface from MARK on. */
const SpicePixels *gst_spice_display_painter_get_picture(GstSpiceDisplayPainter *painter);

/** Counters, as fields of `stats`. Any thread. */
void gst_spice_display_painter_add_stats(GstSpiceDisplayPainter *painter, GstStructure *stats);

G_END_DECLS
