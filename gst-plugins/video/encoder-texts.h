/* The pipelines that encode a codec, as texts for spicevideoenc: those of the operator's, then those that
 * are part of the library.
 *
 * The operator's are files video-CODEC*.launch in a folder, taken in the order of their names. Each line is
 * a pipeline; lines that begin with # are comments, but for "# load: PLUGIN …": plug-in files of
 * GStreamer's own folder that are loaded if they are not known, as in a VM host, which has no
 * registry.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** The pipelines for the codec (mjpeg, vp8 …), the best first. A folder that is not there, and files
 * that cannot be read or are larger than 64 KiB, count as empty. Loads what their comments name.
 * Any thread. (transfer full) */
GStrv gst_spice_encoder_texts(const char *folder, const char *codec);

G_END_DECLS
