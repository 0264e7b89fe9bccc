/* What passes between agent and client under each rule.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/device/agent-rules.h"

#include "core/wire/endian.h"
#include "tests/unit/tap.h"

static void test_types(void)
{
    const SpiceAgentRules rules[] = {{false, false}, {true, false}, {false, true}, {true, true}};

    for (unsigned i = 0; i < 4; i++) {
        bool as_it_should = true;

        for (uint32_t type = 0; type < 300; type++) {
            const bool clipboard = type == 4 || type == 7 || type == 8 || type == 9;
            const bool file = type >= 10 && type <= 12;

            as_it_should &=
                spice_agent_rules_allow(rules[i], type) ==
                !((clipboard && rules[i].no_clipboard) || (file && rules[i].no_file_transfer));
        }
        TAP_OK(as_it_should, "clipboard %s, files %s", rules[i].no_clipboard ? "off" : "on",
               rules[i].no_file_transfer ? "off" : "on");
    }
}

/** The first capability word after an announcement went through the rules. */
static uint32_t restricted(SpiceAgentRules rules, uint32_t word)
{
    uint8_t bytes[12];

    memset(bytes, 0xaa, sizeof bytes);
    spice_put_u32(bytes + 4, word);
    spice_agent_rules_restrict(rules, bytes, sizeof bytes);
    TAP_OK(spice_get_u32(bytes) == 0xaaaaaaaa && spice_get_u32(bytes + 8) == 0xaaaaaaaa,
           "nothing but the first word is changed");
    return spice_get_u32(bytes + 4);
}

int main(void)
{
    const uint32_t debian = 0x00038de7; /* what Debian's agent announces */
    uint8_t short_one[7] = {1, 2, 3, 4, 0xff, 0xff, 0xff};

    test_types();
    TAP_OK(restricted((SpiceAgentRules){false, false}, debian) == debian, "all is allowed");
    TAP_OK(restricted((SpiceAgentRules){true, false}, debian) ==
               (debian & ~(1u << 3 | 1u << 5 | 1u << 6 | 1u << 16 | 1u << 17)),
           "no clipboard: an agent without one");
    TAP_OK(restricted((SpiceAgentRules){false, true}, debian) == (debian | 1u << 13),
           "no files: said so");
    spice_agent_rules_restrict((SpiceAgentRules){true, true}, short_one, sizeof short_one);
    TAP_OK(memcmp(short_one, "\1\2\3\4\xff\xff\xff", 7) == 0,
           "an announcement without a whole word stays as it is");
    spice_agent_rules_restrict((SpiceAgentRules){true, true}, NULL, 0);
    TAP_OK(true, "an empty one is lived with");
    return tap_done();
}
