/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-client.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/link.h"
#include "error.h"

typedef enum {
    WANT_HEADER,
    WANT_REPLY,
    /* SASL */
    WANT_CLIENT,
    WANT_LIST_SIZE,
    WANT_LIST,
    WANT_DATA_SIZE,
    WANT_DATA,
    WANT_COMPLETE,
    WANT_VERDICT,

    WANT_RESULT,
    LINKED,
} State;

enum {
    NUMBER_SIZE = 4,
    SASL_MAX_LIST = 300,
    SASL_MAX_DATA = 1024 * 1024,
    SASL_MAX_STEPS = 20,
};

struct SpiceLinkClient {
    State state;
    guint32 connection_id;
    guint8 channel_type, channel_id;
    guint32 *caps;
    guint n_caps;
    char *password;

    GByteArray *in; /* of the part that is being waited for */
    gsize wanted;
    SpiceArena arena; /* holds the reply's words */
    SpiceLinkReply reply;

    SpiceSaslClient *sasl; /* not owned */
    GBytes *sasl_data;     /* the server's, until it has said whether it is done */
    guint sasl_steps;
};

static guint32 common_caps(void)
{
    return 1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_AUTH_SPICE |
           (spice_sasl_is_available() ? 1u << SPICE_COMMON_CAP_AUTH_SASL : 0) |
           1u << SPICE_COMMON_CAP_MINI_HEADER;
}

SpiceLinkClient *spice_link_client_new(guint32 connection_id, guint8 channel_type,
                                       guint8 channel_id, const guint32 *channel_caps,
                                       guint n_channel_caps, const char *password)
{
    SpiceLinkClient *self = g_new0(SpiceLinkClient, 1);

    self->connection_id = connection_id;
    self->channel_type = channel_type;
    self->channel_id = channel_id;
    self->caps = g_memdup2(channel_caps, n_channel_caps * sizeof *channel_caps);
    self->n_caps = n_channel_caps;
    self->password = g_strdup(password ? password : "");
    self->in = g_byte_array_new();
    self->wanted = SPICE_LINK_HEADER_SIZE;
    spice_arena_init(&self->arena, &spice_allocator_libc, 4 * SPICE_LINK_MAX_SIZE);
    return self;
}

void spice_link_client_free(SpiceLinkClient *self)
{
    if (!self)
        return;
    g_free(self->caps);
    explicit_bzero(self->password, strlen(self->password));
    g_free(self->password);
    g_byte_array_unref(self->in);
    g_clear_pointer(&self->sasl_data, g_bytes_unref);
    spice_arena_clear(&self->arena);
    g_free(self);
}

void spice_link_client_start(SpiceLinkClient *self, GByteArray *out)
{
    guint32 common = common_caps();
    const SpiceLinkMess mess = {
        .connection_id = self->connection_id,
        .channel_type = self->channel_type,
        .channel_id = self->channel_id,
        .common_caps = {.n_words = 1, .words = &common},
        .channel_caps = {.n_words = self->n_caps, .words = self->caps},
    };
    SpiceBuffer buffer = {.allocator = &spice_allocator_libc};

    if (spice_link_mess_write(&mess, &buffer, NULL))
        g_byte_array_append(out, buffer.data, (guint)buffer.size);
    spice_buffer_clear(&buffer);
}

static SpiceLinkStep fail(GError **error, SpiceTransportError code, const char *what)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, code, "%s", what);
    return SPICE_LINK_FAILED;
}

static SpiceLinkStep fail_with_link_error(GError **error, guint32 link_error)
{
    switch (link_error) {
    case SPICE_LINK_ERR_NEED_SECURED:
        return fail(error, SPICE_TRANSPORT_ERROR_NEED_SECURED,
                    "the server wants this channel on its TLS port");
    case SPICE_LINK_ERR_NEED_UNSECURED:
        return fail(error, SPICE_TRANSPORT_ERROR_NEED_UNSECURED,
                    "the server wants this channel on its plain port");
    case SPICE_LINK_ERR_PERMISSION_DENIED:
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "the password is wrong, missing or expired");
    case SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE:
        return fail(error, SPICE_TRANSPORT_ERROR_UNAVAILABLE, "the channel is not available");
    case SPICE_LINK_ERR_VERSION_MISMATCH:
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                    "the server speaks another version of SPICE");
    default:
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                    "the server refused the link (error %u)", link_error);
        return SPICE_LINK_FAILED;
    }
}

