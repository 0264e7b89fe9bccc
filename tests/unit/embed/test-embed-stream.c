/* A display that its guest streams itself: what the guest says reaches those who decode it, byte for byte;
 * who cannot sees why; who comes late or reads slowly begins with a key frame; nobody is held up by
 * another; a guest that says what it may not is told so and heard no more, until it opens its port anew.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/device/guest-stream.h"
#include "core/wire/endian.h"
#include "core/wire/main.h"
#include "core/wire/vmc.h"
#include "raw-client.h"
#include "test-device.h"

enum { WIDTH = 320, HEIGHT = 240 };
enum {
    OLD = 0x1f, /* one that only knows MJPEG */
    MANY = OLD | 1 << SPICE_DISPLAY_CAP_MULTI_CODEC | 1 << SPICE_DISPLAY_CAP_CODEC_MJPEG,
    VP8 = MANY | 1 << SPICE_DISPLAY_CAP_CODEC_VP8,
};

typedef struct {
    Host *host;
    TestDevice port;
    GByteArray *said; /* to be sent to the server */
    size_t heard;     /* of what the port got */
} Guest;

typedef struct {
    RawChannel main, display;
    uint32_t id;
    unsigned frames; /* STREAM_DATA read so far */
} Client;

static uint8_t picture[6000];
static uint8_t display_id = 1; /* of the guest's stream */

/* The guest */

static bool guest_send(Guest *self)
{
    const bool ok = device_say_all(&self->port, self->said->data, self->said->len);

    g_byte_array_set_size(self->said, 0);
    return ok;
}

static void guest_add(Guest *self, uint16_t type, const void *body, size_t size)
{
    uint8_t header[SPICE_GUEST_STREAM_HEADER_SIZE] = {1};

    spice_put_u16(header + 2, type);
    spice_put_u32(header + 4, (uint32_t)size);
    g_byte_array_append(self->said, header, sizeof header);
    g_byte_array_append(self->said, body, (guint)size);
}

static bool guest_format(Guest *self, uint32_t width, uint32_t height, uint8_t codec)
{
    uint8_t body[12] = {0};

    spice_put_u32(body, width);
    spice_put_u32(body + 4, height);
    body[8] = codec;
    guest_add(self, SPICE_GUEST_STREAM_FORMAT, body, sizeof body);
    return guest_send(self);
}

/** The frame's number is in its last bytes. */
static bool guest_frame(Guest *self, uint32_t number, bool vp8_key, size_t size)
{
    uint8_t *frame = g_memdup2(picture, size);
    bool ok;

    spice_put_u32(frame + size - 4, number);
    frame[0] = vp8_key ? 0x10 : 0x11;
    guest_add(self, SPICE_GUEST_STREAM_DATA, frame, size);
    g_free(frame);
    ok = guest_send(self);
    return ok;
}

/** Whether what the guest hears next is this. */
static bool guest_hears(Guest *self, const void *bytes, size_t size)
{
    const bool ok = device_run_until_got(&self->port, self->heard + size) &&
                    memcmp(self->port.got->data + self->heard, bytes, size) == 0;

    self->heard += size;
    return ok;
}

static bool guest_hears_start(Guest *self, const char *codecs, uint8_t n)
{
    uint8_t expected[SPICE_GUEST_STREAM_HEADER_SIZE + 1 + 8] = {1, 0, 4, 0, (uint8_t)(n + 1)};

    expected[8] = n;
    memcpy(expected + 9, codecs, n);
    return guest_hears(self, expected, 9u + n);
}

/* Clients */

static bool client_connect(Host *host, Client *self)
{
    *self = (Client){.display.fd = -1};
    if (!raw_link(&self->main, host_connect(host), RAW_MAIN, 0, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_INIT))
        return false;
    self->id = spice_get_u32(self->main.body);
    return raw_send(&self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) &&
           raw_read_until(&self->main, SPICE_MSG_MAIN_CHANNELS_LIST);
}

static bool lists_display(const Client *self)
{
    for (uint32_t i = 4; i + 2 <= self->main.size; i += 2)
        if (self->main.body[i] == RAW_DISPLAY && self->main.body[i + 1] == display_id)
            return true;
    return false;
}

static bool client_look(Host *host, Client *self, uint32_t caps)
{
    static const uint8_t init[14];

    return raw_link_with_caps(&self->display, host_connect(host), RAW_DISPLAY, display_id, self->id,
                              caps) &&
           raw_send(&self->display, SPICE_MSGC_DISPLAY_INIT, init, sizeof init);
}

