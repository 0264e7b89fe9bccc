/* A guest's agent and the clients of an embedded server: tokens both ways, chunks, what the host
 * forbids, whose the agent is, monitors and pointer; and neither a client nor an agent that breaks
 * the protocol does harm to anybody else.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "agent-client.h"
#include "core/wire/endian.h"
#include "core/wire/link.h"
#include "core/wire/main.h"

enum { HEAD = SPICE_VD_AGENT_HEADER_SIZE, CHUNK = SPICE_VDI_CHUNK_HEADER_SIZE, STATE = HEAD + 13 };

/* Both ways */

static void test_both_ways(Host *host)
{
    g_autoptr(GByteArray) message = agent_message_new(VD_AGENT_CLIPBOARD, 15000);
    TestDevice agent;
    AgentClient client;
    bool ok = agent_client_connect(host, &client) && !client.agent &&
              device_add(&agent, host, "vdagent", NULL, true);

    TAP_OK(ok && agent.connected && raw_read_until(&client.main, 115) &&
               spice_get_u32(client.main.body) == 10,
           "a client is told of an agent that comes, with ten tokens");
    TAP_OK(agent_device_says(&agent, 1, VD_AGENT_ANNOUNCE_CAPABILITIES, 8, 2048) &&
               agent_client_count_data(&client) == 0,
           "what the agent says before it is started is lost");
    agent_client_send(&client, message);
    host_run(host, 100);
    TAP_OK(agent.got->len == 0, "and what the client says");
    agent_client_start(&client, 1000);
    agent_client_send(&client, message);
    TAP_OK(agent_device_got(&agent, 1, message),
           "a message comes to the agent in chunks that it takes");
    TAP_OK(raw_read_until(&client.main, SPICE_MSG_MAIN_AGENT_TOKEN) &&
               spice_get_u32(client.main.body) >= 5,
           "and tokens back, in a group (%u)", spice_get_u32(client.main.body));
    for (uint32_t most = 1; most < 100000; most *= 7)
        TAP_OK(agent_device_says(&agent, 1, VD_AGENT_CLIPBOARD, 5000, most) &&
                   agent_client_hears(host, &client, VD_AGENT_CLIPBOARD, 5000),
               "a message of the agent's in chunks of %u", most);
    TAP_OK(agent_device_says(&agent, 2, VD_AGENT_REPLY, 8, 3) &&
               agent_device_says(&agent, 1, 99, 0, 2048) &&
               agent_client_hears(host, &client, 99, 0),
           "answers to the server are not for clients; unknown messages are");
    device_remove(&agent);
    TAP_OK(raw_read_until(&client.main, SPICE_MSG_MAIN_AGENT_DISCONNECTED),
           "a client is told that the agent has gone");
    agent_client_close(&client);
}

static void test_tokens(Host *host)
{
    g_autoptr(GByteArray) message = agent_message_new(VD_AGENT_CLIPBOARD, 400000);
    g_autoptr(GByteArray) chunks = agent_chunks_new(1, message, 2048);
    size_t said = 0;
    TestDevice agent;
    AgentClient client, witness;
    bool ok = agent_client_connect(host, &witness) &&
              device_add(&agent, host, "vdagent", NULL, true) &&
              agent_client_connect(host, &client) && client.agent;

    agent_client_start(&client, 2);
    agent_device_says(&agent, 1, VD_AGENT_CLIPBOARD, 50000, 2048);
    TAP_OK(ok && agent_client_count_data(&client) == 2,
           "of a client that granted two, two tokens are used");
    agent_client_grant(&client, 1);
    TAP_OK(agent_client_count_data(&client) == 1, "and a third when there is one");
    for (unsigned i = 0; i < 50 && !agent.blocked; i++) {
        said += device_say(&agent, chunks->data + said, chunks->len - said);
        host_run(host, 10);
    }
    TAP_OK(agent.blocked && said < 300000, "an agent that nobody listens to is not read (%zu)",
           said);
    agent_client_grant(&client, UINT32_MAX);
    TAP_OK(device_say_all(&agent, chunks->data + said, chunks->len - said),
           "it goes on with new tokens");
    device_open_valve(&agent, 0);
    host_run(host, 50);
    for (unsigned i = 0; i < 10; i++)
        raw_send(&client.main, SPICE_MSGC_MAIN_AGENT_DATA, message->data + i * 2048, 2048);
    ok = agent_client_count_data(&client) < 1000 && raw_send(&client.main, 101 + 4, "\1\0", 2);
    host_run(host, 50);
    TAP_OK(ok && !raw_read_until(&client.main, SPICE_MSG_MAIN_AGENT_TOKEN),
           "a client may say ten pieces that the agent does not take");
    raw_send(&client.main, SPICE_MSGC_MAIN_AGENT_DATA, message->data, 2048);
    TAP_OK(raw_read_to_end(&client.main) &&
               raw_send(&witness.main, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, "\1\0", 2),
           "with the eleventh it goes, alone");
    device_remove(&agent);
    agent_client_close(&client);
    agent_client_close(&witness);
}

