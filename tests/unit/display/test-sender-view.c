/* From a display through a view and a sender to a client: it shows what there is, and what was sent
 * lossy is made exact when the view is told of it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "compare-pixels.h"
#include "core/display/receiver.h"
#include "core/display/sender.h"
#include "core/display/view.h"
#include "core/wire/channel.h"
#include "sender-draws.h"

typedef struct {
    Choices choices;
    uint64_t state;
    GuestPictures *pictures;
    SpiceDisplay *display;
    SpiceView *view;
    SpiceClientImages *images;
    SpiceSender *sender;
    SpiceSenderOutput out;
    SpicePixmapCache *pixmaps;
    SpiceGlzWindow *window;
    SpiceReceiver *receiver;
    unsigned lent, items, lossy, dropped;
} Chain;

static uint32_t below_random(void *context, uint32_t n)
{
    uint64_t *state = context;

    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 16) % n);
}

static uint32_t below(Chain *self, uint32_t n)
{
    return below_random(&self->state, n);
}

static void open_chain(Chain *self, uint64_t seed, uint64_t bits_per_second)
{
    const SpiceDisplayConfig display = {.allocator = &spice_allocator_libc};
    const SpiceViewConfig view = {.limits = {.items = 12}};
    SpiceSenderConfig sender = {.allocator = &spice_allocator_libc, .first_serial = 1};
    SpiceReceiverConfig receiver = {.allocator = &spice_allocator_libc};
    const SpiceSurfaceSource primary = {
        .width = MAX_SIDE, .height = MAX_SIDE, .format = SPICE_SURFACE_FMT_32_xRGB};

    *self = (Chain){.state = seed, .pictures = guest_pictures_create()};
    self->choices = (Choices){below_random, &self->state};
    self->display = spice_display_create(&display);
    spice_display_create_surface(self->display, &primary, NULL);
    self->view = spice_view_create(self->display, &view);
    sender.images = self->images = spice_client_images_create(&spice_allocator_libc, 0, seed, NULL);
    self->sender = spice_sender_create(&sender);
    spice_sender_take_init(self->sender, &(SpiceMsgcDisplayInit){1, 20000, 1, 40000}, NULL);
    spice_sender_set_link(self->sender, bits_per_second, 0);
    spice_sender_output_init(&self->out, &spice_allocator_libc);
    receiver.pixmaps = self->pixmaps =
        spice_pixmap_cache_create(&spice_allocator_libc, NULL, 20000);
    receiver.glz_window = self->window = spice_glz_window_new(&spice_allocator_libc, 80000, 4096);
    spice_glz_window_expect(self->window, 0);
    self->receiver = spice_receiver_create(&receiver);
}

static void close_chain(Chain *self)
{
    spice_view_destroy(self->view);
    spice_sender_destroy(self->sender);
    spice_client_images_destroy(self->images);
    spice_sender_output_clear(&self->out);
    spice_receiver_destroy(self->receiver);
    spice_glz_window_free(self->window);
    spice_pixmap_cache_destroy(self->pixmaps);
    spice_display_destroy(self->display);
    guest_pictures_destroy(self->pictures);
}

/* --- the guest --- */

static void release(void *context)
{
    sender_draw_clear(context);
    free(context);
}

/** Unused bytes of the primary are not kept: they must not get to be seen. */
static bool shows_unused(const RandomDraw *draw)
{
    for (unsigned i = 0; i < draw->n_images; i++)
        if (draw->images[i].type == SPICE_IMAGE_TYPE_SURFACE && draw->images[i].surface_id == 0)
            return true;
    return false;
}

static void publish(Chain *self)
{
    const uint32_t id = below(self, 3) ? 0 : below(self, N_IDS);
    RandomDraw *draw = malloc(sizeof(*draw));
    SpiceDrawableSource source = {.release = release, .context = draw};
    SpiceDrawable *drawable = NULL;

    sender_draw_make(draw, self->pictures, &self->choices, id, MAX_SIDE, id != 0);
    source.type = draw->type;
    source.message = &draw->message;
    if (!shows_unused(draw))
        drawable = spice_drawable_create(&spice_allocator_libc, &source, NULL);
    if (!drawable) {
        release(draw);
        return;
    }
    spice_display_publish(self->display, drawable, NULL);
    spice_drawable_unref(drawable);
}

static void change_surface(Chain *self)
{
    const SpiceSurfaceSource source = {.surface_id = 1 + below(self, N_IDS - 1),
                                       .width = MAX_SIDE,
                                       .height = MAX_SIDE,
                                       .format = below(self, 2) ? SPICE_SURFACE_FMT_32_ARGB
                                                                : SPICE_SURFACE_FMT_32_xRGB};

    if (below(self, 3) == 0)
        spice_display_destroy_surface(self->display, source.surface_id, NULL);
    else
        spice_display_create_surface(self->display, &source, NULL);
}

/* --- the way to the client --- */

