/* The shapes that drawing messages are made of: rectangles, clips, images, brushes, masks.
 *
 * Values are as on the wire: colours 0x00RRGGBB, `fixed` 28.4 signed, rectangles with right and
 * bottom outside. Nothing here is validated beyond its layout: whether a rectangle is upright or
 * a surface exists is for those who use it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

typedef struct {
    int32_t x, y;
} SpicePoint;

typedef struct {
    int16_t x, y;
} SpicePoint16;

typedef struct {
    int32_t x, y; /* 28.4 */
} SpicePointFix;

/** In the order of the wire. */
typedef struct {
    int32_t top, left, bottom, right;
} SpiceRect;

/** 16.16 fixed point; the third row of the matrix is 0 0 1. */
typedef struct {
    int32_t t00, t01, t02, t10, t11, t12;
} SpiceTransform;

typedef enum { SPICE_CLIP_TYPE_NONE = 0, SPICE_CLIP_TYPE_RECTS = 1 } SpiceClipType;

typedef struct {
    uint8_t type; /* SpiceClipType */
    uint32_t n_rects;
    SpiceRect *rects;
} SpiceClip;

typedef struct {
    uint32_t surface_id;
    SpiceRect box;
    SpiceClip clip;
} SpiceDisplayBase;

/* No bitmap has indices beyond. */
enum { SPICE_MAX_PALETTE_ENTRIES = 256 };

typedef struct {
    uint64_t unique; /* 0: not to be cached */
    uint16_t n_entries;
    uint32_t *entries; /* raw pixels of the surface drawn to: 0x00RRGGBB, or 555 in the low half */
} SpicePalette;

typedef enum {
    SPICE_IMAGE_TYPE_BITMAP = 0,
    SPICE_IMAGE_TYPE_QUIC = 1,
    SPICE_IMAGE_TYPE_LZ_PLT = 100,
    SPICE_IMAGE_TYPE_LZ_RGB = 101,
    SPICE_IMAGE_TYPE_GLZ_RGB = 102,
    SPICE_IMAGE_TYPE_FROM_CACHE = 103,
    SPICE_IMAGE_TYPE_SURFACE = 104,
    SPICE_IMAGE_TYPE_JPEG = 105,
    SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS = 106,
    SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB = 107,
    SPICE_IMAGE_TYPE_JPEG_ALPHA = 108,
    SPICE_IMAGE_TYPE_LZ4 = 109,
} SpiceImageType;

enum {
    SPICE_IMAGE_FLAGS_CACHE_ME = 1 << 0,
    SPICE_IMAGE_FLAGS_HIGH_BITS_SET = 1 << 1,
    SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME = 1 << 2,
};

typedef enum {
    SPICE_BITMAP_FMT_1BIT_LE = 1,
    SPICE_BITMAP_FMT_1BIT_BE = 2,
    SPICE_BITMAP_FMT_4BIT_LE = 3,
    SPICE_BITMAP_FMT_4BIT_BE = 4,
    SPICE_BITMAP_FMT_8BIT = 5,
    SPICE_BITMAP_FMT_16BIT = 6,
    SPICE_BITMAP_FMT_24BIT = 7,
    SPICE_BITMAP_FMT_32BIT = 8,
    SPICE_BITMAP_FMT_RGBA = 9,
    SPICE_BITMAP_FMT_8BIT_A = 10,
} SpiceBitmapFormat;

enum {
    SPICE_BITMAP_FLAGS_PAL_CACHE_ME = 1 << 0,
    SPICE_BITMAP_FLAGS_PAL_FROM_CACHE = 1 << 1,
    SPICE_BITMAP_FLAGS_TOP_DOWN = 1 << 2,
};

/** The reference to a palette in an image: by id with PAL_FROM_CACHE, by pointer else. */
typedef struct {
    uint64_t id;           /* PAL_FROM_CACHE */
    SpicePalette *palette; /* else; NULL where the format needs none */
} SpicePaletteRef;

/** An image as it stands on the wire. `data` is what the type says: rows for BITMAP, a codec's
 * bytes for the compressed types, nothing for FROM_CACHE and SURFACE. */
typedef struct {
    uint64_t id;
    uint8_t type;  /* SpiceImageType */
    uint8_t flags; /* SPICE_IMAGE_FLAGS_* */
    uint32_t width, height;

    uint8_t bitmap_format;   /* BITMAP: SpiceBitmapFormat */
    uint8_t bitmap_flags;    /* BITMAP, LZ_PLT: SPICE_BITMAP_FLAGS_*; JPEG_ALPHA: its own flags */
    uint32_t bitmap_width;   /* BITMAP: x */
    uint32_t bitmap_height;  /* BITMAP: y */
    uint32_t stride;         /* BITMAP: bytes from row to row */
    SpicePaletteRef palette; /* BITMAP, LZ_PLT */
    uint32_t surface_id;     /* SURFACE */
    uint32_t glz_size;       /* ZLIB_GLZ_RGB: bytes after inflating */
    uint32_t jpeg_size;      /* JPEG_ALPHA: bytes of `data` that are JPEG */
    SpiceBytes data;
} SpiceImage;

