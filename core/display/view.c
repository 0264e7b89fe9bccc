/* A view's life, and what its client takes out of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "publisher-state.h"

static const SpiceViewLimits default_limits = {
    .items = 64,
    .bytes = 4 << 20,
    .surface_bytes = 256 << 20,
    .content_bytes = 16 << 20,
    .piece_bytes = 32 << 20,
};

SpiceView *spice_view_create(SpiceDisplay *display, const SpiceViewConfig *config)
{
    SpiceView *self = spice_display_alloc(display, sizeof(*self));
    SpiceViewLimits *limits;

    if (!self)
        return NULL;
    *self = (SpiceView){.display = display,
                        .config = *config,
                        .next = display->views,
                        .monitors_due = display->monitors.n_heads > 0};
    limits = &self->config.limits;
#define DEFAULT(field)                                                                             \
    if (limits->field == 0)                                                                        \
    limits->field = default_limits.field
    DEFAULT(items);
    DEFAULT(bytes);
    DEFAULT(surface_bytes);
    DEFAULT(content_bytes);
    DEFAULT(piece_bytes);
#undef DEFAULT
    if (config->streams && !spice_view_init_streams(self)) {
        spice_display_free(display, self);
        return NULL;
    }
    pixman_region32_init(&self->damage);
    pixman_region32_init(&self->sending);
    if (display->views)
        display->views->previous = self;
    display->views = self;
    return self;
}

/** Frees an item that is in no view. */
static void free_queued(SpiceQueued *queued)
{
    spice_drawable_unref(queued->item.drawable);
    queued->allocator->release(queued->allocator->context, queued);
}

void spice_view_destroy(SpiceView *self)
{
    SpiceDisplay *display = self->display;

    while (self->first) {
        SpiceQueued *queued = self->first;

        spice_view_unlink(queued);
        free_queued(queued);
    }
    *(self->previous ? &self->previous->next : &display->views) = self->next;
    if (self->next)
        self->next->previous = self->previous;
    pixman_region32_fini(&self->damage);
    pixman_region32_fini(&self->sending);
    spice_view_fini_streams(self);
    if (self->surfaces)
        spice_display_free(display, self->surfaces);
    spice_display_forget_shared(display, true);
    spice_display_free(display, self);
}

/** Makes a queued item ready to be taken out: what it says is put in memory of its own. */
static bool ready(SpiceView *self, SpiceQueued *queued, SpiceError *error)
{
    SpiceDisplay *display = self->display;
    SpiceViewItem *item = &queued->item;

    if (queued->kind == SPICE_QUEUED_DRAW) {
        if (!spice_live_draw_own(display, queued->draw, error))
            return false;
        item->drawable = spice_drawable_ref(queued->draw->drawable);
    } else if (queued->kind == SPICE_QUEUED_CONTENT && !item->drawable) {
        SpiceSurface *surface = spice_display_find_surface(display, queued->surface.id);

        item->drawable = spice_display_cut(display, surface, &queued->box, error);
        if (!item->drawable)
            return false;
        surface->n_contents--;
    }
    if (item->drawable) {
        item->type = spice_drawable_type(item->drawable);
        item->message = spice_drawable_message(item->drawable);
    }
    return true;
}

/** What the client has changes with what is sent. */
static void sent(SpiceView *self, const SpiceQueued *queued)
{
    const bool is_create = queued->kind == SPICE_QUEUED_CREATE;

    if (is_create || queued->kind == SPICE_QUEUED_DESTROY)
        self->surfaces[queued->surface.id].sent = is_create ? queued->surface.generation : 0;
    if (queued->kind == SPICE_QUEUED_MARK)
        self->marked = true;
}

static SpiceQueued *follow(SpiceView *self, SpiceError *error)
{
    SpiceQueued *queued = self->first;

    if (queued && queued->kind == SPICE_QUEUED_FRAME)
        return spice_view_stream_message(self, queued->stream, error);
    if (!queued || !ready(self, queued, error))
        return NULL;
    spice_view_unlink(queued);
    sent(self, queued);
    return queued;
}

