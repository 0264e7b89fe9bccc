/* How long a denied ticket's answer is held back: longer with each that an address brings.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct SpiceLinkBackoff SpiceLinkBackoff;

/** The first answer waits `first_ms`, each further one twice as long, `most_ms` at most. At most
 * `size` addresses are remembered; when there are more, the one longest not denied is forgotten.
 * After ten times `most_ms` without a denial an address begins anew. */
SpiceLinkBackoff *spice_link_backoff_new(guint first_ms, guint most_ms, guint size);
void spice_link_backoff_free(SpiceLinkBackoff *backoff);

/** Counts a denial at `now` (microseconds, monotonic); the milliseconds that its answer waits. */
guint spice_link_backoff_deny(SpiceLinkBackoff *backoff, const char *address, gint64 now);
/** A good ticket came from the address: it begins anew. */
void spice_link_backoff_forget(SpiceLinkBackoff *backoff, const char *address);

/** What counts as one address: of IPv6 a /64, for whoever has one has all of it; IPv4 within IPv6
 * is the IPv4 address, and all unix sockets are one. (transfer full) */
char *spice_link_address_key(GSocketAddress *address);

G_END_DECLS
