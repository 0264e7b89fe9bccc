/* A guest's streaming agent that says what it likes: its reader finds the same however the bytes are cut;
 * a server stays within its bounds, whatever clients look on, read, or leave; and when the guest has opened
 * its port anew and keeps to the protocol, so does a client that comes then see its frame.
 *
 * Everything is on one thread: the server's context is run from here.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/device/guest-stream.h"
#include "core/video/key-frame.h"
#include "core/wire/endian.h"
#include "core/wire/main.h"
#include "core/wire/vmc.h"
#include "server-link.h"
#include "session/device-private.h"

enum { MAX_STEPS = 120, MAX_LINKS = 8, MAX_TURNS = 64 };

typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

typedef struct {
    Input input;
    GstSpiceServer *server;
    GstSpiceDevice *device;
    int links[MAX_LINKS]; /* the clients' ends; -1: closed */
    guint n_links;
} Stage;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* The reader by itself */

static uint64_t sum_of(const SpiceGuestStreamMessage *message)
{
    uint64_t sum = message->type;
    SpiceBytes bytes = {NULL, 0};

    if (message->type == SPICE_GUEST_STREAM_DATA)
        bytes = message->as.data;
    else if (message->type == SPICE_GUEST_STREAM_CURSOR_SET)
        bytes = message->as.cursor.data;
    else if (message->type == SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO)
        bytes = message->as.display.address;
    else if (message->type == SPICE_GUEST_STREAM_FORMAT)
        sum += message->as.format.width * 31 + message->as.format.height;
    for (size_t i = 0; i < bytes.size; i++)
        sum = sum * 31 + bytes.data[i];
    return sum;
}

static uint64_t read_all(const uint8_t *data, size_t size, uint32_t seed, size_t most)
{
    SpiceGuestStreamReader reader = {.body.allocator = &spice_allocator_libc};
    SpiceGuestStreamRead read = SPICE_GUEST_STREAM_MORE;
    SpiceGuestStreamMessage message;
    const char *why = NULL;
    uint64_t sum = 0;

    for (size_t at = 0; at < size && read != SPICE_GUEST_STREAM_BROKEN;) {
        size_t n = 1 + (seed >> 16) % most;
        SpiceBytes input;

        seed = seed * 1664525 + 1013904223;
        n = MIN(n, size - at);
        input = (SpiceBytes){data + at, n};
        while ((read = spice_guest_stream_read(&reader, &input, &message, &why)) ==
               SPICE_GUEST_STREAM_MESSAGE) {
            sum = sum * 131 + sum_of(&message);
            if (message.type == SPICE_GUEST_STREAM_DATA)
                for (int codec = 1; codec <= 5; codec++)
                    sum = sum * 2 +
                          spice_video_is_key_frame((SpiceVideoCodecType)codec, message.as.data);
        }
        if (reader.body.size > at + n)
            fail("there is more of a body than came");
        at += n;
    }
    if (read == SPICE_GUEST_STREAM_BROKEN && (!why || !*why))
        fail("it does not say why");
    spice_buffer_clear(&reader.body);
    return read == SPICE_GUEST_STREAM_BROKEN ? sum * 2 : sum * 2 + 1;
}

/* A server */

static uint32_t below(Stage *stage, uint32_t n)
{
    uint32_t value = 0;

    for (uint32_t left = n - 1; left > 0 && stage->input.size > 0; left >>= 8) {
        value = value << 8 | *stage->input.data++;
        stage->input.size--;
    }
    return value % n;
}

static void turn(Stage *stage)
{
    for (guint i = 0; i < MAX_TURNS && g_main_context_iteration(stage->server->context, FALSE); i++)
        ;
}

static void on_wake(GstSpiceDevice *device, gpointer user_data)
{
}

static void give(Stage *stage, const void *bytes, size_t size)
{
    const guint connection = gst_spice_device_get_connection(stage->device);
    const uint8_t *at = bytes;

    while (size > 0) {
        const gsize n = MIN(size, gst_spice_device_get_room(stage->device, connection));

        if (n == 0)
            fail("the guest is not read");
        gst_spice_device_give(stage->device, connection, at, n);
        turn(stage);
        at += n;
        size -= n;
    }
}

