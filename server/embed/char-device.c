/* The host's character devices: agent, USB, ports, card readers.
 *
 *     host: write, event, state  <--- pump() --- GstSpiceDevice --- the session's I/O thread
 *     host: wakeup, read         ---> pump() ---
 *
 * A host has bytes to read while it calls spice_server_char_device_wakeup(), and only then: so
 * that call pumps at once, on its thread. All else comes by the host's main loop.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include <string.h>

#include "session/device.h"

/* What is moved either way before the host's other business gets its turn; how soon a device that
 * has no room is asked again, if it does not say itself when it has. */
enum { READ_SIZE = 32 << 10, MAX_A_TURN = 1 << 20, RETRY_MS = 100 };

/* The port that a guest's streaming agent opens. */
#define STREAM_PORT "org.spice-space.stream.0"

struct SpiceCharDeviceState {
    gatomicrefcount refs; /* one the host's, others of tasks in its loop */
    SpiceServer *server;
    SpiceCharDeviceInstance *instance; /* NULL: removed */
    GstSpiceDevice *device;
    guint connection; /* that the host was told of; 0: none */
    gboolean pumping, reading, again;
    SpiceTimer *retry; /* NULL: not needed so far */
    gint task_posted;  /* atomic */
    guint8 buffer[READ_SIZE];
};

static const SpiceCharDeviceInterface *interface_of(const SpiceCharDeviceState *self)
{
    return SPICE_UPCAST(SpiceCharDeviceInterface, self->instance->base.sif);
}

/** Whether the host's interface is new enough for a field of it. */
static gboolean has_minor(const SpiceCharDeviceState *self, guint32 minor)
{
    return self->instance->base.sif->minor_version >= minor;
}

static void state_unref(gpointer data)
{
    SpiceCharDeviceState *self = data;

    if (g_atomic_ref_count_dec(&self->refs))
        g_free(self);
}

/* Pumping, on the host's thread */

static void tell_state(SpiceCharDeviceState *self, gboolean connected)
{
    if (interface_of(self)->state)
        interface_of(self)->state(self->instance, connected);
}

/** Tells the host of clients that came and went. */
static void follow_connection(SpiceCharDeviceState *self)
{
    const guint connection = gst_spice_device_get_connection(self->device);

    if (connection == self->connection)
        return;
    if (self->device == self->server->agent) /* it broke the protocol: it moves no pointer either */
        spice_host_update_mouse(self->server);
    if (self->connection) {
        self->connection = 0;
        tell_state(self, FALSE);
    }
    if (self->instance && connection) {
        self->connection = connection;
        tell_state(self, TRUE);
    }
}

static void tell_events(SpiceCharDeviceState *self)
{
    guint8 event;

    while (self->instance && gst_spice_device_take_event(self->device, self->connection, &event))
        if (has_minor(self, 2) && interface_of(self)->event)
            interface_of(self)->event(self->instance, event);
}

static void pump(SpiceCharDeviceState *self);

static void on_retry(void *opaque)
{
    pump(opaque);
}

static void retry_later(SpiceCharDeviceState *self)
{
    const SpiceCoreInterface *core = self->server->core;

    if (!self->instance ||
        (has_minor(self, 3) && interface_of(self)->flags & SPICE_CHAR_DEVICE_NOTIFY_WRITABLE))
        return;
    if (!self->retry)
        self->retry = core->timer_add(on_retry, self);
    core->timer_start(self->retry, RETRY_MS);
}

/** FALSE: there is more, for later. */
static gboolean write_to_host(SpiceCharDeviceState *self)
{
    gsize done = 0;
    GBytes *bytes;

    while (self->instance && done < MAX_A_TURN &&
           (bytes = gst_spice_device_peek(self->device, self->connection))) {
        gsize size;
        const guint8 *data = g_bytes_get_data(bytes, &size);
        const int n = interface_of(self)->write(self->instance, data, (int)MIN(size, G_MAXINT));

        gst_spice_device_took(self->device, bytes, n > 0 ? MIN((gsize)n, size) : 0);
        if (n <= 0) {
            retry_later(self);
            return TRUE;
        }
        done += (gsize)n;
    }
    return done < MAX_A_TURN;
}

