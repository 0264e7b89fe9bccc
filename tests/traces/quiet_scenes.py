# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scenes without a film."""
import os
import subprocess
import time

LENGTH = 10  # seconds


def photo(stage, seed, size):
    path = os.path.join(stage.films, f"photo-{seed}-{size}.png")
    if not os.path.exists(path):
        subprocess.run(["convert", "-size", size, "-seed", str(seed), "plasma:fractal", "-attenuate",
                        "0.3", "+noise", "Gaussian", path], check=True)
    return path


def terminal(command, geometry="100x40+60+40"):
    """A program that prints."""
    def scene(stage):
        stage.start("xterm", "-geometry", geometry, "-e", "sh", "-c", command)
        time.sleep(LENGTH)
    return scene


def typed(stage, text, delay):
    end = time.monotonic() + LENGTH
    while time.monotonic() < end:
        for word in text.split():
            stage.xdotool("type", "--delay", delay, word + " ")
            if time.monotonic() > end:
                return
        stage.xdotool("key", "Return")


def editor(*command, before=(), delay=60):
    def scene(stage):
        window = stage.open_window(*command)
        stage.xdotool("windowfocus", window)
        for word in before:
            stage.xdotool("key", word)
        typed(stage, "The quick brown fox jumps over the lazy dog and writes a letter", delay)
    return scene


