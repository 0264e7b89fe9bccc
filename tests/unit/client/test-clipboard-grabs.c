/* Whose a shared selection is, when both sides copy, at once or one after the other.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "client/clipboard-grabs.h"

#include "tests/unit/tap.h"

/** An agent that follows the rules of Debian's: the other side's counterpart. */
typedef struct {
    SpiceGrabOwner owner;
    guint32 serial;
} Agent;

static guint32 agent_sends(Agent *self)
{
    self->owner = SPICE_GRAB_GUEST;
    return self->serial++;
}

static void agent_takes(Agent *self, guint32 serial)
{
    if (serial == self->serial)
        self->serial++;
    else if (serial != self->serial - 1) /* the client wins */
        return;
    self->owner = SPICE_GRAB_CLIENT;
}

/** Plays a sequence of copies, a digit each: 0 the client copies, 1 the guest, 2 both at once. Whether
 * both sides agree at each step who owns it, and it is who copied last, the client if both. */
static bool plays(SpiceClipboardGrabs *client, unsigned sequence, unsigned n)
{
    Agent agent = {SPICE_GRAB_NOBODY, 0};

    spice_clipboard_grabs_reset(client, spice_clipboard_caps);
    for (unsigned i = 0; i < n; i++, sequence /= 3) {
        const unsigned step = sequence % 3;
        guint32 ours = 0, theirs = 0;

        if (step != 1)
            ours = spice_clipboard_grabs_send(client, 0);
        if (step != 0)
            theirs = agent_sends(&agent);
        if (step != 1)
            agent_takes(&agent, ours);
        if (step != 0)
            spice_clipboard_grabs_take(client, 0, theirs);
        if (client->owners[0] != agent.owner || client->serials[0] != agent.serial ||
            agent.owner != (step == 1 ? SPICE_GRAB_GUEST : SPICE_GRAB_CLIENT))
            return false;
    }
    return true;
}

int main(void)
{
    SpiceClipboardGrabs grabs = {0};
    bool ok = true;

    TAP_OK(!spice_clipboard_grabs_can_share(&grabs, 0) && !spice_clipboard_grabs_take(&grabs, 0, 0),
           "without an agent nothing is shared");
    for (unsigned sequence = 0; sequence < 3 * 3 * 3 * 3 * 3 * 3; sequence++)
        ok &= plays(&grabs, sequence, 6);
    TAP_OK(ok, "whatever six copies one side, the other or both make, they agree on the owner");
    spice_clipboard_grabs_reset(&grabs, spice_clipboard_caps);
    TAP_OK(spice_clipboard_grabs_take(&grabs, 1, 0) && grabs.owners[0] == SPICE_GRAB_NOBODY &&
               grabs.owners[1] == SPICE_GRAB_GUEST && grabs.serials[0] == 0,
           "selections are counted by themselves");
    TAP_OK(!spice_clipboard_grabs_take(&grabs, 2, 0) &&
               !spice_clipboard_grabs_take(&grabs, 255, 0) &&
               !spice_clipboard_grabs_release(&grabs, 255, SPICE_GRAB_NOBODY),
           "a selection that is not shared is not taken");
    TAP_OK(!spice_clipboard_grabs_release(&grabs, 1, SPICE_GRAB_CLIENT) &&
               spice_clipboard_grabs_release(&grabs, 1, SPICE_GRAB_GUEST) &&
               !spice_clipboard_grabs_release(&grabs, 1, SPICE_GRAB_GUEST),
           "only the owner's side gives it up, once");
    grabs.serials[0] = UINT32_MAX;
    TAP_OK(spice_clipboard_grabs_take(&grabs, 0, UINT32_MAX) && grabs.serials[0] == 0,
           "numbers begin anew behind the last");
    spice_clipboard_grabs_reset(&grabs, 1u << VD_AGENT_CAP_CLIPBOARD_BY_DEMAND);
    TAP_OK(spice_clipboard_grabs_take(&grabs, 0, 77) && spice_clipboard_grabs_take(&grabs, 0, 77) &&
               !spice_clipboard_grabs_can_share(&grabs, 1),
           "an agent without numbers, and with the clipboard alone");
    return tap_done();
}
