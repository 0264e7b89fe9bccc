/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quic-model.h"

const uint8_t spice_quic_random[256] = {
    2,  23, 19, 21, 7,  18, 40, 14, 12, 32, 47, 44, 36, 6,  18, 11, 4,  19, 42, 29, 16, 63, 57, 51,
    16, 3,  5,  14, 15, 30, 20, 9,  36, 45, 3,  57, 61, 0,  8,  5,  41, 14, 43, 27, 43, 59, 31, 35,
    39, 60, 42, 38, 13, 54, 62, 1,  26, 3,  11, 61, 52, 34, 7,  48, 4,  59, 22, 12, 22, 8,  50, 4,
    10, 6,  44, 8,  11, 46, 31, 51, 53, 17, 1,  43, 46, 60, 36, 54, 10, 27, 39, 44, 22, 41, 23, 2,
    44, 0,  40, 53, 40, 48, 16, 43, 32, 28, 33, 12, 20, 2,  56, 62, 55, 58, 18, 20, 13, 55, 38, 29,
    57, 19, 49, 33, 47, 63, 59, 0,  35, 61, 19, 25, 46, 38, 60, 4,  35, 1,  26, 40, 28, 10, 5,  14,
    25, 18, 48, 49, 20, 59, 62, 34, 46, 7,  33, 52, 34, 58, 9,  29, 8,  55, 62, 60, 37, 36, 37, 50,
    6,  3,  10, 28, 48, 24, 26, 61, 57, 30, 11, 54, 2,  6,  50, 47, 7,  17, 35, 53, 32, 12, 23, 17,
    5,  21, 49, 55, 51, 45, 52, 27, 39, 25, 39, 63, 22, 24, 42, 52, 56, 38, 41, 41, 56, 32, 13, 24,
    26, 51, 27, 56, 58, 37, 24, 42, 15, 28, 17, 30, 31, 15, 16, 23, 25, 54, 33, 34, 1,  29, 31, 50,
    53, 21, 49, 15, 47, 9,  0,  58, 37, 45, 30, 13, 9,  45, 63, 21,
};

const uint16_t spice_quic_triggers[SPICE_QUIC_MASKS] = {110, 550, 900, 800, 550, 400, 350};

const uint8_t spice_quic_run_bits[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                         4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

void spice_quic_family_fill(SpiceQuicFamily *family, unsigned bits)
{
    const unsigned symbols = 1u << bits;

    memset(family, 0, sizeof *family);
    for (unsigned k = 0; k < bits; k++) {
        unsigned prefix = min(SPICE_QUIC_MAX_CODE - bits, (1u << (bits - k)) - 1);
        unsigned regular = prefix << k, suffix = 0;

        while (1u << suffix < symbols - regular)
            suffix++;
        family->escape_prefix[k] = (uint8_t)prefix;
        family->escape_suffix[k] = (uint8_t)suffix;
        family->escape_base[k] = (uint8_t)regular;
        for (unsigned n = 0; n < symbols; n++) {
            unsigned length, code;

            if (n < regular) {
                length = (n >> k) + 1 + k;
                code = 1u << k | (n & ((1u << k) - 1));
            } else {
                length = prefix + suffix;
                code = n - regular;
            }
            family->codes[k][n] = code << 5 | length;
            family->lengths[n][bits - 1 - k] = (uint8_t)length;
        }
    }
}
