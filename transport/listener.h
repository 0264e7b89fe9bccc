/* Where clients come in: listens, lets connections authenticate within limits, and hands them on
 * as channels. One hostile or silent peer costs the others nothing.
 *
 * Everything happens on one thread: the one whose GMainContext was the thread default when
 * spice_listener_new() was called. Handlers are called there, and all functions must be.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "server-channel.h"

G_BEGIN_DECLS

typedef struct SpiceListener SpiceListener;

/** What a connection may take before it has authenticated. */
typedef struct {
    guint first_message_ms;  /* until its whole first message is in, TLS included */
    guint link_ms;           /* until it is linked */
    guint sasl_ms;           /* the same where SASL, which may have to ask others, is in between */
    guint max_links;         /* that have not authenticated, in all */
    guint max_address_links; /* of these, from one address (of IPv6: one /64) */
    guint grace_ms;          /* a peer whose answer is due for less is not dropped for others */
    guint denied_ms, most_denied_ms; /* how long a denial is held back: first, at most */
    guint max_denied;                /* denials held back at a time; the oldest are cut short */
    guint max_denied_addresses;      /* remembered */
    guint pause_ms;                  /* without accepting when descriptors or memory are short */
    guint n_keys;                    /* RSA keys that are kept ready */
} SpiceListenerLimits;

extern const SpiceListenerLimits spice_listener_default_limits;

/** Whom a link comes from. */
typedef struct {
    gboolean secure; /* by TLS */
    gboolean local;  /* a unix socket */
    GSocketAddress *address;
    const char *user;    /* who has authenticated by SASL; NULL: by ticket, or not yet */
    gpointer owner_data; /* the handler's own, set by `accepted` */
} SpicePeer;

/** What a server decides; see SpiceLinkServerPolicy. None may free the listener but `linked`. */
typedef struct {
    /** A connection came; may be NULL. For each either `linked` or `refused` follows. */
    void (*accepted)(SpicePeer *peer, GSocket *socket, gpointer user_data);
    SpiceLinkError (*check_channel)(const SpiceLinkRequest *request, const SpicePeer *peer,
                                    gboolean *exists, gpointer user_data);
    SpiceCaps (*get_caps)(guint8 channel_type, gpointer user_data);
    gboolean (*check_ticket)(const guint8 *block, gsize size, gpointer user_data);
    SpiceLinkError (*admit)(const SpiceLinkRequest *request, const SpicePeer *peer,
                            gpointer user_data);
    /** A channel (transfer full) that is linked: comes right after its `admit`. It has to get its
     * handler now. `request` and `peer` live during the call. */
    void (*linked)(SpiceListener *listener, SpiceServerChannel *channel,
                   const SpiceLinkRequest *request, const SpicePeer *peer, gpointer user_data);
    /** A connection ended before it was linked; may be NULL. There may be many a second. */
    void (*refused)(const SpicePeer *peer, const char *why, gpointer user_data);
} SpiceListenerHandler;

/** limits NULL: spice_listener_default_limits. */
SpiceListener *spice_listener_new(const SpiceListenerLimits *limits,
                                  const SpiceListenerHandler *handler, gpointer user_data);
/** Stops listening and drops what has not linked; channels live on. */
void spice_listener_free(SpiceListener *listener);

/** Listens on TCP too; see spice_listen_tcp(). With `tls` (not owned, must outlive the listener)
 * every connection begins with a TLS handshake. Returns the port, or 0 and *error. */
guint16 spice_listener_add_tcp(SpiceListener *listener, const char *address, guint16 port,
                               SpiceTlsServer *tls, GError **error);
/** Listens on a unix socket, too; see spice_listen_unix(). The file goes with the listener. */
gboolean spice_listener_add_unix(SpiceListener *listener, const char *path, GError **error);
/** Accepts from a listening descriptor, too; it is taken over. */
gboolean spice_listener_add_fd(SpiceListener *listener, int fd, SpiceTlsServer *tls,
                               GError **error);
/** Takes over a descriptor that is connected to a client. With `trusted` any ticket is good. FALSE
 * and SPICE_TRANSPORT_ERROR_ADDRESS if it is no connected socket; it is then closed. */
gboolean spice_listener_take_connection(SpiceListener *listener, int fd, SpiceTlsServer *tls,
                                        gboolean trusted, GError **error);

/** Lets browsers connect, too: on connections that come from now on a WebSocket is recognised by
 * its first bytes. `origins`: of web pages that may, besides those of the same host; NULL for none.
 */
void spice_listener_accept_websockets(SpiceListener *listener, const char *const *origins);

/** Asks for SASL instead of tickets on connections that come from now on; NULL: for tickets. Only
 * connections that are taken over as trusted need neither. */
void spice_listener_set_sasl(SpiceListener *listener, const SpiceSaslPolicy *policy);

/** Connections that have not authenticated yet. */
guint spice_listener_get_n_links(const SpiceListener *listener);

G_END_DECLS
