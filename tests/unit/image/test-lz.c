/* LZ against recorded streams, itself and malformed input.
 *
 *     test-lz VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tap.h"
#include "core/image/bytes.h"
#include "core/image/lz.h"
#include "core/image/palette.h"
#include "pictures.h"

enum { MAX_PIXELS = 1 << 24, GAP = 24 };

static const char *const type_names[] = {[SPICE_LZ_PLT1_LE] = "PLT1_LE",
                                         [SPICE_LZ_PLT1_BE] = "PLT1_BE",
                                         [SPICE_LZ_PLT4_LE] = "PLT4_LE",
                                         [SPICE_LZ_PLT4_BE] = "PLT4_BE",
                                         [SPICE_LZ_PLT8] = "PLT8",
                                         [SPICE_LZ_RGB16] = "RGB16",
                                         [SPICE_LZ_RGB24] = "RGB24",
                                         [SPICE_LZ_RGB32] = "RGB32",
                                         [SPICE_LZ_RGBA] = "RGBA",
                                         [SPICE_LZ_XXXA] = "XXXA",
                                         [SPICE_LZ_A8] = "A8"};

/* Each way of decoding, as flags: all must give the same. */
static const SpiceCpuFlags ways[] = {0, UINT32_MAX};
static int n_ways = 1;

static bool cpu_has_all(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("ssse3");
#else
    return true; /* there is one way only */
#endif
}

/* The ways in which rows can lie in memory. */
typedef enum { TIGHT_DOWN, TIGHT_UP, GAPS_DOWN, GAPS_UP, PLACEMENTS } Placement;

/* Rows with a guard around and between them. */
typedef struct {
    uint8_t *memory, *top;
    size_t size, row_size;
    uint32_t height;
    ptrdiff_t stride;
} Rows;

static Rows rows_new(size_t row_size, uint32_t height, Placement placement)
{
    size_t step = row_size + (placement >= GAPS_DOWN ? GAP : 0);
    Rows rows = {.size = step * height, .row_size = row_size, .height = height};

    rows.memory = malloc(rows.size);
    memset(rows.memory, 0xa5, rows.size);
    rows.stride = (ptrdiff_t)step;
    rows.top = rows.memory;
    if (placement == TIGHT_UP || placement == GAPS_UP) {
        rows.top = rows.memory + step * (height - 1);
        rows.stride = -rows.stride;
    }
    return rows;
}

static uint8_t *rows_at(const Rows *rows, uint32_t y)
{
    return rows->top + (ptrdiff_t)y * rows->stride;
}

/* Whether the rows are those of `pixels`, and nothing between them was written. */
static bool rows_equal(const Rows *rows, const uint8_t *pixels)
{
    size_t step = (size_t)(rows->stride < 0 ? -rows->stride : rows->stride);

    for (uint32_t y = 0; y < rows->height; y++) {
        if (memcmp(rows_at(rows, y), pixels + y * rows->row_size, rows->row_size))
            return false;
        for (size_t i = rows->row_size; i < step; i++) {
            if (rows_at(rows, y)[i] != 0xa5)
                return false;
        }
    }
    return true;
}

static bool decodes_to(const uint8_t *data, size_t size, SpiceLzTarget target,
                       const uint8_t *pixels)
{
    SpiceLzHeader header;
    bool ok = true;

    if (!spice_lz_read_header(&header, data, size, MAX_PIXELS, NULL))
        return false;
    for (int i = 0; ok && i < PLACEMENTS * n_ways; i++) {
        const SpiceCpuFlags cpu = ways[i / PLACEMENTS];
        Rows rows = rows_new(spice_lz_row_size(&header, target), header.height,
                             (Placement)(i % PLACEMENTS));

        ok = rows.row_size &&
             spice_lz_decode(&header, data, size, target, rows.top, rows.stride, cpu, NULL);
        ok = ok && rows_equal(&rows, pixels);
        free(rows.memory);
    }
    return ok;
}

