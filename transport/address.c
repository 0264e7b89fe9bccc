/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address.h"

#include <gio/gunixsocketaddress.h>

#include "error.h"

/* A URI may hold a password: what is told of it is only its scheme, or the part that is wrong. */
static gboolean malformed(GError **error, const char *what, const char *value)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS,
                "%s in a SPICE address: %s", what, value);
    return FALSE;
}

static gboolean parse_port(const char *text, guint16 *port, GError **error)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &value, NULL))
        return malformed(error, "not a port", text);
    *port = (guint16)value;
    return TRUE;
}

static gboolean parse_query(SpiceAddress *self, const char *query, GError **error)
{
    GUriParamsIter iter;
    char *raw_key, *raw_value;

    g_uri_params_iter_init(&iter, query, -1, "&", G_URI_PARAMS_NONE);
    for (;;) {
        g_autofree char *key = NULL;
        g_autofree char *value = NULL;
        g_autoptr(GError) local = NULL;

        if (!g_uri_params_iter_next(&iter, &raw_key, &raw_value, &local))
            return local ? malformed(error, "malformed query", "(not shown)") : TRUE;
        key = raw_key;
        value = raw_value;
        if (g_str_equal(key, "port")) {
            if (!parse_port(value, &self->port, error))
                return FALSE;
        } else if (g_str_equal(key, "tls-port")) {
            if (!parse_port(value, &self->tls_port, error))
                return FALSE;
        } else if (g_str_equal(key, "password")) {
            g_free(self->password);
            self->password = g_strdup(value);
        } else {
            return malformed(error, "unknown query key", key);
        }
    }
}

SpiceAddress *spice_address_parse(const char *text, GError **error)
{
    g_autoptr(SpiceAddress) self = g_new0(SpiceAddress, 1);
    g_autoptr(GUri) uri = NULL;
    g_autoptr(GError) local = NULL;
    const char *scheme;
    int port;

    /* The query stays encoded here: parse_query() takes it apart first and decodes then. */
    uri = g_uri_parse(text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_QUERY, &local);
    if (!uri) {
        malformed(error, local->message, "(not shown)");
        return NULL;
    }
    scheme = g_uri_get_scheme(uri);
    port = g_uri_get_port(uri);
    if (g_str_equal(scheme, "spice+unix")) {
        if (!g_uri_get_path(uri) || g_uri_get_path(uri)[0] != '/') {
            malformed(error, "no absolute path", scheme);
            return NULL;
        }
        self->unix_path = g_strdup(g_uri_get_path(uri));
    } else if (g_str_equal(scheme, "spice") || g_str_equal(scheme, "spice+tls")) {
        if (!g_uri_get_host(uri) || g_uri_get_host(uri)[0] == '\0') {
            malformed(error, "no host", scheme);
            return NULL;
        }
        self->host = g_strdup(g_uri_get_host(uri));
        if (port == 0 || port > 65535) {
            malformed(error, "not a port", scheme);
            return NULL;
        }
        if (port > 0 && g_str_equal(scheme, "spice"))
            self->port = (guint16)port;
        else if (port > 0)
            self->tls_port = (guint16)port;
        self->password = g_strdup(g_uri_get_password(uri));
    } else {
        malformed(error, "unknown scheme", scheme);
        return NULL;
    }
    if (g_uri_get_query(uri) && !parse_query(self, g_uri_get_query(uri), error))
        return NULL;
    if (g_str_equal(scheme, "spice+tls"))
        self->port = 0; /* TLS was demanded: nothing may go over a plain port */
    if (self->host && self->port == 0 && self->tls_port == 0) {
        if (g_str_equal(scheme, "spice+tls")) {
            malformed(error, "no port", scheme);
            return NULL;
        }
        self->port = 5900;
    }
    return g_steal_pointer(&self);
}

void spice_address_free(SpiceAddress *self)
{
    if (!self)
        return;
    g_free(self->host);
    g_free(self->unix_path);
    g_free(self->password);
    g_free(self);
}

GSocketConnectable *spice_address_connectable(const SpiceAddress *self, gboolean tls)
{
    guint16 port = tls ? self->tls_port : self->port;

    if (self->unix_path) {
        return tls ? NULL : G_SOCKET_CONNECTABLE(g_unix_socket_address_new(self->unix_path));
    }
    return port ? g_network_address_new(self->host, port) : NULL;
}

char *spice_address_describe(const SpiceAddress *self, gboolean tls)
{
    if (self->unix_path)
        return g_strdup(self->unix_path);
    return g_strdup_printf(strchr(self->host, ':') ? "[%s]:%u" : "%s:%u", self->host,
                           tls ? self->tls_port : self->port);
}
