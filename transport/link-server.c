/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-server.h"

#include <openssl/crypto.h>

#include <string.h>

#include "core/wire/channel.h"

typedef enum { WANT_HEADER, WANT_MESS, WANT_KEY, WANT_MECHANISM, WANT_TICKET, ENDED } State;

struct SpiceLinkServer {
    const SpiceLinkServerPolicy *policy;
    gpointer user_data;
    State state;
    GByteArray *in; /* of the part that is being waited for */
    gsize wanted;
    SpiceArena arena; /* holds the message's words */
    gboolean selects_mechanism;
    SpiceLinkRequest request;
    SpiceLinkKey *key;
};

static const guint32 COMMON_CAPS = 1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION |
                                   1u << SPICE_COMMON_CAP_AUTH_SPICE |
                                   1u << SPICE_COMMON_CAP_MINI_HEADER;

SpiceLinkServer *spice_link_server_new(const SpiceLinkServerPolicy *policy, gpointer user_data)
{
    SpiceLinkServer *self = g_new0(SpiceLinkServer, 1);

    self->policy = policy;
    self->user_data = user_data;
    self->in = g_byte_array_new();
    self->wanted = SPICE_LINK_HEADER_SIZE;
    spice_arena_init(&self->arena, &spice_allocator_libc, 4 * SPICE_LINK_MAX_SIZE);
    return self;
}

void spice_link_server_free(SpiceLinkServer *self)
{
    if (!self)
        return;
    spice_link_key_free(self->key);
    g_byte_array_unref(self->in);
    spice_arena_clear(&self->arena);
    g_free(self);
}

const SpiceLinkRequest *spice_link_server_get_request(const SpiceLinkServer *self)
{
    return &self->request;
}

static void want(SpiceLinkServer *self, State state, gsize bytes)
{
    self->state = state;
    self->wanted = bytes;
}

static SpiceLinkServerStep end(SpiceLinkServer *self, SpiceLinkServerStep step)
{
    self->state = ENDED;
    return step;
}

static void append_reply(const SpiceLinkReply *reply, GByteArray *out)
{
    SpiceBuffer buffer = {.allocator = &spice_allocator_libc};

    if (spice_link_reply_write(reply, &buffer, NULL))
        g_byte_array_append(out, buffer.data, (guint)buffer.size);
    spice_buffer_clear(&buffer);
}

/** A refusal before authentication. */
static SpiceLinkServerStep refuse(SpiceLinkServer *self, SpiceLinkError error, GByteArray *out)
{
    const SpiceLinkReply reply = {.error = error};

    append_reply(&reply, out);
    return end(self, SPICE_LINK_SERVER_FAILED);
}

/** The link result: after it, messages or nothing. */
static SpiceLinkServerStep conclude(SpiceLinkServer *self, SpiceLinkError error, GByteArray *out)
{
    guint32 result = GUINT32_TO_LE(error);

    g_byte_array_append(out, (const guint8 *)&result, sizeof result);
    return end(self, error == SPICE_LINK_ERR_OK                  ? SPICE_LINK_SERVER_DONE
                     : error == SPICE_LINK_ERR_PERMISSION_DENIED ? SPICE_LINK_SERVER_DENIED
                                                                 : SPICE_LINK_SERVER_FAILED);
}

static SpiceLinkServerStep take_header(SpiceLinkServer *self, GByteArray *out)
{
    SpiceLinkHeader header;
    SpiceLinkError error;

    spice_link_header_decode(&header, self->in->data);
    error = spice_link_header_check(&header, SPICE_LINK_MESS_SIZE);
    if (error == SPICE_LINK_ERR_VERSION_MISMATCH && header.major == 0)
        return end(self, SPICE_LINK_SERVER_FAILED); /* such a client would not understand a reply */
    if (error != SPICE_LINK_ERR_OK)
        return refuse(self, error, out);
    want(self, WANT_MESS, header.size);
    return SPICE_LINK_SERVER_MORE;
}

