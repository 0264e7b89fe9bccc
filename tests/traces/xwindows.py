# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where an X server's windows are, and when they were there, asked a hundred times a second."""
import contextlib
import ctypes
import threading
import time

X = ctypes.CDLL("libX11.so.6")
X.XOpenDisplay.restype = ctypes.c_void_p
X.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
X.XDefaultRootWindow.restype = ctypes.c_ulong
X.XCloseDisplay.argtypes = [ctypes.c_void_p]
X.XTranslateCoordinates.argtypes = ([ctypes.c_void_p] + [ctypes.c_ulong] * 2 + [ctypes.c_int] * 2 +
                                    [ctypes.c_void_p] * 3)
X.XGetWindowAttributes.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p]
X.XMoveWindow.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_int]
X.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
ERROR_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
ignore = ERROR_HANDLER(lambda display, event: 0)
VIEWABLE = 2


class Attributes(ctypes.Structure):
    """XWindowAttributes, as far as it is read."""
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int), ("width", ctypes.c_int),
                ("height", ctypes.c_int), ("border", ctypes.c_int), ("depth", ctypes.c_int),
                ("visual", ctypes.c_void_p), ("root", ctypes.c_ulong), ("kind", ctypes.c_int),
                ("bit_gravity", ctypes.c_int), ("win_gravity", ctypes.c_int),
                ("backing_store", ctypes.c_int), ("planes", ctypes.c_ulong),
                ("pixel", ctypes.c_ulong), ("save_under", ctypes.c_int),
                ("colormap", ctypes.c_ulong), ("installed", ctypes.c_int),
                ("map_state", ctypes.c_int), ("rest", ctypes.c_byte * 64)]


class Server:
    def __init__(self, name):
        self.lock = threading.Lock()
        self.display = X.XOpenDisplay(name.encode())
        X.XSetErrorHandler(ignore)
        self.root = X.XDefaultRootWindow(self.display)

    def box(self, window):
        """(left, top, width, height) on the screen; None if it is not there."""
        attributes = Attributes()
        x, y, child = ctypes.c_int(), ctypes.c_int(), ctypes.c_ulong()
        with self.lock:
            if not X.XGetWindowAttributes(self.display, window, ctypes.byref(attributes)):
                return None
            if attributes.map_state != VIEWABLE:
                return None
            if not X.XTranslateCoordinates(self.display, window, self.root, 0, 0, ctypes.byref(x),
                                           ctypes.byref(y), ctypes.byref(child)):
                return None
        return x.value, y.value, attributes.width, attributes.height

    def move(self, window, x, y):
        with self.lock:
            X.XMoveWindow(self.display, window, x, y)
            X.XSync(self.display, 0)

    def close(self):
        with self.lock:
            X.XCloseDisplay(self.display)


class Track:
    """The places of a window: [(from, to, box)], times in seconds of time.monotonic()."""

    def __init__(self, server, window):
        self.server, self.window, self.places, self.ends = server, window, [], False
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ends:
            box = self.server.box(self.window)
            now = time.monotonic()
            if box and self.places and self.places[-1][2] == box:
                self.places[-1][1] = now
            elif box:
                if self.places:
                    self.places[-1][1] = now
                self.places.append([now, now, box])
            time.sleep(0.01)

    def close(self):
        self.ends = True
        self.thread.join()
        return [tuple(place) for place in self.places]


@contextlib.contextmanager
def tracked(server, window):
    track = Track(server, window)
    try:
        yield track
    finally:
        track.close()
