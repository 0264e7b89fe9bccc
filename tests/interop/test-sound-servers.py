# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound through the servers that desktops have, PulseAudio and PipeWire: what a host plays comes out of a device, and
what a microphone hears goes to the host, by spice-view and by the launch lines of the documentation."""
import concurrent.futures
import contextlib
import importlib
import os
import shlex
import signal
import subprocess
import time

from harness import BUILD, Xvfb, check, run_tests
from sound_server import SERVERS
from tones import check_tone, check_unbroken, frequency, read_sound, trim
from vm import wait_until

sound = importlib.import_module("test-sound")

VIEW = os.path.join(BUILD, "client", "spice-view")
# Hz: a sound of 440 or 594 is stretched by up to two percent until the link is known.
DRIFT = 10


@contextlib.contextmanager
def running(command, server, **more):
    """A client, ended as a user does; `said` is what it wrote."""
    path = os.path.join(server.folder, "client.log")
    env = server.environment(**more)
    with open(path, "w") as log:
        program = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    program.said = lambda: open(path).read()
    try:
        yield program
        check(program.poll() is None, f"it has ended with {program.returncode}: {program.said()[-800:]}")
    finally:
        program.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(10)
        program.kill()
        program.wait()


@contextlib.contextmanager
def spice_view(server, port):
    xvfb = Xvfb("800x600")
    try:
        with running([VIEW, f"spice://127.0.0.1:{port}"], server, DISPLAY=xvfb.display) as program:
            yield program
    finally:
        xvfb.close()


@contextlib.contextmanager
def launch(server, port, pattern):
    """What the documentation has, without a window."""
    line = sorted(sound.documented_lines(pattern), key=len)[0]
    line = line.replace("spice://localhost:5900", f"spice://127.0.0.1:{port}").replace("autovideosink", "fakesink")
    with running(["gst-launch-1.0", "-q", *shlex.split(line)], server) as program:
        yield program


def listen(server, client, seconds=5):
    """(what the client plays on the device, what the host hears of the microphone): files."""
    out, heard = (os.path.join(server.folder, name) for name in ("out.raw", "heard.raw"))
    with server.recording("out", out), server.tone("mic", 660), sound.host(48000, heard) as port, \
            client(server, port) as program:
        wait_until(lambda: len(server.streams()) > 1 or server.streams("source-outputs"), 20, "a stream of the client's")
        time.sleep(seconds)
        check(program.said() == "", program.said()[-800:])
    return out, heard


def check_played(path, what, seconds=3):
    """Both tones are there, and whole but for what a busy machine loses."""
    check_unbroken(path, what, seconds)
    for channel, hertz in ((0, 440), (1, 594)):
        found = frequency(trim(read_sound(path)[channel])[48000:-4800], 48000)
        print(f"# {what}: {found:.2f} Hz instead of {hertz}")
        check(abs(found - hertz) < DRIFT * hertz / 440, f"{what}: {found:.2f} Hz instead of {hertz}")


def check_heard(path, what):
    check_tone(path, 660, what, settle=1)


def on_each_server(test):
    """At once, as most of it is waiting."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(test, SERVERS))


def test_sound_servers_play_and_record():
    def plays_and_records(kind):
        with kind("out", "mic") as server:
            server.pactl("set-default-source", "mic.monitor")
            out, heard = listen(server, spice_view)
            check_played(out, f"spice-view by {kind.name}")
            check_heard(heard, f"the microphone by {kind.name}")
            out, _ = listen(server, lambda *at: launch(*at, r"desktop\.audio ! spiceaudiosink"))
            check_played(out, f"a launch line by {kind.name}")
            _, heard = listen(server, lambda *at: launch(*at, r"spiceaudiosrc ! desktop\.record"))
            check_heard(heard, f"a launch line's microphone by {kind.name}")

    on_each_server(plays_and_records)


tests = [test_sound_servers_play_and_record]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
