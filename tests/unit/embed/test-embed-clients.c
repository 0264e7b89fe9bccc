/* Clients of an embedded server: devices and servers that go while they look on, and what they may
 * say at a wrong time or out of range, which ends their channel (of the main channel: them), while
 * others and the host go on.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tap.h"
#include "core/wire/inputs.h"
#include "core/wire/main.h"
#include "raw-client.h"
#include "test-host.h"

enum { SIDE = 64, N_CHANNELS = 4 };

/** The channels by their type. */
typedef struct {
    RawChannel channels[N_CHANNELS + 1];
    uint32_t id;
} Client;

static const uint8_t display_init[14] = {1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 16, 0};

static bool link_channel(Host *host, Client *self, uint8_t type)
{
    return raw_link(&self->channels[type], host_connect(host), type, 0, self->id);
}

/** `initialises`: its display begins. */
static bool client_connect(Host *host, Client *self, bool initialises)
{
    *self = (Client){.id = 0};
    for (unsigned i = 0; i <= N_CHANNELS; i++)
        self->channels[i].fd = -1;
    if (!link_channel(host, self, RAW_MAIN) ||
        !raw_read_until(&self->channels[RAW_MAIN], SPICE_MSG_MAIN_INIT))
        return false;
    memcpy(&self->id, self->channels[RAW_MAIN].body, 4);
    return raw_send(&self->channels[RAW_MAIN], SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) &&
           raw_read_until(&self->channels[RAW_MAIN], SPICE_MSG_MAIN_CHANNELS_LIST) &&
           link_channel(host, self, RAW_DISPLAY) && link_channel(host, self, RAW_INPUTS) &&
           link_channel(host, self, RAW_CURSOR) &&
           (!initialises || raw_send(&self->channels[RAW_DISPLAY], SPICE_MSGC_DISPLAY_INIT,
                                     display_init, sizeof display_init));
}

static void client_close(Client *self)
{
    for (unsigned i = 1; i <= N_CHANNELS; i++)
        raw_close(&self->channels[i]);
}

/** Reads what there is. Whether the channel still is. */
static bool drain(RawChannel *channel, int patience_ms)
{
    RawRead read;

    while ((read = raw_read(channel, patience_ms)) == RAW_MESSAGE)
        ;
    return read == RAW_TIMEOUT;
}

static bool get_draw(RawChannel *display)
{
    while (raw_read(display, 5000) == RAW_MESSAGE)
        if (display->type >= SPICE_MSG_DISPLAY_DRAW_FILL &&
            display->type <= SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND)
            return true;
    return false;
}

/** Whether a client gets what the guest draws. */
static bool sees_draws(Host *host, Client *self)
{
    static uint32_t color;

    host_run(host, 0);
    if (!drain(&self->channels[RAW_DISPLAY], 0))
        return false;
    host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, ++color * 77);
    return get_draw(&self->channels[RAW_DISPLAY]);
}

/* Wrong messages */

typedef enum { ENDS, STAYS } Outcome;

typedef struct {
    const char *what;
    uint8_t channel;
    Outcome outcome;
    uint16_t type;
    uint32_t size;     /* that is announced, and sent up to 128 KiB */
    uint8_t begin[40]; /* the rest is 0x55 */
} Bad;

