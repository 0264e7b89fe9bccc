# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an idle desktop costs: CPU time, frames and bytes of spice-serve --x11 over a time, without a
client and with remote-viewer; beside it what GStreamer's ximagesrc takes at 25 frames a second.

    idle-x11.py [SECONDS]
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "interop"))
from x11 import Serve, desktop, viewer  # noqa: the path has to be set first


def cpu(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(pid, seconds):
    """Percents of a core."""
    before = cpu(pid)
    time.sleep(seconds)
    return (cpu(pid) - before) / seconds * 100


def tell(what, percent, lines):
    def total(name):
        return sum(int(re.search(name + r" (\d+)", line).group(1)) for line in lines)
    print(f"{what}: {percent:.2f} % of a core, {total('frames')} frames, "
          f"{total('sent')} bytes sent", flush=True)


def measure_serve(what, serve, seconds):
    time.sleep(3)
    n = len(serve.lines.drain())
    percent = measure(serve.process.pid, seconds)
    tell(what, percent, serve.lines.drain()[n:])


def main(seconds):
    with desktop("1920x1080") as x:
        serve = Serve("--x11", x.display, "--stats")
        measure_serve("spice-serve --x11, no client", serve, seconds)
        with viewer(serve, "1280x1024"):
            measure_serve("spice-serve --x11, remote-viewer", serve, seconds)
        serve.end()
        polling = subprocess.Popen(
            ["gst-launch-1.0", "-q", "ximagesrc", f"display-name={x.display}", "use-damage=true",
             "show-pointer=false", "!", "video/x-raw,framerate=25/1", "!", "fakesink"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
        print(f"ximagesrc at 25 frames a second: {measure(polling.pid, seconds):.2f} % of a core")
        polling.terminate()
        polling.wait()


main(float(sys.argv[1]) if len(sys.argv) > 1 else 60)
