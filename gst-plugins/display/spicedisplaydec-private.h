/* Inside of a spicedisplaydec: what its files share.
 *
 *     spicedisplaydec.c         the element: messages in, states, properties; stream frames' times
 *     spicedisplaydec-frames.c  frames out, of what has changed
 *     spicedisplaydec-cursor.c  the cursor in the picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "spicedisplaydec.h"

#include "damage-meta.h"
#include "display-painter.h"
#include "frame-slots.h"
#include "frame-stamps.h"
#include "session/session.h"

G_BEGIN_DECLS

struct _GstSpiceDisplayDec {
    GstElement parent_instance;
    GstPad *sink, *src;

    GstSpiceSession *session; /* under the object lock */
    guint channel_id;
    gboolean shared_caches;
    gboolean show_cursor;
    GstSpiceTimestamps timestamps;
    gint num_buffers;

    gboolean session_lent;    /* it came by context, for one run; under the object lock */
    GstSpiceSession *watched; /* whose cursor is shown; state changes */
    gulong cursor_handler;
    gint cursor_pending;        /* atomic: a task will show the latest cursor */
    guint unknown_keys;         /* under the object lock */
    GstSpiceFrameStamps stamps; /* under the object lock */

    /* All below under the sink pad's stream lock, the first two also under the object lock. */
    GstSpiceDisplayPainter *painter;
    guint64 n_frames;
    GstSpiceFrameSlots slots;
    gboolean caps_sent;
    GstEvent *segment;
    GstEvent *heads; /* where the monitors lie; NULL: it has been sent */
    pixman_region32_t damage;
    gboolean all_damaged; /* the next frame has nothing in common with the last */
    gint64 damaged_since; /* monotonic time of the first damage; 0: none */
    gint64 media_time;    /* of the message that is being taken; negative: it has none */
    gint64 repeat_us; /* when the picture is to be sent again though it has not changed; 0: never */
    GstClockID alarm; /* for that, or the next stream frame that waits; NULL: there is nothing */
    gint64 alarm_us;  /* when it rings */
    pixman_image_t *cursor_image;
    GstSpiceCursor *cursor;
};

/* All of these under the sink pad's stream lock. */

/** What changed of the picture. */
void gst_spice_display_dec_add_damage(GstSpiceDisplayDec *self, const pixman_region32_t *damage);
/** Sends the picture as it is now, if there is something to show and it has changed. */
GstFlowReturn gst_spice_display_dec_push_frame(GstSpiceDisplayDec *self);
/** Makes the picture one to be sent, as if something had changed; what is recorded is to last. */
void gst_spice_display_dec_repeat(GstSpiceDisplayDec *self);
/** Whether all the frames that were asked for have been sent. */
gboolean gst_spice_display_dec_has_sent_all(GstSpiceDisplayDec *self);
void gst_spice_display_dec_forget_cursor(GstSpiceDisplayDec *self);

/* In state changes, not under it */

/** Follows the session's cursor, if it is to be shown. The cursor channel is that of display 0. */
void gst_spice_display_dec_watch_cursor(GstSpiceDisplayDec *self);
void gst_spice_display_dec_unwatch_cursor(GstSpiceDisplayDec *self);

G_END_DECLS
