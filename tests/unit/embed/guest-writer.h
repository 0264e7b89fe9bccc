/* What a QXL guest's driver does: draws, surfaces and cursors as commands in the guest's memory.
 * Needs nothing but C.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/cursor.h"
#include "core/wire/display.h"

enum { GUEST_MAX_FIELDS = 512 };

/** An integer that was written, for those who want to change it. */
typedef struct {
    uint32_t at;
    uint8_t size;
} GuestField;

/** Writes into `memory` from `used` on. */
typedef struct {
    uint8_t *memory;
    size_t size, used;
    uint64_t address; /* that the guest has for memory[0] */
    size_t chunk;     /* bytes of data in a chunk; 0: all in one */
    bool direct;      /* bitmaps without chunks */
    bool unstable;    /* bitmaps that say that they may change */
    bool full;        /* there was not enough room: what was written is of no use */
    GuestField fields[GUEST_MAX_FIELDS];
    unsigned n_fields;
} GuestWriter;

/** Zeroed bytes, aligned to eight; their offset. */
size_t guest_take(GuestWriter *self, size_t size);
uint64_t guest_address(const GuestWriter *self, size_t at);
void guest_put(GuestWriter *self, size_t at, uint64_t value, unsigned size);

/* All of these return the address of the command. */

/** A drawing message as a QXLDrawable. */
uint64_t guest_write_draw(GuestWriter *self, uint16_t type, const void *message);
/** The same as drivers of the first QXL device wrote it. */
uint64_t guest_write_compat_draw(GuestWriter *self, uint16_t type, const void *message);
/** Makes the drawable at `address` ask for the old pixels of `area`, as the images 0 of it. */
void guest_want_self_bitmap(GuestWriter *self, uint64_t address, const SpiceRect *area);

typedef struct {
    uint32_t id, format, width, height;
    int32_t stride;
    uint64_t data;
    bool keep;
} GuestSurface;

uint64_t guest_write_surface_create(GuestWriter *self, const GuestSurface *surface);
uint64_t guest_write_surface_destroy(GuestWriter *self, uint32_t id);
uint64_t guest_write_update(GuestWriter *self, uint32_t surface, const SpiceRect *area,
                            uint32_t update_id);
uint64_t guest_write_message(GuestWriter *self, const char *text);
uint64_t guest_write_cursor_set(GuestWriter *self, const SpiceCursor *shape, int16_t x, int16_t y);
uint64_t guest_write_cursor_move(GuestWriter *self, int16_t x, int16_t y);
uint64_t guest_write_cursor_hide(GuestWriter *self);
uint64_t guest_write_monitors(GuestWriter *self, const SpiceMsgDisplayMonitorsConfig *monitors);
