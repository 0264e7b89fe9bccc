/* Painting draws on the server's surfaces, when somebody needs the pixels.
 *
 * Two draws may change places if neither writes what the other reads or writes. So what has to be
 * painted for an area follows from going back from the newest draw: those that write there, and
 * those older ones that share a pixel with one already chosen. All others wait.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/bitmap.h"

#include "image-decoder.h"
#include "publisher-state.h"

/** An image operand while it is in use. */
typedef struct {
    SpicePicture *picture; /* a reference, or NULL */
    SpicePixels borrowed;  /* rows of the drawable */
} Operand;

static bool decode(SpiceDisplay *self, const SpiceImage *image, pixman_format_code_t format,
                   SpicePicture **picture, SpiceError *error)
{
    const SpiceDecodeContext context = {.allocator = self->config.allocator,
                                        .scratch = &self->scratch,
                                        .cpu = self->config.cpu,
                                        .surface_format = format,
                                        .palette = image->palette.palette};
    const SpiceImageDecode decode_type = spice_image_decoder_find(image->type);

    if (!decode_type)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.type");
    if (decode_type(image, &context, picture, error) != SPICE_DECODED) {
        *picture = NULL;
        return spice_error_set(error, SPICE_ERROR_CORRUPT, "image");
    }
    if ((image->flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET) &&
        (*picture)->pixels.format == PIXMAN_x8r8g8b8)
        spice_picture_set_high_bits(*picture);
    return true;
}

static bool resolve(SpiceDisplay *self, const SpiceImage *image, bool is_mask,
                    pixman_format_code_t format, Operand *operand, SpiceCanvasImage *resolved,
                    SpiceError *error)
{
    if (image->type == SPICE_IMAGE_TYPE_SURFACE) {
        const SpiceSurface *surface = spice_display_find_surface(self, image->surface_id);

        if (!surface)
            return spice_error_set(error, SPICE_ERROR_STATE, "image.surface_id");
        *resolved = (SpiceCanvasImage){.pixels = &surface->pixels, .is_surface = true};
        return true;
    }
    if (is_mask) {
        operand->picture = spice_bitmap_read_mask(image, self->config.allocator, error);
        if (!operand->picture)
            return false;
    } else if (image->type == SPICE_IMAGE_TYPE_BITMAP &&
               !(image->flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET) &&
               spice_bitmap_borrow(image, &operand->borrowed)) {
        resolved->pixels = &operand->borrowed;
        return true;
    } else if (!decode(self, image, format, &operand->picture, error)) {
        return false;
    }
    resolved->pixels = &operand->picture->pixels;
    return true;
}

/** A guest may write to its memory at any time: a decoder shall not see a stream change. */
static bool own_streams(SpiceDisplay *self, SpiceLiveDraw *draw, SpiceError *error)
{
    SpiceDrawImages images;

    spice_draw_images(&images, spice_drawable_type(draw->drawable),
                      spice_drawable_message(draw->drawable));
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        if (images.images[role] && images.images[role]->type == SPICE_IMAGE_TYPE_QUIC)
            return spice_live_draw_own(self, draw, error);
    return true;
}

static bool paint_message(SpiceDisplay *self, SpiceLiveDraw *draw, SpiceSurface *surface,
                          SpiceError *error)
{
    const uint16_t type = spice_drawable_type(draw->drawable);
    const void *message = spice_drawable_message(draw->drawable);
    const SpicePixels *dest = &surface->pixels;
    Operand used[SPICE_DRAW_N_ROLES] = {0};
    SpiceDrawOperands operands = {0};
    pixman_region32_t region;
    SpiceDrawImages images;
    bool done;

    if (!own_streams(self, draw, error))
        return false;
    done = spice_draw_region(&region, dest, message, error);
    spice_draw_images(&images, type, message);
    for (unsigned role = 0; done && role < SPICE_DRAW_N_ROLES; role++)
        if (images.images[role])
            done = resolve(self, images.images[role], role == SPICE_DRAW_MASK, dest->format,
                           &used[role], &operands.operands[role], error);
    done = done && spice_draw_paint(dest, &region, type, message, &operands, &self->scratch, error);
    if (done)
        spice_region_add(&surface->dirty, &region);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        spice_picture_unref(used[role].picture);
    pixman_region32_fini(&region);
    spice_arena_reset(&self->scratch);
    return done;
}

