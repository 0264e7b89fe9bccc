/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quic.h"

#include "bytes.h"
#include "quic-model.h"
#include "rows.h"

enum { COLOURS = 0x00ffffff };

/* Bits on their way out: 32-bit little-endian words, filled from the top. `end` is not looked at
 * here: a row is only begun where the longest row fits. */
typedef struct {
    uint8_t *at;
    uint64_t pending; /* its low `n` bits are still to be written; n < 32 between calls */
    unsigned n;
} Bits;

typedef size_t (*EncodeImage)(SpiceQuicEncoder *encoder, const SpiceQuicSource *source,
                              uint8_t *out, size_t capacity);

struct SpiceQuicEncoder {
    const SpiceAllocator *allocator;
    EncodeImage encode_image;
    uint8_t *memory;
    size_t memory_size;
    SpiceQuicFamily families[2]; /* of 8 and 5 bits */
    SpiceQuicGroup colours, alpha;
};

/* --- bits --- */

/* At most 32 bits. */
ALWAYS_INLINE void put(Bits *bits, uint64_t code, unsigned length)
{
    bits->pending = bits->pending << length | code;
    bits->n += length;
    /* with less than a whole word this is garbage that the next word overwrites */
    spice_store32(bits->at, (uint32_t)(bits->pending >> ((bits->n - 32) & 63)));
    bits->at += bits->n >> 5 << 2;
    bits->n &= 31;
}

ALWAYS_INLINE void put_code(Bits *bits, uint32_t entry)
{
    put(bits, entry >> 5, entry & 31);
}

static void put_run(Bits *bits, SpiceQuicGroup *group, uint32_t run)
{
    unsigned state = group->run_state, ones = 0, low;

    while (run >= 1u << spice_quic_run_bits[state]) {
        run -= 1u << spice_quic_run_bits[state];
        state += state < SPICE_QUIC_RUN_STATES - 1;
        if (++ones == 32) {
            put(bits, UINT32_MAX, 32);
            ones = 0;
        }
    }
    low = spice_quic_run_bits[state];
    put(bits, (2ull << ones) - 2, ones + 1); /* at most 31 of them, and a zero */
    put(bits, run, low);
    group->run_state = state - (state > 0);
}

/* --- runs --- */

/* How many of `limit` pixels from `row` on have this colour. */
ALWAYS_INLINE uint32_t colour_run(const uint8_t *row, uint32_t pixel, uint32_t limit)
{
    const uint64_t two = pixel | (uint64_t)pixel << 32, mask = COLOURS | (uint64_t)COLOURS << 32;
    uint32_t n = 0;

    for (; limit - n >= 8; n += 8, row += 32) {
        uint64_t a = (spice_load64(row) ^ two) & mask, b = (spice_load64(row + 8) ^ two) & mask;
        uint64_t c = (spice_load64(row + 16) ^ two) & mask;
        uint64_t d = (spice_load64(row + 24) ^ two) & mask;

        if (a | b | c | d)
            break;
    }
    for (; n < limit && (spice_load32(row) & COLOURS) == pixel; row += 4)
        n++;
    return n;
}

ALWAYS_INLINE uint32_t byte_run(const uint8_t *row, unsigned value, uint32_t limit)
{
    const uint64_t eight = (uint64_t)value * 0x0101010101010101;
    uint32_t n = 0;

    while (limit - n >= 8 && spice_load64(row + n) == eight)
        n += 8;
    while (n < limit && row[n] == value)
        n++;
    return n;
}

/* --- rows --- */

/* Pixels whose symbols are worked out at once, before it is known which of them runs cover. */
enum { AHEAD = 16, MAY_RUN = 1 << 24 };

/* The symbols of AHEAD pixels, of which the first is not at column 0. To those where a run may
 * begin, for the pixels that the decoder knows by then, MAY_RUN is added. */
