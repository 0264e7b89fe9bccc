# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ./demo shows: demo.py source|vm|test|share BUILD GUEST"""
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "interop"))
from vm import VM, free_port, wait_until  # noqa: E402

what = sys.argv[1]
build, guest = (os.path.abspath(path) for path in sys.argv[2:4])
TYPED = "uname -sr"
HAS_DISPLAY = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def environment(folder, **more):
    env = dict(os.environ, GST_PLUGIN_PATH=os.path.join(build, "gst-plugins"),
               GST_REGISTRY=os.path.join(folder, "registry"))
    env.update(more)
    return env


def boot(folder, library=None):
    port = free_port()
    vm = VM(folder, "vm", f"port={port},addr=127.0.0.1,disable-ticketing=on", guest=guest,
            modules="ehci-pci usbhid hid-generic", library=library,
            extra=["-device", "usb-ehci,id=eh", "-device", "usb-tablet,bus=eh.0"])
    print("Booting a virtual machine ...", flush=True)
    vm.wait_ready()
    return vm, f"spice://127.0.0.1:{port}"


def serve(folder, *options, **more):
    """spice-serve; the process, and where to see it."""
    port = free_port()
    server = subprocess.Popen([os.path.join(build, "server", "serve", "spice-serve"), *options,
                               "--port", str(port)], env=environment(folder, **more))
    wait_until(lambda: accepts(port) or server.poll() is not None, 20, "server")
    if server.poll() is not None:
        sys.exit("spice-serve ended")
    return server, f"spice://127.0.0.1:{port}"


def accepts(port):
    import socket
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def source_window(location):
    return ["gst-launch-1.0", "-q", "spicesrc", f"location={location}", "!", "videoconvert", "!",
            "autovideosink" if HAS_DISPLAY else "ximagesink"]


def viewer_window(location):
    return [os.path.join(build, "client", "spice-view"), location]


def show(command, folder, size, **more):
    """A window on the display, until it is closed; without a display, on a virtual one, where keys
    are typed and a picture is taken."""
    print(" ".join(command).replace(build + "/", ""), flush=True)
    if HAS_DISPLAY:
        print("Close the window, or press Ctrl-C here, to end.", flush=True)
        subprocess.run(command, env=environment(folder, **more), check=False)
        return
    from harness import Xvfb
    picture = os.path.abspath("demo.png" if what == "source" else f"demo-{what}.png")
    xvfb = Xvfb("%dx%d" % (size[0] + 76, size[1] + 82))
    window = subprocess.Popen(command, env=environment(folder, DISPLAY=xvfb.display, **more))
    try:
        wid = wait_until(lambda: xvfb.window_of_size(*size), 30, "window")
        time.sleep(1)
        xvfb.xdotool("windowfocus", "--sync", wid)
        for character in TYPED:
            xvfb.xdotool("key", "--delay", "30", {" ": "space", "-": "minus"}.get(character, character))
        xvfb.xdotool("key", "Return")
        time.sleep(1.5)
        subprocess.run(["import", "-display", xvfb.display, "-window", "root", picture], check=True)
        print(f"Typed \"{TYPED}\" into it; the picture is in {picture}")
    finally:
        window.terminate()
        window.wait()
        xvfb.close()


def demo_source(folder):
    vm, location = boot(folder)
    try:
        show(source_window(location), folder, (1024, 768))
    finally:
        vm.close()


def demo_vm(folder):
    vm, location = boot(folder, library=os.path.join(build, "server", "embed"))
    try:
        show(viewer_window(location), folder, (1024, 768))
    finally:
        vm.close()


def demo_test(folder):
    server, location = serve(folder, "--test", "--size", "1024x768")
    try:
        show(viewer_window(location), folder, (1024, 768))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def demo_share(folder):
    if os.environ.get("DISPLAY"):
        server, location = serve(folder, "--x11", os.environ["DISPLAY"])
        print(f"This desktop can be seen, and worked on, at {location}:\n"
              f"    remote-viewer {location}\n    build/release/client/spice-view {location}\n"
              "Ctrl-C here ends it. spice-serve --help tells how to let others in.", flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            server.wait()
        return
    from harness import Xvfb
    desktop = Xvfb("1024x768")
    terminal = subprocess.Popen(["xterm", "-geometry", "100x40+40+40"],
                                env=dict(os.environ, DISPLAY=desktop.display))
    server = None
    try:
        time.sleep(1.5)
        server, location = serve(folder, "--x11", desktop.display, DISPLAY=desktop.display)
        desktop.xdotool("mousemove", "300", "300")
        show(viewer_window(location), folder, (1024, 768))
    finally:
        if server:
            server.send_signal(signal.SIGINT)
            server.wait()
        terminal.terminate()
        terminal.wait()
        desktop.close()


with tempfile.TemporaryDirectory() as folder:
    try:
        {"source": demo_source, "vm": demo_vm, "test": demo_test, "share": demo_share}[what](folder)
    except KeyboardInterrupt:
        pass
