# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scenes in which films play."""
import time

import films
from xwindows import tracked

PLAY = 16  # seconds
OFF = 1.5  # seconds after the end of which a trace still tells


def plain(source, width, height, fps, x, y, *more):
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+{x}+{y}", *more)
        with tracked(stage.server, player.window) as track:
            start = player.play()
            time.sleep(PLAY)
            end = player.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
    return scene


def ffplay(source, width, height, fps, x, y):
    """It begins with its window, and ends with it."""
    def scene(stage):
        player = films.Ffplay(stage, films.make(stage.films, source, width, height, fps), x, y)
        start = time.monotonic()
        with tracked(stage.server, player.window) as track:
            time.sleep(PLAY)
        end = player.close()
        time.sleep(OFF)
        stage.video(0, start, end, track)
    return scene


def gst(source, width, height, fps):
    def scene(stage):
        player = films.GstPlay(stage, films.make(stage.films, source, width, height, fps, "mjpeg"))
        start = time.monotonic()
        with tracked(stage.server, player.window) as track:
            time.sleep(PLAY)
        end = player.close()
        time.sleep(OFF)
        stage.video(0, start, end, track)
    return scene


def full_screen(source, width, height, fps, from_window):
    """On all of the screen; at first in a window, if so."""
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+60+70", "--no-osc",
                           *([] if from_window else ["--fs"]))
        with tracked(stage.server, player.window) as track:
            start = player.play()
            if from_window:
                time.sleep(PLAY / 2)
                player.command("set_property", "fullscreen", True)
                change = time.monotonic()
                time.sleep(PLAY)
            else:
                time.sleep(PLAY)
            end = player.pause()
            time.sleep(OFF)
        if not from_window:
            stage.video(0, start, end, track, (width, height))
            return
        for _, until, _ in track.places:
            if until > change:
                change = until
                break
        stage.video(0, start, change, track, (width, height))
        stage.video(1, change, end, track, (width, height))
    return scene


def covered(source, width, height, fps, cover, later):
    """A terminal stands over a part of it; from the start, or for some seconds."""
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+80+60")
        with tracked(stage.server, player.window) as track:
            start = player.play() if later else None
            if later:
                time.sleep(5)
            shown = time.monotonic()
            above = stage.open_window("xterm", "-geometry", cover, settle=0.5 if later else 1.5)
            with tracked(stage.server, above) as cover_track:
                if not later:
                    start = player.play()
                time.sleep(6 if later else PLAY)
                if later:
                    stage.programs[-1].kill()
                    gone = time.monotonic()
                    time.sleep(8)
                else:
                    gone = time.monotonic()
                end = player.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
        # its frame: of openbox, a title above and a thin line around
        for since, until, (x, y, w, h) in cover_track.places:
            stage.label("-", max(since, shown), gone if later else end + OFF,
                        (x - 2, y - 24, w + 4, h + 26))
    return scene


