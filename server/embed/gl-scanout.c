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

static gboolean check(const GlScanout *self, guint32 format, gboolean *swaps_red, SpiceError *error)
{
    if (self->width == 0 || self->width > MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "scanout.width");
    if (self->height == 0 || self->height > MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "scanout.height");
    if (self->stride < 4 * self->width || self->stride > 16 * 4 * MAX_SIDE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "scanout.stride");
    if (!know_format(format, swaps_red))
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "scanout.format");
    return TRUE;
}

static gboolean map(GlScanout *self, SpiceError *error)
{
    const off_t size = lseek(self->fd, 0, SEEK_END);
    void *memory;

    self->map_size = (gsize)self->stride * self->height;
    if (size >= 0 && (guint64)size < self->map_size)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "scanout");
    memory = mmap(NULL, self->map_size, PROT_READ, MAP_SHARED, self->fd, 0);
    if (memory == MAP_FAILED)
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "scanout memory");
    self->map = memory;
    return TRUE;
}

gboolean gl_scanout_open(GlScanout *self, gint fd, guint32 width, guint32 height, guint32 stride,
                         guint32 format, gboolean top_down, SpiceError *error)
{
    *self = (GlScanout){
        .fd = fd, .width = width, .height = height, .stride = stride, .top_down = top_down};
    if (check(self, format, &self->swaps_red, error) && map(self, error))
        return TRUE;
    close(fd);
    *self = (GlScanout){0};
    return FALSE;
}

void gl_scanout_close(GlScanout *self)
{
    if (!self->map)
        return;
    munmap(self->map, self->map_size);
    close(self->fd);
    *self = (GlScanout){0};
}

/** Tells the driver that the processor reads, or has read. Memory that is no dmabuf needs none of it. */
static void synchronise(const GlScanout *self, guint64 what)
{
    const struct dma_buf_sync sync = {.flags = what | DMA_BUF_SYNC_READ};

    ioctl(self->fd, DMA_BUF_IOCTL_SYNC, &sync);
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
               self->map + (self->top_down ? from : self->height - 1 - from) * self->stride +
                   4 * (gsize)part->left,
               row);
    }
    synchronise(self, DMA_BUF_SYNC_END);
    if (self->swaps_red)
        swap_red(copy, row / 4 * height);
    return copy;
}
