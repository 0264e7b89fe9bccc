/* Bytes: those of somebody else, and a buffer of one's own that grows.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/** Bytes that belong to somebody else. Read from a message they point into its body and live as
 * long as that. */
typedef struct {
    const uint8_t *data;
    size_t size;
} SpiceBytes;

/** A text that was sent with its NUL counted, without the NUL and what follows it; whole if the peer
 * forgot the NUL. */
SpiceBytes spice_bytes_text(SpiceBytes bytes);

/** A byte buffer that grows; the writer's output. Zero-initialise with an allocator. */
typedef struct {
    const SpiceAllocator *allocator;
    uint8_t *data; /* owned */
    size_t size, capacity;
} SpiceBuffer;

/** Adds `size` bytes at the end, not initialised, and returns where they begin; NULL, the buffer
 * unchanged, if the allocator refuses. Valid until the buffer grows again. */
uint8_t *spice_buffer_extend(SpiceBuffer *buffer, size_t size);

/** Adds a copy of `size` bytes at the end. False, the buffer unchanged, if the allocator refuses.
 */
bool spice_buffer_append(SpiceBuffer *buffer, const void *bytes, size_t size);

/** Gives the memory back. The buffer may be used again. */
void spice_buffer_clear(SpiceBuffer *buffer);
