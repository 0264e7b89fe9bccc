/* The plug-in that GStreamer loads: registers the elements of libgstspice-1.0.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <gst/gst.h>

#include "elements.h"

static gboolean plugin_init(GstPlugin *plugin)
{
    return gst_spice_register_elements(plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, spice, "SPICE remote desktops", plugin_init,
                  VERSION, "LGPL", PACKAGE, "https://gstreamer.freedesktop.org/")
