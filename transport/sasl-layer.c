/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sasl-private.h"

struct SpiceSaslLayer {
    sasl_conn_t *connection;
    void (*dispose)(sasl_conn_t *connection);
    guint most; /* bytes to encode at a time */
};

gboolean spice_sasl_set_rules(sasl_conn_t *connection, guint tls_bits)
{
    const sasl_ssf_t external = tls_bits;
    const sasl_security_properties_t rules = {
        .min_ssf = tls_bits ? 0 : SPICE_SASL_LEAST_STRENGTH,
        .max_ssf = tls_bits ? 0 : SPICE_SASL_MOST_STRENGTH,
        .maxbufsize = SPICE_SASL_BUFFER_SIZE,
        .security_flags = SASL_SEC_NOANONYMOUS | (tls_bits ? 0 : SASL_SEC_NOPLAINTEXT),
    };

    return (!tls_bits || sasl_setprop(connection, SASL_SSF_EXTERNAL, &external) == SASL_OK) &&
           sasl_setprop(connection, SASL_SEC_PROPS, &rules) == SASL_OK;
}

guint spice_sasl_get_strength(sasl_conn_t *connection)
{
    const void *bits = NULL;

    if (sasl_getprop(connection, SASL_SSF, &bits) != SASL_OK || !bits)
        return 0;
    return *(const sasl_ssf_t *)bits;
}

SpiceSaslLayer *spice_sasl_layer_new(sasl_conn_t *connection,
                                     void (*dispose)(sasl_conn_t *connection))
{
    SpiceSaslLayer *self = g_new0(SpiceSaslLayer, 1);
    const void *most = NULL;

    self->connection = connection;
    self->dispose = dispose;
    self->most = SPICE_SASL_BUFFER_SIZE / 2;
    if (sasl_getprop(connection, SASL_MAXOUTBUF, &most) == SASL_OK && most &&
        *(const unsigned *)most > 0)
        self->most = MIN(*(const unsigned *)most, self->most);
    return self;
}

gboolean spice_sasl_is_available(void)
{
    return TRUE;
}

void spice_sasl_layer_free(SpiceSaslLayer *self)
{
    if (!self)
        return;
    self->dispose(self->connection);
    g_free(self);
}

gboolean spice_sasl_layer_encode(SpiceSaslLayer *self, const guint8 *data, gsize size,
                                 GByteArray *out)
{
    while (size > 0) {
        const guint n = (guint)MIN(size, self->most);
        const char *encoded;
        unsigned encoded_size;

        if (sasl_encode(self->connection, (const char *)data, n, &encoded, &encoded_size) !=
            SASL_OK)
            return FALSE;
        g_byte_array_append(out, (const guint8 *)encoded, encoded_size);
        data += n;
        size -= n;
    }
    return TRUE;
}

gboolean spice_sasl_layer_decode(SpiceSaslLayer *self, const guint8 *data, gsize size,
                                 GByteArray *out)
{
    while (size > 0) {
        const guint n = (guint)MIN(size, SPICE_SASL_BUFFER_SIZE);
        const char *decoded = NULL;
        unsigned decoded_size = 0;

        if (sasl_decode(self->connection, (const char *)data, n, &decoded, &decoded_size) !=
            SASL_OK)
            return FALSE;
        if (decoded_size > 0)
            g_byte_array_append(out, (const guint8 *)decoded, decoded_size);
        data += n;
        size -= n;
    }
    return TRUE;
}

char *spice_sasl_describe_address(GSocketAddress *address)
{
    g_autofree char *ip = NULL;

    if (!address || !G_IS_INET_SOCKET_ADDRESS(address))
        return NULL;
    ip =
        g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
    return g_strdup_printf("%s;%u", ip,
                           g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)));
}
