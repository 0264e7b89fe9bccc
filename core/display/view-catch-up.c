/* A view that catches up: from what the client has to what there is, step by step.
 *
 * Only what was sent counts here. Off-screen surfaces that differ are destroyed; they come back,
 * as they are then, when a draw reads them. The primary is destroyed and created if it is another
 * one, and else its damaged pixels are cut from it as it is at that moment. A *sweep* sends what
 * was damaged when it began, so that an area that changes all the time does not keep the others
 * from being sent.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/pixels.h"

#include "publisher-state.h"

typedef enum {
    STEP_NONE,
    STEP_DESTROY, /* an off-screen surface that is stale */
    STEP_DESTROY_PRIMARY,
    STEP_CREATE_PRIMARY,
    STEP_PICTURE,
    STEP_MONITORS,
    STEP_MARK,
    STEP_FRAME,
} Step;

/** Whether a frame may be sent: not between the picture of a new surface and its MARK. */
static bool has_frame(const SpiceView *self)
{
    return self->due_streams && (self->marked || !self->display->marked);
}

static Step next_step(const SpiceView *self)
{
    const SpiceSurface *primary = self->display->surfaces[0];
    const uint64_t sent = self->n_surfaces ? self->surfaces[0].sent : 0;

    if (self->n_stale > 0)
        return STEP_DESTROY;
    if (sent != 0 && (!primary || sent != primary->name.generation))
        return STEP_DESTROY_PRIMARY;
    if (!primary)
        return STEP_NONE;
    if (sent == 0)
        return STEP_CREATE_PRIMARY;
    /* Frames take turns with pictures, so that neither keeps the others back. */
    if (has_frame(self) && !self->frame_was_last)
        return STEP_FRAME;
    if (pixman_region32_not_empty((pixman_region32_t *)&self->sending))
        return STEP_PICTURE;
    if (self->monitors_due)
        return STEP_MONITORS;
    if (self->display->marked && !self->marked)
        return STEP_MARK;
    if (pixman_region32_not_empty((pixman_region32_t *)&self->damage))
        return STEP_PICTURE;
    return has_frame(self) ? STEP_FRAME : STEP_NONE;
}

bool spice_view_is_behind(const SpiceView *self)
{
    return next_step(self) != STEP_NONE;
}

void spice_view_make_stale(SpiceView *self, SpiceSurfaceName name)
{
    SpiceViewSurface *surface = spice_view_surface(self, name.id, false);

    if (!surface || surface->sent != name.generation || surface->stale)
        return;
    surface->stale = true;
    self->n_stale++;
}

void spice_view_absorb(SpiceView *self, const SpiceLiveDraw *draw)
{
    pixman_region32_t rest;

    if (draw->on.id != 0) {
        spice_view_make_stale(self, draw->on);
        return;
    }
    if (self->display->n_streams == 0 || !self->streams) {
        spice_region_add(&self->damage, &draw->region);
        return;
    }
    pixman_region32_init(&rest);
    spice_region_add(&rest, &draw->region);
    spice_view_leave_to_streams(self, &rest);
    spice_region_add(&self->damage, &rest);
    pixman_region32_fini(&rest);
}

/** Begins to follow, if there is nothing left to catch up with. */
static void follow_if_there(SpiceView *self)
{
    self->counters.surface_bytes = 0;
    if (!self->display->surfaces[0] || next_step(self) != STEP_NONE)
        return;
    self->following = true;
    for (uint32_t id = 0; id < self->n_surfaces; id++) {
        SpiceViewSurface *surface = &self->surfaces[id];

        surface->queued = surface->sent;
        if (surface->sent == 0)
            surface->bytes = 0;
        else if (id != 0)
            self->counters.surface_bytes += surface->bytes;
    }
    spice_view_queue_due(self);
}

static SpiceQueued *destroy(SpiceView *self, uint32_t id)
{
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_DESTROY, 0);

    if (!queued)
        return NULL;
    queued->message.destroy.surface_id = id;
    self->surfaces[id].sent = 0;
    return queued;
}

static SpiceQueued *destroy_stale(SpiceView *self)
{
    SpiceQueued *queued;
    uint32_t id = 0;

    while (!self->surfaces[id].stale)
        id++;
    queued = destroy(self, id);
    if (queued) {
        self->surfaces[id].stale = false;
        self->n_stale--;
    }
    return queued;
}

static SpiceQueued *destroy_primary(SpiceView *self)
{
    SpiceQueued *queued = destroy(self, 0);

    if (queued)
        self->marked = false;
    return queued;
}

