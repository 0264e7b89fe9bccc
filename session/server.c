/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-private.h"

#include <string.h>
#include <sys/random.h>

#include "core/wire/channel.h"
#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "cpu.h"
#include "transport/error.h"
#include "transport/link-backoff.h"

enum {
    MAX_CLIENTS = 256,
    MAX_CURSOR_SIDE = 512,
    REFUSALS_A_SECOND = 10,
    ARENA_LIMIT = 1 << 20,
};

enum {
    PROP_ADDRESS = 1,
    PROP_PORT,
    PROP_TLS_PORT,
    PROP_UNIX_PATH,
    PROP_TICKET,
    PROP_TLS_CERT_FILE,
    PROP_TLS_KEY_FILE,
    PROP_TLS_KEY_PASSWORD,
    PROP_TLS_CIPHERS,
    PROP_WEBSOCKET,
    PROP_WEBSOCKET_ORIGINS,
    PROP_MOUSE_MODES,
    PROP_NAME,
    N_PROPS
};

enum { SIGNAL_CLIENT_CONNECTED, SIGNAL_CLIENT_DISCONNECTED, SIGNAL_REFUSED, N_SIGNALS };

static guint signals[N_SIGNALS];
static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE(GstSpiceServer, gst_spice_server, G_TYPE_OBJECT)

GType gst_spice_mouse_modes_get_type(void)
{
    static const GFlagsValue values[] = {
        {GST_SPICE_MOUSE_MODES_SERVER, "Relative motion; the pointer is the desktop's", "server"},
        {GST_SPICE_MOUSE_MODES_CLIENT, "Absolute positions; the pointer is the client's", "client"},
        {0, NULL, NULL},
    };
    static gsize type;

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_flags_register_static("GstSpiceMouseModes", values));
    return type;
}

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

void gst_spice_server_run(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer),
                          gpointer data, GDestroyNotify destroy)
{
    const Task task = {g_object_ref(self), func, data, destroy};
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, task_run, g_memdup2(&task, sizeof task), task_free);
    g_source_attach(source, self->context);
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

/** Calls `func` on the I/O thread, which has to run, and waits. */
static void call(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer), gpointer data)
{
    Call call = {.func = func, .data = data};

    if (g_main_context_is_owner(self->context)) {
        func(self, data);
        return;
    }
    g_mutex_init(&call.lock);
    g_cond_init(&call.cond);
    gst_spice_server_run(self, call_task, &call, NULL);
    g_mutex_lock(&call.lock);
    while (!call.done)
        g_cond_wait(&call.cond, &call.lock);
    g_mutex_unlock(&call.lock);
    g_mutex_clear(&call.lock);
    g_cond_clear(&call.cond);
}

static gpointer io_thread(gpointer data)
{
    GstSpiceServer *self = data;

    g_main_context_push_thread_default(self->context);
    g_main_loop_run(self->loop);
    g_main_context_pop_thread_default(self->context);
    return NULL;
}

/** FALSE if the server is being closed. */
static gboolean ensure_running(GstSpiceServer *self)
{
    gboolean runs;

    g_mutex_lock(&self->lock);
    if (!self->thread)
        self->thread = g_thread_new("spice-server", io_thread, self);
    runs = !self->closing;
    g_mutex_unlock(&self->lock);
    return runs;
}

/* Displays */

guint32 gst_spice_server_get_display_bits(GstSpiceServer *self)
{
    guint32 bits = 0;
    guint i;

    g_mutex_lock(&self->lock);
    for (i = 0; i < G_N_ELEMENTS(self->displays); i++)
        if (self->displays[i])
            bits |= 1u << i;
    g_mutex_unlock(&self->lock);
    return bits;
}

static void display_added_task(GstSpiceServer *self, gpointer data)
{
    GList *item;

    for (item = self->clients; item; item = item->next)
        gst_spice_server_main_channels_added(item->data, 1u << GPOINTER_TO_UINT(data));
}

