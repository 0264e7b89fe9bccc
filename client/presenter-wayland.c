/* On Wayland: a subsurface of our own over the widget, with two buffers of shared memory.
 *
 * GTK's drawing copies the whole window for each change, however small. Here a buffer that comes
 * back from the compositor is brought up to date by copying what changed since its last use.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE /* memfd_create */
#include "presenter.h"

#ifdef GDK_WINDOWING_WAYLAND
#include <sys/mman.h>
#include <unistd.h>

#include "wayland-globals.h"

enum { N_BUFFERS = 2 };

typedef struct WaylandPresenter WaylandPresenter;

typedef struct {
    WaylandPresenter *presenter;
    struct wl_buffer *buffer;
    pixman_image_t *image;
    pixman_region32_t stale; /* where it differs from the canvas */
    gboolean busy;           /* the compositor reads it */
} Buffer;

struct WaylandPresenter {
    SpicePresenter parent;
    GtkWidget *widget;
    SpiceWaylandGlobals globals;
    struct wl_surface *surface;
    struct wl_subsurface *subsurface;
    gint x, y; /* where the subsurface was last put */
    pixman_image_t *canvas;
    pixman_region32_t waiting; /* new on the canvas, and not shown yet */
    Buffer buffers[N_BUFFERS];
    void *memory;
    gsize size;
};

static SpicePresenter *wayland_create(GtkWidget *widget)
{
    GdkWindow *window = gdk_window_get_toplevel(gtk_widget_get_window(widget));
    GdkDisplay *display = gdk_window_get_display(window);
    struct wl_surface *parent;
    struct wl_region *nothing;
    WaylandPresenter *self;
    guint i;

    if (!GDK_IS_WAYLAND_WINDOW(window))
        return NULL;
    self = g_new0(WaylandPresenter, 1);
    self->parent.klass = &spice_presenter_wayland;
    self->widget = widget;
    spice_wayland_globals_init(&self->globals, display);
    parent = gdk_wayland_window_get_wl_surface(window);
    if (!parent || !self->globals.subcompositor || !self->globals.shm) {
        spice_wayland_globals_clear(&self->globals);
        g_free(self);
        return NULL;
    }
    self->surface = wl_compositor_create_surface(gdk_wayland_display_get_wl_compositor(display));
    self->subsurface =
        wl_subcompositor_get_subsurface(self->globals.subcompositor, self->surface, parent);
    wl_subsurface_set_desync(self->subsurface);
    /* Input goes to GTK's surface below. */
    nothing = wl_compositor_create_region(gdk_wayland_display_get_wl_compositor(display));
    wl_surface_set_input_region(self->surface, nothing);
    wl_region_destroy(nothing);
    pixman_region32_init(&self->waiting);
    for (i = 0; i < N_BUFFERS; i++)
        pixman_region32_init(&self->buffers[i].stale);
    return &self->parent;
}

/* Buffers */

static void show_waiting(WaylandPresenter *self);

static void on_release(void *data, struct wl_buffer *wl_buffer)
{
    Buffer *buffer = data;

    buffer->busy = FALSE;
    show_waiting(buffer->presenter);
}

static void drop_buffers(WaylandPresenter *self)
{
    guint i;

    for (i = 0; i < N_BUFFERS; i++) {
        Buffer *buffer = &self->buffers[i];

        g_clear_pointer(&buffer->buffer, wl_buffer_destroy);
        g_clear_pointer(&buffer->image, pixman_image_unref);
        pixman_region32_clear(&buffer->stale);
        buffer->busy = FALSE;
    }
    if (self->memory)
        munmap(self->memory, self->size);
    self->memory = NULL;
    pixman_region32_clear(&self->waiting);
    g_clear_pointer(&self->canvas, pixman_image_unref);
}

static gboolean make_buffers(WaylandPresenter *self, gint width, gint height)
{
    static const struct wl_buffer_listener listener = {on_release};
    gsize one = (gsize)width * 4 * (gsize)height;
    struct wl_shm_pool *pool;
    int fd;
    guint i;

    if (one > G_MAXINT32 / N_BUFFERS)
        return FALSE;
    self->size = one * N_BUFFERS;
    fd = memfd_create("spice-view", MFD_CLOEXEC);
    if (fd < 0)
        return FALSE;
    if (ftruncate(fd, (off_t)self->size) == 0)
        self->memory = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!self->memory || self->memory == MAP_FAILED) {
        self->memory = NULL;
        close(fd);
        return FALSE;
    }
    pool = wl_shm_create_pool(self->globals.shm, fd, (int32_t)self->size);
    close(fd);
    for (i = 0; i < N_BUFFERS; i++) {
        Buffer *buffer = &self->buffers[i];

        buffer->presenter = self;
        buffer->buffer = wl_shm_pool_create_buffer(pool, (int32_t)(one * i), width, height,
                                                   width * 4, WL_SHM_FORMAT_XRGB8888);
        wl_buffer_add_listener(buffer->buffer, &listener, buffer);
        buffer->image =
            pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height,
                                     (uint32_t *)((guint8 *)self->memory + one * i), width * 4);
        pixman_region32_union_rect(&buffer->stale, &buffer->stale, 0, 0, (guint)width,
                                   (guint)height);
    }
    wl_shm_pool_destroy(pool);
    return TRUE;
}

