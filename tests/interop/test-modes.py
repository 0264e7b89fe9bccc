# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each mode of image compression between Debian's QEMU and a client that stays while the screen
changes, so that caches and dictionary are in use: our client and spice-gtk's on our library, ours on
the field's. At the end each picture is QEMU's own, to the pixel."""
import atexit
import concurrent.futures
import math
import os
import re
import subprocess
import sys
import threading
import time

from harness import (BUILD, GUEST, LONG, WORK, Failure, check, check_equal, environment, picture, run_tests,
                     spicy_screenshot)
from vm import VM, free_port, wait_until

OURS = os.path.join(BUILD, "server", "embed")
LIBRARIES = {"ours": OURS, "field": None}
# Without --long those that have something of their own: GLZ is in the test of two displays, too.
MODES = (dict.fromkeys(("ours", "field"), ["off", "auto_glz", "auto_lz", "quic", "glz", "lz"]) if LONG
         else {"ours": ["off", "auto_glz", "quic", "lz"], "field": ["auto_glz", "quic"]})
# What of the client's counters must have moved: the mode was in use.
USES = {"off": ["bitmap"], "auto_glz": ["glz-rgb", "quic"], "auto_lz": ["lz-rgb", "quic"],
        "quic": ["quic"], "glz": ["glz-rgb"], "lz": ["lz-rgb"], "lz4": ["lz4"]}

HIDE_TEXT_CURSOR = r"echo -e '\033[?25l' >/dev/tty1"
TEXT = "ls -l /bin /dev >/dev/tty1"
SCROLL = "i=0; while [ $i -lt 40 ]; do echo scrolled $i >/dev/tty1; i=$((i+1)); done"
NOISE = ("i=0; while [ $i -lt 3 ]; do (dd if=/bin/busybox bs=4096 skip=$i; cat /bin/busybox) "
         "2>/dev/null | dd of=/dev/fb%d bs=4096 count=%d iflag=fullblock 2>/dev/null; "
         "i=$((i+1)); done")
# A soft picture: slow slopes with some grain, a row after the other and each one pixel on.
PHOTO = ("awk 'BEGIN { for (x = 0; x < 1023; x++) printf \"%c%c%c%c\", 40 + x / 12, "
         "60 + (x * 7 % 5), 120 - x / 16, 1 }' >/tmp/row; "
         "i=0; while [ $i -lt 5 ]; do cat /tmp/row /tmp/row /tmp/row /tmp/row >/tmp/rows; "
         "mv /tmp/rows /tmp/row; i=$((i+1)); done; "
         "for i in 1 2 3; do dd if=/tmp/row bs=4096 count=500 2>/dev/null | dd of=/dev/fb0 bs=4096 "
         "count=500 iflag=fullblock 2>/dev/null; sleep 0.3; done")

machines = []
lock = threading.Lock()


def file(name):
    return os.path.join(WORK, name)


@atexit.register
def close_all():
    for vm in list(machines):
        vm.close()


def boot(name, which, spice, **options):
    port = free_port()
    vm = VM(WORK, name, f"port={port},addr=127.0.0.1,disable-ticketing=on,{spice}", guest=GUEST,
            library=LIBRARIES[which], **options)
    with lock:
        machines.append(vm)
    vm.wait_ready()
    vm.run(HIDE_TEXT_CURSOR)
    with open(f"/proc/{vm.process.pid}/maps") as maps:
        check((OURS in maps.read()) == (which == "ours"), f"{name}: the wrong library was loaded")
    return vm, port


def close(vm):
    with lock:
        machines.remove(vm)
    vm.close()


class Watcher:
    """Our client, which stays until it is told to show what it has."""

    def __init__(self, name, port, *options):
        self.out, self.until = file(name + ".ppm"), file(name + ".until")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "tests", "interop", "shot"), "--location",
             f"spice://127.0.0.1:{port}", "--until", self.until, "--max", "90000", "--stats",
             *options, self.out], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment())

    def finish(self):
        """Its counters, when it has written its picture."""
        with open(self.until, "w"):
            pass
        text = self.process.communicate(timeout=60)[0].decode(errors="replace")
        check(self.process.returncode == 0, f"shot: {text[-1500:]}")
        return text

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def images(text, kind):
    return sum(int(n) for n in re.findall(rf"images-{kind}=\(guint64\)(\d+)", text))


def settle(vm, name):
    """Waits until the guest's screen stands still."""
    before = None
    for _ in range(40):
        vm.qmp("screendump", filename=file(name + "-settle.ppm"))
        with open(file(name + "-settle.ppm"), "rb") as f:
            now = f.read()
        if now == before:
            return
        before = now
        time.sleep(0.4)
    raise Failure(f"{name}: the screen does not come to rest")