GstSpiceSharedDisplay *gst_spice_server_get_display(GstSpiceServer *self, guint id)
{
    GstSpiceSharedDisplay *display;
    gboolean created = FALSE;

    g_return_val_if_fail(id < GST_SPICE_SERVER_MAX_DISPLAYS, NULL);
    g_mutex_lock(&self->lock);
    if (!self->displays[id]) {
        self->displays[id] = gst_spice_shared_display_new(gst_spice_cpu_flags());
        created = self->thread != NULL;
    }
    display = self->displays[id];
    g_mutex_unlock(&self->lock);
    if (created)
        gst_spice_server_run(self, display_added_task, GUINT_TO_POINTER(id), NULL);
    return display;
}

gboolean gst_spice_server_has_channel(GstSpiceServer *self, guint8 type, guint8 id)
{
    switch (type) {
    case SPICE_CHANNEL_MAIN:
    case SPICE_CHANNEL_INPUTS:
        return id == 0;
    case SPICE_CHANNEL_DISPLAY:
    case SPICE_CHANNEL_CURSOR:
        return id < GST_SPICE_SERVER_MAX_DISPLAYS &&
               gst_spice_server_get_display_bits(self) & 1u << id;
    default:
        return FALSE;
    }
}

/* Clients */

static GstSpiceServerClient *find_client(GstSpiceServer *self, guint32 session_id)
{
    GList *item;

    for (item = self->clients; item; item = item->next)
        if (((GstSpiceServerClient *)item->data)->session_id == session_id)
            return item->data;
    return NULL;
}

static gboolean has_link(const GstSpiceServerClient *client, guint8 type, guint8 id)
{
    guint i;

    for (i = 0; i < client->links->len; i++) {
        const GstSpiceServerLink *link = client->links->pdata[i];

        if (link->type == type && link->id == id)
            return TRUE;
    }
    return FALSE;
}

/** 0 if there is no randomness to be had. */
static guint32 new_session_id(GstSpiceServer *self)
{
    guint32 id;

    do {
        if (getrandom(&id, sizeof id, 0) != sizeof id)
            return 0;
    } while (id == 0 || find_client(self, id));
    return id;
}

/** Who a peer is, for people. (transfer full) */
static char *peer_name(const SpicePeer *peer)
{
    g_autofree char *address = NULL;

    if (!peer->address || !G_IS_INET_SOCKET_ADDRESS(peer->address))
        return g_strdup("unix");
    address = g_inet_address_to_string(
        g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(peer->address)));
    return g_strdup_printf(strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
                           g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(peer->address)));
}

static GstSpiceServerClient *add_client(GstSpiceServer *self, const SpicePeer *peer)
{
    GstSpiceServerClient *client = g_new0(GstSpiceServerClient, 1);

    client->server = self;
    client->number = ++self->last_client;
    client->session_id = new_session_id(self);
    client->from = peer_name(peer);
    client->key = spice_link_address_key(peer->address);
    client->secure = peer->secure;
    client->local = peer->local;
    client->connected_us = g_get_monotonic_time();
    client->links = g_ptr_array_new();
    client->mouse_mode = gst_spice_server_get_mouse_modes(self) & GST_SPICE_MOUSE_MODES_SERVER
                             ? GST_SPICE_MOUSE_MODES_SERVER
                             : GST_SPICE_MOUSE_MODES_CLIENT;
    self->clients = g_list_append(self->clients, client);
    return client;
}

/** Closes the channels that are left, and forgets the client. */
void gst_spice_server_drop_client(GstSpiceServerClient *client, const GError *error)
{
    GstSpiceServer *self = client->server;

    if (client->closing)
        return;
    client->closing = TRUE;
    while (client->links->len > 0)
        gst_spice_server_link_close(client->links->pdata[client->links->len - 1], error);
    self->clients = g_list_remove(self->clients, client);
    g_signal_emit(self, signals[SIGNAL_CLIENT_DISCONNECTED], 0, client->number,
                  error ? error->message : "the server closed");
    g_clear_pointer(&client->shared, gst_spice_client_shared_unref);
    g_ptr_array_unref(client->links);
    g_free(client->from);
    g_free(client->key);
    g_free(client);
}

/* What the listener asks */

