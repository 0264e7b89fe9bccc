/* How elements of one server find each other under gst-launch: a GstContext.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "session/server.h"

G_BEGIN_DECLS

#define GST_SPICE_SERVER_CONTEXT_TYPE "gst.spice.Server"

/** The server that a context carries; NULL if it is of another type. (transfer full) */
GstSpiceServer *gst_spice_context_get_server(GstContext *context);

/** The server of the elements around `element`; a new one, which they then know, if there is none.
 * Its bin may answer by gst_element_set_context() meanwhile, which the element has to store at
 * *server. */
void gst_spice_context_find_server(GstElement *element, GstSpiceServer **server);

G_END_DECLS
