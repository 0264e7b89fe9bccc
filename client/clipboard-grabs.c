/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/clipboard-grabs.h"

const guint32 spice_clipboard_caps =
    1u << VD_AGENT_CAP_CLIPBOARD_BY_DEMAND | 1u << VD_AGENT_CAP_CLIPBOARD_SELECTION |
    1u << VD_AGENT_CAP_CLIPBOARD_NO_RELEASE_ON_REGRAB | 1u << VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL;

static gboolean has(const SpiceClipboardGrabs *self, guint capability)
{
    return self->agreed >> capability & 1;
}

void spice_clipboard_grabs_reset(SpiceClipboardGrabs *self, guint32 agreed)
{
    *self = (SpiceClipboardGrabs){.agreed = agreed};
}

gboolean spice_clipboard_grabs_can_share(const SpiceClipboardGrabs *self, guint selection)
{
    return selection < SPICE_N_SELECTIONS && has(self, VD_AGENT_CAP_CLIPBOARD_BY_DEMAND) &&
           (selection == VD_AGENT_CLIPBOARD_SELECTION_CLIPBOARD ||
            has(self, VD_AGENT_CAP_CLIPBOARD_SELECTION));
}

guint32 spice_clipboard_grabs_send(SpiceClipboardGrabs *self, guint selection)
{
    self->owners[selection] = SPICE_GRAB_CLIENT;
    return self->serials[selection]++;
}

gboolean spice_clipboard_grabs_take(SpiceClipboardGrabs *self, guint selection, guint32 serial)
{
    if (!spice_clipboard_grabs_can_share(self, selection))
        return FALSE;
    if (has(self, VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL)) {
        if (serial != self->serials[selection])
            return FALSE; /* it crossed one of ours, which holds */
        self->serials[selection]++;
    }
    self->owners[selection] = SPICE_GRAB_GUEST;
    return TRUE;
}

gboolean spice_clipboard_grabs_release(SpiceClipboardGrabs *self, guint selection,
                                       SpiceGrabOwner owner)
{
    if (selection >= SPICE_N_SELECTIONS || self->owners[selection] != owner)
        return FALSE;
    self->owners[selection] = SPICE_GRAB_NOBODY;
    return TRUE;
}
