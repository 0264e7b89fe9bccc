/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "migration.h"

#include "channel.h"
#include "messages.h"

#define MAGIC(a, b, c, d)                                                                          \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* The version of each struct, and of the character device's within it. */
enum { VERSION = 1 };

static void layout_header(SpiceWire *wire, uint32_t magic)
{
    spice_wire_constant(wire, magic, "migrate_data.magic");
    spice_wire_constant(wire, VERSION, "migrate_data.version");
}

static void layout_char_dev(SpiceWire *wire, SpiceMigrateDataCharDev *device)
{
    uint32_t write_size = (uint32_t)device->write_data.size;

    spice_wire_constant(wire, VERSION, "char_dev.version");
    spice_wire_u8(wire, &device->connected, "char_dev.connected");
    spice_wire_u32(wire, &device->num_client_tokens, "char_dev.num_client_tokens");
    spice_wire_u32(wire, &device->num_send_tokens, "char_dev.num_send_tokens");
    spice_wire_u32(wire, &write_size, "char_dev.write_size");
    spice_wire_u32(wire, &device->write_num_client_tokens, "char_dev.write_num_client_tokens");
    spice_wire_pointer_bytes(wire, &device->write_data, write_size, SPICE_NULLABLE,
                             "char_dev.write_data");
}

static void layout_spicevmc(SpiceWire *wire, void *value)
{
    SpiceMigrateDataSpiceVmc *data = value;

    layout_header(wire, MAGIC('S', 'V', 'M', 'D'));
    layout_char_dev(wire, &data->base);
}

static void layout_smartcard(SpiceWire *wire, void *value)
{
    SpiceMigrateDataSmartcard *data = value;
    uint32_t read_size = (uint32_t)data->read_data.size;

    layout_header(wire, MAGIC('S', 'C', 'M', 'D'));
    layout_char_dev(wire, &data->base);
    spice_wire_u8(wire, &data->reader_added, "smartcard.reader_added");
    spice_wire_u32(wire, &read_size, "smartcard.read_size");
    spice_wire_pointer_bytes(wire, &data->read_data, read_size, SPICE_NULLABLE,
                             "smartcard.read_data");
}

static void layout_main(SpiceWire *wire, void *value)
{
    SpiceMigrateDataMain *data = value;
    uint32_t partial_size = (uint32_t)data->agent_to_client.msg_header.size;

    layout_header(wire, MAGIC('M', 'N', 'M', 'D'));
    layout_char_dev(wire, &data->agent_base);
    spice_wire_u8(wire, &data->client_agent_started, "main.client_agent_started");
    spice_wire_u32(wire, &data->agent_to_client.chunk_header_size, "main.chunk_header_size");
    spice_wire_u32(wire, &data->agent_to_client.chunk_header_port, "main.chunk_header.port");
    spice_wire_u32(wire, &data->agent_to_client.chunk_header_data_size, "main.chunk_header.size");
    spice_wire_u8(wire, &data->agent_to_client.msg_header_done, "main.msg_header_done");
    spice_wire_u32(wire, &partial_size, "main.msg_header_partial_len");
    spice_wire_pointer_bytes(wire, &data->agent_to_client.msg_header, partial_size, SPICE_NULLABLE,
                             "main.msg_header");
    spice_wire_u32(wire, &data->agent_to_client.msg_remaining, "main.msg_remaining");
    spice_wire_u8(wire, &data->agent_to_client.msg_filter_result, "main.msg_filter_result");
    spice_wire_u32(wire, &data->client_to_agent.msg_remaining, "main.msg_remaining");
    spice_wire_u8(wire, &data->client_to_agent.msg_filter_result, "main.msg_filter_result");
}

