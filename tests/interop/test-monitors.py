# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several monitors: those of one graphics device, which lie on one surface, each shown by itself.
Debian's Xspice has two of them, on our library and on the field's."""
import os
import re
import subprocess
import time

from harness import (BUILD, GUEST, WORK, Xvfb, check, check_equal, environment, run, run_tests, shot,
                     window_shows)
from vm import VM, free_port, wait_until
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


VIEW = os.path.join(BUILD, "client", "spice-view")


def viewer_shows_both(command):
    """A window each, with the pictures of the monitors; one that is turned off loses its window."""
    server, env = two_heads("ours")
    xvfb = Xvfb("2600x1600")
    viewer = subprocess.Popen([command, f"spice://127.0.0.1:{server.port}"],
                              env=xvfb.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    name = os.path.basename(command)

    def has_window(number):
        return xvfb.xdotool("search", "--onlyvisible", "--name", rf"\({number}\)")[0] == 0

    try:
        for number in (1, 2):
            wait_until(lambda: has_window(number), 20, "a window")
        time.sleep(0.5)
        xvfb.xdotool("search", "--onlyvisible", "--name", r"\(1\)", "windowmove", "1000", "300")
        window_shows(xvfb, save_head(server, env, "left.png", "1024x768+0+0"), name + "-0")
        window_shows(xvfb, save_head(server, env, "right.png", "800x600+1024+0"), name + "-1")
        if command == VIEW:
            run(["xrandr", "--output", "qxl-1", "--off"], env=env)
            wait_until(lambda: not has_window(2), 10, "that the window is gone")
            check(viewer.poll() is None, "the viewer ended with a monitor")
    finally:
        viewer.terminate()
        viewer.wait()
        xvfb.close()
        server.close()


def test_remote_viewer_shows_both():
    viewer_shows_both("remote-viewer")


def test_spice_view_shows_both():
    viewer_shows_both(VIEW)


def test_spice_view_points_on_both():
    """What is clicked on lies where it was shown: the second monitor is beside the first."""
    server, env = two_heads("ours")
    xvfb = Xvfb("2600x1600")
    viewer = subprocess.Popen([VIEW, f"spice://127.0.0.1:{server.port}"], env=xvfb.environment())
    try:
        wait_until(lambda: xvfb.xdotool("search", "--onlyvisible", "--name", r"\(2\)")[0] == 0, 20,
                   "a window")
        time.sleep(0.5)
        window = xvfb.xdotool("search", "--onlyvisible", "--name", r"\(2\)")[1].split()[0]
        xvfb.xdotool("windowraise", window)
        xvfb.xdotool("mousemove", "--window", window, "300", "200")
        wait_until(lambda: "x:1324 y:200" in run(["xdotool", "getmouselocation"], env=env)[1], 10,
                   "pointer at 1324,200")
    finally:
        viewer.terminate()
        viewer.wait()
        xvfb.close()
        server.close()


def test_viewers_show_both_devices():
    """Two graphics cards of a machine on our library: a window each, with QEMU's own picture of it."""
    port = free_port()
    vm = VM(WORK, "two-cards", f"port={port},addr=127.0.0.1,disable-ticketing=on", guest=GUEST,
            library=LIBRARIES["ours"], extra=["-device", "qxl,id=second"])
    try:
        vm.wait_ready()
        check("fb1" in vm.run("ls /dev"), "the guest does not drive the second card")
        vm.run(r"echo -e '\033[?25l' >/dev/tty1")
        for card in range(2):
            vm.run(f"(dd if=/bin/busybox bs=4096 skip={card * 20}; cat /bin/busybox) 2>/dev/null | "
                   f"dd of=/dev/fb{card} bs=4096 count=700 iflag=fullblock 2>/dev/null")
        time.sleep(1)
        for card, device in enumerate([{}, {"device": "second"}]):
            vm.qmp("screendump", filename=file(f"card-{card}.ppm"), **device)
        for command in (VIEW, "remote-viewer"):
            xvfb = Xvfb("2300x1900")
            viewer = subprocess.Popen([command, f"spice://127.0.0.1:{port}"],
                                      env=xvfb.environment(), stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: xvfb.xdotool("search", "--onlyvisible", "--name", r"\(2\)")[0]
                           == 0, 30, "a second window")
                time.sleep(0.5)
                for number, x, y in ((1, 1200, 1000), (2, 10, 10)):
                    xvfb.xdotool("search", "--onlyvisible", "--name", rf"\({number}\)",
                                 "windowmove", str(x), str(y))
                for card in range(2):
                    window_shows(xvfb, file(f"card-{card}.ppm"),
                                 f"{os.path.basename(command)}-card-{card}")
            finally:
                viewer.terminate()
                viewer.wait()
                xvfb.close()
    finally:
        vm.close()


def test_the_guest_follows_the_window():
    """spice-serve's desktop gets the size that spice-view's window was given."""
    desktop = Xvfb("1280x1024")
    server = subprocess.Popen([os.path.join(BUILD, "server", "serve", "spice-serve"), "--x11",
                               desktop.display, "--port", "0"], stdout=subprocess.PIPE, text=True,
                              env=environment())
    port = re.search(r"port (\d+)", server.stdout.readline()).group(1)
    xvfb = Xvfb("1600x1300")
    viewer = subprocess.Popen([VIEW, f"spice://127.0.0.1:{port}"], env=xvfb.environment())

    def size():
        return re.search(r"dimensions: +(\d+x\d+)",
                         run(["xdpyinfo"], env=desktop.environment())[1]).group(1)

    try:
        wait_until(lambda: xvfb.window_of_size(1280, 1024), 20, "the window")
        time.sleep(0.5)
        xvfb.xdotool("windowsize", xvfb.window_of_size(1280, 1024), "1100", "700")
        wait_until(lambda: size() == "1100x700", 10, "the desktop of 1100x700")
        time.sleep(1)
        check(xvfb.window_of_size(1100, 700), "the window has another size now")
        check(size() == "1100x700", "the desktop has another size now")
    finally:
        for process in (viewer, server):
            process.terminate()
            check(process.wait(10) == 0, "it did not end well")
        xvfb.close()
        desktop.close()


tests = [test_two_heads_of_one_device_on_ours, test_two_heads_of_one_device_on_the_fields,
         test_remote_viewer_shows_both, test_spice_view_shows_both, test_spice_view_points_on_both,
         test_viewers_show_both_devices, test_the_guest_follows_the_window]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
