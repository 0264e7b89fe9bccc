/* What the command line means, and what is refused.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib/gstdio.h>

#include "server/serve/options.h"
#include "server/serve/serve-error.h"
#include "tests/unit/tap.h"

/** Reads a line of words, of which '_' stands for a space. */
static gboolean parse(ServeOptions *options, const char *line, GError **error)
{
    char **words = *line ? g_strsplit(line, " ", -1) : g_new0(char *, 1);
    gboolean ok;
    guint i;

    for (i = 0; words[i]; i++)
        g_strdelimit(words[i], "_", *words[i] == '-' ? '_' : ' ');
    ok = serve_options_parse(options, (const char *const *)words, error);
    g_strfreev(words);
    return ok;
}

static void test_defaults(void)
{
    ServeOptions o;

    TAP_OK(parse(&o, "--test", NULL) && o.what == SERVE_TEST && o.port == 5900 &&
               o.tls_port == -1 && strcmp(o.address, "127.0.0.1") == 0 && !o.ticket &&
               o.mouse_modes == GST_SPICE_MOUSE_MODES_BOTH && o.fps == 0 && o.width == 0 &&
               !o.websocket && !o.stats && !o.loop,
           "what is not told");
    serve_options_clear(&o);
    TAP_OK(parse(&o, "--test --unix /tmp/x", NULL) && o.port == -1, "a unix socket alone");
    serve_options_clear(&o);
    TAP_OK(parse(&o, "--test --tls-port 0 --tls-cert c --tls-key k", NULL) && o.port == -1 &&
               o.tls_port == 0,
           "TLS alone");
    serve_options_clear(&o);
}

static void test_values(void)
{
    ServeOptions o;

    TAP_OK(parse(&o,
                 "--x11 :1 -p 7 --tls-port 8 --addr ::1 --unix u --ticket secret --tls-cert c "
                 "--tls-key k --tls-ca a --tls-ciphers HIGH --websocket --websocket-origins o "
                 "--mouse server --fps 25 --title a_title --stats --restore-size",
                 NULL) &&
               o.what == SERVE_X11 && strcmp(o.name, ":1") == 0 && o.port == 7 && o.tls_port == 8 &&
               strcmp(o.address, "::1") == 0 && strcmp(o.unix_path, "u") == 0 &&
               strcmp(o.ticket, "secret") == 0 && strcmp(o.tls_cert, "c") == 0 &&
               strcmp(o.tls_key, "k") == 0 && strcmp(o.tls_ca, "a") == 0 &&
               strcmp(o.tls_ciphers, "HIGH") == 0 && o.websocket &&
               strcmp(o.websocket_origins, "o") == 0 &&
               o.mouse_modes == GST_SPICE_MOUSE_MODES_SERVER && o.fps == 25 &&
               strcmp(o.title, "a title") == 0 && o.stats && o.restore_size,
           "all of an X screen's");
    serve_options_clear(&o);
    TAP_OK(parse(&o, "--file m.avi --loop --size 640x480 --addr any --mouse client", NULL) &&
               o.what == SERVE_FILE && o.loop && o.width == 640 && o.height == 480 && !o.address &&
               o.mouse_modes == GST_SPICE_MOUSE_MODES_CLIENT,
           "a movie");
    serve_options_clear(&o);
    TAP_OK(parse(&o, "--pipeline videotestsrc_!_tee", NULL) && o.what == SERVE_PIPELINE &&
               strcmp(o.name, "videotestsrc ! tee") == 0,
           "a pipeline");
    serve_options_clear(&o);
    TAP_OK(parse(&o, "--help nonsense", NULL) && o.help, "help wins");
    serve_options_clear(&o);
    TAP_OK(parse(&o, "-V", NULL) && o.version, "version");
    serve_options_clear(&o);
}

