/* The command line.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "client/options.h"

#include <glib/gstdio.h>

#include "client/connection.h"
#include "tests/unit/tap.h"
#include "transport/error.h"

static SpiceViewOptions *parse(const char *line, GError **error)
{
    g_autofree char *all = g_strconcat("spice-view ", line, NULL);
    g_auto(GStrv) arguments = g_strsplit(all, " ", -1);

    return spice_view_options_parse(&arguments, error);
}

static void expect_error(const char *line, gint code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SpiceViewOptions) options = parse(line, &error);

    TAP_OK(!options && g_error_matches(error, G_OPTION_ERROR, code), "\"%s\": %s", line,
           error ? error->message : "accepted");
}

static void test_options(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SpiceViewOptions) options = parse("spice://host:5900", &error);

    TAP_OK(options && !error && strcmp(options->uri, "spice://host:5900") == 0 &&
               options->wait_ms == -1 && !options->stats && !options->full_screen &&
               !options->screenshot,
           "a URI alone");
    g_clear_pointer(&options, spice_view_options_free);
    options = parse("--stats -f --title T --ca-file C --host-subject CN=x spice+unix:///a", &error);
    TAP_OK(options && options->stats && options->full_screen && strcmp(options->title, "T") == 0 &&
               strcmp(options->ca_file, "C") == 0 && strcmp(options->host_subject, "CN=x") == 0,
           "options before it");
    g_clear_pointer(&options, spice_view_options_free);
    options = parse("spice://h:1 --screenshot x.png --wait-ms 250", &error);
    TAP_OK(options && strcmp(options->screenshot, "x.png") == 0 && options->wait_ms == 250,
           "options behind it");
    g_clear_pointer(&options, spice_view_options_free);
    options = parse("--version", &error);
    TAP_OK(options && options->version && !options->uri, "the version needs no URI");
    expect_error("--stats", G_OPTION_ERROR_BAD_VALUE);
    expect_error("spice://a spice://b", G_OPTION_ERROR_BAD_VALUE);
    expect_error("--nonsense spice://a", G_OPTION_ERROR_UNKNOWN_OPTION);
    expect_error("--wait-ms 5 spice://a", G_OPTION_ERROR_BAD_VALUE);
    expect_error("--wait-ms x --screenshot f spice://a", G_OPTION_ERROR_BAD_VALUE);
    expect_error("--wait-ms 99999999 --screenshot f spice://a", G_OPTION_ERROR_BAD_VALUE);
    expect_error("--full-screen --screenshot f spice://a", G_OPTION_ERROR_BAD_VALUE);
    expect_error("--password p --password-file f spice://a", G_OPTION_ERROR_BAD_VALUE);
}

static void expect_password(const char *line, const char *expected, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SpiceViewOptions) options = parse(line, NULL);
    g_autofree char *password = spice_view_options_get_password(options, &error);

    TAP_OK(!error && g_strcmp0(password, expected) == 0, "%s", what);
}

static void test_passwords(void)
{
    g_autofree char *folder = g_dir_make_tmp("spice-view-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "ticket", NULL);
    g_autofree char *line = g_strdup_printf("--password-file %s spice://a", path);
    g_autoptr(SpiceViewOptions) options = parse(line, NULL);
    g_autoptr(GError) error = NULL;
    char *missing = spice_view_options_get_password(options, &error);

    TAP_OK(!missing && error, "a file that is not there");
    g_file_set_contents(path, "line one\r\ntwo\n", -1, NULL);
    expect_password(line, "line one", "the first line of a file");
    g_file_set_contents(path, "", -1, NULL);
    g_clear_error(&error);
    missing = spice_view_options_get_password(options, &error);
    TAP_OK(!missing && error, "an empty file");
    g_unsetenv("SPICE_VIEW_PASSWORD");
    expect_password("spice://a", NULL, "none was given");
    g_setenv("SPICE_VIEW_PASSWORD", "from outside", TRUE);
    expect_password("spice://a", "from outside", "the environment's");
    expect_password("--password mine spice://a", "mine", "the option's comes first");
    g_unlink(path);
    g_rmdir(folder);
}

static void test_statuses(void)
{
    static const struct {
        SpiceTransportError code;
        SpiceViewStatus status;
    } known[] = {
        {SPICE_TRANSPORT_ERROR_ADDRESS, SPICE_VIEW_CONNECT},
        {SPICE_TRANSPORT_ERROR_CONNECT, SPICE_VIEW_CONNECT},
        {SPICE_TRANSPORT_ERROR_TLS, SPICE_VIEW_TLS},
        {SPICE_TRANSPORT_ERROR_TIMEOUT, SPICE_VIEW_CONNECT},
        {SPICE_TRANSPORT_ERROR_AUTHENTICATION, SPICE_VIEW_TICKET},
        {SPICE_TRANSPORT_ERROR_UNAVAILABLE, SPICE_VIEW_CONNECT},
        {SPICE_TRANSPORT_ERROR_PROTOCOL, SPICE_VIEW_LOST},
        {SPICE_TRANSPORT_ERROR_CLOSED, SPICE_VIEW_LOST},
        {SPICE_TRANSPORT_ERROR_IDLE, SPICE_VIEW_LOST},
    };
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(known); i++) {
        const GError error = {SPICE_TRANSPORT_ERROR, known[i].code, (char *)""};

        TAP_OK(spice_view_status_of(&error) == known[i].status, "status of error %d",
               known[i].code);
    }
}

int main(void)
{
    test_options();
    test_passwords();
    test_statuses();
    return tap_done();
}
