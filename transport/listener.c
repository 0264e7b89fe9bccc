/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listener.h"

#include <string.h>

#include "link-backoff.h"
#include "link-keys.h"
#include "listen-socket.h"

const SpiceListenerLimits spice_listener_default_limits = {
    .first_message_ms = 10 * 1000,
    .link_ms = 30 * 1000,
    .sasl_ms = 60 * 1000,
    .max_links = 32,
    .max_address_links = 8,
    .grace_ms = 100,
    .denied_ms = 1000,
    .most_denied_ms = 30 * 1000,
    .max_denied = 10,
    .max_denied_addresses = 256,
    .pause_ms = 1000,
    .n_keys = 16,
};

/** A socket that listens. */
typedef struct {
    SpiceListener *listener;
    GSocket *socket;
    GSource *source;
    SpiceTlsServer *tls;
    char *path; /* of a unix socket */
    guint64 device, inode;
} Port;

typedef enum { HELLO, WAITS_FOR_KEY, WAITS_FOR_SASL, TICKET, DENIED } Stage;

/** A connection that has not authenticated. */
typedef struct {
    SpiceListener *listener;
    SpiceConnection *connection;
    SpiceLinkServer *server;
    SpiceSaslServer *sasl;
    gboolean sasl_listed; /* the client has been told the mechanisms */
    SpicePeer peer;
    char *key; /* what limits count by */
    gboolean trusted;
    Stage stage;
    GByteArray *held; /* bytes that came while it waits for a key, or for SASL */
    GByteArray *denial;
    gint64 began, turn_began; /* turn: since when it is the peer that has to say something */
    GSource *timer;
} Link;

struct SpiceListener {
    SpiceListenerLimits limits;
    const SpiceListenerHandler *handler;
    gpointer user_data;
    GMainContext *context;
    SpiceLinkKeys *keys;
    SpiceLinkBackoff *backoff;
    GPtrArray *ports;
    GQueue links; /* Link, oldest first */
    GSource *pause, *sweep;
    gboolean wants_room; /* the pause is for links that have to go first */
    gboolean websockets;
    char **origins;
    gboolean by_sasl;
    char *sasl_application, *sasl_mechanisms;
};

static void drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

static void start_timer(SpiceListener *self, GSource **timer, guint ms, GSourceFunc func,
                        gpointer data)
{
    drop_source(timer);
    *timer = g_timeout_source_new(ms);
    g_source_set_callback(*timer, func, data, NULL);
    g_source_attach(*timer, self->context);
}

/* Links */

static void link_free(Link *link)
{
    drop_source(&link->timer);
    g_clear_pointer(&link->connection, spice_connection_close);
    spice_link_server_free(link->server);
    spice_sasl_server_free(link->sasl);
    g_clear_object(&link->peer.address);
    g_byte_array_unref(link->held);
    g_byte_array_unref(link->denial);
    g_free(link->key);
    g_free(link);
}

static void end_wait_for_room(SpiceListener *self);

/** Ends a link that came to nothing. */
static void link_drop(Link *link, const char *why)
{
    SpiceListener *self = link->listener;

    g_queue_remove(&self->links, link);
    if (self->handler->refused)
        self->handler->refused(&link->peer, why, self->user_data);
    link_free(link);
    end_wait_for_room(self);
}

static gboolean on_link_timeout(gpointer data)
{
    Link *link = data;

    link_drop(link, link->stage == HELLO ? "it did not say what it wants in time"
                                         : "it did not authenticate in time");
    return G_SOURCE_REMOVE;
}

/** Lets it go on until `ms` after its beginning. */
static void link_set_deadline(Link *link, guint ms)
{
    gint64 passed_ms = (g_get_monotonic_time() - link->began) / 1000;

    start_timer(link->listener, &link->timer, (guint)MAX((gint64)ms - passed_ms, 0),
                on_link_timeout, link);
}

