/* The parts of the CELT 0.5.1 codec, each by itself: tables, range coder, pulse vectors,
 * transforms.
 *
 *     test-celt051-parts VECTORS
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/audio/celt051-mode.h"
#include "core/audio/celt051-pulses.h"
#include "sound.h"

static SpiceCelt051Mode *mode_44100, *mode_48000;

static bool equal(const int *a, const int *b, int count)
{
    return !memcmp(a, b, (size_t)count * sizeof *a);
}

static void has_the_bands_of_the_format(void)
{
    static const int edges_44100[] = {0,  3,  6,  9,  12, 15, 18,  21,  24,  27,  31,
                                      37, 43, 51, 62, 74, 90, 110, 140, 180, 233, 256};
    static const int edges_48000[] = {0,  3,  6,  9,  12, 15,  18,  21,  25,  29, 34,
                                      39, 47, 56, 68, 82, 101, 128, 165, 213, 256};
    static const int pitch_44100[] = {0, 3, 9, 12, 15, 24, 37, 62, 74};
    static const int pitch_48000[] = {0, 3, 6, 12, 15, 21, 34, 56, 68};

    TAP_OK(mode_44100->bands == 20 && equal(mode_44100->edge, edges_44100, 22),
           "bands of 44100 Hz");
    TAP_OK(mode_48000->bands == 19 && equal(mode_48000->edge, edges_48000, 21),
           "bands of 48000 Hz");
    TAP_OK(equal(mode_44100->pitch_edge, pitch_44100, 9), "pitch bands of 44100 Hz");
    TAP_OK(equal(mode_48000->pitch_edge, pitch_48000, 9), "pitch bands of 48000 Hz");
    TAP_OK(mode_44100->blocks == 2 && mode_44100->overlap == 128 && mode_44100->span == 384 &&
               spice_celt051_mode_delay(mode_44100) == 128,
           "two short blocks, an overlap of 128");
}

/* Whether one line of tables.txt is what the mode has. */
static bool line_is_right(const char *line)
{
    char kind[16];
    int row, skipped;

    if (sscanf(line, "%15s %d%n", kind, &row, &skipped) != 2)
        return line[0] == '#';
    line += skipped;
    for (int i = 0; i < (kind[0] == 'c' ? SPICE_CELT051_COSTS : mode_44100->bands); i++) {
        char *next;
        long wanted = strtol(line, &next, 10), got = -1;

        if (next == line)
            return false;
        line = next;
        if (kind[0] == 'p')
            got = mode_44100->pulse_bits[row][i];
        else if (kind[0] == 'f')
            got = mode_44100->fine_bits[row][i];
        for (int band = 0; kind[0] == 'c' && band < mode_44100->bands; band++)
            if (2 * spice_celt051_band_width(mode_44100, band) == row)
                got = mode_44100->costs[band][i];
        if (got != wanted)
            return false;
    }
    return true;
}

static void derives_the_tables(const char *folder)
{
    size_t size;
    char *text = (char *)sound_load(folder, "tables.txt", &size);
    int lines = 0, wrong = 0;

    text[size] = '\0';
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        lines++;
        if (!line_is_right(line)) {
            wrong++;
            TAP_NOTE("%.40s", line);
        }
    }
    TAP_OK(lines == 1 + 12 + 12 + 11 && wrong == 0, "%d lines of tables are derived", lines);
    free(text);
}

