# SPDX-License-Identifier: LGPL-2.1-or-later
"""spice-serve and its X11 parts, on X servers of their own: Xvfb with openbox and xterm. Pictures are
compared pixel for pixel with the X server's own, input with what arrives there."""
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

import harness
from harness import LONG, Xvfb, check, check_equal, run, run_tests, spicy_screenshot, window_shows
from x11 import (SERVE, BareServer, MotionTap, Probe, Serve, desktop, location, looks_like_date, path, press,
                 resize_there, screenshot, type_there, until, viewer)

# The parts


def check_frame(probe, x, what):
    time.sleep(0.3)
    reply = probe.ask("frame " + path("ours.ppm"))
    check(reply.startswith("frame"), f"{what}: {reply}")
    check_equal(path("ours.ppm"), screenshot(x, "theirs.png"), what)
    check(reply.endswith("undeclared 0"), f"{what}: {reply}")


def test_source_shows_what_the_X_server_shows():
    with desktop() as x:
        probe = Probe(x.display)
        check_frame(probe, x, "at first")
        type_there(x, "ls -la /usr/bin | head -60\n")
        check_frame(probe, x, "after output")
        before = probe.count()[0]
        type_there(x, "seq 3000\n")
        time.sleep(1)
        check_frame(probe, x, "after scrolling")
        check(probe.count()[0] > before, "no frame came while it scrolled")
        for width, height in ((800, 600), (640, 700), (1024, 768)):
            if (width, height) == (1024, 768):
                run(["xrandr", "--output", "screen", "--mode", "1024x768"], env=x.environment())
            else:
                resize_there(x, width, height)
            time.sleep(0.3)
            reply = probe.ask("frame " + path("ours.ppm"))
            check(f"{width}x{height}" in reply, f"{width}x{height}: {reply}")
            check_frame(probe, x, f"at {width}x{height}")
        for i in range(20):  # and while it changes faster than frames are fetched
            x.xdotool("windowmove", x.terminal, str(10 * i), str(7 * i))
        check_frame(probe, x, "after moves")
        probe.close()


def test_nothing_is_fetched_while_nothing_changes():
    with desktop() as x:
        probe = Probe(x.display)
        time.sleep(1)
        before = probe.count()
        time.sleep(5)
        after = probe.count()
        check(before == after, f"frames, cursors, moves: {before}, then {after}")
        x.xdotool("mousemove", "300", "300")  # the cursor is not in the picture
        time.sleep(0.5)
        check(probe.count()[0] == before[0], "the cursor made a frame")
        type_there(x, "x")
        until(lambda: probe.count()[0] > before[0], "a letter makes a frame")
        probe.close()


def test_keys_type_a_command():
    with desktop() as x:
        probe = Probe(x.display)
        press(probe, "date > typed.txt\n")
        until(lambda: looks_like_date(path("typed.txt")), "date > typed.txt")
        # The layout is the server's affair: the same keys, by what they are called there.
        run(["setxkbmap", "de"], env=x.environment())
        time.sleep(0.5)
        probe.ask("key 0x2a 1")
        probe.ask("key 0x1c 1")
        probe.ask("key 0x1c 0")
        probe.ask("key 0x2a 0")
        for c in "touch ":
            press(probe, c)
        for code in (0x15, 0x2c, 0x1c):  # z, y, Return on a German one
            probe.ask(f"key {code} 1")
            probe.ask(f"key {code} 0")
        until(lambda: os.path.exists(path("zy")), "y and z are swapped by the layout")
        probe.close()


def test_held_keys_are_released():
    with desktop() as x:
        probe = Probe(x.display)
        probe.ask("key 0x1d 1")  # Control
        probe.ask("button 1 1")
        probe.ask("release")
        time.sleep(0.2)
        press(probe, "touch released\n")
        until(lambda: os.path.exists(path("released")), "Control is not held any more")
        probe.ask("key 0x1d 1")
        probe.close()  # releases, too
        type_there(x, "touch closed\n")
        until(lambda: os.path.exists(path("closed")), "Control is not held after the end")


