/* Raster operations: functions of the bits of two operands, or of three.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A boolean function of two operands a and b as its truth table: bit 0 is f(1,1), bit 1 f(1,0),
 * bit 2 f(0,1), bit 3 f(0,0). These are the numbers that X11 gives its GX functions. */
typedef enum {
    SPICE_ROP_CLEAR = 0,
    SPICE_ROP_A = 3,
    SPICE_ROP_KEEP = 5, /* b */
    SPICE_ROP_XOR = 6,
    SPICE_ROP_OR = 7,
    SPICE_ROP_INVERT = 10, /* ~b */
    SPICE_ROP_SET = 15,
} SpiceRop;

/** The function that a rop_descriptor means, given which of its SPICE_ROPD_INVERS_* bits apply to
 * a and to b (SPICE protocol, "Two-operand raster operations"): for fill and stroke
 * INVERS_BRUSH and INVERS_DEST, for copy and blend INVERS_SRC and INVERS_DEST, for opaque
 * INVERS_BRUSH and INVERS_SRC. */
SpiceRop spice_rop_of_descriptor(uint16_t descriptor, uint16_t invert_a, uint16_t invert_b);

/** out = f(a, out) over `size` bytes. `a` must not overlap `out` unless the rop is A. */
void spice_rop_row(SpiceRop rop, uint8_t *out, const uint8_t *a, size_t size);

/** What f does with a constant `a`: out = (out & keep) ^ flip. */
typedef struct {
    uint32_t keep, flip;
} SpiceRopConstant;

SpiceRopConstant spice_rop_with_constant(SpiceRop rop, uint32_t a);

/** out = (out & keep) ^ flip over `size` bytes; the words are repeated from the row's start, so a
 * pixel smaller than 32 bits has to be repeated in them. */
void spice_rop_row_constant(SpiceRopConstant constant, uint8_t *out, size_t size);

/** A ternary code (Windows ROP3) over rows: out = f(pattern, source, out). */
void spice_rop3_row(uint8_t code, uint8_t *out, const uint8_t *source, const uint8_t *pattern,
                    size_t size);
