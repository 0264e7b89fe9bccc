# SPDX-License-Identifier: LGPL-2.1-or-later
"""spice-gtk's session logs in, and says what became of it: opened, or the name of the error.

    spice-gtk-login.py PROPERTY=VALUE..."""
import sys

import gi
gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # noqa: E402

session = SpiceClientGLib.Session()
loop = GLib.MainLoop()
for argument in sys.argv[1:]:
    session.set_property(*argument.split("=", 1))


def on_event(channel, event):
    print(event.value_nick)
    loop.quit()


# A session has a method `connect`, too.
GObject.Object.connect(session, "channel-new", lambda _, channel: GObject.Object.connect(
    channel, "channel-event", on_event))
session.connect()
GLib.timeout_add_seconds(20, loop.quit)
loop.run()