def test_positions_and_motion_are_exact():
    with desktop(terminal=False) as x:
        probe = Probe(x.display)
        numbers = random.Random(7)
        for _ in range(30):
            place = numbers.randrange(1024), numbers.randrange(768)
            probe.ask("position %d %d" % place)
            until(lambda: location(x) == place, f"{place}, but {location(x)}", 2)
        for place, at in (((0, 0), (0, 0)), ((1023, 767), (1023, 767)),
                          ((5000, -3), (1023, 0)), ((2 ** 31 - 1, -2 ** 31), (1023, 0))):
            probe.ask("position %d %d" % place)
            until(lambda: location(x) == at, f"{place} is {at}, but {location(x)}", 2)
        probe.ask("position 500 400")
        total = [500, 400]
        for i in range(400):
            delta = numbers.randrange(-9, 10), numbers.randrange(-9, 10)
            if not (50 < total[0] + delta[0] < 950 and 50 < total[1] + delta[1] < 700):
                continue
            total[0] += delta[0]
            total[1] += delta[1]
            probe.ask("motion %d %d" % delta)
            if i % 50 == 0:
                until(lambda: location(x) == tuple(total), f"{total}, but {location(x)}", 2)
        until(lambda: location(x) == tuple(total), f"{total}, but {location(x)}", 2)
        until(lambda: probe.ask("cursor").endswith("at %d,%d" % tuple(total)), "the place is told")
        probe.close()


def test_buttons_and_wheel_arrive():
    with desktop(terminal=False) as x:
        log = path("xev.txt")
        with open(log, "w") as out:
            xev = subprocess.Popen(["xev", "-geometry", "300x300+100+100", "-event", "button"],
                                   stdout=out, stderr=subprocess.DEVNULL, env=x.environment())
        try:
            until(lambda: x.xdotool("search", "--onlyvisible", "--name", "Event Tester")[1].strip(),
                  "xev is there")
            time.sleep(0.5)
            probe = Probe(x.display)
            probe.ask("position 250 250")
            for button in range(1, 8):
                probe.ask(f"button {button} 1")
                probe.ask(f"button {button} 0")
            wanted = [b for n in (1, 2, 3, 4, 5, 8, 9) for b in (n, n)]

            def seen():
                with open(log) as f:
                    return [int(n) for n in re.findall(r"button (\d+)", f.read())]
            until(lambda: seen() == wanted, f"buttons {wanted}")
            probe.close()
        finally:
            xev.terminate()
            xev.wait()


def test_cursor_shapes_arrive():
    with desktop() as x:
        probe = Probe(x.display)
        probe.ask("position 1000 20")  # root
        time.sleep(0.5)
        root = probe.ask("cursor")
        probe.ask("position 300 300")  # terminal
        time.sleep(0.5)
        terminal = probe.ask("cursor")
        shape = re.compile(r"cursor (\d+)x(\d+) hot (\d+),(\d+) visible 1 ([0-9a-f]{16}) at")
        check(shape.match(root) and shape.match(terminal), f"{root} and {terminal}")
        check(shape.match(root).group(5) != shape.match(terminal).group(5),
              f"root and terminal have the same shape: {root}")
        for match in (shape.match(root), shape.match(terminal)):
            width, height, hot_x, hot_y = map(int, match.groups()[:4])
            check(hot_x < width and hot_y < height, f"the hot spot is outside: {match.group()}")
        shapes = probe.count()[1]
        probe.ask("position 1000 20")
        until(lambda: probe.count()[1] > shapes, "it comes again")
        until(lambda: shape.match(probe.ask("cursor")).group(5) == shape.match(root).group(5),
              "the root's shape again")
        probe.close()


