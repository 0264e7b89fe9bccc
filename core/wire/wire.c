/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include <string.h>

#include "endian.h"

void spice_wire_fail(SpiceWire *wire, SpiceErrorCode code, const char *field)
{
    spice_error_set(&wire->error, code, field);
}

/* The next `size` bytes of the body, or NULL after an error. */
static const uint8_t *take(SpiceWire *wire, uint64_t size, const char *field)
{
    const uint8_t *from;

    if (wire->error.code != SPICE_OK)
        return NULL;
    if (size > wire->body_size - wire->position) {
        spice_wire_fail(wire, SPICE_ERROR_TRUNCATED, field);
        return NULL;
    }
    from = wire->body + wire->position;
    wire->position += (size_t)size;
    return from;
}

/* Room for `size` more bytes of output, or NULL after an error. */
static uint8_t *put(SpiceWire *wire, size_t size, const char *field)
{
    uint8_t *to;

    if (wire->error.code != SPICE_OK)
        return NULL;
    if (size > UINT32_MAX - (wire->out->size - wire->out_start)) {
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, field);
        return NULL;
    }
    to = spice_buffer_extend(wire->out, size);
    if (!to)
        spice_wire_fail(wire, SPICE_ERROR_MEMORY, field);
    return to;
}

/* Memory for what is read, or NULL after an error. */
static void *take_memory(SpiceArena *arena, size_t count, size_t size, SpiceError *error,
                         const char *field)
{
    void *memory = arena ? spice_arena_take(arena, count, size) : NULL;

    if (!memory) {
        bool limited = !arena || count > (arena->limit - arena->used) / size;

        spice_error_set(error, limited ? SPICE_ERROR_LIMIT : SPICE_ERROR_MEMORY, field);
    }
    return memory;
}

void spice_wire_u8(SpiceWire *wire, uint8_t *value, const char *field)
{
    if (wire->writing) {
        uint8_t *to = put(wire, 1, field);

        if (to)
            *to = *value;
    } else {
        const uint8_t *from = take(wire, 1, field);

        if (from)
            *value = *from;
    }
}

void spice_wire_u16(SpiceWire *wire, uint16_t *value, const char *field)
{
    if (wire->writing) {
        uint8_t *to = put(wire, 2, field);

        if (to)
            spice_put_u16(to, *value);
    } else {
        const uint8_t *from = take(wire, 2, field);

        if (from)
            *value = spice_get_u16(from);
    }
}

void spice_wire_u32(SpiceWire *wire, uint32_t *value, const char *field)
{
    if (wire->writing) {
        uint8_t *to = put(wire, 4, field);

        if (to)
            spice_put_u32(to, *value);
    } else {
        const uint8_t *from = take(wire, 4, field);

        if (from)
            *value = spice_get_u32(from);
    }
}

void spice_wire_u64(SpiceWire *wire, uint64_t *value, const char *field)
{
    if (wire->writing) {
        uint8_t *to = put(wire, 8, field);

        if (to)
            spice_put_u64(to, *value);
    } else {
        const uint8_t *from = take(wire, 8, field);

        if (from)
            *value = spice_get_u64(from);
    }
}

/* A signed integer may be accessed through its unsigned type (C11 6.5, paragraph 7), and the wire
 * has it in two's complement as memory does. */

void spice_wire_i16(SpiceWire *wire, int16_t *value, const char *field)
{
    spice_wire_u16(wire, (uint16_t *)value, field);
}

void spice_wire_i32(SpiceWire *wire, int32_t *value, const char *field)
{
    spice_wire_u32(wire, (uint32_t *)value, field);
}

void spice_wire_i64(SpiceWire *wire, int64_t *value, const char *field)
{
    spice_wire_u64(wire, (uint64_t *)value, field);
}

void spice_layout_u16(SpiceWire *wire, void *value)
{
    spice_wire_u16(wire, value, "u16");
}