static gboolean on_denial_due(gpointer data)
{
    Link *link = data;

    spice_connection_queue(link->connection, link->denial->data, link->denial->len);
    spice_connection_flush(link->connection);
    link_drop(link, "wrong, missing or expired ticket, or wrong password");
    return G_SOURCE_REMOVE;
}

/** Keeps the answer back for a while; cuts others short if there are too many. */
static void link_deny(Link *link, const GByteArray *answer)
{
    SpiceListener *self = link->listener;
    Link *oldest = NULL;
    guint n_denied = 0;
    GList *item;

    for (item = self->links.tail; item; item = item->prev) {
        if (((Link *)item->data)->stage == DENIED) {
            oldest = item->data;
            n_denied++;
        }
    }
    if (n_denied >= self->limits.max_denied && oldest)
        link_drop(oldest, "too many wrong tickets at a time");
    link->stage = DENIED;
    g_byte_array_append(link->denial, answer->data, answer->len);
    start_timer(self, &link->timer,
                spice_link_backoff_deny(self->backoff, link->key, g_get_monotonic_time()),
                on_denial_due, link);
}

/** It is a channel now; `data` are its first messages. */
static void link_hand_on(Link *link, const guint8 *data, gsize size)
{
    SpiceListener *self = link->listener;
    const SpiceLinkRequest *request = spice_link_server_get_request(link->server);
    SpiceServerChannel *channel;

    g_queue_remove(&self->links, link);
    drop_source(&link->timer);
    spice_link_backoff_forget(self->backoff, link->key);
    end_wait_for_room(self);
    channel = spice_server_channel_new(g_steal_pointer(&link->connection), request);
    spice_server_channel_ref(channel);
    self->handler->linked(self, channel, request, &link->peer, self->user_data);
    link_free(link); /* the listener may be gone */
    if (size > 0 && spice_server_channel_has_handler(channel))
        spice_server_channel_take(channel, data, size);
    spice_server_channel_unref(channel);
}

/** The next key that is ready goes to the link. FALSE if there is none. */
static gboolean link_get_key(Link *link)
{
    SpiceLinkKey *key = spice_link_keys_take(link->listener->keys);

    if (!key)
        return FALSE;
    spice_link_server_set_key(link->server, key);
    link->stage = TICKET;
    link->turn_began = g_get_monotonic_time();
    return TRUE;
}

/** Keeps what comes before the link has its key. It is read on, so that one that leaves is noticed
 * and costs no key; but no client has more to say than which mechanism it will use. */
static void link_hold(Link *link, const guint8 *data, gsize size)
{
    if (link->held->len + size > SPICE_AUTH_MECHANISM_SIZE + SPICE_TICKET_SIZE)
        link_drop(link, "it goes on without having heard the answer");
    else if (size > 0)
        g_byte_array_append(link->held, data, (guint)size);
}

static void send_now(Link *link, const GByteArray *out)
{
    if (out->len > 0) {
        spice_connection_queue(link->connection, out->data, out->len);
        spice_connection_flush(link->connection);
    }
}

static void on_sasl_ready(SpiceSaslServer *sasl, gpointer user_data);

/** Begins SASL, or hands it what the client sent. */
static void link_ask_sasl(Link *link)
{
    SpiceListener *self = link->listener;
    const SpiceSaslPolicy policy = {self->sasl_application, self->sasl_mechanisms};
    SpiceSaslPeer peer;

    link->stage = WAITS_FOR_SASL;
    if (link->sasl) {
        spice_sasl_server_step(link->sasl, spice_link_server_get_sasl_mechanism(link->server),
                               spice_link_server_get_sasl_data(link->server));
        return;
    }
    peer = (SpiceSaslPeer){
        .tls_bits = spice_connection_get_tls_bits(link->connection),
        .here = g_socket_get_local_address(spice_connection_get_socket(link->connection), NULL),
        .there = link->peer.address};
    link->sasl = spice_sasl_server_new(&policy, &peer, on_sasl_ready, link);
    g_clear_object(&peer.here);
    link_set_deadline(link, self->limits.sasl_ms);
}

