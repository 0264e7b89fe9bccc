/* Input of clients, for the host's keyboard, mouse and tablet.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include "core/wire/inputs.h"

/* More of it waits for the host's main loop than any person can give. */
enum { MAX_BYTES = 4096 };

typedef enum { KEYBOARD, KEY_RELEASED, MOTION, POSITION, BUTTON, LOCKS } Kind;

/** Something that a client did, on its way to the host's thread. */
typedef struct {
    SpiceServer *server;
    Kind kind;
    gint x, y;
    guint code; /* button, scancode or locks */
    gboolean pressed;
    GBytes *bytes;
} Input;

static void input_free(gpointer data)
{
    Input *input = data;

    g_clear_pointer(&input->bytes, g_bytes_unref);
    g_free(input);
}

/* Keyboard, on the host's thread */

static void push(SpiceKbdInstance *keyboard, guint8 byte)
{
    const SpiceKbdInterface *interface = SPICE_UPCAST(SpiceKbdInterface, keyboard->base.sif);

    interface->push_scan_freg(keyboard, byte);
}

static void push_bytes(SpiceServer *server, GBytes *bytes)
{
    gsize i, size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    for (i = 0; server->keyboard && i < size; i++)
        push(server->keyboard, data[i]);
}

/** Releases, or presses, the key of a scancode as sessions have them. */
static void push_key(SpiceServer *server, guint scancode, gboolean pressed)
{
    if (!server->keyboard)
        return;
    if (scancode > 0xff)
        push(server->keyboard, 0xE0);
    push(server->keyboard, (guint8)((scancode & 0x7f) | (pressed ? 0 : 0x80)));
}

/** Brings the guest's locks to the client's, by pressing what differs. */
static void set_locks(SpiceServer *server, guint locks)
{
    static const struct {
        guint lock, scancode;
    } keys[] = {
        {SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK, 0x46},
        {SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK, 0x45},
        {SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK, 0x3a},
    };
    const SpiceKbdInterface *interface;
    guint i, leds;

    if (!server->keyboard)
        return;
    interface = SPICE_UPCAST(SpiceKbdInterface, server->keyboard->base.sif);
    leds = interface->get_leds(server->keyboard);
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!((leds ^ locks) & keys[i].lock))
            continue;
        push_key(server, keys[i].scancode, TRUE);
        push_key(server, keys[i].scancode, FALSE);
    }
}

/* Pointer, on the host's thread */

/** The bit by which the host's mice know a button of the protocol; 0 for the wheel. */
static guint32 button_bit(guint button)
{
    switch (button) {
    case SPICE_MOUSE_BUTTON_LEFT:
        return 1;
    case SPICE_MOUSE_BUTTON_RIGHT:
        return 2;
    case SPICE_MOUSE_BUTTON_MIDDLE:
        return 4;
    case SPICE_MOUSE_BUTTON_SIDE:
        return 0x40;
    case SPICE_MOUSE_BUTTON_EXTRA:
        return 0x80;
    default:
        return 0;
    }
}

static const SpiceMouseInterface *mouse_of(SpiceServer *server)
{
    return server->mouse ? SPICE_UPCAST(SpiceMouseInterface, server->mouse->base.sif) : NULL;
}

static const SpiceTabletInterface *tablet_of(SpiceServer *server)
{
    return server->tablet ? SPICE_UPCAST(SpiceTabletInterface, server->tablet->base.sif) : NULL;
}

/** Whether buttons go to the tablet: some client points absolutely. */
static gboolean is_absolute(SpiceServer *server)
{
    return server->tablet && !spice_server_is_server_mouse(server);
}

static void press_button(SpiceServer *server, guint button, gboolean pressed)
{
    const gboolean wheel = button == SPICE_MOUSE_BUTTON_UP || button == SPICE_MOUSE_BUTTON_DOWN;
    const int dz = button == SPICE_MOUSE_BUTTON_UP ? -1 : 1;

    if (pressed)
        server->mouse_buttons |= button_bit(button);
    else
        server->mouse_buttons &= ~button_bit(button);
    if (wheel && !pressed)
        return;
    if (is_absolute(server)) {
        if (wheel)
            tablet_of(server)->wheel(server->tablet, dz, server->mouse_buttons);
        else
            tablet_of(server)->buttons(server->tablet, server->mouse_buttons);
    } else if (server->mouse) {
        if (wheel)
            mouse_of(server)->motion(server->mouse, 0, 0, dz, server->mouse_buttons);
        else
            mouse_of(server)->buttons(server->mouse, server->mouse_buttons);
    }
}

static void handle(gpointer data)
{
    const Input *input = data;
    SpiceServer *server = input->server;

    switch (input->kind) {
    case KEYBOARD:
        push_bytes(server, input->bytes);
        break;
    case KEY_RELEASED:
        push_key(server, input->code, input->pressed);
        break;
    case LOCKS:
        set_locks(server, input->code);
        break;
    case MOTION:
        if (server->mouse)
            mouse_of(server)->motion(server->mouse, input->x, input->y, 0, server->mouse_buttons);
        break;
    case POSITION:
        if (server->tablet)
            tablet_of(server)->position(server->tablet, input->x, input->y, server->mouse_buttons);
        break;
    case BUTTON:
        press_button(server, input->code, input->pressed);
        break;
    }
}

/* From the session's thread */

static void post(SpiceServer *server, Input input)
{
    input.server = server;
    host_loop_post(server->loop, handle, g_memdup2(&input, sizeof input), input_free);
}

static void on_keyboard(const guint8 *bytes, gsize size, gpointer user_data)
{
    if (size <= MAX_BYTES)
        post(user_data, (Input){.kind = KEYBOARD, .bytes = g_bytes_new(bytes, size)});
}

static void on_key(guint scancode, gboolean pressed, gpointer user_data)
{
    post(user_data, (Input){.kind = KEY_RELEASED, .code = scancode, .pressed = pressed});
}

static void on_motion(gint dx, gint dy, gpointer user_data)
{
    post(user_data, (Input){.kind = MOTION, .x = dx, .y = dy});
}

static void on_position(guint display, gint x, gint y, gpointer user_data)
{
    post(user_data, (Input){.kind = POSITION, .x = x, .y = y});
}

static void on_button(guint button, gboolean pressed, gpointer user_data)
{
    post(user_data, (Input){.kind = BUTTON, .code = button, .pressed = pressed});
}

static void on_locks(guint locks, gpointer user_data)
{
    post(user_data, (Input){.kind = LOCKS, .code = locks});
}

const GstSpiceInputHandler spice_host_input_handler = {
    .key = on_key,
    .keyboard = on_keyboard,
    .motion = on_motion,
    .position = on_position,
    .button = on_button,
    .locks = on_locks,
};

/* Which mouse modes there are */

void spice_host_update_mouse(SpiceServer *server)
{
    GstSpiceMouseModes modes = GST_SPICE_MOUSE_MODES_SERVER;
    gboolean absolute = FALSE;
    gint width, height;

    if (!server->session)
        return;
    if (server->tablet && server->qxls->len == 1 &&
        spice_host_qxl_get_primary(server->qxls->pdata[0], &width, &height, &absolute) &&
        absolute) {
        modes = GST_SPICE_MOUSE_MODES_BOTH;
        tablet_of(server)->set_logical_size(server->tablet, width, height);
    }
    gst_spice_server_set_mouse_modes(server->session, modes);
}
