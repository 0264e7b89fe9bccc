/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm-host.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_COMMANDS = 512, MAX_WATCHES = 64 };

int64_t vm_now_us(void)
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
    timer->due = vm_now_us() + (int64_t)ms * 1000;
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

unsigned vm_n_displays;
bool vm_viewer_left;

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    if (info->type != SPICE_CHANNEL_DISPLAY)
        return;
    if (event == SPICE_CHANNEL_EVENT_INITIALIZED)
        vm_n_displays++;
    else if (event == SPICE_CHANNEL_EVENT_DISCONNECTED)
        vm_viewer_left = true;
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
void vm_run_once(int64_t end)
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
    wait = end - vm_now_us();
    poll(fds, n, wait > 0 ? (int)((wait + 999) / 1000) : 0);
    for (i = 0; i < n; i++) {
        if (fds[i].revents & (POLLIN | POLLERR | POLLHUP) && of[i]->used && of[i]->events & 1)
            of[i]->func(of[i]->fd, SPICE_WATCH_EVENT_READ, of[i]->opaque);
        if (fds[i].revents & (POLLOUT | POLLERR | POLLHUP) && of[i]->used && of[i]->events & 2)
            of[i]->func(of[i]->fd, SPICE_WATCH_EVENT_WRITE, of[i]->opaque);
    }
    for (i = 0; i < MAX_WATCHES; i++) {
        if (!timers[i] || !timers[i]->used || !timers[i]->due || timers[i]->due > vm_now_us())
            continue;
        timers[i]->due = 0;
        timers[i]->func(timers[i]->opaque);
    }
}

void vm_run_until(int64_t end)
{
    while (vm_now_us() < end)
        vm_run_once(end);
}

/* Commands */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VmDraw *ring[MAX_COMMANDS];
static unsigned first, n_ring;
static VmCounters counters; /* under lock */
static QXLInstance qxl;
static void (*on_key)(void);
static uint64_t n_images;

VmDraw *vm_draw_new(uint8_t type, int x, int y, int width, int height, bool has_pixels)
{
    const size_t size = has_pixels ? (size_t)width * (size_t)height * 4 : 0;
    VmDraw *self = calloc(1, sizeof *self + size);
    QXLDrawable *drawable = &self->drawable;

    drawable->release_info.id = (uintptr_t)self;
    drawable->type = type;
    drawable->effect = QXL_EFFECT_OPAQUE;
    drawable->bbox = (QXLRect){y, x, y + height, x + width};
    for (unsigned i = 0; i < 3; i++)
        drawable->surfaces_dest[i] = -1;
    self->made = vm_now_us();
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

void vm_push(VmDraw *draw)
{
    pthread_mutex_lock(&lock);
    if (n_ring < MAX_COMMANDS) {
        ring[(first + n_ring++) % MAX_COMMANDS] = draw;
        draw = NULL;
        counters.commands++;
    } else {
        counters.dropped++;
    }
    pthread_mutex_unlock(&lock);
    free(draw);
}

void vm_push_fill(int x, int y, int width, int height, uint32_t color)
{
    VmDraw *draw = vm_draw_new(QXL_DRAW_FILL, x, y, width, height, false);

    draw->drawable.u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
    draw->drawable.u.fill.brush.u.color = color;
    draw->drawable.u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
    vm_push(draw);
}

static int get_command(QXLInstance *instance, struct QXLCommandExt *command)
{
    VmDraw *draw = NULL;

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
    VmDraw *draw = (VmDraw *)(uintptr_t)info.info->id;
    const int64_t held = vm_now_us() - draw->made;

    pthread_mutex_lock(&lock);
    if (held > counters.longest_held)
        counters.longest_held = held;
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

/* The machine */

VmCounters vm_take_counters(void)
{
    VmCounters taken;

    pthread_mutex_lock(&lock);
    taken = counters;
    counters = (VmCounters){0};
    pthread_mutex_unlock(&lock);
    return taken;
}

void vm_wake(void)
{
    spice_qxl_wakeup(&qxl);
}

static void push_scan_freg(SpiceKbdInstance *sin, uint8_t frag)
{
    if (frag & 0x80 || !on_key)
        return;
    on_key();
    vm_wake();
}

static uint8_t get_leds(SpiceKbdInstance *sin)
{
    return 0;
}

static const SpiceKbdInterface keyboard_interface = {
    {SPICE_INTERFACE_KEYBOARD, "bench", 1, 1}, push_scan_freg, get_leds};

void vm_start(int port, const char *codecs, void (*key)(void))
{
    static SpiceKbdInstance keyboard;
    QXLDevMemSlot slot = {.virt_end = UINTPTR_MAX};
    QXLDevSurfaceCreate surface = {.width = VM_WIDTH,
                                   .height = VM_HEIGHT,
                                   .stride = -4 * VM_WIDTH,
                                   .format = SPICE_SURFACE_FMT_32_xRGB,
                                   .mouse_mode = 1,
                                   .mem = (uintptr_t)calloc(VM_WIDTH * VM_HEIGHT, 4)};
    SpiceServer *server = spice_server_new();

    on_key = key;
    spice_server_set_addr(server, "127.0.0.1", 0);
    spice_server_set_port(server, port);
    spice_server_set_noauth(server);
    if (codecs && spice_server_set_video_codecs(server, codecs) != 0)
        exit(1);
    if (spice_server_init(server, &core) != 0)
        exit(1);
    keyboard.base.sif = &keyboard_interface.base;
    qxl.base.sif = &qxl_interface.base;
    spice_server_add_interface(server, &keyboard.base);
    spice_server_add_interface(server, &qxl.base);
    spice_qxl_add_memslot(&qxl, &slot);
    spice_qxl_create_primary_surface(&qxl, 0, &surface);
    spice_server_vm_start(server);
    vm_push_fill(0, 0, VM_WIDTH, VM_HEIGHT, 0xffffff);
    vm_wake();
}