/* Alpha joined to colours that are there: they must stay. */
static bool joins_alpha(const uint8_t *data, size_t size, const uint8_t *alpha, SpiceCpuFlags cpu)
{
    SpiceLzHeader header;
    bool ok = true;

    if (!spice_lz_read_header(&header, data, size, MAX_PIXELS, NULL))
        return false;
    for (Placement placement = TIGHT_DOWN; ok && placement < PLACEMENTS; placement++) {
        Rows rows = rows_new((size_t)header.width * 4, header.height, placement);
        uint8_t *wanted = malloc((size_t)header.width * header.height * 4);

        for (size_t i = 0; i < (size_t)header.width * header.height; i++) {
            memset(wanted + 4 * i, 0xa5, 3);
            wanted[4 * i + 3] = alpha[i];
        }
        ok = spice_lz_decode(&header, data, size, SPICE_LZ_TO_ALPHA, rows.top, rows.stride, cpu,
                             NULL) &&
             rows_equal(&rows, wanted);
        free(wanted);
        free(rows.memory);
    }
    return ok;
}

/* --- recorded streams --- */

static size_t read_palette(const char *folder, const char *name, uint32_t *entries)
{
    size_t size, n = 0;
    uint8_t *data = read_file(folder, name, &size);
    char *text = calloc(1, data ? size + 1 : 1), *at = text, *next;

    if (data)
        memcpy(text, data, size);
    while (n < 256) {
        entries[n] = (uint32_t)strtoul(at, &next, 16);
        if (next == at)
            break;
        at = next;
        n++;
    }
    free(text);
    free(data);
    return n;
}

/* What the recorded truth is in the form that the decoder gives. free() it. */
static uint8_t *truth_as(const Picture *truth, SpiceLzTarget target)
{
    size_t count = (size_t)truth->width * (size_t)truth->height;
    uint8_t *pixels = (uint8_t *)picture_to_32(truth);

    for (size_t i = 0; i < count; i++) {
        uint32_t x = spice_load32(pixels + 4 * i);

        if (target == SPICE_LZ_TO_PLANE)
            pixels[i] = (uint8_t)(x >> 24);
        else if (target == SPICE_LZ_TO_555)
            spice_store16(pixels + 2 * i,
                          (uint16_t)((x >> 9 & 0x7c00) | (x >> 6 & 0x03e0) | (x >> 3 & 0x001f)));
    }
    return pixels;
}

/* Encodes rows without gaps in every placement; each result must decode to the same. *coded_size
 * is that of `sized`. */
static bool round_trips(SpiceLzEncoder *encoder, uint8_t type, uint32_t width, uint32_t height,
                        size_t row_size, const uint8_t *pixels, SpiceLzTarget target,
                        const uint8_t *wanted, Placement sized, size_t *coded_size)
{
    size_t capacity = row_size * height * 2 + 64;
    uint8_t *coded = malloc(capacity);
    bool ok = true;

    for (Placement placement = TIGHT_DOWN; ok && placement < PLACEMENTS; placement++) {
        Rows rows = rows_new(row_size, height, placement);
        SpiceLzSource source = {type, width, height, rows.top, rows.stride};
        size_t size;

        for (uint32_t y = 0; y < height; y++)
            memcpy(rows_at(&rows, y), pixels + y * row_size, row_size);
        size = spice_lz_encode(encoder, &source, coded, capacity);
        ok = size && decodes_to(coded, size, target, wanted);
        if (placement == sized)
            *coded_size = size;
        free(rows.memory);
    }
    free(coded);
    return ok;
}

