/* How fast the image codecs are and how small their output is, beside the reference's if its
 * library is given:
 *
 *     bench-image [--pairs N] [--only WORD] [LIBREFERENCE.SO]
 *
 * tests/bench/reference.sh builds that library. Ours and theirs run in turn, N (default 11) pairs
 * for each line; a line gives the median of our times as MB/s of 32-bit pixels, the median of the
 * pairs' ratios (above 1: ours is faster) with the least and the greatest, and the sizes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench-image.h"

enum { WIDTH = 1920, HEIGHT = 1080, MAX_PAIRS = 101 };

/* Of this thread: what else the machine does must not count. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The time of one run in seconds: of several in a row if one is too short to time. */
static double timed(const BenchCodec *codec, BenchRun run, BenchImage *image)
{
    double start = now(), end;
    int runs = 0;

    do {
        if (!run(codec, image)) {
            fprintf(stderr, "bench-image: %s failed on %s\n", codec->name, image->name);
            exit(1);
        }
        runs++;
        end = now();
    } while (end - start < 0.004);
    return (end - start) / runs;
}

static void compare(const BenchCodec *codec, const char *what, BenchRun ours, BenchRun theirs,
                    BenchImage *image, int pairs)
{
    double times[MAX_PAIRS], ratios[MAX_PAIRS];
    double megabytes = 4e-6 * image->width * image->height * image->frames;

    timed(codec, ours, image); /* warm */
    if (theirs)
        timed(codec, theirs, image);
    for (int i = 0; i < pairs; i++) {
        times[i] = timed(codec, ours, image);
        ratios[i] = theirs ? timed(codec, theirs, image) / times[i] : 0;
    }
    qsort(times, (size_t)pairs, sizeof times[0], ascending);
    qsort(ratios, (size_t)pairs, sizeof ratios[0], ascending);
    printf("%-10s %-6s %-7s %7.0f MB/s", codec->name, image->name, what,
           megabytes / times[pairs / 2]);
    if (theirs)
        printf("  x%5.2f (%.2f..%.2f)", ratios[pairs / 2], ratios[0], ratios[pairs - 1]);
    if (what[0] == 'e') {
        printf("  %8zu bytes", image->coded_size);
        if (theirs)
            printf(" of %8zu (%.3f)", image->reference_coded_size,
                   (double)image->coded_size / (double)image->reference_coded_size);
    }
    putchar('\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static BenchImage image;
    const char *only = "", *library = NULL;
    void *reference = NULL;
    int pairs = 11;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--pairs") && i + 1 < argc)
            pairs = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            only = argv[++i];
        else
            library = argv[i];
    }
    if (pairs < 1 || pairs > MAX_PAIRS) {
        fprintf(stderr, "bench-image: 1 to %d pairs\n", MAX_PAIRS);
        return 2;
    }
    if (library && !(reference = dlopen(library, RTLD_NOW | RTLD_LOCAL))) {
        fprintf(stderr, "bench-image: %s\n", dlerror());
        return 2;
    }
    if (!reference)
        printf("# no reference library given: ours alone\n");

    /* Freed memory stays with the program: else the decoders of sequences would time the kernel,
     * which hands out zeroed pages. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);

    image.width = WIDTH;
    image.height = HEIGHT;
    image.pixels = malloc(4 * WIDTH * HEIGHT * BENCH_FRAMES);
    image.decoded = malloc(4 * WIDTH * HEIGHT);
    image.capacity = 8 * WIDTH * HEIGHT * BENCH_FRAMES;
    image.coded = malloc(image.capacity);
    image.reference_coded = malloc(image.capacity);
    if (!image.pixels || !image.decoded || !image.coded || !image.reference_coded)
        return 1;
    for (const BenchCodec *codec = bench_codecs; codec->name; codec++) {
        BenchReference theirs = {NULL, NULL};

        if (!strstr(codec->name, only))
            continue;
        if (reference && codec->reference)
            theirs = codec->reference(reference);
        for (int s = 0; s < SCREEN_COUNT; s++) {
            image.name = screen_names[s];
            image.frames = 1;
            screen_draw((Screen)s, WIDTH, HEIGHT, (uint32_t *)image.pixels);
            codec->prepare(codec, &image);
            compare(codec, "encode", codec->encode, theirs.encode, &image, pairs);
            memset(image.decoded, 0x55, 4 * WIDTH * HEIGHT);
            compare(codec, "decode", codec->decode, theirs.decode, &image, pairs);
        }
    }
    free(image.pixels);
    free(image.decoded);
    free(image.coded);
    free(image.reference_coded);
    if (reference)
        dlclose(reference);
    return 0;
}
