/* What changed in a video frame against the frame before it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_SPICE_DAMAGE_META_API_TYPE (gst_spice_damage_meta_api_get_type())
#define GST_SPICE_DAMAGE_META_INFO     (gst_spice_damage_meta_get_info())

enum { GST_SPICE_DAMAGE_MAX_RECTS = 32 };

/**
 * GstSpiceDamageMeta:
 *
 * Rectangles, in pixels of the frame, outside of which it equals the frame before. A frame without
 * this meta may have changed everywhere; one with no rectangle has not changed. Dropped when a
 * frame is scaled or cropped.
 */
typedef struct {
    GstMeta meta;
    guint n_rects;
    GstVideoRectangle rects[GST_SPICE_DAMAGE_MAX_RECTS];
} GstSpiceDamageMeta;

__attribute__((visibility("default"))) GType gst_spice_damage_meta_api_get_type(void);
__attribute__((visibility("default"))) const GstMetaInfo *gst_spice_damage_meta_get_info(void);

/** Adds an empty damage meta to a writable buffer. */
__attribute__((visibility("default"))) GstSpiceDamageMeta *
gst_buffer_add_spice_damage_meta(GstBuffer *buffer);
/** The damage of a frame; NULL: everything. */
__attribute__((visibility("default"))) GstSpiceDamageMeta *
gst_buffer_get_spice_damage_meta(GstBuffer *buffer);

G_END_DECLS
