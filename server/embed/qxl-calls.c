/* What a host's calls do, on the worker's thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qxl-device-state.h"

#include <string.h>

#include "server/qxl/guest-objects.h"

/* Rectangles of a dirty region that are told at a time; core/ has no more. */
enum { MAX_DIRTY = 32 };

static SpiceGuestReader reader_for(QxlDevice *self, guint32 group)
{
    spice_arena_reset(&self->arena);
    return (SpiceGuestReader){.memory = &self->memory, .group = group, .arena = &self->arena};
}

/* Running */

static void tell_guest_of_clients(QxlDevice *self)
{
    const QXLInterface *interface = qxl_device_interface(self);
    uint8_t caps[58] = {0};

    if (!self->running || interface->base.minor_version < 2 || !interface->set_client_capabilities)
        return;
    caps[0] =
        (uint8_t)(self->viewers.caps &
                  (1u << SPICE_DISPLAY_CAP_SIZED_STREAM | 1u << SPICE_DISPLAY_CAP_MONITORS_CONFIG |
                   1u << SPICE_DISPLAY_CAP_COMPOSITE | 1u << SPICE_DISPLAY_CAP_A8_SURFACE));
    interface->set_client_capabilities(self->instance, self->viewers.n > 0, caps);
}

void qxl_run_start(QxlDevice *self, QxlCall *call)
{
    if (self->running)
        return;
    self->running = TRUE;
    tell_guest_of_clients(self);
    g_mutex_lock(&self->lock);
    self->woken = TRUE;
    g_mutex_unlock(&self->lock);
}

/** Afterwards nothing of the guest's is written, released or asked for until the next start. */
void qxl_run_stop(QxlDevice *self, QxlCall *call)
{
    SpiceDisplay *display;

    if (!self->running)
        return;
    self->running = FALSE;
    display = gst_spice_shared_display_lock(self->display);
    spice_display_update_all(display);
    spice_display_release_all(display);
    gst_spice_shared_display_unlock(self->display);
    qxl_device_flush_releases(self);
}

void qxl_run_set_clients(QxlDevice *self, QxlCall *call)
{
    const QxlDeviceCounters counters = qxl_device_get_counters(self);

    self->viewers = call->viewers;
    g_debug("qxl %d: %u clients; %" G_GUINT64_FORMAT " commands, %" G_GUINT64_FORMAT
            " refused, %" G_GUINT64_FORMAT " released, longest publishing %" G_GUINT64_FORMAT " us",
            self->instance->id, self->viewers.n, counters.commands, counters.refused,
            counters.released, counters.longest_push_us);
    tell_guest_of_clients(self);
    qxl_device_refresh_scanout(self);
}

/* Memory slots */

void qxl_run_add_slot(QxlDevice *self, QxlCall *call)
{
    const SpiceGuestSlot slot = {
        .generation = call->slot.generation,
        .start = call->slot.virt_start,
        .end = call->slot.virt_end,
        .delta = call->slot.addr_delta,
    };

    if (!spice_guest_memory_add_slot(&self->memory, call->slot.slot_group_id, call->slot.slot_id,
                                     &slot))
        qxl_device_refuse(self, "memory slot", NULL);
}

/** A host hands a guest's wish to remove its slot on as one of the host's own group; the host's
 * own slot, which would be hit, must stay. */
void qxl_run_remove_slot(QxlDevice *self, QxlCall *call)
{
    guint32 group = call->group;

    if (group == 0 && self->memory.n_groups > 1) {
        if (call->id == 0)
            return;
        if (!spice_guest_memory_has_slot(&self->memory, 0, call->id))
            group = 1;
    }
    spice_guest_memory_remove_slot(&self->memory, group, call->id);
}

void qxl_run_reset_slots(QxlDevice *self, QxlCall *call)
{
    spice_display_release_all(gst_spice_shared_display_lock(self->display));
    gst_spice_shared_display_unlock(self->display);
    spice_guest_memory_reset(&self->memory);
}

/** The guest may use the memory of its cursor for other things then. */
static void reset_cursor(QxlDevice *self)
{
    qxl_device_release_cursor(self);
    qxl_device_flush_releases(self);
    gst_spice_server_reset_cursor(self->session, (guint)self->instance->id);
}

/* Surfaces */

