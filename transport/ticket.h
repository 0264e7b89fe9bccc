/* The ticket: a password with an expiry that a server compares in constant time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/wire/link.h"

G_BEGIN_DECLS

/** Zero-initialised, it lets everybody in. Not thread-safe. Wipe with spice_ticket_clear(). */
typedef struct {
    gboolean required;                              /* else what a client sends does not matter */
    gboolean set;                                   /* required, but not set: nobody gets in */
    guint8 password[SPICE_MAX_PASSWORD_LENGTH + 1]; /* padded with zeros */
    gint64 expires;                                 /* last second in which it is good; 0: never */
} SpiceTicket;

/** From now on `password` is required. NULL locks the server: no ticket is good. An empty password
 * locks it, too. `lifetime` in seconds from `now` (monotonic, seconds), 0: no expiry. FALSE, the
 * ticket as it was, for a password of more than SPICE_MAX_PASSWORD_LENGTH bytes. */
gboolean spice_ticket_set(SpiceTicket *ticket, const char *password, guint lifetime, gint64 now);

/** Nothing is required any more. */
void spice_ticket_clear(SpiceTicket *ticket);

/** Whether the decrypted block of a client (with or without its NUL; what follows the NUL does not
 * count) is the ticket. Takes the same time whatever the block says. */
gboolean spice_ticket_check(const SpiceTicket *ticket, const guint8 *block, gsize size, gint64 now);

G_END_DECLS
