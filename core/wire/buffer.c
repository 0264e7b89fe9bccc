/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "buffer.h"

#include <string.h>

SpiceBytes spice_bytes_text(SpiceBytes bytes)
{
    const uint8_t *nul = bytes.size ? memchr(bytes.data, 0, bytes.size) : NULL;

    return (SpiceBytes){bytes.data, nul ? (size_t)(nul - bytes.data) : bytes.size};
}

uint8_t *spice_buffer_extend(SpiceBuffer *buffer, size_t size)
{
    if (size > buffer->capacity - buffer->size) {
        size_t needed, capacity;
        uint8_t *data;

        if (size > SIZE_MAX / 2 - buffer->size)
            return NULL;
        needed = buffer->size + size;
        capacity = buffer->capacity < 256 ? 256 : buffer->capacity * 2;
        if (capacity < needed)
            capacity = needed;
        data = buffer->allocator->alloc(buffer->allocator->context, capacity);
        if (!data)
            return NULL;
        if (buffer->data) {
            memcpy(data, buffer->data, buffer->size);
            buffer->allocator->release(buffer->allocator->context, buffer->data);
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    buffer->size += size;
    return buffer->data + buffer->size - size;
}

bool spice_buffer_append(SpiceBuffer *buffer, const void *bytes, size_t size)
{
    uint8_t *to;

    if (size == 0)
        return true;
    to = spice_buffer_extend(buffer, size);
    if (to)
        memcpy(to, bytes, size);
    return to != NULL;
}

void spice_buffer_clear(SpiceBuffer *buffer)
{
    if (buffer->data)
        buffer->allocator->release(buffer->allocator->context, buffer->data);
    buffer->data = NULL;
    buffer->size = buffer->capacity = 0;
}