ALWAYS_INLINE void look_ahead(uint32_t *symbols, const uint8_t *row, const uint8_t *above,
                              unsigned bpc, bool first_row)
{
    uint32_t here[AHEAD], left[AHEAD], left2[AHEAD], up[AHEAD], up_left[AHEAD];

    memcpy(here, row, sizeof here);
    memcpy(left, row - 4, sizeof left);
    if (first_row) {
        for (int i = 0; i < AHEAD; i++) {
            uint32_t d = spice_quic_difference(SPICE_LE32(here[i]), SPICE_LE32(left[i]), bpc);

            symbols[i] = spice_quic_fold(d, bpc) & COLOURS;
        }
        return;
    }
    memcpy(left2, row - 8, sizeof left2);
    memcpy(up, above, sizeof up);
    memcpy(up_left, above - 4, sizeof up_left);
    for (int i = 0; i < AHEAD; i++) {
        uint32_t l = SPICE_LE32(left[i]), u = SPICE_LE32(up[i]);
        uint32_t unlike = (l ^ SPICE_LE32(left2[i])) | (u ^ SPICE_LE32(up_left[i]));
        uint32_t d = spice_quic_difference(SPICE_LE32(here[i]), spice_quic_mean(l, u), bpc);

        symbols[i] = (spice_quic_fold(d, bpc) & COLOURS) | ((unlike & COLOURS) ? 0 : MAY_RUN);
    }
}

/* The same for one pixel, anywhere. */
ALWAYS_INLINE uint32_t look_at(uint32_t i, const uint8_t *row, const uint8_t *above, unsigned bpc,
                               bool first_row)
{
    uint32_t here = spice_load32(row + 4 * (size_t)i), prediction = 0, symbols;
    bool may_run = false;

    if (i == 0) {
        prediction = first_row ? 0 : spice_load32(above);
    } else {
        prediction = spice_load32(row + 4 * (size_t)i - 4);
        if (!first_row) {
            uint32_t up = spice_load32(above + 4 * (size_t)i);

            may_run = i > 2 && !((prediction ^ spice_load32(row + 4 * (size_t)i - 8)) & COLOURS) &&
                      !((up ^ spice_load32(above + 4 * (size_t)i - 4)) & COLOURS);
            prediction = spice_quic_mean(prediction, up);
        }
    }
    symbols = spice_quic_fold(spice_quic_difference(here, prediction, bpc), bpc) & COLOURS;
    return symbols | (may_run ? MAY_RUN : 0);
}

/* One row of colours in 32 bits a pixel, the fourth byte not looked at. `contexts` has a place for
 * the pixel before the first and then one for each column. */
