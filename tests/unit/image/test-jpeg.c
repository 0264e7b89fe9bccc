/* JPEG and JPEG_ALPHA images against recorded ones, itself and malformed input.
 *
 *     test-jpeg VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include "../tap.h"
#include "core/image/bytes.h"
#include "core/image/jpeg.h"
#include "pictures.h"

enum { WIDTH = 200, HEIGHT = 140, ROW = 4 * WIDTH, BODY_HEADER = 9 };

/* The greatest difference of a colour, and the mean one in *mean; 255 if an alpha differs. */
static int difference(const uint32_t *a, const uint32_t *b, size_t count, double *mean)
{
    double sum = 0;
    int greatest = 0;

    for (size_t i = 0; i < count; i++) {
        if (a[i] >> 24 != b[i] >> 24)
            greatest = 255;
        for (int shift = 0; shift < 24; shift += 8) {
            int d = abs((int)(a[i] >> shift & 255) - (int)(b[i] >> shift & 255));

            greatest = d > greatest ? d : greatest;
            sum += d;
        }
    }
    *mean = sum / (3.0 * (double)count);
    return greatest;
}

static bool decode(SpiceJpeg *jpeg, const char *name, const uint8_t *data, size_t size,
                   uint8_t *top, ptrdiff_t stride, SpiceError *error)
{
    if (strncmp(name, "alpha", 5))
        return spice_jpeg_decode(jpeg, data, size, WIDTH, HEIGHT, top, stride, error);
    /* flags u8, jpeg_size u32, data_size u32, data */
    if (size < BODY_HEADER || spice_load32(data + 5) > size - BODY_HEADER)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "data_size");
    return spice_jpeg_alpha_decode(jpeg, data[0], spice_load32(data + 1), data + BODY_HEADER,
                                   spice_load32(data + 5), WIDTH, HEIGHT, top, stride, error);
}

static void test_vector(SpiceJpeg *jpeg, const char *folder, const char *name, const char *truth)
{
    static uint32_t pixels[2][WIDTH * HEIGHT];
    size_t size;
    uint8_t *data = read_file(folder, name, &size);
    Picture picture;
    uint32_t *wanted;
    double mean;
    int greatest;
    bool same = true;

    if (!TAP_OK(data && read_picture(folder, truth, &picture), "%s: files", name))
        return;
    wanted = picture_to_32(&picture);
    TAP_OK(decode(jpeg, name, data, size, (uint8_t *)pixels[0], ROW, NULL), "%s: decodes", name);
    greatest = difference(pixels[0], wanted, WIDTH * HEIGHT, &mean);
    TAP_OK(greatest <= 4 && mean <= 1, "%s: is the truth but for %d, %.3f on average", name,
           greatest, mean);
    TAP_OK(
        decode(jpeg, name, data, size, (uint8_t *)(pixels[1] + WIDTH * (HEIGHT - 1)), -ROW, NULL),
        "%s: decodes upwards", name);
    for (int y = 0; y < HEIGHT; y++)
        same = same && !memcmp(pixels[0] + y * WIDTH, pixels[1] + (HEIGHT - 1 - y) * WIDTH, ROW);
    TAP_OK(same, "%s: to the same", name);
    /* cut anywhere it is no image */
    for (size_t cut = 0; same && cut < size; cut += 1 + size / 97) {
        uint8_t *piece = malloc(cut ? cut : 1);

        memcpy(piece, data, cut);
        same = !decode(jpeg, name, piece, cut, (uint8_t *)pixels[0], ROW, NULL);
        free(piece);
    }
    TAP_OK(same, "%s: refused if cut", name);
    TAP_OK(!spice_jpeg_decode(jpeg, data, size, WIDTH + 1, HEIGHT, (uint8_t *)pixels[0], ROW, NULL),
           "%s: refused for another size", name);
    free(wanted);
    free(picture.samples);
    free(data);
}

static void test_bad_vector(SpiceJpeg *jpeg, const char *folder, const char *name)
{
    static uint32_t pixels[WIDTH * HEIGHT];
    SpiceError error = {0};
    char file[64];
    size_t size;
    uint8_t *data;

    snprintf(file, sizeof file, "%s.bin", name);
    data = read_file(folder, file, &size);
    TAP_OK(data && !decode(jpeg, name, data, size, (uint8_t *)pixels, ROW, &error) &&
               error.code != SPICE_OK,
           "bad/%s: %s %s", name, error.field ? error.field : "", spice_error_phrase(error.code));
    free(data);
}