static void link_take(Link *link, const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    SpiceLinkServerStep step;

    do {
        gsize used;

        step = spice_link_server_push(link->server, data, size, &used, out);
        data += used;
        size -= used;
        if (step == SPICE_LINK_SERVER_WANT_KEY && link->stage == HELLO) {
            link->stage = WAITS_FOR_KEY;
            link_set_deadline(link, link->listener->limits.link_ms);
        }
    } while (step == SPICE_LINK_SERVER_WANT_KEY && link_get_key(link));

    if (step == SPICE_LINK_SERVER_WANT_SASL || step == SPICE_LINK_SERVER_SASL_STEP)
        link_ask_sasl(link);
    if (link->stage == WAITS_FOR_KEY || link->stage == WAITS_FOR_SASL) {
        send_now(link, out);
        link_hold(link, data, size);
        return;
    }
    if (step == SPICE_LINK_SERVER_DENIED) {
        link_deny(link, out);
        return;
    }
    send_now(link, out);
    if (step == SPICE_LINK_SERVER_DONE)
        link_hand_on(link, data, size);
    else if (step == SPICE_LINK_SERVER_FAILED)
        link_drop(link, "its link was refused");
}

/** The client is who it says: the layer goes on, and the link ends. */
static void link_finish_sasl(Link *link)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    SpiceSaslLayer *layer = spice_sasl_server_take_layer(link->sasl);
    SpiceLinkServerStep step;

    if (link->held->len > 0) {
        spice_sasl_layer_free(layer);
        link_drop(link, "it goes on without having heard the answer");
        return;
    }
    if (layer)
        spice_connection_set_layer(link->connection, layer);
    link->peer.user = spice_sasl_server_get_user(link->sasl);
    step = spice_link_server_finish_sasl(link->server, out);
    send_now(link, out);
    if (step == SPICE_LINK_SERVER_DONE)
        link_hand_on(link, NULL, 0);
    else
        link_drop(link, "its link was refused");
}

/** SASL has its mechanisms, or an answer. */
static void on_sasl_ready(SpiceSaslServer *sasl, gpointer user_data)
{
    Link *link = user_data;
    g_autoptr(GByteArray) out = g_byte_array_new(), held = NULL;
    SpiceLinkServerStep step = SPICE_LINK_SERVER_MORE;

    if (link->sasl_listed) {
        step = spice_link_server_answer_sasl(link->server, spice_sasl_server_get_answer(sasl), out);
    } else {
        link->sasl_listed = TRUE;
        spice_link_server_set_sasl_mechanisms(link->server, spice_sasl_server_get_mechanisms(sasl),
                                              out);
    }
    if (step == SPICE_LINK_SERVER_DENIED) {
        link_deny(link, out);
        return;
    }
    send_now(link, out);
    if (step == SPICE_LINK_SERVER_SASL_DONE) {
        link_finish_sasl(link);
        return;
    }
    link->stage = TICKET;
    link->turn_began = g_get_monotonic_time();
    held = g_steal_pointer(&link->held);
    link->held = g_byte_array_new();
    link_take(link, held->data, held->len);
}

static Link *first_that_waits_for_key(const SpiceListener *self)
{
    GList *item;

    for (item = self->links.head; item; item = item->next)
        if (((Link *)item->data)->stage == WAITS_FOR_KEY)
            return item->data;
    return NULL;
}

/** Keys were made: those go on that wait for one, the oldest first. */
static gboolean on_keys_ready(gpointer data)
{
    SpiceListener *self = data;
    Link *link;

    while ((link = first_that_waits_for_key(self)) && link_get_key(link)) {
        g_autoptr(GByteArray) held = g_steal_pointer(&link->held);

        link->held = g_byte_array_new();
        link_take(link, held->data, held->len);
    }
    return G_SOURCE_CONTINUE;
}

static void on_bytes(SpiceConnection *connection, const guint8 *data, gsize size,
                     gpointer user_data)
{
    Link *link = user_data;

    if (link->stage == WAITS_FOR_KEY || link->stage == WAITS_FOR_SASL)
        link_hold(link, data, size);
    else if (link->stage == DENIED)
        link_drop(link, "it goes on without having heard that it may");
    else
        link_take(link, data, size);
}

