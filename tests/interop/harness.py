# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests against real peers share: how programs are run, pictures compared, results told."""
import concurrent.futures
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VECTORS = os.path.join(SOURCE, "tests", "vectors")
BUILD = os.environ.get("SPICE_BUILD", os.path.join(SOURCE, "build", "release"))
SANITIZED_BUILD = os.environ.get("SPICE_SANITIZED_BUILD", os.path.join(SOURCE, "build", "asan"))
GUEST = os.environ.get("SPICE_GUEST", os.path.join(SOURCE, "build", "guest"))
LONG = os.environ.get("SPICE_TEST_LONG") == "1"

WORK = tempfile.mkdtemp(prefix="spice-interop-")


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def environment(build=BUILD, **more):
    """Of a GStreamer program that finds our elements and nothing stale."""
    env = dict(os.environ)
    env.update(GST_REGISTRY=os.path.join(WORK, "registry-" + os.path.basename(build)),
               G_DEBUG="fatal-criticals", LANG="C.UTF-8",
               PULSE_SERVER="unix:" + os.path.join(WORK, "none"))  # not the one of who runs the tests
    env.pop("DISPLAY", None)
    if build == BUILD:
        env["GST_PLUGIN_PATH"] = os.path.join(build, "gst-plugins")
    env.update({key: str(value) for key, value in more.items()})
    return env


def run(command, seconds=60, **options):
    """Runs a command to its end; (exit status, what it printed). A negative status: a signal."""
    options.setdefault("env", environment())
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=seconds, **options)
    return result.returncode, result.stdout.decode(errors="replace")


def shot(out, *arguments, build=BUILD, seconds=60, env=None):
    """Takes a picture through spicesrc: (exit status, output lines)."""
    status, text = run([os.path.join(build, "tests", "interop", "shot"), *arguments, out],
                       seconds=seconds, env=env or environment(build))
    check(status in (0, 1), f"shot ended with {status}:\n{text[-2000:]}")
    return status, text.splitlines()


def shot_errors(lines):
    """[(domain, code, milliseconds, text)] of the error messages that shot saw."""
    errors = []
    for line in lines:
        if line.startswith("error "):
            _, domain, code, ms, text = line.split(" ", 4)
            errors.append((domain, int(code), int(ms), text))
    return errors


def picture(path):
    """(width, height, RGB) of a file that ImageMagick reads, or of a binary PPM."""
    from replay import read_picture
    if not path.endswith((".ppm", ".ppm.gz")):
        status, text = run(["convert", path, "-depth", "8", path + ".ppm"])
        check(status == 0, f"{path} cannot be read: {text}")
        path += ".ppm"
    return read_picture(path)


def check_equal(ours, theirs, what):
    a, b = picture(ours), picture(theirs)
    check(a[:2] == b[:2], f"{what}: {a[0]}x{a[1]} instead of {b[0]}x{b[1]}")
    if a[2] != b[2]:
        wrong = [i // 3 for i in range(0, len(a[2]), 3) if a[2][i:i + 3] != b[2][i:i + 3]]
        raise Failure(f"{what}: {len(wrong)} pixels differ, the first at "
                      f"{wrong[0] % a[0]},{wrong[0] // a[0]}")


def spicy_screenshot(out, port=None, uri=None):
    """The picture that spice-gtk gets."""
    command = ["spicy-screenshot", "-o", out]
    command += ["--uri", uri] if uri else ["-h", "127.0.0.1", "-p", str(port)]
    status, text = run(command)
    check(status == 0 and os.path.exists(out), f"spicy-screenshot failed: {text[-500:]}")


class Xvfb:
    """An X server of its own, with a window manager."""

    def __init__(self, size="1280x1024"):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", size + "x24", "-nolisten", "tcp",
             "-noreset"],  # it would begin anew when its first client ends before the next has come
            pass_fds=[write], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as line:  # to its end: the server dies if it cannot write it all
            self.display = ":" + line.readline().strip()
        self.manager = subprocess.Popen(["openbox"], env=self.environment(),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def environment(self, **more):
        return environment(DISPLAY=self.display, **more)

    def xdotool(self, *arguments):
        return run(["xdotool", *arguments], env=self.environment())

    def window_of_size(self, width, height):
        """A visible window of this size that has a name (its frame has none), or None."""
        status, text = self.xdotool("search", "--onlyvisible", "--name", ".+")
        for window in text.split() if status == 0 else []:
            status, geometry = self.xdotool("getwindowgeometry", window)
            if status == 0 and f"Geometry: {width}x{height}" in geometry:
                return window
        return None

    def close(self):
        for process in (self.manager, self.process):
            process.terminate()
            process.wait()


def window_shows(xvfb, truth, name, seconds=20):
    """Somewhere on the screen stands the picture, exactly: the window of a viewer."""
    shot_file = os.path.join(WORK, name + ".png")
    width, height, pixels = picture(truth)
    deadline = time.monotonic() + seconds
    row_size = width * 3
    rows = [pixels[j * row_size:][:row_size] for j in range(height)]
    telling = max(range(0, height, 4), key=lambda j: len(set(rows[j])) + rows[j].count(b"\xff"))
    while True:
        run(["import", "-display", xvfb.display, "-window", "root", shot_file],
            env=xvfb.environment())
        w, h, screen = picture(shot_file)
        place = screen.find(rows[telling])
        while place >= 0:
            x, y = place // 3 % w, place // 3 // w - telling
            if place % 3 == 0 and x + width <= w and 0 <= y <= h - height and all(
                    screen[((y + j) * w + x) * 3:((y + j) * w + x) * 3 + row_size] == row for j, row in enumerate(rows)):
                return
            place = screen.find(rows[telling], place + 1)
        check(time.monotonic() < deadline, f"{name}: no window shows the picture")
        time.sleep(0.3)


def up_to_three_times(test):
    """What looks at time fails if others use the machine, too: a decorator."""
    @functools.wraps(test)
    def try_it(*arguments):
        for left in (2, 1, 0):
            try:
                return test(*arguments)
            except Failure as failure:
                if left == 0:
                    raise
                print(f"# again, since {failure}")
    return try_it


def run_test(test):
    """(seconds, what went wrong; None: nothing)"""
    start = time.monotonic()
    try:
        test()
        wrong = None
    except Failure as error:
        wrong = str(error)
    except Exception:  # noqa: the test failed, whatever it was
        wrong = traceback.format_exc()
    return time.monotonic() - start, wrong


def run_tests(tests, at_once=1):
    """Runs functions by name; prints TAP. Exit status. `at_once`: so many of those that mostly wait."""
    failures = 0
    print(f"1..{len(tests)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        results = map(run_test, tests) if at_once == 1 else pool.map(run_test, tests)
        for number, (test, result) in enumerate(zip(tests, results), 1):
            seconds, wrong = result
            name = f"{number} - {test.__name__[5:].replace('_', ' ')}"
            if wrong is None:
                print(f"ok {name}", flush=True)
            else:
                failures += 1
                print(f"not ok {name}")
                for line in wrong.splitlines():
                    print(f"# {line}")
                print(f"{name}: {wrong}", file=sys.stderr, flush=True)  # what runners of tests show
            print(f"# {seconds:.1f} s", flush=True)
    if not failures:
        shutil.rmtree(WORK, ignore_errors=True)
    else:
        print(f"# files are kept in {WORK}")
    return 1 if failures else 0