def shows_photo(vm, name):
    vm.qmp("screendump", filename=file(name + "-photo.ppm"))
    width, _, pixels = picture(file(name + "-photo.ppm"))
    at = 3 * (300 * width + 900)
    x = (300 * 1024 + 900) % 1023
    return tuple(pixels[at + 1:at + 3]) == (60 + x * 7 % 5, 40 + x // 12)


def show_photo(vm, name):
    """Until the kernel has shown it, which takes its time."""
    vm.run(PHOTO)
    vm.run(SCROLL)  # what is written to the frame buffer is only shown with the next text
    wait_until(lambda: shows_photo(vm, name), 8, "photo")


def change(vm, name):
    vm.run(TEXT)
    vm.run(SCROLL)
    show_photo(vm, name)
    time.sleep(1)  # or it would be sent together with the noise
    vm.run(NOISE % (0, 400))
    vm.run(SCROLL)


def watch(vm, port, name, mode, spicy, *options):
    """A client that stays while the screen changes, then one that comes: both see it exactly."""
    watcher = Watcher(name, port, *options)
    try:
        time.sleep(1)
        change(vm, name)
        settle(vm, name)
        vm.qmp("stop")
        vm.qmp("screendump", filename=file(name + "-dump.ppm"))
        text = watcher.finish()
    finally:
        watcher.kill()
    check_equal(watcher.out, file(name + "-dump.ppm"), f"{name}: the client that stayed")
    for kind in USES[mode]:
        check(images(text, kind) > 0, f"{name}: no {kind} in {text[-1500:]}")
    if spicy:
        spicy_screenshot(file(name + "-spicy.ppm"), port)
        check_equal(file(name + "-spicy.ppm"), file(name + "-dump.ppm"), f"{name}: spicy")
    vm.qmp("cont")


def mode_session(which, mode):
    name = f"{mode}-{which}"
    vm, port = boot(name, which, f"image-compression={mode}")
    try:
        watch(vm, port, name, mode, spicy=True)
        if mode == "lz":  # the client's wish goes before what the host said
            watch(vm, port, name + "-lz4", "lz4", False, "--compression", "lz4")
    finally:
        close(vm)


def two_displays():
    """Two cards, so two display channels with one dictionary."""
    name = "two"
    vm, port = boot(name, "ours", "image-compression=glz", extra=["-device", "qxl,id=second"])
    watchers = []
    try:
        check("fb1" in vm.run("ls /dev"), "the guest does not drive the second card")
        watchers = [Watcher(f"{name}-{monitor}", port, "--all", "--monitor", str(monitor))
                    for monitor in (0, 1)]
        time.sleep(1)
        for _ in range(2):  # the same on both, in turn: each refers to the other's
            change(vm, name)
            vm.run(NOISE % (1, 700))
            vm.run(NOISE % (0, 300))
        settle(vm, name)
        time.sleep(1)
        vm.qmp("stop")
        for monitor, device in enumerate([{}, {"device": "second"}]):
            dump = file(f"{name}-{monitor}-dump.ppm")
            vm.qmp("screendump", filename=dump, **device)
            text = watchers[monitor].finish()
            check_equal(watchers[monitor].out, dump, f"display {monitor}")
            check(images(text, "glz-rgb") > 0, f"no GLZ: {text[-1500:]}")
    finally:
        for watcher in watchers:
            watcher.kill()
        close(vm)


def psnr(a, b):
    a, b = picture(a), picture(b)
    check(a[:2] == b[:2], f"{a[:2]} instead of {b[:2]}")
    squares = sum((x - y) ** 2 for x, y in zip(a[2], b[2]) if x != y)
    return math.inf if squares == 0 else 10 * math.log10(255 ** 2 * len(a[2]) / squares)


def lossy():
    """JPEG and deflated GLZ, as on a slow link: near at once, exact when it has come to rest."""
    name = "lossy"
    vm, port = boot(name, "ours",
                    "jpeg-wan-compression=always,zlib-glz-wan-compression=always")
    dump, watcher = file(name + "-dump.ppm"), None
    try:
        watcher = Watcher(name + "-stays", port)
        early = Watcher(name + "-early", port, "--settle", "1")
        time.sleep(1)
        vm.run(TEXT)
        vm.run(SCROLL)
        show_photo(vm, name)
        time.sleep(0.2)
        text = early.finish()
        settle(vm, name)
        vm.qmp("screendump", filename=dump)
        at_once = psnr(early.out, dump)
        print(f"# PSNR at once: {at_once:.1f} dB, JPEG images {images(text, 'jpeg')}", flush=True)
        check(at_once >= 30, f"PSNR {at_once:.1f} dB")
        check(images(text, "jpeg") + images(text, "jpeg-alpha") > 0, f"no JPEG: {text[-1500:]}")
        time.sleep(3)
        text = watcher.finish()
        check_equal(watcher.out, dump, "after the refresh")
        check(images(text, "zlib-glz-rgb") > 0, f"no deflated GLZ: {text[-1500:]}")
        spicy_screenshot(file(name + "-spicy.ppm"), port)
        at_once = psnr(file(name + "-spicy.ppm"), dump)
        check(at_once >= 30, f"spicy: PSNR {at_once:.1f} dB")
    finally:
        if watcher:
            watcher.kill()
            early.kill()
        close(vm)


def as_test(name, future):
    def test():
        future.result()
    test.__name__ = "test_" + name
    return test


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sessions = [(f"{mode}_on_{'our' if which == 'ours' else 'the_fields'}_library", mode_session,
                 (which, mode)) for which in LIBRARIES for mode in MODES[which]]
    sessions += [("two_displays_share_a_dictionary", two_displays, ()),
                 ("lossy_at_first_and_exact_at_rest", lossy, ())]
    pool = concurrent.futures.ThreadPoolExecutor(2)  # two machines at a time
    tests = [as_test(name, pool.submit(session, *arguments))
             for name, session, arguments in sessions
             if not wanted or any(word in name for word in wanted)]
    sys.exit(run_tests(tests))
