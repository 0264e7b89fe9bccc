/* The properties of spicesrc, and its location as a URI.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "spicesrc-private.h"
#include "transport/address.h"

enum {
    PROP_MONITOR = GST_SPICE_LOGIN_N_PROPERTIES,
    PROP_ALL_DISPLAYS,
    PROP_AUDIO,
    PROP_SILENCE,
    PROP_SHOW_CURSOR,
    PROP_PREFERRED_COMPRESSION,
    PROP_TIMESTAMPS,
    PROP_NUM_BUFFERS,
    PROP_SESSION,
};

/* Properties */

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    GstSpiceSrc *self = GST_SPICE_SRC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MONITOR:
        self->monitor = g_value_get_uint(value);
        break;
    case PROP_ALL_DISPLAYS:
        self->all_displays = g_value_get_boolean(value);
        break;
    case PROP_AUDIO:
        self->audio = g_value_get_boolean(value);
        break;
    case PROP_SILENCE:
        self->silence = g_value_get_boolean(value);
        break;
    case PROP_SHOW_CURSOR:
        self->show_cursor = g_value_get_boolean(value);
        break;
    case PROP_PREFERRED_COMPRESSION:
        self->preferred_compression = g_value_get_enum(value);
        break;
    case PROP_TIMESTAMPS:
        self->timestamps = g_value_get_enum(value);
        break;
    case PROP_NUM_BUFFERS:
        self->num_buffers = g_value_get_int(value);
        break;
    default:
        if (!gst_spice_login_set_property(&self->login, id, value))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstSpiceSrc *self = GST_SPICE_SRC(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MONITOR:
        g_value_set_uint(value, self->monitor);
        break;
    case PROP_ALL_DISPLAYS:
        g_value_set_boolean(value, self->all_displays);
        break;
    case PROP_AUDIO:
        g_value_set_boolean(value, self->audio);
        break;
    case PROP_SILENCE:
        g_value_set_boolean(value, self->silence);
        break;
    case PROP_SHOW_CURSOR:
        g_value_set_boolean(value, self->show_cursor);
        break;
    case PROP_PREFERRED_COMPRESSION:
        g_value_set_enum(value, self->preferred_compression);
        break;
    case PROP_TIMESTAMPS:
        g_value_set_enum(value, self->timestamps);
        break;
    case PROP_NUM_BUFFERS:
        g_value_set_int(value, self->num_buffers);
        break;
    case PROP_SESSION:
        g_value_set_object(value, self->session);
        break;
    default:
        if (!gst_spice_login_get_property(&self->login, id, value))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        break;
    }
    GST_OBJECT_UNLOCK(self);
}

void gst_spice_src_install_properties(GObjectClass *object_class)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

    object_class->set_property = set_property;
    object_class->get_property = get_property;
    gst_spice_login_install_properties(object_class, GST_PARAM_MUTABLE_READY);
    g_object_class_install_property(object_class, PROP_MONITOR,
                                    g_param_spec_uint("monitor", "Monitor",
                                                      "The display to expose unless all are", 0,
                                                      255, 0, flags));
    g_object_class_install_property(
        object_class, PROP_ALL_DISPLAYS,
        g_param_spec_boolean("all-displays", "All displays",
                             "Expose a pad for each monitor that the server has", FALSE, flags));
    g_object_class_install_property(
        object_class, PROP_AUDIO,
        g_param_spec_boolean("audio", "Audio", "Expose a pad for the server's sound, if it has any",
                             TRUE, flags));
    g_object_class_install_property(
        object_class, PROP_SILENCE,
        g_param_spec_boolean("silence", "Silence",
                             "Send silence while the server plays nothing, so that muxers and "
                             "mixers go on; otherwise nothing",
                             TRUE, flags));
    g_object_class_install_property(
        object_class, PROP_SHOW_CURSOR,
        g_param_spec_boolean("show-cursor", "Show cursor",
                             "Draw the server's cursor into the frames, for recording", FALSE,
                             flags));
    g_object_class_install_property(
        object_class, PROP_PREFERRED_COMPRESSION,
        g_param_spec_enum("preferred-compression", "Preferred compression",
                          "How the server is asked to send images (adaptive: as it likes); a "
                          "server that takes no wishes is not asked",
                          GST_SPICE_TYPE_IMAGE_COMPRESSION, GST_SPICE_IMAGE_COMPRESSION_ADAPTIVE,
                          flags));
    g_object_class_install_property(
        object_class, PROP_TIMESTAMPS,
        g_param_spec_enum("timestamps", "Timestamps", "What the frames' timestamps say",
                          GST_TYPE_SPICE_TIMESTAMPS, GST_SPICE_TIMESTAMPS_NONE, flags));
    g_object_class_install_property(
        object_class, PROP_NUM_BUFFERS,
        g_param_spec_int("num-buffers", "Number of buffers",
                         "Frames of each display before the end of the stream (-1: no end)", -1,
                         G_MAXINT, -1, flags));
    g_object_class_install_property(
        object_class, PROP_SESSION,
        g_param_spec_object("session", "Session",
                            "The session, for input, cursor and mouse mode; from PAUSED on",
                            GST_SPICE_TYPE_SESSION, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/* URI handler */

static GstURIType uri_get_type(GType type)
{
    return GST_URI_SRC;
}

static const gchar *const *uri_get_protocols(GType type)
{
    static const gchar *const protocols[] = {"spice", "spice+tls", "spice+unix", NULL};

    return protocols;
}

static gchar *uri_get_uri(GstURIHandler *handler)
{
    GstSpiceSrc *self = GST_SPICE_SRC(handler);
    gchar *uri;

    GST_OBJECT_LOCK(self);
    uri = g_strdup(self->login.location);
    GST_OBJECT_UNLOCK(self);
    return uri;
}

static gboolean uri_set_uri(GstURIHandler *handler, const gchar *uri, GError **error)
{
    g_autoptr(GError) local = NULL;
    SpiceAddress *address = spice_address_parse(uri, &local);

    if (!address) {
        g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s", local->message);
        return FALSE;
    }
    spice_address_free(address);
    if (GST_STATE(handler) > GST_STATE_READY) {
        g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                    "the location cannot be changed while the source is connected");
        return FALSE;
    }
    g_object_set(handler, "location", uri, NULL);
    return TRUE;
}

void gst_spice_src_uri_init(gpointer g_iface, gpointer data)
{
    GstURIHandlerInterface *iface = g_iface;

    iface->get_type = uri_get_type;
    iface->get_protocols = uri_get_protocols;
    iface->get_uri = uri_get_uri;
    iface->set_uri = uri_set_uri;
}
