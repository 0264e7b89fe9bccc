/* What QUIC's encoder and decoder share: the code families and the adaptive models. Internal.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "always-inline.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define SPICE_QUIC_X86 1
#else
#define SPICE_QUIC_X86 0
#endif

enum {
    SPICE_QUIC_MASKS = 7,        /* steps of the wait mask */
    SPICE_QUIC_MASK_STEP = 2048, /* pixels of a group from one to the next */
    SPICE_QUIC_MAX_CODE = 26,    /* bits of the longest codeword */
    SPICE_QUIC_BUCKETS = 8,
    SPICE_QUIC_RUN_STATES = 32,
};

/** The Golomb-Rice codes for symbols of 8 or 5 bits. Code number k is the count of low bits. */
typedef struct {
    uint8_t escape_prefix[8]; /* zero bits that begin an escape: one more than any regular code's */
    uint8_t escape_suffix[8]; /* bits after them */
    uint8_t escape_base[8];   /* the first symbol that is escaped */
    uint32_t codes[8][256];   /* [k][symbol]: codeword << 5 | its length */
    /* [symbol][lane]: length with code number bits - 1 - lane. The lanes run from the largest code
     * number down, because among equals that one is taken, and a search finds the first lane. */
    uint8_t lengths[256][8];
} SpiceQuicFamily;

void spice_quic_family_fill(SpiceQuicFamily *family, unsigned bits);

extern const uint8_t spice_quic_random[256];
extern const uint16_t spice_quic_triggers[SPICE_QUIC_MASKS];
/** Bits that follow a run token in each state; 2^that pixels a 1 bit stands for. */
extern const uint8_t spice_quic_run_bits[SPICE_QUIC_RUN_STATES];

/** A component's model. The context of a symbol is the symbol to its left; contexts share buckets
 * of 1, 2, 4, ... of them. A counter holds what the bucket's symbols would have cost with a code
 * number. It stays below 2^15: it is halved when the least one passes a trigger of at most 900,
 * each update adds 1 to 26, so at most 26 * 901 come to it in between, and half of what it was. */
typedef struct {
    _Alignas(16) uint16_t counters[SPICE_QUIC_BUCKETS][8]; /* lanes as in lengths */
    uint8_t best[256];                                     /* the code number to use, by context */
} SpiceQuicModel;

/** Components that are coded pixel by pixel and share the state of runs and updates. */
typedef struct {
    SpiceQuicModel models[3]; /* B, G, R (the bytes of a pixel in memory order), or one alone */
    unsigned wait;            /* literals until the next update */
    unsigned random;          /* next entry of spice_quic_random */
    unsigned mask_index;
    unsigned mask_left; /* pixels until mask_index rises */
    unsigned run_state;
} SpiceQuicGroup;

static inline void spice_quic_group_init(SpiceQuicGroup *group, unsigned bits)
{
    memset(group, 0, sizeof *group);
    group->mask_left = SPICE_QUIC_MASK_STEP;
    for (int c = 0; c < 3; c++) {
        SpiceQuicModel *model = &group->models[c];

        memset(model->best, (int)bits - 1, sizeof model->best);
        for (int b = 0; b < SPICE_QUIC_BUCKETS; b++) { /* lanes without a code never win */
            for (unsigned lane = bits; lane < 8; lane++)
                model->counters[b][lane] = 0x7fff;
        }
    }
}

/** Pixels from the current one on that see the same wait mask, of `pixels` left in the row. */
static inline uint32_t spice_quic_segment(const SpiceQuicGroup *group, uint32_t pixels)
{
    if (group->mask_index < SPICE_QUIC_MASKS - 1 && group->mask_left < pixels)
        return group->mask_left;
    return pixels;
}

static inline void spice_quic_segment_done(SpiceQuicGroup *group, uint32_t pixels)
{
    if (group->mask_index == SPICE_QUIC_MASKS - 1)
        return;
    group->mask_left -= pixels;
    if (group->mask_left == 0) {
        group->mask_index++;
        group->mask_left = SPICE_QUIC_MASK_STEP;
    }
}

ALWAYS_INLINE unsigned spice_quic_draw(SpiceQuicGroup *group)
{
    unsigned drawn = spice_quic_random[group->random] & ((1u << group->mask_index) - 1);

    group->random = (group->random + 1) & 255;
    return drawn;
}

