/* The display channel: surfaces, drawing, streams. Numbers and layouts: protocol notes, section
 * "Display channel".
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "draw.h"

enum {
    SPICE_MSG_DISPLAY_MODE = 101,
    SPICE_MSG_DISPLAY_MARK = 102,
    SPICE_MSG_DISPLAY_RESET = 103,
    SPICE_MSG_DISPLAY_COPY_BITS = 104,
    SPICE_MSG_DISPLAY_INVAL_LIST = 105,
    SPICE_MSG_DISPLAY_INVAL_ALL_PIXMAPS = 106,
    SPICE_MSG_DISPLAY_INVAL_PALETTE = 107,
    SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES = 108,
    SPICE_MSG_DISPLAY_STREAM_CREATE = 122,
    SPICE_MSG_DISPLAY_STREAM_DATA = 123,
    SPICE_MSG_DISPLAY_STREAM_CLIP = 124,
    SPICE_MSG_DISPLAY_STREAM_DESTROY = 125,
    SPICE_MSG_DISPLAY_STREAM_DESTROY_ALL = 126,
    SPICE_MSG_DISPLAY_DRAW_FILL = 302,
    SPICE_MSG_DISPLAY_DRAW_OPAQUE = 303,
    SPICE_MSG_DISPLAY_DRAW_COPY = 304,
    SPICE_MSG_DISPLAY_DRAW_BLEND = 305,
    SPICE_MSG_DISPLAY_DRAW_BLACKNESS = 306,
    SPICE_MSG_DISPLAY_DRAW_WHITENESS = 307,
    SPICE_MSG_DISPLAY_DRAW_INVERS = 308,
    SPICE_MSG_DISPLAY_DRAW_ROP3 = 309,
    SPICE_MSG_DISPLAY_DRAW_STROKE = 310,
    SPICE_MSG_DISPLAY_DRAW_TEXT = 311,
    SPICE_MSG_DISPLAY_DRAW_TRANSPARENT = 312,
    SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND = 313,
    SPICE_MSG_DISPLAY_SURFACE_CREATE = 314,
    SPICE_MSG_DISPLAY_SURFACE_DESTROY = 315,
    SPICE_MSG_DISPLAY_STREAM_DATA_SIZED = 316,
    SPICE_MSG_DISPLAY_MONITORS_CONFIG = 317,
    SPICE_MSG_DISPLAY_DRAW_COMPOSITE = 318,
    SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT = 319,
    SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX = 320,
    SPICE_MSG_DISPLAY_GL_DRAW = 321,
};

enum {
    SPICE_MSGC_DISPLAY_INIT = 101,
    SPICE_MSGC_DISPLAY_STREAM_REPORT = 102,
    SPICE_MSGC_DISPLAY_PREFERRED_COMPRESSION = 103,
    SPICE_MSGC_DISPLAY_GL_DRAW_DONE = 104,
    SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE = 105,
};

enum {
    SPICE_DISPLAY_CAP_SIZED_STREAM = 0,
    SPICE_DISPLAY_CAP_MONITORS_CONFIG = 1,
    SPICE_DISPLAY_CAP_COMPOSITE = 2,
    SPICE_DISPLAY_CAP_A8_SURFACE = 3,
    SPICE_DISPLAY_CAP_STREAM_REPORT = 4,
    SPICE_DISPLAY_CAP_LZ4_COMPRESSION = 5,
    SPICE_DISPLAY_CAP_PREF_COMPRESSION = 6,
    SPICE_DISPLAY_CAP_GL_SCANOUT = 7,
    SPICE_DISPLAY_CAP_MULTI_CODEC = 8,
    SPICE_DISPLAY_CAP_CODEC_MJPEG = 9,
    SPICE_DISPLAY_CAP_CODEC_VP8 = 10,
    SPICE_DISPLAY_CAP_CODEC_H264 = 11,
    SPICE_DISPLAY_CAP_PREF_VIDEO_CODEC_TYPE = 12,
    SPICE_DISPLAY_CAP_CODEC_VP9 = 13,
    SPICE_DISPLAY_CAP_CODEC_H265 = 14,
};

typedef enum {
    SPICE_SURFACE_FMT_1_A = 1,
    SPICE_SURFACE_FMT_8_A = 8,
    SPICE_SURFACE_FMT_16_555 = 16,
    SPICE_SURFACE_FMT_32_xRGB = 32,
    SPICE_SURFACE_FMT_16_565 = 80,
    SPICE_SURFACE_FMT_32_ARGB = 96,
} SpiceSurfaceFormat;

enum { SPICE_SURFACE_FLAGS_PRIMARY = 1 << 0, SPICE_SURFACE_FLAGS_STREAMING_MODE = 1 << 1 };

/* What the field's servers and ours keep to; a client refuses ids beyond. */
enum { SPICE_MAX_SURFACES = 1024, SPICE_MAX_STREAMS = 64 };

