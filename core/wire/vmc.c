/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vmc.h"

#include "messages.h"

static void layout_data(SpiceWire *wire, void *value)
{
    SpiceMsgVmcData *m = value;

    spice_wire_rest(wire, &m->data, "vmc.data");
    if (m->data.size == 0)
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "vmc.data");
}

static void layout_compressed_data(SpiceWire *wire, void *value)
{
    SpiceMsgVmcCompressedData *m = value;

    spice_wire_u8(wire, &m->type, "compressed_data.type");
    switch (m->type) {
    case SPICE_DATA_COMPRESSION_TYPE_NONE:
        break;
    case SPICE_DATA_COMPRESSION_TYPE_LZ4:
        spice_wire_u32(wire, &m->uncompressed_size, "compressed_data.uncompressed_size");
        break;
    default:
        spice_wire_fail(wire, SPICE_ERROR_VALUE, "compressed_data.type");
    }
    spice_wire_rest(wire, &m->data, "compressed_data.data");
}

static void layout_port_init(SpiceWire *wire, void *value)
{
    SpiceMsgPortInit *m = value;
    uint32_t name_size = (uint32_t)m->name.size;

    spice_wire_u32(wire, &name_size, "port_init.name_size");
    spice_wire_pointer_bytes(wire, &m->name, name_size, SPICE_NOT_NULL, "port_init.name");
    spice_wire_u8(wire, &m->opened, "port_init.opened");
}

static void layout_port_event(SpiceWire *wire, void *value)
{
    SpiceMsgPortEvent *m = value;

    spice_wire_u8(wire, &m->event, "port_event.event");
}

static const SpiceMessageDef data_only[] = {
    SPICE_MESSAGE(SPICE_MSG_SPICEVMC_DATA, SpiceMsgVmcData, layout_data),
    SPICE_MESSAGE(SPICE_MSG_SPICEVMC_COMPRESSED_DATA, SpiceMsgVmcCompressedData,
                  layout_compressed_data),
};

static const SpiceMessageDef port_from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_SPICEVMC_DATA, SpiceMsgVmcData, layout_data),
    SPICE_MESSAGE(SPICE_MSG_SPICEVMC_COMPRESSED_DATA, SpiceMsgVmcCompressedData,
                  layout_compressed_data),
    SPICE_MESSAGE(SPICE_MSG_PORT_INIT, SpiceMsgPortInit, layout_port_init),
    SPICE_MESSAGE(SPICE_MSG_PORT_EVENT, SpiceMsgPortEvent, layout_port_event),
};

static const SpiceMessageDef port_from_client[] = {
    SPICE_MESSAGE(SPICE_MSGC_SPICEVMC_DATA, SpiceMsgVmcData, layout_data),
    SPICE_MESSAGE(SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, SpiceMsgVmcCompressedData,
                  layout_compressed_data),
    SPICE_MESSAGE(SPICE_MSGC_PORT_EVENT, SpiceMsgPortEvent, layout_port_event),
};

const SpiceMessageTable spice_usbredir_messages = {
    {SPICE_MESSAGE_LIST(data_only), SPICE_MESSAGE_LIST(data_only)}};

const SpiceMessageTable spice_port_messages = {
    {SPICE_MESSAGE_LIST(port_from_server), SPICE_MESSAGE_LIST(port_from_client)}};
