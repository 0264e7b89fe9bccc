/* USB, ports and card readers of an embedded server: bytes both ways, bounded both ways; one client a
 * device; what a client may not say ends its channel and nothing else.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../tap.h"
#include "core/device/vmc-block.h"
#include "core/wire/channel.h"
#include "core/wire/endian.h"
#include "core/wire/link.h"
#include "core/wire/main.h"
#include "core/wire/vmc.h"
#include "raw-client.h"
#include "test-device.h"

enum { SMARTCARD = 8, USBREDIR = 9, PORT = 10, WEBDAV = 11, SIZE = 3 << 20, BOUND = 2500 << 10 };

typedef struct {
    RawChannel main;
    uint32_t id;
} Client;

static uint8_t pattern[SIZE];

/** Whether the list that was read last has a channel. */
static bool lists(const RawChannel *main, uint8_t type, uint8_t id)
{
    for (uint32_t i = 4; i + 2 <= main->size; i += 2)
        if (main->body[i] == type && main->body[i + 1] == id)
            return true;
    return false;
}

static bool client_connect(Host *host, Client *self)
{
    self->id = 0;
    if (!raw_link(&self->main, host_connect(host), RAW_MAIN, 0, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_INIT))
        return false;
    self->id = spice_get_u32(self->main.body);
    return raw_send(&self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) &&
           raw_read_until(&self->main, SPICE_MSG_MAIN_CHANNELS_LIST);
}

static bool link_device(Host *host, const Client *client, RawChannel *channel, uint8_t type,
                        uint8_t id)
{
    return raw_link(channel, host_connect(host), type, id, client->id);
}

/** Messages with the pattern, as they are on the wire. */
static GByteArray *wire_pattern(size_t piece)
{
    GByteArray *wire = g_byte_array_new();

    for (size_t at = 0; at < SIZE; at += piece) {
        const SpiceDataHeader header = {.type = SPICE_MSGC_SPICEVMC_DATA, .size = (uint32_t)piece};
        uint8_t head[SPICE_MINI_DATA_HEADER_SIZE];

        spice_mini_data_header_encode(&header, head);
        g_byte_array_append(wire, head, sizeof head);
        g_byte_array_append(wire, pattern + at, (guint)piece);
    }
    return wire;
}

/** Sends of `wire` from `at` on until the socket takes no more for `patience_ms`; where it stopped. */
static size_t send_until_stuck(Host *host, RawChannel *channel, const GByteArray *wire, size_t at,
                               int patience_ms)
{
    struct pollfd pollfd = {channel->fd, POLLOUT, 0};
    int waited = 0;

    for (; at < wire->len && waited < patience_ms; waited += 10) {
        host_run(host, 0);
        if (poll(&pollfd, 1, 10) > 0) {
            const ssize_t n =
                send(channel->fd, wire->data + at, wire->len - at, MSG_DONTWAIT | MSG_NOSIGNAL);

            at += n > 0 ? (size_t)n : 0;
            waited = 0;
        }
    }
    return at;
}

/** Reads DATA until there are so many bytes of it; whether they are `expected`. */
static bool read_data(Host *host, RawChannel *channel, const uint8_t *expected, size_t size)
{
    size_t done = 0;

    while (done < size) {
        host_run(host, 0);
        if (raw_read(channel, 5000) != RAW_MESSAGE)
            return false;
        if (channel->type != SPICE_MSG_SPICEVMC_DATA)
            continue;
        if (channel->size > size - done || memcmp(channel->body, expected + done, channel->size))
            return false;
        done += channel->size;
    }
    return true;
}

static bool got_pattern(TestDevice *device, size_t size)
{
    return device_run_until_got(device, size) && device->got->len == size &&
           memcmp(device->got->data, pattern, size) == 0;
}

/* A port */

