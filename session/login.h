/* Where a client goes, and as whom: the properties that the session has, and the elements that make
 * one.
 *
 * A class installs them first; its own properties have ids from GST_SPICE_LOGIN_N_PROPERTIES on.
 * Locking is the owner's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct {
    char *location;     /* URI of the server */
    char *username;     /* for SASL */
    char *password;     /* the server's ticket, or the user's password */
    char *ca_file;      /* PEM; NULL: the system's certificates */
    char *host_subject; /* of the server's certificate; NULL: its host name counts */
    guint timeout;      /* seconds of silence after which the server counts as gone; 0: never */
} GstSpiceLogin;

enum {
    GST_SPICE_LOGIN_LOCATION = 1,
    GST_SPICE_LOGIN_USERNAME,
    GST_SPICE_LOGIN_PASSWORD,
    GST_SPICE_LOGIN_CA_FILE,
    GST_SPICE_LOGIN_HOST_SUBJECT,
    GST_SPICE_LOGIN_TIMEOUT,
    GST_SPICE_LOGIN_N_PROPERTIES,
};

void gst_spice_login_init(GstSpiceLogin *self);
/** Passwords are wiped. */
void gst_spice_login_clear(GstSpiceLogin *self);

/** `flags`: beside those for reading and writing. */
void gst_spice_login_install_properties(GObjectClass *klass, GParamFlags flags);
/** FALSE: the property is none of these. */
gboolean gst_spice_login_set_property(GstSpiceLogin *self, guint id, const GValue *value);
gboolean gst_spice_login_get_property(const GstSpiceLogin *self, guint id, GValue *value);
/** Sets the properties of `object`, which has them, too. */
void gst_spice_login_apply(const GstSpiceLogin *self, GObject *object);

G_END_DECLS
