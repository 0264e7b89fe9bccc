/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-host.h"

#include <errno.h>
#include <poll.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* The main loop: one a process */

struct SpiceWatch {
    int fd, events;
    SpiceWatchFunc func;
    void *opaque;
    bool removed;
};

struct SpiceTimer {
    SpiceTimerFunc func;
    void *opaque;
    gint64 due; /* 0: stopped */
    bool removed;
};

static GPtrArray *watches, *timers;
static Host *the_host;

static void on_main(const Host *self)
{
    if (!pthread_equal(pthread_self(), self->main)) {
        fprintf(stderr, "a callback came on a wrong thread\n");
        abort();
    }
}

static SpiceWatch *watch_add(int fd, int event_mask, SpiceWatchFunc func, void *opaque)
{
    SpiceWatch *watch = g_new0(SpiceWatch, 1);

    *watch = (SpiceWatch){fd, event_mask, func, opaque, false};
    g_ptr_array_add(watches, watch);
    return watch;
}

static void watch_update_mask(SpiceWatch *watch, int event_mask)
{
    watch->events = event_mask;
}

static void watch_remove(SpiceWatch *watch)
{
    watch->removed = true;
}

static SpiceTimer *timer_add(SpiceTimerFunc func, void *opaque)
{
    SpiceTimer *timer = g_new0(SpiceTimer, 1);

    *timer = (SpiceTimer){func, opaque, 0, false};
    g_ptr_array_add(timers, timer);
    return timer;
}

static void timer_start(SpiceTimer *timer, uint32_t ms)
{
    timer->due = g_get_monotonic_time() + (gint64)ms * 1000;
}

static void timer_cancel(SpiceTimer *timer)
{
    timer->due = 0;
}

static void timer_remove(SpiceTimer *timer)
{
    timer->removed = true;
}

static void channel_event(int event, SpiceChannelEventInfo *info)
{
    on_main(the_host);
    if (event == SPICE_CHANNEL_EVENT_CONNECTED)
        the_host->connected++;
    else if (event == SPICE_CHANNEL_EVENT_INITIALIZED)
        the_host->initialized++;
    else if (event == SPICE_CHANNEL_EVENT_DISCONNECTED)
        the_host->disconnected++;
}

static SpiceCoreInterface core = {
    .base = {"core", "test", SPICE_INTERFACE_CORE_MAJOR, SPICE_INTERFACE_CORE_MINOR},
    .timer_add = timer_add,
    .timer_start = timer_start,
    .timer_cancel = timer_cancel,
    .timer_remove = timer_remove,
    .watch_add = watch_add,
    .watch_update_mask = watch_update_mask,
    .watch_remove = watch_remove,
    .channel_event = channel_event,
};

static void forget_removed(void)
{
    guint i;

    for (i = watches->len; i-- > 0;)
        if (((SpiceWatch *)watches->pdata[i])->removed)
            g_ptr_array_remove_index_fast(watches, i);
    for (i = timers->len; i-- > 0;)
        if (((SpiceTimer *)timers->pdata[i])->removed)
            g_ptr_array_remove_index_fast(timers, i);
}

static void run_timers(void)
{
    guint i;

    for (i = 0; i < timers->len; i++) {
        SpiceTimer *timer = timers->pdata[i];

        if (timer->removed || timer->due == 0 || timer->due > g_get_monotonic_time())
            continue;
        timer->due = 0;
        timer->func(timer->opaque);
    }
}

void host_run(Host *self, unsigned ms)
{
    struct pollfd fds[16];
    guint i, n;

    forget_removed();
    n = MIN(watches->len, G_N_ELEMENTS(fds));
    for (i = 0; i < n; i++) {
        const SpiceWatch *watch = watches->pdata[i];

        fds[i] = (struct pollfd){watch->fd,
                                 (short)((watch->events & SPICE_WATCH_EVENT_READ ? POLLIN : 0) |
                                         (watch->events & SPICE_WATCH_EVENT_WRITE ? POLLOUT : 0)),
                                 0};
    }
    poll(fds, n, (int)ms);
    for (i = 0; i < n; i++) {
        SpiceWatch *watch = watches->pdata[i];

        if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && !watch->removed)
            watch->func(watch->fd, SPICE_WATCH_EVENT_READ, watch->opaque);
        if (fds[i].revents & POLLOUT && !watch->removed)
            watch->func(watch->fd, SPICE_WATCH_EVENT_WRITE, watch->opaque);
    }
    run_timers();
    forget_removed();
}

