/* Guests that want no good: commands of every kind with any of their integers changed, addresses
 * into other slots, before and behind memory, lists that bite their tails, memory that changes
 * while it is read. Nothing breaks, each command comes back once, and a good draw still works.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../display/publish-draws.h"
#include "../tap.h"
#include "random.h"
#include "test-host.h"

#if defined(__SANITIZE_ADDRESS__)
/* not every compiler has the header of it */
extern size_t __sanitizer_get_current_allocated_bytes(void);
#endif

enum { SIDE = 64, SURFACE_BYTES = 1 << 15, SMALL_SLOT = 3, SMALL_SLOT_BYTES = 256 };

typedef struct {
    Host *host;
    Random random;
    atomic_bool ends;
    unsigned loops;
} Attack;

static uint32_t below(Attack *self, uint32_t n)
{
    return random_below(&self->random, n);
}

static size_t allocated(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

/* Lawful commands */

typedef struct {
    uint64_t address;
    uint32_t type, flags;
    bool is_cursor;
} Command;

static Command make_draw(Attack *self, GuestWriter *writer)
{
    const Choices choices = {random_below, &self->random};
    const bool compat = below(self, 5) == 0;
    Command command = {.type = QXL_CMD_DRAW};
    RandomDraw draw;

    random_draw_make(&draw, &choices, below(self, 6), SIDE, SIDE, true);
    if (compat) {
        command.flags =
            QXL_COMMAND_FLAG_COMPAT | (below(self, 2) ? QXL_COMMAND_FLAG_COMPAT_16BPP : 0);
        command.address = guest_write_compat_draw(writer, draw.type, &draw.message);
    } else {
        command.address = guest_write_draw(writer, draw.type, &draw.message);
    }
    for (unsigned i = 0; i < draw.n_blocks; i++)
        free(draw.blocks[i]);
    if (!compat && below(self, 8) == 0)
        guest_want_self_bitmap(writer, command.address, &(SpiceRect){0, 0, 20, 20});
    return command;
}

static Command make_surface(Attack *self, GuestWriter *writer)
{
    static const uint32_t formats[] = {SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FMT_32_ARGB,
                                       SPICE_SURFACE_FMT_16_555,  SPICE_SURFACE_FMT_16_565,
                                       SPICE_SURFACE_FMT_8_A,     SPICE_SURFACE_FMT_1_A};
    const uint32_t id = 1 + below(self, 5);
    const GuestSurface surface = {id,
                                  formats[below(self, 6)],
                                  SIDE,
                                  SIDE,
                                  below(self, 2) ? 4 * SIDE : -4 * SIDE,
                                  host_surface_address(id * SURFACE_BYTES),
                                  below(self, 2)};
    Command command = {.type = QXL_CMD_SURFACE};

    command.address = below(self, 2) ? guest_write_surface_create(writer, &surface)
                                     : guest_write_surface_destroy(writer, id);
    return command;
}

static Command make_cursor(Attack *self, GuestWriter *writer)
{
    static uint8_t shape[4 * 32 * 32 + 1024];
    Command command = {.type = QXL_CMD_CURSOR, .is_cursor = true};
    const uint8_t type = (uint8_t)below(self, 7);
    const SpiceCursor cursor = {.unique = below(self, 4),
                                .type = type,
                                .width = 32,
                                .height = 32,
                                .data = {shape, (size_t)spice_cursor_data_size(type, 32, 32)}};

    if (below(self, 2))
        command.address = guest_write_cursor_set(writer, &cursor, 3, 4);
    else if (below(self, 2))
        command.address = guest_write_cursor_move(writer, 7, 8);
    else
        command.address = guest_write_cursor_hide(writer);
    return command;
}

static Command make_command(Attack *self, GuestWriter *writer)
{
    Command command = {.type = QXL_CMD_MESSAGE};

    writer->chunk = below(self, 2) ? 24 + below(self, 400) : 0;
    writer->direct = below(self, 3) == 0;
    writer->unstable = below(self, 4) == 0;
    switch (below(self, 12)) {
    case 0:
        return make_surface(self, writer);
    case 1:
        return make_cursor(self, writer);
    case 2:
        command.type = QXL_CMD_UPDATE;
        command.address =
            guest_write_update(writer, below(self, 6), &(SpiceRect){0, 0, SIDE, SIDE}, 7);
        return command;
    case 3:
        command.address = guest_write_message(writer, "a guest's complaint");
        return command;
    default:
        return make_draw(self, writer);
    }
}

/* What is changed in them */

/** Addresses of every kind that is wrong, or nearly. */
static uint64_t bad_address(Attack *self, const GuestWriter *writer, uint64_t before)
{
    const uint64_t end = host_surface_address(HOST_SURFACES);

    switch (below(self, 12)) {
    case 0:
        return 0;
    case 1:
        return before ^ (uint64_t)(1 + below(self, 255)) << 56; /* another slot */
    case 2:
        return before ^ (uint64_t)(1 + below(self, 255)) << 48; /* another generation */
    case 3:
        return end - below(self, 64);
    case 4:
        return end + below(self, 64);
    case 5:
        return before + below(self, 64) - 32; /* nearby, odd */
    case 6:
        return writer->address + below(self, (uint32_t)writer->used); /* something else of it */
    case 7:
        return ((uint64_t)SMALL_SLOT << 56) + below(self, SMALL_SLOT_BYTES + 8);
    case 8:
        return UINT64_MAX - below(self, 64);
    case 9:
        return HOST_ADDRESS | 0xffffffffffff;
    case 10:
        return HOST_ADDRESS + below(self, HOST_CELLS) * (uint64_t)HOST_CELL; /* another command */
    default:
        return host_surface_address(below(self, HOST_SURFACES));
    }
}

static uint64_t bad_value(Attack *self, uint64_t before)
{
    static const uint32_t ends[] = {0,          1,          2,          0x7f,       0x80,
                                    0xff,       0x100,      0x7fff,     0x8000,     0xffff,
                                    0x10000,    0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000,
                                    0x80000001, 0xfffffffe, 0xffffffff};

    switch (below(self, 4)) {
    case 0:
        return before + 1;
    case 1:
        return before - 1;
    case 2:
        return before ^ UINT64_C(1) << below(self, 32);
    default:
        return ends[below(self, sizeof ends / sizeof ends[0])];
    }
}

static void spoil(Attack *self, GuestWriter *writer)
{
    const GuestField field = writer->fields[below(self, writer->n_fields)];
    uint64_t before = 0;

    for (unsigned i = 0; i < field.size; i++)
        before |= (uint64_t)writer->memory[field.at + i] << (8 * i);
    if (field.size == 8 && before == 0 && below(self, 20) != 0)
        return; /* mostly the ends of lists: a few of them only are made to go on */
    guest_put(writer, field.at,
              field.size == 8 ? bad_address(self, writer, before) : bad_value(self, before),
              field.size);
}

/** A draw whose clip is a list of empty chunks without an end. */
static Command make_loop(Attack *self, GuestWriter *writer)
{
    SpiceRect rect = {0, 0, 9, 9};
    const SpiceMsgDisplayDrawFill message = {
        .base = {.box = {0, 0, SIDE, SIDE}, .clip = {SPICE_CLIP_TYPE_RECTS, 1, &rect}},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID},
        .rop = SPICE_ROPD_OP_PUT,
    };
    Command command = {.type = QXL_CMD_DRAW};
    uint64_t chunk;

    command.address = guest_write_draw(writer, SPICE_MSG_DISPLAY_DRAW_FILL, &message);
    chunk = writer->address + 192 + 4; /* behind the drawable and the number of rectangles */
    guest_put(writer, (size_t)(chunk - writer->address), 0, 4);
    guest_put(writer, (size_t)(chunk - writer->address) + 12, chunk, 8);
    self->loops++;
    return command;
}

