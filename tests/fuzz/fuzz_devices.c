/* A server with an agent, a port, a USB port and a card reader; clients that link and say what they
 * like; hosts' devices that say what they like, take a part of what is there, or go. Whatever
 * happened, what waits stays bounded, and then a client that keeps to the protocol gets what a device
 * says, and the device what it says.
 *
 * Everything is on one thread: the server's context is run from here. An input is steps: one byte
 * says which, the next what it needs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/main.h"
#include "core/wire/vmc.h"
#include "server-link.h"
#include "session/device-private.h"

enum { MAX_STEPS = 200, MAX_LINKS = 16, MAX_TURNS = 64, N_DEVICES = 4 };
/* What may wait for a device: its bound, and what one message may bring beyond it, or what ten
 * pieces of an agent's client may. */
enum { MOST_KEPT = GST_SPICE_DEVICE_MAX_KEPT + (3 << 20) };

typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

typedef struct {
    guint8 type;
    int fd; /* the client's end; -1: closed */
} Client;

typedef struct {
    Input input;
    GstSpiceServer *server;
    GstSpiceDevice *devices[N_DEVICES];
    Client links[MAX_LINKS];
    guint n_links;
} Stage;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static uint32_t below(Stage *stage, uint32_t n)
{
    uint32_t value = 0;

    for (uint32_t left = n - 1; left > 0 && stage->input.size > 0; left >>= 8) {
        value = value << 8 | *stage->input.data++;
        stage->input.size--;
    }
    return value % n;
}

/** Bytes that the input goes on with, at most `limit`. */
static SpiceBytes some_bytes(Stage *stage, uint32_t limit)
{
    const size_t wanted = below(stage, limit);
    const SpiceBytes bytes = {stage->input.data, MIN(wanted, stage->input.size)};

    stage->input.data += bytes.size;
    stage->input.size -= bytes.size;
    return bytes;
}

static void turn(Stage *stage)
{
    for (guint i = 0; i < MAX_TURNS && g_main_context_iteration(stage->server->context, FALSE); i++)
        ;
}

/* Devices */

static const char *const names[N_DEVICES] = {[GST_SPICE_DEVICE_PORT] = "org.p.0"};

static void on_wake(GstSpiceDevice *device, gpointer user_data)
{
}

static gboolean on_monitors(GstSpiceDevice *device, GBytes *config, gpointer user_data)
{
    return g_bytes_get_size(config) % 2 == 0;
}

static void add_device(Stage *stage, guint i)
{
    static const GstSpiceDeviceHandler handler = {on_wake, on_monitors};

    stage->devices[i] =
        gst_spice_server_add_device(stage->server, (GstSpiceDeviceKind)i, names[i], &handler, NULL);
    if (!stage->devices[i])
        fail("a device is refused");
}

static void change_device(Stage *stage)
{
    const guint i = below(stage, N_DEVICES);

    gst_spice_device_remove(stage->devices[i]);
    add_device(stage, i);
}

static void device_says(Stage *stage)
{
    GstSpiceDevice *device = stage->devices[below(stage, N_DEVICES)];
    const guint connection = gst_spice_device_get_connection(device);
    const SpiceBytes bytes = some_bytes(stage, 1 << 12);
    const gsize room = gst_spice_device_get_room(device, connection);

    gst_spice_device_give(device, connection, bytes.data, MIN(bytes.size, room));
}

/** Something that an agent might say. */
static void agent_says(Stage *stage)
{
    const guint connection =
        gst_spice_device_get_connection(stage->devices[GST_SPICE_DEVICE_AGENT]);
    const SpiceVDAgentMessageHeader header = {.protocol = below(stage, 32) ? VD_AGENT_PROTOCOL : 2,
                                              .type = below(stage, 18),
                                              .size = below(stage, 5000)};
    const SpiceBytes bytes = some_bytes(stage, 256);
    const SpiceVDIChunkHeader chunk = {1 + below(stage, 16) / 15,
                                       SPICE_VD_AGENT_HEADER_SIZE + (guint32)bytes.size};
    guint8 head[SPICE_VDI_CHUNK_HEADER_SIZE + SPICE_VD_AGENT_HEADER_SIZE];

    if (gst_spice_device_get_room(stage->devices[GST_SPICE_DEVICE_AGENT], connection) <
        sizeof head + bytes.size)
        return;
    spice_vdi_chunk_header_encode(&chunk, head);
    spice_vd_agent_header_encode(&header, head + SPICE_VDI_CHUNK_HEADER_SIZE);
    gst_spice_device_give(stage->devices[GST_SPICE_DEVICE_AGENT], connection, head, sizeof head);
    gst_spice_device_give(stage->devices[GST_SPICE_DEVICE_AGENT], connection, bytes.data,
                          bytes.size);
}

