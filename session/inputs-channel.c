/* The inputs channel, client role: keys and pointer.
 *
 * Motion is held back while the server has eight motion messages to acknowledge, and what is held
 * back is merged: the sum of relative motion, the last of absolute places.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "session-private.h"

#include "core/wire/channel.h"
#include "core/wire/inputs.h"

enum { MAX_UNACKED = 2 * SPICE_INPUT_MOTION_ACK_BUNCH };
enum { SCANCODE_PAUSE = 0xe046, SCANCODE_EXTENDED = 0xe000, SCANCODE_RELEASED = 0x80 };

void gst_spice_inputs_reset(GstSpiceSession *self)
{
    self->input = (GstSpiceInputs){0};
}

static gint32 clamp_motion(gint64 *delta)
{
    gint32 part = (gint32)CLAMP(*delta, G_MININT16, G_MAXINT16);

    *delta -= part;
    return part;
}

static void send_motion(GstSpiceSession *self)
{
    GstSpiceInputs *in = &self->input;

    while (in->motion_pending && in->unacked < MAX_UNACKED) {
        const SpiceMsgcInputsMouseMotion motion = {
            .dx = clamp_motion(&in->dx),
            .dy = clamp_motion(&in->dy),
            .buttons_state = (guint16)in->held_buttons,
        };

        gst_spice_session_send(self->inputs, SPICE_MSGC_INPUTS_MOUSE_MOTION, &motion);
        in->unacked++;
        in->motion_pending = in->dx != 0 || in->dy != 0;
    }
}

static void send_position(GstSpiceSession *self)
{
    GstSpiceInputs *in = &self->input;
    const SpiceMsgcInputsMousePosition position = {
        .x = in->x,
        .y = in->y,
        .buttons_state = (guint16)in->held_buttons,
        .display_id = in->display,
    };

    if (!in->position_pending || in->unacked >= MAX_UNACKED)
        return;
    gst_spice_session_send(self->inputs, SPICE_MSGC_INPUTS_MOUSE_POSITION, &position);
    in->unacked++;
    in->position_pending = FALSE;
}

static void send_pending(GstSpiceSession *self)
{
    if (!self->inputs || !self->input.linked)
        return;
    send_motion(self);
    send_position(self);
}

static void on_opened(SpiceChannel *channel, gpointer user_data)
{
    GstSpiceSession *self = user_data;

    self->input.linked = TRUE;
    send_pending(self);
}

static gboolean on_message(SpiceChannel *channel, const SpiceFrame *frame, gpointer user_data,
                           GError **error)
{
    GstSpiceSession *self = user_data;

    if (frame->type == SPICE_MSG_INPUTS_MOUSE_MOTION_ACK) {
        self->input.unacked -= MIN(self->input.unacked, SPICE_INPUT_MOTION_ACK_BUNCH);
        send_pending(self);
    }
    return TRUE;
}

static void on_closed(SpiceChannel *channel, const GError *error, gpointer user_data)
{
    GstSpiceSession *self = user_data;

    g_clear_pointer(&self->inputs, spice_channel_close);
    self->input.linked = FALSE;
    if (gst_spice_session_accept_redirect(self, SPICE_CHANNEL_INPUTS, error))
        gst_spice_inputs_channel_open(self);
}

static const SpiceChannelHandler handler = {on_opened, on_message, on_closed};

void gst_spice_inputs_channel_open(GstSpiceSession *self)
{
    gst_spice_inputs_reset(self);
    self->inputs =
        gst_spice_session_open_channel(self, SPICE_CHANNEL_INPUTS, 0, NULL, 0, &handler, self);
}

void gst_spice_inputs_key(GstSpiceSession *self, guint scancode, gboolean pressed)
{
    static const guint8 pause_down[] = {0xe1, 0x1d, 0x45}, pause_up[] = {0xe1, 0x9d, 0xc5};
    SpiceMsgcInputsKey key;
    guint8 code = (guint8)(scancode & 0x7f);

    if (!self->inputs || !self->input.linked || code == 0)
        return;
    if (scancode == SCANCODE_PAUSE) {
        const SpiceMsgcInputsKeyScancode pause = {
            {pressed ? pause_down : pause_up, sizeof pause_down}};

        if (spice_channel_peer_has(self->inputs, SPICE_INPUTS_CAP_KEY_SCANCODE))
            gst_spice_session_send(self->inputs, SPICE_MSGC_INPUTS_KEY_SCANCODE, &pause);
        return;
    }
    if (!pressed)
        code |= SCANCODE_RELEASED;
    key.code = (scancode & 0xff00) == SCANCODE_EXTENDED ? 0xe0u | (guint32)code << 8 : code;
    gst_spice_session_send(self->inputs,
                           pressed ? SPICE_MSGC_INPUTS_KEY_DOWN : SPICE_MSGC_INPUTS_KEY_UP, &key);
}

void gst_spice_inputs_motion(GstSpiceSession *self, gint dx, gint dy)
{
    GstSpiceInputs *in = &self->input;

    if (gst_spice_session_get_mouse_mode(self) != GST_SPICE_MOUSE_MODE_SERVER ||
        (dx == 0 && dy == 0))
        return;
    in->dx += dx;
    in->dy += dy;
    in->motion_pending = TRUE;
    send_pending(self);
}

void gst_spice_inputs_pointer(GstSpiceSession *self, guint display, gint x, gint y)
{
    GstSpiceInputs *in = &self->input;
    gint dx = x - in->last_x, dy = y - in->last_y;

    if (gst_spice_session_get_mouse_mode(self) == GST_SPICE_MOUSE_MODE_CLIENT) {
        in->x = (guint32)MAX(x, 0);
        in->y = (guint32)MAX(y, 0);
        in->display = (guint8)display;
        in->position_pending = TRUE;
        send_pending(self);
    } else if (in->place_known) {
        gst_spice_inputs_motion(self, dx, dy);
    }
    in->last_x = x;
    in->last_y = y;
    in->place_known = TRUE;
}

void gst_spice_inputs_button(GstSpiceSession *self, guint button, gboolean pressed)
{
    GstSpiceInputs *in = &self->input;
    guint32 mask;
    SpiceMsgcInputsMouseButton message;

    if (!self->inputs || !in->linked || button < SPICE_MOUSE_BUTTON_LEFT ||
        button > SPICE_MOUSE_BUTTON_EXTRA)
        return;
    mask = 1u << (button - SPICE_MOUSE_BUTTON_LEFT);
    /* What was moved before the click must arrive before it: one more than the window. */
    if (in->motion_pending || in->position_pending)
        in->unacked = MIN(in->unacked, MAX_UNACKED - 1);
    send_pending(self);
    in->held_buttons = pressed ? in->held_buttons | mask : in->held_buttons & ~mask;
    message = (SpiceMsgcInputsMouseButton){(guint8)button, (guint16)in->held_buttons};
    gst_spice_session_send(
        self->inputs, pressed ? SPICE_MSGC_INPUTS_MOUSE_PRESS : SPICE_MSGC_INPUTS_MOUSE_RELEASE,
        &message);
}
