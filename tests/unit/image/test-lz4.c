/* LZ4 images against recorded ones, itself and malformed input.
 *
 *     test-lz4 VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/image/bytes.h"
#include "core/image/lz4.h"
#include "pictures.h"

enum { GAP = 12 };

/* Decodes into each placement of rows; all must give `wanted` and touch nothing else. */
static bool decodes_to(SpiceLz4 *lz4, const uint8_t *data, size_t size, uint32_t width,
                       uint32_t height, const uint32_t *wanted)
{
    size_t row = 4 * (size_t)width;
    bool ok = true;

    for (int placement = 0; ok && placement < 4; placement++) {
        size_t step = row + (placement & 2 ? GAP : 0);
        uint8_t *memory = malloc(step * height), format;
        uint8_t *top = placement & 1 ? memory + step * (height - 1) : memory;
        ptrdiff_t stride = placement & 1 ? -(ptrdiff_t)step : (ptrdiff_t)step;

        memset(memory, 0xa5, step * height);
        ok = spice_lz4_decode(lz4, data, size, width, height, top, stride, &format, NULL);
        for (uint32_t y = 0; ok && y < height; y++) {
            const uint8_t *at = top + (ptrdiff_t)y * stride;

            ok = !memcmp(at, wanted + (size_t)y * width, row);
            for (size_t i = row; ok && i < step; i++)
                ok = at[i] == 0xa5;
        }
        free(memory);
    }
    return ok;
}

/* Rows of `format` from 32-bit pixels, and in `wanted` what they decode to. */
static size_t make_rows(uint8_t format, size_t count, const uint32_t *pixels, uint8_t *rows,
                        uint32_t *wanted)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t x = pixels[i], r = x >> 10 & 31, g = x >> 5 & 31, b = x & 31;

        if (format == SPICE_LZ4_16BIT) {
            spice_store16(rows + 2 * i, (uint16_t)x);
            wanted[i] = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
        } else if (format == SPICE_LZ4_24BIT) {
            for (unsigned c = 0; c < 3; c++)
                rows[3 * i + c] = (uint8_t)(x >> 8 * c);
            wanted[i] = x & 0xffffff;
        } else {
            spice_store32(rows + 4 * i, x);
            wanted[i] = format == SPICE_LZ4_RGBA ? x : x & 0xffffff;
        }
    }
    return format == SPICE_LZ4_16BIT ? 2 : format == SPICE_LZ4_24BIT ? 3 : 4;
}

static bool round_trips(SpiceLz4 *lz4, uint8_t format, uint32_t width, uint32_t height,
                        const uint32_t *pixels)
{
    size_t count = (size_t)width * height, capacity = 64 + 5 * count, size = 0;
    uint8_t *rows = malloc(4 * count), *coded = malloc(capacity), *spread;
    uint32_t *wanted = malloc(4 * count);
    size_t row = width * make_rows(format, count, pixels, rows, wanted), step = row + GAP;
    bool ok = true;

    for (int placement = 0; ok && placement < 4; placement++) {
        size_t gap = placement & 2 ? step : row;
        ptrdiff_t stride = placement & 1 ? -(ptrdiff_t)gap : (ptrdiff_t)gap;
        uint8_t *top;

        spread = malloc(gap * height);
        top = placement & 1 ? spread + gap * (height - 1) : spread;
        for (uint32_t y = 0; y < height; y++)
            memcpy(top + (ptrdiff_t)y * stride, rows + y * row, row);
        size = spice_lz4_encode(lz4, format, width, height, top, stride, coded, capacity);
        ok = size && coded[0] == !(placement & 1) && coded[1] == format &&
             decodes_to(lz4, coded, size, width, height, wanted);
        free(spread);
    }
    if (ok) { /* cut anywhere it is refused, and does not fit into less */
        uint8_t *piece = malloc(size), found;
        uint32_t *out = malloc(4 * count);
        size_t cut = size - 1 - size / 3;

        memcpy(piece, coded, cut);
        ok = !spice_lz4_decode(lz4, piece, cut, width, height, (uint8_t *)out, 4 * (ptrdiff_t)width,
                               &found, NULL) &&
             !spice_lz4_encode(lz4, format, width, height, rows, (ptrdiff_t)row, piece, 7);
        free(piece);
        free(out);
    }
    free(rows);
    free(coded);
    free(wanted);
    return ok;
}

