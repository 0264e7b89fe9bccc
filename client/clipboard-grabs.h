/* Who owns what of the clipboards that client and guest share: decisions, without a toolkit.
 *
 * Each side says that it owns a selection (GRAB), and gives it only when asked. When both say so at
 * once, numbers decide, and the client wins: both count the grabs of a selection, and a grab that was
 * sent before the other side's had come bears a number that has passed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

#include "core/wire/vdagent.h"

G_BEGIN_DECLS

enum { SPICE_N_SELECTIONS = 2 }; /* CLIPBOARD and PRIMARY */

typedef enum {
    SPICE_GRAB_NOBODY,
    SPICE_GRAB_CLIENT, /* a program on this side; the guest was told */
    SPICE_GRAB_GUEST,
} SpiceGrabOwner;

typedef struct {
    guint32 agreed; /* capabilities that both have; 0: there is no agent */
    SpiceGrabOwner owners[SPICE_N_SELECTIONS];
    guint32 serials[SPICE_N_SELECTIONS];
} SpiceClipboardGrabs;

/** What the client can do with an agent. */
extern const guint32 spice_clipboard_caps;

/** An agent came, with capabilities that both have, or (0) went: all begins anew. */
void spice_clipboard_grabs_reset(SpiceClipboardGrabs *grabs, guint32 agreed);
/** Whether there is an agent to share selection `selection` with. */
gboolean spice_clipboard_grabs_can_share(const SpiceClipboardGrabs *grabs, guint selection);
/** A program of this side owns it: the serial of the GRAB that has to be sent now. */
guint32 spice_clipboard_grabs_send(SpiceClipboardGrabs *grabs, guint selection);
/** The guest said GRAB; whether it holds. */
gboolean spice_clipboard_grabs_take(SpiceClipboardGrabs *grabs, guint selection, guint32 serial);
/** Nobody of `owner`'s side owns it any more; whether that is news. */
gboolean spice_clipboard_grabs_release(SpiceClipboardGrabs *grabs, guint selection,
                                       SpiceGrabOwner owner);

G_END_DECLS