bool spice_view_next(SpiceView *self, SpiceViewItem **item, SpiceError *error)
{
    SpiceError failure = {0};
    SpiceQueued *queued;

    spice_display_forget_shared(self->display, true);
    *item = NULL;
    queued = spice_view_settle_stream(self, &failure);
    while (!queued && failure.code == SPICE_OK && spice_view_has_next(self))
        queued = self->following ? follow(self, &failure) : spice_view_catch_up(self, &failure);
    if (!queued && failure.code == SPICE_OK && !self->following)
        spice_view_catch_up(self, &failure); /* nothing is left: it begins to follow */
    if (!queued)
        return failure.code == SPICE_OK || spice_error_set(error, failure.code, failure.field);
    self->counters.sent++;
    self->counters.sent_draws += queued->kind == SPICE_QUEUED_DRAW;
    self->counters.sent_pictures += queued->item.is_picture;
    self->counters.sent_frames += queued->kind == SPICE_QUEUED_FRAME;
    *item = &queued->item;
    return true;
}

bool spice_view_has_next(const SpiceView *self)
{
    return self->unsettled || (self->following ? self->first != NULL : spice_view_is_behind(self));
}

void spice_view_item_done(SpiceViewItem *item)
{
    free_queued((SpiceQueued *)item);
}

bool spice_view_is_following(const SpiceView *self)
{
    return self->following;
}

const SpiceViewCounters *spice_view_counters(const SpiceView *self)
{
    return &self->counters;
}

/** What an unsent item leaves to be caught up with. */
static void leave(SpiceView *self, const SpiceQueued *queued)
{
    switch (queued->kind) {
    case SPICE_QUEUED_DRAW:
        spice_view_absorb(self, queued->draw);
        break;
    case SPICE_QUEUED_CONTENT:
        /* The client may have the surface already, without what is in it. */
    case SPICE_QUEUED_DESTROY:
        spice_view_make_stale(self, queued->surface);
        break;
    case SPICE_QUEUED_MONITORS:
        self->monitors_due = true;
        break;
    case SPICE_QUEUED_CREATE:
    case SPICE_QUEUED_MARK:
    case SPICE_QUEUED_FRAME: /* what is due stays due */
    case SPICE_QUEUED_STREAM:
        break;
    }
}

void spice_view_collapse(SpiceView *self, SpiceCollapseReason reason)
{
    if (!self->following)
        return;
    self->following = false;
    self->counters.collapses[reason]++;
    self->display->counters.collapses++;
    while (self->first) {
        SpiceQueued *queued = self->first;

        leave(self, queued);
        spice_view_unlink(queued);
        free_queued(queued);
    }
}

/** What streams show is left to them: it comes with the next frame, or when they have left. */
static void add_damage(SpiceView *self, const pixman_box32_t *box)
{
    pixman_region32_t region;

    pixman_region32_init_with_extents(&region, (pixman_box32_t *)box);
    if (self->streams)
        spice_view_leave_to_streams(self, &region);
    spice_region_add(&self->damage, &region);
    pixman_region32_fini(&region);
}

void spice_view_damage(SpiceView *self, const SpiceRect *area)
{
    const SpicePixels *primary = spice_display_surface(self->display, 0);
    pixman_box32_t box;

    if (!primary)
        return;
    box = (pixman_box32_t){0, 0, primary->width, primary->height};
    if (area) {
        box.x1 = area->left > box.x1 ? area->left : box.x1;
        box.y1 = area->top > box.y1 ? area->top : box.y1;
        box.x2 = area->right < box.x2 ? area->right : box.x2;
        box.y2 = area->bottom < box.y2 ? area->bottom : box.y2;
    }
    if (box.x1 >= box.x2 || box.y1 >= box.y2)
        return;
    spice_view_collapse(self, SPICE_COLLAPSE_CALLER);
    add_damage(self, &box);
}
