/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quic.h"

#include "bytes.h"
#include "quic-model.h"
#include "rows.h"
#include "work.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The stream as 32-bit little-endian words, bits from the top down. The window's first `counted`
 * bits (from the top) come from words before `at`, the bits after them from the word there: they
 * are right, too, and may be used, but not yet accounted for. Past the end there are zeros; the
 * decoder looks after each row how far it came. */
typedef struct {
    const uint8_t *data;
    size_t size, at;
    uint64_t window;
    int counted; /* 32 to 63 after a refill, negative if more were used than were counted */
} Bits;

typedef struct Decoding Decoding;
typedef SpiceErrorCode (*DecodeImage)(SpiceQuicDecoder *decoder, const Decoding *what);

struct SpiceQuicDecoder {
    const SpiceAllocator *allocator;
    DecodeImage decode_image;
    uint8_t *memory; /* two rows of pixels, contexts of two groups, two rows of bytes */
    size_t memory_size;
    SpiceQuicFamily families[2]; /* of 8 and 5 bits */
    SpiceQuicGroup colours, alpha;
};

struct Decoding {
    const SpiceQuicHeader *header;
    const uint8_t *data;
    size_t size;
    SpiceQuicTarget target;
    uint8_t *top;
    ptrdiff_t stride;
};

bool spice_quic_read_header(SpiceQuicHeader *header, const uint8_t *data, size_t size,
                            uint64_t max_pixels, SpiceError *error)
{
    static const uint8_t components[] = {0, 1, 3, 3, 3, 4}, groups[] = {0, 1, 1, 1, 1, 2};
    uint32_t type, width, height;
    uint64_t later_row;

    if (size < SPICE_QUIC_HEADER_SIZE + 4)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "quic header");
    if (spice_load32(data) != 0x43495551)
        return spice_error_set(error, SPICE_ERROR_VALUE, "quic magic");
    if (spice_load32(data + 4) != 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "quic version");
    type = spice_load32(data + 8);
    width = spice_load32(data + 12);
    height = spice_load32(data + 16);
    if (type < SPICE_QUIC_GRAY || type > SPICE_QUIC_RGBA)
        return spice_error_set(error, SPICE_ERROR_VALUE, "quic type");
    if (width == 0 || width > INT32_MAX)
        return spice_error_set(error, SPICE_ERROR_VALUE, "quic width");
    if (height == 0 || height > INT32_MAX)
        return spice_error_set(error, SPICE_ERROR_VALUE, "quic height");
    if ((uint64_t)width * height > max_pixels || (uint64_t)width * height > (1u << 29) - 1)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "quic size");
    /* The first row has at least a bit a component. Later ones have three such pixels, and then at
     * least one bit a group. A few bytes can not stand for a large picture. */
    later_row = (uint64_t)components[type] * (width < 3 ? width : 3);
    if (width > 3)
        later_row += groups[type];
    if (((uint64_t)size - SPICE_QUIC_HEADER_SIZE) * 8 <
        components[type] * (uint64_t)width + (height - 1) * later_row)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "quic data");
    header->type = (uint8_t)type;
    header->width = width;
    header->height = height;
    return true;
}

size_t spice_quic_row_size(const SpiceQuicHeader *header, SpiceQuicTarget target)
{
    switch (target) {
    case SPICE_QUIC_TO_32:
        return header->type == SPICE_QUIC_GRAY ? 0 : (size_t)header->width * 4;
    case SPICE_QUIC_TO_555:
        return header->type == SPICE_QUIC_RGB16 ? (size_t)header->width * 2 : 0;
    case SPICE_QUIC_TO_GRAY:
        return header->type == SPICE_QUIC_GRAY ? header->width : 0;
    }
    return 0;
}

/* --- bits --- */

/* The two words at `at`, the first on top. */
ALWAYS_INLINE uint64_t two_words(const Bits *bits)
{
    uint64_t x;

    if (UNLIKELY(bits->at + 8 > bits->size)) {
        uint8_t last[8] = {0};

        if (bits->at < bits->size)
            memcpy(last, bits->data + bits->at, bits->size - bits->at);
        x = spice_load64(last);
    } else {
        x = spice_load64(bits->data + bits->at);
    }
    return x << 32 | x >> 32;
}

/* After this 63 bits may be used before the next one. */
ALWAYS_INLINE void refill(Bits *bits)
{
    unsigned step;

    if (UNLIKELY(bits->counted < 0)) {
        bits->window = two_words(bits) << -bits->counted;
        bits->at += 4;
        bits->counted += 32;
    }
    bits->window |= two_words(bits) >> bits->counted;
    step = (unsigned)(63 - bits->counted) >> 5;
    bits->at += 4 * step;
    bits->counted += 32 * (int)step;
}