void spice_layout_u32(SpiceWire *wire, void *value)
{
    spice_wire_u32(wire, value, "u32");
}

void spice_layout_i32(SpiceWire *wire, void *value)
{
    spice_wire_i32(wire, value, "i32");
}

void spice_wire_bytes(SpiceWire *wire, SpiceBytes *bytes, uint64_t size, const char *field)
{
    if (wire->writing) {
        uint8_t *to;

        if (bytes->size != size || (size && !bytes->data)) {
            spice_wire_fail(wire, SPICE_ERROR_VALUE, field);
            return;
        }
        if (size == 0)
            return;
        to = put(wire, (size_t)size, field);
        if (to)
            memcpy(to, bytes->data, (size_t)size);
    } else {
        const uint8_t *from = take(wire, size, field);

        if (from)
            *bytes = (SpiceBytes){from, (size_t)size};
    }
}

void spice_wire_counted_bytes(SpiceWire *wire, SpiceBytes *bytes, const char *field)
{
    uint32_t size = (uint32_t)bytes->size;

    spice_wire_u32(wire, &size, field);
    /* writing more than a u32 can count fails here, as the sizes differ */
    spice_wire_bytes(wire, bytes, size, field);
}

void spice_wire_rest(SpiceWire *wire, SpiceBytes *bytes, const char *field)
{
    spice_wire_bytes(wire, bytes, wire->writing ? bytes->size : wire->body_size - wire->position,
                     field);
}

void spice_wire_fixed(SpiceWire *wire, uint8_t *bytes, size_t size, const char *field)
{
    SpiceBytes view = {bytes, size};

    spice_wire_bytes(wire, &view, size, field);
    if (!wire->writing && wire->error.code == SPICE_OK)
        memcpy(bytes, view.data, size);
}

void spice_wire_skip(SpiceWire *wire, uint64_t size, const char *field)
{
    if (wire->writing && size)
        spice_wire_fail(wire, SPICE_ERROR_VALUE, field);
    else if (!wire->writing)
        take(wire, size, field);
}

bool spice_wire_at_end(const SpiceWire *wire)
{
    return !wire->writing && wire->error.code == SPICE_OK && wire->position == wire->body_size;
}

uint64_t spice_wire_rest_count(const SpiceWire *wire, size_t wire_size)
{
    return (wire->body_size - wire->position) / wire_size;
}

void spice_wire_constant(SpiceWire *wire, uint32_t expected, const char *field)
{
    uint32_t value = expected;

    spice_wire_u32(wire, &value, field);
    if (value != expected)
        spice_wire_fail(wire, SPICE_ERROR_VALUE, field);
}

/* `field_address` is the address of a T* in somebody's struct. Copying the pointer as bytes keeps
 * within the language's rules on aliasing, which an access as void* would not. */
static void *load_pointer(const void *field_address)
{
    void *pointer;

    memcpy(&pointer, field_address, sizeof pointer);
    return pointer;
}

static void store_pointer(void *field_address, void *pointer)
{
    memcpy(field_address, &pointer, sizeof pointer);
}

void *spice_wire_array_room(SpiceWire *wire, void *array, uint64_t count, size_t element_size,
                            size_t wire_size, const char *field)
{
    void *elements;

    if (wire->error.code != SPICE_OK || count == 0)
        return NULL;
    if (wire->writing) {
        elements = load_pointer(array);
        if (!elements)
            spice_wire_fail(wire, SPICE_ERROR_VALUE, field);
        return elements;
    }
    if (count > (wire->body_size - wire->position) / wire_size) {
        spice_wire_fail(wire, SPICE_ERROR_TRUNCATED, field);
        return NULL;
    }
    elements = take_memory(wire->arena, (size_t)count, element_size, &wire->error, field);
    store_pointer(array, elements);
    return elements;
}

