/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "film.h"

#include <math.h>
#include <string.h>

enum { BITS = 16, BOX_WIDTH = FILM_WIDTH / BITS, BOX_HEIGHT = 20 };
enum { SCENE_WIDTH = 1024, SCENE_HEIGHT = 512, OCTAVES = 6 };
enum { LETTERS_A_ROW = 120, LETTERS_X = 16, LETTERS_Y = 16 };

static uint32_t scene[SCENE_HEIGHT][SCENE_WIDTH];

static uint32_t hash(uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t h = x * 374761393u + y * 668265263u + z * 2246822519u;

    h = (h ^ h >> 13) * 1274126177u;
    return h ^ h >> 16;
}

/** Soft noise of a grid of 2^shift, -1 to 1, that repeats with the scene. */
static double soft_noise(int x, int y, int shift, uint32_t which)
{
    const int size = 1 << shift, columns = SCENE_WIDTH >> shift, rows = SCENE_HEIGHT >> shift;
    const int left = x >> shift, top = y >> shift;
    const double fx = (double)(x & (size - 1)) / size, fy = (double)(y & (size - 1)) / size;
    const double sx = fx * fx * (3 - 2 * fx), sy = fy * fy * (3 - 2 * fy);
    double corner[2][2];

    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            corner[i][k] = hash((uint32_t)((left + k) % columns), (uint32_t)((top + i) % rows),
                                which * 16 + (uint32_t)shift) /
                               2147483648.0 -
                           1;
    return (corner[0][0] * (1 - sx) + corner[0][1] * sx) * (1 - sy) +
           (corner[1][0] * (1 - sx) + corner[1][1] * sx) * sy;
}

static uint32_t level(double value)
{
    return (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/** A landscape with detail of all sizes, the less of it the finer, as photos have. */
void film_prepare(void)
{
    for (int y = 0; y < SCENE_HEIGHT; y++)
        for (int x = 0; x < SCENE_WIDTH; x++) {
            double grey = 0, tint = 0;

            for (int octave = 0; octave < OCTAVES; octave++)
                grey += soft_noise(x, y, 7 - octave, 1) * 56 / pow(1.8, octave);
            tint = soft_noise(x, y, 7, 2) * 40 + soft_noise(x, y, 5, 3) * 10;
            scene[y][x] =
                level(125 + grey + tint) << 16 | level(120 + grey) << 8 | level(115 + grey - tint);
        }
}

/** A channel with the grain of a camera. */
static uint32_t grained(uint32_t value, uint32_t noise)
{
    const int sum = (int)value + (int)(noise % 7) - 3;

    return (uint32_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/** The scene is panned, and a ball flies before it. */
static uint32_t film_pixel(int x, int y, int number)
{
    const int ball_x = (number * 9) % (FILM_WIDTH + 200) - 100;
    const int ball_y = 180 + (int)(100 * sin(number / 9.0));
    const int dx = x - ball_x, dy = y - ball_y, distance = dx * dx + dy * dy;
    const uint32_t noise = hash((uint32_t)x, (uint32_t)y, (uint32_t)number);
    uint32_t pixel = scene[(y + number) % SCENE_HEIGHT][(x + number * 3) % SCENE_WIDTH];

    if (distance < 60 * 60)
        pixel = (uint32_t)(240 - distance / 30) << 16 | (uint32_t)(200 - distance / 24) << 8 | 60;
    return grained(pixel >> 16 & 255, noise) << 16 | grained(pixel >> 8 & 255, noise >> 8) << 8 |
           grained(pixel & 255, noise >> 16);
}

void film_paint(uint32_t *pixels, unsigned number)
{
    for (int y = 0; y < FILM_HEIGHT; y++)
        for (int x = 0; x < FILM_WIDTH; x++)
            pixels[y * FILM_WIDTH + x] = y >= BOX_HEIGHT ? film_pixel(x, y, (int)number)
                                         : number >> (BITS - 1 - x / BOX_WIDTH) & 1 ? 0xffffff
                                                                                    : 0;
}

int film_number(const uint32_t *pixels, int stride)
{
    int number = 0;

    for (int bit = 0; bit < BITS; bit++) {
        const uint32_t pixel = pixels[BOX_HEIGHT / 2 * stride + bit * BOX_WIDTH + BOX_WIDTH / 2];
        const uint32_t green = pixel >> 8 & 255;

        if (green > 64 && green < 192)
            return -1;
        number = number * 2 + (green >= 192);
    }
    return number;
}

double film_psnr(const uint32_t *pixels, int stride, unsigned number)
{
    static uint32_t truth[FILM_WIDTH * FILM_HEIGHT];
    uint64_t error = 0;

    film_paint(truth, number);
    for (int y = 0; y < FILM_HEIGHT; y++)
        for (int x = 0; x < FILM_WIDTH; x++) {
            const uint32_t a = pixels[y * stride + x], b = truth[y * FILM_WIDTH + x];

            for (int shift = 0; shift < 24; shift += 8) {
                const int difference = (int)(a >> shift & 255) - (int)(b >> shift & 255);

                error += (uint64_t)(difference * difference);
            }
        }
    if (error == 0)
        return 99;
    return 10 * log10(255.0 * 255.0 * 3 * FILM_WIDTH * FILM_HEIGHT / (double)error);
}

void letter_place(unsigned n, int *x, int *y)
{
    *x = LETTERS_X + (int)(n % LETTERS_A_ROW) * LETTER_WIDTH;
    *y = LETTERS_Y + (int)(n / LETTERS_A_ROW) * LETTER_HEIGHT;
}

void letter_paint(uint32_t *pixels, unsigned n)
{
    const uint32_t shape = hash(n, 1, 1);

    for (int y = 0; y < LETTER_HEIGHT; y++)
        for (int x = 0; x < LETTER_WIDTH; x++) {
            const bool inside = y > 2 && y < 13 && x > 0 && x < 7;
            const bool ink = inside && (y == 7 || shape >> (y / 2 * 3 + x / 2) % 29 & 1);

            pixels[y * LETTER_WIDTH + x] = ink ? 0x202020 : 0xffffff;
        }
}

bool letter_is_there(const uint32_t *pixels, int stride, unsigned n)
{
    int x, y;

    letter_place(n, &x, &y);
    /* the stroke that all letters have, on white */
    return (pixels[(y + 7) * stride + x + 3] & 255) < 128 && (pixels[y * stride + x] & 255) > 200;
}
