# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual machine of Debian's QEMU for tests: boots the test guest, speaks QMP and its serial."""
import json
import os
import socket
import subprocess
import threading
import time


def free_port():
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def accepts(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_until(condition, seconds, what):
    """Polls until `condition()` is true; its value. Raises TimeoutError saying `what`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {seconds} s")
        time.sleep(0.02)


def connect_unix(path, seconds):
    def attempt():
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
            return s
        except OSError:
            s.close()
            return None
    return wait_until(attempt, seconds, f"server at {path}")


def guest_with(base, root, folder):
    """Makes `folder` a guest like `base` that has the files under `root`, too; the folder."""
    names = [os.path.relpath(os.path.join(parent, name), root) for parent, folders, files in os.walk(root)
             for name in (*folders, *files)]
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], check=True, cwd=root,
                             input="\n".join(sorted(names)).encode() + b"\n", stdout=subprocess.PIPE).stdout
    os.makedirs(folder, exist_ok=True)
    os.symlink(os.path.join(base, "vmlinux"), os.path.join(folder, "vmlinux"))
    with open(os.path.join(base, "initrd"), "rb") as first, open(os.path.join(folder, "initrd"), "wb") as out:
        out.write(first.read() + archive)
    return folder


class VM:
    """One QEMU process. `spice` are options of -spice beside the address, for example
    "port=5900,disable-ticketing=on"; `guest` is the folder with vmlinux and initrd, or None for
    a machine that stays in its firmware. `library` is a folder whose libspice-server.so.1 takes the
    place of the system's, `wrapper` a command that QEMU is run by."""

    def __init__(self, folder, name, spice, guest=None, gpu="qxl", kernel_args="quiet", extra=(),
                 modules="", reboot=True, library=None, wrapper=(), env=None):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.serial_path = os.path.join(self.folder, "serial")
        self.qmp_path = os.path.join(self.folder, "qmp")
        self.log_path = os.path.join(self.folder, "serial.log")
        for path in (self.serial_path, self.qmp_path, self.log_path):
            if os.path.exists(path):
                os.unlink(path)
        vga = {"qxl": "qxl", "virtio-gpu": "virtio", "bochs": "std", "none": "none"}[gpu]
        command = [
            "qemu-system-x86_64", "-M", "pc", "-cpu", "qemu64", "-accel", "tcg,thread=multi",
            "-m", "512", "-nodefaults", "-vga", vga,
            "-serial", f"unix:{self.serial_path},server=on,wait=off,logfile={self.log_path}",
            "-qmp", f"unix:{self.qmp_path},server=on,wait=off",
            "-spice", spice, *extra]
        if not reboot:
            command.append("-no-reboot")
        if guest:
            command += ["-kernel", os.path.join(guest, "vmlinux"),
                        "-initrd", os.path.join(guest, "initrd"),
                        "-append", f"console=ttyS0 mitigations=off {kernel_args} GPU={gpu} MODULES=\"{modules}\""]
        environment = dict(os.environ if env is None else env)
        environment.pop("MALLOC_PERTURB_", None)  # the test runner's: it changes what memory is used
        environment.pop("LD_LIBRARY_PATH", None)  # which may lead to another library than is meant
        if library:
            environment["LD_LIBRARY_PATH"] = library
        command = [*wrapper, *command]
        self.stderr = open(os.path.join(self.folder, "stderr.log"), "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.stderr,
                                        stderr=self.stderr, env=environment)
        self.qmp_socket = connect_unix(self.qmp_path, 20)
        self.qmp_file = self.qmp_socket.makefile("rwb")
        self.events = []
        json.loads(self.qmp_file.readline())
        self.qmp("qmp_capabilities")
        self.serial = connect_unix(self.serial_path, 20)
        # The guest's output is read from the log, but a socket that nobody reads stops the guest.
        threading.Thread(target=self.drain, daemon=True).start()

    def drain(self):
        try:
            while self.serial.recv(65536):
                pass
        except OSError:
            pass

    def qmp(self, command, **arguments):
        """Runs a QMP command; its return value. Raises RuntimeError on an error."""
        self.qmp_file.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            self.events.append(answer)

    def log(self):
        try:
            with open(self.log_path, "rb") as f:
                return f.read().replace(b"\r", b"")
        except FileNotFoundError:
            return b""

    def wait_ready(self, seconds=120):
        wait_until(lambda: b"READY\n" in self.log(), seconds, "READY from the guest")

    def run(self, command, seconds=60):
        """Runs a line in the guest; waits for its end. What it printed on the serial port."""
        before = len(self.log())
        self.serial.sendall(command.encode() + b"\n")
        wait_until(lambda: b"\nrc=" in b"\n" + self.log()[before:], seconds, f"end of {command!r}")
        time.sleep(0.02)
        return self.log()[before:].decode(errors="replace")

    def forget_log(self):
        """The guest restarts: what it printed so far does not count any more."""
        os.truncate(self.log_path, 0)

    def close(self):
        for s in (self.serial, self.qmp_socket):
            s.close()
        self.process.kill()
        self.process.wait()
        self.stderr.close()
