/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared-display.h"

struct GstSpiceSharedDisplay {
    gatomicrefcount refs;
    GMutex lock;
    SpiceDisplay *display;
    GList *views; /* GstSpiceSharedView */
};

struct GstSpiceSharedView {
    gatomicrefcount refs; /* its owner's, and those of threads that are waking it */
    GstSpiceSharedDisplay *display;
    SpiceView *view;
    GCond wake;
    gboolean waits, flushing, woken;
};

/* Views that are woken after the lock was given up; with more, the others under it. */
enum { MAX_WOKEN = 16 };

G_DEFINE_BOXED_TYPE(GstSpiceSharedDisplay, gst_spice_shared_display, gst_spice_shared_display_ref,
                    gst_spice_shared_display_unref)

GstSpiceSharedDisplay *gst_spice_shared_display_new(SpiceCpuFlags cpu, SpiceStreamMode streaming)
{
    const SpiceDisplayConfig config = {
        .allocator = &spice_allocator_libc, .cpu = cpu, .streaming = streaming};
    GstSpiceSharedDisplay *self = g_new0(GstSpiceSharedDisplay, 1);

    g_atomic_ref_count_init(&self->refs);
    g_mutex_init(&self->lock);
    self->display = spice_display_create(&config);
    if (!self->display)
        g_clear_pointer(&self, gst_spice_shared_display_unref);
    return self;
}

