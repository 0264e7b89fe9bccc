/* Live draws, and which of them are hidden by later ones.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "publisher-state.h"

SpiceLiveDraw *spice_live_draw_create(SpiceDisplay *self, SpiceDrawable *drawable,
                                      SpiceDrawFacts *facts, SpiceError *error)
{
    const uint32_t id = spice_draw_base(spice_drawable_message(drawable))->surface_id;
    SpiceLiveDraw *draw = spice_display_alloc(self, sizeof(*draw));

    if (!draw) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "draw");
        return NULL;
    }
    *draw = (SpiceLiveDraw){.drawable = spice_drawable_ref(drawable),
                            .on = spice_display_find_surface(self, id)->name,
                            .region = facts->region,
                            .bytes = spice_drawable_image_bytes(drawable),
                            .n_reads = facts->n_reads};
    pixman_region32_init(&facts->region);
    pixman_region32_init(&draw->visible);
    spice_region_add(&draw->visible, &draw->region);
    for (unsigned i = 0; i < facts->n_reads; i++)
        draw->reads[i] =
            (SpiceLiveRead){spice_display_find_surface(self, facts->reads[i].surface_id)->name,
                            facts->reads[i].box};
    return draw;
}

void spice_live_draw_link(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    draw->older = self->newest;
    if (self->newest)
        self->newest->newer = draw;
    else
        self->oldest = draw;
    self->newest = draw;
    self->counters.n_live++;
    self->counters.live_bytes += draw->bytes;
    draw->held = spice_drawable_is_borrowing(draw->drawable);
    if (draw->held) {
        self->counters.n_held++;
        self->counters.held_bytes += draw->bytes;
    }
}

static void let_go(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    if (!draw->held)
        return;
    draw->held = false;
    self->counters.n_held--;
    self->counters.held_bytes -= draw->bytes;
}

static void unlink_draw(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    *(draw->older ? &draw->older->newer : &self->oldest) = draw->newer;
    *(draw->newer ? &draw->newer->older : &self->newest) = draw->older;
    self->counters.n_live--;
    self->counters.live_bytes -= draw->bytes;
    let_go(self, draw);
}

void spice_live_draw_set_pending(SpiceDisplay *self, SpiceLiveDraw *draw, bool pending)
{
    if (draw->pending == pending)
        return;
    draw->pending = pending;
    if (pending) {
        draw->older_pending = self->newest_pending;
        *(self->newest_pending ? &self->newest_pending->newer_pending : &self->oldest_pending) =
            draw;
        self->newest_pending = draw;
        self->counters.n_pending++;
        self->counters.pending_bytes += draw->bytes;
        return;
    }
    *(draw->older_pending ? &draw->older_pending->newer_pending : &self->oldest_pending) =
        draw->newer_pending;
    *(draw->newer_pending ? &draw->newer_pending->older_pending : &self->newest_pending) =
        draw->older_pending;
    draw->older_pending = draw->newer_pending = NULL;
    self->counters.n_pending--;
    self->counters.pending_bytes -= draw->bytes;
}

void spice_live_draw_settle(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    if (draw->pending || draw->queued || draw->kept)
        return;
    unlink_draw(self, draw);
    pixman_region32_fini(&draw->region);
    pixman_region32_fini(&draw->visible);
    spice_drawable_unref(draw->drawable);
    spice_display_free(self, draw);
}

bool spice_live_draw_own(SpiceDisplay *self, SpiceLiveDraw *draw, SpiceError *error)
{
    if (spice_drawable_is_borrowing(draw->drawable)) {
        if (!spice_drawable_own(draw->drawable, error))
            return false;
        if (draw->bytes > 0)
            self->counters.owned++;
    }
    let_go(self, draw);
    return true;
}

/** Takes the draw out of everything. */
static void leave_out(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    self->counters.covered++;
    draw->kept = true;
    while (draw->queued) {
        SpiceQueued *queued = draw->queued;

        queued->view->counters.covered++;
        spice_view_unlink(queued);
        spice_view_item_done(&queued->item);
    }
    draw->kept = false;
    spice_live_draw_set_pending(self, draw, false);
    spice_live_draw_settle(self, draw);
}

static void hide(SpiceLiveDraw *draw, const pixman_region32_t *by, const pixman_region32_t *read)
{
    pixman_region32_t hidden;

    if (!pixman_region32_not_empty((pixman_region32_t *)read)) {
        spice_region_take_away(&draw->visible, by);
    } else {
        pixman_region32_init(&hidden);
        if (pixman_region32_subtract(&hidden, (pixman_region32_t *)by, (pixman_region32_t *)read))
            spice_region_take_away(&draw->visible, &hidden);
        pixman_region32_fini(&hidden);
    }
    spice_region_bound(&draw->visible);
}

/** Adds what is read of the surface. Draws that only work on what is at their own place do not
 * count as readers: where they are covered, so is what they made of it. */
static bool add_reads(pixman_region32_t *read, const SpiceSurface *surface,
                      const SpiceLiveRead *reads, unsigned n_reads)
{
    bool any = false;

    for (unsigned i = 0; i < n_reads; i++) {
        if (!spice_surface_name_equal(reads[i].from, surface->name))
            continue;
        spice_region_add_box(read, &reads[i].box);
        any = true;
    }
    return any;
}

/** Whether nothing of `by` is left that may hide something. */
static bool is_all_of(pixman_region32_t *read, const pixman_region32_t *by)
{
    return pixman_region32_contains_rectangle(read, (pixman_box32_t *)&by->extents) ==
           PIXMAN_REGION_IN;
}

void spice_display_cover(SpiceDisplay *self, const SpiceSurface *surface,
                         const pixman_region32_t *by, const SpiceLiveRead *reads, unsigned n_reads)
{
    pixman_region32_t read; /* by what is newer than the draw that is looked at */
    SpiceLiveDraw *older;

    pixman_region32_init(&read);
    add_reads(&read, surface, reads, n_reads);
    for (SpiceLiveDraw *draw = self->newest; draw; draw = older) {
        older = draw->older;
        if (spice_surface_name_equal(draw->on, surface->name) &&
            spice_region_meets(&draw->visible, by)) {
            hide(draw, by, &read);
            if (!pixman_region32_not_empty(&draw->visible)) {
                leave_out(self, draw);
                continue;
            }
        }
        if (add_reads(&read, surface, draw->reads, draw->n_reads) && is_all_of(&read, by))
            break;
    }
    pixman_region32_fini(&read);
}
