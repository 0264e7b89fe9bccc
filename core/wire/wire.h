/* One description of a message's layout, run in both directions.
 *
 * Every message of the protocol is a C struct and one function that walks its fields in wire
 * order. The same function reads and writes: spice_wire_u32(w, &m->surface_id, "surface_id")
 * fills the field from the body or puts it there, whichever way `w` runs. So reader and writer
 * cannot disagree, "when" lines of the protocol are plain C ifs, and the compiler checks the
 * width of each field. docs/wire.md tells which other ways were compared.
 *
 * Errors are sticky: after the first one every call does nothing (a read leaves the field as
 * it was, zero in a fresh struct), so layout functions read straight on and the caller looks
 * once, at the end. No call can pass the end of the body.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buffer.h"
#include "error.h"

/* --- for those who read and write messages --- */

typedef struct SpiceWire SpiceWire;

/** Walks the fields of the struct at `value`. When writing it must not store to the struct. */
typedef void (*SpiceWireLayout)(SpiceWire *wire, void *value);

/** A message number, its name and its layout. */
typedef struct {
    uint16_t type;
    const char *name;       /* as in the protocol's headers, for example "SPICE_MSG_DISPLAY_MARK" */
    size_t size;            /* of the C struct; 0: the message has no body that we know of */
    SpiceWireLayout layout; /* NULL if size is 0 */
} SpiceMessageDef;

typedef enum { SPICE_FROM_SERVER, SPICE_FROM_CLIENT } SpiceDirection;

/** The definition of message `type` on a channel of type `channel` (SPICE_CHANNEL_*), the common
 * messages among them; NULL if the protocol has none. */
const SpiceMessageDef *spice_message_find(uint8_t channel, SpiceDirection direction, uint16_t type);

/** Unfolds a body into def->size bytes from `arena`. NULL and *error if it is malformed. Bytes
 * after the last field are ignored, as peers do. The result points into `body`. A message
 * without a struct returns a non-NULL pointer that must not be read through. */
void *spice_message_read(const SpiceMessageDef *def, const uint8_t *body, size_t size,
                         SpiceArena *arena, SpiceError *error);

/** Appends the body of `message` to `out`. False and *error if it cannot be expressed (an array
 * too long for its count, a pointer that must not be NULL); `out` is then as before. */
bool spice_message_write(const SpiceMessageDef *def, const void *message, SpiceBuffer *out,
                         SpiceError *error);

/** The same for messages whose layout depends on what both sides have announced; `agreed` is said
 * where the message is declared. */
void *spice_message_read_agreed(const SpiceMessageDef *def, uint32_t agreed, const uint8_t *body,
                                size_t size, SpiceArena *arena, SpiceError *error);
bool spice_message_write_agreed(const SpiceMessageDef *def, uint32_t agreed, const void *message,
                                SpiceBuffer *out, SpiceError *error);

/** Where and how to read, for structs that are not the body of a channel's message. */
typedef struct {
    const uint8_t *body; /* pointers in it count from here */
    size_t size;
    size_t offset;     /* of the struct in the body */
    uint32_t agreed;   /* what both sides announced, for layouts that depend on it; else 0 */
    SpiceArena *arena; /* may be NULL if the layout has neither arrays nor pointers */
    size_t end;        /* out: the end of the last byte that belongs to the struct */
} SpiceWireSource;

/** Fills the zeroed struct at `value`. False and *error if the bytes are malformed. */
bool spice_wire_read(SpiceWireSource *source, SpiceWireLayout layout, void *value,
                     SpiceError *error);

/** Appends the struct to `out`, whose bytes from `body_start` on are the body that it is part of
 * (pointers count from there). False and *error if it cannot be expressed; `out` is then as
 * before. */
bool spice_wire_write(SpiceWireLayout layout, const void *value, uint32_t agreed, SpiceBuffer *out,
                      size_t body_start, SpiceError *error);

/* --- for layout functions --- */

/** A target of a pointer, still to be written. */
typedef struct {
    size_t offset_at; /* where its offset has to be patched in */
    SpiceWireLayout layout;
    void *value;
    const char *field;
} SpiceWireTarget;

enum { SPICE_WIRE_MAX_TARGETS = 16, SPICE_WIRE_MAX_DEPTH = 4 };

struct SpiceWire {
    bool writing;
    uint32_t agreed;
    SpiceError error;
    /* reading */
    const uint8_t *body;
    size_t body_size;
    size_t position;
    size_t end; /* of what was read through pointers */
    SpiceArena *arena;
    unsigned depth;
    /* writing */
    SpiceBuffer *out;
    size_t out_start; /* where the body begins in *out: pointers count from there */
    unsigned n_targets;
    SpiceWireTarget targets[SPICE_WIRE_MAX_TARGETS];
};

