/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <gio/gio.h>
#include <string.h>

#include "core/display/desktop-damage.h"
#include "serve-error.h"
#include "test-desktop.h"

enum { DEFAULT_PORT = 5900, MAX_FPS = 240 };
enum { TICKET_BYTES = 60 };

/** As they stand on the command line. */
typedef struct {
    gboolean help, version, test, loop, keep_size, restore_size, websocket, sasl, stats;
    char *x11, *file, *pipeline;
    char *size, *fps, *port, *tls_port, *address, *unix_path, *ticket, *ticket_file;
    char *tls_cert, *tls_key, *tls_ca, *tls_ciphers, *origins, *mouse, *compression, *streaming,
        *codecs, *title, *stats_socket;
    char **rest;
} Given;

static void given_clear(Given *given)
{
    char **const texts[] = {
        &given->x11,       &given->file,        &given->pipeline,    &given->size,
        &given->fps,       &given->port,        &given->tls_port,    &given->address,
        &given->unix_path, &given->ticket,      &given->ticket_file, &given->tls_cert,
        &given->tls_key,   &given->tls_ca,      &given->tls_ciphers, &given->origins,
        &given->mouse,     &given->compression, &given->streaming,   &given->codecs,
        &given->title,     &given->stats_socket};
    guint i;

    for (i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(*texts[i]);
    g_strfreev(given->rest);
}

static GOptionContext *make_context(Given *given)
{
    const GOptionEntry entries[] = {
        {"x11", 'x', 0, G_OPTION_ARG_STRING, &given->x11, "Share an X screen, with its input",
         "DISPLAY"},
        {"file", 'f', 0, G_OPTION_ARG_FILENAME, &given->file, "Share a movie (a file or URI)",
         "MOVIE"},
        {"test", 't', 0, G_OPTION_ARG_NONE, &given->test, "Share a desktop made by code", NULL},
        {"pipeline", 0, 0, G_OPTION_ARG_STRING, &given->pipeline,
         "Share the raw video that a pipeline, as for gst-launch-1.0, ends in", "TEXT"},
        {"size", 's', 0, G_OPTION_ARG_STRING, &given->size,
         "Size of the desktop of --file (else 1280x720) or --test (else 1280x800)", "WxH"},
        {"fps", 0, 0, G_OPTION_ARG_STRING, &given->fps,
         "Most frames a second (else 30; of --file and --pipeline as they come)", "N"},
        {"loop", 0, 0, G_OPTION_ARG_NONE, &given->loop, "Begin the movie again at its end", NULL},
        {"keep-size", 0, 0, G_OPTION_ARG_NONE, &given->keep_size,
         "Do not let clients change the size of the X screen", NULL},
        {"restore-size", 0, 0, G_OPTION_ARG_NONE, &given->restore_size,
         "Give the X screen its size back at the end", NULL},

        {"port", 'p', 0, G_OPTION_ARG_STRING, &given->port,
         "Listen on a TCP port (0: any; else 5900, if no other way is named)", "PORT"},
        {"tls-port", 0, 0, G_OPTION_ARG_STRING, &given->tls_port, "Listen for TLS on a TCP port",
         "PORT"},
        {"addr", 0, 0, G_OPTION_ARG_STRING, &given->address,
         "Listen on this address (else 127.0.0.1; any: on all)", "ADDRESS"},
        {"unix", 0, 0, G_OPTION_ARG_FILENAME, &given->unix_path, "Listen on a unix socket", "PATH"},
        {"ticket", 0, 0, G_OPTION_ARG_STRING, &given->ticket,
         "Password, which others on this machine can see", "TEXT"},
        {"ticket-file", 0, 0, G_OPTION_ARG_FILENAME, &given->ticket_file,
         "File whose first line is the password", "FILE"},
        {"tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &given->tls_cert, "Certificate (PEM)", "FILE"},
        {"tls-key", 0, 0, G_OPTION_ARG_FILENAME, &given->tls_key, "Its private key (PEM)", "FILE"},
        {"tls-ca", 0, 0, G_OPTION_ARG_FILENAME, &given->tls_ca,
         "Certificates of authorities (PEM) that are sent along", "FILE"},
        {"tls-ciphers", 0, 0, G_OPTION_ARG_STRING, &given->tls_ciphers,
         "Ciphers, as OpenSSL names them", "LIST"},
        {"sasl", 0, 0, G_OPTION_ARG_NONE, &given->sasl,
         "Ask for user name and password by SASL (spice.conf)", NULL},
        {"websocket", 0, 0, G_OPTION_ARG_NONE, &given->websocket, "Let browsers connect", NULL},
        {"websocket-origins", 0, 0, G_OPTION_ARG_STRING, &given->origins,
         "Pages that may connect, beside those of this host", "LIST"},
        {"mouse", 0, 0, G_OPTION_ARG_STRING, &given->mouse,
         "Whether clients tell places, motion, or either (both)", "client|server|both"},
        {"image-compression", 0, 0, G_OPTION_ARG_STRING, &given->compression,
         "How images are sent (adaptive)", "adaptive|off|auto-glz|auto-lz|quic|glz|lz|lz4"},
        {"streaming-video", 0, 0, G_OPTION_ARG_STRING, &given->streaming,
         "What is sent as video: film, all that moves, or nothing (filter)", "filter|all|off"},
        {"video-codecs", 0, 0, G_OPTION_ARG_STRING, &given->codecs,
         "Codecs of video, the best first (" GST_SPICE_DEFAULT_VIDEO_CODECS ")", "LIST"},
        {"title", 0, 0, G_OPTION_ARG_STRING, &given->title, "Name that clients show", "TEXT"},
        {"stats-socket", 0, 0, G_OPTION_ARG_FILENAME, &given->stats_socket,
         "Tell what goes on as JSON at a unix socket", "PATH"},
        {"stats", 0, 0, G_OPTION_ARG_NONE, &given->stats, "Tell what goes on, every second", NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &given->help, "Print this", NULL},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &given->version, "Print the version", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &given->rest, NULL, NULL},
        {NULL},
    };
    GOptionContext *context = g_option_context_new("- share a desktop by SPICE");

    g_option_context_set_help_enabled(context, FALSE); /* it would end the process */
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_description(
        context, "Exit status: 0 at the end or by SIGINT or SIGTERM, 2 wrong options, 3 cannot "
                 "listen,\n4 nothing to be shared, 5 what was shared broke.\n");
    return context;
}

char *serve_options_help(void)
{
    Given given = {0};
    GOptionContext *context = make_context(&given);
    char *text = g_option_context_get_help(context, TRUE, NULL);

    g_option_context_free(context);
    return text;
}

/* Values */

G_GNUC_PRINTF(2, 3) static gboolean refuse(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error,
                      g_error_new_valist(SERVE_ERROR, SERVE_ERROR_OPTION, format, arguments));
    va_end(arguments);
    return FALSE;
}

