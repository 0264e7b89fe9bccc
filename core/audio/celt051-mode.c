/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-mode.h"

#include <math.h>

#include "celt051-pulses.h"

static const double PI = 3.14159265358979323846;

/* Tables of one mode: the costs of some hundred vector sizes at the most. */
enum { MEMORY_LIMIT = 1 << 20, MAX_COST_TABLES = 256 };

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static void choose_blocks(SpiceCelt051Mode *mode)
{
    const int n = mode->frame_size;

    if (n > 384 && n % 8 == 0)
        mode->blocks = 4;
    else if (n > 384 && n % 10 == 0)
        mode->blocks = 5;
    else if (n > 256 && n % 6 == 0)
        mode->blocks = 3;
    else if (n > 256 && n % 8 == 0)
        mode->blocks = 4;
    else if (n > 64 && n % 4 == 0)
        mode->blocks = 2;
    else if (n > 128 && n % 6 == 0)
        mode->blocks = 3;
    else
        mode->blocks = 1;
    mode->block_size = n / mode->blocks;
    mode->overlap = mode->blocks > 1 ? mode->block_size / 4 * 4 : n / 8 * 4;
    mode->span = n + mode->overlap;
}

/* Hz a coefficient. */
static int resolution(const SpiceCelt051Mode *mode)
{
    return ((int)mode->rate + mode->frame_size) / (2 * mode->frame_size);
}

/* The critical bands below half the rate. */
static int count_critical_bands(const SpiceCelt051Mode *mode)
{
    for (int k = 1; k < SPICE_CELT051_CRITICAL_BANDS; k++)
        if (2 * spice_celt051_critical_edges[k + 1] >= (int)mode->rate)
            return k;
    return SPICE_CELT051_CRITICAL_BANDS;
}

/* Bands of three coefficients, until a critical band has as many: from there on critical bands. */
static bool choose_bands(SpiceCelt051Mode *mode)
{
    const uint16_t *critical = spice_celt051_critical_edges;
    const int hz = resolution(mode), count = count_critical_bands(mode);
    int linear = 0, low, high, last;

    while (linear < count && critical[linear + 1] - critical[linear] < 3 * hz)
        linear++;
    low = (critical[linear] / hz + 2) / 3;
    high = count - linear;
    mode->bands = low + high;
    if (mode->bands < 1 || mode->bands > SPICE_CELT051_MAX_BANDS)
        return false;
    for (int i = 0; i < low; i++)
        mode->edge[i] = 3 * i;
    for (int i = 0; i < high; i++)
        mode->edge[low + i] = (critical[linear + i] + hz / 2) / hz;
    for (int i = 0; i < mode->bands; i++)
        mode->edge[i] = larger(mode->edge[i], 3 * i);
    last = (critical[count] + hz / 2) / hz;
    mode->edge[mode->bands] = last < mode->frame_size ? last : mode->frame_size;
    mode->edge[mode->bands + 1] = mode->frame_size;
    for (int i = 0; i < mode->bands; i++)
        if (spice_celt051_band_width(mode, i) < 1)
            return false;
    return true;
}

/* Pitch bands end where bands do. */
static void choose_pitch_bands(SpiceCelt051Mode *mode)
{
    const int hz = resolution(mode), *edge = mode->edge;

    for (int i = 0; i <= SPICE_CELT051_PITCH_BANDS; i++) {
        int wanted = (spice_celt051_pitch_edges[i] + hz / 2) / hz;

        if (i <= mode->bands)
            wanted = larger(wanted, edge[i]);
        mode->pitch_edge[i] = wanted < edge[mode->bands] ? wanted : edge[mode->bands];
    }
    for (int i = 1; i <= SPICE_CELT051_PITCH_BANDS; i++) {
        int *pitch = &mode->pitch_edge[i], j = 0;

        while (j < mode->bands && edge[j + 1] <= *pitch)
            j++;
        if (edge[j] == *pitch)
            continue;
        if (*pitch - edge[j] < edge[j + 1] - *pitch && edge[j] != mode->pitch_edge[i - 1])
            *pitch = edge[j];
        else
            *pitch = edge[j + 1];
    }
}

/* Shares the bits of the critical bands among ours: a critical band that reaches past the end of a
 * band gives the part below it to that band and the rest to the next. */
static void share_bits(SpiceCelt051Mode *mode, int row)
{
    const uint16_t *critical = spice_celt051_critical_edges;
    const int hz = resolution(mode), count = count_critical_bands(mode);
    int32_t *pulse_bits = mode->pulse_bits[row];
    int band = 0;

    for (int j = 0; j < count; j++) {
        int bits = spice_celt051_critical_bits[row][j] * mode->channels * mode->frame_size / 256;
        int end = mode->edge[band + 1] * hz;

        if (end < critical[j + 1] && band < mode->bands - 1) {
            int width = critical[j + 1] - critical[j];
            int below = (bits * (end - critical[j]) + width / 2) / width;

            pulse_bits[band++] += below;
            bits -= below;
        }
        pulse_bits[band] += bits;
    }
    for (int i = 0; i < mode->bands; i++) {
        int values = mode->channels * spice_celt051_band_width(mode, i);
        int fine = larger(pulse_bits[i] > 0, pulse_bits[i] / values);

        fine = fine < 7 ? fine : 7;
        if (fine > 1)
            pulse_bits[i] -= mode->channels * (fine - 2);
        pulse_bits[i] = larger(pulse_bits[i], 0);
        mode->fine_bits[row][i] = (uint8_t)fine;
        mode->fine_sum[row] += fine;
    }
}

