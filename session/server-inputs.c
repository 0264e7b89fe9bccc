/* The inputs channel, server role.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-private.h"

#include "core/wire/inputs.h"

/* Scan codes of set 1 without their break bit: plain, and behind E0. */
enum { N_CODES = 256, EXTENDED = 128 };
/* What E1 1D 45 says, in the form that it has behind E0. */
enum { PAUSE = EXTENDED | 0x46 };

typedef struct {
    GstSpiceServerLink link;
    guint8 held[N_CODES]; /* keys that this client holds down */
    guint held_buttons;   /* likewise, a bit a button */
    guint prefix;         /* bytes E0, E1, or E1 and another that were seen: 0xE0, 0xE1, 0xE11D */
    guint unacknowledged; /* motion messages */
} Inputs;

static const GstSpiceInputHandler *handler_of(const Inputs *self)
{
    return self->link.client->server->input;
}

static gpointer data_of(const Inputs *self)
{
    return self->link.client->server->input_data;
}

/* Keys */

/** Tells of a key, unless the handler has its bytes. */
static void tell_key(Inputs *self, guint code, gboolean pressed)
{
    const GstSpiceInputHandler *handler = handler_of(self);

    if (handler && handler->key)
        handler->key(code & EXTENDED ? 0xE000u | (code & 0x7f) : code, pressed, data_of(self));
}

static void set_key(Inputs *self, guint code, gboolean pressed)
{
    const GstSpiceInputHandler *handler = handler_of(self);

    if ((code & 0x7f) == 0)
        return;
    self->held[code] = (guint8)pressed;
    if (!handler || !handler->keyboard)
        tell_key(self, code, pressed);
}

/** One byte of the keyboard's stream. */
static void take_byte(Inputs *self, guint8 byte)
{
    const gboolean pressed = !(byte & 0x80);
    const guint code = byte & 0x7f;

    if (byte == 0xE0 || byte == 0xE1) {
        self->prefix = byte;
    } else if (self->prefix == 0xE1) {
        self->prefix = 0xE100u | code;
    } else {
        if (self->prefix == 0xE11D && code == 0x45)
            set_key(self, PAUSE, pressed);
        else if (self->prefix == 0xE0)
            set_key(self, EXTENDED | code, pressed);
        else if (self->prefix == 0)
            set_key(self, code, pressed);
        self->prefix = 0;
    }
}

static void take_bytes(Inputs *self, SpiceBytes bytes)
{
    const GstSpiceInputHandler *handler = handler_of(self);
    gsize i;

    for (i = 0; i < bytes.size; i++)
        take_byte(self, bytes.data[i]);
    if (handler && handler->keyboard && bytes.size > 0)
        handler->keyboard(bytes.data, bytes.size, data_of(self));
}

/** Bytes of a number, low one first, up to the first that is 0. */
static void take_code(Inputs *self, guint32 code)
{
    guint8 bytes[4];
    gsize n = 0;

    self->prefix = 0;
    for (; code & 0xff; code >>= 8)
        bytes[n++] = (guint8)(code & 0xff);
    take_bytes(self, (SpiceBytes){bytes, n});
}

/* Pointer */

static void acknowledge_motion(Inputs *self)
{
    if (++self->unacknowledged < SPICE_INPUT_MOTION_ACK_BUNCH)
        return;
    self->unacknowledged = 0;
    gst_spice_server_link_send(&self->link, SPICE_MSG_INPUTS_MOUSE_MOTION_ACK, NULL);
}

static void take_motion(Inputs *self, const SpiceMsgcInputsMouseMotion *motion)
{
    const GstSpiceInputHandler *handler = handler_of(self);

    if (self->link.client->mouse_mode == GST_SPICE_MOUSE_MODES_SERVER && handler && handler->motion)
        handler->motion(motion->dx, motion->dy, data_of(self));
    acknowledge_motion(self);
}

static void take_position(Inputs *self, const SpiceMsgcInputsMousePosition *position)
{
    const GstSpiceInputHandler *handler = handler_of(self);

    if (self->link.client->mouse_mode == GST_SPICE_MOUSE_MODES_CLIENT && handler &&
        handler->position && position->x <= G_MAXINT16 && position->y <= G_MAXINT16)
        handler->position(position->display_id, (gint)position->x, (gint)position->y,
                          data_of(self));
    acknowledge_motion(self);
}

static void set_button(Inputs *self, guint button, gboolean pressed)
{
    const GstSpiceInputHandler *handler = handler_of(self);

    if (button < SPICE_MOUSE_BUTTON_LEFT || button > SPICE_MOUSE_BUTTON_EXTRA)
        return;
    if (pressed)
        self->held_buttons |= 1u << button;
    else
        self->held_buttons &= ~(1u << button);
    if (handler && handler->button)
        handler->button(button, pressed, data_of(self));
}

/* The channel */

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    Inputs *self = (Inputs *)link;
    const GstSpiceInputHandler *handler = handler_of(self);

    switch (type) {
    case SPICE_MSGC_INPUTS_KEY_DOWN:
    case SPICE_MSGC_INPUTS_KEY_UP:
        take_code(self, ((SpiceMsgcInputsKey *)message)->code);
        return TRUE;
    case SPICE_MSGC_INPUTS_KEY_SCANCODE:
        take_bytes(self, ((SpiceMsgcInputsKeyScancode *)message)->scancodes);
        return TRUE;
    case SPICE_MSGC_INPUTS_KEY_MODIFIERS:
        if (handler && handler->locks)
            handler->locks(((SpiceMsgInputsKeyModifiers *)message)->modifiers, data_of(self));
        return TRUE;
    case SPICE_MSGC_INPUTS_MOUSE_MOTION:
        take_motion(self, message);
        return TRUE;
    case SPICE_MSGC_INPUTS_MOUSE_POSITION:
        take_position(self, message);
        return TRUE;
    case SPICE_MSGC_INPUTS_MOUSE_PRESS:
    case SPICE_MSGC_INPUTS_MOUSE_RELEASE:
        set_button(self, ((SpiceMsgcInputsMouseButton *)message)->button,
                   type == SPICE_MSGC_INPUTS_MOUSE_PRESS);
        return TRUE;
    default:
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Inputs *self = (Inputs *)link;
    guint i;

    for (i = 0; i < N_CODES; i++)
        if (self->held[i])
            tell_key(self, i, FALSE);
    for (i = SPICE_MOUSE_BUTTON_LEFT; i <= SPICE_MOUSE_BUTTON_EXTRA; i++)
        if (self->held_buttons & 1u << i)
            set_button(self, i, FALSE);
    gst_spice_server_link_clear(link);
    g_free(self);
}

void gst_spice_server_inputs_locks_changed(GstSpiceServerLink *link)
{
    const SpiceMsgInputsKeyModifiers message = {.modifiers = (guint16)link->client->server->locks};

    gst_spice_server_link_send(link, SPICE_MSG_INPUTS_KEY_MODIFIERS, &message);
}

void gst_spice_server_inputs_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {.message = on_message, .closed = on_closed};
    const SpiceMsgInputsKeyModifiers init = {.modifiers = (guint16)client->server->locks};
    Inputs *self = g_new0(Inputs, 1);

    gst_spice_server_link_init(&self->link, &klass, client, channel);
    gst_spice_server_link_send(&self->link, SPICE_MSG_INPUTS_INIT, &init);
}
