/* The reference's codecs behind the functions of reference-adapter.h. Compiled only by
 * tests/bench/reference.sh, against sources that it fetched; no part of the project's build.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <common/lz.h>
#include <common/quic.h>

#include "glz-encoder.h"

#define EXPORT __attribute__((visibility("default")))

static jmp_buf failed;

/* --- LZ --- */

static void lz_error(LzUsrContext *usr, const char *format, ...)
{
    longjmp(failed, 1);
}

static void lz_note(LzUsrContext *usr, const char *format, ...)
{
}

static void *lz_malloc(LzUsrContext *usr, int size)
{
    return malloc(size);
}

static void lz_free(LzUsrContext *usr, void *memory)
{
    free(memory);
}

static int lz_no_more(LzUsrContext *usr, uint8_t **memory)
{
    return 0;
}

static LzContext *lz_context(void)
{
    static LzUsrContext usr = {lz_error, lz_note,    lz_note,   lz_malloc,
                               lz_free,  lz_no_more, lz_no_more};
    static LzContext *lz;

    if (!lz)
        lz = lz_create(&usr);
    return lz;
}

EXPORT size_t reference_lz_encode(int type, int width, int height, int stride,
                                  const uint8_t *pixels, uint8_t *out, size_t capacity)
{
    if (setjmp(failed))
        return 0;
    return lz_encode(lz_context(), type, width, height, 1, (uint8_t *)pixels, height, stride, out,
                     capacity);
}

EXPORT int reference_lz_decode(const uint8_t *data, size_t size, uint8_t *pixels)
{
    LzImageType type;
    int width, height, n_pixels, top_down;

    if (setjmp(failed))
        return 0;
    lz_decode_begin(lz_context(), (uint8_t *)data, size, &type, &width, &height, &n_pixels,
                    &top_down, NULL);
    lz_decode(lz_context(),
              type == LZ_IMAGE_TYPE_RGB16 || type == LZ_IMAGE_TYPE_RGBA ? type
                                                                        : LZ_IMAGE_TYPE_RGB32,
              pixels);
    return 1;
}

/* --- QUIC --- */

static void quic_error(QuicUsrContext *usr, const char *format, ...)
{
    longjmp(failed, 1);
}

static void quic_note(QuicUsrContext *usr, const char *format, ...)
{
}

static void *quic_malloc(QuicUsrContext *usr, int size)
{
    return malloc(size);
}

static void quic_free(QuicUsrContext *usr, void *memory)
{
    free(memory);
}

static int quic_no_space(QuicUsrContext *usr, uint32_t **memory, int rows)
{
    return 0;
}

static int quic_no_lines(QuicUsrContext *usr, uint8_t **lines)
{
    return 0;
}

static QuicContext *quic_context(void)
{
    static QuicUsrContext usr = {quic_error, quic_note,     quic_note,    quic_malloc,
                                 quic_free,  quic_no_space, quic_no_lines};
    static QuicContext *quic;

    if (!quic)
        quic = quic_create(&usr);
    return quic;
}

EXPORT size_t reference_quic_encode(int type, int width, int height, int stride,
                                    const uint8_t *pixels, uint8_t *out, size_t capacity)
{
    int words;

    if (setjmp(failed))
        return 0;
    words = quic_encode(quic_context(), type, width, height, (uint8_t *)pixels, height, stride,
                        (uint32_t *)out, capacity / 4);
    return words > 0 ? (size_t)words * 4 : 0;
}

EXPORT int reference_quic_decode(const uint8_t *data, size_t size, uint8_t *pixels, int stride)
{
    QuicImageType type;
    int width, height;

    if (setjmp(failed))
        return 0;
    if (quic_decode_begin(quic_context(), (uint32_t *)data, size / 4, &type, &width, &height) !=
        QUIC_OK)
        return 0;
    if (type == QUIC_IMAGE_TYPE_RGB24)
        type = QUIC_IMAGE_TYPE_RGB32;
    return quic_decode(quic_context(), type, pixels, stride) == QUIC_OK;
}

/* --- GLZ, the server's side --- */

static void glz_error(GlzEncoderUsrContext *usr, const char *format, ...)
{
    longjmp(failed, 1);
}

static void glz_note(GlzEncoderUsrContext *usr, const char *format, ...)
{
}

static void *glz_malloc(GlzEncoderUsrContext *usr, int size)
{
    return malloc(size);
}

static void glz_free(GlzEncoderUsrContext *usr, void *memory)
{
    free(memory);
}

static int glz_no_more(GlzEncoderUsrContext *usr, uint8_t **memory)
{
    return 0;
}

static void glz_free_image(GlzEncoderUsrContext *usr, GlzUsrImageContext *image)
{
}

EXPORT int reference_glz_encode(int type, int width, int height, int stride,
                                const uint8_t *const *pixels, int count, unsigned window,
                                uint8_t *out, size_t capacity, size_t *sizes)
{
    static GlzEncoderUsrContext usr = {glz_error, glz_note,    glz_note,    glz_malloc,
                                       glz_free,  glz_no_more, glz_no_more, glz_free_image};
    GlzEncDictContext *dictionary;
    GlzEncoderContext *encoder;

    if (setjmp(failed))
        return 0;
    dictionary = glz_enc_dictionary_create(window, 1, &usr);
    encoder = glz_encoder_create(0, dictionary, &usr);
    for (int i = 0; i < count; i++) {
        GlzEncDictImageContext *image;

        sizes[i] = glz_encode(encoder, type, width, height, 1, (uint8_t *)pixels[i], height, stride,
                              out, capacity, NULL, &image);
        out += sizes[i];
        capacity -= sizes[i];
    }
    glz_encoder_destroy(encoder);
    glz_enc_dictionary_destroy(dictionary, &usr);
    return 1;
}
