/* A display that a publisher and the feeders of its clients' channels use from threads of their
 * own: a SpiceDisplay (core/display/publisher.h) with its lock, and views that can be waited on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

#include "core/display/publisher.h"
#include "core/display/view.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpiceSharedDisplay GstSpiceSharedDisplay;

#define GST_SPICE_TYPE_SHARED_DISPLAY (gst_spice_shared_display_get_type())
GType gst_spice_shared_display_get_type(void); /* boxed, by reference */

/** NULL without memory. */
GstSpiceSharedDisplay *gst_spice_shared_display_new(SpiceCpuFlags cpu, SpiceStreamMode streaming);
GstSpiceSharedDisplay *gst_spice_shared_display_ref(GstSpiceSharedDisplay *self);
void gst_spice_shared_display_unref(GstSpiceSharedDisplay *self);

/** The display, to be used until it is unlocked. */
SpiceDisplay *gst_spice_shared_display_lock(GstSpiceSharedDisplay *self);
/** Unlocks, and wakes those views that have something to send now. */
void gst_spice_shared_display_unlock(GstSpiceSharedDisplay *self);
/** Unlocks without waking anybody: more follows at once. */
void gst_spice_shared_display_unlock_quietly(GstSpiceSharedDisplay *self);

/** See spice_display_set_streaming(); drawables' times are those of g_get_monotonic_time(). */
void gst_spice_shared_display_set_streaming(GstSpiceSharedDisplay *self, SpiceStreamMode mode);

typedef struct GstSpiceSharedView GstSpiceSharedView;

/** A client's view; it has a reference of the display. */
GstSpiceSharedView *gst_spice_shared_view_new(GstSpiceSharedDisplay *display,
                                              const SpiceViewConfig *config);
void gst_spice_shared_view_free(GstSpiceSharedView *self);

/** Waits for the next message; `item` is given back by spice_view_item_done(), under no lock. FALSE
 * if the view is flushing. While there is nothing it waits until `deadline` (monotonic; 0: for
 * ever) or until it is woken, then *item is NULL. On one thread at a time. */
gboolean gst_spice_shared_view_next(GstSpiceSharedView *self, gint64 deadline,
                                    SpiceViewItem **item);
/** The next message if it is there already, else NULL. */
SpiceViewItem *gst_spice_shared_view_try_next(GstSpiceSharedView *self);
/** Ends a wait, or the next one, without a message. Any thread. */
void gst_spice_shared_view_wake(GstSpiceSharedView *self);
/** See spice_view_restart_streams(). Any thread. */
void gst_spice_shared_view_restart_streams(GstSpiceSharedView *self);
/** See spice_view_refuse_stream(). Any thread. */
void gst_spice_shared_view_refuse_stream(GstSpiceSharedView *self, guint32 id, guint64 generation);
/** Makes a wait, and all that follow, return at once; FALSE undoes it. Any thread. */
void gst_spice_shared_view_set_flushing(GstSpiceSharedView *self, gboolean flushing);
/** Has an area of the primary sent again; see spice_view_damage(). Any thread. */
void gst_spice_shared_view_damage(GstSpiceSharedView *self, const SpiceRect *area);
/** A copy of the counters. Any thread. */
SpiceViewCounters gst_spice_shared_view_get_counters(GstSpiceSharedView *self);

#pragma GCC visibility pop
G_END_DECLS
