/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jpeg.h"

#include <turbojpeg.h>

#include "lz.h"
#include "rows.h"

enum { TOP_DOWN = 1 /* SPICE_JPEG_ALPHA_FLAGS_TOP_DOWN */, MAX_DIMENSION = 65500 };

struct SpiceJpeg {
    const SpiceAllocator *allocator;
    SpiceCpuFlags cpu;
    tjhandle decoder, encoder; /* made on first use */
    SpiceLzEncoder *alpha;     /* so is this */
    uint8_t *scratch;
    size_t scratch_size;
};

SpiceJpeg *spice_jpeg_new(const SpiceAllocator *allocator, SpiceCpuFlags cpu)
{
    SpiceJpeg *jpeg = allocator->alloc(allocator->context, sizeof *jpeg);

    if (!jpeg)
        return NULL;
    *jpeg = (SpiceJpeg){.allocator = allocator, .cpu = cpu};
    return jpeg;
}

void spice_jpeg_free(SpiceJpeg *jpeg)
{
    const SpiceAllocator *allocator;

    if (!jpeg)
        return;
    allocator = jpeg->allocator;
    if (jpeg->decoder)
        tjDestroy(jpeg->decoder);
    if (jpeg->encoder)
        tjDestroy(jpeg->encoder);
    spice_lz_encoder_free(jpeg->alpha);
    if (jpeg->scratch)
        allocator->release(allocator->context, jpeg->scratch);
    allocator->release(allocator->context, jpeg);
}

static uint8_t *scratch(SpiceJpeg *jpeg, size_t size)
{
    const SpiceAllocator *allocator = jpeg->allocator;

    if (jpeg->scratch_size < size) {
        if (jpeg->scratch)
            allocator->release(allocator->context, jpeg->scratch);
        jpeg->scratch = allocator->alloc(allocator->context, size);
        jpeg->scratch_size = jpeg->scratch ? size : 0;
    }
    return jpeg->scratch;
}

/* Rows as TurboJPEG wants them: a positive pitch, and a flag if the first is the bottom one. */
static const uint8_t *lowest_row(const uint8_t *top, ptrdiff_t stride, uint32_t height, int *pitch,
                                 int *flags)
{
    if (stride >= 0) {
        *pitch = (int)stride;
        return top;
    }
    *pitch = (int)-stride;
    *flags |= TJFLAG_BOTTOMUP;
    return top + (ptrdiff_t)(height - 1) * stride;
}

/* After an error TurboJPEG may be left in the middle of a file, and would go on there. */
static bool start_afresh(tjhandle *handle)
{
    tjDestroy(*handle);
    *handle = NULL;
    return false;
}

/* Whether the file is sequential, as servers send it. A progressive one can have hundreds of passes over
 * a picture cost a few bytes each; a sequential one pays each block with its own bits. */
static bool is_sequential(const uint8_t *data, size_t size)
{
    size_t at = 2; /* after SOI */

    while (size >= 4 && at <= size - 4) {
        const uint8_t marker = data[at + 1];

        if (data[at] != 0xff)
            return false;
        if (marker == 0xff) { /* fill */
            at++;
            continue;
        }
        if (marker == 0xc0 || marker == 0xc1)
            return true;
        if (marker >= 0xc2 && marker <= 0xcf && marker != 0xc4)
            return false;
        if (marker < 0xc4 || (marker >= 0xd0 && marker <= 0xda))
            return false;
        at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
    }
    return false;
}

bool spice_jpeg_decode(SpiceJpeg *jpeg, const uint8_t *data, size_t size, uint32_t width,
                       uint32_t height, uint8_t *top, ptrdiff_t stride, SpiceError *error)
{
    int file_width, file_height, subsampling, colours, pitch;
    int flags = TJFLAG_STOPONWARNING;
    uint8_t *first;

    if (!jpeg->decoder)
        jpeg->decoder = tjInitDecompress();
    if (!jpeg->decoder)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "jpeg decoder");
    if (width == 0 || height == 0 || width > MAX_DIMENSION || height > MAX_DIMENSION ||
        stride > INT32_MAX || stride < -INT32_MAX)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "jpeg size");
    /* the interface's pointers are const in later versions only */
    if (size == 0 || tjDecompressHeader3(jpeg->decoder, (unsigned char *)(uintptr_t)data, size,
                                         &file_width, &file_height, &subsampling, &colours) != 0) {
        spice_error_set(error, SPICE_ERROR_CORRUPT, "jpeg header");
        return start_afresh(&jpeg->decoder);
    }
    if (!is_sequential(data, size))
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "jpeg process");
    if (file_width != (int)width || file_height != (int)height)
        return spice_error_set(error, SPICE_ERROR_VALUE, "jpeg size");
    if (colours != TJCS_YCbCr && colours != TJCS_GRAY && colours != TJCS_RGB)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "jpeg colours");
    first = (uint8_t *)(uintptr_t)lowest_row(top, stride, height, &pitch, &flags);
    if (tjDecompress2(jpeg->decoder, (unsigned char *)(uintptr_t)data, size, first, (int)width,
                      pitch, (int)height, TJPF_BGRX, flags) != 0) {
        spice_error_set(error, SPICE_ERROR_CORRUPT, "jpeg data");
        return start_afresh(&jpeg->decoder);
    }
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = top + (ptrdiff_t)y * stride;

        spice_row_clear_alpha(row, row, width);
    }
    return true;
}