bool host_run_until(Host *self, const unsigned *count, unsigned n)
{
    const gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (*count < n && g_get_monotonic_time() < end)
        host_run(self, 20);
    return *count >= n;
}

/* Input */

static void push_scan_freg(SpiceKbdInstance *sin, uint8_t frag)
{
    on_main(the_host);
    g_array_append_val(the_host->keys, frag);
}

static uint8_t get_leds(SpiceKbdInstance *sin)
{
    on_main(the_host);
    return 0;
}

static void mouse_motion(SpiceMouseInstance *sin, int dx, int dy, int dz, uint32_t buttons)
{
    on_main(the_host);
    the_host->motions++;
    the_host->last_x = dx;
    the_host->last_y = dy;
}

static void mouse_buttons(SpiceMouseInstance *sin, uint32_t buttons)
{
    on_main(the_host);
    the_host->buttons++;
}

static void set_logical_size(SpiceTabletInstance *sin, int width, int height)
{
    on_main(the_host);
    the_host->logical_width = width;
    the_host->logical_height = height;
}

static void position(SpiceTabletInstance *sin, int x, int y, uint32_t buttons)
{
    on_main(the_host);
    the_host->positions++;
    the_host->last_x = x;
    the_host->last_y = y;
}

static void wheel(SpiceTabletInstance *sin, int motion, uint32_t buttons)
{
    on_main(the_host);
    the_host->wheels++;
}

static void tablet_buttons(SpiceTabletInstance *sin, uint32_t buttons)
{
    on_main(the_host);
    the_host->buttons++;
}

static const SpiceKbdInterface keyboard_interface = {
    {SPICE_INTERFACE_KEYBOARD, "test", 1, 1}, push_scan_freg, get_leds};
static const SpiceMouseInterface mouse_interface = {
    {SPICE_INTERFACE_MOUSE, "test", 1, 1}, mouse_motion, mouse_buttons};
static const SpiceTabletInterface tablet_interface = {
    {SPICE_INTERFACE_TABLET, "test", 1, 1}, set_logical_size, position, wheel, tablet_buttons};

/* The device, on the worker's thread */

void host_lock(Host *self)
{
    pthread_mutex_lock(&self->lock);
}

void host_unlock(Host *self)
{
    pthread_mutex_unlock(&self->lock);
}

/** A callback of the worker begins: with the lock taken. */
static Host *enter(QXLInstance *qxl, bool only_running)
{
    Host *self = (Host *)qxl;

    host_lock(self);
    if (!self->worker_known) {
        self->worker = pthread_self();
        self->worker_known = true;
    }
    if (!pthread_equal(self->worker, pthread_self()) || pthread_equal(self->main, pthread_self()))
        self->wrong_thread++;
    if (only_running && self->stopped)
        self->late++;
    return self;
}

/** What 8 bytes at an address are, as the device should see it. */
static void *translate(const Host *self, uint32_t group, uint64_t address)
{
    const uint64_t id = address >> 56, generation = address >> 48 & 0xff;
    const uint64_t place = address & 0xffffffffffff;
    const HostSlot *slot;
    uint64_t at;

    if (group == 0)
        return id == 0 && generation == 0 ? (void *)(uintptr_t)place : NULL;
    if (group != 1 || id >= HOST_SLOTS)
        return NULL;
    slot = &self->slots[id];
    at = place + slot->delta;
    if (!slot->used || slot->generation != generation || at < slot->start || at > slot->end ||
        slot->end - at < 8)
        return NULL;
    return (void *)(uintptr_t)at;
}

/** Where in the cells something is; HOST_CELLS: not there. */
static size_t cell_of(const Host *self, const void *memory)
{
    const uint8_t *at = memory;

    if (at < self->memory || at >= self->memory + HOST_CELLS * HOST_CELL)
        return HOST_CELLS;
    return (size_t)(at - self->memory) / HOST_CELL;
}

static int pop(Host *self, HostRing *ring, QXLCommandExt *command, bool is_cursor)
{
    HostHeld held;
    size_t cell;

    if (ring->n == 0)
        return 0;
    *command = ring->commands[ring->first];
    cell = ring->cells[ring->first];
    ring->first = (ring->first + 1) % HOST_RING;
    ring->n--;
    self->popped++;
    held = (HostHeld){translate(self, command->group_id, command->cmd.data), command->group_id};
    if (is_cursor
            ? command->cmd.type != QXL_CMD_CURSOR
            : command->cmd.type != QXL_CMD_DRAW && command->cmd.type != QXL_CMD_UPDATE &&
                  command->cmd.type != QXL_CMD_MESSAGE && command->cmd.type != QXL_CMD_SURFACE)
        held.memory = NULL;
    if (held.memory)
        g_array_append_val(self->held, held);
    if (cell < HOST_CELLS && cell_of(self, held.memory) != cell)
        self->cell_used[cell] = false; /* it will not come back */
    pthread_cond_broadcast(&self->changed);
    return 1;
}