def test_lock_lights():
    with desktop(terminal=False) as x:
        probe = Probe(x.display)
        check(probe.ask("locks") == "locks 0", "all off at first")
        for key, locks in (("Caps_Lock", 4), ("Num_Lock", 6)):
            x.xdotool("key", key)
            until(lambda: probe.ask("locks") == f"locks {locks}", f"{key} lights")
        for wanted in (0, 2, 6, 4, 4, 0):
            probe.ask(f"setlocks {wanted}")
            until(lambda: probe.ask("locks") == f"locks {wanted}", f"lights become {wanted}")
        probe.close()


def test_sizes_are_set_or_refused():
    with desktop() as x:
        probe = Probe(x.display)
        for width, height in ((800, 600), (801, 603), (1024, 768), (320, 200)):
            reply = probe.ask(f"resize {width} {height}")
            check(reply == f"got {width} {height}", f"{width}x{height}: {reply}")
            status, text = x.xdotool("getdisplaygeometry")
            check(text.split() == [str(width), str(height)], f"{width}x{height}: {text}")
            check_frame(probe, x, f"at {width}x{height}")
        for width, height in ((0, 0), (319, 700), (800, 1), (1025, 768), (100000, 100000),
                              (-1, 600)):
            reply = probe.ask(f"resize {width} {height}")
            check(reply.startswith("error"), f"{width}x{height}: {reply}")
            status, text = x.xdotool("getdisplaygeometry")
            check(text.split() == ["320", "200"], f"after {width}x{height}: {text}")
        for i in range(10):  # modes of ours do not pile up
            probe.ask(f"resize {600 + i} 400")
        status, text = run(["xrandr"], env=x.environment())
        check(text.count("_spice") == 1, text)
        check(probe.ask("restore") == "ok", "restore")
        status, text = x.xdotool("getdisplaygeometry")
        check(text.split() == ["1024", "768"], f"restored: {text}")
        probe.close()


def test_server_that_stands_still_holds_up_nobody():
    with desktop(terminal=False) as x:
        probe = Probe(x.display)
        x.process.send_signal(signal.SIGSTOP)
        try:
            start = time.monotonic()
            for i in range(20000):
                probe.process.stdin.write(f"key 0x1e 1\nmotion 1 0\nkey 0x1e 0\n")
            probe.process.stdin.flush()
            for i in range(60000):
                probe.lines.next()
            took = time.monotonic() - start
            check(took < 5, f"60000 calls took {took:.1f} s")
            start = time.monotonic()
            probe.close()
            check(time.monotonic() - start < 3, "it does not end")
        finally:
            x.process.send_signal(signal.SIGCONT)


def test_server_that_goes_is_one_error():
    with desktop(terminal=False) as x:
        probe = Probe(x.display)
        x.process.terminate()
        x.process.wait()
        time.sleep(0.5)
        reply = probe.ask("errors")
        check(re.match(r"errors 1 The X server :\d+ has gone\.", reply), reply)
        check(probe.ask("key 0x1e 1") == "ok", "input into nothing")
        check(probe.ask("resize 800 600").startswith("error"), "a resize into nothing")
        probe.close()


def test_other_depths_are_refused():
    x = BareServer(size="640x480x16")
    try:
        status, text = run([SERVE, "--x11", x.display, "-p", "0"])
        check(status == 4 and "depth of 16" in text, f"{status}: {text}")
    finally:
        x.close()


def test_missing_extensions_are_named_or_done_without():
    for extension in ("XTEST", "DAMAGE", "XFIXES"):
        x = BareServer("-extension", extension)
        try:
            status, text = run([SERVE, "--x11", x.display, "-p", "0"])
            check(status == 4 and extension in text, f"{extension}: {status}: {text}")
        finally:
            x.close()
    x = BareServer("-extension", "MIT-SHM")
    try:
        probe = Probe(x.display)
        check_frame(probe, x, "without shared memory")
        probe.close()
    finally:
        x.close()
    x = BareServer("-extension", "RANDR")
    try:
        serve = Serve("--x11", x.display)
        check_shown(serve, x, "without RandR")
        check(serve.end() == 0, "SIGTERM")
    finally:
        x.close()