static gboolean parse_number(const char *option, const char *text, guint least, guint most,
                             guint *number, GError **error)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, least, most, &value, NULL))
        return refuse(error, "%s takes a number from %u to %u, not '%s'", option, least, most,
                      text);
    *number = (guint)value;
    return TRUE;
}

static gboolean parse_port(const char *option, const char *text, gint *port, GError **error)
{
    guint number = 0;

    *port = -1;
    if (!text)
        return TRUE;
    if (!parse_number(option, text, 0, 65535, &number, error))
        return FALSE;
    *port = (gint)number;
    return TRUE;
}

static gboolean parse_size(ServeOptions *self, const char *text, GError **error)
{
    char **sides = g_strsplit(text, "x", 3);
    const gboolean ok = g_strv_length(sides) == 2 &&
                        parse_number("--size", sides[0], TEST_DESKTOP_MIN_WIDTH,
                                     SPICE_MAX_DESKTOP_SIDE, &self->width, NULL) &&
                        parse_number("--size", sides[1], TEST_DESKTOP_MIN_HEIGHT,
                                     SPICE_MAX_DESKTOP_SIDE, &self->height, NULL) &&
                        (guint64)self->width * self->height <= 64 << 20;

    g_strfreev(sides);
    if (!ok)
        return refuse(error, "--size takes a size like 1280x800, of %ux%u at least, not '%s'",
                      (guint)TEST_DESKTOP_MIN_WIDTH, (guint)TEST_DESKTOP_MIN_HEIGHT, text);
    return TRUE;
}

static gboolean parse_mouse(ServeOptions *self, const char *text, GError **error)
{
    self->mouse_modes = GST_SPICE_MOUSE_MODES_BOTH;
    if (!text || strcmp(text, "both") == 0)
        return TRUE;
    if (strcmp(text, "client") == 0)
        self->mouse_modes = GST_SPICE_MOUSE_MODES_CLIENT;
    else if (strcmp(text, "server") == 0)
        self->mouse_modes = GST_SPICE_MOUSE_MODES_SERVER;
    else
        return refuse(error, "--mouse takes client, server or both, not '%s'", text);
    return TRUE;
}

