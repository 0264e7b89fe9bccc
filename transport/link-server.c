/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-server.h"

#include <openssl/crypto.h>

#include <string.h>

#include "core/wire/channel.h"

typedef enum {
    WANT_HEADER,
    WANT_MESS,
    WANT_KEY,
    WANT_MECHANISM,
    WANT_TICKET,
    /* SASL */
    WANT_MECHANISMS,
    WANT_NAME_SIZE,
    WANT_NAME,
    WANT_DATA_SIZE,
    WANT_DATA,
    WANT_ANSWER,
    WANT_LAYER,
    ENDED,
} State;

enum {
    SASL_SIZE = 4,
    SASL_MAX_NAME = 100,
    SASL_MAX_DATA = 64 * 1024,
    SASL_MAX_STEPS = 20,
};

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

    gboolean by_sasl;
    char *sasl_mechanisms, *sasl_mechanism;
    GBytes *sasl_data;
    guint sasl_steps;
};

static const guint32 COMMON_CAPS =
    1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION | 1u << SPICE_COMMON_CAP_MINI_HEADER;

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
    g_free(self->sasl_mechanisms);
    g_free(self->sasl_mechanism);
    g_clear_pointer(&self->sasl_data, g_bytes_unref);
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

static void send_reply(SpiceLinkServer *self, GByteArray *out)
{
    guint32 common = COMMON_CAPS | 1u << (self->by_sasl ? SPICE_COMMON_CAP_AUTH_SASL
                                                        : SPICE_COMMON_CAP_AUTH_SPICE);
    SpiceLinkReply reply = {
        .common_caps = {.n_words = 1, .words = &common},
        .channel_caps = self->policy->get_caps(self->request.channel_type, self->user_data),
    };

    if (self->key) /* a ticket is to be encrypted; zeros say that none is wanted */
        memcpy(reply.pub_key, self->key->der, sizeof reply.pub_key);
    append_reply(&reply, out);
    if (self->selects_mechanism)
        want(self, WANT_MECHANISM, SPICE_AUTH_MECHANISM_SIZE);
    else
        want(self, WANT_TICKET, SPICE_TICKET_SIZE);
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
    self->by_sasl = self->policy->wants_sasl && self->policy->wants_sasl(self->user_data);
    if (self->by_sasl) {
        if (!self->selects_mechanism) /* it would send a ticket at once */
            return refuse(self, SPICE_LINK_ERR_VERSION_MISMATCH, out);
        send_reply(self, out);
        return SPICE_LINK_SERVER_MORE;
    }
    want(self, WANT_KEY, 0);
    return SPICE_LINK_SERVER_WANT_KEY;
}

void spice_link_server_set_key(SpiceLinkServer *self, SpiceLinkKey *key)
{
    g_return_if_fail(self->state == WANT_KEY);
    self->key = key;
}

static guint32 take_number(const SpiceLinkServer *self)
{
    guint32 number;

    memcpy(&number, self->in->data, sizeof number);
    return GUINT32_FROM_LE(number);
}

static void append_number(GByteArray *out, guint32 number)
{
    number = GUINT32_TO_LE(number);
    g_byte_array_append(out, (const guint8 *)&number, sizeof number);
}

/** Only what was offered: a ticket, or SASL where that is asked for. So nobody gets by the ticket by
 * asking for SASL. */
