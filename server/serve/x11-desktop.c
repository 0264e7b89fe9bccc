/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11-desktop.h"

#include "x11-capture.h"

enum { PROP_0, PROP_DISPLAY };

struct _X11Desktop {
    DesktopSource parent_instance;
    char *display;
    X11Capture *capture;
};

G_DEFINE_FINAL_TYPE(X11Desktop, x11_desktop, TYPE_DESKTOP_SOURCE)

static gboolean wait_for_server(gpointer user_data)
{
    return desktop_source_wait(user_data, TRUE, -1) != DESKTOP_WAIT_INTERRUPTED;
}

static gboolean fit_surface(X11Desktop *self, GError **error)
{
    return desktop_source_resize(DESKTOP_SOURCE(self), x11_capture_get_width(self->capture),
                                 x11_capture_get_height(self->capture), error);
}

static gboolean x11_desktop_open(DesktopSource *source, GError **error)
{
    X11Desktop *self = X11_DESKTOP(source);

    self->capture = x11_capture_open(self->display, wait_for_server, self, error);
    if (!self->capture)
        return FALSE;
    desktop_source_watch(source, x11_capture_get_fd(self->capture));
    if (fit_surface(self, error))
        return TRUE;
    desktop_source_watch(source, -1);
    g_clear_pointer(&self->capture, x11_capture_close);
    return FALSE;
}

static void x11_desktop_close(DesktopSource *source)
{
    g_clear_pointer(&X11_DESKTOP(source)->capture, x11_capture_close);
}

/** Waits until something is to be fetched, and its time has come. */
static gboolean wait_for_change(X11Desktop *self, X11CaptureState *state, GError **error)
{
    DesktopSource *source = DESKTOP_SOURCE(self);

    while ((*state = x11_capture_poll(self->capture, error)) != X11_CAPTURE_FAILED) {
        const gint64 turn = desktop_source_next_turn(source);
        DesktopWait wait;

        if (*state == X11_CAPTURE_IDLE)
            wait = desktop_source_wait(source, TRUE, -1);
        else if (turn > g_get_monotonic_time())
            wait = desktop_source_wait(source, FALSE, turn);
        else
            return TRUE;
        if (wait == DESKTOP_WAIT_INTERRUPTED)
            return FALSE;
    }
    return FALSE;
}

static gboolean x11_desktop_update(DesktopSource *source, pixman_region32_t *damage, GError **error)
{
    X11Desktop *self = X11_DESKTOP(source);
    X11CaptureState state;

    if (!wait_for_change(self, &state, error))
        return FALSE;
    do {
        if (state == X11_CAPTURE_RESIZED && !fit_surface(self, error))
            return FALSE;
        state = x11_capture_fetch(self->capture, desktop_source_get_surface(source), damage, error);
    } while (state == X11_CAPTURE_RESIZED);
    return state == X11_CAPTURE_CHANGED;
}

static void x11_desktop_set_property(GObject *object, guint id, const GValue *value,
                                     GParamSpec *pspec)
{
    if (id == PROP_DISPLAY) {
        g_free(X11_DESKTOP(object)->display);
        X11_DESKTOP(object)->display = g_value_dup_string(value);
    } else {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void x11_desktop_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    if (id == PROP_DISPLAY)
        g_value_set_string(value, X11_DESKTOP(object)->display);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void x11_desktop_finalize(GObject *object)
{
    g_free(X11_DESKTOP(object)->display);
    G_OBJECT_CLASS(x11_desktop_parent_class)->finalize(object);
}

static void x11_desktop_init(X11Desktop *self)
{
}

static void x11_desktop_class_init(X11DesktopClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    DesktopSourceClass *source_class = DESKTOP_SOURCE_CLASS(klass);

    object_class->set_property = x11_desktop_set_property;
    object_class->get_property = x11_desktop_get_property;
    object_class->finalize = x11_desktop_finalize;
    source_class->open = x11_desktop_open;
    source_class->close = x11_desktop_close;
    source_class->update = x11_desktop_update;
    g_object_class_install_property(
        object_class, PROP_DISPLAY,
        g_param_spec_string("display", "Display", "Name of the X display; NULL: $DISPLAY", NULL,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "X11 desktop", "Source/Video",
                                          "Shows an X screen, as it changes",
                                          "The gst-spice developers");
}
