# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of Debian's QEMU, on our libspice-server, that streams its screen itself by a virtio port:
spice-gtk's clients and ours show its frames, in each codec, also those who come late; the guest hears when to
start and when to stop, and that it broke the protocol."""
import os
import re
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from film import HEIGHT, WIDTH, Film, file, frame_number, launch, psnr, raw_film, spicy
from harness import BUILD, GUEST, LONG, WORK, check, picture, run, run_tests, shot, spicy_screenshot
from vm import VM, free_port, guest_with, wait_until

OURS = os.path.join(BUILD, "server", "embed")
FORMAT, DATA, START_STOP, ERROR = 2, 3, 4, 5
MJPEG, VP8, H264, VP9, H265 = 1, 2, 3, 4, 5
# What encodes a film, by name, and the codec. spicy's player shows nothing before it has some hundred kB, and so wants
# a key frame now and then.
ENCODERS = {
    "vp8": (VP8, ["vp8enc", "deadline=1", "cpu-used=8", "keyframe-max-dist=12", "target-bitrate=12000000"]),
    "vp9": (VP9, ["vp9enc", "deadline=1", "cpu-used=8", "keyframe-max-dist=6", "target-bitrate=12000000",
                  "lag-in-frames=0"]),
    "h264": (H264, ["openh264enc", "gop-size=6", "bitrate=12000000", "!", "h264parse", "!",
                    "video/x-h264,stream-format=byte-stream,alignment=au"]),
    "h265": (H265, ["x265enc", "tune=zerolatency", "speed-preset=ultrafast", "key-int-max=6", "bitrate=12000", "!",
                    "h265parse", "!", "video/x-h265,stream-format=byte-stream,alignment=au"]),
}
CODECS = ("vp8", "vp9", "h264", "h265") if LONG else ("h264", "h265")
FRAMES = 24
COLORS = {"first": "red-yellow", "second": "navy-cyan"}

machine = {}


def message(kind, body):
    return struct.pack("<BBHI", 1, 0, kind, len(body)) + body


def stream_format(codec):
    return message(FORMAT, struct.pack("<IIB3x", WIDTH, HEIGHT, codec))


def make_frames():
    """What the guest will say, by name."""
    said = {"mjpeg-format": stream_format(MJPEG), "nonsense": b"\x02" * 16}
    for name, colors in COLORS.items():
        command = ["convert", "-size", f"{WIDTH}x{HEIGHT}", f"gradient:{colors}", "-fill", "white",
                   "-draw", f"rectangle {100 + 50 * len(name)},80 400,200", "-quality", "92",
                   file(name + ".jpg")]
        check(run(command)[0] == 0, "convert")
        with open(file(name + ".jpg"), "rb") as f:
            said[name] = message(DATA, f.read())
    film = raw_film(FRAMES, alone=False)
    for name in CODECS:
        codec, elements = ENCODERS[name]
        said[name + "-format"] = stream_format(codec)
        launch(*film, "framerate=20/1", "!", "videoconvert", "!", "video/x-raw,format=I420", "!", *elements, "!",
               "multifilesink", f"location={file(name)}-%02d")
        for number in range(FRAMES):
            with open(file(f"{name}-{number:02}"), "rb") as f:
                said[f"{name}-{number:02}"] = message(DATA, f.read())
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


def starts():
    return [body for kind, body in heard() if kind == START_STOP]


def codecs_heard():
    """Those of the last START_STOP; None if there was none."""
    told = [body[1:1 + body[0]] for body in starts()]
    return told[-1] if told else None


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


class Truth:
    """What frames of the film look like."""

    def __init__(self, film):
        self.film, self.frames = film, {}

    def quality(self, shown):
        """How near a picture is to the frame whose number it bears, in dB; 0 if it bears none."""
        number = frame_number(shown)
        if number is None or number >= FRAMES:
            return 0
        if number not in self.frames:
            self.film.tell(f"frame {number} {file('truth.ppm')}")
            self.frames[number] = picture(file("truth.ppm"))[2][::7]
        return psnr(shown[2][::7], self.frames[number])


def follow(name, grab, truth, least):
    """The guest streams its film in one of the codecs, again and again, until spicy has shown so many of its frames.
    Our own client comes in the middle."""
    says(name + "-format")
    machine["vm"].run(f"(while [ ! -e /tmp/enough ]; do for i in $(seq -w 0 {FRAMES - 1}); do cat /say/{name}-$i >&3; "
                      "sleep 0.04; done; done) & film=$!")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(shot, file("late.ppm"), "--until", file(name + "-ended"), "--settle", "500", "--max", "90000",
                           "--location", f"spice://127.0.0.1:{machine['port']}")
        numbers = []
        try:
            begun = time.monotonic()
            # our client is there, too, before the film ends
            while time.monotonic() < begun + 5 or (len(set(numbers)) < least and time.monotonic() < begun + 40):
                shown = grab()
                if truth.quality(shown) > 24:
                    numbers.append(frame_number(shown))
        finally:
            machine["vm"].run("touch /tmp/enough; wait $film; rm /tmp/enough")
            with open(file(name + "-ended"), "w"):
                pass
    status, lines = late.result()
    shown = [a for a, b in zip(numbers, [None, *numbers]) if a != b]
    print(f"# {name}: spicy showed {shown}")
    check(len(set(shown)) >= least, f"{name}: spicy showed frames {shown} only")
    # once its player has begun to play, and shows not only the first
    check(least == 2 or all((b - a) % FRAMES < FRAMES * 2 // 3 for a, b in zip(shown[1:], shown[2:])),
          f"{name}: spicy showed frames out of order: {shown}")
    check(status == 0, f"shot: {lines}")
    ours = picture(file("late.ppm"))
    last = FRAMES - 2 if name == "h265" else FRAMES - 1  # libde265dec shows a frame when the next one comes
    check(frame_number(ours) >= last and truth.quality(ours) > 26,
          f"{name}: spicesrc shows frame {frame_number(ours)} with a PSNR of {truth.quality(ours):.1f} dB")
    print(f"# {name}: spicesrc: {truth.quality(ours):.1f} dB")


def test_spicy_follows_the_stream_through_formats_and_codecs():
    def shows(name):
        return lambda grab: psnr(grab()[2][::7], picture(file(name + ".jpg"))[2][::7]) > 35

    with spicy(machine["port"], (WIDTH, HEIGHT), shows("first")) as grab:
        check(set(codecs_heard()) == {MJPEG, VP8, H264, VP9, H265},
              f"spicy decodes all, but the guest heard {codecs_heard()}")
        says("second")
        wait_until(lambda: shows("second")(grab), 20, "second frame in spicy")
        with Film("port=0") as film:
            for name in CODECS:
                # libde265 in spicy's player is late with most
                follow(name, grab, Truth(film), 2 if name == "h265" else 8)
        # of what the guest said last, nobody can begin with
        before = len(starts())
        shot(file("later.ppm"), "--max", "1500", "--location", f"spice://127.0.0.1:{machine['port']}")
        check(len(starts()) >= before + 2, "the guest was not asked to begin anew")


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
