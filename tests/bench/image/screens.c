/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "screens.h"

#include <stdlib.h>

const char *const screen_names[SCREEN_COUNT] = {"text", "photo", "ui"};

enum { GLYPH_WIDTH = 8, GLYPH_HEIGHT = 16, GLYPHS = 64 };

typedef struct {
    uint32_t *pixels;
    int width, height;
    uint64_t random;
    uint8_t glyphs[GLYPHS][GLYPH_HEIGHT][GLYPH_WIDTH]; /* coverage in 0..255 */
} Canvas;

uint32_t screen_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static uint32_t below(Canvas *canvas, uint32_t limit)
{
    return screen_random(&canvas->random) % limit;
}

static uint32_t mix(uint32_t from, uint32_t to, uint32_t part)
{
    uint32_t result = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        uint32_t a = from >> shift & 255, b = to >> shift & 255;

        result |= (a * (255 - part) + b * part) / 255 << shift;
    }
    return result;
}

static void fill(Canvas *canvas, int x, int y, int width, int height, uint32_t colour)
{
    for (int j = y; j < y + height && j < canvas->height; j++) {
        for (int i = x; i < x + width && i < canvas->width; i++)
            canvas->pixels[j * canvas->width + i] = colour;
    }
}

static void gradient(Canvas *canvas, int x, int y, int width, int height, uint32_t top,
                     uint32_t bottom)
{
    for (int j = 0; j < height; j++)
        fill(canvas, x, y + j, width, 1, mix(top, bottom, (uint32_t)(j * 255 / height)));
}

/* Letters that no one reads, but strokes with soft edges at a few places as letters have. */
static void make_glyphs(Canvas *canvas)
{
    for (int g = 1; g < GLYPHS; g++) {
        int strokes = 2 + (int)below(canvas, 3);

        for (int s = 0; s < strokes; s++) {
            int vertical = (int)below(canvas, 2);
            int at = 1 + (int)below(canvas, vertical ? 5 : 9);
            int from = 3 + (int)below(canvas, 2), to = 11 + (int)below(canvas, 2);
            uint8_t soft = (uint8_t)(40 + below(canvas, 4) * 50);

            for (int y = from; vertical && y < to; y++) {
                canvas->glyphs[g][y][at] = 255;
                canvas->glyphs[g][y][at + 1] = soft;
            }
            for (int x = 1; !vertical && x < 7; x++) {
                canvas->glyphs[g][at + 3][x] = 255;
                canvas->glyphs[g][at + 4][x] = soft;
            }
        }
    }
}

static void text(Canvas *canvas, int x, int y, int columns, uint32_t ink, uint32_t paper)
{
    for (int c = 0; c < columns; c++, x += GLYPH_WIDTH) {
        /* mostly the frequent letters, and a blank at the end of a word */
        uint32_t r = below(canvas, 100);
        uint32_t g = r < 16 ? 0 : r < 75 ? 1 + below(canvas, 12) : 1 + below(canvas, GLYPHS - 1);

        for (int j = 0; j < GLYPH_HEIGHT && y + j < canvas->height; j++) {
            for (int i = 0; i < GLYPH_WIDTH && x + i < canvas->width; i++)
                canvas->pixels[(y + j) * canvas->width + x + i] =
                    mix(paper, ink, canvas->glyphs[g][j][i]);
        }
    }
}

static void draw_text(Canvas *canvas)
{
    fill(canvas, 0, 0, canvas->width, canvas->height, 0x2d5f8a);
    for (int w = 0; w < 6; w++) {
        int width = canvas->width / 2 - 40, height = canvas->height / 2 + 30;
        int x = 20 + (w % 2) * (width + 30), y = 10 + (w / 2) * (canvas->height / 3);
        uint32_t paper = w % 3 == 1 ? 0x1e1e1e : 0xffffff, ink = w % 3 == 1 ? 0xd0d0d0 : 0x101010;

        fill(canvas, x - 1, y - 1, width + 2, height + 2, 0x404040);
        fill(canvas, x, y, width, 24, 0x3a6ea5);
        text(canvas, x + 8, y + 4, 30, 0xffffff, 0x3a6ea5);
        fill(canvas, x, y + 24, width, height - 24, paper);
        for (int line = 0; line < (height - 40) / 18; line++) {
            int columns = (width - 20) / GLYPH_WIDTH;

            if (below(canvas, 8))
                text(canvas, x + 8 + 32 * (int)below(canvas, 3), y + 30 + line * 18,
                     (int)below(canvas, (uint32_t)columns - 12), ink, paper);
        }
    }
}

