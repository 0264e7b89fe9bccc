/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "core/canvas/path.h"

#include "receiver-state.h"

static const SpiceReceiverLimits default_limits = {
    .surface_bytes = UINT64_C(1) << 30,
    .scratch_bytes = (size_t)1 << 30,
    .work = UINT64_MAX,
};

SpiceReceiver *spice_receiver_create(const SpiceReceiverConfig *config)
{
    SpiceReceiver *self = config->allocator->alloc(config->allocator->context, sizeof(*self));

    if (!self)
        return NULL;
    *self = (SpiceReceiver){.config = *config};
    if (self->config.limits.surface_bytes == 0)
        self->config.limits.surface_bytes = default_limits.surface_bytes;
    if (self->config.limits.scratch_bytes == 0)
        self->config.limits.scratch_bytes = default_limits.scratch_bytes;
    if (self->config.limits.work == 0)
        self->config.limits.work = default_limits.work;
    spice_arena_init(&self->scratch, config->allocator, self->config.limits.scratch_bytes);
    pixman_region32_init(&self->damage);
    spice_palette_cache_clear(&self->palettes);
    if (!spice_glz_channel_init(&self->glz, config->allocator, config->glz_window,
                                config->glz_lock)) {
        spice_receiver_destroy(self);
        return NULL;
    }
    return self;
}

void spice_receiver_destroy(SpiceReceiver *self)
{
    spice_receiver_forget_images(self);
    spice_glz_channel_clear(&self->glz);
    spice_receiver_destroy_streams(self);
    for (unsigned id = 0; id < SPICE_MAX_SURFACES; id++)
        spice_picture_unref(self->surfaces[id]);
    pixman_region32_fini(&self->damage);
    spice_arena_clear(&self->scratch);
    self->config.allocator->release(self->config.allocator->context, self);
}

bool spice_receiver_charge(SpiceReceiver *self, uint64_t pixels, SpiceError *error)
{
    if (pixels > self->config.limits.work - self->work)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "work");
    self->work += pixels;
    return true;
}

/** What a draw may cost: the pixels it covers, and for curves and dashed lines, which have to be
 * walked also where they cannot be seen, their length as far as it is walked at all. */
static uint64_t work_of(uint16_t type, const void *message, const pixman_box32_t *extents)
{
    const SpiceMsgDisplayDrawStroke *stroke = message;
    const uint64_t area =
        (uint64_t)(extents->x2 - extents->x1) * (uint64_t)(extents->y2 - extents->y1);
    uint64_t length = 0;
    bool dashed;

    if (type != SPICE_MSG_DISPLAY_DRAW_STROKE || !stroke->path)
        return area + 1;
    dashed = stroke->attr.flags & SPICE_LINE_FLAGS_STYLED;
    for (uint32_t i = 0; i < stroke->path->n_segments; i++) {
        const SpicePathSegment *segment = &stroke->path->segments[i];

        if (!dashed && !(segment->flags & SPICE_PATH_BEZIER)) {
            length += segment->n_points;
            continue;
        }
        for (uint32_t j = 0; j < segment->n_points; j++)
            length += (uint64_t)llabs((int64_t)segment->points[j].x / 16) +
                      (uint64_t)llabs((int64_t)segment->points[j].y / 16);
    }
    return area + 1 + (length < SPICE_MAX_PATH_POINTS ? length : SPICE_MAX_PATH_POINTS);
}

/** Resolves and paints. self->damage is a fresh, empty region before, what was painted after. */
static SpiceReceived draw(SpiceReceiver *self, uint16_t type, const void *message, bool may_wait,
                          SpiceError *error)
{
    const uint32_t id = spice_draw_base(message)->surface_id;
    const SpicePicture *surface = spice_receiver_find_surface(self, id);
    const pixman_box32_t *extents;
    SpiceDrawImages images;
    SpiceDrawOperands operands;
    SpiceReceived received;
    bool needed = false;

    if (!surface) {
        spice_error_set(error, SPICE_ERROR_STATE, "base.surface_id");
    } else {
        pixman_region32_fini(&self->damage);
        needed = spice_draw_region(&self->damage, &surface->pixels, message, error) &&
                 pixman_region32_not_empty(&self->damage);
        extents = pixman_region32_extents(&self->damage);
        needed = needed && spice_receiver_charge(self, work_of(type, message, extents), error);
    }
    /* Also of a draw that paints nothing: caches and the GLZ window go on with its images. */
    spice_draw_images(&images, type, message);
    received = spice_receiver_resolve(self, &images, needed, may_wait,
                                      surface ? surface->pixels.format : PIXMAN_x8r8g8b8, &operands,
                                      error);
    if (received != SPICE_RECEIVED_APPLIED)
        return received;
    if (!needed)
        return error->code == SPICE_OK ? SPICE_RECEIVED_APPLIED : SPICE_RECEIVED_DROPPED;
    /* Not being able to cache an image is no reason not to draw it. */
    SpiceError paint_error = {0};

    if (!spice_draw_paint(&surface->pixels, &self->damage, type, message, &operands, &self->scratch,
                          &paint_error)) {
        spice_error_set(error, paint_error.code, paint_error.field);
        return SPICE_RECEIVED_DROPPED;
    }
    return SPICE_RECEIVED_APPLIED;
}