static void push_one(Attack *self)
{
    Host *host = self->host;
    GuestWriter writer = host_begin(host);
    Command command;
    uint32_t group = 1;

    command = below(self, 2000) == 0 ? make_loop(self, &writer) : make_command(self, &writer);
    if (writer.full) {
        host_cancel(host, &writer);
        return;
    }
    for (uint32_t n = below(self, 4); n > 0; n--)
        spoil(self, &writer);
    if (below(self, 50) == 0)
        command.type = below(self, 8);
    if (below(self, 50) == 0)
        command.flags = below(self, 4);
    if (below(self, 50) == 0)
        group = 1 + below(self, 20) * 0x11111111u;
    if (below(self, 50) == 0)
        command.address = bad_address(self, &writer, command.address);
    if (command.is_cursor && command.type == QXL_CMD_CURSOR && group == 1)
        host_push_cursor(host, command.address);
    else
        host_push(host, command.type, command.address, group, command.flags);
}

/* Calls in between, with ids and addresses that are none */

static void call(Attack *self)
{
    QXLInstance *qxl = &self->host->qxl;
    static const uint32_t ids[] = {0, 0, 1, 2, 5, 6, 1023, 1024, 0x80000000, UINT32_MAX};
    const uint32_t id = ids[below(self, sizeof ids / sizeof ids[0])];
    const uint64_t cookie = 1 + (uint64_t)host_count_cookies(self->host);
    const GuestWriter writer = {
        .memory = self->host->memory, .used = 1000, .address = HOST_ADDRESS};
    QXLRect area = {(int32_t)bad_value(self, 0), (int32_t)bad_value(self, 0),
                    (int32_t)bad_value(self, SIDE), (int32_t)bad_value(self, SIDE)};
    QXLRect dirty[3];
    QXLDevSurfaceCreate surface = {.width = (uint32_t)bad_value(self, SIDE),
                                   .height = (uint32_t)bad_value(self, SIDE),
                                   .stride = (int32_t)bad_value(self, 4 * SIDE),
                                   .format = SPICE_SURFACE_FMT_32_xRGB,
                                   .mem = bad_address(self, &writer, host_surface_address(0)),
                                   .group_id = 1};

    switch (below(self, 8)) {
    case 0:
        spice_qxl_update_area(qxl, id, &area, dirty, 3, below(self, 2));
        break;
    case 1:
        spice_qxl_update_area_async(qxl, id, &area, below(self, 2), cookie);
        break;
    case 2:
        spice_qxl_create_primary_surface(qxl, id, &surface);
        break;
    case 3:
        spice_qxl_monitors_config_async(
            qxl, bad_address(self, &writer, HOST_ADDRESS + below(self, HOST_CELLS * HOST_CELL)), 1,
            cookie);
        break;
    case 4:
        spice_qxl_destroy_surface_wait(qxl, id);
        break;
    case 5:
        spice_qxl_del_memslot(qxl, 0, below(self, 2) ? 0 : 200);
        break;
    case 6:
        if (below(self, 4) == 0)
            spice_qxl_destroy_primary_surface(qxl, id);
        break;
    default:
        spice_qxl_oom(qxl);
        break;
    }
}

