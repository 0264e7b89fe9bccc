/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest-reader.h"

#include <stdlib.h>
#include <string.h>

#include "core/display/drawable.h"
#include "core/wire/endian.h"

/* Of a command, empty ones included, so that a list that bites its tail ends. */
enum { MAX_CHUNKS = 1 << 21 };
/* Fewer pixels are copied at once, which costs less than to tell the worker, from another thread,
 * that they are not needed any more. */
enum { MIN_BORROWED = 4 << 10 };

void spice_guest_reader_drop(SpiceGuestReader *self)
{
    while (self->n_blocks > 0)
        free(self->blocks[--self->n_blocks]);
}

bool spice_guest_fail(SpiceGuestReader *self, SpiceErrorCode code, const char *field)
{
    return spice_error_set(&self->error, code, field);
}

/** The guest's bytes; NULL after an error. */
static const uint8_t *locate(SpiceGuestReader *self, uint64_t address, uint64_t size,
                             const char *field)
{
    const uint8_t *at;

    if (self->error.code != SPICE_OK)
        return NULL;
    at = spice_guest_memory_translate(self->memory, self->group, address, size);
    if (!at)
        spice_guest_fail(self, SPICE_ERROR_OFFSET, field);
    return at;
}

bool spice_guest_read(SpiceGuestReader *self, uint64_t address, void *to, size_t size,
                      const char *field)
{
    const uint8_t *at = locate(self, address, size, field);

    if (at)
        memcpy(to, at, size);
    else
        memset(to, 0, size);
    return at != NULL;
}

void *spice_guest_take(SpiceGuestReader *self, size_t count, size_t size, const char *field)
{
    void *memory;

    if (self->error.code != SPICE_OK)
        return NULL;
    memory = spice_arena_take(self->arena, count, size);
    if (!memory)
        spice_guest_fail(self, SPICE_ERROR_LIMIT, field);
    return memory;
}

/** One chunk, read once. */
typedef struct {
    const uint8_t *data; /* the guest's */
    uint32_t size;
    uint64_t next;
} Chunk;

static bool read_chunk(SpiceGuestReader *self, uint64_t address, Chunk *chunk, const char *field)
{
    uint8_t header[SPICE_GUEST_CHUNK_HEADER];
    const uint8_t *all;

    if (!spice_guest_read(self, address, header, sizeof header, field))
        return false;
    chunk->size = spice_get_u32(header);
    chunk->next = spice_get_u64(header + 12);
    all = locate(self, address, (uint64_t)sizeof header + chunk->size, field);
    chunk->data = all ? all + sizeof header : NULL;
    return all != NULL;
}

/** Copies the rest of a list, from `chunk` on, to `to`, which takes `total` bytes. */
static bool gather(SpiceGuestReader *self, Chunk chunk, uint8_t *to, uint64_t total,
                   const char *field)
{
    uint64_t done = 0;

    for (;;) {
        if (chunk.size > total - done)
            return spice_guest_fail(self, SPICE_ERROR_VALUE, field);
        memcpy(to + done, chunk.data, chunk.size);
        done += chunk.size;
        if (chunk.next == 0)
            break;
        if (++self->n_chunks >= MAX_CHUNKS)
            return spice_guest_fail(self, SPICE_ERROR_LIMIT, field);
        if (!read_chunk(self, chunk.next, &chunk, field))
            return false;
    }
    return done == total || spice_guest_fail(self, SPICE_ERROR_TRUNCATED, field);
}

SpiceBytes spice_guest_read_chunks(SpiceGuestReader *self, uint64_t address, uint64_t total,
                                   const char *field)
{
    uint8_t *to;
    Chunk chunk;

    if (total > SPICE_MAX_DRAW_SIZE) {
        spice_guest_fail(self, SPICE_ERROR_LIMIT, field);
        return (SpiceBytes){0};
    }
    to = spice_guest_take(self, (size_t)total, 1, field);
    if (!to || !read_chunk(self, address, &chunk, field) || !gather(self, chunk, to, total, field))
        return (SpiceBytes){0};
    return (SpiceBytes){to, (size_t)total};
}

/** A block for pixels; NULL after an error. */
static uint8_t *take_block(SpiceGuestReader *self, uint64_t size, const char *field)
{
    uint8_t *block;

    self->n_copied += size;
    if (self->n_blocks == SPICE_GUEST_MAX_BLOCKS || self->n_copied > SPICE_GUEST_MAX_COPIED) {
        spice_guest_fail(self, SPICE_ERROR_LIMIT, field);
        return NULL;
    }
    block = malloc((size_t)size);
    if (block)
        self->blocks[self->n_blocks++] = block;
    else
        spice_guest_fail(self, SPICE_ERROR_MEMORY, field);
    return block;
}

SpiceBytes spice_guest_read_pixels(SpiceGuestReader *self, uint64_t address, uint64_t total,
                                   bool copy, const char *field)
{
    Chunk chunk;
    uint8_t *block;

    if (total > INT32_MAX)
        spice_guest_fail(self, SPICE_ERROR_LIMIT, field);
    if (!read_chunk(self, address, &chunk, field))
        return (SpiceBytes){0};
    if (!copy && total >= MIN_BORROWED && chunk.size == total && chunk.next == 0) {
        self->borrows = true;
        return (SpiceBytes){chunk.data, (size_t)total};
    }
    block = take_block(self, total, field);
    if (!block || !gather(self, chunk, block, total, field))
        return (SpiceBytes){0};
    return (SpiceBytes){block, (size_t)total};
}

SpiceBytes spice_guest_read_flat(SpiceGuestReader *self, uint64_t address, uint64_t total,
                                 bool copy, const char *field)
{
    const uint8_t *at;
    uint8_t *block;

    if (total > INT32_MAX)
        spice_guest_fail(self, SPICE_ERROR_LIMIT, field);
    at = locate(self, address, total, field);
    if (!at)
        return (SpiceBytes){0};
    if (!copy && total >= MIN_BORROWED) {
        self->borrows = true;
        return (SpiceBytes){at, (size_t)total};
    }
    block = take_block(self, total, field);
    if (!block)
        return (SpiceBytes){0};
    memcpy(block, at, (size_t)total);
    return (SpiceBytes){block, (size_t)total};
}
