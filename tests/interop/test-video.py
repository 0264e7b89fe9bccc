# SPDX-License-Identifier: LGPL-2.1-or-later
"""Video streams against spice-gtk and spicesrc: frames come in order and look as they should, what
stands over them is exact at once, and all is when the film stops."""
import atexit
import os
import re
import subprocess
import sys
import time

from film import (FILM_HEIGHT, FILM_WIDTH, FILM_X, FILM_Y, HEIGHT, LSAN, WIDTH, Film, crop, file, frame_number, psnr,
                  record, spicy)
from harness import BUILD, LONG, SANITIZED_BUILD, check, check_equal, environment, picture, run_tests, shot
from vm import wait_until
from xspice import Xspice

SEAM = 32


def check_film(film, desktop, number, what):
    """The film's part looks like that frame, and around it all is exact."""
    film.tell(f"frame {number} {file('truth.ppm')}")
    truth = picture(file("truth.ppm"))
    quality = psnr(crop(desktop, FILM_X, FILM_Y, FILM_WIDTH, FILM_HEIGHT),
                   crop(truth, FILM_X, FILM_Y, FILM_WIDTH, FILM_HEIGHT))
    check(quality > 28, f"{what}: frame {number} has a PSNR of {quality:.1f} dB")
    for box in ((0, 0, WIDTH, FILM_Y), (0, 0, FILM_X, HEIGHT),
                (0, FILM_Y + FILM_HEIGHT, WIDTH, HEIGHT - FILM_Y - FILM_HEIGHT)):
        check(crop(desktop, *box) == crop(truth, *box), f"{what}: text at {box} is not exact")
    return quality


# spice-gtk

