/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "listener-private.h"

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

void spice_listener_drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

void spice_listener_start_timer(SpiceListener *self, GSource **timer, guint ms, GSourceFunc func,
                                gpointer data)
{
    spice_listener_drop_source(timer);
    *timer = g_timeout_source_new(ms);
    g_source_set_callback(*timer, func, data, NULL);
    g_source_attach(*timer, self->context);
}

/* Accepting */

static gboolean on_acceptable(GSocket *socket, GIOCondition condition, gpointer data);

static void resume_accepting(SpiceListener *self)
{
    guint i;

    spice_listener_drop_source(&self->pause);
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

void spice_listener_has_room(SpiceListener *self)
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
        spice_listener_drop_source(&((Port *)self->ports->pdata[i])->source);
    spice_listener_start_timer(self, &self->pause, ms, on_pause_over, self);
}

/** One connection a turn, so that those that are accepted get their turn, too. */
static gboolean on_acceptable(GSocket *socket, GIOCondition condition, gpointer data)
{
    Port *port = data;
    SpiceListener *self = port->listener;
    g_autoptr(GSocket) accepted = NULL;
    gboolean again;

    spice_listener_enforce_limits(self, self->limits.max_links - 1);
    if (g_queue_get_length(&self->links) >= self->limits.max_links) {
        self->wants_room = TRUE; /* nobody has been silent for long enough */
        pause_accepting(self, self->limits.grace_ms + 1);
        return G_SOURCE_CONTINUE;
    }
    accepted = spice_listen_accept(port->socket, &again);
    if (accepted)
        spice_listener_begin_link(self, accepted, port->tls, FALSE);
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

    spice_listener_drop_source(&port->source);
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
    spice_listener_begin_link(self, socket, tls, trusted);
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
    spice_link_keys_set_ready(self->keys, self->context, spice_listener_on_keys_ready, self);
    return self;
}

void spice_listener_free(SpiceListener *self)
{
    if (!self)
        return;
    self->wants_room = FALSE;
    spice_listener_drop_source(&self->pause);
    spice_listener_drop_source(&self->sweep);
    g_ptr_array_unref(self->ports);
    spice_listener_drop_links(self, "the server closed");
    spice_link_keys_free(self->keys);
    spice_link_backoff_free(self->backoff);
    g_strfreev(self->origins);
    g_free(self->sasl_application);
    g_free(self->sasl_mechanisms);
    g_main_context_unref(self->context);
    g_free(self);
}
