# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine of Debian's QEMU that has devices of all kinds, and clients' ends of them, for tests."""
import atexit
import hashlib
import os
import random
import select
import subprocess
import threading
import time

from harness import BUILD, GUEST, LONG, SOURCE, WORK, check, environment
from vm import VM, free_port, wait_until

OURS = os.path.join(BUILD, "server", "embed")
STREAM = os.path.join(BUILD, "tests", "interop", "stream")
GTK = os.path.join(SOURCE, "tests", "interop", "gtk-device.py")
SIZE = (100 if LONG else 8) << 20
SECONDS = 400 if LONG else 90

DEVICES = [
    "-device", "virtio-serial-pci",
    "-chardev", "spiceport,id=p,name=org.example.p",
    "-device", "virtserialport,chardev=p,name=org.example.p",
    "-chardev", "spicevmc,id=u,name=usbredir", "-device", "virtserialport,chardev=u,name=org.example.u",
    "-chardev", "spicevmc,id=a,name=vdagent", "-device", "virtserialport,chardev=a,name=com.redhat.spice.0",
    "-chardev", "spiceport,id=w,name=org.spice-space.webdav.0",
    "-device", "virtserialport,chardev=w,name=org.spice-space.webdav.0",
    "-chardev", "spiceport,id=q,name=org.example.qmp", "-mon", "chardev=q,mode=control",
    "-device", "piix3-usb-uhci,id=slow", "-device", "usb-ccid,bus=slow.0",
    "-chardev", "spicevmc,id=c,name=smartcard", "-device", "ccid-card-passthru,chardev=c",
    "-device", "usb-ehci,id=usb", "-chardev", "spicevmc,id=r,name=usbredir",
    "-device", "usb-redir,chardev=r,bus=usb.0",
]

machines = {}  # by library: our own, and the field's, which our client is to go with, too
peers = []


@atexit.register
def end_all():
    for peer in peers:
        peer.process.kill()
    for machine in machines.values():
        machine["vm"].close()


def boot(which):
    """A machine on one of the libraries, with something in the guest to be sent."""
    port = free_port()
    guest = VM(WORK, f"devices-{which}", f"port={port},addr=127.0.0.1,disable-ticketing=on",
               guest=GUEST, modules="ehci-pci", library=OURS if which == "ours" else None,
               extra=DEVICES)
    machine = machines[which] = {"vm": guest, "port": port}
    guest.wait_ready()
    guest.run("dmesg -n 1")
    guest.run('for p in /sys/class/virtio-ports/*; do ln -s /dev/${p##*/} /dev/$(cat $p/name); done')
    # something that can be packed, with something that cannot in between
    guest.run(f"for i in $(seq {SIZE >> 20}); do cat /bin/busybox; head -c 300000 /dev/urandom; done "
              f"2>/dev/null | head -c {SIZE} >/tmp/data", SECONDS)
    machine["sum"] = guest_sum(guest, "/tmp/data")


def vm(which="ours"):
    """The machine that the tests share, and its TCP port."""
    if which not in machines:
        boot(which)
    return machines[which]["vm"], machines[which]["port"]


def guest_sum(guest, path):
    answer = guest.run(f"md5sum <{path}", SECONDS)
    return [line for line in answer.splitlines() if line.endswith("  -")][0].split()[0]


class Peer:
    """A client's end of a device, a pipe. What it reports comes as lines."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment())
        self.lines = []
        self.buffer = b""
        peers.append(self)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").strip())

    def wait_for(self, begin, n=1):
        """Waits for the nth line that begins so; the line."""
        def found():
            lines = [line for line in self.lines if line.startswith(begin)]
            return lines[n - 1] if len(lines) >= n else None
        return wait_until(found, 30, f"{begin!r} from the client, which said {self.lines}")

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read_some(self, size):
        """Some bytes, `size` at most; fails if none come for long."""
        if not self.buffer:
            out = self.process.stdout.fileno()
            check(select.select([out], [], [], 60)[0],
                  f"nothing comes; the client said {self.lines}")
            self.buffer = os.read(out, 65536)
            check(self.buffer, f"the stream ended; the client said {self.lines}")
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_line(self):
        line = b""
        while not line.endswith(b"\n"):
            more = self.read_some(65536)
            end = more.find(b"\n") + 1 or len(more)
            line, self.buffer = line + more[:end], more[end:] + self.buffer
        return line

    def read(self, size):
        data = b""
        while len(data) < size:
            data += self.read_some(size - len(data))
        return data

    def read_sum(self, size, slow=False):
        """The MD5 sum of so many bytes; `slow`: at first they are read with pauses."""
        total = hashlib.md5()
        done = 0
        while done < size:
            data = self.read_some(min(65536, size - done))
            total.update(data)
            done += len(data)
            if slow and done < size // 4:
                time.sleep(0.02)
        return total.hexdigest()

    def close(self):
        peers.remove(self)
        self.process.kill()
        self.process.wait()


def ours(kind, number, server="ours"):
    return Peer(STREAM, f"spice://127.0.0.1:{vm(server)[1]}", kind, str(number))


def gtk(kind, *which):
    return Peer("/usr/bin/python3", GTK, str(vm()[1]), kind, *which)


def pattern(size, seed):
    """Bytes of which some can be packed."""
    chance = random.Random(seed)
    block = chance.randbytes(40000)
    text = b"".join(b"line %d of a text\n" % i for i in range(3000))
    return ((block + text) * (size // (len(block) + len(text)) + 1))[:size]