static void layout_surface(SpiceWire *wire, void *value)
{
    SpiceMigrateSurface *surface = value;

    spice_wire_u32(wire, &surface->id, "surface.id");
    if (!(wire->agreed & SPICE_MIGRATE_LOSSY_SURFACES))
        return;
    /* not the order that drawing messages have */
    spice_wire_i32(wire, &surface->lossy.left, "surface.lossy.left");
    spice_wire_i32(wire, &surface->lossy.top, "surface.lossy.top");
    spice_wire_i32(wire, &surface->lossy.right, "surface.lossy.right");
    spice_wire_i32(wire, &surface->lossy.bottom, "surface.lossy.bottom");
}

static void layout_surfaces(SpiceWire *wire, void *value)
{
    SpiceMigrateDataDisplay *data = value;

    spice_wire_u32(wire, &data->n_surfaces, "display.n_surfaces");
    spice_wire_array(wire, &data->surfaces, data->n_surfaces, sizeof *data->surfaces,
                     wire->agreed & SPICE_MIGRATE_LOSSY_SURFACES ? 20 : 4, layout_surface,
                     "display.surfaces");
}

static void layout_display(SpiceWire *wire, void *value)
{
    SpiceMigrateDataDisplay *data = value;

    layout_header(wire, MAGIC('D', 'C', 'M', 'D'));
    spice_wire_u64(wire, &data->message_serial, "display.message_serial");
    spice_wire_u8(wire, &data->low_bandwidth, "display.low_bandwidth");
    spice_wire_u8(wire, &data->pixmap_cache_id, "display.pixmap_cache_id");
    spice_wire_i64(wire, &data->pixmap_cache_size, "display.pixmap_cache_size");
    spice_wire_u8(wire, &data->pixmap_cache_freezer, "display.pixmap_cache_freezer");
    for (unsigned i = 0; i < 4; i++)
        spice_wire_u64(wire, &data->pixmap_cache_clients[i], "display.pixmap_cache_clients");
    spice_wire_u8(wire, &data->glz_dict_id, "display.glz_dict_id");
    spice_wire_u32(wire, &data->glz_dict_size, "display.glz_dict.size");
    spice_wire_u32(wire, &data->glz_dict_max_encoders, "display.glz_dict.max_encoders");
    spice_wire_u64(wire, &data->glz_dict_last_image_id, "display.glz_dict.last_image_id");
    spice_wire_pointer_into(wire, true, layout_surfaces, data, SPICE_NULLABLE, "display.surfaces");
}

static void layout_inputs(SpiceWire *wire, void *value)
{
    SpiceMigrateDataInputs *data = value;

    layout_header(wire, MAGIC('I', 'C', 'M', 'D'));
    spice_wire_u16(wire, &data->motion_count, "inputs.motion_count");
}

const SpiceMessageDef *spice_migrate_data_find(uint8_t channel)
{
    static const SpiceMessageDef spicevmc =
        SPICE_MESSAGE(SPICE_MSG_MIGRATE_DATA, SpiceMigrateDataSpiceVmc, layout_spicevmc);
    static const SpiceMessageDef smartcard =
        SPICE_MESSAGE(SPICE_MSG_MIGRATE_DATA, SpiceMigrateDataSmartcard, layout_smartcard);
    static const SpiceMessageDef main_channel =
        SPICE_MESSAGE(SPICE_MSG_MIGRATE_DATA, SpiceMigrateDataMain, layout_main);
    static const SpiceMessageDef display =
        SPICE_MESSAGE(SPICE_MSG_MIGRATE_DATA, SpiceMigrateDataDisplay, layout_display);
    static const SpiceMessageDef inputs =
        SPICE_MESSAGE(SPICE_MSG_MIGRATE_DATA, SpiceMigrateDataInputs, layout_inputs);

    switch (channel) {
    case SPICE_CHANNEL_MAIN:
        return &main_channel;
    case SPICE_CHANNEL_DISPLAY:
        return &display;
    case SPICE_CHANNEL_INPUTS:
        return &inputs;
    case SPICE_CHANNEL_SMARTCARD:
        return &smartcard;
    case SPICE_CHANNEL_USBREDIR:
    case SPICE_CHANNEL_PORT:
    case SPICE_CHANNEL_WEBDAV:
        return &spicevmc;
    default:
        return NULL;
    }
}
