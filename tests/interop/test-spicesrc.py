# SPDX-License-Identifier: LGPL-2.1-or-later
"""spicesrc against Debian's QEMU: its pictures are those of spice-gtk, and what goes wrong is said
once and clearly. The virtual machines are booted once for all tests."""
import atexit
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import (BUILD, GUEST, LONG, SANITIZED_BUILD, SOURCE, VECTORS, WORK, Xvfb, check, check_equal,
                     environment, run, run_tests, shot, shot_errors, spicy_screenshot)
from replay import ReplayServer, read_marks
from vm import VM, free_port, wait_until

RESOURCE = "gst-resource-error-quark"
OPEN_READ_WRITE, READ, NOT_AUTHORIZED = 7, 9, 15

HIDE_TEXT_CURSOR = r"echo -e '\033[?25l' >/dev/tty1"
SCROLL = "i=0; while [ $i -lt 60 ]; do echo scrolled $i >/dev/tty1; i=$((i+1)); done"
# Eight full screens of program code, each shifted: wild enough, and fast under emulation.
NOISE = ("i=0; while [ $i -lt 8 ]; do "
         "(dd if=/bin/busybox bs=4096 skip=$i; cat /bin/busybox) 2>/dev/null | "
         "dd of=/dev/fb0 bs=4096 count=768 iflag=fullblock 2>/dev/null; i=$((i+1)); done")


class Machines:
    """The virtual machines, each booted when first asked for."""

    def __init__(self):
        self.machines = {}
        atexit.register(self.close)

    def get(self, name, spice, **options):
        if name not in self.machines:
            vm = VM(WORK, name, spice, **options)
            self.machines[name] = vm
            if options.get("guest"):
                vm.wait_ready()
                vm.run(HIDE_TEXT_CURSOR)
        return self.machines[name]

    def close(self):
        for vm in self.machines.values():
            vm.close()


machines = Machines()
ports = {}


def port_of(name):
    return ports.setdefault(name, free_port())


def linux(compression):
    """A Linux guest on its qxl driver. `lz` also has TLS, a tablet and a unix socket beside."""
    name = "linux-" + compression
    spice = (f"port={port_of(name)},addr=127.0.0.1,disable-ticketing=on,"
             f"image-compression={compression}")
    return machines.get(name, spice, guest=GUEST, modules="ehci-pci usbhid hid-generic",
                        extra=["-device", "usb-ehci,id=eh", "-device", "usb-tablet,bus=eh.0"]), \
        port_of(name)


def firmware(compression):
    name = "firmware-" + compression
    vm = machines.get(name, f"port={port_of(name)},addr=127.0.0.1,disable-ticketing=on,"
                            f"image-compression={compression}")
    return vm, port_of(name)


def file(name):
    return os.path.join(WORK, name)


def launch_png(out, location):
    """A picture by the line that the documentation gives."""
    status, text = run(["gst-launch-1.0", "-q", "spicesrc", f"location={location}", "num-buffers=1",
                        "!", "videoconvert", "!", "pngenc", "!", "filesink", f"location={out}"])
    check(status == 0, f"gst-launch failed: {text[-1000:]}")


def lz_images(lines):
    return int(re.search(r"images-lz-rgb=\(guint64\)(\d+)", "\n".join(lines)).group(1))


def compare_stopped(vm, port, name, lz):
    """The stopped machine's picture through spicesrc and pngenc is that of spice-gtk."""
    ours, theirs = file(name + "-ours"), file(name + "-theirs.ppm")
    spicy_screenshot(theirs, port)
    launch_png(ours + ".png", f"spice://127.0.0.1:{port}")
    check_equal(ours + ".png", theirs, name)
    status, lines = shot(ours + ".ppm", "--location", f"spice://127.0.0.1:{port}", "--stats")
    check(status == 0, "\n".join(lines))
    check_equal(ours + ".ppm", theirs, name)
    if lz:
        check(lz_images(lines) > 0, f"no LZ image was among them: {lines}")
    else:
        check(lz_images(lines) == 0, f"LZ images with compression off: {lines}")


