/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <gio/gio.h>

#include "error.h"

struct SpiceTls {
    SSL_CTX *context;
    SSL *ssl;
    BIO *from_peer, *to_peer; /* owned by ssl */
    X509_NAME *subject;       /* NULL unless the subject is to be compared */
    gboolean established;
    guint idle_handshakes; /* handshake messages since the last application data */
};

/* Key updates cost the receiver more than the sender. */
enum { MAX_IDLE_HANDSHAKES = 32 };

static void count_handshakes(int sent, int version, int type, const void *data, size_t size,
                             SSL *ssl, void *user_data)
{
    SpiceTls *self = user_data;

    if (!sent && type == SSL3_RT_HANDSHAKE && self->established)
        self->idle_handshakes++;
}

/** The most telling of OpenSSL's queued errors. Empties the queue. */
static const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

static gboolean fail(GError **error, const char *what, const char *why)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_TLS, "%s: %s", what, why);
    return FALSE;
}

/** One `key=value` of a subject, from *text on; moves *text behind it and its comma. */
static gboolean parse_subject_entry(const char **text, GString *key, GString *value)
{
    GString *part = key;
    const char *p = *text;

    g_string_truncate(key, 0);
    g_string_truncate(value, 0);
    while (*p == ' ')
        p++;
    for (; *p && *p != ','; p++) {
        if (*p == '\\') {
            p++;
            if (*p != '\\' && *p != ',')
                return FALSE;
            g_string_append_c(part, *p);
        } else if (*p == '=' && part == key) {
            part = value;
        } else {
            g_string_append_c(part, *p);
        }
    }
    if (part == key || key->len == 0 || value->len == 0)
        return FALSE;
    *text = *p ? p + 1 : p;
    return TRUE;
}

/** The name that `text` describes; NULL if it is malformed or names an unknown attribute. */
static X509_NAME *parse_subject(const char *text)
{
    g_autoptr(GString) key = g_string_new(NULL);
    g_autoptr(GString) value = g_string_new(NULL);
    X509_NAME *name = X509_NAME_new();
    gboolean ok = *text != '\0';

    while (ok && *text)
        ok = parse_subject_entry(&text, key, value) &&
             X509_NAME_add_entry_by_txt(name, key->str, MBSTRING_UTF8, (const guchar *)value->str,
                                        (int)value->len, -1, 0) == 1;
    if (!ok) {
        X509_NAME_free(name);
        ERR_clear_error();
        return NULL;
    }
    return name;
}

gboolean spice_tls_subject_is_lawful(const char *text)
{
    X509_NAME *name = parse_subject(text);
    gboolean lawful = name != NULL;

    X509_NAME_free(name);
    return lawful;
}

static gboolean set_trust(SpiceTls *self, const SpiceTlsTrust *trust, GError **error)
{
    if (trust->ca_file) {
        if (SSL_CTX_load_verify_file(self->context, trust->ca_file) != 1)
            return fail(error, trust->ca_file, openssl_reason());
    } else {
        SSL_CTX_set_default_verify_paths(self->context);
    }
    if (trust->host_subject) {
        self->subject = parse_subject(trust->host_subject);
        if (!self->subject)
            return fail(error, "malformed host subject", trust->host_subject);
    }
    return TRUE;
}

