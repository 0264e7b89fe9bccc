/* What both sides of SASL share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>
#include <sasl/sasl.h>

#include "sasl-layer.h"

G_BEGIN_DECLS

enum {
    SPICE_SASL_LEAST_STRENGTH = 56, /* bits of a layer, where TLS does not protect the connection */
    SPICE_SASL_MOST_STRENGTH = 100000,
    SPICE_SASL_BUFFER_SIZE = 8192,
};

/** Says what a mechanism has to be like: on a connection that TLS protects by `tls_bits` no layer is
 * wanted; on one that it does not (0) a layer is, and no mechanism that shows the password. */
gboolean spice_sasl_set_rules(sasl_conn_t *connection, guint tls_bits);

/** Bits of the layer that was agreed on; 0 without one. */
guint spice_sasl_get_strength(sasl_conn_t *connection);

/** The layer of a finished exchange, which takes `connection` over and gives it to `dispose` in the
 * end. */
SpiceSaslLayer *spice_sasl_layer_new(sasl_conn_t *connection,
                                     void (*dispose)(sasl_conn_t *connection));

/** "ip;port" as SASL has it; NULL for what has none. (transfer full) */
char *spice_sasl_describe_address(GSocketAddress *address);

G_END_DECLS
