/* The inputs channel: keyboard and mouse.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

enum {
    SPICE_MSG_INPUTS_INIT = 101,
    SPICE_MSG_INPUTS_KEY_MODIFIERS = 102,
    SPICE_MSG_INPUTS_MOUSE_MOTION_ACK = 111,
};

enum {
    SPICE_MSGC_INPUTS_KEY_DOWN = 101,
    SPICE_MSGC_INPUTS_KEY_UP = 102,
    SPICE_MSGC_INPUTS_KEY_MODIFIERS = 103,
    SPICE_MSGC_INPUTS_KEY_SCANCODE = 104,
    SPICE_MSGC_INPUTS_MOUSE_MOTION = 111,
    SPICE_MSGC_INPUTS_MOUSE_POSITION = 112,
    SPICE_MSGC_INPUTS_MOUSE_PRESS = 113,
    SPICE_MSGC_INPUTS_MOUSE_RELEASE = 114,
};

enum { SPICE_INPUTS_CAP_KEY_SCANCODE = 0 };

/* Lock state. */
enum {
    SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK = 1 << 0,
    SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK = 1 << 1,
    SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK = 1 << 2,
};

typedef enum {
    SPICE_MOUSE_BUTTON_INVALID = 0,
    SPICE_MOUSE_BUTTON_LEFT = 1,
    SPICE_MOUSE_BUTTON_MIDDLE = 2,
    SPICE_MOUSE_BUTTON_RIGHT = 3,
    SPICE_MOUSE_BUTTON_UP = 4,   /* wheel */
    SPICE_MOUSE_BUTTON_DOWN = 5, /* wheel */
    SPICE_MOUSE_BUTTON_SIDE = 6,
    SPICE_MOUSE_BUTTON_EXTRA = 7,
} SpiceMouseButton;

enum {
    SPICE_MOUSE_BUTTON_MASK_LEFT = 1 << 0,
    SPICE_MOUSE_BUTTON_MASK_MIDDLE = 1 << 1,
    SPICE_MOUSE_BUTTON_MASK_RIGHT = 1 << 2,
    SPICE_MOUSE_BUTTON_MASK_UP = 1 << 3,
    SPICE_MOUSE_BUTTON_MASK_DOWN = 1 << 4,
    SPICE_MOUSE_BUTTON_MASK_SIDE = 1 << 5,
    SPICE_MOUSE_BUTTON_MASK_EXTRA = 1 << 6,
};

/* A server acknowledges MOTION and POSITION by fours. */
enum { SPICE_INPUT_MOTION_ACK_BUNCH = 4 };

/** INIT, KEY_MODIFIERS in both directions. */
typedef struct {
    uint16_t modifiers; /* SPICE_KEYBOARD_MODIFIER_FLAGS_* */
} SpiceMsgInputsKeyModifiers;

/** KEY_DOWN and KEY_UP: scan codes of set 1 from the low byte up, to the first zero byte. */
typedef struct {
    uint32_t code;
} SpiceMsgcInputsKey;

typedef struct {
    SpiceBytes scancodes; /* at least one */
} SpiceMsgcInputsKeyScancode;

typedef struct {
    int32_t dx, dy;
    uint16_t buttons_state; /* SPICE_MOUSE_BUTTON_MASK_* */
} SpiceMsgcInputsMouseMotion;

typedef struct {
    uint32_t x, y; /* pixels of the display */
    uint16_t buttons_state;
    uint8_t display_id;
} SpiceMsgcInputsMousePosition;

/** MOUSE_PRESS and MOUSE_RELEASE. The state is that after the event. */
typedef struct {
    uint8_t button; /* SpiceMouseButton */
    uint16_t buttons_state;
} SpiceMsgcInputsMouseButton;
