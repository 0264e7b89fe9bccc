/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image-chooser.h"

#include <stdlib.h>

#include "core/wire/draw.h"

/* --- content --- */

enum {
    /* Rows, and pixels of each; one is compared with its right and its lower neighbour. */
    MAX_SAMPLES_ASIDE = 32,
    MIN_SAMPLES_ASIDE = 8,
    MIN_PAIRS = 32,
    /* A difference of more is an edge, of no more than SMALL a shade. */
    EDGE = 48,
    SMALL = 4,
};

/** How neighbours differ. */
typedef struct {
    unsigned pairs, equal, small, medium;
    unsigned aside, aside_equal; /* of them those side by side */
} Differences;

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static inline uint32_t pixel_at(uint8_t format, const uint8_t *row, uint32_t x)
{
    switch (format) {
    case SPICE_BITMAP_FMT_16BIT: {
        const uint32_t pixel = row[2 * (size_t)x] | (uint32_t)row[2 * (size_t)x + 1] << 8;

        return (pixel << 9 & 0xf80000) | (pixel << 6 & 0xf800) | (pixel << 3 & 0xf8);
    }
    case SPICE_BITMAP_FMT_24BIT:
        row += 3 * (size_t)x;
        return row[0] | (uint32_t)row[1] << 8 | (uint32_t)row[2] << 16;
    default:
        row += 4 * (size_t)x;
        return row[0] | (uint32_t)row[1] << 8 | (uint32_t)row[2] << 16;
    }
}

/** The largest difference of two colours. */
static int difference(uint32_t a, uint32_t b)
{
    const int blue = abs((int)(a & 255) - (int)(b & 255));
    const int green = abs((int)(a >> 8 & 255) - (int)(b >> 8 & 255));
    const int red = abs((int)(a >> 16 & 255) - (int)(b >> 16 & 255));

    return larger(larger(red, green), blue);
}

/** Counts a pair; whether it is equal. */
static inline bool compare(Differences *seen, uint32_t a, uint32_t b, int small)
{
    int by;

    seen->pairs++;
    if (a == b) {
        seen->equal++;
        return true;
    }
    by = difference(a, b);
    seen->small += by <= small;
    seen->medium += by > small && by < EDGE;
    return false;
}

static bool has_colours(uint8_t format)
{
    return format >= SPICE_BITMAP_FMT_16BIT && format <= SPICE_BITMAP_FMT_RGBA;
}

/** How many of `n` places are looked at: a quarter, within bounds. */
static uint32_t sample_count(uint32_t n)
{
    const uint32_t quarter = n / 4 > MIN_SAMPLES_ASIDE ? n / 4 : MIN_SAMPLES_ASIDE;
    const uint32_t count = quarter < MAX_SAMPLES_ASIDE ? quarter : MAX_SAMPLES_ASIDE;

    return count < n ? count : n;
}

/** Pairs of neighbours, spread over the picture. `format` is that of the rows; a constant where
 * this is put in line. */
static inline Differences look_at(const SpiceImageRows *rows, uint8_t format)
{
    const uint32_t n_rows = sample_count(rows->height - 1);
    const uint32_t n_pixels = sample_count(rows->width - 1);
    const uint32_t row_step = (rows->height - 1) / n_rows, step = (rows->width - 1) / n_pixels;
    /* The smallest step of 5 bits is 8. */
    const int small = format == SPICE_BITMAP_FMT_16BIT ? 2 * SMALL : SMALL;
    Differences seen = {0};

    for (uint32_t i = 0; i < n_rows; i++) {
        const uint8_t *row = rows->top + rows->stride * (ptrdiff_t)(i * row_step);
        const uint8_t *below = row + rows->stride;
        /* Not always the same columns: what repeats in the picture must not repeat here. */
        uint32_t x = i * 7 % step;

        for (uint32_t k = 0; k < n_pixels; k++, x += step) {
            const uint32_t here = pixel_at(format, row, x);

            seen.aside++;
            seen.aside_equal += compare(&seen, here, pixel_at(format, row, x + 1), small);
            compare(&seen, here, pixel_at(format, below, x), small);
        }
    }
    return seen;
}

static Differences look(const SpiceImageRows *rows)
{
    switch (rows->format) {
    case SPICE_BITMAP_FMT_16BIT:
        return look_at(rows, SPICE_BITMAP_FMT_16BIT);
    case SPICE_BITMAP_FMT_24BIT:
        return look_at(rows, SPICE_BITMAP_FMT_24BIT);
    default:
        return look_at(rows, SPICE_BITMAP_FMT_32BIT);
    }
}