/** A new surface is sent in one piece if anything was drawn on it: clients may take the first picture
 * that comes for all there is, and what was not drawn on costs next to nothing. */
static void begin_with_all(SpiceView *self, const SpiceSurface *primary)
{
    const pixman_box32_t all = {0, 0, primary->pixels.width, primary->pixels.height};

    pixman_region32_clear(&self->damage);
    pixman_region32_clear(&self->sending);
    if (pixman_region32_not_empty((pixman_region32_t *)&primary->touched))
        spice_region_add_box(&self->sending, &all);
}

static SpiceQueued *create_primary(SpiceView *self)
{
    const SpiceSurface *primary = self->display->surfaces[0];
    SpiceViewSurface *at = spice_view_surface(self, 0, true);
    SpiceQueued *queued = at ? spice_queued_create(self, SPICE_QUEUED_CREATE, 0) : NULL;

    if (!queued)
        return NULL;
    queued->message.create = (SpiceMsgDisplaySurfaceCreate){
        .width = (uint32_t)primary->pixels.width,
        .height = (uint32_t)primary->pixels.height,
        .format = primary->format,
        .flags = SPICE_SURFACE_FLAGS_PRIMARY,
    };
    at->sent = primary->name.generation;
    self->monitors_due = self->display->monitors.n_heads > 0;
    self->frame_was_last = true;
    begin_with_all(self, primary);
    return queued;
}

/** The next piece of the sweep. */
static pixman_box32_t next_piece(const SpiceView *self, const SpiceSurface *primary)
{
    pixman_box32_t box = *pixman_region32_rectangles((pixman_region32_t *)&self->sending, NULL);
    const uint64_t row = spice_display_cut_row_size(primary, box.x2 - box.x1);
    const uint64_t rows = self->config.limits.piece_bytes / row;

    if (rows < (uint64_t)(box.y2 - box.y1))
        box.y2 = box.y1 + (rows > 0 ? (int32_t)rows : 1);
    return box;
}

static SpiceQueued *picture(SpiceView *self, SpiceError *error)
{
    SpiceSurface *primary = self->display->surfaces[0];
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_CONTENT, 0);
    pixman_region32_t piece;
    pixman_box32_t box;

    if (!queued)
        return NULL;
    if (!pixman_region32_not_empty(&self->sending)) {
        const pixman_region32_t empty = self->sending;

        self->sending = self->damage;
        self->damage = empty;
    }
    box = next_piece(self, primary);
    /* This may add to the damage, if something cannot be painted. */
    spice_display_paint_box(self->display, primary, &box);
    queued->item.drawable = spice_display_cut(self->display, primary, &box, error);
    if (!queued->item.drawable) {
        spice_view_item_done(&queued->item);
        return NULL;
    }
    queued->item.is_picture = true;
    queued->item.type = spice_drawable_type(queued->item.drawable);
    queued->item.message = spice_drawable_message(queued->item.drawable);
    pixman_region32_init_with_extents(&piece, &box);
    spice_region_take_away(&self->sending, &piece);
    spice_region_take_away(&self->damage, &piece);
    pixman_region32_fini(&piece);
    return queued;
}

static SpiceQueued *monitors(SpiceView *self)
{
    SpiceQueued *queued = spice_queued_monitors(self);

    if (queued)
        self->monitors_due = false;
    return queued;
}

static SpiceQueued *mark(SpiceView *self)
{
    SpiceQueued *queued = spice_queued_create(self, SPICE_QUEUED_MARK, 0);

    if (queued)
        self->marked = true;
    return queued;
}

SpiceQueued *spice_view_catch_up(SpiceView *self, SpiceError *error)
{
    const Step step = next_step(self);
    SpiceQueued *queued = NULL;

    switch (step) {
    case STEP_NONE:
        follow_if_there(self);
        return NULL;
    case STEP_DESTROY:
        queued = destroy_stale(self);
        break;
    case STEP_DESTROY_PRIMARY:
        queued = destroy_primary(self);
        break;
    case STEP_CREATE_PRIMARY:
        queued = create_primary(self);
        break;
    case STEP_PICTURE:
        queued = picture(self, error);
        self->frame_was_last = false;
        break;
    case STEP_FRAME:
        queued = spice_view_stream_message(self, spice_view_next_stream(self), error);
        break;
    case STEP_MONITORS:
        queued = monitors(self);
        break;
    case STEP_MARK:
        queued = mark(self);
        break;
    }
    if (queued)
        follow_if_there(self);
    else if (step != STEP_FRAME)
        spice_error_set(error, SPICE_ERROR_MEMORY, "view");
    return queued;
}
