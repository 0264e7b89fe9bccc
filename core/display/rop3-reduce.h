/* Ternary raster operations that are none: of the 256 codes 38 do without brush, source or
 * destination. The field's clients end over them, so they are published as the draws that they
 * are (SPICE protocol, "ROP3").
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/display.h"

typedef struct {
    uint16_t type; /* FILL, COPY, OPAQUE, BLACKNESS, WHITENESS or INVERS */
    union {
        SpiceMsgDisplayDrawFill fill;
        SpiceMsgDisplayDrawCopy copy;
        SpiceMsgDisplayDrawOpaque opaque;
        SpiceMsgDisplayDrawMasked masked;
    } message;
} SpiceReducedRop3;

/** Makes the simpler draw; it points to what the message points to. False if there is none. */
bool spice_rop3_reduce(SpiceReducedRop3 *reduced, const SpiceMsgDisplayDrawRop3 *message);
