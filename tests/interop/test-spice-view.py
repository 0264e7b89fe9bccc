# SPDX-License-Identifier: LGPL-2.1-or-later
"""spice-view against Debian's QEMU: what its window shows is what spice-gtk gets, keys and pointer
arrive in the guest as they were meant, and each failure ends it with its own status. The virtual
machines are booted once for all tests."""
import atexit
import base64
import contextlib
import ctypes
import gzip
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib

from harness import (BUILD, GUEST, SANITIZED_BUILD, VECTORS, WORK, Xvfb, check, check_equal,
                     environment, picture, run, run_tests, spicy_screenshot)
from replay import ReplayServer
from vm import VM, free_port, wait_until

OK, FAILED, USAGE, CONNECT, TICKET, TLS, LOST = range(7)
# A window manager that keeps no key for itself (Debian's takes Print).
NO_KEYS = """<openbox_config xmlns="http://openbox.org/3.4/rc"><keyboard/></openbox_config>"""
HIDE_TEXT_CURSOR = r"echo -e '\033[?25l' >/dev/tty1"


def file(name):
    return os.path.join(WORK, name)


class Stage:
    """The machines and the X server, each made when first asked for."""

    def __init__(self):
        self.machines = {}
        self.x = None
        atexit.register(self.close)

    def vm(self, name, spice="disable-ticketing=on", **options):
        if name not in self.machines:
            port = free_port()
            vm = VM(WORK, name, f"port={port},addr=127.0.0.1,image-compression=lz,{spice}",
                    **options)
            self.machines[name] = vm, port
            if options.get("guest"):
                vm.wait_ready()
                vm.run(HIDE_TEXT_CURSOR)
        return self.machines[name]

    def tablet(self):
        """A Linux guest with a tablet: client mouse mode."""
        return self.vm("tablet", guest=GUEST, modules="ehci-pci usbhid hid-generic",
                       extra=["-name", "The tablet's guest", "-device", "usb-ehci,id=eh",
                              "-device", "usb-tablet,bus=eh.0"])

    def mouse(self):
        """A Linux guest with a mouse: server mouse mode."""
        return self.vm("mouse", guest=GUEST)

    def xvfb(self):
        if not self.x:
            os.makedirs(file("config/openbox"))
            with open(file("config/openbox/rc.xml"), "w") as f:
                f.write(NO_KEYS)
            os.environ["XDG_CONFIG_HOME"] = file("config")
            self.x = Xvfb()
            wait_until(lambda: "window id" in run(["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"],
                                                  env=self.x.environment())[1], 20,
                       "window manager")
        return self.x

    def close(self):
        for vm, _ in self.machines.values():
            vm.close()
        if self.x:
            self.x.close()


stage = Stage()


def sanitized(**more):
    folder = os.path.dirname(os.path.abspath(__file__))
    return environment(SANITIZED_BUILD, **more,
                       ASAN_OPTIONS="detect_leaks=1:exitcode=99:fast_unwind_on_malloc=0",
                       LSAN_OPTIONS="print_suppressions=0:suppressions="
                       + os.path.join(folder, "lsan-gtk.supp"))


def program(build=BUILD):
    return os.path.join(build, "client", "spice-view")