static void set_one_monitor(QxlDevice *self, SpiceDisplay *display, guint32 width, guint32 height)
{
    SpiceHead head = {.width = width, .height = height};
    const SpiceMsgDisplayMonitorsConfig monitors = {
        .n_heads = 1, .max_allowed = self->allowed_monitors, .heads = &head};

    spice_display_set_monitors(display, &monitors, NULL);
}

/** What the primary surface of the display is to be; FALSE: there is to be none. */
static gboolean choose_primary(QxlDevice *self, SpiceSurfaceSource *source)
{
    if (gl_scanout_is_open(&self->scanout))
        *source = (SpiceSurfaceSource){.width = self->scanout.values.width,
                                       .height = self->scanout.values.height,
                                       .format = SPICE_SURFACE_FMT_32_xRGB};
    else
        *source = self->primary;
    return gl_scanout_is_open(&self->scanout) || self->has_primary;
}

void qxl_device_show_primary(QxlDevice *self)
{
    const gboolean by_gpu = gl_scanout_is_open(&self->scanout);
    SpiceSurfaceSource source;
    const gboolean shown = choose_primary(self, &source);
    SpiceDisplay *display = gst_spice_shared_display_lock(self->display);
    SpiceError error = {0};
    gboolean created = FALSE;

    spice_display_destroy_surface(display, 0, NULL);
    if (shown)
        created = spice_display_create_surface(display, &source, &error);
    if (created) {
        if (by_gpu || !self->guest_sets_monitors)
            set_one_monitor(self, display, source.width, source.height);
        spice_display_mark(display);
    }
    gst_spice_shared_display_unlock(self->display);
    if (shown && !created) {
        qxl_device_refuse(self, "primary surface", &error);
        gl_scanout_close(&self->scanout);
        self->has_primary = FALSE;
    }
    self->primary.keep = true; /* when it is shown again it is what it was */
    self->handler->primary_changed(created ? (gint)source.width : 0,
                                   created ? (gint)source.height : 0,
                                   created && (by_gpu || self->primary_absolute), self->user_data);
}

void qxl_run_create_primary(QxlDevice *self, QxlCall *call)
{
    const QXLDevSurfaceCreate *wish = &call->surface;
    SpiceGuestReader reader = reader_for(self, wish->group_id);
    SpiceGuestSurface surface;

    if (self->has_primary || call->id != 0 ||
        !spice_guest_locate_surface(&reader, wish->width, wish->height, wish->format, wish->stride,
                                    wish->mem, &surface)) {
        qxl_device_refuse(self, "primary surface", &reader.error);
        return;
    }
    self->primary = (SpiceSurfaceSource){.width = surface.width,
                                         .height = surface.height,
                                         .format = surface.format,
                                         .data = surface.top,
                                         .stride = surface.stride,
                                         .keep = wish->flags & QXL_SURF_FLAG_KEEP_DATA};
    self->primary_absolute = wish->mouse_mode != 0;
    self->has_primary = TRUE;
    if (!gl_scanout_is_open(&self->scanout))
        qxl_device_show_primary(self);
}

void qxl_run_destroy_primary(QxlDevice *self, QxlCall *call)
{
    if (call->id != 0 || !self->has_primary)
        return;
    qxl_device_take_all_commands(self);
    self->has_primary = FALSE;
    if (!gl_scanout_is_open(&self->scanout))
        qxl_device_show_primary(self);
    reset_cursor(self);
}

void qxl_run_destroy_surfaces(QxlDevice *self, QxlCall *call)
{
    SpiceDisplay *display;

    qxl_device_take_all_commands(self);
    display = gst_spice_shared_display_lock(self->display);
    spice_display_release_all(display);
    spice_display_destroy_surfaces(display);
    gst_spice_shared_display_unlock(self->display);
    qxl_device_forget_surfaces(self);
    reset_cursor(self);
    self->has_primary = FALSE;
    self->scanout_stale = TRUE;
    qxl_device_show_primary(self);
    qxl_device_refresh_scanout(self);
}

/** The guest wants to use the surface's memory for other things: what was to be drawn there is
 * drawn now, and the surface stays until its own command comes. */