typedef enum {
    SPICE_VIDEO_CODEC_TYPE_MJPEG = 1,
    SPICE_VIDEO_CODEC_TYPE_VP8 = 2,
    SPICE_VIDEO_CODEC_TYPE_H264 = 3,
    SPICE_VIDEO_CODEC_TYPE_VP9 = 4,
    SPICE_VIDEO_CODEC_TYPE_H265 = 5,
} SpiceVideoCodecType;

enum { SPICE_STREAM_FLAGS_TOP_DOWN = 1 << 0 };

typedef struct {
    uint32_t x_res, y_res, bits;
} SpiceMsgDisplayMode;

typedef struct {
    SpiceDisplayBase base;
    SpicePoint source;
} SpiceMsgDisplayCopyBits;

enum { SPICE_RES_TYPE_PIXMAP = 1 };

typedef struct {
    uint8_t type;
    uint64_t id;
} SpiceResource;

typedef struct {
    uint16_t n_resources;
    SpiceResource *resources;
} SpiceMsgDisplayInvalList;

typedef struct {
    uint64_t id;
} SpiceMsgDisplayInvalPalette;

typedef struct {
    uint32_t surface_id;
    uint32_t id;
    uint8_t flags; /* SPICE_STREAM_FLAGS_* */
    uint8_t codec; /* SpiceVideoCodecType */
    uint64_t stamp;
    uint32_t stream_width, stream_height;
    uint32_t source_width, source_height;
    SpiceRect dest;
    SpiceClip clip;
} SpiceMsgDisplayStreamCreate;

typedef struct {
    uint32_t id;
    uint32_t multi_media_time;
    SpiceBytes data;
} SpiceMsgDisplayStreamData;

typedef struct {
    uint32_t id;
    uint32_t multi_media_time;
    uint32_t width, height;
    SpiceRect dest;
    SpiceBytes data;
} SpiceMsgDisplayStreamDataSized;

typedef struct {
    uint32_t id;
    SpiceClip clip;
} SpiceMsgDisplayStreamClip;

typedef struct {
    uint32_t id;
} SpiceMsgDisplayStreamDestroy;

typedef struct {
    uint32_t stream_id, unique_id, max_window_size, timeout_ms;
} SpiceMsgDisplayStreamActivateReport;

typedef struct {
    SpiceDisplayBase base;
    SpiceBrush brush;
    uint16_t rop; /* SPICE_ROPD_* */
    SpiceMask mask;
} SpiceMsgDisplayDrawFill;

typedef struct {
    SpiceDisplayBase base;
    SpiceImage *source;
    SpiceRect source_area;
    SpiceBrush brush;
    uint16_t rop;
    uint8_t scale_mode; /* SpiceImageScaleMode */
    SpiceMask mask;
} SpiceMsgDisplayDrawOpaque;

/** DRAW_COPY and DRAW_BLEND. */
typedef struct {
    SpiceDisplayBase base;
    SpiceImage *source;
    SpiceRect source_area;
    uint16_t rop;
    uint8_t scale_mode;
    SpiceMask mask;
} SpiceMsgDisplayDrawCopy;

/** DRAW_BLACKNESS, DRAW_WHITENESS and DRAW_INVERS. */
typedef struct {
    SpiceDisplayBase base;
    SpiceMask mask;
} SpiceMsgDisplayDrawMasked;

typedef struct {
    SpiceDisplayBase base;
    SpiceImage *source;
    SpiceRect source_area;
    SpiceBrush brush;
    uint8_t rop3;
    uint8_t scale_mode;
    SpiceMask mask;
} SpiceMsgDisplayDrawRop3;

