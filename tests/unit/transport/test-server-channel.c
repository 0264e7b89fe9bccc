/* The server's end of a channel: acknowledgements, PINGs, headers, sizes, and what is no message.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo-channels.h"
#include "transport/error.h"

/* Channels that are linked without a link: two ends of a socket pair. */

static SpiceServerChannel *channel_on_pair(Server *server, guint8 type, gboolean mini, int *peer)
{
    const SpiceLinkRequest request = {.channel_type = type, .mini_header = mini};
    g_autoptr(GSocket) socket = NULL;
    SpiceConnection *connection;
    SpiceServerChannel *channel;
    int pair[2];

    *server = (Server){.channels = g_ptr_array_new()};
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    socket = g_socket_new_from_fd(pair[0], NULL);
    connection = spice_connection_new(socket, NULL, NULL, NULL);
    channel = spice_server_channel_new(connection, &request);
    spice_server_channel_set_handler(channel, &server_channel_handler, server);
    spice_connection_start(connection);
    g_ptr_array_add(server->channels, channel);
    *peer = pair[1];
    return channel;
}

static void say(int peer, const char *bytes, gsize size)
{
    g_assert_cmpint(send(peer, bytes, size, MSG_NOSIGNAL), ==, (gssize)size);
}

/** Sends as long as it may. */
static guint send_all(SpiceServerChannel *channel)
{
    guint n = 0;

    while (spice_server_channel_may_send(channel) && n < 1000) {
        spice_server_channel_send(channel, ANSWER, NULL, 0);
        n++;
    }
    return n;
}

static void test_ack_window(void)
{
    static const char sync1[] = "\1\0\4\0\0\0\1\0\0\0", sync2[] = "\1\0\4\0\0\0\2\0\0\0",
                      ack[] = "\2\0\0\0\0\0";
    Server server;
    int peer;
    SpiceServerChannel *channel = channel_on_pair(&server, SPICE_CHANNEL_DISPLAY, TRUE, &peer);

    g_assert_cmpuint(send_all(channel), ==, 1000); /* no window */
    spice_server_channel_set_ack_window(channel, 20);
    g_assert_cmpuint(send_all(channel), ==, 40); /* 41 with the SET_ACK */
    g_assert_cmpuint(spice_server_channel_get_serial(channel), ==, 1041);

    say(peer, ack, 6); /* of no generation: does not count */
    turn_for(30);
    g_assert_false(spice_server_channel_may_send(channel));
    say(peer, sync1, 10);
    say(peer, ack, 6);
    WAIT_FOR(spice_server_channel_may_send(channel));
    g_assert_cmpuint(server.n_writable, ==, 1);
    g_assert_cmpuint(send_all(channel), ==, 20);

    spice_server_channel_set_ack_window(channel, 10);
    g_assert_cmpuint(send_all(channel), ==, 20);
    say(peer, ack, 6); /* of the generation before */
    turn_for(30);
    g_assert_false(spice_server_channel_may_send(channel));
    say(peer, sync2, 10);
    say(peer, ack, 6);
    say(peer, ack, 6);
    say(peer, ack, 6); /* one more than was due */
    WAIT_FOR(server.n_writable == 2);
    turn_for(30);
    g_assert_cmpuint(send_all(channel), ==, 20);
    spice_server_channel_set_ack_window(channel, 0);
    g_assert_true(spice_server_channel_may_send(channel));
    channels_close(&server);
    close(peer);
}

