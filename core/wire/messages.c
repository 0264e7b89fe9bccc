/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "messages.h"

#include "channel.h"

const SpiceMessageTable *spice_message_table(uint8_t channel)
{
    switch (channel) {
    case SPICE_CHANNEL_MAIN:
        return &spice_main_messages;
    case SPICE_CHANNEL_DISPLAY:
        return &spice_display_messages;
    case SPICE_CHANNEL_INPUTS:
        return &spice_inputs_messages;
    case SPICE_CHANNEL_CURSOR:
        return &spice_cursor_messages;
    case SPICE_CHANNEL_PLAYBACK:
        return &spice_playback_messages;
    case SPICE_CHANNEL_RECORD:
        return &spice_record_messages;
    case SPICE_CHANNEL_SMARTCARD:
        return &spice_smartcard_messages;
    case SPICE_CHANNEL_USBREDIR:
        return &spice_usbredir_messages;
    case SPICE_CHANNEL_PORT:
    case SPICE_CHANNEL_WEBDAV:
        return &spice_port_messages;
    default:
        return NULL;
    }
}

const SpiceMessageDef *spice_message_find(uint8_t channel, SpiceDirection direction, uint16_t type)
{
    const SpiceMessageTable *table = spice_message_table(channel);
    const SpiceMessageList *list;
    size_t low = 0, high;

    if (!table)
        return NULL;
    if (type < SPICE_FIRST_CHANNEL_MESSAGE)
        table = &spice_common_messages;
    list = &table->from[direction];
    high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->defs[middle].type < type)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->n && list->defs[low].type == type ? &list->defs[low] : NULL;
}
