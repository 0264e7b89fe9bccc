/* Input of clients, for the host's keyboard, mouse and tablet.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server-state.h"

#include "core/wire/inputs.h"

/* What may wait for the host's main loop; no person gives more. Beyond it only what releases
 * something is kept. */
enum { MAX_WAITING = 1024, MAX_RELEASES = 4096 };

typedef enum { KEYBOARD, KEY_RELEASED, MOTION, POSITION, BUTTON, LOCKS } Kind;

/** Something that a client did, on its way to the host's thread. */
typedef struct {
    Kind kind;
    gint x, y;
    guint code; /* button, scancode, locks or display */
    gboolean pressed;
    GBytes *bytes;
} Input;

void spice_host_input_free(gpointer data)
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

/** The agent, if it moves the pointer; else NULL. */
static GstSpiceDevice *agent_mouse(SpiceServer *server)
{
    return server->agent_mouse && server->agent && gst_spice_device_get_connection(server->agent)
               ? server->agent
               : NULL;
}

static void point(SpiceServer *server, GstSpiceDevice *agent)
{
    gst_spice_device_point(agent, (guint)server->pointer_x, (guint)server->pointer_y,
                           server->held_buttons, server->pointer_display);
}

static void move_pointer(SpiceServer *server, const Input *input)
{
    GstSpiceDevice *agent = agent_mouse(server);

    server->on_tablet = TRUE;
    server->pointer_x = input->x;
    server->pointer_y = input->y;
    server->pointer_display = (guint8)input->code;
    if (agent)
        point(server, agent);
    else if (server->tablet)
        tablet_of(server)->position(server->tablet, input->x, input->y, server->mouse_buttons);
}

static void press_button(SpiceServer *server, guint button, gboolean pressed)
{
    const gboolean wheel = button == SPICE_MOUSE_BUTTON_UP || button == SPICE_MOUSE_BUTTON_DOWN;
    const int dz = button == SPICE_MOUSE_BUTTON_UP ? -1 : 1;
    GstSpiceDevice *agent = agent_mouse(server);

    if (pressed) {
        server->mouse_buttons |= button_bit(button);
        server->held_buttons |= 1u << button;
    } else {
        server->mouse_buttons &= ~button_bit(button);
        server->held_buttons &= ~(1u << button);
    }
    if (server->on_tablet && agent) {
        point(server, agent);
        return;
    }
    if (wheel && !pressed)
        return;
    if (server->on_tablet && server->tablet) {
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

static void handle(SpiceServer *server, const Input *input)
{
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
        server->on_tablet = FALSE;
        if (server->mouse)
            mouse_of(server)->motion(server->mouse, input->x, input->y, 0, server->mouse_buttons);
        break;
    case POSITION:
        move_pointer(server, input);
        break;
    case BUTTON:
        press_button(server, input->code, input->pressed);
        break;
    }
}

/** Tells the host what waited when it began. */
static void tell_host(gpointer data)
{
    SpiceServer *server = data;
    GQueue inputs;
    Input *input;

    g_mutex_lock(&server->input_lock);
    inputs = server->inputs;
    g_queue_init(&server->inputs);
    g_mutex_unlock(&server->input_lock);
    while ((input = g_queue_pop_head(&inputs))) {
        handle(server, input);
        spice_host_input_free(input);
    }
}

/* From the session's thread */

static gboolean is_release(const Input *input)
{
    return (input->kind == BUTTON || input->kind == KEY_RELEASED) && !input->pressed;
}

/** Whether `input` went into the one that waits last. */
static gboolean merge(SpiceServer *server, const Input *input)
{
    Input *last = g_queue_peek_tail(&server->inputs);

    if (!last || last->kind != input->kind)
        return FALSE;
    if (input->kind == POSITION || input->kind == LOCKS) {
        *last = *input;
        return TRUE;
    }
    if (input->kind == MOTION && ABS(last->x) < G_MAXINT16 && ABS(last->y) < G_MAXINT16) {
        last->x += input->x;
        last->y += input->y;
        return TRUE;
    }
    return FALSE;
}

/** Takes over the input's bytes. */
static void post(SpiceServer *server, Input input)
{
    guint waiting;
    gboolean first = FALSE;

    g_mutex_lock(&server->input_lock);
    waiting = g_queue_get_length(&server->inputs);
    if (merge(server, &input)) {
        /* nothing more to do */
    } else if (waiting < MAX_WAITING || (is_release(&input) && waiting < MAX_RELEASES)) {
        first = waiting == 0;
        g_queue_push_tail(&server->inputs, g_memdup2(&input, sizeof input));
    } else {
        g_clear_pointer(&input.bytes, g_bytes_unref);
    }
    g_mutex_unlock(&server->input_lock);
    if (first)
        host_loop_post(server->loop, tell_host, server, NULL);
}

static void on_keyboard(const guint8 *bytes, gsize size, gpointer user_data)
{
    post(user_data, (Input){.kind = KEYBOARD, .bytes = g_bytes_new(bytes, size)});
}

static void on_key(guint scancode, gboolean pressed, gpointer user_data)
{
    post(user_data, (Input){.kind = KEY_RELEASED, .code = scancode, .pressed = pressed});
}

static void on_motion(gint dx, gint dy, gpointer user_data)
{
    post(user_data, (Input){.kind = MOTION,
                            .x = CLAMP(dx, -G_MAXINT16, G_MAXINT16),
                            .y = CLAMP(dy, -G_MAXINT16, G_MAXINT16)});
}

static void on_position(guint display, gint x, gint y, gpointer user_data)
{
    post(user_data, (Input){.kind = POSITION, .x = x, .y = y, .code = display});
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

/** Whether some display's picture is one that clients may point at absolutely. */
static gboolean may_point(SpiceServer *server)
{
    gboolean absolute = FALSE;
    gint width, height;
    guint i;

    for (i = 0; i < server->qxls->len; i++)
        if (spice_host_qxl_get_primary(server->qxls->pdata[i], &width, &height, &absolute) &&
            absolute)
            return TRUE;
    return FALSE;
}

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
    /* With several displays a tablet would not know which one is meant; the agent is told. */
    if (agent_mouse(server) && may_point(server))
        modes = GST_SPICE_MOUSE_MODES_BOTH;
    gst_spice_server_set_mouse_modes(server->session, modes);
}