static void test_port(Host *host)
{
    static const uint8_t init[] = "\x08\0\0\0\x09\0\0\0\0org.p.0";
    const uint8_t break_event = SPICE_PORT_EVENT_BREAK;
    TestDevice device;
    Client client;
    RawChannel port;
    bool ok = device_add(&device, host, "port", "org.p.0", true) && client_connect(host, &client);

    TAP_OK(ok && lists(&client.main, PORT, 0) && device.n_states == 0 &&
               device_say(&device, "early", 5) == 0,
           "a port is listed, and is not read before a client has it");
    TAP_OK(link_device(host, &client, &port, PORT, 0) && raw_read(&port, 5000) == RAW_MESSAGE &&
               port.type == SPICE_MSG_PORT_INIT && port.size == sizeof init &&
               memcmp(port.body, init, sizeof init) == 0,
           "its name and that it is closed come first");
    TAP_OK(device_run_until_connected(&device, true) && !device.blocked,
           "the host is told of the client, and that it may speak");
    spice_server_port_event(&device.instance, SPICE_PORT_EVENT_OPENED);
    ok = device_say_all(&device, "hello", 5);
    spice_server_port_event(&device.instance, SPICE_PORT_EVENT_CLOSED);
    TAP_OK(ok && raw_read(&port, 5000) == RAW_MESSAGE && port.type == SPICE_MSG_PORT_EVENT &&
               port.body[0] == SPICE_PORT_EVENT_OPENED &&
               read_data(host, &port, (const uint8_t *)"hello", 5) &&
               raw_read(&port, 5000) == RAW_MESSAGE && port.type == SPICE_MSG_PORT_EVENT &&
               port.body[0] == SPICE_PORT_EVENT_CLOSED,
           "events come in their place between data");
    raw_send(&port, SPICE_MSGC_PORT_EVENT, &break_event, 1);
    TAP_OK(host_run_until(host, &device.n_events, 1) && device.last_event == break_event,
           "a client's break reaches the host");
    raw_close(&port);
    TAP_OK(device_run_until_connected(&device, false) && device.n_states == 2,
           "and that it has gone");
    device_remove(&device);
    raw_close(&client.main);
}

static void test_one_client(Host *host)
{
    TestDevice device;
    Client first, second;
    RawChannel a, b;
    bool ok = client_connect(host, &first) &&
              device_add(&device, host, "port", "org.spice-space.webdav.0", true);

    TAP_OK(ok && raw_read_until(&first.main, SPICE_MSG_MAIN_CHANNELS_LIST) &&
               lists(&first.main, WEBDAV, 0) && link_device(host, &first, &a, WEBDAV, 0),
           "a client that is there is told of a device that comes");
    TAP_OK(client_connect(host, &second) && !lists(&second.main, WEBDAV, 0) &&
               !link_device(host, &second, &b, WEBDAV, 0),
           "another is not told of it while it is taken, and refused");
    raw_send(&a, SPICE_MSGC_SPICEVMC_DATA, "from a", 6);
    ok = device_run_until_got(&device, 6);
    device_open_valve(&device, 0);
    raw_send(&a, SPICE_MSGC_SPICEVMC_DATA, "never", 5);
    host_run(host, 50);
    raw_close(&a);
    TAP_OK(ok && raw_read_until(&second.main, SPICE_MSG_MAIN_CHANNELS_LIST) &&
               lists(&second.main, WEBDAV, 0) && link_device(host, &second, &b, WEBDAV, 0),
           "it is told when the device is free, and gets it");
    raw_send(&b, SPICE_MSGC_SPICEVMC_DATA, "from b", 6);
    device_open_valve(&device, SIZE_MAX);
    TAP_OK(device_run_until_got(&device, 12) && memcmp(device.got->data, "from afrom b", 12) == 0,
           "what the first had left is not for the device any more");
    TAP_OK(device_run_until_connected(&device, true) && device.n_states == 3,
           "the host was told of both (%u)", device.n_states);
    device_remove(&device);
    TAP_OK(raw_read_to_end(&b), "a device that is taken away ends its channel");
    raw_close(&b);
    raw_close(&first.main);
    raw_close(&second.main);
}

/* Flow */

static void test_slow_device(Host *host, bool notifies)
{
    TestDevice device;
    Client client;
    RawChannel channel;
    bool ok = device_add(&device, host, "usbredir", NULL, notifies) &&
              client_connect(host, &client) && link_device(host, &client, &channel, USBREDIR, 0);
    GByteArray *wire = wire_pattern(32768);
    size_t sent;

    device_open_valve(&device, 0);
    ok = ok && device_run_until_connected(&device, true);
    sent = send_until_stuck(host, &channel, wire, 0, 300);
    TAP_OK(ok && sent < BOUND && device.got->len == 0,
           "a device that takes nothing stops its client (after %zu bytes)", sent);
    device_open_valve(&device, SIZE_MAX);
    sent = send_until_stuck(host, &channel, wire, sent, 5000);
    TAP_OK(sent == wire->len && got_pattern(&device, SIZE),
           "it gets all of it when it takes more, %s",
           notifies ? "having said so" : "being asked again");
    g_byte_array_unref(wire);
    raw_close(&channel);
    device_remove(&device);
    raw_close(&client.main);
}

