/* Inside of a listener: itself, and the connections that have not authenticated.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "link-backoff.h"
#include "link-keys.h"
#include "listener.h"

G_BEGIN_DECLS

struct SpiceListener {
    SpiceListenerLimits limits;
    const SpiceListenerHandler *handler;
    gpointer user_data;
    GMainContext *context;
    SpiceLinkKeys *keys;
    SpiceLinkBackoff *backoff;
    GPtrArray *ports;
    GQueue links; /* Link, oldest first */
    GSource *pause, *sweep;
    gboolean wants_room; /* the pause is for links that have to go first */
    gboolean websockets;
    char **origins;
    gboolean by_sasl;
    char *sasl_application, *sasl_mechanisms;
};

/* listener.c */

void spice_listener_drop_source(GSource **source);
/** Calls `func` once after so long, on the listener's thread, instead of what *timer was to call. */
void spice_listener_start_timer(SpiceListener *self, GSource **timer, guint ms, GSourceFunc func,
                                gpointer data);
/** A link has gone: if that was waited for, more are accepted. */
void spice_listener_has_room(SpiceListener *self);

/* pending-links.c */

/** Begins a link on a socket that was accepted. */
void spice_listener_begin_link(SpiceListener *self, GSocket *socket, SpiceTlsServer *tls,
                               gboolean trusted);
/** Keys were made: a callback of spice_link_keys_set_ready(). */
gboolean spice_listener_on_keys_ready(gpointer self);
/** Drops links until there are no more than `max_links` in all and `max_address_links` an address;
 * those in their grace get another look when it is over. */
void spice_listener_enforce_limits(SpiceListener *self, guint max_links);
/** Drops all. */
void spice_listener_drop_links(SpiceListener *self, const char *why);

G_END_DECLS
