/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smartcard.h"

#include "endian.h"
#include "messages.h"

bool spice_vsc_error_code(SpiceBytes data, uint32_t *code)
{
    uint32_t value;

    if (data.size < 4)
        return false;
    value = spice_get_u32(data.data);
    /* a device's code passes through the server as it is, and devices write big endian */
    if (value > UINT16_MAX)
        value = value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
    *code = value;
    return true;
}

static void layout_data(SpiceWire *wire, void *value)
{
    SpiceMsgSmartcardData *m = value;

    spice_wire_u32(wire, &m->type, "smartcard.type");
    spice_wire_u32(wire, &m->reader_id, "smartcard.reader_id");
    spice_wire_counted_bytes(wire, &m->data, "smartcard.data");
}

static const SpiceMessageDef both_directions[] = {
    SPICE_MESSAGE(SPICE_MSG_SMARTCARD_DATA, SpiceMsgSmartcardData, layout_data),
};

const SpiceMessageTable spice_smartcard_messages = {
    {SPICE_MESSAGE_LIST(both_directions), SPICE_MESSAGE_LIST(both_directions)}};
