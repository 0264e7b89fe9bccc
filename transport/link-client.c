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

typedef enum { WANT_HEADER, WANT_REPLY, WANT_RESULT, LINKED } State;

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
};

static const guint32 COMMON_CAPS = 1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION |
                                   1u << SPICE_COMMON_CAP_AUTH_SPICE |
                                   1u << SPICE_COMMON_CAP_MINI_HEADER;

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
    g_free(self->password);
    g_byte_array_unref(self->in);
    spice_arena_clear(&self->arena);
    g_free(self);
}

void spice_link_client_start(SpiceLinkClient *self, GByteArray *out)
{
    guint32 common = COMMON_CAPS;
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
    static const guint8 no_key[SPICE_TICKET_PUBKEY_BYTES];

    if (!spice_link_reply_read(&self->reply, self->in->data, self->in->len, &self->arena, NULL))
        return fail(error, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                    "the server's first message is malformed");
    if (self->reply.error != SPICE_LINK_ERR_OK)
        return fail_with_link_error(error, self->reply.error);
    if (memcmp(self->reply.pub_key, no_key, sizeof no_key) == 0)
        return fail(error, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "the server wants SASL authentication");
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
        else
            step = take_result(self, error);
        g_byte_array_set_size(self->in, 0);
    }
    return step;
}

gboolean spice_link_client_got_reply(const SpiceLinkClient *self)
{
    return self->state > WANT_REPLY;
}

gboolean spice_link_client_peer_has(const SpiceLinkClient *self, guint capability)
{
    return spice_caps_has(&self->reply.channel_caps, capability);
}

gboolean spice_link_client_uses_mini_header(const SpiceLinkClient *self)
{
    return spice_caps_has(&self->reply.common_caps, SPICE_COMMON_CAP_MINI_HEADER);
}
