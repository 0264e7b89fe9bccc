/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inputs.h"

#include "messages.h"

static void layout_modifiers(SpiceWire *wire, void *value)
{
    SpiceMsgInputsKeyModifiers *m = value;

    spice_wire_u16(wire, &m->modifiers, "inputs.modifiers");
}

static void layout_key(SpiceWire *wire, void *value)
{
    SpiceMsgcInputsKey *m = value;

    spice_wire_u32(wire, &m->code, "key.code");
}

static void layout_key_scancode(SpiceWire *wire, void *value)
{
    SpiceMsgcInputsKeyScancode *m = value;

    spice_wire_rest(wire, &m->scancodes, "key_scancode.scancodes");
    if (m->scancodes.size == 0)
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "key_scancode.scancodes");
}

static void layout_mouse_motion(SpiceWire *wire, void *value)
{
    SpiceMsgcInputsMouseMotion *m = value;

    spice_wire_i32(wire, &m->dx, "mouse_motion.dx");
    spice_wire_i32(wire, &m->dy, "mouse_motion.dy");
    spice_wire_u16(wire, &m->buttons_state, "mouse_motion.buttons_state");
}

static void layout_mouse_position(SpiceWire *wire, void *value)
{
    SpiceMsgcInputsMousePosition *m = value;

    spice_wire_u32(wire, &m->x, "mouse_position.x");
    spice_wire_u32(wire, &m->y, "mouse_position.y");
    spice_wire_u16(wire, &m->buttons_state, "mouse_position.buttons_state");
    spice_wire_u8(wire, &m->display_id, "mouse_position.display_id");
}

static void layout_mouse_button(SpiceWire *wire, void *value)
{
    SpiceMsgcInputsMouseButton *m = value;

    spice_wire_u8(wire, &m->button, "mouse_button.button");
    spice_wire_u16(wire, &m->buttons_state, "mouse_button.buttons_state");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_INPUTS_INIT, SpiceMsgInputsKeyModifiers, layout_modifiers),
    SPICE_MESSAGE(SPICE_MSG_INPUTS_KEY_MODIFIERS, SpiceMsgInputsKeyModifiers, layout_modifiers),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_INPUTS_MOUSE_MOTION_ACK),
};

static const SpiceMessageDef from_client[] = {
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_KEY_DOWN, SpiceMsgcInputsKey, layout_key),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_KEY_UP, SpiceMsgcInputsKey, layout_key),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_KEY_MODIFIERS, SpiceMsgInputsKeyModifiers, layout_modifiers),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_KEY_SCANCODE, SpiceMsgcInputsKeyScancode, layout_key_scancode),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_MOUSE_MOTION, SpiceMsgcInputsMouseMotion, layout_mouse_motion),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_MOUSE_POSITION, SpiceMsgcInputsMousePosition,
                  layout_mouse_position),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_MOUSE_PRESS, SpiceMsgcInputsMouseButton, layout_mouse_button),
    SPICE_MESSAGE(SPICE_MSGC_INPUTS_MOUSE_RELEASE, SpiceMsgcInputsMouseButton, layout_mouse_button),
};

const SpiceMessageTable spice_inputs_messages = {
    {SPICE_MESSAGE_LIST(from_server), SPICE_MESSAGE_LIST(from_client)}};
