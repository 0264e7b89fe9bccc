#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench-lipsync.py BUILD [SECONDS [WORD ...]]

How far sound and picture are apart at our clients and at Debian's spicy, from one host of ours that plays a tone
each second and shows numbered pictures (tests/interop/clapper-host). Prints tables in Markdown:

- at spicesrc's sinks, and at spicy, what it plays going into a pipe that takes it at once and its picture looked at on
  the screen of an Xvfb every 2 ms, over a link that is clean or not;
- pictures without sound, there;
- at spice-view and spicy, both through a PulseAudio and a PipeWire, whose monitor is listened to, and on a screen.

With words only conditions that contain one.
"""
import contextlib
import os
import subprocess
import sys

if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["SPICE_BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "interop"))
lipsync = __import__("test-lipsync")
from harness import BUILD, WORK, Xvfb, environment  # noqa: the build is set above
from sound_server import SERVERS  # noqa

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 30
WORDS = sys.argv[3:]
SCREEN = os.path.join(BUILD, "tests", "interop", "lipsync-screen")
VIEW = os.path.join(BUILD, "client", "spice-view")
CONDITIONS = [("clean link", [], {}), ("100 ms of jitter", [], {"link": lipsync.JITTER}),
              ("sound's clock 200 ppm fast", ["--drift", "200"], {}),
              ("a pause of 2.9 s", ["--pause", "10.5", "2.9"], {}),
              ("sound from 8.5 s on", ["--sound-from", "8.5"], {}),
              ("over the wrap of the media time", [], {"wrap": 10})]


def spicesrc(clapper):
    return lipsync.events_of([f"spice://127.0.0.1:{clapper.port}", str(SECONDS)], SECONDS)


@contextlib.contextmanager
def fifo():
    path = os.path.join(WORK, "sound")
    os.mkfifo(path)
    try:
        yield path
    finally:
        os.unlink(path)


def watched(command, path, env, listens=contextlib.nullcontext):
    """What is seen on a screen that a viewer has to itself, and heard in the pipe."""
    xvfb = Xvfb("800x600")
    looks = subprocess.Popen([SCREEN, xvfb.display, path, str(SECONDS)], stdout=subprocess.PIPE, text=True,
                             env=environment())
    with listens():
        viewer = subprocess.Popen(command, env=dict(env, DISPLAY=xvfb.display, G_DEBUG=""),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        text = looks.communicate(timeout=SECONDS + 60)[0]
        viewer.terminate()
        viewer.wait()
    xvfb.close()
    return [line.split() for line in text.splitlines()]


def spicy_command(clapper):
    return ["spicy", "-h", "127.0.0.1", "-p", str(clapper.port)]


def spicy(clapper):
    with fifo() as path:
        sink = ('appsrc is-live=1 do-timestamp=0 format=time name="appsrc" '
                'caps="audio/x-raw,format=S16LE,channels=2,rate=48000,layout=interleaved" ! '
                f'filesink buffer-mode=unbuffered location={path} name="audiosink"')
        return watched(spicy_command(clapper), path, environment(SPICE_GST_AUDIOSINK=sink))


def through(kind, command):
    """By a sound server."""
    def run(clapper):
        with fifo() as path, kind("out") as server:
            return watched(command(clapper), path, server.environment(), lambda: server.recording("out", path))
    return run


def wanted(name):
    return not WORDS or any(word in name for word in WORDS)


def run(client, options, link=(), wrap=0):
    """(what was seen and heard, stalls)"""
    within = lipsync.before_the_wrap(wrap) if wrap else ()
    with lipsync.Clapper(*options, link=link, within=within) as clapper:
        events = client(clapper)
        # The host's clock is another before the wrap.
        stalls = lipsync.times(events, "stall") + ([] if wrap else lipsync.times(clapper.end(), "stall"))
    return events, stalls


def skew_row(name, who, client, options, way):
    events, stalls = run(client, options, **way)
    start = min(lipsync.times(events, "count") + lipsync.times(events, "audio")) + lipsync.SETTLING_US
    all_skews = lipsync.skews_of(events, start)
    values = sorted(skew / 1000 for heard, skew in all_skews
                    if not any(heard - lipsync.AFTER_STALL_US < stall < heard + 500000 for stall in stalls))
    if not values:
        print(f"| {name} | {who} | 0 of {len(all_skews)} | | | | |", flush=True)
        return
    size = sorted(abs(value) for value in values)
    print(f"| {name} | {who} | {len(size)} of {len(all_skews)} | {values[len(values) // 2]:.1f} | {values[0]:.1f} to "
          f"{values[-1]:.1f} | {size[(len(size) - 1) * 95 // 100]:.1f} | "
          f"{100 * sum(value <= 20 for value in size) // len(size)} % |", flush=True)


def silent_row(who, client):
    off = [value / 1000 for value in lipsync.uneven_of(run(client, ["--silent"])[0])]
    print(f"| {who} | {len(off)} | {off[len(off) // 2]:.1f} | {off[len(off) * 95 // 100]:.1f} | {off[-1]:.1f} |",
          flush=True)


lipsync.go_before_others()
SKEWS = ("client | tones | median, ms | from, to | 95 of 100 within | within 20 ms |\n"
         "| --- | --- | ---: | ---: | --- | ---: | ---: |")
print("| | " + SKEWS, flush=True)
for condition, host_options, more in CONDITIONS:
    if wanted(condition):
        skew_row(condition, "spicesrc", spicesrc, host_options, more)
        skew_row(condition, "spicy", spicy, host_options, more)
if wanted("no sound"):
    print("\n| no sound | pictures | median off even, ms | 95 of 100 within | all within |\n"
          "| --- | ---: | ---: | ---: | ---: |", flush=True)
    silent_row("spicesrc", spicesrc)
    silent_row("spicy", spicy)
if any(wanted(kind.name) for kind in SERVERS):
    print("\n| by | " + SKEWS, flush=True)
for server_kind in SERVERS:
    if wanted(server_kind.name):
        skew_row(server_kind.name, "spice-view",
                 through(server_kind, lambda clapper: [VIEW, f"spice://127.0.0.1:{clapper.port}"]), [], {})
        skew_row(server_kind.name, "spicy", through(server_kind, spicy_command), [], {})
