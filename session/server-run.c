/* A server's I/O thread: what runs on it, listening, and the end of both.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "device-private.h"
#include "statistics.h"

#include "transport/error.h"

/* The I/O thread */

typedef struct {
    GstSpiceServer *server;
    void (*func)(GstSpiceServer *server, gpointer data);
    gpointer data;
    GDestroyNotify destroy;
} Task;

static gboolean task_run(gpointer data)
{
    Task *task = data;

    task->func(task->server, task->data);
    return G_SOURCE_REMOVE;
}

static void task_free(gpointer data)
{
    Task *task = data;

    if (task->destroy)
        task->destroy(task->data);
    g_object_unref(task->server);
    g_free(task);
}

static void attach(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer), gpointer data,
                   GDestroyNotify destroy)
{
    const Task task = {g_object_ref(self), func, data, destroy};
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, task_run, g_memdup2(&task, sizeof task), task_free);
    g_source_attach(source, self->context);
}

void gst_spice_server_wait_closed(GstSpiceServer *self)
{
    if (g_main_context_is_owner(self->context))
        return;
    g_mutex_lock(&self->lock);
    while (self->closing && self->thread)
        g_cond_wait(&self->closed, &self->lock);
    g_mutex_unlock(&self->lock);
}

gboolean gst_spice_server_post(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer),
                               gpointer data, GDestroyNotify destroy)
{
    gboolean runs;

    g_mutex_lock(&self->lock);
    runs = self->thread && !self->closing;
    if (runs)
        attach(self, func, data, destroy);
    g_mutex_unlock(&self->lock);
    return runs;
}

void gst_spice_server_run(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer),
                          gpointer data, GDestroyNotify destroy)
{
    if (gst_spice_server_post(self, func, data, destroy))
        return;
    gst_spice_server_wait_closed(self);
    /* Nobody else looks at what it changes. */
    func(self, data);
    if (destroy)
        destroy(data);
}

/** A call that somebody waits for. */
typedef struct {
    void (*func)(GstSpiceServer *server, gpointer data);
    gpointer data;
    gboolean done; /* under `lock` */
    GMutex lock;
    GCond cond;
} Call;

static void call_task(GstSpiceServer *self, gpointer data)
{
    Call *call = data;

    call->func(self, call->data);
    g_mutex_lock(&call->lock);
    call->done = TRUE;
    g_cond_signal(&call->cond);
    g_mutex_unlock(&call->lock);
}

void gst_spice_server_call(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer),
                           gpointer data)
{
    Call call = {.func = func, .data = data};

    if (g_main_context_is_owner(self->context)) {
        func(self, data);
        return;
    }
    g_mutex_init(&call.lock);
    g_cond_init(&call.cond);
    if (gst_spice_server_post(self, call_task, &call, NULL)) {
        g_mutex_lock(&call.lock);
        while (!call.done)
            g_cond_wait(&call.cond, &call.lock);
        g_mutex_unlock(&call.lock);
    } else {
        gst_spice_server_wait_closed(self);
        func(self, data);
    }
    g_mutex_clear(&call.lock);
    g_cond_clear(&call.cond);
}

/** What the thread has of its own, as the server may go before it has quite ended. */
typedef struct {
    GMainContext *context;
    GMainLoop *loop;
} IoThread;

static gpointer io_thread(gpointer data)
{
    IoThread *io = data;

    g_main_context_push_thread_default(io->context);
    g_main_loop_run(io->loop);
    g_main_context_pop_thread_default(io->context);
    g_main_loop_unref(io->loop);
    g_main_context_unref(io->context);
    g_free(io);
    return NULL;
}

/** FALSE if the server is being closed. */
static gboolean ensure_running(GstSpiceServer *self)
{
    const IoThread io = {self->context, self->loop};
    gboolean runs;

    g_mutex_lock(&self->lock);
    if (!self->thread && !self->closing) {
        g_main_context_ref(io.context);
        g_main_loop_ref(io.loop);
        self->thread = g_thread_new("spice-server", io_thread, g_memdup2(&io, sizeof io));
    }
    runs = !self->closing;
    g_mutex_unlock(&self->lock);
    return runs;
}

/* Listening */

typedef struct {
    gboolean ok;
    GError *error;
    int fd;
    gboolean tls, trusted;
} Listen;

static gboolean is_closing(GstSpiceServer *self)
{
    gboolean closing;

    g_mutex_lock(&self->lock);
    closing = self->closing;
    g_mutex_unlock(&self->lock);
    return closing;
}

static gboolean make_tls(GstSpiceServer *self, GError **error)
{
    g_clear_pointer(&self->tls, spice_tls_server_free);
    if (self->tls_port < 0)
        return TRUE;
    if (!self->tls_cert_file || !self->tls_key_file) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_TLS,
                    "a TLS port needs a certificate and its key");
        return FALSE;
    }
    self->tls = spice_tls_server_new(self->tls_cert_file, self->tls_key_file,
                                     self->tls_key_password, self->tls_ciphers, error);
    return self->tls != NULL;
}

gboolean gst_spice_server_has_sasl(void)
{
    return spice_sasl_is_available();
}

/** NULL if what clients have to pass is not to be had. */
static SpiceListener *ensure_listener(GstSpiceServer *self, GError **error)
{
    g_auto(GStrv) origins = NULL;

    if (self->sasl && !spice_sasl_is_available()) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "this program was built without SASL");
        return NULL;
    }
    if (self->listener)
        return self->listener;
    self->listener = spice_listener_new(NULL, &gst_spice_server_listener_handler, self);
    if (self->websocket) {
        origins = g_strsplit(self->websocket_origins ? self->websocket_origins : "", ",", -1);
        spice_listener_accept_websockets(self->listener, (const char *const *)origins);
    }
    if (self->sasl) {
        const SpiceSaslPolicy policy = {self->sasl_application, self->sasl_mechanisms};

        spice_listener_set_sasl(self->listener, &policy);
    }
    return self->listener;
}

