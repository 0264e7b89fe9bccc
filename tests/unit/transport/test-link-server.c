/* The server's side of the link: against our own client, and what it says to those that are wrong.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/wire/channel.h"
#include "transport/error.h"
#include "transport/link-client.h"
#include "transport/link-server.h"
#include "transport/ticket.h"
#include "transport/tls.h"

/* Tickets */

static gboolean check(const SpiceTicket *ticket, const char *text, gsize size, gint64 now)
{
    return spice_ticket_check(ticket, (const guint8 *)text, size, now);
}

static void test_ticket(void)
{
    SpiceTicket ticket = {0};
    char longest[SPICE_MAX_PASSWORD_LENGTH + 2] = {0};

    g_assert_true(check(&ticket, "", 1, 0)); /* none is required */
    g_assert_true(spice_ticket_set(&ticket, "secret", 0, 100));
    g_assert_true(check(&ticket, "secret", 7, 1e9));
    g_assert_true(check(&ticket, "secret", 6, 0));        /* without its NUL */
    g_assert_true(check(&ticket, "secret\0junk", 11, 0)); /* what follows does not count */
    g_assert_false(check(&ticket, "secret ", 8, 0));
    g_assert_false(check(&ticket, "secre", 6, 0));
    g_assert_false(check(&ticket, "", 1, 0));
    g_assert_false(check(&ticket, "", 0, 0));

    g_assert_true(spice_ticket_set(&ticket, "secret", 2, 100));
    g_assert_true(check(&ticket, "secret", 7, 102));
    g_assert_false(check(&ticket, "secret", 7, 103));

    g_assert_true(spice_ticket_set(&ticket, NULL, 0, 0)); /* locked */
    g_assert_false(check(&ticket, "", 1, 0));
    g_assert_false(check(&ticket, "secret", 7, 0));
    g_assert_true(spice_ticket_set(&ticket, "", 0, 0));
    g_assert_false(check(&ticket, "", 1, 0));

    memset(longest, 'x', SPICE_MAX_PASSWORD_LENGTH + 1);
    g_assert_false(spice_ticket_set(&ticket, longest, 0, 0));
    longest[SPICE_MAX_PASSWORD_LENGTH] = 0;
    g_assert_true(spice_ticket_set(&ticket, longest, 0, 0));
    g_assert_true(check(&ticket, longest, SPICE_MAX_PASSWORD_LENGTH + 1, 0));
    longest[SPICE_MAX_PASSWORD_LENGTH] = 'x'; /* one more than any ticket */
    g_assert_false(check(&ticket, longest, SPICE_MAX_PASSWORD_LENGTH + 2, 0));
}

/* The link */

typedef struct {
    SpiceTicket ticket;
    guint n_admitted;
} Policy;

static SpiceLinkError check_channel(const SpiceLinkRequest *request, gboolean *exists,
                                    gpointer user_data)
{
    *exists = request->channel_type <= SPICE_CHANNEL_INPUTS;
    return request->channel_type == SPICE_CHANNEL_INPUTS ? SPICE_LINK_ERR_NEED_SECURED
                                                         : SPICE_LINK_ERR_OK;
}

static SpiceCaps get_caps(guint8 channel_type, gpointer user_data)
{
    static guint32 words[] = {0x1052};

    return channel_type == SPICE_CHANNEL_DISPLAY ? (SpiceCaps){1, words} : (SpiceCaps){0};
}

static gboolean check_ticket(const guint8 *block, gsize size, gpointer user_data)
{
    return spice_ticket_check(&((Policy *)user_data)->ticket, block, size, 0);
}

static SpiceLinkError admit(const SpiceLinkRequest *request, gpointer user_data)
{
    ((Policy *)user_data)->n_admitted++;
    return request->channel_type != SPICE_CHANNEL_MAIN && request->connection_id != 77
               ? SPICE_LINK_ERR_BAD_CONNECTION_ID
               : SPICE_LINK_ERR_OK;
}

static const SpiceLinkServerPolicy policy = {check_channel, get_caps, check_ticket, admit};

