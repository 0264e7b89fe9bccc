/* What the parts of spicesrc share: its states and displays (spicesrc.c), its sound (spicesrc-sound.c), and
 * its properties, the URI among them (spicesrc-properties.c).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "gst-plugins/display/spicedisplaydec.h"
#include "session/image-compression.h"
#include "session/login.h"
#include "session/session.h"
#include "spicesrc.h"

G_BEGIN_DECLS


struct _GstSpiceSrc {
    GstBin parent_instance;

    /* properties, under the object lock */
    GstSpiceLogin login;
    guint monitor;
    gboolean all_displays, audio, silence, show_cursor;
    GstElement *record; /* the bin behind the pad `record`; a reference */
    GstSpiceImageCompression preferred_compression;
    GstSpiceTimestamps timestamps;
    gint num_buffers;

    GstSpiceSession *session; /* under the object lock */
    gulong handlers[3];
    /* The session's I/O thread alone, or while there is no session: */
    GArray *new_displays; /* ids since the last list */
    guint n_displays;
    gboolean new_audio; /* since the last list */
    gboolean listed;    /* the first list has come */
    GMutex lock;
    GCond cond;
    gboolean closing;      /* under lock: no display is added any more */
    guint adding;          /* under lock: how many tasks are just adding displays */
    gboolean error_posted; /* under lock */
};

/* Sound */

/** Adds the pads' templates, and has the class give the pad `record`. */
void gst_spice_src_install_sound(GstElementClass *klass);
/** Exposes what the session plays. */
void gst_spice_src_add_audio(GstSpiceSrc *self);
/** Whose guest hears the pad `record`, if there is one; NULL: nobody's. */
void gst_spice_src_set_record_session(GstSpiceSrc *self, GstSpiceSession *session);

/* Properties */

void gst_spice_src_install_properties(GObjectClass *klass);
void gst_spice_src_uri_init(gpointer iface, gpointer data);

G_END_DECLS