static void client_close(Client *self)
{
    raw_close(&self->display);
    raw_close(&self->main);
}

/** Reads the messages of these types, in this order; 0 ends them. Others may not come, but for SET_ACK
 * and PING. */
static bool client_reads(Client *self, const uint16_t *types)
{
    for (; *types; types++) {
        do
            if (raw_read(&self->display, 5000) != RAW_MESSAGE)
                return false;
        while (self->display.type < SPICE_MSG_DISPLAY_MODE);
        if (self->display.type != *types) {
            TAP_NOTE("%u came instead of %u", self->display.type, *types);
            return false;
        }
    }
    return true;
}

/** The number of the next frame that comes within `ms`; -1: none. */
static long client_frame(Client *self, int ms)
{
    while (raw_read(&self->display, ms) == RAW_MESSAGE)
        if (self->display.type == SPICE_MSG_DISPLAY_STREAM_DATA) {
            self->frames++;
            return (long)spice_get_u32(self->display.body + self->display.size - 4);
        }
    return -1;
}

static const uint16_t shown[] = {SPICE_MSG_DISPLAY_SURFACE_CREATE,
                                 SPICE_MSG_DISPLAY_MONITORS_CONFIG,
                                 SPICE_MSG_DISPLAY_MARK,
                                 SPICE_MSG_DISPLAY_STREAM_CREATE,
                                 SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT,
                                 0};
static const uint16_t begun[] = {SPICE_MSG_DISPLAY_STREAM_DESTROY, SPICE_MSG_DISPLAY_STREAM_CREATE,
                                 SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT, 0};
static const uint16_t data[] = {SPICE_MSG_DISPLAY_STREAM_DATA, 0};

/* Tests */

static void test_seen(Guest *guest, Client *client)
{
    static const uint8_t capabilities[] = {1, 0, 1, 0, 0, 0, 0, 0};
    Host *host = guest->host;

    TAP_OK(guest->port.connected == 1 && client_connect(host, client) && !lists_display(client),
           "the port is connected at once, and is no display before its guest opens it");
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_OPENED);
    TAP_OK(guest_hears(guest, capabilities, sizeof capabilities),
           "the guest is told what the server can");
    TAP_OK(raw_read_until(&client->main, SPICE_MSG_MAIN_CHANNELS_LIST) && lists_display(client),
           "clients are told of the display");
    TAP_OK(client_look(host, client, VP8) && guest_hears_start(guest, "\1\2", 2),
           "the guest starts with the first who looks, in what it decodes");
    TAP_OK(guest_format(guest, WIDTH, HEIGHT, SPICE_VIDEO_CODEC_TYPE_MJPEG) &&
               client_reads(client, shown),
           "the format makes a surface and a stream");
    TAP_OK(guest_frame(guest, 7, true, sizeof picture) && client_reads(client, data) &&
               client->display.size == 12 + sizeof picture &&
               memcmp(client->display.body + 12 + 1, picture + 1, sizeof picture - 5) == 0,
           "a frame comes as the guest made it");
}

static void test_late_mjpeg(Guest *guest)
{
    Client late;

    TAP_OK(client_connect(guest->host, &late) && lists_display(&late) &&
               client_look(guest->host, &late, OLD) && client_reads(&late, shown) &&
               client_reads(&late, data),
           "who comes later has the newest picture at once");
    TAP_OK(guest_hears_start(guest, "\1", 1), "the guest is told what all decode");
    client_close(&late);
    TAP_OK(guest_hears_start(guest, "\1\2", 2), "and again when one leaves");
}

static void test_sizes(Guest *guest, Client *client)
{
    static const uint16_t resized[] = {SPICE_MSG_DISPLAY_STREAM_DESTROY,
                                       SPICE_MSG_DISPLAY_SURFACE_DESTROY,
                                       SPICE_MSG_DISPLAY_SURFACE_CREATE,
                                       SPICE_MSG_DISPLAY_MONITORS_CONFIG,
                                       SPICE_MSG_DISPLAY_MARK,
                                       SPICE_MSG_DISPLAY_STREAM_CREATE,
                                       SPICE_MSG_DISPLAY_STREAM_ACTIVATE_REPORT,
                                       SPICE_MSG_DISPLAY_STREAM_DATA,
                                       0};

    TAP_OK(guest_format(guest, WIDTH * 2, HEIGHT, SPICE_VIDEO_CODEC_TYPE_MJPEG) &&
               guest_frame(guest, 8, true, 500) && client_reads(client, resized),
           "another size makes another surface");
    TAP_OK(guest_format(guest, WIDTH * 2, HEIGHT, SPICE_VIDEO_CODEC_TYPE_VP8) &&
               client_reads(client, begun),
           "another codec makes another stream only");
}