static void on_closed(SpiceConnection *connection, const GError *error, gpointer user_data)
{
    link_drop(user_data, error ? error->message : "it closed the connection");
}

/* The policy of one link is the server's, told about the peer. */

static SpiceLinkError check_channel(const SpiceLinkRequest *request, gboolean *exists,
                                    gpointer user_data)
{
    Link *link = user_data;

    return link->listener->handler->check_channel(request, &link->peer, exists,
                                                  link->listener->user_data);
}

static SpiceCaps get_caps(guint8 channel_type, gpointer user_data)
{
    Link *link = user_data;

    return link->listener->handler->get_caps(channel_type, link->listener->user_data);
}

static gboolean check_ticket(const guint8 *block, gsize size, gpointer user_data)
{
    Link *link = user_data;

    return link->trusted ||
           link->listener->handler->check_ticket(block, size, link->listener->user_data);
}

static SpiceLinkError admit(const SpiceLinkRequest *request, gpointer user_data)
{
    Link *link = user_data;

    return link->listener->handler->admit(request, &link->peer, link->listener->user_data);
}

static gboolean wants_sasl(gpointer user_data)
{
    const Link *link = user_data;

    return link->listener->by_sasl && !link->trusted;
}

/* Limits */

/** How many links an address has. */
static guint count_links(const SpiceListener *self, const char *key)
{
    guint n = 0;
    GList *item;

    for (item = self->links.head; item; item = item->next)
        n += strcmp(((Link *)item->data)->key, key) == 0;
    return n;
}

/** Since when a peer's answer is due; G_MAXINT64 if it is not. A part of one does not count, so
 * that a trickle of bytes keeps nobody's place. */
static gint64 silent_since(const Link *link)
{
    if (link->stage == WAITS_FOR_KEY || link->stage == WAITS_FOR_SASL)
        return G_MAXINT64;
    return link->stage == DENIED ? link->began : link->turn_began;
}

/** The link that is dropped first when there are too many: of the address that has the most, the
 * one silent for the longest. NULL if all have spoken just now. */
static Link *choose_victim(const SpiceListener *self)
{
    const gint64 silent_before =
        g_get_monotonic_time() - self->limits.grace_ms * G_GINT64_CONSTANT(1000);
    Link *victim = NULL;
    guint most = 0;
    GList *item;

    for (item = self->links.head; item; item = item->next) {
        Link *link = item->data;
        guint n = count_links(self, link->key);
        gint64 since = silent_since(link);

        if (since > silent_before || n < most)
            continue;
        if (n > most || since < silent_since(victim))
            victim = link;
        most = n;
    }
    return victim;
}

static gboolean on_sweep(gpointer data);

/** Drops links until there are no more than `max_links` in all and `max_address_links` an
 * address; those in their grace get another look when it is over. */
static void enforce_limits(SpiceListener *self, guint max_links)
{
    for (;;) {
        gboolean too_many = g_queue_get_length(&self->links) > max_links;
        Link *victim;
        GList *item;

        for (item = self->links.head; item && !too_many; item = item->next)
            too_many =
                count_links(self, ((Link *)item->data)->key) > self->limits.max_address_links;
        if (!too_many)
            return;
        victim = choose_victim(self);
        if (!victim || (g_queue_get_length(&self->links) <= max_links &&
                        count_links(self, victim->key) <= self->limits.max_address_links))
            break;
        link_drop(victim, "too many connections that do not authenticate");
    }
    if (!self->sweep)
        start_timer(self, &self->sweep, self->limits.grace_ms + 1, on_sweep, self);
}

static gboolean on_sweep(gpointer data)
{
    SpiceListener *self = data;

    drop_source(&self->sweep);
    enforce_limits(self, self->limits.max_links);
    return G_SOURCE_REMOVE;
}

/* Accepting */

