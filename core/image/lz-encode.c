/* A greedy encoder. At each unit up to three places to copy from are looked at: the unit before
 * (a run), the unit above, and the last place that a hash table knows to begin with the same
 * units. The longest match wins if it takes fewer bytes than literals would.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "lz.h"

#include "bytes.h"
#include "lz-match.h"
#include "rows.h"

enum {
    HASH_BITS = 13,
    MAX_NEAR = 8191,      /* the largest distance of the short form */
    MAX_DISTANCE = 73727, /* of the long form */
    ENOUGH = 16,          /* units of a match that end the search for a longer one */
    SKIP_SHIFT = 10,    /* after 2^this units without a match every other one is tried, and so on */
    MAX_SKIP = 3,       /* until of four */
    MAX_MATCH_HEAD = 4, /* bytes of a match besides its length chain */
};

struct SpiceLzEncoder {
    const SpiceAllocator *allocator;
    /* Position of the last units with that hash. Positions count on from image to image (`base`),
     * so that what older images left is too far away to be used and needs no clearing. */
    uint32_t table[1 << HASH_BITS];
    uint32_t base;
    uint8_t *scratch;
    size_t scratch_size;
};

/* Writes a match, `length` without the bias. */
ALWAYS_INLINE uint8_t *put_match(uint8_t *out, size_t length, size_t distance)
{
    size_t d = distance - 1;
    unsigned hi = d < MAX_NEAR ? (unsigned)(d >> 8) : 31;

    if (length < 7) {
        *out++ = (uint8_t)(length << 5 | hi);
    } else {
        *out++ = (uint8_t)(7 << 5 | hi);
        length -= 7;
        while (length >= 255) {
            *out++ = 255;
            length -= 255;
        }
        *out++ = (uint8_t)length;
    }
    if (d < MAX_NEAR) {
        *out++ = (uint8_t)d;
    } else {
        d -= MAX_NEAR;
        *out++ = 255;
        *out++ = (uint8_t)(d >> 8);
        *out++ = (uint8_t)d;
    }
    return out;
}

/* The same where the length needs no chain: writes four bytes, and takes no branch. */
ALWAYS_INLINE uint8_t *put_short_match(uint8_t *out, size_t length, size_t distance)
{
    const size_t d = distance - 1, beyond = d - MAX_NEAR;
    const bool near = d < MAX_NEAR;

    out[0] = (uint8_t)(length << 5 | (near ? d >> 8 : 31));
    out[1] = (uint8_t)(near ? d : 255);
    out[2] = (uint8_t)(beyond >> 8);
    out[3] = (uint8_t)beyond;
    return out + (near ? 2 : 4);
}

/* Bytes that a match saves over literals; none or fewer if it cannot be expressed. */
ALWAYS_INLINE ptrdiff_t saving(Unit unit, size_t length, size_t distance)
{
    size_t cost = 2 + (distance > MAX_NEAR ? 2 : 0) + (length >= unit_bias(unit) + 7 ? 1 : 0);

    return length <= unit_bias(unit) ? 0 : (ptrdiff_t)(length * unit_wire_size(unit) - cost);
}

/* The table should stay in the first cache: it is looked at for each unit. Photos of 15 bits look
 * at most places, and have the most use for what is then left of that cache. */
ALWAYS_INLINE int unit_hash_bits(Unit unit)
{
    return unit == UNIT_555 ? HASH_BITS - 1 : HASH_BITS;
}

/* One pass: `units` units at `source`, rows of `width`. Returns where the output ends, NULL if it
 * does not fit. */
