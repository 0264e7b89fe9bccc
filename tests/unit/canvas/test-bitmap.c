/* Uncompressed images unfold to the pixels that they mean, or are refused.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/bitmap.h"
#include "core/image/convert.h"

#include "../tap.h"

static uint32_t palette_entries[256];
static const SpicePalette palette = {.unique = 1, .n_entries = 256, .entries = palette_entries};

static SpiceImage bitmap(uint8_t format, uint8_t flags, uint32_t width, uint32_t height,
                         uint32_t stride, const uint8_t *data, size_t size)
{
    return (SpiceImage){.type = SPICE_IMAGE_TYPE_BITMAP,
                        .width = width,
                        .height = height,
                        .bitmap_format = format,
                        .bitmap_flags = flags,
                        .bitmap_width = width,
                        .bitmap_height = height,
                        .stride = stride,
                        .data = {data, size}};
}

static uint32_t pixel_at(const SpicePixels *pixels, int32_t x, int32_t y)
{
    const int bits = spice_pixels_bits(pixels);
    const uint8_t *row = spice_pixels_row(pixels, y);
    uint32_t pixel = 0;

    if (bits == 1)
        return row[x >> 3] >> (x & 7) & 1;
    memcpy(&pixel, row + x * bits / 8, (size_t)bits / 8);
    return pixel;
}

/** A value for each pixel that fits the format. */
static uint32_t value_for(uint32_t x, uint32_t y)
{
    return (x * 0x01020305u + y * 0x9e3779b9u) ^ 0x5bd1e995u;
}

static unsigned bits_for(uint8_t format)
{
    static const unsigned bits[] = {0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8};

    return bits[format];
}

/** Packs one pixel into a row as the format says. */
static void pack(uint8_t *row, uint8_t format, uint32_t x, uint32_t value)
{
    switch (format) {
    case SPICE_BITMAP_FMT_1BIT_LE:
        row[x / 8] = (uint8_t)(row[x / 8] | (value & 1) << (x % 8));
        break;
    case SPICE_BITMAP_FMT_1BIT_BE:
        row[x / 8] = (uint8_t)(row[x / 8] | (value & 1) << (7 - x % 8));
        break;
    case SPICE_BITMAP_FMT_4BIT_LE:
        row[x / 2] = (uint8_t)(row[x / 2] | (value & 15) << (x % 2 ? 4 : 0));
        break;
    case SPICE_BITMAP_FMT_4BIT_BE:
        row[x / 2] = (uint8_t)(row[x / 2] | (value & 15) << (x % 2 ? 0 : 4));
        break;
    default:
        for (unsigned i = 0; i < bits_for(format) / 8; i++)
            row[x * (bits_for(format) / 8) + i] = (uint8_t)(value >> (8 * i));
    }
}

static uint32_t meaning(uint8_t format, uint32_t value, pixman_format_code_t surface)
{
    switch (format) {
    case SPICE_BITMAP_FMT_1BIT_LE:
    case SPICE_BITMAP_FMT_1BIT_BE:
        value = palette_entries[value & 1];
        break;
    case SPICE_BITMAP_FMT_4BIT_LE:
    case SPICE_BITMAP_FMT_4BIT_BE:
        value = palette_entries[value & 15];
        break;
    case SPICE_BITMAP_FMT_8BIT:
        value = palette_entries[value & 255];
        break;
    case SPICE_BITMAP_FMT_16BIT:
        return value & 0xffff;
    case SPICE_BITMAP_FMT_24BIT:
        return value & 0xffffff;
    case SPICE_BITMAP_FMT_8BIT_A:
        return value & 0xff;
    default:
        return value;
    }
    return surface == PIXMAN_x1r5g5b5 ? value & 0xffff : value;
}

static const char *format_name(uint8_t format)
{
    static const char *const names[] = {"",      "1BIT_LE", "1BIT_BE", "4BIT_LE", "4BIT_BE", "8BIT",
                                        "16BIT", "24BIT",   "32BIT",   "RGBA",    "8BIT_A"};

    return names[format];
}