static void test_vector(const char *folder, char *line, SpiceLzEncoder *encoder)
{
    char *field[7] = {0};
    int n = 0;
    size_t size, coded_size = 0;
    uint8_t *data, *truth_pixels;
    SpiceLzHeader header;
    Picture truth;
    SpiceLzTarget target;
    Placement sized;
    bool ok;

    for (char *at = strtok(line, "\t"); at && n < 7; at = strtok(NULL, "\t"))
        field[n++] = at;
    data = read_file(folder, field[0], &size);
    if (!TAP_OK(n >= 6 && data && read_picture(folder, field[5], &truth), "%s: files", field[0]))
        return;
    ok = spice_lz_read_header(&header, data, size, MAX_PIXELS, NULL);
    TAP_OK(ok && !strcmp(type_names[header.type], field[1]) &&
               header.top_down == !strcmp(field[3], "top-down") &&
               header.width == (uint32_t)truth.width && header.height == (uint32_t)truth.height,
           "%s: header", field[0]);
    if (!ok)
        return;
    sized = header.top_down ? TIGHT_DOWN : TIGHT_UP;
    if (spice_lz_is_palette(header.type)) {
        size_t row = (size_t)header.width * 4;
        uint8_t *indices = malloc((size_t)header.stride * header.height);
        uint8_t *pixels = malloc(row * header.height);
        uint32_t entries[256];
        size_t n_entries = read_palette(folder, field[6], entries);

        ok = spice_lz_decode(&header, data, size, SPICE_LZ_TO_INDICES, indices, header.stride, 0,
                             NULL);
        spice_palette_expand((SpiceIndexFormat)header.type, entries, n_entries, header.width,
                             header.height, indices, header.stride, pixels, (ptrdiff_t)row);
        truth_pixels = truth_as(&truth, SPICE_LZ_TO_32);
        TAP_OK(ok && decodes_to(data, size, SPICE_LZ_TO_INDICES, indices) &&
                   !memcmp(pixels, truth_pixels, row * header.height),
               "%s: decodes to the truth", field[0]);
        TAP_OK(round_trips(encoder, header.type, header.width, header.height, header.stride,
                           indices, SPICE_LZ_TO_INDICES, indices, sized, &coded_size),
               "%s: encodes", field[0]);
        free(indices);
        free(pixels);
        free(truth_pixels);
    } else {
        size_t count = (size_t)header.width * header.height;
        uint8_t *source;

        target = header.type == SPICE_LZ_A8 || header.type == SPICE_LZ_XXXA ? SPICE_LZ_TO_PLANE
                                                                            : SPICE_LZ_TO_32;
        truth_pixels = truth_as(&truth, target);
        TAP_OK(decodes_to(data, size, target, truth_pixels) &&
                   decodes_to(data, size, target, truth_pixels),
               "%s: decodes to the truth", field[0]);
        if (target == SPICE_LZ_TO_PLANE)
            TAP_OK(joins_alpha(data, size, truth_pixels, 0), "%s: joins", field[0]);
        source = truth_as(&truth, header.type == SPICE_LZ_RGB16 ? SPICE_LZ_TO_555
                                  : header.type == SPICE_LZ_A8  ? SPICE_LZ_TO_PLANE
                                                                : SPICE_LZ_TO_32);
        if (header.type == SPICE_LZ_RGB16)
            TAP_OK(decodes_to(data, size, SPICE_LZ_TO_555, source), "%s: to 555", field[0]);
        if (header.type == SPICE_LZ_RGB24) {
            for (size_t i = 0; i < count; i++)
                memmove(source + 3 * i, source + 4 * i, 3);
        }
        TAP_OK(round_trips(encoder, header.type, header.width, header.height, header.stride, source,
                           target, truth_pixels, sized, &coded_size),
               "%s: encodes", field[0]);
        free(source);
        free(truth_pixels);
    }
    TAP_NOTE("%zu bytes recorded, %zu ours", size, coded_size);
    TAP_OK(coded_size <= size, "%s: no larger than recorded", field[0]);
    free(truth.samples);
    free(data);
}

static bool ways_differ;

