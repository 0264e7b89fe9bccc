/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *read_file(const char *folder, const char *name, size_t *size)
{
    char path[1024];
    uint8_t *data = NULL;
    FILE *file;
    long length;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        *size = (size_t)length;
        data = malloc(length ? *size : 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

/* The next word of a header, comments left out. */
static bool next_word(const uint8_t **data, size_t *size, char *word, size_t word_size)
{
    size_t n = 0;
    bool comment = false;

    while (*size && (comment || **data <= ' ' || **data == '#')) {
        comment = **data == '#' || (comment && **data != '\n');
        ++*data, --*size;
    }
    while (*size && **data > ' ') {
        if (n + 1 < word_size)
            word[n++] = (char)**data;
        ++*data, --*size;
    }
    word[n] = 0;
    return n > 0;
}

static bool next_number(const uint8_t **data, size_t *size, int *number)
{
    char word[32];

    if (!next_word(data, size, word, sizeof word))
        return false;
    *number = atoi(word);
    return true;
}

bool parse_picture(const uint8_t **data, size_t *size, Picture *picture)
{
    char word[32];
    size_t length;

    memset(picture, 0, sizeof *picture);
    if (!next_word(data, size, word, sizeof word))
        return false;
    if (!strcmp(word, "P5") || !strcmp(word, "P6")) {
        picture->depth = word[1] == '6' ? 3 : 1;
        if (!next_number(data, size, &picture->width) ||
            !next_number(data, size, &picture->height) || !next_number(data, size, &picture->max))
            return false;
    } else if (!strcmp(word, "P7")) {
        for (;;) {
            if (!next_word(data, size, word, sizeof word))
                return false;
            if (!strcmp(word, "ENDHDR"))
                break;
            if (!strcmp(word, "WIDTH"))
                next_number(data, size, &picture->width);
            else if (!strcmp(word, "HEIGHT"))
                next_number(data, size, &picture->height);
            else if (!strcmp(word, "DEPTH"))
                next_number(data, size, &picture->depth);
            else if (!strcmp(word, "MAXVAL"))
                next_number(data, size, &picture->max);
            else
                next_word(data, size, word, sizeof word); /* TUPLTYPE */
        }
    } else {
        return false;
    }
    length = (size_t)picture->width * (size_t)picture->height * (size_t)picture->depth;
    if (!*size || *size - 1 < length || length == 0)
        return false;
    picture->samples = malloc(length);
    if (!picture->samples)
        return false;
    memcpy(picture->samples, *data + 1, length);
    *data += 1 + length;
    *size -= 1 + length;
    return true;
}

bool read_picture(const char *folder, const char *name, Picture *picture)
{
    size_t size;
    uint8_t *data = read_file(folder, name, &size);
    const uint8_t *at = data;
    bool ok = data && parse_picture(&at, &size, picture);

    free(data);
    return ok;
}

uint32_t *picture_to_32(const Picture *picture)
{
    size_t count = (size_t)picture->width * (size_t)picture->height;
    uint32_t *pixels = malloc(4 * count);
    const uint8_t *p = picture->samples;

    for (size_t i = 0; pixels && i < count; i++, p += picture->depth) {
        uint8_t bgra[4] = {0};

        if (picture->depth >= 3) {
            bgra[0] = p[2];
            bgra[1] = p[1];
            bgra[2] = p[0];
        }
        if (picture->depth != 3)
            bgra[3] = p[picture->depth - 1];
        memcpy(pixels + i, bgra, 4);
    }
    return pixels;
}

uint32_t random_u32(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 0x2545f4914f6cdd1d >> 32);
}

void random_picture(uint64_t *state, uint32_t *pixels, uint32_t width, uint32_t height)
{
    size_t count = (size_t)width * height, i = 0;
    uint32_t palette[16], style = random_below(state, RANDOM_STYLES);

    for (int c = 0; c < 16; c++)
        palette[c] = random_u32(state);
    while (i < count) {
        size_t piece = style == 7 ? 1 + random_below(state, 200) : count;
        uint32_t now = style == 7 ? random_below(state, 7) : style;
        size_t end = i + piece < count ? i + piece : count;
        size_t back = 1 + random_below(state, (uint32_t)(i ? i : 1));
        uint32_t run = 0, colour = palette[0];

        for (; i < end; i++) {
            switch (now) {
            case 0: /* noise */
                pixels[i] = random_u32(state);
                break;
            case 1: /* flat, with a speck here and there */
                pixels[i] = random_below(state, 100) ? palette[1] : random_u32(state);
                break;
            case 2: /* runs */
                if (run-- == 0) {
                    run = random_below(state, random_below(state, 2) ? 8 : 600);
                    colour = palette[random_below(state, 16)];
                }
                pixels[i] = colour;
                break;
            case 3: /* few colours */
                pixels[i] = palette[random_below(state, 3)];
                break;
            case 4: /* a ramp with grain */
                pixels[i] = (uint32_t)(i % width) * 0x01010101 +
                            (random_u32(state) & 0x01010101 & random_u32(state));
                break;
            case 5: /* the row above, seldom changed */
                pixels[i] =
                    i >= width && random_below(state, 50) ? pixels[i - width] : random_u32(state);
                break;
            default: /* something from before */
                pixels[i] = i >= back ? pixels[i - back] : random_u32(state);
                break;
            }
        }
    }
}