static void test_format(uint8_t format, pixman_format_code_t surface, bool top_down,
                        uint32_t padding)
{
    enum { WIDTH = 37, HEIGHT = 5 };
    const uint32_t stride = (WIDTH * bits_for(format) + 7) / 8 + padding;
    uint8_t *data = calloc(HEIGHT, stride);
    SpiceError error = {0};
    SpicePicture *picture;
    SpiceImage image;
    bool equal = true;

    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            pack(data + (top_down ? y : HEIGHT - 1 - y) * stride, format, x, value_for(x, y));
    image = bitmap(format, top_down ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0, WIDTH, HEIGHT, stride, data,
                   (size_t)HEIGHT * stride);
    picture = spice_bitmap_read(&image, &palette, surface, &spice_allocator_libc, &error);
    for (int32_t y = 0; picture && y < HEIGHT; y++)
        for (int32_t x = 0; x < WIDTH; x++)
            equal = equal && pixel_at(&picture->pixels, x, y) ==
                                 meaning(format, value_for((uint32_t)x, (uint32_t)y), surface);
    TAP_OK(picture && equal && error.code == SPICE_OK &&
               picture->pixels.format == spice_bitmap_working_format(format, surface),
           "%s %s, stride padded by %u, for a surface of %u bits", format_name(format),
           top_down ? "top-down" : "bottom-up", padding, (unsigned)PIXMAN_FORMAT_BPP(surface));
    spice_picture_unref(picture);
    free(data);
}

static void test_mask(uint8_t format, bool top_down)
{
    enum { WIDTH = 43, HEIGHT = 4, STRIDE = 7 };
    uint8_t data[HEIGHT * STRIDE] = {0};
    SpicePicture *picture;
    SpiceImage image;
    bool equal = true;

    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            pack(data + (top_down ? y : HEIGHT - 1 - y) * STRIDE, format, x, value_for(x, y) >> 7);
    image = bitmap(format, top_down ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0, WIDTH, HEIGHT, STRIDE, data,
                   sizeof(data));
    picture = spice_bitmap_read_mask(&image, &spice_allocator_libc, NULL);
    for (int32_t y = 0; picture && y < HEIGHT; y++)
        for (int32_t x = 0; x < WIDTH; x++)
            equal = equal && pixel_at(&picture->pixels, x, y) ==
                                 (value_for((uint32_t)x, (uint32_t)y) >> 7 & 1);
    TAP_OK(picture && equal && picture->pixels.format == PIXMAN_a1, "mask of %s %s",
           format_name(format), top_down ? "top-down" : "bottom-up");
    spice_picture_unref(picture);
}

static void test_refusals(void)
{
    static const uint8_t data[64];
    const struct {
        const char *what;
        SpiceImage image;
        const SpicePalette *palette;
        pixman_format_code_t surface;
        SpiceErrorCode code;
    } refusals[] = {
        {"format 0", bitmap(0, 4, 2, 2, 8, data, 64), NULL, PIXMAN_x8r8g8b8, SPICE_ERROR_VALUE},
        {"format 11", bitmap(11, 4, 2, 2, 8, data, 64), NULL, PIXMAN_x8r8g8b8, SPICE_ERROR_VALUE},
        {"no width", bitmap(8, 4, 0, 2, 8, data, 64), NULL, PIXMAN_x8r8g8b8, SPICE_ERROR_VALUE},
        {"no height", bitmap(8, 4, 2, 0, 8, data, 64), NULL, PIXMAN_x8r8g8b8, SPICE_ERROR_VALUE},
        {"a stride below the row", bitmap(8, 4, 2, 2, 7, data, 64), NULL, PIXMAN_x8r8g8b8,
         SPICE_ERROR_VALUE},
        {"a last row that is not there", bitmap(8, 4, 2, 9, 8, data, 64), NULL, PIXMAN_x8r8g8b8,
         SPICE_ERROR_TRUNCATED},
        {"a stride that would wrap", bitmap(8, 4, 2, 3, 0x80000000u, data, 64), NULL,
         PIXMAN_x8r8g8b8, SPICE_ERROR_TRUNCATED},
        {"a width beyond all bounds", bitmap(1, 4, 0xffffffffu, 2, 8, data, 64), &palette,
         PIXMAN_x8r8g8b8, SPICE_ERROR_LIMIT},
        {"a height beyond all bounds", bitmap(1, 4, 1, 0xffffffffu, 1, data, 64), &palette,
         PIXMAN_x8r8g8b8, SPICE_ERROR_LIMIT},
        {"indices without a palette", bitmap(5, 4, 2, 2, 8, data, 64), NULL, PIXMAN_x8r8g8b8,
         SPICE_ERROR_VALUE},
        {"indices on a 565 surface", bitmap(5, 4, 2, 2, 8, data, 64), &palette, PIXMAN_r5g6b5,
         SPICE_ERROR_VALUE},
        {"indices on an alpha surface", bitmap(2, 4, 2, 2, 8, data, 64), &palette, PIXMAN_a8,
         SPICE_ERROR_VALUE},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        SpiceError error = {0};
        SpicePicture *picture =
            spice_bitmap_read(&refusals[i].image, refusals[i].palette, refusals[i].surface,
                              &spice_allocator_libc, &error);

        TAP_OK(!picture && error.code == refusals[i].code, "%s is refused", refusals[i].what);
        spice_picture_unref(picture);
    }
}