static void test_slow_client(Host *host)
{
    TestDevice device;
    Client client;
    RawChannel channel;
    size_t said = 0;
    bool ok = device_add(&device, host, "usbredir", NULL, true) && client_connect(host, &client) &&
              link_device(host, &client, &channel, USBREDIR, 0) &&
              device_run_until_connected(&device, true);

    for (unsigned i = 0; i < 40 && said < SIZE; i++) {
        said += device_say(&device, pattern + said, SIZE - said);
        host_run(host, 10);
    }
    TAP_OK(ok && said < BOUND && device.blocked,
           "a client that reads nothing stops its device (after %zu bytes)", said);
    TAP_OK(read_data(host, &channel, pattern, said), "it gets all of it when it reads");
    for (unsigned i = 0; i < 500 && device.blocked; i++)
        host_run(host, 10);
    TAP_OK(!device.blocked, "and the device may go on");
    raw_close(&channel);
    device_remove(&device);
    raw_close(&client.main);
}

static void test_removal_while_written(Host *host)
{
    TestDevice device;
    Client client;
    RawChannel channel;
    bool ok = device_add(&device, host, "usbredir", NULL, true) && client_connect(host, &client) &&
              link_device(host, &client, &channel, USBREDIR, 0) &&
              device_run_until_connected(&device, true);

    device.leaves = true;
    raw_send(&channel, SPICE_MSGC_SPICEVMC_DATA, "one", 3);
    raw_send(&channel, SPICE_MSGC_SPICEVMC_DATA, "two", 3);
    TAP_OK(ok && device_run_until_got(&device, 3) && raw_read_to_end(&channel) &&
               !device.instance.st,
           "a host may take a device away while it is written to");
    device_remove(&device);
    raw_close(&channel);
    raw_close(&client.main);
}

static void test_answer_while_written(Host *host)
{
    TestDevice device;
    Client client;
    RawChannel channel;
    bool ok = device_add(&device, host, "usbredir", NULL, true) && client_connect(host, &client) &&
              link_device(host, &client, &channel, USBREDIR, 0) &&
              device_run_until_connected(&device, true);

    device.answers = true;
    raw_send(&channel, SPICE_MSGC_SPICEVMC_DATA, "question", 8);
    host_run(host, 100);
    host_run(host, 100);
    TAP_OK(ok && read_data(host, &channel, (const uint8_t *)"question", 8) && device.got->len == 0,
           "what a device says while it is written to is read at once");
    raw_close(&channel);
    device_remove(&device);
    raw_close(&client.main);
}

/* Packed data */

static void put_packed(uint8_t *body, uint8_t type, uint32_t size)
{
    body[0] = type;
    spice_put_u32(body + 1, size);
}

static void test_packed(Host *host)
{
    static const uint32_t lies[] = {0,          1,          29999,      30001,
                                    0x10ffff,   0x110000,   0x110001,   0x7fffffff,
                                    0x80000000, 0x80000001, 0xfffffffe, UINT32_MAX};
    static uint8_t body[40000];
    TestDevice device;
    Client client;
    RawChannel channel;
    const size_t n = spice_vmc_block_pack(pattern, 30000, body + 5, sizeof body - 5);
    bool ok = device_add(&device, host, "usbredir", NULL, true) && client_connect(host, &client) &&
              link_device(host, &client, &channel, USBREDIR, 0);

    put_packed(body, SPICE_DATA_COMPRESSION_TYPE_LZ4, 30000);
    raw_send(&channel, SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, body, 5 + n);
    TAP_OK(ok && n > 0 && got_pattern(&device, 30000), "a packed block reaches the device");
    raw_close(&channel);
    for (unsigned i = 0; i < G_N_ELEMENTS(lies) + 2; i++) {
        const bool wrong_type = i >= G_N_ELEMENTS(lies);
        const uint32_t size = wrong_type ? 30000 : lies[i];

        ok = device_run_until_connected(&device, false) &&
             link_device(host, &client, &channel, USBREDIR, 0) &&
             device_run_until_connected(&device, true);
        put_packed(body, (uint8_t)(wrong_type ? 2 * (i & 1) : 1), size);
        raw_send(&channel, SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, body, 5 + n);
        TAP_OK(ok && raw_read_to_end(&channel) && device.got->len == 30000,
               "a block of %s %u ends its channel", wrong_type ? "a type that is none," : "size",
               size);
        raw_close(&channel);
    }
    device_remove(&device);
    raw_close(&client.main);
}