def dragged(command, steps, pause):
    """By its title, with the mouse, as a window manager moves it."""
    def scene(stage):
        words = [word if not callable(word) else word(stage) for word in command]
        window = stage.open_window(*words)
        x, y, width, _ = stage.server.box(window)
        x, y = x + width // 2, y - 10
        stage.xdotool("mousemove", x, y, "mousedown", 1)
        end = time.monotonic() + LENGTH
        step = 0
        while time.monotonic() < end:
            dx = abs(step * steps % 800 - 400) - 200
            stage.xdotool("mousemove", max(60, min(960, x + dx)), max(20, y + dx // 3))
            time.sleep(pause)
            step += 1
        stage.xdotool("mouseup", 1)
    return scene


PAGE = """<html><body bgcolor="{ground}"><h1>A page</h1>{parts}</body></html>"""
TEXT = "<p>" + "A remote desktop shows a machine that is somewhere else. " * 12 + "</p>"


def page(ground, pictures, way, pause):
    """A page in a browser, scrolled by wheel or keys."""
    def scene(stage):
        parts = ""
        for number in range(14):
            parts += f"<h2>Part {number}</h2>" + TEXT
            if pictures and number % pictures == 0:
                parts += f'<img src="{photo(stage, number, "420x280")}">'
        path = os.path.join(stage.folder, "page.html")
        with open(path, "w") as out:
            out.write(PAGE.format(ground=ground, parts=parts))
        window = stage.open_window("netsurf-gtk", "file://" + path, settle=3)
        x, y, width, height = stage.server.box(window)
        stage.xdotool("mousemove", x + width // 2, y + height // 2, "click", 1)
        end = time.monotonic() + LENGTH
        down = 0
        while time.monotonic() < end:
            stage.xdotool(*(word if down % 40 < 25 else {"5": "4", "Down": "Up", "Next": "Prior"}.get(
                word, word) for word in way))
            down += 1
            time.sleep(pause)
    return scene


def program(*command, length=LENGTH):
    def scene(stage):
        stage.open_window(*command)
        time.sleep(length)
    return scene


def animation(size, frames, delay, x, y):
    """A small picture that moves, in a viewer."""
    def scene(stage):
        path = os.path.join(stage.films, f"spinner-{size}-{frames}.gif")
        if not os.path.exists(path):
            command = ["convert", "-delay", str(delay), "-loop", "0"]
            for number in range(frames):
                command += ["(", "-size", f"{size}x{size}", "radial-gradient:white-navy", "-distort",
                            "SRT", str(360 * number // frames), "-swirl", str(20 * number), ")"]
            subprocess.run(command + [path], check=True)
        stage.start("animate", "-geometry", f"+{x}+{y}", path)
        time.sleep(LENGTH)
    return scene


def slides(seed, pause):
    def scene(stage):
        pictures = [photo(stage, seed + number, "800x600") for number in range(5)]
        window = stage.open_window("nsxiv", *pictures)
        end = time.monotonic() + LENGTH
        while time.monotonic() < end:
            stage.xdotool("key", "--window", window, "n" if pause > 1 else "p")
            stage.xdotool("key", "n")
            time.sleep(pause)
    return scene


def panned(seed, keys, pause):
    """A photo larger than its window is moved about."""
    def scene(stage):
        stage.open_window("nsxiv", "-s", "w", "-z", "100", "-g", "600x450",
                          photo(stage, seed, "2400x1800"))
        end = time.monotonic() + LENGTH
        while time.monotonic() < end:
            for key in keys:
                stage.xdotool("key", key)
                time.sleep(pause)
    return scene


def menus(pause):
    """The window manager's menu and an editor's are opened and closed."""
    def scene(stage):
        window = stage.open_window("mousepad")
        x, y, _, _ = stage.server.box(window)
        end = time.monotonic() + LENGTH
        while time.monotonic() < end:
            stage.xdotool("mousemove", 900, 700, "click", 3)
            time.sleep(pause)
            stage.xdotool("key", "Escape")
            for key in ("alt+f", "Right", "Right", "Down", "Down", "Down", "Escape"):
                stage.xdotool("windowfocus", window, "key", key)
                time.sleep(pause / 2)
    return scene


def resized(command, pause, step_x=12, step_y=9):
    def scene(stage):
        words = [word if not callable(word) else word(stage) for word in command]
        window = stage.open_window(*words)
        end = time.monotonic() + LENGTH
        step = 0
        while time.monotonic() < end:
            grow = abs(step % 60 - 30)
            stage.xdotool("windowsize", window, 420 + step_x * grow, 300 + step_y * grow)
            time.sleep(pause)
            step += 1
    return scene


def selection(lines, pause):
    """Text is marked with the mouse in an editor."""
    def scene(stage):
        path = os.path.join(stage.folder, "letter.txt")
        with open(path, "w") as out:
            out.write("A line of a letter that somebody wrote to somebody else.\n" * lines)
        window = stage.open_window("mousepad", path)
        stage.xdotool("windowsize", window, 700, 560)
        time.sleep(1)
        x, y, _, _ = stage.server.box(window)
        end = time.monotonic() + LENGTH
        while time.monotonic() < end:
            stage.xdotool("mousemove", x + 40, y + 90, "mousedown", 1)
            for step in range(30):
                stage.xdotool("mousemove", x + 40 + step * 12, y + 90 + step * 12)
                time.sleep(pause)
            stage.xdotool("mouseup", 1)
    return scene


def eyes(stage):
    stage.open_window("xeyes", "-geometry", "200x140+300+300")
    for step in range(200):
        stage.xdotool("mousemove", 100 + step * 4, 200 + (step * 37) % 400)
        time.sleep(0.05)


def a_photo(seed, size="640x480"):
    return lambda stage: photo(stage, seed, size)


SCENES = {
    "develop": {
        "yes": terminal("yes 'all work and no play'"),
        "listing": terminal("ls -lR /usr/lib"),
        "slow-listing": terminal("find /usr/share | while read line; do echo $line; sleep 0.02; done"),
        "top": terminal("top -d 0.2", "90x30+200+100"),
        "vim": editor("xterm", "-geometry", "80x30+100+80", "-e", "vim", "-n", "-u", "NONE", before="i"),
        "mousepad": editor("mousepad"),
        "drag-photo": dragged(["nsxiv", "-g", "640x480", a_photo(3)], 20, 0.01),
        "drag-photo-slow": dragged(["nsxiv", "-g", "560x420", a_photo(8, "560x420")], 5, 0.04),
        "drag-photo-fast": dragged(["nsxiv", "-g", "300x260", a_photo(9, "300x260")], 33, 0.008),
        "drag-text": dragged(["xterm", "-geometry", "70x24+200+200", "-e", "sh", "-c",
                              "ls -l /usr/bin | head -200; sleep 60"], 14, 0.01),
        "page-wheel": page("white", 2, ("click", "5"), 0.06),
        "page-keys": page("#eeeeff", 3, ("key", "Down"), 0.03),
        "progress-bar": program("zenity", "--progress", "--pulsate", "--width=500"),
        "xclock": program("xclock", "-update", "1", "-geometry", "300x300+200+200"),
        "gears-90x90": program("glxgears", "-geometry", "90x90+300+300"),
        "spinner-64": animation(64, 12, 8, 300, 200),
        "slides": slides(20, 1.2),
        "panned-photo": panned(31, ["Right"] * 12 + ["Left"] * 12, 0.12),
        "menus": menus(0.3),
        "resize-text": resized(["xterm", "-e", "sh", "-c", "ls /usr/bin; sleep 60"], 0.03),
        "resize-photo": resized(["nsxiv", "-g", "420x300", a_photo(12)], 0.04),
        "resize-photo-wide": resized(["nsxiv", "-g", "420x300", a_photo(13, "900x600")], 0.08, 15, 3),
        "selection": selection(60, 0.03),
    },
    "judge": {
        "seq": terminal("seq 100000000", "120x44+20+20"),
        "build-log": terminal("for f in /usr/include/*.h; do gcc -fsyntax-only -v $f; done"),
        "ping": terminal("ping -i 0.05 127.0.0.1", "90x30+120+140"),
        "top": terminal("top -d 0.1", "110x40+40+40"),
        "vim": editor("xterm", "-fa", "Monospace", "-fs", "12", "-geometry", "70x24+150+100", "-e",
                      "vim", "-n", "-u", "NONE", before="i", delay=100),
        "mousepad": editor("mousepad", delay=30),
        "drag-photo": dragged(["nsxiv", "-g", "450x350", a_photo(6, "450x350")], 15, 0.015),
        "drag-text": dragged(["mousepad"], 18, 0.015),
        "page-wheel": page("white", 1, ("click", "5"), 0.1),
        "page-keys": page("#ffffee", 2, ("key", "Next"), 0.3),
        "progress-bar": program("zenity", "--progress", "--pulsate", "--width=700"),
        "xclock": program("xclock", "-digital", "-update", "1", "-strftime", "%H:%M:%S"),
        "eyes": eyes,
        "gears-80x94": program("glxgears", "-geometry", "80x94+500+200"),
        "spinner-48": animation(48, 16, 4, 500, 300),
        "slides": slides(40, 0.9),
        "panned-photo": panned(51, ["Down"] * 10 + ["Up"] * 10, 0.2),
        "menus": menus(0.2),
        "resize-photo": resized(["nsxiv", "-g", "420x300", a_photo(62, "700x500")], 0.06, 8, 11),
        "selection": selection(80, 0.05),
    },
}
