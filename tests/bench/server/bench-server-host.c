/* A VM host with a QXL device on which somebody works, for measuring servers: it uses the public
 * interface only, so that it runs on ours and on others' libspice-server.so.1.
 *
 *     bench-server-host PORT SECONDS
 *
 * waits for a viewer, then types, scrolls, works in windows and shows a film, so many seconds each,
 * and prints a line for each: name, processor seconds of this process, bytes sent to clients,
 * resident KiB, commands, the longest that a command was held in ms. With 0 seconds it only answers
 * keys, each with a draw, until the viewer goes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* the kernel's, whose struct is longer than that of the C library */
#include <linux/tcp.h>

#include "server/embed/spice.h"

/* After a viewer came; servers make keys for its next links meanwhile. */
enum { SETTLE_US = 5000000 };

enum { WIDTH = 1280, HEIGHT = 800, MAX_COMMANDS = 512, MAX_WATCHES = 64, LINE = 16, GLYPH = 8 };

static int64_t now_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

/* The main loop */

struct SpiceWatch {
    int fd, events;
    SpiceWatchFunc func;
    void *opaque;
    bool used;
};

struct SpiceTimer {
    SpiceTimerFunc func;
    void *opaque;
    int64_t due; /* 0: stopped */
    bool used;
};

static struct SpiceWatch *watches[MAX_WATCHES];
static struct SpiceTimer *timers[MAX_WATCHES];

static SpiceWatch *watch_add(int fd, int event_mask, SpiceWatchFunc func, void *opaque)
{
    for (unsigned i = 0; i < MAX_WATCHES; i++) {
        if (watches[i])
            continue;
        watches[i] = calloc(1, sizeof **watches);
        *watches[i] = (struct SpiceWatch){fd, event_mask, func, opaque, true};
        return watches[i];
    }
    abort();
}

static void watch_update_mask(SpiceWatch *watch, int event_mask)
{
    watch->events = event_mask;
}

static void watch_remove(SpiceWatch *watch)
{
    watch->used = false;
}

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    for (unsigned i = 0; i < MAX_WATCHES; i++) {
        if (timers[i])
            continue;
        timers[i] = calloc(1, sizeof **timers);
        *timers[i] = (struct SpiceTimer){func, opaque, 0, true};
        return timers[i];
    }
    abort();
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
    timer->due = now_us() + (int64_t)ms * 1000;
}

static void timer_cancel(SpiceTimer *timer)
{
    timer->due = 0;
}

static void timer_remove(SpiceTimer *timer)
{
    if (timer)
        timer->used = false;
}

static unsigned n_displays; /* channels of viewers */
static bool viewer_left;

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    if (info->type != SPICE_CHANNEL_DISPLAY)
        return;
    if (event == SPICE_CHANNEL_EVENT_INITIALIZED)
        n_displays++;
    else if (event == SPICE_CHANNEL_EVENT_DISCONNECTED)
        viewer_left = true;
}

static SpiceCoreInterface core = {
    .base = {"core", "bench", SPICE_INTERFACE_CORE_MAJOR, SPICE_INTERFACE_CORE_MINOR},
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
    .watch_add = watch_add,
    .watch_update_mask = watch_update_mask,
    .watch_remove = watch_remove,
    .channel_event = channel_event,
};

static void sweep(void)
{
    for (unsigned i = 0; i < MAX_WATCHES; i++) {
        if (watches[i] && !watches[i]->used) {
            free(watches[i]);
            watches[i] = NULL;
        }
        if (timers[i] && !timers[i]->used) {
            free(timers[i]);
            timers[i] = NULL;
        }
    }
}

/** Runs until `end`, or something was done. */
static void run_once(int64_t end)
{
    struct pollfd fds[MAX_WATCHES];
    struct SpiceWatch *of[MAX_WATCHES];
    unsigned n = 0, i;
    int64_t wait;

    sweep();
    for (i = 0; i < MAX_WATCHES; i++) {
        if (timers[i] && timers[i]->due && timers[i]->due < end)
            end = timers[i]->due;
        if (!watches[i] || !watches[i]->events)
            continue;
        of[n] = watches[i];
        fds[n++] = (struct pollfd){
            watches[i]->fd,
            (short)((watches[i]->events & 1 ? POLLIN : 0) | (watches[i]->events & 2 ? POLLOUT : 0)),
            0};
    }
    wait = end - now_us();
    poll(fds, n, wait > 0 ? (int)((wait + 999) / 1000) : 0);
    for (i = 0; i < n; i++) {
        if (fds[i].revents & (POLLIN | POLLERR | POLLHUP) && of[i]->used && of[i]->events & 1)
            of[i]->func(of[i]->fd, SPICE_WATCH_EVENT_READ, of[i]->opaque);
        if (fds[i].revents & (POLLOUT | POLLERR | POLLHUP) && of[i]->used && of[i]->events & 2)
            of[i]->func(of[i]->fd, SPICE_WATCH_EVENT_WRITE, of[i]->opaque);
    }
    for (i = 0; i < MAX_WATCHES; i++) {
        if (!timers[i] || !timers[i]->used || !timers[i]->due || timers[i]->due > now_us())
            continue;
        timers[i]->due = 0;
        timers[i]->func(timers[i]->opaque);
    }
}