/* Card readers */

static void test_smartcard(Host *host)
{
    const uint8_t added[] = "\3\0\0\0\xff\xff\xff\xff\4\0\0\0cat";
    const uint8_t said[] = "\0\0\0\2\0\0\0\0\0\0\0\4\0\0\0\0";
    const uint8_t bad[] = "\7\0\0\0\1\0\0\0\0\0\0";
    TestDevice device;
    Client client;
    RawChannel channel;
    bool ok = device_add(&device, host, "smartcard", NULL, true) && client_connect(host, &client) &&
              link_device(host, &client, &channel, SMARTCARD, 0) &&
              device_run_until_connected(&device, true);

    raw_send(&channel, 101, added, 16);
    TAP_OK(ok && device_run_until_got(&device, 16) &&
               memcmp(device.got->data, "\0\0\0\3\xff\xff\xff\xff\0\0\0\4cat", 16) == 0,
           "a client's reader comes to the device in its own order of bytes");
    ok = device_say_all(&device, said, 7) && device_say_all(&device, said + 7, 9);
    TAP_OK(ok && raw_read(&channel, 5000) == RAW_MESSAGE && channel.type == 101 &&
               channel.size == 16 &&
               memcmp(channel.body, "\2\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0", 16) == 0,
           "its answer, said in two parts, comes back in ours");
    raw_send(&channel, 101, bad, 12);
    TAP_OK(raw_read_to_end(&channel), "a reader that is not there ends the channel");
    raw_close(&channel);
    device_remove(&device);
    raw_close(&client.main);
}

/* Hostile clients */

static void test_random(Host *host, unsigned n)
{
    static uint8_t body[70000];
    TestDevice devices[2];
    Client witness;
    uint32_t seed = 7;
    bool ok = device_add(&devices[0], host, "port", "org.p.0", true) &&
              device_add(&devices[1], host, "smartcard", NULL, true) &&
              client_connect(host, &witness);

    for (unsigned i = 0; i < n && ok; i++) {
        Client client;
        RawChannel channel;

        ok = client_connect(host, &client) &&
             link_device(host, &client, &channel, i & 1 ? SMARTCARD : PORT, 0);
        for (unsigned k = 0; ok && k < 12; k++) {
            const size_t size = (seed >> 8) % ((seed >> 4) % 8 ? 64 : sizeof body);

            for (size_t b = 0; b < sizeof body; b += 1 + b / 16)
                body[b] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
            if (!raw_send(&channel, (seed >> 9) % 8 ? (uint16_t)(101 + (seed >> 9) % 2 * 100) : 102,
                          body, size))
                break;
        }
        raw_close(&channel);
        raw_close(&client.main);
        ok = ok && device_run_until_connected(&devices[i & 1], false);
    }
    TAP_OK(ok && raw_send(&witness.main, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, "\1\0", 2) &&
               host_is_well(host),
           "%u clients that say anything at all", n);
    device_remove(&devices[0]);
    device_remove(&devices[1]);
    raw_close(&witness.main);
}

int main(int argc, char **argv)
{
    Host *host = host_new();
    TestDevice unknown;

    for (size_t i = 0; i < SIZE; i++)
        pattern[i] = (uint8_t)(i / 7 ^ i >> 11);
    TAP_OK(!device_add(&unknown, host, "toaster", NULL, true), "an unknown device is refused");
    test_port(host);
    test_one_client(host);
    test_slow_device(host, true);
    test_slow_device(host, false);
    test_slow_client(host);
    test_removal_while_written(host);
    test_answer_while_written(host);
    test_packed(host);
    test_smartcard(host);
    test_random(host, tap_long(argc, argv) ? 2000 : 60);
    host_free(host);
    return tap_done();
}