/* Whose it is */

static void test_hand_over(Host *host)
{
    g_autoptr(GByteArray) whole = agent_message_new(VD_AGENT_CLIPBOARD, 100);
    g_autoptr(GByteArray) gone = agent_message_new(VD_AGENT_CLIENT_DISCONNECTED, 0);
    g_autoptr(GByteArray) long_one = agent_message_new(VD_AGENT_CLIPBOARD, 3000);
    g_autoptr(GByteArray) chunks = agent_chunks_new(1, long_one, 1000), got = NULL;
    TestDevice agent;
    AgentClient first, second;
    bool ok = device_add(&agent, host, "vdagent", NULL, true) &&
              agent_client_connect(host, &first) && first.agent && agent_client_start(&first, 1000);

    raw_send(&first.main, SPICE_MSGC_MAIN_AGENT_DATA, whole->data, 60); /* not all of it */
    ok = ok && device_run_until_got(&agent, CHUNK + 60) && agent_client_connect(host, &second);
    agent_device_forget(&agent);
    device_say_all(&agent, chunks->data, CHUNK + 1000);
    got = agent_client_read(host, &first, 1000);
    agent_client_start(&second, 1000);
    TAP_OK(ok && got->len == 1000 && second.agent &&
               raw_read_until(&first.main, SPICE_MSG_MAIN_AGENT_DISCONNECTED),
           "the client that starts the agent last has it, the other none");
    TAP_OK(agent_device_got(&agent, 2, gone), "the agent is told that its client has gone");
    agent_client_send(&first, whole);
    host_run(host, 50);
    agent_device_forget(&agent);
    agent_client_send(&second, whole);
    TAP_OK(agent_device_got(&agent, 1, whole), "it hears the new one only");
    device_say_all(&agent, chunks->data + CHUNK + 1000, chunks->len - CHUNK - 1000);
    TAP_OK(agent_device_says(&agent, 1, VD_AGENT_CLIPBOARD, 2500, 2048) &&
               agent_client_hears(host, &second, VD_AGENT_CLIPBOARD, 2500) &&
               agent_client_count_data(&first) == 0,
           "and the new one hears it, but nothing that began before");
    agent_device_forget(&agent);
    agent_client_close(&second);
    TAP_OK(raw_read_until(&first.main, SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS) &&
               agent_device_got(&agent, 2, gone),
           "when it leaves, the other is told of an agent again");
    agent_client_start(&first, 1000);
    agent_device_forget(&agent);
    agent_client_send(&first, whole);
    TAP_OK(agent_device_got(&agent, 1, whole) && agent_device_says(&agent, 1, 99, 10, 5) &&
               agent_client_hears(host, &first, 99, 10),
           "and has it");
    agent_client_close(&first);
    device_remove(&agent);
}

/* What the host forbids */

