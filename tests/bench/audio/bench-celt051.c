/* How fast the CELT 0.5.1 codec is, how much of that its fast transforms are worth, and how good it
 * sounds:
 *
 *     bench-celt051 VECTORS [--pairs N]
 *
 * A line a recorded stream: microseconds a frame of 256 stereo samples and how many times faster
 * than it plays that is (medians of N runs, default 11); the median ratio of a build with plain
 * sums, run in turn, with the least and the greatest; signal to noise of the result.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench-celt051.h"
#include "tests/unit/audio/sound.h"

enum { MAX_PAIRS = 101 };

/* Processor time: the machine may have other work. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

typedef struct {
    size_t frames;
    int16_t *in, *out;
    uint8_t *packets;
} Stream;

static double time_once(const BenchCelt *codec, int decode, Stream *stream)
{
    double start = now(), end;
    int runs = 0;

    do {
        if (decode)
            codec->decode(stream->packets, stream->frames, stream->out);
        else
            codec->encode(stream->in, stream->frames, stream->packets);
        runs++;
        end = now();
    } while (end - start < 0.01);
    return (end - start) / runs / (double)stream->frames;
}

static void compare(const char *name, int decode, Stream *stream, int pairs)
{
    const BenchCelt fast = bench_celt_fast(), direct = bench_celt_direct();
    double times[MAX_PAIRS], ratios[MAX_PAIRS], median;

    for (int i = 0; i < pairs; i++) {
        double slow = time_once(&direct, decode, stream);

        times[i] = time_once(&fast, decode, stream);
        ratios[i] = slow / times[i];
    }
    qsort(times, (size_t)pairs, sizeof times[0], ascending);
    qsort(ratios, (size_t)pairs, sizeof ratios[0], ascending);
    median = times[pairs / 2];
    printf("%-10s %s %6.1f us a frame, %5.0f times real time, x%5.1f (%.1f..%.1f)", name,
           decode ? "decode" : "encode", median * 1e6, 256 / 44100.0 / median, ratios[pairs / 2],
           ratios[0], ratios[pairs - 1]);
}

int main(int argc, char **argv)
{
    int pairs = 11;

    if (argc < 2) {
        fprintf(stderr, "usage: bench-celt051 VECTORS [--pairs N]\n");
        return 2;
    }
    if (argc > 3 && !strcmp(argv[2], "--pairs"))
        pairs = atoi(argv[3]);
    if (pairs < 1 || pairs > MAX_PAIRS)
        return 2;
    for (int i = 0; i < SOUND_STREAMS; i++) {
        const SoundStream *known = &sound_streams[i];
        const size_t delay = 256;
        Stream stream = {.frames = known->frames};
        size_t samples;

        if (known->snr == 0 || known->rate != 44100 || known->packet_size != BENCH_PACKET_SIZE)
            continue;
        stream.in = sound_input(argv[1], known, &samples);
        stream.out = calloc(samples, sizeof *stream.out);
        stream.packets = calloc(known->frames, BENCH_PACKET_SIZE);
        if (!stream.in || !stream.out || !stream.packets)
            return 1;
        compare(known->name, 0, &stream, pairs);
        putchar('\n');
        compare(known->name, 1, &stream, pairs);
        printf(", SNR %.1f (%.1f), segmental %.1f (%.1f) dB\n",
               sound_snr(stream.in, stream.out + delay, samples - delay), known->snr,
               sound_segmental_snr(stream.in, stream.out + delay, known->frames - 1),
               known->segmental_snr);
        fflush(stdout);
        free(stream.in);
        free(stream.out);
        free(stream.packets);
    }
    return 0;
}