static void device_takes(Stage *stage)
{
    GstSpiceDevice *device = stage->devices[below(stage, N_DEVICES)];
    const guint connection = gst_spice_device_get_connection(device);
    gsize left = below(stage, 1 << 16);
    GBytes *bytes;
    guint8 event;

    while (left > 0 && (bytes = gst_spice_device_peek(device, connection))) {
        const gsize n = MIN(left, g_bytes_get_size(bytes));

        gst_spice_device_took(device, bytes, n);
        left -= n;
    }
    gst_spice_device_take_event(device, connection, &event);
}

static void host_does(Stage *stage)
{
    switch (below(stage, 3)) {
    case 0:
        gst_spice_device_send_event(stage->devices[GST_SPICE_DEVICE_PORT], (guint8)below(stage, 4));
        break;
    case 1:
        gst_spice_device_point(stage->devices[GST_SPICE_DEVICE_AGENT], below(stage, 256),
                               below(stage, 256), below(stage, 256), 0);
        break;
    default:
        gst_spice_server_set_agent_rules(stage->server, below(stage, 2) != 0, below(stage, 2) != 0);
        break;
    }
}

static void check_bounds(Stage *stage)
{
    for (guint i = 0; i < N_DEVICES; i++) {
        const GstSpiceDevice *device = stage->devices[i];

        if (device->kept_charge > MOST_KEPT || device->given_size > GST_SPICE_DEVICE_MAX_GIVEN)
            fail("more waits than may");
    }
}

/* Clients */

static guint32 session_id(Stage *stage, guint index)
{
    const GstSpiceServerClient *client = g_list_nth_data(stage->server->clients, index);

    return client ? client->session_id : 4711;
}

static const guint8 link_types[] = {SPICE_CHANNEL_MAIN, SPICE_CHANNEL_PORT, SPICE_CHANNEL_USBREDIR,
                                    SPICE_CHANNEL_SMARTCARD};

static void open_link(Stage *stage)
{
    Client *link = &stage->links[stage->n_links];
    guint32 caps = below(stage, 16);
    const guint choice = below(stage, 256);
    SpiceLinkRequest request = {
        .channel_type = link_types[choice & 3], .channel_caps = {1, &caps}, .mini_header = TRUE};

    if (stage->n_links == MAX_LINKS)
        return;
    if (request.channel_type != SPICE_CHANNEL_MAIN)
        request.connection_id = session_id(stage, choice >> 2 & 3);
    *link = (Client){request.channel_type, -1};
    if (fuzz_link_channel(stage->server, &request, choice >> 6 & 1, &link->fd))
        stage->n_links++;
}

static Client *choose_link(Stage *stage)
{
    return stage->n_links ? &stage->links[below(stage, stage->n_links)] : NULL;
}

static void write_message(Stage *stage)
{
    static const guint16 main_types[] = {SPICE_MSGC_MAIN_ATTACH_CHANNELS,
                                         SPICE_MSGC_MAIN_AGENT_START, SPICE_MSGC_MAIN_AGENT_DATA,
                                         SPICE_MSGC_MAIN_AGENT_TOKEN};
    static const guint16 types[] = {101, 102, 201, 101};
    const Client *link = choose_link(stage);
    const guint which = below(stage, 256);
    const guint16 type = which >= 4                                 ? (guint16)which
                         : link && link->type == SPICE_CHANNEL_MAIN ? main_types[which]
                                                                    : types[which];
    const SpiceBytes body = some_bytes(stage, 1 << 12);
    guint8 header[SPICE_MINI_HEADER_SIZE];

    if (!link || link->fd < 0)
        return;
    spice_mini_header_write(header, type, (guint32)body.size);
    if (send(link->fd, header, sizeof header, MSG_NOSIGNAL) == sizeof header && body.size > 0)
        send(link->fd, body.data, body.size, MSG_NOSIGNAL);
}

