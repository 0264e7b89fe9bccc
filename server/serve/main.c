/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spice-serve: shares a desktop, a movie or any pipeline as a SPICE server. See its manual. */
#include <locale.h>
#include <signal.h>

#include <gst/gst.h>

#include "gst-plugins/elements.h"
#include "serve-error.h"
#include "serve.h"

static int fail(GError *error)
{
    const int status = error->code;

    g_printerr("spice-serve: %s.\n", error->message);
    g_error_free(error);
    return status;
}

static int serve_with(const ServeOptions *options)
{
    const char *warning = serve_options_warning(options);
    GError *error = NULL;

    gst_init(NULL, NULL);
    if (!gst_spice_register_elements(NULL)) {
        g_printerr("spice-serve: GStreamer does not take our elements.\n");
        return SERVE_ERROR_SOURCE;
    }
    if (warning)
        g_printerr("spice-serve: warning: %s.\n", warning);
    return serve(options, &error) ? 0 : fail(error);
}

int main(int argc, char **argv)
{
    ServeOptions options;
    GError *error = NULL;
    int status = 0;

    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    if (!serve_options_parse(&options, (const char *const *)argv + 1, &error))
        return fail(error);
    if (options.help) {
        char *help = serve_options_help();

        g_print("%s", help);
        g_free(help);
    } else if (options.version) {
        g_print("spice-serve " VERSION "\n");
    } else {
        status = serve_with(&options);
    }
    serve_options_clear(&options);
    return status;
}
