/* Draws of a guest: each kind, on each format of surface, in a guest's memory in every shape that
 * a driver may give it, paints what the same message paints at a client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/canvas/surface.h"
#include "core/display/draw-check.h"
#include "core/display/receiver.h"
#include "core/display/rop3-reduce.h"
#include "core/wire/channel.h"

#include "../display/compare-pixels.h"
#include "../display/publish-draws.h"
#include "../tap.h"
#include "random.h"
#include "test-host.h"

enum { N_SURFACES = 6, SIDE = 64, SURFACE_BYTES = 1 << 15 };

static const uint32_t formats[N_SURFACES] = {SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FMT_32_ARGB,
                                             SPICE_SURFACE_FMT_16_555,  SPICE_SURFACE_FMT_8_A,
                                             SPICE_SURFACE_FMT_16_565,  SPICE_SURFACE_FMT_32_xRGB};
static const int32_t strides[N_SURFACES] = {4 * SIDE,  4 * SIDE + 8, -2 * SIDE,
                                            SIDE + 64, 2 * SIDE,     -4 * SIDE};

typedef struct {
    Host *host;
    SpiceReceiver *receiver; /* is fed with the same messages */
    SpicePixmapCache *cache;
    Random random;
    unsigned by_type[400], refused, compared;
} Pair;

static uint32_t below(Pair *self, uint32_t n)
{
    return random_below(&self->random, n);
}

static bool feed(Pair *self, uint16_t type, const void *message)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    SpiceBuffer buffer = {.allocator = &spice_allocator_libc};
    SpiceReceiverResult result = {.outcome = SPICE_RECEIVED_DROPPED};
    SpiceArena arena;
    void *read;

    spice_arena_init(&arena, &spice_allocator_libc, 64 << 20);
    spice_message_write(def, message, &buffer, NULL);
    read = spice_message_read(def, buffer.data, buffer.size, &arena, NULL);
    if (read)
        spice_receiver_feed(self->receiver, type, read, &result);
    spice_arena_clear(&arena);
    spice_buffer_clear(&buffer);
    return result.outcome == SPICE_RECEIVED_APPLIED;
}

static uint8_t *top_row(Pair *self, unsigned id)
{
    uint8_t *memory = host_surface_memory(self->host, id * SURFACE_BYTES);

    return strides[id] < 0 ? memory + -(ptrdiff_t)strides[id] * (SIDE - 1) : memory;
}

static void create_surfaces(Pair *self)
{
    for (unsigned id = 0; id < N_SURFACES; id++) {
        const SpiceMsgDisplaySurfaceCreate create = {id, SIDE, SIDE, formats[id],
                                                     id == 0 ? SPICE_SURFACE_FLAGS_PRIMARY : 0};
        const GuestSurface surface = {id,   formats[id], SIDE,
                                      SIDE, strides[id], host_surface_address(id * SURFACE_BYTES),
                                      false};
        GuestWriter writer;

        feed(self, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create);
        if (id == 0) {
            host_create_primary(self->host, SIDE, SIDE);
            continue;
        }
        writer = host_begin(self->host);
        host_push(self->host, QXL_CMD_SURFACE, guest_write_surface_create(&writer, &surface), 1, 0);
    }
}

static const SpicePixels *find_surface(void *context, uint32_t id)
{
    return spice_receiver_surface(((Pair *)context)->receiver, id);
}

/** As a display publishes it. */
static void feed_if_lawful(Pair *self, uint16_t type, const void *message)
{
    const SpiceSurfaces surfaces = {find_surface, self};
    SpiceReducedRop3 reduced;
    SpiceError error = {0};

    if (type == SPICE_MSG_DISPLAY_DRAW_ROP3 && spice_rop3_reduce(&reduced, message)) {
        type = reduced.type;
        message = &reduced.message;
    }
    if (spice_draw_check(type, message, &surfaces, &error))
        feed(self, type, message);
    else
        self->refused++;
}

