/* How images are sent, as types for properties.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

#include "core/display/image-chooser.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

/** Values as of #SpiceImageMode. */
typedef enum {
    GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE = SPICE_IMAGE_MODE_ADAPTIVE,
    GST_SPICE_IMAGE_COMPRESSION_OFF = SPICE_IMAGE_MODE_OFF,
    GST_SPICE_IMAGE_COMPRESSION_AUTO_GLZ = SPICE_IMAGE_MODE_AUTO_GLZ,
    GST_SPICE_IMAGE_COMPRESSION_AUTO_LZ = SPICE_IMAGE_MODE_AUTO_LZ,
    GST_SPICE_IMAGE_COMPRESSION_QUIC = SPICE_IMAGE_MODE_QUIC,
    GST_SPICE_IMAGE_COMPRESSION_GLZ = SPICE_IMAGE_MODE_GLZ,
    GST_SPICE_IMAGE_COMPRESSION_LZ = SPICE_IMAGE_MODE_LZ,
    GST_SPICE_IMAGE_COMPRESSION_LZ4 = SPICE_IMAGE_MODE_LZ4,
} GstSpiceImageCompression;

GType gst_spice_image_compression_get_type(void);
#define GST_SPICE_TYPE_IMAGE_COMPRESSION (gst_spice_image_compression_get_type())

/** Values as of #SpiceWanCompression. */
typedef enum {
    GST_SPICE_WAN_COMPRESSION_AUTO = SPICE_WAN_AUTO,
    GST_SPICE_WAN_COMPRESSION_NEVER = SPICE_WAN_NEVER,
    GST_SPICE_WAN_COMPRESSION_ALWAYS = SPICE_WAN_ALWAYS,
} GstSpiceWanCompression;

GType gst_spice_wan_compression_get_type(void);
#define GST_SPICE_TYPE_WAN_COMPRESSION (gst_spice_wan_compression_get_type())

#pragma GCC visibility pop
G_END_DECLS
