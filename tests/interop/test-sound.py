# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound in both directions: guests and hosts of ours and the field's, heard by spicy, spicesrc and
spice-view; microphones of these, heard by hosts. Tones arrive as they were, and without a gap."""
import array
import concurrent.futures
import contextlib
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from counting_relay import CountingRelay
from harness import (BUILD, GUEST, LONG, SOURCE, VECTORS, WORK, Xvfb, check, check_equal, environment,
                     run, run_tests, shot, up_to_three_times)
from replay import ReplayServer
from tones import check_tone, check_unbroken, frequency, gaps, read_sound, trim, usual_frequency
from vm import VM, free_port, wait_until
from x11 import Serve

OURS = os.path.join(BUILD, "server", "embed")
VIEW = os.path.join(BUILD, "client", "spice-view")
LIPSYNC = os.path.join(BUILD, "tests", "interop", "lipsync")
SIMULATOR = os.path.join(BUILD, "tests", "net", "link-simulator")
HOST = os.path.join(BUILD, "tests", "interop", "sound-host")

# The PC speaker by its ports: timer 2 divides 1193182 Hz by 2712, which is 440 Hz.
SPEAKER_ON = "; ".join(fr"printf '\{value}' | dd of=/dev/port bs=1 seek={port} 2>/dev/null"
                       for value, port in (("266", 67), ("230", 66), ("012", 66), ("003", 97)))
SPEAKER_OFF = r"printf '\000' | dd of=/dev/port bs=1 seek=97 2>/dev/null"


def file(name):
    return os.path.join(WORK, name)


# Who hears

def forget(path):
    """What was heard in a try before."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def wait_heard(seconds, *paths, rate=48000):
    """Until each file has sound of so many seconds."""
    for path in paths:
        wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 4 * rate * seconds, 40 + seconds,
                   f"{seconds} s of sound in {path}")


