/* The server role on real sockets: our client links over each kind, and what a hostile or slow
 * peer can and cannot do.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#define _GNU_SOURCE
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <glib/gstdio.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "echo-channels.h"
#include "transport/error.h"
#include "transport/link-client.h"
#include "transport/link-backoff.h"
#include "transport/listen-socket.h"

static char *folder;

/* Certificates */

static void write_certificate(void)
{
    g_autofree char *cert_file = g_build_filename(folder, "cert.pem", NULL);
    g_autofree char *key_file = g_build_filename(folder, "key.pem", NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    FILE *file;

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guchar *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    X509_add_ext(cert, names, -1);
    g_assert_cmpint(X509_sign(cert, key, EVP_sha256()), >, 0);
    file = g_fopen(cert_file, "w");
    g_assert_cmpint(PEM_write_X509(file, cert), ==, 1);
    fclose(file);
    file = g_fopen(key_file, "w");
    g_assert_cmpint(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), ==, 1);
    fclose(file);
    X509_EXTENSION_free(names);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static SpiceTlsServer *load_certificate(void)
{
    g_autofree char *cert_file = g_build_filename(folder, "cert.pem", NULL);
    g_autofree char *key_file = g_build_filename(folder, "key.pem", NULL);
    g_autoptr(GError) error = NULL;
    SpiceTlsServer *tls = spice_tls_server_new(cert_file, key_file, NULL, NULL, &error);

    g_assert_no_error(error);
    return tls;
}

/* Raw peers */

static int connect_raw(guint16 port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = g_htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = g_htonl(INADDR_LOOPBACK);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    return fd;
}

/** Whether the peer has closed; what it said is read away. */
static gboolean is_closed(int fd)
{
    char data[4096];
    gssize n;

    while ((n = recv(fd, data, sizeof data, MSG_DONTWAIT)) > 0)
        ;
    return n == 0 || errno != EAGAIN;
}

/* Tests */

static void test_tcp(void)
{
    Server server;
    guint16 port;
    guint i;

    server_start(&server, NULL);
    port = server_listen(&server, NULL);
    for (i = 1; i <= 3; i++) { /* as often as one likes */
        Client client;

        client_open_tcp(&client, port, NULL);
        WAIT_FOR(client.opened);
        check_answers(&client, 42);
        g_assert_cmpuint(server.n_linked, ==, i);
        g_assert_false(server.secure);
        g_assert_false(server.local);
        g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 0);
        client_close(&client);
        WAIT_FOR(server.channels->len == 0);
        g_assert_error(server.error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CLOSED);
    }
    server_stop(&server);
}

static void test_tls(void)
{
    SpiceTlsServer *tls = load_certificate();
    Server server;
    Client client;
    char host[] = "127.0.0.1";
    SpiceAddress address = {.host = host};

    server_start(&server, NULL);
    address.port = server_listen(&server, NULL);
    address.tls_port = server_listen(&server, tls);
    client_open(&client, &address, FALSE, SPICE_CHANNEL_RECORD, NULL);
    WAIT_FOR(client.closed);
    g_assert_error(client.error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_NEED_SECURED);
    client_close(&client);
    client_open(&client, &address, TRUE, SPICE_CHANNEL_RECORD, NULL);
    WAIT_FOR(client.opened);
    check_answers(&client, 43);
    g_assert_true(server.secure);
    client_close(&client);
    server_stop(&server);
    spice_tls_server_free(tls);
}

static void test_unix_socket(void)
{
    g_autofree char *path = g_build_filename(folder, "spice.sock", NULL);
    g_autofree char *file = g_build_filename(folder, "cert.pem", NULL);
    const SpiceAddress address = {.unix_path = path};
    g_autoptr(GError) error = NULL;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat status;
    Server server, other;
    Client client;
    int abandoned = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(name.sun_path, path, sizeof name.sun_path);
    g_assert_cmpint(bind(abandoned, (struct sockaddr *)&name, sizeof name), ==, 0);
    close(abandoned); /* and its file stays */

    server_start(&server, NULL);
    g_assert_true(spice_listener_add_unix(server.listener, path, &error));
    g_assert_no_error(error);
    g_assert_cmpint(lstat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
    client_open(&client, &address, FALSE, SPICE_CHANNEL_INPUTS, NULL);
    WAIT_FOR(client.opened);
    check_answers(&client, 44);
    g_assert_true(server.local);

    /* It is live: another does not get its place, nor that of a file which is no socket. */
    server_start(&other, NULL);
    g_assert_false(spice_listener_add_unix(other.listener, path, &error));
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CONNECT);
    g_clear_error(&error);
    g_assert_false(spice_listener_add_unix(other.listener, file, &error));
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CONNECT);
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    server_stop(&other);
    g_assert_cmpint(lstat(path, &status), ==, 0);
    check_answers(&client, 45);
    client_close(&client);
    server_stop(&server);
    g_assert_cmpint(lstat(path, &status), !=, 0);
}