static SpiceLinkServerStep take_mechanism(SpiceLinkServer *self, GByteArray *out)
{
    const guint32 mechanism = take_number(self);

    if (self->by_sasl) {
        if (mechanism != SPICE_AUTH_MECHANISM_SASL)
            return refuse(self, SPICE_LINK_ERR_INVALID_DATA, out);
        want(self, WANT_MECHANISMS, 0);
        return SPICE_LINK_SERVER_WANT_SASL;
    }
    if (mechanism != SPICE_AUTH_MECHANISM_SPICE)
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

/* SASL */

void spice_link_server_set_sasl_mechanisms(SpiceLinkServer *self, const char *mechanisms,
                                           GByteArray *out)
{
    const gsize size = strlen(mechanisms);

    g_return_if_fail(self->state == WANT_MECHANISMS);
    self->sasl_mechanisms = g_strdup(mechanisms);
    append_number(out, (guint32)size);
    g_byte_array_append(out, (const guint8 *)mechanisms, (guint)size);
    want(self, WANT_NAME_SIZE, SASL_SIZE);
}

const char *spice_link_server_get_sasl_mechanism(const SpiceLinkServer *self)
{
    return self->sasl_mechanism;
}

GBytes *spice_link_server_get_sasl_data(const SpiceLinkServer *self)
{
    return self->sasl_data;
}

static SpiceLinkServerStep take_name_size(SpiceLinkServer *self)
{
    const guint32 size = take_number(self);

    if (size == 0 || size > SASL_MAX_NAME)
        return end(self, SPICE_LINK_SERVER_FAILED);
    want(self, WANT_NAME, size);
    return SPICE_LINK_SERVER_MORE;
}

static SpiceLinkServerStep take_name(SpiceLinkServer *self, GByteArray *out)
{
    g_autofree char *name = g_strndup((const char *)self->in->data, self->in->len);
    g_autofree char *listed = g_strdup_printf(",%s,", name);

    if (strlen(name) != self->in->len || strchr(name, ',') ||
        !strstr(self->sasl_mechanisms, listed))
        return refuse(self, SPICE_LINK_ERR_INVALID_DATA, out);
    self->sasl_mechanism = g_steal_pointer(&name);
    want(self, WANT_DATA_SIZE, SASL_SIZE);
    return SPICE_LINK_SERVER_MORE;
}

/** What the client sent is whole: without its NUL at the end, or nothing at all. */
static SpiceLinkServerStep ask_sasl(SpiceLinkServer *self)
{
    g_clear_pointer(&self->sasl_data, g_bytes_unref);
    if (self->state == WANT_DATA)
        self->sasl_data = g_bytes_new(self->in->data, self->in->len - 1);
    if (++self->sasl_steps > SASL_MAX_STEPS)
        return end(self, SPICE_LINK_SERVER_FAILED);
    want(self, WANT_ANSWER, 0);
    return SPICE_LINK_SERVER_SASL_STEP;
}

static SpiceLinkServerStep take_data_size(SpiceLinkServer *self)
{
    const guint32 size = take_number(self);

    if (size > SASL_MAX_DATA)
        return end(self, SPICE_LINK_SERVER_FAILED);
    if (size == 0)
        return ask_sasl(self);
    want(self, WANT_DATA, size);
    return SPICE_LINK_SERVER_MORE;
}

SpiceLinkServerStep spice_link_server_answer_sasl(SpiceLinkServer *self,
                                                  const SpiceSaslAnswer *answer, GByteArray *out)
{
    const gboolean done = answer->outcome == SPICE_SASL_DONE;
    gsize size = 0;
    const guint8 *data = answer->data ? g_bytes_get_data(answer->data, &size) : NULL;

    g_return_val_if_fail(self->state == WANT_ANSWER, SPICE_LINK_SERVER_FAILED);
    g_clear_pointer(&self->sasl_mechanism, g_free);
    if (answer->outcome == SPICE_SASL_FAILED)
        return end(self, SPICE_LINK_SERVER_DENIED); /* clients expect that it closes */
    append_number(out, answer->data ? (guint32)size + 1 : 0);
    if (answer->data) {
        g_byte_array_append(out, data, (guint)size);
        g_byte_array_append(out, (const guint8 *)"", 1);
    }
    g_byte_array_append(out, (const guint8 *)(done ? "\1" : "\0"), 1);
    if (!done) {
        want(self, WANT_DATA_SIZE, SASL_SIZE);
        return SPICE_LINK_SERVER_MORE;
    }
    append_number(out, 0); /* accepted */
    want(self, WANT_LAYER, 0);
    return SPICE_LINK_SERVER_SASL_DONE;
}

SpiceLinkServerStep spice_link_server_finish_sasl(SpiceLinkServer *self, GByteArray *out)
{
    g_return_val_if_fail(self->state == WANT_LAYER, SPICE_LINK_SERVER_FAILED);
    return conclude(self, self->policy->admit(&self->request, self->user_data), out);
}

/* Bytes */

static SpiceLinkServerStep take_part(SpiceLinkServer *self, GByteArray *out)
{
    switch (self->state) {
    case WANT_HEADER:
        return take_header(self, out);
    case WANT_MESS:
        return take_mess(self, out);
    case WANT_MECHANISM:
        return take_mechanism(self, out);
    case WANT_TICKET:
        return take_ticket(self, out);
    case WANT_NAME_SIZE:
        return take_name_size(self);
    case WANT_NAME:
        return take_name(self, out);
    case WANT_DATA_SIZE:
        return take_data_size(self);
    case WANT_DATA:
        return ask_sasl(self);
    default:
        return SPICE_LINK_SERVER_FAILED;
    }
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
    if (self->state == WANT_MECHANISMS || self->state == WANT_ANSWER || self->state == WANT_LAYER)
        return SPICE_LINK_SERVER_FAILED; /* not its turn */
    while (step == SPICE_LINK_SERVER_MORE && *used < size) {
        gsize n = MIN(size - *used, self->wanted - self->in->len);

        g_byte_array_append(self->in, data + *used, (guint)n);
        *used += n;
        if (self->in->len < self->wanted)
            break;
        step = take_part(self, out);
        g_byte_array_set_size(self->in, 0);
    }
    return step;
}