def test_servers_across_the_network_are_shown():
    x = BareServer("-listen", "tcp", "-ac")
    try:
        probe = Probe("127.0.0.1" + x.display)
        check_frame(probe, x, "by TCP")
        x.paint("yellow")
        check_frame(probe, x, "by TCP, another picture")
        probe.close()
    finally:
        x.close()


# The program


def check_shown(serve, x, what):
    """What a client that joins now sees, against the X server's picture."""
    spicy_screenshot(path("client.ppm"), port=serve.port)
    check_equal(path("client.ppm"), screenshot(x, "theirs.png"), what)


def test_clients_see_the_X_screen():
    with desktop() as x:
        serve = Serve("--x11", x.display)
        check_shown(serve, x, "at once")
        type_there(x, "ls -la /usr/bin | head -60\n")
        time.sleep(1)
        check_shown(serve, x, "a client that joins late")
        type_there(x, "seq 200\n")
        time.sleep(1)
        check_shown(serve, x, "after 200 lines")
        dialog = subprocess.Popen(["zenity", "--info", "--title=notice", "--text=A GTK program"],
                                  env=x.environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            until(lambda: x.xdotool("search", "--onlyvisible", "--name", "notice")[0] == 0, "dialog")
            for place in ("300 200", "420 330"):
                x.xdotool("search", "--name", "notice", "windowmove", *place.split())
                time.sleep(0.3)
            x.xdotool("mousemove", "10", "10")
            time.sleep(1)
            check_shown(serve, x, "with a GTK program that was moved about")
        finally:
            dialog.terminate()
            dialog.wait()
        time.sleep(0.5)
        resize_there(x, 800, 600)
        time.sleep(0.5)
        check_shown(serve, x, "after a resize")
        check(serve.end() == 0, "SIGTERM")


def test_each_mode_of_image_compression_is_exact():
    """At a client that stays while the screen changes, so that caches and dictionary are in use."""
    modes = (["adaptive", "off", "auto-glz", "auto-lz", "quic", "glz", "lz", "lz4"] if LONG
             else ["auto-lz", "quic", "glz", "lz4"])  # the others are what other tests have
    with desktop() as x:
        for mode in modes:
            serve = Serve("--x11", x.display, "--image-compression", mode, "--keep-size")
            xvfb = Xvfb("1600x1200")
            client = subprocess.Popen(["remote-viewer", f"spice://127.0.0.1:{serve.port}"],
                                      env=xvfb.environment(), stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            try:
                time.sleep(1.5)
                for command in ("ls -la /usr/bin | head -40\n", "seq 300\n", "clear; ls /\n"):
                    type_there(x, command)
                    time.sleep(0.5)
                window_shows(xvfb, screenshot(x, f"mode-{mode}.png"), "mode-" + mode)
            finally:
                client.terminate()
                client.wait()
                xvfb.close()
            check(serve.end() == 0, "SIGTERM")
        status, text = run([SERVE, "--test", "--image-compression", "best"])
        check(status == 2 and "best" in text, f"a mode that is none: {status} {text}")


def test_remote_viewer_sees_types_and_points():
    with desktop("1280x1024") as x:
        serve = Serve("--x11", x.display, "--mouse", "client")
        # In full screen the desktop becomes as large as the client's screen, then pixels are pixels.
        with viewer(serve, "1024x768", "--full-screen") as client:
            until(lambda: x.xdotool("getdisplaygeometry")[1].split() == ["1024", "768"],
                  "the desktop has the client's size")
            time.sleep(1)
            client.xdotool("mousemove", "900", "700")
            time.sleep(0.5)
            check_equal_but_cursor(client, x)
            for place in ((100, 120), (1000, 700), (3, 400), (511, 383), (1022, 600)):
                client.xdotool("mousemove", *map(str, place))
                until(lambda: location(x) == place, f"{place}, but {location(x)}", 3)
            client.xdotool("mousemove", "300", "300")
            client.xdotool("click", "1")
            x.xdotool("windowfocus", "--sync", x.terminal)
            client.xdotool("type", "--delay", "20", "date > remote.txt")
            client.xdotool("key", "Return")
            until(lambda: looks_like_date(path("remote.txt")), "date > remote.txt")
        check(serve.end(signal.SIGINT) == 0, "SIGINT")


def check_equal_but_cursor(client, x):
    """The client's whole screen against the desktop; the pointer is on the same place in both, and
    import leaves cursors out."""
    check_equal(screenshot(client, "viewer.png"), screenshot(x, "theirs.png"),
                "what remote-viewer shows")


def test_sizes_are_kept_or_restored_on_wish():
    for option, during in (("--keep-size", "1280 1024"), ("--restore-size", "1024 768")):
        with desktop("1280x1024", terminal=False) as x:
            serve = Serve("--x11", x.display, option)
            with viewer(serve, "1024x768", "--full-screen"):
                until(lambda: x.xdotool("getdisplaygeometry")[1].strip() == during,
                      f"{option}: {during}")
            check(serve.end() == 0, "SIGTERM")
            check(x.xdotool("getdisplaygeometry")[1].strip() == "1280 1024", f"{option}: at the end")


def test_remote_viewer_moves_by_deltas():
    with desktop("1280x1024", terminal=False) as x:
        serve = Serve("--x11", x.display, "--mouse", "server")
        tap = MotionTap(serve.port)
        with viewer(tap, "1024x768", "--full-screen") as client:
            until(lambda: x.xdotool("getdisplaygeometry")[1].split() == ["1024", "768"],
                  "the desktop has the client's size")
            client.xdotool("mousemove", "500", "400")
            client.xdotool("click", "1")  # has the viewer grab the pointer
            time.sleep(1)
            client.xdotool("mousemove_relative", "5", "5")  # its deltas count from here on
            time.sleep(0.5)
            x.xdotool("mousemove", "500", "400")
            time.sleep(0.5)
            before = tap.motion
            numbers = random.Random(3)
            for i in range(100):
                client.xdotool("mousemove_relative", "--", str(numbers.randrange(-12, 13)),
                               str(numbers.randrange(-12, 13)))
                if i % 10 == 9:  # the viewer tells what it makes of its user's motion
                    time.sleep(0.3)
                    n, dx, dy = (now - then for now, then in zip(tap.motion, before))
                    place = 500 + dx, 400 + dy
                    until(lambda: location(x) == place, f"{place}, but {location(x)}", 3)
            check(n >= 10 and (dx, dy) != (0, 0), f"it told {n} motions")
        tap.close()
        serve.end()


def test_idle_costs_nothing():
    with desktop() as x:
        serve = Serve("--x11", x.display, "--stats")
        with viewer(serve, "1024x768") as client:
            time.sleep(3)
            serve.lines.drain()
            n, cpu = len(serve.lines.seen), serve.cpu()
            time.sleep(6)
            lines = serve.lines.drain()[n:]
            used = (serve.cpu() - cpu) / 6
            check(len(lines) >= 5, f"a line a second: {lines}")
            frames = sum(int(re.search(r"frames (\d+)", line).group(1)) for line in lines)
            check(all("clients 1" in line for line in lines), f"one client: {lines}")
            check(frames == 0, f"{frames} frames: {lines}")
            check(used < 0.02, f"{used * 100:.1f} % of a core")
        check(serve.end() == 0, "SIGTERM")


def test_frames_come_at_most_so_often():
    with desktop() as x:
        serve = Serve("--x11", x.display, "--stats", "--fps", "10")
        time.sleep(1)
        type_there(x, "seq 10000000\n")
        time.sleep(1)
        serve.lines.drain()
        n = len(serve.lines.seen)
        time.sleep(5)
        frames = [int(re.search(r"frames (\d+)", line).group(1))
                  for line in serve.lines.drain()[n:]]
        # On a busy machine one report covers more than a second, and the next one less.
        mean = sum(frames) / max(len(frames), 1)
        check(5 <= mean <= 11 and max(frames) <= 20, f"10 a second: {frames}")
        x.xdotool("key", "ctrl+c")
        time.sleep(1)
        check_shown(serve, x, "when it rests")
        check(serve.end() == 0, "SIGTERM")


def test_ends_by_signals_whatever_stands_still():
    with desktop(terminal=False) as x:
        serve = Serve("--x11", x.display)
        spicy_screenshot(path("client.ppm"), port=serve.port)
        x.process.send_signal(signal.SIGSTOP)
        try:
            check(serve.end(signal.SIGINT, 8) == 0, "with an X server that stands still")
        finally:
            x.process.send_signal(signal.SIGCONT)
        serve = Serve("--x11", x.display)
        spicy_screenshot(path("client.ppm"), port=serve.port)
        x.process.terminate()
        status = serve.process.wait(5)
        check(status == 5, f"the X server has gone: {status}: {serve.lines.drain()}")
        time.sleep(0.2)
        gone = [line for line in serve.lines.drain() if "has gone" in line]
        check(len(gone) == 1, f"{serve.lines.seen}")


def test_exit_statuses():
    taken = Serve("--test")
    missing = path("missing")
    text = path("text")
    with open(text, "w") as f:
        f.write("no movie")
    for arguments, status, words in (
            ([], 2, "--x11, --file, --test"), (["--test", "extra"], 2, "extra"),
            (["--test", "--port", "x"], 2, "'x'"), (["--test", "--nonsense"], 2, "--nonsense"),
            (["--test", "--ticket-file", missing], 2, missing),
            (["--test", "--port", str(taken.port)], 3, "in use"),
            (["--pipeline", "videotestsrc", "--port", str(taken.port)], 3, "in use"),
            (["--test", "--unix", missing + "/x"], 3, "missing"),
            (["--test", "--tls-port", "0", "--tls-cert", missing, "--tls-key", missing], 3,
             missing),
            (["--x11", ":987", "--port", "0"], 4, ":987"),
            (["--x11", "nonsense", "--port", "0"], 4, "nonsense"),
            (["--file", missing, "--port", "0"], 4, missing),
            (["--file", text, "--port", "0"], 4, "type of stream"),
            (["--pipeline", "nonsense", "--port", "0"], 4, "nonsense"),
            (["--pipeline", "audiotestsrc", "--port", "0"], 4, "audiotestsrc"),
            (["--pipeline", "videotestsrc ! fakesink", "--port", "0"], 4, "fakesink"),
            (["--pipeline", "identity", "--port", "0"], 4, "begin"),
            (["--pipeline", "videotestsrc num-buffers=5 ! video/x-raw,width=640,height=480",
              "--port", "0"], 0, None)):
        got, out = run([SERVE, *arguments], seconds=20)
        check(got == status, f"{arguments}: {got} instead of {status}: {out}")
        lines = [line for line in out.splitlines() if line.startswith("spice-serve: ")]
        check(len(lines) == 1 and words in lines[0] if words else not lines, f"{arguments}: {out}")
    for option, words in (("--help", "--ticket-file"), ("--version", "spice-serve ")):
        got, out = run([SERVE, option])
        check(got == 0 and words in out, f"{option}: {out}")
    check(taken.end() == 0, "SIGTERM")


def test_the_manual_tells_all_options():
    _, text = run([SERVE, "--help"])
    options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE)
    with open(os.path.join(harness.SOURCE, "docs", "man", "spice-serve.1")) as f:
        manual = f.read().replace("\\-", "-")
    missing = [option for option in options if option not in manual]
    check(len(options) > 20 and not missing, f"{missing} of {options}")


def test_warns_of_an_open_door():
    for arguments, warned in ((["--addr", "any"], True), ([], False), (["--addr", "::1"], False),
                              (["--addr", "any", "--ticket", "x"], True)):
        serve = Serve("--test", *arguments)
        serve.end()
        warning = any("warning" in line for line in serve.lines.drain())
        check(warning == warned, f"{arguments}: {serve.lines.seen}")


def test_ticket_and_tls():
    key, cert, ca = path("key.pem"), path("cert.pem"), path("ca.pem")
    ca_key, request = path("ca-key.pem"), path("request.pem")
    for command in (["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca_key, "-out", ca,
                     "-subj", "/CN=Test authority", "-days", "2"],
                    ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request,
                     "-subj", "/CN=localhost"],
                    ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
                     "-out", cert, "-days", "2"]):
        status, text = run(["openssl", *command])
        check(status == 0, text)
    with open(path("ticket"), "w") as f:
        f.write("sesame\n")
    serve = Serve("--test", "--tls-port", "0", "--tls-cert", cert, "--tls-key", key, "--tls-ca", ca,
                  "--ticket-file", path("ticket"))
    tls_port = int(re.search(r"TLS port (\d+)", serve.lines.next()).group(1))
    for ticket, good in (("sesame", True), ("wrong", False), ("", False)):
        out = path(f"ticket-{ticket}.ppm")
        run(["spicy-screenshot", "-o", out, "-h", "127.0.0.1", "-p", str(serve.port), "-w", ticket])
        check(os.path.exists(out) == good, f"the ticket '{ticket}'")
    uri = f"spice+tls://127.0.0.1:{tls_port}"
    status, lines = harness.shot(path("tls.ppm"), "--location", uri, "--ca-file", ca,
                                 "--host-subject", "CN=localhost", "--password", "sesame",
                                 "--settle", "20")
    check(status == 0, f"by TLS: {lines}")
    status, lines = harness.shot(path("none.ppm"), "--location", uri, "--ca-file", cert,
                                 "--host-subject", "CN=elsewhere", "--password", "sesame")
    check(status == 1, "another subject")
    status, text = run(["openssl", "s_client", "-connect", f"127.0.0.1:{tls_port}", "-showcerts"])
    check("0 s:CN = localhost" in text and "1 s:CN = Test authority" in text,
          f"the authority's certificate is sent along: {text[:600]}")
    check(serve.end() == 0, "SIGTERM")