def firmware_picture(compression):
    vm, port = firmware(compression)
    time.sleep(2)  # the firmware writes its lines
    vm.qmp("stop")
    compare_stopped(vm, port, "firmware-" + compression, compression == "lz")


def console_picture(compression):
    vm, port = linux(compression)
    vm.run(SCROLL)
    time.sleep(0.5)
    vm.qmp("stop")
    compare_stopped(vm, port, f"console-{compression}", compression == "lz")
    vm.qmp("cont")
    vm.run(NOISE)
    time.sleep(0.5)
    vm.qmp("stop")
    compare_stopped(vm, port, f"noise-{compression}", compression == "lz")
    vm.qmp("cont")


def test_firmware_screen_with_lz():
    firmware_picture("lz")


def test_firmware_screen_without_compression():
    firmware_picture("off")


def test_console_and_noise_with_lz():
    console_picture("lz")


def test_console_and_noise_without_compression():
    console_picture("off")


def test_updates_while_connected_end_in_the_same_picture():
    vm, port = linux("lz")
    go, ours, theirs = file("go"), file("live.ppm"), file("live-theirs.ppm")
    result = {}

    def watch():
        result["value"] = shot(ours, "--location", f"spice://127.0.0.1:{port}", "--until", go,
                               "--max", "60000", "--stats", seconds=90)

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(1)
    vm.run(NOISE)
    vm.run("echo -e '\\033c' >/dev/tty1; " + HIDE_TEXT_CURSOR)
    for _ in range(4):
        vm.run(SCROLL)
        time.sleep(0.5)
    open(go, "w").close()
    watcher.join()
    status, lines = result["value"]
    check(status == 0, "\n".join(lines))
    frames = int(re.search(r"frames=\(guint64\)(\d+)", "\n".join(lines)).group(1))
    check(lz_images(lines) > 1 and frames > 3, f"hardly an update: {lines}")
    vm.qmp("stop")
    spicy_screenshot(theirs, port)
    vm.qmp("cont")
    check_equal(ours, theirs, "after updates")


# TLS, tickets, and all that goes wrong

def make_certificates():
    """A CA, a server certificate for 127.0.0.1 and localhost, an expired one, and another CA."""
    folder = file("tls")
    if os.path.isdir(folder):
        return folder
    os.mkdir(folder)
    script = r"""
set -e
ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/O=Test/CN=$1" -keyout $1.key -out $1.pem; }
ca ca; ca other
server() {
    openssl req -newkey rsa:2048 -nodes -subj "/O=Test, Ltd/CN=vm" -keyout $1.key -out $1.csr
    printf 'subjectAltName=%s\n' "$2" > $1.ext
    shift 2
}
issue() { openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $1.ext -out $1.pem $2 $3; }
server good IP:127.0.0.1,DNS:localhost; issue good -days 30
server name DNS:elsewhere.example; issue name -days 30
server old IP:127.0.0.1; issue old -days -1
for s in good name old; do mkdir d-$s; cp ca.pem d-$s/ca-cert.pem; cp $s.pem d-$s/server-cert.pem; cp $s.key d-$s/server-key.pem; done
"""
    status, text = run(["sh", "-c", script], cwd=folder)
    check(status == 0, text)
    return folder


def secured(certificate):
    """A firmware screen behind TLS, a ticket, and (for `good`) a unix socket for itself."""
    folder = make_certificates()
    name = "tls-" + certificate
    plain, tls = port_of(name), port_of(name + "-tls")
    vm = machines.get(name, f"port={plain},tls-port={tls},addr=127.0.0.1,"
                            f"x509-dir={folder}/d-{certificate},"
                            "password-secret=ticket,image-compression=lz",
                      extra=["-object", "secret,id=ticket,data=geheim"])
    if vm.qmp("query-status")["running"]:
        time.sleep(2)
        vm.qmp("stop")
    return plain, tls, folder