ALWAYS_INLINE uint8_t *encode_pass(Unit unit, const uint8_t *source, size_t units, size_t width,
                                   uint32_t *table, uint32_t base, uint8_t *out,
                                   const uint8_t *out_end)
{
    const size_t size = unit_size(unit);
    /* from here on a load of eight bytes could pass the end */
    const size_t hash_end = units >= 8 / size ? units - 8 / size + 1 : 0;
    const size_t above = width <= MAX_DISTANCE ? width : SIZE_MAX;
    size_t anchor = 0, i = 1, misses = 0;

    if (hash_end)
        table[hash(unit, source, unit_hash_bits(unit))] = base;
    while (i < hash_end) {
        const uint8_t *p = source + i * size;
        const uint64_t here = spice_load64(p);
        uint32_t *slot = &table[hash_of(unit, here, unit_hash_bits(unit))];
        /* the three places; what is out of reach becomes the unit before (by a mask, because that
         * cannot be foreseen) */
        const size_t known = base + (uint32_t)i - *slot - 1;
        const size_t known_in_reach = (size_t)0 - (known < MAX_DISTANCE);
        const size_t distances[3] = {1, i >= above ? above : 1, (known & known_in_reach) + 1};
        const uint64_t needed = worthwhile_mask(unit, i == anchor);
        uint64_t differs[3];
        size_t length = 0, distance = 1;
        ptrdiff_t saved = 0;

        for (int k = 0; k < 3; k++)
            differs[k] = (here ^ spice_load64(p - distances[k] * size)) & unit_mask(unit);
        /* amid a run every place looks alike: its start is worth more than its last unit */
        if (unit == UNIT_555)
            *slot = differs[0] & needed ? base + (uint32_t)i : *slot;
        else if (differs[0] & needed)
            *slot = base + (uint32_t)i;
        if ((differs[0] & needed) && (differs[1] & needed) && (differs[2] & needed)) {
            i += 1 + (misses >> SKIP_SHIFT);
            misses += misses < (size_t)MAX_SKIP << SKIP_SHIFT;
            continue;
        }
        if (unit == UNIT_555 && differs[0] && differs[1] && differs[2]) {
            /* all end within the eight bytes, as is usual in photos */
            for (int k = 0; k < 3; k++) {
                const size_t n = (size_t)__builtin_ctzll(differs[k]) / (8 * size);
                const ptrdiff_t s = (ptrdiff_t)(2 * n) - 2 - (distances[k] > MAX_NEAR ? 2 : 0);

                length = s > saved ? n : length;
                distance = s > saved ? distances[k] : distance;
                saved = s > saved ? s : saved;
            }
        } else {
            for (int k = 0; k < 3 && length < ENOUGH; k++) {
                size_t n;
                ptrdiff_t s;

                if (unit == UNIT_555 && differs[k]) /* one that goes on is there, or was */
                    continue;
                n = equal_units_from(unit, p, p - distances[k] * size, units - i, differs[k]);
                s = saving(unit, n, distances[k]);
                if (s > saved) {
                    saved = s;
                    length = n;
                    distance = distances[k];
                }
            }
        }
        if (saved <= 0) {
            i++;
            continue;
        }
        misses = 0;
        /* units that were passed by may belong to it */
        while (i > anchor && i > distance &&
               equal_units(unit, source + (i - 1) * size, source + (i - 1 - distance) * size, 1)) {
            i--;
            length++;
        }
        if (literals_size(unit, i - anchor) + MAX_MATCH_HEAD + length / 255 + 2 + WILD_LITERALS >
            (size_t)(out_end - out))
            return NULL;
        if (unit == UNIT_555 && i - anchor <= 16 / size)
            out = put_few_literals(unit, out, source + anchor * size, i - anchor,
                                   source + (hash_end - 1) * size);
        else
            out = put_literals_wild(unit, out, source + anchor * size, i - anchor);
        if (unit == UNIT_555 && length - unit_bias(unit) < 7)
            out = put_short_match(out, length - unit_bias(unit), distance);
        else
            out = put_match(out, length - unit_bias(unit), distance);
        i += length;
        anchor = i;
        if (i < hash_end)
            table[hash(unit, source + (i - 1) * size, unit_hash_bits(unit))] =
                base + (uint32_t)i - 1;
    }
    if (literals_size(unit, units - anchor) > (size_t)(out_end - out))
        return NULL;
    return put_literals(unit, out, source + anchor * size, units - anchor);
}