/** Hands bytes to the server in pieces; gives it a key when it wants one. Takes them from `in`. */
static SpiceLinkServerStep serve(SpiceLinkServer *server, GByteArray *in, gsize piece,
                                 GByteArray *out)
{
    SpiceLinkServerStep step = SPICE_LINK_SERVER_MORE;

    while (in->len > 0 || step == SPICE_LINK_SERVER_WANT_KEY) {
        gsize used;

        step = spice_link_server_push(server, in->data, MIN(piece, in->len), &used, out);
        if (used)
            g_byte_array_remove_range(in, 0, (guint)used);
        if (step == SPICE_LINK_SERVER_WANT_KEY)
            spice_link_server_set_key(server, spice_link_key_new());
        else if (step != SPICE_LINK_SERVER_MORE)
            break;
    }
    return step;
}

/** Links our client to our server. The client's error code, or -1; *step is the server's last. */
static gint link_pair(Policy *user_data, guint32 connection_id, guint8 type, const char *password,
                      gsize piece, SpiceLinkServerStep *step)
{
    SpiceLinkClient *client = spice_link_client_new(connection_id, type, 0, NULL, 0, password);
    SpiceLinkServer *server = spice_link_server_new(&policy, user_data);
    g_autoptr(GByteArray) to_server = g_byte_array_new();
    g_autoptr(GByteArray) to_client = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    SpiceLinkStep client_step = SPICE_LINK_MORE;
    gint code = -1;

    spice_link_client_start(client, to_server);
    do {
        gsize used = 0;

        *step = serve(server, to_server, piece, to_client);
        if (to_client->len == 0)
            break;
        client_step = spice_link_client_push(client, to_client->data, to_client->len, &used,
                                             to_server, &error);
        g_byte_array_set_size(to_client, 0);
    } while (client_step == SPICE_LINK_MORE);
    if (client_step == SPICE_LINK_FAILED)
        code = error->code;
    if (client_step == SPICE_LINK_DONE) {
        g_assert_true(spice_link_client_uses_mini_header(client));
        g_assert_true(spice_link_server_get_request(server)->mini_header);
        g_assert_cmpint(spice_link_client_peer_has(client, 12), ==, type == SPICE_CHANNEL_DISPLAY);
    }
    spice_link_client_free(client);
    spice_link_server_free(server);
    return code;
}

static void test_links(void)
{
    Policy user_data = {0};
    SpiceLinkServerStep step;
    gsize piece;

    for (piece = 1; piece < 200; piece += 13) {
        g_assert_cmpint(link_pair(&user_data, 0, SPICE_CHANNEL_MAIN, NULL, piece, &step), ==, -1);
        g_assert_cmpint(step, ==, SPICE_LINK_SERVER_DONE);
    }
    g_assert_cmpint(link_pair(&user_data, 77, SPICE_CHANNEL_DISPLAY, NULL, 999, &step), ==, -1);
    spice_ticket_set(&user_data.ticket, "secret", 0, 0);
    g_assert_cmpint(link_pair(&user_data, 0, SPICE_CHANNEL_MAIN, "secret", 999, &step), ==, -1);
    g_assert_cmpint(step, ==, SPICE_LINK_SERVER_DONE);
}

static void test_refused_links(void)
{
    Policy user_data = {0};
    SpiceLinkServerStep step;

    spice_ticket_set(&user_data.ticket, "secret", 0, 0);
    g_assert_cmpint(link_pair(&user_data, 0, SPICE_CHANNEL_MAIN, "guess", 999, &step), ==,
                    SPICE_TRANSPORT_ERROR_AUTHENTICATION);
    g_assert_cmpint(step, ==, SPICE_LINK_SERVER_DENIED);
    g_assert_cmpuint(user_data.n_admitted, ==, 0);
    g_assert_cmpint(link_pair(&user_data, 3, SPICE_CHANNEL_DISPLAY, "secret", 999, &step), ==,
                    SPICE_TRANSPORT_ERROR_HANDSHAKE); /* no such session */
    g_assert_cmpint(step, ==, SPICE_LINK_SERVER_FAILED);
    g_assert_cmpint(link_pair(&user_data, 77, SPICE_CHANNEL_INPUTS, "secret", 999, &step), ==,
                    SPICE_TRANSPORT_ERROR_NEED_SECURED);
    /* No such channel: not a word. */
    g_assert_cmpint(link_pair(&user_data, 77, SPICE_CHANNEL_RECORD, "secret", 999, &step), ==, -1);
    g_assert_cmpint(step, ==, SPICE_LINK_SERVER_FAILED);
}