static void begin_link(SpiceListener *self, GSocket *socket, SpiceTlsServer *tls_server,
                       gboolean trusted)
{
    static const SpiceConnectionHandler connection_handler = {.bytes = on_bytes,
                                                              .closed = on_closed};
    static const SpiceLinkServerPolicy policy = {check_channel, get_caps, check_ticket, admit,
                                                 wants_sasl};
    SpiceTls *tls = tls_server ? spice_tls_server_accept(tls_server, NULL) : NULL;
    Link *link;

    if (tls_server && !tls)
        return; /* no memory: the socket closes */
    link = g_new0(Link, 1);
    link->listener = self;
    link->peer.secure = tls != NULL;
    link->peer.local = g_socket_get_family(socket) == G_SOCKET_FAMILY_UNIX;
    link->peer.address = g_socket_get_remote_address(socket, NULL);
    link->key = spice_link_address_key(link->peer.address);
    link->trusted = trusted;
    link->held = g_byte_array_new();
    link->denial = g_byte_array_new();
    link->began = link->turn_began = g_get_monotonic_time();
    link->server = spice_link_server_new(&policy, link);
    link->connection = spice_connection_new(socket, tls, &connection_handler, link);
    if (self->handler->accepted)
        self->handler->accepted(&link->peer, socket, self->user_data);
    if (self->websockets)
        spice_connection_accept_websocket(link->connection, (const char *const *)self->origins);
    g_queue_push_tail(&self->links, link);
    link_set_deadline(link, MIN(self->limits.first_message_ms, self->limits.link_ms));
    spice_connection_start(link->connection);
    enforce_limits(self, self->limits.max_links);
}

static gboolean on_acceptable(GSocket *socket, GIOCondition condition, gpointer data);

static void resume_accepting(SpiceListener *self)
{
    guint i;

    drop_source(&self->pause);
    self->wants_room = FALSE;
    for (i = 0; i < self->ports->len; i++) {
        Port *port = self->ports->pdata[i];

        if (port->source)
            continue;
        port->source = g_socket_create_source(port->socket, G_IO_IN, NULL);
        g_source_set_callback(port->source, G_SOURCE_FUNC(on_acceptable), port, NULL);
        g_source_attach(port->source, self->context);
    }
}

static void end_wait_for_room(SpiceListener *self)
{
    if (self->wants_room)
        resume_accepting(self);
}

static gboolean on_pause_over(gpointer data)
{
    resume_accepting(data);
    return G_SOURCE_REMOVE;
}

/** Stops accepting: new connections wait in the kernel. */
static void pause_accepting(SpiceListener *self, guint ms)
{
    guint i;

    for (i = 0; i < self->ports->len; i++)
        drop_source(&((Port *)self->ports->pdata[i])->source);
    start_timer(self, &self->pause, ms, on_pause_over, self);
}

/** One connection a turn, so that those that are accepted get their turn, too. */
static gboolean on_acceptable(GSocket *socket, GIOCondition condition, gpointer data)
{
    Port *port = data;
    SpiceListener *self = port->listener;
    g_autoptr(GSocket) accepted = NULL;
    gboolean again;

    enforce_limits(self, self->limits.max_links - 1);
    if (g_queue_get_length(&self->links) >= self->limits.max_links) {
        self->wants_room = TRUE; /* nobody has been silent for long enough */
        pause_accepting(self, self->limits.grace_ms + 1);
        return G_SOURCE_CONTINUE;
    }
    accepted = spice_listen_accept(port->socket, &again);
    if (accepted)
        begin_link(self, accepted, port->tls, FALSE);
    else if (!again)
        pause_accepting(self, self->limits.pause_ms);
    return G_SOURCE_CONTINUE;
}

/* The listener */

/** Takes `socket` over. */
static Port *add_port(SpiceListener *self, GSocket *socket, SpiceTlsServer *tls)
{
    Port *port = g_new0(Port, 1);

    port->listener = self;
    port->socket = socket;
    port->tls = tls;
    g_ptr_array_add(self->ports, port);
    if (!self->pause)
        resume_accepting(self);
    return port;
}

