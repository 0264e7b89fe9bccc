/* The security layer that a SASL mechanism puts on a connection: what goes through it is signed or
 * encrypted by what both sides agreed on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct SpiceSaslLayer SpiceSaslLayer;

/** Whether it was built in. Without it there is no server that asks for SASL, and no layer. */
gboolean spice_sasl_is_available(void);

void spice_sasl_layer_free(SpiceSaslLayer *layer);

/** Appends what has to be sent for `data` to `out`. FALSE if the mechanism fails. */
gboolean spice_sasl_layer_encode(SpiceSaslLayer *layer, const guint8 *data, gsize size,
                                 GByteArray *out);
/** Takes bytes from the peer, appends those that are whole to `out`. FALSE if they are not what the
 * peer's side of the layer makes: the connection is to be closed. */
gboolean spice_sasl_layer_decode(SpiceSaslLayer *layer, const guint8 *data, gsize size,
                                 GByteArray *out);

G_END_DECLS
