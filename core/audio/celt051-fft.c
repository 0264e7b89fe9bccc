/* The Stockham form: each pass reads one buffer and writes the other in an order that leaves the
 * result sorted.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "celt051-fft.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

static SpiceComplex root_of_unity(int numerator, int denominator)
{
    double angle = -2.0 * PI * (numerator % denominator) / denominator;

    return (SpiceComplex){(float)cos(angle), (float)sin(angle)};
}

/* 4 first: it is the cheapest a sample. */
static int next_radix(int size)
{
    static const int fast[] = {4, 2, 3, 5};

    for (int i = 0; i < 4; i++)
        if (size % fast[i] == 0)
            return fast[i];
    for (int radix = 7; radix * radix <= size; radix += 2)
        if (size % radix == 0)
            return radix;
    return size;
}

bool spice_fft_init(SpiceFft *fft, int size, SpiceArena *arena)
{
    SpiceComplex *twiddles = spice_arena_take(arena, (size_t)(2 * size), sizeof *twiddles);
    int rest = size, largest = 1;

    *fft = (SpiceFft){.size = size, .twiddles = twiddles};
    if (!twiddles)
        return false;
    while (rest > 1 && fft->passes < SPICE_FFT_MAX_PASSES) {
        int radix = next_radix(rest), span = rest / radix;

        for (int p = 0; p < span; p++)
            for (int k = 1; k < radix; k++)
                *twiddles++ = root_of_unity(p * k, rest);
        fft->radix[fft->passes++] = radix;
        largest = radix > largest ? radix : largest;
        rest = span;
    }
    if (largest > 4) {
        SpiceComplex *roots = spice_arena_take(arena, (size_t)size, sizeof *roots);

        if (!roots)
            return false;
        for (int i = 0; i < size; i++)
            roots[i] = root_of_unity(i, size);
        fft->roots = roots;
        fft->root_count = size;
    }
    return true;
}

static inline SpiceComplex add(SpiceComplex a, SpiceComplex b)
{
    return (SpiceComplex){a.re + b.re, a.im + b.im};
}

static inline SpiceComplex subtract(SpiceComplex a, SpiceComplex b)
{
    return (SpiceComplex){a.re - b.re, a.im - b.im};
}

static inline SpiceComplex multiply(SpiceComplex a, SpiceComplex b)
{
    return (SpiceComplex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* -i a */
static inline SpiceComplex turn(SpiceComplex a)
{
    return (SpiceComplex){a.im, -a.re};
}

/* A pass of radix r: inputs stand `span` groups apart, outputs side by side; a group is `stride`
 * values that share their twiddles. */
static const SpiceComplex *pass_2(const SpiceComplex *restrict in, SpiceComplex *restrict out,
                                  int span, int stride, const SpiceComplex *twiddles)
{
    for (int p = 0; p < span; p++, twiddles++) {
        const SpiceComplex w = twiddles[0], *a = in + p * stride, *b = a + span * stride;
        SpiceComplex *to = out + 2 * p * stride;

        for (int q = 0; q < stride; q++) {
            to[q] = add(a[q], b[q]);
            to[stride + q] = multiply(subtract(a[q], b[q]), w);
        }
    }
    return twiddles;
}

static const SpiceComplex *pass_3(const SpiceComplex *restrict in, SpiceComplex *restrict out,
                                  int span, int stride, const SpiceComplex *twiddles)
{
    const float sine = 0.86602540378443864676f;

    for (int p = 0; p < span; p++, twiddles += 2) {
        const SpiceComplex *a = in + p * stride, *b = a + span * stride, *c = b + span * stride;
        SpiceComplex *to = out + 3 * p * stride;

        for (int q = 0; q < stride; q++) {
            SpiceComplex sum = add(b[q], c[q]), difference = turn(subtract(b[q], c[q]));
            SpiceComplex middle = {a[q].re - 0.5f * sum.re, a[q].im - 0.5f * sum.im};

            difference.re *= sine;
            difference.im *= sine;
            to[q] = add(a[q], sum);
            to[stride + q] = multiply(add(middle, difference), twiddles[0]);
            to[2 * stride + q] = multiply(subtract(middle, difference), twiddles[1]);
        }
    }
    return twiddles;
}

static const SpiceComplex *pass_4(const SpiceComplex *restrict in, SpiceComplex *restrict out,
                                  int span, int stride, const SpiceComplex *twiddles)
{
    for (int p = 0; p < span; p++, twiddles += 3) {
        const SpiceComplex w1 = twiddles[0], w2 = twiddles[1], w3 = twiddles[2];
        const SpiceComplex *a = in + p * stride, *b = a + span * stride;
        const SpiceComplex *c = b + span * stride, *d = c + span * stride;
        SpiceComplex *to = out + 4 * p * stride;

        for (int q = 0; q < stride; q++) {
            SpiceComplex ac = add(a[q], c[q]), a_c = subtract(a[q], c[q]);
            SpiceComplex bd = add(b[q], d[q]), b_d = turn(subtract(b[q], d[q]));

            to[q] = add(ac, bd);
            to[stride + q] = multiply(add(a_c, b_d), w1);
            to[2 * stride + q] = multiply(subtract(ac, bd), w2);
            to[3 * stride + q] = multiply(subtract(a_c, b_d), w3);
        }
    }
    return twiddles;
}

static const SpiceComplex *pass_any(const SpiceFft *fft, const SpiceComplex *restrict in,
                                    SpiceComplex *restrict out, int radix, int span, int stride,
                                    const SpiceComplex *twiddles)
{
    int step = fft->root_count / radix;

    for (int p = 0; p < span; p++, twiddles += radix - 1) {
        const SpiceComplex *from = in + p * stride;
        SpiceComplex *to = out + radix * p * stride;

        for (int q = 0; q < stride; q++)
            for (int k = 0; k < radix; k++) {
                SpiceComplex sum = from[q];

                for (int j = 1; j < radix; j++)
                    sum = add(sum, multiply(from[j * span * stride + q],
                                            fft->roots[j * k % radix * step]));
                to[k * stride + q] = k > 0 ? multiply(sum, twiddles[k - 1]) : sum;
            }
    }
    return twiddles;
}

SpiceComplex *spice_fft_run(const SpiceFft *fft, SpiceComplex *in, SpiceComplex *scratch)
{
    const SpiceComplex *twiddles = fft->twiddles;
    int span = fft->size, stride = 1;

    for (int pass = 0; pass < fft->passes; pass++) {
        SpiceComplex *swapped = in;
        int radix = fft->radix[pass];

        span /= radix;
        switch (radix) {
        case 2:
            twiddles = pass_2(in, scratch, span, stride, twiddles);
            break;
        case 3:
            twiddles = pass_3(in, scratch, span, stride, twiddles);
            break;
        case 4:
            twiddles = pass_4(in, scratch, span, stride, twiddles);
            break;
        default:
            twiddles = pass_any(fft, in, scratch, radix, span, stride, twiddles);
            break;
        }
        stride *= radix;
        in = scratch;
        scratch = swapped;
    }
    return in;
}
