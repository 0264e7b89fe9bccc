/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "error.h"

G_DEFINE_QUARK(spice - transport - error - quark, spice_transport_error)

gboolean spice_transport_error_is_loss(const GError *error)
{
    return error->domain == SPICE_TRANSPORT_ERROR && error->code >= SPICE_TRANSPORT_ERROR_PROTOCOL;
}
