/* Where a SPICE server listens, and its URI forms.
 *
 *     spice://host:port                  plain; also spice://host?port=5900&tls-port=5901
 *     spice+tls://host:port              TLS on every channel
 *     spice+unix:///run/vm.sock          a unix socket
 *
 * Query keys: port, tls-port, password (a password in a URI is readable to others on the machine;
 * the `password` property is the better place).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
    char *host;       /* name or literal address without brackets; NULL with a unix socket */
    guint16 port;     /* 0: none */
    guint16 tls_port; /* 0: none */
    char *unix_path;  /* NULL with a host */
    char *password;   /* from the URI; NULL if it had none */
} SpiceAddress;

/** Reads a URI. NULL and SPICE_TRANSPORT_ERROR_ADDRESS if it is malformed. (transfer full) */
SpiceAddress *spice_address_parse(const char *uri, GError **error);
void spice_address_free(SpiceAddress *address);

/** What to connect to for a plain (`tls` false) or a TLS connection; NULL if the address has no
 * such port. (transfer full) */
GSocketConnectable *spice_address_connectable(const SpiceAddress *address, gboolean tls);

/** "host:port" or the path, for messages. (transfer full) */
char *spice_address_describe(const SpiceAddress *address, gboolean tls);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceAddress, spice_address_free)

G_END_DECLS