static void feed_draw(SpiceReceiver *self, uint16_t type, const void *message, bool may_wait,
                      SpiceReceiverResult *result)
{
    result->outcome = draw(self, type, message, may_wait, &result->error);
    if (result->outcome != SPICE_RECEIVED_WAIT)
        spice_receiver_forget_images(self);
    if (result->outcome != SPICE_RECEIVED_APPLIED)
        pixman_region32_clear(&self->damage);
    if (pixman_region32_not_empty(&self->damage)) {
        result->changes |= SPICE_CHANGED_PIXELS;
        result->surface_id = spice_draw_base(message)->surface_id;
    }
}

static void invalidate(SpiceReceiver *self, const SpiceMsgDisplayInvalList *message)
{
    for (unsigned i = 0; i < message->n_resources; i++)
        if (message->resources[i].type == SPICE_RES_TYPE_PIXMAP)
            spice_pixmap_cache_remove(self->config.pixmaps, message->resources[i].id);
}

/** The mode of servers that had no surfaces: it creates the primary. */
static bool set_mode(SpiceReceiver *self, const SpiceMsgDisplayMode *message,
                     SpiceReceiverResult *result)
{
    const SpiceMsgDisplaySurfaceCreate create = {
        .width = message->x_res,
        .height = message->y_res,
        .format = message->bits == 32 ? SPICE_SURFACE_FMT_32_xRGB : SPICE_SURFACE_FMT_16_555,
        .flags = SPICE_SURFACE_FLAGS_PRIMARY,
    };

    return spice_receiver_create_surface(self, &create, result);
}

static void set_monitors(SpiceReceiver *self, const SpiceMsgDisplayMonitorsConfig *message,
                         SpiceReceiverResult *result)
{
    const unsigned most = message->max_allowed == 0 || message->max_allowed > SPICE_MAX_HEADS
                              ? SPICE_MAX_HEADS
                              : message->max_allowed;

    /* A configuration without monitors says nothing. */
    if (message->n_heads == 0)
        return;
    self->max_heads = most;
    self->n_heads = message->n_heads < most ? message->n_heads : most;
    for (unsigned i = 0; i < self->n_heads; i++)
        self->heads[i] = message->heads[i];
    result->changes |= SPICE_CHANGED_MONITORS;
}

static bool check_stream(const SpiceReceiver *self, uint32_t id, SpiceError *error)
{
    return spice_receiver_stream(self, id) ||
           spice_error_set(error, SPICE_ERROR_STATE, "stream_data.id");
}