/* Soft pictures come back nearly; all placements and formats give the same file. */
static void test_encoder(SpiceJpeg *jpeg)
{
    static uint32_t pixels[WIDTH * HEIGHT], flipped[WIDTH * HEIGHT], decoded[WIDTH * HEIGHT];
    static uint8_t three[WIDTH * HEIGHT * 3], sixteen[WIDTH * HEIGHT * 2];
    static uint8_t first[WIDTH * HEIGHT * 4], again[WIDTH * HEIGHT * 4];
    SpiceJpegSource source = {8, WIDTH, HEIGHT, (uint8_t *)pixels, ROW};
    uint32_t jpeg_size;
    uint8_t flags;
    size_t size, size_again;
    double mean;
    int greatest;

    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            uint32_t pixel =
                (uint32_t)(x + 20) << 16 | (uint32_t)(y + 30) << 8 | (uint32_t)(x + y) / 2;

            pixels[y * WIDTH + x] = pixel;
            flipped[(HEIGHT - 1 - y) * WIDTH + x] = pixel;
            for (int c = 0; c < 3; c++)
                three[3 * (y * WIDTH + x) + c] = (uint8_t)(pixel >> 8 * c);
            spice_store16(sixteen + 2 * (y * WIDTH + x), 0x4210);
        }
    }
    size = spice_jpeg_encode(jpeg, &source, 85, first, sizeof first);
    TAP_OK(size &&
               spice_jpeg_decode(jpeg, first, size, WIDTH, HEIGHT, (uint8_t *)decoded, ROW, NULL),
           "a picture encodes to %zu bytes and decodes", size);
    greatest = difference(decoded, pixels, WIDTH * HEIGHT, &mean);
    TAP_OK(greatest < 12 && mean < 2, "to the same but for %d, %.2f on average", greatest, mean);
    source.top = (uint8_t *)(flipped + WIDTH * (HEIGHT - 1));
    source.stride = -ROW;
    size_again = spice_jpeg_encode(jpeg, &source, 85, again, sizeof again);
    TAP_OK(size_again == size && !memcmp(first, again, size), "rows upwards give the same file");
    source = (SpiceJpegSource){7, WIDTH, HEIGHT, three, 3 * WIDTH};
    size_again = spice_jpeg_encode(jpeg, &source, 85, again, sizeof again);
    TAP_OK(size_again == size && !memcmp(first, again, size), "24-bit pixels give the same file");
    TAP_OK(!spice_jpeg_encode(jpeg, &source, 85, again, size - 1), "which does not fit into less");
    source = (SpiceJpegSource){6, WIDTH, HEIGHT, sixteen, 2 * WIDTH};
    size_again = spice_jpeg_encode(jpeg, &source, 85, again, sizeof again);
    TAP_OK(size_again &&
               spice_jpeg_decode(jpeg, again, size_again, WIDTH, HEIGHT, (uint8_t *)decoded, ROW,
                                 NULL) &&
               (decoded[77] & 0xf8f8f8) == 0x808080,
           "16-bit pixels are widened");

    for (int i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] |= (uint32_t)(i / 7) << 24;
    for (int up = 0; up < 2; up++) {
        source = (SpiceJpegSource){9, WIDTH, HEIGHT, (uint8_t *)pixels, ROW};
        if (up) {
            source.top = (uint8_t *)(pixels + WIDTH * (HEIGHT - 1));
            source.stride = -ROW;
        }
        size = spice_jpeg_alpha_encode(jpeg, &source, 85, first, sizeof first, &jpeg_size, &flags);
        TAP_OK(size > jpeg_size && flags == !up &&
                   spice_jpeg_alpha_decode(jpeg, flags, jpeg_size, first, size, WIDTH, HEIGHT,
                                           up ? (uint8_t *)(decoded + WIDTH * (HEIGHT - 1))
                                              : (uint8_t *)decoded,
                                           up ? -ROW : ROW, NULL),
               "alpha, rows %s: encodes and decodes", up ? "upwards" : "downwards");
        greatest = difference(decoded, pixels, WIDTH * HEIGHT, &mean);
        TAP_OK(greatest < 12, "alpha exact, colours but for %d", greatest);
        TAP_OK(!spice_jpeg_alpha_encode(jpeg, &source, 85, again, size - 1, &jpeg_size, &flags),
               "which does not fit into less");
    }
}

/* A picture of ramps with a little grain: JPEG is for such, and keeps them nearly. */
static void soft_picture(uint64_t *state, uint32_t *pixels, uint32_t width, uint32_t height)
{
    int at[3], across[3], down[3];

    for (int c = 0; c < 3; c++) {
        at[c] = (int)random_below(state, 1 << 16);
        across[c] = (int)random_below(state, 400) - 200;
        down[c] = (int)random_below(state, 400) - 200;
    }
    for (uint32_t i = 0; i < width * height; i++) {
        uint32_t pixel = random_u32(state) & 0xff000000;

        for (int c = 0; c < 3; c++) {
            int value = at[c] + across[c] * (int)(i % width) + down[c] * (int)(i / width);

            value = value / 256 + (int)random_below(state, 3);
            pixel |= (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value) << (8 * c);
        }
        pixels[i] = pixel;
    }
}