static void push_random_draw(Pair *self)
{
    const Choices choices = {random_below, &self->random};
    GuestWriter writer = host_begin(self->host);
    RandomDraw draw;
    uint64_t address;
    bool compat;

    random_draw_make(&draw, &choices, below(self, N_SURFACES), SIDE, SIDE, false);
    compat = draw.message.base.surface_id == 0 && below(self, 3) == 0 &&
             draw.type != SPICE_MSG_DISPLAY_DRAW_COMPOSITE;
    if (compat && draw.type == SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND)
        draw.message.alpha_blend.alpha_flags = 0; /* drivers of old had none */
    writer.chunk = below(self, 2) ? 16 + below(self, 400) : 0;
    writer.direct = below(self, 3) == 0;
    writer.unstable = below(self, 4) == 0;
    address = compat ? guest_write_compat_draw(&writer, draw.type, &draw.message)
                     : guest_write_draw(&writer, draw.type, &draw.message);
    if (writer.full) {
        host_cancel(self->host, &writer);
    } else {
        host_push(self->host, QXL_CMD_DRAW, address, 1, compat ? QXL_COMMAND_FLAG_COMPAT : 0);
        self->by_type[draw.type]++;
        feed_if_lawful(self, draw.type, &draw.message);
    }
    for (unsigned i = 0; i < draw.n_blocks; i++)
        free(draw.blocks[i]);
}

static bool compare(Pair *self, unsigned id)
{
    const SpicePixels *want = spice_receiver_surface(self->receiver, id);
    SpicePixels have;

    spice_surface_wrap(&have, formats[id], SIDE, SIDE, top_row(self, id), strides[id], NULL);
    self->compared++;
    return pixels_equal(&have, want);
}

static bool update_and_compare(Pair *self, unsigned id)
{
    if (below(self, 2)) {
        QXLRect area = {0, 0, SIDE, SIDE};
        const uint64_t cookie = 0x100000000u + self->compared;

        spice_qxl_update_area_async(&self->host->qxl, id, &area, 1, cookie);
        return host_wait_cookie(self->host, cookie) && compare(self, id);
    }
    host_update(self->host, id, SIDE, SIDE);
    return compare(self, id);
}

static bool compare_all(Pair *self)
{
    bool equal = true;

    for (unsigned id = 0; id < N_SURFACES; id++)
        equal &= compare(self, id);
    return equal;
}

static Pair *pair_new(uint64_t seed)
{
    Pair *self = calloc(1, sizeof *self);
    SpiceReceiverConfig config = {.allocator = &spice_allocator_libc};

    self->random.state = seed;
    self->cache = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 1 << 20);
    config.pixmaps = self->cache;
    self->receiver = spice_receiver_create(&config);
    self->host = host_new();
    self->host->poison = true;
    create_surfaces(self);
    return self;
}

static void pair_free(Pair *self)
{
    host_free(self->host);
    spice_receiver_destroy(self->receiver);
    spice_pixmap_cache_destroy(self->cache);
    free(self);
}

static void test_random_draws(uint64_t seed, unsigned n)
{
    Pair *self = pair_new(seed);
    Host *host = self->host;
    unsigned i, missing = 0, held;
    bool equal = true;

    for (i = 0; i < n && equal; i++) {
        push_random_draw(self);
        if (below(self, 12) == 0)
            equal = update_and_compare(self, below(self, N_SURFACES));
    }
    spice_qxl_flush_surfaces_async(&host->qxl, 1);
    host_wait_cookie(host, 1);
    TAP_OK(equal && compare_all(self), "seed %llu: %u draws paint what their messages paint",
           (unsigned long long)seed, i);
    for (i = SPICE_MSG_DISPLAY_DRAW_FILL; i <= SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND; i++)
        missing += self->by_type[i] == 0;
    missing += self->by_type[SPICE_MSG_DISPLAY_DRAW_COMPOSITE] == 0;
    missing += self->by_type[SPICE_MSG_DISPLAY_COPY_BITS] == 0;
    TAP_OK(missing == 0 && self->compared > n / 20, "seed %llu: every kind was drawn",
           (unsigned long long)seed);
    TAP_NOTE("%u comparisons, %u draws that no client can paint", self->compared, self->refused);
    held = host_held(host);
    TAP_OK(held == N_SURFACES - 1 && host_is_well(host),
           "seed %llu: after a flush only the surfaces' commands are held (%u)",
           (unsigned long long)seed, held);
    spice_qxl_destroy_surfaces(&host->qxl);
    TAP_OK(host_held(host) == 0 && host->released == host->popped && host_is_well(host),
           "seed %llu: each of %u commands was released once", (unsigned long long)seed,
           host->popped);
    pair_free(self);
}

