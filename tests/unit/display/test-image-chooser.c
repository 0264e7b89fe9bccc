/* What pictures are taken for, and which codec they get.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "../../bench/image/screens.h"
#include "../tap.h"
#include "core/display/image-chooser.h"
#include "core/wire/draw.h"

enum { WIDTH = 640, HEIGHT = 400 };

static uint32_t pixels[WIDTH * HEIGHT];
static uint8_t narrow[WIDTH * HEIGHT * 3];

static SpiceImageRows rows_of(uint32_t width, uint32_t height)
{
    return (SpiceImageRows){SPICE_BITMAP_FMT_32BIT, width, height, (const uint8_t *)pixels,
                            WIDTH * 4};
}

/** The same picture with 24 and 16 bits a pixel, and upside down. */
static bool is_in_all_formats(SpiceImageContent content)
{
    SpiceImageRows rows = rows_of(WIDTH, HEIGHT);
    bool all = spice_image_content(&rows) == content;

    rows.format = SPICE_BITMAP_FMT_RGBA;
    all &= spice_image_content(&rows) == content;
    rows.top += (HEIGHT - 1) * WIDTH * 4;
    rows.stride = -rows.stride;
    all &= spice_image_content(&rows) == content;
    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        memcpy(narrow + 3 * i, &pixels[i], 3);
    rows = (SpiceImageRows){SPICE_BITMAP_FMT_24BIT, WIDTH, HEIGHT, narrow, WIDTH * 3};
    all &= spice_image_content(&rows) == content;
    for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
        const uint32_t p = pixels[i];

        narrow[2 * i] = (uint8_t)((p >> 3 & 31) | (p >> 6 & 0xe0));
        narrow[2 * i + 1] = (uint8_t)(p >> 17 & 0x7c) | (uint8_t)(p >> 14 & 3);
    }
    return all;
}

static SpiceImageContent content_16(void)
{
    const SpiceImageRows rows = {SPICE_BITMAP_FMT_16BIT, WIDTH, HEIGHT, narrow, WIDTH * 2};

    return spice_image_content(&rows);
}

static void test_content(void)
{
    const SpiceImageRows small = rows_of(4, 4), line = rows_of(WIDTH, 1), column = rows_of(1, 90);
    uint64_t random = 3;

    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = 0x336699;
    pixels[5000] = 0;
    TAP_OK(is_in_all_formats(SPICE_CONTENT_FLAT) && content_16() == SPICE_CONTENT_FLAT,
           "one colour is flat, but for a pixel");
    screen_draw(SCREEN_TEXT, WIDTH, HEIGHT, pixels);
    TAP_OK(is_in_all_formats(SPICE_CONTENT_TEXT) && content_16() == SPICE_CONTENT_TEXT,
           "windows full of text are text");
    screen_draw(SCREEN_UI, WIDTH, HEIGHT, pixels);
    TAP_OK(is_in_all_formats(SPICE_CONTENT_TEXT) && content_16() == SPICE_CONTENT_TEXT,
           "so are widgets, with shades from top to bottom as they may be");
    screen_draw(SCREEN_PHOTO, WIDTH, HEIGHT, pixels);
    TAP_OK(is_in_all_formats(SPICE_CONTENT_GRADIENT) && content_16() >= SPICE_CONTENT_GRADIENT,
           "soft shapes are shades");
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        const uint32_t grain = screen_random(&random) % 24;

        pixels[i] += grain << 16 | grain << 8 | grain;
    }
    TAP_OK(is_in_all_formats(SPICE_CONTENT_PHOTO) && content_16() == SPICE_CONTENT_PHOTO,
           "with grain they are a photo");
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = (i % WIDTH * 255 / WIDTH) << 16 | (i / WIDTH * 255 / HEIGHT) << 8;
    TAP_OK(is_in_all_formats(SPICE_CONTENT_GRADIENT), "slow shades both ways are shades");
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = screen_random(&random) & 0xffffff;
    TAP_OK(is_in_all_formats(SPICE_CONTENT_TEXT), "noise is no photo");
    TAP_OK(spice_image_content(&small) == SPICE_CONTENT_TEXT &&
               spice_image_content(&line) == SPICE_CONTENT_TEXT &&
               spice_image_content(&column) == SPICE_CONTENT_TEXT,
           "what is too small to tell is text");
}

typedef struct {
    SpiceImageMode mode;
    SpiceWanCompression wan;
    uint64_t bits_per_second;
    bool has_lz4, has_glz, may_lose;
    uint8_t text, photo; /* SpiceImageCodec */
} Choice;

static SpiceImageCodec choose(const Choice *choice, const SpiceImageRows *rows)
{
    const SpiceImageCircumstances circumstances = {
        .mode = choice->mode,
        .jpeg = choice->wan,
        .zlib_glz = choice->wan,
        .bits_per_second = choice->bits_per_second,
        .has_lz4 = choice->has_lz4,
        .has_glz = choice->has_glz,
        .may_lose = choice->may_lose,
    };

    return spice_image_choose(rows, &circumstances);
}

