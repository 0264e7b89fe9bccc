/* The program: a source, a server, and what ties them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "options.h"

G_BEGIN_DECLS

/** Shares what the options name until SIGINT, SIGTERM or its end. FALSE and an error of SERVE_ERROR
 * if it cannot, or broke. GStreamer is initialised, our elements are registered. */
gboolean serve(const ServeOptions *options, GError **error);

G_END_DECLS
