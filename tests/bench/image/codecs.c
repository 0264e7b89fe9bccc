/* The codecs as bench-image calls them, ours and the reference's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "bench-image.h"

#include <dlfcn.h>
#include <string.h>

#include "core/image/bytes.h"
#include "core/image/glz.h"
#include "core/image/jpeg.h"
#include "core/image/lz.h"
#include "core/image/lz4.h"
#include "core/image/quic.h"
#include "reference-adapter.h"

static SpiceCpuFlags cpu(void)
{
    SpiceCpuFlags flags = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("ssse3"))
        flags |= SPICE_CPU_SSE2 | SPICE_CPU_SSSE3;
    if (__builtin_cpu_supports("sse4.1"))
        flags |= SPICE_CPU_SSE41;
    if (__builtin_cpu_supports("avx2")) /* every processor with it has lzcnt */
        flags |= SPICE_CPU_AVX2 | SPICE_CPU_LZCNT;
    if (__builtin_cpu_supports("bmi2"))
        flags |= SPICE_CPU_BMI2;
#endif
    return flags;
}

/* A function of a library; POSIX lets dlsym() results be stored like this. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);

    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void no_change(const BenchCodec *codec, BenchImage *image)
{
}

/* A gradient of alpha with flat parts. */
static void add_alpha(const BenchCodec *codec, BenchImage *image)
{
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            int alpha = x < 600 ? 255 : x < 900 ? 255 - (x - 600) * 255 / 300 : 0;

            image->pixels[4 * ((size_t)y * (size_t)image->width + (size_t)x) + 3] = (uint8_t)alpha;
        }
    }
}

static void to_555(const BenchCodec *codec, BenchImage *image)
{
    size_t count = (size_t)image->width * (size_t)image->height;

    for (size_t i = 0; i < count; i++) {
        uint32_t x = spice_load32(image->pixels + 4 * i);

        x = (x >> 9 & 0x7c00) | (x >> 6 & 0x03e0) | (x >> 3 & 0x001f);
        spice_store16(image->pixels + 2 * i, (uint16_t)x);
    }
}

/* --- LZ --- */

static ReferenceLzEncode reference_lz_encode;
static ReferenceLzDecode reference_lz_decode;

static int lz_pixel_size(int type)
{
    return type == SPICE_LZ_RGB16 ? 2 : 4;
}

static bool lz_encode(const BenchCodec *codec, BenchImage *image)
{
    static SpiceLzEncoder *encoder;
    SpiceLzSource source = {.type = (uint8_t)codec->type,
                            .width = (uint32_t)image->width,
                            .height = (uint32_t)image->height,
                            .top = image->pixels,
                            .stride = image->width * lz_pixel_size(codec->type)};

    if (!encoder)
        encoder = spice_lz_encoder_new(&spice_allocator_libc, cpu());
    image->coded_size = spice_lz_encode(encoder, &source, image->coded, image->capacity);
    return image->coded_size != 0;
}

static bool lz_decode(const BenchCodec *codec, BenchImage *image)
{
    SpiceLzTarget target = codec->type == SPICE_LZ_RGB16 ? SPICE_LZ_TO_555 : SPICE_LZ_TO_32;
    SpiceLzHeader header;

    return spice_lz_read_header(&header, image->coded, image->coded_size, 1 << 26, NULL) &&
           spice_lz_decode(&header, image->coded, image->coded_size, target, image->decoded,
                           image->width * lz_pixel_size(codec->type), cpu(), NULL);
}

static bool lz_encode_theirs(const BenchCodec *codec, BenchImage *image)
{
    image->reference_coded_size = reference_lz_encode(
        codec->type, image->width, image->height, image->width * lz_pixel_size(codec->type),
        image->pixels, image->reference_coded, image->capacity);
    return image->reference_coded_size != 0;
}

static bool lz_decode_theirs(const BenchCodec *codec, BenchImage *image)
{
    return reference_lz_decode(image->reference_coded, image->reference_coded_size,
                               image->decoded) != 0;
}

static BenchReference lz_reference(void *library)
{
    BenchReference none = {NULL, NULL}, both = {lz_encode_theirs, lz_decode_theirs};

    return find(library, "reference_lz_encode", &reference_lz_encode) &&
                   find(library, "reference_lz_decode", &reference_lz_decode)
               ? both
               : none;
}

/* --- QUIC --- */

static ReferenceQuicEncode reference_quic_encode;
static ReferenceQuicDecode reference_quic_decode;

static int quic_pixel_size(int type)
{
    return type == SPICE_QUIC_RGB16 ? 2 : 4;
}

