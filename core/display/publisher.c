/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publisher.h"

#include "publisher-state.h"

static const SpiceDisplayLimits default_limits = {
    .surface_bytes = UINT64_C(1) << 30,
    .drawable_bytes = UINT64_C(256) << 20,
    .pending_draws = 256,
    .pending_bytes = UINT64_C(64) << 20,
    .held_draws = 100,
    .held_bytes = UINT64_C(64) << 20,
    .scratch_bytes = (size_t)512 << 20,
};

SpiceDisplay *spice_display_create(const SpiceDisplayConfig *config)
{
    SpiceDisplay *self = config->allocator->alloc(config->allocator->context, sizeof(*self));
    SpiceDisplayLimits *limits;

    if (!self)
        return NULL;
    *self =
        (SpiceDisplay){.config = *config,
                       .streaming = config->streaming ? config->streaming : SPICE_STREAM_MODE_OFF};
    limits = &self->config.limits;
#define DEFAULT(field)                                                                             \
    if (limits->field == 0)                                                                        \
    limits->field = default_limits.field
    DEFAULT(surface_bytes);
    DEFAULT(drawable_bytes);
    DEFAULT(pending_draws);
    DEFAULT(pending_bytes);
    DEFAULT(held_draws);
    DEFAULT(held_bytes);
    DEFAULT(scratch_bytes);
#undef DEFAULT
    spice_arena_init(&self->scratch, config->allocator, limits->scratch_bytes);
    return self;
}

void spice_display_destroy(SpiceDisplay *self)
{
    spice_display_destroy_surfaces(self);
    spice_display_forget_shared(self, false);
    if (self->heads)
        spice_display_free(self, self->heads);
    spice_arena_clear(&self->scratch);
    spice_display_free(self, self);
}

const SpiceDisplayCounters *spice_display_counters(const SpiceDisplay *self)
{
    return &self->counters;
}

/** Takes up the draw if it touches anything. */
static void publish(SpiceDisplay *self, SpiceLiveDraw *draw, bool opaque)
{
    SpiceSurface *surface = spice_display_find_surface(self, draw->on.id);
    int32_t stream;

    draw->kept = true;
    stream = spice_display_judge(self, draw, opaque);
    if (opaque)
        spice_display_cover(self, surface, &draw->region, draw->reads, draw->n_reads);
    spice_live_draw_link(self, draw);
    draw->first = !pixman_region32_not_empty(&surface->touched);
    spice_region_add(&surface->touched, &draw->region);
    /* What has no pixels to borrow has nothing to hold its memory for. */
    if (draw->bytes == 0)
        spice_live_draw_own(self, draw, NULL);
    for (SpiceView *view = self->views; view; view = view->next)
        spice_view_publish(view, draw, opaque, stream);
    draw->kept = false;
    spice_live_draw_set_pending(self, draw, true);
}

/** Paints and copies the oldest until the limits are kept. */
static void relieve(SpiceDisplay *self)
{
    const SpiceDisplayLimits *limits = &self->config.limits;
    const SpiceDisplayCounters *now = &self->counters;

    while (self->oldest_pending &&
           (now->n_pending > limits->pending_draws || now->pending_bytes > limits->pending_bytes))
        spice_display_paint_until(self, self->oldest_pending);
    for (SpiceLiveDraw *draw = self->oldest, *newer;
         draw && (now->n_held > limits->held_draws || now->held_bytes > limits->held_bytes);
         draw = newer) {
        newer = draw->newer;
        /* Without memory for a copy they stay held; the caller can still release them by age. */
        if (draw->held)
            spice_live_draw_own(self, draw, NULL);
    }
}

static const SpicePixels *find_pixels(void *context, uint32_t surface_id)
{
    return spice_display_surface(context, surface_id);
}

