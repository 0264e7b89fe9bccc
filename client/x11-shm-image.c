/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11-shm-image.h"

#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <sys/ipc.h>
#include <sys/shm.h>

struct SpiceX11ShmImage {
    Display *display;
    XShmSegmentInfo segment;
    XImage *image;
};

/* Xlib tells errors to one handler of the process, and a server on another machine refuses to
 * attach memory only when it is asked. */
static gboolean attach_failed;

static int on_attach_error(Display *display, XErrorEvent *event)
{
    attach_failed = TRUE;
    return 0;
}

static gboolean attach(SpiceX11ShmImage *self)
{
    XErrorHandler before;

    XSync(self->display, False);
    attach_failed = FALSE;
    before = XSetErrorHandler(on_attach_error);
    XShmAttach(self->display, &self->segment);
    XSync(self->display, False);
    XSetErrorHandler(before);
    return !attach_failed;
}

static gboolean is_bgrx(const XImage *image)
{
    return image->bits_per_pixel == 32 && image->byte_order == LSBFirst &&
           image->red_mask == 0xff0000 && image->green_mask == 0xff00 && image->blue_mask == 0xff;
}

static gboolean share(SpiceX11ShmImage *self)
{
    gsize size = (gsize)self->image->bytes_per_line * (gsize)self->image->height;

    self->segment.shmid = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    if (self->segment.shmid < 0)
        return FALSE;
    self->segment.shmaddr = shmat(self->segment.shmid, NULL, 0);
    if (self->segment.shmaddr == (char *)-1) {
        shmctl(self->segment.shmid, IPC_RMID, NULL);
        return FALSE;
    }
    self->image->data = self->segment.shmaddr;
    if (!attach(self)) {
        shmdt(self->segment.shmaddr);
        shmctl(self->segment.shmid, IPC_RMID, NULL);
        return FALSE;
    }
    shmctl(self->segment.shmid, IPC_RMID, NULL); /* it lives until both have let go */
    return TRUE;
}

SpiceX11ShmImage *spice_x11_shm_image_new(Display *display, Visual *visual, guint depth,
                                          guint width, guint height)
{
    SpiceX11ShmImage *self;

    if (!XShmQueryExtension(display) || width == 0 || height == 0)
        return NULL;
    self = g_new0(SpiceX11ShmImage, 1);
    self->display = display;
    self->image =
        XShmCreateImage(display, visual, depth, ZPixmap, NULL, &self->segment, width, height);
    if (self->image && is_bgrx(self->image) && share(self))
        return self;
    if (self->image) {
        self->image->data = NULL;
        XDestroyImage(self->image);
    }
    g_free(self);
    return NULL;
}

void spice_x11_shm_image_free(SpiceX11ShmImage *self)
{
    if (!self)
        return;
    XShmDetach(self->display, &self->segment);
    XSync(self->display, False);
    self->image->data = NULL;
    XDestroyImage(self->image);
    shmdt(self->segment.shmaddr);
    g_free(self);
}

guint8 *spice_x11_shm_image_data(SpiceX11ShmImage *self, guint *stride)
{
    *stride = (guint)self->image->bytes_per_line;
    return (guint8 *)self->image->data;
}

void spice_x11_shm_image_put(SpiceX11ShmImage *self, Window window, GC gc, gint x, gint y,
                             guint width, guint height, gint dx, gint dy)
{
    XShmPutImage(self->display, window, gc, self->image, x, y, x + dx, y + dy, width, height,
                 False);
}
