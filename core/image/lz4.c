/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz4.h"

#include <lz4.h>

#include "rows.h"

enum {
    HEADER_SIZE = 2,     /* direction, format */
    LENGTH_SIZE = 4,     /* big endian, before each block */
    HISTORY = 64 * 1024, /* how far back a block may refer into those before it */
    MAX_BYTES = 1 << 30,
};

struct SpiceLz4 {
    const SpiceAllocator *allocator;
    void *state; /* of liblz4's encoder; made on first use */
    uint8_t *scratch;
    size_t scratch_size;
};

static size_t pixel_size(uint8_t format)
{
    switch (format) {
    case SPICE_LZ4_16BIT:
        return 2;
    case SPICE_LZ4_24BIT:
        return 3;
    case SPICE_LZ4_32BIT:
    case SPICE_LZ4_RGBA:
        return 4;
    default:
        return 0;
    }
}

SpiceLz4 *spice_lz4_new(const SpiceAllocator *allocator)
{
    SpiceLz4 *lz4 = allocator->alloc(allocator->context, sizeof *lz4);

    if (!lz4)
        return NULL;
    *lz4 = (SpiceLz4){.allocator = allocator};
    return lz4;
}

void spice_lz4_free(SpiceLz4 *lz4)
{
    const SpiceAllocator *allocator;

    if (!lz4)
        return;
    allocator = lz4->allocator;
    if (lz4->state)
        allocator->release(allocator->context, lz4->state);
    if (lz4->scratch)
        allocator->release(allocator->context, lz4->scratch);
    allocator->release(allocator->context, lz4);
}

static uint8_t *scratch(SpiceLz4 *lz4, size_t size)
{
    const SpiceAllocator *allocator = lz4->allocator;

    if (lz4->scratch_size < size) {
        if (lz4->scratch)
            allocator->release(allocator->context, lz4->scratch);
        lz4->scratch = allocator->alloc(allocator->context, size);
        lz4->scratch_size = lz4->scratch ? size : 0;
    }
    return lz4->scratch;
}

/* All blocks into `out`, which they must fill exactly. */
static bool decode_blocks(const uint8_t *data, size_t size, uint8_t *out, size_t out_size,
                          SpiceError *error)
{
    size_t at = 0, done = 0;

    while (done < out_size) {
        size_t length, history = done < HISTORY ? done : HISTORY;
        int n;

        if (size - at < LENGTH_SIZE)
            return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz4 block length");
        length = spice_load32_be(data + at);
        at += LENGTH_SIZE;
        if (length == 0 || length > INT32_MAX)
            return spice_error_set(error, SPICE_ERROR_VALUE, "lz4 block length");
        if (length > size - at)
            return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz4 block");
        n = LZ4_decompress_safe_usingDict((const char *)data + at, (char *)out + done, (int)length,
                                          (int)(out_size - done),
                                          (const char *)out + done - history, (int)history);
        if (n <= 0)
            return spice_error_set(error, SPICE_ERROR_CORRUPT, "lz4 block");
        at += length;
        done += (size_t)n;
    }
    return true;
}

/* A row as it was sent to 32-bit pixels; `in` may be `out` if it has four bytes a pixel. */
static void convert_row(uint8_t format, uint8_t *out, const uint8_t *in, uint32_t width)
{
    switch (format) {
    case SPICE_LZ4_16BIT:
        spice_row_unpack_555(out, in, width);
        spice_row_widen(out, out, width);
        break;
    case SPICE_LZ4_24BIT:
        spice_row_spread_24(out, in, width);
        break;
    case SPICE_LZ4_32BIT:
        spice_row_clear_alpha(out, in, width);
        break;
    default:
        if (in != out)
            memcpy(out, in, 4 * (size_t)width);
        break;
    }
}

bool spice_lz4_decode(SpiceLz4 *lz4, const uint8_t *data, size_t size, uint32_t width,
                      uint32_t height, uint8_t *top, ptrdiff_t stride, uint8_t *format,
                      SpiceError *error)
{
    uint64_t row_size, total;
    ptrdiff_t step = stride;
    uint8_t *first = top, *pixels;

    if (size < HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz4 header");
    *format = data[1];
    row_size = (uint64_t)width * pixel_size(*format);
    total = row_size * height;
    if (pixel_size(*format) == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz4 format");
    if (total == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz4 size");
    if ((uint64_t)width * height > MAX_BYTES / 4)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "lz4 size");
    if (data[0] == 0) { /* the stream begins with the bottom row */
        first = top + (ptrdiff_t)(height - 1) * stride;
        step = -stride;
    }
    /* straight into the picture if its memory is like the stream */
    pixels = pixel_size(*format) == 4 && (step == (ptrdiff_t)row_size || height == 1)
                 ? first
                 : scratch(lz4, (size_t)total);
    if (!pixels)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "lz4 image");
    if (!decode_blocks(data + HEADER_SIZE, size - HEADER_SIZE, pixels, (size_t)total, error))
        return false;
    for (uint32_t y = 0; y < height; y++)
        convert_row(*format, first + (ptrdiff_t)y * step, pixels + (size_t)y * row_size, width);
    return true;
}

size_t spice_lz4_encode(SpiceLz4 *lz4, uint8_t format, uint32_t width, uint32_t height,
                        const uint8_t *top, ptrdiff_t stride, uint8_t *out, size_t capacity)
{
    const uint64_t row_size = (uint64_t)width * pixel_size(format), total = row_size * height;
    const uint8_t *first = top, *pixels;
    size_t room;
    int n;

    if (total == 0 || row_size > MAX_BYTES || total > MAX_BYTES ||
        capacity <= HEADER_SIZE + LENGTH_SIZE)
        return 0;
    if (!lz4->state)
        lz4->state = lz4->allocator->alloc(lz4->allocator->context, (size_t)LZ4_sizeofState());
    if (!lz4->state)
        return 0;
    if (stride < 0) {
        first = top + (ptrdiff_t)(height - 1) * stride;
    }
    pixels = first;
    if (height > 1 && (stride < 0 ? -stride : stride) != (ptrdiff_t)row_size) {
        ptrdiff_t step = stride < 0 ? -stride : stride;
        uint8_t *copy = scratch(lz4, (size_t)total);

        if (!copy)
            return 0;
        for (uint32_t y = 0; y < height; y++)
            memcpy(copy + (size_t)y * row_size, first + (ptrdiff_t)y * step, (size_t)row_size);
        pixels = copy;
    }
    room = capacity - HEADER_SIZE - LENGTH_SIZE;
    n = LZ4_compress_fast_extState(lz4->state, (const char *)pixels,
                                   (char *)out + HEADER_SIZE + LENGTH_SIZE, (int)total,
                                   room > INT32_MAX ? INT32_MAX : (int)room, 1);
    if (n <= 0)
        return 0;
    out[0] = stride >= 0;
    out[1] = format;
    spice_store32_be(out + HEADER_SIZE, (uint32_t)n);
    return HEADER_SIZE + LENGTH_SIZE + (size_t)n;
}