static void test_descriptors(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocket) listening = spice_listen_tcp("127.0.0.1", 0, &error);
    g_autoptr(GSocketAddress) address = g_socket_get_local_address(listening, NULL);
    Server server;
    Client client;
    int pair[2];

    server_start(&server, NULL);
    g_assert_true(
        spice_listener_add_fd(server.listener, dup(g_socket_get_fd(listening)), NULL, &error));
    client_open_tcp(&client, g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)), NULL);
    WAIT_FOR(client.opened);
    check_answers(&client, 46);
    client_close(&client);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    g_assert_false(spice_listener_add_fd(server.listener, dup(pair[0]), NULL, &error));
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS);
    g_assert_true(spice_listener_take_connection(server.listener, pair[0], NULL, FALSE, NULL));
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 1);
    g_assert_cmpint(write(pair[1], "GET / HTTP/1.1\r\n", 16), ==, 16);
    WAIT_FOR(is_closed(pair[1]));
    close(pair[1]);
    server_stop(&server);
}

static void test_wrong_ticket(void)
{
    SpiceListenerLimits limits = spice_listener_default_limits;
    Server server;
    guint16 port;
    guint i;

    limits.denied_ms = 60;
    limits.most_denied_ms = 200;
    server_start(&server, &limits);
    port = server_listen(&server, NULL);
    spice_ticket_set(&server.ticket, "secret", 0, 0);
    for (i = 0; i < 4; i++) {
        static const guint least_ms[] = {60, 120, 200, 200};
        gint64 began = g_get_monotonic_time();
        Client wrong;

        client_open_tcp(&wrong, port, "guess");
        WAIT_FOR(wrong.closed);
        g_assert_error(wrong.error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION);
        g_assert_cmpint((g_get_monotonic_time() - began) / 1000, >=, least_ms[i]);
        client_close(&wrong);
    }
    g_assert_cmpuint(server.n_linked, ==, 0);
    server_stop(&server);
}

/** Who has the ticket does not wait for those who do not. */
static void test_right_beside_wrong_ticket(void)
{
    SpiceListenerLimits limits = spice_listener_default_limits;
    Server server;
    Client wrong[3], right;
    guint16 port;
    guint i;

    limits.denied_ms = 600000;
    limits.most_denied_ms = 600000;
    limits.max_denied = 2;
    server_start(&server, &limits);
    port = server_listen(&server, NULL);
    spice_ticket_set(&server.ticket, "secret", 0, 0);
    for (i = 0; i < G_N_ELEMENTS(wrong); i++)
        client_open_tcp(&wrong[i], port, "guess");
    WAIT_FOR(server.n_refused == 1); /* more than may be held back */
    client_open_tcp(&right, port, "secret");
    WAIT_FOR(right.opened);
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 2);
    g_assert_cmpuint(server.n_linked, ==, 1);
    for (i = 0; i < G_N_ELEMENTS(wrong); i++)
        client_close(&wrong[i]);
    WAIT_FOR(spice_listener_get_n_links(server.listener) == 0); /* they are not waited for */
    client_close(&right);
    server_stop(&server);
}

