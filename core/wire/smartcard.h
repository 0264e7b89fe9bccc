/* The smart card channel. Its headers are little endian here, unlike those between a VM's card
 * reader and libcacard.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

/* The one message of either direction; the protocol's headers have more names for it. */
enum { SPICE_MSG_SMARTCARD_DATA = 101, SPICE_MSGC_SMARTCARD_DATA = 101 };

typedef enum {
    SPICE_VSC_INIT = 1,
    SPICE_VSC_ERROR = 2,
    SPICE_VSC_READER_ADD = 3,
    SPICE_VSC_READER_REMOVE = 4,
    SPICE_VSC_ATR = 5,
    SPICE_VSC_CARD_REMOVE = 6,
    SPICE_VSC_APDU = 7,
    SPICE_VSC_FLUSH = 8,
    SPICE_VSC_FLUSH_COMPLETE = 9,
} SpiceVscType;

typedef enum {
    SPICE_VSC_SUCCESS = 0,
    SPICE_VSC_GENERAL_ERROR = 1,
    SPICE_VSC_CANNOT_ADD_MORE_READERS = 2,
    SPICE_VSC_CARD_ALREADY_INSERTED = 3,
} SpiceVscErrorCode;

#define SPICE_VSC_UNDEFINED_READER_ID UINT32_MAX

typedef struct {
    uint32_t type; /* SpiceVscType; others are to be ignored */
    uint32_t reader_id;
    SpiceBytes data; /* READER_ADD: its name with NUL; ERROR: a code; ATR, APDU: the card's bytes */
} SpiceMsgSmartcardData;

/** The code in an ERROR's data, whose byte order depends on who wrote it; small codes are told
 * apart. False if there are not four bytes. */
bool spice_vsc_error_code(SpiceBytes data, uint32_t *code);
