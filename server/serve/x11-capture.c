/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* memfd_create */
#include "x11-capture.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcbext.h> /* xcb_poll_for_reply */
#include <xcb/xfixes.h>

#include "region-cover.h"
#include "serve-error.h"
#include "x11-connection.h"

/* Boxes that are fetched at a time: more are united. */
enum { MAX_BOXES = 32 };

struct X11Capture {
    X11Connection *x11;
    X11CaptureWait wait;
    gpointer user_data;
    guint width, height;
    guint8 damage_event;
    xcb_damage_damage_t damage;
    xcb_xfixes_region_t parts;

    gboolean has_shm; /* the server can be given memory of ours */
    xcb_shm_seg_t segment;
    guint8 *shared; /* NULL: pixels come through the socket */
    gsize shared_size;

    gboolean changed;    /* there is damage */
    gboolean everything; /* all is damaged, whatever the server says */
    gboolean resized;
};

/* Replies */

/** FALSE if the wait gave up or the server has gone (with *error). *reply NULL: it was refused. */
static gboolean await(X11Capture *self, unsigned sequence, void *reply, GError **error)
{
    xcb_generic_error_t *refused = NULL;

    *(void **)reply = NULL;
    xcb_flush(self->x11->xcb);
    while (!xcb_poll_for_reply(self->x11->xcb, sequence, reply, &refused)) {
        if (!x11_connection_check(self->x11, error))
            return FALSE;
        if (!self->wait(self->user_data)) {
            xcb_discard_reply(self->x11->xcb, sequence);
            self->everything = TRUE; /* some damage may have been taken off the server's list */
            return FALSE;
        }
    }
    free(refused);
    return x11_connection_check(self->x11, error);
}

/* Shared memory */

static void drop_shared(X11Capture *self)
{
    if (!self->shared)
        return;
    xcb_shm_detach(self->x11->xcb, self->segment);
    munmap(self->shared, self->shared_size);
    self->shared = NULL;
}

/** Memory for a whole screen. Without, pixels come by the socket. Whether the server can use it
 * (one on another machine cannot) shows when pixels are fetched. */
static void make_shared(X11Capture *self)
{
    int fd, fd_of_server;

    drop_shared(self);
    self->shared_size = (gsize)self->width * self->height * 4;
    fd = self->has_shm ? memfd_create("spice-serve screen", MFD_CLOEXEC) : -1;
    if (fd < 0)
        return;
    fd_of_server = ftruncate(fd, (off_t)self->shared_size) == 0 ? dup(fd) : -1;
    if (fd_of_server >= 0)
        self->shared = mmap(NULL, self->shared_size, PROT_READ, MAP_SHARED, fd, 0);
    if (fd_of_server >= 0 && self->shared == MAP_FAILED) {
        self->shared = NULL;
        close(fd_of_server);
    }
    close(fd);
    if (!self->shared)
        return;
    self->segment = xcb_generate_id(self->x11->xcb);
    xcb_shm_attach_fd(self->x11->xcb, self->segment, fd_of_server, 0); /* closes it */
}

/* Events */

/** The size of the screen now; what was fetched is worth nothing if it is another. */
static void set_size(X11Capture *self, guint width, guint height)
{
    if (width == self->width && height == self->height)
        return;
    self->width = width;
    self->height = height;
    self->resized = self->everything = TRUE;
}

X11CaptureState x11_capture_poll(X11Capture *self, GError **error)
{
    xcb_generic_event_t *event;

    while ((event = xcb_poll_for_event(self->x11->xcb))) {
        const guint8 type = event->response_type & 0x7f;

        if (type == self->damage_event + XCB_DAMAGE_NOTIFY)
            self->changed = TRUE;
        if (type == XCB_CONFIGURE_NOTIFY) {
            const xcb_configure_notify_event_t *configure = (void *)event;

            if (configure->window == self->x11->screen->root)
                set_size(self, configure->width, configure->height);
        }
        free(event);
    }
    if (!x11_connection_check(self->x11, error))
        return X11_CAPTURE_FAILED;
    if (self->resized)
        return X11_CAPTURE_RESIZED;
    return self->changed || self->everything ? X11_CAPTURE_CHANGED : X11_CAPTURE_IDLE;
}

