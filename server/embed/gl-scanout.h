/* A picture that a GPU draws, shared by the host as a dmabuf: given to clients, and mapped to be copied
 * row by row for those that cannot be given it. Whatever can be mapped will do, so a memfd stands for a
 * GPU in tests. What a driver lays out in tiles cannot be copied so.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/error.h"
#include "session/scanout.h"

/** Zero-initialised: none. */
typedef struct {
    GstSpiceScanout values; /* width 0: there is none */
    guint8 *map;            /* NULL: it cannot be copied */
    gsize map_size;
    gboolean swaps_red; /* the bytes are R G B x, not B G R x */
} GlScanout;

/** Takes over values->fd in any case. False and *error, and no scanout: VALUE for sizes that cannot be,
 * TRUNCATED if the memory is smaller than its rows. If it is only that it cannot be copied, *error is
 * UNSUPPORTED and the result true: for a format that is none of XR24, AR24, XB24 and AB24, and memory
 * that cannot be mapped. */
gboolean gl_scanout_open(GlScanout *self, const GstSpiceScanout *values, SpiceError *error);
void gl_scanout_close(GlScanout *self);
static inline gboolean gl_scanout_is_open(const GlScanout *self)
{
    return self->values.width > 0;
}

/** A copy of a part, which lies within it: B G R x, rows of 4 * its width bytes, the top one first.
 * (transfer full: g_free()) NULL without memory. Only if there is a `map`. */
guint8 *gl_scanout_copy(const GlScanout *self, const SpiceRect *part);