@contextlib.contextmanager
def spicy(port, out, rate=48000, **more):
    """spice-gtk's viewer, what it would play going into a WAV file."""
    forget(out)
    xvfb = Xvfb("800x600")
    caps = f"audio/x-raw,format=S16LE,channels=2,rate={rate},layout=interleaved"
    sink = (f'appsrc is-live=1 do-timestamp=0 format=time caps="{caps}" name="appsrc" ! '
            f'wavenc ! filesink buffer-mode=unbuffered location={out} name="audiosink"')
    program = subprocess.Popen(["spicy", "-h", "127.0.0.1", "-p", str(port)],
                               env=xvfb.environment(SPICE_GST_AUDIOSINK=sink, G_DEBUG="", **more),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield program
    finally:
        program.terminate()
        program.wait()
        xvfb.close()


@contextlib.contextmanager
def spicesrc(port, out, *more):
    """Ours; the file is written at the end."""
    forget(out)
    program = subprocess.Popen(
        ["gst-launch-1.0", "-q", "-e", "spicesrc", f"location=spice://127.0.0.1:{port}", "name=s",
         "s.audio", "!", "audioconvert", "!", "audio/x-raw,format=S16LE,channels=2", "!", "wavenc",
         "!", "filesink", "sync=true", "max-lateness=20000000", f"location={out}", *more],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield program
        program.send_signal(signal.SIGINT)
        text = program.communicate(timeout=30)[0]
        check(program.returncode == 0, f"gst-launch: {text[-800:]}")
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()


@contextlib.contextmanager
def spice_view(port, out, *more):
    """The viewer, on a sound card that writes a WAV file."""
    forget(out)
    with open(out + ".conf", "w") as conf:
        conf.write("[general]\ndrivers = wave\nchannels = stereo\nsample-type = int16\n"
                   f"frequency = 48000\n[wave]\nfile = {out}\n")
    xvfb = Xvfb("800x600")
    program = subprocess.Popen([VIEW, *more, f"spice://127.0.0.1:{port}"],
                               env=xvfb.environment(ALSOFT_CONF=out + ".conf"),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield program
        program.terminate()
        text = program.communicate(timeout=20)[0]
        check("sound cannot be played" not in text, text)
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
        xvfb.close()


# Guests under QEMU

def boot(which, name):
    port = free_port()
    vm = VM(WORK, name, f"port={port},addr=127.0.0.1,disable-ticketing=on", guest=GUEST,
            library=OURS if which == "ours" else None,
            extra=["-audiodev", "spice,id=sound", "-machine", "pcspk-audiodev=sound"])
    try:
        vm.wait_ready()
        loaded = open(f"/proc/{vm.process.pid}/maps").read()
        check((OURS in loaded) == (which == "ours"), "the wrong library was loaded")
        return vm, port
    except BaseException:
        vm.close()
        raise


def beep(vm, seconds):
    vm.run(SPEAKER_ON)
    time.sleep(seconds)
    vm.run(SPEAKER_OFF)
    time.sleep(0.7)


@up_to_three_times
def test_a_guest_is_heard_by_spicy_and_spicesrc_at_once():
    vm, port = boot("ours", "guest-ours")
    theirs, ours = file("guest-spicy.wav"), file("guest-spicesrc.wav")
    try:
        with spicy(port, theirs), spicesrc(port, ours):
            time.sleep(3)
            beep(vm, 2.5)
    finally:
        vm.close()
    # The speaker is a square wave: loud, and its edges ring.
    check_tone(theirs, 440, "spicy hears the guest", tolerance=3)
    check_tone(ours, 440, "spicesrc hears the guest", tolerance=DRIFT, most=LATE)


@up_to_three_times
def test_a_guest_of_the_fields_library_is_heard_by_spicesrc():
    vm, port = boot("field", "guest-field")
    ours = file("field-spicesrc.wav")
    try:
        with spicesrc(port, ours):
            time.sleep(2)
            beep(vm, 2)
            time.sleep(1)  # it stops, and begins again
            beep(vm, 0.5)
    finally:
        vm.close()
    samples = trim(read_sound(ours)[0])
    check(len(samples) > 72000, "nothing was heard, or too little")
    found, holes = usual_frequency(samples[9600:72000], 48000), gaps(samples[9600:72000], 48000)
    check(abs(found - 440) < DRIFT, f"the first beep is {found:.1f} Hz")
    check(len(holes) <= LATE * 130, f"the first beep has {len(holes)} gaps")


# Hosts

DRIFT = 12  # Hz: spicesrc stretches sound by up to two percent until the link is known
LATE = 0.1  # of its frames its sink may drop


@contextlib.contextmanager
def host(rate, heard, *volume, says=None):
    """The port. `says`: a list into which a function goes that tells the host what to play."""
    program = subprocess.Popen([HOST, str(rate), heard, *volume], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, env=environment())
    try:
        port = int(program.stdout.readline().split()[1])

        def tell(letter):
            program.stdin.write(letter)
            program.stdin.flush()
        if says is not None:
            says.append(tell)
        yield port
        program.stdin.close()
        check(program.wait(20) == 0, f"the host ended with {program.returncode}")
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()


def check_tones(out, what, rate=48000, tolerance=0.5, most=0):
    check_tone(out, 440, what + ", left", rate, tolerance=tolerance, most=most)
    check_tone(out, 594, what + ", right", rate, channel=1, tolerance=tolerance, most=most)


@up_to_three_times
def test_a_host_is_heard_by_opus_and_raw_at_once():
    outs = [file(name) for name in ("opus-spicy.wav", "raw-spicy.wav", "opus-spicesrc.wav")]
    with host(48000, file("unused.raw")) as port:
        with spicy(port, outs[0]), spicy(port, outs[1], SPICE_DISABLE_OPUS="1"), \
                spicesrc(port, outs[2]):
            wait_heard(61 if LONG else 3.5, *outs)
    check_tones(outs[0], "spicy by Opus")
    check_tones(outs[1], "spicy raw")
    check_tones(outs[2], "spicesrc by Opus", tolerance=DRIFT, most=LATE)


@up_to_three_times
def test_a_host_at_44100_hz_is_heard_raw_and_by_celt_both_ways():
    """CELT is the best that both of ours have; spice-gtk has none."""
    theirs, ours, heard = file("44100-spicy.wav"), file("44100-spicesrc.wav"), file("44100.raw")
    with host(44100, heard) as port:
        # One microphone is heard at a time: that of who comes first.
        with spicesrc(port, ours, "audiotestsrc", "is-live=true", "freq=660", "!", "s.record"):
            time.sleep(1)
            with spicy(port, theirs, rate=44100):
                wait_heard(3, theirs, ours, rate=44100)
    check_tones(theirs, "spicy raw at 44100 Hz", 44100)
    check_tones(ours, "spicesrc by CELT", 44100, DRIFT, LATE)
    check_tone(heard, 660, "the microphone by CELT", 44100)


def test_a_mixers_volume_is_followed():
    out, microphone = file("quiet.wav"), file("quiet.raw")
    with host(48000, microphone, "32768") as port:
        with spicesrc(port, out, "audiotestsrc", "is-live=true", "volume=0.5", "!", "s.record"):
            time.sleep(2.5)
    left = trim(read_sound(out)[0], 500)[24000:48000]
    loudest = max(left)
    print(f"# 9000 by half a slider: {loudest}")
    check(900 < loudest < 1350, f"half a slider is an eighth of 9000, not {loudest}")
    loudest = max(read_sound(microphone)[0][24000:])
    print(f"# 16384 by half a slider: {loudest}")
    check(1850 < loudest < 2250, f"half a slider is an eighth of 16384, not {loudest}")


@up_to_three_times
def test_spice_view_plays_sound():
    out = file("view.wav")
    with host(48000, file("unused.raw")) as port:
        # What looks for a microphone begins the file anew, each time.
        with spice_view(port, out, "--spice-disable-record"):
            time.sleep(6)
    # What stands for the sound card runs by fits and starts: the tone is looked at where it is even.
    left, right = read_sound(out)
    check(len(left) > 3 * 48000, f"only {len(left) / 48000:.2f} s of sound")
    found = [max((frequency(side[i:i + 24000], 48000) for i in range(48000, 120000, 24000)),
                 key=lambda hertz, wanted=wanted: -abs(hertz - wanted))
             for side, wanted in ((left, 440), (right, 594))]
    print(f"# spice-view plays {found[0]:.2f} and {found[1]:.2f} Hz")
    check(abs(found[0] - 440) < DRIFT and abs(found[1] - 594) < 1.4 * DRIFT,
          f"{found} instead of 440 and 594 Hz")


def test_spice_view_keeps_silent_if_it_is_told_to():
    out = file("silent.wav")
    with host(48000, file("unused.raw")) as port:
        with spice_view(port, out, "--spice-disable-audio"):
            time.sleep(2.5)
    check(not os.path.exists(out), "a sound card was opened")


# Links that are not steady

@contextlib.contextmanager
def link(port, *options):
    simulator = subprocess.Popen([SIMULATOR, *options, str(port)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, text=True)
    try:
        yield int(simulator.stdout.readline().split()[1])
    finally:
        simulator.terminate()
        print("# the link: " + simulator.communicate()[0].strip().replace("\n", ", "))


UNSTEADY = ["--delay", "20ms", "--jitter", "80ms", "--loss", "1%"]


@up_to_three_times
def test_tones_are_whole_over_an_unsteady_link():
    """Those of the host at both, each over a link of its own, and those of their microphones. A sink drops what
    comes more than 20 ms after its time, which shows in what is written as one break: these are counted, too."""
    seconds = 60 if LONG else 7
    outs = [file("unsteady-spicesrc.wav"), file("unsteady-spicy.wav")]
    heard = file("unsteady.raw")
    with host(48000, heard) as port, link(port, *UNSTEADY) as first, link(port, *UNSTEADY) as second:
        with spicesrc(first, outs[0], "audiotestsrc", "is-live=true", "freq=660", "!", "s.record"):
            time.sleep(0.5)
            with spicy(second, outs[1]):
                text = run([LIPSYNC, f"spice://127.0.0.1:{first}", str(seconds)], seconds + 60)[1]
    late, n = map(int, re.search(r"sound-late (\d+) of (\d+)", text).groups())
    print(f"# {late} of {n} packets were late")
    check(n > 50 * seconds and late <= n / (100 if LONG else 20), f"{late} of {n} packets were late")
    check_unbroken(outs[0], "spicesrc over an unsteady link", seconds - 2)
    check_unbroken(outs[1], "spicy over an unsteady link", seconds - 2)
    check_unbroken(heard, "the microphone of spicesrc", seconds - 2, ((0, 660),))
    if LONG:
        with host(48000, heard) as port, link(port, *UNSTEADY) as way:
            with spicy(way, outs[1], GST_PLUGIN_FEATURE_RANK="audiotestsrc:1000"):
                time.sleep(seconds)
        check_unbroken(heard, "the microphone of spicy", seconds - 2, ((0, 440),))


# Silence

def playback_bytes(relay, seconds):
    before = relay.counts["playback"]
    time.sleep(seconds)
    return relay.counts["playback"] - before


def silence_of_a_host():
    """Between START and STOP without samples, stopped, and with zeros only: no bytes, until there is sound again."""
    ours, theirs, tell = file("silence.wav"), file("silence-spicy.wav"), []
    with host(48000, file("unused.raw"), says=tell) as port, CountingRelay(port) as relay, \
            CountingRelay(port) as other, spicesrc(relay.port, ours), spicy(other.port, theirs):
        wait_until(lambda: min(r.counts["playback"] for r in (relay, other)) > 8000, 30, "sound")
        spent = {"tones": playback_bytes(relay, 1)}
        for letter, what, most in (("n", "no samples", 2), ("s", "stopped", 2), ("z", "zeros", 30)):
            tell[0](letter)
            time.sleep(0.5)
            if letter == "z":
                spent["zeros at first"] = playback_bytes(relay, 1)
            for _ in range(most):  # what was under way arrives
                spent[what] = playback_bytes(relay, 1)
                if spent[what] == 0:
                    break
            check(spent[what] == 0, f"{what}: {spent}")
            check(playback_bytes(other, 1) == 0, f"spicy still gets bytes: {what}")
        tell[0]("t")
        time.sleep(2)
    print(f"# bytes a second on the playback channel: {spent}")
    check(spent["tones"] > 5000, f"tones: {spent}")
    for path in (ours, theirs):
        found = frequency(trim(read_sound(path)[0])[-24000:-4800], 48000)
        check(abs(found - 440) < DRIFT, f"{path}: {found:.1f} Hz after the silence")


def silence_of_a_pipeline():
    port, ours = free_port(), file("silent-pipeline.wav")
    server = subprocess.Popen(
        ["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "!", "video/x-raw,width=320,height=240,framerate=5/1",
         "!", "videoconvert", "!", "spicesink", "name=desktop", "address=127.0.0.1", f"port={port}", "audiotestsrc",
         "is-live=true", "wave=silence", "!", "desktop.audio"], env=environment())
    try:
        wait_until(lambda: listens(port), 20, "server")
        with CountingRelay(port) as relay, spicesrc(relay.port, ours):
            wait_until(lambda: relay.counts["playback"] > 1000, 30, "silence")
            wait_until(lambda: playback_bytes(relay, 1) == 0, 30, "end of what silence costs")
    finally:
        server.terminate()
        server.wait()


def test_silence_costs_no_bytes():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(silence_of_a_host), pool.submit(silence_of_a_pipeline)]:
            done.result()


# Pipelines

@up_to_three_times
def test_a_pipeline_is_heard_by_spicy_and_spicesrc():
    port = free_port()
    server = subprocess.Popen(
        ["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "!",
         "video/x-raw,width=320,height=240,framerate=5/1", "!", "videoconvert", "!", "spicesink",
         "name=desktop", "address=127.0.0.1", f"port={port}", "audiotestsrc", "is-live=true",
         "freq=330", "volume=0.5", "!", "desktop.audio"], env=environment())
    theirs, ours = file("pipeline-spicy.wav"), file("pipeline-spicesrc.wav")
    try:
        wait_until(lambda: listens(port), 20, "server")
        with spicy(port, theirs), spicesrc(port, ours):
            wait_heard(3, theirs, ours)
    finally:
        server.terminate()
        server.wait()
    check_tone(theirs, 330, "spicy hears the pipeline")
    check_tone(ours, 330, "spicesrc hears the pipeline", tolerance=DRIFT, most=LATE)


@up_to_three_times
def test_a_movies_sound_goes_on_as_the_movie_begins_anew():
    movie, ours = file("movie.mkv"), file("movie.wav")
    status, text = run(["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=50", "!",
                        "video/x-raw,width=160,height=120,framerate=25/1", "!", "jpegenc", "!",
                        "matroskamux", "name=mux", "!", "filesink", f"location={movie}",
                        "audiotestsrc", "num-buffers=100", "samplesperbuffer=960", "freq=550", "!",
                        "audio/x-raw,rate=48000", "!", "opusenc", "!", "mux."])
    check(status == 0, text)
    server = Serve("--file", movie, "--loop")
    try:
        with spicesrc(server.port, ours):  # for more than twice two seconds
            wait_until(lambda: os.path.exists(ours) and os.path.getsize(ours) > 5 * 4 * 48000, 40,
                       "five seconds of sound")
    finally:
        server.close()
    samples = read_sound(ours)[0]
    heard = [i for i in range(0, len(samples) - 4800, 4800)
             if abs(frequency(samples[i:i + 4800], 48000) - 550) < 6]
    print(f"# the movie was heard for {len(heard) / 10} of {len(samples) / 48000:.1f} s")
    check(len(heard) > 35, f"the movie was heard for {len(heard) / 10} of {len(samples) / 48000} s")


def make_clapper(movie):
    """Eight seconds: bright and with a tone in odd ones, dark and silent in even ones. What is on the
    picture moves, as a film does."""
    width, height, fps = 320, 240, 25
    with open(file("clapper.y4m"), "wb") as y4m, open(file("clapper.raw"), "wb") as raw:
        y4m.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420\n".encode())
        for n in range(8 * fps):
            base = 170 if n // fps % 2 else 50
            wave = bytes(int(base + 30 * math.sin((x + 4 * n) / 20)) for x in range(2 * width))
            rows = b"".join(wave[(2 * y) % width:][:width] for y in range(height))
            y4m.write(b"FRAME\n" + rows + bytes([128]) * (width * height // 2))
        tone = array.array("h", (int(12000 * math.cos(2 * math.pi * 1000 * i / 48000))
                                 for i in range(48000) for _ in range(2))).tobytes()
        for second in range(8):
            raw.write(tone if second % 2 else bytes(len(tone)))
    status, text = run(["gst-launch-1.0", "-q", "filesrc", "location=" + file("clapper.y4m"), "!",
                        "y4mdec", "!", "videoconvert", "!", "jpegenc", "quality=95", "!",
                        "matroskamux", "name=mux", "!", "filesink", f"location={movie}", "filesrc",
                        "location=" + file("clapper.raw"), "!", "rawaudioparse",
                        "sample-rate=48000", "num-channels=2", "!", "audioconvert", "!", "opusenc",
                        "!", "mux."])
    check(status == 0, text)


@up_to_three_times
def test_a_movies_sound_is_with_its_picture():
    movie = file("clapper.mkv")
    make_clapper(movie)
    server = Serve("--file", movie, "--loop", "--size", "640x480", "--streaming-video", "all")
    try:
        status, text = run([LIPSYNC, f"spice://127.0.0.1:{server.port}", "13"])
        check(status == 0, text[-500:])
    finally:
        server.close()
    events = [line.split() for line in text.splitlines()]
    frames = [int(e[1]) for e in events if e[0] == "stream-frames"]
    check(frames and frames[0] > 100, f"the film was no stream: {frames}")
    # The first seconds are those in which it is found to be a film.
    start = min(int(e[1]) for e in events if e[0] in ("video", "audio")) + 3000000
    seen = [int(e[1]) for e in events if e[0] == "video" and e[2] == "1" and int(e[1]) > start]
    heard = [int(e[1]) for e in events if e[0] == "audio" and int(e[1]) > start]
    skews = sorted(min((picture - sound for picture in seen), key=abs) for sound in heard) \
        if seen else []
    print("# the picture is late by " + ", ".join(f"{skew / 1000:.1f}" for skew in skews) + " ms")
    check(len(skews) >= 3, f"{len(seen)} times bright, {len(heard)} tones")
    check(abs(skews[len(skews) // 2]) < 100000, f"the picture is late by {skews} us")


def documented_lines(pattern):
    """Launch lines in the elements' documentation."""
    lines = set()
    for where, _, names in os.walk(os.path.join(SOURCE, "gst-plugins")):
        for name in names:
            with open(os.path.join(where, name)) as f:
                lines |= set(re.findall(fr"^ \* gst-launch-1.0 (.*{pattern}.*)$", f.read(), re.M))
    check(lines, f"there is none with {pattern}")
    return lines


def launch(line, port=0, pictures="fakesink num-buffers=1", before="", **options):
    line = line.replace("spice://localhost:5900", f"spice://127.0.0.1:{port}")
    line = line.replace("autovideosink", pictures).replace("spiceaudiosink", "fakesink num-buffers=20")
    status, text = run(["sh", "-c", f"{before} gst-launch-1.0 -q -e " + line], **options)
    check(status == 0, f"{line}: {text[-600:]}")


def test_launch_lines_that_play_sound():
    """test-lipsync.py records with the others, test-spicesrc.py runs those without sound."""
    for line in documented_lines(r"desktop\.audio ! spiceaudiosink"):
        with host(48000, file("unused.raw")) as port:
            launch(line, port)


def test_launch_lines_that_record_a_microphone():
    for line in documented_lines(r"! desktop\.record"):
        heard = file("launched.raw")
        line = re.sub("spiceaudiosrc|audiotestsrc is-live=true",
                      "audiotestsrc is-live=true freq=660", line)
        with host(48000, heard) as port:
            launch(line, port, "fakesink", "timeout --foreground --preserve-status -s INT 3")
        check_tone(heard, 660, "a microphone by a launch line")


def test_a_launch_line_through_celt():
    for line in documented_lines(r"spiceceltdec ! wavenc"):
        launch(line, cwd=WORK)
        check_tone(file("tone.wav"), 660, "through CELT", 44100)


def listens(port):
    import socket
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


# Servers that break the protocol

def test_a_servers_bad_sound_leaves_its_picture_alone():
    folder = os.path.join(VECTORS, "session-audio-opus")
    with open(os.path.join(folder, "playback-0.s2c"), "rb") as f:
        recorded = f.read()
    start = recorded.find(struct.pack("<HI", 103, 14))
    data = recorded.find(struct.pack("<H", 101), start + 20)
    check(0 < start < data, "the recording has no START")
    for what, bad in (
            ("nine channels", recorded[:start + 6] + struct.pack("<I", 9) + recorded[start + 10:]),
            ("a format that is none", recorded[:start + 10] + b"\x07\x00" + recorded[start + 12:]),
            ("a rate of nothing", recorded[:start + 12] + bytes(4) + recorded[start + 16:]),
            ("a mode that is none", recorded[:start] + struct.pack("<HIIH", 102, 6, 0, 77)
             + recorded[start:]),
            ("a short START", recorded[:start] + struct.pack("<HI", 103, 3) + bytes(3)),
            ("packets of nothing", recorded[:data] + struct.pack("<HII", 101, 4, 1) * 50),
            ("packets that are none", recorded[:data]
             + (struct.pack("<HII", 101, 104, 1) + b"\xff" * 100) * 50)):
        broken = tempfile.mkdtemp(dir=WORK)
        for name in os.listdir(folder):
            shutil.copy(os.path.join(folder, name), broken)
        with open(os.path.join(broken, "playback-0.s2c"), "wb") as f:
            f.write(bad)
        server = ReplayServer(broken)
        status, lines = shot(file("bad.ppm"), "--location", f"spice://127.0.0.1:{server.port}",
                             "--settle", "500")
        server.close()
        check(status == 0, f"{what}: {lines}")
        check_equal(file("bad.ppm"), os.path.join(folder, "end-display-0.ppm.gz"), what)


# Microphones

def test_one_microphone_is_heard_and_then_the_next():
    """spicy's autoaudiosrc takes what has the highest rank: a test tone of 440 Hz."""
    heard = file("microphones.raw")
    with host(48000, heard) as port:
        with contextlib.ExitStack() as first:
            first.enter_context(spicy(port, file("unused.wav"),
                                      GST_PLUGIN_FEATURE_RANK="audiotestsrc:1000"))
            wait_until(lambda: os.path.getsize(heard) > 48000 * 4, 20, "sound of spicy's microphone")
            with spicesrc(port, file("unused-too.wav"), "audiotestsrc", "is-live=true", "freq=660",
                          "!", "s.record"):
                time.sleep(1.5)
                only_first = os.path.getsize(heard) // 4
                first.close()
                wait_until(lambda: os.path.getsize(heard) // 4 > only_first + 2 * 48000, 20,
                           "sound of spicesrc's")
    left = read_sound(heard)[0]
    check(not gaps(left[4800:only_first], 48000), "spicy's microphone has gaps")
    found = frequency(left[4800:only_first], 48000), frequency(left[-48000:], 48000)
    print(f"# microphones: {found[0]:.2f} Hz, then {found[1]:.2f} Hz")
    check(abs(found[0] - 440) < 1 and abs(found[1] - 660) < 1, f"they said {found}")


tests = [test_a_guest_is_heard_by_spicy_and_spicesrc_at_once,
         test_a_guest_of_the_fields_library_is_heard_by_spicesrc,
         test_a_host_is_heard_by_opus_and_raw_at_once,
         test_a_host_at_44100_hz_is_heard_raw_and_by_celt_both_ways,
         test_tones_are_whole_over_an_unsteady_link, test_a_mixers_volume_is_followed, test_a_pipeline_is_heard_by_spicy_and_spicesrc,
         test_a_movies_sound_is_with_its_picture,
         test_a_movies_sound_goes_on_as_the_movie_begins_anew,
         test_silence_costs_no_bytes, test_launch_lines_that_play_sound, test_launch_lines_that_record_a_microphone,
         test_a_launch_line_through_celt,
         test_a_servers_bad_sound_leaves_its_picture_alone, test_one_microphone_is_heard_and_then_the_next]
if os.path.exists(VIEW):
    tests += [test_spice_view_plays_sound, test_spice_view_keeps_silent_if_it_is_told_to]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)], at_once=2))
