/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11-input.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <xcb/xkb.h>
#include <xcb/xtest.h>

#include "core/wire/inputs.h"
#include "input-queue.h"
#include "scancodes.h"
#include "serve-error.h"
#include "x11-connection.h"

enum { STOP_MS = 1000 };
enum { N_LOCKS = 3 };

static const struct {
    guint flag;
    const char *indicator;
    guint scancode;
} lock_keys[N_LOCKS] = {
    {SPICE_KEYBOARD_MODIFIER_FLAGS_SCROLL_LOCK, "Scroll Lock", 0x46},
    {SPICE_KEYBOARD_MODIFIER_FLAGS_NUM_LOCK, "Num Lock", 0x45},
    {SPICE_KEYBOARD_MODIFIER_FLAGS_CAPS_LOCK, "Caps Lock", 0x3a},
};

struct X11Input {
    X11InputHandler handler;
    gpointer user_data;
    X11Connection *x11; /* used by the thread alone once it runs */
    GThread *thread;
    int wake; /* eventfd: there is something to do */

    /* the thread's */
    guint8 xkb_event;
    xcb_atom_t lock_atoms[N_LOCKS];
    guint locks; /* as last told */
    gboolean told_locks;

    GMutex lock;
    InputQueue queue;
    gint wanted_locks; /* -1: nothing to be done */
    gboolean stopping;
    gboolean ended;
    GCond ended_cond;
};

/* For callers */

static void wake_thread(X11Input *self)
{
    const guint64 one = 1;

    /* It cannot fail but for a counter of 2^64, when the thread is awake anyway. */
    if (write(self->wake, &one, sizeof one) < 0)
        return;
}

static void push(X11Input *self, const InputEvent *event)
{
    g_mutex_lock(&self->lock);
    input_queue_push(&self->queue, event);
    g_mutex_unlock(&self->lock);
    wake_thread(self);
}

void x11_input_key(X11Input *self, guint scancode, gboolean pressed)
{
    push(self,
         &(InputEvent){.kind = INPUT_KEY, .code = scancode_to_x11(scancode), .pressed = pressed});
}

void x11_input_button(X11Input *self, guint button, gboolean pressed)
{
    static const guint8 x11_buttons[] = {0, 1, 2, 3, 4, 5, 8, 9}; /* 6 and 7: sideways wheel */

    if (button < G_N_ELEMENTS(x11_buttons))
        push(self,
             &(InputEvent){.kind = INPUT_BUTTON, .code = x11_buttons[button], .pressed = pressed});
}

void x11_input_motion(X11Input *self, gint dx, gint dy)
{
    push(self, &(InputEvent){.kind = INPUT_MOTION, .x = dx, .y = dy});
}

void x11_input_position(X11Input *self, gint x, gint y)
{
    push(self, &(InputEvent){.kind = INPUT_POSITION, .x = x, .y = y});
}

void x11_input_release_all(X11Input *self)
{
    g_mutex_lock(&self->lock);
    input_queue_release_all(&self->queue);
    g_mutex_unlock(&self->lock);
    wake_thread(self);
}

void x11_input_set_locks(X11Input *self, guint locks)
{
    g_mutex_lock(&self->lock);
    self->wanted_locks = (gint)locks;
    g_mutex_unlock(&self->lock);
    wake_thread(self);
}

/* The thread: input to the server */

static void fake(X11Input *self, guint8 type, guint8 detail, gint x, gint y)
{
    xcb_test_fake_input(self->x11->xcb, type, detail, XCB_CURRENT_TIME, self->x11->screen->root,
                        (gint16)x, (gint16)y, 0);
}

static void fake_motion(X11Input *self, gint dx, gint dy)
{
    while (dx || dy) {
        const gint step_x = CLAMP(dx, G_MININT16, G_MAXINT16);
        const gint step_y = CLAMP(dy, G_MININT16, G_MAXINT16);

        fake(self, XCB_MOTION_NOTIFY, 1, step_x, step_y);
        dx -= step_x;
        dy -= step_y;
    }
}