ALWAYS_INLINE void encode_colours(SpiceQuicGroup *group, const SpiceQuicFamily *family,
                                  unsigned bpc, bool sse41, bool first_row, Bits *stream,
                                  uint32_t *contexts, const uint8_t *row, const uint8_t *above,
                                  uint32_t width)
{
    uint32_t ahead[AHEAD];
    Bits bits = *stream;
    unsigned wait = group->wait;
    uint32_t context = contexts[0] = first_row ? 0 : contexts[1];
    uint32_t i = 0, ahead_from = 0, ahead_end = 0;

    while (i < width) {
        const uint32_t start = i, end = i + spice_quic_segment(group, width - i);
        const unsigned trigger = spice_quic_triggers[group->mask_index];
        uint32_t mark = UINT32_MAX;

        while (i < end) {
            uint32_t symbols, r, g, b;
            unsigned length;

            if (i >= ahead_end) {
                ahead_from = i;
                if (i > 2 && width - i >= AHEAD) {
                    look_ahead(ahead, row + 4 * (size_t)i, first_row ? NULL : above + 4 * (size_t)i,
                               bpc, first_row);
                    ahead_end = i + AHEAD;
                } else {
                    ahead[0] = look_at(i, row, above, bpc, first_row);
                    ahead_end = i + 1;
                }
            }
            symbols = ahead[i - ahead_from];
            if (!first_row && symbols >= MAY_RUN && i != mark) {
                uint32_t pixel = spice_load32(row + 4 * (size_t)i - 4) & COLOURS;
                uint32_t run = colour_run(row + 4 * (size_t)i, pixel, end - i);

                put_run(&bits, group, run);
                mark = i;
                if (run) {
                    i += run;
                    context = contexts[i];
                    continue;
                }
            }
            r = family->codes[group->models[2].best[context >> 16 & 255]][symbols >> 16 & 255];
            g = family->codes[group->models[1].best[context >> 8 & 255]][symbols >> 8 & 255];
            b = family->codes[group->models[0].best[context & 255]][symbols & 255];
            length = (r & 31) + (g & 31) + (b & 31);
            if (length <= 32) {
                uint64_t code = (uint64_t)(r >> 5) << (g & 31) | g >> 5;

                put(&bits, code << (b & 31) | b >> 5, length);
            } else {
                put_code(&bits, r);
                put_code(&bits, g);
                put_code(&bits, b);
            }
            if (wait == 0) {
                spice_quic_update(&group->models[2], family, bpc, sse41, context >> 16 & 255,
                                  symbols >> 16 & 255, trigger);
                spice_quic_update(&group->models[1], family, bpc, sse41, context >> 8 & 255,
                                  symbols >> 8 & 255, trigger);
                spice_quic_update(&group->models[0], family, bpc, sse41, context & 255,
                                  symbols & 255, trigger);
                wait = spice_quic_draw(group);
            } else {
                wait--;
            }
            context = symbols;
            i++;
            contexts[i] = context;
        }
        spice_quic_segment_done(group, end - start);
    }
    group->wait = wait;
    *stream = bits;
}

/* One row of a component alone: grey or alpha. */
ALWAYS_INLINE void encode_bytes(SpiceQuicGroup *group, const SpiceQuicFamily *family, bool sse41,
                                bool first_row, Bits *stream, uint8_t *contexts, const uint8_t *row,
                                const uint8_t *above, uint32_t width)
{
    Bits bits = *stream;
    unsigned wait = group->wait, left = 0, up_left = 0;
    unsigned context = contexts[0] = first_row ? 0 : contexts[1];
    uint32_t i = 0;
    bool level = false;

    while (i < width) {
        const uint32_t start = i, end = i + spice_quic_segment(group, width - i);
        const unsigned trigger = spice_quic_triggers[group->mask_index];
        uint32_t mark = UINT32_MAX;

        while (i < end) {
            unsigned up = first_row ? 0 : above[i], prediction, symbol, value;

            if (!first_row && level && up == up_left && i > 2 && i != mark) {
                uint32_t run = byte_run(row + i, left, end - i);

                put_run(&bits, group, run);
                mark = i;
                if (run) {
                    i += run;
                    context = contexts[i];
                    up_left = above[i - 1];
                    continue;
                }
            }
            value = row[i];
            if (i == 0)
                prediction = up;
            else
                prediction = first_row ? left : (left + up) >> 1;
            symbol = spice_quic_fold((value - prediction) & 255, 8) & 255;
            put_code(&bits, family->codes[group->models[0].best[context]][symbol]);
            level = value == left;
            left = value;
            up_left = up;
            if (wait == 0) {
                spice_quic_update(&group->models[0], family, 8, sse41, context, symbol, trigger);
                wait = spice_quic_draw(group);
            } else {
                wait--;
            }
            context = symbol;
            i++;
            contexts[i] = (uint8_t)context;
        }
        spice_quic_segment_done(group, end - start);
    }
    group->wait = wait;
    *stream = bits;
}

/* --- images --- */