/* Pixels */

/** Copies a box of packed pixels into the surface; what the unused byte holds is anybody's guess,
 * and would look like a change. */
static void copy_pixels(pixman_image_t *surface, const pixman_box32_t *box, const guint8 *pixels)
{
    const gsize width = (gsize)(box->x2 - box->x1);
    const gsize stride = (gsize)pixman_image_get_stride(surface) / 4;
    guint32 *to = pixman_image_get_data(surface) + (gsize)box->y1 * stride + box->x1;
    gint32 y;
    gsize x;

    for (y = box->y1; y < box->y2; y++, to += stride, pixels += width * 4)
        for (x = 0; x < width; x++) {
            guint32 pixel;

            memcpy(&pixel, pixels + x * 4, 4);
            to[x] = pixel & 0xffffff;
        }
}

static gsize box_bytes(const pixman_box32_t *box)
{
    return (gsize)(box->x2 - box->x1) * (gsize)(box->y2 - box->y1) * 4;
}

static unsigned request_pixels(X11Capture *self, const pixman_box32_t *box, gsize offset)
{
    const gint16 x = (gint16)box->x1, y = (gint16)box->y1;
    const guint16 width = (guint16)(box->x2 - box->x1), height = (guint16)(box->y2 - box->y1);
    const xcb_window_t root = self->x11->screen->root;

    if (self->shared)
        return xcb_shm_get_image(self->x11->xcb, root, x, y, width, height, G_MAXUINT32,
                                 XCB_IMAGE_FORMAT_Z_PIXMAP, self->segment, (guint32)offset)
            .sequence;
    return xcb_get_image(self->x11->xcb, XCB_IMAGE_FORMAT_Z_PIXMAP, root, x, y, width, height,
                         G_MAXUINT32)
        .sequence;
}

/** The pixels of a reply, or NULL if there are too few. */
static const guint8 *reply_pixels(X11Capture *self, gpointer reply, gsize offset, gsize size)
{
    if (self->shared)
        return self->shared + offset;
    return (gsize)xcb_get_image_data_length(reply) >= size ? xcb_get_image_data(reply) : NULL;
}

/** As many of the boxes as fit the shared memory. CHANGED, RESIZED: some were refused, FAILED. */
static X11CaptureState fetch_some(X11Capture *self, pixman_image_t *surface,
                                  const pixman_box32_t *boxes, guint n_boxes, guint *n_fetched,
                                  GError **error)
{
    X11CaptureState state = X11_CAPTURE_CHANGED;
    unsigned sequences[MAX_BOXES];
    gsize offsets[MAX_BOXES], used = 0;
    guint n, i;

    for (n = 0; n < n_boxes && used + box_bytes(&boxes[n]) <= self->shared_size; n++) {
        offsets[n] = used;
        sequences[n] = request_pixels(self, &boxes[n], used);
        used += box_bytes(&boxes[n]);
    }
    for (i = 0; i < n; i++) {
        gpointer reply;
        const guint8 *pixels;

        if (!await(self, sequences[i], &reply, error)) {
            while (++i < n)
                xcb_discard_reply(self->x11->xcb, sequences[i]);
            return X11_CAPTURE_FAILED;
        }
        pixels = reply ? reply_pixels(self, reply, offsets[i], box_bytes(&boxes[i])) : NULL;
        if (pixels)
            copy_pixels(surface, &boxes[i], pixels);
        else
            state = X11_CAPTURE_RESIZED;
        free(reply);
    }
    *n_fetched = n;
    return state;
}

/* A refused fetch means that the screen has become smaller, of which we may not have heard yet; or
 * else that our memory is of no use to the server. */
static X11CaptureState after_refusal(X11Capture *self, GError **error)
{
    xcb_get_geometry_reply_t *geometry;

    if (!await(self, xcb_get_geometry(self->x11->xcb, self->x11->screen->root).sequence, &geometry,
               error))
        return X11_CAPTURE_FAILED;
    if (geometry)
        set_size(self, geometry->width, geometry->height);
    free(geometry);
    if (self->resized)
        return X11_CAPTURE_RESIZED;
    if (self->shared) {
        self->has_shm = FALSE;
        return X11_CAPTURE_RESIZED;
    }
    g_set_error(error, SERVE_ERROR, SERVE_ERROR_LOST,
                "The X server %s does not hand out the picture of its screen", self->x11->display);
    return X11_CAPTURE_FAILED;
}

