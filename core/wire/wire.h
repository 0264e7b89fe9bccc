/* One description of a message's layout, run in both directions.
 *
 * Every message of the protocol is a C struct and one function that walks its fields in wire
 * order. The same function reads and writes: spice_wire_u32(w, &m->surface_id, "surface_id")
 * fills the field from the body or puts it there, whichever way `w` runs. So reader and writer
 * cannot disagree, "when" lines of the protocol are plain C ifs, and the compiler checks the
 * width of each field. docs/design.md tells which other ways were compared.
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
#include "error.h"

/** Bytes that belong to somebody else. Read from a message they point into its body and live as
 * long as that. */
typedef struct {
    const uint8_t *data;
    size_t size;
} SpiceBytes;

/** A byte buffer that grows; the writer's output. Zero-initialise with an allocator. */
typedef struct {
    const SpiceAllocator *allocator;
    uint8_t *data; /* owned */
    size_t size, capacity;
} SpiceBuffer;

void spice_buffer_clear(SpiceBuffer *buffer);

typedef struct SpiceWire SpiceWire;
typedef void (*SpiceWireLayout)(SpiceWire *wire, void *value);

/** A target of a pointer, still to be written. */
typedef struct {
    size_t offset_at; /* where its offset has to be patched in */
    SpiceWireLayout layout;
    void *value;
} SpiceWireTarget;

enum { SPICE_WIRE_MAX_TARGETS = 16, SPICE_WIRE_MAX_DEPTH = 4 };

struct SpiceWire {
    bool writing;
    SpiceError error;
    size_t position;
    /* reading */
    const uint8_t *body;
    size_t body_size;
    SpiceArena *arena;
    unsigned depth;
    /* writing */
    SpiceBuffer *out;
    size_t out_start; /* where the body begins in *out: pointers count from there */
    SpiceWireTarget targets[SPICE_WIRE_MAX_TARGETS];
    unsigned n_targets;
};

void spice_wire_u8(SpiceWire *wire, uint8_t *value, const char *field);
void spice_wire_u16(SpiceWire *wire, uint16_t *value, const char *field);
void spice_wire_u32(SpiceWire *wire, uint32_t *value, const char *field);
void spice_wire_u64(SpiceWire *wire, uint64_t *value, const char *field);
void spice_wire_i16(SpiceWire *wire, int16_t *value, const char *field);
void spice_wire_i32(SpiceWire *wire, int32_t *value, const char *field);
void spice_wire_i64(SpiceWire *wire, int64_t *value, const char *field);

/** `size` bytes in line. Reading: borrowed from the body; writing: bytes->size must be `size`. */
void spice_wire_bytes(SpiceWire *wire, SpiceBytes *bytes, size_t size, const char *field);
/** All bytes to the end of the body. */
void spice_wire_rest(SpiceWire *wire, SpiceBytes *bytes, const char *field);
/** An array of fixed size inside the struct, for example a UUID. */
void spice_wire_fixed(SpiceWire *wire, uint8_t *bytes, size_t size, const char *field);

/** `count` elements of `element_size` (in memory) laid out by `layout`, in line. Reading: *array
 * is taken from the arena after checking that count x wire_size bytes are left in the body
 * (wire_size: the least an element takes on the wire). */
void spice_wire_array(SpiceWire *wire, void **array, size_t count, size_t element_size,
                      size_t wire_size, SpiceWireLayout layout, const char *field);

/** A pointer (u32 offset from the body's start) to something laid out by `layout`. Reading:
 * *value is taken from the arena, or NULL for offset 0, which is an error unless `nullable`.
 * Writing: 0 for NULL, else the target is written by spice_wire_flush_targets(). */
void spice_wire_pointer(SpiceWire *wire, void **value, size_t value_size, SpiceWireLayout layout,
                        bool nullable, const char *field);

/** Marks the message bad (`code` at `field`); layouts call it for values that they refuse. */
void spice_wire_fail(SpiceWire *wire, SpiceErrorCode code, const char *field);

/** A message number, its name and its layout. */
typedef struct {
    uint16_t type;
    const char *name;  /* as in the protocol's headers, for example "SPICE_MSG_DISPLAY_MARK" */
    size_t size;       /* of the C struct; 0: the message has no body that we know of */
    SpiceWireLayout layout; /* NULL if size is 0 */
} SpiceMessageDef;

typedef enum { SPICE_FROM_SERVER, SPICE_FROM_CLIENT } SpiceDirection;

/** The definition of message `type` on a channel of type `channel` (SPICE_CHANNEL_*), the common
 * messages among them; NULL if the protocol has none. */
const SpiceMessageDef *spice_message_find(uint8_t channel, SpiceDirection direction, uint16_t type);

/** Unfolds a body into def->size bytes from `arena`. NULL and *error if it is malformed. Bytes
 * after the last field are ignored (protocol.md 1). The result points into `body`. A message
 * without a struct returns a non-NULL pointer that must not be read through. */
void *spice_message_read(const SpiceMessageDef *def, const uint8_t *body, size_t size,
                         SpiceArena *arena, SpiceError *error);

/** Appends the body of `message` to `out`. False and *error if it cannot be expressed (an array
 * too long for its count, a pointer that must not be NULL); `out` is then as before. */
bool spice_message_write(const SpiceMessageDef *def, const void *message, SpiceBuffer *out,
                         SpiceError *error);