static gboolean read_from_host(SpiceCharDeviceState *self)
{
    gsize done = 0, room;

    while (self->instance && done < MAX_A_TURN &&
           (room = gst_spice_device_get_room(self->device, self->connection)) > 0) {
        const gsize size = MIN(room, sizeof self->buffer);
        int n;

        self->reading = TRUE;
        n = interface_of(self)->read(self->instance, self->buffer, (int)size);
        self->reading = FALSE;
        if (n <= 0)
            return TRUE;
        gst_spice_device_give(self->device, self->connection, self->buffer, MIN((gsize)n, size));
        done += (gsize)n;
    }
    return done < MAX_A_TURN;
}

static void post_pump(SpiceCharDeviceState *self);

static void finish_removal(SpiceCharDeviceState *self)
{
    gst_spice_device_remove(g_steal_pointer(&self->device));
    state_unref(self);
}

/** Moves what can be moved. The host may call us again from its callbacks: what it says then is read at
 * once, as it would be lost (a device that answers while it is written to); the rest goes on here. */
static void pump(SpiceCharDeviceState *self)
{
    gboolean done = TRUE;

    if (self->pumping) {
        self->again = TRUE;
        if (self->server->vm_running && !self->reading)
            read_from_host(self);
        return;
    }
    self->pumping = TRUE;
    do {
        self->again = FALSE;
        if (self->instance)
            follow_connection(self);
        if (self->server->vm_running) {
            tell_events(self);
            done = write_to_host(self) & read_from_host(self);
        }
    } while (self->again && self->instance && done);
    self->pumping = FALSE;
    if (!self->instance)
        finish_removal(self);
    else if (!done)
        post_pump(self);
}

static void pump_task(gpointer data)
{
    SpiceCharDeviceState *self = data;

    g_atomic_int_set(&self->task_posted, FALSE);
    if (self->instance)
        pump(self);
}

/** Any thread. */
static void post_pump(SpiceCharDeviceState *self)
{
    if (!g_atomic_int_compare_and_exchange(&self->task_posted, FALSE, TRUE))
        return;
    g_atomic_ref_count_inc(&self->refs);
    host_loop_post(self->server->loop, pump_task, self, state_unref);
}

static void on_wake(GstSpiceDevice *device, gpointer user_data)
{
    post_pump(user_data);
}

/* Monitors, which the host's displays may see to themselves */

static gboolean offer_monitors(SpiceServer *server, gpointer config)
{
    guint i;

    for (i = 0; i < server->qxls->len; i++) {
        QXLInstance *instance = server->qxls->pdata[i];
        const QXLInterface *interface = SPICE_UPCAST(QXLInterface, instance->base.sif);

        if (interface->base.minor_version < 3 || !interface->client_monitors_config ||
            !interface->client_monitors_config(instance, config))
            return FALSE;
    }
    return server->qxls->len > 0;
}

static gboolean on_monitors(GstSpiceDevice *device, GBytes *config, gpointer user_data)
{
    SpiceCharDeviceState *self = user_data;
    gsize size;
    g_autofree gpointer copy = NULL;

    if (!offer_monitors(self->server, NULL)) /* whether they would */
        return FALSE;
    copy = g_memdup2(g_bytes_get_data(config, &size), g_bytes_get_size(config));
    offer_monitors(self->server, copy);
    return TRUE;
}

/* A display that the guest streams */

typedef struct {
    SpiceCharDeviceState *state; /* a reference */
    HostStreamedDisplay display;
} Output;

static void output_task(gpointer data)
{
    Output *output = data;

    if (output->state->instance)
        spice_host_add_streamed_display(
            output->state->server,
            (HostStreamedDisplay){output->state, output->display.display, output->display.output,
                                  g_steal_pointer(&output->display.address)});
}

static void output_free(gpointer data)
{
    Output *output = data;

    state_unref(output->state);
    g_free(output->display.address);
    g_free(output);
}