static void test_rules(Host *host)
{
    g_autoptr(GByteArray) clipboard = agent_message_new(VD_AGENT_CLIPBOARD_GRAB, 3000);
    g_autoptr(GByteArray) file = agent_message_new(VD_AGENT_FILE_XFER_START, 100);
    g_autoptr(GByteArray) other = agent_message_new(VD_AGENT_MAX_CLIPBOARD, 4);
    g_autoptr(GByteArray) announced = agent_message_new(VD_AGENT_ANNOUNCE_CAPABILITIES, 8);
    g_autoptr(GByteArray) chunks = NULL, got = NULL;
    TestDevice agent;
    AgentClient client;
    bool ok = device_add(&agent, host, "vdagent", NULL, true) &&
              agent_client_connect(host, &client) && agent_client_start(&client, 1000);

    spice_server_set_agent_copypaste(host->server, 0);
    spice_server_set_agent_file_xfer(host->server, 0);
    host_run(host, 50);
    host_run(host, 50);
    agent_client_send(&client, clipboard);
    agent_client_send(&client, file);
    agent_client_send(&client, other);
    TAP_OK(ok && agent_device_got(&agent, 1, other),
           "what is forbidden does not come to the agent");
    TAP_OK(agent_device_says(&agent, 1, VD_AGENT_CLIPBOARD, 70000, 2048) &&
               agent_device_says(&agent, 1, VD_AGENT_FILE_XFER_STATUS, 8, 2048) &&
               agent_device_says(&agent, 1, VD_AGENT_REPLY, 8, 2048) &&
               agent_client_hears(host, &client, VD_AGENT_REPLY, 8),
           "nor to the client");
    spice_put_u32(announced->data + HEAD, 1);
    spice_put_u32(announced->data + HEAD + 4, 0x00038de7);
    chunks = agent_chunks_new(1, announced, 11);
    device_say_all(&agent, chunks->data, chunks->len);
    got = agent_client_read(host, &client, announced->len);
    TAP_OK(got->len == announced->len && memcmp(got->data, announced->data, HEAD + 4) == 0 &&
               spice_get_u32(got->data + HEAD + 4) == 0x0000ad87,
           "and the agent's capabilities are without it (%x)",
           got->len == announced->len ? spice_get_u32(got->data + HEAD + 4) : 0);
    spice_server_set_agent_copypaste(host->server, 1);
    spice_server_set_agent_file_xfer(host->server, 1);
    agent_device_forget(&agent);
    agent_client_send(&client, clipboard);
    TAP_OK(agent_device_got(&agent, 1, clipboard), "what is allowed again goes through");
    device_remove(&agent);
    agent_client_close(&client);
}

/* Monitors and pointer */

static GByteArray *monitors_new(uint32_t n)
{
    GByteArray *message = agent_message_new(VD_AGENT_MONITORS_CONFIG, 8 + 20 * n);

    memset(message->data + HEAD, 0, 8 + 20 * n);
    spice_put_u32(message->data + HEAD, n);
    return message;
}

static void test_monitors(Host *host)
{
    g_autoptr(GByteArray) two = monitors_new(2), many = monitors_new(256);
    g_autoptr(GByteArray) large = agent_message_new(VD_AGENT_MONITORS_CONFIG, 6200);
    g_autoptr(GByteArray) other = agent_message_new(VD_AGENT_MAX_CLIPBOARD, 4);
    TestDevice agent;
    AgentClient client;
    bool ok = device_add(&agent, host, "vdagent", NULL, true) &&
              agent_client_connect(host, &client) && agent_client_start(&client, 1000);

    agent_client_send(&client, two);
    TAP_OK(ok && agent_device_got(&agent, 1, two), "monitors go to the agent");
    agent_device_forget(&agent);
    agent_client_send(&client, many);
    TAP_OK(agent_device_got(&agent, 1, many), "256 of them, too");
    host->takes_monitors = true;
    agent_device_forget(&agent);
    agent_client_send(&client, two);
    agent_client_send(&client, other);
    TAP_OK(agent_device_got(&agent, 1, other) && host->monitors_told == 1 && host->n_monitors == 2,
           "not if the display sees to them itself");
    host->takes_monitors = false;
    spice_put_u32(two->data + HEAD, 3);
    agent_client_send(&client, two);
    TAP_OK(raw_read_to_end(&client.main), "three monitors in the place of two end the client");
    agent_client_close(&client);
    ok = agent_client_connect(host, &client) && agent_client_start(&client, 1000);
    agent_client_send(&client, large);
    TAP_OK(ok && raw_read_to_end(&client.main), "and so do more than there can be");
    agent_client_close(&client);
    device_remove(&agent);
}

