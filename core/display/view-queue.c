/* The queue of a view that follows.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "publisher-state.h"

enum { FIRST_SURFACES = 8 };

SpiceQueued *spice_queued_create(SpiceView *self, SpiceQueuedKind kind, size_t extra)
{
    static const uint16_t types[] = {
        [SPICE_QUEUED_CREATE] = SPICE_MSG_DISPLAY_SURFACE_CREATE,
        [SPICE_QUEUED_DESTROY] = SPICE_MSG_DISPLAY_SURFACE_DESTROY,
        [SPICE_QUEUED_MONITORS] = SPICE_MSG_DISPLAY_MONITORS_CONFIG,
        [SPICE_QUEUED_MARK] = SPICE_MSG_DISPLAY_MARK,
        [SPICE_QUEUED_FRAME] = SPICE_MSG_DISPLAY_STREAM_DATA,
        [SPICE_QUEUED_STREAM] = 0, /* said later */
    };
    SpiceQueued *queued = spice_display_alloc(self->display, sizeof(*queued) + extra);

    if (!queued)
        return NULL;
    *queued = (SpiceQueued){
        .item = {.type = types[kind], .message = &queued->message},
        .allocator = self->display->config.allocator,
        .kind = kind,
        .view = self,
    };
    return queued;
}

SpiceQueued *spice_queued_monitors(SpiceView *self)
{
    const SpiceMsgDisplayMonitorsConfig *monitors = &self->display->monitors;
    const size_t size = monitors->n_heads * sizeof(SpiceHead);
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_MONITORS, size);

    if (!queued)
        return NULL;
    queued->message.monitors = *monitors;
    queued->message.monitors.heads = (SpiceHead *)(void *)queued->extra;
    if (size > 0)
        memcpy(queued->extra, monitors->heads, size);
    return queued;
}

void spice_view_push(SpiceView *self, SpiceQueued *queued)
{
    queued->previous = self->last;
    queued->next = NULL;
    *(self->last ? &self->last->next : &self->first) = queued;
    self->last = queued;
    self->counters.n_items++;
    self->counters.bytes += queued->bytes;
    self->n_images += queued->bytes > 0;
}

void spice_view_unlink(SpiceQueued *queued)
{
    SpiceView *self = queued->view;
    SpiceLiveDraw *draw = queued->draw;

    *(queued->previous ? &queued->previous->next : &self->first) = queued->next;
    *(queued->next ? &queued->next->previous : &self->last) = queued->previous;
    self->counters.n_items--;
    self->counters.bytes -= queued->bytes;
    self->n_images -= queued->bytes > 0;
    if (queued->kind == SPICE_QUEUED_CONTENT && !queued->item.drawable)
        spice_display_find_surface(self->display, queued->surface.id)->n_contents--;
    if (queued->kind == SPICE_QUEUED_FRAME)
        self->streams[queued->stream].marker = NULL;
    if (!draw)
        return;
    *(queued->previous_of_draw ? &queued->previous_of_draw->next_of_draw : &draw->queued) =
        queued->next_of_draw;
    if (queued->next_of_draw)
        queued->next_of_draw->previous_of_draw = queued->previous_of_draw;
    queued->draw = NULL;
    spice_live_draw_settle(self->display, draw);
}

SpiceViewSurface *spice_view_surface(SpiceView *self, uint32_t id, bool make_room)
{
    unsigned n = self->n_surfaces ? self->n_surfaces : FIRST_SURFACES;
    SpiceViewSurface *surfaces;

    if (id < self->n_surfaces)
        return &self->surfaces[id];
    if (!make_room)
        return NULL;
    while (n <= id)
        n *= 2;
    surfaces = spice_display_alloc(self->display, n * sizeof(surfaces[0]));
    if (!surfaces)
        return NULL;
    memset(surfaces, 0, n * sizeof(surfaces[0]));
    if (self->surfaces) {
        memcpy(surfaces, self->surfaces, self->n_surfaces * sizeof(surfaces[0]));
        spice_display_free(self->display, self->surfaces);
    }
    self->surfaces = surfaces;
    self->n_surfaces = n;
    return &self->surfaces[id];
}