/* Decodes with whatever target goes with the type; in all ways alike. */
static bool decodes(const uint8_t *data, size_t size, SpiceError *error)
{
    SpiceLzHeader header;
    bool ok = spice_lz_read_header(&header, data, size, MAX_PIXELS, error);

    for (SpiceLzTarget target = SPICE_LZ_TO_32; ok && target <= SPICE_LZ_TO_ALPHA; target++) {
        size_t row = spice_lz_row_size(&header, target);

        for (Placement placement = TIGHT_DOWN; ok && row && placement < PLACEMENTS; placement++) {
            Rows rows = rows_new(row, header.height, placement);

            ok = spice_lz_decode(&header, data, size, target, rows.top, rows.stride, 0, error);
            for (int way = 1; way < n_ways; way++) {
                Rows others = rows_new(row, header.height, placement);
                SpiceError again = {0};

                if (spice_lz_decode(&header, data, size, target, others.top, others.stride,
                                    ways[way], &again) != ok ||
                    (error && again.code != error->code) ||
                    (ok && memcmp(rows.memory, others.memory, rows.size)))
                    ways_differ = true;
                free(others.memory);
            }
            free(rows.memory);
        }
    }
    return ok;
}

static void test_bad_vector(const char *folder, char *line)
{
    static const char *const sound[] = {"trailing.bin", "plt8-index.bin", "plt1-short.bin",
                                        "plt4-nopal.bin"};
    char *name = strtok(line, "\t");
    size_t size;
    uint8_t *data = read_file(folder, name, &size);
    bool lawful = false;
    SpiceError error = {0};

    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++)
        lawful = lawful || !strcmp(name, sound[i]);
    TAP_OK(data && decodes(data, size, &error) == lawful && (error.code == SPICE_OK) == lawful,
           "bad/%s: %s", name, lawful ? "taken as it is" : "refused");
    free(data);
}

static void each_line(const char *folder, void (*what)(const char *, char *, SpiceLzEncoder *),
                      SpiceLzEncoder *encoder)
{
    size_t size;
    uint8_t *list = read_file(folder, "list.txt", &size);
    size_t start = 0;
    int lines = 0;

    for (size_t i = 0; list && i < size; i++) {
        char line[512];

        if (list[i] != '\n')
            continue;
        if (i > start && i - start < sizeof line) {
            memcpy(line, list + start, i - start);
            line[i - start] = 0;
            what(folder, line, encoder);
            lines++;
        }
        start = i + 1;
    }
    TAP_OK(lines > 20, "%d lines in %s", lines, folder);
    free(list);
}

static void bad_line(const char *folder, char *line, SpiceLzEncoder *encoder)
{
    (void)encoder;
    test_bad_vector(folder, line);
}

/* --- palettes --- */

static void test_palette_gaps(void)
{
    const uint32_t entries[3] = {0x111111, 0x222222, 0x333333};
    const uint8_t indices[2] = {0x80, 0x05};
    uint32_t pixels[16];

    spice_palette_expand(SPICE_INDEX_8, entries, 3, 2, 1, indices, 2, (uint8_t *)pixels, 64);
    TAP_OK(pixels[0] == 0 && pixels[1] == 0, "an index of 8 bits without an entry is black");
    spice_palette_expand(SPICE_INDEX_4_BE, entries, 3, 4, 1, indices, 2, (uint8_t *)pixels, 64);
    TAP_OK(pixels[0] == 0x333333 && pixels[1] == 0x111111 && pixels[2] == 0x111111 &&
               pixels[3] == 0x333333,
           "an index of 4 bits is taken modulo the number of entries");
    spice_palette_expand(SPICE_INDEX_4_BE, entries, 0, 4, 1, indices, 2, (uint8_t *)pixels, 64);
    TAP_OK(pixels[0] == 0 && pixels[3] == 0, "no entries, all black");
    spice_palette_expand(SPICE_INDEX_1_BE, entries, 1, 9, 1, indices, 2, (uint8_t *)pixels, 64);
    TAP_OK(pixels[0] == 0 && pixels[1] == 0x111111 && pixels[8] == 0x111111,
           "one entry for one bit: the other is black");
}

/* --- headers --- */

static void put_header(uint8_t *data, uint32_t type, uint32_t width, uint32_t height,
                       uint32_t stride)
{
    spice_store32_be(data, 0x20205a4c);
    spice_store32_be(data + 4, 0x00010001);
    spice_store32_be(data + 8, type);
    spice_store32_be(data + 12, width);
    spice_store32_be(data + 16, height);
    spice_store32_be(data + 20, stride);
    spice_store32_be(data + 24, 1);
}

