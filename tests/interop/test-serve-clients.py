# SPDX-License-Identifier: LGPL-2.1-or-later
"""One desktop and many clients: six of five kinds at once, one of which stands still; a flood of
connections that come to nothing; an idle desktop; a pipeline and a movie."""
import contextlib
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import harness
from harness import (BUILD, LONG, Failure, Xvfb, check, check_equal, environment, picture, run, run_tests,
                     spicy_screenshot)
from x11 import Serve, desktop, path, screenshot, type_there, until, wait_for_manager

MARKER = os.path.join(BUILD, "tests", "interop", "marker")
VIEW = os.path.join(BUILD, "client", "spice-view")
SIZE = "640x480"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}


def rss(pid):
    """Bytes."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def n_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def megabytes(n):
    return f"{n / (1 << 20):.1f} MB"


def tell(text):
    print("# " + text, flush=True)


class Watch(threading.Thread):
    """Looks at a process until it is done: its most memory and descriptors."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.done = pid, threading.Event()
        self.rss, self.descriptors = rss(pid), n_descriptors(pid)
        self.start()

    def run(self):
        while not self.done.wait(0.1):
            with contextlib.suppress(OSError):
                self.rss = max(self.rss, rss(self.pid))
                self.descriptors = max(self.descriptors, n_descriptors(self.pid))

    def end(self):
        self.done.set()
        self.join()
        return self.rss, self.descriptors


# What is shown


@contextlib.contextmanager
def lively_terminal(x):
    """An xterm whose text keeps changing, until it is told to stop."""
    stop = path(f"stop-{time.monotonic()}")
    script = (f'i=0; while [ ! -e {stop} ]; do i=$((i+1)); '
              'echo "$i  the quick brown fox jumps over the lazy dog  $((i*i))"; sleep 0.05; done; '
              'sleep 1000')
    term = subprocess.Popen(["xterm", "-geometry", "90x30+20+10", "+bc", "-e", "sh", "-c", script],
                            env=x.environment(HOME=harness.WORK), **QUIET)

    def end():
        with open(stop, "w"):
            pass
    try:
        until(lambda: x.xdotool("search", "--onlyvisible", "--class", "XTerm")[1].strip(),
              "xterm is there")
        yield end
    finally:
        term.terminate()
        term.wait()


class Markers:
    """marker.c; what it found: {name: (count, median, p95, most, missed)}, milliseconds."""

    def __init__(self, x, serve, seconds, viewers=None, watch=(), phase=None):
        command = [MARKER, x.display, "--seconds", str(seconds)]
        if phase:
            command += ["--phase", phase]
        command += ["--location", f"spice://127.0.0.1:{serve.port}"]
        if viewers:
            command += ["--viewers", viewers.display]
        command += [f"--watch={name}={at[0]},{at[1]}" for name, at in watch]
        self.limit = seconds + 30
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        text=True, env=environment())

    @staticmethod
    def read(lines):
        found = {}
        for line in lines:
            _, name, count, *times, missed = line.split()
            found[name] = (int(count), *(None if t == "-" else float(t) for t in times),
                           int(missed))
        return found

    def first_phase(self):
        """What it found up to now; it has been told that the next begins."""
        lines = []
        while (line := self.process.stdout.readline()) != "phase\n":
            check(line, f"marker has ended: {lines}")
            lines.append(line)
        return self.read(lines)

    def end(self):
        text, _ = self.process.communicate(timeout=self.limit)
        check(self.process.returncode == 0, f"marker: {self.process.returncode}: {text}")
        return self.read(text.splitlines())


def tell_latencies(what, found):
    for name, (count, median, p95, most, missed) in found.items():
        tell(f"{what}: {name}: median {median} ms, p95 {p95} ms, most {most} ms of {count} changes, "
             f"{missed} skipped")


# Who looks at it