static void read_some(Stage *stage)
{
    const Client *link = choose_link(stage);
    gsize left = (gsize)below(stage, 256) * 1024;
    guint8 buffer[16384];
    gssize n = 1;

    while (link && link->fd >= 0 && n > 0 && left > 0) {
        n = recv(link->fd, buffer, MIN(left, sizeof buffer), 0);
        left -= n > 0 ? (gsize)n : 0;
    }
}

static void close_link(Stage *stage)
{
    Client *link = choose_link(stage);

    if (!link || link->fd < 0)
        return;
    close(link->fd);
    link->fd = -1;
}

static void step(Stage *stage)
{
    static void (*const steps[])(Stage * stage) = {
        open_link,    open_link,     write_message, write_message, write_message, write_message,
        read_some,    close_link,    device_says,   agent_says,    agent_says,    device_takes,
        device_takes, change_device, host_does,     host_does};

    steps[below(stage, G_N_ELEMENTS(steps))](stage);
    turn(stage);
    check_bounds(stage);
}

/* A client that keeps to the protocol */

/** Reads one message of a kind; its body's size. */
static gsize expect(Stage *stage, int fd, guint16 wanted, guint8 *body, gsize room)
{
    for (guint n = 0; n < MAX_TURNS; n++) {
        guint8 header[SPICE_MINI_HEADER_SIZE];
        SpiceDataHeader decoded;

        turn(stage);
        if (recv(fd, header, sizeof header, 0) != sizeof header)
            continue;
        spice_mini_data_header_decode(&decoded, header);
        if (decoded.size > room ||
            (decoded.size > 0 && recv(fd, body, decoded.size, 0) != (gssize)decoded.size))
            fail("a message is not whole");
        if (decoded.type == wanted)
            return decoded.size;
    }
    fail("a message does not come");
}

static void good_send(Stage *stage, int fd, guint16 type, const void *body, gsize size)
{
    guint8 header[SPICE_MINI_HEADER_SIZE];

    spice_mini_header_write(header, type, (guint32)size);
    if (send(fd, header, sizeof header, MSG_NOSIGNAL) != sizeof header ||
        (size > 0 && send(fd, body, size, MSG_NOSIGNAL) != (gssize)size))
        fail("a good client is thrown out");
    turn(stage);
}

/** What a device has to take is this, at the end of whatever is left of others. */
static void expect_taken(GstSpiceDevice *device, const void *expected, gsize size)
{
    const guint connection = gst_spice_device_get_connection(device);
    g_autoptr(GByteArray) got = g_byte_array_new();
    GBytes *bytes;

    while ((bytes = gst_spice_device_peek(device, connection))) {
        gsize n;
        const guint8 *data = g_bytes_get_data(bytes, &n);

        g_byte_array_append(got, data, (guint)n);
        gst_spice_device_took(device, bytes, n);
    }
    if (got->len < size || memcmp(got->data + got->len - size, expected, size) != 0)
        fail("a device does not get what a good client says");
}