static const Bad bad[] = {
    {"an unknown message", RAW_DISPLAY, ENDS, 99, 4, {0}},
    {"one of the largest number", RAW_DISPLAY, ENDS, 65535, 0, {0}},
    {"the number 0", RAW_DISPLAY, ENDS, 0, 0, {0}},
    {"a second DISPLAY_INIT",
     RAW_DISPLAY,
     ENDS,
     101,
     14,
     {1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 16}},
    {"a STREAM_REPORT of no stream", RAW_DISPLAY, STAYS, 102, 32, {60}},
    {"a STREAM_REPORT of an id beyond all", RAW_DISPLAY, ENDS, 102, 32, {0, 1, 0, 0x80}},
    {"a compression that is none", RAW_DISPLAY, STAYS, 103, 1, {250}},
    {"codecs fewer than announced", RAW_DISPLAY, ENDS, 105, 2, {200, 1}},
    {"GL_DRAW_DONE without a scanout", RAW_DISPLAY, ENDS, 104, 0, {0}},
    {"a short STREAM_REPORT", RAW_DISPLAY, ENDS, 102, 5, {1}},
    {"a flush mark that nobody waits for", RAW_DISPLAY, ENDS, 4, 0, {0}},
    {"migration data that nobody waits for", RAW_DISPLAY, ENDS, 5, 64, {0}},
    {"a message of 4 GiB", RAW_DISPLAY, ENDS, 102, UINT32_MAX, {0}},
    {"a key of two bytes", RAW_INPUTS, ENDS, SPICE_MSGC_INPUTS_KEY_DOWN, 2, {0}},
    {"scancodes without end", RAW_INPUTS, ENDS, SPICE_MSGC_INPUTS_KEY_SCANCODE, 1 << 20, {0}},
    {"an unknown input", RAW_INPUTS, ENDS, 130, 4, {0}},
    {"a position on no display",
     RAW_INPUTS,
     STAYS,
     SPICE_MSGC_INPUTS_MOUSE_POSITION,
     11,
     {1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 77}},
    {"a button that is none", RAW_INPUTS, STAYS, SPICE_MSGC_INPUTS_MOUSE_PRESS, 3, {200}},
    {"migration data of inputs", RAW_INPUTS, ENDS, 5, 8, {0}},
    {"an unknown message of the cursor's", RAW_CURSOR, ENDS, 101, 4, {0}},
    {"a flush mark of the cursor's", RAW_CURSOR, ENDS, 4, 0, {0}},
    {"data for an agent that is not there", RAW_MAIN, STAYS, SPICE_MSGC_MAIN_AGENT_DATA, 2000, {0}},
    {"too large data for an agent", RAW_MAIN, ENDS, SPICE_MSGC_MAIN_AGENT_DATA, 1 << 20, {0}},
    {"a mouse mode that is none", RAW_MAIN, STAYS, SPICE_MSGC_MAIN_MOUSE_MODE_REQUEST, 2, {77}},
    {"tokens without an agent",
     RAW_MAIN,
     STAYS,
     SPICE_MSGC_MAIN_AGENT_TOKEN,
     4,
     {255, 255, 255, 255}},
    {"an end of no migration", RAW_MAIN, ENDS, SPICE_MSGC_MAIN_MIGRATE_END, 0, {0}},
    {"a connection of no migration", RAW_MAIN, ENDS, SPICE_MSGC_MAIN_MIGRATE_CONNECTED, 0, {0}},
    {"migration data of the main channel", RAW_MAIN, ENDS, 5, 8, {0}},
    {"an unknown message of the main channel", RAW_MAIN, ENDS, 140, 8, {0}},
    {"channels attached twice", RAW_MAIN, STAYS, SPICE_MSGC_MAIN_ATTACH_CHANNELS, 0, {0}},
};

static void send_bad(RawChannel *channel, const Bad *message)
{
    const uint32_t sent = message->size < (128 << 10) ? message->size : 128 << 10;
    uint8_t *body = malloc(sent + sizeof message->begin);

    memset(body, 0x55, sent + sizeof message->begin);
    memcpy(body, message->begin, sizeof message->begin);
    raw_send_short(channel, message->type, body, message->size, sent);
    free(body);
}

static void test_bad_message(Host *host, Client *witness, const Bad *message)
{
    Client client;
    bool connected = client_connect(host, &client, true), ended, others = true;

    connected = connected && sees_draws(host, &client);
    for (uint8_t i = 1; connected && i <= N_CHANNELS; i++)
        drain(&client.channels[i], 0);
    if (connected)
        send_bad(&client.channels[message->channel], message);
    ended =
        connected && (message->outcome == ENDS ? raw_read_to_end(&client.channels[message->channel])
                                               : !drain(&client.channels[message->channel], 100));
    for (uint8_t i = 1; i <= N_CHANNELS; i++)
        if (i != message->channel && ended)
            others &= message->channel == RAW_MAIN ? raw_read_to_end(&client.channels[i])
                                                   : drain(&client.channels[i], 20);
    TAP_OK(connected && ended == (message->outcome == ENDS) && others &&
               sees_draws(host, witness) && host_is_well(host),
           "%s%s", message->what,
           ended ? message->channel == RAW_MAIN ? ": the client goes" : ": the channel ends"
                 : ": nothing");
    client_close(&client);
}

