/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

SpiceCpuFlags gst_spice_cpu_flags(void)
{
    SpiceCpuFlags flags = 0;

#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;

    if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & bit_LZCNT))
        flags |= SPICE_CPU_LZCNT;
    if (__builtin_cpu_supports("sse2"))
        flags |= SPICE_CPU_SSE2;
    if (__builtin_cpu_supports("ssse3"))
        flags |= SPICE_CPU_SSSE3;
    if (__builtin_cpu_supports("sse4.1"))
        flags |= SPICE_CPU_SSE41;
    if (__builtin_cpu_supports("avx2"))
        flags |= SPICE_CPU_AVX2;
    if (__builtin_cpu_supports("bmi2"))
        flags |= SPICE_CPU_BMI2;
#elif defined(__ARM_NEON)
    flags |= SPICE_CPU_NEON;
#endif
    return flags;
}
