/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys.h"

#include "scancodes.h"

enum { MAX_CODE = 255 };

struct SpiceKeys {
    const SpiceKeysHandler *handler;
    gpointer user_data;
    gboolean held[MAX_CODE + 1]; /* the guest has it down */
    gboolean kept[MAX_CODE + 1]; /* it is down, and was the viewer's own */
    gboolean ctrl_alt;           /* both are held, and no other key came since */
};

SpiceKeys *spice_keys_new(const SpiceKeysHandler *handler, gpointer user_data)
{
    SpiceKeys *self = g_new0(SpiceKeys, 1);

    self->handler = handler;
    self->user_data = user_data;
    return self;
}

void spice_keys_free(SpiceKeys *self)
{
    g_free(self);
}

static gboolean is_ctrl(guint code)
{
    return code == SPICE_EVDEV_LEFT_CTRL || code == SPICE_EVDEV_RIGHT_CTRL;
}

static gboolean ctrl_alt_held(const SpiceKeys *self)
{
    /* Not the right Alt: AltGr is Ctrl and Alt to some systems. */
    return (self->held[SPICE_EVDEV_LEFT_CTRL] || self->held[SPICE_EVDEV_RIGHT_CTRL]) &&
           self->held[SPICE_EVDEV_LEFT_ALT];
}

static gboolean shift_held(const SpiceKeys *self)
{
    return self->held[SPICE_EVDEV_LEFT_SHIFT] || self->held[SPICE_EVDEV_RIGHT_SHIFT];
}

/** Whether this key is the viewer's own. */
static gboolean keep(SpiceKeys *self, guint code)
{
    if (code == SPICE_EVDEV_F11) {
        if (!self->kept[code])
            self->handler->command(SPICE_KEY_COMMAND_FULL_SCREEN, self->user_data);
        return TRUE;
    }
    if (code == SPICE_EVDEV_F12 && shift_held(self)) {
        self->handler->command(SPICE_KEY_COMMAND_RELEASE_POINTER, self->user_data);
        return TRUE;
    }
    return self->kept[code];
}

void spice_keys_press(SpiceKeys *self, guint code)
{
    guint scancode = spice_scancode_from_evdev(code);
    gboolean repeats;

    if (code > MAX_CODE || !scancode)
        return;
    repeats = self->held[code];
    if (!repeats && keep(self, code)) {
        self->ctrl_alt = FALSE;
        self->kept[code] = TRUE;
        return;
    }
    self->held[code] = TRUE;
    if (!repeats)
        self->ctrl_alt = (is_ctrl(code) || code == SPICE_EVDEV_LEFT_ALT) && ctrl_alt_held(self);
    self->handler->key(scancode, TRUE, self->user_data);
}

void spice_keys_release(SpiceKeys *self, guint code)
{
    if (code > MAX_CODE)
        return;
    self->kept[code] = FALSE;
    if (!self->held[code])
        return;
    self->held[code] = FALSE;
    self->handler->key(spice_scancode_from_evdev(code), FALSE, self->user_data);
    if (self->ctrl_alt) {
        self->ctrl_alt = FALSE;
        self->handler->command(SPICE_KEY_COMMAND_RELEASE_POINTER, self->user_data);
    }
}

void spice_keys_release_all(SpiceKeys *self)
{
    guint code;

    self->ctrl_alt = FALSE;
    for (code = 0; code <= MAX_CODE; code++) {
        self->kept[code] = FALSE;
        spice_keys_release(self, code);
    }
}