/** Whether the client will have this surface after all that is queued. */
static bool will_have(SpiceView *self, SpiceSurfaceName name)
{
    const SpiceViewSurface *surface = spice_view_surface(self, name.id, false);

    return surface && surface->queued == name.generation;
}

/** Queues an item, or collapses if there was no memory for it. */
static bool push_or_collapse(SpiceView *self, SpiceQueued *queued)
{
    if (!queued) {
        spice_view_collapse(self, SPICE_COLLAPSE_MEMORY);
        return false;
    }
    spice_view_push(self, queued);
    return true;
}

static bool supports_surface(const SpiceView *self, const SpiceSurface *surface)
{
    return surface->format != SPICE_SURFACE_FMT_8_A || !self->config.no_a8_surfaces;
}

static bool has_room_for(const SpiceView *self, const SpiceSurface *surface)
{
    return surface->bytes <= self->config.limits.surface_bytes &&
           self->counters.surface_bytes <= self->config.limits.surface_bytes - surface->bytes;
}

/** Queues the creation of an off-screen surface that the client does not have. */
static bool push_create(SpiceView *self, const SpiceSurface *surface)
{
    SpiceViewSurface *at = spice_view_surface(self, surface->name.id, true);
    SpiceQueued *queued = at ? spice_queued_create(self, SPICE_QUEUED_CREATE, 0) : NULL;

    if (!push_or_collapse(self, queued))
        return false;
    queued->surface = surface->name;
    queued->message.create = (SpiceMsgDisplaySurfaceCreate){
        .surface_id = surface->name.id,
        .width = (uint32_t)surface->pixels.width,
        .height = (uint32_t)surface->pixels.height,
        .format = surface->format,
    };
    at->queued = surface->name.generation;
    at->bytes = surface->bytes;
    self->counters.surface_bytes += surface->bytes;
    return true;
}

/** Queues a surface as it is after all that was published so far. Its pixels are cut when they are
 * sent, or before they change. */
static void push_whole(SpiceView *self, SpiceSurface *surface)
{
    const pixman_box32_t box = *pixman_region32_extents(&surface->touched);
    SpiceQueued *queued;

    /* It may be that painting collapses the view. */
    spice_display_paint_box(self->display, surface, &box);
    if (!self->following || !push_create(self, surface) || box.x1 >= box.x2)
        return;
    queued = spice_queued_create(self, SPICE_QUEUED_CONTENT, 0);
    if (queued) {
        queued->item.is_picture = true;
        queued->surface = surface->name;
        queued->box = box;
        surface->n_contents++;
    }
    push_or_collapse(self, queued);
}

/** Sees to it that the client has what the draw reads. */
static void provide(SpiceView *self, const SpiceLiveDraw *draw)
{
    for (unsigned i = 0; self->following && i < draw->n_reads; i++) {
        SpiceSurface *surface = spice_display_find_surface(self->display, draw->reads[i].from.id);

        if (will_have(self, surface->name))
            continue;
        if (!supports_surface(self, surface) || !has_room_for(self, surface) ||
            surface->bytes > self->config.limits.content_bytes)
            spice_view_collapse(self, SPICE_COLLAPSE_UNSUPPORTED);
        else
            push_whole(self, surface);
    }
}

/** Whether the draw is of concern to the client: whether it has, or begins to have, the surface. */
static bool wants(SpiceView *self, const SpiceLiveDraw *draw)
{
    const SpiceSurface *surface = spice_display_find_surface(self->display, draw->on.id);

    if (draw->on.id == 0 || will_have(self, draw->on))
        return true;
    /* One that is new is given from its first draw on. Others have to be read from, first. */
    return draw->first && supports_surface(self, surface) && has_room_for(self, surface) &&
           push_create(self, surface);
}

static void push_draw(SpiceView *self, SpiceLiveDraw *draw)
{
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_DRAW, 0);

    if (queued) {
        queued->bytes = draw->bytes;
        queued->draw = draw;
        queued->next_of_draw = draw->queued;
        if (draw->queued)
            draw->queued->previous_of_draw = queued;
        draw->queued = queued;
    }
    push_or_collapse(self, queued);
}

