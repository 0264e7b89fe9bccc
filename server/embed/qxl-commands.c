/* Commands of a guest, taken from its rings.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qxl-device-state.h"

#include <stdlib.h>
#include <string.h>

#include "server/qxl/guest-draw.h"
#include "server/qxl/guest-objects.h"

/* So long commands are taken before calls of the host's get their turn. */
enum { TURN_US = 5000 };
/* So long a call waits for the commands before it. */
enum { MAX_TURN_US = 500 * 1000 };

/** What a draw keeps of its command until it needs it no more. */
typedef struct {
    QxlDevice *device;
    QxlRelease release; /* info NULL: given back already */
    void *blocks[SPICE_GUEST_MAX_BLOCKS];
    unsigned n_blocks;
} Hold;

static void hold_done(void *context)
{
    Hold *hold = context;

    while (hold->n_blocks > 0)
        free(hold->blocks[--hold->n_blocks]);
    qxl_device_release_later(hold->device, hold->release);
    g_free(hold);
}

static SpiceGuestReader reader_for(QxlDevice *self, const QXLCommandExt *command)
{
    spice_arena_reset(&self->arena);
    return (SpiceGuestReader){
        .memory = &self->memory,
        .group = command->group_id,
        .arena = &self->arena,
        .compat_16bpp = command->flags & QXL_COMMAND_FLAG_COMPAT_16BPP,
    };
}

/** The resource that a command is; info NULL if there is none at its address. */
static QxlRelease release_of(QxlDevice *self, const QXLCommandExt *command)
{
    return (QxlRelease){
        .info = (QXLReleaseInfo *)(void *)spice_guest_memory_translate(
            &self->memory, command->group_id, command->cmd.data, sizeof(QXLReleaseInfo)),
        .group = command->group_id,
    };
}

/* Draws */

/** Publishes the draw that was held back; `more`: others follow at once. */
static void push_held(QxlDevice *self, gboolean more)
{
    const gint64 began = g_get_monotonic_time();
    guint64 took;

    if (!self->held)
        return;
    self->handler->push(g_steal_pointer(&self->held), more, self->user_data);
    took = (guint64)(g_get_monotonic_time() - began);
    g_mutex_lock(&self->lock);
    self->counters.longest_push_us = MAX(self->counters.longest_push_us, took);
    g_mutex_unlock(&self->lock);
}

static uint8_t bitmap_format(pixman_format_code_t format)
{
    switch (format) {
    case PIXMAN_a8r8g8b8:
        return SPICE_BITMAP_FMT_RGBA;
    case PIXMAN_x8r8g8b8:
        return SPICE_BITMAP_FMT_32BIT;
    case PIXMAN_x1r5g5b5:
        return SPICE_BITMAP_FMT_16BIT;
    case PIXMAN_a8:
        return SPICE_BITMAP_FMT_8BIT_A;
    default:
        return 0;
    }
}

/** Copies an area of a surface's pixels, as an image of a block of the reader's. The display is
 * locked. */
static SpiceImage *copy_area(QxlDevice *self, SpiceGuestReader *reader, const SpicePixels *surface,
                             const SpiceRect *area)
{
    const uint8_t format = bitmap_format(surface->format);
    const gsize pixel = PIXMAN_FORMAT_BPP(surface->format) / 8;
    const gsize width = (gsize)(area->right - area->left);
    const gsize height = (gsize)(area->bottom - area->top);
    const gsize stride = (width * pixel + 3) & ~(gsize)3;
    SpiceImage *image = spice_guest_take(reader, 1, sizeof *image, "self_bitmap");
    guint8 *block;
    gsize y;

    if (!image || format == 0 || !(block = malloc(stride * height))) {
        spice_guest_fail(reader, SPICE_ERROR_UNSUPPORTED, "self_bitmap");
        return NULL;
    }
    reader->blocks[reader->n_blocks++] = block;
    for (y = 0; y < height; y++)
        memcpy(block + y * stride,
               surface->data + ((ptrdiff_t)y + area->top) * surface->stride +
                   (gsize)area->left * pixel,
               width * pixel);
    *image = (SpiceImage){
        .id = ++self->self_bitmaps << 32 | 2,
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .width = (guint32)width,
        .height = (guint32)height,
        .bitmap_format = format,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = (guint32)width,
        .bitmap_height = (guint32)height,
        .stride = (guint32)stride,
        .data = {block, stride * height},
    };
    return image;
}

/** The picture of the surface as it is before the draw, which asks for it. */
static SpiceImage *make_self_bitmap(QxlDevice *self, SpiceGuestReader *reader,
                                    const SpiceGuestDrawable *drawable)
{
    const SpiceRect *area = &drawable->self_area;
    SpiceDisplay *display = gst_spice_shared_display_lock(self->display);
    const SpicePixels *surface = spice_display_surface(display, drawable->surface_id);
    SpiceImage *image = NULL;

    if (surface && area->left >= 0 && area->top >= 0 && area->left < area->right &&
        area->top < area->bottom && area->right <= (gint)surface->width &&
        area->bottom <= (gint)surface->height &&
        spice_display_update_area(display, drawable->surface_id, area, &reader->error))
        image = copy_area(self, reader, surface, area);
    else
        spice_guest_fail(reader, SPICE_ERROR_VALUE, "self_bitmap_area");
    gst_spice_shared_display_unlock(self->display);
    return image;
}