uint8_t spice_lz_type_of_format(uint8_t format)
{
    /* SPICE_BITMAP_FMT_1BIT_LE to RGBA have the same order; 8BIT_A is 10 */
    if (format >= 1 && format <= 9)
        return format;
    return format == 10 ? SPICE_LZ_A8 : 0;
}

SpiceLzEncoder *spice_lz_encoder_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu)
{
    SpiceLzEncoder *encoder = allocator->alloc(allocator->context, sizeof *encoder);

    (void)cpu;
    if (!encoder)
        return NULL;
    memset(encoder, 0, sizeof *encoder);
    encoder->allocator = allocator;
    encoder->base = MAX_DISTANCE + 1;
    return encoder;
}

void spice_lz_encoder_free(SpiceLzEncoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->scratch)
        encoder->allocator->release(encoder->allocator->context, encoder->scratch);
    encoder->allocator->release(encoder->allocator->context, encoder);
}

static uint8_t *scratch(SpiceLzEncoder *encoder, size_t size)
{
    if (encoder->scratch_size < size) {
        if (encoder->scratch)
            encoder->allocator->release(encoder->allocator->context, encoder->scratch);
        encoder->scratch = encoder->allocator->alloc(encoder->allocator->context, size);
        encoder->scratch_size = encoder->scratch ? size : 0;
    }
    return encoder->scratch;
}

/* Makes room for positions of `units` more units; returns the first. */
static uint32_t advance_base(SpiceLzEncoder *encoder, size_t units)
{
    uint32_t base = encoder->base;

    if (units > UINT32_MAX - base - 2 * (MAX_DISTANCE + 1)) {
        memset(encoder->table, 0, sizeof encoder->table);
        base = MAX_DISTANCE + 1;
    }
    encoder->base = base + (uint32_t)units + MAX_DISTANCE + 1;
    return base;
}

static uint8_t *encode_bytes(SpiceLzEncoder *encoder, const uint8_t *source, size_t units,
                             size_t width, uint8_t *out, const uint8_t *end)
{
    return encode_pass(UNIT_BYTE, source, units, width, encoder->table,
                       advance_base(encoder, units), out, end);
}

static uint8_t *encode_555(SpiceLzEncoder *encoder, const uint8_t *source, size_t units,
                           size_t width, uint8_t *out, const uint8_t *end)
{
    return encode_pass(UNIT_555, source, units, width, encoder->table, advance_base(encoder, units),
                       out, end);
}

static uint8_t *encode_bgr(SpiceLzEncoder *encoder, const uint8_t *source, size_t units,
                           size_t width, uint8_t *out, const uint8_t *end)
{
    return encode_pass(UNIT_BGR, source, units, width, encoder->table, advance_base(encoder, units),
                       out, end);
}

/* Where to find the rows of a source, in stream order. */
typedef struct {
    const uint8_t *first;
    ptrdiff_t step;
    size_t row_size;
    size_t width, height;
} Rows;

/* Rows as the codec needs them: without gaps. NULL without memory. */
static const uint8_t *without_gaps(SpiceLzEncoder *encoder, const Rows *rows)
{
    uint8_t *copy;

    if (rows->height == 1 || rows->step == (ptrdiff_t)rows->row_size)
        return rows->first;
    copy = scratch(encoder, rows->row_size * rows->height);
    for (size_t y = 0; copy && y < rows->height; y++)
        memcpy(copy + y * rows->row_size, rows->first + (ptrdiff_t)y * rows->step, rows->row_size);
    return copy;
}

/* 24-bit pixels as 32-bit ones. */
static const uint8_t *spread_24(SpiceLzEncoder *encoder, const Rows *rows)
{
    uint8_t *copy = scratch(encoder, rows->width * rows->height * 4);

    for (size_t y = 0; copy && y < rows->height; y++)
        spice_row_spread_24(copy + 4 * y * rows->width, rows->first + (ptrdiff_t)y * rows->step,
                            rows->width);
    return copy;
}

