/* The cursor channel: shape and place of the pointer. Its client sends common messages only.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "draw.h"

enum {
    SPICE_MSG_CURSOR_INIT = 101,
    SPICE_MSG_CURSOR_RESET = 102,
    SPICE_MSG_CURSOR_SET = 103,
    SPICE_MSG_CURSOR_MOVE = 104,
    SPICE_MSG_CURSOR_HIDE = 105,
    SPICE_MSG_CURSOR_TRAIL = 106,
    SPICE_MSG_CURSOR_INVAL_ONE = 107,
    SPICE_MSG_CURSOR_INVAL_ALL = 108,
};

enum {
    SPICE_CURSOR_FLAGS_NONE = 1 << 0, /* there is no shape, nor a header */
    SPICE_CURSOR_FLAGS_CACHE_ME = 1 << 1,
    SPICE_CURSOR_FLAGS_FROM_CACHE = 1 << 2, /* take header and shape from the cache, by `unique` */
};

typedef enum {
    SPICE_CURSOR_TYPE_ALPHA = 0,
    SPICE_CURSOR_TYPE_MONO = 1,
    SPICE_CURSOR_TYPE_COLOR4 = 2,
    SPICE_CURSOR_TYPE_COLOR8 = 3,
    SPICE_CURSOR_TYPE_COLOR16 = 4,
    SPICE_CURSOR_TYPE_COLOR24 = 5,
    SPICE_CURSOR_TYPE_COLOR32 = 6,
} SpiceCursorType;

typedef struct {
    uint16_t flags;  /* SPICE_CURSOR_FLAGS_*; with NONE all else is zero */
    uint64_t unique; /* 0: not to be cached */
    uint8_t type;    /* SpiceCursorType */
    uint16_t width, height;
    uint16_t hot_spot_x, hot_spot_y;
    SpiceBytes data; /* at least spice_cursor_data_size() bytes, unless NONE or FROM_CACHE: to be
                        checked by whoever uses it */
} SpiceCursor;

/** Bytes that a shape takes: pixels, then palette, then mask, rows padded to whole bytes. 0 for an
 * unknown type. */
uint64_t spice_cursor_data_size(uint8_t type, uint16_t width, uint16_t height);

typedef struct {
    SpicePoint16 position;
    uint16_t trail_length, trail_frequency;
    uint8_t visible;
    SpiceCursor cursor;
} SpiceMsgCursorInit;

typedef struct {
    SpicePoint16 position;
    uint8_t visible;
    SpiceCursor cursor;
} SpiceMsgCursorSet;

typedef struct {
    SpicePoint16 position;
} SpiceMsgCursorMove;

typedef struct {
    uint16_t length, frequency;
} SpiceMsgCursorTrail;

typedef struct {
    uint64_t id;
} SpiceMsgCursorInvalOne;
