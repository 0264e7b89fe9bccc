/* A picture that a GPU draws, shared by the host as a dmabuf: mapped, and read row by row. Whatever can be
 * mapped will do, so a memfd stands for a GPU in tests. What a driver lays out in tiles cannot be read so.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/wire/display.h"
#include "core/wire/error.h"

/** Zero-initialised: none. */
typedef struct {
    gint fd;
    guint8 *map; /* NULL: none */
    gsize map_size;
    guint32 width, height, stride;
    gboolean swaps_red; /* the bytes are R G B x, not B G R x */
    gboolean top_down;
} GlScanout;

/** Takes over `fd` in any case. False and *error, and no scanout: VALUE for sizes that cannot be,
 * UNSUPPORTED for a format (DRM's fourcc) that is none of XR24, AR24, XB24 and AB24 or memory that cannot
 * be mapped, TRUNCATED if it is smaller than its rows. */
gboolean gl_scanout_open(GlScanout *self, gint fd, guint32 width, guint32 height, guint32 stride,
                         guint32 format, gboolean top_down, SpiceError *error);
void gl_scanout_close(GlScanout *self);
static inline gboolean gl_scanout_is_open(const GlScanout *self)
{
    return self->map != NULL;
}

/** A copy of a part, which lies within it: B G R x, rows of 4 * its width bytes, the top one first.
 * (transfer full: g_free()) NULL without memory. */
guint8 *gl_scanout_copy(const GlScanout *self, const SpiceRect *part);
