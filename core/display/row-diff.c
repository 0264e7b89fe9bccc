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
__attribute__((target("sse2"))) static bool block_equal_sse2(const uint8_t *a, const uint8_t *b)
{
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)a);
    const __m128i y = _mm_loadu_si128((const __m128i *)(const void *)b);

    return _mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) == 0xffff;
}

__attribute__((target("sse2"))) static bool
diff_sse2(const uint8_t *a, const uint8_t *b, uint32_t n_pixels, uint32_t *first, uint32_t *last)
{
    uint32_t start = 0, end = n_pixels;

    while (end - start >= 4 && block_equal_sse2(a + 4 * (size_t)start, b + 4 * (size_t)start))
        start += 4;
    while (end - start >= 4 &&
           block_equal_sse2(a + 4 * (size_t)(end - 4), b + 4 * (size_t)(end - 4)))
        end -= 4;
    return diff_from(a, b, start, end, first, last);
}

__attribute__((target("avx2"))) static bool block_equal_avx2(const uint8_t *a, const uint8_t *b)
{
    const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)a);
    const __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)b);

    return _mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y)) == -1;
}

__attribute__((target("avx2"))) static bool
diff_avx2(const uint8_t *a, const uint8_t *b, uint32_t n_pixels, uint32_t *first, uint32_t *last)
{
    uint32_t start = 0, end = n_pixels;

    while (end - start >= 8 && block_equal_avx2(a + 4 * (size_t)start, b + 4 * (size_t)start))
        start += 8;
    while (end - start >= 8 &&
           block_equal_avx2(a + 4 * (size_t)(end - 8), b + 4 * (size_t)(end - 8)))
        end -= 8;
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