class Viewer:
    """A spice-view with a window on the stage's X server."""

    def __init__(self, uri, *options, build=BUILD, **more):
        self.xvfb = stage.xvfb()
        make = sanitized if build == SANITIZED_BUILD else environment
        self.log = open(file("viewer.log"), "w+b")
        env = make(**more)
        env["DISPLAY"] = self.xvfb.display
        if "WAYLAND_DISPLAY" not in more:
            env.pop("WAYLAND_DISPLAY", None)
        self.process = subprocess.Popen([program(build), *options, uri], env=env,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        self.id = None

    def text(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()

    def x(self, *arguments):
        status, text = self.xvfb.xdotool(*arguments)
        check(status == 0, f"xdotool {arguments}: {text}")
        return text

    def find(self):
        check(self.process.poll() is None, f"it ended: {self.text()[-800:]}")
        status, text = self.xvfb.xdotool("search", "--onlyvisible", "--pid", str(self.process.pid))
        return text.split()[-1] if status == 0 and text.split() else None

    def size(self):
        match = re.search(r"Geometry: (\d+)x(\d+)", self.x("getwindowgeometry", self.id))
        return int(match.group(1)), int(match.group(2))

    def wait_size(self, width, height, seconds=20):
        wait_until(lambda: self.size() == (width, height), seconds, f"window of {width}x{height}")

    def show(self, width=1024, height=768):
        """Waits for the window, of this size and with the keyboard."""
        self.id = wait_until(self.find, 30, "window")
        self.wait_size(width, height)
        self.focus()
        time.sleep(0.5)
        return self

    def focus(self):
        self.x("windowactivate", "--sync", self.id)
        self.x("windowfocus", "--sync", self.id)

    def title(self):
        return self.x("getwindowname", self.id).strip()

    def picture(self, name):
        """What the window shows, as a file."""
        status, text = run(["import", "-window", self.id, file(name)],
                           env=self.xvfb.environment())
        check(status == 0, text)
        return file(name)

    def key(self, *keys):
        for key in keys:
            self.x("key", "--delay", "20", key)

    def move(self, x, y):
        self.x("mousemove", "--window", self.id, str(x), str(y))
        time.sleep(0.05)

    def end(self, how=signal.SIGINT):
        """Ends it; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(60)
        finally:
            self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


def view(port, *options, **more):
    return Viewer(f"spice://127.0.0.1:{port}", *options, **more)


def run_view(*arguments, build=BUILD, seconds=60, text=None, **more):
    """Runs it to its end without a display: (exit status, what it printed)."""
    make = sanitized if build == SANITIZED_BUILD else environment
    result = subprocess.run([program(build), *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=seconds, env=make(**more),
                            input=(text or "").encode())
    return result.returncode, result.stdout.decode(errors="replace")


@contextlib.contextmanager
def stopped(vm):
    """The machine stands still meanwhile."""
    vm.qmp("stop")
    try:
        time.sleep(0.3)  # what it drew before is still on its way
        yield
    finally:
        vm.qmp("cont")


def same_as_spice_gtk(vm, port, path, what):
    """The stopped machine's picture is that of spice-gtk. Whoever has the session loses it: a
    second client takes the place of the first."""
    theirs = file("theirs.ppm")
    spicy_screenshot(theirs, port)
    check_equal(path, theirs, what)


# Pictures

def test_a_screenshot_is_the_picture_of_spice_gtk():
    vm, port = stage.tablet()
    with stopped(vm):
        out = file("shot.png")
        status, text = run_view(f"spice://127.0.0.1:{port}", "--screenshot", out,
                                build=SANITIZED_BUILD)
        check(status == OK and text == "", f"status {status}: {text}")
        same_as_spice_gtk(vm, port, out, "screenshot")
        check(not os.path.exists(out + ".part"), "the unfinished file was left")
        status, text = run_view(f"spice://127.0.0.1:{port}", "--screenshot", out, "--wait-ms", "0")
        check(status == OK, text)
        same_as_spice_gtk(vm, port, out, "first frame")


def test_the_window_shows_the_guests_picture_and_its_changes():
    vm, port = stage.tablet()
    for number in range(3):
        with view(port) as viewer:
            viewer.show()
            check(viewer.title() == "The tablet's guest", f"title {viewer.title()!r}")
            vm.run("i=0; while [ $i -lt 30 ]; do echo round " + str(number) +
                   " $i >/dev/tty1; i=$((i+1)); done")
            time.sleep(0.5)
            with stopped(vm):
                shown = viewer.picture("window.png")
                same_as_spice_gtk(vm, port, shown, f"window, round {number}")
            check(viewer.process.wait(20) == LOST, f"another client came: {viewer.text()}")


def test_the_picture_is_exact_whatever_the_way_and_the_scale():
    vm, port = stage.tablet()
    for more in ({"SPICE_VIEW_PRESENTER": "plain"}, {"GDK_SCALE": "2"},
                 {"SPICE_VIEW_PRESENTER": "plain", "GDK_SCALE": "2"}):
        with view(port, **more) as viewer:
            viewer.show()
            vm.run("i=0; while [ $i -lt 20 ]; do echo scale $i >/dev/tty1; i=$((i+1)); done")
            check_places(viewer, vm, [(333, 222, 333, 222), (1023, 767, 1023, 767)])
            with stopped(vm):
                same_as_spice_gtk(vm, port, viewer.picture("scale.png"), str(more))


def test_what_was_covered_is_shown_again():
    vm, port = stage.tablet()
    with view(port) as viewer:
        viewer.show()
        with stopped(vm):
            before = viewer.picture("before.png")
            cover = subprocess.Popen(["xmessage", "-geometry", "400x300+300+300", "over it"],
                                     env=viewer.xvfb.environment(), stderr=subprocess.DEVNULL)
            time.sleep(1)
            cover.terminate()
            cover.wait()
            time.sleep(0.5)
            check_equal(viewer.picture("after.png"), before, "uncovered")


# Keys

def type_line(viewer, *keys):
    viewer.key("Return", *keys, "Return")
    time.sleep(0.5)


def keys_of(text):
    names = {" ": "space", "/": "slash", "-": "minus", "1": "1"}
    return [names.get(letter, letter) for letter in text]


def with_layout(layout, body):
    xvfb = stage.xvfb()
    run(["setxkbmap", "-display", xvfb.display, layout], env=xvfb.environment())
    time.sleep(0.3)
    try:
        return body()
    finally:
        run(["setxkbmap", "-display", xvfb.display, "us"], env=xvfb.environment())
        time.sleep(0.3)


def test_typed_keys_reach_the_guests_shell():
    vm, port = stage.tablet()
    with view(port) as viewer:
        viewer.show()
        type_line(viewer, *keys_of("echo q "), "Shift+a", "Shift+1", "greater", *keys_of("/tmp/typed"))
        text = vm.run("cat /tmp/typed")
        check("q A!" in text, f"the guest read {text!r}")


def test_keys_are_places_whatever_the_layout():
    vm, port = stage.tablet()

    def typed():
        with view(port) as viewer:
            viewer.show()
            # On a German keyboard: z and y have changed places, and - stands where / is.
            type_line(viewer, *keys_of("echo "), "z", "space", "y", "space", "Shift+period",
                      "minus", *keys_of("tmp"), "minus", *keys_of("german"))
            return vm.run("cat /tmp/german")
    text = with_layout("de", typed)
    check("\ny z\n" in text, f"the guest read {text!r}")


class Events:
    """What an input device of the guest tells: (type, code, value)."""

    def __init__(self, vm, name):
        self.vm = vm
        text = vm.run(f"device=$(grep -l '{name}' /sys/class/input/event*/device/name | "
                      "cut -d / -f 5); rm -f /tmp/events; "
                      "cat /dev/input/$device >/tmp/events & echo $! >/tmp/events.pid")
        check("rc=0" in text, text)
        time.sleep(0.2)

    def read(self):
        """Type, code and value of each; None if the serial line garbled them, as it does with one
        character in some thousands."""
        text = self.vm.run("hexdump -v -e '24/1 \"%02x\" \"\\n\"' /tmp/events | cut -c 33- | gzip |"
                           " base64 -w 0; echo; echo end")
        try:
            packed = base64.b64decode(re.search(r"^([A-Za-z0-9+/=]+)\nend", text, re.M).group(1))
            return bytes.fromhex(gzip.decompress(packed).decode().replace("\n", ""))
        except (AttributeError, ValueError, OSError, EOFError, zlib.error):
            return None

    def take(self):
        time.sleep(0.7)
        self.vm.run("kill $(cat /tmp/events.pid)")
        data = None
        for _ in range(10):
            if data is None:
                data = self.read()
        check(data is not None, "the guest's events cannot be read")
        events = list(struct.iter_unpack("<HHi", data))
        return [event for event in events if event[0] not in (0, 4)]


EV_KEY, EV_REL, EV_ABS = 1, 2, 3


def key_events(body, layout=None):
    """The evdev (code, value) that the guest's keyboard tells while body(viewer) types."""
    vm, port = stage.tablet()
    with view(port) as viewer:
        viewer.show()
        events = Events(vm, "AT Translated")
        body(viewer)
        return [(code, value) for kind, code, value in events.take() if kind == EV_KEY]


def test_extended_keys():
    # X keycode -> evdev code of the guest, which is the same key
    codes = [97, 98, 96, 100, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 125, 126, 127, 119,
             99, 86, 58, 69, 70]

    def press(viewer):
        for code in codes:
            viewer.x("key", "--delay", "30", str(code + 8))
            time.sleep(0.05)
        for code in (58, 69, 70):  # the locks back
            viewer.x("key", "--delay", "30", str(code + 8))
    events = key_events(press)
    got = [code for code, value in events if value == 1]
    check(got == codes + [58, 69, 70], f"the guest saw {got}")
    check(sorted(code for code, value in events if value == 0) == sorted(got),
          f"not all were let go: {events}")


def test_keys_are_let_go_when_the_window_loses_the_keyboard():
    vm, port = stage.tablet()

    def press(viewer):
        viewer.x("keydown", "Shift_L")
        viewer.x("keydown", "a")
        time.sleep(0.2)
        other = subprocess.Popen(["xmessage", "other"], env=viewer.xvfb.environment(),
                                 stderr=subprocess.DEVNULL)
        try:
            window = wait_until(lambda: viewer.xvfb.xdotool("search", "--onlyvisible", "--name",
                                                            "^xmessage$")[1].split(), 10,
                                "other window")[-1]
            viewer.x("windowfocus", "--sync", window)
            time.sleep(0.5)
            viewer.x("keyup", "a")
            viewer.x("keyup", "Shift_L")
        finally:
            other.terminate()
            other.wait()
    events = key_events(press)
    for code in (42, 30):
        values = [value for c, value in events if c == code]
        check(values[:1] == [1] and values[-1:] == [0] and values.count(0) == 1,
              f"key {code}: {values}")


# Pointer

def last_place(events):
    """(x, y) in pixels of 1024x768 of the last absolute event; None if it never moved."""
    place = [None, None]
    for kind, code, value in events:
        if kind == EV_ABS and code < 2:
            place[code] = value
    return place


def guest_place(value, size):
    return round(value * size / 32767)  # as QEMU makes it of a pixel


def check_places(viewer, vm, places):
    for x, y, guest_x, guest_y in places:
        events = Events(vm, "Tablet")
        viewer.move(5, 5)  # what is where it was before is no event
        viewer.move(viewer.size()[0] - 5, viewer.size()[1] // 2)
        viewer.move(x, y)
        at = last_place(events.take())
        check(None not in at, f"no event for {x},{y}: {at}")
        at = guest_place(at[0], 1024), guest_place(at[1], 768)
        check(at == (guest_x, guest_y), f"{x},{y} of the window is {at}, not {guest_x},{guest_y}")


def test_places_in_client_mode():
    vm, port = stage.tablet()
    with view(port) as viewer:
        viewer.show()
        check_places(viewer, vm, [(x, y, x, y) for x, y in
                                  ((0, 0), (1023, 767), (512, 384), (1, 766), (333, 222))])


def test_places_when_scaled():
    vm, port = stage.tablet()
    with view(port) as viewer:
        viewer.show()
        viewer.x("windowsize", viewer.id, "512", "384")
        viewer.wait_size(512, 384)
        time.sleep(0.3)
        check_places(viewer, vm, [(0, 0, 0, 0), (511, 383, 1023, 767), (256, 192, 512, 384)])
        # Wider than the guest: black beside it, which is the nearest edge.
        viewer.x("windowsize", viewer.id, "712", "384")
        viewer.wait_size(712, 384)
        time.sleep(0.3)
        check_places(viewer, vm, [(100, 0, 0, 0), (20, 383, 0, 767), (611, 100, 1023, 200),
                                  (700, 100, 1023, 200)])


def test_buttons_and_wheel_in_client_mode():
    vm, port = stage.tablet()
    with view(port) as viewer:
        viewer.show()
        viewer.move(300, 200)
        events = Events(vm, "Tablet")
        for button in (1, 2, 3, 8, 9):
            viewer.x("click", str(button))
        for button in (4, 4, 5):
            viewer.x("click", str(button))
        told = events.take()
    keys = [(code, value) for kind, code, value in told if kind == EV_KEY]
    # BTN_LEFT, MIDDLE, RIGHT; QEMU's tablet has three buttons in all, what it has no bit for is lost
    check([k for k in keys if k[0] in (0x110, 0x111, 0x112)] ==
          [(0x110, 1), (0x110, 0), (0x112, 1), (0x112, 0), (0x111, 1), (0x111, 0)], f"buttons {keys}")
    wheel = [value for kind, code, value in told if kind == EV_REL and code == 8]
    check(wheel == [1, 1, -1], f"wheel {wheel}")


def relative_sum(events):
    return tuple(sum(value for kind, code, value in events if kind == EV_REL and code == axis)
                 for axis in (0, 1))


def test_motion_in_server_mode():
    vm, port = stage.mouse()
    with view(port) as viewer:
        viewer.show()
        events = Events(vm, "Mouse")
        viewer.move(500, 300)
        viewer.move(520, 310)
        told = events.take()
        check(not told, f"before the pointer is captured nothing is sent: {told}")
        viewer.x("click", "1")  # captures
        time.sleep(0.3)
        check("Shift+F12" in viewer.title(), f"title {viewer.title()!r}")
        events = Events(vm, "Mouse")
        for _ in range(40):  # far beyond the window's edge
            viewer.x("mousemove_relative", "--", "30", "-20")
            time.sleep(0.03)
        told = events.take()
        check(relative_sum(told) == (1200, -800), f"moved by {relative_sum(told)}")
        events = Events(vm, "Mouse")
        viewer.x("click", "1")
        viewer.x("click", "3")
        told = [(code, value) for kind, code, value in events.take() if kind == EV_KEY]
        check(told == [(0x110, 1), (0x110, 0), (0x111, 1), (0x111, 0)], f"buttons {told}")
        for combination in ("shift+F12", "ctrl+alt"):
            viewer.key(combination)
            time.sleep(0.3)
            check("Shift+F12" not in viewer.title(), f"{combination}: {viewer.title()!r}")
            events = Events(vm, "Mouse")
            viewer.move(200, 200)
            viewer.move(300, 300)
            told = events.take()
            check(not told, f"after {combination}: {told}")
            viewer.x("click", "1")
            time.sleep(0.3)
            check("Shift+F12" in viewer.title(), f"not captured again: {viewer.title()!r}")


# Cursors

class CursorImage(ctypes.Structure):
    _fields_ = [("x", ctypes.c_short), ("y", ctypes.c_short), ("width", ctypes.c_ushort),
                ("height", ctypes.c_ushort), ("xhot", ctypes.c_ushort), ("yhot", ctypes.c_ushort),
                ("serial", ctypes.c_ulong), ("pixels", ctypes.POINTER(ctypes.c_ulong))]


def x_cursor(display):
    """(width, height, hot x, hot y, [ARGB]) of the cursor that an X server shows."""
    x11, xfixes = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXfixes.so.3")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    xfixes.XFixesGetCursorImage.restype = ctypes.POINTER(CursorImage)
    xfixes.XFixesGetCursorImage.argtypes = [ctypes.c_void_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = x11.XOpenDisplay(display.encode())
    check(connection, "no connection to the X server")
    event, error = ctypes.c_int(), ctypes.c_int()
    xfixes.XFixesQueryExtension.argtypes = [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_int)] * 2
    xfixes.XFixesQueryExtension(connection, event, error)
    image = xfixes.XFixesGetCursorImage(connection).contents
    pixels = [image.pixels[i] & 0xffffffff for i in range(image.width * image.height)]
    result = image.width, image.height, image.xhot, image.yhot, pixels
    x11.XCloseDisplay(connection)
    return result


def recorded_cursor(session):
    """(width, height, hot x, hot y, [ARGB], x, y) of the last ALPHA cursor of a recorded session,
    and where it was last moved."""
    with open(os.path.join(VECTORS, session, "cursor-0.s2c"), "rb") as f:
        data = f.read()
    at = 16 + struct.unpack("<I", data[12:16])[0] + 4
    shape, place = None, (0, 0)
    while at < len(data):
        kind, size = struct.unpack("<HI", data[at:at + 6])
        body = data[at + 6:at + 6 + size]
        at += 6 + size
        if kind == 104:
            place = struct.unpack("<hh", body)
        elif kind == 103:
            place = struct.unpack("<hh", body[:4])
            flags, _, form, width, height, x, y = struct.unpack("<HQBHHHH", body[5:24])
            check(flags in (0, 1 << 1) and form == 0, "a recording with another kind of cursor")
            shape = width, height, x, y, list(struct.unpack(f"<{width * height}I", body[24:]))
    return (*shape, *place)


def trimmed(cursor):
    """The shape around its hot spot without transparent edges: {(x, y): ARGB}."""
    width, _, hot_x, hot_y, pixels = cursor[:5]
    return {(i % width - hot_x, i // width - hot_y): pixel for i, pixel in enumerate(pixels)
            if pixel >> 24}


def test_the_guests_cursor_is_the_windows_own():
    server = ReplayServer(os.path.join(VECTORS, "session-agent"))  # client mode
    expected = recorded_cursor("session-agent")
    try:
        with view(server.port) as viewer:
            viewer.id = wait_until(viewer.find, 30, "window")
            viewer.move(200, 150)
            wait_until(lambda: trimmed(x_cursor(viewer.xvfb.display)) == trimmed(expected), 10,
                       "cursor of the recording")
            viewer.x("windowmove", viewer.id, "300", "300")
            viewer.xvfb.xdotool("mousemove", "2", "2")
            time.sleep(0.3)
            check(trimmed(x_cursor(viewer.xvfb.display)) != trimmed(expected),
                  "the cursor is the same beside the window")
    finally:
        server.close()


def test_the_cursor_is_drawn_where_the_server_has_it_in_server_mode():
    folder = os.path.join(VECTORS, "session-linux-lz4")
    width, height, hot_x, hot_y, pixels, x, y = recorded_cursor("session-linux-lz4")
    wide, high, rgb = picture(os.path.join(folder, "end-display-0.ppm.gz"))
    expected = bytearray(rgb)
    for i, pixel in enumerate(pixels):
        px, py = x - hot_x + i % width, y - hot_y + i // width
        if 0 <= px < wide and 0 <= py < high:
            for c, shift in enumerate((16, 8, 0)):
                k = (py * wide + px) * 3 + c
                expected[k] = min(255, (pixel >> shift & 255) +
                                  (expected[k] * (255 - (pixel >> 24)) + 127) // 255)
    check(bytes(expected) != rgb, "the recording's cursor changes nothing")
    server = ReplayServer(folder)
    try:
        with view(server.port) as viewer:
            viewer.id = wait_until(viewer.find, 30, "window")
            viewer.wait_size(wide, high)
            time.sleep(2)
            got = picture(viewer.picture("server-cursor.png"))[2]
        wrong = [i for i in range(len(got)) if abs(got[i] - expected[i]) > 1]
        check(not wrong, f"{len(wrong)} bytes differ, the first at "
              f"{wrong and (wrong[0] // 3 % wide, wrong[0] // 3 // wide)}")
    finally:
        server.close()


# Size

def sizes_during_a_reboot(viewer, vm):
    vm.forget_log()
    vm.qmp("system_reset")
    sizes = []
    deadline = time.monotonic() + 60
    while b"READY\n" not in vm.log() and time.monotonic() < deadline:
        size = viewer.size()
        if sizes[-1:] != [size]:
            sizes.append(size)
        time.sleep(0.02)
    vm.wait_ready()
    vm.run(HIDE_TEXT_CURSOR)
    return sizes


def test_the_window_follows_the_guests_mode():
    vm, port = stage.mouse()
    with view(port) as viewer:
        viewer.show()
        sizes = sizes_during_a_reboot(viewer, vm)
        check((720, 400) in sizes and min(sizes) > (300, 200), f"sizes {sizes}")
        viewer.wait_size(1024, 768)
        time.sleep(0.5)
        with stopped(vm):
            same_as_spice_gtk(vm, port, viewer.picture("rebooted.png"), "after the reboot")


def test_the_window_keeps_the_size_that_it_was_given():
    vm, port = stage.mouse()
    with view(port) as viewer:
        viewer.show()
        viewer.x("windowsize", viewer.id, "600", "500")
        viewer.wait_size(600, 500)
        time.sleep(0.3)
        sizes = sizes_during_a_reboot(viewer, vm)
        check(sizes == [(600, 500)], f"the window did not keep its size: {sizes}")
        viewer.x("windowsize", viewer.id, "1024", "768")  # by hand, to the guest's own
        viewer.wait_size(1024, 768)
        time.sleep(0.5)
        with stopped(vm):
            same_as_spice_gtk(vm, port, viewer.picture("by-hand.png"), "unscaled again")


def bars_and_picture(path, wide, high, guest):
    """Checks black bars above and below, and that the middle is the guest's, scaled."""
    width, height, rgb = picture(path)
    check((width, height) == (wide, high), f"{width}x{height}")
    shown = wide * 768 // 1024
    bar = (high - shown) // 2
    check(not any(rgb[:bar * wide * 3]) and not any(rgb[(bar + shown) * wide * 3:]), "no black bars")
    status, text = run(["convert", path, "-crop", f"{wide}x{shown}+0+{bar}", "+repage", "-resize",
                        "1024x768!", file("unscaled.png")])
    check(status == 0, text)
    status, text = run(["compare", "-metric", "RMSE", file("unscaled.png"), guest, "null:"])
    error = float(re.search(r"\(([\d.e-]+)\)", text).group(1))
    check(error < 0.1, f"the picture is another: {text}")


def test_full_screen():
    vm, port = stage.tablet()
    with stopped(vm):
        spicy_screenshot(file("full-theirs.ppm"), port)
        with view(port, "--full-screen") as viewer:
            viewer.id = wait_until(viewer.find, 30, "window")
            viewer.wait_size(1280, 1024)
            time.sleep(0.5)
            bars_and_picture(viewer.picture("full.png"), 1280, 1024, file("full-theirs.ppm"))
            viewer.focus()
            viewer.key("F11")
            viewer.wait_size(1024, 768)
            time.sleep(0.5)
            check_equal(viewer.picture("window.png"), file("full-theirs.ppm"), "window again")
            viewer.key("F11")
            viewer.wait_size(1280, 1024)
            check(viewer.end() == OK, viewer.text())


# Wayland

class Weston:
    """A Wayland compositor in a window of the stage's X server: what it shows can be seen there, and
    keys and pointer that go there go on to it. Its one client fills its output."""

    def __init__(self, width=1024, height=768):
        self.xvfb = stage.xvfb()
        self.folder = file("wayland")
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.env = self.xvfb.environment(XDG_RUNTIME_DIR=self.folder)
        self.log = open(file("weston.log"), "wb")
        self.process = subprocess.Popen(
            ["weston", "--backend=x11-backend.so", "--shell=kiosk-shell.so", "--use-pixman",
             f"--width={width}", f"--height={height}", "--socket=test", "--idle-time=0",
             "--no-config"], env=self.env, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)
        try:
            self.id = wait_until(self.window, 20, "weston")
        except TimeoutError:
            self.__exit__()
            raise

    def window(self):
        """The id of its window, once clients may come."""
        with open(self.log.name) as f:
            match = re.search(r"window id (\d+)", f.read())
        return match and os.path.exists(os.path.join(self.folder, "test")) and match.group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class WaylandViewer(Viewer):
    """A spice-view within a Weston; its window is the Weston's."""

    def __init__(self, weston, uri, *options, build=BUILD):
        super().__init__(uri, *options, build=build, GDK_BACKEND="wayland",
                         XDG_RUNTIME_DIR=weston.folder, WAYLAND_DISPLAY="test")
        self.id = weston.id
        self.focus()
        time.sleep(3 if build == BUILD else 8)
        check(self.process.poll() is None, self.text())


def test_wayland_picture_keys_and_places():
    vm, port = stage.tablet()
    with Weston() as weston, WaylandViewer(weston, f"spice://127.0.0.1:{port}") as viewer:
        # Without a window manager's click the pointer and the keyboard come with the pointer.
        viewer.move(500, 300)
        viewer.x("click", "1")
        type_line(viewer, *keys_of("echo wayland "), "greater", *keys_of("/tmp/wayland"))
        check("\nwayland\n" in vm.run("cat /tmp/wayland"), "what was typed")
        check_places(viewer, vm, [(x, y, x, y) for x, y in ((0, 0), (1023, 767), (333, 222))])
        vm.run("echo more >/dev/tty1")
        time.sleep(0.5)
        with stopped(vm):
            viewer.move(1020, 760)  # weston draws its pointer into what it shows: out of the way
            time.sleep(0.5)
            viewer.picture("wayland.png")
            spicy_screenshot(file("theirs.ppm"), port)
        for name in ("wayland.png", "theirs.ppm"):
            status, text = run(["convert", file(name), "-crop", "1024x750+0+0", "+repage",
                                file("cropped-" + name)])
            check(status == 0, text)
        check_equal(file("cropped-wayland.png"), file("cropped-theirs.ppm"), "Wayland")


def test_wayland_motion_in_server_mode():
    vm, port = stage.mouse()
    with Weston() as weston, WaylandViewer(weston, f"spice://127.0.0.1:{port}") as viewer:
        viewer.move(500, 300)
        viewer.x("click", "1")  # captures
        time.sleep(0.5)
        events = Events(vm, "Mouse")
        for _ in range(10):
            viewer.x("mousemove_relative", "--", "20", "-10")
            time.sleep(0.03)
        told = events.take()
        check(relative_sum(told) == (200, -100), f"moved by {relative_sum(told)}")
        viewer.key("shift+F12")
        time.sleep(0.3)
        events = Events(vm, "Mouse")
        viewer.move(200, 200)
        told = events.take()
        check(not told, f"after the release: {told}")


def test_wayland_end_without_leaks():
    vm, port = stage.tablet()
    with Weston() as weston, WaylandViewer(weston, f"spice://127.0.0.1:{port}",
                                           build=SANITIZED_BUILD) as viewer:
        viewer.move(100, 100)
        vm.run("echo end >/dev/tty1")
        time.sleep(1)
        status = viewer.end()
        check(status == OK, f"status {status}: {viewer.text()[-3000:]}")


# Ends

def test_an_interrupt_and_a_closed_window_end_it_without_leaks():
    vm, port = stage.tablet()
    for how in ("interrupt", "close", "terminate"):
        with view(port, "--stats", build=SANITIZED_BUILD) as viewer:
            viewer.show()
            vm.run("echo end >/dev/tty1")
            viewer.move(100, 100)
            viewer.x("click", "1")
            viewer.key("a", "BackSpace")
            time.sleep(1.2)
            if how == "close":
                subprocess.run(["python3", "-c", CLOSE, viewer.id], check=True,
                               env=viewer.xvfb.environment())
            status = viewer.end(signal.SIGTERM if how == "terminate" else signal.SIGINT) \
                if how != "close" else viewer.process.wait(60)
            text = viewer.text() if not viewer.log.closed else open(file("viewer.log")).read()
            check(status == OK, f"{how}: status {status}: {text[-3000:]}")
            check(re.search(r"^stats s=1 frames=\d+ shown=\d+ damage=\d+ bytes=\d+ "
                            r"latency-ms=[\d.]+ latency-max-ms=[\d.]+$", text, re.M), text[-500:])


# Sends WM_DELETE_WINDOW to a window, as the button of its frame does.
CLOSE = """
import ctypes, sys
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
x.XInternAtom.restype = ctypes.c_ulong
x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong),
                ("kind", ctypes.c_ulong), ("format", ctypes.c_int), ("data", ctypes.c_long * 5),
                ("pad", ctypes.c_long * 24)]
d = x.XOpenDisplay(None)
w = int(sys.argv[1])
m = Message(type=33, send=1, display=d, window=w, format=32,
            kind=x.XInternAtom(d, b"WM_PROTOCOLS", 0))
m.data[0] = x.XInternAtom(d, b"WM_DELETE_WINDOW", 0)
x.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
x.XSendEvent(d, w, 0, 0, ctypes.byref(m))
x.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
x.XSync(d, 0)
"""


def make_certificates():
    folder = file("tls")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        script = r"""
set -e
ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/O=Test/CN=$1" -keyout $1.key -out $1.pem; }
ca ca-cert; ca other
openssl req -newkey rsa:2048 -nodes -subj "/O=Test/CN=vm" -keyout server-key.pem -out server.csr
printf 'subjectAltName=IP:127.0.0.1\n' > server.ext
openssl x509 -req -in server.csr -CA ca-cert.pem -CAkey ca-cert.key -CAcreateserial -extfile server.ext -out server-cert.pem -days 30
"""
        status, text = run(["sh", "-c", script], cwd=folder)
        check(status == 0, text)
    return folder


def secured():
    folder = make_certificates()
    tls = stage.__dict__.setdefault("tls_port", free_port())
    vm, port = stage.vm("secured", f"tls-port={tls},x509-dir={folder},password-secret=ticket",
                        extra=["-object", "secret,id=ticket,data=geheim"])
    return port, tls, folder


def expect(status, *arguments, **more):
    """It ends with this status, says why in one line, and leaks nothing."""
    got, text = run_view("--screenshot", file("none.png"), *arguments, build=SANITIZED_BUILD, **more)
    check(got == status, f"{arguments}: status {got}, not {status}: {text[-2000:]}")
    lines = text.splitlines()
    if status == OK:
        check(not lines, text)
        return
    check(len(lines) == (2 if status == USAGE and "more" in lines[-1] else 1) and
          lines[0].startswith("spice-view: "), f"{arguments}: {text[-2000:]}")
    print(f"# {status}: {lines[0]}")


def test_exit_statuses():
    port, tls, folder = secured()
    plain, secure = f"spice://127.0.0.1:{port}", f"spice+tls://127.0.0.1:{tls}"
    ca = ["--ca-file", folder + "/ca-cert.pem"]
    expect(USAGE)
    expect(USAGE, "--no-such-option", plain)
    expect(USAGE, plain, plain)
    expect(USAGE, "http://127.0.0.1")
    expect(USAGE, "--wait-ms", "-5", plain)
    expect(USAGE, "--password", "x", "--ask-password", plain)
    expect(CONNECT, f"spice://127.0.0.1:{free_port()}")
    expect(CONNECT, "spice+unix:///nonexistent")
    expect(CONNECT, "spice://no.such.host.invalid:1")
    expect(TICKET, plain)
    expect(TICKET, plain, "--password", "falsch")
    expect(TICKET, secure, *ca, SPICE_VIEW_PASSWORD="falsch")
    expect(TLS, secure, "--ca-file", folder + "/other.pem", "--password", "geheim")
    expect(TLS, secure, *ca, "--host-subject", "CN=elsewhere", "--password", "geheim")
    expect(FAILED, plain, "--password-file", file("missing"))
    expect(FAILED, plain, "--password", "geheim", "--screenshot", "/nonexistent/x.png")
    expect(OK, plain, "--password", "geheim")
    expect(OK, plain, "--password-file", "-", text="geheim\n")
    expect(OK, secure, *ca, "--host-subject", "O=Test,CN=vm", SPICE_VIEW_PASSWORD="geheim")
    status, text = run_view(plain, "--password", "geheim")
    check(status == FAILED and "display" in text, f"without a display: {status} {text}")
    status, text = run_view("--version")
    check(status == OK and re.fullmatch(r"spice-view \d+\.\d+\.\d+\n", text), text)
    status, text = run_view("--help")
    check(status == OK and "--screenshot" in text and "Exit status" in text, text)


def test_a_lost_session_has_its_status():
    port = free_port()
    vm = VM(WORK, "lost", f"port={port},addr=127.0.0.1,disable-ticketing=on")
    try:
        with view(port, build=SANITIZED_BUILD) as viewer:
            viewer.show(720, 400)
            vm.close()
            status = viewer.process.wait(30)
            check(status == LOST, f"status {status}: {viewer.text()[-2000:]}")
            check("spice-view: " in viewer.text(), viewer.text())
    finally:
        vm.process.kill()


if __name__ == "__main__":
    wanted = sys.argv[1:]
    tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
    if wanted:
        tests = [test for test in tests if any(word in test.__name__ for word in wanted)]
    sys.exit(run_tests(tests))