static pixman_image_t *wayland_resize(SpicePresenter *presenter, gint width, gint height)
{
    WaylandPresenter *self = (WaylandPresenter *)presenter;

    drop_buffers(self);
    if (!make_buffers(self, width, height))
        return NULL;
    self->canvas = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);
    wl_surface_set_buffer_scale(self->surface, gtk_widget_get_scale_factor(self->widget));
    return self->canvas;
}

/* Showing */

static void copy_stale(WaylandPresenter *self, Buffer *buffer)
{
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles(&buffer->stale, &n);

    for (i = 0; i < n; i++, box++)
        pixman_image_composite32(PIXMAN_OP_SRC, self->canvas, NULL, buffer->image, box->x1, box->y1,
                                 0, 0, box->x1, box->y1, box->x2 - box->x1, box->y2 - box->y1);
    pixman_region32_clear(&buffer->stale);
}

/** Damage in the surface's coordinates, which are coarser than pixels where these are small. */
static void tell_damage(WaylandPresenter *self)
{
    gint scale = gtk_widget_get_scale_factor(self->widget);
    int n, i;
    pixman_box32_t *box = pixman_region32_rectangles(&self->waiting, &n);

    for (i = 0; i < n; i++, box++) {
        gint x = box->x1 / scale, y = box->y1 / scale;

        wl_surface_damage(self->surface, x, y, (box->x2 + scale - 1) / scale - x,
                          (box->y2 + scale - 1) / scale - y);
    }
}

/** Shows what waits, if the compositor has given a buffer back; else that is done when it does. */
static void show_waiting(WaylandPresenter *self)
{
    guint i;

    if (!self->canvas || !pixman_region32_not_empty(&self->waiting))
        return;
    for (i = 0; i < N_BUFFERS && self->buffers[i].busy; i++)
        ;
    if (i == N_BUFFERS)
        return;
    copy_stale(self, &self->buffers[i]);
    wl_surface_attach(self->surface, self->buffers[i].buffer, 0, 0);
    tell_damage(self);
    wl_surface_commit(self->surface);
    self->buffers[i].busy = TRUE;
    pixman_region32_clear(&self->waiting);
    wl_display_flush(gdk_wayland_display_get_wl_display(gtk_widget_get_display(self->widget)));
}

static void wayland_present(SpicePresenter *presenter, pixman_region32_t *region)
{
    WaylandPresenter *self = (WaylandPresenter *)presenter;
    guint i;

    pixman_region32_union(&self->waiting, &self->waiting, region);
    for (i = 0; i < N_BUFFERS; i++)
        pixman_region32_union(&self->buffers[i].stale, &self->buffers[i].stale, region);
    show_waiting(self);
}

/** GTK paints what lies around; its commit, which follows, moves the subsurface. */
static void wayland_draw(SpicePresenter *presenter, cairo_t *cr)
{
    WaylandPresenter *self = (WaylandPresenter *)presenter;
    gint x = 0, y = 0;

    gtk_widget_translate_coordinates(self->widget, gtk_widget_get_toplevel(self->widget), 0, 0, &x,
                                     &y);
    if (x != self->x || y != self->y)
        wl_subsurface_set_position(self->subsurface, x, y);
    self->x = x;
    self->y = y;
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_paint(cr);
}

static void wayland_destroy(SpicePresenter *presenter)
{
    WaylandPresenter *self = (WaylandPresenter *)presenter;
    guint i;

    wl_subsurface_destroy(self->subsurface);
    wl_surface_destroy(self->surface);
    drop_buffers(self);
    for (i = 0; i < N_BUFFERS; i++)
        pixman_region32_fini(&self->buffers[i].stale);
    pixman_region32_fini(&self->waiting);
    spice_wayland_globals_clear(&self->globals);
    g_free(self);
}

const SpicePresenterClass spice_presenter_wayland = {
    "wayland", wayland_create, wayland_resize, wayland_present, wayland_draw, wayland_destroy,
};
#endif