static const char *const wrong[] = {
    "",
    "--test --x11 :1",
    "--file a --pipeline b",
    "--test word",
    "--nonsense",
    "--x11",
    "--file ",
    "--test --port",
    "--test --port 65536",
    "--test --port -1",
    "--test --port 1x",
    "--test --port ",
    "--test --port 5 --tls-port 5 --tls-cert c --tls-key k",
    "--test --tls-port 5",
    "--test --tls-port 5 --tls-cert c",
    "--test --tls-cert c --tls-key k",
    "--test --tls-ciphers x",
    "--test --addr example.org",
    "--test --addr 1.2.3",
    "--test --ticket ",
    "--test --ticket 0123456789012345678901234567890123456789012345678901234567890",
    "--test --ticket a --ticket-file b",
    "--test --ticket-file /nonexistent/file",
    "--test --mouse both,client",
    "--test --mouse ",
    "--test --fps 0",
    "--test --fps 241",
    "--test --fps x",
    "--test --loop",
    "--test --restore-size",
    "--test --keep-size",
    "--x11 :1 --keep-size --restore-size",
    "--x11 :1 --size 800x600",
    "--pipeline a --size 800x600",
    "--test --size 800",
    "--test --size 800x",
    "--test --size x600",
    "--test --size 800x600x1",
    "--test --size 639x480",
    "--test --size 16385x480",
    "--test --size 16384x16384",
    "--test --websocket-origins a",
};

static void test_refusals(void)
{
    guint i;

    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        ServeOptions o;
        GError *error = NULL;
        const gboolean refused = !parse(&o, wrong[i], &error);

        TAP_OK(refused && error && error->domain == SERVE_ERROR &&
                   error->code == SERVE_ERROR_OPTION && *error->message,
               "'%s': %s", wrong[i], error ? error->message : "accepted");
        if (!refused)
            serve_options_clear(&o);
        g_clear_error(&error);
    }
}

/** A ticket of a file is its first line; one of 60 bytes is good. */
static void test_ticket_file(void)
{
    static const struct {
        const char *text, *ticket;
    } files[] = {
        {"secret", "secret"},
        {"secret\n", "secret"},
        {"secret\r\nmore\n", "secret"},
        {"two words\n", "two words"},
        {"012345678901234567890123456789012345678901234567890123456789\n",
         "012345678901234567890123456789012345678901234567890123456789"},
        {"0123456789012345678901234567890123456789012345678901234567890\n", NULL},
        {"\nsecret\n", NULL},
        {"", NULL},
    };
    char *file = g_build_filename(g_get_tmp_dir(), "spice-serve-ticket-XXXXXX", NULL);
    const int fd = g_mkstemp(file);
    guint i;

    for (i = 0; i < G_N_ELEMENTS(files); i++) {
        const char *const words[] = {"--test", "--ticket-file", file, NULL};
        ServeOptions o;
        gboolean ok = g_file_set_contents(file, files[i].text, -1, NULL) &&
                      serve_options_parse(&o, words, NULL);

        TAP_OK(files[i].ticket ? ok && strcmp(o.ticket, files[i].ticket) == 0 : !ok,
               "ticket of file %u", i);
        if (ok)
            serve_options_clear(&o);
    }
    g_close(fd, NULL);
    g_unlink(file);
    g_free(file);
}

static void test_warnings(void)
{
    static const struct {
        const char *line;
        gboolean warned;
    } lines[] = {
        {"--test", FALSE},
        {"--test --addr localhost", FALSE},
        {"--test --addr ::1", FALSE},
        {"--test --addr 127.3.2.1", FALSE},
        {"--test --unix /tmp/x --addr any", FALSE},
        {"--test --addr any", TRUE},
        {"--test --addr 192.0.2.1", TRUE},
        {"--test --addr 0.0.0.0", TRUE},
        {"--test --addr any --ticket x", TRUE},
        {"--test --addr any --ticket x --tls-port 1 --tls-cert c --tls-key k", FALSE},
        {"--test --addr any --tls-port 1 --tls-cert c --tls-key k", TRUE},
    };
    guint i;

    for (i = 0; i < G_N_ELEMENTS(lines); i++) {
        ServeOptions o;

        TAP_OK(parse(&o, lines[i].line, NULL) &&
                   (serve_options_warning(&o) != NULL) == lines[i].warned,
               "'%s' %s", lines[i].line, lines[i].warned ? "is warned of" : "is fine");
        serve_options_clear(&o);
    }
}

int main(void)
{
    test_defaults();
    test_values();
    test_refusals();
    test_ticket_file();
    test_warnings();
    return tap_done();
}
