/* The guest's agent, client role: tokens, and whole messages out of the pieces that they travel in.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/wire/main.h"
#include "core/wire/vdagent.h"
#include "session-private.h"
#include "transport/error.h"

/* AGENT_DATA that the server may send before it hears of us again; messages larger than the limit
 * are passed over; what may wait for the agent. */
enum { WINDOW = 64, MAX_MESSAGE = 64 << 20, MAX_WAITING = 32 << 20 };
/* Bytes of it that may wait for the socket, whatever tokens there are. */
enum { MAX_BACKLOG = 256 << 10 };

/* To the agent */

void gst_spice_agent_send_waiting(GstSpiceSession *self)
{
    GstSpiceSessionAgent *agent = &self->agent;
    GBytes *head;

    while (self->main && agent->connected && agent->tokens > 0 &&
           spice_channel_get_backlog(self->main) < MAX_BACKLOG &&
           (head = g_queue_peek_head(&agent->waiting))) {
        gsize size;
        const guint8 *bytes = g_bytes_get_data(head, &size);
        const gsize n = MIN(size - agent->sent, VD_AGENT_MAX_DATA_SIZE);
        const SpiceMsgMainAgentData data = {{bytes + agent->sent, n}};

        gst_spice_session_send(self->main, SPICE_MSGC_MAIN_AGENT_DATA, &data);
        agent->tokens--;
        agent->sent += n;
        if (agent->sent < size)
            continue;
        g_bytes_unref(g_queue_pop_head(&agent->waiting));
        agent->sent = 0;
        g_mutex_lock(&self->lock);
        agent->waiting_size -= size;
        g_mutex_unlock(&self->lock);
    }
}

/** A message's header and data, as they travel. */
static GBytes *wrap(guint32 type, gconstpointer data, gsize size)
{
    const SpiceVDAgentMessageHeader header = {
        .protocol = VD_AGENT_PROTOCOL, .type = type, .size = (guint32)size};
    GByteArray *bytes = g_byte_array_sized_new(SPICE_VD_AGENT_HEADER_SIZE + (guint)size);

    g_byte_array_set_size(bytes, SPICE_VD_AGENT_HEADER_SIZE);
    spice_vd_agent_header_encode(&header, bytes->data);
    if (size > 0)
        g_byte_array_append(bytes, data, (guint)size);
    return g_byte_array_free_to_bytes(bytes);
}

static void queue_task(GstSpiceSession *self, gpointer data)
{
    GBytes *bytes = data;

    if (self->agent.connected) {
        g_queue_push_tail(&self->agent.waiting, g_bytes_ref(bytes));
        gst_spice_agent_send_waiting(self);
        return;
    }
    g_mutex_lock(&self->lock);
    self->agent.waiting_size -= MIN(self->agent.waiting_size, g_bytes_get_size(bytes));
    g_mutex_unlock(&self->lock);
}

/** Takes room for a message. FALSE: there is no agent that could be spoken to, or no room. */
static gboolean reserve(GstSpiceSession *self, gsize size, gboolean anyway)
{
    gboolean ok;

    g_mutex_lock(&self->lock);
    ok = anyway || (self->agent.ready && size <= MAX_WAITING &&
                    self->agent.waiting_size <= MAX_WAITING - size);
    if (ok)
        self->agent.waiting_size += size;
    g_mutex_unlock(&self->lock);
    return ok;
}

gboolean gst_spice_session_send_agent(GstSpiceSession *self, guint32 type, GBytes *data)
{
    gsize size;
    gconstpointer bytes = g_bytes_get_data(data, &size);

    if (size > MAX_WAITING || !reserve(self, SPICE_VD_AGENT_HEADER_SIZE + size, FALSE))
        return FALSE;
    gst_spice_session_run(self, queue_task, wrap(type, bytes, size), (GDestroyNotify)g_bytes_unref);
    return TRUE;
}

static void announce(GstSpiceSession *self, gboolean request)
{
    guint32 words[] = {self->agent.our_caps};
    const SpiceVDAgentAnnounceCapabilities message = {.request = request,
                                                      .caps = {G_N_ELEMENTS(words), words}};
    SpiceBuffer data = {.allocator = &spice_allocator_libc};

    if (spice_message_write(spice_vd_agent_find(VD_AGENT_ANNOUNCE_CAPABILITIES), &message, &data,
                            NULL)) {
        g_autoptr(GBytes) bytes = wrap(VD_AGENT_ANNOUNCE_CAPABILITIES, data.data, data.size);

        reserve(self, g_bytes_get_size(bytes), TRUE);
        queue_task(self, bytes);
    }
    spice_buffer_clear(&data);
}

/* Coming and going */

static void forget(GstSpiceSession *self)
{
    GstSpiceSessionAgent *agent = &self->agent;

    g_queue_clear_full(&agent->waiting, (GDestroyNotify)g_bytes_unref);
    agent->sent = 0;
    agent->in = (SpiceAgentMessages){.n_header = 0};
    g_byte_array_set_size(agent->data, 0);
    g_mutex_lock(&self->lock);
    agent->ready = FALSE;
    agent->waiting_size = 0;
    g_mutex_unlock(&self->lock);
}