static void run_until(int64_t end)
{
    while (now_us() < end)
        run_once(end);
}

/* Commands */

typedef struct {
    QXLDrawable drawable; /* first: its release_info is what comes back */
    QXLImage image;
    int64_t made;
    uint32_t pixels[];
} Draw;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Draw *ring[MAX_COMMANDS];
static unsigned first, n_ring, n_commands, n_dropped;
static int64_t longest_held;
static QXLInstance qxl;
static uint64_t n_images;

static Draw *draw_new(uint8_t type, int x, int y, int width, int height, bool has_pixels)
{
    const size_t size = has_pixels ? (size_t)width * (size_t)height * 4 : 0;
    Draw *self = calloc(1, sizeof *self + size);
    QXLDrawable *drawable = &self->drawable;

    drawable->release_info.id = (uintptr_t)self;
    drawable->type = type;
    drawable->effect = QXL_EFFECT_OPAQUE;
    drawable->bbox = (QXLRect){y, x, y + height, x + width};
    for (unsigned i = 0; i < 3; i++)
        drawable->surfaces_dest[i] = -1;
    self->made = now_us();
    if (has_pixels) {
        self->image.descriptor.id = ++n_images << 32 | 1;
        self->image.descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
        self->image.descriptor.width = (uint32_t)width;
        self->image.descriptor.height = (uint32_t)height;
        self->image.bitmap.format = SPICE_BITMAP_FMT_32BIT;
        self->image.bitmap.flags = QXL_BITMAP_DIRECT | QXL_BITMAP_TOP_DOWN;
        self->image.bitmap.x = (uint32_t)width;
        self->image.bitmap.y = (uint32_t)height;
        self->image.bitmap.stride = (uint32_t)width * 4;
        self->image.bitmap.data = (uintptr_t)self->pixels;
        drawable->u.copy.src_bitmap = (uintptr_t)&self->image;
        drawable->u.copy.src_area = (QXLRect){0, 0, height, width};
        drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
    }
    return self;
}

static void push(Draw *draw)
{
    pthread_mutex_lock(&lock);
    if (n_ring < MAX_COMMANDS) {
        ring[(first + n_ring++) % MAX_COMMANDS] = draw;
        draw = NULL;
        n_commands++;
    } else {
        n_dropped++;
    }
    pthread_mutex_unlock(&lock);
    free(draw);
}

static void push_fill(int x, int y, int width, int height, uint32_t color)
{
    Draw *draw = draw_new(QXL_DRAW_FILL, x, y, width, height, false);

    draw->drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
    draw->drawable.u.fill.brush.u.color = color;
    draw->drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
    push(draw);
}

static int get_command(QXLInstance *instance, struct QXLCommandExt *command)
{
    Draw *draw = NULL;

    pthread_mutex_lock(&lock);
    if (n_ring > 0) {
        draw = ring[first];
        first = (first + 1) % MAX_COMMANDS;
        n_ring--;
    }
    pthread_mutex_unlock(&lock);
    if (!draw)
        return 0;
    memset(command, 0, sizeof *command);
    command->cmd.type = QXL_CMD_DRAW;
    command->cmd.data = (uintptr_t)draw;
    return 1;
}

static int req_cmd_notification(QXLInstance *instance)
{
    int armed;

    pthread_mutex_lock(&lock);
    armed = n_ring == 0;
    pthread_mutex_unlock(&lock);
    return armed;
}

static void release_resource(QXLInstance *instance, struct QXLReleaseInfoExt info)
{
    Draw *draw = (Draw *)(uintptr_t)info.info->id;
    const int64_t held = now_us() - draw->made;

    pthread_mutex_lock(&lock);
    if (held > longest_held)
        longest_held = held;
    pthread_mutex_unlock(&lock);
    free(draw);
}

static int get_cursor_command(QXLInstance *instance, struct QXLCommandExt *command)
{
    return 0;
}

static int req_cursor_notification(QXLInstance *instance)
{
    return 1;
}

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
    *info = (QXLDevInitInfo){2, 8, 8, 8, 16 << 20, 0, 1024};
}

static void attached_worker(QXLInstance *instance, QXLWorker *worker)
{
}