/** Applies a message that does not draw. */
static bool apply(SpiceReceiver *self, uint16_t type, const void *message,
                  SpiceReceiverResult *result)
{
    SpiceError *error = &result->error;

    switch (type) {
    case SPICE_MSG_DISPLAY_MODE:
        return set_mode(self, message, result);
    case SPICE_MSG_DISPLAY_MARK:
        self->marked = true;
        result->changes |= SPICE_CHANGED_MARK;
        return true;
    case SPICE_MSG_DISPLAY_RESET:
        spice_receiver_reset(self, result);
        return true;
    case SPICE_MSG_DISPLAY_INVAL_LIST:
        invalidate(self, message);
        return true;
    case SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS:
        spice_pixmap_cache_clear(self->config.pixmaps);
        return true;
    case SPICE_MSG_DISPLAY_INVAL_PALETTE:
        spice_palette_cache_remove(&self->palettes,
                                   ((const SpiceMsgDisplayInvalPalette *)message)->id);
        return true;
    case SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES:
        spice_palette_cache_clear(&self->palettes);
        return true;
    case SPICE_MSG_DISPLAY_STREAM_CREATE:
        result->changes |= SPICE_CHANGED_STREAMS;
        return spice_receiver_create_stream(self, message, error);
    case SPICE_MSG_DISPLAY_STREAM_CLIP:
        result->changes |= SPICE_CHANGED_STREAMS;
        return spice_receiver_clip_stream(self, message, error);
    case SPICE_MSG_DISPLAY_STREAM_DESTROY:
        result->changes |= SPICE_CHANGED_STREAMS;
        return spice_receiver_destroy_stream(
            self, ((const SpiceMsgDisplayStreamDestroy *)message)->id, error);
    case SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL:
        result->changes |= SPICE_CHANGED_STREAMS;
        spice_receiver_destroy_streams(self);
        return true;
    case SPICE_MSG_DISPLAY_STREAM_DATA:
        return check_stream(self, ((const SpiceMsgDisplayStreamData *)message)->id, error);
    case SPICE_MSG_DISPLAY_STREAM_DATA_SIZED:
        return check_stream(self, ((const SpiceMsgDisplayStreamDataSized *)message)->id, error);
    case SPICE_MSG_DISPLAY_SURFACE_CREATE:
        return spice_receiver_create_surface(self, message, result);
    case SPICE_MSG_DISPLAY_SURFACE_DESTROY:
        spice_receiver_destroy_surface(
            self, ((const SpiceMsgDisplaySurfaceDestroy *)message)->surface_id, result);
        return true;
    case SPICE_MSG_DISPLAY_MONITORS_CONFIG:
        set_monitors(self, message, result);
        return true;
    case SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT:
    case SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX:
    case SPICE_MSG_DISPLAY_GL_DRAW:
        return true;
    default:
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "message");
    }
}

void spice_receiver_count_refused(SpiceReceiver *self, const SpiceError *error)
{
    self->counters.dropped++;
    self->counters.errors[error->code]++;
}

static void feed(SpiceReceiver *self, uint16_t type, const void *message, bool may_wait,
                 SpiceReceiverResult *result)
{
    *result = (SpiceReceiverResult){.damage = &self->damage};
    pixman_region32_clear(&self->damage);
    if (spice_draw_is_draw(type)) {
        feed_draw(self, type, message, may_wait, result);
    } else if (!apply(self, type, message, result)) {
        result->outcome = SPICE_RECEIVED_DROPPED;
        result->changes = 0;
    }
    spice_arena_reset(&self->scratch);

    switch (result->outcome) {
    case SPICE_RECEIVED_APPLIED:
        self->counters.applied++;
        if (result->error.code != SPICE_OK)
            self->counters.errors[result->error.code]++;
        break;
    case SPICE_RECEIVED_WAIT:
        self->counters.waits++;
        break;
    case SPICE_RECEIVED_DROPPED:
    case SPICE_RECEIVED_BROKEN:
        spice_receiver_count_refused(self, &result->error);
        break;
    }
}

void spice_receiver_feed(SpiceReceiver *self, uint16_t type, const void *message,
                         SpiceReceiverResult *result)
{
    feed(self, type, message, true, result);
}

void spice_receiver_give_up(SpiceReceiver *self, uint16_t type, const void *message,
                            SpiceReceiverResult *result)
{
    feed(self, type, message, false, result);
}

const SpiceReceiverCounters *spice_receiver_counters(const SpiceReceiver *self)
{
    return &self->counters;
}

const SpicePixels *spice_receiver_surface(const SpiceReceiver *self, uint32_t id)
{
    const SpicePicture *surface = spice_receiver_find_surface(self, id);

    return surface ? &surface->pixels : NULL;
}

const SpicePixels *spice_receiver_primary(const SpiceReceiver *self)
{
    return self->has_primary ? spice_receiver_surface(self, 0) : NULL;
}

bool spice_receiver_is_marked(const SpiceReceiver *self)
{
    return self->marked;
}

const SpiceHead *spice_receiver_monitors(const SpiceReceiver *self, unsigned *n_heads,
                                         unsigned *max_allowed)
{
    *n_heads = self->n_heads;
    *max_allowed = self->max_heads;
    return self->heads;
}