static void test_late_inter(Guest *guest, Client *client)
{
    Client late, other;
    long number;

    guest_frame(guest, 20, false, 500);
    guest_frame(guest, 21, true, 500);
    guest_frame(guest, 22, false, 500);
    TAP_OK(client_frame(client, 5000) == 21 && client_frame(client, 5000) == 22,
           "a stream begins with a key frame");
    TAP_OK(client_connect(guest->host, &late) && client_look(guest->host, &late, VP8) &&
               client_reads(&late, shown) && guest_hears_start(guest, "", 0) &&
               guest_hears_start(guest, "\1\2", 2),
           "for who comes later the guest begins anew");
    guest_frame(guest, 23, false, 500);
    guest_frame(guest, 24, true, 500);
    TAP_OK(client_frame(client, 5000) == 23 && client_frame(client, 5000) == 24 &&
               client_frame(&late, 5000) == 24,
           "and the first frame that it gets is a key frame");
    TAP_OK(client_connect(guest->host, &other) && client_look(guest->host, &other, OLD) &&
               guest_hears_start(guest, "\1", 1),
           "one comes who does not decode it");
    TAP_OK(raw_read_until(&other.display, SPICE_MSG_DISPLAY_MARK) &&
               raw_read_until(&other.display, SPICE_MSG_DISPLAY_DRAW_COPY) &&
               other.display.size > 1000,
           "it sees a text");
    guest_frame(guest, 25, false, 500);
    number = client_frame(&other, 300);
    TAP_OK(number == -1 && client_frame(&late, 5000) == 25, "and no frames, which others get");
    client_close(&other);
    client_close(&late);
    guest->heard = 0;
    g_byte_array_set_size(guest->port.got, 0);
    host_run(guest->host, 200);
    guest->heard = guest->port.got->len;
    while (client_frame(client, 100) >= 0)
        ;
}

static void test_slow(Guest *guest, Client *client)
{
    enum { FRAMES = 3000 };
    Client slow;
    unsigned read = 0;
    uint32_t last = 0;
    bool in_order = true, said = true;
    long number;

    TAP_OK(guest_format(guest, WIDTH * 2, HEIGHT, SPICE_VIDEO_CODEC_TYPE_MJPEG) &&
               client_reads(client, begun) && client_connect(guest->host, &slow) &&
               client_look(guest->host, &slow, VP8),
           "one comes who will not read");
    for (uint32_t i = 1; i <= FRAMES && said; i++) {
        said = guest_frame(guest, i, true, sizeof picture);
        if (i % 10 == 0 || i == FRAMES)
            while ((number = client_frame(client, i == FRAMES ? 300 : 0)) >= 0) {
                in_order &= (uint32_t)number > last;
                last = (uint32_t)number;
                read++;
            }
    }
    TAP_OK(
        said && in_order && last == FRAMES && read > FRAMES / 2,
        "the guest says all, and who reads gets the frames in order, the last one too (%u of %u)",
        read, FRAMES);
    read = 0;
    last = 0;
    in_order = true;
    while ((number = client_frame(&slow, 500)) >= 0) {
        in_order &= (uint32_t)number > last;
        last = (uint32_t)number;
        read++;
    }
    TAP_OK(in_order && last == FRAMES && read < FRAMES,
           "who did not read gets %u, of which the last is the newest", read);
    client_close(&slow);
    host_run(guest->host, 200);
    guest->heard = guest->port.got->len;
}