SpiceImageContent spice_image_content(const SpiceImageRows *rows)
{
    Differences seen;
    unsigned differing;

    if (!has_colours(rows->format) || rows->width < 2 || rows->height < 2)
        return SPICE_CONTENT_TEXT;
    seen = look(rows);
    differing = seen.pairs - seen.equal;
    if (seen.pairs < MIN_PAIRS)
        return SPICE_CONTENT_TEXT;
    if (differing * 100 <= seen.pairs * 3)
        return SPICE_CONTENT_FLAT;
    /* What is of one colour from side to side is a few bytes a row for LZ, shaded or not. */
    if (seen.aside_equal * 100 >= seen.aside * 85)
        return SPICE_CONTENT_TEXT;
    if (seen.small * 100 >= differing * 85)
        return SPICE_CONTENT_GRADIENT;
    /* Hard edges on a ground of few colours, or noise without any shades. */
    if (seen.equal * 2 >= seen.pairs || (seen.small + seen.medium) * 2 < differing)
        return SPICE_CONTENT_TEXT;
    return SPICE_CONTENT_PHOTO;
}

/* --- choice --- */

enum { SLOW_LINK = 10 << 20, MIN_QUIC_SIDE = 3 };

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

/* What a codec takes and gives, about (tests/bench/display/bench-sender.c): picoseconds a byte of
 * pixels on the server and at the client, bytes sent of a thousand. LZ4 is not among them: it is
 * nowhere better than both LZ and no codec at all. */
typedef struct {
    uint16_t encode, decode, sent;
} CodecCost;

static const CodecCost costs[2][SPICE_IMAGE_N_CODECS] = {
    /* flat, text */
    {
        [SPICE_IMAGE_CODEC_RAW] = {100, 200, 1000},
        [SPICE_IMAGE_CODEC_LZ] = {250, 130, 13},
        [SPICE_IMAGE_CODEC_QUIC] = {450, 450, 70},
    },
    /* shades, photos */
    {
        [SPICE_IMAGE_CODEC_RAW] = {100, 200, 1000},
        [SPICE_IMAGE_CODEC_LZ] = {1100, 130, 700},
        [SPICE_IMAGE_CODEC_QUIC] = {2000, 2400, 250},
    },
};

/* Bits a second of a link that nothing is known of. */
enum { USUAL_LINK = 100000000 };
/* ms that a picture without loss may take of the link; what takes longer is shown sooner lossy, and
 * exact once nothing else is to be sent. */
enum { MOST_TIME = 100 };

/** Picoseconds until a byte of pixels is on the client's screen. */
static uint64_t cost_of(const CodecCost *cost, uint64_t bits_per_second)
{
    const uint64_t wire = UINT64_C(8000000000000) / bits_per_second;

    return cost->encode + cost->decode + wire * cost->sent / 1000;
}

static uint64_t bytes_of(const SpiceImageRows *rows)
{
    const unsigned bytes = rows->format == SPICE_BITMAP_FMT_16BIT   ? 2
                           : rows->format == SPICE_BITMAP_FMT_24BIT ? 3
                                                                    : 4;

    return (uint64_t)rows->width * rows->height * bytes;
}

/** Whether a photo takes too long as QUIC. */
static bool takes_long(const SpiceImageRows *rows, uint64_t bits_per_second)
{
    const uint64_t bits = bytes_of(rows) * 8 * costs[1][SPICE_IMAGE_CODEC_QUIC].sent / 1000;

    return bits > bits_per_second / 1000 * MOST_TIME;
}

/** What gets a picture to the client's screen soonest. */
static SpiceImageCodec adapt(const SpiceImageRows *rows,
                             const SpiceImageCircumstances *circumstances)
{
    static const SpiceImageCodec candidates[] = {SPICE_IMAGE_CODEC_LZ, SPICE_IMAGE_CODEC_QUIC,
                                                 SPICE_IMAGE_CODEC_RAW};
    const CodecCost *table = costs[spice_image_content(rows) >= SPICE_CONTENT_GRADIENT];
    const uint64_t rate =
        circumstances->bits_per_second ? circumstances->bits_per_second : USUAL_LINK;
    SpiceImageCodec best = SPICE_IMAGE_CODEC_LZ;

    for (unsigned i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        if (candidates[i] == SPICE_IMAGE_CODEC_QUIC && !takes_quic(rows))
            continue;
        if (cost_of(&table[candidates[i]], rate) < cost_of(&table[best], rate))
            best = candidates[i];
    }
    switch (best) {
    case SPICE_IMAGE_CODEC_LZ:
        return glz_or_lz(rows, circumstances);
    case SPICE_IMAGE_CODEC_QUIC:
        if (circumstances->may_lose && circumstances->jpeg == SPICE_WAN_AUTO && table == costs[1] &&
            circumstances->bits_per_second != 0 && takes_long(rows, rate))
            return SPICE_IMAGE_CODEC_JPEG;
        return quic_or_jpeg(circumstances);
    default:
        return best;
    }
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
        if (takes_quic(rows) && spice_image_content(rows) >= SPICE_CONTENT_GRADIENT)
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