typedef struct {
    SpiceDisplayBase base;
    SpicePath *path;
    SpiceLineAttr attr;
    SpiceBrush brush;
    uint16_t fore_mode, back_mode;
} SpiceMsgDisplayDrawStroke;

typedef struct {
    SpiceDisplayBase base;
    SpiceString *string;
    SpiceRect back_area;
    SpiceBrush fore_brush, back_brush;
    uint16_t fore_mode, back_mode;
} SpiceMsgDisplayDrawText;

typedef struct {
    SpiceDisplayBase base;
    SpiceImage *source;
    SpiceRect source_area;
    uint32_t source_color, true_color;
} SpiceMsgDisplayDrawTransparent;

typedef struct {
    SpiceDisplayBase base;
    uint8_t alpha_flags;
    uint8_t alpha;
    SpiceImage *source;
    SpiceRect source_area;
} SpiceMsgDisplayDrawAlphaBlend;

typedef struct {
    SpiceDisplayBase base;
    uint32_t flags; /* SPICE_COMPOSITE_*, operator in the low byte */
    SpiceImage *source;
    SpiceImage *mask;                /* HAS_MASK */
    SpiceTransform source_transform; /* HAS_SRC_TRANSFORM */
    SpiceTransform mask_transform;   /* HAS_MASK_TRANSFORM */
    SpicePoint16 source_origin, mask_origin;
} SpiceMsgDisplayDrawComposite;

typedef struct {
    uint32_t surface_id, width, height;
    uint32_t format; /* SpiceSurfaceFormat */
    uint32_t flags;  /* SPICE_SURFACE_FLAGS_* */
} SpiceMsgDisplaySurfaceCreate;

typedef struct {
    uint32_t surface_id;
} SpiceMsgDisplaySurfaceDestroy;

typedef struct {
    uint32_t monitor_id, surface_id, width, height, x, y, flags;
} SpiceHead;

typedef struct {
    uint16_t n_heads, max_allowed;
    SpiceHead *heads;
} SpiceMsgDisplayMonitorsConfig;

enum { SPICE_GL_SCANOUT_FLAGS_Y0TOP = 1 };

/** A file descriptor follows the message outside of it: SPICE protocol, "GL scanout". */
typedef struct {
    uint32_t width, height, stride, drm_fourcc_format;
    uint32_t flags; /* SPICE_GL_SCANOUT_FLAGS_* */
} SpiceMsgDisplayGlScanoutUnix;

typedef struct {
    uint32_t x, y, width, height;
} SpiceMsgDisplayGlDraw;

typedef struct {
    uint8_t pixmap_cache_id;
    int64_t pixmap_cache_size; /* pixels */
    uint8_t glz_dictionary_id;
    int32_t glz_dictionary_window_size; /* pixels */
} SpiceMsgcDisplayInit;

typedef struct {
    uint32_t stream_id, unique_id;
    uint32_t start_frame_mm_time, end_frame_mm_time;
    uint32_t num_frames, num_drops;
    int32_t last_frame_delay;
    uint32_t audio_delay;
} SpiceMsgcDisplayStreamReport;

typedef enum {
    SPICE_IMAGE_COMPRESSION_INVALID = 0,
    SPICE_IMAGE_COMPRESSION_OFF = 1,
    SPICE_IMAGE_COMPRESSION_AUTO_GLZ = 2,
    SPICE_IMAGE_COMPRESSION_AUTO_LZ = 3,
    SPICE_IMAGE_COMPRESSION_QUIC = 4,
    SPICE_IMAGE_COMPRESSION_GLZ = 5,
    SPICE_IMAGE_COMPRESSION_LZ = 6,
    SPICE_IMAGE_COMPRESSION_LZ4 = 7,
} SpiceImageCompression;

typedef struct {
    uint8_t compression; /* SpiceImageCompression */
} SpiceMsgcDisplayPreferredCompression;

typedef struct {
    uint8_t n_codecs;
    SpiceBytes codecs; /* SpiceVideoCodecType a byte, best first */
} SpiceMsgcDisplayPreferredVideoCodecType;