static void test_cursor(Guest *guest, Client *client)
{
    static const uint8_t place[8] = {10, 0, 0, 0, 20, 1};
    uint8_t shape[12 + 8 * 8 * 4] = {8, 0, 8, 0, 1, 0, 2, 0, SPICE_CURSOR_TYPE_ALPHA};
    RawChannel cursor;

    memset(shape + 12, 0x5a, sizeof shape - 12);
    TAP_OK(raw_link(&cursor, host_connect(guest->host), RAW_CURSOR, display_id, client->id) &&
               raw_read_until(&cursor, SPICE_MSG_CURSOR_INIT),
           "there is a cursor channel of the display");
    guest_add(guest, SPICE_GUEST_STREAM_CURSOR_SET, shape, sizeof shape);
    guest_send(guest);
    TAP_OK(raw_read_until(&cursor, SPICE_MSG_CURSOR_SET) && cursor.size >= 8 * 8 * 4 &&
               memcmp(cursor.body + cursor.size - 8 * 8 * 4, shape + 12, 8 * 8 * 4) == 0,
           "the guest's shape comes there");
    guest_add(guest, SPICE_GUEST_STREAM_CURSOR_MOVE, place, sizeof place);
    TAP_OK(guest_send(guest) && raw_read_until(&cursor, SPICE_MSG_CURSOR_MOVE) &&
               spice_get_u16(cursor.body) == 10 && spice_get_u16(cursor.body + 2) == 0x114,
           "and so does its place");
    raw_close(&cursor);
}

/** An agent that wants to know of outputs hears of the display; however often the guest says it. */
static void test_output(Guest *guest)
{
    static const uint8_t announcement[] = {1, 0, 0, 0, 28, 0, 0, 0, 1, 0,    0, 0,
                                           6, 0, 0, 0, 0,  0, 0, 0, 0, 0,    0, 0,
                                           8, 0, 0, 0, 0,  0, 0, 0, 0, 0x80, 0, 0};
    static const char address[] = "pci/0000/07.0";
    uint8_t info[12 + sizeof address] = {0, 0, 0, 0, 3, 0, 0, 0, sizeof address};
    TestDevice agent;
    bool heard = false;

    memcpy(info + 12, address, sizeof address);
    TAP_OK(device_add(&agent, guest->host, "vdagent", NULL, true) &&
               device_say_all(&agent, announcement, sizeof announcement),
           "an agent wants to know of outputs");
    for (int i = 0; i < 40; i++)
        guest_add(guest, SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO, info, sizeof info);
    guest_send(guest);
    for (int i = 0; i < 100 && !heard; i++) {
        host_run(guest->host, 20);
        heard = agent.got->len > 0 &&
                memmem(agent.got->data, agent.got->len, address, sizeof address) != NULL;
    }
    TAP_OK(heard, "it hears which the display is");
    device_remove(&agent);
    host_run(guest->host, 100);
    guest->heard = guest->port.got->len;
}

/** Says what cannot be, then opens the port anew. */
static void test_broken(Guest *guest, Client *client)
{
    static const uint8_t error[] = {1, 0, 5, 0}, lie[] = {1, 0, 3, 0, 0xff, 0xff, 0xff, 0xff};
    bool told;

    g_byte_array_append(guest->said, lie, sizeof lie);
    guest_send(guest);
    told = guest_hears(guest, error, sizeof error);
    TAP_OK(told && raw_read_until(&client->display, SPICE_MSG_DISPLAY_STREAM_DESTROY),
           "a guest that lies of a length is told, and its stream ends");
    TAP_OK(guest_format(guest, WIDTH, HEIGHT, 1) && guest_frame(guest, 99, true, 500) &&
               client_frame(client, 300) == -1,
           "and it is not heard any more");
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_CLOSED);
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_OPENED);
    TAP_OK(guest_format(guest, WIDTH, HEIGHT, 1) && guest_frame(guest, 100, true, 500) &&
               client_frame(client, 5000) == 100,
           "until it opens its port anew");
    host_run(guest->host, 100);
    guest->heard = guest->port.got->len;
}

/** Bytes of all kinds: nothing comes of them but errors. */
static void test_noise(Guest *guest, Client *client)
{
    uint32_t random = 1;
    bool ok = true;

    for (int round = 0; round < 200 && ok; round++) {
        for (int i = 0; i < 400; i++) {
            random = random * 1664525 + 1013904223;
            picture[i] = (uint8_t)(random >> 24);
        }
        picture[0] = 1;
        picture[1] = picture[3] = 0;
        picture[2] &= 15;
        if (round % 4)
            memset(picture + 5, 0, 3);
        g_byte_array_append(guest->said, picture, 400);
        ok = guest_send(guest);
        if (round % 3 == 0) {
            spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_CLOSED);
            spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_OPENED);
        }
        while (client_frame(client, 0) >= 0)
            ;
    }
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_CLOSED);
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_OPENED);
    TAP_OK(ok && guest_format(guest, WIDTH, HEIGHT, 1) && guest_frame(guest, 200, true, 500) &&
               client_frame(client, 5000) == 200,
           "after noise of all kinds the stream goes on");
}

