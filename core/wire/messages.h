/* The message tables of the channels, put together by spice_message_find().
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "wire.h"

/** What one direction of a channel has, by rising number. */
typedef struct {
    const SpiceMessageDef *defs;
    size_t n;
} SpiceMessageList;

/** Both directions, indexed by SpiceDirection. */
typedef struct {
    SpiceMessageList from[2];
} SpiceMessageTable;

#define SPICE_MESSAGE(number, type, layout)                                                        \
    {                                                                                              \
        number, #number, sizeof(type), layout                                                      \
    }
#define SPICE_MESSAGE_EMPTY(number)                                                                \
    {                                                                                              \
        number, #number, 0, NULL                                                                   \
    }
#define SPICE_MESSAGE_LIST(defs)                                                                   \
    {                                                                                              \
        defs, sizeof(defs) / sizeof((defs)[0])                                                     \
    }

/** Messages 1 to 99 of every channel. */
extern const SpiceMessageTable spice_common_messages;
extern const SpiceMessageTable spice_main_messages;
extern const SpiceMessageTable spice_display_messages;
extern const SpiceMessageTable spice_inputs_messages;
extern const SpiceMessageTable spice_cursor_messages;
extern const SpiceMessageTable spice_playback_messages;
extern const SpiceMessageTable spice_record_messages;
extern const SpiceMessageTable spice_smartcard_messages;
extern const SpiceMessageTable spice_usbredir_messages;
/** Of port and webdav. */
extern const SpiceMessageTable spice_port_messages;

/** The messages from 101 on of a channel type; NULL for an unknown one. */
const SpiceMessageTable *spice_message_table(uint8_t channel);