/** Paints a pending draw. Other draws that are pending stay so, others may go with it. */
static void paint(SpiceDisplay *self, SpiceLiveDraw *draw)
{
    SpiceSurface *surface = spice_display_find_surface(self, draw->on.id);
    SpiceError error = {0};

    draw->kept = true;
    if (surface->n_contents > 0)
        for (SpiceView *view = self->views; view; view = view->next)
            spice_view_keep_contents(view, surface);
    spice_live_draw_set_pending(self, draw, false);
    surface->paints++;
    if (paint_message(self, draw, surface, &error)) {
        self->counters.painted++;
    } else {
        /* Some clients may have it already, or what it hid: they all get what is here. */
        self->counters.failed++;
        for (SpiceView *view = self->views; view; view = view->next)
            spice_view_failed(view, draw);
    }
    draw->kept = draw->marked = false;
    spice_live_draw_settle(self, draw);
}

static bool reads(const SpiceLiveDraw *draw, const SpiceSurface *surface)
{
    for (unsigned i = 0; surface && i < draw->n_reads; i++)
        if (draw->reads[i].from.id == surface->name.id)
            return true;
    return false;
}

static bool is_wanted(SpiceDisplay *self, const SpiceLiveDraw *draw)
{
    if (spice_region_meets(&spice_display_find_surface(self, draw->on.id)->wanted, &draw->region))
        return true;
    for (unsigned i = 0; i < draw->n_reads; i++)
        if (spice_region_meets_box(
                &spice_display_find_surface(self, draw->reads[i].from.id)->wanted,
                &draw->reads[i].box))
            return true;
    return false;
}

/** Marks pending draws: those that read `read_surface` (may be NULL), those that share a pixel with
 * what is wanted of their surfaces, and so on. Pending draws name surfaces that exist. */
static void mark(SpiceDisplay *self, const SpiceSurface *read_surface)
{
    for (SpiceLiveDraw *draw = self->newest_pending; draw; draw = draw->older_pending) {
        if (!reads(draw, read_surface) && !is_wanted(self, draw))
            continue;
        draw->marked = true;
        spice_region_add(&spice_display_find_surface(self, draw->on.id)->wanted, &draw->region);
        for (unsigned i = 0; i < draw->n_reads; i++)
            spice_region_add_box(&spice_display_find_surface(self, draw->reads[i].from.id)->wanted,
                                 &draw->reads[i].box);
    }
}

static void paint_marked(SpiceDisplay *self)
{
    SpiceLiveDraw *newer;

    for (SpiceLiveDraw *draw = self->oldest_pending; draw; draw = draw->newer_pending) {
        if (!draw->marked)
            continue;
        pixman_region32_clear(&spice_display_find_surface(self, draw->on.id)->wanted);
        for (unsigned i = 0; i < draw->n_reads; i++)
            pixman_region32_clear(
                &spice_display_find_surface(self, draw->reads[i].from.id)->wanted);
    }
    for (SpiceLiveDraw *draw = self->oldest_pending; draw; draw = newer) {
        newer = draw->newer_pending;
        if (draw->marked)
            paint(self, draw);
    }
}

void spice_display_paint_box(SpiceDisplay *self, SpiceSurface *surface, const pixman_box32_t *box)
{
    spice_region_add_box(&surface->wanted, box);
    mark(self, NULL);
    pixman_region32_clear(&surface->wanted);
    paint_marked(self);
}

void spice_display_paint_readers(SpiceDisplay *self, SpiceSurface *surface)
{
    mark(self, surface);
    paint_marked(self);
}

void spice_display_paint_until(SpiceDisplay *self, SpiceLiveDraw *last)
{
    for (bool done = false; !done;) {
        SpiceLiveDraw *draw = self->oldest_pending;

        done = draw == last;
        paint(self, draw);
    }
}