static SpiceLinkError check_security(GstSpiceServer *self, guint8 type, const SpicePeer *peer)
{
    GstSpiceChannelSecurity security;

    g_mutex_lock(&self->lock);
    security = self->security[type];
    g_mutex_unlock(&self->lock);
    if (security == GST_SPICE_CHANNEL_SECURITY_TLS && !peer->secure && !peer->local)
        return SPICE_LINK_ERR_NEED_SECURED;
    if (security == GST_SPICE_CHANNEL_SECURITY_PLAIN && peer->secure)
        return SPICE_LINK_ERR_NEED_UNSECURED;
    return SPICE_LINK_ERR_OK;
}

static SpiceLinkError check_channel(const SpiceLinkRequest *request, const SpicePeer *peer,
                                    gboolean *exists, gpointer user_data)
{
    GstSpiceServer *self = user_data;

    *exists = gst_spice_server_has_channel(self, request->channel_type, request->channel_id);
    return *exists ? check_security(self, request->channel_type, peer) : SPICE_LINK_ERR_OK;
}

static SpiceCaps get_caps(guint8 channel_type, gpointer user_data)
{
    static guint32 main_words[] = {1u << SPICE_MAIN_CAP_NAME_AND_UUID |
                                   1u << SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS};
    static guint32 display_words[] = {1u << SPICE_DISPLAY_CAP_MONITORS_CONFIG |
                                      1u << SPICE_DISPLAY_CAP_LZ4_COMPRESSION |
                                      1u << SPICE_DISPLAY_CAP_PREF_COMPRESSION};
    static guint32 inputs_words[] = {1u << SPICE_INPUTS_CAP_KEY_SCANCODE};

    switch (channel_type) {
    case SPICE_CHANNEL_MAIN:
        return (SpiceCaps){G_N_ELEMENTS(main_words), main_words};
    case SPICE_CHANNEL_DISPLAY:
        return (SpiceCaps){G_N_ELEMENTS(display_words), display_words};
    case SPICE_CHANNEL_INPUTS:
        return (SpiceCaps){G_N_ELEMENTS(inputs_words), inputs_words};
    default:
        return (SpiceCaps){0, NULL};
    }
}

static gint64 now_s(void)
{
    return g_get_monotonic_time() / G_USEC_PER_SEC;
}

static gboolean check_ticket(const guint8 *block, gsize size, gpointer user_data)
{
    GstSpiceServer *self = user_data;
    gboolean good;

    g_mutex_lock(&self->lock);
    good = spice_ticket_check(&self->ticket, block, size, now_s());
    g_mutex_unlock(&self->lock);
    return good;
}

static SpiceLinkError admit(const SpiceLinkRequest *request, const SpicePeer *peer,
                            gpointer user_data)
{
    GstSpiceServer *self = user_data;
    const GstSpiceServerClient *client;
    g_autofree char *key = NULL;

    if (request->channel_type == SPICE_CHANNEL_MAIN) {
        if (request->connection_id != 0) /* a guest that migrates to us; it does not */
            return SPICE_LINK_ERR_BAD_CONNECTION_ID;
        return g_list_length(self->clients) < MAX_CLIENTS ? SPICE_LINK_ERR_OK
                                                          : SPICE_LINK_ERR_PERMISSION_DENIED;
    }
    client = find_client(self, request->connection_id);
    key = spice_link_address_key(peer->address);
    if (!client || client->closing || strcmp(client->key, key) != 0)
        return SPICE_LINK_ERR_BAD_CONNECTION_ID;
    return has_link(client, request->channel_type, request->channel_id)
               ? SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE
               : SPICE_LINK_ERR_OK;
}

static void on_linked(SpiceListener *listener, SpiceServerChannel *channel,
                      const SpiceLinkRequest *request, const SpicePeer *peer, gpointer user_data)
{
    GstSpiceServer *self = user_data;
    GstSpiceServerClient *client;

    if (request->channel_type == SPICE_CHANNEL_MAIN) {
        client = add_client(self, peer);
        gst_spice_server_main_open(client, channel);
        g_signal_emit(self, signals[SIGNAL_CLIENT_CONNECTED], 0, client->number, client->from);
        return;
    }
    client = find_client(self, request->connection_id);
    if (request->channel_type == SPICE_CHANNEL_INPUTS)
        gst_spice_server_inputs_open(client, channel);
    else if (request->channel_type == SPICE_CHANNEL_CURSOR)
        gst_spice_server_cursor_open(client, channel);
    else
        gst_spice_server_media_open(client, channel);
}