/** Our client, which acknowledges, gets all; and answers PINGs. */
static void test_acks_and_pings_with_a_client(void)
{
    Server server;
    Client client;
    SpiceServerChannel *channel;
    guint n = 0;

    server_start(&server, NULL);
    client_open_tcp(&client, server_listen(&server, NULL), NULL);
    WAIT_FOR(client.opened && server.channels->len == 1);
    channel = server.channels->pdata[0];
    spice_server_channel_set_ack_window(channel, 20);
    while (n < 500) {
        WAIT_FOR(spice_server_channel_may_send(channel));
        n += send_all(channel);
    }
    WAIT_FOR(client.n_answers == n);
    WAIT_FOR(spice_server_channel_may_send(channel));
    spice_server_channel_ping(channel, 1, 0);
    spice_server_channel_ping(channel, 2, 0);
    spice_server_channel_ping(channel, 3, SPICE_SERVER_CHANNEL_MAX_PADDING);
    WAIT_FOR(server.n_pongs == 3);
    g_assert_cmpint(server.round_trip, >, 0);
    g_assert_cmpint(server.round_trip, <, TIMEOUT_MS * 1000);
    client_close(&client);
    server_stop(&server);
}

/** Marks and the test of the link come when something is sent: they do not say that more will come. */
static void test_silence_after_marks(void)
{
    enum { IDLE_MS = 200 };
    Server server;
    Client client;
    SpiceServerChannel *channel;

    client_idle_ms = IDLE_MS;
    server_start(&server, NULL);
    client_open_tcp(&client, server_listen(&server, NULL), NULL);
    client_idle_ms = 0;
    WAIT_FOR(client.opened && server.channels->len == 1);
    channel = server.channels->pdata[0];
    spice_server_channel_ping(channel, 1, 0);
    spice_server_channel_ping(channel, SPICE_PING_LAST_OF_NET_TEST, 0);
    spice_server_channel_ping(channel, SPICE_PING_MARK | 1, 20000);
    spice_server_channel_ping(channel, SPICE_PING_MARK | SPICE_PING_MARK_NUMBER, 0);
    WAIT_FOR(server.n_pongs == 4);
    turn_for(3 * IDLE_MS);
    g_assert_false(client.closed);
    check_answers(&client, 5);
    spice_server_channel_ping(channel, SPICE_PING_LAST_OF_NET_TEST + 1, 0);
    WAIT_FOR(client.closed);
    g_assert_error(client.error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_IDLE);
    client_close(&client);
    server_stop(&server);
}

static void test_unasked_pongs(void)
{
    static const char pong[] = "\3\0\14\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0";
    Server server;
    int peer;
    SpiceServerChannel *channel = channel_on_pair(&server, SPICE_CHANNEL_MAIN, TRUE, &peer);
    guint i;

    say(peer, pong, 18);
    turn_for(20);
    for (i = 0; i < 5; i++) /* the oldest is forgotten */
        spice_server_channel_ping(channel, 5, 0);
    for (i = 0; i < 6; i++)
        say(peer, pong, 18);
    WAIT_FOR(server.n_pongs == 4);
    turn_for(20);
    g_assert_cmpuint(server.n_pongs, ==, 4);
    g_assert_cmpuint(server.n_other_pongs, ==, 3); /* the first, and two that were too many */
    g_assert_cmpuint(server.channels->len, ==, 1);
    channels_close(&server);
    close(peer);
}

static void test_full_header(void)
{
    static const guint8 wanted[] = {
        1, 0, 0, 0, 0, 0, 0, 0, 101, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xaa, /* serial 1 */
        2, 0, 0, 0, 0, 0, 0, 0, 101, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0xbb, 0xcc,
    };
    guint8 got[sizeof wanted + 1];
    Server server;
    int peer;
    SpiceServerChannel *channel = channel_on_pair(&server, SPICE_CHANNEL_DISPLAY, FALSE, &peer);

    say(peer, "\1\0\0\0\0\0\0\0\146\0\1\0\0\0\0\0\0\0\252", 19);
    WAIT_FOR(spice_server_channel_get_serial(channel) == 1);
    spice_server_channel_send_carrying(channel, ANSWER, "\273\314", 2, 1);
    g_assert_cmpint(recv(peer, got, sizeof got, 0), ==, sizeof wanted);
    g_assert_cmpmem(got, sizeof wanted, wanted, sizeof wanted);
    /* A client's messages carry no others. */
    say(peer, "\2\0\0\0\0\0\0\0\146\0\2\0\0\0\1\0\0\0\0\0", 20);
    WAIT_FOR(server.error != NULL);
    g_assert_error(server.error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL);
    channels_close(&server);
    close(peer);
}