static void test_outputs(Host *host)
{
    static const uint8_t info[] = "\1\0\0\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                  "\1\0\0\0"                          /* outputs */
                                  "\0\0\0\0\0\0\0\0\3\0\0\0\14\0\0\0" /* of which */
                                  "pci/0000/02";                      /* and its NUL */
    g_autoptr(GByteArray) announced = agent_message_new(VD_AGENT_ANNOUNCE_CAPABILITIES, 8);
    g_autoptr(GByteArray) chunks = NULL, expected = g_byte_array_new();
    TestDevice agent;
    AgentClient client;
    bool ok = device_add(&agent, host, "vdagent", NULL, true);

    g_byte_array_append(expected, info, sizeof info);
    expected->data[16] = (uint8_t)(sizeof info - HEAD);
    spice_qxl_set_device_info(&host->qxl, "pci/0000/02", 3, 1);
    spice_put_u32(announced->data + HEAD + 4, 1u << VD_AGENT_CAP_GRAPHICS_DEVICE_INFO);
    chunks = agent_chunks_new(1, announced, 2048);
    device_say_all(&agent, chunks->data, chunks->len);
    TAP_OK(ok && agent_device_got(&agent, 2, expected),
           "an agent that asks is told of the outputs");
    agent_device_forget(&agent);
    ok = agent_client_connect(host, &client) && agent_client_start(&client, 1000);
    TAP_OK(ok && agent_device_got(&agent, 2, expected), "and again with each client");
    agent_client_close(&client);
    device_remove(&agent);
}

static void put_position(uint8_t *body, uint32_t x, uint32_t y)
{
    memset(body, 0, 11);
    spice_put_u32(body, x);
    spice_put_u32(body + 4, y);
}

/** Whether the last three states are all there at (x, y), the button down in the one before. */
static bool released_at(const GByteArray *states, uint32_t x, uint32_t y)
{
    const uint8_t *at = states->data + states->len - 3 * STATE;

    if (states->len < 3 * STATE || states->len % STATE != 0)
        return false;
    for (unsigned i = 0; i < 3; i++, at += STATE)
        if (spice_get_u32(at + 4) != VD_AGENT_MOUSE_STATE || spice_get_u32(at + HEAD) != x ||
            spice_get_u32(at + HEAD + 4) != y ||
            spice_get_u32(at + HEAD + 8) != (i == 1 ? 1u << 1 : 0))
            return false;
    return true;
}

static void test_pointer(Host *host)
{
    TestDevice agent;
    AgentClient client;
    g_autoptr(GByteArray) got = NULL;
    uint8_t position[11];
    const uint8_t press[3] = {1, 1, 0}, release[3] = {1, 0, 0};
    bool ok;

    host_create_primary(host, 64, 64);
    ok = agent_client_connect(host, &client) && device_add(&agent, host, "vdagent", NULL, true) &&
         raw_link(&client.inputs, host_connect(host), RAW_INPUTS, 0, client.id);
    for (unsigned i = 0; ok && i < 20; i++) { /* until the display's picture is known */
        host_run(host, 20);
        raw_send(&client.main, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, "\2\0", 2);
        if (raw_read(&client.main, 20) == RAW_MESSAGE &&
            client.main.type == SPICE_MSG_MAIN_MOUSE_MODE && client.main.body[2] == 2)
            break;
    }
    device_open_valve(&agent, 0);
    for (uint32_t i = 1; i <= 50; i++) {
        put_position(position, i, 2 * i);
        raw_send(&client.inputs, 112, position, sizeof position);
    }
    raw_send(&client.inputs, 113, press, 3);
    raw_send(&client.inputs, 114, release, 3);
    for (unsigned i = 0; i < 50; i++)
        host_run(host, 10);
    device_open_valve(&agent, SIZE_MAX);
    for (unsigned i = 0; i < 500 && !(got && released_at(got, 50, 100)); i++) {
        g_clear_pointer(&got, g_byte_array_unref);
        host_run(host, 20);
        got = agent_device_got_of_port(&agent, 2);
    }
    TAP_OK(ok && got && released_at(got, 50, 100),
           "the agent is told where the pointer is, and of each change of a button");
    TAP_OK(got && got->len < 10 * STATE, "but not of all places on the way (%u of 52 states)",
           got ? got->len / STATE : 0);
    spice_server_set_agent_mouse(host->server, 0);
    TAP_OK(raw_read_until(&client.main, SPICE_MSG_MAIN_MOUSE_MODE) && client.main.body[0] == 1,
           "not if the host forbids it: then there is only the mouse");
    spice_server_set_agent_mouse(host->server, 1);
    device_remove(&agent);
    agent_client_close(&client);
}