GstSpiceSharedDisplay *gst_spice_shared_display_ref(GstSpiceSharedDisplay *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void gst_spice_shared_display_unref(GstSpiceSharedDisplay *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    if (self->display)
        spice_display_destroy(self->display);
    g_mutex_clear(&self->lock);
    g_free(self);
}

SpiceDisplay *gst_spice_shared_display_lock(GstSpiceSharedDisplay *self)
{
    g_mutex_lock(&self->lock);
    return self->display;
}

static void view_unref(GstSpiceSharedView *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_cond_clear(&self->wake);
    g_free(self);
}

void gst_spice_shared_display_unlock(GstSpiceSharedDisplay *self)
{
    GstSpiceSharedView *woken[MAX_WOKEN];
    guint n_woken = 0, i;
    GList *item;

    for (item = self->views; item; item = item->next) {
        GstSpiceSharedView *view = item->data;

        if (!view->waits || !spice_view_has_next(view->view))
            continue;
        view->waits = FALSE;
        if (n_woken == MAX_WOKEN) {
            g_cond_signal(&view->wake);
        } else {
            g_atomic_ref_count_inc(&view->refs);
            woken[n_woken++] = view;
        }
    }
    g_mutex_unlock(&self->lock);
    /* Who is woken under the lock runs into it at once, and has to be woken again. */
    for (i = 0; i < n_woken; i++) {
        g_cond_signal(&woken[i]->wake);
        view_unref(woken[i]);
    }
}

void gst_spice_shared_display_set_streaming(GstSpiceSharedDisplay *self, SpiceStreamMode mode)
{
    spice_display_set_streaming(gst_spice_shared_display_lock(self), mode,
                                (guint64)g_get_monotonic_time());
    gst_spice_shared_display_unlock(self);
}

void gst_spice_shared_display_unlock_quietly(GstSpiceSharedDisplay *self)
{
    g_mutex_unlock(&self->lock);
}

GstSpiceSharedView *gst_spice_shared_view_new(GstSpiceSharedDisplay *display,
                                              const SpiceViewConfig *config)
{
    GstSpiceSharedView *self = g_new0(GstSpiceSharedView, 1);

    self->display = gst_spice_shared_display_ref(display);
    g_atomic_ref_count_init(&self->refs);
    g_cond_init(&self->wake);
    g_mutex_lock(&display->lock);
    self->view = spice_view_create(display->display, config);
    if (self->view)
        display->views = g_list_prepend(display->views, self);
    g_mutex_unlock(&display->lock);
    if (!self->view)
        g_clear_pointer(&self, gst_spice_shared_view_free);
    return self;
}

void gst_spice_shared_view_free(GstSpiceSharedView *self)
{
    GstSpiceSharedDisplay *display = self->display;

    if (self->view) {
        g_mutex_lock(&display->lock);
        display->views = g_list_remove(display->views, self);
        spice_view_destroy(self->view);
        g_mutex_unlock(&display->lock);
    }
    view_unref(self);
    gst_spice_shared_display_unref(display);
}

enum {
    /* How long a view waits for memory before it tries again. */
    RETRY_US = 20 * 1000,
};

/** Waits for the publisher, the flush, somebody who wakes it, or until `until` (0: for ever). */
static void wait_for_wake(GstSpiceSharedView *self, gint64 until)
{
    gboolean in_time = TRUE;

    self->waits = TRUE;
    while (self->waits && !self->flushing && !self->woken && in_time) {
        if (until)
            in_time = g_cond_wait_until(&self->wake, &self->display->lock, until);
        else
            g_cond_wait(&self->wake, &self->display->lock);
    }
    self->waits = FALSE;
}

/** When a view that waits until `deadline` has to look again. */
static gint64 next_look(GstSpiceSharedView *self, gint64 deadline, gint64 now, gboolean starved)
{
    const guint64 due = spice_display_stream_due(self->display->display);
    gint64 until = deadline;

    if (starved)
        until = now + RETRY_US;
    else if (due != G_MAXUINT64)
        until = (gint64)due;
    return deadline && deadline < until ? deadline : until;
}

gboolean gst_spice_shared_view_next(GstSpiceSharedView *self, gint64 deadline, SpiceViewItem **item)
{
    gboolean flushing;

    *item = NULL;
    g_mutex_lock(&self->display->lock);
    while (!self->flushing && !self->woken) {
        const gint64 now = g_get_monotonic_time();
        SpiceError error = {0};
        gboolean starved;

        spice_display_advance(self->display->display, (guint64)now);
        starved = !spice_view_next(self->view, item, &error);
        if (*item || (deadline && now >= deadline))
            break;
        wait_for_wake(self, next_look(self, deadline, now, starved));
    }
    flushing = self->flushing;
    if (!*item)
        self->woken = FALSE;
    g_mutex_unlock(&self->display->lock);
    if (flushing && *item) {
        spice_view_item_done(*item);
        *item = NULL;
    }
    return !flushing;
}

SpiceViewItem *gst_spice_shared_view_try_next(GstSpiceSharedView *self)
{
    SpiceViewItem *item = NULL;
    SpiceError error = {0};

    g_mutex_lock(&self->display->lock);
    if (!self->flushing && !self->woken) {
        spice_display_advance(self->display->display, (guint64)g_get_monotonic_time());
        spice_view_next(self->view, &item, &error); /* if it starves, waiting is tried next */
    }
    g_mutex_unlock(&self->display->lock);
    return item;
}

void gst_spice_shared_view_wake(GstSpiceSharedView *self)
{
    g_mutex_lock(&self->display->lock);
    self->woken = TRUE;
    if (self->waits)
        g_cond_signal(&self->wake);
    g_mutex_unlock(&self->display->lock);
}

void gst_spice_shared_view_restart_streams(GstSpiceSharedView *self)
{
    gst_spice_shared_display_lock(self->display);
    spice_view_restart_streams(self->view);
    gst_spice_shared_display_unlock(self->display);
}

void gst_spice_shared_view_refuse_stream(GstSpiceSharedView *self, guint32 id, guint64 generation)
{
    gst_spice_shared_display_lock(self->display);
    spice_view_refuse_stream(self->view, id, generation);
    gst_spice_shared_display_unlock(self->display);
}

void gst_spice_shared_view_set_flushing(GstSpiceSharedView *self, gboolean flushing)
{
    g_mutex_lock(&self->display->lock);
    self->flushing = flushing;
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->display->lock);
}

void gst_spice_shared_view_damage(GstSpiceSharedView *self, const SpiceRect *area)
{
    gst_spice_shared_display_lock(self->display);
    spice_view_damage(self->view, area);
    gst_spice_shared_display_unlock(self->display);
}

SpiceViewCounters gst_spice_shared_view_get_counters(GstSpiceSharedView *self)
{
    SpiceViewCounters counters;

    g_mutex_lock(&self->display->lock);
    counters = *spice_view_counters(self->view);
    g_mutex_unlock(&self->display->lock);
    return counters;
}
