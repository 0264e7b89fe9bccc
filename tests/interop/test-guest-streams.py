# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of Debian's QEMU, on our libspice-server, that streams its screen itself by a virtio port:
spice-gtk's clients and ours show its frames, in each codec, also those who come late; the guest hears when to
start and when to stop, and that it broke the protocol."""
import math
import os
import re
import struct
import subprocess
import sys

from harness import (BUILD, GUEST, WORK, Xvfb, check, picture, run, run_tests, shot,
                     spicy_screenshot)
from vm import VM, free_port, guest_with, wait_until
from x11 import wait_for_manager

OURS = os.path.join(BUILD, "server", "embed")
WIDTH, HEIGHT = 640, 480
FORMAT, DATA, START_STOP, ERROR = 2, 3, 4, 5
MJPEG, VP8 = 1, 2
COLORS = {"first": "red-yellow", "second": "navy-cyan"}

machine = {}


def file(name):
    return os.path.join(WORK, name)


def message(kind, body):
    return struct.pack("<BBHI", 1, 0, kind, len(body)) + body


def stream_format(codec):
    return message(FORMAT, struct.pack("<IIB3x", WIDTH, HEIGHT, codec))


def make_frames():
    """What the guest will say, by name."""
    said = {"mjpeg-format": stream_format(MJPEG), "vp8-format": stream_format(VP8),
            "nonsense": b"\x02" * 16}
    for name, colors in COLORS.items():
        command = ["convert", "-size", f"{WIDTH}x{HEIGHT}", f"gradient:{colors}", "-fill", "white",
                   "-draw", f"rectangle {100 + 50 * len(name)},80 400,200", "-quality", "92",
                   file(name + ".jpg")]
        check(run(command)[0] == 0, "convert")
        with open(file(name + ".jpg"), "rb") as f:
            said[name] = message(DATA, f.read())
    # ten frames of one picture: a key frame and others
    status, text = run(["gst-launch-1.0", "-q", "filesrc", f"location={file('second.jpg')}", "!",
                        "jpegdec", "!", "imagefreeze", "num-buffers=10", "!", "videoconvert", "!",
                        "video/x-raw,format=I420,framerate=10/1", "!", "vp8enc", "deadline=1",
                        "target-bitrate=4000000", "keyframe-max-dist=1000", "!", "multifilesink",
                        f"location={file('vp8-%d')}"])
    check(status == 0, f"gst-launch-1.0: {text}")
    said["vp8"] = b""
    for number in range(10):
        with open(file(f"vp8-{number}"), "rb") as f:
            said["vp8"] += message(DATA, f.read())
    return said


def boot():
    """The guest, with what it says as files in its root."""
    folder = file("guest")
    os.makedirs(os.path.join(folder, "root", "say"))
    for name, data in make_frames().items():
        with open(os.path.join(folder, "root", "say", name), "wb") as f:
            f.write(data)
    guest_with(GUEST, os.path.join(folder, "root"), folder)
    port = free_port()
    guest = VM(WORK, "vm", f"port={port},addr=127.0.0.1,disable-ticketing=on", guest=folder,
               gpu="none", library=OURS, extra=[
                   "-device", "virtio-serial-pci",
                   "-chardev", "spiceport,id=s,name=org.spice-space.stream.0",
                   "-device", "virtserialport,chardev=s,name=org.spice-space.stream.0"])
    machine.update(vm=guest, port=port)
    guest.wait_ready()
    guest.run("dmesg -n 1")
    guest.run('for p in /sys/class/virtio-ports/*; do ln -s /dev/${p##*/} /dev/$(cat $p/name); done')


def opens():
    """The guest opens its port, for good, and keeps what it hears."""
    machine["vm"].run("exec 3<>/dev/org.spice-space.stream.0; (cat <&3 >/tmp/heard) & listener=$!")


def closes():
    machine["vm"].run("kill $listener; exec 3>&-")


def says(*names):
    for name in names:
        check("rc=0" in machine["vm"].run(f"cat /say/{name} >&3"), f"the guest cannot say {name}")


def heard():
    """The messages that came to the guest: [(type, body)]."""
    text = machine["vm"].run("od -A n -v -t x1 /tmp/heard")
    data = bytes.fromhex("".join(line for line in text.splitlines() if re.match(r"^( [0-9a-f]{2})+$", line)))
    messages = []
    while len(data) >= 8:
        _, _, kind, size = struct.unpack("<BBHI", data[:8])
        messages.append((kind, data[8:8 + size]))
        data = data[8 + size:]
    return messages


def codecs_heard():
    """Those of the last START_STOP; None if there was none."""
    told = [body[1:1 + body[0]] for kind, body in heard() if kind == START_STOP]
    return told[-1] if told else None


def psnr(a, b):
    error = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    return 99 if error == 0 else 10 * math.log10(255 ** 2 / error)


def quality(shown, name):
    """How near a picture is to what the guest streams, in dB."""
    width, height, pixels = picture(shown)
    if (width, height) != (WIDTH, HEIGHT):
        return 0
    return psnr(pixels[::7], picture(file(name + ".jpg"))[2][::7])


def check_shows(shown, name, what, least=35):
    value = quality(shown, name)
    check(value > least, f"{what} shows {name} with a PSNR of {value:.1f} dB")
    print(f"# {what}: {value:.1f} dB")


def test_our_client_shows_what_the_guest_streams():
    boot()
    opens()
    says("mjpeg-format", "first")
    status, lines = shot(file("ours.ppm"), "--location", f"spice://127.0.0.1:{machine['port']}")
    check(status == 0, f"shot: {lines}")
    check_shows(file("ours.ppm"), "first", "spicesrc")
    wait_until(lambda: codecs_heard() == b"", 10, "stop, which the guest hears when the last has left")
    check(any(kind == START_STOP and MJPEG in body[1:] for kind, body in heard()), heard())


def test_spicy_screenshot_shows_it():
    spicy_screenshot(file("gtk.ppm"), machine["port"])
    check_shows(file("gtk.ppm"), "first", "spicy-screenshot")


def grab(x):
    status, text = run(["import", "-window", "root", "-depth", "8", file("spicy.ppm")],
                       env=x.environment())
    check(status == 0, f"import: {text}")
    return file("spicy.ppm")


def test_spicy_follows_the_stream_through_formats_and_codecs():
    x = Xvfb(f"{WIDTH}x{HEIGHT}")
    client = None
    try:
        wait_for_manager(x)
        client = subprocess.Popen(["spicy", "-f", "-h", "127.0.0.1", "-p", str(machine["port"])],
                                  env=x.environment(HOME=file("home"), G_DEBUG=""),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: quality(grab(x), "first") > 35, 30, "first frame in spicy")
        check(VP8 in codecs_heard(), f"spicy decodes VP8, but the guest heard {codecs_heard()}")
        says("second")
        wait_until(lambda: quality(grab(x), "second") > 35, 20, "second frame in spicy")
        says("first")
        wait_until(lambda: quality(grab(x), "first") > 35, 20, "first frame again")
        says("vp8-format", "vp8")
        wait_until(lambda: quality(grab(x), "second") > 26, 20, "frame in VP8")
        # our own client comes late: the guest is asked to begin anew, and does so in a while
        before = sum(kind == START_STOP for kind, _ in heard())
        machine["vm"].run("(for i in $(seq 12); do cat /say/vp8 >&3; sleep 0.3; done) &")
        status, lines = shot(file("late.ppm"), "--settle", "1500", "--location",
                             f"spice://127.0.0.1:{machine['port']}")
        check(status == 0, f"shot: {lines}")
        check_shows(file("late.ppm"), "second", "spicesrc, late", 26)
        check(sum(kind == START_STOP for kind, _ in heard()) >= before + 2,
              "the guest was not asked to begin anew")
        check_shows(grab(x), "second", "spicy, after that", 26)
    finally:
        if client:
            client.kill()
            client.wait()
        x.close()


def test_a_guest_that_breaks_the_protocol_is_told_and_may_begin_anew():
    says("nonsense")
    wait_until(lambda: any(kind == ERROR for kind, _ in heard()), 10, "error that the guest hears")
    says("mjpeg-format", "second")
    closes()
    opens()
    says("mjpeg-format", "first")
    status, lines = shot(file("again.ppm"), "--location", f"spice://127.0.0.1:{machine['port']}")
    check(status == 0, f"shot: {lines}")
    check_shows(file("again.ppm"), "first", "spicesrc, with the port opened anew")


def main():
    try:
        return run_tests([
            test_our_client_shows_what_the_guest_streams,
            test_spicy_screenshot_shows_it,
            test_spicy_follows_the_stream_through_formats_and_codecs,
            test_a_guest_that_breaks_the_protocol_is_told_and_may_begin_anew,
        ])
    finally:
        if "vm" in machine:
            machine["vm"].close()


if __name__ == "__main__":
    sys.exit(main())
