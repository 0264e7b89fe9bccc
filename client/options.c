/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_WAIT_MS = 3600000 };

static const char description[] =
    "URI is spice://HOST:PORT, spice+tls://HOST:PORT or spice+unix:///PATH.\n"
    "\n"
    "Shift+F12, or Ctrl and Alt pressed together, sets a captured pointer free; F11 switches\n"
    "between full screen and window.\n"
    "\n"
    "Exit status: 0 success, 1 failure, 2 wrong options, 3 not connected, 4 ticket refused,\n"
    "5 TLS failed, 6 session lost.";

static gboolean fail(GError **error, const char *text)
{
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return FALSE;
}

static gboolean check(const SpiceViewOptions *options, char **rest, GError **error)
{
    guint n = rest ? g_strv_length(rest) : 0;

    if (options->version)
        return TRUE;
    if (n == 0)
        return fail(error, "the URI of a server is needed");
    if (n > 1)
        return fail(error, "one URI is enough");
    if (options->wait_ms < -1 || options->wait_ms > MAX_WAIT_MS)
        return fail(error, "--wait-ms is from 0 to 3600000");
    if (options->wait_ms >= 0 && !options->screenshot)
        return fail(error, "--wait-ms goes with --screenshot");
    if (options->screenshot && options->full_screen)
        return fail(error, "--screenshot opens no window that could be full screen");
    if (!!options->password + !!options->password_file + options->ask_password > 1)
        return fail(error, "one of --password, --password-file and --ask-password is enough");
    return TRUE;
}

SpiceViewOptions *spice_view_options_parse(char ***arguments, GError **error)
{
    g_autoptr(SpiceViewOptions) options = g_new0(SpiceViewOptions, 1);
    g_auto(GStrv) rest = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("URI - show a SPICE desktop");
    const GOptionEntry entries[] = {
        {"full-screen", 'f', 0, G_OPTION_ARG_NONE, &options->full_screen, "Open on the full screen",
         NULL},
        {"title", 't', 0, G_OPTION_ARG_STRING, &options->title,
         "Title of the window (default: the machine's name)", "TEXT"},
        {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file,
         "Trusted certificates, PEM (default: the system's)", "FILE"},
        {"host-subject", 0, 0, G_OPTION_ARG_STRING, &options->host_subject,
         "Subject that the certificate must have, instead of the host's name", "SUBJECT"},
        {"username", 'u', 0, G_OPTION_ARG_STRING, &options->username,
         "Who you are, for servers that ask for users (SASL)", "NAME"},
        {"ask-password", 0, 0, G_OPTION_ARG_NONE, &options->ask_password,
         "Ask for the ticket on the terminal", NULL},
        {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &options->password_file,
         "Read the ticket from the first line of FILE (-: standard input)", "FILE"},
        {"password", 0, 0, G_OPTION_ARG_STRING, &options->password,
         "The ticket; others on this machine can read it", "TEXT"},
        {"screenshot", 0, 0, G_OPTION_ARG_FILENAME, &options->screenshot,
         "Write the picture as PNG and end; opens no window", "FILE"},
        {"wait-ms", 0, 0, G_OPTION_ARG_INT, &options->wait_ms,
         "Take the screenshot so long after the first picture", "N"},
        {"stats", 0, 0, G_OPTION_ARG_NONE, &options->stats, "Print a line of figures each second",
         NULL},
        {"spice-disable-audio", 0, 0, G_OPTION_ARG_NONE, &options->no_audio,
         "Neither play the guest's sound nor give it the microphone", NULL},
        {"spice-disable-record", 0, 0, G_OPTION_ARG_NONE, &options->no_record,
         "Do not give the guest the microphone", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {NULL},
    };

    options->wait_ms = -1;
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_description(context, description);
    if (!g_option_context_parse_strv(context, arguments, error) || !check(options, rest, error))
        return NULL;
    options->uri = rest ? g_strdup(rest[0]) : NULL;
    return g_steal_pointer(&options);
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void spice_view_options_free(SpiceViewOptions *options)
{
    if (!options)
        return;
    forget(options->password);
    g_free(options->uri);
    g_free(options->username);
    g_free(options->title);
    g_free(options->ca_file);
    g_free(options->host_subject);
    g_free(options->password_file);
    g_free(options->screenshot);
    g_free(options);
}

/* The ticket */

/** The first line of `stream`, without its end. A ticket has at most 60 characters: what is much
 * longer than that is cut, and the server says no. */
static char *read_line(FILE *stream)
{
    char line[256];

    if (!fgets(line, sizeof line, stream))
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return g_strdup(line);
}

static char *read_password_file(const char *path, GError **error)
{
    gboolean standard_input = strcmp(path, "-") == 0;
    FILE *stream = standard_input ? stdin : fopen(path, "r");
    char *password = NULL;

    if (stream) {
        errno = 0;
        password = read_line(stream);
    }
    if (!password)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no ticket could be read from %s%s%s",
                    standard_input ? "standard input" : path, errno ? ": " : "",
                    errno ? g_strerror(errno) : "");
    if (stream && !standard_input)
        fclose(stream);
    return password;
}

static char *ask_password(GError **error)
{
    FILE *terminal = fopen("/dev/tty", "r+");
    struct termios before, silent;
    char *password = NULL;

    if (terminal && tcgetattr(fileno(terminal), &before) == 0) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        fputs("Ticket: ", terminal);
        fflush(terminal);
        tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
        password = read_line(terminal);
        tcsetattr(fileno(terminal), TCSAFLUSH, &before);
        fputc('\n', terminal);
    }
    if (terminal)
        fclose(terminal);
    if (!password)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "there is no terminal to ask for the ticket");
    return password;
}

char *spice_view_options_get_password(const SpiceViewOptions *options, GError **error)
{
    if (options->password)
        return g_strdup(options->password);
    if (options->password_file)
        return read_password_file(options->password_file, error);
    if (options->ask_password)
        return ask_password(error);
    return g_strdup(g_getenv("SPICE_VIEW_PASSWORD"));
}
