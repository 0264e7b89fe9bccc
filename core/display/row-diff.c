/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "row-diff.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#define HAVE_X86 1
#endif

static bool equal(const uint8_t *a, const uint8_t *b, uint32_t i)
{
    return memcmp(a + 4 * (size_t)i, b + 4 * (size_t)i, 4) == 0;
}

/** From both ends towards the middle, one pixel at a time. */
static bool diff_from(const uint8_t *a, const uint8_t *b, uint32_t start, uint32_t end,
                      uint32_t *first, uint32_t *last)
{
    while (start < end && equal(a, b, start))
        start++;
    if (start == end)
        return false;
    while (equal(a, b, end - 1))
        end--;
    *first = start;
    *last = end - 1;
    return true;
}

static bool diff_c(const uint8_t *a, const uint8_t *b, uint32_t n_pixels, uint32_t *first,
                   uint32_t *last)
{
    return diff_from(a, b, 0, n_pixels, first, last);
}

#ifdef HAVE_X86
/* Blocks of 64 bytes, from both ends. */
enum { BLOCK = 16 };

__attribute__((target("sse2"))) static bool block_equal_sse2(const uint8_t *a, const uint8_t *b)
{
    const __m128i *x = (const __m128i *)(const void *)a, *y = (const __m128i *)(const void *)b;
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128(x), _mm_loadu_si128(y));

    for (int i = 1; i < 4; i++)
        equal =
            _mm_and_si128(equal, _mm_cmpeq_epi8(_mm_loadu_si128(x + i), _mm_loadu_si128(y + i)));
    return _mm_movemask_epi8(equal) == 0xffff;
}

__attribute__((target("sse2"))) static bool
diff_sse2(const uint8_t *a, const uint8_t *b, uint32_t n_pixels, uint32_t *first, uint32_t *last)
{
    uint32_t start = 0, end = n_pixels;

    while (end - start >= BLOCK && block_equal_sse2(a + 4 * (size_t)start, b + 4 * (size_t)start))
        start += BLOCK;
    while (end - start >= BLOCK &&
           block_equal_sse2(a + 4 * (size_t)(end - BLOCK), b + 4 * (size_t)(end - BLOCK)))
        end -= BLOCK;
    return diff_from(a, b, start, end, first, last);
}

__attribute__((target("avx2"))) static bool block_equal_avx2(const uint8_t *a, const uint8_t *b)
{
    const __m256i *x = (const __m256i *)(const void *)a, *y = (const __m256i *)(const void *)b;
    const __m256i differ =
        _mm256_or_si256(_mm256_xor_si256(_mm256_loadu_si256(x), _mm256_loadu_si256(y)),
                        _mm256_xor_si256(_mm256_loadu_si256(x + 1), _mm256_loadu_si256(y + 1)));

    return _mm256_testz_si256(differ, differ);
}

__attribute__((target("avx2"))) static bool
diff_avx2(const uint8_t *a, const uint8_t *b, uint32_t n_pixels, uint32_t *first, uint32_t *last)
{
    uint32_t start = 0, end = n_pixels;

    while (end - start >= BLOCK && block_equal_avx2(a + 4 * (size_t)start, b + 4 * (size_t)start))
        start += BLOCK;
    while (end - start >= BLOCK &&
           block_equal_avx2(a + 4 * (size_t)(end - BLOCK), b + 4 * (size_t)(end - BLOCK)))
        end -= BLOCK;
    return diff_from(a, b, start, end, first, last);
}
#endif

SpiceRowDiff spice_row_diff_find(SpiceCpuFlags cpu)
{
#ifdef HAVE_X86
    if (cpu & SPICE_CPU_AVX2)
        return diff_avx2;
    if (cpu & SPICE_CPU_SSE2)
        return diff_sse2;
#endif
    (void)cpu;
    return diff_c;
}