def moved(source, width, height, fps, way, pause):
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+30+40")
        with tracked(stage.server, player.window) as track:
            start = player.play()
            time.sleep(5)
            for step in range(1, 61):
                stage.server.move(player.window, 30 + way[0] * step // 60, 40 + way[1] * step // 60)
                time.sleep(pause)
            time.sleep(8)
            end = player.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
    return scene


def paused(source, width, height, fps, gaps):
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+200+150")
        with tracked(stage.server, player.window) as track:
            spans = []
            for gap in (*gaps, OFF):
                start = player.play()
                time.sleep(12)
                spans.append((start, player.pause()))
                time.sleep(gap)
        for number, (start, end) in enumerate(spans):
            stage.video(number, start, end, track)
    return scene


def controls(source, width, height, fps):
    """The player's own controls, drawn over it when the mouse moves."""
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+100+80", "--osc", "--osd-level=1")
        with tracked(stage.server, player.window) as track:
            start = player.play()
            for _ in range(2):
                time.sleep(4)
                for step in range(40):
                    stage.xdotool("mousemove", 120 + step * 8, 80 + height - 30 - step)
                    time.sleep(0.04)
            time.sleep(5)
            end = player.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
    return scene


def progress(source, width, height, fps):
    """A dialogue with a bar that moves stands over it all the time."""
    def scene(stage):
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+60+60")
        above = stage.open_window("zenity", "--progress", "--pulsate", "--text", "Working")
        stage.server.move(above, 260, 220)
        time.sleep(1)
        with tracked(stage.server, player.window) as track, \
                tracked(stage.server, above) as cover:
            start = player.play()
            time.sleep(PLAY)
            end = player.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
        stage.label("-", start, end + OFF, frame_of(cover.places[-1][2]))
    return scene


def frame_of(box):
    """Of a window of openbox: a title above and a thin line around."""
    x, y, width, height = box
    return x - 2, y - 24, width + 4, height + 26


def two(first, second, typing=False):
    """Two at once; the second comes some seconds later. Or somebody types beside it."""
    def scene(stage):
        source, width, height, fps = first
        one = films.Mpv(stage, films.make(stage.films, source, width, height, fps),
                        f"{width}x{height}+20+30")
        source, width, height, fps = second
        other = films.Mpv(stage, films.make(stage.films, source, width, height, fps),
                          f"{width}x{height}+{1000 - width}+{740 - height}")
        with tracked(stage.server, one.window) as track, \
                tracked(stage.server, other.window) as other_track:
            start = one.play()
            time.sleep(3)
            later = other.play()
            time.sleep(PLAY)
            end = one.pause()
            other_end = other.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
        stage.video(1, later, other_end, other_track)
    return scene


def beside(source, width, height, fps, command):
    """Somebody works in a terminal beside it."""
    def scene(stage):
        stage.open_window("xterm", "-geometry", "60x20+30+460", "-e", *command)
        film = films.make(stage.films, source, width, height, fps)
        player = films.Mpv(stage, film, f"{width}x{height}+380+40")
        with tracked(stage.server, player.window) as track:
            start = player.play()
            time.sleep(PLAY)
            end = player.pause()
            time.sleep(OFF)
        stage.video(0, start, end, track)
    return scene


SCENES = {
    "develop": {
        "film-96x96-25": plain("bars", 96, 96, 25, 50, 60),
        "film-480x270-10": plain("mandelbrot", 480, 270, 10, 117, 90),
        "film-640x360-24": plain("clouds", 640, 360, 24, 203, 117),
        "film-400x300-60": plain("pattern", 400, 300, 60, 88, 200),
        "film-288x162-60": plain("gradients", 288, 162, 60, 500, 120),
        "film-600x338-25": plain("mandelbrot", 600, 338, 25, 77, 130),
        "full-screen-pattern-30": full_screen("pattern", 512, 384, 30, False),
        "ffplay-640x360-30": ffplay("gradients", 640, 360, 30, 150, 120),
        "gst-play-512x288-25": gst("mandelbrot", 512, 288, 25),
        "full-screen-24": full_screen("clouds", 640, 360, 24, False),
        "covered-30": covered("mandelbrot", 640, 360, 30, "40x10+400+260", False),
        "covered-later-25": covered("bars", 560, 420, 25, "40x8+200+200", True),
        "moved-30": moved("clouds", 480, 270, 30, (380, 300), 0.04),
        "paused-25": paused("bars", 480, 360, 25, (4, 1)),
        "controls-30": controls("mandelbrot", 640, 400, 30),
        "progress-24": progress("gradients", 640, 480, 24),
        "two-films": two(("clouds", 320, 240, 25), ("mandelbrot", 480, 270, 30)),
        "beside-terminal-25": beside("bars", 600, 380, 25, ["top", "-d", "0.5"]),
        "window-to-full-30": full_screen("mandelbrot", 512, 384, 30, True),
    },
    "judge": {
        "film-128x104-30": plain("clouds", 128, 104, 30, 301, 77),
        "film-320x240-10": plain("bars", 320, 240, 10, 33, 260),
        "film-540x304-30": plain("mandelbrot", 540, 304, 30, 141, 211),
        "film-320x180-60": plain("gradients", 320, 180, 60, 400, 310),
        "ffplay-480x360-24": ffplay("bars", 480, 360, 24, 260, 90),
        "gst-play-640x480-30": gst("clouds", 640, 480, 30),
        "full-screen-25": full_screen("pattern", 400, 300, 25, False),
        "covered-25": covered("clouds", 700, 440, 25, "50x14+120+240", False),
        "covered-later-30": covered("mandelbrot", 512, 384, 30, "50x10+240+140", True),
        "moved-24": moved("bars", 400, 300, 24, (300, 380), 0.05),
        "paused-30": paused("clouds", 560, 320, 30, (3, 1)),
        "controls-25": controls("bars", 560, 420, 25),
        "progress-30": progress("mandelbrot", 720, 480, 30),
        "two-films": two(("bars", 400, 300, 24), ("gradients", 360, 240, 30)),
        "beside-terminal-24": beside("clouds", 560, 400, 24, ["ping", "-i", "0.2", "127.0.0.1"]),
        "window-to-full-24": full_screen("bars", 480, 270, 24, True),
    },
}