static void refuses_modes_that_are_none(void)
{
    static const struct {
        uint32_t rate, channels, frame_size;
        SpiceErrorCode code;
    } modes[] = {
        {31999, 2, 256, SPICE_ERROR_VALUE},       {96001, 2, 256, SPICE_ERROR_VALUE},
        {0, 2, 256, SPICE_ERROR_VALUE},           {UINT32_MAX, 2, 256, SPICE_ERROR_VALUE},
        {44100, 0, 256, SPICE_ERROR_VALUE},       {44100, 3, 256, SPICE_ERROR_VALUE},
        {44100, 2, 62, SPICE_ERROR_VALUE},        {44100, 2, 514, SPICE_ERROR_VALUE},
        {44100, 2, 255, SPICE_ERROR_VALUE},       {44100, 2, UINT32_MAX, SPICE_ERROR_VALUE},
        {44100, 2, 510, SPICE_ERROR_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        SpiceError error = {0};

        TAP_OK(!spice_celt051_mode_new(&spice_allocator_libc, modes[i].rate, modes[i].channels,
                                       modes[i].frame_size, &error) &&
                   error.code == modes[i].code,
               "no mode of %u Hz, %u channels, %u samples", (unsigned)modes[i].rate,
               (unsigned)modes[i].channels, (unsigned)modes[i].frame_size);
    }
}

/* Every mode there is can be made or is refused. */
static void makes_any_mode(void)
{
    static const uint32_t rates[] = {32000, 37800, 44100, 48000, 64000, 88200, 96000};
    int made = 0, refused = 0, wrong = 0;

    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (uint32_t n = 64; n <= 512; n += 2) {
            SpiceError error = {0};
            SpiceCelt051Mode *mode =
                spice_celt051_mode_new(&spice_allocator_libc, rates[r], 1 + n / 2 % 2, n, &error);

            made += mode != NULL;
            refused += !mode && error.code == SPICE_ERROR_UNSUPPORTED;
            wrong += !mode && error.code != SPICE_ERROR_UNSUPPORTED;
            spice_celt051_mode_free(mode);
        }
    TAP_OK(made > refused && wrong == 0, "%d modes are made, %d refused", made, refused);
}

/* An allocator that gives out a number of pieces and counts those that are held. */
typedef struct {
    int left, held;
} Budget;

static void *budget_alloc(void *context, size_t size)
{
    Budget *budget = context;

    if (budget->left == 0)
        return NULL;
    budget->left--;
    budget->held++;
    return malloc(size);
}

static void budget_release(void *context, void *memory)
{
    ((Budget *)context)->held--;
    free(memory);
}

static void copes_with_too_little_memory(void)
{
    Budget budget = {0, 0};
    const SpiceAllocator allocator = {budget_alloc, budget_release, &budget};
    SpiceCelt051Mode *mode = NULL;
    int pieces = 0, wrong = 0;

    for (; !mode && pieces < 100; pieces++) {
        SpiceError error = {0};

        budget.left = pieces;
        mode = spice_celt051_mode_new(&allocator, 44100, 2, 256, &error);
        wrong += !mode && (error.code != SPICE_ERROR_MEMORY || budget.held != 0);
    }
    budget.left = 0;
    wrong += spice_celt051_decoder_new(&allocator, mode) != NULL;
    wrong += spice_celt051_encoder_new(&allocator, mode) != NULL;
    spice_celt051_mode_free(mode);
    TAP_OK(mode && pieces > 2 && wrong == 0 && budget.held == 0,
           "nothing is kept when memory is refused");
}

/* One symbol of a row; kinds as sound_random() has them. */
static void make_symbol(uint64_t *state, int *kind, uint32_t *total, uint32_t *value)
{
    *kind = (int)(sound_random(state) % 3);
    if (*kind == 0) {
        *total = 1 + sound_random(state) % 24; /* bits */
        *value = sound_random(state) & ((UINT32_C(1) << *total) - 1);
    } else if (*kind == 1) {
        *total = 2 + (sound_random(state) >> sound_random(state) % 31);
        *value = sound_random(state) % *total;
        if (sound_random(state) % 4 == 0)
            *value = *total - 1;
    } else {
        *total = 32767; /* value: the start of an interval of 7 */
        *value = sound_random(state) % (*total - 7);
    }
}

static void reads_back_what_was_written(void)
{
    enum { SYMBOLS = 5000, ROOM = 65536 };
    static uint8_t data[ROOM];
    SpiceCelt051Writer writer;
    SpiceCelt051Reader reader;
    uint64_t state = 3;
    int wrong = 0, kind;
    uint32_t total, value, used;
    int32_t told;

    spice_celt051_writer_init(&writer, data, ROOM);
    for (int i = 0; i < SYMBOLS; i++) {
        make_symbol(&state, &kind, &total, &value);
        if (kind == 0)
            spice_celt051_writer_bits(&writer, value, (int)total);
        else if (kind == 1)
            spice_celt051_writer_uint(&writer, value, total);
        else
            spice_celt051_writer_symbol(&writer, value, value + 7, total);
    }
    used = (uint32_t)(spice_celt051_writer_tell(&writer, 0) + 7) / 8;
    told = spice_celt051_writer_tell(&writer, 4);
    spice_celt051_writer_finish(&writer);
    state = 3;
    spice_celt051_reader_init(&reader, data, used);
    for (int i = 0; i < SYMBOLS; i++) {
        make_symbol(&state, &kind, &total, &value);
        if (kind == 0) {
            wrong += spice_celt051_reader_bits(&reader, (int)total) != value;
        } else if (kind == 1) {
            wrong += spice_celt051_reader_uint(&reader, total) != value;
        } else {
            wrong += spice_celt051_reader_peek(&reader, total) - value >= 7;
            spice_celt051_reader_consume(&reader, value, value + 7, total);
        }
    }
    TAP_OK(!writer.overflow && wrong == 0, "%d symbols in %u bytes are read back", SYMBOLS,
           (unsigned)used);
    TAP_OK(spice_celt051_reader_tell(&reader, 4) == told, "both sides count the same bits");
}

static void writes_no_more_than_there_is_room(void)
{
    uint8_t data[9];
    SpiceCelt051Writer writer;

    data[8] = 0x5a;
    spice_celt051_writer_init(&writer, data, 8);
    for (int i = 0; i < 100; i++)
        spice_celt051_writer_bits(&writer, 0xa5, 8);
    spice_celt051_writer_finish(&writer);
    TAP_OK(writer.overflow && data[8] == 0x5a, "a full writer says so");
}

/* As one number where they fit, in halves where not. */
static void numbers_pulse_vectors(void)
{
    static const int sizes[][2] = {{1, 1},   {1, 127},   {2, 127},   {3, 4},   {6, 12}, {6, 127},
                                   {8, 36},  {13, 18},   {14, 13},   {14, 14}, {24, 9}, {24, 40},
                                   {106, 4}, {106, 127}, {226, 127}, {290, 1}};
    uint64_t state = 5;
    int wrong = 0, coded = 0;

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int i = 0; i < 200; i++, coded++) {
            const int n = sizes[s][0], k = sizes[s][1];
            int16_t pulses[290] = {0}, got[290];
            uint8_t data[1024];
            SpiceCelt051Writer writer;
            SpiceCelt051Reader reader;

            for (int j = 0, at = 0; j < k; j++) {
                if (j == 0 || sound_random(&state) % 3 == 0)
                    at = (int)(sound_random(&state) % (uint32_t)n);
                pulses[at] +=
                    pulses[at] ? (pulses[at] < 0 ? -1 : 1) : (sound_random(&state) % 2 ? 1 : -1);
            }
            spice_celt051_writer_init(&writer, data, sizeof data);
            spice_celt051_write_pulses(&writer, n, k, pulses);
            spice_celt051_writer_finish(&writer);
            spice_celt051_reader_init(&reader, data, sizeof data);
            spice_celt051_read_pulses(&reader, n, k, got);
            wrong += memcmp(pulses, got, (size_t)n * sizeof *got) != 0;
        }
    TAP_OK(wrong == 0, "%d pulse vectors come back", coded);
}