/** Listens on TCP if `port` says so; *bound is the number that it became. */
static gboolean listen_tcp(GstSpiceServer *self, gint port, SpiceTlsServer *tls, guint16 *bound,
                           GError **error)
{
    if (port < 0)
        return TRUE;
    *bound = spice_listener_add_tcp(self->listener, self->address, (guint16)port, tls, error);
    return *bound != 0;
}

/** Listens on the descriptor that was handed in, if there is one; it is then the listener's. */
static gboolean adopt_listen_fd(GstSpiceServer *self, GError **error)
{
    const gint fd = self->listen_fd;

    self->listen_fd = -1;
    return fd < 0 || spice_listener_add_fd(self->listener, fd, NULL, error);
}

static void listen_task(GstSpiceServer *self, gpointer data)
{
    Listen *listen = data;

    if (is_closing(self) || !make_tls(self, &listen->error) ||
        !ensure_listener(self, &listen->error))
        return;
    listen->ok =
        listen_tcp(self, self->port, NULL, &self->bound_port, &listen->error) &&
        listen_tcp(self, self->tls_port, self->tls, &self->bound_tls_port, &listen->error) &&
        adopt_listen_fd(self, &listen->error) &&
        (!self->unix_path ||
         spice_listener_add_unix(self->listener, self->unix_path, &listen->error));
    if (!listen->ok)
        g_clear_pointer(&self->listener, spice_listener_free);
}

gboolean gst_spice_server_listen(GstSpiceServer *self, GError **error)
{
    Listen listen = {0};
    gboolean again;

    g_mutex_lock(&self->lock);
    again = self->listens || self->closing;
    self->listens = TRUE;
    g_mutex_unlock(&self->lock);
    if (again ||
        (self->port < 0 && self->tls_port < 0 && !self->unix_path && self->listen_fd < 0)) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS,
                    again ? "a server listens once"
                          : "there is neither a port nor a socket to listen on");
        return FALSE;
    }
    if (ensure_running(self))
        gst_spice_server_call(self, listen_task, &listen);
    if (!listen.ok) {
        g_mutex_lock(&self->lock);
        self->listens = FALSE;
        g_mutex_unlock(&self->lock);
        g_propagate_error(error, listen.error);
    }
    return listen.ok;
}

static void take_connection_task(GstSpiceServer *self, gpointer data)
{
    Listen *listen = data;

    if (is_closing(self))
        return;
    if (listen->tls && !self->tls) {
        g_set_error(&listen->error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_TLS,
                    "there is no TLS on this server");
        return;
    }
    if (ensure_listener(self, &listen->error))
        listen->ok = spice_listener_take_connection(self->listener, listen->fd,
                                                    listen->tls ? self->tls : NULL, listen->trusted,
                                                    &listen->error);
}

gboolean gst_spice_server_take_connection(GstSpiceServer *self, int fd, gboolean tls,
                                          gboolean trusted, GError **error)
{
    Listen listen = {.fd = fd, .tls = tls, .trusted = trusted};

    if (ensure_running(self))
        gst_spice_server_call(self, take_connection_task, &listen);
    if (!listen.ok)
        g_propagate_error(error, listen.error);
    return listen.ok;
}

typedef struct {
    const char *path;
    gboolean ok;
    GError *error;
} OpenStatistics;

static void open_statistics_task(GstSpiceServer *self, gpointer data)
{
    OpenStatistics *open = data;

    if (is_closing(self))
        return;
    g_clear_pointer(&self->statistics, gst_spice_statistics_free);
    self->statistics = gst_spice_statistics_new(self, open->path, &open->error);
    open->ok = self->statistics != NULL;
}

gboolean gst_spice_server_open_statistics(GstSpiceServer *self, const char *path, GError **error)
{
    OpenStatistics open = {.path = path};

    if (ensure_running(self))
        gst_spice_server_call(self, open_statistics_task, &open);
    if (!open.ok)
        g_propagate_error(error, open.error);
    return open.ok;
}

static void close_task(GstSpiceServer *self, gpointer data)
{
    g_clear_pointer(&self->listener, spice_listener_free);
    g_clear_pointer(&self->statistics, gst_spice_statistics_free);
    while (self->clients)
        gst_spice_server_drop_client(self->clients->data, NULL);
    g_main_loop_quit(self->loop);
}

void gst_spice_server_close(GstSpiceServer *self)
{
    GThread *thread;

    g_mutex_lock(&self->lock);
    thread = self->closing ? NULL : self->thread;
    if (thread) {
        self->closing = TRUE;
        attach(self, close_task, NULL, NULL);
    }
    g_mutex_unlock(&self->lock);
    if (!thread)
        return;
    if (thread == g_thread_self()) {
        g_thread_unref(thread); /* and `closing` stays: it does not open again */
        return;
    }
    g_thread_join(thread);
    /* What others wanted before is done here, so that nobody waits for it for ever. */
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_mutex_lock(&self->lock);
    self->thread = NULL;
    self->closing = self->listens = FALSE;
    self->bound_port = self->bound_tls_port = 0;
    g_cond_broadcast(&self->closed);
    g_mutex_unlock(&self->lock);
}