static int get_command(QXLInstance *qxl, QXLCommandExt *command)
{
    Host *self = enter(qxl, true);
    const int n = pop(self, &self->ring, command, false);

    host_unlock(self);
    return n;
}

static int get_cursor_command(QXLInstance *qxl, QXLCommandExt *command)
{
    Host *self = enter(qxl, true);
    const int n = pop(self, &self->cursor_ring, command, true);

    host_unlock(self);
    return n;
}

static int req_cmd_notification(QXLInstance *qxl)
{
    Host *self = enter(qxl, true);
    const int armed = self->ring.n == 0;

    host_unlock(self);
    return armed;
}

static int req_cursor_notification(QXLInstance *qxl)
{
    Host *self = enter(qxl, true);
    const int armed = self->cursor_ring.n == 0;

    host_unlock(self);
    return armed;
}

static void release_resource(QXLInstance *qxl, QXLReleaseInfoExt info)
{
    /* The surfaces of a stopped guest may go, and are given back then. */
    Host *self = enter(qxl, false);
    const size_t cell = cell_of(self, info.info);
    guint i;

    for (i = 0; i < self->held->len; i++) {
        const HostHeld *held = &g_array_index(self->held, HostHeld, i);

        if (held->memory == (void *)info.info && held->group == info.group_id)
            break;
    }
    if (i == self->held->len) {
        self->bad_releases++;
    } else {
        g_array_remove_index_fast(self->held, i);
        self->released++;
    }
    if (cell < HOST_CELLS) {
        if (self->poison)
            ASAN_POISON_MEMORY_REGION(self->memory + cell * HOST_CELL, HOST_CELL);
        self->cell_used[cell] = false;
    }
    pthread_cond_broadcast(&self->changed);
    host_unlock(self);
}

static void notify_update(QXLInstance *qxl, uint32_t update_id)
{
    Host *self = enter(qxl, true);

    self->updates++;
    pthread_cond_broadcast(&self->changed);
    host_unlock(self);
}

static int flush_resources(QXLInstance *qxl)
{
    Host *self = enter(qxl, true);

    self->flushes++;
    host_unlock(self);
    return 0;
}

static void async_complete(QXLInstance *qxl, uint64_t cookie)
{
    Host *self = enter(qxl, false);

    const unsigned stall_ms = self->stall_ms;

    g_array_append_val(self->cookies, cookie);
    pthread_cond_broadcast(&self->changed);
    host_unlock(self);
    g_usleep(stall_ms * 1000);
}

static void update_area_complete(QXLInstance *qxl, uint32_t surface_id, QXLRect *rects, uint32_t n)
{
    Host *self = enter(qxl, false);

    self->area_completes++;
    self->last_n_rects = n;
    if (n > 0)
        self->last_rect = rects[0];
    host_unlock(self);
}

static void set_client_capabilities(QXLInstance *qxl, uint8_t present, uint8_t caps[58])
{
    Host *self = enter(qxl, true);

    self->capabilities_told++;
    self->clients_present = present;
    self->client_caps0 = caps[0];
    host_unlock(self);
}

/* The device, on the main thread */

static void attached_worker(QXLInstance *qxl, QXLWorker *worker)
{
    Host *self = (Host *)qxl;

    on_main(self);
    /* A host may call from in here. */
    spice_qxl_add_memslot(qxl, &(QXLDevMemSlot){.virt_end = UINTPTR_MAX});
    host_add_slot(self, HOST_SLOT, 0, self->memory, (size_t)HOST_CELLS * HOST_CELL + HOST_SURFACES);
}

static void set_compression_level(QXLInstance *qxl, int level)
{
    on_main((Host *)qxl);
}

static void get_init_info(QXLInstance *qxl, QXLDevInitInfo *info)
{
    on_main((Host *)qxl);
    *info = (QXLDevInitInfo){2, HOST_SLOTS, 8, 8, 16 << 20, 0, 1024};
}

static int client_monitors_config(QXLInstance *qxl, VDAgentMonitorsConfig *monitors)
{
    Host *self = (Host *)qxl;

    on_main(self);
    if (self->takes_monitors && monitors) {
        self->monitors_told++;
        self->n_monitors = monitors->num_of_monitors;
    }
    return self->takes_monitors;
}

