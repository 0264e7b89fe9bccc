/* A GPU's picture, shared by the host: clients see it, each draw is answered once, whether or not
 * anybody looks, and what cannot be is refused. A memfd stands for the GPU's memory.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../tap.h"
#include "core/display/receiver.h"
#include "core/wire/channel.h"
#include "core/wire/main.h"
#include "raw-client.h"
#include "test-host.h"

enum { WIDTH = 96, HEIGHT = 64, STRIDE = 4 * WIDTH + 64, SIZE = STRIDE * HEIGHT, PRIMARY = 64 };

static uint32_t fourcc(const char *name)
{
    uint32_t code;

    memcpy(&code, name, 4);
    return code;
}

/* The GPU */

typedef struct {
    int fd; /* ours; the server has another */
    uint8_t *memory;
} Gpu;

static bool gpu_init(Gpu *self)
{
    self->fd = memfd_create("gpu", MFD_CLOEXEC);
    if (self->fd < 0 || ftruncate(self->fd, SIZE) != 0)
        return false;
    self->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
    return self->memory != MAP_FAILED;
}

static void gpu_clear(Gpu *self)
{
    munmap(self->memory, SIZE);
    close(self->fd);
}

static uint32_t pixel_of(unsigned seed, int x, int y)
{
    return ((unsigned)(y * WIDTH + x) * 2654435761u + seed * 40503u) >> 8;
}

/** Draws a rectangle; `flipped`: the first row of memory is the lowest. */
static void gpu_draw(Gpu *self, SpiceRect box, unsigned seed, bool flipped, bool swapped)
{
    for (int y = box.top; y < box.bottom; y++) {
        for (int x = box.left; x < box.right; x++) {
            const uint32_t pixel = pixel_of(seed, x, y);
            uint8_t *at = self->memory + (flipped ? HEIGHT - 1 - y : y) * STRIDE + 4 * x;

            at[0] = (uint8_t)(swapped ? pixel >> 16 : pixel);
            at[1] = (uint8_t)(pixel >> 8);
            at[2] = (uint8_t)(swapped ? pixel : pixel >> 16);
            at[3] = 0xff;
        }
    }
}

/* A client that shows what it gets */

typedef struct {
    RawChannel main, display;
    SpiceReceiver *receiver;
    SpiceGlzWindow *window;
    SpicePixmapCache *cache;
} Viewer;

static bool is_seen(Host *host)
{
    bool seen;

    host_lock(host);
    seen = host->clients_present > 0;
    host_unlock(host);
    return seen;
}

static bool viewer_init(Viewer *self, Host *host)
{
    static const uint8_t init[14] = {1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 16, 0};
    uint32_t id;

    *self = (Viewer){.main.fd = -1, .display.fd = -1};
    self->window = spice_glz_window_new(&spice_allocator_libc, 1 << 22, 1000);
    self->cache = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 1 << 20);
    self->receiver = spice_receiver_create(&(SpiceReceiverConfig){
        .allocator = &spice_allocator_libc, .glz_window = self->window, .pixmaps = self->cache});
    if (!raw_link(&self->main, host_connect(host), RAW_MAIN, 0, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_INIT))
        return false;
    memcpy(&id, self->main.body, 4);
    if (!(raw_send(&self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) &&
          raw_read_until(&self->main, SPICE_MSG_MAIN_CHANNELS_LIST) &&
          raw_link_with_caps(&self->display, host_connect(host), RAW_DISPLAY, 0, id,
                             1u << SPICE_DISPLAY_CAP_COMPOSITE) &&
          raw_send(&self->display, SPICE_MSGC_DISPLAY_INIT, init, sizeof init)))
        return false;
    for (unsigned i = 0; i < 100 && !is_seen(host); i++)
        host_run(host, 20); /* the host hears of it on its main thread */
    return is_seen(host);
}

static void viewer_clear(Viewer *self)
{
    raw_close(&self->display);
    raw_close(&self->main);
    spice_receiver_destroy(self->receiver);
    spice_glz_window_free(self->window);
    spice_pixmap_cache_destroy(self->cache);
}

