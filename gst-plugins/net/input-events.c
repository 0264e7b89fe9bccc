/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "input-events.h"

#include <gst/video/navigation.h>

#include "key-names.h"
#include "navigation.h"

/* What may wait for the thread; beyond it input is lost. */
enum { MAX_WAITING = 1024 };

typedef enum { KEY, MOTION, POSITION, BUTTON } Kind;

typedef struct {
    Kind kind;
    guint code; /* scancode or button */
    gboolean pressed;
    guint display;
    gint x, y; /* of a POSITION; of a MOTION, by how much */
} Input;

struct GstSpiceInputEvents {
    GstSpiceServer *server;
    GstSpiceInputPad find_pad;
    gpointer user_data;
    GThread *thread;

    GMutex lock;
    GCond wake;
    GQueue waiting; /* Input */
    gboolean ended;

    /* the thread's */
    guint display;
    gint x, y;
};

/* Waiting */

/** Whether `input` went into the one that waits last. */
static gboolean merge(GstSpiceInputEvents *self, const Input *input)
{
    Input *last = g_queue_peek_tail(&self->waiting);

    if (!last || last->kind != input->kind || last->display != input->display)
        return FALSE;
    if (input->kind == POSITION) {
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

static void put(GstSpiceInputEvents *self, const Input *input)
{
    g_mutex_lock(&self->lock);
    if (!merge(self, input) && g_queue_get_length(&self->waiting) < MAX_WAITING) {
        g_queue_push_tail(&self->waiting, g_memdup2(input, sizeof *input));
        g_cond_signal(&self->wake);
    }
    g_mutex_unlock(&self->lock);
}

static void on_key(guint scancode, gboolean pressed, gpointer user_data)
{
    put(user_data, &(Input){.kind = KEY, .code = scancode, .pressed = pressed});
}

static void on_motion(gint dx, gint dy, gpointer user_data)
{
    put(user_data, &(Input){.kind = MOTION,
                            .x = CLAMP(dx, -G_MAXINT16, G_MAXINT16),
                            .y = CLAMP(dy, -G_MAXINT16, G_MAXINT16)});
}

static void on_position(guint display, gint x, gint y, gpointer user_data)
{
    put(user_data, &(Input){.kind = POSITION, .display = display, .x = x, .y = y});
}

static void on_button(guint button, gboolean pressed, gpointer user_data)
{
    put(user_data, &(Input){.kind = BUTTON, .code = button, .pressed = pressed});
}

/* Pushing */

static gboolean push(GstPad *pad, GstEvent *event)
{
    return gst_pad_push_event(pad, event);
}

static void push_key(GstPad *pad, const Input *input)
{
    const char *name = gst_spice_key_name(input->code);
    GstStructure *structure =
        gst_structure_new(GST_SPICE_SCANCODE_STRUCTURE, "code", G_TYPE_UINT, input->code, "pressed",
                          G_TYPE_BOOLEAN, input->pressed, NULL);

    if (push(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure)) || !name)
        return;
    push(pad, input->pressed ? gst_navigation_event_new_key_press(name, 0)
                             : gst_navigation_event_new_key_release(name, 0));
}

static void push_button(GstSpiceInputEvents *self, GstPad *pad, const Input *input)
{
    enum { WHEEL_UP = 4, WHEEL_DOWN = 5 };

    if (input->code == WHEEL_UP || input->code == WHEEL_DOWN) {
        if (input->pressed)
            push(pad, gst_navigation_event_new_mouse_scroll(self->x, self->y, 0,
                                                            input->code == WHEEL_UP ? 1 : -1, 0));
        return;
    }
    push(pad, input->pressed ? gst_navigation_event_new_mouse_button_press((gint)input->code,
                                                                           self->x, self->y, 0)
                             : gst_navigation_event_new_mouse_button_release((gint)input->code,
                                                                             self->x, self->y, 0));
}

static void handle(GstSpiceInputEvents *self, const Input *input)
{
    const guint display = input->kind == POSITION ? input->display : self->display;
    gint width = 0, height = 0;
    GstPad *pad = self->find_pad(display, &width, &height, self->user_data);

    if (!pad)
        return;
    switch (input->kind) {
    case KEY:
        push_key(pad, input);
        break;
    case BUTTON:
        push_button(self, pad, input);
        break;
    case POSITION:
    case MOTION:
        self->display = display;
        self->x = input->kind == POSITION ? input->x : self->x + input->x;
        self->y = input->kind == POSITION ? input->y : self->y + input->y;
        self->x = CLAMP(self->x, 0, MAX(width - 1, 0));
        self->y = CLAMP(self->y, 0, MAX(height - 1, 0));
        push(pad, gst_navigation_event_new_mouse_move(self->x, self->y, 0));
        gst_spice_server_move_cursor(self->server, display, self->x, self->y);
        break;
    }
    gst_object_unref(pad);
}

static gpointer run(gpointer data)
{
    GstSpiceInputEvents *self = data;

    g_mutex_lock(&self->lock);
    while (!self->ended) {
        g_autofree Input *input = g_queue_pop_head(&self->waiting);

        if (!input) {
            g_cond_wait(&self->wake, &self->lock);
            continue;
        }
        g_mutex_unlock(&self->lock);
        handle(self, input);
        g_mutex_lock(&self->lock);
    }
    g_mutex_unlock(&self->lock);
    return NULL;
}

GstSpiceInputEvents *gst_spice_input_events_new(GstSpiceServer *server, GstSpiceInputPad find_pad,
                                                gpointer user_data)
{
    static const GstSpiceInputHandler handler = {
        .key = on_key, .motion = on_motion, .position = on_position, .button = on_button};
    GstSpiceInputEvents *self = g_new0(GstSpiceInputEvents, 1);

    self->server = g_object_ref(server);
    self->find_pad = find_pad;
    self->user_data = user_data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    g_queue_init(&self->waiting);
    self->thread = g_thread_new("spice-input", run, self);
    gst_spice_server_set_input_handler(server, &handler, self);
    return self;
}

void gst_spice_input_events_free(GstSpiceInputEvents *self)
{
    if (!self)
        return;
    gst_spice_server_set_input_handler(self->server, NULL, NULL);
    g_mutex_lock(&self->lock);
    self->ended = TRUE;
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    g_queue_clear_full(&self->waiting, g_free);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_object_unref(self->server);
    g_free(self);
}