static void keep_limits(SpiceView *self)
{
    const SpiceViewLimits *limits = &self->config.limits;

    if (self->counters.n_items > limits->items)
        spice_view_collapse(self, SPICE_COLLAPSE_ITEMS);
    /* A single picture may be as large as it is: nothing is won by cutting it again. */
    else if (self->counters.bytes > limits->bytes && self->n_images > 1)
        spice_view_collapse(self, SPICE_COLLAPSE_BYTES);
}

/** Queues a draw, or makes it damage. */
static void send_draw(SpiceView *self, SpiceLiveDraw *draw)
{
    const bool can = !self->config.no_composite ||
                     spice_drawable_type(draw->drawable) != SPICE_MSG_DISPLAY_DRAW_COMPOSITE;

    if (!can && self->following && (draw->on.id == 0 || will_have(self, draw->on)))
        spice_view_collapse(self, SPICE_COLLAPSE_UNSUPPORTED);
    if (can && self->following && wants(self, draw)) {
        provide(self, draw);
        if (self->following)
            push_draw(self, draw);
        if (self->following)
            keep_limits(self);
    }
    if (!self->following)
        spice_view_absorb(self, draw);
}

void spice_view_publish(SpiceView *self, SpiceLiveDraw *draw, bool opaque, int32_t stream)
{
    if (!self->streams || !spice_view_take_frame(self, draw, opaque, stream))
        send_draw(self, draw);
    spice_view_settle_due(self);
    if (self->following)
        keep_limits(self);
}

void spice_view_surface_destroyed(SpiceView *self, const SpiceSurface *surface)
{
    const SpiceSurfaceName name = surface->name;
    SpiceQueued *queued;

    if (!self->following) {
        spice_view_make_stale(self, name);
        return;
    }
    if (!will_have(self, name))
        return;
    queued = spice_queued_create(self, SPICE_QUEUED_DESTROY, 0);
    if (queued) {
        queued->surface = name;
        queued->message.destroy.surface_id = name.id;
    }
    if (!push_or_collapse(self, queued)) {
        spice_view_make_stale(self, name);
        return;
    }
    self->counters.surface_bytes -= self->surfaces[name.id].bytes;
    self->surfaces[name.id].queued = self->surfaces[name.id].bytes = 0;
    keep_limits(self);
}

void spice_view_primary_changed(SpiceView *self)
{
    spice_view_collapse(self, SPICE_COLLAPSE_MODE);
}

void spice_view_monitors_changed(SpiceView *self)
{
    SpiceQueued *older = self->first;

    if (!self->following) {
        self->monitors_due = true;
        return;
    }
    while (older && older->kind != SPICE_QUEUED_MONITORS)
        older = older->next;
    if (older) {
        spice_view_unlink(older);
        spice_view_item_done(&older->item);
    }
    if (push_or_collapse(self, spice_queued_monitors(self)))
        keep_limits(self);
    else
        self->monitors_due = true;
}

void spice_view_marked(SpiceView *self)
{
    if (self->following && push_or_collapse(self, spice_queued_create(self, SPICE_QUEUED_MARK, 0)))
        keep_limits(self);
}

void spice_view_failed(SpiceView *self, const SpiceLiveDraw *draw)
{
    spice_view_collapse(self, SPICE_COLLAPSE_FAILED);
    spice_view_absorb(self, draw);
}

void spice_view_keep_contents(SpiceView *self, SpiceSurface *surface)
{
    for (SpiceQueued *queued = self->first; queued; queued = queued->next) {
        if (queued->kind != SPICE_QUEUED_CONTENT || queued->item.drawable ||
            !spice_surface_name_equal(queued->surface, surface->name))
            continue;
        queued->item.drawable = spice_display_cut(self->display, surface, &queued->box, NULL);
        if (!queued->item.drawable) {
            spice_view_collapse(self, SPICE_COLLAPSE_MEMORY);
            return;
        }
        surface->n_contents--;
        queued->bytes = spice_drawable_image_bytes(queued->item.drawable);
        self->counters.bytes += queued->bytes;
        self->n_images++;
    }
    if (self->following)
        keep_limits(self);
}