static void viewer_take(Viewer *self)
{
    const SpiceMessageDef *def =
        spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, self->display.type);
    SpiceReceiverResult result;
    SpiceArena arena;
    void *message;

    if (!def || self->display.type < SPICE_FIRST_CHANNEL_MESSAGE)
        return;
    spice_arena_init(&arena, &spice_allocator_libc, 64 << 20);
    message = spice_message_read(def, self->display.body, self->display.size, &arena, NULL);
    if (message)
        spice_receiver_feed(self->receiver, self->display.type, message, &result);
    spice_arena_clear(&arena);
}

/** Whether what is shown within `box` are the pixels of `seed`. */
static bool viewer_has(Viewer *self, SpiceRect box, unsigned seed)
{
    const SpicePixels *primary = spice_receiver_primary(self->receiver);

    if (!primary || primary->width != WIDTH || primary->height != HEIGHT)
        return false;
    for (int y = box.top; y < box.bottom; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)(primary->data + y * primary->stride);

        for (int x = box.left; x < box.right; x++)
            if ((row[x] & 0xffffff) != (pixel_of(seed, x, y) & 0xffffff))
                return false;
    }
    return true;
}

/** Reads until it is so; false after five seconds. */
static bool viewer_shows(Viewer *self, SpiceRect box, unsigned seed)
{
    while (!viewer_has(self, box, seed)) {
        if (raw_read(&self->display, 5000) != RAW_MESSAGE)
            return false;
        viewer_take(self);
    }
    return true;
}

static bool viewer_shows_size(Viewer *self, int width, int height)
{
    const SpicePixels *primary;

    while (!(primary = spice_receiver_primary(self->receiver)) || primary->width != width ||
           primary->height != height) {
        if (raw_read(&self->display, 5000) != RAW_MESSAGE)
            return false;
        viewer_take(self);
    }
    return true;
}

/* What the host does */

static void scan_out(Host *host, const Gpu *gpu, const char *format, bool top_down)
{
    spice_qxl_gl_scanout(&host->qxl, dup(gpu->fd), WIDTH, HEIGHT, STRIDE, fourcc(format), top_down);
}

static void draw(Host *host, SpiceRect box, uint64_t cookie)
{
    spice_qxl_gl_draw_async(&host->qxl, (uint32_t)box.left, (uint32_t)box.top,
                            (uint32_t)(box.right - box.left), (uint32_t)(box.bottom - box.top),
                            cookie);
}

static const SpiceRect all = {0, 0, HEIGHT, WIDTH}, part = {10, 20, 30, 50};

static void test_picture(const char *format, bool top_down)
{
    Host *host = host_new();
    Viewer viewer;
    Gpu gpu;

    host_create_primary(host, PRIMARY, PRIMARY);
    if (!TAP_OK(gpu_init(&gpu) && viewer_init(&viewer, host), "%s: a client", format))
        return;
    TAP_OK(viewer_shows_size(&viewer, PRIMARY, PRIMARY), "it has the primary surface");
    gpu_draw(&gpu, all, 1, !top_down, format[1] == 'B');
    scan_out(host, &gpu, format, top_down);
    TAP_OK(viewer_shows(&viewer, all, 1), "then the picture, %s first",
           top_down ? "top row" : "lowest row");
    gpu_draw(&gpu, part, 2, !top_down, format[1] == 'B');
    draw(host, part, 7);
    TAP_OK(host_wait_cookie(host, 7), "a draw is answered");
    TAP_OK(viewer_shows(&viewer, part, 2), "and seen");
    spice_qxl_gl_scanout(&host->qxl, -1, 0, 0, 0, 0, 0);
    TAP_OK(viewer_shows_size(&viewer, PRIMARY, PRIMARY), "without it the primary is back");
    TAP_OK(host_is_well(host) && host_count_cookies(host) == 1, "all is well");
    viewer_clear(&viewer);
    host_free(host);
    gpu_clear(&gpu);
}

/** Draws while nobody looks, and somebody who comes. */
static void test_nobody_looks(void)
{
    Host *host = host_new();
    Viewer viewer;
    Gpu gpu;

    if (!TAP_OK(gpu_init(&gpu), "memory"))
        return;
    gpu_draw(&gpu, all, 3, false, false);
    scan_out(host, &gpu, "XR24", true);
    for (unsigned i = 0; i < 20; i++) {
        gpu_draw(&gpu, part, 4 + i, false, false);
        draw(host, part, 100 + i);
    }
    TAP_OK(host_wait_cookie(host, 119) && host_count_cookies(host) == 20,
           "twenty draws are answered though nobody looks");
    TAP_OK(viewer_init(&viewer, host) && viewer_shows(&viewer, part, 23) &&
               viewer_has(&viewer, (SpiceRect){0, 0, 10, WIDTH}, 3),
           "who comes sees the last");
    viewer_clear(&viewer);
    host_free(host);
    gpu_clear(&gpu);
}

