/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cursor.h"

#include "messages.h"

uint64_t spice_cursor_data_size(uint8_t type, uint16_t width, uint16_t height)
{
    uint64_t pixels = (uint64_t)width * height;
    uint64_t mask = ((uint64_t)width + 7) / 8 * height;

    switch (type) {
    case SPICE_CURSOR_TYPE_ALPHA:
        return pixels * 4;
    case SPICE_CURSOR_TYPE_MONO:
        return 2 * mask;
    case SPICE_CURSOR_TYPE_COLOR4:
        return ((uint64_t)width + 1) / 2 * height + 16 * 4 + mask;
    case SPICE_CURSOR_TYPE_COLOR8:
        return pixels + 256 * 4 + mask;
    case SPICE_CURSOR_TYPE_COLOR16:
        return pixels * 2 + mask;
    case SPICE_CURSOR_TYPE_COLOR24:
        return pixels * 3 + mask;
    case SPICE_CURSOR_TYPE_COLOR32:
        return pixels * 4 + mask;
    default:
        return 0;
    }
}

static void layout_cursor(SpiceWire *wire, SpiceCursor *cursor)
{
    spice_wire_u16(wire, &cursor->flags, "cursor.flags");
    if (cursor->flags & SPICE_CURSOR_FLAGS_NONE)
        return;
    spice_wire_u64(wire, &cursor->unique, "cursor.unique");
    spice_wire_u8(wire, &cursor->type, "cursor.type");
    spice_wire_u16(wire, &cursor->width, "cursor.width");
    spice_wire_u16(wire, &cursor->height, "cursor.height");
    spice_wire_u16(wire, &cursor->hot_spot_x, "cursor.hot_spot_x");
    spice_wire_u16(wire, &cursor->hot_spot_y, "cursor.hot_spot_y");
    spice_wire_rest(wire, &cursor->data, "cursor.data");
}

static void layout_init(SpiceWire *wire, void *value)
{
    SpiceMsgCursorInit *m = value;

    spice_layout_point16(wire, &m->position);
    spice_wire_u16(wire, &m->trail_length, "init.trail_length");
    spice_wire_u16(wire, &m->trail_frequency, "init.trail_frequency");
    spice_wire_u8(wire, &m->visible, "init.visible");
    layout_cursor(wire, &m->cursor);
}

static void layout_set(SpiceWire *wire, void *value)
{
    SpiceMsgCursorSet *m = value;

    spice_layout_point16(wire, &m->position);
    spice_wire_u8(wire, &m->visible, "set.visible");
    layout_cursor(wire, &m->cursor);
}

static void layout_move(SpiceWire *wire, void *value)
{
    SpiceMsgCursorMove *m = value;

    spice_layout_point16(wire, &m->position);
}

static void layout_trail(SpiceWire *wire, void *value)
{
    SpiceMsgCursorTrail *m = value;

    spice_wire_u16(wire, &m->length, "trail.length");
    spice_wire_u16(wire, &m->frequency, "trail.frequency");
}

static void layout_inval_one(SpiceWire *wire, void *value)
{
    SpiceMsgCursorInvalOne *m = value;

    spice_wire_u64(wire, &m->id, "inval_one.id");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_CURSOR_INIT, SpiceMsgCursorInit, layout_init),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_CURSOR_RESET),
    SPICE_MESSAGE(SPICE_MSG_CURSOR_SET, SpiceMsgCursorSet, layout_set),
    SPICE_MESSAGE(SPICE_MSG_CURSOR_MOVE, SpiceMsgCursorMove, layout_move),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_CURSOR_HIDE),
    SPICE_MESSAGE(SPICE_MSG_CURSOR_TRAIL, SpiceMsgCursorTrail, layout_trail),
    SPICE_MESSAGE(SPICE_MSG_CURSOR_INVAL_ONE, SpiceMsgCursorInvalOne, layout_inval_one),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_CURSOR_INVAL_ALL),
};

const SpiceMessageTable spice_cursor_messages = {{SPICE_MESSAGE_LIST(from_server), {NULL, 0}}};
