/* What elements of a display say to each other against the stream, or beside it, as custom events:
 * spicedrawsrc and spicedisplayenc of a client's pipeline, spicechannelsrc and spicedisplaydec of a
 * viewer's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>
#include <pixman.h>

G_BEGIN_DECLS

/** Downstream: there has been nothing to send for a while. */
GstEvent *gst_spice_event_new_idle(void);
gboolean gst_spice_event_is_idle(GstEvent *event);

/** Upstream: there is something to do though there may be nothing to send; answered by the next. */
GstEvent *gst_spice_event_new_wake(void);
gboolean gst_spice_event_is_wake(GstEvent *event);

/** Downstream: somebody has woken the source. */
GstEvent *gst_spice_event_new_woken(void);
gboolean gst_spice_event_is_woken(GstEvent *event);

/** Upstream: the view's streams are to be sent in another codec. */
GstEvent *gst_spice_event_new_restart_streams(void);
gboolean gst_spice_event_is_restart_streams(GstEvent *event);

/** Upstream: this stream of the view's cannot be sent as one. */
GstEvent *gst_spice_event_new_refuse_stream(guint32 id, guint64 generation);
gboolean gst_spice_event_parse_refuse_stream(GstEvent *event, guint32 *id, guint64 *generation);

/** Upstream: a message of the display channel that is to be sent to the server. */
GstEvent *gst_spice_event_new_message(guint16 type, GBytes *body);
/** Whether it is one; *body is the event's own. */
gboolean gst_spice_event_parse_message(GstEvent *event, guint16 *type, GBytes **body);

enum { GST_SPICE_MAX_DAMAGE_BOXES = 64 };

/** Upstream: these parts of the primary are to be sent again; of more than
 * GST_SPICE_MAX_DAMAGE_BOXES, or of none, all of it. */
GstEvent *gst_spice_event_new_damage(const pixman_box32_t *boxes, guint n_boxes);
/** Whether it is one; `boxes` has room for GST_SPICE_MAX_DAMAGE_BOXES, *n_boxes 0: all. */
gboolean gst_spice_event_parse_damage(GstEvent *event, pixman_box32_t *boxes, guint *n_boxes);

G_END_DECLS
