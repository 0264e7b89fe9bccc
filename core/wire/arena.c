/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

/* What one message usually unfolds to fits in the first block; a block larger than this is not
 * kept for the next message, so that one big message does not hold its memory for ever. */
enum { BLOCK_SIZE = 4096, KEPT_BLOCK_SIZE = 65536 };

struct SpiceArenaBlock {
    SpiceArenaBlock *next;
    size_t capacity, used;
    /* the memory that is handed out, aligned as this struct is */
    max_align_t memory[];
};

static void *libc_alloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void libc_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

const SpiceAllocator spice_allocator_libc = {libc_alloc, libc_release, NULL};

void spice_arena_init(SpiceArena *arena, const SpiceAllocator *allocator, size_t limit)
{
    *arena = (SpiceArena){.allocator = allocator, .limit = limit};
}

static SpiceArenaBlock *add_block(SpiceArena *arena, size_t size)
{
    size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    SpiceArenaBlock *block;

    if (capacity > SIZE_MAX - sizeof(SpiceArenaBlock))
        return NULL;
    block = arena->allocator->alloc(arena->allocator->context, sizeof *block + capacity);
    if (!block)
        return NULL;
    block->next = arena->blocks;
    block->capacity = capacity;
    block->used = 0;
    arena->blocks = block;
    return block;
}

void *spice_arena_take(SpiceArena *arena, size_t count, size_t size)
{
    const size_t alignment = _Alignof(max_align_t);
    SpiceArenaBlock *block = arena->blocks;
    size_t bytes;
    void *memory;

    if (size && count > (SIZE_MAX - alignment) / size)
        return NULL;
    bytes = (count * size + alignment - 1) / alignment * alignment;
    if (bytes > arena->limit - arena->used)
        return NULL;
    if (!block || bytes > block->capacity - block->used)
        block = add_block(arena, bytes);
    if (!block)
        return NULL;
    memory = (uint8_t *)block->memory + block->used;
    block->used += bytes;
    arena->used += bytes;
    return memset(memory, 0, bytes);
}

void spice_arena_reset(SpiceArena *arena)
{
    SpiceArenaBlock *kept = NULL;

    while (arena->blocks) {
        SpiceArenaBlock *block = arena->blocks;

        arena->blocks = block->next;
        if (!kept && block->capacity <= KEPT_BLOCK_SIZE)
            kept = block;
        else
            arena->allocator->release(arena->allocator->context, block);
    }
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->blocks = kept;
    arena->used = 0;
}

void spice_arena_clear(SpiceArena *arena)
{
    while (arena->blocks) {
        SpiceArenaBlock *block = arena->blocks;

        arena->blocks = block->next;
        arena->allocator->release(arena->allocator->context, block);
    }
    arena->used = 0;
}