static X11CaptureState fetch_boxes(X11Capture *self, pixman_image_t *surface,
                                   const pixman_box32_t *boxes, guint n_boxes, GError **error)
{
    guint n_fetched;

    for (; n_boxes > 0; boxes += n_fetched, n_boxes -= n_fetched) {
        X11CaptureState state = fetch_some(self, surface, boxes, n_boxes, &n_fetched, error);

        if (state == X11_CAPTURE_RESIZED)
            return after_refusal(self, error);
        if (state == X11_CAPTURE_FAILED)
            return state;
    }
    return X11_CAPTURE_CHANGED;
}

/** The server's damage, which is none from now on. FALSE: see await(). */
static gboolean take_damage(X11Capture *self, pixman_region32_t *region, GError **error)
{
    xcb_xfixes_fetch_region_reply_t *reply;
    unsigned sequence;
    int n, i;

    self->changed = FALSE;
    xcb_damage_subtract(self->x11->xcb, self->damage, XCB_NONE, self->parts);
    sequence = xcb_xfixes_fetch_region(self->x11->xcb, self->parts).sequence;
    if (!await(self, sequence, &reply, error))
        return FALSE;
    n = reply ? xcb_xfixes_fetch_region_rectangles_length(reply) : 0;
    for (i = 0; i < n; i++) {
        const xcb_rectangle_t *rect = &xcb_xfixes_fetch_region_rectangles(reply)[i];

        pixman_region32_union_rect(region, region, rect->x, rect->y, rect->width, rect->height);
    }
    free(reply);
    if (self->everything)
        pixman_region32_union_rect(region, region, 0, 0, self->width, self->height);
    pixman_region32_intersect_rect(region, region, 0, 0, self->width, self->height);
    return TRUE;
}

X11CaptureState x11_capture_fetch(X11Capture *self, pixman_image_t *surface,
                                  pixman_region32_t *damage, GError **error)
{
    X11CaptureState state = X11_CAPTURE_FAILED;
    pixman_box32_t boxes[MAX_BOXES];
    pixman_region32_t region;
    guint n_boxes, i;

    if (self->resized || self->shared_size == 0 || (self->shared && !self->has_shm)) {
        make_shared(self);
        self->resized = FALSE;
    }
    pixman_region32_init(&region);
    if (take_damage(self, &region, error)) {
        n_boxes = region_cover(&region, boxes, MAX_BOXES);
        state = fetch_boxes(self, surface, boxes, n_boxes, error);
        for (i = 0; i < n_boxes && state == X11_CAPTURE_CHANGED; i++)
            pixman_region32_union_rect(damage, damage, boxes[i].x1, boxes[i].y1,
                                       (unsigned)(boxes[i].x2 - boxes[i].x1),
                                       (unsigned)(boxes[i].y2 - boxes[i].y1));
    }
    if (state == X11_CAPTURE_CHANGED)
        self->everything = FALSE;
    else
        self->everything = TRUE; /* what was taken off the server's list has not all been seen */
    pixman_region32_fini(&region);
    return state;
}

/* Opening */

static const xcb_visualtype_t *root_visual(const xcb_screen_t *screen)
{
    xcb_depth_iterator_t depths = xcb_screen_allowed_depths_iterator(screen);

    for (; depths.rem; xcb_depth_next(&depths)) {
        xcb_visualtype_iterator_t visuals = xcb_depth_visuals_iterator(depths.data);

        for (; visuals.rem; xcb_visualtype_next(&visuals))
            if (visuals.data->visual_id == screen->root_visual)
                return visuals.data;
    }
    return NULL;
}

static guint bits_per_pixel(const xcb_setup_t *setup, guint8 depth)
{
    xcb_format_iterator_t formats = xcb_setup_pixmap_formats_iterator(setup);

    for (; formats.rem; xcb_format_next(&formats))
        if (formats.data->depth == depth)
            return formats.data->bits_per_pixel;
    return 0;
}

