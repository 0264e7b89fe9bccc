/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-energy.h"

#include <math.h>

/* From the frame before, and of the rest from the band below; one step in dB. */
#define INTER_FRAME 0.8f
#define INTER_BAND  0.36f
#define STEP        6.0f
#define SILENCE     0.3f /* amplitude that counts as none */

/* A full-scale signal stays near 100 dB. The reference has no upper bound: long hostile packets
 * take it to infinity, from where it never comes back. */
#define MIN_LEVEL -12.0f
#define MAX_LEVEL 130.0f

enum { LAPLACE_TOTAL = 32767 };

/* The distribution of the coarse steps of a band: how much narrower (in 1/16384) each step's slot
 * is than the one nearer to zero, and the width of zero's. */
static uint32_t laplace_decay(int band)
{
    return 6000 - 200 * (uint32_t)band;
}

static uint32_t laplace_start(uint32_t decay)
{
    return LAPLACE_TOTAL * (16384 - decay) / (16384 + decay);
}

static int read_laplace(SpiceCelt051Reader *reader, int band)
{
    uint32_t decay = laplace_decay(band), width = laplace_start(decay), low = 0, high = width;
    uint32_t found = spice_celt051_reader_peek(reader, LAPLACE_TOTAL);
    int value = 0;

    while (found >= high && width != 0) {
        low = high;
        width = width * decay >> 14;
        high += 2 * width;
        value++;
    }
    if (low > 0) {
        if (found >= low + width) {
            value = -value;
            low += width;
        } else {
            high -= width;
        }
    }
    /* Above the last slot: no sound encoder gets here. As the reference, so that the rest of the
     * packet is taken alike. */
    if (low == high)
        low--;
    spice_celt051_reader_consume(reader, low, high, LAPLACE_TOTAL);
    return value;
}

/* The value that was written: nearer to zero if there is no slot for it. */
static int write_laplace(SpiceCelt051Writer *writer, int band, int value)
{
    const uint32_t decay = laplace_decay(band);
    uint32_t width = laplace_start(decay), low = 0, end = width;
    int wanted = value < 0 ? -value : value, reached = 0;

    while (reached < wanted) {
        uint32_t next = width * decay >> 14;

        if (next == 0)
            break;
        low = end;
        width = next;
        end += 2 * width;
        reached++;
    }
    if (reached > 0 && value < 0)
        low += width;
    spice_celt051_writer_symbol(writer, low, low + width, LAPLACE_TOTAL);
    return value < 0 ? -reached : reached;
}

static float mean_of(int band)
{
    return band < SPICE_CELT051_ENERGY_MEANS ? (1 - INTER_FRAME) * spice_celt051_energy_means[band]
                                             : 0.0f;
}

/* Moves one level on by `steps`; `below` carries what is expected of the next band. */
static void step_level(float *level, int band, int steps, float *below)
{
    float mean = mean_of(band), moved = STEP * (float)steps;
    float next = mean + INTER_FRAME * *level + *below + moved;

    *level = next < MIN_LEVEL ? MIN_LEVEL : next > MAX_LEVEL ? MAX_LEVEL : next;
    *below = mean + *below + INTER_BAND * moved;
}

/* Bits after which the rest of a channel's coarse energies is not coded. */
static int32_t coarse_budget(const SpiceCelt051Mode *mode, uint32_t size)
{
    return 8 * (int32_t)size / 3 / mode->channels;
}

void spice_celt051_read_coarse(const SpiceCelt051Mode *mode, SpiceCelt051Reader *reader,
                               SpiceCelt051EnergyCode *code)
{
    const int32_t budget = coarse_budget(mode, reader->size);

    for (int c = 0; c < mode->channels; c++) {
        int32_t start = spice_celt051_reader_tell(reader, 0);

        for (int i = 0; i < mode->bands; i++)
            code->coarse[c][i] = spice_celt051_reader_tell(reader, 0) - start > budget
                                     ? -1
                                     : read_laplace(reader, i);
    }
}

void spice_celt051_read_fine(const SpiceCelt051Mode *mode, SpiceCelt051Reader *reader,
                             const SpiceCelt051Shares *shares, SpiceCelt051EnergyCode *code)
{
    for (int c = 0; c < mode->channels; c++)
        for (int i = 0; i < mode->bands; i++)
            if (shares->fine_bits[i] > 0)
                code->fine[c][i] = spice_celt051_reader_bits(reader, shares->fine_bits[i]);
}

void spice_celt051_apply_coarse(const SpiceCelt051Mode *mode, const SpiceCelt051EnergyCode *code,
                                SpiceCelt051Energy *energy)
{
    for (int c = 0; c < mode->channels; c++) {
        float below = 0;

        for (int i = 0; i < mode->bands; i++)
            step_level(&energy->level[c][i], i, code->coarse[c][i], &below);
    }
}

static float fine_offset(uint32_t value, int bits)
{
    return STEP * (((float)value + 0.5f) / (float)(1 << bits) - 0.5f);
}

void spice_celt051_apply_fine(const SpiceCelt051Mode *mode, const SpiceCelt051EnergyCode *code,
                              const SpiceCelt051Shares *shares, SpiceCelt051Energy *energy)
{
    for (int c = 0; c < mode->channels; c++)
        for (int i = 0; i < mode->bands; i++)
            if (shares->fine_bits[i] > 0)
                energy->level[c][i] += fine_offset(code->fine[c][i], shares->fine_bits[i]);
}

void spice_celt051_write_coarse(const SpiceCelt051Mode *mode, SpiceCelt051Writer *writer,
                                const SpiceCelt051Energy *wanted, SpiceCelt051Energy *energy,
                                SpiceCelt051Energy *error)
{
    const int32_t budget = coarse_budget(mode, writer->capacity);

    for (int c = 0; c < mode->channels; c++) {
        int32_t start = spice_celt051_writer_tell(writer, 0);
        float below = 0;

        for (int i = 0; i < mode->bands; i++) {
            float *level = &energy->level[c][i];
            float predicted = mean_of(i) + INTER_FRAME * *level + below;
            float distance = (wanted->level[c][i] - predicted) / STEP;
            int steps = -1;

            /* What is not coded counts as too low, so that fine steps go up as far as they can. */
            error->level[c][i] = 1;
            if (spice_celt051_writer_tell(writer, 0) - start <= budget) {
                steps = write_laplace(writer, i, (int)floorf(distance + 0.5f));
                error->level[c][i] = distance - (float)steps;
            }
            step_level(level, i, steps, &below);
        }
    }
}

void spice_celt051_write_fine(const SpiceCelt051Mode *mode, SpiceCelt051Writer *writer,
                              const SpiceCelt051Shares *shares, const SpiceCelt051Energy *error,
                              SpiceCelt051Energy *energy)
{
    for (int c = 0; c < mode->channels; c++)
        for (int i = 0; i < mode->bands; i++) {
            int bits = shares->fine_bits[i], count = 1 << bits;
            int value = (int)floorf((error->level[c][i] + 0.5f) * (float)count);

            if (bits == 0)
                continue;
            value = value < 0 ? 0 : value >= count ? count - 1 : value;
            spice_celt051_writer_bits(writer, (uint32_t)value, bits);
            energy->level[c][i] += fine_offset((uint32_t)value, bits);
        }
}

float spice_celt051_amplitude(float level)
{
    float amplitude = expf(0.115129f * level) - SILENCE;

    return amplitude > 0 ? amplitude : 0;
}

float spice_celt051_level(float amplitude)
{
    return 8.68589f * logf(SILENCE + amplitude);
}
