# SPDX-License-Identifier: LGPL-2.1-or-later
"""A film with its number burnt in (film.c), clients that look on, and what their pictures say."""
import contextlib
import math
import os
import re
import subprocess
import time

from harness import BUILD, SOURCE, WORK, Xvfb, check, environment, picture, run
from vm import wait_until
from x11 import wait_for_manager

LSAN = "suppressions=" + os.path.join(SOURCE, "tests", "interop", "lsan.supp")
WIDTH, HEIGHT, FILM_X, FILM_Y, FILM_WIDTH, FILM_HEIGHT, BOX, BITS = 640, 480, 160, 120, 320, 240, 20, 16


def file(name):
    return os.path.join(WORK, name)


class Film:
    """A desktop on which a film plays (film.c)."""

    def __init__(self, *properties, build=BUILD, **env):
        self.log = open(file(f"film-{time.monotonic_ns()}.log"), "w+b")
        self.process = subprocess.Popen(
            [os.path.join(build, "tests", "interop", "film"), *(properties or ["port=0"])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            env=environment(build, **{"GST_DEBUG": "spiceclientstreams:4", "GST_DEBUG_NO_COLOR": 1,
                                      "LSAN_OPTIONS": LSAN,
                                      "ASAN_OPTIONS": "fast_unwind_on_malloc=0", **env}))
        line = self.process.stdout.readline().decode()
        check(line.startswith("port "), f"the film does not start: {line}{self.said()}")
        self.port = int(line.split()[1])

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def tell(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        check(self.process.stdout.readline() == b"ok\n", f"{command}: {self.said()[-2000:]}")

    def codecs(self):
        """Those that streams were sent in."""
        return set(re.findall(r"stream \d+: \d+ x \d+ as (\w+)", self.said()))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.process.kill()
            self.process.wait()
            return
        self.process.stdin.close()
        status = self.process.wait(timeout=60)
        check(status == 0, f"the film ended with {status}: {self.said()[-3000:]}")


def raw_film(frames, alone=True):
    """The film's first frames as gst-launch's elements that read them; alone or with the desktop around it."""
    size = (FILM_WIDTH, FILM_HEIGHT) if alone else (WIDTH, HEIGHT)
    with Film("pictures" if alone else "port=0") as film, open(file("frames.rgb"), "wb") as raw:
        for number in range(frames):
            film.tell(f"frame {number} {file('frame.ppm')}")
            raw.write(picture(file("frame.ppm"))[2])
    return ["filesrc", f"location={raw.name}", "!", "rawvideoparse", "format=rgb", f"width={size[0]}",
            f"height={size[1]}"]


def launch(*elements):
    status, text = run(["gst-launch-1.0", "-q", *elements])
    check(status == 0, text[-1000:])


# Pictures

def crop(whole, x, y, width, height):
    """RGB rows of a part of (width, height, RGB)."""
    full, _, rgb = whole
    return b"".join(rgb[3 * ((y + row) * full + x):3 * ((y + row) * full + x + width)]
                    for row in range(height))


def frame_number(desktop, left=FILM_X, top=FILM_Y):
    """What the boxes over the film say; None if they are not there."""
    full, _, rgb = desktop
    number = 0
    for bit in range(BITS):
        at = 3 * ((top + BOX // 2) * full + left + bit * BOX + BOX // 2)
        level = sum(rgb[at:at + 3]) / 3
        if 64 < level < 192:
            return None
        number = number * 2 + (level >= 192)
    return number


def psnr(a, b):
    error = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    return 99 if error == 0 else 10 * math.log10(255 ** 2 / error)


# What clients show

@contextlib.contextmanager
def spicy(port, size, shows):
    """spicy that fills a screen of the desktop's size; gives a function that takes its picture once
    shows(that function) is true."""
    x = Xvfb("%dx%d" % size)
    client = None
    try:
        wait_for_manager(x)
        client = subprocess.Popen(["spicy", "-f", "-h", "127.0.0.1", "-p", str(port)],
                                  env=x.environment(HOME=file("home"), G_DEBUG=""),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def grab():
            status, text = run(["import", "-window", "root", "-depth", "8", file("spicy.ppm")],
                               env=x.environment())
            check(status == 0, f"import: {text}")
            return picture(file("spicy.ppm"))
        wait_until(lambda: shows(grab), 20, "spicy shows the desktop")
        yield grab
    finally:
        if client:
            client.kill()
            client.wait()
        x.close()


def record(port, frames, name, *filters, size=(WIDTH, HEIGHT)):
    """Desktops as spicesrc shows them: a list of (width, height, RGB)."""
    folder = file(name)
    os.makedirs(folder, exist_ok=True)
    status, text = run(["gst-launch-1.0", "spicesrc", f"location=spice://127.0.0.1:{port}", "!",
                        "video/x-raw,format=BGRx", "!", *filters, "identity", f"eos-after={frames}", "!",
                        "multifilesink", f"location={folder}/%05d"])
    check(status == 0, text[-1000:])
    desktops = []
    for number in sorted(os.listdir(folder)):
        with open(os.path.join(folder, number), "rb") as raw:
            data = raw.read()
        rgb = bytearray(len(data) // 4 * 3)
        for channel in range(3):
            rgb[channel::3] = data[2 - channel::4]
        desktops.append((*size, bytes(rgb)))
        os.unlink(os.path.join(folder, number))
    return desktops