/** As the first message of a display. */
static void test_bad_init(Host *host, Client *witness)
{
    static const struct {
        uint8_t bytes[14];
        size_t size;
    } inits[] = {
        {{1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x80}, 14}, /* a negative window */
        {{1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 255, 255, 255, 0x7f}, 14},
        {{1, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 16, 0}, 14}, /* a negative cache */
        {{1, 255, 255, 255, 255, 255, 255, 255, 0x7f, 1, 0, 0, 16, 0}, 14},
        {{1, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 14},
        {{1, 0}, 2},
    };

    for (unsigned i = 0; i < sizeof inits / sizeof inits[0]; i++) {
        Client client;
        const bool connected = client_connect(host, &client, false);
        bool stays;

        raw_send(&client.channels[RAW_DISPLAY], SPICE_MSGC_DISPLAY_INIT, inits[i].bytes,
                 inits[i].size);
        stays = drain(&client.channels[RAW_DISPLAY], 200);
        TAP_OK(connected && (inits[i].size == 14 || !stays) && sees_draws(host, witness) &&
                   host_is_well(host),
               "DISPLAY_INIT %u with sizes that cannot be: %s", i,
               stays ? "is lived with" : "the channel ends");
        client_close(&client);
    }
}

/** Two clients that say random things, one after another. */
static void test_random_messages(Host *host, Client *witness, unsigned n)
{
    uint32_t seed = 1;
    bool well = true;

    for (unsigned i = 0; i < n && well; i++) {
        Client client;
        const bool connected = client_connect(host, &client, i % 4 != 0);

        for (unsigned k = 0; connected && k < 20; k++) {
            uint8_t body[64];
            const uint8_t channel = (uint8_t)(1 + (seed >> 16) % N_CHANNELS);

            for (unsigned b = 0; b < sizeof body; b++)
                body[b] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
            raw_send_short(
                &client.channels[channel],
                (uint16_t)((seed >> 8) % 3 == 0 ? (seed >> 16) % 8 : 100 + (seed >> 16) % 20), body,
                (seed >> 12) % 64, (seed >> 12) % 64);
        }
        client_close(&client);
        well = connected && (i % 8 != 0 || sees_draws(host, witness));
        host_run(host, 0);
    }
    TAP_OK(well && sees_draws(host, witness) && host_is_well(host),
           "%u clients that say anything at all", n);
}

static void test_wrong_messages(bool is_long)
{
    Host *host = host_new();
    Client witness;

    host_create_primary(host, SIDE, SIDE);
    TAP_OK(client_connect(host, &witness, true) && sees_draws(host, &witness),
           "a client comes, and sees draws");
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        test_bad_message(host, &witness, &bad[i]);
    test_bad_init(host, &witness);
    test_random_messages(host, &witness, is_long ? 2000 : 40);
    TAP_OK(host_run_until(host, &host->disconnected, host->connected - N_CHANNELS),
           "the host is told of each connection's end");
    client_close(&witness);
    host_free(host);
}

/* Links */

static void test_wrong_links(void)
{
    Host *host = host_new();
    RawChannel channel;
    unsigned refused = 0, before;
    uint8_t garbage[600];

    for (unsigned i = 0; i < sizeof garbage; i++)
        garbage[i] = (uint8_t)(i * 77);
    refused += !raw_link(&channel, host_connect(host), RAW_DISPLAY, 0, 12345);
    refused += !raw_link(&channel, host_connect(host), 99, 0, 0);
    refused += !raw_link(&channel, host_connect(host), RAW_MAIN, 7, 0);
    refused += !raw_link(&channel, host_connect(host), RAW_INPUTS, 0, 0);
    TAP_OK(refused == 4, "links to channels or sessions that are not there are refused");
    for (unsigned i = 0; i < 20; i++) {
        const int fd = host_connect(host);

        if (i % 2)
            send(fd, garbage + i, 4 + 25 * i, MSG_NOSIGNAL);
        close(fd);
    }
    before = host->connected;
    TAP_OK(host_run_until(host, &host->connected, 24) &&
               host_run_until(host, &host->disconnected, host->connected),
           "connections that come to nothing are told to have ended (%u)", before);
    host_free(host);
}

/* Input */

static void test_input(void)
{
    Host *host = host_new();
    Client client;
    const uint32_t a = 0x1e, control = 0x1de0;
    const uint8_t motion[10] = {5, 0, 0, 0, 6, 0, 0, 0, 0, 0};
    bool ok;

    host_create_primary(host, SIDE, SIDE);
    ok = client_connect(host, &client, true);
    raw_send(&client.channels[RAW_INPUTS], SPICE_MSGC_INPUTS_KEY_DOWN, &a, 4);
    raw_send(&client.channels[RAW_INPUTS], SPICE_MSGC_INPUTS_KEY_DOWN, &control, 4);
    raw_send(&client.channels[RAW_INPUTS], SPICE_MSGC_INPUTS_MOUSE_MOTION, motion, sizeof motion);
    TAP_OK(ok && host_run_until(host, &host->motions, 1) && host->last_x == 5 && host->last_y == 6,
           "a mouse that moves reaches the host");
    TAP_OK(host->keys->len == 3 && memcmp(host->keys->data, "\x1e\xe0\x1d", 3) == 0,
           "and keys, byte by byte");
    client_close(&client);
    for (unsigned i = 0; i < 200 && host->keys->len < 6; i++)
        host_run(host, 10);
    TAP_OK(host->keys->len == 6, "a client that goes lets its keys go (%u)", host->keys->len);
    host_free(host);
}

/* Coming and going */

static void test_devices_come_and_go(unsigned n)
{
    Host *host = host_new();
    Client clients[2];
    bool ok = true;
    unsigned i, k;

    host_create_primary(host, SIDE, SIDE);
    ok = client_connect(host, &clients[0], true) && client_connect(host, &clients[1], true);
    ok = ok && sees_draws(host, &clients[0]);
    for (i = 0; ok && i < n; i++) {
        for (k = 0; k < 10; k++)
            host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, i + k);
        host_remove_qxl(host);
        host_run(host, 0);
        drain(&clients[0].channels[RAW_DISPLAY], 0);
        host_add_qxl(host);
        host_create_primary(host, SIDE, SIDE);
        ok = sees_draws(host, &clients[0]);
        if (i % 4 == 0)
            ok = ok && sees_draws(host, &clients[1]);
    }
    TAP_OK(ok && host_is_well(host), "a device went and came %u times while clients looked on", i);
    host_run(host, 0);
    TAP_OK(host->capabilities_told > 0 && spice_server_get_num_clients(host->server) == 2,
           "both clients are still there");
    /* the server goes with both connected, one of which has not read for long */
    for (k = 0; k < 100; k++)
        host_fill(host, 0, (SpiceRect){0, 0, SIDE, SIDE}, k);
    host_free(host);
    TAP_OK(raw_read_to_end(&clients[0].channels[RAW_DISPLAY]) &&
               raw_read_to_end(&clients[1].channels[RAW_MAIN]),
           "a server that goes ends its clients");
    client_close(&clients[0]);
    client_close(&clients[1]);
}

