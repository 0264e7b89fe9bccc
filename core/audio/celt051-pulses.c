/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-pulses.h"

enum { ROW_SIZE = SPICE_CELT051_MAX_PULSES + 2 };

bool spice_celt051_pulses_fit(int n, int k)
{
    /* The largest n for k pulses, and the largest k for few components. */
    static const uint8_t most_components[] = {255, 255, 255, 255, 255, 109, 60,
                                              40,  29,  24,  20,  18,  16,  14};
    static const uint8_t most_pulses[] = {255, 255, 255, 255, 255, 238, 95,
                                          53,  36,  27,  22,  18,  16,  15};

    return n >= 14 ? k < 14 && n <= most_components[k] : k <= most_pulses[n];
}

/* row[j] = U(n, j), j = 0 to k + 1; what does not fit in 32 bits wraps. */
static void count_row(uint32_t *row, int n, int k)
{
    row[0] = 0;
    for (int j = 1; j <= k + 1; j++)
        row[j] = 1;
    for (int m = 2; m <= n; m++) {
        uint32_t before = 0;

        for (int j = 1; j <= k + 1; j++) {
            uint32_t above = row[j];

            row[j] = above + row[j - 1] + before;
            before = above;
        }
    }
}

/* From U(n, .) to U(n-1, .). */
static void previous_row(uint32_t *row, int k)
{
    uint32_t before = row[0];

    row[0] = 0;
    for (int j = 1; j <= k + 1; j++) {
        uint32_t here = row[j];

        row[j] = here - before - row[j - 1];
        before = here;
    }
}

/* The logarithm to the base 2 in 1/16, rounded up as all must round it. */
static int log2_16(uint32_t value)
{
    int length = spice_celt051_bit_length(value), result = 16 * (length - 1);
    uint32_t z;

    if ((value & (value - 1)) == 0)
        return result;
    if (length > 16)
        z = (value >> (length - 16)) +
            ((value & ((UINT32_C(1) << (length - 16)) - 1)) != 0 ? 1 : 0);
    else
        z = value << (16 - length);
    for (int f = 4; f >= 0; f--) {
        uint32_t bit = z >> 16;

        result += (int)(bit << f);
        z = (z + bit) >> bit;
        z = (z * z + 0x7fff) >> 15;
    }
    return result + (z > 0x8000);
}

void spice_celt051_pulse_costs(int n, const uint16_t *first_half, const uint16_t *second_half,
                               uint16_t costs[SPICE_CELT051_COSTS])
{
    uint32_t row[ROW_SIZE];

    count_row(row, n, SPICE_CELT051_MAX_PULSES);
    costs[0] = 0;
    for (int k = 1; k <= SPICE_CELT051_MAX_PULSES; k++) {
        if (spice_celt051_pulses_fit(n, k)) {
            costs[k] = (uint16_t)log2_16(row[k] + row[k + 1]);
        } else {
            int most = 0;

            for (int i = 0; i <= k; i++)
                if (first_half[i] + second_half[k - i] > most)
                    most = first_half[i] + second_half[k - i];
            costs[k] = (uint16_t)(log2_16((uint32_t)k + 1) + most);
        }
    }
}

/* The vector with the number `index`. */
static void unrank(uint32_t index, int n, int k, uint32_t *row, int16_t *pulses)
{
    for (int j = 0; j < n; j++) {
        bool negative = index >= row[k + 1];
        int left = k;

        if (negative)
            index -= row[k + 1];
        while (row[left] > index)
            left--;
        index -= row[left];
        pulses[j] = (int16_t)(negative ? left - k : k - left);
        k = left;
        previous_row(row, k);
    }
}

static uint32_t rank(const int16_t *pulses, int n, int k, uint32_t *row)
{
    uint32_t index = 0;

    for (int j = 0; j < n; j++) {
        int left = k - (pulses[j] < 0 ? -pulses[j] : pulses[j]);

        index += row[left] + (pulses[j] < 0 ? row[k + 1] : 0);
        k = left;
        previous_row(row, k);
    }
    return index;
}

void spice_celt051_read_pulses(SpiceCelt051Reader *reader, int n, int k, int16_t *pulses)
{
    if (k == 0) {
        for (int j = 0; j < n; j++)
            pulses[j] = 0;
    } else if (n == 1) {
        pulses[0] = (int16_t)(spice_celt051_reader_bits(reader, 1) ? -k : k);
    } else if (spice_celt051_pulses_fit(n, k)) {
        uint32_t row[ROW_SIZE];

        count_row(row, n, k);
        unrank(spice_celt051_reader_uint(reader, row[k] + row[k + 1]), n, k, row, pulses);
    } else {
        int first = (int)spice_celt051_reader_uint(reader, (uint32_t)k + 1), half = (n + 1) / 2;

        spice_celt051_read_pulses(reader, half, first, pulses);
        spice_celt051_read_pulses(reader, n / 2, k - first, pulses + half);
    }
}

void spice_celt051_write_pulses(SpiceCelt051Writer *writer, int n, int k, const int16_t *pulses)
{
    if (k == 0)
        return;
    if (n == 1) {
        spice_celt051_writer_bits(writer, pulses[0] < 0, 1);
    } else if (spice_celt051_pulses_fit(n, k)) {
        uint32_t row[ROW_SIZE], total;

        count_row(row, n, k);
        total = row[k] + row[k + 1];
        spice_celt051_writer_uint(writer, rank(pulses, n, k, row), total);
    } else {
        int first = 0, half = (n + 1) / 2;

        for (int j = 0; j < half; j++)
            first += pulses[j] < 0 ? -pulses[j] : pulses[j];
        spice_celt051_writer_uint(writer, (uint32_t)first, (uint32_t)k + 1);
        spice_celt051_write_pulses(writer, half, first, pulses);
        spice_celt051_write_pulses(writer, n / 2, k - first, pulses + half);
    }
}
