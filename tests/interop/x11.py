# SPDX-License-Identifier: LGPL-2.1-or-later
"""spice-serve, its X11 parts, X servers with a terminal, remote-viewer: what tests of these start."""
import atexit
import contextlib
import os
import queue
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import harness
from harness import Xvfb, check, run

PROBE = os.path.join(harness.BUILD, "tests", "interop", "x11-probe")
SERVE = os.path.join(harness.BUILD, "server", "serve", "spice-serve")

# Set 1 of a US keyboard.
KEYS = {c: 0x02 + i for i, c in enumerate("1234567890-=")}
KEYS.update({c: 0x10 + i for i, c in enumerate("qwertyuiop[]")})
KEYS.update({c: 0x1e + i for i, c in enumerate("asdfghjkl;'`")})
KEYS.update({c: 0x2b + i for i, c in enumerate("\\zxcvbnm,./")})
KEYS.update({" ": 0x39, "\n": 0x1c})
SHIFTED = {">": ".", "_": "-", "|": "\\"}
SHIFT = 0x2a


def path(name):
    return os.path.join(harness.WORK, name)


def until(condition, what, seconds=10):
    """Waits until condition() is true, and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Lines:
    """The lines of a pipe, read by a thread."""

    def __init__(self, pipe):
        self.lines, self.seen = queue.Queue(), []
        threading.Thread(target=self.read, args=[pipe], daemon=True).start()

    def read(self, pipe):
        for line in pipe:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def next(self, seconds=10):
        line = self.lines.get(timeout=seconds)
        check(line is not None, f"the program has ended: {self.seen[-5:]}")
        self.seen.append(line)
        return line

    def drain(self):
        with contextlib.suppress(queue.Empty):
            while True:
                line = self.lines.get_nowait()
                if line is not None:
                    self.seen.append(line)
        return self.seen


class Probe:
    """The X11 parts by themselves."""

    def __init__(self, display):
        self.process = subprocess.Popen([PROBE, display], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        env=harness.environment())
        self.lines = Lines(self.process.stdout)
        first = self.lines.next()
        check(first == "ready", first)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.lines.next()

    def count(self):
        return [int(word) for word in self.ask("count").split()[1::2]]

    def close(self):
        self.process.stdin.close()
        check(self.process.wait(10) == 0, f"the probe ended with {self.process.returncode}")


class Serve:
    """spice-serve; on a port of its own choice."""

    def __init__(self, *arguments, port=True):
        self.process = subprocess.Popen([SERVE, *arguments, *(["--port", "0"] if port else [])],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True,
                                        env=harness.environment())
        atexit.register(self.close)  # a test that fails leaves it behind
        self.lines = Lines(self.process.stdout)
        while True:
            line = self.lines.next()
            listening = re.match(r"listening on .* port (\d+)", line)
            if listening:
                self.port = int(listening.group(1))
                break

    def cpu(self):
        """Seconds."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number=signal.SIGTERM, seconds=5):
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_for_manager(x):
    """Windows that come before the window manager has started are lost to xdotool."""
    until(lambda: "window id" in run(["xprop", "-root", "_NET_CLIENT_LIST"],
                                     env=x.environment())[1], "the window manager is there")
    time.sleep(0.2)