static void test_choice(void)
{
    enum {
        RAW = SPICE_IMAGE_CODEC_RAW,
        LZ = SPICE_IMAGE_CODEC_LZ,
        GLZ = SPICE_IMAGE_CODEC_GLZ,
        ZLIB = SPICE_IMAGE_CODEC_ZLIB_GLZ,
        QUIC = SPICE_IMAGE_CODEC_QUIC,
        LZ4 = SPICE_IMAGE_CODEC_LZ4,
        JPEG = SPICE_IMAGE_CODEC_JPEG,
    };
#define MBIT(n) (UINT64_C(1000000) * (n))
    static const Choice choices[] = {
        {SPICE_IMAGE_MODE_OFF, SPICE_WAN_ALWAYS, 0, true, true, true, RAW, RAW},
        {SPICE_IMAGE_MODE_LZ, SPICE_WAN_ALWAYS, 0, true, true, true, LZ, LZ},
        {SPICE_IMAGE_MODE_LZ4, SPICE_WAN_ALWAYS, 0, true, true, true, LZ4, LZ4},
        {SPICE_IMAGE_MODE_LZ4, SPICE_WAN_ALWAYS, 0, false, true, true, LZ, LZ},
        {SPICE_IMAGE_MODE_GLZ, SPICE_WAN_NEVER, MBIT(1), true, true, true, GLZ, GLZ},
        {SPICE_IMAGE_MODE_GLZ, SPICE_WAN_AUTO, MBIT(1), true, true, true, ZLIB, ZLIB},
        {SPICE_IMAGE_MODE_GLZ, SPICE_WAN_AUTO, MBIT(11), true, true, true, GLZ, GLZ},
        {SPICE_IMAGE_MODE_GLZ, SPICE_WAN_ALWAYS, 0, true, false, true, LZ, LZ},
        {SPICE_IMAGE_MODE_QUIC, SPICE_WAN_NEVER, MBIT(1), true, true, true, QUIC, QUIC},
        {SPICE_IMAGE_MODE_QUIC, SPICE_WAN_ALWAYS, 0, true, true, true, JPEG, JPEG},
        {SPICE_IMAGE_MODE_QUIC, SPICE_WAN_ALWAYS, 0, true, true, false, QUIC, QUIC},
        {SPICE_IMAGE_MODE_AUTO_LZ, SPICE_WAN_AUTO, 0, true, true, true, LZ, QUIC},
        {SPICE_IMAGE_MODE_AUTO_GLZ, SPICE_WAN_AUTO, 0, true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_AUTO_GLZ, SPICE_WAN_AUTO, MBIT(5), true, true, true, ZLIB, JPEG},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, 0, true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(5), true, true, true, ZLIB, JPEG},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(5), true, true, false, ZLIB, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_NEVER, MBIT(5), true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(15), true, true, true, GLZ, JPEG},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(15), true, true, false, GLZ, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_NEVER, MBIT(15), true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_AUTO_GLZ, SPICE_WAN_AUTO, MBIT(15), true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(25), true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(1000), true, true, true, GLZ, QUIC},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, MBIT(10000), true, true, true, GLZ, RAW},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, UINT64_MAX, true, true, true, RAW, RAW},
        {SPICE_IMAGE_MODE_ADAPTIVE, SPICE_WAN_AUTO, 1, true, false, false, LZ, QUIC},
    };
    const unsigned n = sizeof(choices) / sizeof(choices[0]);
    SpiceImageRows rows = rows_of(WIDTH, HEIGHT);
    unsigned held = 0;
    bool indexed = true;

    screen_draw(SCREEN_TEXT, WIDTH, HEIGHT, pixels);
    for (unsigned i = 0; i < n; i++)
        held += choose(&choices[i], &rows) == choices[i].text;
    screen_draw(SCREEN_PHOTO, WIDTH, HEIGHT, pixels);
    for (unsigned i = 0; i < n; i++) {
        const SpiceImageCodec chosen = choose(&choices[i], &rows);

        held += chosen == choices[i].photo;
        if (chosen != choices[i].photo)
            TAP_NOTE("choice %u: codec %d", i, chosen);
    }
    TAP_OK(held == 2 * n, "each mode chooses as it should: %u of %u", held, 2 * n);
    rows.format = SPICE_BITMAP_FMT_8BIT;
    for (unsigned i = 0; i < n; i++) {
        const SpiceImageCodec chosen = choose(&choices[i], &rows);

        indexed &= chosen == SPICE_IMAGE_CODEC_LZ || chosen == SPICE_IMAGE_CODEC_RAW;
    }
    TAP_OK(indexed, "indices go by LZ or as they are");
}

int main(void)
{
    test_content();
    test_choice();
    return tap_done();
}
