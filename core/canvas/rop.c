/* A boolean function of bits is a sum (xor) of products (and) of its operands: for two operands
 * f = c0 ^ ca.a ^ cb.b ^ cab.ab with coefficients of all zeros or all ones, for three likewise with
 * eight. So one loop computes every function, without a branch, on words of any pixel size.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "rop.h"

#include <string.h>

#include "core/wire/draw.h"

SpiceRop spice_rop_of_descriptor(uint16_t descriptor, uint16_t invert_a, uint16_t invert_b)
{
    const unsigned not_a = descriptor & invert_a ? 1 : 0;
    const unsigned not_b = descriptor & invert_b ? 1 : 0;
    const unsigned not_result = descriptor & SPICE_ROPD_INVERS_RES ? 1 : 0;
    unsigned rop = 0;

    for (unsigned cell = 0; cell < 4; cell++) {
        const unsigned a = (cell < 2 ? 1u : 0u) ^ not_a, b = (cell & 1 ? 0u : 1u) ^ not_b;
        unsigned result;

        /* The first of these bits counts. */
        if (descriptor & SPICE_ROPD_OP_PUT)
            result = a;
        else if (descriptor & SPICE_ROPD_OP_OR)
            result = a | b;
        else if (descriptor & SPICE_ROPD_OP_AND)
            result = a & b;
        else if (descriptor & SPICE_ROPD_OP_XOR)
            result = a ^ b;
        else if (descriptor & SPICE_ROPD_OP_BLACKNESS)
            return SPICE_ROP_CLEAR;
        else if (descriptor & SPICE_ROPD_OP_WHITENESS)
            return SPICE_ROP_SET;
        else if (descriptor & SPICE_ROPD_OP_INVERS)
            return SPICE_ROP_INVERT;
        else
            return SPICE_ROP_A;
        rop |= (result ^ not_result) << cell;
    }
    return (SpiceRop)rop;
}

static uint64_t spread(unsigned bit)
{
    return bit & 1 ? ~(uint64_t)0 : 0;
}

static uint64_t load(const uint8_t *at, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, at, size);
    return word;
}

void spice_rop_row(SpiceRop rop, uint8_t *out, const uint8_t *a, size_t size)
{
    const unsigned f11 = rop & 1, f10 = rop >> 1 & 1, f01 = rop >> 2 & 1, f00 = rop >> 3 & 1;
    const uint64_t c0 = spread(f00), ca = spread(f00 ^ f10), cb = spread(f00 ^ f01);
    const uint64_t cab = spread(f00 ^ f10 ^ f01 ^ f11);
    size_t i = 0;

    if (rop == SPICE_ROP_A) {
        memmove(out, a, size);
        return;
    }
    for (; i + 8 <= size; i += 8) {
        const uint64_t s = load(a + i, 8), d = load(out + i, 8);
        const uint64_t r = c0 ^ (ca & s) ^ (cb & d) ^ (cab & s & d);

        memcpy(out + i, &r, 8);
    }
    for (; i < size; i++)
        out[i] = (uint8_t)(c0 ^ (ca & a[i]) ^ (cb & out[i]) ^ (cab & a[i] & out[i]));
}

SpiceRopConstant spice_rop_with_constant(SpiceRop rop, uint32_t a)
{
    const uint32_t f11 = (uint32_t)spread(rop), f10 = (uint32_t)spread(rop >> 1);
    const uint32_t f01 = (uint32_t)spread(rop >> 2), f00 = (uint32_t)spread(rop >> 3);
    const uint32_t of_0 = (a & f10) | (~a & f00), of_1 = (a & f11) | (~a & f01);

    return (SpiceRopConstant){.keep = of_0 ^ of_1, .flip = of_0};
}

void spice_rop_row_constant(SpiceRopConstant constant, uint8_t *out, size_t size)
{
    const uint64_t keep = constant.keep | (uint64_t)constant.keep << 32;
    const uint64_t flip = constant.flip | (uint64_t)constant.flip << 32;
    size_t i = 0;

    for (; i + 8 <= size; i += 8) {
        const uint64_t r = (load(out + i, 8) & keep) ^ flip;

        memcpy(out + i, &r, 8);
    }
    if (i < size) {
        const uint64_t r = (load(out + i, size - i) & keep) ^ flip;

        memcpy(out + i, &r, size - i);
    }
}

void spice_rop3_row(uint8_t code, uint8_t *out, const uint8_t *source, const uint8_t *pattern,
                    size_t size)
{
    uint64_t c[8];

    /* From the truth table to the coefficients: each subset of the operands sums its subsets. */
    for (unsigned n = 0; n < 8; n++) {
        unsigned sum = 0;

        for (unsigned m = 0; m <= n; m++)
            if ((m & n) == m)
                sum ^= (unsigned)code >> m & 1;
        c[n] = spread(sum);
    }
    for (size_t i = 0; i < size; i += 8) {
        const size_t n = size - i < 8 ? size - i : 8;
        const uint64_t d = load(out + i, n), s = load(source + i, n), p = load(pattern + i, n);
        const uint64_t without_p = c[0] ^ (c[1] & d) ^ (c[2] & s) ^ (c[3] & s & d);
        const uint64_t with_p = c[4] ^ (c[5] & d) ^ (c[6] & s) ^ (c[7] & s & d);
        const uint64_t r = without_p ^ (with_p & p);

        memcpy(out + i, &r, n);
    }
}