ALWAYS_INLINE void use(Bits *bits, unsigned n)
{
    bits->window <<= n;
    bits->counted -= (int)n;
}

/* Whether all that was used was there, with the word after it that a stream has to have. */
static bool within_stream(const Bits *bits)
{
    uint64_t used = (uint64_t)bits->at * 8 - (uint64_t)(int64_t)bits->counted;

    return (used + 31) / 32 + 1 <= bits->size / 4;
}

/* A symbol of code number k. At most 21 of the 63 bits; it refills if it takes more. A code that
 * no encoder makes sets *bad. */
ALWAYS_INLINE unsigned read_symbol(Bits *bits, const SpiceQuicFamily *family, unsigned bpc,
                                   unsigned k, bool *bad)
{
    unsigned zeros = (unsigned)__builtin_clzll(bits->window | 1);
    uint64_t rest;

    if (UNLIKELY(zeros >= family->escape_prefix[k])) {
        unsigned n, suffix = family->escape_suffix[k];

        refill(bits);
        use(bits, family->escape_prefix[k]);
        n = family->escape_base[k] + (unsigned)(bits->window >> (64 - suffix));
        use(bits, suffix);
        refill(bits);
        if (UNLIKELY(n >> bpc))
            *bad = true;
        return n & ((1u << bpc) - 1);
    }
    rest = bits->window << (zeros + 1);
    bits->window = rest << k;
    bits->counted -= (int)(zeros + 1 + k);
    return zeros << k | (unsigned)(rest >> 1 >> (63 - k));
}

/* A run's length; more than `limit` if it is too long. */
ALWAYS_INLINE uint32_t read_run(Bits *bits, SpiceQuicGroup *group, uint32_t limit)
{
    uint32_t run = 0;
    unsigned state = group->run_state, ones, low;

    do {
        refill(bits);
        ones = (unsigned)__builtin_clzll(~bits->window | 1);
        ones = ones > 32 ? 32 : ones;
        for (unsigned i = 0; i < ones; i++) {
            run += 1u << spice_quic_run_bits[state];
            state += state < SPICE_QUIC_RUN_STATES - 1;
        }
        use(bits, ones);
        SPICE_WORK(1);
        if (UNLIKELY(run > limit))
            return run;
    } while (ones == 32);
    low = spice_quic_run_bits[state];
    run += (uint32_t)((bits->window << 1) >> 1 >> (63 - low));
    use(bits, 1 + low);
    group->run_state = state - (state > 0);
    return run;
}

/* --- rows --- */

ALWAYS_INLINE void fill_32(uint8_t *row, uint32_t pixel, uint32_t count)
{
    uint8_t pattern[16];

    for (int i = 0; i < 16; i += 4)
        spice_store32(pattern + i, pixel);
    for (; count >= 8; count -= 8, row += 32) {
        memcpy(row, pattern, 16);
        memcpy(row + 16, pattern, 16);
    }
    for (; count; count--, row += 4)
        spice_store32(row, pixel);
}

/* One row of colours, a pixel in 32 bits with the fourth byte 0. `contexts` has a place for the
 * pixel before the first and then one for each column. */