static void test_backoff(void)
{
    SpiceLinkBackoff *backoff = spice_link_backoff_new(1000, 30000, 2);
    static const guint waits[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    gint64 now = 5;
    guint i;

    for (i = 0; i < G_N_ELEMENTS(waits); i++)
        g_assert_cmpuint(spice_link_backoff_deny(backoff, "a", now += 1000000), ==, waits[i]);
    g_assert_cmpuint(spice_link_backoff_deny(backoff, "b", ++now), ==, 1000);
    g_assert_cmpuint(spice_link_backoff_deny(backoff, "c", ++now), ==, 1000); /* a is forgotten */
    g_assert_cmpuint(spice_link_backoff_deny(backoff, "b", ++now), ==, 2000);
    g_assert_cmpuint(spice_link_backoff_deny(backoff, "a", ++now), ==, 1000);
    spice_link_backoff_forget(backoff, "b");
    g_assert_cmpuint(spice_link_backoff_deny(backoff, "b", ++now), ==, 1000);
    now += 301 * G_GINT64_CONSTANT(1000000);
    g_assert_cmpuint(spice_link_backoff_deny(backoff, "b", now), ==, 1000);
    spice_link_backoff_free(backoff);
}

static void check_address_key(const char *text, const char *wanted)
{
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(text, 1);
    g_autofree char *key = spice_link_address_key(address);

    g_assert_cmpstr(key, ==, wanted);
}

static void test_address_keys(void)
{
    g_autofree char *local = spice_link_address_key(NULL);

    g_assert_cmpstr(local, ==, "local");
    check_address_key("192.0.2.1", "192.0.2.1");
    check_address_key("::ffff:192.0.2.1", "192.0.2.1");
    check_address_key("2001:db8:1:2:3:4:5:6", "20010db800010002");
    check_address_key("2001:db8:1:2::9", "20010db800010002");
    check_address_key("2001:db8:1:3::9", "20010db800010003");
}

static void test_addresses(void)
{
    g_autoptr(GError) error = NULL;
    Server server;
    Client client;
    guint16 port;

    server_start(&server, NULL);
    port = spice_listener_add_tcp(server.listener, NULL, 0, NULL, &error); /* all addresses */
    g_assert_no_error(error);
    client_open_tcp(&client, port, NULL);
    WAIT_FOR(client.opened);
    client_close(&client);
    g_assert_cmpuint(spice_listener_add_tcp(server.listener, NULL, port, NULL, &error), ==, 0);
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_CONNECT); /* taken */
    g_clear_error(&error);
    g_assert_cmpuint(spice_listener_add_tcp(server.listener, "no such host", 0, NULL, &error), ==,
                     0);
    g_assert_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_ADDRESS);
    server_stop(&server);
}

static void test_flood(void)
{
    Server server;
    Client running, late;
    int raw[100];
    guint16 port;
    GRand *random = g_rand_new_with_seed(1);
    guint i;

    server_start(&server, NULL);
    port = server_listen(&server, NULL);
    client_open_tcp(&running, port, NULL);
    WAIT_FOR(running.opened);

    for (i = 0; i < G_N_ELEMENTS(raw); i++) {
        raw[i] = connect_raw(port);
        if (i % 10 == 9)
            check_answers(&running, (guint8)i);
        g_assert_cmpuint(spice_listener_get_n_links(server.listener), <=, 32);
    }
    WAIT_FOR(server.n_refused >= G_N_ELEMENTS(raw) - 8); /* the oldest silent ones are gone */
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 8);
    g_assert_true(is_closed(raw[0]));
    g_assert_false(is_closed(raw[99]));
    client_open_tcp(&late, port, NULL);
    WAIT_FOR(late.opened);
    check_answers(&late, 1);
    client_close(&late);
    for (i = 0; i < G_N_ELEMENTS(raw); i++)
        close(raw[i]);

    for (i = 0; i < G_N_ELEMENTS(raw); i++) {
        guint8 junk[3000] = "REDQ\2\0\0\0\2\0\0\0\100\0\0\0";
        guint j;

        for (j = i % 2 ? 16 : 0; j < sizeof junk; j++) /* half of them begin well */
            junk[j] = (guint8)g_rand_int(random);
        raw[i] = connect_raw(port);
        if (send(raw[i], junk, sizeof junk, MSG_NOSIGNAL) < 0)
            g_assert_cmpint(errno, !=, EBADF);
        if (i % 10 == 9)
            check_answers(&running, (guint8)i);
    }
    WAIT_FOR(spice_listener_get_n_links(server.listener) <= 8);
    check_answers(&running, 2);
    g_assert_cmpuint(server.n_linked, ==, 2);
    for (i = 0; i < G_N_ELEMENTS(raw); i++)
        close(raw[i]);
    g_assert_false(running.closed);
    client_close(&running);
    server_stop(&server);
    g_rand_free(random);
}