static gboolean parse_compression(ServeOptions *self, const Given *given, GError **error)
{
    GEnumClass *modes = g_type_class_ref(GST_SPICE_TYPE_IMAGE_COMPRESSION);
    const GEnumValue *mode =
        g_enum_get_value_by_nick(modes, given->compression ? given->compression : "adaptive");

    if (mode)
        self->compression = (GstSpiceImageCompression)mode->value;
    g_type_class_unref(modes);
    return mode || refuse(error, "--image-compression knows no '%s'", given->compression);
}

static gboolean parse_streaming(ServeOptions *self, const Given *given, GError **error)
{
    const char *text = given->streaming;
    GstSpiceVideoCodecs codecs;

    self->streaming = GST_SPICE_STREAMING_VIDEO_FILTER;
    if (g_strcmp0(text, "off") == 0)
        self->streaming = GST_SPICE_STREAMING_VIDEO_OFF;
    else if (g_strcmp0(text, "all") == 0)
        self->streaming = GST_SPICE_STREAMING_VIDEO_ALL;
    else if (text && strcmp(text, "filter") != 0)
        return refuse(error, "--streaming-video takes filter, all or off, not '%s'", text);
    if (given->codecs && !gst_spice_video_codecs_parse(given->codecs, &codecs))
        return refuse(error, "--video-codecs takes some of %s, not '%s'",
                      GST_SPICE_DEFAULT_VIDEO_CODECS, given->codecs);
    self->video_codecs = g_strdup(given->codecs);
    return TRUE;
}

static gboolean parse_address(ServeOptions *self, const char *text, GError **error)
{
    GInetAddress *address;

    if (text && strcmp(text, "any") == 0)
        return TRUE;
    self->address = g_strdup(text ? text : "127.0.0.1");
    if (strcmp(self->address, "localhost") == 0)
        return TRUE;
    address = g_inet_address_new_from_string(self->address);
    if (!address)
        return refuse(error, "--addr takes an IP address, localhost or any, not '%s'", text);
    g_object_unref(address);
    return TRUE;
}

/* Decisions */

static gboolean choose_source(ServeOptions *self, const Given *given, GError **error)
{
    const guint n = (given->x11 != NULL) + (given->file != NULL) + (given->pipeline != NULL) +
                    (given->test != FALSE);

    if (n != 1)
        return refuse(error, n == 0 ? "What is to be shared? One of --x11, --file, --test and "
                                      "--pipeline is needed (--help tells more)"
                                    : "Only one of --x11, --file, --test and --pipeline can be "
                                      "shared");
    self->what = given->x11    ? SERVE_X11
                 : given->file ? SERVE_FILE
                 : given->test ? SERVE_TEST
                               : SERVE_PIPELINE;
    self->name = g_strdup(given->x11 ? given->x11 : given->file ? given->file : given->pipeline);
    if (self->name && !*self->name)
        return refuse(error, "The name of what is to be shared is empty");
    if (given->loop && self->what != SERVE_FILE)
        return refuse(error, "--loop goes with --file only");
    if (given->restore_size && self->what != SERVE_X11)
        return refuse(error, "--restore-size goes with --x11 only");
    if (given->size && self->what != SERVE_FILE && self->what != SERVE_TEST)
        return refuse(error, "--size goes with --file and --test only");
    if (given->keep_size && self->what != SERVE_X11)
        return refuse(error, "--keep-size goes with --x11 only");
    if (given->keep_size && given->restore_size)
        return refuse(error, "Only one of --keep-size and --restore-size can be given");
    self->loop = given->loop;
    self->keep_size = given->keep_size;
    self->restore_size = given->restore_size;
    if (given->size && !parse_size(self, given->size, error))
        return FALSE;
    return !given->fps || parse_number("--fps", given->fps, 1, MAX_FPS, &self->fps, error);
}

static gboolean read_ticket(ServeOptions *self, const Given *given, GError **error)
{
    GError *why = NULL;

    if (given->ticket && given->ticket_file)
        return refuse(error, "Only one of --ticket and --ticket-file can be given");
    if (given->ticket_file) {
        if (!g_file_get_contents(given->ticket_file, &self->ticket, NULL, &why)) {
            refuse(error, "The ticket cannot be read: %s", why->message);
            g_error_free(why);
            return FALSE;
        }
        self->ticket[strcspn(self->ticket, "\r\n")] = 0;
    } else {
        self->ticket = g_strdup(given->ticket);
    }
    if (self->ticket && !*self->ticket)
        return refuse(error, "The ticket is empty");
    if (self->ticket && strlen(self->ticket) > TICKET_BYTES)
        return refuse(error, "The ticket is longer than %d bytes", TICKET_BYTES);
    return TRUE;
}