/** Brings the device back to where a good guest can begin. */
static void settle(Attack *self)
{
    Host *host = self->host;

    spice_qxl_destroy_surfaces(&host->qxl);
    host_lock(host);
    memset(host->cell_used, 0, sizeof host->cell_used);
    host_unlock(host);
}

static bool good_draw_works(Attack *self)
{
    Host *host = self->host;
    const uint32_t *pixels = (const uint32_t *)(const void *)host_surface_memory(host, 0);
    const uint32_t color = 0x10000 + below(self, 0xfff);

    host_create_primary(host, SIDE, SIDE);
    host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, color);
    host_update(host, 0, SIDE, SIDE);
    return (pixels[0] & 0xffffff) == color && (pixels[SIDE * SIDE - 1] & 0xffffff) == color;
}

static gpointer flip_bytes(gpointer data)
{
    Attack *self = data;
    Random random = {99};

    while (!atomic_load(&self->ends)) {
        const uint32_t cell = random_below(&random, HOST_CELLS);
        volatile uint8_t *at =
            self->host->memory + (size_t)cell * HOST_CELL + random_below(&random, 1024);

        *at = (uint8_t)random_below(&random, 256);
    }
    return NULL;
}

static void test_attack(uint64_t seed, unsigned n, bool changing)
{
    Attack self = {.host = host_new(), .random = {seed}};
    const unsigned rounds = 20;
    bool all_back = true, works = true;
    GThread *thread = NULL;
    size_t in_the_middle = 0, at_the_end;

    host_add_slot(self.host, SMALL_SLOT, 0, host_surface_memory(self.host, HOST_SURFACES / 2),
                  SMALL_SLOT_BYTES);
    for (unsigned i = 0; i < rounds; i++) {
        if (changing) {
            atomic_store(&self.ends, false);
            thread = g_thread_new("flip", flip_bytes, &self);
        }
        host_create_primary(self.host, SIDE, SIDE);
        for (unsigned k = 0; k < n / rounds; k++) {
            push_one(&self);
            if (below(&self, 40) == 0)
                call(&self);
        }
        if (changing) {
            host_update(self.host, 0, SIDE, SIDE);
            atomic_store(&self.ends, true);
            g_thread_join(thread);
        }
        settle(&self);
        if (host_held(self.host) != 0) {
            all_back = false;
            printf("# %u commands are still held\n", host_held(self.host));
        }
        works &= good_draw_works(&self);
        settle(&self);
        host_run(self.host, 0);
        if (i == rounds / 2)
            in_the_middle = allocated();
    }
    at_the_end = allocated();
    TAP_OK(self.host->popped >= n / 2 && host_is_well(self.host),
           "%u commands were taken%s, none came back that was not due", self.host->popped,
           changing ? " from memory that changes" : "");
    TAP_OK(all_back, "all that had a header came back, %u", self.host->released);
    TAP_OK(works, "a good draw worked after each round");
    TAP_OK(at_the_end < in_the_middle + (256 << 10), "memory: %zu KiB, then %zu KiB",
           in_the_middle >> 10, at_the_end >> 10);
    TAP_NOTE("%u lists without an end", self.loops);
    host_free(self.host);
}

int main(int argc, char **argv)
{
    const unsigned n = tap_long(argc, argv) ? 500000 : 50000;

    test_attack(0x9e3779b97f4a7c15u, n, false);
    test_attack(0xc2b2ae3d27d4eb4fu, n, true);
    return tap_done();
}