def watch(film, grab, what, pictures=8):
    """Looks on while it plays: frames come in order and look well. The last number."""
    last, seen, worst = -1, set(), 99
    for _ in range(pictures):
        desktop = grab()
        number = frame_number(desktop)
        check(number is not None, f"{what}: there is no number")
        check(number >= last, f"{what}: frame {number} came after {last}")
        worst = min(worst, check_film(film, desktop, number, what))
        last = number
        seen.add(number)
    check(len(seen) > pictures // 2, f"{what}: only frames {seen} were seen")
    print(f"# {what}: frames {min(seen)} to {last}, PSNR {worst:.1f} dB at the worst")
    return last


def is_exact(film, grab):
    film.tell("save " + file("truth.ppm"))
    return grab()[2] == picture(file("truth.ppm"))[2]


def spicy_of(film):
    return spicy(film.port, (WIDTH, HEIGHT), lambda grab: is_exact(film, grab))


def see_with_spicy(codec, other=None):
    with Film("port=0", f"video-codecs={codec}") as film:
        with spicy_of(film) as grab:
            film.tell("play")
            wait_until(lambda: film.codecs(), 10, "a stream begins")
            check(film.codecs() == {codec}, f"the stream is {film.codecs()}, not {codec}")
            time.sleep(1)
            watch(film, grab, f"spicy, {codec}")
            if other:
                film.tell(f"codecs {other}")
                wait_until(lambda: other in film.codecs(), 10, "another codec")
                time.sleep(1)
                watch(film, grab, f"spicy, {codec}, then {other}", 4)
            film.tell("stop")
            wait_until(lambda: is_exact(film, grab), 10, "all is exact after the end")


def test_spicy_shows_MJPEG():
    see_with_spicy("mjpeg")


def test_spicy_shows_VP8():
    see_with_spicy("vp8")


def test_spicy_shows_VP9():
    see_with_spicy("vp9", "mjpeg")  # which comes while it plays


def test_spicy_shows_H264():
    see_with_spicy("h264")


def test_overlays_are_exact_in_spicy():
    with Film("port=0", "video-codecs=mjpeg") as film, spicy_of(film) as grab:
        film.tell("play")
        wait_until(lambda: film.codecs(), 10, "a stream begins")
        time.sleep(0.5)
        film.tell("overlay 1")
        # But for a seam: pictures of what changed may have some pixels of the window with them.
        over = (FILM_X + FILM_WIDTH // 2 + SEAM, FILM_Y + FILM_HEIGHT // 2 + SEAM,
                FILM_WIDTH // 2 - SEAM, FILM_HEIGHT // 2 - SEAM)
        film.tell("frame 0 " + file("truth.ppm"))
        truth = crop(picture(file("truth.ppm")), *over)
        wait_until(lambda: crop(grab(), *over) == truth, 5, "the window over the film is exact")
        first = frame_number(grab())
        for _ in range(4):
            check(crop(grab(), *over) == truth, "the window over the film was painted over")
        check(frame_number(grab()) > first, "the film stands still beneath the window")
        film.tell("overlay 0")
        time.sleep(1.5)  # it shows frames 400 ms late
        watch(film, grab, "without the window", 4)
        film.tell("stop")
        wait_until(lambda: is_exact(film, grab), 10, "all is exact after the end")


# spicesrc

def see_with_spicesrc(codec):
    with Film("port=0", f"video-codecs={codec}") as film:
        film.tell("play")
        desktops = record(film.port, 70, codec)[40:]
        check(film.codecs() == {codec}, f"the stream is {film.codecs()}, not {codec}")
        numbers = [frame_number(desktop) for desktop in desktops]
        check(None not in numbers and numbers == sorted(numbers) and len(set(numbers)) > 20,
              f"numbers are {numbers}")
        worst = min(check_film(film, desktop, frame_number(desktop), "spicesrc")
                    for desktop in desktops[::10])
        print(f"# spicesrc, {codec}: {len(set(numbers))} frames, PSNR {worst:.1f} dB at the worst")
        film.tell("stop")
        status, lines = shot(file("end.ppm"), "--location", f"spice://127.0.0.1:{film.port}",
                             "--settle", "1500", "--stats")
        check(status == 0, "\n".join(lines))
        film.tell("save " + file("truth.ppm"))
        check_equal(file("end.ppm"), file("truth.ppm"), "spicesrc, after the end")


def test_spicesrc_shows_MJPEG():
    see_with_spicesrc("mjpeg")


def test_spicesrc_shows_VP8():
    see_with_spicesrc("vp8")


def test_spicesrc_shows_VP9():
    see_with_spicesrc("vp9")


def test_spicesrc_shows_H264():
    see_with_spicesrc("h264")


def test_spicesrc_shows_H265():
    see_with_spicesrc("h265")


# Slow links

class SlowLink:
    """The link simulator before a server."""

    def __init__(self, port, *options):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests", "net", "link-simulator"), *options, str(port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        atexit.register(self.close)  # a test that fails leaves it behind, and whoever reads what the test says waits for it

    def close(self):
        self.process.terminate()
        self.process.wait()


def test_a_slow_link_gets_fewer_and_coarser_frames():
    with Film("port=0", "video-codecs=mjpeg", GST_DEBUG="spiceclientstreams:6") as film:
        link = SlowLink(film.port, "--rate", "480kbit")  # the film takes three times as much at its best
        film.tell("play")
        time.sleep(1)
        numbers = [frame_number(desktop) for desktop in record(link.port, 40, "slow")[10:]]
        check(numbers == sorted(numbers) and len(set(numbers)) > 5, f"numbers are {numbers}")
        decisions = re.findall(r"(encoded|dropped), quality (\d+)", film.said())
        late = [int(quality) for what, quality in decisions[-20:]]
        dropped = sum(what == "dropped" for what, _ in decisions)
        check(dropped > len(decisions) // 5 or max(late) < 75,  # without a link it is 85
              f"{dropped} of {len(decisions)} frames were dropped, the quality stays at {late}")
        under_way = [int(n) for n in re.findall(r"(\d+) bytes under way", film.said())]
        check(max(under_way[20:]) < 60000, f"{max(under_way[20:])} bytes were under way")
        print(f"# {len(set(numbers))} frames, quality {min(late)} to {max(late)}, "
              f"at most {max(under_way[20:])} bytes under way, "
              f"{dropped} of {len(decisions)} dropped")
        film.tell("stop")
        status, lines = shot(file("end.ppm"), "--location", f"spice://127.0.0.1:{link.port}",
                             "--settle", "1500", "--max", "60000")
        check(status == 0, "\n".join(lines))
        film.tell("save " + file("truth.ppm"))
        check_equal(file("end.ppm"), file("truth.ppm"), "after the end")
        link.close()


def test_a_film_goes_on_over_a_bad_link():
    with Film("port=0", "video-codecs=mjpeg") as film:
        link = SlowLink(film.port, "--rate", "2mbit", "--delay", "20ms", "--loss", "1%")
        film.tell("play")
        time.sleep(0.5)
        numbers = [frame_number(desktop) for desktop in record(link.port, 80, "bad")[20:]]
        check(None not in numbers and numbers == sorted(numbers), f"numbers are {numbers}")
        check(len(set(numbers)) > 25, f"only frames {sorted(set(numbers))} were seen")
        print(f"# {len(set(numbers))} frames of {numbers[-1] - numbers[0] + 1}")
        film.tell("stop")
        status, lines = shot(file("end.ppm"), "--location", f"spice://127.0.0.1:{link.port}",
                             "--settle", "1000", "--max", "60000")
        check(status == 0, "\n".join(lines))
        film.tell("save " + file("truth.ppm"))
        check_equal(file("end.ppm"), file("truth.ppm"), "after the end")
        link.close()


# VM hosts: an X server that draws by QXL commands stands for a guest.

def see_in_xspice(which, library, codecs):
    server = Xspice(file("xspice-" + which), library, XSPICE_STREAMING_VIDEO="filter",
                    XSPICE_VIDEO_CODECS=codecs)
    try:
        with Film("x11", DISPLAY=server.display) as film:
            film.tell("play")
            desktops = record(server.port, 90, which, "videocrop", "right=704", "bottom=528", "!",
                              size=(FILM_WIDTH, FILM_HEIGHT))[60:]
            numbers = [frame_number(desktop, 0, 0) for desktop in desktops]
            check(None not in numbers and numbers == sorted(numbers) and len(set(numbers)) > 15,
                  f"{which}: numbers are {numbers}")
            worst = 99
            for desktop in desktops[::10]:
                film.tell(f"frame {frame_number(desktop, 0, 0)} {file('truth.ppm')}")
                worst = min(worst, psnr(desktop[2], picture(file("truth.ppm"))[2]))
            check(28 < worst < 90, f"{which}: PSNR {worst:.1f} dB: no stream, or a bad one")
            print(f"# Xspice on {which}: {len(set(numbers))} frames, PSNR {worst:.1f} dB at the worst")
            film.tell("stop")
            time.sleep(2)
            status, lines = shot(file("end.ppm"), "--location",
                                 f"spice://127.0.0.1:{server.port}", "--settle", "700", "--stats")
            check(status == 0, "\n".join(lines))
            film.tell("save " + file("truth.ppm"))
            check(crop(picture(file("end.ppm")), 0, 0, FILM_WIDTH, FILM_HEIGHT) ==
                  picture(file("truth.ppm"))[2], f"{which}: not exact after the end")
    finally:
        server.close()


def test_spicesrc_shows_streams_of_the_field():
    see_in_xspice("field", None, "spice:mjpeg")


def test_a_VM_host_streams_MJPEG():
    see_in_xspice("ours", os.path.join(BUILD, "server", "embed"), "spice:mjpeg")


def test_a_VM_host_streams_VP8():
    see_in_xspice("ours", os.path.join(BUILD, "server", "embed"), "gstreamer:vp8")


def test_clean_under_sanitizers():
    sanitized = environment(SANITIZED_BUILD, LSAN_OPTIONS=LSAN,
                            ASAN_OPTIONS="fast_unwind_on_malloc=0")
    for codec in ("mjpeg", "vp8") if LONG else ("mjpeg",):
        with Film("port=0", f"video-codecs={codec}", build=SANITIZED_BUILD) as film:
            film.tell("play")
            for overlay in (0, 1, 0):
                film.tell(f"overlay {overlay}")
                status, lines = shot(file("sanitized.ppm"), "--location",
                                     f"spice://127.0.0.1:{film.port}", "--settle", "5000", "--max", "1500",
                                     build=SANITIZED_BUILD, env=sanitized)
                check(status == 1 and lines[0].startswith("nothing"), f"{lines}")  # it never rests
            check(film.codecs() == {codec}, f"{codec}: {film.codecs()}")
            film.tell("stop")
            status, lines = shot(file("sanitized.ppm"), "--location",
                                 f"spice://127.0.0.1:{film.port}", build=SANITIZED_BUILD,
                                 env=sanitized)
            check(status == 0, "\n".join(lines))
            film.tell("save " + file("truth.ppm"))
            check_equal(file("sanitized.ppm"), file("truth.ppm"), f"{codec}, after the end")


def test_nothing_streams_when_it_is_off():
    with Film("port=0", "streaming-video=off") as film:
        film.tell("play")
        status, lines = shot(file("off.ppm"), "--location", f"spice://127.0.0.1:{film.port}",
                             "--max", "2000")
        check(status == 1 and not film.codecs(), f"{film.codecs()} {lines}")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    tests = [test for name, test in list(globals().items()) if name.startswith("test_")]
    if not LONG:  # what is left out is much like what is not
        tests = [test for test in tests if test not in (
            test_spicy_shows_H264, test_spicesrc_shows_VP9, test_spicesrc_shows_H264)]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
