/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "login.h"

#include <string.h>

enum { DEFAULT_TIMEOUT_S = 30 };

void gst_spice_login_init(GstSpiceLogin *self)
{
    *self = (GstSpiceLogin){.timeout = DEFAULT_TIMEOUT_S};
}

static void wipe(char *password)
{
    if (password)
        explicit_bzero(password, strlen(password));
    g_free(password);
}

void gst_spice_login_clear(GstSpiceLogin *self)
{
    g_free(self->location);
    g_free(self->username);
    wipe(self->password);
    g_free(self->ca_file);
    g_free(self->host_subject);
    *self = (GstSpiceLogin){0};
}

void gst_spice_login_install_properties(GObjectClass *klass, GParamFlags flags)
{
    const GParamFlags write = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | flags;
    const GParamFlags both = G_PARAM_READABLE | write;

    g_object_class_install_property(
        klass, GST_SPICE_LOGIN_LOCATION,
        g_param_spec_string("location", "Location",
                            "URI of the server: spice://host:port, spice+tls://host:port or "
                            "spice+unix:///path",
                            NULL, both));
    g_object_class_install_property(
        klass, GST_SPICE_LOGIN_USERNAME,
        g_param_spec_string("username", "User name", "For servers that want SASL", NULL, both));
    g_object_class_install_property(
        klass, GST_SPICE_LOGIN_PASSWORD,
        g_param_spec_string("password", "Password", "Ticket of the server, or the user's password",
                            NULL, write));
    g_object_class_install_property(
        klass, GST_SPICE_LOGIN_CA_FILE,
        g_param_spec_string("ca-file", "CA file",
                            "PEM file of trusted certificates; without one, the system's", NULL,
                            both));
    g_object_class_install_property(
        klass, GST_SPICE_LOGIN_HOST_SUBJECT,
        g_param_spec_string("host-subject", "Host subject",
                            "Subject that the server's certificate must have, such as "
                            "\"O=Example,CN=host\"; the host name is then not looked at",
                            NULL, both));
    g_object_class_install_property(
        klass, GST_SPICE_LOGIN_TIMEOUT,
        g_param_spec_uint("timeout", "Timeout",
                          "Seconds of silence after which the server counts as gone (0: never); "
                          "connecting and the handshake take 10 s at most, or this if it is less",
                          0, G_MAXUINT / 1000, DEFAULT_TIMEOUT_S, both));
}

static char **string_of(GstSpiceLogin *self, guint id)
{
    switch (id) {
    case GST_SPICE_LOGIN_LOCATION:
        return &self->location;
    case GST_SPICE_LOGIN_USERNAME:
        return &self->username;
    case GST_SPICE_LOGIN_PASSWORD:
        return &self->password;
    case GST_SPICE_LOGIN_CA_FILE:
        return &self->ca_file;
    case GST_SPICE_LOGIN_HOST_SUBJECT:
        return &self->host_subject;
    default:
        return NULL;
    }
}

gboolean gst_spice_login_set_property(GstSpiceLogin *self, guint id, const GValue *value)
{
    char **string = string_of(self, id);

    if (id == GST_SPICE_LOGIN_TIMEOUT) {
        self->timeout = g_value_get_uint(value);
        return TRUE;
    }
    if (!string)
        return FALSE;
    if (id == GST_SPICE_LOGIN_PASSWORD)
        wipe(*string);
    else
        g_free(*string);
    *string = g_value_dup_string(value);
    return TRUE;
}

gboolean gst_spice_login_get_property(const GstSpiceLogin *self, guint id, GValue *value)
{
    char **string = string_of((GstSpiceLogin *)self, id);

    if (id == GST_SPICE_LOGIN_TIMEOUT)
        g_value_set_uint(value, self->timeout);
    else if (string)
        g_value_set_string(value, *string);
    return id == GST_SPICE_LOGIN_TIMEOUT || string;
}

void gst_spice_login_apply(const GstSpiceLogin *self, GObject *object)
{
    g_object_set(object, "location", self->location, "username", self->username, "password",
                 self->password, "ca-file", self->ca_file, "host-subject", self->host_subject,
                 "timeout", self->timeout, NULL);
}