static void inject(X11Input *self, const InputEvent *event)
{
    const xcb_setup_t *setup = xcb_get_setup(self->x11->xcb);

    switch (event->kind) {
    case INPUT_KEY:
        if (event->code >= setup->min_keycode && event->code <= setup->max_keycode)
            fake(self, event->pressed ? XCB_KEY_PRESS : XCB_KEY_RELEASE, event->code, 0, 0);
        break;
    case INPUT_BUTTON:
        fake(self, event->pressed ? XCB_BUTTON_PRESS : XCB_BUTTON_RELEASE, event->code, 0, 0);
        break;
    case INPUT_MOTION:
        /* Beyond some screens' widths it makes no difference. */
        fake_motion(self, CLAMP(event->x, -1000000, 1000000), CLAMP(event->y, -1000000, 1000000));
        break;
    case INPUT_POSITION:
        fake(self, XCB_MOTION_NOTIFY, 0, CLAMP(event->x, 0, G_MAXINT16),
             CLAMP(event->y, 0, G_MAXINT16));
        break;
    }
}

/* The thread: lock lights */

static gboolean read_locks(X11Input *self, guint *locks)
{
    xcb_xkb_get_named_indicator_cookie_t cookies[N_LOCKS];
    guint i;

    for (i = 0; i < N_LOCKS; i++)
        cookies[i] = xcb_xkb_get_named_indicator(self->x11->xcb, XCB_XKB_ID_USE_CORE_KBD,
                                                 XCB_XKB_LED_CLASS_DFLT_XI_CLASS,
                                                 XCB_XKB_ID_DFLT_XI_ID, self->lock_atoms[i]);
    *locks = 0;
    for (i = 0; i < N_LOCKS; i++) {
        xcb_xkb_get_named_indicator_reply_t *reply =
            xcb_xkb_get_named_indicator_reply(self->x11->xcb, cookies[i], NULL);

        if (reply && reply->found && reply->on)
            *locks |= lock_keys[i].flag;
        free(reply);
    }
    return xcb_connection_has_error(self->x11->xcb) == 0;
}

static void tell_locks(X11Input *self)
{
    guint locks;

    if (!read_locks(self, &locks) || (self->told_locks && locks == self->locks))
        return;
    self->locks = locks;
    self->told_locks = TRUE;
    if (self->handler.locks)
        self->handler.locks(locks, self->user_data);
}

static void apply_locks(X11Input *self, guint wanted)
{
    guint locks, i;

    if (!read_locks(self, &locks))
        return;
    for (i = 0; i < N_LOCKS; i++)
        if ((locks ^ wanted) & lock_keys[i].flag) {
            const guint8 key = scancode_to_x11(lock_keys[i].scancode);

            fake(self, XCB_KEY_PRESS, key, 0, 0);
            fake(self, XCB_KEY_RELEASE, key, 0, 0);
        }
}

/* Asking for the lights may bring further events into xcb's memory, where poll() does not see them.
 */
static void read_events(X11Input *self)
{
    gboolean lights;

    do {
        xcb_generic_event_t *event;

        lights = FALSE;
        while ((event = xcb_poll_for_event(self->x11->xcb))) {
            if ((event->response_type & 0x7f) == self->xkb_event)
                lights = TRUE;
            free(event);
        }
        if (lights)
            tell_locks(self);
    } while (lights);
}

/* The thread */

/** Does what waits. FALSE if that was the last. */
static gboolean work(X11Input *self)
{
    InputEvent event;
    gint locks;
    gboolean stopping;

    g_mutex_lock(&self->lock);
    while (input_queue_pop(&self->queue, &event)) {
        g_mutex_unlock(&self->lock);
        inject(self, &event);
        g_mutex_lock(&self->lock);
    }
    locks = self->wanted_locks;
    self->wanted_locks = -1;
    stopping = self->stopping;
    g_mutex_unlock(&self->lock);
    if (locks >= 0)
        apply_locks(self, (guint)locks);
    xcb_flush(self->x11->xcb);
    if (stopping) /* the server has to have read the releases */
        free(xcb_get_input_focus_reply(self->x11->xcb, xcb_get_input_focus(self->x11->xcb), NULL));
    return !stopping && xcb_connection_has_error(self->x11->xcb) == 0;
}

