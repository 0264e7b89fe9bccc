/* The HTTP request that asks for a WebSocket, and the server's answer (RFC 6455, section 4.2).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum { SPICE_UPGRADE_MAX_SIZE = 8192 }; /* of the request, its empty line included */

typedef enum { SPICE_UPGRADE_MORE, SPICE_UPGRADE_DONE, SPICE_UPGRADE_REFUSED } SpiceUpgradeStep;

typedef struct {
    GByteArray *request; /* so far */
    gsize line_start;    /* of the line begun */
} SpiceUpgrade;

void spice_upgrade_init(SpiceUpgrade *upgrade);
void spice_upgrade_clear(SpiceUpgrade *upgrade);

/** Takes bytes from the client. *used: how many belonged to the request; after DONE the rest are
 * frames. DONE appends a 101 response to `out`; REFUSED appends one of
 *  - 426: no WebSocket is asked for, or another version than 13,
 *  - 403: the Origin is neither the Host nor among `allowed_origins` (NULL-terminated, or NULL),
 *  - 400: all else, malformed or larger than SPICE_UPGRADE_MAX_SIZE,
 * and sets *error, SPICE_TRANSPORT_ERROR_HANDSHAKE. After either the object is only to be cleared.
 *
 * Stricter than HTTP asks for, as nothing lawful needs the leeway: the target begins with "/", a
 * line ends in CR LF and is not folded, a field that decides stands once, there is no body. */
SpiceUpgradeStep spice_upgrade_push(SpiceUpgrade *upgrade, const guint8 *data, gsize size,
                                    gsize *used, const char *const *allowed_origins,
                                    GByteArray *out, GError **error);

G_END_DECLS
