/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link.h"

#include "endian.h"

void spice_link_header_decode(SpiceLinkHeader *header, const uint8_t bytes[SPICE_LINK_HEADER_SIZE])
{
    header->magic = spice_get_u32(bytes);
    header->major = spice_get_u32(bytes + 4);
    header->minor = spice_get_u32(bytes + 8);
    header->size = spice_get_u32(bytes + 12);
}

void spice_link_header_encode(const SpiceLinkHeader *header, uint8_t bytes[SPICE_LINK_HEADER_SIZE])
{
    spice_put_u32(bytes, header->magic);
    spice_put_u32(bytes + 4, header->major);
    spice_put_u32(bytes + 8, header->minor);
    spice_put_u32(bytes + 12, header->size);
}

SpiceLinkError spice_link_header_check(const SpiceLinkHeader *header, uint32_t least)
{
    if (header->magic != SPICE_MAGIC)
        return SPICE_LINK_ERR_INVALID_MAGIC;
    if (header->major != SPICE_VERSION_MAJOR)
        return SPICE_LINK_ERR_VERSION_MISMATCH;
    if (header->size < least || header->size > SPICE_LINK_MAX_SIZE)
        return SPICE_LINK_ERR_INVALID_DATA;
    return SPICE_LINK_ERR_OK;
}

static void layout_words(SpiceWire *wire, SpiceCaps *caps)
{
    spice_wire_array(wire, &caps->words, caps->n_words, sizeof *caps->words, 4, spice_layout_u32,
                     "caps");
}

/* The end of both messages: two counts, and where the words stand, counted from the message's
 * start. That is no pointer of the protocol's kind: it has no meaning if there are no words, and
 * the words are expected behind the fixed part, which ends with these fields. */
static void layout_caps(SpiceWire *wire, SpiceCaps *common, SpiceCaps *channel, uint32_t fixed_size)
{
    uint32_t offset = common->n_words || channel->n_words ? fixed_size : 0;

    spice_wire_u32(wire, &common->n_words, "link.num_common_caps");
    spice_wire_u32(wire, &channel->n_words, "link.num_channel_caps");
    spice_wire_u32(wire, &offset, "link.caps_offset");
    if (common->n_words > SPICE_LINK_MAX_CAPS)
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, "link.num_common_caps");
    if (channel->n_words > SPICE_LINK_MAX_CAPS)
        spice_wire_fail(wire, SPICE_ERROR_LIMIT, "link.num_channel_caps");
    if (common->n_words == 0 && channel->n_words == 0)
        return;
    if (offset < fixed_size)
        spice_wire_fail(wire, SPICE_ERROR_OFFSET, "link.caps_offset");
    spice_wire_skip(wire, offset - fixed_size, "link.caps_offset");
    layout_words(wire, common);
    layout_words(wire, channel);
}

static void layout_link_mess(SpiceWire *wire, void *value)
{
    SpiceLinkMess *mess = value;

    spice_wire_u32(wire, &mess->connection_id, "link.connection_id");
    spice_wire_u8(wire, &mess->channel_type, "link.channel_type");
    spice_wire_u8(wire, &mess->channel_id, "link.channel_id");
    layout_caps(wire, &mess->common_caps, &mess->channel_caps, SPICE_LINK_MESS_SIZE);
}

static void layout_link_reply(SpiceWire *wire, void *value)
{
    SpiceLinkReply *reply = value;

    spice_wire_u32(wire, &reply->error, "link.error");
    spice_wire_fixed(wire, reply->pub_key, sizeof reply->pub_key, "link.pub_key");
    layout_caps(wire, &reply->common_caps, &reply->channel_caps, SPICE_LINK_REPLY_SIZE);
}

bool spice_link_mess_read(SpiceLinkMess *mess, const uint8_t *bytes, size_t size, SpiceArena *arena,
                          SpiceError *error)
{
    SpiceWireSource source = {.body = bytes, .size = size, .arena = arena};

    *mess = (SpiceLinkMess){0};
    return spice_wire_read(&source, layout_link_mess, mess, error);
}

bool spice_link_reply_read(SpiceLinkReply *reply, const uint8_t *bytes, size_t size,
                           SpiceArena *arena, SpiceError *error)
{
    SpiceWireSource source = {.body = bytes, .size = size, .arena = arena};

    *reply = (SpiceLinkReply){0};
    return spice_wire_read(&source, layout_link_reply, reply, error);
}

static bool write_with_header(SpiceWireLayout layout, const void *value, SpiceBuffer *out,
                              SpiceError *error)
{
    SpiceLinkHeader header = {SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR, 0};
    size_t start = out->size;

    if (!spice_buffer_extend(out, SPICE_LINK_HEADER_SIZE))
        return spice_error_set(error, SPICE_ERROR_MEMORY, "link.header");
    if (!spice_wire_write(layout, value, 0, out, out->size, error)) {
        out->size = start;
        return false;
    }
    header.size = (uint32_t)(out->size - start - SPICE_LINK_HEADER_SIZE);
    spice_link_header_encode(&header, out->data + start);
    return true;
}

bool spice_link_mess_write(const SpiceLinkMess *mess, SpiceBuffer *out, SpiceError *error)
{
    return write_with_header(layout_link_mess, mess, out, error);
}

bool spice_link_reply_write(const SpiceLinkReply *reply, SpiceBuffer *out, SpiceError *error)
{
    return write_with_header(layout_link_reply, reply, out, error);
}

bool spice_caps_has(const SpiceCaps *caps, unsigned cap)
{
    return cap / 32 < caps->n_words && (caps->words[cap / 32] >> cap % 32 & 1);
}

bool spice_caps_set(SpiceCaps *caps, unsigned cap)
{
    if (cap / 32 >= caps->n_words)
        return false;
    caps->words[cap / 32] |= UINT32_C(1) << cap % 32;
    return true;
}

void spice_mini_data_header_decode(SpiceDataHeader *header,
                                   const uint8_t bytes[SPICE_MINI_DATA_HEADER_SIZE])
{
    header->serial = 0;
    header->type = spice_get_u16(bytes);
    header->size = spice_get_u32(bytes + 2);
    header->sub_list = 0;
}

void spice_mini_data_header_encode(const SpiceDataHeader *header,
                                   uint8_t bytes[SPICE_MINI_DATA_HEADER_SIZE])
{
    spice_put_u16(bytes, header->type);
    spice_put_u32(bytes + 2, header->size);
}

void spice_data_header_decode(SpiceDataHeader *header, const uint8_t bytes[SPICE_DATA_HEADER_SIZE])
{
    header->serial = spice_get_u64(bytes);
    header->type = spice_get_u16(bytes + 8);
    header->size = spice_get_u32(bytes + 10);
    header->sub_list = spice_get_u32(bytes + 14);
}

void spice_data_header_encode(const SpiceDataHeader *header, uint8_t bytes[SPICE_DATA_HEADER_SIZE])
{
    spice_put_u64(bytes, header->serial);
    spice_put_u16(bytes + 8, header->type);
    spice_put_u32(bytes + 10, header->size);
    spice_put_u32(bytes + 14, header->sub_list);
}