def test_tls_and_ticket():
    plain, tls, folder = secured("good")
    ca = folder + "/ca.pem"
    reference = file("secured.ppm")
    status, lines = shot(reference, "--location", f"spice://127.0.0.1:{plain}", "--password", "geheim")
    check(status == 0, "\n".join(lines))
    for location, options in (
            (f"spice+tls://127.0.0.1:{tls}", []),
            (f"spice+tls://localhost:{tls}", []),
            (f"spice://127.0.0.1?tls-port={tls}", []),
            (f"spice+tls://127.0.0.1:{tls}", ["--host-subject", "O=Test\\, Ltd,CN=vm"])):
        status, lines = shot(file("tls.ppm"), "--location", location, "--password", "geheim",
                             "--ca-file", ca, *options)
        check(status == 0, f"{location}: {lines}")
        check_equal(file("tls.ppm"), reference, location)
    status, lines = shot(file("tls.ppm"), "--location", f"spice://127.0.0.1:{plain}?password=geheim")
    check(status == 0, "\n".join(lines))


def test_unix_socket():
    path = file("spice.sock")
    vm = machines.get("unix", f"unix=on,addr={path},disable-ticketing=on,image-compression=lz")
    time.sleep(2)
    vm.qmp("stop")
    spicy_screenshot(file("unix-theirs.ppm"), uri="spice+unix://" + path)
    status, lines = shot(file("unix.ppm"), "--location", "spice+unix://" + path)
    check(status == 0, "\n".join(lines))
    check_equal(file("unix.ppm"), file("unix-theirs.ppm"), "unix socket")


def sanitized(**more):
    """Environment in which leaks, of GStreamer's objects or of memory, make a program fail."""
    return environment(SANITIZED_BUILD, GST_TRACERS="leaks", GST_DEBUG="GST_TRACER:7",
                       ASAN_OPTIONS="detect_leaks=1:exitcode=99:fast_unwind_on_malloc=0",
                       LSAN_OPTIONS="print_suppressions=0:suppressions="
                       + os.path.join(os.path.dirname(os.path.abspath(__file__)), "lsan.supp"),
                       **more)


def shot_without_leaks(out, *arguments, seconds=120):
    status, lines = shot(out, *arguments, build=SANITIZED_BUILD, seconds=seconds, env=sanitized())
    alive = [line for line in lines if "object-alive, type-name=(string)" in line and "%s" not in line]
    check(not alive, "objects were left: " + "\n".join(alive[:5]))
    return status, lines


def expect_one_error(name, code, *arguments, at_most_ms=3000):
    """A session that cannot be: one error message, its domain and code, in time, without leaks."""
    status, lines = shot_without_leaks(file("none.ppm"), *arguments)
    errors = shot_errors(lines)
    check(status == 1 and len(errors) == 1, f"{name}: not one error: {lines[-5:]}")
    domain, got, ms, text = errors[0]
    check((domain, got) == (RESOURCE, code), f"{name}: {errors[0]} instead of code {code}")
    check(ms <= at_most_ms, f"{name}: only after {ms} ms")
    print(f"# {name}: {got} after {ms} ms: {text}")


def test_errors_of_tls():
    _, tls, folder = secured("good")
    _, tls_name, _ = secured("name")
    _, tls_old, _ = secured("old")
    login = ["--password", "geheim"]
    ca = ["--ca-file", folder + "/ca.pem"]
    expect_one_error("wrong CA", OPEN_READ_WRITE, "--location", f"spice+tls://127.0.0.1:{tls}",
                     "--ca-file", folder + "/other.pem", *login)
    expect_one_error("no CA file", OPEN_READ_WRITE, "--location", f"spice+tls://127.0.0.1:{tls}",
                     "--ca-file", folder + "/missing.pem", *login)
    expect_one_error("wrong name", OPEN_READ_WRITE, "--location",
                     f"spice+tls://127.0.0.1:{tls_name}", *ca, *login)
    expect_one_error("wrong subject", OPEN_READ_WRITE, "--location",
                     f"spice+tls://127.0.0.1:{tls}", *ca, "--host-subject", "O=Test,CN=vm", *login)
    expect_one_error("expired", OPEN_READ_WRITE, "--location", f"spice+tls://127.0.0.1:{tls_old}",
                     *ca, *login)