def test_statistics_tell_who_is_there():
    """As JSON, whole, to each who asks; those who do not read cost nobody anything."""
    where = path("stats.sock")
    serve = Serve("--test", "--title", 'a "desk"', "--stats-socket", where)

    def document():
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(where)
            text = b""
            while piece := s.recv(65536):
                text += piece
        return json.loads(text)

    check(os.stat(where).st_mode & 0o777 == 0o600, "others may look on")
    alone = document()
    check(alone == {"name": 'a "desk"', "displays": 1, "clients": []}, str(alone))
    idle = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for s in idle:
        s.connect(where)
    watcher = subprocess.Popen(["gst-launch-1.0", "-q", "spicesrc",
                                f"location=spice://127.0.0.1:{serve.port}", "!", "fakesink"],
                               env=harness.environment())
    try:
        client = until(lambda: next((c for c in document()["clients"] if any(
            channel["type"] == "display" and channel["bytes_sent"] > 1000
            for channel in c["channels"])), None), "a client in the statistics")
        kinds = {channel["type"] for channel in client["channels"]}
        check({"main", "display", "inputs", "cursor"} <= kinds, str(kinds))
        check(client["from"].startswith("127.0.0.1:") and not client["secure"], str(client))
        check("user" not in client and client["connected_s"] < 60, str(client))
        display = until(lambda: next((d for d in document()["clients"][0]["channels"]
                                      if d["type"] == "display" and
                                      sum(c["count"] for c in d["images"].values())), None), "images")
        images = display["images"].values()
        check(sum(c["bytes_of_pixels"] for c in images) > sum(c["bytes_sent"] for c in images) > 1000,
              str(display))
        check(display["cache"]["hits"] >= 0 and display["video"]["streams"] >= 0, str(display))
    finally:
        watcher.terminate()
        watcher.wait()
    until(lambda: not document()["clients"], "that the client has left")
    check(serve.end() == 0, "SIGTERM")
    check(not os.path.exists(where), "the socket stays")


