# SPDX-License-Identifier: LGPL-2.1-or-later
"""A film that a guest's own player paints on its screen: GStreamer's fbdevsink, on the QXL driver of
Debian's kernel, or ximagesink under Xspice, on our libspice-server. It is found among what is drawn, spice-gtk and
spicesrc show its frames in order, and all is exact after its end."""
import os
import re
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from film import FILM_HEIGHT, FILM_WIDTH, file, frame_number, launch, raw_film, record, spicy
from harness import BUILD, GUEST, LONG, WORK, check, check_equal, environment, picture, run, run_tests, shot
from vm import VM, free_port, guest_with, wait_until
from xspice import Xspice

OURS = os.path.join(BUILD, "server", "embed")
FRAMES, RATE = 300, 15
PLUGINS = ("coreelements", "matroska", "jpeg", "videoconvertscale", "fbdevsink")


def film_file(folder):
    path = os.path.join(folder, "film.mkv")
    launch(*raw_film(FRAMES), f"framerate={RATE}/1", "!", "videoconvert", "!", "jpegenc", "quality=90", "!",
           "matroskamux", "!", "filesink", f"location={path}")
    return path


def streams_in(log, codec):
    """What began for clients: [(width, height)]."""
    with open(log, errors="replace") as text:
        return [(int(width), int(height)) for width, height in
                re.findall(rf"stream \d+: (\d+) x (\d+) as {codec}", text.read())]


TELL_STREAMS = {"GST_DEBUG": "spiceclientstreams:4", "GST_DEBUG_NO_COLOR": "1"}


def libraries(programs):
    """The files that these need beside themselves."""
    found = set()
    for program in programs:
        status, text = run(["ldd", program])
        check(status == 0, text)
        found.update(re.findall(r"(/\S+) \(0x", text))
    return found


def player(root):
    """Puts gst-launch-1.0, what it needs, and a film under `root`."""
    status, folder = run(["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"])
    check(status == 0, folder)
    plugins = [os.path.join(folder.strip(), f"libgst{name}.so") for name in PLUGINS]
    program = shutil.which("gst-launch-1.0")
    places = {source: source.lstrip("/") for source in (program, *libraries([program, *plugins]))}
    places.update((plugin, os.path.join("plugins", os.path.basename(plugin))) for plugin in plugins)
    for source, target in places.items():
        os.makedirs(os.path.dirname(os.path.join(root, target)), exist_ok=True)
        shutil.copy(source, os.path.join(root, target))
    film_file(root)
    return ("GST_PLUGIN_SYSTEM_PATH=/plugins GST_REGISTRY=/tmp/registry GST_REGISTRY_FORK=no gst-launch-1.0 -q filesrc location=/film.mkv ! "
            "matroskademux ! jpegdec ! videoconvert ! fbdevsink")


def is_film(size):
    """Whether a stream of this size is the film, or the whole rows that the kernel may paint of it."""
    return FILM_WIDTH <= size[0] and FILM_HEIGHT - 20 <= size[1] <= FILM_HEIGHT + 32


def in_order(numbers, least):
    return None not in numbers and numbers == sorted(numbers) and len(set(numbers)) >= least


class Guest:
    """A guest with a film and its player, on our library."""

    def __init__(self, gpu):
        folder = file("guest-" + gpu)
        root = os.path.join(folder, "root")
        os.makedirs(root)
        self.player = player(root)
        self.port = free_port()
        self.vm = VM(WORK, "vm-" + gpu,
                     f"port={self.port},addr=127.0.0.1,disable-ticketing=on,streaming-video=filter",
                     guest=guest_with(GUEST, root, folder), gpu=gpu, library=OURS,
                     env=dict(os.environ, **TELL_STREAMS))

    def __enter__(self):
        try:
            self.vm.wait_ready()
            self.vm.run("dmesg -n 1")
            self.vm.run(r"echo -e '\033c\033[?25l' >/dev/tty1")
            text = self.vm.run("cat /sys/class/graphics/fb0/virtual_size")
            self.size = tuple(map(int, re.search(r"^(\d+),(\d+)$", text, re.M).groups()))
        except BaseException:
            self.vm.close()
            raise
        self.left, self.top = (self.size[0] - FILM_WIDTH) // 2, (self.size[1] - FILM_HEIGHT) // 2
        return self

    def __exit__(self, *error):
        self.vm.close()

    def screen(self):
        """What stands in the guest's memory, as QEMU itself finds it: the file of a picture."""
        self.vm.qmp("screendump", filename=file("screen.ppm"))
        return file("screen.ppm")

    def play(self):
        self.vm.run(f"{self.player} >/tmp/said 2>&1 & player=$!")

    def stop(self):
        """Ends the player; what it said."""
        return self.vm.run("kill $player; wait $player; cat /tmp/said")

    def streams(self):
        return streams_in(os.path.join(self.vm.folder, "stderr.log"), "mjpeg")