def test_errors_of_tickets():
    plain, tls, folder = secured("good")
    location = ["--location", f"spice://127.0.0.1:{plain}"]
    expect_one_error("wrong ticket", NOT_AUTHORIZED, *location, "--password", "falsch")
    expect_one_error("no ticket", NOT_AUTHORIZED, *location)
    expect_one_error("ticket too long", NOT_AUTHORIZED, *location, "--password", "x" * 61)
    expect_one_error("wrong ticket on TLS", NOT_AUTHORIZED, "--location",
                     f"spice+tls://127.0.0.1:{tls}", "--ca-file", folder + "/ca.pem",
                     "--password", "falsch")


def test_errors_of_addresses():
    expect_one_error("closed port", OPEN_READ_WRITE, "--location", f"spice://127.0.0.1:{free_port()}")
    expect_one_error("no such socket", OPEN_READ_WRITE, "--location", "spice+unix:///nonexistent")
    expect_one_error("unknown name", OPEN_READ_WRITE, "--location", "spice://no.such.host.invalid:1",
                     at_most_ms=11000)
    expect_one_error("no SPICE address", OPEN_READ_WRITE, "--location", "http://127.0.0.1:1")


class StallingServer:
    """Says the first `size` bytes of a recorded main channel, then nothing (or closes)."""

    def __init__(self, size, close):
        with open(os.path.join(VECTORS, "session-linux-lz4", "main-0.s2c"), "rb") as f:
            self.data = f.read(size)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.held = []
        self.close_after = close
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.recv(4096)
            sock.sendall(self.data)
            if self.close_after:
                sock.shutdown(socket.SHUT_WR)
            self.held.append(sock)

    def close(self):
        self.listener.close()
        for sock in self.held:
            sock.close()


def test_errors_of_a_server_that_stops_in_the_handshake():
    # In the header, before and in the key, before the result, in the result.
    for size in (0, 7, 16, 100, 202, 204) if LONG else (0, 16, 204):
        for close in (True, False):
            server = StallingServer(size, close)
            expect_one_error(f"{'closed' if close else 'silent'} after {size} bytes",
                             OPEN_READ_WRITE, "--location", f"spice://127.0.0.1:{server.port}",
                             "--timeout", "1", at_most_ms=2500)
            server.close()
    server = StallingServer(0, False)
    expect_one_error("the default time-out", OPEN_READ_WRITE, "--location",
                     f"spice://127.0.0.1:{server.port}", at_most_ms=11500)
    server.close()


# Life

def test_mode_changes_by_a_reset():
    name = "reset"
    port = port_of(name)
    vm = machines.get(name, f"port={port},addr=127.0.0.1,disable-ticketing=on,image-compression=lz",
                      guest=GUEST)
    go, ours = file("reset-go"), file("reset.ppm")
    result = {}

    def watch():
        result["value"] = shot(ours, "--location", f"spice://127.0.0.1:{port}", "--until", go,
                               "--max", "90000", "--sizes", seconds=120)

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(1)
    vm.forget_log()
    vm.qmp("system_reset")
    vm.wait_ready()
    vm.run(HIDE_TEXT_CURSOR)
    time.sleep(0.5)
    open(go, "w").close()
    watcher.join()
    status, lines = result["value"]
    check(status == 0, "\n".join(lines))
    sizes = [line.split()[1] for line in lines if line.startswith("size ")]
    check(sizes[0] == "1024x768" and sizes[-1] == "1024x768" and "720x400" in sizes,
          f"sizes: {sizes}")
    vm.qmp("stop")
    spicy_screenshot(file("reset-theirs.ppm"), port)
    vm.qmp("cont")
    check_equal(ours, file("reset-theirs.ppm"), "after the reset")


