/* Asks the guest, by its agent, to give its monitors the sizes that their windows were given.
 *
 * A window that is pulled larger tells of many sizes: the guest is asked for the last, when there was no
 * other for a while. Those that it has already are not asked for. On the thread of the default context.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session/session.h"

G_BEGIN_DECLS

typedef struct SpiceGuestSize SpiceGuestSize;

/** The session is not owned. */
SpiceGuestSize *spice_guest_size_new(GstSpiceSession *session);
void spice_guest_size_free(SpiceGuestSize *self);

/** Monitor `number` has this size; 0 x 0: there is none. */
void spice_guest_size_set(SpiceGuestSize *self, guint number, gint width, gint height);
/** And is to have this one. */
void spice_guest_size_wish(SpiceGuestSize *self, guint number, gint width, gint height);

G_END_DECLS