/** What the server answers to `bytes`: its error code, or G_MAXUINT for silence. */
static guint answer_to(const guint8 *bytes, gsize size)
{
    Policy user_data = {0};
    SpiceLinkServer *server = spice_link_server_new(&policy, &user_data);
    g_autoptr(GByteArray) in = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint code = G_MAXUINT;

    g_byte_array_append(in, bytes, (guint)size);
    g_assert_cmpint(serve(server, in, 7, out), ==, SPICE_LINK_SERVER_FAILED);
    if (out->len > 0) {
        g_assert_cmpuint(out->len, ==, SPICE_LINK_HEADER_SIZE + SPICE_LINK_REPLY_SIZE);
        g_assert_cmpint(memcmp(out->data, "REDQ", 4), ==, 0);
        code = out->data[SPICE_LINK_HEADER_SIZE];
    }
    spice_link_server_free(server);
    return code;
}

static void test_malformed_links(void)
{
    guint8 hello[] = "REDQ\2\0\0\0\2\0\0\0\22\0\0\0" /* 18 bytes follow */
                     "\0\0\0\0\1\0\0\0\0\0\0\0\0\0\22\0\0\0";

    hello[0] = 'G';
    g_assert_cmpuint(answer_to(hello, 34), ==, SPICE_LINK_ERR_INVALID_MAGIC);
    hello[0] = 'R';
    hello[4] = 3;
    g_assert_cmpuint(answer_to(hello, 34), ==, SPICE_LINK_ERR_VERSION_MISMATCH);
    hello[4] = 0;
    g_assert_cmpuint(answer_to(hello, 34), ==, G_MAXUINT);
    hello[4] = 2;
    hello[12] = 17;
    g_assert_cmpuint(answer_to(hello, 34), ==, SPICE_LINK_ERR_INVALID_DATA);
    hello[12] = 1;
    hello[13] = 16; /* 4097 */
    g_assert_cmpuint(answer_to(hello, 34), ==, SPICE_LINK_ERR_INVALID_DATA);
    hello[12] = 18;
    hello[13] = 0;
    hello[22] = 1; /* a word of capabilities that is not there */
    g_assert_cmpuint(answer_to(hello, 34), ==, SPICE_LINK_ERR_INVALID_DATA);
}

static void test_sasl_is_refused(void)
{
    static const guint8 hello[] =
        "REDQ\2\0\0\0\2\0\0\0\26\0\0\0"                 /* 22 bytes follow */
        "\0\0\0\0\1\0\1\0\0\0\0\0\0\0\22\0\0\0\5\0\0\0" /* auth selection, SASL */
        "\2\0\0\0";
    Policy user_data = {0};
    SpiceLinkServer *server = spice_link_server_new(&policy, &user_data);
    g_autoptr(GByteArray) in = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();

    spice_ticket_set(&user_data.ticket, "secret", 0, 0);
    g_byte_array_append(in, hello, sizeof hello - 1);
    g_assert_cmpint(serve(server, in, 99, out), ==, SPICE_LINK_SERVER_FAILED);
    g_assert_cmpuint(user_data.n_admitted, ==, 0);
    spice_link_server_free(server);
}

/* SASL, with a stand-in for its mechanisms */

static gboolean wants_sasl(gpointer user_data)
{
    return TRUE;
}

static void append_words(GByteArray *bytes, guint32 first, const char *text, gsize size)
{
    first = GUINT32_TO_LE(first);
    g_byte_array_append(bytes, (const guint8 *)&first, sizeof first);
    g_byte_array_append(bytes, (const guint8 *)text, (guint)size);
}