static void on_refused(const SpicePeer *peer, const char *why, gpointer user_data)
{
    GstSpiceServer *self = user_data;
    g_autofree char *from = NULL;

    if (self->refusals_second != now_s()) {
        self->refusals_second = now_s();
        self->refusals = 0;
    }
    if (++self->refusals > REFUSALS_A_SECOND)
        return;
    from = peer_name(peer);
    g_signal_emit(self, signals[SIGNAL_REFUSED], 0, from, why);
}

/* Listening */

static const SpiceListenerHandler listener_handler = {check_channel, get_caps,  check_ticket,
                                                      admit,         on_linked, on_refused};

typedef struct {
    gboolean ok;
    GError *error;
    int fd;
    gboolean trusted;
} Listen;

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

static SpiceListener *ensure_listener(GstSpiceServer *self)
{
    g_auto(GStrv) origins = NULL;

    if (self->listener)
        return self->listener;
    self->listener = spice_listener_new(NULL, &listener_handler, self);
    if (self->websocket) {
        origins = g_strsplit(self->websocket_origins ? self->websocket_origins : "", ",", -1);
        spice_listener_accept_websockets(self->listener, (const char *const *)origins);
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

static void listen_task(GstSpiceServer *self, gpointer data)
{
    Listen *listen = data;

    if (!make_tls(self, &listen->error))
        return;
    ensure_listener(self);
    listen->ok =
        listen_tcp(self, self->port, NULL, &self->bound_port, &listen->error) &&
        listen_tcp(self, self->tls_port, self->tls, &self->bound_tls_port, &listen->error) &&
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
    if (again || (self->port < 0 && self->tls_port < 0 && !self->unix_path)) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS,
                    again ? "a server listens once"
                          : "there is neither a port nor a socket to listen on");
        return FALSE;
    }
    if (ensure_running(self))
        call(self, listen_task, &listen);
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

    listen->ok = spice_listener_take_connection(ensure_listener(self), listen->fd, NULL,
                                                listen->trusted, &listen->error);
}

gboolean gst_spice_server_take_connection(GstSpiceServer *self, int fd, gboolean trusted,
                                          GError **error)
{
    Listen listen = {.fd = fd, .trusted = trusted};

    if (ensure_running(self))
        call(self, take_connection_task, &listen);
    if (!listen.ok)
        g_propagate_error(error, listen.error);
    return listen.ok;
}

static void close_task(GstSpiceServer *self, gpointer data)
{
    g_clear_pointer(&self->listener, spice_listener_free);
    while (self->clients)
        gst_spice_server_drop_client(self->clients->data, NULL);
    g_main_loop_quit(self->loop);
}

void gst_spice_server_close(GstSpiceServer *self)
{
    GThread *thread;

    g_mutex_lock(&self->lock);
    thread = self->closing ? NULL : self->thread;
    self->closing = thread != NULL;
    g_mutex_unlock(&self->lock);
    if (!thread)
        return;
    gst_spice_server_run(self, close_task, NULL, NULL);
    if (thread == g_thread_self()) {
        g_thread_unref(thread); /* and `closing` stays: it does not open again */
        return;
    }
    g_thread_join(thread);
    /* What others wanted meanwhile is done here, so that nothing of it waits for ever. */
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_mutex_lock(&self->lock);
    self->thread = NULL;
    self->closing = self->listens = FALSE;
    self->bound_port = self->bound_tls_port = 0;
    g_mutex_unlock(&self->lock);
}

/* Settings at any time */

gboolean gst_spice_server_set_ticket(GstSpiceServer *self, const char *ticket, guint lifetime)
{
    gboolean ok;

    g_mutex_lock(&self->lock);
    ok = spice_ticket_set(&self->ticket, ticket, lifetime, now_s());
    g_mutex_unlock(&self->lock);
    return ok;
}

void gst_spice_server_set_channel_security(GstSpiceServer *self, guint8 channel_type,
                                           GstSpiceChannelSecurity security)
{
    guint i;

    g_return_if_fail(channel_type < SPICE_END_CHANNEL);
    g_mutex_lock(&self->lock);
    for (i = 0; i < G_N_ELEMENTS(self->security); i++)
        if (channel_type == 0 || channel_type == i)
            self->security[i] = (guint8)security;
    g_mutex_unlock(&self->lock);
}

