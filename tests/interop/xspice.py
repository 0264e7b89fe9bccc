# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's Xspice: an X server that draws by QXL commands, on a libspice-server of choice."""
import os
import subprocess

from harness import check, environment, run
from vm import free_port, wait_until

XORG = "/usr/lib/xorg/Xorg"


class Xspice:
    """An X server that draws by QXL commands, on one of the libraries."""

    def __init__(self, folder, library=None, heads=1, **more):
        """`folder`: for its files; `library`: where its libspice-server is (None: the system's);
        `more`: further variables of its environment."""
        self.port = free_port()
        first = 70 + os.getpid() % 100  # another test may look for one at the same time
        self.number = next(n for n in range(first, first + 200) if not os.path.exists(f"/tmp/.X{n}-lock"))
        os.makedirs(folder, exist_ok=True)
        with open("/etc/X11/spiceqxl.xorg.conf") as packaged:
            text = packaged.read()
        sizes = "".join(f'\n    Option "{name}" "{value}"' for name, value in (
            ("NumHeads", heads), ("FrameBufferSize", 16 * heads), ("SurfaceBufferSize", 128),
            ("CommandBufferSize", 128)))
        config = os.path.join(folder, "x.conf")
        with open(config, "w") as out:
            out.write(text.replace('Driver "spiceqxl"', 'Driver "spiceqxl"' + sizes))
        env = dict(os.environ, QXL_NUM_HEADS=str(heads), XSPICE_PORT=str(self.port),
                   XSPICE_DISABLE_TICKETING="1", XSPICE_ADDR="127.0.0.1")
        env.pop("LD_LIBRARY_PATH", None)
        env.pop("MALLOC_PERTURB_", None)
        env.update(more)
        if library:
            env["LD_LIBRARY_PATH"] = library
        self.log = open(os.path.join(folder, "out.log"), "wb")
        self.process = subprocess.Popen(
            [XORG, "-config", config, "-noreset", "-novtswitch", "-logfile",
             os.path.join(folder, "xorg.log"), f":{self.number}"], env=env, stdout=self.log,
            stderr=self.log)
        self.display = f":{self.number}"
        self.programs = []
        wait_until(lambda: run(["xdpyinfo", "-display", self.display])[0] == 0, 20, "Xspice")
        with open(f"/proc/{self.process.pid}/maps") as maps:
            check(not library or library in maps.read(), "Xspice has the wrong library")

    def start(self, *command):
        program = subprocess.Popen(command, env=environment(DISPLAY=self.display),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.programs.append(program)
        return program

    def close(self):
        for program in self.programs:
            program.terminate()
            program.wait()
        self.process.terminate()
        self.process.wait()
        self.log.close()
