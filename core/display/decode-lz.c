/* LZ_RGB and LZ_PLT images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/lz.h"
#include "core/image/palette.h"

#include "image-decoders.h"

static SpiceDecodeOutcome fail(SpiceError *error, SpiceErrorCode code, const char *field)
{
    spice_error_set(error, code, field);
    return SPICE_DECODE_FAILED;
}

/** The working format of an LZ type that is no palette type. */
static pixman_format_code_t working_format(const SpiceLzHeader *header, const SpiceImage *image,
                                           const SpiceDecodeContext *context)
{
    switch (header->type) {
    case SPICE_LZ_RGB16:
        /* What is cached may be used on a surface of another depth later on. */
        return PIXMAN_FORMAT_BPP(context->surface_format) == 32 &&
                       !(image->flags &
                         (SPICE_IMAGE_FLAGS_CACHE_ME | SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME))
                   ? PIXMAN_x8r8g8b8
                   : PIXMAN_x1r5g5b5;
    case SPICE_LZ_RGB24:
    case SPICE_LZ_RGB32:
        return PIXMAN_x8r8g8b8;
    case SPICE_LZ_RGBA:
        return PIXMAN_a8r8g8b8;
    case SPICE_LZ_A8:
        return PIXMAN_a8;
    default:
        return 0;
    }
}

static SpiceLzTarget target_of(pixman_format_code_t format)
{
    return format == PIXMAN_x1r5g5b5 ? SPICE_LZ_TO_555
           : format == PIXMAN_a8     ? SPICE_LZ_TO_PLANE
                                     : SPICE_LZ_TO_32;
}

/** The header, if it is that of this image. */
static bool read_header(SpiceLzHeader *header, const SpiceImage *image, SpiceError *error)
{
    if (!spice_lz_read_header(header, image->data.data, image->data.size, SPICE_MAX_PIXELS, error))
        return false;
    if (header->width != image->width || header->height != image->height)
        return spice_error_set(error, SPICE_ERROR_CORRUPT, "lz.width");
    return true;
}

SpiceDecodeOutcome spice_decode_lz_rgb(const SpiceImage *image, const SpiceDecodeContext *context,
                                       SpicePicture **picture, SpiceError *error)
{
    pixman_format_code_t format;
    SpiceLzHeader header;

    if (!read_header(&header, image, error))
        return SPICE_DECODE_FAILED;
    format = working_format(&header, image, context);
    if (!format)
        return fail(error, SPICE_ERROR_VALUE, "lz.type");
    *picture = spice_picture_create(context->allocator, format, header.width, header.height, error);
    if (!*picture)
        return SPICE_DECODE_FAILED;
    /* It decodes fastest into memory that runs as the stream does. */
    if (!header.top_down)
        spice_picture_flip(*picture);
    if (spice_lz_decode(&header, image->data.data, image->data.size, target_of(format),
                        (*picture)->pixels.data, (*picture)->pixels.stride, context->cpu, error))
        return SPICE_DECODED;
    spice_picture_unref(*picture);
    *picture = NULL;
    return SPICE_DECODE_FAILED;
}

/** The palette's entries, which are raw pixels of the surface, as 32-bit pixels. */
static unsigned wide_entries(uint32_t entries[256], const SpiceDecodeContext *context)
{
    const SpicePalette *palette = context->palette;
    const unsigned n = palette->n_entries < 256 ? palette->n_entries : 256;

    for (unsigned i = 0; i < n; i++) {
        const uint32_t entry = palette->entries[i];
        const uint32_t red = entry >> 10 & 31, green = entry >> 5 & 31, blue = entry & 31;

        entries[i] = context->surface_format != PIXMAN_x1r5g5b5
                         ? entry
                         : (red << 3 | red >> 2) << 16 | (green << 3 | green >> 2) << 8 |
                               (blue << 3 | blue >> 2);
    }
    return n;
}

SpiceDecodeOutcome spice_decode_lz_plt(const SpiceImage *image, const SpiceDecodeContext *context,
                                       SpicePicture **picture, SpiceError *error)
{
    uint32_t entries[256];
    SpiceLzHeader header;
    uint8_t *indices;
    unsigned n;

    if (!read_header(&header, image, error))
        return SPICE_DECODE_FAILED;
    if (!spice_lz_is_palette(header.type))
        return fail(error, SPICE_ERROR_VALUE, "lz.type");
    if (!context->palette)
        return fail(error, SPICE_ERROR_STATE, "image.palette");
    indices = spice_arena_take(context->scratch, header.height, header.stride);
    if (!indices)
        return fail(error, SPICE_ERROR_MEMORY, "lz.stride");
    if (!spice_lz_decode(&header, image->data.data, image->data.size, SPICE_LZ_TO_INDICES, indices,
                         header.stride, context->cpu, error))
        return SPICE_DECODE_FAILED;
    *picture = spice_picture_create(context->allocator, PIXMAN_x8r8g8b8, header.width,
                                    header.height, error);
    if (!*picture)
        return SPICE_DECODE_FAILED;
    n = wide_entries(entries, context);
    /* The numbers of the LZ palette types are those of the index formats. */
    spice_palette_expand((SpiceIndexFormat)header.type, entries, n, header.width, header.height,
                         indices, header.stride, (*picture)->pixels.data,
                         (*picture)->pixels.stride);
    return SPICE_DECODED;
}
