/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "main.h"

#include "messages.h"

static void layout_dst(SpiceWire *wire, SpiceMsgMainMigrationDst *m, SpiceNullable host_nullable)
{
    uint32_t host_size = (uint32_t)m->host.size;
    uint32_t subject_size = (uint32_t)m->cert_subject.size;

    spice_wire_u16(wire, &m->port, "migrate.port");
    spice_wire_u16(wire, &m->sport, "migrate.sport");
    spice_wire_u32(wire, &host_size, "migrate.host_size");
    spice_wire_pointer_bytes(wire, &m->host, host_size, host_nullable, "migrate.host");
    spice_wire_u32(wire, &subject_size, "migrate.cert_subject_size");
    spice_wire_pointer_bytes(wire, &m->cert_subject, subject_size, SPICE_NULLABLE,
                             "migrate.cert_subject");
}

static void layout_migrate_begin(SpiceWire *wire, void *value)
{
    layout_dst(wire, value, SPICE_NOT_NULL);
}

static void layout_migrate_switch_host(SpiceWire *wire, void *value)
{
    layout_dst(wire, value, SPICE_NULLABLE);
}

static void layout_migrate_begin_seamless(SpiceWire *wire, void *value)
{
    SpiceMsgMainMigrateBeginSeamless *m = value;

    layout_dst(wire, &m->dst, SPICE_NOT_NULL);
    spice_wire_u32(wire, &m->src_mig_version, "migrate.src_mig_version");
}

static void layout_init(SpiceWire *wire, void *value)
{
    SpiceMsgMainInit *m = value;

    spice_wire_u32(wire, &m->session_id, "init.session_id");
    spice_wire_u32(wire, &m->display_channels_hint, "init.display_channels_hint");
    spice_wire_u32(wire, &m->supported_mouse_modes, "init.supported_mouse_modes");
    spice_wire_u32(wire, &m->current_mouse_mode, "init.current_mouse_mode");
    spice_wire_u32(wire, &m->agent_connected, "init.agent_connected");
    spice_wire_u32(wire, &m->agent_tokens, "init.agent_tokens");
    spice_wire_u32(wire, &m->multi_media_time, "init.multi_media_time");
    spice_wire_u32(wire, &m->ram_hint, "init.ram_hint");
}

static void layout_channel_id(SpiceWire *wire, void *value)
{
    SpiceChannelId *channel = value;

    spice_wire_u8(wire, &channel->type, "channel.type");
    spice_wire_u8(wire, &channel->id, "channel.id");
}

static void layout_channels_list(SpiceWire *wire, void *value)
{
    SpiceMsgMainChannelsList *m = value;

    spice_wire_u32(wire, &m->n_channels, "channels_list.n_channels");
    spice_wire_array(wire, &m->channels, m->n_channels, sizeof *m->channels, 2, layout_channel_id,
                     "channels_list.channels");
}

static void layout_mouse_mode(SpiceWire *wire, void *value)
{
    SpiceMsgMainMouseMode *m = value;

    spice_wire_u16(wire, &m->supported_modes, "mouse_mode.supported_modes");
    spice_wire_u16(wire, &m->current_mode, "mouse_mode.current_mode");
}

static void layout_multi_media_time(SpiceWire *wire, void *value)
{
    SpiceMsgMainMultiMediaTime *m = value;

    spice_wire_u32(wire, &m->time, "multi_media_time.time");
}

static void layout_agent_disconnected(SpiceWire *wire, void *value)
{
    SpiceMsgMainAgentDisconnected *m = value;

    spice_wire_u32(wire, &m->error_code, "agent_disconnected.error_code");
}

static void layout_agent_data(SpiceWire *wire, void *value)
{
    SpiceMsgMainAgentData *m = value;

    spice_wire_rest(wire, &m->data, "agent_data.data");
    if (m->data.size > SPICE_AGENT_MAX_DATA_SIZE)
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, "agent_data.data");
}

static void layout_agent_tokens(SpiceWire *wire, void *value)
{
    SpiceMsgMainAgentTokens *m = value;

    spice_wire_u32(wire, &m->num_tokens, "agent.num_tokens");
}

static void layout_name(SpiceWire *wire, void *value)
{
    SpiceMsgMainName *m = value;

    spice_wire_counted_bytes(wire, &m->name, "name.name");
}

static void layout_uuid(SpiceWire *wire, void *value)
{
    SpiceMsgMainUuid *m = value;

    spice_wire_fixed(wire, m->uuid, sizeof m->uuid, "uuid.uuid");
}