def test_movies_loop_and_end():
    movie = path("movie.avi")
    status, text = run(["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=45", "!",
                        "video/x-raw,width=320,height=240,framerate=30/1", "!", "jpegenc", "!",
                        "avimux", "!", "filesink", f"location={movie}"])
    check(status == 0, text)
    start = time.monotonic()
    serve = Serve("--file", movie, "--size", "800x600")
    check(serve.process.wait(30) == 0, "the end of a movie is an end")
    check(1.2 < time.monotonic() - start, "it is played at its speed")
    start = time.monotonic()
    serve = Serve("--file", movie, "--loop", "--size", "800x600", "--stats")
    time.sleep(4)
    spicy_screenshot(path("movie.ppm"), port=serve.port)
    width, height, pixels = harness.picture(path("movie.ppm"))
    check((width, height) == (800, 600), f"{width}x{height}")
    check(len(set(pixels[i:i + 3] for i in range(0, len(pixels), 300))) > 5, "colour bars")
    frames = [int(re.search(r"frames (\d+)", line).group(1)) for line in serve.lines.drain()
              if "frames" in line]
    most = 30 * (time.monotonic() - start) + 20
    check(48 < sum(frames) <= most, f"it goes on beyond its end, not faster: {frames}, {most:.0f}")
    check(serve.end() == 0, "SIGTERM")


