/* The decoder of one video stream of a server's, of stock elements: an access unit in, a picture out
 * when the call returns.
 *
 * The decoders of this machine are tried by their rank, a card's before a processor's of the same
 * rank. One that does not start, fails, or shows nothing of the first units gives way to the next one,
 * which gets those units again. Some show a unit only at a later call: those that work on threads of
 * their own (V4L2's), and those that wait for the next picture's beginning (libde265's).
 *
 * Used on one thread at a time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "core/image/pixels.h"
#include "core/wire/display.h"

G_BEGIN_DECLS

typedef struct GstSpiceVideoDecoder GstSpiceVideoDecoder;

/** Whether this machine has a decoder for the codec (SpiceVideoCodecType). */
gboolean gst_spice_video_decoder_is_possible(guint8 codec);

/** NULL if it has none that starts. */
GstSpiceVideoDecoder *gst_spice_video_decoder_new(guint8 codec);
void gst_spice_video_decoder_free(GstSpiceVideoDecoder *self);

/** Of the element that decodes now, as its factory has it. */
const char *gst_spice_video_decoder_name(const GstSpiceVideoDecoder *self);

/** Decodes an access unit. `width`, `height`: as the stream says, in pixels; they may be wrong. TRUE
 * if a picture came of it, x8r8g8b8 and valid until the next call: the newest if there are several.
 * `age`: of how many units before this one the picture is. */
gboolean gst_spice_video_decoder_decode(GstSpiceVideoDecoder *self, SpiceBytes data, guint32 width,
                                        guint32 height, SpicePixels *picture, guint *age);

G_END_DECLS