class Clients:
    """Six of them, those with a window side by side on one screen."""

    def __init__(self, serve):
        self.uri = f"spice://127.0.0.1:{serve.port}"
        self.port = serve.port
        self.stack = contextlib.ExitStack()
        self.processes, self.windows = {}, {}

    def __enter__(self):
        try:
            self.x = Xvfb("2400x1100")
            self.stack.callback(self.x.close)
            wait_for_manager(self.x)
            self.start("spice-view", [VIEW, self.uri])
            self.start("spicy", ["spicy", "-h", "127.0.0.1", "-p", str(self.port)])
            self.start("remote-viewer", ["remote-viewer", self.uri])
            self.start("spicy-stats", ["spicy-stats", "-h", "127.0.0.1", "-p", str(self.port)])
            self.start("recording", ["gst-launch-1.0", "-e", "spicesrc", "location=" + self.uri,
                                     "timestamps=arrival", "!", "videoconvert", "!", "vp8enc",
                                     "deadline=1", "cpu-used=8", "!", "matroskamux", "!",
                                     "filesink", "location=" + path("recording.mkv")])
            for i, name in enumerate(("spice-view", "spicy", "remote-viewer")):
                self.place(name, i * 780 + 10, 40)
        except BaseException:
            self.stack.close()
            raise
        return self

    def start(self, name, command):
        process = subprocess.Popen(command, env=self.x.environment(HOME=harness.WORK, G_DEBUG=""),
                                   **QUIET)
        self.processes[name] = process
        self.stack.callback(self.stop, process)

    @staticmethod
    def stop(process):
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()

    def place(self, name, x, y):
        def find():
            status, text = self.x.xdotool("search", "--onlyvisible", "--pid",
                                          str(self.processes[name].pid))
            for window in reversed(text.split() if status == 0 else []):
                width, height = self.geometry(window)[2:]
                if width >= 600 and height >= 440:
                    return window
            return None
        window = until(find, f"the window of {name}", 20)
        self.x.xdotool("windowmove", "--sync", window, str(x), str(y))
        self.windows[name] = window

    def geometry(self, window):
        values = dict(line.split("=") for line in
                      self.x.xdotool("getwindowgeometry", "--shell", window)[1].split())
        return tuple(int(values.get(key, 0)) for key in ("X", "Y", "WIDTH", "HEIGHT"))

    def middle(self, name):
        x, y, width, height = self.geometry(self.windows[name])
        return x + width // 2, y + height // 2

    def middles(self):
        return [(name, self.middle(name)) for name in self.windows]

    def signal(self, name, number):
        self.processes[name].send_signal(number)

    def shows(self, name, file):
        status, text = run(["import", "-window", self.windows[name], path(name + ".png")],
                           env=self.x.environment())
        check(status == 0, f"import: {text}")
        check_equal(path(name + ".png"), file, name)

    def wait_to_show(self, name, file, seconds=20):
        """As soon as it has caught up."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.shows(name, file)
            except Failure:
                if time.monotonic() > end:
                    raise
            time.sleep(0.2)

    def __exit__(self, *_):
        self.stack.close()


def count_frames(file):
    """Frames that a Matroska file decodes to."""
    status, text = run(["gst-launch-1.0", "-v", "filesrc", "location=" + file, "!", "matroskademux",
                        "!", "vp8dec", "!", "checksumsink"], 120)
    if status != 0:
        status, text = run(["gst-launch-1.0", "-v", "filesrc", "location=" + file, "!",
                            "matroskademux", "!", "vp8dec", "!", "fakesink", "silent=false"], 120)
    check(status == 0, f"{file} does not play: {text[-1500:]}")
    return len(re.findall(r"^\d+:\d\d:\d\d\.\d+ [0-9a-f]{40}|chain   \*{7}", text, re.M))


def test_six_clients_of_which_one_stands_still():
    seconds = 60 if LONG else 6
    phase = path("stopped")
    with desktop(SIZE, terminal=False) as x, lively_terminal(x) as end_text:
        serve = Serve("--x11", x.display, "--keep-size", "--stats")
        with Clients(serve) as clients:
            pid = serve.process.pid
            time.sleep(2)
            # With a spicesrc, the sixth client.
            markers = Markers(x, serve, seconds + 5, clients.x, clients.middles(), phase)
            time.sleep(3)
            at_first = rss(pid)
            time.sleep(seconds)
            before, watch = rss(pid), Watch(pid)
            clients_line = [line for line in serve.lines.drain() if "clients 6" in line]
            check(clients_line, f"six at a time: {serve.lines.seen[-5:]}")
            clients.signal("spice-view", signal.SIGSTOP)
            with open(phase, "w"):
                pass
            with_all = markers.first_phase()
            tell_latencies("all six read", with_all)
            check(set(with_all) == {"spicesrc", "spice-view", "spicy", "remote-viewer"},
                  f"watched: {set(with_all)}")
            for name, figures in with_all.items():
                check(figures[0] > seconds * 4, f"{name} saw {figures[0]} changes")
            time.sleep(seconds)
            most, _ = watch.end()
            without = markers.end()
            check(without.pop("spice-view")[0] == 0, "one that stands still shows what is new")
            tell_latencies(f"spice-view stopped for {seconds} s", without)
            tell(f"spice-serve's memory: {megabytes(at_first)}, after {seconds} s "
                 f"{megabytes(before)}, at most {megabytes(most)} in the next {seconds} s with one "
                 "that was stopped")
            check(most - before <= 16 << 20, f"memory grew by {megabytes(most - before)}")
            for name, figures in without.items():
                # who waited for the one that stands still would see nothing, or all too late
                check(figures[0] > seconds * 4, f"{name} saw {figures[0]} changes")
                check(figures[1] < seconds * 250, f"{name}: median {figures[1]} ms")
            clients.signal("spice-view", signal.SIGCONT)
            end_text()
            time.sleep(1)
            truth = screenshot(x, "truth.png")
            clients.wait_to_show("spice-view", truth)
            spicy_screenshot(path("late.ppm"), port=serve.port)
            check_equal(path("late.ppm"), truth, "one that joins late")
            for name, process in clients.processes.items():
                check(process.poll() is None, f"{name} has ended with {process.poll()}")
            recording = clients.processes["recording"]
            recording.send_signal(signal.SIGINT)
            check(recording.wait(20) == 0, f"the recording ended with {recording.returncode}")
        check(serve.end() == 0, "SIGTERM")
    status, text = run(["gst-discoverer-1.0", path("recording.mkv")])
    check(status == 0 and re.search(r"video.*VP8", text), f"gst-discoverer: {text[-1500:]}")
    frames = count_frames(path("recording.mkv"))
    tell(f"the recording has {frames} frames, "
         + re.search(r"Duration: (\S+)", text).group(0))
    check(frames > 10 * seconds, f"{frames} frames")


# A flood


def link_message(channel_type=1, connection=0):
    mess = struct.pack("<IBBIII", connection, channel_type, 0, 1, 0, 18) + struct.pack("<I", 0xb)
    return struct.pack("<4sIII", b"REDQ", 2, 2, len(mess)) + mess


UPGRADE = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           b"Sec-WebSocket-Protocol: binary\r\n\r\n")


class Flood(threading.Thread):
    """Connections that come to nothing, so many a second; those that fall silent are kept."""
    KINDS = ("random bytes", "a link message, then random bytes", "a link message, then silence",
             "closed at once", "closed within the link message", "a WebSocket request cut short",
             "a WebSocket, then random bytes", "silence", "reset")

    def __init__(self, port, rate=40):
        super().__init__(daemon=True)
        self.port, self.rate, self.done = port, rate, threading.Event()
        self.numbers, self.counts, self.failed, self.kept = random.Random(11), {}, 0, []
        self.start()

    def run(self):
        next_time = time.monotonic()
        while not self.done.is_set():
            try:
                self.connect(self.KINDS[self.numbers.randrange(len(self.KINDS))])
            except OSError:
                self.failed += 1
            next_time += 1 / self.rate
            time.sleep(max(0, next_time - time.monotonic()))

    def connect(self, kind):
        noise = self.numbers.randbytes(self.numbers.randrange(1, 4000))
        cut = self.numbers.randrange(1, 38)
        s = socket.create_connection(("127.0.0.1", self.port), 5)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        data = {"random bytes": noise, "a link message, then random bytes": link_message() + noise,
                "a link message, then silence": link_message(),
                "closed within the link message": link_message()[:cut],
                "a WebSocket request cut short": UPGRADE[:cut * 3],
                "a WebSocket, then random bytes": UPGRADE + noise}.get(kind, b"")
        s.sendall(data)
        if kind in ("a link message, then silence", "silence") or \
                (kind == "a WebSocket request cut short" and cut % 2):
            self.kept.append(s)
            return
        if kind == "reset":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif data:
            s.settimeout(0.01)
            with contextlib.suppress(OSError):
                s.recv(1000)
        s.close()

    def end(self):
        self.done.set()
        self.join()
        for s in self.kept:
            s.close()


def test_flood_of_connections_is_not_felt():
    seconds, phase = 120 if LONG else 12, path("flooded")
    # What changes is small, so that memory is that of the flood and not of pictures kept for clients.
    with desktop(SIZE) as x:
        type_there(x, "ls -l /usr/lib | head -20\n")
        serve = Serve("--x11", x.display, "--keep-size", "--websocket")
        pid = serve.process.pid
        still = path("still")
        running = subprocess.Popen(  # the session that is there all the time
            [os.path.join(BUILD, "tests", "interop", "shot"), "--location",
             f"spice://127.0.0.1:{serve.port}", "--until", still, "--max", "600000",
             path("session.ppm")],
            env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            spicy_screenshot(path("first.ppm"), port=serve.port)
            markers = Markers(x, serve, seconds, phase=phase)
            time.sleep(6)
            before, descriptors, watch = rss(pid), n_descriptors(pid), Watch(pid)
            cpu = serve.cpu()
            flood = Flood(serve.port)
            with open(phase, "w"):
                pass
            tell_latencies("before the flood", markers.first_phase())
            time.sleep(seconds / 2)
            start = time.monotonic()
            spicy_screenshot(path("during.ppm"), port=serve.port)
            tell(f"spicy-screenshot in the flood took {time.monotonic() - start:.2f} s")
            found = markers.end()
            cpu = (serve.cpu() - cpu) / seconds * 100
            flood.end()
            most, most_descriptors = watch.end()
            tell_latencies(f"{flood.rate} connections a second for {seconds} s", found)
            tell(", ".join(f"{n} times {kind}" for kind, n in sorted(flood.counts.items()))
                 + f"; {flood.failed} failed; spice-serve took {cpu:.1f} % of a core")
            check(found["spicesrc"][0] > seconds * 4, f"{found['spicesrc'][0]} changes were seen")
            check(sum(flood.counts.values()) > seconds * flood.rate / 2, "too few connections")
            until(lambda: n_descriptors(pid) < descriptors, "descriptors are given back", 20)
            tell(f"memory {megabytes(before)}, at most {megabytes(most)}, then "
                 f"{megabytes(rss(pid))}; descriptors {descriptors}, at most {most_descriptors}, "
                 f"then {n_descriptors(pid)}")
            # What links in the making need comes and goes; nothing of it stays.
            check(most - before <= 16 << 20 and rss(pid) - before <= 6 << 20,
                  f"memory grew by {megabytes(most - before)}, {megabytes(rss(pid) - before)} stay")
            check(most_descriptors - descriptors <= 40, f"{most_descriptors} descriptors")
            type_there(x, "echo over\n")
            time.sleep(1)
            with open(still, "w"):
                pass
            text, _ = running.communicate(timeout=30)
            check(running.returncode == 0, f"the session broke: {text}")
            truth = screenshot(x, "truth.png")
            check_equal(path("session.ppm"), truth, "the session that ran through it")
            spicy_screenshot(path("after.ppm"), port=serve.port)
            check_equal(path("after.ppm"), truth, "one that joins after it")
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        check(serve.end() == 0, "SIGTERM")


# Nothing


def test_idle_desktop_sends_nothing():
    seconds = 60 if LONG else 10
    with desktop(SIZE) as x:
        serve = Serve("--x11", x.display, "--keep-size", "--stats")
        with Clients(serve) as clients:
            time.sleep(4)
            until(lambda: "clients 5" in serve.lines.drain()[-1], "five clients")
            n, cpu = len(serve.lines.seen), serve.cpu()
            time.sleep(seconds)
            lines, cpu = serve.lines.drain()[n:], (serve.cpu() - cpu) / seconds * 100
            check(len(lines) >= seconds - 2, f"{len(lines)} lines in {seconds} s")

            def total(what):
                return sum(int(re.search(what + r" (\d+)", line).group(1)) for line in lines)
            tell(f"in {seconds} s with five clients: {total('frames')} frames, {total('sent')} bytes "
                 f"in {total('messages')} messages, {total('received')} bytes received, "
                 f"{cpu:.2f} % of a core")
            check(all("clients 5" in line for line in lines), f"five clients: {lines[-1]}")
            check(total("frames") == 0, f"{total('frames')} frames were fetched")
            check(total("sent") == 0, f"{total('sent')} bytes were sent")
            clients.shows("spice-view", screenshot(x, "truth.png"))
        check(serve.end() == 0, "SIGTERM")


# Pipelines


def check_moves(client, least=10, seconds=30):
    """Its screen shows so many different pictures, one after the other."""
    seen = set()
    end = time.monotonic() + seconds
    while len(seen) < least:
        check(time.monotonic() < end, f"only {len(seen)} different pictures in {seconds} s")
        status, text = run(["import", "-window", "root", path("now.ppm")],
                           env=client.environment())
        check(status == 0, f"import: {text}")
        seen.add(hash(picture(path("now.ppm"))[2]))
        time.sleep(0.1)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


@contextlib.contextmanager
def remote_viewer(port):
    """On a screen of its own; its title is not looked at."""
    x = Xvfb("900x700")
    client = None
    try:
        wait_for_manager(x)
        client = subprocess.Popen(["remote-viewer", f"spice://127.0.0.1:{port}"],
                                  env=x.environment(HOME=harness.WORK, G_DEBUG=""), **QUIET)
        until(lambda: x.xdotool("search", "--onlyvisible", "--class", "remote-viewer")[1].strip(),
              "remote-viewer is there", 20)
        yield x
    finally:
        if client:
            client.terminate()
            client.wait()
        x.close()


def test_videotestsrc_is_seen_by_remote_viewer():
    port = free_port()
    # A live source, as a pattern that is not would take what the encoder can.
    launch = subprocess.Popen(
        ["gst-launch-1.0", "videotestsrc", "is-live=true", "pattern=ball", "!",
         "video/x-raw,width=640,height=480,framerate=15/1", "!", "spicesink", f"port={port}"],
        env=environment(), **QUIET)
    try:
        time.sleep(1)
        with remote_viewer(port) as client:
            check_moves(client)
        check(launch.poll() is None, f"gst-launch-1.0 ended with {launch.poll()}")
    finally:
        launch.send_signal(signal.SIGINT)
        check(launch.wait(10) in (0, 1, 130, -2), f"gst-launch-1.0: {launch.returncode}")


def make_movie(file):
    status, text = run(["gst-launch-1.0", "-e", "videotestsrc", "num-buffers=150", "pattern=ball",
                        "!", "video/x-raw,width=640,height=360,framerate=15/1,format=I420", "!",
                        "openh264enc", "!", "h264parse", "!", "mp4mux", "!", "filesink",
                        "location=" + file])
    check(status == 0, f"the movie was not made: {text[-1500:]}")
    status, text = run(["gst-discoverer-1.0", file])
    check("H.264" in text and "audio" not in text, f"a silent movie of H.264: {text[-1500:]}")


def test_silent_mp4_is_seen_by_remote_viewer():
    make_movie(path("movie.mp4"))
    serve = Serve("--file", path("movie.mp4"), "--loop", "--size", "640x480")
    with remote_viewer(serve.port) as client:
        check_moves(client)
    check(serve.end() == 0, "SIGTERM")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for name, test in list(globals().items())
                        if name.startswith("test_") and
                        (not wanted or any(word in name for word in wanted))]))
