/* TLS as a filter between byte arrays: OpenSSL on memory BIOs, no socket, no thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct SpiceTls SpiceTls;

/** Whom a client trusts. All strings may be NULL. */
typedef struct {
    const char *ca_file; /* PEM; NULL: the system's certificates */
    const char *host;    /* name or address that the certificate must bear, as the user typed it */
    const char
        *host_subject; /* "O=...,CN=...": the exact subject; the host is then not looked at */
} SpiceTlsTrust;

typedef enum {
    SPICE_TLS_DONE,
    SPICE_TLS_WANT_INPUT, /* nothing more to be had before spice_tls_feed() */
    SPICE_TLS_CLOSED,     /* the peer said close_notify */
    SPICE_TLS_FAILED,     /* *error tells */
} SpiceTlsResult;

/** A client's side, TLS 1.2 and up, renegotiation refused. NULL and SPICE_TRANSPORT_ERROR_TLS if
 * the CA file cannot be read or host_subject is malformed. */
SpiceTls *spice_tls_client_new(const SpiceTlsTrust *trust, GError **error);
void spice_tls_free(SpiceTls *tls);

/** A server's certificate and rules, for any number of connections. */
typedef struct SpiceTlsServer SpiceTlsServer;

/** PEM files; `key_password` and `ciphers` (OpenSSL's list for TLS 1.2) may be NULL. TLS 1.2 and
 * up, the server's preference, no session tickets, no renegotiation. NULL and
 * SPICE_TRANSPORT_ERROR_TLS, which names the file, if one cannot be used or the key does not belong
 * to the certificate. */
SpiceTlsServer *spice_tls_server_new(const char *cert_file, const char *key_file,
                                     const char *key_password, const char *ciphers, GError **error);
void spice_tls_server_free(SpiceTlsServer *server);
/** One connection's side; may outlive the server. NULL without memory. */
SpiceTls *spice_tls_server_accept(SpiceTlsServer *server, GError **error);

/** Bytes from the peer. */
void spice_tls_feed(SpiceTls *tls, const guint8 *data, gsize size);
/** Appends to `out` what has to be sent to the peer. Call it after every other call. */
void spice_tls_drain(SpiceTls *tls, GByteArray *out);
/** Goes on with the handshake; DONE once the peer is verified. */
SpiceTlsResult spice_tls_handshake(SpiceTls *tls, GError **error);
/** Decrypts at most `size` bytes; DONE with *n > 0, else nothing was read. */
SpiceTlsResult spice_tls_read(SpiceTls *tls, guint8 *data, gsize size, gsize *n, GError **error);
/** Encrypts all of `data`. Only after the handshake. */
gboolean spice_tls_write(SpiceTls *tls, const guint8 *data, gsize size, GError **error);

/** The strength of the cipher in bits; 0 before the handshake. */
guint spice_tls_get_bits(const SpiceTls *tls);

/** Whether the certificate subject `text` ("C=XX,O=Org,CN=name", `\,` and `\\` escaped) is
 * well-formed. Exposed for tests. */
gboolean spice_tls_subject_is_lawful(const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceTls, spice_tls_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceTlsServer, spice_tls_server_free)

G_END_DECLS