bool spice_display_publish(SpiceDisplay *self, SpiceDrawable *drawable, SpiceError *error)
{
    const SpiceSurfaces surfaces = {find_pixels, self};
    const uint16_t type = spice_drawable_type(drawable);
    const void *message = spice_drawable_message(drawable);
    SpiceLiveDraw *draw = NULL;
    SpiceDrawFacts facts;
    bool done, empty = false;

    spice_display_forget_shared(self, true);
    pixman_region32_init(&facts.region);
    done = spice_drawable_image_bytes(drawable) <= self->config.limits.drawable_bytes ||
           spice_error_set(error, SPICE_ERROR_LIMIT, "image.data");
    done = done && spice_draw_check(type, message, &surfaces, error) &&
           spice_draw_facts(&facts, type, message, &surfaces, error);
    if (done) {
        empty = !pixman_region32_not_empty(&facts.region);
        if (!empty)
            draw = spice_live_draw_create(self, drawable, &facts, error);
        done = empty || draw;
    }
    pixman_region32_fini(&facts.region);
    if (!done) {
        self->counters.refused++;
        return false;
    }
    self->counters.published++;
    self->counters.empty += empty;
    if (draw) {
        publish(self, draw, facts.opaque);
        relieve(self);
    }
    return true;
}

bool spice_display_set_monitors(SpiceDisplay *self, const SpiceMsgDisplayMonitorsConfig *config,
                                SpiceError *error)
{
    SpiceHead *heads;
    unsigned n = 0;

    if (config->n_heads > SPICE_MAX_PUBLISHED_HEADS)
        return spice_error_set(error, SPICE_ERROR_VALUE, "monitors_config.n_heads");
    heads = spice_display_alloc(self, (config->n_heads + 1u) * sizeof(heads[0]));
    if (!heads)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "monitors_config");
    for (unsigned i = 0; i < config->n_heads; i++)
        if (config->heads[i].width != 0 && config->heads[i].height != 0)
            heads[n++] = config->heads[i];
    if (self->heads)
        spice_display_free(self, self->heads);
    self->heads = heads;
    self->monitors = (SpiceMsgDisplayMonitorsConfig){
        .n_heads = (uint16_t)n, .max_allowed = config->max_allowed, .heads = heads};
    if (n > 0)
        for (SpiceView *view = self->views; view; view = view->next)
            spice_view_monitors_changed(view);
    return true;
}

void spice_display_mark(SpiceDisplay *self)
{
    if (self->marked || !self->surfaces[0])
        return;
    self->marked = true;
    for (SpiceView *view = self->views; view; view = view->next)
        spice_view_marked(view);
}

/** Collapses the views that have the draw queued, and paints it: then it is gone. */
static void release_draw(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    draw->kept = true;
    while (draw->queued)
        spice_view_collapse(draw->queued->view, SPICE_COLLAPSE_AGE);
    if (draw->pending) {
        spice_display_paint_until(self, draw);
    } else {
        draw->kept = false;
        spice_live_draw_settle(self, draw);
    }
}

/** The oldest draw that holds memory from before `time`; NULL if there is none. */
static SpiceLiveDraw *find_held(const SpiceDisplay *self, uint64_t time)
{
    SpiceLiveDraw *draw = self->oldest;

    while (draw && (!draw->held || spice_drawable_time(draw->drawable) >= time))
        draw = draw->newer;
    return draw;
}

unsigned spice_display_release_older_than(SpiceDisplay *self, uint64_t time)
{
    SpiceLiveDraw *draw;
    unsigned n = 0;

    /* Each is looked for anew: with it others may have gone. */
    for (; (draw = find_held(self, time)); n++)
        release_draw(self, draw);
    return n;
}

void spice_display_release_all(SpiceDisplay *self)
{
    bool all = true;

    for (SpiceLiveDraw *draw = self->oldest; draw; draw = draw->newer)
        if (draw->held)
            all = spice_live_draw_own(self, draw, NULL) && all;
    if (!all)
        spice_display_release_older_than(self, UINT64_MAX);
}
