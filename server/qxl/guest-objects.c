/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-objects.h"

#include "core/wire/endian.h"

/* Surfaces */

/** Bits a pixel; 0 for an unknown format. */
static unsigned surface_bits(uint32_t format)
{
    switch (format) {
    case SPICE_SURFACE_FMT_1_A:
        return 1;
    case SPICE_SURFACE_FMT_8_A:
        return 8;
    case SPICE_SURFACE_FMT_16_555:
    case SPICE_SURFACE_FMT_16_565:
        return 16;
    case SPICE_SURFACE_FMT_32_xRGB:
    case SPICE_SURFACE_FMT_32_ARGB:
        return 32;
    default:
        return 0;
    }
}

bool spice_guest_locate_surface(SpiceGuestReader *self, uint32_t width, uint32_t height,
                                uint32_t format, int32_t stride, uint64_t address,
                                SpiceGuestSurface *surface)
{
    const unsigned bits = surface_bits(format);
    const uint64_t row = stride < 0 ? (uint64_t) - (int64_t)stride : (uint64_t)stride;
    uint8_t *at;

    if (bits == 0 || width == 0 || height == 0 || row % 4 != 0 ||
        row < ((uint64_t)width * bits + 7) / 8 || row > INT32_MAX || height > INT32_MAX / row)
        return spice_guest_fail(self, SPICE_ERROR_VALUE, "surface");
    at = spice_guest_memory_translate(self->memory, self->group, address, row * height);
    if (!at || (uintptr_t)at % 4 != 0)
        return spice_guest_fail(self, SPICE_ERROR_OFFSET, "surface.data");
    *surface = (SpiceGuestSurface){
        .width = width,
        .height = height,
        .format = format,
        .top = stride < 0 ? at + row * (height - 1) : at,
        .stride = (ptrdiff_t)stride,
    };
    return true;
}

/** release_info 8, surface_id u32, type u8, flags u32, then {format, width, height u32, stride i32,
 * data u64}. */
bool spice_guest_read_surface(SpiceGuestReader *self, uint64_t address,
                              SpiceGuestSurfaceCommand *command)
{
    enum { SIZE = 41, KEEP_DATA = 1, CREATE = 0, DESTROY = 1 };
    uint8_t bytes[SIZE];

    if (!spice_guest_read(self, address, bytes, sizeof bytes, "surface"))
        return false;
    *command = (SpiceGuestSurfaceCommand){
        .surface_id = spice_get_u32(bytes + 8),
        .create = bytes[12] == CREATE,
        .keep = spice_get_u32(bytes + 13) & KEEP_DATA,
    };
    if (bytes[12] != CREATE && bytes[12] != DESTROY)
        return spice_guest_fail(self, SPICE_ERROR_VALUE, "surface.type");
    return !command->create ||
           spice_guest_locate_surface(self, spice_get_u32(bytes + 21), spice_get_u32(bytes + 25),
                                      spice_get_u32(bytes + 17), (int32_t)spice_get_u32(bytes + 29),
                                      spice_get_u64(bytes + 33), &command->surface);
}

/* Cursors */

/** header {unique u64, type, width, height, hot_spot_x, hot_spot_y u16}, data_size u32, a chunk */
static void read_shape(SpiceGuestReader *self, uint64_t address, SpiceCursor *shape)
{
    enum { HEAD = 22, MAX_SIDE = 512 };
    uint8_t bytes[HEAD];
    uint64_t size;

    shape->flags = SPICE_CURSOR_FLAGS_NONE;
    if (address == 0 || !spice_guest_read(self, address, bytes, sizeof bytes, "cursor"))
        return;
    shape->flags = 0;
    shape->unique = spice_get_u64(bytes);
    shape->type = (uint8_t)spice_get_u16(bytes + 8);
    shape->width = spice_get_u16(bytes + 10);
    shape->height = spice_get_u16(bytes + 12);
    shape->hot_spot_x = spice_get_u16(bytes + 14);
    shape->hot_spot_y = spice_get_u16(bytes + 16);
    if (shape->hot_spot_x > shape->width)
        shape->hot_spot_x = shape->width;
    if (shape->hot_spot_y > shape->height)
        shape->hot_spot_y = shape->height;
    size = spice_cursor_data_size(shape->type, shape->width, shape->height);
    if (spice_get_u16(bytes + 8) > SPICE_CURSOR_TYPE_COLOR32 || size == 0 ||
        shape->width > MAX_SIDE || shape->height > MAX_SIDE)
        spice_guest_fail(self, SPICE_ERROR_VALUE, "cursor.header");
    else if (spice_get_u32(bytes + 18) < size)
        spice_guest_fail(self, SPICE_ERROR_TRUNCATED, "cursor.data");
    shape->data =
        spice_guest_read_chunks(self, address + HEAD, spice_get_u32(bytes + 18), "cursor.chunk");
    if (shape->data.size > size)
        shape->data.size = (size_t)size;
}

