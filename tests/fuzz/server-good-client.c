/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server-good-client.h"

#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/channel.h"
#include "core/wire/display.h"
#include "core/wire/link.h"
#include "core/wire/main.h"
#include "server-link.h"
#include "session/server-private.h"

enum { MAX_TURNS = 64 };

static const guint8 attach_channels[] = {104, 0, 0, 0, 0, 0};
static const guint8 display_init[] = {101, 0, 14, 0, 0, 0, 1, 0, 0, 16,
                                      0,   0, 0,  0, 0, 1, 0, 0, 1, 0};

typedef struct {
    int fd;
    GByteArray *bytes;
    gsize at; /* of the next message */
} GoodChannel;

/** Reads messages until one is of this type. */
static void expect_message(Feeders *feeders, GoodChannel *channel, guint16 wanted, const char *what)
{
    for (guint n = 0; n < MAX_TURNS; n++) {
        guint8 buffer[65536];
        gssize size;

        while (channel->bytes->len - channel->at >= SPICE_MINI_HEADER_SIZE) {
            SpiceDataHeader header;

            spice_mini_data_header_decode(&header, channel->bytes->data + channel->at);
            if (channel->bytes->len - channel->at - SPICE_MINI_HEADER_SIZE < header.size)
                break;
            channel->at += SPICE_MINI_HEADER_SIZE + header.size;
            if (header.type == wanted)
                return;
        }
        feeders_feed(feeders);
        server_turn(feeders->server);
        while ((size = recv(channel->fd, buffer, sizeof buffer, 0)) > 0) {
            g_byte_array_append(channel->bytes, buffer, (guint)size);
            server_turn(feeders->server);
        }
    }
    fail(what);
}

static void good_write(const GoodChannel *channel, const guint8 *data, gsize size)
{
    if (send(channel->fd, data, size, MSG_NOSIGNAL) != (gssize)size)
        fail("a good client is thrown out");
}

static void good_close(GoodChannel *channel)
{
    close(channel->fd);
    g_byte_array_unref(channel->bytes);
}

void good_client_is_served(Feeders *feeders)
{
    guint32 caps = 0;
    SpiceLinkRequest request = {
        .channel_type = SPICE_CHANNEL_MAIN, .channel_caps = {1, &caps}, .mini_header = TRUE};
    GoodChannel main = {.bytes = g_byte_array_new()}, display = {.bytes = g_byte_array_new()};
    const guint opened = feeders->n_opened;

    if (!fuzz_link_channel(feeders->server, &request, TRUE, &main.fd))
        fail("a good client is not let in");
    expect_message(feeders, &main, SPICE_MSG_MAIN_INIT, "a good client gets no INIT");
    good_write(&main, attach_channels, sizeof attach_channels);
    expect_message(feeders, &main, SPICE_MSG_MAIN_CHANNELS_LIST, "it gets no list of channels");
    request.channel_type = SPICE_CHANNEL_DISPLAY;
    request.connection_id =
        ((GstSpiceServerClient *)g_list_last(feeders->server->clients)->data)->session_id;
    if (!fuzz_link_channel(feeders->server, &request, TRUE, &display.fd))
        fail("it gets no display");
    good_write(&display, display_init, sizeof display_init);
    server_turn(feeders->server);
    if (feeders->n_opened != opened + 1)
        fail("its display is not opened");
    expect_message(feeders, &display, SPICE_MSG_DISPLAY_SURFACE_CREATE, "it gets no surface");
    expect_message(feeders, &display, SPICE_MSG_DISPLAY_DRAW_COPY, "it gets no picture");
    good_close(&display);
    good_close(&main);
    server_turn(feeders->server);
}