static gboolean check_format(X11Capture *self, GError **error)
{
    const xcb_setup_t *setup = xcb_get_setup(self->x11->xcb);
    const xcb_screen_t *screen = self->x11->screen;
    const xcb_visualtype_t *visual = root_visual(screen);
    const guint8 order =
        G_BYTE_ORDER == G_LITTLE_ENDIAN ? XCB_IMAGE_ORDER_LSB_FIRST : XCB_IMAGE_ORDER_MSB_FIRST;

    if (visual && bits_per_pixel(setup, screen->root_depth) == 32 &&
        setup->image_byte_order == order && visual->red_mask == 0xff0000 &&
        visual->green_mask == 0xff00 && visual->blue_mask == 0xff)
        return TRUE;
    g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                "The screen of the X server %s has a depth of %u and a pixel format that is not "
                "supported: it has to be 24 or 32, with 32 bits a pixel and 8 a colour",
                self->x11->display, screen->root_depth);
    return FALSE;
}

/** Whether descriptors can be sent to the server. */
static gboolean is_local(X11Capture *self)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;

    return getsockname(x11_capture_get_fd(self), (struct sockaddr *)&address, &size) == 0 &&
           address.ss_family == AF_UNIX;
}

static void find_shm(X11Capture *self)
{
    const xcb_query_extension_reply_t *shm = xcb_get_extension_data(self->x11->xcb, &xcb_shm_id);
    xcb_shm_query_version_reply_t *version;

    if (!shm || !shm->present || !is_local(self))
        return;
    version =
        xcb_shm_query_version_reply(self->x11->xcb, xcb_shm_query_version(self->x11->xcb), NULL);
    self->has_shm = version && (version->major_version > 1 || version->minor_version >= 2);
    free(version);
}

static void start_damage(X11Capture *self)
{
    xcb_connection_t *xcb = self->x11->xcb;
    const guint32 events = XCB_EVENT_MASK_STRUCTURE_NOTIFY;

    self->damage_event = xcb_get_extension_data(xcb, &xcb_damage_id)->first_event;
    free(xcb_damage_query_version_reply(xcb, xcb_damage_query_version(xcb, 1, 1), NULL));
    free(xcb_xfixes_query_version_reply(xcb, xcb_xfixes_query_version(xcb, 4, 0), NULL));
    xcb_change_window_attributes(xcb, self->x11->screen->root, XCB_CW_EVENT_MASK, &events);
    self->parts = xcb_generate_id(xcb);
    xcb_xfixes_create_region(xcb, self->parts, 0, NULL);
    self->damage = xcb_generate_id(xcb);
    xcb_damage_create(xcb, self->damage, self->x11->screen->root,
                      XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
}

X11Capture *x11_capture_open(const char *display, X11CaptureWait wait, gpointer user_data,
                             GError **error)
{
    X11Capture *self = g_new0(X11Capture, 1);
    xcb_get_geometry_reply_t *geometry = NULL;

    self->wait = wait;
    self->user_data = user_data;
    self->x11 = x11_connection_open(display, error);
    if (!self->x11 || !check_format(self, error) ||
        !x11_connection_require(self->x11, &xcb_damage_id, "DAMAGE", error) ||
        !x11_connection_require(self->x11, &xcb_xfixes_id, "XFIXES", error))
        goto failed;
    find_shm(self);
    start_damage(self);
    geometry = xcb_get_geometry_reply(
        self->x11->xcb, xcb_get_geometry(self->x11->xcb, self->x11->screen->root), NULL);
    if (!geometry) {
        x11_connection_check(self->x11, error);
        goto failed;
    }
    self->width = geometry->width;
    self->height = geometry->height;
    self->everything = TRUE;
    free(geometry);
    return self;
failed:
    x11_capture_close(self);
    return NULL;
}

void x11_capture_close(X11Capture *self)
{
    if (!self)
        return;
    if (self->shared)
        munmap(self->shared, self->shared_size); /* the server's mapping goes with the connection */
    x11_connection_close(self->x11);
    g_free(self);
}

int x11_capture_get_fd(const X11Capture *self)
{
    return xcb_get_file_descriptor(self->x11->xcb);
}

guint x11_capture_get_width(const X11Capture *self)
{
    return self->width;
}

guint x11_capture_get_height(const X11Capture *self)
{
    return self->height;
}
