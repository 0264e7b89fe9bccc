# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several monitors: those of one graphics device, which lie on one surface, each shown by itself.
Debian's Xspice has two of them, on our library and on the field's."""
import os
import subprocess
import time

from harness import (BUILD, WORK, Xvfb, check, check_equal, environment, run, run_tests, shot,
                     window_shows)
from vm import wait_until
from xspice import Xspice

LIBRARIES = {"ours": os.path.join(BUILD, "server", "embed"), "field": None}


def file(name):
    return os.path.join(WORK, name)


def two_heads(which):
    """An X server of 1024x768 with 800x600 to the right of it, and something on both."""
    server = Xspice(file(f"monitors-{which}"), LIBRARIES[which], heads=2)
    env = environment(DISPLAY=server.display)
    for command in (["xrandr", "--addmode", "qxl-1", "800x600"],
                    ["xrandr", "--output", "qxl-1", "--mode", "800x600", "--right-of", "qxl-0"]):
        status, text = run(command, env=env)
        check(status == 0, f"{' '.join(command)}: {text}")
    server.start("xsetroot", "-mod", "16", "12", "-fg", "#305080", "-bg", "#102030").wait()
    server.start("xterm", "-geometry", "40x8+1100+50", "-e", "sh", "-c",
                 "printf '\\033[?25l on the right'; sleep 300")
    server.start("xterm", "-geometry", "40x8+100+300", "-e", "sh", "-c",
                 "printf '\\033[?25l on the left'; sleep 300")
    wait_until(lambda: run(["xdotool", "search", "--class", "xterm"], env=env)[1].count("\n") == 2,
               20, "two terminals")
    run(["xdotool", "mousemove", "700", "700"], env=env)
    time.sleep(1)
    return server, env


def save_head(server, env, name, geometry):
    run(["import", "-display", server.display, "-window", "root", "-crop", geometry, "+repage",
         file(name)], env=env)
    return file(name)


def shows_head(server, which, number, truth):
    out = file(f"monitors-{which}-{number}.ppm")
    status, lines = shot(out, "--all", "--monitor", str(number), "--location",
                         f"spice://127.0.0.1:{server.port}")
    check(status == 0, "\n".join(lines))
    check_equal(out, truth, f"{which}: monitor {number}")


def two_heads_are_shown(which):
    server, env = two_heads(which)
    try:
        left = save_head(server, env, f"monitors-{which}-left.png", "1024x768+0+0")
        right = save_head(server, env, f"monitors-{which}-right.png", "800x600+1024+0")
        shows_head(server, which, 0, left)
        shows_head(server, which, 1, right)
        run(["xrandr", "--output", "qxl-1", "--off"], env=env)
        time.sleep(0.5)
        status, lines = shot(file("monitors-off.ppm"), "--all", "--monitor", "1", "--max", "2000",
                             "--location", f"spice://127.0.0.1:{server.port}")
        check(status == 1 and lines[0].startswith("nothing"),
              f"{which}: a monitor that is off: {lines}")
    finally:
        server.close()


def test_two_heads_of_one_device_on_ours():
    two_heads_are_shown("ours")


def test_two_heads_of_one_device_on_the_fields():
    two_heads_are_shown("field")


def test_remote_viewer_shows_both():
    """A window each, with the pictures of the monitors."""
    server, env = two_heads("ours")
    xvfb = Xvfb("2600x1600")
    viewer = subprocess.Popen(["remote-viewer", f"spice://127.0.0.1:{server.port}"],
                              env=xvfb.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        for name in (r"\(1\)", r"\(2\)"):
            wait_until(lambda: xvfb.xdotool("search", "--onlyvisible", "--name", name)[0] == 0, 20,
                       "a window")
        time.sleep(0.5)
        xvfb.xdotool("search", "--onlyvisible", "--name", r"\(1\)", "windowmove", "1000", "300")
        window_shows(xvfb, save_head(server, env, "viewer-left.png", "1024x768+0+0"), "viewer-0")
        window_shows(xvfb, save_head(server, env, "viewer-right.png", "800x600+1024+0"), "viewer-1")
    finally:
        viewer.terminate()
        viewer.wait()
        xvfb.close()
        server.close()


tests = [test_two_heads_of_one_device_on_ours, test_two_heads_of_one_device_on_the_fields,
         test_remote_viewer_shows_both]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
