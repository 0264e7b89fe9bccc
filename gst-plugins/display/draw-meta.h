/* A drawing operation on its way from a desktop source to the display that publishes it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "core/display/drawable.h"

G_BEGIN_DECLS

#define GST_SPICE_DRAW_META_API_TYPE (gst_spice_draw_meta_api_get_type())
#define GST_SPICE_DRAW_META_INFO     (gst_spice_draw_meta_get_info())

/**
 * GstSpiceDrawMeta:
 *
 * The draw that a buffer of caps `application/x-spice-draw` stands for; the buffer itself has no
 * bytes. A copy of the buffer refers to the same drawable.
 */
typedef struct {
    GstMeta meta;
    SpiceDrawable *drawable; /* a reference */
} GstSpiceDrawMeta;

GType gst_spice_draw_meta_api_get_type(void);
const GstMetaInfo *gst_spice_draw_meta_get_info(void);

/** A buffer that stands for `drawable`, whose reference it takes over. */
__attribute__((visibility("default"))) GstBuffer *
gst_spice_draw_buffer_new(SpiceDrawable *drawable);
/** The draw of a buffer; NULL if it has none. (transfer none) */
__attribute__((visibility("default"))) SpiceDrawable *gst_spice_draw_buffer_get(GstBuffer *buffer);

G_END_DECLS