static void transforms_as_defined(int size)
{
    SpiceArena arena;
    SpiceFft fft;
    SpiceComplex in[512] = {{0}}, buffers[2][512], *got;
    uint64_t state = 11;
    double worst = 0;

    spice_arena_init(&arena, &spice_allocator_libc, 1 << 20);
    spice_fft_init(&fft, size, &arena);
    for (int j = 0; j < size; j++) {
        in[j].re = (float)(sound_random(&state) % 2001) - 1000;
        in[j].im = (float)(sound_random(&state) % 2001) - 1000;
    }
    memcpy(buffers[0], in, (size_t)size * sizeof *in);
    got = spice_fft_run(&fft, buffers[0], buffers[1]);
    for (int k = 0; k < size; k++) {
        double re = 0, im = 0;

        for (int j = 0; j < size; j++) {
            double angle = -6.283185307179586 * (j * k % size) / size;

            re += in[j].re * cos(angle) - in[j].im * sin(angle);
            im += in[j].re * sin(angle) + in[j].im * cos(angle);
        }
        worst = fmax(worst, fmax(fabs(re - got[k].re), fabs(im - got[k].im)));
    }
    TAP_OK(worst < 0.03, "a Fourier transform of %d: off by %.1e", size, worst);
    spice_arena_clear(&arena);
}

