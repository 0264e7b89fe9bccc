/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-client.h"

#include <string.h>

#include "core/device/agent-stream.h"
#include "core/wire/endian.h"
#include "core/wire/main.h"

enum { HEAD = SPICE_VD_AGENT_HEADER_SIZE, CHUNK = SPICE_VDI_CHUNK_HEADER_SIZE };

bool agent_client_connect(Host *host, AgentClient *self)
{
    *self = (AgentClient){.main.fd = -1, .inputs.fd = -1};
    if (!raw_link(&self->main, host_connect(host), RAW_MAIN, 0, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_INIT))
        return false;
    self->id = spice_get_u32(self->main.body);
    self->agent = spice_get_u32(self->main.body + 16) == 1;
    return raw_send(&self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) &&
           raw_read_until(&self->main, SPICE_MSG_MAIN_CHANNELS_LIST);
}

void agent_client_close(AgentClient *self)
{
    raw_close(&self->inputs);
    raw_close(&self->main);
}

bool agent_client_start(AgentClient *self, uint32_t tokens)
{
    uint8_t body[4];

    spice_put_u32(body, tokens);
    return raw_send(&self->main, SPICE_MSGC_MAIN_AGENT_START, body, 4);
}

bool agent_client_grant(AgentClient *self, uint32_t tokens)
{
    uint8_t body[4];

    spice_put_u32(body, tokens);
    return raw_send(&self->main, SPICE_MSGC_MAIN_AGENT_TOKEN, body, 4);
}

GByteArray *agent_message_new(uint32_t type, uint32_t size)
{
    const SpiceVDAgentMessageHeader header = {
        .protocol = VD_AGENT_PROTOCOL, .type = type, .size = size};
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_set_size(bytes, HEAD + size);
    spice_vd_agent_header_encode(&header, bytes->data);
    for (uint32_t i = 0; i < size; i++)
        bytes->data[HEAD + i] = (uint8_t)(i / 3);
    return bytes;
}

GByteArray *agent_chunks_new(uint32_t port, const GByteArray *message, uint32_t most)
{
    GByteArray *bytes = g_byte_array_new();

    for (uint32_t at = 0; at < message->len; at += most) {
        const SpiceVDIChunkHeader header = {port, MIN(most, message->len - at)};
        uint8_t head[CHUNK];

        spice_vdi_chunk_header_encode(&header, head);
        g_byte_array_append(bytes, head, CHUNK);
        g_byte_array_append(bytes, message->data + at, header.size);
    }
    return bytes;
}

unsigned agent_client_send(AgentClient *self, const GByteArray *message)
{
    unsigned n = 0;

    for (uint32_t at = 0; at < message->len; at += AGENT_MAX_BODY, n++)
        if (!raw_send(&self->main, SPICE_MSGC_MAIN_AGENT_DATA, message->data + at,
                      MIN(AGENT_MAX_BODY, message->len - at)))
            return 0;
    return n;
}

bool agent_device_says(TestDevice *agent, uint32_t port, uint32_t type, uint32_t size,
                       uint32_t most)
{
    g_autoptr(GByteArray) message = agent_message_new(type, size);
    g_autoptr(GByteArray) chunks = agent_chunks_new(port, message, most);

    return device_say_all(agent, chunks->data, chunks->len);
}

GByteArray *agent_device_got_of_port(TestDevice *device, uint32_t wanted)
{
    SpiceAgentChunks chunks = {.n_header = 0};
    SpiceBytes input = {device->got->data, device->got->len}, data;
    GByteArray *got = g_byte_array_new();
    uint32_t port;

    while (spice_agent_chunks_next(&chunks, &input, &port, &data)) {
        if (port == wanted)
            g_byte_array_append(got, data.data, (guint)data.size);
        if (port < 1 || port > 2 || data.size + chunks.left > AGENT_MAX_BODY)
            g_clear_pointer(&got, g_byte_array_unref);
        if (!got)
            return NULL;
    }
    return got;
}

bool agent_device_got(TestDevice *device, uint32_t port, const GByteArray *expected)
{
    for (unsigned i = 0; i < 500; i++) {
        g_autoptr(GByteArray) got = agent_device_got_of_port(device, port);

        if (!got)
            return false;
        if (got->len >= expected->len)
            return got->len == expected->len && memcmp(got->data, expected->data, got->len) == 0;
        host_run(device->host, 20);
    }
    return false;
}

void agent_device_forget(TestDevice *device)
{
    host_run(device->host, 100);
    g_byte_array_set_size(device->got, 0);
}

GByteArray *agent_client_read(Host *host, AgentClient *client, size_t size)
{
    GByteArray *got = g_byte_array_new();

    while (got->len < size && raw_read_until(&client->main, SPICE_MSG_MAIN_AGENT_DATA)) {
        g_byte_array_append(got, client->main.body, client->main.size);
        host_run(host, 0);
    }
    return got;
}

bool agent_client_hears(Host *host, AgentClient *client, uint32_t type, uint32_t size)
{
    g_autoptr(GByteArray) expected = agent_message_new(type, size);
    g_autoptr(GByteArray) got = agent_client_read(host, client, expected->len);

    return got->len == expected->len && memcmp(got->data, expected->data, got->len) == 0;
}

unsigned agent_client_count_data(AgentClient *client)
{
    unsigned n = 0;

    while (raw_read(&client->main, 150) == RAW_MESSAGE)
        n += client->main.type == SPICE_MSG_MAIN_AGENT_DATA;
    return n;
}