/** A link that has come as far as the list of mechanisms. */
static SpiceLinkServer *begin_sasl(Policy *user_data, GByteArray *out)
{
    static const guint8 hello[] =
        "REDQ\2\0\0\0\2\0\0\0\26\0\0\0"
        "\0\0\0\0\1\0\1\0\0\0\0\0\0\0\22\0\0\0\5\0\0\0" /* auth selection, SASL */
        "\2\0\0\0";
    static SpiceLinkServerPolicy by_sasl;
    SpiceLinkServer *server;
    gsize used;

    by_sasl = policy;
    by_sasl.wants_sasl = wants_sasl;
    spice_ticket_set(&user_data->ticket, NULL, 0, 0); /* which does not matter */
    server = spice_link_server_new(&by_sasl, user_data);
    g_assert_cmpint(spice_link_server_push(server, hello, sizeof hello - 1, &used, out), ==,
                    SPICE_LINK_SERVER_WANT_SASL);
    g_assert_cmpuint(used, ==, sizeof hello - 1);
    g_byte_array_set_size(out, 0);
    spice_link_server_set_sasl_mechanisms(server, ",ONE,TWO,", out);
    g_assert_cmpuint(out->len, ==, 4 + 9);
    g_assert_cmpint(memcmp(out->data, "\11\0\0\0,ONE,TWO,", 13), ==, 0);
    g_byte_array_set_size(out, 0);
    return server;
}

static SpiceLinkServerStep say(SpiceLinkServer *server, guint32 first, const char *text, gsize size,
                               GByteArray *out)
{
    g_autoptr(GByteArray) in = g_byte_array_new();
    gsize used;

    append_words(in, first, text, size);
    return spice_link_server_push(server, in->data, in->len, &used, out);
}

static void test_sasl_exchange(void)
{
    Policy user_data = {0};
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GBytes) challenge = g_bytes_new_static("why?", 4);
    SpiceLinkServer *server = begin_sasl(&user_data, out);
    SpiceSaslAnswer answer = {SPICE_SASL_MORE, challenge};

    g_assert_cmpint(say(server, 3, "TWO", 3, out), ==, SPICE_LINK_SERVER_MORE);
    g_assert_cmpint(say(server, 0, "", 0, out), ==, SPICE_LINK_SERVER_SASL_STEP);
    g_assert_cmpstr(spice_link_server_get_sasl_mechanism(server), ==, "TWO");
    g_assert_null(spice_link_server_get_sasl_data(server)); /* nothing */
    g_assert_cmpint(spice_link_server_answer_sasl(server, &answer, out), ==,
                    SPICE_LINK_SERVER_MORE);
    g_assert_cmpuint(out->len, ==, 10);
    g_assert_cmpint(memcmp(out->data, "\5\0\0\0why?\0\0", 10), ==, 0);

    g_byte_array_set_size(out, 0);
    g_assert_cmpint(say(server, 1, "", 1, out), ==, SPICE_LINK_SERVER_SASL_STEP);
    g_assert_null(spice_link_server_get_sasl_mechanism(server));
    g_assert_cmpuint(g_bytes_get_size(spice_link_server_get_sasl_data(server)), ==, 0); /* empty */
    answer = (SpiceSaslAnswer){SPICE_SASL_DONE, NULL};
    g_assert_cmpint(spice_link_server_answer_sasl(server, &answer, out), ==,
                    SPICE_LINK_SERVER_SASL_DONE);
    g_assert_cmpuint(out->len, ==, 9);
    g_assert_cmpint(memcmp(out->data, "\0\0\0\0\1\0\0\0\0", 9), ==, 0);
    g_assert_cmpuint(user_data.n_admitted, ==, 0);
    g_byte_array_set_size(out, 0);
    g_assert_cmpint(spice_link_server_finish_sasl(server, out), ==, SPICE_LINK_SERVER_DONE);
    g_assert_cmpuint(out->len, ==, 4);
    g_assert_cmpuint(user_data.n_admitted, ==, 1);
    spice_link_server_free(server);
}

