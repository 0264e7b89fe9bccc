/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-rules.h"

#include "core/wire/endian.h"

enum { WORDS_AT = 4 }; /* behind `request` */

bool spice_agent_rules_allow(SpiceAgentRules rules, uint32_t type)
{
    switch (type) {
    case VD_AGENT_CLIPBOARD:
    case VD_AGENT_CLIPBOARD_GRAB:
    case VD_AGENT_CLIPBOARD_REQUEST:
    case VD_AGENT_CLIPBOARD_RELEASE:
        return !rules.no_clipboard;
    case VD_AGENT_FILE_XFER_START:
    case VD_AGENT_FILE_XFER_STATUS:
    case VD_AGENT_FILE_XFER_DATA:
        return !rules.no_file_transfer;
    default:
        return true;
    }
}

void spice_agent_rules_restrict(SpiceAgentRules rules, uint8_t *announcement, size_t size)
{
    /* The last two change the form of messages that do not come any more; a client that went by them
     * alone would be led astray. */
    const uint32_t clipboard =
        1u << VD_AGENT_CAP_CLIPBOARD | 1u << VD_AGENT_CAP_CLIPBOARD_BY_DEMAND |
        1u << VD_AGENT_CAP_CLIPBOARD_SELECTION | 1u << VD_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB |
        1u << VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL;
    uint32_t word;

    if (size < WORDS_AT + 4)
        return;
    word = spice_get_u32(announcement + WORDS_AT);
    if (rules.no_clipboard)
        word &= ~clipboard;
    if (rules.no_file_transfer)
        word |= 1u << VD_AGENT_CAP_FILE_XFER_DISABLED;
    spice_put_u32(announcement + WORDS_AT, word);
}
