/* The keyboard: which keys are held, what the viewer keeps for itself, and what the guest gets.
 *
 * Knows no toolkit: evdev codes come in, scancodes and commands go out.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct SpiceKeys SpiceKeys;

typedef enum {
    SPICE_KEY_COMMAND_RELEASE_POINTER, /* Shift+F12, or Ctrl and Alt pressed and let go together */
    SPICE_KEY_COMMAND_FULL_SCREEN,     /* F11 */
} SpiceKeyCommand;

typedef struct {
    /** The guest's key. */
    void (*key)(guint scancode, gboolean pressed, gpointer user_data);
    void (*command)(SpiceKeyCommand command, gpointer user_data);
} SpiceKeysHandler;

/** The handler is not copied. (transfer full) */
SpiceKeys *spice_keys_new(const SpiceKeysHandler *handler, gpointer user_data);
void spice_keys_free(SpiceKeys *keys);

/** A key went down, or repeats: the guest gets each repetition, as from a keyboard. */
void spice_keys_press(SpiceKeys *keys, guint evdev_code);
/** A key went up. One that did not go down here is not the guest's business. */
void spice_keys_release(SpiceKeys *keys, guint evdev_code);
/** Lets go of all keys that the guest believes to be held: the keyboard is somebody else's now. */
void spice_keys_release_all(SpiceKeys *keys);

G_END_DECLS