static void test_short_palette(void)
{
    static const uint8_t indices[4] = {0, 1, 2, 255};
    uint32_t entries[2] = {0x11, 0x22};
    const SpicePalette two = {.n_entries = 2, .entries = entries};
    const SpiceImage image = bitmap(SPICE_BITMAP_FMT_8BIT, 4, 4, 1, 4, indices, 4);
    SpicePicture *picture =
        spice_bitmap_read(&image, &two, PIXMAN_x8r8g8b8, &spice_allocator_libc, NULL);

    TAP_OK(picture && pixel_at(&picture->pixels, 0, 0) == 0x11 &&
               pixel_at(&picture->pixels, 1, 0) == 0x22 && pixel_at(&picture->pixels, 2, 0) == 0 &&
               pixel_at(&picture->pixels, 3, 0) == 0,
           "an index beyond the palette is pixel 0");
    spice_picture_unref(picture);
}

static void test_conversion(void)
{
    static const struct {
        pixman_format_code_t from, to;
        uint32_t pixel, converted;
        const char *name;
    } rules[] = {
        {PIXMAN_x1r5g5b5, PIXMAN_x8r8g8b8, 0x8001, 0xff000008, "555 to xRGB, bit 15 ignored"},
        {PIXMAN_x1r5g5b5, PIXMAN_a8r8g8b8, 0x7e1f, 0xffff84ff, "555 to ARGB"},
        {PIXMAN_a8r8g8b8, PIXMAN_x1r5g5b5, 0x80ff8107, 0x7e00, "ARGB to 555, cut"},
        {PIXMAN_x8r8g8b8, PIXMAN_r5g6b5, 0x00ff8507, 0xfc20, "xRGB to 565, cut"},
        {PIXMAN_x1r5g5b5, PIXMAN_r5g6b5, 0x7e1f, 0xfc3f, "555 to 565"},
        {PIXMAN_a8r8g8b8, PIXMAN_a8, 0x42ffffff, 0x42, "ARGB to alpha"},
        {PIXMAN_x8r8g8b8, PIXMAN_a8, 0x42ffffff, 0xff, "xRGB to alpha: opaque"},
        {PIXMAN_a8, PIXMAN_x8r8g8b8, 0x42, 0x42000000, "alpha to xRGB: black"},
        {PIXMAN_a8, PIXMAN_x1r5g5b5, 0x42, 0, "alpha to 555: black"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        uint32_t from = rules[i].pixel, to = 0x5a5a5a5a, mask = 0xffffffff;
        const SpicePixels source = {rules[i].from, 1, 1, 4, (uint8_t *)&from};
        const SpicePixels target = {rules[i].to, 1, 1, 4, (uint8_t *)&to};

        if (PIXMAN_FORMAT_BPP(rules[i].to) < 32)
            mask = (1u << PIXMAN_FORMAT_BPP(rules[i].to)) - 1;
        TAP_OK(spice_pixels_convert(&target, &source, NULL) && (to & mask) == rules[i].converted &&
                   (to & ~mask) == (0x5a5a5a5a & ~mask),
               "%s", rules[i].name);
    }
}

/** Every 16-bit pixel converts as pixman does it, whose values are those of the field. */
static void test_conversion_by_pixman(pixman_format_code_t from, pixman_format_code_t to,
                                      const char *name)
{
    enum { SIDE = 256 };
    const size_t from_stride = SIDE * PIXMAN_FORMAT_BPP(from) / 8;
    const size_t to_stride = SIDE * PIXMAN_FORMAT_BPP(to) / 8;
    uint8_t *source = malloc(SIDE * from_stride), *ours = calloc(SIDE, to_stride);
    uint8_t *theirs = calloc(SIDE, to_stride);
    const SpicePixels source_pixels = {from, SIDE, SIDE, (ptrdiff_t)from_stride, source};
    const SpicePixels our_pixels = {to, SIDE, SIDE, (ptrdiff_t)to_stride, ours};
    pixman_image_t *source_image, *their_image;

    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        const uint32_t pixel = PIXMAN_FORMAT_BPP(from) == 16 ? i : i * 0x10203u + (i << 24);

        memcpy(source + i * PIXMAN_FORMAT_BPP(from) / 8, &pixel, PIXMAN_FORMAT_BPP(from) / 8);
    }
    source_image = pixman_image_create_bits(from, SIDE, SIDE, (uint32_t *)source, (int)from_stride);
    their_image = pixman_image_create_bits(to, SIDE, SIDE, (uint32_t *)theirs, (int)to_stride);
    pixman_image_composite32(PIXMAN_OP_SRC, source_image, NULL, their_image, 0, 0, 0, 0, 0, 0, SIDE,
                             SIDE);
    TAP_OK(spice_pixels_convert(&our_pixels, &source_pixels, NULL) &&
               memcmp(ours, theirs, SIDE * to_stride) == 0,
           "%s as pixman converts it", name);
    pixman_image_unref(source_image);
    pixman_image_unref(their_image);
    free(source);
    free(ours);
    free(theirs);
}