GstSpiceMouseModes gst_spice_server_get_mouse_modes(GstSpiceServer *self)
{
    GstSpiceMouseModes modes;

    g_mutex_lock(&self->lock);
    modes = self->mouse_modes;
    g_mutex_unlock(&self->lock);
    return modes;
}

static void modes_task(GstSpiceServer *self, gpointer data)
{
    GList *item;

    for (item = self->clients; item; item = item->next)
        gst_spice_server_main_modes_changed(item->data);
}

void gst_spice_server_set_mouse_modes(GstSpiceServer *self, GstSpiceMouseModes modes)
{
    gboolean changed;

    g_return_if_fail(modes != 0);
    g_mutex_lock(&self->lock);
    changed = self->mouse_modes != modes && self->thread;
    self->mouse_modes = modes;
    g_mutex_unlock(&self->lock);
    if (changed)
        gst_spice_server_run(self, modes_task, NULL, NULL);
}

/** Calls `func` for each link of a type and, unless it is negative, an id. */
static void for_each_link(GstSpiceServer *self, guint8 type, gint id,
                          void (*func)(GstSpiceServerLink *link, gpointer data), gpointer data)
{
    GList *item;
    guint i;

    for (item = self->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;

        for (i = 0; i < client->links->len; i++) {
            GstSpiceServerLink *link = client->links->pdata[i];

            if (link->type == type && (id < 0 || link->id == id))
                func(link, data);
        }
    }
}

static void locks_changed(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_inputs_locks_changed(link);
}

static void locks_task(GstSpiceServer *self, gpointer data)
{
    if (self->locks == GPOINTER_TO_UINT(data))
        return;
    self->locks = GPOINTER_TO_UINT(data);
    for_each_link(self, SPICE_CHANNEL_INPUTS, -1, locks_changed, NULL);
}

void gst_spice_server_set_locks(GstSpiceServer *self, guint locks)
{
    gst_spice_server_run(self, locks_task, GUINT_TO_POINTER(locks), NULL);
}

typedef struct {
    const GstSpiceMediaHandler *media;
    const GstSpiceInputHandler *input;
    gpointer user_data;
} Handlers;

static void media_handler_task(GstSpiceServer *self, gpointer data)
{
    const Handlers *handlers = data;

    self->media = handlers->media;
    self->media_data = handlers->user_data;
}

static void input_handler_task(GstSpiceServer *self, gpointer data)
{
    const Handlers *handlers = data;

    self->input = handlers->input;
    self->input_data = handlers->user_data;
}

/** Calls `func` where the I/O thread, if it runs, does not look at what it changes. */
static void call_safely(GstSpiceServer *self, void (*func)(GstSpiceServer *, gpointer),
                        gpointer data)
{
    gboolean runs;

    g_mutex_lock(&self->lock);
    runs = self->thread && !self->closing;
    g_mutex_unlock(&self->lock);
    if (runs)
        call(self, func, data);
    else
        func(self, data);
}

void gst_spice_server_set_media_handler(GstSpiceServer *self, const GstSpiceMediaHandler *handler,
                                        gpointer user_data)
{
    Handlers handlers = {.media = handler, .user_data = user_data};

    call_safely(self, media_handler_task, &handlers);
}

void gst_spice_server_set_input_handler(GstSpiceServer *self, const GstSpiceInputHandler *handler,
                                        gpointer user_data)
{
    Handlers handlers = {.input = handler, .user_data = user_data};

    call_safely(self, input_handler_task, &handlers);
}

/* Cursor */

typedef struct {
    guint display;
    GstSpiceCursor *cursor; /* NULL: only the place changes */
    gint x, y;
} CursorChange;

static void cursor_change_free(gpointer data)
{
    CursorChange *change = data;

    g_clear_pointer(&change->cursor, gst_spice_cursor_unref);
    g_free(change);
}