/* The fourth bytes of 32-bit pixels. */
static const uint8_t *alpha_plane(SpiceLzEncoder *encoder, const Rows *rows)
{
    uint8_t *copy = scratch(encoder, rows->width * rows->height);

    for (size_t y = 0; copy && y < rows->height; y++)
        spice_row_take_alpha(copy + y * rows->width, rows->first + (ptrdiff_t)y * rows->step,
                             rows->width);
    return copy;
}

/* Bytes of a row, as the header's stride gives them; 0 for an unknown type. */
static uint64_t source_row_size(uint8_t type, uint32_t width)
{
    switch (type) {
    case SPICE_LZ_PLT1_LE:
    case SPICE_LZ_PLT1_BE:
        return ((uint64_t)width + 7) / 8;
    case SPICE_LZ_PLT4_LE:
    case SPICE_LZ_PLT4_BE:
        return ((uint64_t)width + 1) / 2;
    case SPICE_LZ_PLT8:
    case SPICE_LZ_A8:
        return width;
    case SPICE_LZ_RGB16:
        return (uint64_t)width * 2;
    case SPICE_LZ_RGB24:
        return (uint64_t)width * 3;
    case SPICE_LZ_RGB32:
    case SPICE_LZ_RGBA:
    case SPICE_LZ_XXXA:
        return (uint64_t)width * 4;
    default:
        return 0;
    }
}

size_t spice_lz_encode(SpiceLzEncoder *encoder, const SpiceLzSource *source, uint8_t *out,
                       size_t capacity)
{
    uint64_t row_size = source_row_size(source->type, source->width);
    bool top_down = source->stride >= 0;
    Rows rows = {source->top, source->stride, (size_t)row_size, source->width, source->height};
    const uint8_t *pixels = NULL, *const end = out + capacity;
    uint8_t *p = out + SPICE_LZ_HEADER_SIZE;
    size_t units;

    if (row_size == 0 || source->height == 0 || row_size * source->height >= (uint64_t)1 << 32 ||
        (uint64_t)source->width * source->height >= (uint64_t)1 << 30 ||
        capacity < SPICE_LZ_HEADER_SIZE)
        return 0;
    if (!top_down) {
        rows.first = source->top + (ptrdiff_t)(source->height - 1) * source->stride;
        rows.step = -source->stride;
    }
    spice_store32_be(out, 0x20205a4c);
    spice_store32_be(out + 4, 0x00010001);
    spice_store32_be(out + 8, source->type);
    spice_store32_be(out + 12, source->width);
    spice_store32_be(out + 16, source->height);
    spice_store32_be(out + 20, (uint32_t)row_size);
    spice_store32_be(out + 24, top_down);

    units = rows.width * rows.height;
    switch (source->type) {
    case SPICE_LZ_RGB16:
        pixels = without_gaps(encoder, &rows);
        p = pixels ? encode_555(encoder, pixels, units, rows.width, p, end) : NULL;
        break;
    case SPICE_LZ_RGB24:
        pixels = spread_24(encoder, &rows);
        p = pixels ? encode_bgr(encoder, pixels, units, rows.width, p, end) : NULL;
        break;
    case SPICE_LZ_RGB32:
    case SPICE_LZ_RGBA:
        pixels = without_gaps(encoder, &rows);
        p = pixels ? encode_bgr(encoder, pixels, units, rows.width, p, end) : NULL;
        if (source->type == SPICE_LZ_RGB32 || !p)
            break;
        /* fall through */
    case SPICE_LZ_XXXA:
        pixels = alpha_plane(encoder, &rows);
        p = pixels ? encode_bytes(encoder, pixels, units, rows.width, p, end) : NULL;
        break;
    default: /* bytes: alpha, or indices with the padding of their rows */
        pixels = without_gaps(encoder, &rows);
        units = rows.row_size * rows.height;
        p = pixels ? encode_bytes(encoder, pixels, units, rows.row_size, p, end) : NULL;
        break;
    }
    return p ? (size_t)(p - out) : 0;
}