static void serve_good_client(Stage *stage)
{
    static const guint8 tokens[] = {100, 0, 0, 0};
    static const guint8 chunk[] = {1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 99, 0,
                                   0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,  0};
    guint32 caps = 1u << SPICE_MAIN_CAP_AGENT_CONNECTED_TOKENS;
    SpiceLinkRequest request = {
        .channel_type = SPICE_CHANNEL_MAIN, .channel_caps = {1, &caps}, .mini_header = TRUE};
    guint8 body[4096];
    guint connection;
    int main, port;

    if (!fuzz_link_channel(stage->server, &request, TRUE, &main))
        fail("a good client is not let in");
    expect(stage, main, SPICE_MSG_MAIN_INIT, body, sizeof body);
    good_send(stage, main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0);
    expect(stage, main, SPICE_MSG_MAIN_CHANNELS_LIST, body, sizeof body);
    request.channel_type = SPICE_CHANNEL_PORT;
    caps = 0;
    request.connection_id =
        ((GstSpiceServerClient *)g_list_last(stage->server->clients)->data)->session_id;
    if (!fuzz_link_channel(stage->server, &request, TRUE, &port))
        fail("it gets no port");
    expect(stage, port, SPICE_MSG_PORT_INIT, body, sizeof body);
    connection = gst_spice_device_get_connection(stage->devices[GST_SPICE_DEVICE_PORT]);
    gst_spice_device_give(stage->devices[GST_SPICE_DEVICE_PORT], connection, "from the device", 15);
    if (expect(stage, port, SPICE_MSG_SPICEVMC_DATA, body, sizeof body) != 15 ||
        memcmp(body, "from the device", 15) != 0)
        fail("a good client does not get what a device says");
    good_send(stage, port, SPICE_MSGC_SPICEVMC_DATA, "from the client", 15);
    expect_taken(stage->devices[GST_SPICE_DEVICE_PORT], "from the client", 15);
    good_send(stage, main, SPICE_MSGC_MAIN_AGENT_START, tokens, sizeof tokens);
    good_send(stage, main, SPICE_MSGC_MAIN_AGENT_DATA, chunk + 8, 20);
    expect_taken(stage->devices[GST_SPICE_DEVICE_AGENT], chunk, sizeof chunk);
    connection = gst_spice_device_get_connection(stage->devices[GST_SPICE_DEVICE_AGENT]);
    gst_spice_device_give(stage->devices[GST_SPICE_DEVICE_AGENT], connection, chunk, sizeof chunk);
    if (expect(stage, main, SPICE_MSG_MAIN_AGENT_DATA, body, sizeof body) != 20 ||
        memcmp(body, chunk + 8, 20) != 0)
        fail("a good client does not hear the agent");
    close(port);
    close(main);
    turn(stage);
}

/* A whole input */

static void begin(Stage *stage)
{
    static const guint8 info[3000];
    g_autoptr(GBytes) bytes = g_bytes_new_static(info, sizeof info);

    stage->server = gst_spice_server_new();
    /* Its I/O thread is this one: what others have it do comes when its context is run. */
    stage->server->thread = g_thread_ref(g_thread_self());
    g_main_context_push_thread_default(stage->server->context);
    gst_spice_server_set_display_info(stage->server, bytes);
    for (guint i = 0; i < N_DEVICES; i++)
        add_device(stage, i);
}

static void leave(Stage *stage)
{
    for (guint i = 0; i < stage->n_links; i++)
        if (stage->links[i].fd >= 0)
            close(stage->links[i].fd);
    /* A client that is not read is not seen to leave before its device has taken what it said. */
    for (guint i = 0; i < N_DEVICES; i++) {
        const guint connection = gst_spice_device_get_connection(stage->devices[i]);
        GBytes *bytes;

        turn(stage);
        while ((bytes = gst_spice_device_peek(stage->devices[i], connection)))
            gst_spice_device_took(stage->devices[i], bytes, g_bytes_get_size(bytes));
    }
    turn(stage);
    turn(stage);
    if (stage->server->clients)
        fail("a client stays that has gone");
    for (guint i = 1; i < N_DEVICES; i++)
        if (gst_spice_device_get_connection(stage->devices[i]))
            fail("a device stays connected to nobody");
}

static void end(Stage *stage)
{
    GstSpiceServer *server = stage->server;
    GMainContext *context = g_main_context_ref(server->context);

    gst_spice_server_close(server);
    turn(stage);
    for (guint i = 0; i < N_DEVICES; i++)
        gst_spice_device_remove(stage->devices[i]);
    turn(stage);
    g_main_context_pop_thread_default(context);
    g_object_unref(server);
    g_main_context_unref(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Stage *stage = g_new0(Stage, 1);

    stage->input = (Input){data, size};
    begin(stage);
    for (unsigned i = 0; i < MAX_STEPS && stage->input.size > 0; i++)
        step(stage);
    leave(stage);
    /* an agent that broke the protocol begins anew with its port, and one that has not with its
     * message */
    gst_spice_device_remove(stage->devices[GST_SPICE_DEVICE_AGENT]);
    add_device(stage, 0);
    serve_good_client(stage);
    leave(stage);
    end(stage);
    g_free(stage);
    return 0;
}
