/* Both ends of channels: a server that answers each QUESTION with an ANSWER of the same body, and our client.
 *
 * On the default main context, which the test turns.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/channel.h"
#include "transport/channel.h"
#include "transport/listener.h"
#include "transport/ticket.h"

enum { ANSWER = 101, QUESTION = 102, TIMEOUT_MS = 20000 };

/** Turns the main context until `condition` holds. */
#define WAIT_FOR(condition)                                                                        \
    G_STMT_START                                                                                   \
    {                                                                                              \
        gint64 wait_until = g_get_monotonic_time() + TIMEOUT_MS * G_GINT64_CONSTANT(1000);         \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > wait_until)                                               \
                g_error("%d: still not: %s", __LINE__, #condition);                                \
            if (!g_main_context_iteration(NULL, FALSE))                                            \
                g_usleep(200);                                                                     \
        }                                                                                          \
    }                                                                                              \
    G_STMT_END

/** Turns the main context for a while; how often it had something to do. */
guint turn_for(guint ms);

/* The server */

typedef struct {
    SpiceListener *listener;
    SpiceTicket ticket;
    GPtrArray *channels; /* open ones */
    guint n_linked, n_refused, n_pongs, n_other_pongs, n_writable;
    gint64 round_trip;
    gboolean secure, local;
    GError *error; /* of the channel that ended last */
} Server;

/** How a channel is served; `user_data` is the Server. */
extern const SpiceServerChannelHandler server_channel_handler;

void server_start(Server *server, const SpiceListenerLimits *limits);
/** Its port on 127.0.0.1. */
guint16 server_listen(Server *server, SpiceTlsServer *tls);
/** Of a server without a listener. */
void channels_close(Server *server);
void server_stop(Server *server);

/* The client */

typedef struct {
    SpiceChannel *channel;
    gboolean opened, closed;
    GError *error;
    guint n_answers;
    guint8 last; /* first byte of the last answer */
} Client;

/** For clients that are opened from now on: ms of silence after which a server counts as gone (0: never),
 * and whose certificates are trusted. */
extern guint client_idle_ms;
extern const char *client_ca_file;

void client_open(Client *client, const SpiceAddress *address, gboolean tls, guint8 type,
                 const char *password);
void client_open_tcp(Client *client, guint16 port, const char *password);
void client_close(Client *client);
/** The channel works: a question comes back. */
void check_answers(Client *client, guint8 byte);
