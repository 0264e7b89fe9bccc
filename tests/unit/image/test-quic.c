/* QUIC against recorded streams, itself and malformed input.
 *
 *     test-quic VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tap.h"
#include "core/image/bytes.h"
#include "core/image/quic.h"
#include "pictures.h"

enum { MAX_PIXELS = 1 << 24, GAP = 20 };

static const char *const vectors[] = {
    "gray-17x3",
    "gray-1x1",
    "gray-gradient-200x64",
    "gray-noise-61x47",
    "gray-text-240x120",
    "rgb16-17x3",
    "rgb16-1x1",
    "rgb16-gradient-129x65",
    "rgb16-noise-33x31",
    "rgb16-screen-250x130",
    "rgb24-1x1",
    "rgb24-photo-180x135",
    "rgb24-widgets-260x140",
    "rgb32-17x3",
    "rgb32-1x1",
    "rgb32-2x40",
    "rgb32-4x2",
    "rgb32-calc-220x160",
    "rgb32-flat-160x120",
    "rgb32-gradient-256x96",
    "rgb32-longrun-2100x12",
    "rgb32-noise-64x48",
    "rgb32-photo-211x101",
    "rgb32-stripes-97x61",
    "rgb32-tall-1x2500",
    "rgb32-terminal-300x150",
    "rgb32-wide-7000x3",
    "rgb32-wire-720x400",
    "rgba-17x3",
    "rgba-1x1",
    "rgba-4x2",
    "rgba-flatcolor-90x40",
    "rgba-icon-81x80",
    "rgba-noise-50x40",
    "rgba-screen-200x110",
};

static const char *const bad_vectors[] = {
    "all-ones",
    "all-zeros",
    "bad-magic",
    "bad-version",
    "bitflips-calc",
    "empty",
    "header-only",
    "height-0",
    "height-too-big-for-data",
    "no-trailing-word",
    "one-bitflip-rgb16",
    "ones-burst-rgba",
    "random-data",
    "rgb24-labelled-rgba",
    "run-overflow-int",
    "run-past-row-end",
    "short-16-bytes",
    "size-23170x23170-tiny-data",
    "size-65535x65535",
    "size-7fffffff-x1",
    "truncated-2-bytes",
    "truncated-half",
    "type-0",
    "type-6",
    "type-ffffffff",
    "unused-escape-5bpc",
    "unused-escape-8bpc",
    "width-0",
    "width-negative",
};

/* Each way of computing, as flags: all must give the same. */
static const SpiceCpuFlags ways[] = {0, UINT32_MAX};
enum { WAYS = sizeof ways / sizeof *ways };

static bool cpu_has_all(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#else
    return true; /* there is one way only */
#endif
}

static SpiceQuicEncoder *encoders[WAYS];
static SpiceQuicDecoder *decoders[WAYS];
static int n_ways;

/* Rows with a guard between them. */
typedef struct {
    uint8_t *memory, *top;
    size_t row_size;
    ptrdiff_t stride;
} Rows;

static Rows rows_new(size_t row_size, uint32_t height, bool up, bool gaps)
{
    size_t step = row_size + (gaps ? GAP : 0);
    Rows rows = {.row_size = row_size, .stride = (ptrdiff_t)step};

    rows.memory = malloc(step * height);
    memset(rows.memory, 0xa5, step * height);
    rows.top = rows.memory;
    if (up) {
        rows.top = rows.memory + step * (height - 1);
        rows.stride = -rows.stride;
    }
    return rows;
}

static bool rows_equal(const Rows *rows, const uint8_t *pixels, uint32_t height)
{
    size_t step = (size_t)(rows->stride < 0 ? -rows->stride : rows->stride);

    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *row = rows->top + (ptrdiff_t)y * rows->stride;

        if (memcmp(row, pixels + y * rows->row_size, rows->row_size))
            return false;
        for (size_t i = rows->row_size; i < step; i++) {
            if (row[i] != 0xa5)
                return false;
        }
    }
    return true;
}

static bool decodes_to(const uint8_t *data, size_t size, SpiceQuicTarget target,
                       const uint8_t *pixels)
{
    SpiceQuicHeader header;
    bool ok = true;

    if (!spice_quic_read_header(&header, data, size, MAX_PIXELS, NULL))
        return false;
    for (int way = 0; ok && way < n_ways; way++) {
        for (int placement = 0; ok && placement < 4; placement++) {
            Rows rows = rows_new(spice_quic_row_size(&header, target), header.height, placement & 1,
                                 placement & 2);

            ok = rows.row_size && spice_quic_decode(decoders[way], &header, data, size, target,
                                                    rows.top, rows.stride, NULL);
            ok = ok && rows_equal(&rows, pixels, header.height);
            free(rows.memory);
        }
    }
    return ok;
}

