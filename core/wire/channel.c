/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel.h"

#include "messages.h"

static void layout_migrate(SpiceWire *wire, void *value)
{
    SpiceMsgMigrate *m = value;

    spice_wire_u32(wire, &m->flags, "migrate.flags");
}

static void layout_migrate_data(SpiceWire *wire, void *value)
{
    SpiceMsgMigrateData *m = value;

    spice_wire_rest(wire, &m->data, "migrate_data.data");
}

static void layout_set_ack(SpiceWire *wire, void *value)
{
    SpiceMsgSetAck *m = value;

    spice_wire_u32(wire, &m->generation, "set_ack.generation");
    spice_wire_u32(wire, &m->window, "set_ack.window");
}

static void layout_ping(SpiceWire *wire, void *value)
{
    SpiceMsgPing *m = value;

    spice_wire_u32(wire, &m->id, "ping.id");
    spice_wire_u64(wire, &m->timestamp, "ping.timestamp");
    spice_wire_rest(wire, &m->padding, "ping.padding");
}

static void layout_wait(SpiceWire *wire, void *value)
{
    SpiceWaitForChannel *wait = value;

    spice_wire_u8(wire, &wait->channel_type, "wait.channel_type");
    spice_wire_u8(wire, &wait->channel_id, "wait.channel_id");
    spice_wire_u64(wire, &wait->message_serial, "wait.message_serial");
}

void spice_layout_wait_for_channels(SpiceWire *wire, void *value)
{
    SpiceMsgWaitForChannels *m = value;

    spice_wire_u8(wire, &m->n_waits, "wait_for_channels.n_waits");
    spice_wire_array(wire, &m->waits, m->n_waits, sizeof *m->waits, 10, layout_wait,
                     "wait_for_channels.waits");
}

static void layout_disconnecting(SpiceWire *wire, void *value)
{
    SpiceMsgDisconnecting *m = value;

    spice_wire_u64(wire, &m->time_stamp, "disconnecting.time_stamp");
    spice_wire_u32(wire, &m->reason, "disconnecting.reason");
}

static void layout_notify(SpiceWire *wire, void *value)
{
    SpiceMsgNotify *m = value;
    uint8_t nul = 0;

    spice_wire_u64(wire, &m->time_stamp, "notify.time_stamp");
    spice_wire_u32(wire, &m->severity, "notify.severity");
    spice_wire_u32(wire, &m->visibility, "notify.visibility");
    spice_wire_u32(wire, &m->what, "notify.what");
    spice_wire_counted_bytes(wire, &m->message, "notify.message");
    /* beyond what the count says, and so not to be relied on */
    if (!spice_wire_at_end(wire))
        spice_wire_u8(wire, &nul, "notify.nul");
}

static void layout_sub_message(SpiceWire *wire, void *value)
{
    SpiceSubMessage *sub = value;

    spice_wire_u16(wire, &sub->type, "sub_message.type");
    if (wire->writing)
        spice_wire_counted_bytes(wire, &sub->body, "sub_message.body");
    else {
        spice_wire_u32(wire, &sub->announced_size, "sub_message.size");
        spice_wire_rest(wire, &sub->body, "sub_message.body");
    }
}

static void layout_list(SpiceWire *wire, void *value)
{
    SpiceMsgList *list = value;

    spice_wire_u16(wire, &list->n_messages, "list.count");
    if (list->n_messages > SPICE_MAX_SUB_MESSAGES) {
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, "list.count");
        return;
    }
    if (!spice_wire_array_room(wire, &list->messages, list->n_messages, sizeof *list->messages, 4,
                               "list.offsets"))
        return;
    for (unsigned i = 0; i < list->n_messages; i++)
        spice_wire_pointer_into(wire, true, layout_sub_message, &list->messages[i], SPICE_NOT_NULL,
                                "list.offset");
}

bool spice_sub_list_read(const uint8_t *body, size_t size, uint32_t sub_list, SpiceArena *arena,
                         SpiceMsgList *list, SpiceError *error)
{
    SpiceWireSource source = {.body = body, .size = size, .offset = sub_list, .arena = arena};

    *list = (SpiceMsgList){0};
    return spice_wire_read(&source, layout_list, list, error);
}

bool spice_sub_list_append(const SpiceMsgList *list, SpiceBuffer *out, size_t body_start,
                           uint32_t *sub_list, SpiceError *error)
{
    size_t offset = out->size - body_start;

    if (offset > UINT32_MAX)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "sub_list");
    *sub_list = (uint32_t)offset;
    return spice_wire_write(layout_list, list, 0, out, body_start, error);
}

static void layout_ack_sync(SpiceWire *wire, void *value)
{
    SpiceMsgcAckSync *m = value;

    spice_wire_u32(wire, &m->generation, "ack_sync.generation");
}

static void layout_pong(SpiceWire *wire, void *value)
{
    SpiceMsgcPong *m = value;

    spice_wire_u32(wire, &m->id, "pong.id");
    spice_wire_u64(wire, &m->timestamp, "pong.timestamp");
}

static const SpiceMessageDef from_server[] = {
    SPICE_MESSAGE(SPICE_MSG_MIGRATE, SpiceMsgMigrate, layout_migrate),
    SPICE_MESSAGE(SPICE_MSG_MIGRATE_DATA, SpiceMsgMigrateData, layout_migrate_data),
    SPICE_MESSAGE(SPICE_MSG_SET_ACK, SpiceMsgSetAck, layout_set_ack),
    SPICE_MESSAGE(SPICE_MSG_PING, SpiceMsgPing, layout_ping),
    SPICE_MESSAGE(SPICE_MSG_WAIT_FOR_CHANNELS, SpiceMsgWaitForChannels,
                  spice_layout_wait_for_channels),
    SPICE_MESSAGE(SPICE_MSG_DISCONNECTING, SpiceMsgDisconnecting, layout_disconnecting),
    SPICE_MESSAGE(SPICE_MSG_NOTIFY, SpiceMsgNotify, layout_notify),
    SPICE_MESSAGE(SPICE_MSG_LIST, SpiceMsgList, layout_list),
};

static const SpiceMessageDef from_client[] = {
    SPICE_MESSAGE(SPICE_MSGC_ACK_SYNC, SpiceMsgcAckSync, layout_ack_sync),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_ACK),
    SPICE_MESSAGE(SPICE_MSGC_PONG, SpiceMsgcPong, layout_pong),
    SPICE_MESSAGE_EMPTY(SPICE_MSGC_MIGRATE_FLUSH_MARK),
    SPICE_MESSAGE(SPICE_MSGC_MIGRATE_DATA, SpiceMsgMigrateData, layout_migrate_data),
    SPICE_MESSAGE(SPICE_MSGC_DISCONNECTING, SpiceMsgDisconnecting, layout_disconnecting),
};

const SpiceMessageTable spice_common_messages = {
    {SPICE_MESSAGE_LIST(from_server), SPICE_MESSAGE_LIST(from_client)}};
