/* The stream time of a unit (session/media-clock.h) on its buffer: a GstReferenceTimestampMeta with caps
 * timestamp/x-spice-media.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** Not negative, in microseconds. */
void gst_spice_buffer_set_media_time(GstBuffer *buffer, gint64 stream_us);
/** FALSE: it has none. */
gboolean gst_spice_buffer_get_media_time(GstBuffer *buffer, gint64 *stream_us);

G_END_DECLS