static void layout_client_info(SpiceWire *wire, void *value)
{
    SpiceMsgcMainClientInfo *m = value;

    spice_wire_u64(wire, &m->cache_size, "client_info.cache_size");
}

static void layout_mouse_mode_request(SpiceWire *wire, void *value)
{
    SpiceMsgcMainMouseModeRequest *m = value;

    spice_wire_u16(wire, &m->mode, "mouse_mode_request.mode");
}

static void layout_migrate_dst_do_seamless(SpiceWire *wire, void *value)
{
    SpiceMsgcMainMigrateDstDoSeamless *m = value;

    spice_wire_u32(wire, &m->src_version, "migrate_dst_do_seamless.src_version");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_MAIN_MIGRATE_BEGIN, SpiceMsgMainMigrationDst, layout_migrate_begin),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_MAIN_MIGRATE_CANCEL),
    SPICE_MESSAGE(SPICE_MSG_MAIN_INIT, SpiceMsgMainInit, layout_init),
    SPICE_MESSAGE(SPICE_MSG_MAIN_CHANNELS_LIST, SpiceMsgMainChannelsList, layout_channels_list),
    SPICE_MESSAGE(SPICE_MSG_MAIN_MOUSE_MODE, SpiceMsgMainMouseMode, layout_mouse_mode),
    SPICE_MESSAGE(SPICE_MSG_MAIN_MULTI_MEDIA_TIME, SpiceMsgMainMultiMediaTime,
                  layout_multi_media_time),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_MAIN_AGENT_CONNECTED),
    SPICE_MESSAGE(SPICE_MSG_MAIN_AGENT_DISCONNECTED, SpiceMsgMainAgentDisconnected,
                  layout_agent_disconnected),
    SPICE_MESSAGE(SPICE_MSG_MAIN_AGENT_DATA, SpiceMsgMainAgentData, layout_agent_data),
    SPICE_MESSAGE(SPICE_MSG_MAIN_AGENT_TOKEN, SpiceMsgMainAgentTokens, layout_agent_tokens),
    SPICE_MESSAGE(SPICE_MSG_MAIN_MIGRATE_SWITCH_HOST, SpiceMsgMainMigrationDst,
                  layout_migrate_switch_host),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_MAIN_MIGRATE_END),
    SPICE_MESSAGE(SPICE_MSG_MAIN_NAME, SpiceMsgMainName, layout_name),
    SPICE_MESSAGE(SPICE_MSG_MAIN_UUID, SpiceMsgMainUuid, layout_uuid),
    SPICE_MESSAGE(SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS, SpiceMsgMainAgentTokens,
                  layout_agent_tokens),
    SPICE_MESSAGE(SPICE_MSG_MAIN_MIGRATE_BEGIN_SEAMLESS, SpiceMsgMainMigrateBeginSeamless,
                  layout_migrate_begin_seamless),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_MAIN_MIGRATE_DST_SEAMLESS_ACK),
    SPICE_MESSAGE_EMPTY(SPICE_MSG_MAIN_MIGRATE_DST_SEAMLESS_NACK),
};

static const SpiceMessageDef from_client[] = {
    SPICE_MESSAGE(SPICE_MSGC_MAIN_CLIENT_INFO, SpiceMsgcMainClientInfo, layout_client_info),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_MAIN_MIGRATE_CONNECTED),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_MAIN_MIGRATE_CONNECT_ERROR),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_MAIN_ATTACH_CHANNELS),
    SPICE_MESSAGE(SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, SpiceMsgcMainMouseModeRequest,
                  layout_mouse_mode_request),
    SPICE_MESSAGE(SPICE_MSGC_MAIN_AGENT_START, SpiceMsgMainAgentTokens, layout_agent_tokens),
    SPICE_MESSAGE(SPICE_MSGC_MAIN_AGENT_DATA, SpiceMsgMainAgentData, layout_agent_data),
    SPICE_MESSAGE(SPICE_MSGC_MAIN_AGENT_TOKEN, SpiceMsgMainAgentTokens, layout_agent_tokens),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_MAIN_MIGRATE_END),
    SPICE_MESSAGE(SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS, SpiceMsgcMainMigrateDstDoSeamless,
                  layout_migrate_dst_do_seamless),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS),
};

const SpiceMessageTable spice_main_messages = {
    {SPICE_MESSAGE_LIST(from_server), SPICE_MESSAGE_LIST(from_client)}};
