/* From a bitmap to an image as it goes on the wire.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/image/bitmap.h"

#include "sender-state.h"

enum {
    /* What is no larger is not worth a header, nor a look. */
    MIN_BYTES = 54,
    ZLIB_LEVEL = 3,
    ZLIB_MIN_BYTES = 100,
};

SpiceImageRows spice_bitmap_rows(const SpiceImage *bitmap)
{
    const bool top_down = bitmap->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN;
    const ptrdiff_t stride = (ptrdiff_t)bitmap->stride;

    return (SpiceImageRows){
        .format = bitmap->bitmap_format,
        .width = bitmap->bitmap_width,
        .height = bitmap->bitmap_height,
        .top = bitmap->data.data + (top_down ? 0 : stride * (ptrdiff_t)(bitmap->bitmap_height - 1)),
        .stride = top_down ? stride : -stride,
    };
}

static size_t row_bytes(const SpiceImageRows *rows)
{
    return ((size_t)rows->width * spice_bitmap_bits(rows->format) + 7) / 8;
}

uint64_t spice_rows_bytes(const SpiceImageRows *rows)
{
    return (uint64_t)row_bytes(rows) * rows->height;
}

static uint8_t *take(const SpiceEncodeContext *context, size_t size)
{
    return context->images->allocator->alloc(context->images->allocator->context, size);
}

static void release(const SpiceEncodeContext *context, SpiceEncodedImage *encoded)
{
    if (encoded->memory)
        context->images->allocator->release(context->images->allocator->context, encoded->memory);
    encoded->memory = NULL;
}

/* --- as it is --- */

static void be_bitmap(SpiceEncodedImage *encoded, const SpiceImage *bitmap)
{
    SpiceImage *image = &encoded->image;

    image->type = SPICE_IMAGE_TYPE_BITMAP;
    image->bitmap_format = bitmap->bitmap_format;
    image->bitmap_flags = (uint8_t)((image->bitmap_flags & ~SPICE_BITMAP_FLAGS_TOP_DOWN) |
                                    (bitmap->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN));
    image->bitmap_width = bitmap->bitmap_width;
    image->bitmap_height = bitmap->bitmap_height;
    image->stride = bitmap->stride;
    image->data = (SpiceBytes){bitmap->data.data, (size_t)bitmap->stride * bitmap->bitmap_height};
    encoded->codec = SPICE_IMAGE_CODEC_RAW;
}

/** Copies the rows to where there is room for them, top-down. */
static void pack(SpiceEncodedImage *encoded, const SpiceImageRows *rows, size_t stride)
{
    const size_t row = row_bytes(rows);

    for (uint32_t y = 0; y < rows->height; y++) {
        uint8_t *to = encoded->memory + y * stride;

        memcpy(to, rows->top + rows->stride * (ptrdiff_t)y, row);
        memset(to + row, 0, stride - row);
    }
    encoded->image.stride = (uint32_t)stride;
    encoded->image.bitmap_flags |= SPICE_BITMAP_FLAGS_TOP_DOWN;
    encoded->image.data = (SpiceBytes){encoded->memory, stride * rows->height};
}

static size_t aligned_row(const SpiceImageRows *rows)
{
    return (row_bytes(rows) + 3) / 4 * 4;
}

/** The bitmap as the message will have it; without most of what lies between its rows. */
static bool encode_raw(const SpiceEncodeContext *context, const SpiceImage *bitmap,
                       SpiceEncodedImage *encoded, SpiceError *error)
{
    const SpiceImageRows rows = spice_bitmap_rows(bitmap);
    const size_t stride = aligned_row(&rows);

    be_bitmap(encoded, bitmap);
    if (bitmap->stride <= stride)
        return true;
    release(context, encoded);
    encoded->memory = take(context, stride * rows.height);
    if (!encoded->memory)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "image.data");
    pack(encoded, &rows, stride);
    return true;
}

/* --- codecs: each returns the bytes written, 0 if there is nothing --- */