class Screen:
    """Xspice on our library, with a player; the same to a test as a guest."""
    size, left, top = (1024, 768), 0, 0

    def __init__(self, codec):
        self.folder, self.codec = file("xspice-" + codec), codec
        os.makedirs(self.folder)
        self.film = film_file(self.folder)

    def __enter__(self):
        self.x = Xspice(self.folder, library=OURS, XSPICE_STREAMING_VIDEO="filter",
                        XSPICE_VIDEO_CODECS="gstreamer:" + self.codec, **TELL_STREAMS)
        self.port = self.x.port
        return self

    def __exit__(self, *error):
        for program in self.x.programs:  # even one that stands still
            program.kill()
        self.x.close()

    def screen(self):
        status, text = run(["import", "-window", "root", "-depth", "8", file("screen.ppm")],
                           env=environment(DISPLAY=self.x.display))
        check(status == 0, text)
        return file("screen.ppm")

    def play(self):
        self.player = self.x.start("gst-launch-1.0", "-q", "filesrc", f"location={self.film}", "!", "matroskademux",
                                   "!", "jpegdec", "!", "videoconvert", "!", "ximagesink")

    def stop(self):
        self.player.send_signal(signal.SIGSTOP)  # its window stays

    def streams(self):
        return streams_in(os.path.join(self.folder, "out.log"), self.codec)


def see_film(name, guest):
    with guest:
        def is_exact(grab):
            return grab() == picture(guest.screen())

        def number(desktop):
            return frame_number(desktop, guest.left, guest.top)

        with spicy(guest.port, guest.size, is_exact) as grab, ThreadPoolExecutor() as pool:
            guest.play()
            wait_until(guest.streams, 30, "stream")
            ours = pool.submit(
                record, guest.port, 30, "ours", "videocrop", f"left={guest.left}", f"top={guest.top}",
                f"right={guest.size[0] - FILM_WIDTH - guest.left}",
                f"bottom={guest.size[1] - FILM_HEIGHT - guest.top}", "!", size=(FILM_WIDTH, FILM_HEIGHT))
            theirs = [number(grab())]
            while not ours.done():
                theirs.append(number(grab()))
            ours = [frame_number(frame, 0, 0) for frame in ours.result()]
            print(f"# {name}: spicy showed {theirs}, spicesrc {len(set(ours))} frames, {min(ours)} to {max(ours)}")
            check(in_order(theirs, 5), f"spicy showed {theirs}")
            check(in_order(ours, 15), f"spicesrc showed {ours}")
            check(all(map(is_film, guest.streams())), f"streams were {guest.streams()}")
            said = guest.stop()
            last = wait_until(lambda: is_exact(grab) and number(grab()), 20, "exact picture in spicy after the end")
            check(last >= max(*theirs, *ours), f"the last frame is {last}: {said}")
        status, lines = shot(file("end.ppm"), "--location", f"spice://127.0.0.1:{guest.port}")
        check(status == 0, "\n".join(lines))
        check_equal(file("end.ppm"), guest.screen(), "spicesrc, after the end")
        print(f"# {name}: streams of {guest.streams()}, the last frame is {last}")


def test_a_film_on_a_QXL_guest_is_seen():
    see_film("QXL", Guest("qxl"))


def test_a_film_on_a_virtio_guest_is_seen():
    see_film("virtio", Guest("virtio-gpu"))


def test_a_film_on_a_guest_with_a_plain_framebuffer_is_seen():
    see_film("bochs", Guest("bochs"))


def test_a_film_under_Xspice_is_seen_in_VP8():
    see_film("Xspice, VP8", Screen("vp8"))


def test_a_film_under_Xspice_is_seen_in_VP9():
    see_film("Xspice, VP9", Screen("vp9"))


def test_a_film_under_Xspice_is_seen_in_MJPEG():
    see_film("Xspice, MJPEG", Screen("mjpeg"))


if __name__ == "__main__":
    tests = [test_a_film_on_a_QXL_guest_is_seen, test_a_film_under_Xspice_is_seen_in_VP8]
    if LONG:  # what is left out is much like what is not
        tests += [test_a_film_on_a_virtio_guest_is_seen, test_a_film_on_a_guest_with_a_plain_framebuffer_is_seen,
                  test_a_film_under_Xspice_is_seen_in_VP9, test_a_film_under_Xspice_is_seen_in_MJPEG]
    sys.exit(run_tests(tests))