static bool quic_encode(const BenchCodec *codec, BenchImage *image)
{
    static SpiceQuicEncoder *encoder;
    SpiceQuicSource source = {.type = (uint8_t)codec->type,
                              .width = (uint32_t)image->width,
                              .height = (uint32_t)image->height,
                              .top = image->pixels,
                              .stride = image->width * quic_pixel_size(codec->type)};

    if (!encoder)
        encoder = spice_quic_encoder_new(&spice_allocator_libc, cpu());
    image->coded_size = spice_quic_encode(encoder, &source, image->coded, image->capacity);
    return image->coded_size != 0;
}

static bool quic_decode(const BenchCodec *codec, BenchImage *image)
{
    static SpiceQuicDecoder *decoder;
    SpiceQuicTarget target = codec->type == SPICE_QUIC_RGB16 ? SPICE_QUIC_TO_555 : SPICE_QUIC_TO_32;
    SpiceQuicHeader header;

    if (!decoder)
        decoder = spice_quic_decoder_new(&spice_allocator_libc, cpu());
    return spice_quic_read_header(&header, image->coded, image->coded_size, 1 << 26, NULL) &&
           spice_quic_decode(decoder, &header, image->coded, image->coded_size, target,
                             image->decoded, image->width * quic_pixel_size(codec->type), NULL);
}

static bool quic_encode_theirs(const BenchCodec *codec, BenchImage *image)
{
    image->reference_coded_size = reference_quic_encode(
        codec->type, image->width, image->height, image->width * quic_pixel_size(codec->type),
        image->pixels, image->reference_coded, image->capacity);
    return image->reference_coded_size != 0;
}

static bool quic_decode_theirs(const BenchCodec *codec, BenchImage *image)
{
    return reference_quic_decode(image->reference_coded, image->reference_coded_size,
                                 image->decoded, image->width * quic_pixel_size(codec->type)) != 0;
}

static BenchReference quic_reference(void *library)
{
    BenchReference none = {NULL, NULL}, both = {quic_encode_theirs, quic_decode_theirs};

    return find(library, "reference_quic_encode", &reference_quic_encode) &&
                   find(library, "reference_quic_decode", &reference_quic_decode)
               ? both
               : none;
}

/* --- LZ4 and JPEG: libraries that the reference uses, too --- */

static bool lz4_encode(const BenchCodec *codec, BenchImage *image)
{
    static SpiceLz4 *lz4;

    if (!lz4)
        lz4 = spice_lz4_new(&spice_allocator_libc);
    image->coded_size =
        spice_lz4_encode(lz4, (uint8_t)codec->type, (uint32_t)image->width, (uint32_t)image->height,
                         image->pixels, 4 * image->width, image->coded, image->capacity);
    return image->coded_size != 0;
}

static bool lz4_decode(const BenchCodec *codec, BenchImage *image)
{
    static SpiceLz4 *lz4;
    uint8_t format;

    if (!lz4)
        lz4 = spice_lz4_new(&spice_allocator_libc);
    return spice_lz4_decode(lz4, image->coded, image->coded_size, (uint32_t)image->width,
                            (uint32_t)image->height, image->decoded, 4 * image->width, &format,
                            NULL);
}

static SpiceJpeg *jpeg_coder(void)
{
    static SpiceJpeg *jpeg;

    if (!jpeg)
        jpeg = spice_jpeg_new(&spice_allocator_libc, cpu());
    return jpeg;
}

static bool jpeg_encode(const BenchCodec *codec, BenchImage *image)
{
    SpiceJpegSource source = {(uint8_t)codec->type, (uint32_t)image->width, (uint32_t)image->height,
                              image->pixels, 4 * image->width};

    image->coded_size = spice_jpeg_encode(jpeg_coder(), &source, 85, image->coded, image->capacity);
    return image->coded_size != 0;
}

static bool jpeg_decode(const BenchCodec *codec, BenchImage *image)
{
    return spice_jpeg_decode(jpeg_coder(), image->coded, image->coded_size, (uint32_t)image->width,
                             (uint32_t)image->height, image->decoded, 4 * image->width, NULL);
}

/* --- GLZ: a sequence of screens, each the one before scrolled by a line of text --- */

enum { GLZ_WINDOW = 1 << 23, SCROLLED = 18 };

static ReferenceGlzEncode reference_glz_encode;
static ReferenceGlzDecode reference_glz_decode;

static size_t frame_size(const BenchImage *image)
{
    return 4 * (size_t)image->width * (size_t)image->height;
}