/** Tells OpenSSL which name the certificate must bear; a subject comparison replaces it. */
static gboolean set_expected_host(SpiceTls *self, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(self->ssl);

    if (g_hostname_is_ip_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           SSL_set_tlsext_host_name(self->ssl, host) == 1;
}

/** Puts an SSL on memory BIOs. */
static gboolean open_ssl(SpiceTls *self, GError **error)
{
    self->ssl = SSL_new(self->context);
    self->from_peer = BIO_new(BIO_s_mem());
    self->to_peer = BIO_new(BIO_s_mem());
    if (!self->ssl || !self->from_peer || !self->to_peer) {
        BIO_free(self->from_peer);
        BIO_free(self->to_peer);
        return fail(error, "cannot set up TLS", openssl_reason());
    }
    BIO_set_mem_eof_return(self->from_peer, -1);
    SSL_set_bio(self->ssl, self->from_peer, self->to_peer);
    SSL_set_msg_callback(self->ssl, count_handshakes);
    SSL_set_msg_callback_arg(self->ssl, self);
    return TRUE;
}

SpiceTls *spice_tls_client_new(const SpiceTlsTrust *trust, GError **error)
{
    g_autoptr(SpiceTls) self = g_new0(SpiceTls, 1);

    ERR_clear_error();
    self->context = SSL_CTX_new(TLS_client_method());
    if (!self->context) {
        fail(error, "cannot set up TLS", openssl_reason());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(self->context, TLS1_2_VERSION);
    SSL_CTX_set_options(self->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(self->context, SSL_VERIFY_PEER, NULL);
    if (!set_trust(self, trust, error))
        return NULL;

    if (!open_ssl(self, error))
        return NULL;
    SSL_set_connect_state(self->ssl);
    if (!self->subject && (!trust->host || !set_expected_host(self, trust->host))) {
        fail(error, "unlawful host name", trust->host ? trust->host : "none");
        return NULL;
    }
    return g_steal_pointer(&self);
}

void spice_tls_free(SpiceTls *self)
{
    if (!self)
        return;
    SSL_free(self->ssl);
    SSL_CTX_free(self->context);
    X509_NAME_free(self->subject);
    g_free(self);
}

void spice_tls_feed(SpiceTls *self, const guint8 *data, gsize size)
{
    while (size > 0) {
        int n = BIO_write(self->from_peer, data, (int)MIN(size, G_MAXINT));

        if (n <= 0)
            return; /* out of memory: the read that follows sees a short record */
        data += n;
        size -= (gsize)n;
    }
}

void spice_tls_drain(SpiceTls *self, GByteArray *out)
{
    char *data;
    long size = BIO_get_mem_data(self->to_peer, &data);

    if (size > 0)
        g_byte_array_append(out, (const guint8 *)data, (guint)size);
    BIO_reset(self->to_peer);
}

static SpiceTlsResult result_of(SpiceTls *self, int ret, const char *what, GError **error)
{
    long verify;

    switch (SSL_get_error(self->ssl, ret)) {
    case SSL_ERROR_NONE:
        return SPICE_TLS_DONE;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SPICE_TLS_WANT_INPUT;
    case SSL_ERROR_ZERO_RETURN:
        return SPICE_TLS_CLOSED;
    default:
        verify = SSL_get_verify_result(self->ssl);
        if (verify != X509_V_OK) {
            ERR_clear_error();
            fail(error, "server certificate refused", X509_verify_cert_error_string(verify));
        } else {
            fail(error, what, openssl_reason());
        }
        return SPICE_TLS_FAILED;
    }
}

static gboolean subject_matches(SpiceTls *self)
{
    X509 *peer = SSL_get0_peer_certificate(self->ssl);

    return peer && X509_NAME_cmp(X509_get_subject_name(peer), self->subject) == 0;
}

SpiceTlsResult spice_tls_handshake(SpiceTls *self, GError **error)
{
    SpiceTlsResult result;

    ERR_clear_error();
    result = result_of(self, SSL_do_handshake(self->ssl), "TLS handshake failed", error);
    if (result == SPICE_TLS_DONE && self->subject && !subject_matches(self)) {
        fail(error, "server certificate refused", "its subject is not the expected one");
        return SPICE_TLS_FAILED;
    }
    self->established = result == SPICE_TLS_DONE;
    return result;
}

SpiceTlsResult spice_tls_read(SpiceTls *self, guint8 *data, gsize size, gsize *n, GError **error)
{
    ERR_clear_error();
    if (SSL_read_ex(self->ssl, data, size, n) == 1) {
        self->idle_handshakes = 0;
        return SPICE_TLS_DONE;
    }
    *n = 0;
    if (self->idle_handshakes > MAX_IDLE_HANDSHAKES) {
        fail(error, "TLS connection broken", "too many handshake messages");
        return SPICE_TLS_FAILED;
    }
    return result_of(self, 0, "TLS connection broken", error);
}

gboolean spice_tls_write(SpiceTls *self, const guint8 *data, gsize size, GError **error)
{
    gsize written;

    ERR_clear_error();
    if (size == 0 || SSL_write_ex(self->ssl, data, size, &written) == 1)
        return TRUE;
    return fail(error, "TLS connection broken", openssl_reason());
}

/* The server's side */

struct SpiceTlsServer {
    SSL_CTX *context;
};

static int give_password(char *buffer, int size, int writing, void *password)
{
    return password ? (int)g_strlcpy(buffer, password, (gsize)size) : 0;
}

static gboolean load_certificate(SpiceTlsServer *self, const char *cert_file, const char *key_file,
                                 const char *key_password, GError **error)
{
    SSL_CTX_set_default_passwd_cb(self->context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(self->context, (void *)key_password);
    if (SSL_CTX_use_certificate_chain_file(self->context, cert_file) != 1)
        return fail(error, cert_file, openssl_reason());
    if (SSL_CTX_use_PrivateKey_file(self->context, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(self->context) != 1)
        return fail(error, key_file, openssl_reason());
    SSL_CTX_set_default_passwd_cb_userdata(self->context, NULL);
    return TRUE;
}

SpiceTlsServer *spice_tls_server_new(const char *cert_file, const char *key_file,
                                     const char *key_password, const char *ciphers, GError **error)
{
    static const guint8 session_context[] = "SPICE";
    g_autoptr(SpiceTlsServer) self = g_new0(SpiceTlsServer, 1);

    ERR_clear_error();
    self->context = SSL_CTX_new(TLS_server_method());
    if (!self->context) {
        fail(error, "cannot set up TLS", openssl_reason());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(self->context, TLS1_2_VERSION);
    SSL_CTX_set_options(self->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(self->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(self->context, session_context, sizeof session_context - 1);
    if (!load_certificate(self, cert_file, key_file, key_password, error))
        return NULL;
    if (ciphers && SSL_CTX_set_cipher_list(self->context, ciphers) != 1) {
        fail(error, ciphers, openssl_reason());
        return NULL;
    }
    return g_steal_pointer(&self);
}

void spice_tls_server_free(SpiceTlsServer *self)
{
    if (!self)
        return;
    SSL_CTX_free(self->context);
    g_free(self);
}

SpiceTls *spice_tls_server_accept(SpiceTlsServer *self, GError **error)
{
    g_autoptr(SpiceTls) tls = g_new0(SpiceTls, 1);

    ERR_clear_error();
    SSL_CTX_up_ref(self->context);
    tls->context = self->context;
    if (!open_ssl(tls, error))
        return NULL;
    SSL_set_accept_state(tls->ssl);
    return g_steal_pointer(&tls);
}

guint spice_tls_get_bits(const SpiceTls *self)
{
    return (guint)MAX(SSL_get_cipher_bits(self->ssl, NULL), 0);
}
