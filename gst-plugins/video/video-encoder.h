/* The encoder of one video stream to one client: a picture in, an access unit out, at once. MJPEG
 * is made by libjpeg-turbo, all else by a pipeline of stock elements (spicevideoenc).
 *
 * An encoder is used on one thread at a time, which may change.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "core/wire/display.h"

G_BEGIN_DECLS

typedef struct GstSpiceVideoEncoder GstSpiceVideoEncoder;

/** NULL if this machine has no encoder for the codec (SpiceVideoCodecType), or none for that size. */
GstSpiceVideoEncoder *gst_spice_video_encoder_new(guint8 codec, guint width, guint height);
void gst_spice_video_encoder_free(GstSpiceVideoEncoder *self);

/** How a picture is to be encoded. */
typedef struct {
    guint quality;    /* 1 to 100; codecs with a quality */
    guint64 bit_rate; /* bits a second; codecs that keep one */
    guint fps_milli;  /* pictures in 1000 s that come about */
    gboolean key;     /* one that stands by itself */
    gboolean half;    /* half as wide and high, rounded up; MJPEG only */
} GstSpiceVideoSettings;

/** Whether it encodes at half the size, too. */
gboolean gst_spice_video_encoder_can_halve(const GstSpiceVideoEncoder *self);

/** Encodes a bitmap of 32 bits, of the encoder's size, drawn at `time` (us). NULL if that failed.
 * (transfer full) */
GBytes *gst_spice_video_encoder_encode(GstSpiceVideoEncoder *self, const SpiceImage *picture,
                                       guint64 time, const GstSpiceVideoSettings *settings);

G_END_DECLS