/* The memory that an encoder works in. */
typedef struct {
    uint8_t *rows[2];  /* unfolded pixels of this row and the one above, in turn */
    uint8_t *bytes[2]; /* alpha, the same */
    uint32_t *contexts;
    uint8_t *byte_contexts;
    uint8_t *spill; /* the code of a row that may not fit any more */
    size_t longest; /* bytes that a row's code may take, with room for a whole word */
} Work;

static bool prepare(SpiceQuicEncoder *encoder, const SpiceQuicSource *source, Work *work)
{
    /* bits a pixel at the most: literals of 26 or 25 bits a component and a token of 16 a group */
    static const uint8_t most[] = {0, 42, 91, 94, 94, 136};
    size_t step = ((size_t)source->width + 1 + 15) & ~(size_t)15, size;
    uint8_t *p;

    work->longest = (size_t)(((uint64_t)source->width * most[source->type] + 7) / 8 + 16);
    size = 15 * step + work->longest;
    if (encoder->memory_size < size) {
        if (encoder->memory)
            encoder->allocator->release(encoder->allocator->context, encoder->memory);
        encoder->memory = encoder->allocator->alloc(encoder->allocator->context, size);
        encoder->memory_size = encoder->memory ? size : 0;
        if (!encoder->memory)
            return false;
    }
    p = encoder->memory;
    work->contexts = (uint32_t *)(void *)p;
    work->rows[0] = p + 4 * step;
    work->rows[1] = p + 8 * step;
    work->byte_contexts = p + 12 * step;
    work->bytes[0] = p + 13 * step;
    work->bytes[1] = p + 14 * step;
    work->spill = p + 15 * step;
    return true;
}

/* One row of the picture with all its groups. */
ALWAYS_INLINE void encode_row(SpiceQuicEncoder *encoder, const SpiceQuicSource *source, Work *work,
                              bool sse41, uint32_t y, Bits *bits)
{
    const uint32_t width = source->width;
    const SpiceQuicFamily *eight = &encoder->families[0], *five = &encoder->families[1];
    const uint8_t *in = source->top + (ptrdiff_t)y * source->stride;
    const uint8_t *row = in, *above = y ? in - source->stride : NULL;
    const uint8_t *bytes = in, *bytes_above = above;

    if (source->type == SPICE_QUIC_RGB16 || source->type == SPICE_QUIC_RGB24) {
        row = work->rows[y & 1];
        above = work->rows[~y & 1];
        if (source->type == SPICE_QUIC_RGB16)
            spice_row_unpack_555(work->rows[y & 1], in, width);
        else
            spice_row_spread_24(work->rows[y & 1], in, width);
    }
    if (source->type == SPICE_QUIC_RGB16) {
        if (y == 0)
            encode_colours(&encoder->colours, five, 5, sse41, true, bits, work->contexts, row, NULL,
                           width);
        else
            encode_colours(&encoder->colours, five, 5, sse41, false, bits, work->contexts, row,
                           above, width);
    } else if (source->type != SPICE_QUIC_GRAY) {
        if (y == 0)
            encode_colours(&encoder->colours, eight, 8, sse41, true, bits, work->contexts, row,
                           NULL, width);
        else
            encode_colours(&encoder->colours, eight, 8, sse41, false, bits, work->contexts, row,
                           above, width);
    }
    if (source->type == SPICE_QUIC_RGBA) {
        spice_row_take_alpha(work->bytes[y & 1], in, width);
        bytes = work->bytes[y & 1];
        bytes_above = work->bytes[~y & 1];
    }
    if (source->type == SPICE_QUIC_RGBA || source->type == SPICE_QUIC_GRAY) {
        if (y == 0)
            encode_bytes(&encoder->alpha, eight, sse41, true, bits, work->byte_contexts, bytes,
                         NULL, width);
        else
            encode_bytes(&encoder->alpha, eight, sse41, false, bits, work->byte_contexts, bytes,
                         bytes_above, width);
    }
}