ALWAYS_INLINE bool decode_colours(SpiceQuicGroup *group, const SpiceQuicFamily *family,
                                  unsigned bpc, bool sse41, bool first_row, Bits *stream,
                                  uint32_t *contexts, uint8_t *row, const uint8_t *above,
                                  uint32_t width)
{
    Bits bits = *stream;
    unsigned wait = group->wait;
    uint32_t context = contexts[0] = first_row ? 0 : contexts[1];
    uint32_t left = 0, up_left = 0, i = 0;
    bool bad = false, level = false; /* level: the last two pixels are equal */

    while (i < width) {
        const uint32_t start = i, end = i + spice_quic_segment(group, width - i);
        const unsigned trigger = spice_quic_triggers[group->mask_index];
        uint32_t mark = UINT32_MAX;

        while (i < end) {
            uint32_t up = first_row ? 0 : spice_load32(above + 4 * (size_t)i);
            uint32_t prediction, symbols, pixel;
            unsigned b, g, r;

            if (!first_row && level && up == up_left && i > 2 && i != mark) {
                uint32_t run = read_run(&bits, group, end - i);

                if (UNLIKELY(run > end - i))
                    return false;
                mark = i;
                if (run) {
                    SPICE_WORK(run);
                    fill_32(row + 4 * (size_t)i, left, run);
                    i += run;
                    context = contexts[i];
                    up_left = spice_load32(above + 4 * (size_t)i - 4);
                    continue;
                }
            }
            SPICE_WORK(3);
            refill(&bits);
            r = read_symbol(&bits, family, bpc, group->models[2].best[context >> 16], &bad);
            g = read_symbol(&bits, family, bpc, group->models[1].best[context >> 8 & 255], &bad);
            b = read_symbol(&bits, family, bpc, group->models[0].best[context & 255], &bad);
            symbols = r << 16 | g << 8 | b;
            if (i == 0)
                prediction = up;
            else
                prediction = first_row ? left : spice_quic_mean(left, up);
            pixel = spice_quic_sum(prediction, spice_quic_unfold(symbols, bpc), bpc);
            spice_store32(row + 4 * (size_t)i, pixel);
            level = pixel == left;
            left = pixel;
            up_left = up;
            if (wait == 0) {
                spice_quic_update(&group->models[2], family, bpc, sse41, context >> 16, r, trigger);
                spice_quic_update(&group->models[1], family, bpc, sse41, context >> 8 & 255, g,
                                  trigger);
                spice_quic_update(&group->models[0], family, bpc, sse41, context & 255, b, trigger);
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
    return !bad;
}

/* One row of a component alone: grey or alpha. */
ALWAYS_INLINE bool decode_bytes(SpiceQuicGroup *group, const SpiceQuicFamily *family, bool sse41,
                                bool first_row, Bits *stream, uint8_t *contexts, uint8_t *row,
                                const uint8_t *above, uint32_t width)
{
    Bits bits = *stream;
    unsigned wait = group->wait, left = 0, up_left = 0;
    unsigned context = contexts[0] = first_row ? 0 : contexts[1];
    uint32_t i = 0;
    bool bad = false, level = false;

    while (i < width) {
        const uint32_t start = i, end = i + spice_quic_segment(group, width - i);
        const unsigned trigger = spice_quic_triggers[group->mask_index];
        uint32_t mark = UINT32_MAX;

        while (i < end) {
            unsigned up = first_row ? 0 : above[i], prediction, symbol, value;

            if (!first_row && level && up == up_left && i > 2 && i != mark) {
                uint32_t run = read_run(&bits, group, end - i);

                if (UNLIKELY(run > end - i))
                    return false;
                mark = i;
                if (run) {
                    SPICE_WORK(run);
                    memset(row + i, (int)left, run);
                    i += run;
                    context = contexts[i];
                    up_left = above[i - 1];
                    continue;
                }
            }
            SPICE_WORK(1);
            refill(&bits);
            symbol = read_symbol(&bits, family, 8, group->models[0].best[context], &bad);
            if (i == 0)
                prediction = up;
            else
                prediction = first_row ? left : (left + up) >> 1;
            value = (prediction + (spice_quic_unfold(symbol, 8))) & 255;
            row[i] = (uint8_t)value;
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
    return !bad;
}

/* --- images --- */

/* The rows of memory that a decoder works in. */
typedef struct {
    uint8_t *rows[2];  /* pixels of this row and the one above, in turn */
    uint8_t *bytes[2]; /* grey or alpha, the same */
    uint32_t *contexts;
    uint8_t *byte_contexts;
} Work;

static bool prepare(SpiceQuicDecoder *decoder, uint32_t width, Work *work)
{
    size_t step = ((size_t)width + 1 + 15) & ~(size_t)15;
    uint8_t *p;

    if (decoder->memory_size < 15 * step) {
        if (decoder->memory)
            decoder->allocator->release(decoder->allocator->context, decoder->memory);
        decoder->memory = decoder->allocator->alloc(decoder->allocator->context, 15 * step);
        decoder->memory_size = decoder->memory ? 15 * step : 0;
        if (!decoder->memory)
            return false;
    }
    p = decoder->memory;
    work->contexts = (uint32_t *)(void *)p;
    work->rows[0] = p + 4 * step;
    work->rows[1] = p + 8 * step;
    work->byte_contexts = p + 12 * step;
    work->bytes[0] = p + 13 * step;
    work->bytes[1] = p + 14 * step;
    return true;
}

ALWAYS_INLINE SpiceErrorCode decode_image(SpiceQuicDecoder *decoder, const Decoding *what,
                                          bool sse41)
{
    const uint32_t width = what->header->width, height = what->header->height;
    const uint8_t type = what->header->type;
    const SpiceQuicFamily *eight = &decoder->families[0], *five = &decoder->families[1];
    Bits bits = {.data = what->data, .size = what->size & ~(size_t)3, .at = SPICE_QUIC_HEADER_SIZE};
    Work work;

    if (!prepare(decoder, width, &work))
        return SPICE_ERROR_MEMORY;
    spice_quic_group_init(&decoder->colours, type == SPICE_QUIC_RGB16 ? 5 : 8);
    spice_quic_group_init(&decoder->alpha, 8);
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *out = what->top + (ptrdiff_t)y * what->stride;
        uint8_t *row = work.rows[y & 1], *above = work.rows[~y & 1];
        uint8_t *bytes = work.bytes[y & 1], *bytes_above = work.bytes[~y & 1];
        bool good = true;

        switch (type) {
        case SPICE_QUIC_RGB16:
            if (y == 0)
                good = decode_colours(&decoder->colours, five, 5, sse41, true, &bits, work.contexts,
                                      row, NULL, width);
            else
                good = decode_colours(&decoder->colours, five, 5, sse41, false, &bits,
                                      work.contexts, row, above, width);
            if (!good)
                break;
            if (what->target == SPICE_QUIC_TO_555)
                spice_row_pack_555(out, row, width);
            else
                spice_row_widen(out, row, width);
            break;
        case SPICE_QUIC_RGB24:
        case SPICE_QUIC_RGB32:
            row = out; /* no detour */
            above = out - what->stride;
            /* fall through */
        case SPICE_QUIC_RGBA:
            if (y == 0)
                good = decode_colours(&decoder->colours, eight, 8, sse41, true, &bits,
                                      work.contexts, row, NULL, width);
            else
                good = decode_colours(&decoder->colours, eight, 8, sse41, false, &bits,
                                      work.contexts, row, above, width);
            if (type != SPICE_QUIC_RGBA || !good)
                break;
            /* fall through */
        default:
            if (y == 0)
                good = decode_bytes(&decoder->alpha, eight, sse41, true, &bits, work.byte_contexts,
                                    bytes, NULL, width);
            else
                good = decode_bytes(&decoder->alpha, eight, sse41, false, &bits, work.byte_contexts,
                                    bytes, bytes_above, width);
            if (!good)
                break;
            if (type == SPICE_QUIC_RGBA)
                spice_row_join_alpha(out, row, bytes, width);
            else
                memcpy(out, bytes, width);
            break;
        }
        if (!within_stream(&bits))
            return SPICE_ERROR_TRUNCATED;
        if (!good)
            return SPICE_ERROR_CORRUPT;
    }
    return SPICE_OK;
}

static SpiceErrorCode decode_image_c(SpiceQuicDecoder *decoder, const Decoding *what)
{
    return decode_image(decoder, what, false);
}

#if SPICE_QUIC_X86
__attribute__((target("sse4.1,bmi,bmi2,lzcnt"))) static SpiceErrorCode
decode_image_bmi2(SpiceQuicDecoder *decoder, const Decoding *what)
{
    return decode_image(decoder, what, true);
}
#endif

SpiceQuicDecoder *spice_quic_decoder_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu)
{
    SpiceQuicDecoder *decoder = allocator->alloc(allocator->context, sizeof *decoder);

    if (!decoder)
        return NULL;
    memset(decoder, 0, sizeof *decoder);
    decoder->allocator = allocator;
    decoder->decode_image = decode_image_c;
#if SPICE_QUIC_X86
    if ((cpu & SPICE_CPU_SSE41) && (cpu & SPICE_CPU_BMI2) && (cpu & SPICE_CPU_LZCNT))
        decoder->decode_image = decode_image_bmi2;
#endif
    spice_quic_family_fill(&decoder->families[0], 8);
    spice_quic_family_fill(&decoder->families[1], 5);
    return decoder;
}

void spice_quic_decoder_free(SpiceQuicDecoder *decoder)
{
    if (!decoder)
        return;
    if (decoder->memory)
        decoder->allocator->release(decoder->allocator->context, decoder->memory);
    decoder->allocator->release(decoder->allocator->context, decoder);
}

bool spice_quic_decode(SpiceQuicDecoder *decoder, const SpiceQuicHeader *header,
                       const uint8_t *data, size_t size, SpiceQuicTarget target, uint8_t *top,
                       ptrdiff_t stride, SpiceError *error)
{
    Decoding what = {header, data, size, target, top, stride};
    SpiceErrorCode code;

    if (spice_quic_row_size(header, target) == 0)
        return spice_error_set(error, SPICE_ERROR_VALUE, "quic type");
    code = decoder->decode_image(decoder, &what);
    return code == SPICE_OK || spice_error_set(error, code, "quic data");
}