/* Encodes rows without gaps in every way and placement. The results must all be the same, and
 * *coded if that is given (it is set otherwise; free() it). */
static bool encodes_to(uint8_t type, uint32_t width, uint32_t height, size_t row_size,
                       const uint8_t *pixels, uint8_t **coded, size_t *coded_size)
{
    size_t capacity = 64 + (size_t)width * height * 17;
    uint8_t *out = malloc(capacity);
    bool ok = true;

    for (int way = 0; ok && way < n_ways; way++) {
        for (int placement = 0; ok && placement < 4; placement++) {
            Rows rows = rows_new(row_size, height, placement & 1, placement & 2);
            SpiceQuicSource source = {type, width, height, rows.top, rows.stride};
            size_t size;

            for (uint32_t y = 0; y < height; y++)
                memcpy(rows.top + (ptrdiff_t)y * rows.stride, pixels + y * row_size, row_size);
            size = spice_quic_encode(encoders[way], &source, out, capacity);
            ok = size != 0;
            if (ok && !*coded) {
                *coded = malloc(size);
                *coded_size = size;
                memcpy(*coded, out, size);
            }
            ok = ok && size == *coded_size && !memcmp(*coded, out, size);
            free(rows.memory);
        }
    }
    free(out);
    return ok;
}

/* Makes rows of `type` out of 32-bit pixels, and what they decode to by the first target. */
static size_t make_rows(uint8_t type, size_t count, uint32_t width, const uint32_t *pixels,
                        uint8_t *rows, uint8_t *wanted, SpiceQuicTarget *target)
{
    *target = SPICE_QUIC_TO_32;
    for (size_t i = 0; i < count; i++) {
        uint32_t x = pixels[i];

        switch (type) {
        case SPICE_QUIC_GRAY:
            rows[i] = wanted[i] = (uint8_t)(x >> 24);
            *target = SPICE_QUIC_TO_GRAY;
            break;
        case SPICE_QUIC_RGB16:
            spice_store16(rows + 2 * i, (uint16_t)x);
            spice_store16(wanted + 2 * i, x & 0x7fff);
            *target = SPICE_QUIC_TO_555;
            break;
        case SPICE_QUIC_RGB24:
            for (unsigned c = 0; c < 3; c++)
                rows[3 * i + c] = (uint8_t)(x >> (8 * c));
            spice_store32(wanted + 4 * i, x & 0xffffff);
            break;
        case SPICE_QUIC_RGB32:
            spice_store32(rows + 4 * i, x);
            spice_store32(wanted + 4 * i, x & 0xffffff);
            break;
        default:
            spice_store32(rows + 4 * i, x);
            spice_store32(wanted + 4 * i, x);
            break;
        }
    }
    return (size_t)width * (type == SPICE_QUIC_GRAY    ? 1
                            : type == SPICE_QUIC_RGB16 ? 2
                            : type == SPICE_QUIC_RGB24 ? 3
                                                       : 4);
}

/* --- recorded streams --- */

static void test_vector(const char *folder, const char *name)
{
    char file[128];
    size_t size, count, row;
    uint8_t *data, *rows, *wanted;
    uint32_t *pixels;
    SpiceQuicHeader header;
    SpiceQuicTarget target;
    Picture truth;
    bool read;

    snprintf(file, sizeof file, "%s.quic", name);
    data = read_file(folder, file, &size);
    snprintf(file, sizeof file, "%s.ppm", name);
    read = read_picture(folder, file, &truth);
    snprintf(file, sizeof file, "%s.pam", name);
    read = read || read_picture(folder, file, &truth);
    if (!TAP_OK(data && read, "%s: files", name))
        return;
    if (!TAP_OK(spice_quic_read_header(&header, data, size, MAX_PIXELS, NULL) &&
                    header.width == (uint32_t)truth.width &&
                    header.height == (uint32_t)truth.height,
                "%s: header", name))
        return;
    count = (size_t)header.width * header.height;
    pixels = picture_to_32(&truth);
    for (size_t i = 0; header.type == SPICE_QUIC_RGB16 && i < count; i++) {
        const uint8_t *rgb = truth.samples + 3 * i;

        pixels[i] = (uint32_t)(rgb[0] << 10 | rgb[1] << 5 | rgb[2]);
    }
    rows = malloc(4 * count);
    wanted = malloc(4 * count);
    row = make_rows(header.type, count, header.width, pixels, rows, wanted, &target);
    TAP_OK(decodes_to(data, size, target, wanted), "%s: decodes to the truth", name);
    if (header.type == SPICE_QUIC_RGB16) {
        for (size_t i = 0; i < count; i++) {
            uint32_t x = pixels[i], r = x >> 10, g = x >> 5 & 31, b = x & 31;

            spice_store32(wanted + 4 * i,
                          (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2));
        }
        TAP_OK(decodes_to(data, size, SPICE_QUIC_TO_32, wanted), "%s: widened", name);
    }
    for (size_t i = 0; i < count; i++) { /* bits that must not matter */
        if (header.type == SPICE_QUIC_RGB16)
            rows[2 * i + 1] |= 0x80;
        if (header.type == SPICE_QUIC_RGB32)
            rows[4 * i + 3] = (uint8_t)(i * 37);
    }
    TAP_OK(encodes_to(header.type, header.width, header.height, row, rows, &data, &size),
           "%s: encodes to the same bytes", name);
    free(rows);
    free(wanted);
    free(pixels);
    free(truth.samples);
    free(data);
}

