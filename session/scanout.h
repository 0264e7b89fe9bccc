/* The picture of a GPU, as a host shares it: a dmabuf that clients of the same machine are given, and
 * told of what is drawn in it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/wire/display.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

/** Does not change; any thread. */
typedef struct {
    gint fd;
    guint32 width, height, stride;
    guint32 format; /* DRM's fourcc */
    gboolean top_down;
} GstSpiceScanout;

/** `fd` is duplicated. NULL if that cannot be. */
GstSpiceScanout *gst_spice_scanout_new(const GstSpiceScanout *values);
GstSpiceScanout *gst_spice_scanout_ref(GstSpiceScanout *scanout);
void gst_spice_scanout_unref(GstSpiceScanout *scanout);

typedef void (*GstSpiceScanoutDrawn)(gpointer user_data);

#pragma GCC visibility pop
G_END_DECLS