/** The number of a shape, the same for equal shapes; 0 for none. */
static guint64 shape_number(const GstSpiceCursor *cursor)
{
    const guint32 facts[] = {cursor->width, cursor->height, cursor->hot_x, cursor->hot_y};
    g_autoptr(GChecksum) sum = NULL;
    guint8 digest[32];
    gsize size, digest_size = sizeof digest;
    const guint8 *pixels;
    guint64 number;

    if (!cursor->pixels || cursor->width == 0 || cursor->height == 0)
        return 0;
    pixels = g_bytes_get_data(cursor->pixels, &size);
    sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, (const guchar *)facts, sizeof facts);
    g_checksum_update(sum, pixels, (gssize)size);
    g_checksum_get_digest(sum, digest, &digest_size);
    memcpy(&number, digest, sizeof number);
    return number ? number : 1;
}

static void shape_changed(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_cursor_changed(link, TRUE);
}

static void place_changed(GstSpiceServerLink *link, gpointer data)
{
    gst_spice_server_cursor_changed(link, FALSE);
}

static void cursor_task(GstSpiceServer *self, gpointer data)
{
    CursorChange *change = data;
    GstSpiceServerCursor *cursor = &self->cursors[change->display];

    if (change->cursor) {
        gst_spice_cursor_unref(cursor->cursor);
        cursor->cursor = g_steal_pointer(&change->cursor);
        cursor->unique = shape_number(cursor->cursor);
        for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)change->display, shape_changed, NULL);
    } else if (cursor->x != change->x || cursor->y != change->y) {
        cursor->x = change->x;
        cursor->y = change->y;
        for_each_link(self, SPICE_CHANNEL_CURSOR, (gint)change->display, place_changed, NULL);
    }
}

void gst_spice_server_set_cursor(GstSpiceServer *self, guint display, GstSpiceCursor *cursor)
{
    CursorChange change = {.display = display};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    g_return_if_fail(cursor->width <= MAX_CURSOR_SIDE && cursor->height <= MAX_CURSOR_SIDE);
    g_return_if_fail(!cursor->pixels ||
                     g_bytes_get_size(cursor->pixels) == (gsize)cursor->width * cursor->height * 4);
    change.cursor = gst_spice_cursor_ref(cursor);
    gst_spice_server_run(self, cursor_task, g_memdup2(&change, sizeof change), cursor_change_free);
}

void gst_spice_server_move_cursor(GstSpiceServer *self, guint display, gint x, gint y)
{
    const CursorChange change = {.display = display, .x = x, .y = y};

    g_return_if_fail(display < GST_SPICE_SERVER_MAX_DISPLAYS);
    gst_spice_server_run(self, cursor_task, g_memdup2(&change, sizeof change), cursor_change_free);
}

/* Statistics */

static void stats_task(GstSpiceServer *self, gpointer data)
{
    GArray *all = data;
    GList *item;
    guint i;

    for (item = self->clients; item; item = item->next) {
        const GstSpiceServerClient *client = item->data;
        GstSpiceClientStats stats = {
            .client = client->number,
            .secure = client->secure,
            .n_channels = client->links->len,
            .connected_us = client->connected_us,
            .round_trip_us = client->round_trip_us,
        };

        g_strlcpy(stats.from, client->from, sizeof stats.from);
        for (i = 0; i < client->links->len; i++) {
            const GstSpiceServerLink *link = client->links->pdata[i];

            stats.backlog += (gint64)spice_server_channel_get_backlog(link->channel);
            stats.bytes_sent += spice_server_channel_get_bytes_sent(link->channel);
            stats.bytes_received += spice_server_channel_get_bytes_received(link->channel);
            stats.messages_sent += spice_server_channel_get_serial(link->channel);
        }
        g_array_append_val(all, stats);
    }
}

GArray *gst_spice_server_get_stats(GstSpiceServer *self)
{
    GArray *all = g_array_new(FALSE, TRUE, sizeof(GstSpiceClientStats));
    gboolean runs;

    g_mutex_lock(&self->lock);
    runs = self->thread != NULL;
    g_mutex_unlock(&self->lock);
    if (runs)
        call(self, stats_task, all);
    return all;
}

/* Object */

static void set_string(char **field, const GValue *value)
{
    g_free(*field);
    *field = g_value_dup_string(value);
}