void qxl_run_finish_surface(QxlDevice *self, QxlCall *call)
{
    SpiceDisplay *display;

    qxl_device_take_all_commands(self);
    display = gst_spice_shared_display_lock(self->display);
    spice_display_update_all(display); /* also what reads it */
    spice_display_release_all(display);
    gst_spice_shared_display_unlock(self->display);
}

void qxl_run_flush_surfaces(QxlDevice *self, QxlCall *call)
{
    SpiceDisplay *display;

    qxl_device_take_all_commands(self);
    display = gst_spice_shared_display_lock(self->display);
    spice_display_update_all(display);
    spice_display_release_all(display);
    gst_spice_shared_display_unlock(self->display);
}

/** What was painted of a surface since the last time, at most `max` rectangles. */
static guint32 copy_dirty(SpiceDisplay *display, guint32 id, QXLRect *rects, guint32 max)
{
    const pixman_region32_t *dirty = spice_display_dirty(display, id);
    const pixman_box32_t *boxes;
    int i, n = 0;

    if (!dirty)
        return 0;
    boxes = pixman_region32_rectangles((pixman_region32_t *)dirty, &n);
    if ((guint32)n > max && max > 0) { /* one that holds all */
        boxes = pixman_region32_extents((pixman_region32_t *)dirty);
        n = 1;
    }
    for (i = 0; i < n && (guint32)i < max; i++)
        rects[i] = (QXLRect){boxes[i].y1, boxes[i].x1, boxes[i].y2, boxes[i].x2};
    return (guint32)MIN((guint32)n, max);
}

void qxl_run_update_area(QxlDevice *self, QxlCall *call)
{
    const QXLInterface *interface = qxl_device_interface(self);
    const SpiceRect area = {call->area.top, call->area.left, call->area.bottom, call->area.right};
    QXLRect rects[MAX_DIRTY];
    SpiceDisplay *display;
    guint32 n = 0;

    if (self->running)
        qxl_device_take_all_commands(self);
    display = gst_spice_shared_display_lock(self->display);
    if (spice_display_update_area(display, call->id, &area, NULL)) {
        if (call->dirty)
            copy_dirty(display, call->id, call->dirty, call->n_dirty);
        else
            n = copy_dirty(display, call->id, rects, MAX_DIRTY);
        if (call->flag)
            spice_display_clear_dirty(display, call->id);
    }
    gst_spice_shared_display_unlock(self->display);
    if (call->completes && interface->update_area_complete)
        interface->update_area_complete(self->instance, call->id, rects, n);
}

/* The rest */

void qxl_run_reset_cursor(QxlDevice *self, QxlCall *call)
{
    reset_cursor(self);
}

/** After a migration: what the guest has, told again. */
void qxl_run_load_commands(QxlDevice *self, QxlCall *call)
{
    guint32 i;

    for (i = 0; i < call->n_commands; i++) {
        if (call->commands[i].cmd.type == QXL_CMD_CURSOR)
            qxl_device_take_cursor_command(self, &call->commands[i]);
        else if (call->commands[i].cmd.type == QXL_CMD_SURFACE)
            qxl_device_take_kept_surface(self, &call->commands[i]);
    }
}

void qxl_run_set_monitors(QxlDevice *self, QxlCall *call)
{
    SpiceGuestReader reader = reader_for(self, call->group);
    SpiceMsgDisplayMonitorsConfig monitors = {0};
    SpiceDisplay *display;

    if (!spice_guest_read_monitors(&reader, call->address, self->max_monitors, &monitors)) {
        qxl_device_refuse(self, "monitors", &reader.error);
        return;
    }
    self->guest_sets_monitors = TRUE;
    self->allowed_monitors = monitors.max_allowed;
    display = gst_spice_shared_display_lock(self->display);
    spice_display_set_monitors(display, &monitors, &reader.error);
    gst_spice_shared_display_unlock(self->display);
}

void qxl_run_unload_driver(QxlDevice *self, QxlCall *call)
{
    self->guest_sets_monitors = FALSE;
}

void qxl_run_set_max_monitors(QxlDevice *self, QxlCall *call)
{
    self->max_monitors = (guint16)CLAMP(call->id, 1, GST_SPICE_SERVER_MAX_DISPLAYS);
    self->allowed_monitors = MIN(self->allowed_monitors, self->max_monitors);
}

void qxl_run_nothing(QxlDevice *self, QxlCall *call)
{
}