static gpointer input_thread(gpointer data)
{
    X11Input *self = data;
    struct pollfd fds[] = {{.fd = self->wake, .events = POLLIN},
                           {.fd = xcb_get_file_descriptor(self->x11->xcb), .events = POLLIN}};

    tell_locks(self);
    while (work(self)) {
        guint64 count;

        read_events(self);
        if (poll(fds, G_N_ELEMENTS(fds), -1) > 0 && (fds[0].revents & POLLIN) &&
            read(self->wake, &count, sizeof count) < 0)
            break;
    }
    g_mutex_lock(&self->lock);
    self->ended = TRUE;
    g_cond_signal(&self->ended_cond);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* Opening */

static gboolean find_locks(X11Input *self)
{
    xcb_intern_atom_cookie_t cookies[N_LOCKS];
    guint i;

    for (i = 0; i < N_LOCKS; i++)
        cookies[i] = xcb_intern_atom(self->x11->xcb, FALSE, (guint16)strlen(lock_keys[i].indicator),
                                     lock_keys[i].indicator);
    for (i = 0; i < N_LOCKS; i++) {
        xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(self->x11->xcb, cookies[i], NULL);

        if (reply)
            self->lock_atoms[i] = reply->atom;
        free(reply);
    }
    return xcb_connection_has_error(self->x11->xcb) == 0;
}

static gboolean start_xkb(X11Input *self, GError **error)
{
    xcb_connection_t *xcb = self->x11->xcb;
    xcb_xkb_use_extension_reply_t *reply;
    const xcb_xkb_select_events_details_t details = {0};
    gboolean supported;

    if (!x11_connection_require(self->x11, &xcb_xkb_id, "XKEYBOARD", error))
        return FALSE;
    self->xkb_event = xcb_get_extension_data(xcb, &xcb_xkb_id)->first_event;
    reply = xcb_xkb_use_extension_reply(
        xcb, xcb_xkb_use_extension(xcb, XCB_XKB_MAJOR_VERSION, XCB_XKB_MINOR_VERSION), NULL);
    supported = reply && reply->supported;
    free(reply);
    if (!supported) {
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "The XKEYBOARD extension of the X server %s is of another version",
                    self->x11->display);
        return FALSE;
    }
    /* All events of a kind that are selected as such need no further details. */
    xcb_xkb_select_events_aux(xcb, XCB_XKB_ID_USE_CORE_KBD,
                              XCB_XKB_EVENT_TYPE_INDICATOR_STATE_NOTIFY, 0,
                              XCB_XKB_EVENT_TYPE_INDICATOR_STATE_NOTIFY, 0, 0, &details);
    return find_locks(self) || x11_connection_check(self->x11, error);
}

static void free_parts(X11Input *self)
{
    x11_connection_close(self->x11);
    if (self->wake >= 0)
        close(self->wake);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->ended_cond);
    g_free(self);
}

X11Input *x11_input_new(const char *display, const X11InputHandler *handler, gpointer user_data,
                        GError **error)
{
    X11Input *self = g_new0(X11Input, 1);

    if (handler)
        self->handler = *handler;
    self->user_data = user_data;
    self->wanted_locks = -1;
    g_mutex_init(&self->lock);
    g_cond_init(&self->ended_cond);
    self->wake = eventfd(0, EFD_CLOEXEC);
    self->x11 = x11_connection_open(display, error);
    if (!self->x11 || !x11_connection_require(self->x11, &xcb_test_id, "XTEST", error) ||
        !start_xkb(self, error)) {
        free_parts(self);
        return NULL;
    }
    self->thread = g_thread_new("x11-input", input_thread, self);
    return self;
}

void x11_input_free(X11Input *self)
{
    gint64 until;

    if (!self)
        return;
    until = g_get_monotonic_time() + STOP_MS * G_TIME_SPAN_MILLISECOND;
    g_mutex_lock(&self->lock);
    input_queue_release_all(&self->queue);
    self->stopping = TRUE;
    g_mutex_unlock(&self->lock);
    wake_thread(self);
    g_mutex_lock(&self->lock);
    while (!self->ended && g_cond_wait_until(&self->ended_cond, &self->lock, until))
        continue;
    if (!self->ended)
        x11_connection_break(self->x11);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    free_parts(self);
}