/** A message of a type that agents say, with a body of the input's. */
static void guest_says(Stage *stage)
{
    static const uint8_t types[] = {1, 2, 3, 3, 3, 6, 7, 8};
    uint8_t message[SPICE_GUEST_STREAM_HEADER_SIZE + 5000] = {1};
    uint32_t size = below(stage, 600), kind = below(stage, 64), copied;
    uint8_t type = types[kind & 7];

    if (type == SPICE_GUEST_STREAM_FORMAT) /* one that may be */
        size = 12;
    if (type == SPICE_GUEST_STREAM_CURSOR_MOVE)
        size = 8;
    if (kind >> 3 == 7)
        type = (uint8_t)below(stage, 16);
    message[2] = type;
    spice_put_u32(message + 4, size);
    copied = (uint32_t)MIN(size, stage->input.size);
    memcpy(message + SPICE_GUEST_STREAM_HEADER_SIZE, stage->input.data, copied);
    stage->input.data += copied;
    stage->input.size -= copied;
    if (type == SPICE_GUEST_STREAM_FORMAT && kind >> 3 < 5) {
        message[10] = message[11] = message[14] = message[15] = 0;
        message[16] = (uint8_t)(1 + message[16] % 5);
    }
    give(stage, message, SPICE_GUEST_STREAM_HEADER_SIZE + size);
}

static void guest_says_anything(Stage *stage)
{
    const size_t wanted = below(stage, 256), n = MIN(wanted, stage->input.size);

    give(stage, stage->input.data, n);
    stage->input.data += n;
    stage->input.size -= n;
}

static void port_event(Stage *stage)
{
    gst_spice_device_send_event(stage->device, (guint8)below(stage, 3));
}

static void guest_takes(Stage *stage)
{
    const guint connection = gst_spice_device_get_connection(stage->device);
    GBytes *bytes;

    while ((bytes = gst_spice_device_peek(stage->device, connection)))
        gst_spice_device_took(stage->device, bytes, g_bytes_get_size(bytes));
}

/** -1 if it is not admitted. */
static int link_channel(Stage *stage, guint8 type, guint8 id, guint32 connection_id, guint32 caps)
{
    SpiceLinkRequest request = {.channel_type = type,
                                .channel_id = id,
                                .connection_id = connection_id,
                                .channel_caps = {1, &caps},
                                .mini_header = TRUE};
    int client;

    return fuzz_link_channel(stage->server, &request, TRUE, &client) ? client : -1;
}

static void send_init(int fd)
{
    uint8_t init[SPICE_MINI_HEADER_SIZE + 14] = {0};

    spice_mini_header_write(init, SPICE_MSGC_DISPLAY_INIT, 14);
    if (send(fd, init, sizeof init, MSG_NOSIGNAL) != sizeof init)
        fail("INIT cannot be sent");
}

static void open_link(Stage *stage)
{
    const guint choice = below(stage, 4);
    const guint32 caps = below(stage, 1 << 16);
    const GstSpiceServerClient *client = g_list_nth_data(stage->server->clients, 0);
    int fd;

    if (stage->n_links == MAX_LINKS)
        return;
    if (choice == 0 || !client)
        fd = link_channel(stage, SPICE_CHANNEL_MAIN, 0, 0, 0);
    else
        fd = link_channel(stage, choice == 1 ? SPICE_CHANNEL_CURSOR : SPICE_CHANNEL_DISPLAY, 0,
                          client->session_id, caps);
    if (fd < 0)
        return;
    if (choice > 1 && client)
        send_init(fd);
    stage->links[stage->n_links++] = fd;
}

static void close_link(Stage *stage)
{
    const guint i = below(stage, MAX_LINKS);

    if (i >= stage->n_links || stage->links[i] < 0)
        return;
    close(stage->links[i]);
    stage->links[i] = -1;
}

