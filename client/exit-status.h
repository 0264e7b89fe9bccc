/* The exit statuses of spice-view. The man page tells them to people: keep the two together.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

typedef enum {
    SPICE_VIEW_OK = 0,
    SPICE_VIEW_FAILED = 1,  /* anything else: no display, a file that cannot be written */
    SPICE_VIEW_USAGE = 2,   /* wrong options */
    SPICE_VIEW_CONNECT = 3, /* name unknown, refused, no answer in time, not a SPICE server */
    SPICE_VIEW_TICKET = 4,  /* wrong, missing or expired ticket */
    SPICE_VIEW_TLS = 5,     /* TLS handshake or certificate */
    SPICE_VIEW_LOST = 6,    /* the session stood, and was lost */
} SpiceViewStatus;