static void test_borrowing(void)
{
    uint8_t memory[41];
    SpiceImage image = bitmap(SPICE_BITMAP_FMT_32BIT, 0, 2, 3, 13, memory + 1, 3 * 13);
    SpicePixels pixels;

    for (size_t i = 0; i < sizeof(memory); i++)
        memory[i] = (uint8_t)i;
    TAP_OK(spice_bitmap_borrow(&image, &pixels) && pixels.format == PIXMAN_x8r8g8b8 &&
               spice_pixels_row(&pixels, 0) == memory + 27 &&
               spice_pixels_row(&pixels, 2) == memory + 1,
           "32BIT rows are used where they lie");
    image.bitmap_format = SPICE_BITMAP_FMT_24BIT;
    TAP_OK(!spice_bitmap_borrow(&image, &pixels), "24BIT rows are not");
    image.bitmap_format = SPICE_BITMAP_FMT_8BIT;
    TAP_OK(!spice_bitmap_borrow(&image, &pixels), "indices are not");
    image.bitmap_format = SPICE_BITMAP_FMT_32BIT;
    image.data.size = 33;
    TAP_OK(!spice_bitmap_borrow(&image, &pixels), "rows that are not there are not");
}

int main(void)
{
    for (uint32_t i = 0; i < 256; i++)
        palette_entries[i] = i * 0x00030507u ^ 0x00a5a5a5u;
    for (uint8_t format = SPICE_BITMAP_FMT_1BIT_LE; format <= SPICE_BITMAP_FMT_8BIT_A; format++)
        for (uint32_t padding = 0; padding < 8; padding += 3)
            for (unsigned top_down = 0; top_down < 2; top_down++) {
                test_format(format, PIXMAN_x8r8g8b8, top_down, padding);
                test_format(format, PIXMAN_x1r5g5b5, top_down, padding);
            }
    for (unsigned top_down = 0; top_down < 2; top_down++) {
        test_mask(SPICE_BITMAP_FMT_1BIT_LE, top_down);
        test_mask(SPICE_BITMAP_FMT_1BIT_BE, top_down);
    }
    test_refusals();
    test_short_palette();
    test_conversion();
    test_conversion_by_pixman(PIXMAN_x1r5g5b5, PIXMAN_a8r8g8b8, "555 to ARGB");
    test_conversion_by_pixman(PIXMAN_x1r5g5b5, PIXMAN_r5g6b5, "555 to 565");
    test_conversion_by_pixman(PIXMAN_x8r8g8b8, PIXMAN_x1r5g5b5, "xRGB to 555");
    test_conversion_by_pixman(PIXMAN_x8r8g8b8, PIXMAN_r5g6b5, "xRGB to 565");
    test_conversion_by_pixman(PIXMAN_a8r8g8b8, PIXMAN_r5g6b5, "ARGB to 565");
    test_conversion_by_pixman(PIXMAN_a8r8g8b8, PIXMAN_a8, "ARGB to alpha");
    test_conversion_by_pixman(PIXMAN_x8r8g8b8, PIXMAN_a8, "xRGB to alpha");
    test_conversion_by_pixman(PIXMAN_a8, PIXMAN_a8r8g8b8, "alpha to ARGB");
    test_borrowing();
    return tap_done();
}
