/* Packets of sound that a client was not ready for: the newest few, as old sound is worth nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS
#pragma GCC visibility push(default)

enum { GST_SPICE_SOUND_BACKLOG_MAX = 8 }; /* packets; of 10 ms, mostly */

/** One thread at a time. Zero-initialised, it is empty. */
typedef struct {
    struct {
        GBytes *packet;
        guint32 time; /* of the server's multimedia clock */
    } entries[GST_SPICE_SOUND_BACKLOG_MAX];
    guint first, n;
    guint64 dropped; /* packets that were lost so far */
} GstSpiceSoundBacklog;

/** Adds a packet (transfer none); the oldest makes room for it. */
void gst_spice_sound_backlog_push(GstSpiceSoundBacklog *backlog, GBytes *packet, guint32 time);
/** The oldest packet (transfer full), or NULL. */
GBytes *gst_spice_sound_backlog_pop(GstSpiceSoundBacklog *backlog, guint32 *time);
void gst_spice_sound_backlog_clear(GstSpiceSoundBacklog *backlog);

#pragma GCC visibility pop
G_END_DECLS