static void set_compression_level(QXLInstance *instance, int level)
{
}

static void notify_update(QXLInstance *instance, uint32_t id)
{
}

static int flush_resources(QXLInstance *instance)
{
    return 0;
}

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
}

static void update_area_complete(QXLInstance *instance, uint32_t surface_id, struct QXLRect *rects,
                                 uint32_t n)
{
}

static void set_client_capabilities(QXLInstance *instance, uint8_t present, uint8_t caps[58])
{
}

static int client_monitors_config(QXLInstance *instance, VDAgentMonitorsConfig *monitors)
{
    return 0;
}

static const QXLInterface qxl_interface = {
    .base = {SPICE_INTERFACE_QXL, "bench", SPICE_INTERFACE_QXL_MAJOR, SPICE_INTERFACE_QXL_MINOR},
    .attached_worker = attached_worker,
    .set_compression_level = set_compression_level,
    .get_init_info = get_init_info,
    .get_command = get_command,
    .req_cmd_notification = req_cmd_notification,
    .release_resource = release_resource,
    .get_cursor_command = get_cursor_command,
    .req_cursor_notification = req_cursor_notification,
    .notify_update = notify_update,
    .flush_resources = flush_resources,
    .async_complete = async_complete,
    .update_area_complete = update_area_complete,
    .set_client_capabilities = set_client_capabilities,
    .client_monitors_config = client_monitors_config,
};

/* What is drawn */

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/** A letter, or what looks like one from afar. */
static void paint_glyph(uint32_t *pixels, int stride, uint32_t letter)
{
    for (int y = 0; y < LINE; y++)
        for (int x = 0; x < GLYPH; x++) {
            const bool inside = y > 2 && y < 13 && x > 0 && x < 7;
            const bool ink = inside && (((letter * 2654435761u) >> ((y / 2 * 3 + x / 2) % 29)) & 1);

            pixels[y * stride + x] = ink ? 0x202020 : 0xffffff;
        }
}

static void push_letter(int x, int y)
{
    Draw *draw = draw_new(QXL_DRAW_COPY, x, y, GLYPH, LINE, true);

    paint_glyph(draw->pixels, GLYPH, 1 + random_below(60));
    push(draw);
}

static void push_text(int x, int y, int width, int height)
{
    Draw *draw = draw_new(QXL_DRAW_COPY, x, y, width, height, true);

    for (int i = 0; i < width * height; i++)
        draw->pixels[i] = 0xffffff;
    for (int row = 0; row + LINE <= height; row += LINE)
        for (int column = 0; column + GLYPH <= width; column += GLYPH)
            if (random_below(6) != 0)
                paint_glyph(draw->pixels + row * width + column, width, 1 + random_below(60));
    push(draw);
}

static int column, row;

static void type_letter(void)
{
    push_letter(column * GLYPH, row * LINE);
    column++;
    if (column == WIDTH / GLYPH) {
        column = 0;
        row = (row + 1) % (HEIGHT / LINE);
    }
    push_fill(column * GLYPH, row * LINE + 13, GLYPH, 2, 0);
}

static void scroll(void)
{
    Draw *draw = draw_new(QXL_COPY_BITS, 0, 0, WIDTH, HEIGHT - LINE, false);

    draw->drawable.u.copy_bits.src_pos = (QXLPoint){0, LINE};
    push(draw);
    push_text(0, HEIGHT - LINE, WIDTH, LINE);
}

/** A window comes up: frame, title with a gradient, text. */
static void open_window(void)
{
    const int width = 400, height = 320;
    const int x = (int)random_below(WIDTH - width), y = (int)random_below(HEIGHT - height);
    Draw *title = draw_new(QXL_DRAW_COPY, x + 1, y + 1, width - 2, 24, true);

    push_fill(x, y, width, height, 0x808080);
    for (int i = 0; i < 24; i++)
        for (int k = 0; k < width - 2; k++)
            title->pixels[i * (width - 2) + k] =
                0x3060a0 + (uint32_t)(k / 8) * 0x010101 + (uint32_t)i * 0x000100;
    push(title);
    push_text(x + 1, y + 25, width - 2, height - 26);
}

/** Frames with soft shapes that move and the noise of a camera. */
static void show_frame(unsigned n)
{
    const int width = 640, height = 360;
    Draw *draw = draw_new(QXL_DRAW_COPY, 320, 200, width, height, true);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int dx = x - 320 - (int)(n * 7 % 200) + 100, dy = y - 180;
            const uint32_t ball = (uint32_t)(dx * dx + dy * dy) / 300;
            const uint32_t noise = (seed = seed * 1664525u + 1013904223u) >> 29;
            const uint32_t r = (ball < 255 ? 255 - ball : 0) / 2 + 60 + noise;
            const uint32_t g = (uint32_t)(x + (int)n * 3) % 512 / 4 + 40 + noise;
            const uint32_t b = (uint32_t)(y * 2 + (int)n) % 1024 / 8 + 50 + noise;

            draw->pixels[y * width + x] = r << 16 | g << 8 | b;
        }
    push(draw);
}

