/* A card reader's byte stream: what a VM's device says, in big endian headers and messages cut
 * anywhere, and what the channel says, in little endian ones.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/smartcard.h"

/* Bytes of data in one message; extended APDUs have up to 65,544. */
enum { SPICE_VSC_HEADER_SIZE = 12, SPICE_VSC_MAX_DATA = 66 << 10 };

/** Appends a message's header and data to `out`, as a device has them. False if there is more data
 * than a message may have, or the allocator refuses. */
bool spice_smartcard_to_device(const SpiceMsgSmartcardData *message, SpiceBuffer *out);

typedef enum {
    SPICE_SMARTCARD_MORE, /* not all of it is there */
    SPICE_SMARTCARD_MESSAGE,
    SPICE_SMARTCARD_BROKEN, /* more data than a message may have; nothing after it can be read */
} SpiceSmartcardRead;

/** Reads the message that `bytes`, as a device wrote them, begin with. *taken is how many it has;
 * its data are among them. */
SpiceSmartcardRead spice_smartcard_from_device(SpiceBytes bytes, SpiceMsgSmartcardData *message,
                                               size_t *taken);