/* The cost tables made so far, by vector size. */
typedef struct {
    SpiceArena *arena;
    int count;
    int sizes[MAX_COST_TABLES];
    const uint16_t *tables[MAX_COST_TABLES];
} CostTables;

/* NULL if memory is refused. Recursion halves the size. */
static const uint16_t *find_costs(CostTables *made, int size)
{
    const uint16_t *halves[2] = {NULL, NULL};
    uint16_t *costs;

    for (int i = 0; i < made->count; i++)
        if (made->sizes[i] == size)
            return made->tables[i];
    if (!spice_celt051_pulses_fit(size, SPICE_CELT051_MAX_PULSES)) {
        halves[0] = find_costs(made, (size + 1) / 2);
        halves[1] = find_costs(made, size / 2);
        if (!halves[0] || !halves[1])
            return NULL;
    }
    if (made->count == MAX_COST_TABLES)
        return NULL;
    costs = spice_arena_take(made->arena, SPICE_CELT051_COSTS, sizeof *costs);
    if (!costs)
        return NULL;
    spice_celt051_pulse_costs(size, halves[0], halves[1], costs);
    made->sizes[made->count] = size;
    made->tables[made->count++] = costs;
    return costs;
}

static bool make_costs(SpiceCelt051Mode *mode)
{
    CostTables made = {.arena = &mode->arena};

    for (int i = 0; i < mode->bands; i++) {
        mode->costs[i] = find_costs(&made, mode->channels * spice_celt051_band_width(mode, i));
        if (!mode->costs[i])
            return false;
    }
    return true;
}

/* A slope whose square and mirrored square add up to 1. */
static void make_window(SpiceCelt051Mode *mode)
{
    for (int i = 0; i < mode->overlap; i++) {
        double s = sin(PI / 2 * (i + 0.5) / mode->overlap);

        mode->window[i] = (float)sin(PI / 2 * s * s);
    }
}

/* For the pitch search: how far masking falls from one bin to the next, 10 dB a bark. */
static bool make_search(SpiceCelt051Mode *mode)
{
    const int n = SPICE_CELT051_HISTORY;
    SpiceComplex *roots = spice_arena_take(&mode->arena, (size_t)(n / 2 + 1), sizeof *roots);

    if (!roots)
        return false;
    for (int k = 0; k <= n / 2; k++) {
        roots[k].re = (float)cos(2 * PI * k / n);
        roots[k].im = (float)-sin(2 * PI * k / n);
    }
    mode->search_roots = roots;
    for (int k = 0; k < n / 2; k++) {
        double step = (double)mode->rate / n, f = step * k;
        double bark_per_hz = 8.288e-8 * f / (3.4225e-16 * f * f * f * f + 1) +
                             0.009694 / (5.476e-7 * f * f + 1) + 1e-4;

        mode->search_decay[k] = (float)pow(0.1, bark_per_hz * step);
    }
    return spice_fft_init(&mode->search_fft, n / 2, &mode->arena);
}

static bool make_transforms(SpiceCelt051Mode *mode)
{
    make_window(mode);
    return spice_celt051_mdct_init(&mode->long_mdct, mode->frame_size, mode->overlap, mode->window,
                                   &mode->arena) &&
           spice_celt051_mdct_init(&mode->short_mdct, mode->block_size, mode->overlap, mode->window,
                                   &mode->arena) &&
           make_search(mode);
}

/* Everything but memory. */
static bool derive(SpiceCelt051Mode *mode, SpiceError *error)
{
    choose_blocks(mode);
    if (mode->blocks > 1 && mode->overlap != mode->block_size)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "frame size");
    if (!choose_bands(mode))
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "bands");
    choose_pitch_bands(mode);
    for (int row = 0; row < SPICE_CELT051_RATE_ROWS; row++)
        share_bits(mode, row);
    return true;
}

SpiceCelt051Mode *spice_celt051_mode_new(const SpiceAllocator *allocator, uint32_t rate,
                                         uint32_t channels, uint32_t frame_size, SpiceError *error)
{
    SpiceCelt051Mode *mode;

    if (rate < SPICE_CELT051_MIN_RATE || rate > SPICE_CELT051_MAX_RATE) {
        spice_error_set(error, SPICE_ERROR_VALUE, "rate");
        return NULL;
    }
    if (channels < 1 || channels > SPICE_CELT051_CHANNELS) {
        spice_error_set(error, SPICE_ERROR_VALUE, "channels");
        return NULL;
    }
    if (frame_size < SPICE_CELT051_MIN_FRAME_SIZE || frame_size > SPICE_CELT051_MAX_FRAME_SIZE ||
        frame_size % 2 != 0) {
        spice_error_set(error, SPICE_ERROR_VALUE, "frame size");
        return NULL;
    }
    mode = allocator->alloc(allocator->context, sizeof *mode);
    if (!mode) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "mode");
        return NULL;
    }
    *mode =
        (SpiceCelt051Mode){.rate = rate, .channels = (int)channels, .frame_size = (int)frame_size};
    spice_arena_init(&mode->arena, allocator, MEMORY_LIMIT);
    if (!derive(mode, error)) {
        spice_celt051_mode_free(mode);
        return NULL;
    }
    if (!make_costs(mode) || !make_transforms(mode)) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "mode");
        spice_celt051_mode_free(mode);
        return NULL;
    }
    return mode;
}

void spice_celt051_mode_free(SpiceCelt051Mode *mode)
{
    const SpiceAllocator *allocator;

    if (!mode)
        return;
    allocator = mode->arena.allocator;
    spice_arena_clear(&mode->arena);
    allocator->release(allocator->context, mode);
}

uint32_t spice_celt051_mode_delay(const SpiceCelt051Mode *mode)
{
    return (uint32_t)mode->overlap;
}