static bool decodes(const uint8_t *data, size_t size, SpiceError *error)
{
    SpiceQuicHeader header;
    bool ok = spice_quic_read_header(&header, data, size, MAX_PIXELS, error), first = true;
    bool result = ok;

    for (int way = 0; ok && way < n_ways; way++) {
        for (SpiceQuicTarget t = SPICE_QUIC_TO_32; t <= SPICE_QUIC_TO_GRAY; t++) {
            size_t row = spice_quic_row_size(&header, t);
            uint8_t *memory;
            bool good;

            if (row == 0)
                continue;
            memory = malloc(row * header.height);
            good = spice_quic_decode(decoders[way], &header, data, size, t, memory, (ptrdiff_t)row,
                                     error);
            free(memory);
            if (first)
                result = good;
            else if (good != result)
                TAP_OK(false, "all ways of decoding agree");
            first = false;
        }
    }
    return result;
}

static void test_bad_vector(const char *folder, const char *name)
{
    char file[128];
    size_t size;
    uint8_t *data;
    SpiceError error = {0};

    snprintf(file, sizeof file, "%s.quic", name);
    data = read_file(folder, file, &size);
    TAP_OK(data && !decodes(data, size, &error) && error.code != SPICE_OK, "bad/%s: %s of %s", name,
           error.field ? error.field : "", spice_error_phrase(error.code));
    free(data);
}

/* --- limits --- */

static void test_limits(void)
{
    uint8_t pixel[4] = {255, 200, 10, 0}, out[64];
    SpiceQuicSource source = {SPICE_QUIC_RGB32, 1, 1, pixel, 4};
    SpiceQuicHeader header;
    SpiceError error = {0};
    size_t size = spice_quic_encode(encoders[0], &source, out, sizeof out);

    TAP_OK(size == 28, "one pixel: 28 bytes");
    TAP_OK(!spice_quic_encode(encoders[0], &source, out, 27), "which do not fit into 27");
    TAP_OK(spice_quic_read_header(&header, out, size, 1, NULL) &&
               !spice_quic_read_header(&header, out, size, 0, &error) &&
               error.code == SPICE_ERROR_LIMIT,
           "limit of pixels");
    TAP_OK(spice_quic_row_size(&header, SPICE_QUIC_TO_555) == 0 &&
               spice_quic_row_size(&header, SPICE_QUIC_TO_GRAY) == 0,
           "32-bit pixels are not decoded as others");
    source.width = 0;
    TAP_OK(!spice_quic_encode(encoders[0], &source, out, sizeof out), "no width, no image");
    source.width = 1;
    source.type = 6;
    TAP_OK(!spice_quic_encode(encoders[0], &source, out, sizeof out), "no type, no image");
    TAP_OK(spice_quic_type_of_format(9) == SPICE_QUIC_RGBA && spice_quic_type_of_format(5) == 0 &&
               spice_quic_type_of_format(10) == 0,
           "types of bitmap formats");
}

/* --- random pictures --- */

static bool withstands_damage(uint64_t *state, const uint8_t *coded, size_t size)
{
    bool ok = true;

    for (int i = 0; ok && i < 2; i++) {
        size_t cut = random_below(state, (uint32_t)size);
        uint8_t *piece = malloc(cut ? cut : 1);

        memcpy(piece, coded, cut);
        ok = !decodes(piece, cut, NULL);
        free(piece);
        piece = malloc(size);
        memcpy(piece, coded, size);
        for (int flips = 1 + (int)random_below(state, 3); flips > 0; flips--)
            piece[20 + random_below(state, (uint32_t)size - 20)] ^=
                (uint8_t)(1u << random_below(state, 8));
        decodes(piece, size, NULL);
        free(piece);
    }
    return ok;
}