void spice_wire_u8(SpiceWire *wire, uint8_t *value, const char *field);
void spice_wire_u16(SpiceWire *wire, uint16_t *value, const char *field);
void spice_wire_u32(SpiceWire *wire, uint32_t *value, const char *field);
void spice_wire_u64(SpiceWire *wire, uint64_t *value, const char *field);
void spice_wire_i16(SpiceWire *wire, int16_t *value, const char *field);
void spice_wire_i32(SpiceWire *wire, int32_t *value, const char *field);
void spice_wire_i64(SpiceWire *wire, int64_t *value, const char *field);

/* Layouts of a lone integer, for arrays of them. */
void spice_layout_u16(SpiceWire *wire, void *value);
void spice_layout_u32(SpiceWire *wire, void *value);
void spice_layout_i32(SpiceWire *wire, void *value);

/** `size` bytes in line. Reading: borrowed from the body; writing: bytes->size must be `size`. */
void spice_wire_bytes(SpiceWire *wire, SpiceBytes *bytes, uint64_t size, const char *field);
/** A u32 count of bytes and the bytes, in line. */
void spice_wire_counted_bytes(SpiceWire *wire, SpiceBytes *bytes, const char *field);
/** All bytes to the end of the body. */
void spice_wire_rest(SpiceWire *wire, SpiceBytes *bytes, const char *field);
/** An array of fixed size inside the struct, for example a UUID. */
void spice_wire_fixed(SpiceWire *wire, uint8_t *bytes, size_t size, const char *field);

/** Passes over `size` bytes when reading; writing, `size` must be 0. */
void spice_wire_skip(SpiceWire *wire, uint64_t size, const char *field);

/** Whether the body has no more bytes, for fields at the end that may be missing. Never when
 * writing, nor after an error. */
bool spice_wire_at_end(const SpiceWire *wire);

/** How many elements of `wire_size` bytes are left to the end of the body. Only for reading. */
uint64_t spice_wire_rest_count(const SpiceWire *wire, size_t wire_size);

/** `count` elements of `element_size` (in memory) laid out by `layout`, in line. `array` is the
 * address of the struct's pointer to them. Reading: it is taken from the arena after checking
 * that count x wire_size bytes are left in the body (wire_size: the least an element takes on the
 * wire, at least 1), and NULL if count is 0. */
void spice_wire_array(SpiceWire *wire, void *array, uint64_t count, size_t element_size,
                      size_t wire_size, SpiceWireLayout layout, const char *field);

/** The first half of spice_wire_array(): takes (reading) or checks (writing) the array, for
 * elements whose layout needs to know more than the element. Returns it, or NULL if there is
 * nothing to lay out. */
void *spice_wire_array_room(SpiceWire *wire, void *array, uint64_t count, size_t element_size,
                            size_t wire_size, const char *field);

typedef enum { SPICE_NOT_NULL = 0, SPICE_NULLABLE = 1 } SpiceNullable;

/** A pointer (u32 offset from the body's start) to something laid out by `layout`; `value` is the
 * address of the struct's pointer to it. Reading: it is taken from the arena, or NULL for offset
 * 0, which is an error unless nullable. Writing: 0 for NULL, else the target is put after what
 * is written now. */
void spice_wire_pointer(SpiceWire *wire, void *value, size_t value_size, SpiceWireLayout layout,
                        SpiceNullable nullable, const char *field);

/** A pointer to something that `layout` keeps in the struct `owner` itself, for example an array
 * whose count stands before the pointer. `present`: whether there is something to write. */
void spice_wire_pointer_into(SpiceWire *wire, bool present, SpiceWireLayout layout, void *owner,
                             SpiceNullable nullable, const char *field);

/** A pointer to `size` bytes, whose count stands before the pointer. Reading: no bytes if `size` is
 * 0, whatever the pointer says, or if it is null. Writing: 0 for no bytes. No bytes are an error
 * unless nullable. */
void spice_wire_pointer_bytes(SpiceWire *wire, SpiceBytes *bytes, uint32_t size,
                              SpiceNullable nullable, const char *field);

/** A u32 that always has this value; another one read is an error. */
void spice_wire_constant(SpiceWire *wire, uint32_t expected, const char *field);

/** Marks the message bad (`code` at `field`); layouts call it for values that they refuse. */
void spice_wire_fail(SpiceWire *wire, SpiceErrorCode code, const char *field);