static double window_at(const SpiceCelt051Mdct *mdct, int t)
{
    if (t < mdct->overlap)
        return mdct->window[t];
    return t < mdct->size ? 1 : mdct->window[mdct->size + mdct->overlap - 1 - t];
}

/* Against the defining sum, and back by overlapping. */
static void laps_as_defined(const SpiceCelt051Mdct *mdct, const char *what)
{
    static SpiceCelt051MdctScratch scratch;
    static float in[3 * 512], out[3 * 512], spectrum[512];
    const int n = mdct->size, overlap = mdct->overlap;
    uint64_t state = 13;
    double worst = 0, worst_back = 0;

    for (int t = 0; t < 2 * n + overlap; t++)
        in[t] = (float)(sound_random(&state) % 2001) - 1000;
    memset(out, 0, sizeof out);
    for (int frame = 0; frame < 2; frame++) {
        const float *x = in + frame * n;

        spice_celt051_mdct_forward(mdct, x, spectrum, 1, &scratch);
        for (int k = 0; k < n; k++) {
            double sum = 0;

            for (int t = 0; t < n + overlap; t++)
                sum +=
                    window_at(mdct, t) * x[t] *
                    cos(3.141592653589793 / n * (t + (n - overlap) / 2 + 0.5 + n / 2) * (k + 0.5));
            worst = fmax(worst, fabs(2.0 / n * sum - spectrum[k]));
        }
        spice_celt051_mdct_inverse(mdct, spectrum, 1, out + frame * n, &scratch);
    }
    for (int t = overlap; t < 2 * n; t++)
        worst_back = fmax(worst_back, fabs(in[t] - out[t]));
    TAP_OK(worst < 1e-3, "%s transform of %d: off by %.1e", what, n, worst);
    TAP_OK(worst_back < 1e-2, "and back: off by %.1e", worst_back);
}

int main(int argc, char **argv)
{
    static const int sizes[] = {1, 2, 3, 4, 5, 7, 12, 15, 32, 64, 71, 128, 150, 191, 240, 256, 512};

    if (argc < 2) {
        fprintf(stderr, "usage: test-celt051-parts VECTORS\n");
        return 2;
    }
    mode_44100 = spice_celt051_mode_new(&spice_allocator_libc, 44100, 2, 256, NULL);
    mode_48000 = spice_celt051_mode_new(&spice_allocator_libc, 48000, 2, 256, NULL);
    if (!TAP_OK(mode_44100 && mode_48000, "the modes of SPICE are made"))
        return tap_done();
    has_the_bands_of_the_format();
    derives_the_tables(argv[1]);
    refuses_modes_that_are_none();
    makes_any_mode();
    copes_with_too_little_memory();
    reads_back_what_was_written();
    writes_no_more_than_there_is_room();
    numbers_pulse_vectors();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        transforms_as_defined(sizes[i]);
    laps_as_defined(&mode_44100->long_mdct, "the long");
    laps_as_defined(&mode_44100->short_mdct, "the short");
    spice_celt051_mode_free(mode_44100);
    spice_celt051_mode_free(mode_48000);
    return tap_done();
}