void spice_wire_array(SpiceWire *wire, void *array, uint64_t count, size_t element_size,
                      size_t wire_size, SpiceWireLayout layout, const char *field)
{
    uint8_t *element = spice_wire_array_room(wire, array, count, element_size, wire_size, field);

    if (!element)
        return;
    for (uint64_t i = 0; i < count && wire->error.code == SPICE_OK; i++) {
        layout(wire, element);
        element += element_size;
    }
}

/* Reads a pointer's offset. True if there is a target that can be read. */
static bool take_offset(SpiceWire *wire, SpiceNullable nullable, const char *field,
                        uint32_t *offset)
{
    *offset = 0;
    spice_wire_u32(wire, offset, field);
    if (wire->error.code != SPICE_OK)
        return false;
    if (*offset == 0) {
        if (!nullable)
            spice_wire_fail(wire, SPICE_ERROR_OFFSET, field);
        return false;
    }
    if (*offset >= wire->body_size) {
        spice_wire_fail(wire, SPICE_ERROR_OFFSET, field);
        return false;
    }
    if (wire->depth == SPICE_WIRE_MAX_DEPTH) {
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, field);
        return false;
    }
    return true;
}

/* Reads the target at `offset` and goes back. */
static void read_target(SpiceWire *wire, uint32_t offset, SpiceWireLayout layout, void *value)
{
    size_t resume = wire->position;

    wire->position = offset;
    wire->depth++;
    layout(wire, value);
    wire->depth--;
    if (wire->position > wire->end)
        wire->end = wire->position;
    wire->position = resume;
}

/* Writes a pointer as 0 and remembers its target, if it has one. */
static void add_target(SpiceWire *wire, bool present, SpiceWireLayout layout, void *value,
                       SpiceNullable nullable, const char *field)
{
    uint32_t null = 0;

    if (present) {
        if (wire->n_targets == SPICE_WIRE_MAX_TARGETS) {
            spice_wire_fail(wire, SPICE_ERROR_LIMIT, field);
            return;
        }
        wire->targets[wire->n_targets++] = (SpiceWireTarget){wire->out->size, layout, value, field};
    } else if (!nullable) {
        spice_wire_fail(wire, SPICE_ERROR_OFFSET, field);
    }
    spice_wire_u32(wire, &null, field);
}

void spice_wire_pointer(SpiceWire *wire, void *value, size_t value_size, SpiceWireLayout layout,
                        SpiceNullable nullable, const char *field)
{
    uint32_t offset;
    void *target;

    if (wire->writing) {
        target = load_pointer(value);
        add_target(wire, target != NULL, layout, target, nullable, field);
        return;
    }
    if (!take_offset(wire, nullable, field, &offset))
        return;
    target = take_memory(wire->arena, 1, value_size, &wire->error, field);
    store_pointer(value, target);
    if (target)
        read_target(wire, offset, layout, target);
}

void spice_wire_pointer_into(SpiceWire *wire, bool present, SpiceWireLayout layout, void *owner,
                             SpiceNullable nullable, const char *field)
{
    uint32_t offset;

    if (wire->writing)
        add_target(wire, present, layout, owner, nullable, field);
    else if (take_offset(wire, nullable, field, &offset))
        read_target(wire, offset, layout, owner);
}

static void layout_target_bytes(SpiceWire *wire, void *value)
{
    SpiceBytes *bytes = value;

    spice_wire_bytes(wire, bytes, bytes->size, "bytes");
}

void spice_wire_pointer_bytes(SpiceWire *wire, SpiceBytes *bytes, uint32_t size,
                              SpiceNullable nullable, const char *field)
{
    uint32_t offset = 0;

    if (size == 0 && !nullable)
        spice_wire_fail(wire, SPICE_ERROR_VALUE, field);
    if (wire->writing) {
        if (bytes->size != size)
            spice_wire_fail(wire, SPICE_ERROR_LIMIT, field);
        add_target(wire, size != 0, layout_target_bytes, bytes, nullable, field);
    } else if (size == 0) {
        spice_wire_u32(wire, &offset, field);
    } else if (take_offset(wire, nullable, field, &offset)) {
        bytes->size = size;
        read_target(wire, offset, layout_target_bytes, bytes);
    }
}

