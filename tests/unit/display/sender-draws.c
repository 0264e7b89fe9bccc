/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sender-draws.h"

#include <stdlib.h>
#include <string.h>

enum { N_PICTURES = 6, N_UNIQUES = 160, N_COMMON_UNIQUES = 12 };

struct GuestPictures {
    unsigned shift; /* moves on when the guest uses its ids for other pictures */
};

static uint32_t below(const Choices *choices, uint32_t n)
{
    return choices->below(choices->context, n);
}

GuestPictures *guest_pictures_create(void)
{
    return calloc(1, sizeof(GuestPictures));
}

void guest_pictures_destroy(GuestPictures *pictures)
{
    free(pictures);
}

/** Up and down again, as shades do. */
static uint8_t wave(uint32_t value)
{
    value %= 400;
    return (uint8_t)(28 + (value < 200 ? value : 400 - value));
}

/** Content that codecs can make something of: `kind` says what. */
static void fill(uint8_t *rows, const SpiceImage *image, unsigned bits, uint32_t kind,
                 uint32_t seed)
{
    const unsigned step = bits >= 8 ? bits / 8 : 1;
    const size_t row = ((size_t)image->bitmap_width * bits + 7) / 8;

    for (uint32_t y = 0; y < image->bitmap_height; y++) {
        uint8_t *at = rows + (size_t)y * image->stride;

        for (size_t i = 0; i < row; i++) {
            const unsigned x = (unsigned)(i / step), channel = (unsigned)(i % step);
            uint32_t noise = (x * 7919u + y * 104729u + channel * 31u + seed * 2654435761u);

            noise ^= noise >> 15;
            noise *= 0x2c1b3c6du;
            noise ^= noise >> 12;
            switch (kind) {
            case 0: /* one colour, mostly */
                at[i] = (uint8_t)(seed * 5 + channel * 60 + (noise % 97 == 0) * 90);
                break;
            case 1: /* text-like */
                at[i] = (x / 2 + y / 3 * 5 + seed) % 7 < 2 ? 20 : 235;
                break;
            case 2: /* shades */
                at[i] = wave(x * 2 + y * 3 + channel * 30 + seed * 11);
                break;
            default: /* photo-like */
                at[i] = (uint8_t)(wave(x * 3 + y * 2 + channel * 40 + seed * 50) + noise % 9);
                break;
            }
        }
    }
}

static unsigned bits_of(const SpiceImage *image)
{
    static const uint8_t bits[] = {0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8};

    return bits[image->bitmap_format];
}

/** The block that an image's data lie in. */
static uint8_t *rows_of(const RandomDraw *draw, const SpiceImage *image)
{
    for (unsigned i = 0; i < draw->n_blocks; i++)
        if (draw->blocks[i] == image->data.data)
            return draw->blocks[i];
    return NULL;
}

static void clear_unused(uint8_t *rows, const SpiceImage *image)
{
    for (uint32_t y = 0; y < image->bitmap_height; y++)
        for (uint32_t x = 0; x < image->bitmap_width; x++)
            rows[(size_t)y * image->stride + 4 * (size_t)x + 3] = 0;
}

static void set_unused(uint8_t *rows, const SpiceImage *image)
{
    for (uint32_t y = 0; y < image->bitmap_height; y++)
        for (uint32_t x = 0; x < image->bitmap_width; x++)
            rows[(size_t)y * image->stride + 4 * (size_t)x + 3] = 255;
}

static void premultiply(uint8_t *rows, const SpiceImage *image)
{
    for (uint32_t y = 0; y < image->bitmap_height; y++)
        for (uint32_t x = 0; x < image->bitmap_width; x++) {
            uint8_t *at = rows + (size_t)y * image->stride + 4 * (size_t)x;

            for (int i = 0; i < 3; i++)
                at[i] = (uint8_t)(at[i] * at[3] / 255);
        }
}

/** Another size, in memory of its own. */
static uint8_t *resize(RandomDraw *draw, SpiceImage *image, uint32_t width, uint32_t height)
{
    const uint32_t stride = (width * bits_of(image) + 7) / 8 + image->stride % 3;
    const size_t size = (size_t)stride * height;

    for (unsigned i = 0; i < draw->n_blocks; i++) {
        if (draw->blocks[i] != image->data.data)
            continue;
        free(draw->blocks[i]);
        draw->blocks[i] = calloc(1, size);
        image->data = (SpiceBytes){draw->blocks[i], size};
    }
    image->width = image->bitmap_width = width;
    image->height = image->bitmap_height = height;
    image->stride = stride;
    return rows_of(draw, image);
}

static void dress(RandomDraw *draw, SpiceImage *image, GuestPictures *pictures,
                  const Choices *choices, bool keep_unused)
{
    const uint32_t what = below(choices, 8);
    const uint32_t number = below(choices, N_PICTURES);
    uint8_t *rows = rows_of(draw, image);

    if (!rows || image->type != SPICE_IMAGE_TYPE_BITMAP) {
        if (rows && image->type == SPICE_IMAGE_TYPE_QUIC && what == 0) {
            image->id = (uint64_t)(900 + number) << 32;
            image->flags |= SPICE_IMAGE_FLAGS_CACHE_ME;
        }
        return;
    }
    if (below(choices, 64) == 0)
        pictures->shift++;
    if (what < 4) {
        /* It follows from format and number, so that it is often the same again. */
        rows = resize(draw, image, 10 + number * 7, 30 - number * 3);
        fill(rows, image, bits_of(image), number % 4,
             number + (pictures->shift + number * 3) / (N_PICTURES * 3));
        image->id = (uint64_t)(1 + number + image->bitmap_format * 16) << 32 |
                    (below(choices, 40) == 0 ? 2 : 0);
        image->flags =
            SPICE_IMAGE_FLAGS_CACHE_ME | (number == 1 ? SPICE_IMAGE_FLAGS_HIGH_BITS_SET : 0);
        image->bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN;
    } else if (what < 7) {
        fill(rows, image, bits_of(image), below(choices, 4), below(choices, 4));
    }
    /* Most guests stay within their palettes. */
    if (image->bitmap_format == SPICE_BITMAP_FMT_8BIT && below(choices, 4) != 0)
        for (size_t i = 0; i < image->data.size; i++)
            rows[i] &= 15;
    if (image->palette.palette && below(choices, 2)) {
        image->palette.palette->unique =
            1 + below(choices, below(choices, 2) ? N_UNIQUES : N_COMMON_UNIQUES);
        /* Guests may use such an id again, too. */
        if (below(choices, 6) == 0)
            image->palette.palette->entries[below(choices, 16)] ^= 0x404040;
    }
    if (image->bitmap_format == SPICE_BITMAP_FMT_RGBA)
        premultiply(rows, image);
    if (image->bitmap_format != SPICE_BITMAP_FMT_32BIT)
        return;
    if (!keep_unused || below(choices, 3) == 0)
        clear_unused(rows, image);
    else if (below(choices, 3) == 0)
        set_unused(rows, image);
}

void sender_draw_make(RandomDraw *draw, GuestPictures *pictures, const Choices *choices,
                      uint32_t surface_id, int32_t side, bool keep_unused)
{
    random_draw_make(draw, choices, surface_id, side, side, false);
    for (unsigned i = 0; i < draw->n_images; i++)
        dress(draw, &draw->images[i], pictures, choices, keep_unused);
}

void sender_draw_clear(RandomDraw *draw)
{
    for (unsigned i = 0; i < draw->n_blocks; i++)
        free(draw->blocks[i]);
    draw->n_blocks = 0;
}