static SpiceLzSource lz_source(const SpiceImageRows *rows)
{
    return (SpiceLzSource){spice_lz_type_of_format(rows->format), rows->width, rows->height,
                           rows->top, rows->stride};
}

static size_t encode_lz(const SpiceEncodeContext *context, const SpiceImageRows *rows,
                        SpiceImage *image, uint8_t *out, size_t capacity)
{
    SpiceClientImages *images = context->images;
    const SpiceLzSource source = lz_source(rows);

    if (!images->lz)
        images->lz = spice_lz_encoder_new(images->allocator, images->cpu);
    if (!images->lz || source.type == 0)
        return 0;
    if (spice_lz_is_palette(source.type)) {
        image->type = SPICE_IMAGE_TYPE_LZ_PLT;
        if (rows->stride > 0)
            image->bitmap_flags |= SPICE_BITMAP_FLAGS_TOP_DOWN;
    } else {
        image->type = SPICE_IMAGE_TYPE_LZ_RGB;
    }
    return spice_lz_encode(images->lz, &source, out, capacity);
}

static size_t encode_quic(const SpiceEncodeContext *context, const SpiceImageRows *rows,
                          SpiceImage *image, uint8_t *out, size_t capacity)
{
    SpiceClientImages *images = context->images;
    const SpiceQuicSource source = {spice_quic_type_of_format(rows->format), rows->width,
                                    rows->height, rows->top, rows->stride};

    if (!images->quic)
        images->quic = spice_quic_encoder_new(images->allocator, images->cpu);
    if (!images->quic || source.type == 0)
        return 0;
    image->type = SPICE_IMAGE_TYPE_QUIC;
    return spice_quic_encode(images->quic, &source, out, capacity);
}

static size_t encode_lz4(const SpiceEncodeContext *context, const SpiceImageRows *rows,
                         SpiceImage *image, uint8_t *out, size_t capacity)
{
    SpiceClientImages *images = context->images;

    if (!images->lz4)
        images->lz4 = spice_lz4_new(images->allocator);
    if (!images->lz4)
        return 0;
    image->type = SPICE_IMAGE_TYPE_LZ4;
    return spice_lz4_encode(images->lz4, rows->format, rows->width, rows->height, rows->top,
                            rows->stride, out, capacity);
}

static size_t encode_jpeg(const SpiceEncodeContext *context, const SpiceImageRows *rows,
                          SpiceImage *image, uint8_t *out, size_t capacity)
{
    SpiceClientImages *images = context->images;
    const SpiceJpegSource source = {rows->format, rows->width, rows->height, rows->top,
                                    rows->stride};

    if (!images->jpeg)
        images->jpeg = spice_jpeg_new(images->allocator, images->cpu);
    if (!images->jpeg)
        return 0;
    if (rows->format == SPICE_BITMAP_FMT_RGBA) {
        image->type = SPICE_IMAGE_TYPE_JPEG_ALPHA;
        return spice_jpeg_alpha_encode(images->jpeg, &source, context->jpeg_quality, out, capacity,
                                       &image->jpeg_size, &image->bitmap_flags);
    }
    image->type = SPICE_IMAGE_TYPE_JPEG;
    return spice_jpeg_encode(images->jpeg, &source, context->jpeg_quality, out, capacity);
}

typedef size_t (*Encode)(const SpiceEncodeContext *context, const SpiceImageRows *rows,
                         SpiceImage *image, uint8_t *out, size_t capacity);

static const Encode encoders[SPICE_IMAGE_N_CODECS] = {
    [SPICE_IMAGE_CODEC_LZ] = encode_lz,
    [SPICE_IMAGE_CODEC_QUIC] = encode_quic,
    [SPICE_IMAGE_CODEC_LZ4] = encode_lz4,
    [SPICE_IMAGE_CODEC_JPEG] = encode_jpeg,
};

