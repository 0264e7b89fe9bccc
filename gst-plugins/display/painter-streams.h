/* A painter's video streams: their decoders, and what the server is told of them.
 *
 * All on the painter's thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "display-painter.h"

G_BEGIN_DECLS

typedef struct GstSpicePainterStreams GstSpicePainterStreams;

/** `events` as the painter's. NULL without memory. */
GstSpicePainterStreams *gst_spice_painter_streams_new(const GstSpiceDisplayPainterEvents *events,
                                                      gpointer user_data);
void gst_spice_painter_streams_free(GstSpicePainterStreams *self);

/** Follows a message that the receiver has applied. */
void gst_spice_painter_streams_follow(GstSpicePainterStreams *self, guint16 type,
                                      const void *message);

/** Paints the frame of STREAM_DATA or STREAM_DATA_SIZED, or has it wait for its time, if there is such a
 * stream and it can be decoded; it counts as received either way. FALSE if nothing was painted. */
gboolean gst_spice_painter_streams_paint(GstSpicePainterStreams *self, SpiceReceiver *receiver,
                                         guint16 type, const void *message,
                                         SpiceReceiverResult *result);

/** Paints one frame that waits: one that is due by `now_us`. FALSE: there is none. */
gboolean gst_spice_painter_streams_paint_due(GstSpicePainterStreams *self, SpiceReceiver *receiver,
                                             gint64 now_us, SpiceReceiverResult *result);
/** The same for one that a message must not overtake. */
gboolean gst_spice_painter_streams_paint_before(GstSpicePainterStreams *self,
                                                SpiceReceiver *receiver, guint16 type,
                                                const void *message, SpiceReceiverResult *result);
/** When the next is due; 0: none waits. */
gint64 gst_spice_painter_streams_get_due(const GstSpicePainterStreams *self);

/** Frames that were painted, and that could not be. */
typedef struct {
    guint64 painted, lost, reports;
} GstSpicePainterStreamsStats;
GstSpicePainterStreamsStats gst_spice_painter_streams_get_stats(const GstSpicePainterStreams *self);

G_END_DECLS
