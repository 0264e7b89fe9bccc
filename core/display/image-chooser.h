/* Which codec a picture is sent with: by what it shows and by how fast the link to the client is.
 * Pure functions. docs/image-choice.md tells how the numbers came about.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a picture shows, as far as codecs care. */
typedef enum {
    SPICE_CONTENT_FLAT,     /* hardly anything but areas of one colour */
    SPICE_CONTENT_TEXT,     /* hard edges on flat ground, rows of one colour; or noise */
    SPICE_CONTENT_GRADIENT, /* shades: where neighbours differ they do by little */
    SPICE_CONTENT_PHOTO,    /* neighbours differ nearly everywhere, more or less */
    SPICE_CONTENT_N_KINDS,
} SpiceImageContent;

/** Rows of pixels. */
typedef struct {
    uint8_t format; /* SPICE_BITMAP_FMT_* */
    uint32_t width, height;
    const uint8_t *top;
    ptrdiff_t stride; /* to the row below */
} SpiceImageRows;

/** Looks at some pixels of a 16BIT, 24BIT, 32BIT or RGBA picture: at most 3072, whatever its size.
 * TEXT for other formats and for pictures too small to tell. */
SpiceImageContent spice_image_content(const SpiceImageRows *rows);

typedef enum {
    SPICE_IMAGE_CODEC_RAW,
    SPICE_IMAGE_CODEC_LZ,
    SPICE_IMAGE_CODEC_GLZ,
    SPICE_IMAGE_CODEC_ZLIB_GLZ,
    SPICE_IMAGE_CODEC_QUIC,
    SPICE_IMAGE_CODEC_LZ4,
    SPICE_IMAGE_CODEC_JPEG, /* with LZ for the alpha, if there is */
    SPICE_IMAGE_N_CODECS,
} SpiceImageCodec;

/** How images are sent. All but the first as QEMU's users know them. */
typedef enum {
    SPICE_IMAGE_MODE_ADAPTIVE, /* by content and link */
    SPICE_IMAGE_MODE_OFF,
    SPICE_IMAGE_MODE_AUTO_GLZ,
    SPICE_IMAGE_MODE_AUTO_LZ,
    SPICE_IMAGE_MODE_QUIC,
    SPICE_IMAGE_MODE_GLZ,
    SPICE_IMAGE_MODE_LZ,
    SPICE_IMAGE_MODE_LZ4,
    SPICE_IMAGE_N_MODES,
} SpiceImageMode;

/** Whether what is meant for slow links is used: JPEG (lossy), and zlib around GLZ. */
typedef enum {
    SPICE_WAN_AUTO, /* if the link is slow */
    SPICE_WAN_NEVER,
    SPICE_WAN_ALWAYS,
} SpiceWanCompression;

/** What the choice depends on beside the picture. */
typedef struct {
    SpiceImageMode mode;
    SpiceWanCompression jpeg, zlib_glz;
    uint64_t bits_per_second; /* of the link; 0: not known */
    bool has_lz4;             /* the client takes it */
    bool has_glz;             /* there is a dictionary, larger than the picture */
    bool may_lose;            /* the picture may be lossy */
} SpiceImageCircumstances;

/** Whether the link counts as slow: under 10 Mbit/s, as the field has it. */
bool spice_image_link_is_slow(uint64_t bits_per_second);

/** The codec for a picture. It takes pictures of its format; whether the result is smaller than the
 * pixels is another matter. */
SpiceImageCodec spice_image_choose(const SpiceImageRows *rows,
                                   const SpiceImageCircumstances *circumstances);
