/* What spicedrawsrc and spicedisplayenc say to each other, as custom events.
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

enum { GST_SPICE_MAX_DAMAGE_BOXES = 64 };

/** Upstream: these parts of the primary are to be sent again; of more than
 * GST_SPICE_MAX_DAMAGE_BOXES, or of none, all of it. */
GstEvent *gst_spice_event_new_damage(const pixman_box32_t *boxes, guint n_boxes);
/** Whether it is one; `boxes` has room for GST_SPICE_MAX_DAMAGE_BOXES, *n_boxes 0: all. */
gboolean gst_spice_event_parse_damage(GstEvent *event, pixman_box32_t *boxes, guint *n_boxes);

G_END_DECLS
