/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

/* So many are done before the host's other business gets its turn. */
enum { MAX_TASKS = 256 };

typedef struct {
    void (*func)(gpointer data);
    gpointer data;
    GDestroyNotify destroy;
} Task;

struct HostLoop {
    const SpiceCoreInterface *core;
    SpiceWatch *watch;
    int fd;
    GMutex lock;
    GQueue tasks; /* under lock */
};

static void task_free(gpointer data)
{
    Task *task = data;

    if (task->destroy)
        task->destroy(task->data);
    g_free(task);
}

static Task *take_task(HostLoop *self)
{
    Task *task;

    g_mutex_lock(&self->lock);
    task = g_queue_pop_head(&self->tasks);
    g_mutex_unlock(&self->lock);
    return task;
}

static void wake(HostLoop *self)
{
    const guint64 one = 1;

    /* The counter cannot overflow: it is read before it is written again. */
    if (write(self->fd, &one, sizeof one) < 0)
        g_warning("the host's main loop cannot be woken");
}

static void on_readable(int fd, int event, void *opaque)
{
    HostLoop *self = opaque;
    guint64 count;
    gboolean more;
    Task *task;
    guint n;

    if (read(fd, &count, sizeof count) < 0)
        return;
    for (n = 0; n < MAX_TASKS && (task = take_task(self)); n++) {
        task->func(task->data);
        task_free(task);
    }
    g_mutex_lock(&self->lock);
    more = !g_queue_is_empty(&self->tasks);
    g_mutex_unlock(&self->lock);
    /* The host gets its turn, however many there are. */
    if (more)
        wake(self);
}

void host_loop_flush(HostLoop *self)
{
    Task *task;

    while ((task = take_task(self))) {
        task->func(task->data);
        task_free(task);
    }
}

HostLoop *host_loop_new(const SpiceCoreInterface *core)
{
    HostLoop *self = g_new0(HostLoop, 1);

    self->core = core;
    self->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->fd < 0) {
        g_free(self);
        return NULL;
    }
    g_mutex_init(&self->lock);
    g_queue_init(&self->tasks);
    self->watch = core->watch_add(self->fd, SPICE_WATCH_EVENT_READ, on_readable, self);
    return self;
}

void host_loop_free(HostLoop *self)
{
    if (!self)
        return;
    if (self->watch)
        self->core->watch_remove(self->watch);
    close(self->fd);
    g_queue_clear_full(&self->tasks, task_free);
    g_mutex_clear(&self->lock);
    g_free(self);
}

void host_loop_post(HostLoop *self, void (*func)(gpointer data), gpointer data,
                    GDestroyNotify destroy)
{
    const Task task = {func, data, destroy};
    gboolean first;

    g_mutex_lock(&self->lock);
    first = g_queue_is_empty(&self->tasks);
    g_queue_push_tail(&self->tasks, g_memdup2(&task, sizeof task));
    g_mutex_unlock(&self->lock);
    if (first)
        wake(self);
}
