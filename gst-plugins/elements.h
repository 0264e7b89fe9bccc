/* The elements, for whoever registers them: the plug-in, or a program that carries them in itself.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/** Registers all elements with `plugin`, or statically for a NULL one. */
__attribute__((visibility("default"))) gboolean gst_spice_register_elements(GstPlugin *plugin);

G_END_DECLS
