/* spice-view: a SPICE desktop in a window.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gtk/gtk.h>
#include <locale.h>
#include <stdio.h>

#include "client/exit-status.h"
#include "client/options.h"
#include "client/screenshot.h"
#include "client/view-window.h"
#include "gst-plugins/elements.h"

static SpiceViewStatus show(const SpiceViewOptions *options, const char *password)
{
    if (options->screenshot)
        return spice_screenshot_run(options, password);
    if (!gtk_init_check(NULL, NULL)) {
        g_printerr("spice-view: there is no display to open a window on\n");
        return SPICE_VIEW_FAILED;
    }
    return spice_view_window_run(options, password);
}

int main(int argc, char **argv)
{
    g_auto(GStrv) arguments = g_strdupv(argv);
    g_autoptr(GError) error = NULL;
    g_autoptr(SpiceViewOptions) options = NULL;
    g_autofree char *password = NULL;
    SpiceViewStatus status;

    setlocale(LC_ALL, "");
    options = spice_view_options_parse(&arguments, &error);
    if (!options) {
        g_printerr("spice-view: %s\nspice-view --help says more.\n", error->message);
        return SPICE_VIEW_USAGE;
    }
    if (options->version) {
        puts("spice-view " SPICE_VERSION);
        return SPICE_VIEW_OK;
    }
    password = spice_view_options_get_password(options, &error);
    if (error) {
        g_printerr("spice-view: %s\n", error->message);
        return SPICE_VIEW_FAILED;
    }
    /* All elements that are wanted are in libraries that this program links. Plug-ins are not
     * looked for: that takes seconds where nobody has done it before. */
    g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
    gst_init(NULL, NULL);
    gst_spice_register_elements(NULL);
    status = show(options, password);
    gst_deinit();
    return status;
}
