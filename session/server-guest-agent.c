/* A guest's agent and the clients of a server.
 *
 *     virtio port --> chunks --> messages --> rules --> AGENT_DATA, a token each --> its client
 *     virtio port <-- chunks, 2048 bytes at most <-- rules <-- messages <-- AGENT_DATA of its client
 *
 * An agent speaks with one client: which messages there are and what they look like was agreed with
 * it, and so were the serial numbers of what is copied. So the agent has one client at a time, the
 * one that started it last; who had it before is told that there is none any more, and that there is
 * one again when the other leaves. The agent is told that the client has gone, which makes it
 * forget what was agreed and what of a message has come.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "device-private.h"

#include "core/device/agent-rules.h"
#include "core/device/agent-stream.h"
#include "core/wire/main.h"
#include "core/wire/vdagent.h"

/* What is looked at as a whole: an announcement of more words than anybody has, and the largest
 * monitors config. */
enum { MAX_ANNOUNCEMENT = 4 + 4 * 32, MAX_CONFIG = 8 + 24 * SPICE_VD_AGENT_MAX_MONITORS };
/* Tokens go back in groups, as with the field's server. */
enum { TOKENS_AT_ONCE = 5 };

typedef enum { PASS, DROP, GATHER } Verdict;

struct GstSpiceGuestAgent {
    GstSpiceDevice *device;      /* which it belongs to */
    GstSpiceServerClient *owner; /* its client; NULL: none has started it */
    gboolean broken;             /* it broke the protocol */
    gboolean wants_displays;     /* it has said that it wants to know of outputs */

    /* from the guest */
    GBytes *input;    /* that is being read */
    SpiceBytes view;  /* what is left of it */
    SpiceBytes chunk; /* what is left of a piece of a chunk in it */
    SpiceAgentChunks chunks;
    SpiceAgentMessages from_guest;
    Verdict guest_verdict;
    GByteArray *piece;        /* AGENT_DATA that is being put together */
    gboolean piece_due;       /* it is to be sent before more is read */
    GByteArray *announcement; /* data of it */
    guint32 tokens;           /* AGENT_DATA that the owner may be sent */

    /* from the owner */
    SpiceAgentMessages from_client;
    Verdict client_verdict;
    GByteArray *config; /* header and data of a monitors config */
};

static GstSpiceServer *server_of(const GstSpiceGuestAgent *self)
{
    return self->device->server;
}

/* Whose it is */

/** Offers the agent to the client that had it last, or came last, of those who think that there is
 * none. */
static void offer_to_next(GstSpiceGuestAgent *self)
{
    GstSpiceServerClient *next = NULL;
    GList *item;

    for (item = server_of(self)->clients; item; item = item->next) {
        GstSpiceServerClient *client = item->data;

        if (!client->closing && !client->agent_told &&
            (!next || client->agent_order > next->agent_order))
            next = client;
    }
    if (next)
        gst_spice_server_main_offer_agent(next);
}

/** Bytes of a message, as chunks that the agent takes. Empties them. */
static GBytes *wrap(guint32 port, GByteArray *bytes)
{
    GByteArray *chunks = g_byte_array_new();
    guint at;

    for (at = 0; at < bytes->len; at += VD_AGENT_MAX_DATA_SIZE) {
        const guint size = MIN(bytes->len - at, VD_AGENT_MAX_DATA_SIZE);
        const SpiceVDIChunkHeader header = {.port = port, .size = size};
        guint8 head[SPICE_VDI_CHUNK_HEADER_SIZE];

        spice_vdi_chunk_header_encode(&header, head);
        g_byte_array_append(chunks, head, sizeof head);
        g_byte_array_append(chunks, bytes->data + at, size);
    }
    g_byte_array_set_size(bytes, 0);
    return g_byte_array_free_to_bytes(chunks);
}

/** A message from the server itself. `data`: NULL for none. */
static void tell(GstSpiceGuestAgent *self, guint32 type, GBytes *data)
{
    SpiceVDAgentMessageHeader header = {.protocol = VD_AGENT_PROTOCOL, .type = type};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    gsize size = 0;
    const guint8 *begin = data ? g_bytes_get_data(data, &size) : NULL;

    header.size = (guint32)size;
    g_byte_array_set_size(bytes, SPICE_VD_AGENT_HEADER_SIZE);
    spice_vd_agent_header_encode(&header, bytes->data);
    if (size > 0)
        g_byte_array_append(bytes, begin, (guint)size);
    gst_spice_device_keep(self->device, wrap(VDP_SERVER_PORT, bytes), 0, NULL);
}

