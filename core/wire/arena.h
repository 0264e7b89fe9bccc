/* Memory for what one message unfolds to: taken piece by piece, given back all at once.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Where core/ takes memory from. All of core/ allocates through one of these, handed in by the
 * caller; `alloc` returns NULL when it has no more, and memory aligned for any type otherwise. */
typedef struct {
    void *(*alloc)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
} SpiceAllocator;

/** malloc() and free(). */
extern const SpiceAllocator spice_allocator_libc;

typedef struct SpiceArenaBlock SpiceArenaBlock;

/** Not thread-safe: one arena a reader. Zero-initialise, then spice_arena_init(). */
typedef struct {
    const SpiceAllocator *allocator;
    SpiceArenaBlock *blocks;
    size_t used;  /* bytes handed out since the last reset */
    size_t limit; /* bytes that may be handed out between two resets */
} SpiceArena;

void spice_arena_init(SpiceArena *arena, const SpiceAllocator *allocator, size_t limit);

/** Zeroed memory for `count` elements of `size` bytes, aligned for any type; NULL if count x size
 * overflows, passes the limit, or the allocator refuses. Valid until the next reset. */
void *spice_arena_take(SpiceArena *arena, size_t count, size_t size);

/** Takes back all memory but keeps one block for the next message. */
void spice_arena_reset(SpiceArena *arena);

/** Gives everything back to the allocator. */
void spice_arena_clear(SpiceArena *arena);
