/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-source.h"

#include "core/display/desktop-damage.h"
#include "test-desktop.h"

enum { PROP_0, PROP_WIDTH, PROP_HEIGHT };

struct _TestSource {
    DesktopSource parent_instance;
    guint width, height;
    GMutex lock;
    TestDesktop *desktop; /* lock; NULL while the element is off */
};

G_DEFINE_FINAL_TYPE(TestSource, test_source, TYPE_DESKTOP_SOURCE)

/* Input */

void test_source_key(TestSource *self, guint scancode, gboolean pressed)
{
    g_mutex_lock(&self->lock);
    if (self->desktop)
        test_desktop_key(self->desktop, scancode, pressed);
    g_mutex_unlock(&self->lock);
}

void test_source_button(TestSource *self, guint button, gboolean pressed)
{
    g_mutex_lock(&self->lock);
    if (self->desktop)
        test_desktop_button(self->desktop, button, pressed);
    g_mutex_unlock(&self->lock);
}

void test_source_motion(TestSource *self, gint dx, gint dy, gint *x, gint *y)
{
    *x = *y = 0;
    g_mutex_lock(&self->lock);
    if (self->desktop) {
        test_desktop_motion(self->desktop, dx, dy);
        test_desktop_get_pointer(self->desktop, x, y);
    }
    g_mutex_unlock(&self->lock);
}

void test_source_position(TestSource *self, gint x, gint y)
{
    g_mutex_lock(&self->lock);
    if (self->desktop)
        test_desktop_position(self->desktop, x, y);
    g_mutex_unlock(&self->lock);
}

/* Source */

static guint seconds_since_midnight(void)
{
    GDateTime *now = g_date_time_new_now_local();
    const guint seconds = (guint)(g_date_time_get_hour(now) * 3600 +
                                  g_date_time_get_minute(now) * 60 + g_date_time_get_second(now));

    g_date_time_unref(now);
    return seconds;
}

static gboolean test_source_open(DesktopSource *source, GError **error)
{
    TestSource *self = TEST_SOURCE(source);
    gint fps;

    if (!desktop_source_resize(source, self->width, self->height, error))
        return FALSE;
    g_object_get(self, "max-framerate", &fps, NULL);
    g_mutex_lock(&self->lock);
    self->desktop =
        test_desktop_new(self->width, self->height, (guint)fps, seconds_since_midnight());
    g_mutex_unlock(&self->lock);
    return TRUE;
}

static void test_source_close(DesktopSource *source)
{
    TestSource *self = TEST_SOURCE(source);

    g_mutex_lock(&self->lock);
    g_clear_pointer(&self->desktop, test_desktop_free);
    g_mutex_unlock(&self->lock);
}

static gboolean test_source_update(DesktopSource *source, pixman_region32_t *damage, GError **error)
{
    TestSource *self = TEST_SOURCE(source);
    DesktopWait wait;

    do
        wait = desktop_source_wait(source, FALSE, desktop_source_next_turn(source));
    while (wait == DESKTOP_WAIT_TIME && g_get_monotonic_time() < desktop_source_next_turn(source));
    if (wait == DESKTOP_WAIT_INTERRUPTED)
        return FALSE;
    g_mutex_lock(&self->lock);
    test_desktop_step(self->desktop, desktop_source_get_surface(source), damage);
    g_mutex_unlock(&self->lock);
    return TRUE;
}

/* Object */

static void test_source_set_property(GObject *object, guint id, const GValue *value,
                                     GParamSpec *pspec)
{
    TestSource *self = TEST_SOURCE(object);

    if (id == PROP_WIDTH)
        self->width = g_value_get_uint(value);
    else if (id == PROP_HEIGHT)
        self->height = g_value_get_uint(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void test_source_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    TestSource *self = TEST_SOURCE(object);

    if (id == PROP_WIDTH)
        g_value_set_uint(value, self->width);
    else if (id == PROP_HEIGHT)
        g_value_set_uint(value, self->height);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void test_source_finalize(GObject *object)
{
    g_mutex_clear(&TEST_SOURCE(object)->lock);
    G_OBJECT_CLASS(test_source_parent_class)->finalize(object);
}

static void test_source_init(TestSource *self)
{
    self->width = 1280;
    self->height = 800;
    g_mutex_init(&self->lock);
}

static void test_source_class_init(TestSourceClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    DesktopSourceClass *source_class = DESKTOP_SOURCE_CLASS(klass);

    object_class->set_property = test_source_set_property;
    object_class->get_property = test_source_get_property;
    object_class->finalize = test_source_finalize;
    source_class->open = test_source_open;
    source_class->close = test_source_close;
    source_class->update = test_source_update;
    g_object_class_install_property(object_class, PROP_WIDTH,
                                    g_param_spec_uint("width", "Width", "Width of the desktop",
                                                      TEST_DESKTOP_MIN_WIDTH,
                                                      SPICE_MAX_DESKTOP_SIDE, 1280,
                                                      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
    g_object_class_install_property(
        object_class, PROP_HEIGHT,
        g_param_spec_uint("height", "Height", "Height of the desktop", TEST_DESKTOP_MIN_HEIGHT,
                          SPICE_MAX_DESKTOP_SIDE, 800, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Test desktop", "Source/Video",
                                          "A lively desktop made by code",
                                          "The gst-spice developers");
}