void gst_spice_guest_agent_tell_displays(GstSpiceGuestAgent *self)
{
    GBytes *info = server_of(self)->display_info;

    if (self->wants_displays && info && !self->broken && gst_spice_device_has_room(self->device))
        tell(self, VD_AGENT_GRAPHICS_DEVICE_INFO, info);
}

/** The owner has gone, or another one comes. */
static void release_owner(GstSpiceGuestAgent *self)
{
    self->owner = NULL;
    gst_spice_device_drop_kept(self->device);
    tell(self, VD_AGENT_CLIENT_DISCONNECTED, NULL);
    self->from_client = (SpiceAgentMessages){.n_header = 0};
    self->client_verdict = DROP;
    g_byte_array_set_size(self->config, 0);
    /* What comes of a message that began is not for the next. */
    self->guest_verdict = DROP;
    self->piece_due = FALSE;
    g_byte_array_set_size(self->piece, 0);
}

static void take_over(GstSpiceGuestAgent *self, GstSpiceServerClient *client)
{
    GstSpiceServerClient *before = self->owner;

    if (before) {
        release_owner(self);
        gst_spice_server_main_withdraw_agent(before);
    }
    self->owner = client;
    gst_spice_guest_agent_tell_displays(self);
    client->agent_order = ++server_of(self)->agent_order;
}

void gst_spice_guest_agent_start(GstSpiceGuestAgent *self, GstSpiceServerClient *client,
                                 guint32 tokens)
{
    if (self->broken ||
        !client->agent_told) /* it has been withdrawn: the client does not know yet */
        return;
    if (self->owner != client)
        take_over(self, client);
    self->tokens = tokens;
    gst_spice_guest_agent_work(self);
}

void gst_spice_guest_agent_grant(GstSpiceGuestAgent *self, GstSpiceServerClient *client,
                                 guint32 tokens)
{
    if (self->owner != client)
        return;
    self->tokens = tokens > G_MAXUINT32 - self->tokens ? G_MAXUINT32 : self->tokens + tokens;
    gst_spice_guest_agent_work(self);
}

void gst_spice_guest_agent_client_gone(GstSpiceGuestAgent *self, GstSpiceServerClient *client)
{
    if (self->owner != client)
        return;
    release_owner(self);
    if (!self->broken)
        offer_to_next(self);
    gst_spice_guest_agent_work(self);
}

gboolean gst_spice_guest_agent_is_owner(const GstSpiceGuestAgent *self,
                                        const GstSpiceServerClient *client)
{
    return self->owner == client;
}

gboolean gst_spice_guest_agent_is_there(const GstSpiceGuestAgent *self)
{
    return !self->broken;
}

static void withdraw_from_all(GstSpiceGuestAgent *self)
{
    GList *item;

    for (item = server_of(self)->clients; item; item = item->next)
        gst_spice_server_main_withdraw_agent(item->data);
}

/* From the guest */

/** The agent says what no agent would: it is not listened to any more. */
static void set_broken(GstSpiceGuestAgent *self)
{
    self->broken = TRUE;
    self->owner = NULL;
    gst_spice_device_set_connected(self->device, FALSE);
    withdraw_from_all(self);
}

/** Sends the piece if the owner may be sent one. FALSE: later. */
static gboolean send_piece(GstSpiceGuestAgent *self)
{
    GstSpiceServerLink *main;
    const SpiceMsgMainAgentData data = {{self->piece->data, self->piece->len}};

    self->piece_due = self->piece->len > 0 && self->owner;
    if (!self->piece_due) {
        g_byte_array_set_size(self->piece, 0);
        return TRUE;
    }
    main = self->owner->links->pdata[0];
    if (self->tokens == 0 ||
        spice_server_channel_get_backlog(main->channel) >= GST_SPICE_DEVICE_MAX_SOCKET)
        return FALSE;
    if (self->tokens != G_MAXUINT32)
        self->tokens--;
    gst_spice_server_link_send(main, SPICE_MSG_MAIN_AGENT_DATA, &data);
    self->piece_due = FALSE;
    g_byte_array_set_size(self->piece, 0);
    return TRUE;
}

/** The bytes of the host's that are read next. FALSE: there are none. */
static gboolean refill(GstSpiceGuestAgent *self)
{
    GstSpiceGiven given;

    g_clear_pointer(&self->input, g_bytes_unref);
    while (gst_spice_device_take_given(self->device, GST_SPICE_DEVICE_MAX_GIVEN, &given)) {
        if (!given.bytes)
            continue; /* an event, which an agent has none of */
        self->input = given.bytes;
        self->view.data = g_bytes_get_data(self->input, &self->view.size);
        return TRUE;
    }
    return FALSE;
}

