/* Input on its way to a desktop that may be slow: bounded, and never at odds with what is held down
 * in the end.
 *
 * Motion is summed and positions are replaced where nothing stands between them. When more waits
 * than fits, presses are dropped; releases, the sum of motion and the last position are not: they
 * come when the queue has been drained.
 *
 * Pure: no thread, no lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    INPUT_KEY,      /* code: 1 to 255 */
    INPUT_BUTTON,   /* code: 1 to 31 */
    INPUT_MOTION,   /* x, y: deltas */
    INPUT_POSITION, /* x, y: pixels */
} InputKind;

typedef struct {
    InputKind kind;
    guint8 code;
    gboolean pressed;
    gint x, y;
} InputEvent;

enum { INPUT_QUEUE_SIZE = 512, INPUT_QUEUE_CODES = 256, INPUT_QUEUE_BUTTONS = 32 };

/** Zero-initialise. */
typedef struct {
    InputEvent events[INPUT_QUEUE_SIZE]; /* a ring */
    guint first, n;
    /* What those who push hold down, and what those who pop have been told of. */
    gboolean wanted_keys[INPUT_QUEUE_CODES], given_keys[INPUT_QUEUE_CODES];
    gboolean wanted_buttons[INPUT_QUEUE_BUTTONS], given_buttons[INPUT_QUEUE_BUTTONS];
    /* Motion and position for which there was no room. */
    gboolean late_motion, late_position;
    gint late_dx, late_dy, late_x, late_y;
    gboolean overflowed; /* when drained, releases may be due */
    guint64 dropped;
} InputQueue;

/** Takes in an event. A key that is held down and pressed again is left out: the desktop repeats
 * keys by itself. Codes out of range are left out, too. */
void input_queue_push(InputQueue *queue, const InputEvent *event);
/** Everything that is held down is released, after what waits. */
void input_queue_release_all(InputQueue *queue);
/** The next event; FALSE if there is none. */
gboolean input_queue_pop(InputQueue *queue, InputEvent *event);

G_END_DECLS