/** Peers that say a byte now and then keep nobody out. */
static void test_trickle(void)
{
    Server server;
    Client late;
    int raw[40];
    guint16 port;
    gint64 began;
    guint i, j;

    server_start(&server, NULL);
    port = server_listen(&server, NULL);
    for (i = 0; i < G_N_ELEMENTS(raw); i++)
        raw[i] = connect_raw(port);
    for (j = 0; j < 16; j++) {
        for (i = 0; i < G_N_ELEMENTS(raw); i++)
            send(raw[i], &"REDQ\2\0\0\0\2\0\0\0\22\0\0\0"[j], 1, MSG_NOSIGNAL);
        turn_for(20);
    }
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 8);
    began = g_get_monotonic_time();
    client_open_tcp(&late, port, NULL);
    WAIT_FOR(late.opened);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 5000000);
    client_close(&late);
    for (i = 0; i < G_N_ELEMENTS(raw); i++)
        close(raw[i]);
    server_stop(&server);
}

/** All channels of a session link at once, from one address, with fewer keys than they are. */
static void test_burst(void)
{
    SpiceListenerLimits limits = spice_listener_default_limits;
    Server server;
    Client clients[50];
    guint16 port;
    guint i;

    limits.n_keys = 1;
    limits.grace_ms = 2000; /* the machine that tests may be slow */
    server_start(&server, &limits);
    port = server_listen(&server, NULL);
    for (i = 0; i < G_N_ELEMENTS(clients); i++)
        client_open_tcp(&clients[i], port, NULL);
    WAIT_FOR(server.n_linked == G_N_ELEMENTS(clients));
    for (i = 0; i < G_N_ELEMENTS(clients); i++) {
        WAIT_FOR(clients[i].opened);
        check_answers(&clients[i], (guint8)i);
        client_close(&clients[i]);
    }
    g_assert_cmpuint(server.n_refused, ==, 0);
    server_stop(&server);
}

/** Inputs channel of session 7. */
static const guint8 hello[] = "REDQ\2\0\0\0\2\0\0\0\22\0\0\0\7\0\0\0\3\0"
                              "\0\0\0\0\0\0\0\0\22\0\0\0";
static void test_time_outs(void)
{
    SpiceListenerLimits limits = spice_listener_default_limits;
    SpiceTlsServer *tls = load_certificate();
    Server server;
    guint16 port, tls_port;
    int silent, silent_tls, slow, spoke;
    gint64 began;

    limits.first_message_ms = 200;
    limits.link_ms = 600;
    server_start(&server, &limits);
    port = server_listen(&server, NULL);
    tls_port = server_listen(&server, tls);
    began = g_get_monotonic_time();
    silent = connect_raw(port);
    silent_tls = connect_raw(tls_port);
    slow = connect_raw(port);
    spoke = connect_raw(port);
    g_assert_cmpint(send(slow, hello, 20, 0), ==, 20);
    g_assert_cmpint(send(spoke, hello, 34, 0), ==, 34);
    WAIT_FOR(is_closed(silent));
    g_assert_cmpint((g_get_monotonic_time() - began) / 1000, >=, 200);
    WAIT_FOR(is_closed(slow));
    WAIT_FOR(is_closed(silent_tls));
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 1);
    g_assert_cmpint((g_get_monotonic_time() - began) / 1000, <, 600);
    WAIT_FOR(is_closed(spoke));
    g_assert_cmpint((g_get_monotonic_time() - began) / 1000, >=, 600);
    close(silent);
    close(silent_tls);
    close(slow);
    close(spoke);
    server_stop(&server);
    spice_tls_server_free(tls);
}

/** Who leaves, or goes on, while waiting for a key is let go. */
static void test_waiting_for_a_key(void)
{
    SpiceListenerLimits limits = spice_listener_default_limits;
    Server server;
    guint16 port;
    int patient, hasty, leaving;
    guint i;

    limits.n_keys = 0; /* there never is one */
    server_start(&server, &limits);
    port = server_listen(&server, NULL);
    patient = connect_raw(port);
    hasty = connect_raw(port);
    leaving = connect_raw(port);
    g_assert_cmpint(send(patient, hello, 34, 0), ==, 34);
    g_assert_cmpint(send(hasty, hello, 34, 0), ==, 34);
    g_assert_cmpint(send(leaving, hello, 34, 0), ==, 34);
    turn_for(50);
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 3);
    close(leaving);
    WAIT_FOR(spice_listener_get_n_links(server.listener) == 2);
    for (i = 0; i < 132; i++)
        g_assert_cmpint(send(hasty, "", 1, 0), ==, 1);
    turn_for(50);
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 2);
    g_assert_cmpint(send(hasty, "", 1, 0), ==, 1);
    WAIT_FOR(is_closed(hasty));
    g_assert_false(is_closed(patient));
    close(patient);
    close(hasty);
    server_stop(&server);
}