/** The password and its NUL, encrypted with the server's key by RSA-OAEP (SHA-1, no label). */
static gboolean append_ticket(SpiceLinkClient *self, GByteArray *out)
{
    const guint8 *der = self->reply.pub_key;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, sizeof self->reply.pub_key);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    guint8 ticket[SPICE_TICKET_SIZE];
    gsize size = sizeof ticket;
    gboolean ok;

    ok = context && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
         EVP_PKEY_get_size(key) == SPICE_TICKET_SIZE && EVP_PKEY_encrypt_init(context) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_encrypt(context, ticket, &size, (const guint8 *)self->password,
                          strlen(self->password) + 1) == 1 &&
         size == sizeof ticket;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    explicit_bzero(self->password, strlen(self->password)); /* it was needed once */
    if (ok)
        g_byte_array_append(out, ticket, sizeof ticket);
    return ok;
}

static SpiceLinkStep take_header(SpiceLinkClient *self, GError **error)
{
    SpiceLinkHeader header;

    spice_link_header_decode(&header, self->in->data);
    if (header.magic != SPICE_MAGIC)
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE, "this is not a SPICE server");
    if (spice_link_header_check(&header, SPICE_LINK_REPLY_SIZE) != SPICE_LINK_ERR_OK)
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                    "the server's first message has an unlawful version or size");
    self->state = WANT_REPLY;
    self->wanted = header.size;
    return SPICE_LINK_MORE;
}

static SpiceLinkStep take_reply(SpiceLinkClient *self, GByteArray *out, GError **error)
{
    static const guint8 mechanism[SPICE_AUTH_MECHANISM_SIZE] = {SPICE_AUTH_MECHANISM_SPICE};

    if (!spice_link_reply_read(&self->reply, self->in->data, self->in->len, &self->arena, NULL))
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                    "the server's first message is malformed");
    if (self->reply.error != SPICE_LINK_ERR_OK)
        return fail_with_link_error(error, self->reply.error);
    if (spice_caps_has(&self->reply.common_caps, SPICE_COMMON_CAP_AUTH_SASL)) {
        self->state = WANT_CLIENT;
        self->wanted = 0;
        return SPICE_LINK_WANT_SASL;
    }
    if (strlen(self->password) > SPICE_MAX_PASSWORD_LENGTH)
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION, "the password is too long");
    if (spice_caps_has(&self->reply.common_caps, SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION))
        g_byte_array_append(out, mechanism, sizeof mechanism);
    if (!append_ticket(self, out))
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE, "the server's key is unusable");
    self->state = WANT_RESULT;
    self->wanted = SPICE_LINK_RESULT_SIZE;
    return SPICE_LINK_MORE;
}

/* SASL */

static guint32 take_number(const SpiceLinkClient *self)
{
    guint32 number;

    memcpy(&number, self->in->data, sizeof number);
    return GUINT32_FROM_LE(number);
}

static void append_number(GByteArray *out, gsize number)
{
    const guint32 word = GUINT32_TO_LE((guint32)number);

    g_byte_array_append(out, (const guint8 *)&word, sizeof word);
}

/** NULL: nothing, which is not the same as empty. */
static void append_data(GByteArray *out, GBytes *data)
{
    gsize size = 0;
    const guint8 *bytes = data ? g_bytes_get_data(data, &size) : NULL;

    append_number(out, data ? size + 1 : 0);
    if (!data)
        return;
    g_byte_array_append(out, bytes, (guint)size);
    g_byte_array_append(out, (const guint8 *)"", 1);
}

static SpiceLinkStep want(SpiceLinkClient *self, State state, gsize size)
{
    self->state = state;
    self->wanted = size;
    return SPICE_LINK_MORE;
}

void spice_link_client_set_sasl(SpiceLinkClient *self, SpiceSaslClient *sasl)
{
    g_return_if_fail(self->state == WANT_CLIENT);
    self->sasl = sasl;
}

static SpiceLinkStep choose_mechanism(SpiceLinkClient *self, GByteArray *out, GError **error)
{
    g_autofree char *list = g_strndup((const char *)self->in->data, self->in->len);
    g_autoptr(GBytes) data = NULL;
    const char *mechanism = NULL;

    if (!spice_sasl_client_start(self->sasl, list, &mechanism, &data, error))
        return SPICE_LINK_FAILED;
    append_number(out, strlen(mechanism));
    g_byte_array_append(out, (const guint8 *)mechanism, (guint)strlen(mechanism));
    append_data(out, data);
    return want(self, WANT_DATA_SIZE, NUMBER_SIZE);
}

