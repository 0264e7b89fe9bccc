/* What a guest says beside drawing: surfaces, cursors, monitors, areas to be brought up to date.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/cursor.h"
#include "core/wire/display.h"

#include "guest-reader.h"

/** A surface's memory, checked. */
typedef struct {
    uint32_t width, height, format;
    uint8_t *top;     /* the first row */
    ptrdiff_t stride; /* to the row below */
} SpiceGuestSurface;

/** Checks a surface of `stride` (negative: the first row is the last in memory) at an address.
 * False after an error. */
bool spice_guest_locate_surface(SpiceGuestReader *self, uint32_t width, uint32_t height,
                                uint32_t format, int32_t stride, uint64_t address,
                                SpiceGuestSurface *surface);

/** A QXLSurfaceCmd. */
typedef struct {
    uint32_t surface_id;
    bool create; /* else destroy */
    bool keep;   /* create: show what is in the memory */
    SpiceGuestSurface surface;
} SpiceGuestSurfaceCommand;

bool spice_guest_read_surface(SpiceGuestReader *self, uint64_t address,
                              SpiceGuestSurfaceCommand *command);

typedef enum {
    SPICE_GUEST_CURSOR_SET,
    SPICE_GUEST_CURSOR_MOVE,
    SPICE_GUEST_CURSOR_HIDE,
    SPICE_GUEST_CURSOR_TRAIL,
} SpiceGuestCursorType;

/** A QXLCursorCmd. */
typedef struct {
    SpiceGuestCursorType type;
    SpicePoint16 position; /* SET, MOVE */
    bool visible;          /* SET */
    SpiceCursor shape;     /* SET; NONE: no shape. Its data are in the arena */
} SpiceGuestCursorCommand;

bool spice_guest_read_cursor(SpiceGuestReader *self, uint64_t address,
                             SpiceGuestCursorCommand *command);

/** A QXLMonitorsConfig; at most `max_heads` are kept. */
bool spice_guest_read_monitors(SpiceGuestReader *self, uint64_t address, uint16_t max_heads,
                               SpiceMsgDisplayMonitorsConfig *monitors);

/** A QXLUpdateCmd. */
typedef struct {
    SpiceRect area;
    uint32_t update_id, surface_id;
} SpiceGuestUpdate;

bool spice_guest_read_update(SpiceGuestReader *self, uint64_t address, SpiceGuestUpdate *update);
