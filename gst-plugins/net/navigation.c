/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "navigation.h"

#include <gst/video/navigation.h>

#include "key-names.h"

enum { BUTTON_WHEEL_UP = 4, BUTTON_WHEEL_DOWN = 5 };

static gboolean is_scancode(GstEvent *event)
{
    return GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM &&
           gst_event_has_name(event, GST_SPICE_SCANCODE_STRUCTURE);
}

gboolean gst_spice_navigation_is_input(GstEvent *event)
{
    return GST_EVENT_TYPE(event) == GST_EVENT_NAVIGATION || is_scancode(event);
}

static void send_key(GstSpiceSession *session, GstEvent *event, gboolean pressed,
                     guint *unknown_keys)
{
    const char *name = NULL;
    guint scancode;

    if (!gst_navigation_event_parse_key_event(event, &name) || !name)
        return;
    scancode = gst_spice_key_scancode(name);
    if (scancode)
        gst_spice_session_key(session, scancode, pressed);
    else if (pressed)
        ++*unknown_keys;
}

static void send_button(GstSpiceSession *session, guint display, GstEvent *event, gboolean pressed)
{
    gint button;
    gdouble x, y;

    if (!gst_navigation_event_parse_mouse_button_event(event, &button, &x, &y) || button < 1)
        return;
    gst_spice_session_pointer(session, display, (gint)x, (gint)y);
    gst_spice_session_button(session, (guint)button, pressed);
}

static void send_scroll(GstSpiceSession *session, GstEvent *event)
{
    gdouble x, y, delta_x, delta_y;
    guint button;

    if (!gst_navigation_event_parse_mouse_scroll_event(event, &x, &y, &delta_x, &delta_y) ||
        delta_y == 0)
        return;
    button = delta_y > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN;
    gst_spice_session_button(session, button, TRUE);
    gst_spice_session_button(session, button, FALSE);
}

static void send_scancode(GstSpiceSession *session, GstEvent *event)
{
    const GstStructure *structure = gst_event_get_structure(event);
    guint code;
    gboolean pressed;

    if (gst_structure_get_uint(structure, "code", &code) &&
        gst_structure_get_boolean(structure, "pressed", &pressed))
        gst_spice_session_key(session, code, pressed);
}

void gst_spice_navigation_send(GstSpiceSession *session, guint display, GstEvent *event,
                               guint *unknown_keys)
{
    gdouble x, y;

    if (is_scancode(event)) {
        send_scancode(session, event);
        return;
    }
    switch (gst_navigation_event_get_type(event)) {
    case GST_NAVIGATION_EVENT_KEY_PRESS:
        send_key(session, event, TRUE, unknown_keys);
        break;
    case GST_NAVIGATION_EVENT_KEY_RELEASE:
        send_key(session, event, FALSE, unknown_keys);
        break;
    case GST_NAVIGATION_EVENT_MOUSE_BUTTON_PRESS:
        send_button(session, display, event, TRUE);
        break;
    case GST_NAVIGATION_EVENT_MOUSE_BUTTON_RELEASE:
        send_button(session, display, event, FALSE);
        break;
    case GST_NAVIGATION_EVENT_MOUSE_MOVE:
        if (gst_navigation_event_parse_mouse_move_event(event, &x, &y))
            gst_spice_session_pointer(session, display, (gint)x, (gint)y);
        break;
    case GST_NAVIGATION_EVENT_MOUSE_SCROLL:
        send_scroll(session, event);
        break;
    default:
        break;
    }
}