/** Whether it was done, and is smaller than the pixels. */
static bool encode(const SpiceEncodeContext *context, const SpiceImageRows *rows,
                   SpiceImageCodec codec, SpiceEncodedImage *encoded)
{
    const size_t capacity = (size_t)spice_rows_bytes(rows);
    SpiceImage image = encoded->image;
    size_t size = 0;

    encoded->memory = take(context, capacity);
    if (encoded->memory)
        size = encoders[codec](context, rows, &image, encoded->memory, capacity);
    if (size == 0) {
        release(context, encoded);
        return false;
    }
    image.data = (SpiceBytes){encoded->memory, size};
    encoded->image = image;
    encoded->codec = codec;
    return true;
}

static bool is_glz(SpiceImageCodec codec)
{
    return codec == SPICE_IMAGE_CODEC_GLZ || codec == SPICE_IMAGE_CODEC_ZLIB_GLZ;
}

bool spice_sender_encode_image(const SpiceEncodeContext *context, const SpiceImage *bitmap,
                               const SpiceImage *target, SpiceImageCodec codec,
                               SpiceEncodedImage *encoded, SpiceError *error)
{
    const SpiceImageRows rows = spice_bitmap_rows(bitmap);
    const uint64_t bytes = spice_rows_bytes(&rows);

    *encoded = (SpiceEncodedImage){.image = *target};
    if (bytes < MIN_BYTES)
        codec = SPICE_IMAGE_CODEC_RAW;
    if (is_glz(codec) && context->dictionary) {
        /* Once more for what zlib makes of it. */
        encoded->memory =
            take(context, (size_t)bytes * (codec == SPICE_IMAGE_CODEC_ZLIB_GLZ ? 2 : 1));
        if (encoded->memory) {
            be_bitmap(encoded, bitmap);
            encoded->codec = codec;
            return true;
        }
        codec = SPICE_IMAGE_CODEC_RAW;
    }
    if (is_glz(codec))
        codec = SPICE_IMAGE_CODEC_LZ;
    if (codec != SPICE_IMAGE_CODEC_RAW && encode(context, &rows, codec, encoded))
        return true;
    return encode_raw(context, bitmap, encoded, error);
}

void spice_sender_encode_glz(SpiceEncodeContext *context, const SpiceImage *bitmap,
                             SpiceEncodedImage *encoded)
{
    const SpiceImageRows rows = spice_bitmap_rows(bitmap);
    const SpiceLzSource source = lz_source(&rows);
    const size_t capacity = (size_t)spice_rows_bytes(&rows);
    SpiceClientImages *images = context->images;
    SpiceImage *image = &encoded->image;
    uint8_t *const out = encoded->memory, *const second = out + capacity;
    const bool wants_zlib = encoded->codec == SPICE_IMAGE_CODEC_ZLIB_GLZ;
    size_t size, zlib_size = 0;

    size = spice_glz_encode(context->dictionary, &source, context->loan, out, capacity);
    context->loan_taken = size != 0 && context->loan;
    encoded->codec = SPICE_IMAGE_CODEC_GLZ;
    if (size == 0) {
        /* It took no number in the window, so it may go as the bitmap that it still is. */
        encoded->codec = SPICE_IMAGE_CODEC_RAW;
        if (bitmap->stride > aligned_row(&rows))
            pack(encoded, &rows, row_bytes(&rows));
        return;
    }
    image->type = SPICE_IMAGE_TYPE_GLZ_RGB;
    image->data = (SpiceBytes){out, size};
    if (!wants_zlib || size < ZLIB_MIN_BYTES)
        return;
    if (!images->zlib)
        images->zlib = spice_glz_zlib_new(images->allocator);
    if (images->zlib)
        zlib_size = spice_glz_deflate(images->zlib, ZLIB_LEVEL, out, size, second, size - 1);
    if (zlib_size) {
        encoded->codec = SPICE_IMAGE_CODEC_ZLIB_GLZ;
        image->type = SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB;
        image->glz_size = (uint32_t)size;
        image->data = (SpiceBytes){second, zlib_size};
    }
}
