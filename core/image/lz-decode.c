/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz.h"

#include "bytes.h"
#include "lz-copy.h"

enum {
    NEAR_LIMIT = 8191, /* the first distance - 1 that needs the far form */
};

bool spice_lz_read_header(SpiceLzHeader *header, const uint8_t *data, size_t size,
                          uint64_t max_pixels, SpiceError *error)
{
    static const uint8_t bytes_per_pixel[] = {
        [SPICE_LZ_RGB16] = 2, [SPICE_LZ_RGB24] = 3, [SPICE_LZ_RGB32] = 4,
        [SPICE_LZ_RGBA] = 4,  [SPICE_LZ_XXXA] = 4,  [SPICE_LZ_A8] = 1};
    static const uint8_t pixels_per_byte[] = {[SPICE_LZ_PLT1_LE] = 8,
                                              [SPICE_LZ_PLT1_BE] = 8,
                                              [SPICE_LZ_PLT4_LE] = 2,
                                              [SPICE_LZ_PLT4_BE] = 2,
                                              [SPICE_LZ_PLT8] = 1};
    uint32_t type, width, height, stride;
    uint64_t row;

    if (size < SPICE_LZ_HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz header");
    if (spice_load32_be(data) != 0x20205a4c)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz magic");
    if (spice_load32_be(data + 4) != 0x00010001)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz version");
    type = spice_load32_be(data + 8);
    width = spice_load32_be(data + 12);
    height = spice_load32_be(data + 16);
    stride = spice_load32_be(data + 20);
    if (type < SPICE_LZ_PLT1_LE || type > SPICE_LZ_A8)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz type");
    if (width == 0 || width > INT32_MAX)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz width");
    if (height == 0 || height > INT32_MAX)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz height");
    if ((uint64_t)width * height > max_pixels)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "lz size");
    if (spice_lz_is_palette((uint8_t)type))
        row = ((uint64_t)width + pixels_per_byte[type] - 1) / pixels_per_byte[type];
    else
        row = (uint64_t)width * bytes_per_pixel[type];
    if (stride != row)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz stride");
    header->type = (uint8_t)type;
    header->width = width;
    header->height = height;
    header->stride = stride;
    header->top_down = spice_load32_be(data + 24) != 0;
    return true;
}

/* Reads what follows the control byte of a match: its length without the bias, at most a little
 * more than `limit`, and its distance. */
ALWAYS_INLINE SpiceErrorCode read_match(const uint8_t **input, const uint8_t *end, unsigned control,
                                        size_t limit, size_t *length, size_t *distance)
{
    const uint8_t *in = *input;
    size_t n = control >> 5, d;

    if (n == 7) {
        unsigned more;

        do {
            if (in == end)
                return SPICE_ERROR_TRUNCATED;
            more = *in++;
            n += more;
            if (n > limit)
                return SPICE_ERROR_CORRUPT;
        } while (more == 255);
    }
    if (in == end)
        return SPICE_ERROR_TRUNCATED;
    d = (size_t)(control & 31) << 8 | *in++;
    if (d == NEAR_LIMIT) {
        if (end - in < 2)
            return SPICE_ERROR_TRUNCATED;
        d += (size_t)in[0] << 8 | in[1];
        in += 2;
    }
    *length = n;
    *distance = d + 1;
    *input = in;
    return SPICE_OK;
}

/* One pass into memory without gaps between rows. */
ALWAYS_INLINE SpiceErrorCode decode_tight(Unit unit, const uint8_t **input, const uint8_t *end,
                                          uint8_t *out, size_t units)
{
    const size_t size = unit_size(unit), wire_size = unit_wire_size(unit);
    const uint8_t *in = *input;
    uint8_t *const start = out, *const out_end = out + units * size;

    while (out < out_end) {
        size_t n, room = (size_t)(out_end - out), distance;
        unsigned control;
        SpiceErrorCode code;

        if (in == end)
            return SPICE_ERROR_TRUNCATED;
        control = *in++;
        if (control < MAX_LITERAL) {
            n = control + 1;
            if ((size_t)(end - in) >= MAX_LITERAL * wire_size + WILD &&
                room >= MAX_LITERAL * size + WILD) {
                put_literal_wild(unit, out, in, n);
            } else {
                if (n * size > room)
                    return SPICE_ERROR_CORRUPT;
                if (n * wire_size > (size_t)(end - in))
                    return SPICE_ERROR_TRUNCATED;
                put_literal(unit, out, in, n);
            }
            in += n * wire_size;
            out += n * size;
            continue;
        }
        code = read_match(&in, end, control, room / size, &n, &distance);
        if (code != SPICE_OK)
            return code;
        n += unit_bias(unit);
        if (n * size > room || distance * size > (size_t)(out - start))
            return SPICE_ERROR_CORRUPT;
        if (unit == UNIT_ALPHA)
            repeat_alpha(out, distance, n);
        else if (room >= n * size + WILD)
            repeat_wild(out, distance * size, n * size);
        else
            repeat(unit, out, (ptrdiff_t)(distance * size), n);
        out += n * size;
    }
    *input = in;
    return SPICE_OK;
}

/* Where the rows of a pass lie. */
typedef struct {
    uint8_t *first; /* the first in stream order */
    ptrdiff_t step;
    size_t width; /* units */
    size_t height;
} Rows;

/* One pass into rows with gaps, or in the other order than the stream's: pieces that end where a
 * row of the source or of the destination does. */