static SpiceErrorCode header_code(uint32_t type, uint32_t width, uint32_t height, uint32_t stride,
                                  uint64_t max_pixels)
{
    uint8_t data[SPICE_LZ_HEADER_SIZE];
    SpiceLzHeader header;
    SpiceError error = {0};

    put_header(data, type, width, height, stride);
    return spice_lz_read_header(&header, data, sizeof data, max_pixels, &error) ? SPICE_OK
                                                                                : error.code;
}

static void test_headers(void)
{
    static const uint32_t strides[] = {0, 2, 2, 7, 7, 13, 26, 39, 52, 52, 52, 13};
    uint8_t data[SPICE_LZ_HEADER_SIZE];
    SpiceLzHeader header;
    SpiceError error = {0};
    bool ok = true;

    put_header(data, SPICE_LZ_RGB32, 2, 2, 8);
    for (size_t size = 0; size < sizeof data; size++)
        ok = ok && !spice_lz_read_header(&header, data, size, 100, NULL);
    TAP_OK(ok, "a header cut anywhere is refused");
    for (uint32_t type = 1; type <= 11; type++) {
        TAP_OK(header_code(type, 13, 5, strides[type], 65) == SPICE_OK &&
                   header_code(type, 13, 5, strides[type] + 1, 65) == SPICE_ERROR_VALUE &&
                   header_code(type, 13, 5, strides[type] - 1, 65) == SPICE_ERROR_VALUE,
               "%s has one stride", type_names[type]);
        TAP_OK(header_code(type, 13, 5, strides[type], 64) == SPICE_ERROR_LIMIT,
               "%s: limit of pixels", type_names[type]);
    }
    TAP_OK(header_code(8, 0x40000000, 4, 0, UINT64_MAX) == SPICE_ERROR_VALUE,
           "a stride of 2^32 does not pass as 0");
    TAP_OK(header_code(8, 0x80000000u, 1, 0, UINT64_MAX) == SPICE_ERROR_VALUE &&
               header_code(8, 1, 0xffffffffu, 4, UINT64_MAX) == SPICE_ERROR_VALUE,
           "dimensions above 2^31 are refused");
    put_header(data, SPICE_LZ_RGB32, 2, 2, 8);
    spice_store32_be(data + 24, 0x80000000u);
    TAP_OK(spice_lz_read_header(&header, data, sizeof data, 100, &error) && header.top_down,
           "any direction but 0 is top-down");
    TAP_OK(
        spice_lz_row_size(&header, SPICE_LZ_TO_INDICES) == 0 &&
            !spice_lz_decode(&header, data, sizeof data, SPICE_LZ_TO_INDICES, data, 2, 0, &error) &&
            error.code == SPICE_ERROR_VALUE,
        "colours are not decoded as indices");
}

static void test_refusals_of_encoder(SpiceLzEncoder *encoder)
{
    uint8_t pixel[16] = {0}, out[64];
    SpiceLzSource source = {SPICE_LZ_RGB32, 0, 1, pixel, 4};

    TAP_OK(!spice_lz_encode(encoder, &source, out, sizeof out), "no width, no image");
    source.width = 1;
    source.height = 0;
    TAP_OK(!spice_lz_encode(encoder, &source, out, sizeof out), "no height, no image");
    source.height = 1;
    source.type = 0;
    TAP_OK(!spice_lz_encode(encoder, &source, out, sizeof out), "no type, no image");
    source.type = SPICE_LZ_RGB32;
    TAP_OK(spice_lz_encode(encoder, &source, out, sizeof out) == 32, "one pixel: 32 bytes");
    TAP_OK(!spice_lz_encode(encoder, &source, out, 31), "which do not fit into 31");
    TAP_OK(spice_lz_type_of_format(10) == SPICE_LZ_A8 && spice_lz_type_of_format(0) == 0 &&
               spice_lz_type_of_format(11) == 0,
           "types of bitmap formats");
}