static void scroll(const BenchCodec *codec, BenchImage *image)
{
    const size_t size = frame_size(image), moved = 4 * (size_t)image->width * SCROLLED;

    image->frames = BENCH_FRAMES;
    for (int f = 1; f < image->frames; f++) {
        const uint8_t *from = image->pixels + (size_t)(f - 1) * size;
        uint8_t *to = image->pixels + (size_t)f * size;

        memcpy(to, from + moved, size - moved);
        memcpy(to + size - moved, from + 2 * moved, moved);
    }
}

static void keep_memory(void *context)
{
}

static bool glz_encode(const BenchCodec *codec, BenchImage *image)
{
    static const SpiceGlzLoan loan = {keep_memory, NULL};
    SpiceGlzDictionary *dictionary = spice_glz_dictionary_new(&spice_allocator_libc, GLZ_WINDOW, 0);
    bool good = dictionary != NULL;

    image->coded_size = 0;
    for (int f = 0; good && f < image->frames; f++) {
        SpiceLzSource source = {(uint8_t)codec->type, (uint32_t)image->width,
                                (uint32_t)image->height,
                                image->pixels + (size_t)f * frame_size(image), 4 * image->width};

        /* lent, as the reference keeps only pointers */
        image->sizes[f] =
            spice_glz_encode(dictionary, &source, &loan, image->coded + image->coded_size,
                             image->capacity - image->coded_size);
        image->coded_size += image->sizes[f];
        good = image->sizes[f] != 0;
    }
    spice_glz_dictionary_free(dictionary);
    return good;
}

static bool glz_decode(const BenchCodec *codec, BenchImage *image)
{
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, 2 * GLZ_WINDOW, 100);
    SpiceGlzDecoder *decoder = spice_glz_decoder_new(window);
    const uint8_t *data = image->coded;
    bool good = true;

    for (int f = 0; good && f < image->frames; data += image->sizes[f], f++) {
        SpiceGlzHeader header;
        SpiceGlzImage decoded;
        uint64_t missing;

        good = spice_glz_read_header(&header, data, image->sizes[f], GLZ_WINDOW, NULL) &&
               spice_glz_decoder_start(decoder, &header, data, image->sizes[f], NULL) &&
               spice_glz_decoder_run(decoder, &decoded, &missing, NULL) == SPICE_GLZ_DONE;
    }
    spice_glz_decoder_free(decoder);
    spice_glz_window_free(window);
    return good;
}

static bool glz_encode_theirs(const BenchCodec *codec, BenchImage *image)
{
    const uint8_t *pixels[BENCH_FRAMES];

    for (int f = 0; f < image->frames; f++)
        pixels[f] = image->pixels + (size_t)f * frame_size(image);
    if (!reference_glz_encode(codec->type, image->width, image->height, 4 * image->width, pixels,
                              image->frames, GLZ_WINDOW, image->reference_coded, image->capacity,
                              image->reference_sizes))
        return false;
    image->reference_coded_size = 0;
    for (int f = 0; f < image->frames; f++)
        image->reference_coded_size += image->reference_sizes[f];
    return true;
}

static bool glz_decode_theirs(const BenchCodec *codec, BenchImage *image)
{
    const uint8_t *data[BENCH_FRAMES], *at = image->reference_coded;

    for (int f = 0; f < image->frames; at += image->reference_sizes[f], f++)
        data[f] = at;
    return reference_glz_decode(data, image->frames) != 0;
}

static BenchReference glz_reference(void *library)
{
    BenchReference none = {NULL, NULL}, both = {glz_encode_theirs, glz_decode_theirs};

    return find(library, "reference_glz_encode", &reference_glz_encode) &&
                   find(library, "reference_glz_decode", &reference_glz_decode)
               ? both
               : none;
}

const BenchCodec bench_codecs[] = {
    {"lz-rgb32", SPICE_LZ_RGB32, no_change, lz_encode, lz_decode, lz_reference},
    {"lz-rgb16", SPICE_LZ_RGB16, to_555, lz_encode, lz_decode, lz_reference},
    {"lz-rgba", SPICE_LZ_RGBA, add_alpha, lz_encode, lz_decode, lz_reference},
    {"quic-rgb32", SPICE_QUIC_RGB32, no_change, quic_encode, quic_decode, quic_reference},
    {"quic-rgb16", SPICE_QUIC_RGB16, to_555, quic_encode, quic_decode, quic_reference},
    {"quic-rgba", SPICE_QUIC_RGBA, add_alpha, quic_encode, quic_decode, quic_reference},
    {"glz-rgb32", SPICE_LZ_RGB32, scroll, glz_encode, glz_decode, glz_reference},
    {"lz4-rgb32", SPICE_LZ4_32BIT, no_change, lz4_encode, lz4_decode, NULL},
    {"jpeg-rgb32", SPICE_LZ4_32BIT, no_change, jpeg_encode, jpeg_decode, NULL},
    {0},
};
