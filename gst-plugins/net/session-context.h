/* How elements of one session find each other under gst-launch: a GstContext.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "session/session.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

#define GST_SPICE_SESSION_CONTEXT_TYPE "gst.spice.Session"

/** The session that a context carries; NULL if it is of another type. (transfer full) */
GstSpiceSession *gst_spice_context_get_session(GstContext *context);

/** Lets the elements around `element` know its session. */
void gst_spice_context_announce(GstElement *element, GstSpiceSession *session);

/** The resource error code that a failure of transport/ or session/ stands for. */
GstResourceError gst_spice_resource_error_code(const GError *error);

/** Posts `error` as an error message of `element`, with a sentence for a person. */
void gst_spice_post_error(GstElement *element, const GError *error);

#pragma GCC visibility pop
G_END_DECLS
