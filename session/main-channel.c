/* The main channel, client role: what the session is made of.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "session-private.h"

#include "core/wire/channel.h"
#include "core/wire/main.h"
#include "transport/error.h"

/* Neither migration bit: what a client says that it can, it must do. Without them a server that
 * moves sends SWITCH_HOST. */
static const guint32 main_caps[] = {1u << SPICE_MAIN_CAP_NAME_AND_UUID |
                                    1u << SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS};

static void request_client_mouse(GstSpiceSession *self, guint32 supported, guint32 current)
{
    const SpiceMsgcMainMouseModeRequest request = {.mode = SPICE_MOUSE_MODE_CLIENT};

    if ((supported & SPICE_MOUSE_MODE_CLIENT) && current != SPICE_MOUSE_MODE_CLIENT)
        gst_spice_session_send(self->main, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, &request);
    gst_spice_session_set_mouse_mode(self, current);
}

static void on_init(GstSpiceSession *self, const SpiceMsgMainInit *init)
{
    self->session_id = init->session_id;
    gst_spice_session_set_mm_time(self, init->multi_media_time);
    g_mutex_lock(&self->lock);
    self->ram_hint = init->ram_hint;
    g_mutex_unlock(&self->lock);
    request_client_mouse(self, init->supported_mouse_modes, init->current_mouse_mode);
    gst_spice_session_send(self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL);
    self->agent.tokens = init->agent_tokens;
    if (init->agent_connected)
        gst_spice_agent_connected(self, init->agent_tokens);
}

static void on_channels_list(GstSpiceSession *self, const SpiceMsgMainChannelsList *list)
{
    guint32 i;

    for (i = 0; i < list->n_channels; i++)
        gst_spice_session_offer(self, list->channels[i].type, list->channels[i].id);
    gst_spice_session_list_done(self);
}

static void on_name(GstSpiceSession *self, const SpiceMsgMainName *name)
{
    char *text = g_strndup((const char *)name->name.data, name->name.size);
    char *valid = g_utf8_make_valid(text, -1);

    g_free(text);
    g_mutex_lock(&self->lock);
    g_free(self->name);
    self->name = valid;
    g_mutex_unlock(&self->lock);
}

static gboolean on_message(SpiceChannel *channel, const SpiceFrame *frame, gpointer user_data,
                           GError **error)
{
    GstSpiceSession *self = user_data;
    GError *local = NULL;
    gpointer message = gst_spice_session_parse(self, SPICE_CHANNEL_MAIN, frame, &local);

    if (!message) {
        if (!local)
            return TRUE; /* a number that the protocol does not have */
        g_propagate_error(error, local);
        return FALSE;
    }
    if (self->session_id == 0 && frame->type >= SPICE_FIRST_CHANNEL_MESSAGE &&
        frame->type != SPICE_MSG_MAIN_INIT) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "message %u came before INIT", frame->type);
        return FALSE;
    }
    switch (frame->type) {
    case SPICE_MSG_MAIN_INIT:
        if (self->session_id != 0 || ((SpiceMsgMainInit *)message)->session_id == 0) {
            g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                        "a second INIT, or one without a session");
            return FALSE;
        }
        on_init(self, message);
        break;
    case SPICE_MSG_MAIN_CHANNELS_LIST:
        on_channels_list(self, message);
        break;
    case SPICE_MSG_MAIN_MOUSE_MODE: {
        const SpiceMsgMainMouseMode *mode = message;

        request_client_mouse(self, mode->supported_modes, mode->current_mode);
        break;
    }
    case SPICE_MSG_MAIN_MULTI_MEDIA_TIME:
        gst_spice_session_set_mm_time(self, ((SpiceMsgMainMultiMediaTime *)message)->time);
        break;
    case SPICE_MSG_MAIN_NAME:
        on_name(self, message);
        break;
    case SPICE_MSG_MAIN_AGENT_CONNECTED:
        gst_spice_agent_connected(self, self->agent.tokens);
        break;
    case SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS:
        gst_spice_agent_connected(self, ((SpiceMsgMainAgentTokens *)message)->num_tokens);
        break;
    case SPICE_MSG_MAIN_AGENT_DISCONNECTED:
        gst_spice_agent_disconnected(self);
        break;
    case SPICE_MSG_MAIN_AGENT_TOKEN:
        gst_spice_agent_grant(self, ((SpiceMsgMainAgentTokens *)message)->num_tokens);
        break;
    case SPICE_MSG_MAIN_AGENT_DATA: {
        const SpiceBytes data = ((SpiceMsgMainAgentData *)message)->data;

        return gst_spice_agent_take(self, data.data, data.size, error);
    }
    default:
        break;
    }
    return TRUE;
}

static void on_opened(SpiceChannel *channel, gpointer user_data)
{
}

static void on_closed(SpiceChannel *channel, const GError *error, gpointer user_data)
{
    GstSpiceSession *self = user_data;

    g_clear_pointer(&self->main, spice_channel_close);
    if (gst_spice_session_accept_redirect(self, SPICE_CHANNEL_MAIN, error))
        gst_spice_main_channel_open(self);
    else
        gst_spice_session_fail(self, error);
}

static void on_drained(SpiceChannel *channel, gpointer user_data)
{
    gst_spice_agent_send_waiting(user_data);
}

static const SpiceChannelHandler handler = {on_opened, on_message, on_closed, on_drained};

void gst_spice_main_channel_open(GstSpiceSession *self)
{
    self->session_id = 0;
    self->main = gst_spice_session_open_channel(self, SPICE_CHANNEL_MAIN, 0, main_caps,
                                                G_N_ELEMENTS(main_caps), &handler, self);
}