/* Those who break the protocol */

static void test_hostile_agent(Host *host)
{
    static const struct {
        const char *what;
        uint8_t bytes[CHUNK + HEAD];
    } bad[] = {
        {"a port that is none", {3, 0, 0, 0, 4, 0, 0, 0}},
        {"a huge chunk of port 0", {0, 0, 0, 0, 255, 255, 255, 255}},
        {"another protocol", {1, 0, 0, 0, 20, 0, 0, 0, 2}},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GByteArray) first = agent_message_new(VD_AGENT_CLIPBOARD, 100);
        TestDevice agent;
        AgentClient client;
        bool ok = device_add(&agent, host, "vdagent", NULL, true) &&
                  agent_client_connect(host, &client) && agent_client_start(&client, 1000);

        device_say(&agent, bad[i].bytes, sizeof bad[i].bytes);
        TAP_OK(ok && raw_read_until(&client.main, SPICE_MSG_MAIN_AGENT_DISCONNECTED) &&
                   device_run_until_connected(&agent, false),
               "an agent that says %s is hung up on", bad[i].what);
        device_remove(&agent);
        ok = device_add(&agent, host, "vdagent", NULL, true);
        ok = ok && raw_read_until(&client.main, SPICE_MSG_MAIN_AGENT_CONNECTED_TOKENS) &&
             agent_client_start(&client, 1000);
        agent_client_send(&client, first); /* when it has come, so has the start before it */
        TAP_OK(ok && agent_device_got(&agent, 1, first) && agent_device_says(&agent, 1, 99, 7, 3) &&
                   agent_client_hears(host, &client, 99, 7),
               "and may come again");
        device_remove(&agent);
        agent_client_close(&client);
    }
}

static void test_random(Host *host, unsigned n)
{
    static uint8_t noise[3000];
    TestDevice agent;
    uint32_t seed = 3;
    bool ok = device_add(&agent, host, "vdagent", NULL, true);

    for (unsigned i = 0; i < n && ok; i++) {
        AgentClient client;

        ok = agent_client_connect(host, &client);
        agent_client_start(&client, seed % 50);
        for (unsigned k = 0; k < 20; k++) {
            const size_t size = 1 + (seed >> 8) % 200;
            const SpiceVDAgentMessageHeader header = {.protocol = (seed >> 5) % 16 ? 1 : 2,
                                                      .type = (seed >> 9) % 18,
                                                      .size = (seed >> 11) % 300};

            for (size_t b = 0; b < sizeof noise; b++)
                noise[b] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
            spice_vd_agent_header_encode(&header, noise);
            if (!raw_send(&client.main, (uint16_t)(106 + (seed >> 7) % 3), noise, size))
                break;
            if (k % 7 == 0) { /* some of it may be an agent's */
                spice_put_u32(noise, 1 + (seed >> 6) % 8 / 7);
                spice_put_u32(noise + 4, (uint32_t)size);
                spice_vd_agent_header_encode(&header, noise + 8);
                device_say(&agent, noise, 8 + size);
            }
            host_run(host, 0);
        }
        agent_client_close(&client);
        if (!agent.connected) {
            device_remove(&agent);
            ok = ok && device_add(&agent, host, "vdagent", NULL, true);
        }
    }
    TAP_OK(ok && host_is_well(host), "%u clients and an agent that say anything at all", n);
    device_remove(&agent);
}

int main(int argc, char **argv)
{
    Host *host = host_new();
    TestDevice one, two;

    TAP_OK(device_add(&one, host, "vdagent", NULL, true) &&
               !device_add(&two, host, "vdagent", NULL, true),
           "there is one agent");
    device_remove(&one);
    test_both_ways(host);
    test_tokens(host);
    test_hand_over(host);
    test_rules(host);
    test_monitors(host);
    test_outputs(host);
    test_pointer(host);
    test_hostile_agent(host);
    test_random(host, tap_long(argc, argv) ? 2000 : 60);
    host_free(host);
    return tap_done();
}