/* Writes the targets in the order in which their pointers were met, those of targets behind them.
 * Any order is lawful; this one reproduces recorded streams to the byte. */
static void flush_targets(SpiceWire *wire)
{
    for (unsigned i = 0; i < wire->n_targets && wire->error.code == SPICE_OK; i++) {
        SpiceWireTarget target = wire->targets[i];
        size_t offset = wire->out->size - wire->out_start;

        spice_put_u32(wire->out->data + target.offset_at, (uint32_t)offset);
        target.layout(wire, target.value);
        /* a reader takes no pointer to the end of the body, so a target cannot be empty */
        if (wire->out->size - wire->out_start == offset)
            spice_wire_fail(wire, SPICE_ERROR_VALUE, target.field);
    }
}

static bool report(const SpiceWire *wire, SpiceError *error)
{
    if (wire->error.code == SPICE_OK)
        return true;
    return spice_error_set(error, wire->error.code, wire->error.field);
}

bool spice_wire_read(SpiceWireSource *source, SpiceWireLayout layout, void *value,
                     SpiceError *error)
{
    static const uint8_t nothing[1];
    SpiceWire wire;

    /* not the array of targets, which only writing uses and which would cost more than the rest */
    memset(&wire, 0, offsetof(SpiceWire, targets));
    wire.body = source->body ? source->body : nothing;
    wire.body_size = source->size;
    wire.arena = source->arena;
    wire.agreed = source->agreed;
    if (source->offset > source->size)
        spice_wire_fail(&wire, SPICE_ERROR_OFFSET, "offset");
    else
        wire.position = source->offset;
    if (layout)
        layout(&wire, value);
    source->end = wire.position > wire.end ? wire.position : wire.end;
    return report(&wire, error);
}

bool spice_wire_write(SpiceWireLayout layout, const void *value, uint32_t agreed, SpiceBuffer *out,
                      size_t body_start, SpiceError *error)
{
    size_t size_before = out->size;
    SpiceWire wire;

    if (!layout)
        return true;
    memset(&wire, 0, offsetof(SpiceWire, targets));
    wire.writing = true;
    wire.agreed = agreed;
    wire.out = out;
    wire.out_start = body_start;
    /* a layout does not store to the struct when writing */
    layout(&wire, (void *)(uintptr_t)value);
    flush_targets(&wire);
    if (wire.error.code != SPICE_OK)
        out->size = size_before;
    return report(&wire, error);
}

void *spice_message_read_agreed(const SpiceMessageDef *def, uint32_t agreed, const uint8_t *body,
                                size_t size, SpiceArena *arena, SpiceError *error)
{
    SpiceWireSource source = {.body = body, .size = size, .agreed = agreed, .arena = arena};
    void *message = take_memory(arena, 1, def->size ? def->size : 1, error, def->name);

    if (!message)
        return NULL;
    return spice_wire_read(&source, def->layout, message, error) ? message : NULL;
}

bool spice_message_write_agreed(const SpiceMessageDef *def, uint32_t agreed, const void *message,
                                SpiceBuffer *out, SpiceError *error)
{
    return spice_wire_write(def->layout, message, agreed, out, out->size, error);
}

void *spice_message_read(const SpiceMessageDef *def, const uint8_t *body, size_t size,
                         SpiceArena *arena, SpiceError *error)
{
    return spice_message_read_agreed(def, 0, body, size, arena, error);
}

bool spice_message_write(const SpiceMessageDef *def, const void *message, SpiceBuffer *out,
                         SpiceError *error)
{
    return spice_message_write_agreed(def, 0, message, out, error);
}
