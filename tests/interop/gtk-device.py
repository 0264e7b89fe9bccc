#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device of a SPICE desktop as spice-gtk has it, as a pipe; the counterpart of stream.c.

    gtk-device.py TCP-PORT port NAME      standard input to the port, the port to standard output
    gtk-device.py TCP-PORT agent          a line "FILE" copies the file as text; what is copied in the
                                          guest is written to standard output behind its size
"""
import ctypes
import os
import struct
import sys
import threading

import gi
gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # noqa: E402

TEXT, CLIPBOARD = 1, 0
loop = GLib.MainLoop()
session = SpiceClientGLib.Session()
wanted = sys.argv[2]


def on(thing, signal, function):
    """Object.connect() is hidden by methods of that name."""
    GObject.Object.connect(thing, signal, function)


def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]


def end():
    loop.quit()
    return False


# A port

# Called directly: what is sent has to stay where it is until it is sent, and PyGObject would not keep it.
library = ctypes.CDLL("libspice-client-glib-2.0.so.8")
ReadyCallback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
library.spice_port_channel_write_async.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ReadyCallback, ctypes.c_void_p]
library.spice_port_channel_write_async.restype = None
library.spice_port_channel_write_finish.argtypes = [ctypes.c_void_p] * 3
library.spice_port_channel_write_finish.restype = ctypes.c_ssize_t


def feed(port):
    """Sends standard input, a piece when the one before has been sent."""
    sent = threading.Semaphore(1)
    kept = []

    @ReadyCallback
    def done(channel, result, _):
        library.spice_port_channel_write_finish(channel, result, None)
        sent.release()

    def send(data):
        kept[:] = [data]
        library.spice_port_channel_write_async(hash(port), data, len(data), None, done, None)
        return False

    while True:
        data = os.read(0, 32768)
        if not data:
            return
        sent.acquire()
        GLib.idle_add(send, data)


def on_port_name(port, _):
    if port.get_property("port-name") != sys.argv[3]:
        return
    print("opened", sys.argv[3], int(port.get_property("port-opened")), file=sys.stderr, flush=True)
    on(port, "port-data", lambda _, data, size: write(ctypes.string_at(data, size)))
    threading.Thread(target=feed, args=[port], daemon=True).start()


# The agent

def on_grab(main, selection, types, n):
    print("grab", file=sys.stderr, flush=True)
    main.clipboard_selection_request(CLIPBOARD, TEXT)
    return True


def on_clipboard(main, selection, kind, data, size):
    write(struct.pack("<I", size) + ctypes.string_at(data, size))


def copy_files(main):
    files = []

    def on_request(_, selection, kind):
        data = open(files[-1], "rb").read()
        main.clipboard_selection_notify(CLIPBOARD, TEXT, data)
        return True

    def grab():
        main.clipboard_selection_grab(CLIPBOARD, [TEXT])
        return False

    on(main, "main-clipboard-selection-request", on_request)
    for line in sys.stdin:
        files.append(line.strip())
        GLib.idle_add(grab)


def on_agent(main, _=None):
    print("agent", int(main.get_property("agent-connected")), file=sys.stderr, flush=True)


def on_channel(_, channel):
    kind = channel.get_property("channel-type")
    if kind == 1:
        on(channel, "channel-event", lambda _, event: event > 10 and end())
        if wanted == "agent":
            on(channel, "main-agent-update", on_agent)
            on(channel, "main-clipboard-selection-grab", on_grab)
            on(channel, "main-clipboard-selection", on_clipboard)
            threading.Thread(target=copy_files, args=[channel], daemon=True).start()
    elif kind in (10, 11) and wanted == "port":
        on(channel, "notify::port-name", on_port_name)
        SpiceClientGLib.Channel.connect(channel)


session.set_property("host", "127.0.0.1")
session.set_property("port", sys.argv[1])
on(session, "channel-new", on_channel)
on(session, "disconnected", lambda _: end())
SpiceClientGLib.Session.connect(session)
loop.run()
