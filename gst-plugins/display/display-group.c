/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display-group.h"

enum { MAX_DISPLAYS = 256, MAX_GLZ_IMAGES = 1 << 20 };

struct GstSpiceDisplayGroup {
    gatomicrefcount refs;
    GMutex lock;
    GCond cond;
    struct {
        gboolean present;
        guint64 done;     /* serial */
        guint64 progress; /* messages done, over all lives of the display */
    } displays[MAX_DISPLAYS];
    guint64 progress; /* of all together */
    gint n_present;

    GMutex pixmaps_lock, glz_lock;
    SpiceLock pixmaps_lock_calls, glz_lock_calls;
    SpicePixmapCache *pixmaps;
    SpiceGlzWindow *glz_window;
};

static void acquire(void *context)
{
    g_mutex_lock(context);
}

static void release(void *context)
{
    g_mutex_unlock(context);
}

static GstSpiceDisplayGroup *group_new(void)
{
    GstSpiceDisplayGroup *self = g_new0(GstSpiceDisplayGroup, 1);

    g_atomic_ref_count_init(&self->refs);
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    g_mutex_init(&self->pixmaps_lock);
    self->pixmaps_lock_calls = (SpiceLock){acquire, release, &self->pixmaps_lock};
    self->pixmaps = spice_pixmap_cache_create(&spice_allocator_libc, &self->pixmaps_lock_calls,
                                              GST_SPICE_PIXMAP_CACHE_PIXELS);
    g_mutex_init(&self->glz_lock);
    self->glz_lock_calls = (SpiceLock){acquire, release, &self->glz_lock};
    /* Twice what is announced: images may still be under way on other channels. */
    self->glz_window = spice_glz_window_new(&spice_allocator_libc, 2 * GST_SPICE_GLZ_WINDOW_PIXELS,
                                            MAX_GLZ_IMAGES);
    if (self->glz_window)
        spice_glz_window_expect(self->glz_window, 0);
    return self;
}

GstSpiceDisplayGroup *gst_spice_display_group_ref(GstSpiceDisplayGroup *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void gst_spice_display_group_unref(GstSpiceDisplayGroup *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    spice_pixmap_cache_destroy(self->pixmaps);
    if (self->glz_window)
        spice_glz_window_free(self->glz_window);
    g_mutex_clear(&self->glz_lock);
    g_mutex_clear(&self->pixmaps_lock);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    g_free(self);
}

GstSpiceDisplayGroup *gst_spice_display_group_get(GObject *session)
{
    static GMutex creation;
    static const char key[] = "gst-spice-display-group";
    GstSpiceDisplayGroup *group;

    if (!session)
        return group_new();
    g_mutex_lock(&creation);
    group = g_object_get_data(session, key);
    if (!group) {
        group = group_new();
        g_object_set_data_full(session, key, group, (GDestroyNotify)gst_spice_display_group_unref);
    }
    g_atomic_ref_count_inc(&group->refs);
    g_mutex_unlock(&creation);
    return group;
}

void gst_spice_display_group_configure(GstSpiceDisplayGroup *self, SpiceReceiverConfig *config)
{
    config->pixmaps = self->pixmaps;
    config->glz_window = self->glz_window;
    config->glz_lock = &self->glz_lock_calls;
}

static void set_present(GstSpiceDisplayGroup *self, guint8 id, gboolean present)
{
    g_mutex_lock(&self->lock);
    self->n_present += present - self->displays[id].present;
    self->displays[id].present = present;
    self->displays[id].done = 0;
    g_cond_broadcast(&self->cond);
    g_mutex_unlock(&self->lock);
}

void gst_spice_display_group_join(GstSpiceDisplayGroup *self, guint8 id)
{
    set_present(self, id, TRUE);
}

void gst_spice_display_group_leave(GstSpiceDisplayGroup *self, guint8 id)
{
    set_present(self, id, FALSE);
}

void gst_spice_display_group_done(GstSpiceDisplayGroup *self, guint8 id, guint64 serial)
{
    g_mutex_lock(&self->lock);
    self->displays[id].done = MAX(self->displays[id].done, serial);
    self->displays[id].progress++;
    self->progress++;
    g_cond_broadcast(&self->cond);
    g_mutex_unlock(&self->lock);
}

static gboolean all_done(GstSpiceDisplayGroup *self, const SpiceMsgWaitForChannels *waits)
{
    guint i;

    for (i = 0; i < waits->n_waits; i++) {
        const SpiceWaitForChannel *wait = &waits->waits[i];

        if (wait->channel_type == SPICE_CHANNEL_DISPLAY &&
            self->displays[wait->channel_id].present &&
            self->displays[wait->channel_id].done < wait->message_serial)
            return FALSE;
    }
    return TRUE;
}

gboolean gst_spice_display_group_wait_for(GstSpiceDisplayGroup *self,
                                          const SpiceMsgWaitForChannels *waits,
                                          const gboolean *stop, gint64 deadline)
{
    gboolean done;

    g_mutex_lock(&self->lock);
    while (!(done = all_done(self, waits)) && !*stop)
        if (!g_cond_wait_until(&self->cond, &self->lock, deadline))
            break;
    g_mutex_unlock(&self->lock);
    return done;
}

gboolean gst_spice_display_group_wait_for_progress(GstSpiceDisplayGroup *self, guint8 id,
                                                   guint64 *seen, const gboolean *stop,
                                                   gint64 deadline)
{
    guint64 others;
    gboolean go_on;

    g_mutex_lock(&self->lock);
    while ((others = self->progress - self->displays[id].progress) == *seen && !*stop &&
           self->n_present > self->displays[id].present)
        if (!g_cond_wait_until(&self->cond, &self->lock, deadline))
            break;
    go_on = others != *seen && !*stop && g_get_monotonic_time() < deadline;
    *seen = others;
    g_mutex_unlock(&self->lock);
    return go_on;
}

void gst_spice_display_group_set_stop(GstSpiceDisplayGroup *self, gboolean *stop, gboolean value)
{
    g_mutex_lock(&self->lock);
    *stop = value;
    g_cond_broadcast(&self->cond);
    g_mutex_unlock(&self->lock);
}
