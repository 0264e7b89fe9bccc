/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qxl-device-state.h"

#include <string.h>

#include "gstreamer.h"

/* What one command unfolds to, its pixels aside. */
enum { ARENA_LIMIT = 32 << 20 };

const QXLInterface *qxl_device_interface(const QxlDevice *self)
{
    return SPICE_UPCAST(QXLInterface, self->instance->base.sif);
}

void qxl_device_refuse(QxlDevice *self, const char *what, const SpiceError *error)
{
    const gint64 second = g_get_monotonic_time() / G_USEC_PER_SEC;

    g_mutex_lock(&self->lock);
    self->counters.refused++;
    g_mutex_unlock(&self->lock);
    if (second != self->last_warned) {
        self->last_warned = second;
        self->n_warned = 0;
    }
    if (self->n_warned++ < 10)
        g_warning("qxl %d: %s refused: %s %s", self->instance->id, what,
                  error && error->field ? error->field : "",
                  spice_error_phrase(error ? error->code : SPICE_ERROR_VALUE));
}

/* Releases */

/** Wakes the worker if it sleeps; under lock. */
static void wake(QxlDevice *self)
{
    if (self->sleeps)
        g_cond_signal(&self->wake);
    self->sleeps = FALSE;
}

void qxl_device_release_later(QxlDevice *self, QxlRelease release)
{
    if (!release.info)
        return;
    g_mutex_lock(&self->lock);
    g_array_append_val(self->releases, release);
    if (self->releases->len == 1)
        wake(self);
    g_mutex_unlock(&self->lock);
}

void qxl_device_flush_releases(QxlDevice *self)
{
    const QXLInterface *interface = qxl_device_interface(self);
    g_autoptr(GArray) releases = NULL;
    guint i;

    g_mutex_lock(&self->lock);
    if (self->releases->len > 0) {
        releases = self->releases;
        self->releases = g_array_new(FALSE, FALSE, sizeof(QxlRelease));
        self->counters.released += releases->len;
    }
    g_mutex_unlock(&self->lock);
    for (i = 0; releases && i < releases->len; i++) {
        const QxlRelease *release = &g_array_index(releases, QxlRelease, i);

        interface->release_resource(self->instance,
                                    (QXLReleaseInfoExt){release->info, release->group});
    }
}

/* The worker */

/** A call in the queue. */
typedef struct {
    QxlCall *call; /* owned if posted */
    gboolean posted, done;
} Entry;

static void make_call(QxlDevice *self, QxlCall *call)
{
    call->run(self, call);
    if (self->running) /* a guest that is stopped is given nothing back */
        qxl_device_flush_releases(self);
    if (call->completes)
        qxl_device_interface(self)->async_complete(self->instance, call->cookie);
}

static void handle_oom(QxlDevice *self)
{
    const QXLInterface *interface = qxl_device_interface(self);

    if (!self->running)
        return;
    qxl_device_take_all_commands(self);
    qxl_device_flush_releases(self);
    if (interface->flush_resources(self->instance) > 0)
        return;
    /* All that is held: what clients have not got yet they get from the newest picture. */
    spice_display_release_all(gst_spice_shared_display_lock(self->display));
    gst_spice_shared_display_unlock(self->display);
    qxl_device_flush_releases(self);
    interface->flush_resources(self->instance);
}

/** Does the next thing there is to do, with the lock given up meanwhile. FALSE if there is none. */
static gboolean work(QxlDevice *self)
{
    Entry *entry = g_queue_pop_head(&self->calls);

    if (entry) {
        g_mutex_unlock(&self->lock);
        make_call(self, entry->call);
        g_mutex_lock(&self->lock);
        entry->done = TRUE;
        if (entry->posted) {
            g_free(entry->call);
            g_free(entry);
        } else {
            g_cond_broadcast(&self->done);
        }
        return TRUE;
    }
    if (self->oom) {
        self->oom = FALSE;
        g_mutex_unlock(&self->lock);
        handle_oom(self);
        g_mutex_lock(&self->lock);
        return TRUE;
    }
    if (self->woken && self->running) {
        gboolean more;

        self->woken = FALSE; /* before the rings are looked at, so that no wakeup is lost */
        g_mutex_unlock(&self->lock);
        more = qxl_device_take_commands(self);
        qxl_device_flush_releases(self);
        g_mutex_lock(&self->lock);
        self->woken |= more;
        return TRUE;
    }
    if (self->releases->len > 0 && self->running) {
        g_mutex_unlock(&self->lock);
        qxl_device_flush_releases(self);
        g_mutex_lock(&self->lock);
        return TRUE;
    }
    return FALSE;
}

