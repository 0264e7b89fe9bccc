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

from harness import BUILD, Xvfb, check, run_tests, up_to_three_times
from sound_server import SERVERS
from tones import broken, check_unbroken, read_sound, trim, usual_frequency
from vm import wait_until

sound = importlib.import_module("test-sound")
lipsync = importlib.import_module("test-lipsync")

SCREEN = os.path.join(BUILD, "tests", "interop", "lipsync-screen")
VIEW = os.path.join(BUILD, "client", "spice-view")
# Sound is stretched by up to two percent until the link is known.
DRIFT = 0.025


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
    """(what the client plays on the device, what the host hears of the microphone, what the microphone gives): files."""
    out, heard, given = (os.path.join(server.folder, name) for name in ("out.raw", "heard.raw", "given.raw"))
    with server.recording("out", out), server.tone("mic", 660), server.recording("mic", given), \
            sound.host(48000, heard) as port, client(server, port) as program:
        wait_until(lambda: len(server.streams()) > 1 or server.streams("source-outputs"), 20, "a stream of the client's")
        time.sleep(seconds)
        check(program.said() == "", program.said()[-800:])
    return out, heard, given


def check_tones(path, what, seconds, tones, most=0.1):
    """They are there, and whole but for what a busy machine loses: devices hold 60 ms."""
    check_unbroken(path, what, seconds, tones, most)
    for channel, hertz in tones:
        found = usual_frequency(trim(read_sound(path)[channel])[48000:-4800], 48000)
        print(f"# {what}: {found:.2f} Hz instead of {hertz}")
        check(abs(found / hertz - 1) < DRIFT, f"{what}: {found:.2f} Hz instead of {hertz}")


def check_played(path, what, seconds=3, most=0.1):
    check_tones(path, what, seconds, ((0, 440), (1, 594)), most)


def check_heard(heard, given, what):
    """As whole as the sound server gives it: on a busy machine PipeWire now and then plays the same again and again."""
    lost = broken(trim(read_sound(given)[0])[24000:-9600], 660, 48000)
    print(f"# {what}: of what it gives itself {len(lost[0])} of {lost[1]} frames are broken")
    check_tones(heard, what, 2, ((0, 660),), min(0.1 + len(lost[0]) / lost[1], 0.5))


def on_each_server(test):
    """On both at once, as most of it is waiting."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(up_to_three_times(test), SERVERS))


def test_sound_servers_play_and_record():
    def plays_and_records(kind):
        with kind("out", "mic") as server:
            server.set_default("source", "mic.monitor")
            out, *microphone = listen(server, spice_view)
            check_played(out, f"spice-view by {kind.name}")
            check_heard(*microphone, f"the microphone by {kind.name}")
            out, *_ = listen(server, lambda *at: launch(*at, r"desktop\.audio ! spiceaudiosink"))
            check_played(out, f"a launch line by {kind.name}")
            _, *microphone = listen(server, lambda *at: launch(*at, r"spiceaudiosrc ! desktop\.record"))
            check_heard(*microphone, f"a launch line's microphone by {kind.name}")

    on_each_server(plays_and_records)


def test_the_guests_mixer_and_the_users_multiply():
    """The guest's is applied to what is played; the stream's volume is the user's, and stays as he set it."""
    def multiply(kind):
        tell, path = [], None
        with kind("out") as server:
            path = os.path.join(server.folder, "loud.raw")

            def loudest():
                with server.recording("out", path):
                    wait_until(lambda: os.path.getsize(path) > 4 * 24000, 20, "half a second")
                return max(read_sound(path)[0])

            def settles(low, high, what):
                found = []
                with contextlib.suppress(TimeoutError):
                    wait_until(lambda: found.append(loudest()) or low < found[-1] < high, 15, what)
                print(f"# {kind.name}, {what}: {found[-1]}")
                check(low < found[-1] < high, f"{kind.name}, {what}: {found} instead of {low} to {high}")

            with sound.host(48000, os.path.join(server.folder, "heard.raw"), "32768", says=tell) as port, \
                    spice_view(server, port), server.recording("out", path + ".too"):
                wait_until(lambda: server.streams(), 20, "a stream of the client's")
                settles(1000, 1250, "the guest's mixer at half, an eighth of 9000")
                check(server.streams()[0]["volume"] == 100, f"{server.streams()}")
                server.pactl("set-sink-input-volume", server.streams()[0]["number"], "50%")
                settles(110, 170, "and the user's, too")
                tell[0]("f")
                settles(1000, 1250, "the guest's mixer at full")
                check(server.streams()[0]["volume"] == 50, f"{server.streams()}")
                server.pactl("set-sink-input-mute", server.streams()[0]["number"], "1")
                settles(-1, 1, "muted by the user")
                server.pactl("set-sink-input-mute", server.streams()[0]["number"], "0")
                settles(1000, 1250, "and not any more")
                tell[0]("m")
                settles(-1, 1, "muted by the guest")
                check(not server.streams()[0]["mute"], f"{server.streams()}")

    on_each_server(multiply)


