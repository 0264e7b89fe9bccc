/* What a client's display channel has carried, for people who look on: the encoder tells its channel,
 * statistics show it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/display/sender.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct {
    SpiceSenderCounters images;
    struct {
        guint64 streams, frames, bytes, dropped, reports;
    } video;
} GstSpiceDisplayFigures;

/** "raw", "lz" and so on. */
const char *gst_spice_image_codec_name(SpiceImageCodec codec);

#pragma GCC visibility pop
G_END_DECLS