typedef struct {
    Chain *chain;
    SpiceDrawable *drawable;
} Loan;

static void end_loan(void *context)
{
    Loan *loan = context;

    loan->chain->lent--;
    spice_drawable_unref(loan->drawable);
    free(loan);
}

static bool receive(Chain *self)
{
    bool good = true;

    for (unsigned i = 0; i < self->out.n_messages; i++) {
        const uint16_t type = self->out.messages[i].type;
        const SpiceMessageDef *def =
            spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
        SpiceReceiverResult result;
        SpiceArena arena;
        void *message;

        spice_arena_init(&arena, &spice_allocator_libc, 1 << 24);
        message = spice_message_read(def, self->out.bytes.data + self->out.messages[i].offset,
                                     self->out.messages[i].size, &arena, NULL);
        good &= message != NULL && type >= SPICE_FIRST_CHANNEL_MESSAGE;
        if (message) {
            spice_receiver_feed(self->receiver, type, message, &result);
            good &= result.outcome == SPICE_RECEIVED_APPLIED;
        }
        spice_arena_clear(&arena);
    }
    return good;
}

/** Sends the next item. False if there is none, or something is wrong. */
static bool pull(Chain *self)
{
    SpiceViewItem *item;
    Loan *loan = NULL;
    SpiceGlzLoan lent;
    bool good;

    if (!spice_view_next(self->view, &item, NULL) || !item)
        return false;
    if (item->drawable) {
        loan = malloc(sizeof(*loan));
        *loan = (Loan){self, spice_drawable_ref(item->drawable)};
        lent = (SpiceGlzLoan){end_loan, loan};
        self->lent++;
    }
    good = spice_sender_encode_lent(self->sender, item->type, item->message, loan ? &lent : NULL,
                                    &self->out, NULL);
    if (!good && loan)
        end_loan(loan);
    spice_view_item_done(item);
    good = good && receive(self);
    self->items++;
    self->dropped += !good;
    return good;
}

static void pull_all(Chain *self)
{
    while (pull(self))
        ;
}

/** The client's primary is the display's. */
static bool is_exact(Chain *self)
{
    spice_display_update_all(self->display);
    return pixels_equal(spice_receiver_surface(self->receiver, 0),
                        spice_display_surface(self->display, 0));
}

static bool refine(Chain *self)
{
    pixman_region32_t lossy;
    pixman_box32_t *boxes;
    int n;

    pixman_region32_init(&lossy);
    pixman_region32_copy(&lossy, (pixman_region32_t *)spice_sender_lossy_region(self->sender, 0));
    boxes = pixman_region32_rectangles(&lossy, &n);
    self->lossy += n > 0;
    for (int i = 0; i < n; i++)
        spice_view_damage(self->view,
                          &(SpiceRect){boxes[i].y1, boxes[i].x1, boxes[i].y2, boxes[i].x2});
    pixman_region32_fini(&lossy);
    spice_sender_set_refining(self->sender, true);
    pull_all(self);
    spice_sender_set_refining(self->sender, false);
    return !pixman_region32_not_empty(
        (pixman_region32_t *)spice_sender_lossy_region(self->sender, 0));
}

static void test_chain(const char *name, uint64_t bits_per_second, bool is_slow)
{
    enum { N_HISTORIES = 40, N_STEPS = 900 };
    unsigned items = 0, lossy = 0, exact = 0, refined = 0, dropped = 0, lent = 0;

    for (unsigned i = 0; i < N_HISTORIES; i++) {
        bool history_exact = true, history_refined = true;
        Chain chain;

        open_chain(&chain, UINT64_C(0x9e3779b97f4a7c15) * (i + 1), bits_per_second);
        for (unsigned step = 0; step < N_STEPS; step++) {
            const uint32_t event = below(&chain, 32);

            if (event == 0)
                change_surface(&chain);
            else if (event < 16)
                publish(&chain);
            else
                pull(&chain);
            if (step % 300 == 299) {
                pull_all(&chain);
                history_refined &= refine(&chain);
                history_exact &= is_exact(&chain);
            }
        }
        items += chain.items;
        lossy += chain.lossy;
        dropped += chain.dropped;
        exact += history_exact;
        refined += history_refined;
        close_chain(&chain);
        lent += chain.lent;
    }
    TAP_OK(exact == N_HISTORIES, "%s: the client shows what there is in %u of %u histories", name,
           exact, N_HISTORIES);
    TAP_OK(refined == N_HISTORIES && dropped == 0 && lent == 0 && items > N_HISTORIES * 200,
           "%s: %u items, %u in vain, %u loans not ended, %u histories refined", name, items,
           dropped, lent, refined);
    TAP_OK((lossy > N_HISTORIES / 2) == is_slow, "%s: lossy at %u moments", name, lossy);
}

int main(void)
{
    test_chain("usual link", 0, false);
    test_chain("fast link", UINT64_C(20000000000), false);
    test_chain("slow link", 1000000, true);
    return tap_done();
}
