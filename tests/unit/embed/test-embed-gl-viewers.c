/* Clients on the same machine are given the picture of a GPU itself: its descriptor, each draw, and the
 * host hears that a draw was seen when they say so, or have had their time. A memfd stands for the GPU.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "core/wire/channel.h"
#include "core/wire/display.h"
#include "core/wire/main.h"
#include "raw-client.h"
#include "test-host.h"

enum { WIDTH = 96, HEIGHT = 64, STRIDE = 4 * WIDTH + 64, SIZE = STRIDE * HEIGHT };

static uint32_t fourcc(const char *name)
{
    uint32_t code;

    memcpy(&code, name, 4);
    return code;
}

static int gpu_new(void)
{
    const int fd = memfd_create("gpu", MFD_CLOEXEC);

    return fd >= 0 && ftruncate(fd, SIZE) == 0 ? fd : -1;
}

static bool is_same_memory(int a, int b)
{
    struct stat of_a, of_b;

    return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_ino == of_b.st_ino &&
           of_a.st_dev == of_b.st_dev;
}

/* A client */

typedef struct {
    RawChannel main, display;
    unsigned pictures; /* that it was sent the usual way */
} Viewer;

static bool is_seen(Host *host)
{
    bool seen;

    host_lock(host);
    seen = host->clients_present > 0;
    host_unlock(host);
    return seen;
}

static bool viewer_init(Viewer *self, Host *host, bool gl)
{
    static const uint8_t init[14] = {1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 16, 0};
    uint32_t id;

    *self = (Viewer){.main.fd = -1, .display.fd = -1};
    if (!raw_link(&self->main, host_connect(host), RAW_MAIN, 0, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_INIT))
        return false;
    memcpy(&id, self->main.body, 4);
    if (!(raw_send(&self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) &&
          raw_read_until(&self->main, SPICE_MSG_MAIN_CHANNELS_LIST) &&
          raw_link_with_caps(&self->display, host_connect(host), RAW_DISPLAY, 0, id,
                             1u << SPICE_DISPLAY_CAP_COMPOSITE |
                                 (gl ? 1u << SPICE_DISPLAY_CAP_GL_SCANOUT : 0)) &&
          raw_send(&self->display, SPICE_MSGC_DISPLAY_INIT, init, sizeof init)))
        return false;
    for (unsigned i = 0; i < 100 && (i < 10 || !is_seen(host)); i++)
        host_run(host, 20); /* the host hears of it on its main thread */
    return is_seen(host);
}

static void viewer_clear(Viewer *self)
{
    raw_close(&self->display);
    raw_close(&self->main);
}

/** The byte after the message, and what came with it; -1: none. */
static int take_descriptor(int socket)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec vector = {&byte, 1};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    struct pollfd pollfd = {socket, POLLIN, 0};
    struct cmsghdr *message;
    int fd = -1;

    if (poll(&pollfd, 1, 5000) <= 0 || recvmsg(socket, &header, MSG_CMSG_CLOEXEC) != 1 ||
        byte != '@')
        return -1;
    message = CMSG_FIRSTHDR(&header);
    if (message && message->cmsg_level == SOL_SOCKET && message->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(message), sizeof fd);
    return fd;
}

/** Reads until a message of this type; of scanouts on the way the descriptors are taken, the last one
 * being *fd. */
static bool viewer_read_until(Viewer *self, uint16_t type, int *fd)
{
    for (;;) {
        if (raw_read(&self->display, 5000) != RAW_MESSAGE)
            return false;
        if (self->display.type == SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX) {
            if (*fd >= 0)
                close(*fd);
            *fd = take_descriptor(self->display.fd);
            if (*fd < 0)
                return false;
        }
        self->pictures += self->display.type == SPICE_MSG_DISPLAY_DRAW_COPY;
        if (self->display.type == type)
            return true;
    }
}

/** How many draws of the GPU come within a moment. */
static unsigned viewer_count_draws(Viewer *self, int *fd)
{
    unsigned n = 0;

    while (raw_read(&self->display, 300) == RAW_MESSAGE) {
        n += self->display.type == SPICE_MSG_DISPLAY_GL_DRAW;
        if (self->display.type == SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX) {
            close(*fd);
            *fd = take_descriptor(self->display.fd);
        }
    }
    return n;
}

static bool viewer_answer(Viewer *self)
{
    return raw_send(&self->display, SPICE_MSGC_DISPLAY_GL_DRAW_DONE, NULL, 0);
}

static bool is_draw_of(const Viewer *self, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    const uint32_t expected[] = {x, y, width, height};

    return self->display.type == SPICE_MSG_DISPLAY_GL_DRAW &&
           self->display.size == sizeof expected &&
           memcmp(self->display.body, expected, sizeof expected) == 0;
}

/** It has the picture, and has looked at it once. */
static bool viewer_is_ready(Viewer *self, int *fd)
{
    unsigned n;

    /* With the surface, which may come after the first, comes another. */
    while ((n = viewer_count_draws(self, fd)) > 0)
        while (n-- > 0)
            if (!viewer_answer(self))
                return false;
    return *fd >= 0;
}

/* What the host does */

static void scan_out(Host *host, int gpu, const char *format)
{
    spice_qxl_gl_scanout(&host->qxl, dup(gpu), WIDTH, HEIGHT, STRIDE, fourcc(format), 1);
}

static void draw(Host *host, uint64_t cookie)
{
    spice_qxl_gl_draw_async(&host->qxl, 20, 10, 30, 20, cookie);
}

