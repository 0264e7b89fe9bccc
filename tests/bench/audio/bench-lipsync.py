#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench-lipsync.py BUILD [SECONDS]

How far sound and picture are apart at spicesrc and at Debian's spicy, from one host of ours that plays a tone
each second and shows numbered pictures (tests/interop/clapper-host), over a link that is clean or not. Prints a
table in Markdown. What spicy plays goes into a pipe that takes it at once; its picture is looked at on the
screen of an Xvfb every 2 ms.
"""
import os
import subprocess
import sys

if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["SPICE_BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "interop"))
lipsync = __import__("test-lipsync")
from harness import BUILD, WORK, Xvfb, environment  # noqa: the build is set above

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 30
SCREEN = os.path.join(BUILD, "tests", "interop", "lipsync-screen")
CONDITIONS = [("clean link", [], []), ("100 ms of jitter", [], lipsync.JITTER),
              ("sound's clock 200 ppm fast", ["--drift", "200"], []),
              ("a pause of 2.9 s", ["--pause", "10.5", "2.9"], []),
              ("sound from 8.5 s on", ["--sound-from", "8.5"], [])]


def ours(clapper):
    return lipsync.events_of([f"spice://127.0.0.1:{clapper.port}", str(SECONDS)], SECONDS)


def spicy(clapper):
    fifo = os.path.join(WORK, "sound")
    if not os.path.exists(fifo):
        os.mkfifo(fifo)
    sink = ('appsrc is-live=1 do-timestamp=0 format=time name="appsrc" '
            'caps="audio/x-raw,format=S16LE,channels=2,rate=48000,layout=interleaved" ! '
            f'filesink buffer-mode=unbuffered location={fifo} name="audiosink"')
    xvfb = Xvfb("800x600")
    looks = subprocess.Popen([SCREEN, xvfb.display, fifo, str(SECONDS)], stdout=subprocess.PIPE, text=True,
                             env=environment())
    viewer = subprocess.Popen(["spicy", "-h", "127.0.0.1", "-p", str(clapper.port)],
                              env=xvfb.environment(SPICE_GST_AUDIOSINK=sink, G_DEBUG=""),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    text = looks.communicate(timeout=SECONDS + 60)[0]
    viewer.terminate()
    viewer.wait()
    xvfb.close()
    return [line.split() for line in text.splitlines()]


def row(name, who, run, options, link):
    with lipsync.Clapper(*options, link=link) as clapper:
        events = run(clapper)
        stalls = lipsync.times(events, "stall") + lipsync.times(clapper.end(), "stall")
    start = min(lipsync.times(events, "count") + lipsync.times(events, "audio")) + lipsync.SETTLING_US
    all_skews = lipsync.skews_of(events, start)
    skews = [skew / 1000 for heard, skew in all_skews
             if not any(heard - lipsync.AFTER_STALL_US < stall < heard + 500000 for stall in stalls)]
    values = sorted(skews)
    size = sorted(abs(skew) for skew in skews)
    print(f"| {name} | {who} | {len(size)} of {len(all_skews)} | {values[len(values) // 2]:.1f} | {values[0]:.1f} to "
          f"{values[-1]:.1f} | {size[(len(size) - 1) * 95 // 100]:.1f} | "
          f"{100 * sum(value <= 20 for value in size) // len(size)} % |", flush=True)


lipsync.go_before_others()
print("| | client | tones | median, ms | from, to | 95 of 100 within | within 20 ms |\n"
      "| --- | --- | ---: | ---: | --- | ---: | ---: |", flush=True)
for condition, host_options, link_options in CONDITIONS:
    row(condition, "spicesrc", ours, host_options, link_options)
    row(condition, "spicy", spicy, host_options, link_options)
