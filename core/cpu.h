/* Features of the processor that the caller allows codecs to use.
 *
 * core/ never looks at the machine by itself: whoever creates a codec passes flags, so that a
 * test can run every variant and a host can forbid one. 0 asks for plain C.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

typedef uint32_t SpiceCpuFlags;

enum {
    SPICE_CPU_SSE2 = 1u << 0,
    SPICE_CPU_SSSE3 = 1u << 1,
    SPICE_CPU_SSE41 = 1u << 2,
    SPICE_CPU_AVX2 = 1u << 3,
    SPICE_CPU_BMI2 = 1u << 4,
    SPICE_CPU_LZCNT = 1u << 5,
    SPICE_CPU_NEON = 1u << 16,
};
