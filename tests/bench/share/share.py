# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to share an X screen of 1280x800 with one viewer: processor time of server and viewer,
bytes on the wire, and how long a change takes to be seen, for typing, scrolling and video; spice-serve
beside the servers that Debian has for VNC. All take turns within one run.

    share.py [--rounds N] [--seconds S] [--only CONTENT] [--servers NAME,...]

Prints a table for docs/benchmarks.md: medians, and of processor time and bytes how much the others
take of what spice-serve with its own viewer takes.
"""
import argparse
import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "interop"))
import harness  # noqa: the path has to be set first
from harness import BUILD, Xvfb, check, run
from x11 import SERVE, until, wait_for_manager

SIZE = (1280, 800)
MARKER = os.path.join(BUILD, "tests", "interop", "marker")
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
TEXT = "the quick brown fox jumps over the lazy dog and runs on through the wood "

# What is shown: each is the same from its start on.


def xterm(script):
    return ["xterm", "-geometry", "130x50+60+20", "+bc", "-e", "sh", "-c", script]


# Twenty letters a second.
TYPING = f'''while :; do for c in $(echo "{TEXT}" | sed "s/ /_/g; s/./& /g"); do printf %s $c
sleep 0.05; done; echo; done'''
# Fifty lines a second.
SCROLLING = f'''i=0; while :; do i=$((i+1)); echo "$i: {TEXT} $((i*7919%10007))"; sleep 0.02; done'''
CONTENTS = {
    "typing": xterm(TYPING),
    "scrolling": xterm(SCROLLING),
    "video": ["gst-launch-1.0", "videotestsrc", "pattern=zone-plate", "kx2=20", "ky2=20", "kt=2",
              "!", "video/x-raw,width=640,height=360,framerate=25/1", "!", "videoconvert", "!",
              "ximagesink"],
}


# Who shares it


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


SERVERS = {
    "spice-serve, spice-view": (
        lambda x, port: [SERVE, "--x11", x, "--port", str(port), "--keep-size"],
        lambda port: [os.path.join(BUILD, "client", "spice-view"), f"spice://127.0.0.1:{port}"]),
    "spice-serve, remote-viewer": (
        lambda x, port: [SERVE, "--x11", x, "--port", str(port), "--keep-size"],
        lambda port: ["remote-viewer", f"spice://127.0.0.1:{port}"]),
    "x0vncserver, xtigervncviewer": (
        lambda x, port: ["X0tigervnc", "-display", x, "-rfbport", str(port), "-SecurityTypes",
                         "None", "-localhost"],
        lambda port: ["xtigervncviewer", "-RemoteResize=0", f"127.0.0.1::{port}"]),
    "x11vnc, xtigervncviewer": (
        lambda x, port: ["x11vnc", "-display", x, "-rfbport", str(port), "-nopw", "-localhost",
                         "-forever", "-quiet"],
        lambda port: ["xtigervncviewer", "-RemoteResize=0", f"127.0.0.1::{port}"]),
}


def cpu(pid):
    """Seconds, user and system."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wire(port):
    """Bytes that the server's sockets have sent so far."""
    status, text = run(["ss", "-tinH", "state", "established", f"( sport = :{port} )"])
    check(status == 0, f"ss: {text}")
    return sum(int(n) for n in re.findall(r"bytes_sent:(\d+)", text))