def test_sound_goes_on_when_the_server_is_started_anew():
    """In both directions."""
    def goes_on(kind):
        with kind("out", "mic") as server:
            before, after, heard = (os.path.join(server.folder, name)
                                    for name in ("before.raw", "after.raw", "heard.raw"))
            server.set_default("source", "mic.monitor")
            with sound.host(48000, heard) as port, spice_view(server, port):
                with server.recording("out", before), server.tone("mic", 660):
                    wait_until(lambda: os.path.getsize(heard) > 4 * 48000, 20, "sound of the microphone")
                server.restart()
                server.set_default("source", "mic.monitor")
                with server.recording("out", after), server.tone("mic", 550):
                    wait_until(lambda: server.streams(), 20, "a stream of the client's")
                    had = os.path.getsize(heard)
                    time.sleep(5)
        check_played(after, f"{kind.name}, started anew", 2, 0.2)
        samples = read_sound(heard)[0]
        found = [usual_frequency(samples[end - 28800:end - 4800], 48000) for end in (had // 4, len(samples))]
        print(f"# the microphone by {kind.name}: {found[0]:.1f} Hz, then {found[1]:.1f} Hz")
        check(abs(found[1] / 550 - 1) < DRIFT, f"the host hears {found[1]:.1f} Hz instead of 550 in the end")

    on_each_server(goes_on)


def test_sound_is_with_its_picture_as_devices_change():
    """A headset is unplugged while the guest plays: sound goes on by another device, the film does not stop, and
    both are together, as they are heard and seen."""
    def stay_together(kind):
        with kind("headset", "speakers") as server, lipsync.Clapper() as clapper, contextlib.ExitStack() as more:
            fifo = os.path.join(server.folder, "fifo")
            os.mkfifo(fifo)
            xvfb = Xvfb("800x600")
            more.callback(xvfb.close)
            looks = subprocess.Popen([SCREEN, xvfb.display, fifo, "13"], stdout=subprocess.PIPE, text=True)
            for sink in server.sinks:
                more.enter_context(server.recording(sink, fifo))
            more.enter_context(running([VIEW, f"spice://127.0.0.1:{clapper.port}"], server, DISPLAY=xvfb.display))
            wait_until(lambda: [stream["device"] for stream in server.streams()] == ["headset"], 20, "a stream")
            time.sleep(5)
            server.remove(server.modules["headset"])
            unplugged = time.monotonic() * 1e6
            wait_until(lambda: [stream["device"] for stream in server.streams()] == ["speakers"], 20, "another stream")
            events = [line.split() for line in looks.communicate(timeout=60)[0].splitlines()]
        counts = lipsync.times(events, "count")
        pauses = [(b - a) / 1000 for a, b in zip(counts, counts[1:]) if b > unplugged]
        skews = lipsync.skews_of(events, unplugged + 1500000)
        check(len(skews) >= 3 and pauses, f"{kind.name}: {len(skews)} tones were heard after it was unplugged")
        lipsync.tell(f"{kind.name}, unplugged", [skew for _, skew in skews])
        print(f"# {kind.name}: the longest pause of the film was {max(pauses):.0f} ms")
        middle = sorted(skew for _, skew in skews)[len(skews) // 2]
        check(abs(middle) < 40000, f"{kind.name}: the picture is late by {middle / 1000:.1f} ms")
        check(max(pauses) < 1000, f"{kind.name}: the film stood still for {max(pauses):.0f} ms")

    on_each_server(stay_together)


tests = [test_sound_servers_play_and_record, test_the_guests_mixer_and_the_users_multiply,
         test_sound_goes_on_when_the_server_is_started_anew,
         test_sound_is_with_its_picture_as_devices_change]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
