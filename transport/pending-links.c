/* Connections until they have authenticated: their link, with a key or SASL, within limits and times.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "listener-private.h"

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

static void link_free(Link *link)
{
    spice_listener_drop_source(&link->timer);
    g_clear_pointer(&link->connection, spice_connection_close);
    spice_link_server_free(link->server);
    spice_sasl_server_free(link->sasl);
    g_clear_object(&link->peer.address);
    g_byte_array_unref(link->held);
    g_byte_array_unref(link->denial);
    g_free(link->key);
    g_free(link);
}

/** Ends a link that came to nothing. */
static void link_drop(Link *link, const char *why)
{
    SpiceListener *self = link->listener;

    g_queue_remove(&self->links, link);
    if (self->handler->refused)
        self->handler->refused(&link->peer, why, self->user_data);
    link_free(link);
    spice_listener_has_room(self);
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

    spice_listener_start_timer(link->listener, &link->timer, (guint)MAX((gint64)ms - passed_ms, 0),
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
    spice_listener_start_timer(
        self, &link->timer,
        spice_link_backoff_deny(self->backoff, link->key, g_get_monotonic_time()), on_denial_due,
        link);
}

/** It is a channel now; `data` are its first messages. */
static void link_hand_on(Link *link, const guint8 *data, gsize size)
{
    SpiceListener *self = link->listener;
    const SpiceLinkRequest *request = spice_link_server_get_request(link->server);
    SpiceServerChannel *channel;

    g_queue_remove(&self->links, link);
    spice_listener_drop_source(&link->timer);
    spice_link_backoff_forget(self->backoff, link->key);
    spice_listener_has_room(self);
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

/** Those go on that wait for a key, the oldest first. */
gboolean spice_listener_on_keys_ready(gpointer data)
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

void spice_listener_enforce_limits(SpiceListener *self, guint max_links)
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
        spice_listener_start_timer(self, &self->sweep, self->limits.grace_ms + 1, on_sweep, self);
}

static gboolean on_sweep(gpointer data)
{
    SpiceListener *self = data;

    spice_listener_drop_source(&self->sweep);
    spice_listener_enforce_limits(self, self->limits.max_links);
    return G_SOURCE_REMOVE;
}

/* Beginning */

void spice_listener_begin_link(SpiceListener *self, GSocket *socket, SpiceTlsServer *tls_server,
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
    spice_listener_enforce_limits(self, self->limits.max_links);
}

void spice_listener_drop_links(SpiceListener *self, const char *why)
{
    while (!g_queue_is_empty(&self->links))
        link_drop(g_queue_peek_head(&self->links), why);
}