/** The host adds a device that has the number which the stream took. */
static void test_moves(Guest *guest, Client *client)
{
    static const char address[] = "pci/0000/08.0";
    uint8_t info[12 + sizeof address] = {0, 0, 0, 0, 1, 0, 0, 0, sizeof address};
    Host *host = guest->host;
    RawChannel cursor;
    bool listed;

    memcpy(info + 12, address, sizeof address);
    guest_add(guest, SPICE_GUEST_STREAM_DEVICE_DISPLAY_INFO, info, sizeof info);
    guest_send(guest);
    TAP_OK(raw_link(&cursor, host_connect(host), RAW_CURSOR, display_id, client->id) &&
               raw_read_until(&cursor, SPICE_MSG_CURSOR_INIT),
           "somebody sees the stream and its cursor");
    host_remove_qxl(host);
    host->qxl.id = display_id;
    host_add_qxl(host);
    TAP_OK(raw_read_to_end(&client->display) && raw_read_to_end(&cursor),
           "when the host has a display of the stream's number, the stream's channels end");
    raw_close(&client->display);
    raw_close(&cursor);
    display_id = 2;
    listed = raw_read_until(&client->main, SPICE_MSG_MAIN_CHANNELS_LIST) && lists_display(client);
    TAP_OK(listed, "clients are told of another display");
    display_id = 1;
    listed = raw_read_until(&client->main, SPICE_MSG_MAIN_CHANNELS_LIST) && lists_display(client);
    TAP_OK(listed, "and of the host's");
    TAP_OK(client_look(host, client, VP8) && guest_frame(guest, 299, true, 500) &&
               client_frame(client, 300) == -1,
           "the host's shows no stream");
    raw_close(&client->display);
    display_id = 2;
    TAP_OK(client_look(host, client, VP8) && client_frame(client, 5000) == 299 &&
               guest_frame(guest, 300, true, 500) && client_frame(client, 5000) == 300,
           "the stream goes on at its new place");
}

static void test_end(Guest *guest, Client *client)
{
    Client again;

    host_run(guest->host, 100);
    guest->heard = guest->port.got->len;
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_CLOSED);
    TAP_OK(raw_read_until(&client->display, SPICE_MSG_DISPLAY_STREAM_DESTROY),
           "when the guest closes its port the stream ends");
    spice_server_port_event(&guest->port.instance, SPICE_PORT_EVENT_OPENED);
    guest->heard += 8;
    TAP_OK(guest_hears_start(guest, "\1\2", 2), "a guest that opens it is told to start");
    client_close(client);
    TAP_OK(guest_hears_start(guest, "", 0), "and to stop when the last has left");
    TAP_OK(client_connect(guest->host, &again) && client_look(guest->host, &again, MANY) &&
               guest_hears_start(guest, "\1", 1),
           "one comes again");
    device_remove(&guest->port);
    TAP_OK(raw_read_to_end(&again.display), "its channel ends with the device");
    client_close(&again);
    TAP_OK(client_connect(guest->host, &again) && !lists_display(&again),
           "and the display is listed no more");
    client_close(&again);
}

int main(void)
{
    Guest guest = {.host = host_new(), .said = g_byte_array_new()};
    Client client;

    for (size_t i = 0; i < sizeof picture; i++)
        picture[i] = (uint8_t)(i * 13 + i / 251);
    memcpy(picture + 3, "\x9d\x01\x2a", 3);
    if (!device_add(&guest.port, guest.host, "port", "org.spice-space.stream.0", true))
        return 99;
    test_seen(&guest, &client);
    test_late_mjpeg(&guest);
    test_sizes(&guest, &client);
    test_late_inter(&guest, &client);
    test_slow(&guest, &client);
    test_cursor(&guest, &client);
    test_output(&guest);
    test_broken(&guest, &client);
    test_noise(&guest, &client);
    test_moves(&guest, &client);
    test_end(&guest, &client);
    TAP_OK(host_is_well(guest.host), "the host saw nothing wrong");
    host_free(guest.host);
    g_byte_array_unref(guest.said);
    return tap_done();
}
