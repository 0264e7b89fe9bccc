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
    SpiceDrawable *drawable;

    if (!self->scanout.map)
        return;
    drawable = make_draw(&self->scanout, part, &error);
    if (drawable)
        self->handler->push(drawable, FALSE, self->user_data);
    else
        qxl_device_refuse(self, "scanout", &error);
}

static void draw_all(QxlDevice *self)
{
    const GstSpiceScanout *values = &self->scanout.values;
    const SpiceRect all = {0, 0, (gint32)values->height, (gint32)values->width};

    draw_part(self, &all);
    self->scanout_stale = FALSE;
}

static gboolean has_size(const GlScanout *self, guint32 width, guint32 height)
{
    return gl_scanout_is_open(self) && self->values.width == width && self->values.height == height;
}

/** The picture takes the place of the primary surface, or gives it back. A guest that has several
 * pictures in turn keeps its surface. */
void qxl_run_gl_scanout(QxlDevice *self, QxlCall *call)
{
    const gboolean stays = call->scanout.fd >= 0 &&
                           has_size(&self->scanout, call->scanout.width, call->scanout.height);
    SpiceError error = {0};

    qxl_device_take_all_commands(self);
    gl_scanout_close(&self->scanout);
    if (call->scanout.fd >= 0) {
        gl_scanout_open(&self->scanout, &call->scanout, &error);
        if (error.code != SPICE_OK)
            qxl_device_refuse(self, "scanout", &error);
    }
    if (!stays || !gl_scanout_is_open(&self->scanout))
        qxl_device_show_primary(self);
    gst_spice_server_set_scanout(self->session, (guint)self->instance->id,
                                 gl_scanout_is_open(&self->scanout) ? &self->scanout.values : NULL);
    if (gl_scanout_is_open(&self->scanout))
        draw_all(self);
}

/** Whom a draw's completion is told. */
typedef struct {
    QxlDevice *device;
    guint64 cookie;
} Drawn;

static void on_drawn(gpointer user_data)
{
    Drawn *drawn = user_data;
    const QxlCall completion = {.run = qxl_run_nothing, .completes = TRUE, .cookie = drawn->cookie};

    qxl_device_post(drawn->device, &completion);
    g_free(drawn);
}

/** Has those who were given the picture look at it; the host hears of it when they have. */
static void show_draw(QxlDevice *self, QxlCall *call, const SpiceRect *part)
{
    const Drawn drawn = {self, call->cookie};

    call->completes = FALSE;
    gst_spice_server_draw_scanout(self->session, (guint)self->instance->id, part, on_drawn,
                                  g_memdup2(&drawn, sizeof drawn));
}

/** Where nobody looks, nothing is copied; whoever comes gets all of it. */
void qxl_run_gl_draw(QxlDevice *self, QxlCall *call)
{
    const GstSpiceScanout *values = &self->scanout.values;
    SpiceRect part = {MAX(call->area.top, 0), MAX(call->area.left, 0),
                      MIN(call->area.bottom, (gint32)values->height),
                      MIN(call->area.right, (gint32)values->width)};

    if (!gl_scanout_is_open(&self->scanout) || part.left >= part.right || part.top >= part.bottom)
        return;
    if (self->viewers.n_without_scanouts == 0)
        self->scanout_stale = TRUE;
    else if (self->scanout_stale)
        draw_all(self);
    else
        draw_part(self, &part);
    if (call->completes && self->viewers.n > self->viewers.n_without_scanouts)
        show_draw(self, call, &part);
}

void qxl_device_refresh_scanout(QxlDevice *self)
{
    if (gl_scanout_is_open(&self->scanout) && self->scanout_stale &&
        self->viewers.n_without_scanouts > 0)
        draw_all(self);
}