def test_a_server_that_is_killed_and_one_in_its_place():
    port = free_port()
    spice = f"port={port},addr=127.0.0.1,disable-ticketing=on,image-compression=lz"
    first = VM(WORK, "killed", spice)
    result = {}

    def watch():
        result["value"] = shot_without_leaks(file("killed.ppm"), "--location",
                                             f"spice://127.0.0.1:{port}", "--until",
                                             file("never"), "--max", "30000")

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(4)
    first.close()
    watcher.join()
    status, lines = result["value"]
    errors = shot_errors(lines)
    check(status == 1 and len(errors) == 1, f"not one error: {lines}")
    check(errors[0][:2] == (RESOURCE, READ), f"{errors[0]}")
    second = VM(WORK, "restarted", spice)
    time.sleep(2)
    second.qmp("stop")
    status, lines = shot(file("restarted.ppm"), "--location", f"spice://127.0.0.1:{port}")
    check(status == 0, "\n".join(lines))
    spicy_screenshot(file("restarted-theirs.ppm"), port)
    second.close()
    check_equal(file("restarted.ppm"), file("restarted-theirs.ppm"), "restarted server")


def test_many_connects_and_disconnects():
    vm, port = firmware("lz")
    vm.qmp("stop")
    count = 100 if LONG else 30
    status, lines = shot_without_leaks(file("many.ppm"), "--location", f"spice://127.0.0.1:{port}",
                                       "--settle", "0", "--repeat", str(count), seconds=300)
    pictures = [line for line in lines if line.startswith("picture 720 400")]
    check(status == 0 and len(pictures) == count, f"{len(pictures)} pictures of {count}")
    spicy_screenshot(file("many-theirs.ppm"), port)
    check_equal(file("many.ppm"), file("many-theirs.ppm"), "the last of them")


def test_many_sessions_left_at_random_moments():
    server = ReplayServer(os.path.join(VECTORS, "session-linux-quic"))
    status, lines = shot_without_leaks(file("left.ppm"), "--location",
                                       f"spice://127.0.0.1:{server.port}", "--cut", "--repeat",
                                       "1000" if LONG else "50", seconds=900)
    server.close()
    check(status == 0, "\n".join(lines[-5:]))


# Keys