void gst_spice_agent_connected(GstSpiceSession *self, guint32 tokens)
{
    const SpiceMsgMainAgentTokens start = {.num_tokens = WINDOW};

    self->agent.tokens = tokens;
    if (self->agent.our_caps == 0) /* nobody here speaks with it */
        return;
    forget(self);
    self->agent.connected = TRUE;
    self->agent.unreturned = 0;
    gst_spice_session_send(self->main, SPICE_MSGC_MAIN_AGENT_START, &start);
    announce(self, TRUE);
}

void gst_spice_agent_disconnected(GstSpiceSession *self)
{
    const gboolean was_connected = self->agent.connected;

    self->agent.connected = FALSE;
    forget(self);
    if (was_connected)
        g_signal_emit_by_name(self, "agent-changed");
}

void gst_spice_agent_grant(GstSpiceSession *self, guint32 tokens)
{
    GstSpiceSessionAgent *agent = &self->agent;

    agent->tokens = tokens > G_MAXUINT32 - agent->tokens ? G_MAXUINT32 : agent->tokens + tokens;
    gst_spice_agent_send_waiting(self);
}

/* From the agent */

static void take_capabilities(GstSpiceSession *self, GBytes *data)
{
    guint32 words[] = {self->agent.our_caps};
    const SpiceCaps ours = {G_N_ELEMENTS(words), words};
    const SpiceVDAgentAnnounceCapabilities *message;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(data, &size);

    spice_arena_reset(&self->arena);
    message = spice_message_read(spice_vd_agent_find(VD_AGENT_ANNOUNCE_CAPABILITIES), bytes, size,
                                 &self->arena, NULL);
    if (!message)
        return;
    g_mutex_lock(&self->lock);
    self->agent.agreed = spice_vd_agent_agreed(&ours, &message->caps);
    self->agent.ready = TRUE;
    g_mutex_unlock(&self->lock);
    if (message->request)
        announce(self, FALSE);
    g_signal_emit_by_name(self, "agent-changed");
}

static void take_message(GstSpiceSession *self, guint32 type)
{
    g_autoptr(GBytes) data = g_byte_array_free_to_bytes(self->agent.data);
    gboolean ready;

    self->agent.data = g_byte_array_new();
    if (type == VD_AGENT_ANNOUNCE_CAPABILITIES) {
        take_capabilities(self, data);
        return;
    }
    g_mutex_lock(&self->lock);
    ready = self->agent.ready;
    g_mutex_unlock(&self->lock);
    if (ready) /* before, nobody knows what its messages look like */
        g_signal_emit_by_name(self, "agent-message", type, data);
}

static void return_token(GstSpiceSession *self)
{
    const SpiceMsgMainAgentTokens back = {.num_tokens = WINDOW / 2};

    if (++self->agent.unreturned < WINDOW / 2)
        return;
    self->agent.unreturned = 0;
    gst_spice_session_send(self->main, SPICE_MSGC_MAIN_AGENT_TOKEN, &back);
}

gboolean gst_spice_agent_take(GstSpiceSession *self, const guint8 *data, gsize size, GError **error)
{
    SpiceBytes input = {data, size};
    SpiceAgentPiece piece;

    if (!self->agent.connected) /* not started: a server that speaks all the same is not heard */
        return TRUE;
    while (self->agent.connected &&
           (piece = spice_agent_messages_next(&self->agent.in, &input)).kind !=
               SPICE_AGENT_NOTHING) {
        if (piece.header.protocol != VD_AGENT_PROTOCOL) {
            g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                        "an agent's message of protocol %u", piece.header.protocol);
            return FALSE;
        }
        if (piece.header.size > MAX_MESSAGE)
            continue; /* passed over */
        if (piece.kind == SPICE_AGENT_DATA)
            g_byte_array_append(self->agent.data, piece.bytes.data, (guint)piece.bytes.size);
        if (piece.last)
            take_message(self, piece.header.type);
    }
    if (self->main)
        return_token(self);
    return TRUE;
}

/* For the session */

void gst_spice_agent_init(GstSpiceSession *self)
{
    self->agent.data = g_byte_array_new();
    g_queue_init(&self->agent.waiting);
}

void gst_spice_agent_clear(GstSpiceSession *self)
{
    g_queue_clear_full(&self->agent.waiting, (GDestroyNotify)g_bytes_unref);
    g_byte_array_unref(self->agent.data);
}

void gst_spice_session_set_agent_caps(GstSpiceSession *self, guint32 caps)
{
    self->agent.our_caps = caps;
}

gboolean gst_spice_session_get_agent(GstSpiceSession *self, guint32 *agreed)
{
    gboolean ready;

    g_mutex_lock(&self->lock);
    ready = self->agent.ready;
    *agreed = ready ? self->agent.agreed : 0;
    g_mutex_unlock(&self->lock);
    return ready;
}