bool spice_jpeg_alpha_decode(SpiceJpeg *jpeg, uint8_t flags, uint32_t jpeg_size,
                             const uint8_t *data, size_t size, uint32_t width, uint32_t height,
                             uint8_t *top, ptrdiff_t stride, SpiceError *error)
{
    SpiceLzHeader header;

    if (jpeg_size >= size)
        return spice_error_set(error, SPICE_ERROR_VALUE, "jpeg_size");
    if (!spice_lz_read_header(&header, data + jpeg_size, size - jpeg_size, (uint64_t)width * height,
                              error))
        return false;
    if (header.type != SPICE_LZ_XXXA)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz type");
    if (header.width != width || header.height != height)
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz size");
    if (header.top_down != ((flags & TOP_DOWN) != 0))
        return spice_error_set(error, SPICE_ERROR_VALUE, "lz top_down");
    return spice_jpeg_decode(jpeg, data, jpeg_size, width, height, top, stride, error) &&
           spice_lz_decode(&header, data + jpeg_size, size - jpeg_size, SPICE_LZ_TO_ALPHA, top,
                           stride, jpeg->cpu, error);
}

size_t spice_jpeg_encode(SpiceJpeg *jpeg, const SpiceJpegSource *source, int quality, uint8_t *out,
                         size_t capacity)
{
    const uint32_t width = source->width, height = source->height;
    const uint8_t type = spice_lz_type_of_format(source->format);
    size_t most, widened = 0;
    unsigned long size = 0;
    const uint8_t *first;
    uint8_t *memory;
    int pitch, flags = TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC;

    if (type < SPICE_LZ_RGB16 || type > SPICE_LZ_RGBA || width == 0 || height == 0 ||
        width > MAX_DIMENSION || height > MAX_DIMENSION || quality < 1 || quality > 100 ||
        source->stride > INT32_MAX || source->stride < -INT32_MAX)
        return 0;
    if (!jpeg->encoder)
        jpeg->encoder = tjInitCompress();
    if (!jpeg->encoder)
        return 0;
    /* TurboJPEG knows no smaller buffer than for the worst case */
    most = tjBufSize((int)width, (int)height, TJSAMP_420);
    if (most == (size_t)-1)
        return 0;
    if (type == SPICE_LZ_RGB16)
        widened = 4 * (size_t)width * height;
    memory = scratch(jpeg, most + widened);
    if (!memory)
        return 0;
    if (widened) {
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *row = memory + most + 4 * (size_t)width * y;

            spice_row_unpack_555(row, source->top + (ptrdiff_t)y * source->stride, width);
            spice_row_widen(row, row, width);
        }
        first = memory + most;
        pitch = (int)width * 4;
    } else {
        first = lowest_row(source->top, source->stride, height, &pitch, &flags);
    }
    if (tjCompress2(jpeg->encoder, (unsigned char *)(uintptr_t)first, (int)width, pitch,
                    (int)height, type == SPICE_LZ_RGB24 ? TJPF_BGR : TJPF_BGRX, &memory, &size,
                    TJSAMP_420, quality, flags) != 0) {
        start_afresh(&jpeg->encoder);
        return 0;
    }
    if (size > capacity)
        return 0;
    memcpy(out, memory, size);
    return size;
}

size_t spice_jpeg_alpha_encode(SpiceJpeg *jpeg, const SpiceJpegSource *source, int quality,
                               uint8_t *out, size_t capacity, uint32_t *jpeg_size, uint8_t *flags)
{
    SpiceLzSource plane = {SPICE_LZ_XXXA, source->width, source->height, source->top,
                           source->stride};
    size_t colours, alpha;

    if (spice_lz_type_of_format(source->format) != SPICE_LZ_RGBA)
        return 0;
    if (!jpeg->alpha)
        jpeg->alpha = spice_lz_encoder_new(jpeg->allocator, jpeg->cpu);
    if (!jpeg->alpha)
        return 0;
    colours = spice_jpeg_encode(jpeg, source, quality, out, capacity);
    if (colours == 0)
        return 0;
    alpha = spice_lz_encode(jpeg->alpha, &plane, out + colours, capacity - colours);
    if (alpha == 0)
        return 0;
    *jpeg_size = (uint32_t)colours;
    *flags = source->stride >= 0 ? TOP_DOWN : 0;
    return colours + alpha;
}