static SpiceLinkServerStep take_mess(SpiceLinkServer *self, GByteArray *out)
{
    SpiceLinkError error;
    SpiceLinkMess mess;
    gboolean exists = TRUE;

    if (!spice_link_mess_read(&mess, self->in->data, self->in->len, &self->arena, NULL))
        return refuse(self, SPICE_LINK_ERR_INVALID_DATA, out);
    self->selects_mechanism =
        spice_caps_has(&mess.common_caps, SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION);
    self->request = (SpiceLinkRequest){
        .connection_id = mess.connection_id,
        .channel_type = mess.channel_type,
        .channel_id = mess.channel_id,
        .channel_caps = mess.channel_caps,
        .mini_header = spice_caps_has(&mess.common_caps, SPICE_COMMON_CAP_MINI_HEADER),
    };
    error = self->policy->check_channel(&self->request, &exists, self->user_data);
    if (error != SPICE_LINK_ERR_OK)
        return refuse(self, error, out);
    if (!exists)
        return end(self, SPICE_LINK_SERVER_FAILED);
    want(self, WANT_KEY, 0);
    return SPICE_LINK_SERVER_WANT_KEY;
}

void spice_link_server_set_key(SpiceLinkServer *self, SpiceLinkKey *key)
{
    g_return_if_fail(self->state == WANT_KEY);
    self->key = key;
}

static void send_reply(SpiceLinkServer *self, GByteArray *out)
{
    guint32 common = COMMON_CAPS;
    SpiceLinkReply reply = {
        .common_caps = {.n_words = 1, .words = &common},
        .channel_caps = self->policy->get_caps(self->request.channel_type, self->user_data),
    };

    memcpy(reply.pub_key, self->key->der, sizeof reply.pub_key);
    append_reply(&reply, out);
    if (self->selects_mechanism)
        want(self, WANT_MECHANISM, SPICE_AUTH_MECHANISM_SIZE);
    else
        want(self, WANT_TICKET, SPICE_TICKET_SIZE);
}

/** SASL is not offered, so whoever asks for it is refused: on TLS, too. */
static SpiceLinkServerStep take_mechanism(SpiceLinkServer *self, GByteArray *out)
{
    guint32 mechanism;

    memcpy(&mechanism, self->in->data, sizeof mechanism);
    if (GUINT32_FROM_LE(mechanism) != SPICE_AUTH_MECHANISM_SPICE)
        return conclude(self, SPICE_LINK_ERR_INVALID_DATA, out);
    want(self, WANT_TICKET, SPICE_TICKET_SIZE);
    return SPICE_LINK_SERVER_MORE;
}

static SpiceLinkServerStep take_ticket(SpiceLinkServer *self, GByteArray *out)
{
    guint8 plain[SPICE_TICKET_SIZE] = {0};
    gsize size = spice_link_key_decrypt(self->key, self->in->data, plain);
    gboolean good = self->policy->check_ticket(plain, size, self->user_data);

    OPENSSL_cleanse(plain, sizeof plain);
    /* A block that cannot be decrypted is refused whether or not a ticket is required. */
    if (!good || size == 0)
        return conclude(self, SPICE_LINK_ERR_PERMISSION_DENIED, out);
    return conclude(self, self->policy->admit(&self->request, self->user_data), out);
}

SpiceLinkServerStep spice_link_server_push(SpiceLinkServer *self, const guint8 *data, gsize size,
                                           gsize *used, GByteArray *out)
{
    SpiceLinkServerStep step = SPICE_LINK_SERVER_MORE;

    *used = 0;
    if (self->state == ENDED)
        return SPICE_LINK_SERVER_FAILED;
    if (self->state == WANT_KEY) {
        if (!self->key)
            return SPICE_LINK_SERVER_WANT_KEY;
        send_reply(self, out);
    }
    while (step == SPICE_LINK_SERVER_MORE && *used < size) {
        gsize n = MIN(size - *used, self->wanted - self->in->len);

        g_byte_array_append(self->in, data + *used, (guint)n);
        *used += n;
        if (self->in->len < self->wanted)
            break;
        if (self->state == WANT_HEADER)
            step = take_header(self, out);
        else if (self->state == WANT_MESS)
            step = take_mess(self, out);
        else if (self->state == WANT_MECHANISM)
            step = take_mechanism(self, out);
        else
            step = take_ticket(self, out);
        g_byte_array_set_size(self->in, 0);
    }
    return step;
}