static void check_size_limit(guint8 channel_type, guint16 type, guint32 size, gboolean lawful)
{
    guint8 header[SPICE_MINI_HEADER_SIZE];
    Server server;
    int peer;

    channel_on_pair(&server, channel_type, TRUE, &peer);
    spice_mini_header_write(header, type, size);
    say(peer, (const char *)header, sizeof header);
    if (lawful)
        turn_for(20);
    else
        WAIT_FOR(server.channels->len == 0);
    g_assert_cmpuint(server.channels->len, ==, lawful);
    channels_close(&server);
    close(peer);
}

static void test_size_limits(void)
{
    check_size_limit(SPICE_CHANNEL_INPUTS, QUESTION, 4 << 10, TRUE);
    check_size_limit(SPICE_CHANNEL_INPUTS, QUESTION, (4 << 10) + 1, FALSE);
    check_size_limit(SPICE_CHANNEL_DISPLAY, QUESTION, (64 << 10) + 1, FALSE);
    check_size_limit(SPICE_CHANNEL_MAIN, QUESTION, (64 << 10) + 1, FALSE);
    check_size_limit(SPICE_CHANNEL_MAIN, SPICE_MSGC_MIGRATE_DATA, 4 << 20, TRUE);
    check_size_limit(SPICE_CHANNEL_MAIN, SPICE_MSGC_MIGRATE_DATA, (4 << 20) + 1, FALSE);
    check_size_limit(SPICE_CHANNEL_PORT, QUESTION, (1 << 20) + (64 << 10), TRUE);
    check_size_limit(SPICE_CHANNEL_PORT, QUESTION, G_MAXUINT32, FALSE);
}

static void test_garbage_after_the_link(void)
{
    static const char *garbage[] = {"\377\377\377\377\377\377", "\1\0\3\0\0\0abc", "\147\0\0\0\0\0",
                                    "\10\0\0\0\0\0"};
    static const gsize sizes[] = {6, 9, 6, 6};
    Server server;
    Client good, bad;
    guint16 port;
    guint i;

    server_start(&server, NULL);
    port = server_listen(&server, NULL);
    client_open_tcp(&good, port, NULL);
    WAIT_FOR(good.opened);
    for (i = 0; i < G_N_ELEMENTS(garbage); i++) {
        guint16 type;
        guint32 size;

        client_open_tcp(&bad, port, NULL);
        WAIT_FOR(bad.opened);
        memcpy(&type, garbage[i], 2);
        memcpy(&size, garbage[i] + 2, 4);
        if (GUINT32_FROM_LE(size) < 100) {
            spice_channel_send(bad.channel, GUINT16_FROM_LE(type), garbage[i] + 6, sizes[i] - 6);
        } else { /* more than any message */
            g_autofree guint8 *body = g_malloc0(100000);

            spice_channel_send(bad.channel, GUINT16_FROM_LE(type), body, 100000);
        }
        WAIT_FOR(bad.closed);
        g_assert_error(server.error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL);
        g_assert_cmpuint(server.channels->len, ==, 1);
        check_answers(&good, (guint8)i);
        client_close(&bad);
    }
    client_close(&good);
    server_stop(&server);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server-channel/ack-window", test_ack_window);
    g_test_add_func("/server-channel/client-acks-and-pongs", test_acks_and_pings_with_a_client);
    g_test_add_func("/server-channel/silence-after-marks", test_silence_after_marks);
    g_test_add_func("/server-channel/unasked-pongs", test_unasked_pongs);
    g_test_add_func("/server-channel/full-header", test_full_header);
    g_test_add_func("/server-channel/size-limits", test_size_limits);
    g_test_add_func("/server-channel/garbage-closes-that-channel", test_garbage_after_the_link);
    return g_test_run();
}
