/* Sources of video that stock elements make: a movie, or a pipeline as text.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/gst.h>

#include "options.h"

G_BEGIN_DECLS

/** A bin that plays the movie, scaled into a desktop of the size that was asked for, black beside
 * it. (floating) NULL and SERVE_ERROR_SOURCE if there is no such file. */
GstElement *movie_new(const ServeOptions *options, GError **error);
/** A bin of the pipeline's text, whose one open end is raw video. (floating) NULL and
 * SERVE_ERROR_SOURCE if it cannot be made. */
GstElement *pipeline_text_new(const ServeOptions *options, GError **error);

G_END_DECLS
