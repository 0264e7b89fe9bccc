/* The command line of spice-serve.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "session/server.h"

G_BEGIN_DECLS

typedef enum {
    SERVE_X11,
    SERVE_FILE,
    SERVE_TEST,
    SERVE_PIPELINE,
} ServeWhat;

typedef struct {
    gboolean help, version; /* nothing else counts then */

    ServeWhat what;
    char *name; /* the display, file or pipeline */
    gboolean loop, keep_size, restore_size;
    guint width, height; /* 0: as it comes */
    guint fps;           /* 0: as it comes */

    gint port, tls_port; /* -1: not; 0: any */
    char *address;       /* NULL: all */
    char *unix_path;
    char *ticket;
    char *tls_cert, *tls_key, *tls_ca, *tls_ciphers;
    gboolean websocket;
    gboolean sasl; /* instead of the ticket */
    char *websocket_origins;
    char *stats_socket;
    GstSpiceMouseModes mouse_modes;
    GstSpiceImageCompression compression;
    GstSpiceStreamingVideo streaming;
    char *video_codecs; /* NULL: the default */
    char *title;
    gboolean stats;
} ServeOptions;

/** Reads `arguments` (NULL-terminated, without the program's name). FALSE and SERVE_ERROR_OPTION
 * with a sentence for a person. A file that is named by --ticket-file is read. */
gboolean serve_options_parse(ServeOptions *options, const char *const *arguments, GError **error);
void serve_options_clear(ServeOptions *options);

/** The text of --help. (transfer full) */
char *serve_options_help(void);

/** A warning about who can see and use the desktop, or NULL. */
const char *serve_options_warning(const ServeOptions *options);

G_END_DECLS