/* One picture of any size, placed and coded in any way, there and back. */
static bool test_random(uint64_t *state, SpiceJpeg *jpeg)
{
    enum { SIDE = 60 };
    static uint32_t pixels[SIDE * SIDE], decoded[SIDE * SIDE];
    static uint8_t coded[SIDE * SIDE * 8 + 4096];
    const uint32_t width = 1 + random_below(state, SIDE), height = 1 + random_below(state, SIDE);
    const bool alpha = random_below(state, 2), up = random_below(state, 2);
    const size_t last = (size_t)width * (height - 1), row = 4 * (size_t)width;
    const ptrdiff_t stride = up ? -(ptrdiff_t)row : (ptrdiff_t)row;
    SpiceJpegSource source = {alpha ? 9 : 8, width, height,
                              (const uint8_t *)(up ? pixels + last : pixels), stride};
    uint8_t *top = (uint8_t *)(up ? decoded + last : decoded), flags;
    uint32_t jpeg_size;
    size_t size;
    double mean;

    soft_picture(state, pixels, width, height);
    if (alpha) {
        size = spice_jpeg_alpha_encode(jpeg, &source, 90, coded, sizeof coded, &jpeg_size, &flags);
        if (!size || !spice_jpeg_alpha_decode(jpeg, flags, jpeg_size, coded, size, width, height,
                                              top, stride, NULL))
            return false;
    } else {
        size = spice_jpeg_encode(jpeg, &source, 90, coded, sizeof coded);
        if (!size || !spice_jpeg_decode(jpeg, coded, size, width, height, top, stride, NULL))
            return false;
        for (uint32_t i = 0; i < width * height; i++)
            pixels[i] &= 0xffffff;
    }
    return difference(decoded, pixels, (size_t)width * height, &mean) < 24 && mean < 3;
}

/* Only what servers send is decoded: a progressive file would cost more than its bytes. */
static void test_progressive(SpiceJpeg *jpeg)
{
    static uint32_t pixels[WIDTH * HEIGHT];
    static unsigned char file[WIDTH * HEIGHT * 4];
    unsigned char *out = file;
    unsigned long size = sizeof file;
    tjhandle encoder = tjInitCompress();
    SpiceError error = {0};

    TAP_OK(encoder && tjCompress2(encoder, (unsigned char *)pixels, WIDTH, ROW, HEIGHT, TJPF_BGRX,
                                  &out, &size, TJSAMP_420, 85,
                                  TJFLAG_PROGRESSIVE | TJFLAG_NOREALLOC) == 0,
           "a progressive file");
    TAP_OK(!spice_jpeg_decode(jpeg, file, size, WIDTH, HEIGHT, (uint8_t *)pixels, ROW, &error) &&
               error.code == SPICE_ERROR_UNSUPPORTED,
           "is refused");
    tjDestroy(encoder);
}

int main(int argc, char **argv)
{
    static const char *const bad[] = {"jpeg-cut",
                                      "jpeg-garbage",
                                      "jpeg-dims",
                                      "jpeg-dims0",
                                      "alpha-jpegsize-big",
                                      "alpha-jpegsize-all",
                                      "alpha-topdown-mismatch",
                                      "alpha-width",
                                      "alpha-type",
                                      "alpha-lz-cut"};
    SpiceJpeg *jpeg = spice_jpeg_new(&spice_allocator_libc, UINT32_MAX);
    int images = tap_long(argc, argv) ? 100000 : 2000, good = 0;
    uint64_t state = 0x5eed;
    char folder[1024];

    if (argc < 2 || !jpeg)
        return 2;
    snprintf(folder, sizeof folder, "%s/jpeg", argv[1]);
    test_vector(jpeg, folder, "rgb32-q85.bin", "rgb32-q85.ppm");
    test_vector(jpeg, folder, "rgb16-q85.bin", "rgb16-q85.ppm");
    test_vector(jpeg, folder, "alpha-topdown.bin", "alpha-topdown.pam");
    test_vector(jpeg, folder, "alpha-bottomup.bin", "alpha-bottomup.pam");
    snprintf(folder, sizeof folder, "%s/jpeg/bad", argv[1]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        test_bad_vector(jpeg, folder, bad[i]);
    test_encoder(jpeg);
    test_progressive(jpeg);
    for (int i = 0; i < images; i++)
        good += test_random(&state, jpeg);
    TAP_OK(good == images, "%d of %d random pictures come back", good, images);
    spice_jpeg_free(jpeg);
    return tap_done();
}
