/* The server's side of a SASL exchange: libsasl2 on a thread of its own, as mechanisms may ask a
 * directory or a key server and wait for the answer. One exchange takes its turn at a time: libsasl2
 * knows no locks unless a whole process has agreed on them.
 *
 * All functions are called on one thread, that of the GMainContext which was its default when the
 * object was made; `ready` is called there.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

#include "sasl-layer.h"

G_BEGIN_DECLS

typedef struct SpiceSaslServer SpiceSaslServer;

/** What an administrator decides. */
typedef struct {
    const char
        *application; /* whose configuration libsasl2 reads; the first one in a process counts */
    const char *mechanisms; /* that may be used, comma-separated; NULL: all that libsasl2 offers but
                                those that are broken (CRAM-MD5, DIGEST-MD5, NTLM) */
} SpiceSaslPolicy;

typedef struct {
    guint tls_bits; /* strength of the TLS that protects the connection; 0: none does */
    GSocketAddress *here, *there;
} SpiceSaslPeer;

typedef enum {
    SPICE_SASL_FAILED, /* the mechanism says no, or libsasl2 cannot */
    SPICE_SASL_MORE,
    SPICE_SASL_DONE,
} SpiceSaslOutcome;

typedef struct {
    SpiceSaslOutcome outcome;
    GBytes *data; /* for the client; NULL: none, which is not the same as empty */
} SpiceSaslAnswer;

typedef void (*SpiceSaslReady)(SpiceSaslServer *server, gpointer user_data);

/** Begins an exchange: `ready` is called when spice_sasl_server_get_mechanisms() is there. */
SpiceSaslServer *spice_sasl_server_new(const SpiceSaslPolicy *policy, const SpiceSaslPeer *peer,
                                       SpiceSaslReady ready, gpointer user_data);
/** Also while something is under way; `ready` is not called any more. */
void spice_sasl_server_free(SpiceSaslServer *server);

/** Names between commas, and around them: ",A,B,"; "," if there is none to be had. */
const char *spice_sasl_server_get_mechanisms(const SpiceSaslServer *server);

/** Goes on with what the client sent (NULL: nothing); the first time with the mechanism that it chose.
 * Not before `ready`, which is called again when the answer is there. */
void spice_sasl_server_step(SpiceSaslServer *server, const char *mechanism, GBytes *data);
const SpiceSaslAnswer *spice_sasl_server_get_answer(const SpiceSaslServer *server);

/** After DONE: the layer that has to go on the connection, NULL if there is none. (transfer full) */
SpiceSaslLayer *spice_sasl_server_take_layer(SpiceSaslServer *server);
/** After DONE: who the client is. */
const char *spice_sasl_server_get_user(const SpiceSaslServer *server);

G_END_DECLS
