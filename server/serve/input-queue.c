/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "input-queue.h"

static gint add(gint a, gint b)
{
    return (gint)CLAMP((gint64)a + b, G_MININT, G_MAXINT);
}

static InputEvent *last_of_kind(InputQueue *self, InputKind kind)
{
    InputEvent *last;

    if (self->n == 0)
        return NULL;
    last = &self->events[(self->first + self->n - 1) % INPUT_QUEUE_SIZE];
    return last->kind == kind ? last : NULL;
}

/** FALSE if there is no room. */
static gboolean append(InputQueue *self, const InputEvent *event)
{
    if (self->n == INPUT_QUEUE_SIZE)
        return FALSE;
    self->events[(self->first + self->n++) % INPUT_QUEUE_SIZE] = *event;
    return TRUE;
}

/* Once something came too late, all motion after it does: else the order would be wrong. */

static void push_motion(InputQueue *self, const InputEvent *event)
{
    InputEvent *last = last_of_kind(self, INPUT_MOTION);

    if (!self->late_motion && !self->late_position) {
        if (last) {
            last->x = add(last->x, event->x);
            last->y = add(last->y, event->y);
            return;
        }
        if (append(self, event))
            return;
    }
    self->late_motion = TRUE;
    self->late_dx = add(self->late_dx, event->x);
    self->late_dy = add(self->late_dy, event->y);
}

static void push_position(InputQueue *self, const InputEvent *event)
{
    InputEvent *last = last_of_kind(self, INPUT_POSITION);

    if (!self->late_motion && !self->late_position) {
        if (last) {
            *last = *event;
            return;
        }
        if (append(self, event))
            return;
    }
    self->late_position = TRUE;
    self->late_x = event->x;
    self->late_y = event->y;
    self->late_motion = FALSE; /* it led to the place where this one starts from */
    self->late_dx = self->late_dy = 0;
}

static void push_switch(InputQueue *self, const InputEvent *event, gboolean *wanted)
{
    if (wanted[event->code] == event->pressed)
        return;
    wanted[event->code] = event->pressed;
    if (append(self, event))
        return;
    self->overflowed = TRUE;
    self->dropped++;
}

void input_queue_push(InputQueue *self, const InputEvent *event)
{
    switch (event->kind) {
    case INPUT_KEY:
        if (event->code > 0)
            push_switch(self, event, self->wanted_keys);
        break;
    case INPUT_BUTTON:
        if (event->code > 0 && event->code < INPUT_QUEUE_BUTTONS)
            push_switch(self, event, self->wanted_buttons);
        break;
    case INPUT_MOTION:
        push_motion(self, event);
        break;
    case INPUT_POSITION:
        push_position(self, event);
        break;
    }
}

void input_queue_release_all(InputQueue *self)
{
    guint code;

    for (code = 1; code < INPUT_QUEUE_CODES; code++)
        input_queue_push(self, &(InputEvent){.kind = INPUT_KEY, .code = (guint8)code});
    for (code = 1; code < INPUT_QUEUE_BUTTONS; code++)
        input_queue_push(self, &(InputEvent){.kind = INPUT_BUTTON, .code = (guint8)code});
}

/** The release of something whose release was dropped. */
static gboolean pop_release(InputQueue *self, InputEvent *event)
{
    guint code;

    for (code = 1; code < INPUT_QUEUE_CODES; code++)
        if (self->given_keys[code] && !self->wanted_keys[code]) {
            *event = (InputEvent){.kind = INPUT_KEY, .code = (guint8)code};
            return TRUE;
        }
    for (code = 1; code < INPUT_QUEUE_BUTTONS; code++)
        if (self->given_buttons[code] && !self->wanted_buttons[code]) {
            *event = (InputEvent){.kind = INPUT_BUTTON, .code = (guint8)code};
            return TRUE;
        }
    return FALSE;
}

static gboolean pop_late(InputQueue *self, InputEvent *event)
{
    if (self->late_position) {
        *event = (InputEvent){.kind = INPUT_POSITION, .x = self->late_x, .y = self->late_y};
        self->late_position = FALSE;
        return TRUE;
    }
    if (self->late_motion) {
        *event = (InputEvent){.kind = INPUT_MOTION, .x = self->late_dx, .y = self->late_dy};
        self->late_motion = FALSE;
        self->late_dx = self->late_dy = 0;
        return TRUE;
    }
    return FALSE;
}

static gboolean pop_any(InputQueue *self, InputEvent *event)
{
    if (self->n > 0) {
        *event = self->events[self->first];
        self->first = (self->first + 1) % INPUT_QUEUE_SIZE;
        self->n--;
        return TRUE;
    }
    if (pop_late(self, event))
        return TRUE;
    if (self->overflowed && pop_release(self, event))
        return TRUE;
    self->overflowed = FALSE;
    return FALSE;
}

/** Whether the event changes nothing: a release whose press was dropped, or the reverse. */
static gboolean is_idle(InputQueue *self, const InputEvent *event)
{
    gboolean *given;

    if (event->kind != INPUT_KEY && event->kind != INPUT_BUTTON)
        return FALSE;
    given = event->kind == INPUT_KEY ? self->given_keys : self->given_buttons;
    if (given[event->code] == event->pressed)
        return TRUE;
    given[event->code] = event->pressed;
    return FALSE;
}

gboolean input_queue_pop(InputQueue *self, InputEvent *event)
{
    while (pop_any(self, event))
        if (!is_idle(self, event))
            return TRUE;
    return FALSE;
}