/** The server has said what it has to say, and whether it is done. */
static SpiceLinkStep step_sasl(SpiceLinkClient *self, GByteArray *out, GError **error)
{
    const gboolean complete = self->in->data[0] != 0;
    gboolean done = spice_sasl_client_is_done(self->sasl);
    g_autoptr(GBytes) data = NULL;

    if (++self->sasl_steps > SASL_MAX_STEPS)
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE, "the server's SASL comes to no end");
    if (!(complete && done) &&
        !spice_sasl_client_step(self->sasl, self->sasl_data, &data, &done, error))
        return SPICE_LINK_FAILED;
    if (complete && !done)
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "the server could not show that it knows the password");
    if (complete)
        return want(self, WANT_VERDICT, NUMBER_SIZE);
    append_data(out, data);
    return want(self, WANT_DATA_SIZE, NUMBER_SIZE);
}

static SpiceLinkStep take_verdict(SpiceLinkClient *self, GError **error)
{
    if (take_number(self) != 0)
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "the server refused user name and password");
    if (!spice_sasl_client_is_strong(self->sasl))
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "what the server agreed on does not protect the connection");
    want(self, WANT_RESULT, SPICE_LINK_RESULT_SIZE);
    return SPICE_LINK_WANT_LAYER;
}

static SpiceLinkStep take_sasl(SpiceLinkClient *self, GByteArray *out, GError **error)
{
    gsize size;

    switch (self->state) {
    case WANT_LIST_SIZE:
        size = take_number(self);
        if (size == 0 || size > SASL_MAX_LIST)
            break;
        return want(self, WANT_LIST, size);
    case WANT_LIST:
        return choose_mechanism(self, out, error);
    case WANT_DATA_SIZE:
        size = take_number(self);
        g_clear_pointer(&self->sasl_data, g_bytes_unref);
        if (size == SPICE_MAGIC) /* the mechanism is not to the server's taste */
            return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                        "the server does not accept the mechanism that it offered");
        if (size > SASL_MAX_DATA)
            break;
        return size > 0 ? want(self, WANT_DATA, size) : want(self, WANT_COMPLETE, 1);
    case WANT_DATA:
        self->sasl_data = g_bytes_new(self->in->data, self->in->len - 1);
        return want(self, WANT_COMPLETE, 1);
    case WANT_COMPLETE:
        return step_sasl(self, out, error);
    default:
        return take_verdict(self, error);
    }
    return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE, "the server's SASL is malformed");
}

static SpiceLinkStep take_result(SpiceLinkClient *self, GError **error)
{
    guint32 result;

    memcpy(&result, self->in->data, sizeof result);
    result = GUINT32_FROM_LE(result);
    /* A server that does not like the mechanism sends a whole reply where the result is due. */
    if (result == SPICE_MAGIC)
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "the server does not accept authentication by password");
    if (result != SPICE_LINK_ERR_OK)
        return fail_with_link_error(error, result);
    self->state = LINKED;
    return SPICE_LINK_DONE;
}

SpiceLinkStep spice_link_client_push(SpiceLinkClient *self, const guint8 *data, gsize size,
                                     gsize *used, GByteArray *out, GError **error)
{
    SpiceLinkStep step = SPICE_LINK_MORE;

    *used = 0;
    if (self->state == WANT_CLIENT) {
        const guint32 mechanism = GUINT32_TO_LE(SPICE_AUTH_MECHANISM_SASL);

        if (!self->sasl)
            return SPICE_LINK_WANT_SASL;
        g_byte_array_append(out, (const guint8 *)&mechanism, sizeof mechanism);
        want(self, WANT_LIST_SIZE, NUMBER_SIZE);
    }
    while (step == SPICE_LINK_MORE && *used < size) {
        gsize n = MIN(size - *used, self->wanted - self->in->len);

        g_byte_array_append(self->in, data + *used, (guint)n);
        *used += n;
        if (self->in->len < self->wanted)
            break;
        if (self->state == WANT_HEADER)
            step = take_header(self, error);
        else if (self->state == WANT_REPLY)
            step = take_reply(self, out, error);
        else if (self->state == WANT_RESULT)
            step = take_result(self, error);
        else
            step = take_sasl(self, out, error);
        g_byte_array_set_size(self->in, 0);
    }
    return step;
}

gboolean spice_link_client_got_reply(const SpiceLinkClient *self)
{
    return self->state > WANT_REPLY;
}

gboolean spice_link_client_is_authenticating(const SpiceLinkClient *self)
{
    return self->state >= WANT_DATA_SIZE && self->state <= WANT_VERDICT;
}

gboolean spice_link_client_peer_has(const SpiceLinkClient *self, guint capability)
{
    return spice_caps_has(&self->reply.channel_caps, capability);
}

gboolean spice_link_client_uses_mini_header(const SpiceLinkClient *self)
{
    return spice_caps_has(&self->reply.common_caps, SPICE_COMMON_CAP_MINI_HEADER);
}
