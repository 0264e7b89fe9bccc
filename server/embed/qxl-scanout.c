/* The picture of a GPU in place of the primary surface.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qxl-device-state.h"

#include <unistd.h>

/** What a draw copies of the picture, as a draw of ours; NULL without memory. */
static SpiceDrawable *make_draw(const GlScanout *scanout, const SpiceRect *part, SpiceError *error)
{
    const guint32 width = (guint32)(part->right - part->left);
    const guint32 height = (guint32)(part->bottom - part->top);
    guint8 *pixels = gl_scanout_copy(scanout, part);
    SpiceImage image = {
        .type = SPICE_IMAGE_TYPE_BITMAP,
        .width = width,
        .height = height,
        .bitmap_format = SPICE_BITMAP_FMT_32BIT,
        .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN,
        .bitmap_width = width,
        .bitmap_height = height,
        .stride = 4 * width,
        .data = {pixels, 4 * (gsize)width * height},
    };
    const SpiceMsgDisplayDrawCopy message = {
        .base = {.box = *part},
        .source = &image,
        .source_area = {0, 0, (gint32)height, (gint32)width},
        .rop = SPICE_ROPD_OP_PUT,
        .scale_mode = SPICE_IMAGE_SCALE_MODE_NEAREST,
    };
    const SpiceDrawableSource source = {
        .type = SPICE_MSG_DISPLAY_DRAW_COPY,
        .message = &message,
        .time = (guint64)g_get_monotonic_time(),
        .release = g_free,
        .context = pixels,
    };
    SpiceDrawable *drawable = NULL;

    if (!pixels)
        spice_error_set(error, SPICE_ERROR_MEMORY, "scanout");
    else if (!(drawable = spice_drawable_create(&spice_allocator_libc, &source, error)))
        g_free(pixels);
    return drawable;
}

static void draw_part(QxlDevice *self, const SpiceRect *part)
{
    SpiceError error = {0};
    SpiceDrawable *drawable = make_draw(&self->scanout, part, &error);

    if (drawable)
        self->handler->push(drawable, FALSE, self->user_data);
    else
        qxl_device_refuse(self, "scanout", &error);
}

static void draw_all(QxlDevice *self)
{
    const SpiceRect all = {0, 0, (gint32)self->scanout.height, (gint32)self->scanout.width};

    draw_part(self, &all);
    self->scanout_stale = FALSE;
}

/** The picture takes the place of the primary surface, or gives it back. */
void qxl_run_gl_scanout(QxlDevice *self, QxlCall *call)
{
    SpiceError error = {0};

    qxl_device_take_all_commands(self);
    gl_scanout_close(&self->scanout);
    if (call->fd >= 0 && !gl_scanout_open(&self->scanout, call->fd, call->width, call->height,
                                          call->stride, call->format, call->flag, &error))
        qxl_device_refuse(self, "scanout", &error);
    qxl_device_show_primary(self);
    if (gl_scanout_is_open(&self->scanout))
        draw_all(self);
}

/** Where nobody looks, nothing is copied; whoever comes gets all of it. */
void qxl_run_gl_draw(QxlDevice *self, QxlCall *call)
{
    const GlScanout *scanout = &self->scanout;
    SpiceRect part = {MAX(call->area.top, 0), MAX(call->area.left, 0),
                      MIN(call->area.bottom, (gint32)scanout->height),
                      MIN(call->area.right, (gint32)scanout->width)};

    if (!gl_scanout_is_open(scanout) || part.left >= part.right || part.top >= part.bottom)
        return;
    if (self->n_clients == 0)
        self->scanout_stale = TRUE;
    else if (self->scanout_stale)
        draw_all(self);
    else
        draw_part(self, &part);
}

void qxl_device_refresh_scanout(QxlDevice *self)
{
    if (gl_scanout_is_open(&self->scanout) && self->scanout_stale && self->n_clients > 0)
        draw_all(self);
}