static void test_sasl_goes_wrong(void)
{
    static const struct {
        guint32 size;
        const char *text;
    } names[] = {{0, ""},      {101, ""},  {5, "THREE"},    {7, "ONE,TWO"},
                 {4, "ONE\0"}, {3, "one"}, {0xffffffff, ""}};
    Policy user_data = {0};
    g_autoptr(GByteArray) out = g_byte_array_new();
    SpiceSaslAnswer answer = {SPICE_SASL_FAILED, NULL};
    SpiceLinkServer *server;
    SpiceLinkServerStep step = SPICE_LINK_SERVER_MORE;
    guint i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        server = begin_sasl(&user_data, out);
        g_assert_cmpint(
            say(server, names[i].size, names[i].text, strlen(names[i].text) + (i == 4), out), ==,
            SPICE_LINK_SERVER_FAILED);
        spice_link_server_free(server);
    }
    /* more data than anybody has to say */
    server = begin_sasl(&user_data, out);
    say(server, 3, "ONE", 3, out);
    g_assert_cmpint(say(server, 64 * 1024 + 1, "", 0, out), ==, SPICE_LINK_SERVER_FAILED);
    spice_link_server_free(server);
    /* the mechanism says no */
    server = begin_sasl(&user_data, out);
    say(server, 3, "ONE", 3, out);
    say(server, 0, "", 0, out);
    g_assert_cmpint(spice_link_server_answer_sasl(server, &answer, out), ==,
                    SPICE_LINK_SERVER_DENIED);
    spice_link_server_free(server);
    /* it comes to no end */
    server = begin_sasl(&user_data, out);
    say(server, 3, "ONE", 3, out);
    answer.outcome = SPICE_SASL_MORE;
    for (i = 0; step == SPICE_LINK_SERVER_MORE && i < 100; i++) {
        step = say(server, 1, "", 1, out);
        if (step == SPICE_LINK_SERVER_SASL_STEP)
            step = spice_link_server_answer_sasl(server, &answer, out);
    }
    g_assert_cmpint(step, ==, SPICE_LINK_SERVER_FAILED);
    g_assert_cmpuint(i, <, 30);
    spice_link_server_free(server);
    g_assert_cmpuint(user_data.n_admitted, ==, 0);
}

/** Where users have passwords of their own, the ticket opens nothing. */
static void test_no_ticket_where_sasl_is_wanted(void)
{
    static const char *const hellos[] = {
        "\0\0\0\0\1\0\1\0\0\0\0\0\0\0\22\0\0\0\3\0\0\0\1\0\0\0", /* the ticket, please */
        "\0\0\0\0\1\0\1\0\0\0\0\0\0\0\22\0\0\0\2\0\0\0",         /* at once */
    };
    static const guint sizes[] = {26, 22};
    SpiceLinkServerPolicy by_sasl = policy;
    Policy user_data = {0};
    guint i;

    by_sasl.wants_sasl = wants_sasl;
    for (i = 0; i < G_N_ELEMENTS(hellos); i++) {
        SpiceLinkServer *server = spice_link_server_new(&by_sasl, &user_data);
        g_autoptr(GByteArray) in = g_byte_array_new(), out = g_byte_array_new();

        g_byte_array_append(in, (const guint8 *)"REDQ\2\0\0\0\2\0\0\0\26\0\0\0", 16);
        g_byte_array_append(in, (const guint8 *)hellos[i], sizes[i]);
        g_assert_cmpint(serve(server, in, 99, out), ==, SPICE_LINK_SERVER_FAILED);
        spice_link_server_free(server);
    }
    g_assert_cmpuint(user_data.n_admitted, ==, 0);
}

/* Keys */

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static void test_keys_are_single_use_and_made_ahead(void)
{
    SpiceLinkKeys *keys = spice_link_keys_new(2);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    guint8 seen[4][SPICE_TICKET_PUBKEY_BYTES];
    guint i, j;

    spice_link_keys_set_ready(keys, NULL, quit, loop);
    for (i = 0; i < 4; i++) {
        SpiceLinkKey *key;

        while (!(key = spice_link_keys_take(keys)))
            g_main_loop_run(loop);
        memcpy(seen[i], key->der, sizeof seen[i]);
        for (j = 0; j < i; j++)
            g_assert_cmpint(memcmp(seen[i], seen[j], sizeof seen[i]), !=, 0);
        spice_link_key_free(key);
    }
    spice_link_keys_free(keys);
    g_main_loop_unref(loop);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ticket/only-the-password-is-good-and-only-in-time", test_ticket);
    g_test_add_func("/link-server/client-links", test_links);
    g_test_add_func("/link-server/each-refusal-is-told", test_refused_links);
    g_test_add_func("/link-server/malformed-hellos", test_malformed_links);
    g_test_add_func("/link-server/sasl-is-refused", test_sasl_is_refused);
    g_test_add_func("/link-server/sasl/exchange", test_sasl_exchange);
    g_test_add_func("/link-server/sasl/goes-wrong", test_sasl_goes_wrong);
    g_test_add_func("/link-server/sasl/no-ticket", test_no_ticket_where_sasl_is_wanted);
    g_test_add_func("/link-keys/single-use", test_keys_are_single_use_and_made_ahead);
    return g_test_run();
}