/** A client that does not read holds up nothing. */
static void test_client_that_stalls(void)
{
    Host *host = host_new();
    Viewer viewer;
    Gpu gpu;
    bool answered = true;

    if (!TAP_OK(gpu_init(&gpu) && viewer_init(&viewer, host), "a client that does not read"))
        return;
    scan_out(host, &gpu, "XR24", true);
    for (unsigned i = 0; i < 300 && answered; i++) {
        gpu_draw(&gpu, all, i, false, false);
        draw(host, all, i);
        answered = host_wait_cookie(host, i);
    }
    TAP_OK(answered && host_count_cookies(host) == 300, "300 draws are answered all the same");
    TAP_OK(viewer_shows(&viewer, all, 299), "and then it sees the last");
    viewer_clear(&viewer);
    host_free(host);
    gpu_clear(&gpu);
}

static void test_what_cannot_be(void)
{
    static const struct {
        const char *what;
        uint32_t width, height, stride;
        const char *format;
    } bad[] = {
        {"no width", 0, HEIGHT, STRIDE, "XR24"},
        {"no height", WIDTH, 0, STRIDE, "XR24"},
        {"a row that is too short", WIDTH, HEIGHT, 4 * WIDTH - 1, "XR24"},
        {"more rows than there are", WIDTH, HEIGHT + 1, STRIDE, "XR24"},
        {"huge sizes", UINT32_MAX, UINT32_MAX, UINT32_MAX, "XR24"},
        {"a huge stride", WIDTH, HEIGHT, UINT32_MAX, "XR24"},
        {"another format", WIDTH, HEIGHT, STRIDE, "NV12"},
    };
    static const SpiceRect beside = {HEIGHT, WIDTH, HEIGHT + 5, WIDTH + 5};
    Host *host = host_new();
    uint64_t cookie = 1;
    Viewer viewer;
    Gpu gpu;
    int pipes[2];

    host_create_primary(host, PRIMARY, PRIMARY);
    if (!TAP_OK(gpu_init(&gpu) && viewer_init(&viewer, host) && pipe(pipes) == 0, "a client"))
        return;
    draw(host, all, cookie);
    TAP_OK(host_wait_cookie(host, cookie++), "a draw without a picture is answered");
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        spice_qxl_gl_scanout(&host->qxl, dup(gpu.fd), bad[i].width, bad[i].height, bad[i].stride,
                             fourcc(bad[i].format), 1);
        draw(host, all, cookie);
        TAP_OK(host_wait_cookie(host, cookie++), "%s: answered", bad[i].what);
    }
    spice_qxl_gl_scanout(&host->qxl, dup(pipes[0]), WIDTH, HEIGHT, STRIDE, fourcc("XR24"), 1);
    draw(host, all, cookie);
    TAP_OK(host_wait_cookie(host, cookie++), "a pipe: answered");
    TAP_OK(viewer_shows_size(&viewer, PRIMARY, PRIMARY), "the primary surface is shown");
    gpu_draw(&gpu, all, 9, false, false);
    scan_out(host, &gpu, "XR24", true);
    draw(host, beside, cookie);
    TAP_OK(host_wait_cookie(host, cookie++), "a draw beside the picture is answered");
    draw(host, (SpiceRect){0, 0, INT32_MAX, INT32_MAX}, cookie);
    TAP_OK(host_wait_cookie(host, cookie++), "so is one that goes beyond it");
    TAP_OK(viewer_shows(&viewer, all, 9), "a good picture is shown");
    TAP_OK(host_is_well(host) && host_count_cookies(host) == cookie - 1, "all is well");
    close(pipes[0]);
    close(pipes[1]);
    viewer_clear(&viewer);
    host_free(host);
    gpu_clear(&gpu);
}

int main(void)
{
    test_picture("XR24", true);
    test_picture("AB24", false);
    test_nobody_looks();
    test_client_that_stalls();
    test_what_cannot_be();
    return tap_done();
}