/** The draw of a command; NULL, *error says why, or a NOP. */
static SpiceDrawable *unfold(QxlDevice *self, const QXLCommandExt *command, Hold *hold,
                             SpiceError *error)
{
    SpiceGuestReader reader = reader_for(self, command);
    SpiceDrawableSource source = {
        .time = (guint64)g_get_monotonic_time(), .release = hold_done, .context = hold};
    SpiceGuestDrawable head;
    SpiceImage *self_bitmap = NULL;
    SpiceDrawable *drawable = NULL;

    if (spice_guest_drawable_read(&reader, command->cmd.data,
                                  command->flags & QXL_COMMAND_FLAG_COMPAT, &head)) {
        if (head.self_bitmap) {
            push_held(self, TRUE);
            self_bitmap = make_self_bitmap(self, &reader, &head);
        }
        source.message = spice_guest_drawable_unfold(&reader, &head, self_bitmap, &source.type);
        if (source.message)
            drawable = spice_drawable_create(&spice_allocator_libc, &source, &reader.error);
    }
    memcpy(hold->blocks, reader.blocks, sizeof hold->blocks);
    hold->n_blocks = reader.n_blocks;
    *error = reader.error;
    if (drawable && !reader.borrows) { /* the guest's memory is not needed any more */
        qxl_device_release_later(self, hold->release);
        hold->release.info = NULL;
    }
    return drawable;
}

static void take_draw(QxlDevice *self, const QXLCommandExt *command)
{
    Hold *hold = g_new0(Hold, 1);
    SpiceError error = {0};
    SpiceDrawable *drawable;

    hold->device = self;
    hold->release = release_of(self, command);
    if (!hold->release.info) {
        qxl_device_refuse(self, "command", &(SpiceError){SPICE_ERROR_OFFSET, "release_info"});
        g_free(hold);
        return;
    }
    drawable = unfold(self, command, hold, &error);
    if (drawable) {
        push_held(self, TRUE);
        self->held = drawable;
        return;
    }
    if (error.code != SPICE_OK)
        qxl_device_refuse(self, "draw", &error);
    hold_done(hold);
}

/* Surfaces */

static void create_surface(QxlDevice *self, const SpiceGuestSurfaceCommand *wish,
                           QxlRelease release)
{
    const SpiceSurfaceSource source = {
        .surface_id = wish->surface_id,
        .width = wish->surface.width,
        .height = wish->surface.height,
        .format = wish->surface.format,
        .data = wish->surface.top,
        .stride = wish->surface.stride,
        .keep = wish->keep,
    };
    QxlSurface *surface = &self->surfaces[wish->surface_id];
    SpiceError error = {0};
    gboolean created;

    created =
        spice_display_create_surface(gst_spice_shared_display_lock(self->display), &source, &error);
    gst_spice_shared_display_unlock(self->display);
    if (!created) {
        qxl_device_refuse(self, "surface", &error);
        qxl_device_release_later(self, release);
        return;
    }
    *surface = (QxlSurface){.exists = TRUE, .created = release};
}

static void destroy_surface(QxlDevice *self, guint32 id)
{
    QxlSurface *surface = &self->surfaces[id];

    spice_display_destroy_surface(gst_spice_shared_display_lock(self->display), id, NULL);
    gst_spice_shared_display_unlock(self->display);
    qxl_device_release_later(self, surface->created);
    *surface = (QxlSurface){.exists = FALSE};
}

static void take_surface(QxlDevice *self, const QXLCommandExt *command, gboolean keep)
{
    SpiceGuestReader reader = reader_for(self, command);
    const QxlRelease release = release_of(self, command);
    SpiceGuestSurfaceCommand wish;

    if (!spice_guest_read_surface(&reader, command->cmd.data, &wish) || wish.surface_id == 0 ||
        wish.surface_id >= self->n_surfaces ||
        wish.create == self->surfaces[wish.surface_id].exists) {
        qxl_device_refuse(self, "surface command", &reader.error);
        qxl_device_release_later(self, release);
        return;
    }
    wish.keep |= keep;
    if (wish.create) {
        create_surface(self, &wish, release);
        return;
    }
    destroy_surface(self, wish.surface_id);
    qxl_device_release_later(self, release);
}

void qxl_device_take_kept_surface(QxlDevice *self, const QXLCommandExt *command)
{
    take_surface(self, command, TRUE);
}

void qxl_device_forget_surfaces(QxlDevice *self)
{
    guint i;

    for (i = 1; i < self->n_surfaces; i++) {
        if (self->surfaces[i].exists)
            qxl_device_release_later(self, self->surfaces[i].created);
        self->surfaces[i] = (QxlSurface){.exists = FALSE};
    }
}