static SpicePoint16 get_point16(const uint8_t *bytes)
{
    return (SpicePoint16){(int16_t)spice_get_u16(bytes), (int16_t)spice_get_u16(bytes + 2)};
}

/** release_info 8, type u8, then SET {position, visible u8, shape u64} or MOVE {position}. */
bool spice_guest_read_cursor(SpiceGuestReader *self, uint64_t address,
                             SpiceGuestCursorCommand *command)
{
    enum { SIZE = 22, SET = 0, TRAIL = 3 };
    uint8_t bytes[SIZE];

    *command = (SpiceGuestCursorCommand){.shape = {.flags = SPICE_CURSOR_FLAGS_NONE}};
    if (!spice_guest_read(self, address, bytes, sizeof bytes, "cursor"))
        return false;
    if (bytes[8] > TRAIL)
        return spice_guest_fail(self, SPICE_ERROR_VALUE, "cursor.type");
    command->type = (SpiceGuestCursorType)bytes[8];
    command->position = get_point16(bytes + 9);
    if (command->type == SPICE_GUEST_CURSOR_SET) {
        command->visible = bytes[13] != 0;
        read_shape(self, spice_get_u64(bytes + 14), &command->shape);
    }
    return self->error.code == SPICE_OK;
}

/* Monitors, updates */

/** count u16, max_allowed u16, heads of seven u32: id, surface_id, width, height, x, y, flags. */
bool spice_guest_read_monitors(SpiceGuestReader *self, uint64_t address, uint16_t max_heads,
                               SpiceMsgDisplayMonitorsConfig *monitors)
{
    enum { HEADER = 4, HEAD = 28 };
    uint8_t header[HEADER], head[HEAD];
    uint16_t i, count, allowed;

    if (!spice_guest_read(self, address, header, sizeof header, "monitors"))
        return false;
    count = spice_get_u16(header);
    allowed = spice_get_u16(header + 2);
    if (count == 0 || count > allowed)
        return spice_guest_fail(self, SPICE_ERROR_VALUE, "monitors.count");
    monitors->n_heads = count < max_heads ? count : max_heads;
    monitors->max_allowed = allowed < max_heads ? allowed : max_heads;
    monitors->heads = spice_guest_take(self, monitors->n_heads, sizeof(SpiceHead), "monitors");
    for (i = 0; i < monitors->n_heads; i++) {
        if (!spice_guest_read(self, address + HEADER + (uint64_t)i * HEAD, head, sizeof head,
                              "monitors.heads") ||
            !monitors->heads)
            return false;
        monitors->heads[i] = (SpiceHead){
            .monitor_id = spice_get_u32(head),
            .surface_id = spice_get_u32(head + 4),
            .width = spice_get_u32(head + 8),
            .height = spice_get_u32(head + 12),
            .x = spice_get_u32(head + 16),
            .y = spice_get_u32(head + 20),
            .flags = spice_get_u32(head + 24),
        };
    }
    return self->error.code == SPICE_OK;
}

/** release_info 8, area 16, update_id u32, surface_id u32. */
bool spice_guest_read_update(SpiceGuestReader *self, uint64_t address, SpiceGuestUpdate *update)
{
    enum { SIZE = 32 };
    uint8_t bytes[SIZE];

    if (!spice_guest_read(self, address, bytes, sizeof bytes, "update"))
        return false;
    update->area =
        (SpiceRect){(int32_t)spice_get_u32(bytes + 8), (int32_t)spice_get_u32(bytes + 12),
                    (int32_t)spice_get_u32(bytes + 16), (int32_t)spice_get_u32(bytes + 20)};
    update->update_id = spice_get_u32(bytes + 24);
    update->surface_id = spice_get_u32(bytes + 28);
    return true;
}
