/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gl-scanout.h"

#include <linux/dma-buf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_SIDE = 16384 };

static guint32 fourcc(const char *name)
{
    return (guint32)(guchar)name[0] | (guint32)(guchar)name[1] << 8 |
           (guint32)(guchar)name[2] << 16 | (guint32)(guchar)name[3] << 24;
}

/** Where the bytes are; false if it is no format of 8 bits a colour. */
static gboolean know_format(guint32 format, gboolean *swaps_red)
{
    *swaps_red = format == fourcc("XB24") || format == fourcc("AB24");
    return *swaps_red || format == fourcc("XR24") || format == fourcc("AR24");
}

static gboolean check(const GstSpiceScanout *values, SpiceError *error)
{
    const off_t size = lseek(values->fd, 0, SEEK_END);

    if (values->width == 0 || values->width > MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "scanout.width");
    if (values->height == 0 || values->height > MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "scanout.height");
    if (values->stride < 4 * values->width || values->stride > 16 * 4 * MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "scanout.stride");
    if (size >= 0 && (guint64)size < (guint64)values->stride * values->height)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "scanout");
    return TRUE;
}

/** So that it can be copied. */
static void map(GlScanout *self, SpiceError *error)
{
    const GstSpiceScanout *values = &self->values;
    void *memory;

    if (!know_format(values->format, &self->swaps_red)) {
        spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "scanout.format");
        return;
    }
    self->map_size = (gsize)values->stride * values->height;
    memory = mmap(NULL, self->map_size, PROT_READ, MAP_SHARED, values->fd, 0);
    if (memory == MAP_FAILED)
        spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "scanout memory");
    else
        self->map = memory;
}

gboolean gl_scanout_open(GlScanout *self, const GstSpiceScanout *values, SpiceError *error)
{
    *self = (GlScanout){0};
    if (!check(values, error)) {
        close(values->fd);
        return FALSE;
    }
    self->values = *values;
    map(self, error);
    return TRUE;
}

void gl_scanout_close(GlScanout *self)
{
    if (!gl_scanout_is_open(self))
        return;
    if (self->map)
        munmap(self->map, self->map_size);
    close(self->values.fd);
    *self = (GlScanout){0};
}

/** Tells the driver that the processor reads, or has read. Memory that is no dmabuf needs none of it. */
static void synchronise(const GlScanout *self, guint64 what)
{
    const struct dma_buf_sync sync = {.flags = what | DMA_BUF_SYNC_READ};

    ioctl(self->values.fd, DMA_BUF_IOCTL_SYNC, &sync);
}

static void swap_red(guint8 *pixels, gsize n)
{
    gsize i;

    for (i = 0; i < n; i++, pixels += 4) {
        const guint8 red = pixels[0];

        pixels[0] = pixels[2];
        pixels[2] = red;
    }
}

guint8 *gl_scanout_copy(const GlScanout *self, const SpiceRect *part)
{
    const gsize row = 4 * (gsize)(part->right - part->left);
    const gsize height = (gsize)(part->bottom - part->top);
    guint8 *copy = g_try_malloc(row * height);
    gsize y;

    if (!copy)
        return NULL;
    synchronise(self, DMA_BUF_SYNC_START);
    for (y = 0; y < height; y++) {
        const gsize from = (gsize)part->top + y;

        memcpy(copy + y * row,
               self->map +
                   (self->values.top_down ? from : self->values.height - 1 - from) *
                       self->values.stride +
                   4 * (gsize)part->left,
               row);
    }
    synchronise(self, DMA_BUF_SYNC_END);
    if (self->swaps_red)
        swap_red(copy, row / 4 * height);
    return copy;
}