ALWAYS_INLINE size_t encode_image(SpiceQuicEncoder *encoder, const SpiceQuicSource *source,
                                  bool sse41, uint8_t *out, size_t capacity)
{
    uint8_t *const end = out + capacity;
    Bits bits = {.at = out + SPICE_QUIC_HEADER_SIZE};
    Work work;

    if (capacity < SPICE_QUIC_MIN_SIZE || !prepare(encoder, source, &work))
        return 0;
    spice_store32(out, 0x43495551);
    spice_store32(out + 4, 0);
    spice_store32(out + 8, source->type);
    spice_store32(out + 12, source->width);
    spice_store32(out + 16, source->height);
    spice_quic_group_init(&encoder->colours, source->type == SPICE_QUIC_RGB16 ? 5 : 8);
    spice_quic_group_init(&encoder->alpha, 8);
    for (uint32_t y = 0; y < source->height; y++) {
        uint8_t *at = bits.at;

        if ((size_t)(end - at) >= work.longest) {
            encode_row(encoder, source, &work, sse41, y, &bits);
        } else { /* perhaps it is not that long */
            size_t size;

            bits.at = work.spill;
            encode_row(encoder, source, &work, sse41, y, &bits);
            size = (size_t)(bits.at - work.spill);
            if (size > (size_t)(end - at))
                return 0;
            memcpy(at, work.spill, size);
            bits.at = at + size;
        }
    }
    if ((size_t)(end - bits.at) < (bits.n ? 8 : 4))
        return 0;
    if (bits.n)
        put(&bits, 0, 32 - bits.n);
    spice_store32(bits.at, 0); /* a word that decoders want to look ahead to */
    return (size_t)(bits.at + 4 - out);
}

static size_t encode_image_c(SpiceQuicEncoder *encoder, const SpiceQuicSource *source, uint8_t *out,
                             size_t capacity)
{
    return encode_image(encoder, source, false, out, capacity);
}

#if SPICE_QUIC_X86
__attribute__((target("sse4.1,bmi,bmi2,lzcnt"))) static size_t
encode_image_bmi2(SpiceQuicEncoder *encoder, const SpiceQuicSource *source, uint8_t *out,
                  size_t capacity)
{
    return encode_image(encoder, source, true, out, capacity);
}
#endif

uint8_t spice_quic_type_of_format(uint8_t format)
{
    /* SPICE_BITMAP_FMT_16BIT, 24BIT, 32BIT and RGBA are 6 to 9 */
    return format >= 6 && format <= 9 ? format - 4 : 0;
}

SpiceQuicEncoder *spice_quic_encoder_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu)
{
    SpiceQuicEncoder *encoder = allocator->alloc(allocator->context, sizeof *encoder);

    if (!encoder)
        return NULL;
    memset(encoder, 0, sizeof *encoder);
    encoder->allocator = allocator;
    encoder->encode_image = encode_image_c;
#if SPICE_QUIC_X86
    if ((cpu & SPICE_CPU_SSE41) && (cpu & SPICE_CPU_BMI2) && (cpu & SPICE_CPU_LZCNT))
        encoder->encode_image = encode_image_bmi2;
#endif
    spice_quic_family_fill(&encoder->families[0], 8);
    spice_quic_family_fill(&encoder->families[1], 5);
    return encoder;
}

void spice_quic_encoder_free(SpiceQuicEncoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->memory)
        encoder->allocator->release(encoder->allocator->context, encoder->memory);
    encoder->allocator->release(encoder->allocator->context, encoder);
}

size_t spice_quic_encode(SpiceQuicEncoder *encoder, const SpiceQuicSource *source, uint8_t *out,
                         size_t capacity)
{
    uint64_t pixels = (uint64_t)source->width * source->height;

    if (source->type < SPICE_QUIC_GRAY || source->type > SPICE_QUIC_RGBA || pixels == 0 ||
        pixels > (1u << 29) - 1)
        return 0;
    return encoder->encode_image(encoder, source, out, capacity);
}