def test_test_desktop_takes_input():
    serve = Serve("--test", "--size", "640x480", "--mouse", "client")
    with viewer(serve, "1024x768") as client:
        window = client.xdotool("search", "--onlyvisible", "--name", "spice-serve")[1].split()[0]
        spicy_screenshot(path("before.ppm"), port=serve.port)
        client.xdotool("windowfocus", "--sync", window)
        client.xdotool("mousemove", "--window", window, "600", "60")
        client.xdotool("click", "1")
        time.sleep(1)
        spicy_screenshot(path("after.ppm"), port=serve.port)
        _, _, pixels = harness.picture(path("after.ppm"))
        marks = pixels.count(bytes([0xff, 0x40, 0x40]))
        _, _, pixels = harness.picture(path("before.ppm"))
        check(marks >= 40 and pixels.count(bytes([0xff, 0x40, 0x40])) < 10, f"a mark: {marks}")
    check(serve.end() == 0, "SIGTERM")


def test_pipelines_pass_a_desktop_on():
    with desktop() as x:
        serve = Serve("--x11", x.display, "--mouse", "client")
        relay = Serve("--pipeline", f"spicesrc location=spice://127.0.0.1:{serve.port}", "--mouse",
                      "client")
        time.sleep(1)
        check_shown(relay, x, "through another spice-serve")
        with viewer(relay, "1280x1024") as client:
            window = client.xdotool("search", "--onlyvisible", "--name",
                                    "spice-serve")[1].split()[0]
            client.xdotool("windowfocus", "--sync", window)
            client.xdotool("mousemove", "600", "600")
            x.xdotool("windowfocus", "--sync", x.terminal)
            client.xdotool("type", "--delay", "20", "date > relay.txt")
            client.xdotool("key", "Return")
            until(lambda: looks_like_date(path("relay.txt")), "date > relay.txt")
        check(relay.end() == 0, "SIGTERM")
        check(serve.end() == 0, "SIGTERM")


if __name__ == "__main__":
    tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
    wanted = sys.argv[1:]
    if wanted:
        tests = [test for test in tests if any(word in test.__name__ for word in wanted)]
    sys.exit(run_tests(tests))
