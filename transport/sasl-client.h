/* The client's side of a SASL exchange, over libsasl2.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

#include "sasl-layer.h"

G_BEGIN_DECLS

typedef struct SpiceSaslClient SpiceSaslClient;

/** Whom the client is, and to whom it talks. */
typedef struct {
    const char *username,
        *password;    /* NULL: none; what a mechanism asks for and is not there ends it */
    const char *host; /* the server's name, as the user typed it */
    guint tls_bits;   /* strength of the TLS that protects the connection; 0: none does */
    GSocketAddress *here, *there;
} SpiceSaslClientConfig;

/** NULL and SPICE_TRANSPORT_ERROR_AUTHENTICATION if there is no SASL to be had. */
SpiceSaslClient *spice_sasl_client_new(const SpiceSaslClientConfig *config, GError **error);
void spice_sasl_client_free(SpiceSaslClient *client);

/** Chooses one of the server's mechanisms ("," between and around their names): *mechanism, which
 * belongs to the client, and *data to begin with (transfer full; NULL: none). May wait for a key server.
 * FALSE and SPICE_TRANSPORT_ERROR_AUTHENTICATION, with a sentence for a person. */
gboolean spice_sasl_client_start(SpiceSaslClient *client, const char *mechanisms,
                                 const char **mechanism, GBytes **data, GError **error);
/** Goes on with what the server sent (NULL: nothing). *done: the client has what it wants. */
gboolean spice_sasl_client_step(SpiceSaslClient *client, GBytes *in, GBytes **out, gboolean *done,
                                GError **error);
/** Whether the exchange is done; it may be from the first data on. */
gboolean spice_sasl_client_is_done(const SpiceSaslClient *client);

/** When it is done: FALSE if what was agreed on is too weak for the connection. */
gboolean spice_sasl_client_is_strong(const SpiceSaslClient *client);
/** The layer that has to go on the connection, NULL if there is none. (transfer full) */
SpiceSaslLayer *spice_sasl_client_take_layer(SpiceSaslClient *client);

G_END_DECLS