static const QXLInterface qxl_interface = {
    .base = {SPICE_INTERFACE_QXL, "test", SPICE_INTERFACE_QXL_MAJOR, SPICE_INTERFACE_QXL_MINOR},
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

/* Life */

void host_add_slot(Host *self, uint32_t id, uint32_t generation, void *start, size_t size)
{
    const uintptr_t at = (uintptr_t)start;

    self->slots[id] = (HostSlot){true, generation, at, at + size, at};
    spice_qxl_add_memslot(&self->qxl, &(QXLDevMemSlot){.slot_group_id = 1,
                                                       .slot_id = id,
                                                       .generation = generation,
                                                       .virt_start = at,
                                                       .virt_end = at + size,
                                                       .addr_delta = at});
}

void host_add_qxl(Host *self)
{
    host_lock(self);
    self->worker_known = false;
    host_unlock(self);
    self->qxl = (QXLInstance){.base.sif = &qxl_interface.base, .id = self->qxl.id};
    self->has_qxl = spice_server_add_interface(self->server, &self->qxl.base) == 0;
}

void host_remove_qxl(Host *self)
{
    spice_server_remove_interface(&self->qxl.base);
    self->has_qxl = false;
    /* What was not released is ours again: a device that goes takes all with it. */
    host_lock(self);
    g_array_set_size(self->held, 0);
    memset(self->cell_used, 0, sizeof self->cell_used);
    self->ring.n = self->cursor_ring.n = 0;
    host_unlock(self);
}

Host *host_new(void)
{
    Host *self = g_new0(Host, 1);

    watches = g_ptr_array_new_with_free_func(g_free);
    timers = g_ptr_array_new_with_free_func(g_free);
    the_host = self;
    self->main = pthread_self();
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->held = g_array_new(FALSE, FALSE, sizeof(HostHeld));
    self->cookies = g_array_new(FALSE, FALSE, sizeof(guint64));
    self->keys = g_array_new(FALSE, FALSE, 1);
    self->memory = mmap(NULL, (size_t)HOST_CELLS * HOST_CELL + HOST_SURFACES,
                        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    self->server = spice_server_new();
    spice_server_set_noauth(self->server);
    if (spice_server_init(self->server, &core) != 0)
        g_error("the server cannot begin");
    self->keyboard.base.sif = &keyboard_interface.base;
    self->mouse.base.sif = &mouse_interface.base;
    self->tablet.base.sif = &tablet_interface.base;
    spice_server_add_interface(self->server, &self->keyboard.base);
    spice_server_add_interface(self->server, &self->mouse.base);
    host_add_qxl(self);
    spice_server_vm_start(self->server);
    return self;
}

void host_free(Host *self)
{
    spice_server_destroy(self->server);
    ASAN_UNPOISON_MEMORY_REGION(self->memory, HOST_CELLS * HOST_CELL);
    munmap(self->memory, (size_t)HOST_CELLS * HOST_CELL + HOST_SURFACES);
    g_array_unref(self->held);
    g_array_unref(self->cookies);
    g_array_unref(self->keys);
    g_ptr_array_unref(watches);
    g_ptr_array_unref(timers);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    g_free(self);
}

/* The guest */

/** Waits, with the lock, for a change; false when `end` has come. */
static bool wait_until(Host *self, gint64 end)
{
    struct timespec at;
    gint64 left = end - g_get_monotonic_time();

    if (left <= 0)
        return false;
    clock_gettime(CLOCK_REALTIME, &at);
    left += at.tv_nsec / 1000;
    at.tv_sec += left / G_USEC_PER_SEC;
    at.tv_nsec = left % G_USEC_PER_SEC * 1000;
    pthread_cond_timedwait(&self->changed, &self->lock, &at);
    return true;
}

static size_t find_cell(const Host *self)
{
    size_t i;

    for (i = 0; i < HOST_CELLS; i++)
        if (!self->cell_used[i])
            return i;
    return HOST_CELLS;
}

GuestWriter host_begin(Host *self)
{
    size_t cell;

    host_lock(self);
    while ((cell = find_cell(self)) == HOST_CELLS) {
        host_unlock(self);
        spice_qxl_oom(&self->qxl);
        host_lock(self);
        if (find_cell(self) == HOST_CELLS)
            wait_until(self, g_get_monotonic_time() + 20000);
    }
    self->cell_used[cell] = true;
    self->last_cell = cell;
    ASAN_UNPOISON_MEMORY_REGION(self->memory + cell * HOST_CELL, HOST_CELL);
    host_unlock(self);
    return (GuestWriter){.memory = self->memory + cell * HOST_CELL,
                         .size = HOST_CELL,
                         .address = HOST_ADDRESS + cell * HOST_CELL};
}

void host_cancel(Host *self, const GuestWriter *writer)
{
    host_lock(self);
    self->cell_used[(size_t)(writer->memory - self->memory) / HOST_CELL] = false;
    host_unlock(self);
}

static bool push(Host *self, HostRing *ring, const QXLCommandExt *command)
{
    const gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    bool ok = true;

    host_lock(self);
    while (ring->n == HOST_RING && ok)
        ok = wait_until(self, end);
    if (ok) {
        ring->commands[(ring->first + ring->n) % HOST_RING] = *command;
        ring->cells[(ring->first + ring->n) % HOST_RING] = self->last_cell;
        ring->n++;
        self->last_cell = HOST_CELLS;
    }
    host_unlock(self);
    spice_qxl_wakeup(&self->qxl);
    return ok;
}

bool host_push(Host *self, uint32_t type, uint64_t address, uint32_t group, uint32_t flags)
{
    return push(self, &self->ring, &(QXLCommandExt){{address, type, 0}, group, flags});
}

bool host_push_cursor(Host *self, uint64_t address)
{
    return push(self, &self->cursor_ring, &(QXLCommandExt){{address, QXL_CMD_CURSOR, 0}, 1, 0});
}

static bool has_cookie(const Host *self, uint64_t cookie)
{
    guint i;

    for (i = 0; i < self->cookies->len; i++)
        if (g_array_index(self->cookies, guint64, i) == cookie)
            return true;
    return false;
}

bool host_wait_cookie(Host *self, uint64_t cookie)
{
    const gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    bool found;

    host_lock(self);
    while (!(found = has_cookie(self, cookie)) && wait_until(self, end))
        ;
    host_unlock(self);
    return found;
}

unsigned host_count_cookies(Host *self)
{
    unsigned n;

    host_lock(self);
    n = self->cookies->len;
    host_unlock(self);
    return n;
}

uint8_t *host_surface_memory(Host *self, size_t offset)
{
    return self->memory + (size_t)HOST_CELLS * HOST_CELL + offset;
}

uint64_t host_surface_address(size_t offset)
{
    return HOST_ADDRESS + (uint64_t)HOST_CELLS * HOST_CELL + offset;
}

void host_create_primary(Host *self, uint32_t width, uint32_t height)
{
    QXLDevSurfaceCreate surface = {.width = width,
                                   .height = height,
                                   .stride = (int32_t)(4 * width),
                                   .format = SPICE_SURFACE_FMT_32_xRGB,
                                   .mouse_mode = 1,
                                   .mem = host_surface_address(0),
                                   .group_id = 1};

    spice_qxl_create_primary_surface(&self->qxl, 0, &surface);
}

void host_update(Host *self, uint32_t surface, uint32_t width, uint32_t height)
{
    QXLRect area = {0, 0, (int32_t)height, (int32_t)width};

    spice_qxl_update_area(&self->qxl, surface, &area, NULL, 0, 0);
}

void host_fill(Host *self, uint32_t surface, SpiceRect rect, uint32_t color)
{
    SpiceMsgDisplayDrawFill fill = {
        .base = {.surface_id = surface, .box = rect},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = color},
        .rop = SPICE_ROPD_OP_PUT,
    };
    GuestWriter writer = host_begin(self);

    host_push(self, QXL_CMD_DRAW, guest_write_draw(&writer, SPICE_MSG_DISPLAY_DRAW_FILL, &fill), 1,
              0);
}

bool host_is_well(Host *self)
{
    bool well;

    host_lock(self);
    well = self->bad_releases == 0 && self->wrong_thread == 0 && self->late == 0;
    if (!well)
        printf("# bad releases %u, wrong threads %u, late calls %u\n", self->bad_releases,
               self->wrong_thread, self->late);
    host_unlock(self);
    return well;
}

unsigned host_held(Host *self)
{
    unsigned n;

    host_lock(self);
    n = self->held->len;
    host_unlock(self);
    return n;
}

int host_listen(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        exit(1);
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int host_connect(Host *self)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        g_error("no socket pair: %s", strerror(errno));
    if (spice_server_add_client(self->server, fds[0], 1) != 0) {
        close(fds[0]);
        close(fds[1]);
        return -1;
    }
    return fds[1];
}
