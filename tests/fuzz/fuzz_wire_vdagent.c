/* Messages between client, server and guest agent. An input is the type in one byte, the agreed
 * capabilities in four, and the data.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/wire/vdagent.h"
#include "fuzz_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const SpiceMessageDef *def;

    if (size < 5)
        return 0;
    def = spice_vd_agent_find(data[0]);
    if (def)
        fuzz_wire_message(def, spice_get_u32(data + 1), data + 5, size - 5);
    return 0;
}
