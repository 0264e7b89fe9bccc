/* What can go wrong, and with which status the program then ends.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SERVE_ERROR (serve_error_quark())

/** The values are exit statuses, and stand in the manual. */
typedef enum {
    SERVE_ERROR_OPTION = 2, /* the command line */
    SERVE_ERROR_LISTEN = 3, /* an address, port, certificate or key is not to be had */
    SERVE_ERROR_SOURCE = 4, /* the display, file or pipeline is not to be had */
    SERVE_ERROR_LOST = 5,   /* what was shown broke, or has gone */
} ServeError;

GQuark serve_error_quark(void);

G_END_DECLS