static void draw_ui(Canvas *canvas)
{
    gradient(canvas, 0, 0, canvas->width, canvas->height, 0x1b3a57, 0x6f9bc0);
    for (int w = 0; w < 4; w++) {
        int width = canvas->width / 2 - 60, height = canvas->height / 2 - 40;
        int x = 30 + (w % 2) * (width + 50), y = 20 + (w / 2) * (height + 30);

        fill(canvas, x - 1, y - 1, width + 2, height + 2, 0x555555);
        gradient(canvas, x, y, width, 32, 0xe8e8e7, 0xc9c9c7);
        fill(canvas, x, y + 32, width, height - 32, 0xf6f5f4);
        for (int row = 0; row < (height - 60) / 44; row++) {
            for (int column = 0; column < width / 150; column++) {
                int bx = x + 12 + column * 150, by = y + 44 + row * 44;
                uint32_t tint = below(canvas, 6) ? 0xededed : 0x3584e4;

                fill(canvas, bx, by, 134, 32, 0xb0aca8);
                gradient(canvas, bx + 1, by + 1, 132, 30, mix(tint, 0xffffff, 120), tint);
                for (int j = 0; j < 16; j++) { /* an icon: a shaded disc */
                    for (int i = 0; i < 16; i++) {
                        int dx = i - 8, dy = j - 8, d = dx * dx + dy * dy;

                        if (d < 64 && by + 8 + j < canvas->height && bx + 8 + i < canvas->width)
                            canvas->pixels[(by + 8 + j) * canvas->width + bx + 8 + i] =
                                mix(0xffd060, 0xa04010, (uint32_t)(d * 3 + j * 3));
                    }
                }
                text(canvas, bx + 32, by + 8, 4 + (int)below(canvas, 8), 0x2e3436, 0xededed);
            }
        }
    }
}

/* Noise on a grid, blended between the points. */
static uint32_t soft_noise(const uint8_t *grid, int columns, int cell, int x, int y)
{
    int gx = x / cell, gy = y / cell, fx = x % cell, fy = y % cell;
    const uint8_t *p = grid + gy * columns + gx;
    int top = p[0] * (cell - fx) + p[1] * fx;
    int bottom = p[columns] * (cell - fx) + p[columns + 1] * fx;

    return (uint32_t)((top * (cell - fy) + bottom * fy) / (cell * cell));
}

static void draw_photo(Canvas *canvas)
{
    enum { COARSE = 160, FINE = 24 };
    int coarse_columns = canvas->width / COARSE + 2, fine_columns = canvas->width / FINE + 2;
    int coarse = coarse_columns * (canvas->height / COARSE + 2);
    int fine = fine_columns * (canvas->height / FINE + 2);
    uint8_t *grids = malloc((size_t)(3 * coarse + fine));

    if (!grids)
        exit(1);
    for (int i = 0; i < 3 * coarse + fine; i++)
        grids[i] = (uint8_t)below(canvas, 256);
    for (int y = 0; y < canvas->height; y++) {
        for (int x = 0; x < canvas->width; x++) {
            uint32_t detail = soft_noise(grids + 3 * coarse, fine_columns, FINE, x, y);
            uint32_t colour = 0;

            for (int c = 0; c < 3; c++) {
                uint32_t base = soft_noise(grids + c * coarse, coarse_columns, COARSE, x, y);
                uint32_t grain = below(canvas, 5);

                colour |= (base * 3 / 4 + detail / 5 + grain) << (8 * c);
            }
            canvas->pixels[y * canvas->width + x] = colour;
        }
    }
    free(grids);
}

void screen_draw(Screen screen, int width, int height, uint32_t *pixels)
{
    Canvas *canvas = calloc(1, sizeof *canvas);

    if (!canvas)
        exit(1);
    canvas->pixels = pixels;
    canvas->width = width;
    canvas->height = height;
    canvas->random = (uint64_t)screen + 1;
    make_glyphs(canvas);
    if (screen == SCREEN_TEXT)
        draw_text(canvas);
    else if (screen == SCREEN_PHOTO)
        draw_photo(canvas);
    else
        draw_ui(canvas);
    free(canvas);
}
