/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image-compression.h"

GType gst_spice_image_compression_get_type(void)
{
    static const GEnumValue values[] = {
        {GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE, "By what it shows and by the link", "adaptive"},
        {GST_SPICE_IMAGE_COMPRESSION_OFF, "Not compressed", "off"},
        {GST_SPICE_IMAGE_COMPRESSION_AUTO_GLZ, "QUIC for photos, GLZ else", "auto-glz"},
        {GST_SPICE_IMAGE_COMPRESSION_AUTO_LZ, "QUIC for photos, LZ else", "auto-lz"},
        {GST_SPICE_IMAGE_COMPRESSION_QUIC, "QUIC", "quic"},
        {GST_SPICE_IMAGE_COMPRESSION_GLZ, "GLZ", "glz"},
        {GST_SPICE_IMAGE_COMPRESSION_LZ, "LZ", "lz"},
        {GST_SPICE_IMAGE_COMPRESSION_LZ4, "LZ4", "lz4"},
        {0, NULL, NULL},
    };
    static gsize type;

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstSpiceImageCompression", values));
    return type;
}

GType gst_spice_wan_compression_get_type(void)
{
    static const GEnumValue values[] = {
        {GST_SPICE_WAN_COMPRESSION_AUTO, "If the link is slow", "auto"},
        {GST_SPICE_WAN_COMPRESSION_NEVER, "Never", "never"},
        {GST_SPICE_WAN_COMPRESSION_ALWAYS, "Always", "always"},
        {0, NULL, NULL},
    };
    static gsize type;

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstSpiceWanCompression", values));
    return type;
}