/* What is measured */

static double processor_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/** Of the host's own work on pictures, which is not to count. */
static double own_seconds(void)
{
    struct timespec at;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/** Bytes that went out on all TCP connections of this process. */
static unsigned long long bytes_sent(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned long long sum = 0;
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;

        if (getsockopt(atoi(entry->d_name), IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            sum += info.tcpi_bytes_sent;
    }
    if (folder)
        closedir(folder);
    return sum;
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long value = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &value) == 1)
            break;
    if (file)
        fclose(file);
    return value;
}

static double painting; /* seconds of this thread spent in making pictures */

static void step(unsigned workload, unsigned n)
{
    const double begin = own_seconds();

    switch (workload) {
    case 0:
        type_letter();
        break;
    case 1:
        scroll();
        break;
    case 2:
        open_window();
        break;
    default:
        show_frame(n);
        break;
    }
    painting += own_seconds() - begin;
    spice_qxl_wakeup(&qxl);
}

static void work(unsigned workload, const char *name, int period_ms, int seconds)
{
    const unsigned long long bytes = bytes_sent();
    const double begin = processor_seconds();
    const int64_t end = now_us() + (int64_t)seconds * 1000000;
    int64_t next = now_us();

    painting = 0;
    pthread_mutex_lock(&lock);
    n_commands = n_dropped = 0;
    longest_held = 0;
    pthread_mutex_unlock(&lock);
    for (unsigned n = 0; now_us() < end && !viewer_left; n++) {
        step(workload, n);
        next += period_ms * 1000;
        run_until(next < end ? next : end);
    }
    pthread_mutex_lock(&lock);
    printf("%s %.4f %llu %ld %u %.1f %u\n", name, processor_seconds() - begin - painting,
           bytes_sent() - bytes, resident_kib(), n_commands, (double)longest_held / 1000,
           n_dropped);
    pthread_mutex_unlock(&lock);
    fflush(stdout);
}

static void push_scan_freg(SpiceKbdInstance *sin, uint8_t frag)
{
    if (frag & 0x80)
        return;
    type_letter();
    spice_qxl_wakeup(&qxl);
}

static uint8_t get_leds(SpiceKbdInstance *sin)
{
    return 0;
}

static const SpiceKbdInterface keyboard_interface = {
    {SPICE_INTERFACE_KEYBOARD, "bench", 1, 1}, push_scan_freg, get_leds};

static SpiceServer *start(int port)
{
    static SpiceKbdInstance keyboard;
    QXLDevMemSlot slot = {.virt_end = UINTPTR_MAX};
    QXLDevSurfaceCreate surface = {.width = WIDTH,
                                   .height = HEIGHT,
                                   .stride = -4 * WIDTH,
                                   .format = SPICE_SURFACE_FMT_32_xRGB,
                                   .mouse_mode = 1,
                                   .mem = (uintptr_t)calloc(WIDTH * HEIGHT, 4)};
    SpiceServer *server = spice_server_new();

    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_port(server, port);
    spice_server_set_noauth(server);
    if (spice_server_init(server, &core) != 0)
        exit(1);
    keyboard.base.sif = &keyboard_interface.base;
    qxl.base.sif = &qxl_interface.base;
    spice_server_add_interface(server, &keyboard.base);
    spice_server_add_interface(server, &qxl.base);
    spice_qxl_add_memslot(&qxl, &slot);
    spice_qxl_create_primary_surface(&qxl, 0, &surface);
    spice_server_vm_start(server);
    push_fill(0, 0, WIDTH, HEIGHT, 0xffffff);
    spice_qxl_wakeup(&qxl);
    return server;
}

int main(int argc, char **argv)
{
    const int seconds = argc == 3 ? atoi(argv[2]) : 0;

    if (argc != 3)
        return 2;
    start(atoi(argv[1]));
    printf("ready\n");
    fflush(stdout);
    while (n_displays == 0)
        run_once(now_us() + 100000);
    run_until(now_us() + SETTLE_US);
    if (seconds > 0) {
        work(0, "typing", 50, seconds);
        work(1, "scrolling", 50, seconds);
        work(2, "office", 200, seconds);
        work(3, "video", 40, seconds);
    }
    while (seconds == 0 && !viewer_left)
        run_once(now_us() + 100000);
    _exit(0);
}
