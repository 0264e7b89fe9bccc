/* The server's side of the link handshake, as a state machine over bytes: no socket, no clock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "link-keys.h"
#include "sasl-server.h"

G_BEGIN_DECLS

typedef struct SpiceLinkServer SpiceLinkServer;

/** What a client asks for. Words live as long as the link. */
typedef struct {
    guint32 connection_id; /* 0: a new session, on the main channel */
    guint8 channel_type, channel_id;
    SpiceCaps channel_caps;
    gboolean mini_header;
} SpiceLinkRequest;

/** What a server decides. Called from spice_link_server_push(). */
typedef struct {
    /** Before authentication: OK, NEED_SECURED or NEED_UNSECURED. *exists FALSE: there is no such
     * channel; the connection is then closed without a word, as clients expect. */
    SpiceLinkError (*check_channel)(const SpiceLinkRequest *request, gboolean *exists,
                                    gpointer user_data);
    /** The server's capability words for a channel type. */
    SpiceCaps (*get_caps)(guint8 channel_type, gpointer user_data);
    /** Whether the decrypted block lets the client in; size 0: it could not be decrypted. */
    gboolean (*check_ticket)(const guint8 *block, gsize size, gpointer user_data);
    /** After authentication: OK, BAD_CONNECTION_ID, CHANNEL_NOT_AVAILABLE or PERMISSION_DENIED. */
    SpiceLinkError (*admit)(const SpiceLinkRequest *request, gpointer user_data);
    /** SASL is asked for instead of a ticket. */
    gboolean (*wants_sasl)(gpointer user_data);
} SpiceLinkServerPolicy;

typedef enum {
    SPICE_LINK_SERVER_MORE,      /* wants more bytes */
    SPICE_LINK_SERVER_WANT_KEY,  /* wants spice_link_server_set_key(), then the rest of the bytes */
    SPICE_LINK_SERVER_WANT_SASL, /* wants spice_link_server_set_sasl_mechanisms() */
    SPICE_LINK_SERVER_SASL_STEP, /* wants spice_link_server_answer_sasl() to what the client sent */
    SPICE_LINK_SERVER_SASL_DONE, /* send what stands in `out`; what follows goes through the layer, from
                                    spice_link_server_finish_sasl() on */
    SPICE_LINK_SERVER_DONE,      /* linked: what follows are messages */
    SPICE_LINK_SERVER_DENIED, /* authentication failed: send what stands in `out`, after a while */
    SPICE_LINK_SERVER_FAILED, /* send what stands in `out`, and close */
} SpiceLinkServerStep;

SpiceLinkServer *spice_link_server_new(const SpiceLinkServerPolicy *policy, gpointer user_data);
void spice_link_server_free(SpiceLinkServer *link);

/** Takes bytes from the client, appends what has to be sent to `out`. *used: how many bytes were
 * taken; the rest is to be pushed again after WANT_KEY, and are messages after DONE. */
SpiceLinkServerStep spice_link_server_push(SpiceLinkServer *link, const guint8 *data, gsize size,
                                           gsize *used, GByteArray *out);
/** The key that this connection uses; taken over. */
void spice_link_server_set_key(SpiceLinkServer *link, SpiceLinkKey *key);

/* SASL. What comes from the client while an answer is awaited is to be held back, and pushed then. */

/** Names between commas, and around them; kept until the link ends. */
void spice_link_server_set_sasl_mechanisms(SpiceLinkServer *link, const char *mechanisms,
                                           GByteArray *out);
/** After SASL_STEP: the mechanism that the client chose (NULL but for the first time), and what it sent
 * (NULL: nothing, which is not the same as empty). Both until the next push. */
const char *spice_link_server_get_sasl_mechanism(const SpiceLinkServer *link);
GBytes *spice_link_server_get_sasl_data(const SpiceLinkServer *link);
/** What SASL answers: MORE, SASL_DONE, or DENIED, to be told after a while. */
SpiceLinkServerStep spice_link_server_answer_sasl(SpiceLinkServer *link,
                                                  const SpiceSaslAnswer *answer, GByteArray *out);
/** The layer is on: the end of the link. */
SpiceLinkServerStep spice_link_server_finish_sasl(SpiceLinkServer *link, GByteArray *out);

/** What the client asked for; from WANT_KEY on. */
const SpiceLinkRequest *spice_link_server_get_request(const SpiceLinkServer *link);

G_END_DECLS