typedef enum {
    SPICE_BRUSH_TYPE_NONE = 0,
    SPICE_BRUSH_TYPE_SOLID = 1,
    SPICE_BRUSH_TYPE_PATTERN = 2,
} SpiceBrushType;

typedef struct {
    uint8_t type;        /* SpiceBrushType */
    uint32_t color;      /* SOLID */
    SpiceImage *pattern; /* PATTERN */
    SpicePoint position; /* PATTERN: its origin on the surface */
} SpiceBrush;

enum { SPICE_MASK_FLAGS_INVERS = 1 << 0 };

typedef struct {
    uint8_t flags;
    SpicePoint position;
    SpiceImage *bitmap; /* NULL: no mask */
} SpiceMask;

enum { SPICE_LINE_FLAGS_START_WITH_GAP = 1 << 2, SPICE_LINE_FLAGS_STYLED = 1 << 3 };

typedef struct {
    uint8_t flags;
    uint8_t n_style;
    int32_t *style; /* 28.4 lengths: on, off, on, ... */
} SpiceLineAttr;

enum {
    SPICE_PATH_BEGIN = 1 << 0,
    SPICE_PATH_END = 1 << 1,
    SPICE_PATH_CLOSE = 1 << 3,
    SPICE_PATH_BEZIER = 1 << 4,
};

typedef struct {
    uint8_t flags; /* SPICE_PATH_* */
    uint32_t n_points;
    SpicePointFix *points;
} SpicePathSegment;

typedef struct {
    uint32_t n_segments;
    SpicePathSegment *segments;
} SpicePath;

enum {
    SPICE_STRING_FLAGS_RASTER_A1 = 1 << 0,
    SPICE_STRING_FLAGS_RASTER_A4 = 1 << 1,
    SPICE_STRING_FLAGS_RASTER_A8 = 1 << 2,
    SPICE_STRING_FLAGS_RASTER_TOP_DOWN = 1 << 3,
};

typedef struct {
    SpicePoint render_position;
    SpicePoint glyph_origin;
    uint16_t width, height;
    SpiceBytes data; /* height rows, each padded to a whole byte */
} SpiceGlyph;

typedef struct {
    uint16_t n_glyphs;
    uint8_t flags; /* SPICE_STRING_FLAGS_* */
    SpiceGlyph *glyphs;
} SpiceString;

enum {
    SPICE_ROPD_INVERS_SRC = 1 << 0,
    SPICE_ROPD_INVERS_BRUSH = 1 << 1,
    SPICE_ROPD_INVERS_DEST = 1 << 2,
    SPICE_ROPD_OP_PUT = 1 << 3,
    SPICE_ROPD_OP_OR = 1 << 4,
    SPICE_ROPD_OP_AND = 1 << 5,
    SPICE_ROPD_OP_XOR = 1 << 6,
    SPICE_ROPD_OP_BLACKNESS = 1 << 7,
    SPICE_ROPD_OP_WHITENESS = 1 << 8,
    SPICE_ROPD_OP_INVERS = 1 << 9,
    SPICE_ROPD_INVERS_RES = 1 << 10,
};

typedef enum {
    SPICE_IMAGE_SCALE_MODE_INTERPOLATE = 0,
    SPICE_IMAGE_SCALE_MODE_NEAREST = 1,
} SpiceImageScaleMode;

enum {
    SPICE_ALPHA_FLAGS_DEST_HAS_ALPHA = 1 << 0,
    SPICE_ALPHA_FLAGS_SRC_SURFACE_HAS_ALPHA = 1 << 1,
};

enum {
    SPICE_COMPOSITE_HAS_MASK = 1 << 19,
    SPICE_COMPOSITE_HAS_SRC_TRANSFORM = 1 << 20,
    SPICE_COMPOSITE_HAS_MASK_TRANSFORM = 1 << 21,
    SPICE_COMPOSITE_SOURCE_OPAQUE = 1 << 22,
    SPICE_COMPOSITE_MASK_OPAQUE = 1 << 23,
    SPICE_COMPOSITE_DEST_OPAQUE = 1 << 24,
};

/* Layouts, each of the struct that it is named for. */
void spice_layout_point(SpiceWire *wire, void *value);
void spice_layout_point16(SpiceWire *wire, void *value);
void spice_layout_rect(SpiceWire *wire, void *value);
void spice_layout_transform(SpiceWire *wire, void *value);
void spice_layout_clip(SpiceWire *wire, void *value);
void spice_layout_display_base(SpiceWire *wire, void *value);
void spice_layout_image(SpiceWire *wire, void *value);
void spice_layout_brush(SpiceWire *wire, void *value);
void spice_layout_mask(SpiceWire *wire, void *value);
void spice_layout_line_attr(SpiceWire *wire, void *value);
void spice_layout_path(SpiceWire *wire, void *value);
void spice_layout_string(SpiceWire *wire, void *value);
