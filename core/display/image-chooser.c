/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image-chooser.h"

#include <stdlib.h>

#include "core/wire/draw.h"

/* --- content --- */

enum {
    SAMPLE_ROWS = 48,
    SAMPLE_PAIRS = 42, /* in a row */
    MIN_SAMPLES = 32,
    /* A difference of more is an edge, of less than SMALL a shade. */
    EDGE = 48,
    SMALL = 4,
};

typedef struct {
    unsigned pairs, equal, small, medium;
} Differences;

typedef struct {
    int red, green, blue;
} Colour;

static Colour colour_at(const SpiceImageRows *rows, const uint8_t *row, uint32_t x)
{
    if (rows->format == SPICE_BITMAP_FMT_16BIT) {
        const unsigned pixel = row[2 * x] | (unsigned)row[2 * x + 1] << 8;

        return (Colour){(int)(pixel >> 7 & 0xf8), (int)(pixel >> 2 & 0xf8),
                        (int)(pixel << 3 & 0xf8)};
    }
    row += (size_t)x * (rows->format == SPICE_BITMAP_FMT_24BIT ? 3 : 4);
    return (Colour){row[2], row[1], row[0]};
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static void compare(Differences *seen, const SpiceImageRows *rows, Colour a, Colour b)
{
    const int difference =
        larger(larger(abs(a.red - b.red), abs(a.green - b.green)), abs(a.blue - b.blue));
    /* The smallest step of 5 bits is 8. */
    const int small = rows->format == SPICE_BITMAP_FMT_16BIT ? 2 * SMALL : SMALL;

    seen->pairs++;
    if (difference == 0)
        seen->equal++;
    else if (difference <= small)
        seen->small++;
    else if (difference < EDGE)
        seen->medium++;
}

static bool has_colours(uint8_t format)
{
    return format >= SPICE_BITMAP_FMT_16BIT && format <= SPICE_BITMAP_FMT_RGBA;
}

/** Pairs of neighbours, side by side and one above the other, spread over the picture. */
static Differences look_at(const SpiceImageRows *rows)
{
    const uint32_t n_rows = rows->height - 1 < SAMPLE_ROWS ? rows->height - 1 : SAMPLE_ROWS;
    const uint32_t n_pairs = rows->width - 1 < SAMPLE_PAIRS ? rows->width - 1 : SAMPLE_PAIRS;
    Differences seen = {0};

    for (uint32_t i = 0; i < n_rows; i++) {
        const uint32_t y = (uint32_t)((uint64_t)i * (rows->height - 1) / n_rows);
        const uint8_t *row = rows->top + rows->stride * (ptrdiff_t)y;
        const uint8_t *below = row + rows->stride;
        /* Not always the same columns: what repeats in the picture must not repeat here. */
        const uint64_t shift = (uint64_t)i * 7;

        for (uint32_t k = 0; k < n_pairs; k++) {
            const uint32_t x =
                (uint32_t)(((uint64_t)k * (rows->width - 1) / n_pairs + shift) % (rows->width - 1));
            const Colour here = colour_at(rows, row, x);

            compare(&seen, rows, here, colour_at(rows, row, x + 1));
            compare(&seen, rows, here, colour_at(rows, below, x));
        }
    }
    return seen;
}

SpiceImageContent spice_image_content(const SpiceImageRows *rows)
{
    Differences seen;

    if (!has_colours(rows->format) || rows->width < 2 || rows->height < 2)
        return SPICE_CONTENT_TEXT;
    seen = look_at(rows);
    if (seen.pairs < MIN_SAMPLES)
        return SPICE_CONTENT_TEXT;
    if (seen.equal * 100 >= seen.pairs * 97)
        return SPICE_CONTENT_FLAT;
    if (seen.equal * 2 >= seen.pairs)
        return SPICE_CONTENT_TEXT;
    if ((seen.equal + seen.small) * 100 >= seen.pairs * 90)
        return SPICE_CONTENT_GRADIENT;
    /* Noise without shades between, such as dithered text, is no photo. */
    return (seen.small + seen.medium) * 2 >= seen.pairs - seen.equal ? SPICE_CONTENT_PHOTO
                                                                     : SPICE_CONTENT_TEXT;
}

/* --- choice --- */

enum { SLOW_LINK = 10 << 20, FAST_LINK = 600000000, MIN_QUIC_SIDE = 3 };

bool spice_image_link_is_slow(uint64_t bits_per_second)
{
    return bits_per_second != 0 && bits_per_second < SLOW_LINK;
}

static bool wants(SpiceWanCompression wan, const SpiceImageCircumstances *circumstances)
{
    return wan == SPICE_WAN_ALWAYS ||
           (wan == SPICE_WAN_AUTO && spice_image_link_is_slow(circumstances->bits_per_second));
}

static SpiceImageCodec glz_or_lz(const SpiceImageRows *rows,
                                 const SpiceImageCircumstances *circumstances)
{
    if (!circumstances->has_glz || !has_colours(rows->format))
        return SPICE_IMAGE_CODEC_LZ;
    return wants(circumstances->zlib_glz, circumstances) ? SPICE_IMAGE_CODEC_ZLIB_GLZ
                                                         : SPICE_IMAGE_CODEC_GLZ;
}

static SpiceImageCodec quic_or_jpeg(const SpiceImageCircumstances *circumstances)
{
    return circumstances->may_lose && wants(circumstances->jpeg, circumstances)
               ? SPICE_IMAGE_CODEC_JPEG
               : SPICE_IMAGE_CODEC_QUIC;
}

static bool takes_quic(const SpiceImageRows *rows)
{
    return has_colours(rows->format) && rows->width >= MIN_QUIC_SIDE &&
           rows->height >= MIN_QUIC_SIDE;
}

static SpiceImageCodec adapt(const SpiceImageRows *rows,
                             const SpiceImageCircumstances *circumstances)
{
    switch (spice_image_content(rows)) {
    case SPICE_CONTENT_GRADIENT:
    case SPICE_CONTENT_PHOTO:
        if (takes_quic(rows))
            return quic_or_jpeg(circumstances);
        break;
    default:
        break;
    }
    return glz_or_lz(rows, circumstances);
}

SpiceImageCodec spice_image_choose(const SpiceImageRows *rows,
                                   const SpiceImageCircumstances *circumstances)
{
    switch (circumstances->mode) {
    case SPICE_IMAGE_MODE_OFF:
        return SPICE_IMAGE_CODEC_RAW;
    case SPICE_IMAGE_MODE_QUIC:
        return takes_quic(rows) ? quic_or_jpeg(circumstances) : SPICE_IMAGE_CODEC_RAW;
    case SPICE_IMAGE_MODE_AUTO_LZ:
    case SPICE_IMAGE_MODE_AUTO_GLZ:
        if (takes_quic(rows) && spice_image_content(rows) == SPICE_CONTENT_PHOTO)
            return quic_or_jpeg(circumstances);
        return circumstances->mode == SPICE_IMAGE_MODE_AUTO_GLZ ? glz_or_lz(rows, circumstances)
                                                                : SPICE_IMAGE_CODEC_LZ;
    case SPICE_IMAGE_MODE_GLZ:
        return glz_or_lz(rows, circumstances);
    case SPICE_IMAGE_MODE_LZ4:
        return circumstances->has_lz4 && has_colours(rows->format) ? SPICE_IMAGE_CODEC_LZ4
                                                                   : SPICE_IMAGE_CODEC_LZ;
    case SPICE_IMAGE_MODE_LZ:
        return SPICE_IMAGE_CODEC_LZ;
    default:
        return adapt(rows, circumstances);
    }
}