static void test_vector(const char *folder, char *line, SpiceLz4 *lz4)
{
    char *name = strtok(line, "\t"), *format = strtok(NULL, "\t"), file[128];
    Picture truth = {0};
    uint8_t *data;
    uint32_t *pixels;
    size_t size;

    snprintf(file, sizeof file, "%s.bin", name);
    data = read_file(folder, file, &size);
    snprintf(file, sizeof file, "%s.%s", name, strstr(name, "rgba") ? "pam" : "ppm");
    if (!TAP_OK(data && format && read_picture(folder, file, &truth), "%s: files", name))
        return;
    pixels = picture_to_32(&truth);
    TAP_OK(data[1] == atoi(format + strlen("fmt ")) &&
               decodes_to(lz4, data, size, (uint32_t)truth.width, (uint32_t)truth.height, pixels),
           "%s: decodes to the truth", name);
    TAP_OK(round_trips(lz4, data[1], (uint32_t)truth.width, (uint32_t)truth.height, pixels),
           "%s: encodes", name);
    free(pixels);
    free(truth.samples);
    free(data);
}

static void test_bad_vector(const char *folder, char *line, SpiceLz4 *lz4)
{
    char *name = strtok(line, "\t");
    uint8_t pixels[20 * 4 * 4], format, *data;
    SpiceError error = {0};
    bool sound = !strcmp(name, "extra-block.bin");
    size_t size;

    data = read_file(folder, name, &size);
    TAP_OK(data && spice_lz4_decode(lz4, data, size, 20, 4, pixels, 80, &format, &error) == sound,
           "bad/%s: %s %s", name, error.field ? error.field : "taken",
           spice_error_phrase(error.code));
    free(data);
}

static void each_line(const char *folder, void (*what)(const char *, char *, SpiceLz4 *),
                      SpiceLz4 *lz4, bool skip_first)
{
    size_t size = 0, start = 0;
    uint8_t *list = read_file(folder, "list.txt", &size);
    int lines = 0;

    for (size_t i = 0; i < size; i++) {
        char line[256];

        if (list[i] != '\n')
            continue;
        if (i > start && i - start < sizeof line && !skip_first) {
            memcpy(line, list + start, i - start);
            line[i - start] = 0;
            what(folder, line, lz4);
            lines++;
        }
        skip_first = false;
        start = i + 1;
    }
    TAP_OK(lines >= 7, "%d lines in %s", lines, folder);
    free(list);
}

int main(int argc, char **argv)
{
    SpiceLz4 *lz4 = spice_lz4_new(&spice_allocator_libc);
    int images = tap_long(argc, argv) ? 100000 : 2000, good = 0;
    char folder[1024];
    uint64_t state = 0x5eed;

    if (argc < 2 || !lz4)
        return 2;
    snprintf(folder, sizeof folder, "%s/lz4", argv[1]);
    each_line(folder, test_vector, lz4, false);
    snprintf(folder, sizeof folder, "%s/lz4/bad", argv[1]);
    each_line(folder, test_bad_vector, lz4, true);
    for (int i = 0; i < images; i++) {
        uint32_t width = 1 + random_below(&state, 90), height = 1 + random_below(&state, 60);
        uint32_t *pixels = malloc(4 * (size_t)width * height);

        random_picture(&state, pixels, width, height);
        good += round_trips(lz4, (uint8_t)(6 + random_below(&state, 4)), width, height, pixels);
        free(pixels);
    }
    TAP_OK(good == images, "%d of %d random images come back", good, images);
    spice_lz4_free(lz4);
    return tap_done();
}