/** A message that comes in one piece with the ticket is not lost. */
static void test_message_behind_the_ticket(void)
{
    SpiceLinkClient *link = spice_link_client_new(7, SPICE_CHANNEL_INPUTS, 0, NULL, 0, NULL);
    static const guint8 question[] = {QUESTION, 0, 1, 0, 0, 0, 0x55};
    static const guint8 wanted[] = {0, 0, 0, 0, ANSWER, 0, 1, 0, 0, 0, 0x55}; /* result first */
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    guint8 got[4096];
    gssize n;
    gsize used;
    Server server;
    int raw;

    server_start(&server, NULL);
    raw = connect_raw(server_listen(&server, NULL));
    spice_link_client_start(link, out);
    g_assert_cmpint(send(raw, out->data, out->len, 0), ==, out->len);
    WAIT_FOR((n = recv(raw, got, sizeof got, MSG_DONTWAIT)) > 0);
    g_byte_array_set_size(out, 0);
    g_assert_cmpint(spice_link_client_push(link, got, (gsize)n, &used, out, &error), ==,
                    SPICE_LINK_MORE);
    g_byte_array_append(out, question, sizeof question);
    g_assert_cmpint(send(raw, out->data, out->len, 0), ==, out->len);
    WAIT_FOR(server.n_linked == 1);
    turn_for(20);
    n = recv(raw, got, sizeof got, MSG_DONTWAIT);
    g_assert_cmpmem(got, (gsize)MAX(n, 0), wanted, sizeof wanted);
    close(raw);
    spice_link_client_free(link);
    server_stop(&server);
}

/** Lets the process have no descriptors any more, and then again. */
static void test_shortage_of_descriptors(void)
{
    SpiceListenerLimits limits = spice_listener_default_limits;
    struct rlimit all, few;
    Server server;
    Client client;
    guint16 port;
    int raw, next;

    limits.pause_ms = 100;
    server_start(&server, &limits);
    port = server_listen(&server, NULL);
    client_open_tcp(&client, port, NULL);
    WAIT_FOR(client.opened);
    raw = connect_raw(port);
    next = dup(raw);
    close(next);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &all), ==, 0);
    few = all;
    few.rlim_cur = (rlim_t)next;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    g_assert_cmpuint(turn_for(250), <, 30); /* it does not try again and again */
    check_answers(&client, 3);
    g_assert_cmpuint(spice_listener_get_n_links(server.listener), ==, 0);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &all), ==, 0);
    WAIT_FOR(spice_listener_get_n_links(server.listener) == 1);
    close(raw);
    client_close(&client);
    server_stop(&server);
}

static void remove_folder(void)
{
    static const char *names[] = {"cert.pem", "key.pem"};
    guint i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);

        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    g_autofree char *ca_file = NULL;
    int status;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("spice-listener-XXXXXX", NULL);
    g_assert_nonnull(folder);
    write_certificate();
    client_ca_file = ca_file = g_build_filename(folder, "cert.pem", NULL);
    g_test_add_func("/listener/tcp", test_tcp);
    g_test_add_func("/listener/addresses", test_addresses);
    g_test_add_func("/listener/tls", test_tls);
    g_test_add_func("/listener/unix-socket", test_unix_socket);
    g_test_add_func("/listener/descriptors", test_descriptors);
    g_test_add_func("/listener/wrong-tickets-are-told-later-each-time", test_wrong_ticket);
    g_test_add_func("/listener/right-ticket-beside-wrong-ones", test_right_beside_wrong_ticket);
    g_test_add_func("/listener/what-counts-as-one-address", test_address_keys);
    g_test_add_func("/listener/back-off-doubles-and-is-bounded", test_backoff);
    g_test_add_func("/listener/a-flood-touches-no-channel", test_flood);
    g_test_add_func("/listener/a-trickle-keeps-nobody-out", test_trickle);
    g_test_add_func("/listener/a-burst-links", test_burst);
    g_test_add_func("/listener/time-outs", test_time_outs);
    g_test_add_func("/listener/waiting-for-a-key", test_waiting_for_a_key);
    g_test_add_func("/listener/message-behind-the-ticket", test_message_behind_the_ticket);
    g_test_add_func("/listener/shortage-of-descriptors", test_shortage_of_descriptors);
    status = g_test_run();
    remove_folder();
    return status;
}