static bool test_random(uint64_t *state)
{
    uint8_t type = (uint8_t)(1 + random_below(state, 5));
    uint32_t width = 1 + random_below(state, random_below(state, 2) ? 12 : 150);
    uint32_t height = 1 + random_below(state, random_below(state, 2) ? 12 : 100);
    size_t count, row, size = 0;
    uint32_t *pixels;
    uint8_t *rows, *wanted, *coded = NULL;
    SpiceQuicTarget target;
    bool ok;

    if (random_below(state, 40) == 0) /* steps of the wait mask within rows */
        width = 3000 + random_below(state, 10000);
    count = (size_t)width * height;
    pixels = malloc(4 * count);
    rows = malloc(4 * count);
    wanted = malloc(4 * count);
    random_picture(state, pixels, width, height);
    row = make_rows(type, count, width, pixels, rows, wanted, &target);
    ok = encodes_to(type, width, height, row, rows, &coded, &size) &&
         decodes_to(coded, size, target, wanted);
    if (ok) {
        SpiceQuicSource source = {type, width, height, rows, (ptrdiff_t)row};
        size_t less = random_below(state, (uint32_t)size);
        uint8_t *out = malloc(less ? less : 1);

        ok = spice_quic_encode(encoders[0], &source, out, less) == 0;
        free(out);
        out = malloc(size);
        ok = ok && spice_quic_encode(encoders[n_ways - 1], &source, out, size) == size &&
             !memcmp(out, coded, size);
        free(out);
        ok = ok && withstands_damage(state, coded, size);
    }
    if (!ok)
        TAP_NOTE("type %u %ux%u", type, width, height);
    free(coded);
    free(pixels);
    free(rows);
    free(wanted);
    return ok;
}

/* How fast each way is, for who looks on. */
static void print_speeds(void)
{
#ifndef __wasi__ /* it has no clock() */
    enum { WIDTH = 640, HEIGHT = 480 };
    uint64_t state = 7;
    uint32_t *pixels = malloc(4 * WIDTH * HEIGHT);
    uint8_t *coded = malloc(12 * WIDTH * HEIGHT);

    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = (uint32_t)(i % WIDTH / 3) * 0x010101 + (random_u32(&state) & 0x030303);
    for (int way = 0; way < n_ways; way++) {
        SpiceQuicSource source = {SPICE_QUIC_RGB32, WIDTH, HEIGHT, (uint8_t *)pixels, 4 * WIDTH};
        SpiceQuicHeader header;
        clock_t start = clock(), middle;
        size_t size = 0;

        for (int i = 0; i < 5; i++)
            size = spice_quic_encode(encoders[way], &source, coded, 12 * WIDTH * HEIGHT);
        middle = clock();
        for (int i = 0; i < 5; i++) {
            spice_quic_read_header(&header, coded, size, MAX_PIXELS, NULL);
            spice_quic_decode(decoders[way], &header, coded, size, SPICE_QUIC_TO_32,
                              (uint8_t *)pixels, 4 * WIDTH, NULL);
        }
        TAP_NOTE("flags %#x: encodes %.0f, decodes %.0f MB/s", (unsigned)ways[way],
                 20e-6 * WIDTH * HEIGHT / ((double)(middle - start + 1) / CLOCKS_PER_SEC),
                 20e-6 * WIDTH * HEIGHT / ((double)(clock() - middle + 1) / CLOCKS_PER_SEC));
    }
    free(pixels);
    free(coded);
#endif
}

int main(int argc, char **argv)
{
    bool thorough = tap_long(argc, argv);
    char folder[1024];
    uint64_t state = 0x5eed;
    int images = thorough ? 100000 : 2000, good = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: test-quic VECTORS [--long]\n");
        return 2;
    }
    n_ways = cpu_has_all() ? WAYS : 1;
    for (int way = 0; way < n_ways; way++) {
        encoders[way] = spice_quic_encoder_new(&spice_allocator_libc, ways[way]);
        decoders[way] = spice_quic_decoder_new(&spice_allocator_libc, ways[way]);
        if (!encoders[way] || !decoders[way])
            return 2;
    }
    snprintf(folder, sizeof folder, "%s/quic", argv[1]);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        test_vector(folder, vectors[i]);
    snprintf(folder, sizeof folder, "%s/quic/bad", argv[1]);
    for (size_t i = 0; i < sizeof bad_vectors / sizeof *bad_vectors; i++)
        test_bad_vector(folder, bad_vectors[i]);
    test_limits();
    for (int i = 0; i < images; i++)
        good += test_random(&state);
    TAP_OK(good == images, "%d of %d random images come back", good, images);
    print_speeds();
    for (int way = 0; way < n_ways; way++) {
        spice_quic_encoder_free(encoders[way]);
        spice_quic_decoder_free(decoders[way]);
    }
    return tap_done();
}