/** Adds the symbol's lengths to the counters and finds the lane of the least one. */
ALWAYS_INLINE unsigned spice_quic_count(uint16_t *counters, const uint8_t *lengths, unsigned bits,
                                        unsigned trigger)
{
    unsigned least = UINT32_MAX, lane;

    for (unsigned i = 0; i < bits; i++) {
        unsigned c = counters[i] + lengths[i];

        counters[i] = (uint16_t)c;
        c = c << 3 | i;
        least = c < least ? c : least;
    }
    lane = least & 7;
    if (least >> 3 > trigger) {
        for (unsigned i = 0; i < bits; i++)
            counters[i] >>= 1;
    }
    return lane;
}

#if SPICE_QUIC_X86
/** The same with SSE 4.1. */
__attribute__((target("sse4.1"))) static inline unsigned
spice_quic_count_sse41(uint16_t *counters, const uint8_t *lengths, unsigned bits, unsigned trigger)
{
    __m128i *place = (__m128i *)(void *)counters;
    __m128i c = _mm_load_si128(place), least;

    c = _mm_add_epi16(c,
                      _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)(const void *)lengths)));
    least = _mm_minpos_epu16(c);
    if ((unsigned)_mm_extract_epi16(least, 0) > trigger) {
        c = _mm_srli_epi16(c, 1);
        if (bits == 5)
            c = _mm_or_si128(c, _mm_set_epi16(0x7fff, 0x7fff, 0x7fff, 0, 0, 0, 0, 0));
    }
    _mm_store_si128(place, c);
    return (unsigned)_mm_extract_epi16(least, 1);
}
#endif

/** Learns that `symbol` followed `context`. */
ALWAYS_INLINE void spice_quic_update(SpiceQuicModel *model, const SpiceQuicFamily *family,
                                     unsigned bits, bool sse41, unsigned context, unsigned symbol,
                                     unsigned trigger)
{
    const unsigned last = bits == 8 ? 7 : 4;
    unsigned bucket = 31u - (unsigned)__builtin_clz(context + 1), first, lane;
    uint8_t best;

    bucket = bucket > last ? last : bucket;
    first = (1u << bucket) - 1;
#if SPICE_QUIC_X86
    if (sse41)
        lane =
            spice_quic_count_sse41(model->counters[bucket], family->lengths[symbol], bits, trigger);
    else
#endif
        lane = spice_quic_count(model->counters[bucket], family->lengths[symbol], bits, trigger);
    best = (uint8_t)(bits - 1 - lane);
    if (best != model->best[first]) /* the last bucket has one more */
        memset(model->best + first, best, ((size_t)1 << bucket) + (bucket == last));
}

/* --- three or four bytes at once in 32 bits --- */

/** The rounded down mean of each byte. */
ALWAYS_INLINE uint32_t spice_quic_mean(uint32_t a, uint32_t b)
{
    return (a & b) + ((a ^ b) >> 1 & 0x7f7f7f7f);
}

/** Each byte of `a` minus that of `b`, modulo 2^bits; the fourth is garbage-free if both are 0. */
ALWAYS_INLINE uint32_t spice_quic_difference(uint32_t a, uint32_t b, unsigned bits)
{
    uint32_t d = ((a | 0x80808080) - (b & 0x7f7f7f7f)) ^ ((a ^ ~b) & 0x80808080);

    return bits == 8 ? d : d & 0x1f1f1f1f;
}

ALWAYS_INLINE uint32_t spice_quic_sum(uint32_t a, uint32_t b, unsigned bits)
{
    if (bits == 8)
        return ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080);
    return (a + b) & 0x1f1f1f1f;
}

/** Differences 0, -1, 1, -2, ... (modulo 2^bits) to symbols 0, 1, 2, 3, ... */
ALWAYS_INLINE uint32_t spice_quic_fold(uint32_t d, unsigned bits)
{
    uint32_t negative = d >> (bits - 1) & 0x01010101;

    if (bits == 8)
        return (d << 1 & 0xfefefefe) ^ negative * 0xff;
    return (d << 1 & 0x1e1e1e1e) ^ negative * 0x1f;
}

ALWAYS_INLINE uint32_t spice_quic_unfold(uint32_t n, unsigned bits)
{
    return (n >> 1 & 0x7f7f7f7f) ^ (n & 0x01010101) * (bits == 8 ? 0xff : 0x1f);
}
