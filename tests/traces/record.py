#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records labelled traces of real programs for the detector of video.

    record.py [develop|judge] [NAME...]     writes tests/traces/{develop,judge}/*.trace.gz

What is recorded is what the detector sees of each draw: when, where, what kind, and the class of its
pixels. A label says when and where a film really was: from what the players say and the X server says
of their windows, never from what the detector found. The detector may be mended with the traces in
`develop`; those in `judge`, of other films, sizes, rates and places, are for judging alone.

Needs, beside what the tests need, Debian's mpv, ffmpeg, netsurf-gtk, mousepad, nsxiv and mesa-utils, and
a release build."""
import os
import shutil
import sys
import tempfile

import quiet_scenes
import film_scenes
from stages import CapturedStage, FastCapturedStage, QxlStage

# A film of which nothing was drawn for so many seconds was not shown: it is recorded again.
LONGEST_GAP, TRIES = 0.24, 4
HERE = os.path.dirname(os.path.abspath(__file__))


def record(half, name, scene, kind, films):
    folder = tempfile.mkdtemp(prefix="spice-trace-")
    stage = kind(folder)
    try:
        stage.films = films
        stage.begin()
        scene(stage)
        path = os.path.join(HERE, half, f"{name}-{stage.name}.trace.gz")
        count, gap = stage.save(path, f"{name.replace('-', ' ')}, {stage.name}")
        print(f"{half} {name} {stage.name}: {count} draws, {os.path.getsize(path)} bytes, "
              f"longest gap {gap * 1000:.0f} ms", flush=True)
        return gap
    finally:
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    arguments = sys.argv[1:]
    halves = [arguments.pop(0)] if arguments and arguments[0] in ("develop", "judge") else [
        "develop", "judge"]
    films = os.path.join(tempfile.gettempdir(), "spice-trace-films")  # kept for the next time
    os.makedirs(films, exist_ok=True)
    for half in halves:
        for name, scene in (film_scenes.SCENES[half] | quiet_scenes.SCENES[half]).items():
            if arguments and name not in arguments:
                continue
            captured = FastCapturedStage if name.endswith("-60") else CapturedStage
            for kind in (QxlStage, captured):
                try:
                    for _ in range(TRIES):
                        if record(half, name, scene, kind, films) < LONGEST_GAP:
                            break
                except Exception as error:  # noqa: the others are recorded all the same
                    print(f"{half} {name} {kind.name}: failed: {error!r}", flush=True)


if __name__ == "__main__":
    main()