static gpointer worker(gpointer data)
{
    QxlDevice *self = data;

    g_mutex_lock(&self->lock);
    /* Calls that were made before the end are answered. */
    while (!self->ended || !g_queue_is_empty(&self->calls))
        if (!work(self)) {
            self->sleeps = TRUE;
            g_cond_wait(&self->wake, &self->lock);
            self->sleeps = FALSE;
        }
    g_mutex_unlock(&self->lock);
    return NULL;
}

static void queue_entry(QxlDevice *self, Entry *entry)
{
    g_queue_push_tail(&self->calls, entry);
    wake(self);
}

void qxl_device_post(QxlDevice *self, const QxlCall *call)
{
    const Entry entry = {.call = g_memdup2(call, sizeof *call), .posted = TRUE};

    g_mutex_lock(&self->lock);
    queue_entry(self, g_memdup2(&entry, sizeof entry));
    g_mutex_unlock(&self->lock);
}

void qxl_device_call(QxlDevice *self, QxlCall *call)
{
    Entry entry = {.call = call};

    g_mutex_lock(&self->lock);
    queue_entry(self, &entry);
    while (!entry.done)
        g_cond_wait(&self->done, &self->lock);
    g_mutex_unlock(&self->lock);
}

void qxl_device_wakeup(QxlDevice *self)
{
    gboolean slept;

    g_mutex_lock(&self->lock);
    self->woken = TRUE;
    slept = self->sleeps;
    self->sleeps = FALSE;
    g_mutex_unlock(&self->lock);
    /* Woken under the lock it would run into it at once. The host, which calls, keeps the device. */
    if (slept)
        g_cond_signal(&self->wake);
}

void qxl_device_oom(QxlDevice *self)
{
    g_mutex_lock(&self->lock);
    self->oom = TRUE;
    wake(self);
    g_mutex_unlock(&self->lock);
}

QxlDeviceCounters qxl_device_get_counters(QxlDevice *self)
{
    QxlDeviceCounters counters;

    g_mutex_lock(&self->lock);
    counters = self->counters;
    g_mutex_unlock(&self->lock);
    return counters;
}

/* Life */

QxlDevice *qxl_device_new(QXLInstance *instance, GstSpiceServer *session,
                          const QxlDeviceHandler *handler, gpointer user_data)
{
    QxlDevice *self = g_new0(QxlDevice, 1);
    QXLDevInitInfo info = {0};
    sigset_t signals;

    self->instance = instance;
    self->session = session;
    self->handler = handler;
    self->user_data = user_data;
    self->max_monitors = GST_SPICE_SERVER_MAX_DISPLAYS;
    self->allowed_monitors = 1;
    qxl_device_interface(self)->get_init_info(instance, &info);
    self->n_surfaces = MIN(info.n_surfaces, SPICE_MAX_SURFACES);
    if (instance->id < 0 || instance->id >= GST_SPICE_SERVER_MAX_DISPLAYS ||
        !spice_guest_memory_init(&self->memory, info.num_memslots_groups, info.num_memslots,
                                 info.memslot_gen_bits, info.memslot_id_bits)) {
        g_free(self);
        return NULL;
    }
    self->display = gst_spice_server_get_display(session, (guint)instance->id);
    spice_arena_init(&self->arena, &spice_allocator_libc, ARENA_LIMIT);
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    g_cond_init(&self->done);
    g_queue_init(&self->calls);
    self->releases = g_array_new(FALSE, FALSE, sizeof(QxlRelease));
    spice_host_block_signals(&signals);
    self->thread = g_thread_new("spice-qxl", worker, self);
    spice_host_restore_signals(&signals);
    return self;
}

void qxl_device_free(QxlDevice *self)
{
    SpiceDisplay *display;
    Entry *entry;

    g_mutex_lock(&self->lock);
    self->ended = TRUE;
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    gst_spice_server_forget_scanout(self->session, (guint)self->instance->id);
    while ((entry = g_queue_pop_head(&self->calls))) { /* draws that were done after the end */
        g_free(entry->call);
        g_free(entry);
    }
    /* Nothing of the guest's is looked at any more; nor is the host told. */
    spice_drawable_unref(self->held);
    gl_scanout_close(&self->scanout);
    display = gst_spice_shared_display_lock(self->display);
    spice_display_release_all(display);
    spice_display_destroy_surfaces(display);
    gst_spice_shared_display_unlock(self->display);
    g_array_unref(self->releases);
    spice_arena_clear(&self->arena);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_cond_clear(&self->done);
    g_free(self);
}