static void read_some(Stage *stage)
{
    uint8_t buffer[16384];
    const guint i = below(stage, MAX_LINKS);

    if (i < stage->n_links && stage->links[i] >= 0)
        while (recv(stage->links[i], buffer, sizeof buffer, 0) > 0)
            turn(stage);
}

static void step(Stage *stage)
{
    static void (*const steps[])(Stage * stage) = {
        open_link,           guest_says, guest_says,  guest_says, guest_says,
        guest_says_anything, port_event, guest_takes, close_link, read_some};

    steps[below(stage, G_N_ELEMENTS(steps))](stage);
    turn(stage);
    if (stage->device->kept_charge > GST_SPICE_DEVICE_MAX_KEPT + 1024 ||
        stage->device->given_size > GST_SPICE_DEVICE_MAX_GIVEN)
        fail("more waits than may");
}

static const uint8_t format[] = {1, 0, 2, 0, 12, 0, 0, 0, 64, 0, 0, 0, 48, 0, 0, 0, 1, 0, 0, 0},
                     frame[] = {1, 0, 3, 0, 4, 0, 0, 0, 'g', 'o', 'o', 'd'};

/** A guest and a client that keep to the protocol. */
static void show_a_frame(Stage *stage)
{
    uint8_t bytes[8192];
    gsize size = 0;
    int main, display;

    gst_spice_device_send_event(stage->device, SPICE_PORT_EVENT_CLOSED);
    turn(stage);
    gst_spice_device_send_event(stage->device, SPICE_PORT_EVENT_OPENED);
    turn(stage);
    main = link_channel(stage, SPICE_CHANNEL_MAIN, 0, 0, 0);
    if (main < 0)
        fail("a good client is not let in");
    turn(stage);
    display = link_channel(
        stage, SPICE_CHANNEL_DISPLAY, 0,
        ((GstSpiceServerClient *)g_list_last(stage->server->clients)->data)->session_id, 0);
    if (display < 0)
        fail("it does not get the display");
    send_init(display);
    turn(stage);
    give(stage, format, sizeof format);
    give(stage, frame, sizeof frame);
    for (guint i = 0; i < MAX_TURNS && size < sizeof bytes; i++) {
        const gssize n = recv(display, bytes + size, sizeof bytes - size, 0);

        size += n > 0 ? (gsize)n : 0;
        turn(stage);
    }
    if (!memmem(bytes, size, "good", 4))
        fail("a good client does not see what a good guest shows");
    close(main);
    close(display);
}

static void test_server(Input input)
{
    static const GstSpiceDeviceHandler handler = {on_wake, NULL};
    Stage stage = {.input = input, .server = gst_spice_server_new()};
    GMainContext *context = g_main_context_ref(stage.server->context);

    /* Its I/O thread is this one: what others have it do comes when its context is run. */
    stage.server->thread = g_thread_ref(g_thread_self());
    g_main_context_push_thread_default(context);
    stage.device =
        gst_spice_server_add_device(stage.server, GST_SPICE_DEVICE_STREAM, NULL, &handler, NULL);
    if (!stage.device)
        fail("the device is refused");
    for (guint i = 0; i < MAX_STEPS && stage.input.size > 0; i++)
        step(&stage);
    for (guint i = 0; i < stage.n_links; i++)
        if (stage.links[i] >= 0)
            close(stage.links[i]);
    turn(&stage);
    turn(&stage);
    if (stage.server->clients)
        fail("a client stays that has gone");
    show_a_frame(&stage);
    turn(&stage);
    gst_spice_server_close(stage.server);
    turn(&stage);
    gst_spice_device_remove(stage.device);
    turn(&stage);
    g_main_context_pop_thread_default(context);
    g_object_unref(stage.server);
    g_main_context_unref(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    if (data[0] & 1)
        test_server((Input){data + 1, size - 1});
    else if (read_all(data + 5, size - 5, spice_get_u32(data + 1), 29) !=
             read_all(data + 5, size - 5, 0, G_MAXUINT32))
        fail("cut otherwise it is another stream");
    return 0;
}