static gboolean choose_tls(ServeOptions *self, const Given *given, GError **error)
{
    if (self->tls_port >= 0 && (!given->tls_cert || !given->tls_key))
        return refuse(error, "--tls-port needs --tls-cert and --tls-key");
    if (self->tls_port < 0 &&
        (given->tls_cert || given->tls_key || given->tls_ca || given->tls_ciphers))
        return refuse(error, "Options of TLS need --tls-port");
    self->tls_cert = g_strdup(given->tls_cert);
    self->tls_key = g_strdup(given->tls_key);
    self->tls_ca = g_strdup(given->tls_ca);
    self->tls_ciphers = g_strdup(given->tls_ciphers);
    return TRUE;
}

static gboolean choose_listening(ServeOptions *self, const Given *given, GError **error)
{
    if (!parse_port("--port", given->port, &self->port, error) ||
        !parse_port("--tls-port", given->tls_port, &self->tls_port, error) ||
        !parse_address(self, given->address, error) || !read_ticket(self, given, error) ||
        !choose_tls(self, given, error))
        return FALSE;
    if (self->port > 0 && self->port == self->tls_port)
        return refuse(error, "--port and --tls-port cannot be the same");
    if (given->origins && !given->websocket)
        return refuse(error, "--websocket-origins needs --websocket");
    self->unix_path = g_strdup(given->unix_path);
    if (self->port < 0 && self->tls_port < 0 && !self->unix_path)
        self->port = DEFAULT_PORT;
    self->websocket = given->websocket;
    self->sasl = given->sasl;
    self->stats_socket = g_strdup(given->stats_socket);
    self->websocket_origins = g_strdup(given->origins);
    return parse_mouse(self, given->mouse, error) && parse_compression(self, given, error) &&
           parse_streaming(self, given, error);
}

static gboolean decide(ServeOptions *self, const Given *given, GError **error)
{
    self->help = given->help;
    self->version = given->version;
    if (self->help || self->version)
        return TRUE;
    if (given->rest)
        return refuse(error, "'%s' is not understood: all is told by options (--help)",
                      given->rest[0]);
    self->stats = given->stats;
    self->title = g_strdup(given->title);
    return choose_source(self, given, error) && choose_listening(self, given, error);
}

gboolean serve_options_parse(ServeOptions *options, const char *const *arguments, GError **error)
{
    const guint n = g_strv_length((char **)arguments);
    char **words = g_new0(char *, n + 2);
    Given given = {0};
    GOptionContext *context = make_context(&given);
    GError *why = NULL;
    gboolean ok;
    guint i;

    *options = (ServeOptions){.port = -1, .tls_port = -1};
    words[0] = g_strdup("spice-serve");
    for (i = 0; i < n; i++)
        words[i + 1] = g_strdup(arguments[i]);
    ok = g_option_context_parse_strv(context, &words, &why);
    if (ok)
        ok = decide(options, &given, error);
    else
        refuse(error, "%s", why->message);
    g_clear_error(&why);
    g_strfreev(words);
    g_option_context_free(context);
    given_clear(&given);
    if (!ok)
        serve_options_clear(options);
    return ok;
}

void serve_options_clear(ServeOptions *options)
{
    g_free(options->name);
    g_free(options->address);
    g_free(options->unix_path);
    g_free(options->ticket);
    g_free(options->tls_cert);
    g_free(options->tls_key);
    g_free(options->tls_ca);
    g_free(options->tls_ciphers);
    g_free(options->websocket_origins);
    g_free(options->stats_socket);
    g_free(options->video_codecs);
    g_free(options->title);
    *options = (ServeOptions){0};
}

static gboolean is_loopback(const char *text)
{
    GInetAddress *address = text ? g_inet_address_new_from_string(text) : NULL;
    const gboolean loopback = address && g_inet_address_get_is_loopback(address);

    g_clear_object(&address);
    return loopback || g_strcmp0(text, "localhost") == 0;
}

const char *serve_options_warning(const ServeOptions *options)
{
    if (options->port < 0 && options->tls_port < 0)
        return NULL; /* who may open the unix socket is decided by its folder */
    if (is_loopback(options->address))
        return NULL;
    if (!options->ticket)
        return "whoever can reach this machine can see and use what is shared: there is no ticket";
    if (options->port >= 0)
        return "what is shared can be read on the way: --port is without TLS";
    return NULL;
}
