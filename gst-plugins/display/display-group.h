/* What the display channels of one client share: the pixmap cache, the GLZ window, and how far each
 * has come, for those that wait for another.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

#include "core/display/receiver.h"
#include "core/wire/channel.h"

G_BEGIN_DECLS

/* What every display channel of a client announces in its INIT: pixels that the server may keep. */
enum {
    GST_SPICE_PIXMAP_CACHE_PIXELS = 20 << 20,
    GST_SPICE_GLZ_WINDOW_PIXELS = 8 << 20,
};

typedef struct GstSpiceDisplayGroup GstSpiceDisplayGroup;

/** The group that belongs to `session`, made by the first who asks; one of its own for NULL.
 * (transfer full) */
GstSpiceDisplayGroup *gst_spice_display_group_get(GObject *session);
GstSpiceDisplayGroup *gst_spice_display_group_ref(GstSpiceDisplayGroup *group);
void gst_spice_display_group_unref(GstSpiceDisplayGroup *group);

/** Makes a receiver use what is shared: pixmap cache and GLZ window. */
void gst_spice_display_group_configure(GstSpiceDisplayGroup *group, SpiceReceiverConfig *config);

/** Display `id` takes part, from now on counted from no message done; or leaves: nobody waits for
 * it any more. */
void gst_spice_display_group_join(GstSpiceDisplayGroup *group, guint8 id);
void gst_spice_display_group_leave(GstSpiceDisplayGroup *group, guint8 id);

/** Display `id` has done message `serial`, and all before it. */
void gst_spice_display_group_done(GstSpiceDisplayGroup *group, guint8 id, guint64 serial);

/** Waits until the displays that `waits` names have come so far; others count as done. FALSE if
 * *stop became TRUE or `deadline` (monotonic time) has passed. */
gboolean gst_spice_display_group_wait_for(GstSpiceDisplayGroup *group,
                                          const SpiceMsgWaitForChannels *waits,
                                          const gboolean *stop, gint64 deadline);

/** Waits until any other display than `id` has done a message since *seen, a number that the group
 * keeps (0 at first). FALSE as above, and if there is no other. */
gboolean gst_spice_display_group_wait_for_progress(GstSpiceDisplayGroup *group, guint8 id,
                                                   guint64 *seen, const gboolean *stop,
                                                   gint64 deadline);

/** Sets *stop so that those who wait see it. */
void gst_spice_display_group_set_stop(GstSpiceDisplayGroup *group, gboolean *stop, gboolean value);

G_END_DECLS