@contextlib.contextmanager
def desktop(size="1024x768", terminal=True):
    """An X server with a window manager, and a terminal that runs a shell."""
    x = Xvfb(size)
    term = None
    try:
        wait_for_manager(x)
        if terminal:
            # Of bash it needs no more than a prompt that does not change.
            term = subprocess.Popen(
                ["xterm", "-geometry", "80x30+60+60", "+bc", "-e", "sh"],
                env=x.environment(PS1="$ ", ENV="", HOME=harness.WORK), cwd=harness.WORK,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            window = until(lambda: x.xdotool("search", "--onlyvisible", "--class", "XTerm")[1]
                           .strip(), "xterm is there")
            x.terminal = window.split()[0]
            x.xdotool("windowfocus", "--sync", x.terminal)
            time.sleep(0.5)
        yield x
    finally:
        if term:
            term.terminate()
            term.wait()
        x.close()


class BareServer:
    """An X server without a window manager, with more arguments; a picture is on its screen."""

    def __init__(self, *arguments, size="640x480x24"):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", size, *arguments],
            pass_fds=[write], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as line:
            self.display = ":" + line.readline().strip()
        atexit.register(self.close)
        self.paint("red")

    def paint(self, color):
        status, text = run(["xsetroot", "-mod", "7", "5", "-fg", color, "-bg", "navy"],
                           env=self.environment())
        check(status == 0, f"xsetroot: {text}")

    def environment(self):
        return harness.environment(DISPLAY=self.display)

    def close(self):
        self.process.terminate()
        self.process.wait()


def screenshot(x, name):
    """The X server's own picture."""
    status, text = run(["import", "-window", "root", path(name)], env=x.environment())
    check(status == 0, f"import: {text}")
    return path(name)


def type_there(x, text):
    """As a user of the X server itself."""
    status, _ = x.xdotool("type", "--delay", "1", text)
    check(status == 0, "xdotool type")


def location(x):
    status, text = x.xdotool("getmouselocation", "--shell")
    check(status == 0, "xdotool getmouselocation")
    values = dict(line.split("=") for line in text.split())
    return int(values["X"]), int(values["Y"])


def resize_there(x, width, height):
    name = f"test{width}"
    for command in (["--newmode", name, "60", *map(str, [width] * 3), str(width + 100),
                     *map(str, [height] * 3), str(height + 100)],
                    ["--addmode", "screen", name], ["--output", "screen", "--mode", name]):
        status, text = run(["xrandr", *command], env=x.environment())
        check(status == 0, f"xrandr {command}: {text}")


def press(probe, text):
    for c in text:
        code = KEYS[SHIFTED.get(c, c)]
        if c in SHIFTED:
            probe.ask(f"key {SHIFT} 1")
        probe.ask(f"key {code} 1")
        probe.ask(f"key {code} 0")
        if c in SHIFTED:
            probe.ask(f"key {SHIFT} 0")


def looks_like_date(file):
    with contextlib.suppress(OSError), open(file) as f:
        return re.search(r"\d\d:\d\d:\d\d", f.read())
    return None


@contextlib.contextmanager
def viewer(serve, size, *arguments):
    """remote-viewer on a screen of its own, connected to spice-serve."""
    x = Xvfb(size)
    client = None
    try:
        wait_for_manager(x)
        client = subprocess.Popen(["remote-viewer", *arguments, f"spice://127.0.0.1:{serve.port}"],
                                  env=x.environment(HOME=harness.WORK, G_DEBUG=""),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: x.xdotool("search", "--onlyvisible", "--name", "spice-serve")[1].strip(),
              "remote-viewer is there", 20)
        time.sleep(2)
        yield x
    finally:
        if client:
            client.terminate()
            client.wait()
        x.close()


class MotionTap:
    """Stands between client and server and reads along what motion the client tells: (n, dx, dy)."""

    def __init__(self, port):
        self.server, self.motion = port, (0, 0, 0)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                threading.Thread(target=self.pump, args=[server, client], daemon=True).start()
                threading.Thread(target=self.pump, args=[client, server, self.parse()],
                                 daemon=True).start()

    @staticmethod
    def pump(source, target, reader=None):
        with contextlib.suppress(OSError):
            if reader:
                next(reader)
            while data := source.recv(65536):
                if reader:
                    reader.send(data)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def parse(self):
        """Takes the bytes of a client: link message, ticket, then messages with a mini header."""
        data = b""

        def cut(n):
            nonlocal data
            while len(data) < n:
                data += yield
            part, data = data[:n], data[n:]
            return part
        header = yield from cut(16)
        link = yield from cut(struct.unpack("<I", header[12:])[0])
        yield from cut(4 + 128)
        while link[4] == 3:  # inputs
            kind, size = struct.unpack("<HI", (yield from cut(6)))
            body = yield from cut(size)
            if kind == 111:
                n, x, y = self.motion
                dx, dy = struct.unpack("<ii", body[:8])
                self.motion = n + 1, x + dx, y + dy
        while True:
            yield

    def close(self):
        self.socket.close()