static void on_output(GstSpiceDevice *device, guint display, guint32 output, const char *address,
                      gpointer user_data)
{
    SpiceCharDeviceState *self = user_data;
    Output *task = g_new0(Output, 1);

    g_atomic_ref_count_inc(&self->refs);
    task->state = self;
    task->display = (HostStreamedDisplay){NULL, display, output, g_strdup(address)};
    host_loop_post(self->server->loop, output_task, task, output_free);
}

/* Coming and going */

static gboolean kind_of(const SpiceCharDeviceInstance *instance, GstSpiceDeviceKind *kind)
{
    static const struct {
        const char *subtype;
        GstSpiceDeviceKind kind;
    } subtypes[] = {
        {"vdagent", GST_SPICE_DEVICE_AGENT},
        {"usbredir", GST_SPICE_DEVICE_USBREDIR},
        {"smartcard", GST_SPICE_DEVICE_SMARTCARD},
        {"port", GST_SPICE_DEVICE_PORT},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(subtypes); i++) {
        if (instance->subtype && strcmp(instance->subtype, subtypes[i].subtype) == 0) {
            *kind = subtypes[i].kind;
            return TRUE;
        }
    }
    return FALSE;
}

int spice_host_add_char_device(SpiceServer *server, SpiceCharDeviceInstance *instance)
{
    static const GstSpiceDeviceHandler handler = {on_wake, on_monitors, on_output};
    SpiceCharDeviceState *self;
    GstSpiceDeviceKind kind;

    if (!server->loop || !kind_of(instance, &kind))
        return -1;
    if (kind == GST_SPICE_DEVICE_PORT && g_strcmp0(instance->portname, STREAM_PORT) == 0)
        kind = GST_SPICE_DEVICE_STREAM;
    self = g_new0(SpiceCharDeviceState, 1);
    g_atomic_ref_count_init(&self->refs);
    self->server = server;
    self->instance = instance;
    self->device = gst_spice_server_add_device(
        server->session, kind, kind == GST_SPICE_DEVICE_PORT ? instance->portname : NULL, &handler,
        self);
    if (!self->device) {
        g_warning("%s: one device too many", instance->subtype);
        state_unref(self);
        return -1;
    }
    instance->st = self;
    g_ptr_array_add(server->char_devices, instance);
    if (kind == GST_SPICE_DEVICE_AGENT) {
        server->agent = self->device;
        spice_host_update_mouse(server);
    }
    pump(self);
    return 0;
}

void spice_host_remove_char_device(SpiceServer *server, SpiceCharDeviceInstance *instance)
{
    SpiceCharDeviceState *self = instance->st;

    g_ptr_array_remove(server->char_devices, instance);
    instance->st = NULL;
    if (server->agent == self->device) {
        server->agent = NULL;
        spice_host_update_mouse(server);
    }
    spice_host_remove_streamed_display(server, self);
    if (self->retry)
        server->core->timer_remove(g_steal_pointer(&self->retry));
    if (self->connection) {
        self->connection = 0;
        tell_state(self, FALSE);
    }
    self->instance = NULL;
    if (!self->pumping)
        finish_removal(self);
}

SpiceServer *spice_host_char_device_get_server(SpiceCharDeviceInstance *instance)
{
    return instance->st ? instance->st->server : NULL;
}

void spice_host_pump_char_devices(SpiceServer *server)
{
    guint i;

    for (i = 0; i < server->char_devices->len; i++)
        pump(((SpiceCharDeviceInstance *)server->char_devices->pdata[i])->st);
}

/* Calls */

void spice_server_char_device_wakeup(SpiceCharDeviceInstance *sin)
{
    if (sin->st)
        pump(sin->st);
    else
        g_warning("a device that is not there was woken");
}

void spice_server_port_event(SpiceCharDeviceInstance *sin, uint8_t event)
{
    if (sin->st)
        gst_spice_device_send_event(sin->st->device, event);
    else
        g_warning("a device that is not there had an event");
}

/* Hosts refuse other names of `-chardev spicevmc`; a port has a name of its own. */
const char **spice_server_char_device_recognized_subtypes(void)
{
    static const char *subtypes[] = {"vdagent", "smartcard", "usbredir", NULL};

    return subtypes;
}