def type_and_read(vm, port, xvfb, window_command, name):
    """Types into a player's window; what the guest's shell made of it. What the window then shows
    is the picture that spice-gtk gets."""
    player = subprocess.Popen(window_command, env=xvfb.environment(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wid = wait_until(lambda: xvfb.window_of_size(1024, 768), 60, "window of " + name)
        time.sleep(1.5)
        xvfb.xdotool("windowfocus", "--sync", wid)
        xvfb.xdotool("mousemove", "--window", wid, "300", "200")
        marker = f"/tmp/{name}"
        for key in ("Return", *"echo", "space", *"q", "space", "Shift+minus", "greater", "slash",
                    *"tmp", "slash", *name, "Return"):
            xvfb.xdotool("key", "--delay", "20", key)
        time.sleep(1)
        check(player.poll() is None, f"{name} ended with {player.returncode}: "
                                     f"{player.stdout.read().decode()[-800:] if player.poll() is not None else ''}")
        text = vm.run(f"cat {marker}")
        vm.qmp("stop")
        time.sleep(0.5)
        run(["import", "-display", xvfb.display, "-window", wid, file(f"{name}.png")],
            env=xvfb.environment())
        spicy_screenshot(file(f"{name}-theirs.ppm"), port)
        vm.qmp("cont")
        check_equal(file(f"{name}.png"), file(f"{name}-theirs.ppm"), f"the window of {name}")
        return text
    finally:
        player.terminate()
        player.wait()


def test_gst_play_shows_it_and_takes_keys():
    vm, port = linux("lz")
    xvfb = Xvfb()
    try:
        text = type_and_read(vm, port, xvfb, ["gst-play-1.0", "--videosink", "ximagesink",
                                        f"spice://127.0.0.1:{port}"], "gstplay")
        check("\nq _\n" in text.replace("\r", ""), f"the guest read: {text!r}")
    finally:
        xvfb.close()


def test_playbin_shows_it_and_takes_keys():
    vm, port = linux("lz")
    xvfb = Xvfb()
    try:
        text = type_and_read(vm, port, xvfb, ["gst-launch-1.0", "playbin",
                                        f"uri=spice://127.0.0.1:{port}",
                                        "video-sink=ximagesink"], "playbin")
        check("\nq _\n" in text.replace("\r", ""), f"the guest read: {text!r}")
    finally:
        xvfb.close()


# What the documentation says

ELEMENTS = ["spiceaudiosink", "spiceaudiosrc", "spiceceltdec", "spiceceltenc", "spicechannelsink", "spicechannelsrc", "spicedamage",
            "spicedisplaydec", "spicedisplayenc", "spicedisplaysink", "spicedrawsrc",
            "spiceglzdec", "spiceglzenc", "spiceheads", "spicelipsync", "spicelz4dec", "spicelz4enc",
            "spicelzdec", "spicelzenc", "spiceplaybacksink", "spiceplaybacksrc", "spicequicdec",
            "spicequicenc", "spicerecordsink", "spicesink", "spicesounddec", "spicesrc",
            "spicevideoenc"]


def launch_lines():
    """Every launch line of the doc blocks and of pipelines/: (where, line)."""
    lines = []
    for folder, _, names in os.walk(os.path.join(SOURCE, "gst-plugins")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name)) as f:
                    for line in re.findall(r"^ \* gst-launch-1.0 (.*)$", f.read(), re.M):
                        lines.append((name, line))
    for name in sorted(os.listdir(os.path.join(SOURCE, "pipelines"))):
        if not name.endswith(".launch") or name.startswith("video-"):
            continue  # encoders are tried by test-video.py
        with open(os.path.join(SOURCE, "pipelines", name)) as f:
            lines.append((name, " ".join(line for line in f.read().splitlines()
                                         if not line.startswith("#"))))
    return lines


def test_each_launch_line_of_the_documentation_works():
    _, port = firmware("lz")
    folder = file("launch")
    os.makedirs(folder, exist_ok=True)
    lines = launch_lines()
    documented = {where for where, _ in lines}
    for element in ELEMENTS:
        check(element + ".c" in documented, f"{element} has no launch line")
    for where, line in lines:
        if "desktop.audio ! " in line or "! desktop.record" in line:
            continue  # test-sound.py and test-lipsync.py run them: the firmware has nothing to say
        line = line.replace("spice://localhost:5900", f"spice://127.0.0.1:{port}")
        line = line.replace("LOCATION", f"spice://127.0.0.1:{port}")
        line = line.replace("autovideosink", "fakesink num-buffers=1")
        line = line.replace("videotestsrc !", "videotestsrc num-buffers=20 !")
        line = line.replace("timestamps=arrival", "timestamps=arrival num-buffers=1")
        status, text = run(["sh", "-c", "gst-launch-1.0 -q -e " + line], cwd=folder)
        check(status == 0, f"{where}: {line}: {text[-600:]}")
    check(sorted(os.listdir(folder)) == ["recording.mkv", "shot.png", "tone.wav"], f"{os.listdir(folder)}")


def track_end(path, track):
    """The time of its last buffer, seconds; 0: there is none."""
    status, text = run(["gst-launch-1.0", "-v", "filesrc", f"location={path}", "!", "matroskademux", "name=file",
                        "file." + track, "!", "fakesink", "silent=false"])
    check(status == 0, text[-1000:])
    ends = re.findall(r"chain .* pts: (\d+):(\d+):([\d.]+)", text)
    return max((int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in ends), default=0)


def test_a_desktop_that_stands_still_is_recorded_with_its_sound():
    with open(os.path.join(SOURCE, "gst-plugins", "net", "spicesrc.c")) as source:
        line, = [line for line in re.findall(r"^ \* gst-launch-1.0 (.*)$", source.read(), re.M)
                 if "desktop.mkv" in line]
    host = subprocess.Popen([os.path.join(BUILD, "tests", "interop", "sound-host"), "48000", file("heard.raw")],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    port = host.stdout.readline().split()[1]
    line = line.replace("localhost:5900", f"127.0.0.1:{port}").replace("desktop.mkv", file("desktop.mkv"))
    program = subprocess.Popen(["gst-launch-1.0", *shlex.split(line)], env=environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        time.sleep(4)
        program.send_signal(signal.SIGINT)
        text, _ = program.communicate(timeout=30)
        check(program.returncode == 0, text[-1000:])
    finally:
        for process in (program, host):
            process.kill()
            process.wait()
    for track in ("video_0", "audio_0"):
        end = track_end(file("desktop.mkv"), track)
        print(f"# {track} lasts until {end:.1f} s")
        check(end > 2, f"{track} lasts until {end} s only")


def test_gst_inspect_documents_each_element():
    for element in ELEMENTS:
        status, text = run(["gst-inspect-1.0", element])
        check(status == 0 and "Pad Templates" in text and "The gst-spice developers" in text,
              f"{element}: {text[:300]}")


# Recorded sessions

def replay(session, *options):
    folder = os.path.join(VECTORS, session)
    marks = read_marks(folder)
    check("end" in marks, f"{session} has no marks")
    for mark, stops in marks.items():
        for stem in stops:
            server = ReplayServer(folder, stop_at=stops)
            status, lines = shot(file("replay.ppm"), "--location", f"spice://127.0.0.1:{server.port}",
                                 "--monitor", stem.split("-")[1], "--settle", "500", "--stats",
                                 *options)
            server.close()
            check(status == 0, f"{session} {mark}: {lines}")
            check_equal(file("replay.ppm"), os.path.join(folder, f"{mark}-{stem}.ppm.gz"),
                        f"{session} {mark} {stem}")


def test_recorded_session_quic():
    replay("session-linux-quic")


def test_recorded_session_lz4():
    replay("session-linux-lz4")


def test_recorded_session_auto_glz():
    replay("session-linux-auto_glz")


def test_recorded_session_agent():
    replay("session-agent")


def test_recorded_session_audio_opus():
    replay("session-audio-opus")


def test_recorded_session_xspice_desktop():
    replay("session-xspice-desktop")


def test_recorded_session_two_displays():
    replay("session-two-displays", "--all")


def cut_session(stem, cuts):
    folder = os.path.join(VECTORS, "session-linux-lz4")
    size = os.path.getsize(os.path.join(folder, stem + ".s2c"))
    for cut in range(206, size, size // 500) if LONG else [*cuts, size - 1]:
        server = ReplayServer(folder, stop_at={stem: cut}, cut=True)
        status, lines = shot(file("cut.ppm"), "--location", f"spice://127.0.0.1:{server.port}",
                             "--until", file("never"), "--max", "8000")
        server.close()
        errors = shot_errors(lines)
        check(status == 1 and len(errors) == 1 and errors[0][:2] == (RESOURCE, READ),
              f"{stem} cut at {cut}: {lines}")


def test_a_cut_main_channel_is_one_error():
    cut_session("main-0", [206, 207, 211, 212, 215, 243, 244, 260, 300, 320, 330, 340])


def test_a_cut_display_channel_is_one_error():
    cut_session("display-0", [206, 207, 211, 212, 220, 226, 227, 240, 270, 1000, 200000, 1000000])


if __name__ == "__main__":
    wanted = sys.argv[1:]
    tests = [value for name, value in list(globals().items()) if name.startswith("test_")]
    if wanted:
        tests = [test for test in tests if any(word in test.__name__ for word in wanted)]
    sys.exit(run_tests(tests))