/** Finds bytes of the client's stream. FALSE: there are none, or no more will be. */
static gboolean next_chunk(GstSpiceGuestAgent *self)
{
    guint32 port;

    while (self->chunk.size == 0) {
        if (!spice_agent_chunks_next(&self->chunks, &self->view, &port, &self->chunk)) {
            if (!refill(self))
                return FALSE;
        } else if (port == VDP_SERVER_PORT) {
            self->chunk.size = 0; /* answers to the server, who asks nothing */
        } else if (port != VDP_CLIENT_PORT) {
            set_broken(self);
            return FALSE;
        }
    }
    return TRUE;
}

static void begin_guest_message(GstSpiceGuestAgent *self, const SpiceAgentPiece *piece)
{
    if (piece->header.type == VD_AGENT_ANNOUNCE_CAPABILITIES) /* which is for us, too */
        self->guest_verdict = piece->header.size <= MAX_ANNOUNCEMENT ? GATHER : DROP;
    else if (!self->owner ||
             !spice_agent_rules_allow(server_of(self)->agent_rules, piece->header.type))
        self->guest_verdict = DROP;
    else
        self->guest_verdict = PASS;
    if (self->guest_verdict != DROP)
        g_byte_array_append(self->piece, piece->bytes.data, (guint)piece->bytes.size);
    g_byte_array_set_size(self->announcement, 0);
}

static void note_capabilities(GstSpiceGuestAgent *self)
{
    SpiceArena *arena = &server_of(self)->arena;
    const SpiceVDAgentAnnounceCapabilities *message;

    spice_arena_reset(arena);
    message = spice_message_read(spice_vd_agent_find(VD_AGENT_ANNOUNCE_CAPABILITIES),
                                 self->announcement->data, self->announcement->len, arena, NULL);
    self->wants_displays = message && message->caps.n_words > 0 &&
                           message->caps.words[0] >> VD_AGENT_CAP_GRAPHICS_DEVICE_INFO & 1;
    gst_spice_guest_agent_tell_displays(self);
}

static void read_piece(GstSpiceGuestAgent *self)
{
    SpiceBytes input = {self->chunk.data,
                        MIN(self->chunk.size, VD_AGENT_MAX_DATA_SIZE - self->piece->len)};
    const SpiceAgentPiece piece = spice_agent_messages_next(&self->from_guest, &input);
    const gsize used = (gsize)(input.data - self->chunk.data);

    self->chunk.data += used;
    self->chunk.size -= used;
    if (piece.kind == SPICE_AGENT_NOTHING)
        return;
    if (piece.header.protocol != VD_AGENT_PROTOCOL) {
        set_broken(self);
        return;
    }
    if (piece.kind == SPICE_AGENT_HEADER)
        begin_guest_message(self, &piece);
    else if (self->guest_verdict == PASS)
        g_byte_array_append(self->piece, piece.bytes.data, (guint)piece.bytes.size);
    else if (self->guest_verdict == GATHER)
        g_byte_array_append(self->announcement, piece.bytes.data, (guint)piece.bytes.size);
    if (piece.last && self->guest_verdict == GATHER) {
        note_capabilities(self);
        spice_agent_rules_restrict(server_of(self)->agent_rules, self->announcement->data,
                                   self->announcement->len);
        g_byte_array_append(self->piece, self->announcement->data, self->announcement->len);
    }
    if (piece.last || self->piece->len == VD_AGENT_MAX_DATA_SIZE)
        self->piece_due = TRUE;
}

static void read_guest(GstSpiceGuestAgent *self)
{
    while (!self->broken) {
        if (self->piece_due && !send_piece(self))
            return;
        if (!next_chunk(self))
            break;
        read_piece(self);
    }
    /* The rest of a message may be long in coming. */
    if (!self->broken && self->piece->len > SPICE_VD_AGENT_HEADER_SIZE &&
        self->guest_verdict == PASS)
        send_piece(self);
}

/* From the owner */

static Verdict judge(GstSpiceGuestAgent *self, const SpiceVDAgentMessageHeader *header)
{
    if (!spice_agent_rules_allow(server_of(self)->agent_rules, header->type))
        return DROP;
    return header->type == VD_AGENT_MONITORS_CONFIG && gst_spice_device_wants_monitors(self->device)
               ? GATHER
               : PASS;
}