static void port_free(gpointer data)
{
    Port *port = data;

    drop_source(&port->source);
    g_object_unref(port->socket);
    if (port->path)
        spice_listen_unix_remove(port->path, port->device, port->inode);
    g_free(port->path);
    g_free(port);
}

guint16 spice_listener_add_tcp(SpiceListener *self, const char *address, guint16 number,
                               SpiceTlsServer *tls, GError **error)
{
    GSocket *socket = spice_listen_tcp(address, number, error);
    g_autoptr(GSocketAddress) bound = NULL;

    if (!socket)
        return 0;
    add_port(self, socket, tls);
    bound = g_socket_get_local_address(socket, NULL);
    return bound ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound)) : number;
}

gboolean spice_listener_add_unix(SpiceListener *self, const char *path, GError **error)
{
    GSocket *socket = spice_listen_unix(path, error);
    Port *port;

    if (!socket)
        return FALSE;
    port = add_port(self, socket, NULL);
    port->path = g_strdup(path);
    spice_listen_unix_identify(path, &port->device, &port->inode);
    return TRUE;
}

gboolean spice_listener_add_fd(SpiceListener *self, int fd, SpiceTlsServer *tls, GError **error)
{
    GSocket *socket = spice_listen_fd(fd, error);

    if (!socket)
        return FALSE;
    add_port(self, socket, tls);
    return TRUE;
}

gboolean spice_listener_take_connection(SpiceListener *self, int fd, SpiceTlsServer *tls,
                                        gboolean trusted, GError **error)
{
    g_autoptr(GSocket) socket = spice_listen_connected_fd(fd, error);

    if (!socket)
        return FALSE;
    begin_link(self, socket, tls, trusted);
    return TRUE;
}

void spice_listener_accept_websockets(SpiceListener *self, const char *const *origins)
{
    g_strfreev(self->origins);
    self->origins = g_strdupv((char **)origins);
    self->websockets = TRUE;
}

void spice_listener_set_sasl(SpiceListener *self, const SpiceSaslPolicy *policy)
{
    self->by_sasl = policy != NULL;
    g_free(self->sasl_application);
    g_free(self->sasl_mechanisms);
    self->sasl_application = g_strdup(policy ? policy->application : NULL);
    self->sasl_mechanisms = g_strdup(policy ? policy->mechanisms : NULL);
}

guint spice_listener_get_n_links(const SpiceListener *self)
{
    return g_queue_get_length((GQueue *)&self->links);
}

SpiceListener *spice_listener_new(const SpiceListenerLimits *limits,
                                  const SpiceListenerHandler *handler, gpointer user_data)
{
    SpiceListener *self = g_new0(SpiceListener, 1);

    self->limits = limits ? *limits : spice_listener_default_limits;
    self->handler = handler;
    self->user_data = user_data;
    self->context = g_main_context_ref_thread_default();
    self->backoff = spice_link_backoff_new(self->limits.denied_ms, self->limits.most_denied_ms,
                                           self->limits.max_denied_addresses);
    self->ports = g_ptr_array_new_with_free_func(port_free);
    g_queue_init(&self->links);
    self->keys = spice_link_keys_new(self->limits.n_keys);
    spice_link_keys_set_ready(self->keys, self->context, on_keys_ready, self);
    return self;
}

void spice_listener_free(SpiceListener *self)
{
    if (!self)
        return;
    self->wants_room = FALSE;
    drop_source(&self->pause);
    drop_source(&self->sweep);
    g_ptr_array_unref(self->ports);
    while (!g_queue_is_empty(&self->links))
        link_drop(g_queue_peek_head(&self->links), "the server closed");
    spice_link_keys_free(self->keys);
    spice_link_backoff_free(self->backoff);
    g_strfreev(self->origins);
    g_free(self->sasl_application);
    g_free(self->sasl_mechanisms);
    g_main_context_unref(self->context);
    g_free(self);
}
