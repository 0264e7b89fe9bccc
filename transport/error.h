/* Why a connection failed: the GError domain of transport/ and session/.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS
#pragma GCC visibility push(default)

#define SPICE_TRANSPORT_ERROR (spice_transport_error_quark())
GQuark spice_transport_error_quark(void);

typedef enum {
    /* before the link stands */
    SPICE_TRANSPORT_ERROR_ADDRESS,        /* unlawful address, or a name that nobody knows */
    SPICE_TRANSPORT_ERROR_CONNECT,        /* refused, unreachable, no such socket */
    SPICE_TRANSPORT_ERROR_TLS,            /* handshake or certificate */
    SPICE_TRANSPORT_ERROR_TIMEOUT,        /* no connection or no complete handshake in time */
    SPICE_TRANSPORT_ERROR_HANDSHAKE,      /* the peer does not speak SPICE, or refused the link */
    SPICE_TRANSPORT_ERROR_AUTHENTICATION, /* wrong, missing or expired ticket */
    SPICE_TRANSPORT_ERROR_NEED_SECURED,   /* this channel is only to be had on the TLS port */
    SPICE_TRANSPORT_ERROR_NEED_UNSECURED, /* this channel is only to be had on the plain port */
    SPICE_TRANSPORT_ERROR_UNAVAILABLE,    /* the server has no such channel */
    /* after it */
    SPICE_TRANSPORT_ERROR_PROTOCOL, /* a message that breaks the protocol */
    SPICE_TRANSPORT_ERROR_CLOSED,   /* the peer closed, or the network broke */
    SPICE_TRANSPORT_ERROR_IDLE,     /* nothing heard for too long */
} SpiceTransportError;

/** Whether `error` says that an established link was lost, not that none came about. */
gboolean spice_transport_error_is_loss(const GError *error);

#pragma GCC visibility pop
G_END_DECLS
