# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots the test guest in QEMU and shows it through spicesrc; see ./demo."""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "interop"))
from vm import VM, free_port, wait_until  # noqa: E402

build, guest, picture = (os.path.abspath(path) for path in sys.argv[1:4])
TYPED = "uname -sr"


def boot(folder):
    port = free_port()
    vm = VM(folder, "vm", f"port={port},addr=127.0.0.1,disable-ticketing=on", guest=guest,
            modules="ehci-pci usbhid hid-generic",
            extra=["-device", "usb-ehci,id=eh", "-device", "usb-tablet,bus=eh.0"])
    print("Booting a virtual machine ...", flush=True)
    vm.wait_ready()
    return vm, f"spice://127.0.0.1:{port}"


def environment(folder, **more):
    env = dict(os.environ, GST_PLUGIN_PATH=os.path.join(build, "gst-plugins"),
               GST_REGISTRY=os.path.join(folder, "registry"))
    env.update(more)
    return env


def show(location, folder, sink, **more):
    line = ["spicesrc", f"location={location}", "!", "videoconvert", "!", sink]
    print("gst-launch-1.0 " + " ".join(line), flush=True)
    return subprocess.Popen(["gst-launch-1.0", "-q", *line], env=environment(folder, **more))


def show_on_the_display(location, folder):
    print("Close the window, or press Ctrl-C here, to end.", flush=True)
    try:
        show(location, folder, "autovideosink").wait()
    except KeyboardInterrupt:
        pass


def show_on_a_virtual_display(location, folder):
    from harness import Xvfb
    xvfb = Xvfb("1100x850")
    player = show(location, folder, "ximagesink", DISPLAY=xvfb.display)
    try:
        wid = wait_until(lambda: xvfb.window_of_size(1024, 768), 20, "window")
        time.sleep(1)
        xvfb.xdotool("windowfocus", "--sync", wid)
        for character in TYPED:
            xvfb.xdotool("key", "--delay", "30", {" ": "space", "-": "minus"}.get(character, character))
        xvfb.xdotool("key", "Return")
        time.sleep(1)
        subprocess.run(["import", "-display", xvfb.display, "-window", "root", picture], check=True)
        print(f"Typed \"{TYPED}\" into the guest; the picture is in {picture}")
    finally:
        player.terminate()
        player.wait()
        xvfb.close()


with tempfile.TemporaryDirectory() as folder:
    vm, location = boot(folder)
    try:
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            show_on_the_display(location, folder)
        else:
            show_on_a_virtual_display(location, folder)
    finally:
        vm.close()