/* --- random pictures --- */

/* Makes rows of `type` out of 32-bit pixels, and what they decode to. */
static size_t make_rows(uint8_t type, uint32_t width, uint32_t height, const uint32_t *pixels,
                        uint8_t *rows, uint8_t *wanted, SpiceLzTarget *target)
{
    static const uint8_t pixels_per_byte[] = {1, 8, 8, 2, 2, 1};
    size_t count = (size_t)width * height, row;

    *target = SPICE_LZ_TO_32;
    if (spice_lz_is_palette(type)) {
        row = (width + pixels_per_byte[type] - 1u) / pixels_per_byte[type];
        for (size_t i = 0; i < row * height; i++)
            rows[i] = wanted[i] = (uint8_t)pixels[i];
        *target = SPICE_LZ_TO_INDICES;
        return row;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t x = pixels[i];

        switch (type) {
        case SPICE_LZ_RGB16:
            spice_store16(rows + 2 * i, (uint16_t)x);
            spice_store16(wanted + 2 * i, x & 0x7fff);
            *target = SPICE_LZ_TO_555;
            break;
        case SPICE_LZ_RGB24:
            for (unsigned c = 0; c < 3; c++)
                rows[3 * i + c] = (uint8_t)(x >> (8 * c));
            spice_store32(wanted + 4 * i, x & 0xffffff);
            break;
        case SPICE_LZ_RGB32:
            spice_store32(rows + 4 * i, x);
            spice_store32(wanted + 4 * i, x & 0xffffff);
            break;
        case SPICE_LZ_RGBA:
            spice_store32(rows + 4 * i, x);
            spice_store32(wanted + 4 * i, x);
            break;
        case SPICE_LZ_XXXA:
            spice_store32(rows + 4 * i, x);
            wanted[i] = (uint8_t)(x >> 24);
            *target = SPICE_LZ_TO_PLANE;
            break;
        default:
            rows[i] = wanted[i] = (uint8_t)(x >> 24);
            *target = SPICE_LZ_TO_PLANE;
            break;
        }
    }
    return (size_t)width * (type == SPICE_LZ_RGB16   ? 2
                            : type == SPICE_LZ_RGB24 ? 3
                            : type == SPICE_LZ_A8    ? 1
                                                     : 4);
}

/* A stream cut or damaged anywhere: never outside its memory (a sanitizer looks on), and a cut
 * one never passes for whole. */
static bool withstands_damage(uint64_t *state, const uint8_t *coded, size_t size)
{
    bool ok = true;

    for (int i = 0; ok && i < 4; i++) {
        size_t cut = SPICE_LZ_HEADER_SIZE + random_below(state, (uint32_t)size - 28);
        uint8_t *piece = malloc(cut);

        memcpy(piece, coded, cut);
        ok = !decodes(piece, cut, NULL);
        free(piece);
        piece = malloc(size);
        memcpy(piece, coded, size);
        for (int flips = 1 + (int)random_below(state, 3); flips > 0; flips--)
            piece[28 + random_below(state, (uint32_t)size - 28)] = (uint8_t)random_u32(state);
        decodes(piece, size, &(SpiceError){0});
        free(piece);
    }
    return ok;
}

