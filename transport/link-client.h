/* The client's side of the link handshake, as a state machine over bytes: no socket, no clock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "sasl-client.h"

G_BEGIN_DECLS

typedef struct SpiceLinkClient SpiceLinkClient;

typedef enum {
    SPICE_LINK_MORE,
    SPICE_LINK_WANT_SASL, /* wants spice_link_client_set_sasl(), then the rest of the bytes */
    SPICE_LINK_WANT_LAYER, /* what follows comes, and goes, through the layer of SASL, if it has one */
    SPICE_LINK_DONE,
    SPICE_LINK_FAILED,
} SpiceLinkStep;

/** `password` NULL: none. Strings and words are copied. */
SpiceLinkClient *spice_link_client_new(guint32 connection_id, guint8 channel_type,
                                       guint8 channel_id, const guint32 *channel_caps,
                                       guint n_channel_caps, const char *password);
void spice_link_client_free(SpiceLinkClient *link);

/** Appends the first message to `out`. */
void spice_link_client_start(SpiceLinkClient *link, GByteArray *out);

/** Takes bytes from the server, appends what has to be answered to `out`. *used: how many bytes
 * belonged to the handshake; after DONE the rest are messages. FAILED sets *error in the domain
 * SPICE_TRANSPORT_ERROR: HANDSHAKE, AUTHENTICATION, NEED_SECURED, NEED_UNSECURED, UNAVAILABLE. */
SpiceLinkStep spice_link_client_push(SpiceLinkClient *link, const guint8 *data, gsize size,
                                     gsize *used, GByteArray *out, GError **error);

/** What authenticates us (not owned; until the link ends). */
void spice_link_client_set_sasl(SpiceLinkClient *link, SpiceSaslClient *sasl);

/** Whether the server's reply to the first message has come. */
gboolean spice_link_client_got_reply(const SpiceLinkClient *link);
/** Whether SASL has begun, and is not over: a server that then closes means no. */
gboolean spice_link_client_is_authenticating(const SpiceLinkClient *link);
/** After DONE: the capabilities of the server for the channel, and which header both use. */
gboolean spice_link_client_peer_has(const SpiceLinkClient *link, guint capability);
gboolean spice_link_client_uses_mini_header(const SpiceLinkClient *link);

G_END_DECLS