ALWAYS_INLINE SpiceErrorCode decode_rows(Unit unit, const uint8_t **input, const uint8_t *end,
                                         const Rows *rows)
{
    const size_t size = unit_size(unit), wire_size = unit_wire_size(unit);
    const size_t units = rows->width * rows->height;
    const uint8_t *in = *input;
    size_t position = 0, column = 0;
    uint8_t *row = rows->first;

    while (position < units) {
        size_t n, distance = 0;
        unsigned control;

        if (in == end)
            return SPICE_ERROR_TRUNCATED;
        control = *in++;
        if (control < MAX_LITERAL) {
            n = control + 1;
            if (n > units - position)
                return SPICE_ERROR_CORRUPT;
            if (n * wire_size > (size_t)(end - in))
                return SPICE_ERROR_TRUNCATED;
        } else {
            SpiceErrorCode code = read_match(&in, end, control, units - position, &n, &distance);

            if (code != SPICE_OK)
                return code;
            n += unit_bias(unit);
            if (n > units - position || distance > position)
                return SPICE_ERROR_CORRUPT;
        }
        while (n) {
            size_t piece = rows->width - column;
            uint8_t *out;

            if (column == rows->width) { /* only now: there may be no next row to point to */
                row += rows->step;
                column = 0;
                piece = rows->width;
            }
            out = row + column * size;
            piece = n < piece ? n : piece;
            if (control < MAX_LITERAL) {
                put_literal(unit, out, in, piece);
                in += piece * wire_size;
            } else {
                size_t from = position - distance, from_column = from % rows->width;
                const uint8_t *from_row =
                    rows->first + (ptrdiff_t)(from / rows->width) * rows->step;

                if (piece > rows->width - from_column)
                    piece = rows->width - from_column;
                repeat(unit, out, out - (from_row + from_column * size), piece);
            }
            column += piece;
            position += piece;
            n -= piece;
        }
    }
    *input = in;
    return SPICE_OK;
}

ALWAYS_INLINE SpiceErrorCode decode_pass(Unit unit, const uint8_t **input, const uint8_t *end,
                                         const Rows *rows)
{
    if (rows->height == 1 || rows->step == (ptrdiff_t)(rows->width * unit_size(unit)))
        return decode_tight(unit, input, end, rows->first, rows->width * rows->height);
    return decode_rows(unit, input, end, rows);
}

size_t spice_lz_row_size(const SpiceLzHeader *header, SpiceLzTarget target)
{
    bool alpha = header->type == SPICE_LZ_A8 || header->type == SPICE_LZ_XXXA;

    switch (target) {
    case SPICE_LZ_TO_32:
        if (spice_lz_is_palette(header->type) || header->type == SPICE_LZ_XXXA)
            return 0;
        return (size_t)header->width * 4;
    case SPICE_LZ_TO_555:
        return header->type == SPICE_LZ_RGB16 ? (size_t)header->width * 2 : 0;
    case SPICE_LZ_TO_INDICES:
        return spice_lz_is_palette(header->type) ? header->stride : 0;
    case SPICE_LZ_TO_PLANE:
        return alpha ? header->width : 0;
    case SPICE_LZ_TO_ALPHA:
        return alpha ? (size_t)header->width * 4 : 0;
    }
    return 0;
}

bool spice_lz_decode(const SpiceLzHeader *header, const uint8_t *data, size_t size,
                     SpiceLzTarget target, uint8_t *top, ptrdiff_t stride, SpiceCpuFlags cpu,
                     SpiceError *error)
{
    const uint8_t *in = data + SPICE_LZ_HEADER_SIZE, *end = data + size;
    SpiceErrorCode code = SPICE_OK;
    size_t row_size = spice_lz_row_size(header, target);
    Rows rows = {top, stride, header->width, header->height};

    (void)cpu;
    if (size < SPICE_LZ_HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz header");
    if (row_size == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz type");
    if (!header->top_down) {
        rows.first = top + (ptrdiff_t)(header->height - 1) * stride;
        rows.step = -stride;
    }
    switch (target) {
    case SPICE_LZ_TO_INDICES:
        rows.width = header->stride;
        code = decode_pass(UNIT_BYTE, &in, end, &rows);
        break;
    case SPICE_LZ_TO_PLANE:
        code = decode_pass(UNIT_BYTE, &in, end, &rows);
        break;
    case SPICE_LZ_TO_555:
        code = decode_pass(UNIT_555, &in, end, &rows);
        break;
    case SPICE_LZ_TO_ALPHA:
        code = decode_pass(UNIT_ALPHA, &in, end, &rows);
        break;
    case SPICE_LZ_TO_32:
        if (header->type == SPICE_LZ_RGB16) {
            code = decode_pass(UNIT_555_TO_32, &in, end, &rows);
        } else if (header->type == SPICE_LZ_A8) {
            for (uint32_t y = 0; y < header->height; y++)
                memset(top + (ptrdiff_t)y * stride, 0, row_size);
            code = decode_pass(UNIT_ALPHA, &in, end, &rows);
        } else {
            code = decode_pass(UNIT_BGR_TO_32, &in, end, &rows);
            if (code == SPICE_OK && header->type == SPICE_LZ_RGBA)
                code = decode_pass(UNIT_ALPHA, &in, end, &rows);
        }
        break;
    }
    return code == SPICE_OK || spice_error_set(error, code, "lz data");
}