static bool test_random(uint64_t *state, SpiceLzEncoder *encoder)
{
    uint8_t type = (uint8_t)(1 + random_below(state, 11));
    uint32_t width = 1 + random_below(state, random_below(state, 2) ? 12 : 150);
    uint32_t height = 1 + random_below(state, random_below(state, 2) ? 12 : 100);
    size_t count, row, size, again = 0;
    uint32_t *pixels;
    uint8_t *rows, *wanted, *coded;
    SpiceLzTarget target;
    bool ok;

    if (random_below(state, 40) == 0) /* far distances */
        width = 8000 + random_below(state, 20000);
    count = (size_t)width * height;
    pixels = malloc(4 * count);
    rows = malloc(4 * count);
    wanted = malloc(4 * count);
    random_picture(state, pixels, width, height);
    row = make_rows(type, width, height, pixels, rows, wanted, &target);
    ok = round_trips(encoder, type, width, height, row, rows, target, wanted, TIGHT_DOWN, &size);
    if (ok) {
        SpiceLzSource source = {type, width, height, rows, (ptrdiff_t)row};
        size_t less = random_below(state, (uint32_t)size);

        coded = malloc(less ? less : 1);
        ok = spice_lz_encode(encoder, &source, coded, less) == 0;
        free(coded);
        coded = malloc(size);
        /* the bound check may want a few bytes more than are used, never fewer */
        again = spice_lz_encode(encoder, &source, coded, size);
        if (again)
            ok = ok && again == size && withstands_damage(state, coded, size);
        free(coded);
    }
    if (!ok)
        TAP_NOTE("%s %ux%u", type_names[type], width, height);
    free(pixels);
    free(rows);
    free(wanted);
    return ok;
}

/* How fast each way is, for who looks on. */
static void print_speeds(SpiceLzEncoder *encoder)
{
#ifndef __wasi__ /* it has no clock() */
    enum { WIDTH = 640, HEIGHT = 480, TIMES = 20 };
    uint64_t state = 7;
    uint16_t *pixels = malloc(2 * WIDTH * HEIGHT);
    uint8_t *coded = malloc(4 * WIDTH * HEIGHT);
    SpiceLzSource source = {SPICE_LZ_RGB16, WIDTH, HEIGHT, (uint8_t *)pixels, 2 * WIDTH};
    SpiceLzHeader header;
    clock_t start = clock();
    size_t size = 0;

    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = (uint16_t)(i % WIDTH / 64 * 0x0421 + (random_u32(&state) & 0x21));
    start = clock();
    for (int i = 0; i < TIMES; i++)
        size = spice_lz_encode(encoder, &source, coded, 4 * WIDTH * HEIGHT);
    TAP_NOTE("15-bit photo: encodes %.0f million pixels a second",
             1e-6 * TIMES * WIDTH * HEIGHT / ((double)(clock() - start + 1) / CLOCKS_PER_SEC));
    for (int way = 0; way < n_ways; way++) {
        start = clock();
        for (int i = 0; i < TIMES; i++) {
            spice_lz_read_header(&header, coded, size, MAX_PIXELS, NULL);
            spice_lz_decode(&header, coded, size, SPICE_LZ_TO_555, (uint8_t *)pixels, 2 * WIDTH,
                            ways[way], NULL);
        }
        TAP_NOTE("flags %#x: decodes %.0f", (unsigned)ways[way],
                 1e-6 * TIMES * WIDTH * HEIGHT / ((double)(clock() - start + 1) / CLOCKS_PER_SEC));
    }
    free(pixels);
    free(coded);
#endif
}

int main(int argc, char **argv)
{
    bool thorough = tap_long(argc, argv);
    SpiceLzEncoder *encoder = spice_lz_encoder_new(&spice_allocator_libc, UINT32_MAX);
    char folder[1024];
    uint64_t state = 0x5eed;
    int images = thorough ? 100000 : 2000, good = 0;

    if (argc < 2 || !encoder) {
        fprintf(stderr, "usage: test-lz VECTORS [--long]\n");
        return 2;
    }
    n_ways = cpu_has_all() ? (int)(sizeof ways / sizeof *ways) : 1;
    snprintf(folder, sizeof folder, "%s/lz", argv[1]);
    each_line(folder, test_vector, encoder);
    snprintf(folder, sizeof folder, "%s/lz/bad", argv[1]);
    each_line(folder, bad_line, encoder);
    test_headers();
    test_palette_gaps();
    test_refusals_of_encoder(encoder);
    for (int i = 0; i < images; i++)
        good += test_random(&state, encoder);
    TAP_OK(good == images, "%d of %d random images come back", good, images);
    TAP_OK(!ways_differ, "damaged streams end alike in all ways");
    print_speeds(encoder);
    spice_lz_encoder_free(encoder);
    return tap_done();
}
