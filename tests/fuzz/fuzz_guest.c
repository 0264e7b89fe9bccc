/* A QXL guest: its memory and the commands that it gives, read as the embedded server reads them,
 * and published on a display. Each draw that was made is given back once.
 *
 * The input: a number of commands, for each its kind, its flags and where it is (u16), then the
 * memory from address 0 of slot 1 on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/display/publisher.h"
#include "server/qxl/guest-draw.h"
#include "server/qxl/guest-objects.h"

enum { MEMORY = 1 << 16, MAX_COMMANDS = 12, COMMAND = 4, SIDE = 64, GROUP = 1, SLOT = 1 };

typedef enum { DRAW, SURFACE, CURSOR, MONITORS, UPDATE, N_KINDS } Kind;

typedef struct {
    SpiceDisplay *display;
    SpiceGuestMemory memory;
    SpiceArena arena;
    unsigned created, released;
} Guest;

/** What a draw keeps until it is given back. */
typedef struct {
    Guest *guest;
    void *blocks[SPICE_GUEST_MAX_BLOCKS];
    unsigned n_blocks;
} Hold;

static void hold_done(void *context)
{
    Hold *hold = context;

    hold->guest->released++;
    while (hold->n_blocks > 0)
        free(hold->blocks[--hold->n_blocks]);
    free(hold);
}

static void draw(Guest *self, SpiceGuestReader *reader, uint64_t address, bool compat)
{
    Hold *hold = calloc(1, sizeof *hold);
    SpiceDrawableSource source = {.release = hold_done, .context = hold};
    SpiceDrawable *drawable = NULL;
    SpiceGuestDrawable head;

    hold->guest = self;
    if (spice_guest_drawable_read(reader, address, compat, &head)) {
        source.message = spice_guest_drawable_unfold(reader, &head, NULL, &source.type);
        if (source.message)
            drawable = spice_drawable_create(&spice_allocator_libc, &source, &reader->error);
    }
    memcpy(hold->blocks, reader->blocks, sizeof hold->blocks);
    hold->n_blocks = reader->n_blocks;
    self->created++;
    if (!drawable) {
        hold_done(hold);
        return;
    }
    spice_display_publish(self->display, drawable, &reader->error);
    spice_drawable_unref(drawable);
}

static void surface(Guest *self, SpiceGuestReader *reader, uint64_t address)
{
    SpiceGuestSurfaceCommand wish;
    SpiceSurfaceSource source;

    if (!spice_guest_read_surface(reader, address, &wish) || wish.surface_id == 0)
        return;
    if (!wish.create) {
        spice_display_destroy_surface(self->display, wish.surface_id, NULL);
        return;
    }
    source = (SpiceSurfaceSource){.surface_id = wish.surface_id,
                                  .width = wish.surface.width,
                                  .height = wish.surface.height,
                                  .format = wish.surface.format,
                                  .data = wish.surface.top,
                                  .stride = wish.surface.stride,
                                  .keep = wish.keep};
    spice_display_create_surface(self->display, &source, &reader->error);
}

static void take(Guest *self, const uint8_t *command)
{
    const uint64_t address =
        (uint64_t)SLOT << 56 | (uint64_t)command[2] << 8 | command[3]; /* of generation 0 */
    const uint8_t flags = command[1];
    SpiceGuestReader reader = {
        .memory = &self->memory, .group = GROUP, .arena = &self->arena, .compat_16bpp = flags & 2};
    SpiceMsgDisplayMonitorsConfig monitors = {0};
    SpiceGuestCursorCommand cursor;
    SpiceGuestUpdate update;

    spice_arena_reset(&self->arena);
    switch ((Kind)(command[0] % N_KINDS)) {
    case DRAW:
        draw(self, &reader, address, flags & 1);
        return; /* the blocks are the draw's */
    case SURFACE:
        surface(self, &reader, address);
        break;
    case CURSOR:
        if (spice_guest_read_cursor(&reader, address, &cursor) && cursor.shape.data.size > 0 &&
            cursor.shape.data.size != spice_cursor_data_size(cursor.shape.type, cursor.shape.width,
                                                             cursor.shape.height)) {
            fprintf(stderr, "a cursor's data are not those of its size\n");
            abort();
        }
        break;
    case MONITORS:
        if (spice_guest_read_monitors(&reader, address, 16, &monitors))
            spice_display_set_monitors(self->display, &monitors, &reader.error);
        break;
    case UPDATE:
        if (spice_guest_read_update(&reader, address, &update))
            spice_display_update_area(self->display, update.surface_id, &update.area, NULL);
        break;
    default:
        break;
    }
    spice_guest_reader_drop(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* little is kept, so that what bounds it is met */
    const SpiceDisplayConfig config = {
        .allocator = &spice_allocator_libc,
        .limits = {.surface_bytes = 4 << 20, .pending_draws = 6, .held_draws = 4}};
    const SpiceSurfaceSource primary = {
        .width = SIDE, .height = SIDE, .format = SPICE_SURFACE_FMT_32_xRGB};
    const size_t n = size > 0 ? data[0] % (MAX_COMMANDS + 1) : 0;
    Guest guest = {.created = 0};
    uint8_t *memory;
    SpiceGuestSlot slot;

    if (size < 1 + n * COMMAND || size - 1 - n * COMMAND > MEMORY)
        return 0;
    memory = aligned_alloc(8, MEMORY);
    memset(memory, 0, MEMORY);
    memcpy(memory, data + 1 + n * COMMAND, size - 1 - n * COMMAND);
    slot = (SpiceGuestSlot){
        .start = (uintptr_t)memory, .end = (uintptr_t)memory + MEMORY, .delta = (uintptr_t)memory};
    guest.display = spice_display_create(&config);
    spice_guest_memory_init(&guest.memory, 2, 8, 8, 8);
    spice_guest_memory_add_slot(&guest.memory, GROUP, SLOT, &slot);
    spice_arena_init(&guest.arena, &spice_allocator_libc, 32 << 20);
    spice_display_create_surface(guest.display, &primary, NULL);
    for (size_t i = 0; i < n; i++)
        take(&guest, data + 1 + i * COMMAND);
    spice_display_update_all(guest.display);
    spice_display_release_all(guest.display);
    spice_display_destroy(guest.display);
    if (guest.created != guest.released) {
        fprintf(stderr, "%u draws were made, %u given back\n", guest.created, guest.released);
        abort();
    }
    spice_arena_clear(&guest.arena);
    free(memory);
    return 0;
}
