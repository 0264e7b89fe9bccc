# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's sound servers, each a test's own: PulseAudio, and PipeWire with what speaks PulseAudio's protocol.
They have no devices but sinks that play into nothing, at the pace of a clock; what is played is recorded from their
monitors, and a microphone is the monitor of a sink that something plays to."""
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time

from harness import WORK, check, environment, run
from vm import wait_until

RATE = 48000


class SoundServer:
    """`sinks`: names; the first is the default one, for playing and, by its monitor, for recording."""

    name = None

    def __init__(self, *sinks):
        self.folder = tempfile.mkdtemp(dir=WORK, prefix="sound-")
        self.processes = []
        self.sinks = sinks
        try:
            self.start()
        except BaseException:
            self.end()
            raise

    def environment(self, **more):
        return environment(XDG_RUNTIME_DIR=self.folder, HOME=self.folder, XDG_CONFIG_HOME=self.folder,
                           PULSE_SERVER="unix:" + self.socket, **more)

    def spawn(self, *command, **more):
        with open(os.path.join(self.folder, "log"), "a") as log:
            self.processes.append(subprocess.Popen(command, env=self.environment(**more), stdin=subprocess.DEVNULL,
                                                   stdout=log, stderr=log, cwd=self.folder))

    def pactl(self, *command):
        status, text = run(["pactl", *command], env=self.environment())
        check(status == 0, f"pactl {' '.join(command)}: {text}")
        return text.strip()

    def wait_ready(self):
        wait_until(lambda: run(["pactl", "info"], env=self.environment())[0] == 0, 30, self.name)

    def has(self, what, name):
        return any(name in line.split("\t")[1:2] for line in self.pactl("list", "short", what).splitlines())

    def add_sink(self, name):
        """The number of its module."""
        number = self.pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={RATE}")
        wait_until(lambda: self.has("sinks", name), 20, name)
        return number

    def remove(self, module):
        """A device is unplugged."""
        self.pactl("unload-module", module)

    def set_up(self):
        self.modules = {name: self.add_sink(name) for name in self.sinks}
        if self.sinks:
            self.set_default("sink", self.sinks[0])
            self.set_default("source", self.sinks[0] + ".monitor")

    def set_default(self, what, name):
        """PipeWire does not know of it before WirePlumber is there."""
        wait_until(lambda: run(["pactl", "set-default-" + what, name], env=self.environment())[0] == 0, 20,
                   f"{self.name} with a default {what}")

    def streams(self, what="sink-inputs"):
        """[{sink, volume, mute}] of what plays, or with source-outputs, records; `sink` is its device's name."""
        devices = {line.split("\t")[0]: line.split("\t")[1] for line in self.pactl(
            "list", "short", "sinks" if what == "sink-inputs" else "sources").splitlines()}
        found = []
        for block in self.pactl("list", what).split("\n\n"):
            number = re.search(r"#(\d+)$", block, re.M)
            device = re.search(r"(?:Sink|Source): (\d+)", block)
            volume = re.search(r"Volume: .*?(\d+)%", block)
            if number and device:
                found.append({"number": number.group(1), "device": devices.get(device.group(1), "none"),
                              "volume": int(volume.group(1)) if volume else None,
                              "mute": "Mute: yes" in block})
        return found

    @contextlib.contextmanager
    def recording(self, sink, path):
        """What the sink plays, raw, into a file or a pipe that somebody reads: 5 ms at a time, as they are played."""
        with open(path, "wb") as out:
            program = subprocess.Popen(["parec", "-d", sink + ".monitor", "--raw", "--format=s16le", f"--rate={RATE}",
                                        "--channels=2", "--latency-msec=5"], env=self.environment(),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        try:
            # A sink that nobody listens to has what comes next ready for seconds, which is not heard.
            wait_until(lambda: not os.path.isfile(path) or os.path.getsize(path) > 0, 20, "what plays on " + sink)
            yield
        finally:
            program.terminate()
            program.wait()

    @contextlib.contextmanager
    def tone(self, sink, hertz):
        """Something plays a tone to a sink."""
        program = subprocess.Popen(["gst-launch-1.0", "-q", "audiotestsrc", "is-live=true", f"freq={hertz}",
                                    "volume=0.5", "!", "pulsesink", f"device={sink}"], env=self.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            program.terminate()
            program.wait()

    def restart(self, seconds=1):
        """With the same devices, after so long."""
        self.end()
        time.sleep(seconds)
        self.start()

    def end(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class PulseAudio(SoundServer):
    name = "PulseAudio"

    def start(self):
        self.socket = os.path.join(self.folder, "native")
        self.spawn("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
                   "--realtime=no", "--high-priority=no", "-L",
                   f"module-native-protocol-unix socket={self.socket} auth-anonymous=1")
        self.wait_ready()
        self.set_up()


class PipeWire(SoundServer):
    name = "PipeWire"

    def start(self):
        bus = os.path.join(self.folder, "bus")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(bus)
        self.socket = os.path.join(self.folder, "pulse", "native")
        more = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + bus}
        self.spawn("dbus-daemon", "--session", "--nofork", "--address=unix:path=" + bus)
        wait_until(lambda: os.path.exists(bus), 20, "a bus")
        self.spawn("pipewire", **more)
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "pipewire-0")), 20, "PipeWire")
        self.spawn("wireplumber", **more)
        self.spawn("pipewire-pulse", **more)
        self.wait_ready()
        self.set_up()


SERVERS = (PulseAudio, PipeWire)
