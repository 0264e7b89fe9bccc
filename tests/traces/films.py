# SPDX-License-Identifier: LGPL-2.1-or-later
"""Films, made by ffmpeg, and players that show them and say when."""
import json
import os
import socket
import subprocess
import threading
import time

SOURCES = {
    "mandelbrot": "mandelbrot=size={w}x{h}:rate={fps}:start_scale=1.2:end_scale=0.1:end_pts=600",
    "bars": "testsrc=size={w}x{h}:rate={fps},noise=alls=14:allf=t",
    "pattern": "testsrc2=size={w}x{h}:rate={fps},noise=alls=10:allf=t+u,gblur=sigma=0.7",
    "gradients": "gradients=size={w}x{h}:rate={fps}:speed=0.02:nb_colors=5,noise=alls=5:allf=t",
    "clouds": None,  # a camera that moves over clouds
}


def make(folder, source, width, height, fps, codec="mpeg4", seconds=24):
    """The film's file."""
    path = os.path.join(folder, f"{source}-{width}x{height}-{fps}-{codec}.avi")
    if os.path.exists(path):
        return path
    command = ["ffmpeg", "-v", "error", "-y"]
    if SOURCES[source]:
        command += ["-f", "lavfi", "-i", SOURCES[source].format(w=width, h=height, fps=fps)]
    else:
        still = os.path.join(folder, "clouds.png")
        subprocess.run(["convert", "-size", "1600x1200", "-seed", "7", "plasma:fractal", "-blur",
                        "0x1", still], check=True)
        command += ["-loop", "1", "-framerate", str(fps), "-i", still, "-vf",
                    f"crop={width}:{height}:x=(in_w-out_w)*(0.5+0.5*sin(t/3)):"
                    f"y=(in_h-out_h)*(0.5+0.5*cos(t/4)),noise=alls=4:allf=t"]
    subprocess.run(command + ["-t", str(seconds), "-r", str(fps), "-c:v", codec, "-q:v", "3",
                              path], check=True)
    return path


class Player:
    """A film that plays in a window."""

    def __init__(self, stage, command):
        before = stage.windows()
        self.stage = stage
        stage.begin()  # that the film was made is no part of the trace
        self.process = stage.start(*command)
        self.window = stage.new_window(before)

    def close(self):
        """The time of the end."""
        end = time.monotonic()
        self.process.kill()
        self.process.wait()
        return end


class Mpv(Player):
    """mpv, which draws by XShmPutImage, scales, and says when it showed a frame."""

    def __init__(self, stage, film, geometry, *more):
        self.path = os.path.join(stage.folder, f"mpv-{time.monotonic_ns()}")
        super().__init__(stage, ["mpv", "--no-config", "--vo=x11", "--no-audio", "--loop", "--pause",
                                 "--osd-level=0", f"--geometry={geometry}", "--no-keepaspect-window",
                                 "--sws-fast=yes", "--sws-scaler=fast-bilinear",
                                 "--stop-screensaver=no", "--really-quiet", "--cursor-autohide=no",
                                 f"--input-ipc-server={self.path}", *(more or ["--no-osc"]), film])
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(self.path)
                break
            except OSError:
                time.sleep(0.05)
        self.frames = []  # when each was shown
        threading.Thread(target=self.read, daemon=True).start()
        self.command("observe_property", 1, "time-pos")
        time.sleep(1)

    def read(self):
        for line in self.socket.makefile():
            if '"property-change"' in line and '"data"' in line:
                self.frames.append(time.monotonic())

    def command(self, *words):
        self.socket.sendall(json.dumps({"command": words}).encode() + b"\n")

    def play(self):
        """The time of the first frame."""
        n = len(self.frames)
        self.command("set_property", "pause", False)
        while len(self.frames) == n:
            time.sleep(0.001)
        return self.frames[n]

    def pause(self):
        """The time of the last frame."""
        self.command("set_property", "pause", True)
        time.sleep(0.15)
        return self.frames[-1]


class Ffplay(Player):
    def __init__(self, stage, film, x, y):
        os.environ["SDL_RENDER_DRIVER"] = "software"
        super().__init__(stage, ["ffplay", "-v", "quiet", "-an", "-loop", "0", "-left", str(x),
                                 "-top", str(y), film])


class GstPlay(Player):
    def __init__(self, stage, film):
        super().__init__(stage, ["gst-launch-1.0", "-q", "filesrc", f"location={film}", "!",
                                 "decodebin", "!", "videoconvert", "!", "ximagesink"])