static void set_ticket_property(GstSpiceServer *self, const char *ticket)
{
    g_mutex_lock(&self->lock);
    if (!ticket)
        spice_ticket_clear(&self->ticket);
    else if (!spice_ticket_set(&self->ticket, ticket, 0, now_s()))
        spice_ticket_set(&self->ticket, NULL, 0, now_s()); /* too long: nobody gets in */
    g_mutex_unlock(&self->lock);
}

static void gst_spice_server_set_property(GObject *object, guint id, const GValue *value,
                                          GParamSpec *pspec)
{
    GstSpiceServer *self = GST_SPICE_SERVER(object);

    switch (id) {
    case PROP_ADDRESS:
        set_string(&self->address, value);
        break;
    case PROP_PORT:
        self->port = g_value_get_int(value);
        break;
    case PROP_TLS_PORT:
        self->tls_port = g_value_get_int(value);
        break;
    case PROP_UNIX_PATH:
        set_string(&self->unix_path, value);
        break;
    case PROP_TICKET:
        set_ticket_property(self, g_value_get_string(value));
        break;
    case PROP_TLS_CERT_FILE:
        set_string(&self->tls_cert_file, value);
        break;
    case PROP_TLS_KEY_FILE:
        set_string(&self->tls_key_file, value);
        break;
    case PROP_TLS_KEY_PASSWORD:
        set_string(&self->tls_key_password, value);
        break;
    case PROP_TLS_CIPHERS:
        set_string(&self->tls_ciphers, value);
        break;
    case PROP_WEBSOCKET:
        self->websocket = g_value_get_boolean(value);
        break;
    case PROP_WEBSOCKET_ORIGINS:
        set_string(&self->websocket_origins, value);
        break;
    case PROP_MOUSE_MODES:
        gst_spice_server_set_mouse_modes(self, g_value_get_flags(value));
        break;
    case PROP_NAME:
        g_mutex_lock(&self->lock);
        set_string(&self->name, value);
        g_mutex_unlock(&self->lock);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_server_get_property(GObject *object, guint id, GValue *value,
                                          GParamSpec *pspec)
{
    GstSpiceServer *self = GST_SPICE_SERVER(object);

    switch (id) {
    case PROP_ADDRESS:
        g_value_set_string(value, self->address);
        break;
    case PROP_PORT:
        g_value_set_int(value, self->bound_port ? self->bound_port : self->port);
        break;
    case PROP_TLS_PORT:
        g_value_set_int(value, self->bound_tls_port ? self->bound_tls_port : self->tls_port);
        break;
    case PROP_UNIX_PATH:
        g_value_set_string(value, self->unix_path);
        break;
    case PROP_TLS_CERT_FILE:
        g_value_set_string(value, self->tls_cert_file);
        break;
    case PROP_TLS_KEY_FILE:
        g_value_set_string(value, self->tls_key_file);
        break;
    case PROP_TLS_CIPHERS:
        g_value_set_string(value, self->tls_ciphers);
        break;
    case PROP_WEBSOCKET:
        g_value_set_boolean(value, self->websocket);
        break;
    case PROP_WEBSOCKET_ORIGINS:
        g_value_set_string(value, self->websocket_origins);
        break;
    case PROP_MOUSE_MODES:
        g_value_set_flags(value, gst_spice_server_get_mouse_modes(self));
        break;
    case PROP_NAME:
        g_mutex_lock(&self->lock);
        g_value_set_string(value, self->name);
        g_mutex_unlock(&self->lock);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void gst_spice_server_init(GstSpiceServer *self)
{
    guint i;

    g_mutex_init(&self->lock);
    self->context = g_main_context_new();
    self->loop = g_main_loop_new(self->context, FALSE);
    self->port = self->tls_port = -1;
    self->mouse_modes = GST_SPICE_MOUSE_MODES_BOTH;
    for (i = 0; i < G_N_ELEMENTS(self->cursors); i++)
        self->cursors[i].cursor = gst_spice_cursor_new();
    spice_arena_init(&self->arena, &spice_allocator_libc, ARENA_LIMIT);
}

static void gst_spice_server_dispose(GObject *object)
{
    gst_spice_server_close(GST_SPICE_SERVER(object));
    G_OBJECT_CLASS(gst_spice_server_parent_class)->dispose(object);
}

static void gst_spice_server_finalize(GObject *object)
{
    GstSpiceServer *self = GST_SPICE_SERVER(object);
    guint i;

    for (i = 0; i < G_N_ELEMENTS(self->displays); i++) {
        g_clear_pointer(&self->displays[i], gst_spice_shared_display_unref);
        gst_spice_cursor_unref(self->cursors[i].cursor);
    }
    spice_arena_clear(&self->arena);
    spice_ticket_clear(&self->ticket);
    spice_tls_server_free(self->tls);
    g_main_loop_unref(self->loop);
    g_main_context_unref(self->context);
    g_mutex_clear(&self->lock);
    g_free(self->address);
    g_free(self->unix_path);
    g_free(self->tls_cert_file);
    g_free(self->tls_key_file);
    g_free(self->tls_key_password);
    g_free(self->tls_ciphers);
    g_free(self->websocket_origins);
    g_free(self->name);
    G_OBJECT_CLASS(gst_spice_server_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *object_class)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    const GParamFlags secret = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

    properties[PROP_ADDRESS] = g_param_spec_string(
        "address", "Address", "Address to listen on by TCP (unset: all)", NULL, flags);
    properties[PROP_PORT] = g_param_spec_int(
        "port", "Port", "TCP port (-1: none, 0: one that is free)", -1, 65535, -1, flags);
    properties[PROP_TLS_PORT] =
        g_param_spec_int("tls-port", "TLS port",
                         "TCP port with TLS (-1: none, 0: one that is free)", -1, 65535, -1, flags);
    properties[PROP_UNIX_PATH] = g_param_spec_string(
        "unix-path", "Unix socket", "Path of a unix socket to listen on", NULL, flags);
    properties[PROP_TICKET] = g_param_spec_string(
        "ticket", "Ticket", "Password that clients have to know (unset: none)", NULL, secret);
    properties[PROP_TLS_CERT_FILE] =
        g_param_spec_string("tls-cert-file", "TLS certificate",
                            "PEM file of the certificate and its chain", NULL, flags);
    properties[PROP_TLS_KEY_FILE] = g_param_spec_string(
        "tls-key-file", "TLS key", "PEM file of the certificate's key", NULL, flags);
    properties[PROP_TLS_KEY_PASSWORD] = g_param_spec_string(
        "tls-key-password", "TLS key password", "Password of the key file", NULL, secret);
    properties[PROP_TLS_CIPHERS] =
        g_param_spec_string("tls-ciphers", "TLS ciphers", "OpenSSL's cipher list", NULL, flags);
    properties[PROP_WEBSOCKET] = g_param_spec_boolean(
        "websocket", "WebSocket", "Whether browsers may connect on the same ports", FALSE, flags);
    properties[PROP_WEBSOCKET_ORIGINS] = g_param_spec_string(
        "websocket-origins", "WebSocket origins",
        "Origins of web pages that may connect, beside the host itself, separated by commas", NULL,
        flags);
    properties[PROP_MOUSE_MODES] =
        g_param_spec_flags("mouse-modes", "Mouse modes", "Mouse modes that clients may use",
                           GST_SPICE_TYPE_MOUSE_MODES, GST_SPICE_MOUSE_MODES_BOTH, flags);
    properties[PROP_NAME] =
        g_param_spec_string("name", "Name", "What the desktop is called", NULL, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);
}

static void gst_spice_server_class_init(GstSpiceServerClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    object_class->set_property = gst_spice_server_set_property;
    object_class->get_property = gst_spice_server_get_property;
    object_class->dispose = gst_spice_server_dispose;
    object_class->finalize = gst_spice_server_finalize;
    install_properties(object_class);
    signals[SIGNAL_CLIENT_CONNECTED] =
        g_signal_new("client-connected", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
    signals[SIGNAL_CLIENT_DISCONNECTED] =
        g_signal_new("client-disconnected", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
    signals[SIGNAL_REFUSED] =
        g_signal_new("refused", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

GstSpiceServer *gst_spice_server_new(void)
{
    return g_object_new(GST_SPICE_TYPE_SERVER, NULL);
}