def accepts(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


@contextlib.contextmanager
def process(command, env):
    started = subprocess.Popen(command, env=env, **QUIET)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(5)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def find_window(screen, viewer):
    """The viewer's window, at least as large as half of the desktop: where its middle is."""
    status, text = screen.xdotool("search", "--onlyvisible", "--pid", str(viewer.pid))
    for window in text.split() if status == 0 else []:
        status, text = screen.xdotool("getwindowgeometry", "--shell", window)
        place = dict(line.split("=") for line in text.split() if "=" in line)
        width, height = int(place.get("WIDTH", 0)), int(place.get("HEIGHT", 0))
        if width > SIZE[0] // 2 and height > SIZE[1] // 2:
            return window, int(place["X"]) + width // 2, int(place["Y"]) + height // 2
    return None


def latency(desktop, screen, at, seconds):
    """Milliseconds: median and p95."""
    status, text = run([MARKER, desktop.display, "--at-x", str(SIZE[0] // 2), "--at-y",
                        str(SIZE[1] // 2), "--seconds", str(seconds), "--viewers", screen.display,
                        f"--watch=viewer={at[0]},{at[1]}"], seconds + 30)
    check(status == 0, f"marker: {text}")
    _, _, count, median, p95, _, _ = text.split()
    return (float(median), float(p95)) if int(count) else (float("nan"), float("nan"))


def measure(content, name, seconds):
    """{figure: value} of one server and viewer."""
    server_command, viewer_command = SERVERS[name]
    desktop, screen = Xvfb(f"{SIZE[0]}x{SIZE[1]}"), Xvfb("1600x1100")
    port = free_port()
    try:
        wait_for_manager(desktop)
        wait_for_manager(screen)
        with contextlib.ExitStack() as stack:
            here = desktop.environment(HOME=harness.WORK, G_DEBUG="")
            there = screen.environment(HOME=harness.WORK, G_DEBUG="")
            server = stack.enter_context(process(server_command(desktop.display, port), here))
            until(lambda: accepts(port), f"{name} listens", 15)
            viewer = stack.enter_context(process(viewer_command(port), there))
            window = until(lambda: find_window(screen, viewer), f"{name}: a window", 20)
            screen.xdotool("windowmove", "--sync", window[0], "10", "30")
            time.sleep(1)
            stack.enter_context(process(CONTENTS[content], here))
            time.sleep(3)
            at = find_window(screen, viewer)[1:]

            def look():
                return [cpu(server.pid), cpu(viewer.pid), cpu(desktop.process.pid), wire(port),
                        time.monotonic()]
            before = look()
            time.sleep(seconds)
            figures = [b - a for a, b in zip(before, look())]
            took = figures.pop()
            median, p95 = latency(desktop, screen, at, max(3, seconds // 2))
            check(server.poll() is None and viewer.poll() is None, f"{name} has ended")
    finally:
        desktop.close()
        screen.close()
    names = ("server", "viewer", "x", "wire")
    result = {key: value / took for key, value in zip(names, figures)}
    result.update(median=median, p95=p95)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--only", choices=CONTENTS)
    parser.add_argument("--servers", default="", help="those whose names begin so, with commas")
    options = parser.parse_args()
    names = [name for name in SERVERS if not options.servers or
             any(name.startswith(word) for word in options.servers.split(","))]
    print("| content | server, viewer | server % | viewer % | X server % | kB/s | latency ms | p95 ms "
          "| server | viewer | wire |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for content in [options.only] if options.only else CONTENTS:
        found = {name: [] for name in names}
        for i in range(options.rounds):
            for name in names[i % len(names):] + names[:i % len(names)]:
                found[name].append(measure(content, name, options.seconds))
                print(f"{content}: {name}: " + ", ".join(
                    f"{key} {value:.4g}" for key, value in found[name][-1].items()),
                    file=sys.stderr, flush=True)

        def median(name, key):
            return statistics.median(one[key] for one in found[name])

        def ratio(name, key):  # in each round, then the median: they were measured side by side
            return statistics.median(theirs[key] / ours[key] if ours[key] else float("nan")
                                     for theirs, ours in zip(found[name], found[names[0]]))
        for name in names:
            print(f"| {content} | {name} | {median(name, 'server') * 100:.1f} | "
                  f"{median(name, 'viewer') * 100:.1f} | {median(name, 'x') * 100:.1f} | "
                  f"{median(name, 'wire') / 1000:.1f} | {median(name, 'median'):.1f} | "
                  f"{median(name, 'p95'):.1f} | "
                  + " | ".join(f"{ratio(name, key):.2f}" for key in ("server", "viewer", "wire"))
                  + " |", flush=True)


main()
