/* What the command line of spice-view says.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    char *uri;
    char *title;
    char *username; /* for SASL */
    char *ca_file;
    char *host_subject;
    char *password;      /* by the command line, where others on the machine can read it */
    char *password_file; /* "-": standard input */
    gboolean ask_password;
    char *screenshot; /* file to write instead of opening a window */
    gint wait_ms;     /* -1: not given */
    gboolean stats;
    gboolean full_screen;
    gboolean no_audio, no_record;
    gboolean version;
} SpiceViewOptions;

/** Reads the command line. NULL and G_OPTION_ERROR if it is wrong; `--help` prints and exits. The
 * strings of `arguments`, a NULL-terminated copy of argv, are moved about. (transfer full) */
SpiceViewOptions *spice_view_options_parse(char ***arguments, GError **error);
void spice_view_options_free(SpiceViewOptions *options);

/** The ticket: from the option, a file, standard input, a question on the terminal, or the
 * environment variable SPICE_VIEW_PASSWORD, the first of these that was given. NULL without an
 * error if none was. (transfer full) */
char *spice_view_options_get_password(const SpiceViewOptions *options, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceViewOptions, spice_view_options_free)

G_END_DECLS
