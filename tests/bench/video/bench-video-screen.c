/* What a viewer of somebody else's shows of bench-video-host on an X screen that it has to itself:
 *
 *     bench-video-screen DISPLAY
 *
 * Looks whenever something was drawn, and prints what watch.h says, with the monotonic time in microseconds. The screen
 * must be as large as the host's, and the viewer fill it without scaling. Ends on SIGTERM.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/shm.h>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

#include "film.h"
#include "watch.h"

static volatile sig_atomic_t ended;

typedef struct {
    xcb_connection_t *connection;
    xcb_window_t root;
    guint16 width;
    xcb_shm_seg_t segment;
    void *pixels;
    xcb_damage_damage_t damage;
} Screen;

static void on_signal(int number)
{
    ended = 1;
}

static gboolean open_screen(Screen *self, const char *name)
{
    const xcb_screen_t *screen;
    int id;

    self->connection = xcb_connect(name, NULL);
    if (xcb_connection_has_error(self->connection))
        return FALSE;
    screen = xcb_setup_roots_iterator(xcb_get_setup(self->connection)).data;
    self->root = screen->root;
    self->width = screen->width_in_pixels;
    if (self->width < FILM_X + FILM_WIDTH || screen->height_in_pixels < watch_rows())
        return FALSE;
    id = shmget(IPC_PRIVATE, (gsize)self->width * (gsize)watch_rows() * 4, IPC_CREAT | 0600);
    self->pixels = id >= 0 ? shmat(id, NULL, 0) : (void *)-1;
    if (self->pixels == (void *)-1)
        return FALSE;
    self->segment = xcb_generate_id(self->connection);
    free(xcb_request_check(
        self->connection, xcb_shm_attach_checked(self->connection, self->segment, (guint32)id, 0)));
    shmctl(id, IPC_RMID, NULL); /* it goes with the last who has it */
    free(xcb_damage_query_version_reply(self->connection,
                                        xcb_damage_query_version(self->connection, 1, 1), NULL));
    self->damage = xcb_generate_id(self->connection);
    xcb_damage_create(self->connection, self->damage, self->root,
                      XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    return TRUE;
}

/** Waits for something to be drawn. FALSE: there is no more. */
static gboolean wait_for_drawing(Screen *self)
{
    const guint8 wanted =
        xcb_get_extension_data(self->connection, &xcb_damage_id)->first_event + XCB_DAMAGE_NOTIFY;
    struct pollfd poll_fd = {.fd = xcb_get_file_descriptor(self->connection), .events = POLLIN};
    gboolean drawn = FALSE;

    while (!drawn && !ended && !xcb_connection_has_error(self->connection)) {
        xcb_generic_event_t *event = xcb_poll_for_event(self->connection);

        if (!event)
            poll(&poll_fd, 1, 100);
        else
            drawn = (event->response_type & 0x7f) == wanted;
        free(event);
    }
    return drawn;
}

int main(int argc, char **argv)
{
    Screen screen = {0};
    Watch *watch;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_signal);
    if (argc != 2 || !open_screen(&screen, argv[1]))
        return 2;
    film_prepare();
    watch = watch_start();
    printf("ready\n");
    xcb_flush(screen.connection);
    while (wait_for_drawing(&screen)) {
        xcb_shm_get_image_reply_t *reply;

        /* Before it is looked at, so that what is drawn meanwhile is told anew. */
        xcb_damage_subtract(screen.connection, screen.damage, XCB_NONE, XCB_NONE);
        reply =
            xcb_shm_get_image_reply(screen.connection,
                                    xcb_shm_get_image(screen.connection, screen.root, 0, 0,
                                                      screen.width, (guint16)watch_rows(), ~0u,
                                                      XCB_IMAGE_FORMAT_Z_PIXMAP, screen.segment, 0),
                                    NULL);
        if (reply)
            watch_picture(watch, g_get_monotonic_time(), screen.pixels, (gsize)screen.width * 4,
                          screen.width);
        free(reply);
    }
    watch_end(watch);
    xcb_disconnect(screen.connection);
    return 0;
}
