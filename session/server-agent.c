/* The agent that the desktop itself is: it speaks with a client as a guest's agent would, of
 * monitors only.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include "core/wire/main.h"
#include "core/wire/vdagent.h"
#include "transport/error.h"

/* The largest message that is looked at; others are passed over, whatever their size. */
enum { MAX_MESSAGE = 8 + 28 * SPICE_VD_AGENT_MAX_MONITORS };
/* Messages of ours that wait for the client's tokens; more are dropped. */
enum { MAX_WAITING = 16 };

struct GstSpiceServerAgent {
    GstSpiceServerLink *main;
    guint64 tokens;
    GQueue waiting;    /* GByteArray: messages for which the client has granted no token yet */
    GByteArray *taken; /* header and data of the message that is coming in */
    guint32 skip;      /* bytes of it still to be passed over */
    guint32 agreed;    /* capabilities that both have */
};

static guint32 our_words[] = {1u << VD_AGENT_CAP_MONITORS_CONFIG | 1u << VD_AGENT_CAP_REPLY |
                              1u << VD_AGENT_CAP_SPARSE_MONITORS_CONFIG |
                              1u << VD_AGENT_CAP_MONITORS_CONFIG_POSITION};
static const SpiceCaps our_caps = {G_N_ELEMENTS(our_words), our_words};

static void send_waiting(GstSpiceServerAgent *self)
{
    while (self->tokens > 0 && !g_queue_is_empty(&self->waiting)) {
        g_autoptr(GByteArray) bytes = g_queue_pop_head(&self->waiting);
        const SpiceMsgMainAgentData data = {{bytes->data, bytes->len}};

        if (self->tokens != G_MAXUINT32)
            self->tokens--;
        gst_spice_server_link_send(self->main, SPICE_MSG_MAIN_AGENT_DATA, &data);
    }
}

/** Sends one message, which has to fit into one piece. */
static void send(GstSpiceServerAgent *self, guint32 type, const void *message)
{
    SpiceVDAgentMessageHeader header = {.protocol = VD_AGENT_PROTOCOL, .type = type};
    SpiceBuffer body = {.allocator = &spice_allocator_libc};
    guint8 head[SPICE_VD_AGENT_HEADER_SIZE];
    GByteArray *bytes;

    if (g_queue_get_length(&self->waiting) >= MAX_WAITING)
        return;
    if (spice_message_write_agreed(spice_vd_agent_find(type), self->agreed, message, &body, NULL)) {
        header.size = (guint32)body.size;
        spice_vd_agent_header_encode(&header, head);
        bytes = g_byte_array_new();
        g_byte_array_append(bytes, head, sizeof head);
        g_byte_array_append(bytes, body.data, (guint)body.size);
        g_queue_push_tail(&self->waiting, bytes);
    }
    spice_buffer_clear(&body);
    send_waiting(self);
}

static void announce(GstSpiceServerAgent *self, gboolean request)
{
    const SpiceVDAgentAnnounceCapabilities message = {.request = request, .caps = our_caps};

    send(self, VD_AGENT_ANNOUNCE_CAPABILITIES, &message);
}

static void take_capabilities(GstSpiceServerAgent *self,
                              const SpiceVDAgentAnnounceCapabilities *message)
{
    self->agreed = spice_vd_agent_agreed(&our_caps, &message->caps);
    if (message->request)
        announce(self, FALSE);
}

static void take_monitors(GstSpiceServerAgent *self, const SpiceVDAgentMonitorsConfig *config)
{
    GstSpiceServer *server = self->main->client->server;
    GstSpiceMonitor monitors[GST_SPICE_SERVER_MAX_DISPLAYS];
    const guint n = MIN(config->n_monitors, G_N_ELEMENTS(monitors));
    const SpiceVDAgentReply reply = {.type = VD_AGENT_MONITORS_CONFIG, .error = VD_AGENT_SUCCESS};
    guint i;

    for (i = 0; i < n; i++) {
        const SpiceVDAgentMonitor *from = &config->monitors[i];

        monitors[i] = (GstSpiceMonitor){
            .id = i, .x = from->x, .y = from->y, .width = from->width, .height = from->height};
        if (from->width > G_MAXINT16 || from->height > G_MAXINT16)
            monitors[i].width = monitors[i].height = 0;
    }
    server->input->monitors(monitors, n, server->input_data);
    send(self, VD_AGENT_REPLY, &reply);
}

/** Looks at the message in `taken`; one that is malformed is passed over. */
static void take_message(GstSpiceServerAgent *self, const SpiceVDAgentMessageHeader *header)
{
    SpiceArena *arena = &self->main->client->server->arena;
    const SpiceMessageDef *def = spice_vd_agent_find(header->type);
    gpointer message;

    spice_arena_reset(arena);
    message =
        spice_message_read_agreed(def, self->agreed, self->taken->data + SPICE_VD_AGENT_HEADER_SIZE,
                                  header->size, arena, NULL);
    if (!message)
        return;
    if (header->type == VD_AGENT_ANNOUNCE_CAPABILITIES)
        take_capabilities(self, message);
    else
        take_monitors(self, message);
}

/** Moves bytes of *data to `taken` until it has `size`. Whether it has. */
static gboolean gather(GstSpiceServerAgent *self, guint size, const guint8 **data, gsize *left)
{
    const gsize n = MIN(*left, size - self->taken->len);

    g_byte_array_append(self->taken, *data, (guint)n);
    *data += n;
    *left -= n;
    return self->taken->len == size;
}

gboolean gst_spice_server_agent_take(GstSpiceServerAgent *self, const guint8 *data, gsize left,
                                     GError **error)
{
    while (left > 0) {
        SpiceVDAgentMessageHeader header;
        const gsize skipped = MIN(left, self->skip);

        data += skipped;
        left -= skipped;
        self->skip -= (guint32)skipped;
        if (left == 0)
            break;
        if (self->taken->len < SPICE_VD_AGENT_HEADER_SIZE &&
            !gather(self, SPICE_VD_AGENT_HEADER_SIZE, &data, &left))
            break;
        spice_vd_agent_header_decode(&header, self->taken->data);
        if (header.protocol != VD_AGENT_PROTOCOL)
            return gst_spice_server_link_refuse(self->main, error, "no agent's message");
        if ((header.type != VD_AGENT_ANNOUNCE_CAPABILITIES &&
             header.type != VD_AGENT_MONITORS_CONFIG) ||
            header.size > MAX_MESSAGE) {
            self->skip = header.size;
        } else {
            if (!gather(self, SPICE_VD_AGENT_HEADER_SIZE + header.size, &data, &left))
                break;
            take_message(self, &header);
        }
        g_byte_array_set_size(self->taken, 0);
    }
    return TRUE;
}

void gst_spice_server_agent_grant(GstSpiceServerAgent *self, guint32 tokens)
{
    self->tokens = MIN(self->tokens + tokens, G_MAXUINT32);
    send_waiting(self);
}

GstSpiceServerAgent *gst_spice_server_agent_new(GstSpiceServerLink *main)
{
    GstSpiceServerAgent *self = g_new0(GstSpiceServerAgent, 1);

    self->main = main;
    self->taken = g_byte_array_new();
    g_queue_init(&self->waiting);
    announce(self, TRUE);
    return self;
}

void gst_spice_server_agent_free(GstSpiceServerAgent *self)
{
    g_queue_clear_full(&self->waiting, (GDestroyNotify)g_byte_array_unref);
    g_byte_array_unref(self->taken);
    g_free(self);
}