static void test_given(const char *format)
{
    const int gpu = gpu_new();
    Host *host = host_new();
    int fd = -1;
    Viewer viewer;

    if (!TAP_OK(viewer_init(&viewer, host, true), "%s: a client", format))
        return;
    scan_out(host, gpu, format);
    TAP_OK(viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX, &fd) &&
               is_same_memory(fd, gpu),
           "it is given the memory");
    {
        const uint32_t expected[] = {WIDTH, HEIGHT, STRIDE, fourcc(format), 1};

        TAP_OK(viewer.display.size == sizeof expected &&
                   memcmp(viewer.display.body, expected, sizeof expected) == 0,
               "and told how it is laid out");
    }
    TAP_OK(viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_DRAW, &fd) &&
               is_draw_of(&viewer, 0, 0, WIDTH, HEIGHT) && viewer_answer(&viewer) &&
               viewer_is_ready(&viewer, &fd),
           "it is told to look at all of it");
    viewer.pictures = 0;
    draw(host, 7);
    TAP_OK(viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_DRAW, &fd) &&
               is_draw_of(&viewer, 20, 10, 30, 20),
           "and of a draw");
    TAP_OK(host_count_cookies(host) == 0, "the host waits until it has looked");
    TAP_OK(viewer_answer(&viewer) && host_wait_cookie(host, 7), "then it is told");
    TAP_OK(viewer.pictures == 0, "nothing was copied");
    spice_qxl_gl_scanout(&host->qxl, -1, 0, 0, 0, 0, 0);
    draw(host, 8);
    TAP_OK(host_wait_cookie(host, 8) && viewer_count_draws(&viewer, &fd) == 0,
           "without a picture there are no draws");
    TAP_OK(host_is_well(host), "all is well");
    viewer_clear(&viewer);
    host_free(host);
    close(fd);
    close(gpu);
}

/** The guest shows two pictures in turn, as with page flips. */
static void test_flips(void)
{
    const int gpu[2] = {gpu_new(), gpu_new()};
    Host *host = host_new();
    Viewer viewer;
    int fd = -1;
    bool ok = true;

    scan_out(host, gpu[0], "XR24");
    TAP_OK(viewer_init(&viewer, host, true) && viewer_is_ready(&viewer, &fd),
           "a client that comes later has the picture, too");
    for (unsigned i = 1; i < 50 && ok; i++) {
        scan_out(host, gpu[i % 2], "XR24");
        ok = viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX, &fd) &&
             is_same_memory(fd, gpu[i % 2]) &&
             viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_DRAW, &fd) && viewer_answer(&viewer);
        draw(host, i);
        ok = ok && host_wait_cookie(host, i);
    }
    TAP_OK(ok && host_is_well(host), "two pictures in turn");
    viewer_clear(&viewer);
    host_free(host);
    close(fd);
    close(gpu[0]);
    close(gpu[1]);
}

static void test_one_that_does_not_answer(void)
{
    const int gpu = gpu_new();
    Host *host = host_new();
    Viewer viewer, other;
    int fd = -1, others = -1;

    scan_out(host, gpu, "XR24");
    if (!TAP_OK(viewer_init(&viewer, host, true) && viewer_is_ready(&viewer, &fd) &&
                    viewer_init(&other, host, false),
                "two clients, one of which takes no descriptors"))
        return;
    TAP_OK(viewer_read_until(&other, SPICE_MSG_DISPLAY_DRAW_COPY, &others) && others == -1,
           "that one has a copy");
    draw(host, 1);
    TAP_OK(host_wait_cookie(host, 1), "a draw that is not looked at is answered in the end");
    for (unsigned i = 2; i < 20; i++)
        draw(host, i);
    TAP_OK(host_wait_cookie(host, 19) && host_count_cookies(host) == 19, "and those that follow");
    TAP_OK(viewer_count_draws(&viewer, &fd) == 1, "it is told of none but the first");
    TAP_OK(viewer_answer(&viewer) && viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_DRAW, &fd) &&
               is_draw_of(&viewer, 0, 0, WIDTH, HEIGHT) && viewer_answer(&viewer),
           "when it has looked, of all that it has missed");
    draw(host, 20);
    TAP_OK(viewer_read_until(&viewer, SPICE_MSG_DISPLAY_GL_DRAW, &fd) &&
               is_draw_of(&viewer, 20, 10, 30, 20),
           "and of each again");
    viewer_clear(&viewer);
    TAP_OK(host_wait_cookie(host, 20), "one that leaves is not waited for");
    TAP_OK(host_is_well(host), "all is well");
    viewer_clear(&other);
    host_free(host);
    close(fd);
    close(gpu);
}

static void test_answers_to_nothing(void)
{
    Host *host = host_new();
    Viewer viewer;

    if (!TAP_OK(viewer_init(&viewer, host, true), "a client"))
        return;
    TAP_OK(viewer_answer(&viewer) && raw_read_to_end(&viewer.display),
           "an answer to no draw ends the channel");
    TAP_OK(host_is_well(host), "and nothing else");
    viewer_clear(&viewer);
    host_free(host);
}

/** The machine goes while a draw is being looked at. */
static void test_end(void)
{
    const int gpu = gpu_new();
    Host *host = host_new();
    Viewer viewer;
    int fd = -1;

    scan_out(host, gpu, "XR24");
    TAP_OK(viewer_init(&viewer, host, true) && viewer_is_ready(&viewer, &fd), "a client");
    draw(host, 1);
    host_run(host, 20);
    host_free(host);
    TAP_OK(raw_read_to_end(&viewer.display), "goes when its machine does");
    viewer_clear(&viewer);
    close(fd);
    close(gpu);
}

int main(void)
{
    test_given("XR24");
    test_given("P010"); /* that nobody here can read */
    test_flips();
    test_one_that_does_not_answer();
    test_answers_to_nothing();
    test_end();
    return tap_done();
}
