/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz.h"

#include "bytes.h"
#include "lz-copy.h"
#include "work.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define SPICE_LZ_X86 1
#else
#define SPICE_LZ_X86 0
#endif

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

#if SPICE_LZ_X86
/* How sixteen bytes are put for a short token: [0] are literals, [n] units repeated at a distance
 * of n, where the last serves all greater ones. */
enum { SHORT_UNITS = 8 };
static const uint8_t shuffles[1 + SHORT_UNITS][16] = {
    {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14},
    {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
    {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3},
    {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3},
    {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

/* Puts eight pixels of 15 bits from where they are in memory or, as literals, on the wire. */
__attribute__((target("ssse3"))) static inline void put_shuffled(uint8_t *out, const uint8_t *from,
                                                                 const uint8_t *shuffle)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)from);

    x = _mm_shuffle_epi8(x, _mm_loadu_si128((const __m128i *)(const void *)shuffle));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_and_si128(x, _mm_set1_epi16(0x7fff)));
}

/* Decodes the UNIT_555 token at *input if it is a short one, and not near either end. Else false:
 * nothing was done. In photos kind, length and distance of a token cannot be foreseen, so they are
 * chosen by masks: one way for literals and matches, without a branch. */
ALWAYS_INLINE bool decode_short_555(const uint8_t **input, const uint8_t *end, const uint8_t *start,
                                    uint8_t **output, const uint8_t *out_end)
{
    const uint8_t *in = *input;
    uint8_t *out = *output;
    const uint8_t *from;
    size_t literal, units, distance, far, taken;
    unsigned control;

    if (end - in < WILD || out_end - out < WILD)
        return false;
    control = in[0];
    literal = (size_t)0 - (control < MAX_LITERAL); /* all bits, or none */
    if (control >= ((7 * MAX_LITERAL & ~literal) | (SHORT_UNITS & literal)))
        return false;
    distance = (size_t)(control & 31) << 8 | in[1];
    far = (size_t)0 - (distance == NEAR_LIMIT);
    distance += ((size_t)in[2] << 8 | in[3]) & far;
    distance = (distance + 1) & ~literal;
    if (distance > (size_t)(out - start) / 2)
        return false;
    from = (const uint8_t *)(((uintptr_t)(out - 2 * distance) & ~literal) |
                             ((uintptr_t)(in + 1) & literal));
    put_shuffled(out, from, shuffles[distance < SHORT_UNITS ? distance : SHORT_UNITS]);
    units = (((control >> 5) + unit_bias(UNIT_555)) & ~literal) | ((control + 1) & literal);
    taken = ((2 + (far & 2)) & ~literal) | ((1 + 2 * units) & literal);
    SPICE_WORK(1 + units);
    *input = in + taken;
    *output = out + 2 * units;
    return true;
}
#endif

/* One pass into memory without gaps between rows. */
ALWAYS_INLINE SpiceErrorCode decode_tight(Unit unit, bool ssse3, const uint8_t **input,
                                          const uint8_t *end, uint8_t *out, size_t units)
{
    const size_t size = unit_size(unit), wire_size = unit_wire_size(unit);
    const uint8_t *in = *input;
    uint8_t *const start = out, *const out_end = out + units * size;

    while (out < out_end) {
        size_t n, room = (size_t)(out_end - out), distance;
        unsigned control;
        SpiceErrorCode code;

#if SPICE_LZ_X86
        if (ssse3 && unit == UNIT_555 && decode_short_555(&in, end, start, &out, out_end))
            continue;
#else
        (void)ssse3;
#endif
        if (in == end)
            return SPICE_ERROR_TRUNCATED;
        control = *in++;
        if (control < MAX_LITERAL) {
            n = control + 1;
            SPICE_WORK(1 + n);
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
        SPICE_WORK(1 + n);
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
            SPICE_WORK(1 + piece);
            column += piece;
            position += piece;
            n -= piece;
        }
    }
    *input = in;
    return SPICE_OK;
}

ALWAYS_INLINE SpiceErrorCode decode_pass(Unit unit, bool ssse3, const uint8_t **input,
                                         const uint8_t *end, const Rows *rows)
{
    if (rows->height == 1 || rows->step == (ptrdiff_t)(rows->width * unit_size(unit)))
        return decode_tight(unit, ssse3, input, end, rows->first, rows->width * rows->height);
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

/* What a decoder is to do. */
typedef struct {
    const SpiceLzHeader *header;
    const uint8_t *data;
    size_t size;
    SpiceLzTarget target;
    uint8_t *top;
    ptrdiff_t stride;
} Decoding;

ALWAYS_INLINE SpiceErrorCode decode(const Decoding *what, bool ssse3)
{
    const SpiceLzHeader *header = what->header;
    const uint8_t *in = what->data + SPICE_LZ_HEADER_SIZE, *end = what->data + what->size;
    SpiceErrorCode code = SPICE_OK;
    Rows rows = {what->top, what->stride, header->width, header->height};

    if (!header->top_down) {
        rows.first = what->top + (ptrdiff_t)(header->height - 1) * what->stride;
        rows.step = -what->stride;
    }
    switch (what->target) {
    case SPICE_LZ_TO_INDICES:
        rows.width = header->stride;
        code = decode_pass(UNIT_BYTE, ssse3, &in, end, &rows);
        break;
    case SPICE_LZ_TO_PLANE:
        code = decode_pass(UNIT_BYTE, ssse3, &in, end, &rows);
        break;
    case SPICE_LZ_TO_555:
        code = decode_pass(UNIT_555, ssse3, &in, end, &rows);
        break;
    case SPICE_LZ_TO_ALPHA:
        code = decode_pass(UNIT_ALPHA, ssse3, &in, end, &rows);
        break;
    case SPICE_LZ_TO_32:
        if (header->type == SPICE_LZ_RGB16) {
            code = decode_pass(UNIT_555_TO_32, ssse3, &in, end, &rows);
        } else if (header->type == SPICE_LZ_A8) {
            for (uint32_t y = 0; y < header->height; y++)
                memset(what->top + (ptrdiff_t)y * what->stride, 0, 4 * rows.width);
            code = decode_pass(UNIT_ALPHA, ssse3, &in, end, &rows);
        } else {
            code = decode_pass(UNIT_BGR_TO_32, ssse3, &in, end, &rows);
            if (code == SPICE_OK && header->type == SPICE_LZ_RGBA)
                code = decode_pass(UNIT_ALPHA, ssse3, &in, end, &rows);
        }
        break;
    }
    return code;
}

static SpiceErrorCode decode_c(const Decoding *what)
{
    return decode(what, false);
}

#if SPICE_LZ_X86
__attribute__((target("ssse3"))) static SpiceErrorCode decode_ssse3(const Decoding *what)
{
    return decode(what, true);
}
#endif

bool spice_lz_decode(const SpiceLzHeader *header, const uint8_t *data, size_t size,
                     SpiceLzTarget target, uint8_t *top, ptrdiff_t stride, SpiceCpuFlags cpu,
                     SpiceError *error)
{
    const Decoding what = {header, data, size, target, top, stride};
    SpiceErrorCode code;

    if (size < SPICE_LZ_HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "lz header");
    if (spice_lz_row_size(header, target) == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz type");
#if SPICE_LZ_X86
    code = cpu & SPICE_CPU_SSSE3 ? decode_ssse3(&what) : decode_c(&what);
#else
    (void)cpu;
    code = decode_c(&what);
#endif
    return code == SPICE_OK || spice_error_set(error, code, "lz data");
}