static void test_capabilities(void)
{
    Host *host = host_new();
    Client client;
    bool ok;

    host_create_primary(host, SIDE, SIDE);
    ok = client_connect(host, &client, true) && sees_draws(host, &client);
    for (unsigned i = 0; i < 200 && host->clients_present == 0; i++)
        host_run(host, 10);
    TAP_OK(ok && host->clients_present == 1 && host->client_caps0 == 0xf,
           "the guest is told what its client can do (%x)", host->client_caps0);
    client_close(&client);
    for (unsigned i = 0; i < 500 && host->clients_present == 1; i++)
        host_run(host, 10);
    TAP_OK(host->clients_present == 0 && host->client_caps0 == 0 && host_is_well(host),
           "and that it went");
    host_free(host);
}

/** A VM that stops while a client does not read: the guest's memory is free at once. */
static void test_stop_with_slow_client(void)
{
    Host *host = host_new();
    Client client;
    bool ok, held;

    host_create_primary(host, SIDE, SIDE);
    ok = client_connect(host, &client, true) && sees_draws(host, &client);
    for (unsigned i = 0; i < 300; i++)
        host_fill(host, 0, (SpiceRect){0, (int32_t)i % SIDE, SIDE, (int32_t)i % SIDE + 1}, i);
    spice_server_vm_stop(host->server);
    held = host_held(host) > 0;
    TAP_OK(ok && !held && host_is_well(host), "nothing is held for a client that does not read");
    spice_server_vm_start(host->server);
    TAP_OK(sees_draws(host, &client), "it goes on when it reads again");
    client_close(&client);
    host_free(host);
}

int main(int argc, char **argv)
{
    const bool is_long = tap_long(argc, argv);

    test_input();
    test_capabilities();
    test_wrong_links();
    test_devices_come_and_go(is_long ? 400 : 40);
    test_stop_with_slow_client();
    test_wrong_messages(is_long);
    return tap_done();
}
