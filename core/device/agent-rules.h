/* What a server lets through between a guest's agent and a client.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/vdagent.h"

typedef struct {
    bool no_clipboard;     /* neither way */
    bool no_file_transfer; /* from the client into the guest */
} SpiceAgentRules;

/** Whether messages of this type may pass, in either direction. Types that are not known may. */
bool spice_agent_rules_allow(SpiceAgentRules rules, uint32_t type);

/** Takes out of an agent's ANNOUNCE_CAPABILITIES, `size` bytes of data, what the rules do not let
 * through, and says that files are not taken. Words that are not there stay away. */
void spice_agent_rules_restrict(SpiceAgentRules rules, uint8_t *announcement, size_t size);
