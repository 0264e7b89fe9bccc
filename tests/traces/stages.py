# SPDX-License-Identifier: LGPL-2.1-or-later
"""Desktops whose draws are recorded: Xspice, drawn by a QXL driver, and an X server that spice-serve
captures. Both run the library of this tree, which logs what its detector of video sees."""
import gzip
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import harness  # noqa: the tests' folder is not a package
from x11 import BareServer, Serve
from xspice import Xspice

import xwindows

LINE = re.compile(rb"draw (\d+) on (\d+)x(\d+) kind (\d) content (\d) shifted (\d) "
                  rb"box (-?\d+),(-?\d+),(-?\d+),(-?\d+) stream -?\d+ clip(.*)")
NOT_VIDEO = "-"
MOST_DRAWS = 50000  # of a trace; a terminal that prints fast has many


class Stage:
    """A desktop; what is started on it, and what was video there."""

    def __init__(self, folder):
        self.folder = folder
        self.log = os.path.join(folder, "draws.log")
        self.programs, self.labels = [], []
        self.variables = {"GST_DEBUG": "spicedraws:6", "GST_DEBUG_FILE": self.log,
                          "GST_DEBUG_NO_COLOR": "1"}
        self.display = self.open()
        self.manager = self.start("openbox")
        self.server = xwindows.Server(self.display)
        self.size = self.server.box(self.server.root)[2:]
        time.sleep(1.5)

    # programs

    def environment(self):
        return harness.environment(DISPLAY=self.display, HOME=self.folder, G_DEBUG="",
                                   GST_DEBUG="")

    def start(self, *command, cwd=None):
        program = subprocess.Popen(command, env=self.environment(), cwd=cwd,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.programs.append(program)
        return program

    def run(self, *command):
        return subprocess.run(command, env=self.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False).stdout.decode()

    def xdotool(self, *words):
        return self.run("xdotool", *map(str, words))

    def windows(self):
        return set(self.xdotool("search", "--onlyvisible", "--name", ".+").split())

    def new_window(self, before, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for window in self.windows() - before:
                box = self.server.box(int(window))
                if box and box[2] > 20:
                    return int(window)
            time.sleep(0.01)
        raise harness.Failure("a program's window does not come")

    def open_window(self, *command, settle=1.0, cwd=None):
        """Starts a program; its window, once it has been painted."""
        before = self.windows()
        self.start(*command, cwd=cwd)
        window = self.new_window(before)
        time.sleep(settle)
        return window

    # labels

    def begin(self):
        """The trace begins here: what was drawn before is the desktop's coming up."""
        self.labels = []
        self.begun = time.monotonic()

    def video(self, number, start, end, track, fit=None):
        """The window of `track` showed video `number`. `fit`: the film's size, of which as much as
        fits is shown in the middle of the window."""
        for since, until, (x, y, width, height) in track.places:
            if fit:
                scale = min(width / fit[0], height / fit[1])
                w, h = round(fit[0] * scale), round(fit[1] * scale)
                x, y, width, height = x + (width - w) // 2, y + (height - h) // 2, w, h
            self.label(number, max(since, start), min(until, end), (x, y, width, height))

    def hidden(self, track, start, end, border=0):
        """The window of `track` covered what is below it, with its frame."""
        for since, until, (x, y, width, height) in track.places:
            self.label(NOT_VIDEO, max(since, start), min(until, end),
                       (x - border, y - border, width + 2 * border, height + 2 * border))

    def label(self, number, start, end, box):
        if start < end:
            self.labels.append((start, end, *box, number))

    # the trace

    def save(self, path, name):
        """Writes what was drawn since begin(): a line each; times in microseconds."""
        length = time.monotonic() - self.begun
        zero = int(self.begun * 1e6)
        lines, times, last, count = [], [], 0, 0
        with open(self.log, "rb") as log:
            for line in log:
                found = LINE.search(line)
                if not found:
                    continue
                at = int(found[1]) - zero
                if at < 0:
                    continue
                width, height = int(found[2]), int(found[3])
                left, top, right, bottom = (int(found[i]) for i in range(7, 11))
                text = (f"{at - last} {int(found[4])}{int(found[5])}{'s' * int(found[6])} "
                        f"{left} {top} {right - left} {bottom - top}")
                for clip in found[11].decode().split():
                    l, t, r, b = map(int, clip.split(","))
                    text += f" {l - left} {t - top} {r - l} {b - t}"
                lines.append(text)
                if count == MOST_DRAWS:
                    length = at / 1e6
                    break
                last = at
                times.append(at)
                count += 1
        head = [f"trace {name}", f"size {self.size[0]} {self.size[1]}",
                f"length {int(length * 1e6)}"]
        for start, end, x, y, width, height, number in self.labels:
            head.append(f"label {max(0, int(start * 1e6) - zero)} {int(end * 1e6) - zero} "
                        f"{x} {y} {width} {height} {number}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as out:
            out.write("\n".join(head + [f"draws {count}"] + lines).encode() + b"\n")
        return count, self.longest_gap(times, zero)

    def longest_gap(self, times, zero):
        """Seconds for which nothing was drawn while a film played: the machine was busy elsewhere."""
        longest = 0
        for start, end, *_, number in self.labels:
            if number != NOT_VIDEO:
                inside = [at for at in times if start * 1e6 - zero <= at <= end * 1e6 - zero]
                longest = max([longest, *(b - a for a, b in zip(inside, inside[1:]))])
        return longest / 1e6

    def close(self):
        self.server.close()
        for program in reversed(self.programs):
            program.kill()
            program.wait()
        self.shut()


class QxlStage(Stage):
    name = "qxl"

    def open(self):
        library = os.path.join(harness.BUILD, "server", "embed")
        self.x = Xspice(os.path.join(self.folder, "xspice"), library, **self.variables)
        return self.x.display

    def shut(self):
        self.x.close()


class CapturedStage(Stage):
    name = "captured"
    frames = 30  # a second at most, as spice-serve has it by itself

    def open(self):
        self.x = BareServer(size="1024x768x24")
        os.environ.update(self.variables)
        try:
            self.serve = Serve("--x11", self.x.display, "--fps", str(self.frames))
        finally:
            for name in self.variables:
                os.environ.pop(name)
        return self.x.display

    def shut(self):
        self.serve.close()
        self.x.close()


class FastCapturedStage(CapturedStage):
    frames = 60