/* Others */

static void take_update(QxlDevice *self, const QXLCommandExt *command)
{
    SpiceGuestReader reader = reader_for(self, command);
    SpiceGuestUpdate update;

    if (spice_guest_read_update(&reader, command->cmd.data, &update)) {
        SpiceDisplay *display = gst_spice_shared_display_lock(self->display);

        spice_display_update_area(display, update.surface_id, &update.area, NULL);
        gst_spice_shared_display_unlock(self->display);
        qxl_device_interface(self)->notify_update(self->instance, update.update_id);
    } else {
        qxl_device_refuse(self, "update", &reader.error);
    }
    qxl_device_release_later(self, release_of(self, command));
}

void qxl_device_take_command(QxlDevice *self, const QXLCommandExt *command)
{
    g_mutex_lock(&self->lock);
    self->counters.commands++;
    g_mutex_unlock(&self->lock);
    if (command->cmd.type != QXL_CMD_DRAW)
        push_held(self, TRUE);
    switch (command->cmd.type) {
    case QXL_CMD_DRAW:
        take_draw(self, command);
        break;
    case QXL_CMD_SURFACE:
        take_surface(self, command, FALSE);
        break;
    case QXL_CMD_UPDATE:
        take_update(self, command);
        break;
    case QXL_CMD_MESSAGE: /* a debug text */
        qxl_device_release_later(self, release_of(self, command));
        break;
    default:
        qxl_device_refuse(self, "command", &(SpiceError){SPICE_ERROR_VALUE, "type"});
    }
}

void qxl_device_take_cursor_command(QxlDevice *self, const QXLCommandExt *command)
{
    const guint display = (guint)self->instance->id;
    SpiceGuestReader reader = reader_for(self, command);
    SpiceCursor none = {.flags = SPICE_CURSOR_FLAGS_NONE};
    SpiceGuestCursorCommand cursor;

    g_mutex_lock(&self->lock);
    self->counters.commands++;
    g_mutex_unlock(&self->lock);
    if (command->cmd.type != QXL_CMD_CURSOR ||
        !spice_guest_read_cursor(&reader, command->cmd.data, &cursor)) {
        qxl_device_refuse(self, "cursor command", &reader.error);
    } else if (cursor.type == SPICE_GUEST_CURSOR_SET) {
        gst_spice_server_move_cursor(self->session, display, cursor.position.x, cursor.position.y);
        gst_spice_server_set_cursor_shape(self->session, display, &cursor.shape, cursor.visible);
    } else if (cursor.type == SPICE_GUEST_CURSOR_MOVE) {
        gst_spice_server_move_cursor(self->session, display, cursor.position.x, cursor.position.y);
    } else if (cursor.type == SPICE_GUEST_CURSOR_HIDE) {
        gst_spice_server_set_cursor_shape(self->session, display, &none, FALSE);
    }
    if (command->cmd.type != QXL_CMD_CURSOR)
        return;
    if (reader.error.code == SPICE_OK && cursor.type == SPICE_GUEST_CURSOR_SET) {
        qxl_device_release_cursor(self);
        self->cursor = release_of(self, command);
    } else {
        qxl_device_release_later(self, release_of(self, command));
    }
}

void qxl_device_release_cursor(QxlDevice *self)
{
    qxl_device_release_later(self, self->cursor);
    self->cursor = (QxlRelease){0};
}

/* The rings */

static gboolean take_one(QxlDevice *self)
{
    const QXLInterface *interface = qxl_device_interface(self);
    QXLCommandExt command;
    gboolean any = FALSE;

    if (interface->get_cursor_command(self->instance, &command)) {
        qxl_device_take_cursor_command(self, &command);
        any = TRUE;
    }
    if (interface->get_command(self->instance, &command)) {
        qxl_device_take_command(self, &command);
        any = TRUE;
    }
    return any;
}

gboolean qxl_device_take_commands(QxlDevice *self)
{
    const QXLInterface *interface = qxl_device_interface(self);
    const gint64 end = g_get_monotonic_time() + TURN_US;
    gboolean cursors_wait, draws_wait;

    while (take_one(self)) {
        if (g_get_monotonic_time() > end) {
            push_held(self, FALSE);
            return TRUE;
        }
    }
    push_held(self, FALSE);
    /* 0: a command came meanwhile, and no wakeup will come for it. */
    cursors_wait = !interface->req_cursor_notification(self->instance);
    draws_wait = !interface->req_cmd_notification(self->instance);
    return cursors_wait || draws_wait;
}

void qxl_device_take_all_commands(QxlDevice *self)
{
    const gint64 end = g_get_monotonic_time() + MAX_TURN_US;

    /* A guest that fills its ring as fast as it is emptied must not keep a call waiting. */
    if (self->running)
        while (take_one(self) && g_get_monotonic_time() < end)
            ;
    push_held(self, FALSE);
}