static gboolean keep_config(GstSpiceGuestAgent *self, guint tokens, GError **error)
{
    GstSpiceServerLink *main = self->owner->links->pdata[0];
    SpiceArena *arena = &server_of(self)->arena;
    const guint8 *data = self->config->data + SPICE_VD_AGENT_HEADER_SIZE;
    const gsize size = self->config->len - SPICE_VD_AGENT_HEADER_SIZE;
    GBytes *monitors;

    spice_arena_reset(arena);
    if (!spice_message_read(spice_vd_agent_find(VD_AGENT_MONITORS_CONFIG), data, size, arena, NULL))
        return gst_spice_server_link_refuse(main, error, "monitors that cannot be");
    monitors = g_bytes_new(data, size);
    gst_spice_device_keep(self->device, wrap(VDP_CLIENT_PORT, self->config), tokens, monitors);
    return TRUE;
}

/** What of one AGENT_DATA is to be kept: its token goes back with the last of it. */
typedef struct {
    GByteArray *passed; /* of one message */
    GBytes *chunk;      /* the last that there was so far */
    guint tokens;
} Taken;

static void keep_chunk(GstSpiceGuestAgent *self, Taken *taken, guint tokens)
{
    if (taken->chunk)
        gst_spice_device_keep(self->device, g_steal_pointer(&taken->chunk), tokens, NULL);
}

static gboolean take_piece(GstSpiceGuestAgent *self, const SpiceAgentPiece *piece, Taken *taken,
                           GError **error)
{
    GstSpiceServerLink *main = self->owner->links->pdata[0];

    if (piece->header.protocol != VD_AGENT_PROTOCOL)
        return gst_spice_server_link_refuse(main, error, "no agent's message");
    if (piece->kind == SPICE_AGENT_HEADER)
        self->client_verdict = judge(self, &piece->header);
    if (self->client_verdict == PASS) {
        keep_chunk(self, taken, 0);
        g_byte_array_append(taken->passed, piece->bytes.data, (guint)piece->bytes.size);
        if (piece->last) /* a chunk does not hold bytes of two messages */
            taken->chunk = wrap(VDP_CLIENT_PORT, taken->passed);
    } else if (self->client_verdict == GATHER) {
        keep_chunk(self, taken, 0);
        if (piece->header.size > MAX_CONFIG)
            return gst_spice_server_link_refuse(main, error, "more monitors than there can be");
        g_byte_array_append(self->config, piece->bytes.data, (guint)piece->bytes.size);
        if (!piece->last)
            return TRUE;
        if (!keep_config(self, taken->tokens, error))
            return FALSE;
        taken->tokens = 0;
    }
    return TRUE;
}

gboolean gst_spice_guest_agent_take(GstSpiceGuestAgent *self, const guint8 *data, gsize size,
                                    GError **error)
{
    SpiceBytes input = {data, size};
    Taken taken = {g_byte_array_new(), NULL, 1};
    SpiceAgentPiece piece;
    gboolean ok = TRUE;

    while (ok && (piece = spice_agent_messages_next(&self->from_client, &input)).kind !=
                     SPICE_AGENT_NOTHING)
        ok = take_piece(self, &piece, &taken, error);
    if (taken.passed->len > 0) {
        keep_chunk(self, &taken, 0);
        taken.chunk = wrap(VDP_CLIENT_PORT, taken.passed);
    }
    if (!taken.chunk)
        gst_spice_device_free_tokens(self->device, taken.tokens);
    keep_chunk(self, &taken, taken.tokens);
    g_byte_array_unref(taken.passed);
    if (ok)
        gst_spice_guest_agent_work(self);
    return ok;
}

/* Both ways */

void gst_spice_guest_agent_work(GstSpiceGuestAgent *self)
{
    guint tokens;

    if (self->owner && (tokens = gst_spice_device_take_tokens(self->device, TOKENS_AT_ONCE)) > 0)
        gst_spice_server_main_return_agent_tokens(self->owner, tokens);
    read_guest(self);
    gst_spice_device_room_made(self->device);
}

GstSpiceGuestAgent *gst_spice_guest_agent_new(GstSpiceDevice *device)
{
    GstSpiceGuestAgent *self = g_new0(GstSpiceGuestAgent, 1);

    self->device = device;
    self->guest_verdict = self->client_verdict = DROP;
    self->piece = g_byte_array_new();
    self->announcement = g_byte_array_new();
    self->config = g_byte_array_new();
    offer_to_next(self);
    return self;
}

void gst_spice_guest_agent_free(GstSpiceGuestAgent *self)
{
    self->owner = NULL;
    withdraw_from_all(self);
    g_clear_pointer(&self->input, g_bytes_unref);
    g_byte_array_unref(self->piece);
    g_byte_array_unref(self->announcement);
    g_byte_array_unref(self->config);
    g_free(self);
}