/* Draws that want the old pixels */

static void test_self_bitmap(void)
{
    const SpiceMsgDisplayDrawOpaque message = {
        .base = {.box = {8, 8, 24, 24}},
        .source_area = {0, 0, 16, 16},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = 0x00ff00},
        .rop = SPICE_ROPD_OP_XOR,
    };
    Pair *self = pair_new(5);
    Host *host = self->host;
    GuestWriter writer;
    uint64_t address;
    const uint32_t *pixels = (const uint32_t *)(const void *)top_row(self, 0);

    host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, 0x123456);
    host_fill(host, 0, (SpiceRect){0, 32, SIDE, SIDE}, 0x654321);
    writer = host_begin(host);
    address = guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_OPAQUE, &message);
    guest_want_self_bitmap(&writer, address, &(SpiceRect){8, 24, 24, 40});
    host_push(host, QXL_CMD_DRAW, address, 1, 0);
    host_update(host, 0, SIDE, SIDE);
    TAP_OK((pixels[8 * SIDE + 8] & 0xffffff) == (0x123456 ^ 0x00ff00) &&
               (pixels[23 * SIDE + 16] & 0xffffff) == (0x654321 ^ 0x00ff00) &&
               (pixels[24 * SIDE + 8] & 0xffffff) == 0x123456,
           "a draw is given the old pixels of the area that it asks for");
    for (unsigned i = 0; i < 6; i++) {
        static const SpiceRect areas[] = {
            {-1, 0, 4, 4}, {0, 0, SIDE + 1, 4},          {4, 4, 4, 8},
            {9, 4, 3, 8},  {0, INT32_MIN, 4, INT32_MAX}, {INT32_MAX, 0, INT32_MIN, 4}};

        writer = host_begin(host);
        address = guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_OPAQUE, &message);
        guest_want_self_bitmap(&writer, address, &areas[i]);
        host_push(host, QXL_CMD_DRAW, address, 1, 0);
    }
    host_update(host, 0, SIDE, SIDE);
    TAP_OK((pixels[8 * SIDE + 8] & 0xffffff) == (0x123456 ^ 0x00ff00) && host_is_well(host),
           "areas that are none, or not on the surface, are refused");
    pair_free(self);
}

/* Old drivers with 16 bits a pixel */

static void test_compat_16bpp(void)
{
    const SpiceMsgDisplayDrawFill message = {
        .base = {.box = {0, 0, SIDE, SIDE}},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = 31 << 10 | 16 << 5 | 1},
        .rop = SPICE_ROPD_OP_PUT,
    };
    Pair *self = pair_new(6);
    Host *host = self->host;
    GuestWriter writer = host_begin(host);
    const uint32_t *pixels = (const uint32_t *)(const void *)top_row(self, 0);

    host_push(host, QXL_CMD_DRAW,
              guest_write_compat_draw(&writer, SPICE_MSG_DISPLAY_DRAW_FILL, &message), 1,
              QXL_COMMAND_FLAG_COMPAT | QXL_COMMAND_FLAG_COMPAT_16BPP);
    host_update(host, 0, SIDE, SIDE);
    TAP_OK((pixels[0] & 0xffffff) == 0xff8408, "colours of 15 bits are widened (%06x)",
           pixels[0] & 0xffffff);
    pair_free(self);
}

int main(int argc, char **argv)
{
    const unsigned n = tap_long(argc, argv) ? 20000 : 2000;

    for (uint64_t seed = 1; seed <= 3; seed++)
        test_random_draws(seed * 0x9e3779b97f4a7c15u, n);
    test_self_bitmap();
    test_compat_16bpp();
    return tap_done();
}
