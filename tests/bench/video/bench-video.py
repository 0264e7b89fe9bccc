#!/usr/bin/env python3
"""bench-video.py FOLDER SIMULATOR [--pairs N] [--links NAME,...] [--films N] [--seconds S]
                  [--codecs LIST] [--only ours|theirs] [--viewer spicesrc|spicy] [--keep FOLDER]

Shows films and typed letters (bench-video-host of FOLDER, build/release/tests/bench/video) on our
libspice-server.so.1 and on the system's in turn, over links of several kinds (SIMULATOR, tests/net), to
the same viewer, ours or Debian's spicy, and prints a table of what the viewer saw: medians, and the ratio
ours by theirs. Needs Debian's libspice-server1; for spicy, which shows on an Xvfb of its own, spice-client-gtk.

SPDX-License-Identifier: LGPL-2.1-or-later
"""
import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "interop"))
from harness import Xvfb  # noqa
from x11 import wait_for_manager  # noqa

SYSTEM = "/usr/lib/x86_64-linux-gnu"
STARTING = 3.0  # seconds of a film in which a server may still be finding out about the link

# name: (options of the simulator, one way's delay in ms)
LINKS = {
    "1M-100ms": (["--rate", "1mbit", "--delay", "50ms"], 50),
    "2M-40ms": (["--rate", "2mbit", "--delay", "20ms"], 20),
    "10M-20ms-1%": (["--rate", "10mbit", "--delay", "10ms", "--loss", "1%"], 10),
    "100M-5ms-jitter": (["--rate", "100mbit", "--delay", "2500us", "--jitter", "10ms"], 2.5),
    "1G": (["--rate", "1gbit", "--delay", "100us"], 0.1),
}

# name: (unit's format, whether more is better)
ROWS = {
    "frames": ("{:.0f}", "frames seen, of those drawn"),
    "dB": ("{:.1f}", "mean PSNR of the frames seen after the first 3 s"),
    "kB": ("{:.0f}", "sent to the viewer"),
    "freeze": ("{:.0f}", "longest time without a new frame, ms, after the first 3 s"),
    "start freeze": ("{:.0f}", "the same within the first 3 s"),
    "age": ("{:.0f}", "from the draw of a frame to its picture, ms, median after 3 s"),
    "age 95": ("{:.0f}", "95 of 100"),
    "letter": ("{:.0f}", "from the draw of a letter to its picture, ms beyond the link's delay"),
    "letter 95": ("{:.0f}", "95 of 100"),
    "letter worst": ("{:.0f}", "the longest"),
    "start letter": ("{:.0f}", "the longest within the first 3 s"),
    "found": ("{:.0f}", "from the first frame to the stream at the viewer, ms; not told by spicy"),
    "exact": ("{:.0f}", "from the last frame to its exact picture, ms"),
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def environment(library):
    env = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    if library == "theirs":
        env["LD_LIBRARY_PATH"] = SYSTEM
    return env


class OurViewer:
    """A pipeline with spicesrc."""

    def __init__(self, args, port, log):
        self.processes = [subprocess.Popen([f"{args.folder}/bench-video-client", f"spice://127.0.0.1:{port}"],
                                           stdout=subprocess.PIPE, text=True, stderr=log,
                                           env=environment("ours"))]

    def said(self):
        """When the host has ended."""
        return self.processes[0].communicate(timeout=60)[0]

    def close(self):
        end(self.processes)


class Spicy:
    """spicy, which fills a screen, and who looks at it."""

    def __init__(self, args, port, log):
        self.screen = Xvfb("1280x800")
        wait_for_manager(self.screen)
        watch = subprocess.Popen([f"{args.folder}/bench-video-screen", self.screen.display],
                                 stdout=subprocess.PIPE, text=True, stderr=log)
        self.processes = [watch]
        if watch.stdout.readline() != "ready\n":
            raise RuntimeError("the screen cannot be looked at")
        self.processes.append(subprocess.Popen(["spicy", "-f", "-h", "127.0.0.1", "-p", str(port)], stdout=log,
                                               stderr=log, env=self.screen.environment(G_DEBUG="")))

    def said(self):
        watch = self.processes[0]
        watch.send_signal(signal.SIGTERM)
        return watch.communicate(timeout=60)[0]

    def close(self):
        end(self.processes)
        self.screen.close()


VIEWERS = {"spicesrc": OurViewer, "spicy": Spicy}


def end(processes):
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def run_once(args, library, link):
    """What host and viewer say, as lists of words; bytes down."""
    port = free_port()
    log = open(os.path.join(args.keep, f"{link}-{library}.log"), "w") if args.keep else subprocess.DEVNULL
    host = subprocess.Popen([f"{args.folder}/bench-video-host", str(port), str(args.films),
                             str(args.seconds), str(args.pause)] + ([args.codecs] if args.codecs else []),
                            env=environment(library), stdout=subprocess.PIPE, stderr=log, text=True)
    processes, viewer = [host], None
    try:
        if host.stdout.readline() != "ready\n":
            raise RuntimeError(f"a host on {library} does not start")
        simulator = subprocess.Popen([args.simulator, *LINKS[link][0], str(port)], text=True,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        processes.append(simulator)
        viewer = VIEWERS[args.viewer](args, simulator.stdout.readline().split()[1], log)
        said, _ = host.communicate(timeout=600)
        seen = viewer.said()
        simulator.send_signal(signal.SIGTERM)
        down = int(simulator.communicate(timeout=60)[0].split()[1])
    finally:
        if viewer:
            viewer.close()
        end(processes)
    if args.keep:
        for name, text in (("host", said), ("viewer", seen)):
            with open(os.path.join(args.keep, f"{link}-{library}.{name}"), "w") as file:
                file.write(text)
    return ([line.split() for line in said.splitlines()],
            [line.split() for line in seen.splitlines()], down)


def share(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else float("nan")


def longest_gap(times):
    return max((b - a for a, b in zip(times, times[1:])), default=float("nan"))


def evaluate(said, seen, down, delay):
    """The rows of one run; those that are by film are means over the films, or the worst."""
    drawn = {int(words[2]): int(words[1]) for words in said if words[0] == "frame"}
    typed = {int(words[2]): int(words[1]) for words in said if words[0] == "letter"}
    films = list(zip([int(words[1]) for words in said if words[0] == "begin"],
                     [int(words[1]) for words in said if words[0] == "end"]))
    shown = {int(words[2]): (int(words[1]), float(words[3])) for words in reversed(seen)
             if words[0] == "frame" and int(words[2]) in drawn}
    exact = {int(words[2]): int(words[1]) for words in reversed(seen) if words[0] == "exact"}
    creates = [int(words[1]) for words in seen if words[0] == "create"]
    letters = {int(words[2]): int(words[1]) for words in seen if words[0] == "letter"}
    age, start_gap, gap, latency, start_latency, found, ends, quality = ([] for _ in range(8))
    for begin, end in films:
        settled = begin + STARTING * 1e6
        of_film = [n for n, time in drawn.items() if begin <= time <= end]
        times = sorted(shown[n][0] for n in of_film if n in shown)
        start_gap.append(longest_gap([begin] + [t for t in times if t <= settled] + [settled]))
        gap.append(longest_gap([settled] + [t for t in times if settled < t <= end] + [end]))
        age += [shown[n][0] - drawn[n] for n in of_film if n in shown and drawn[n] >= settled]
        quality += [shown[n][1] for n in of_film if n in shown and drawn[n] >= settled]
        for n, time in typed.items():
            if begin <= time <= end:
                late = letters.get(n, end + 60e6) - time - delay * 1000
                (latency if time >= settled else start_latency).append(late)
        found.append(min((t for t in creates if begin <= t <= end), default=float("nan")) - begin)
        ends.append(exact.get(max(of_film), float("nan")) - drawn[max(of_film)])
    ms = {
        "freeze": max(gap), "start freeze": max(start_gap), "age": share(age, 50),
        "age 95": share(age, 95), "letter": share(latency, 50), "letter 95": share(latency, 95),
        "letter worst": max(latency, default=float("nan")),
        "start letter": max(start_latency, default=float("nan")),
        "found": statistics.mean(found), "exact": statistics.mean(ends),
    }
    row = {name: value / 1000 for name, value in ms.items()}
    row.update({"frames": len(shown), "dB": statistics.mean(quality or [float("nan")]),
                "kB": down / 1000})
    return row, len(drawn), max(found) / 1000, max(ends) / 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("simulator")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--links", default=",".join(LINKS))
    parser.add_argument("--films", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--pause", type=float, default=6)
    parser.add_argument("--codecs", help="as spice_server_set_video_codecs() has them")
    parser.add_argument("--only", choices=("ours", "theirs"))
    parser.add_argument("--viewer", choices=VIEWERS, default="spicesrc")
    parser.add_argument("--keep", help="a folder for what the programs say")
    args = parser.parse_args()
    for name, (_, meaning) in ROWS.items():
        print(f"# {name}: {meaning}")
    print("| link | what | ours | theirs | ratio |\n| --- | --- | ---: | ---: | --- |")
    for link in args.links.split(","):
        results = {"ours": [], "theirs": []}
        for pair in range(args.pairs):
            for library in ("ours", "theirs") if pair % 2 == 0 else ("theirs", "ours"):
                if args.only in (None, library):
                    results[library].append(evaluate(*run_once(args, library, link), LINKS[link][1]))
                    time.sleep(0.3)
        for name, (form, _) in ROWS.items():
            if name == "found" and args.viewer != "spicesrc":
                continue
            cells = [link, name]
            for library in results:
                values = [row[name] for row, _, _, _ in results[library]]
                cells.append(form.format(statistics.median(values)) if values else "")
            ratios = [ours[0][name] / theirs[0][name] for ours, theirs in zip(*results.values())
                      if theirs[0][name]]
            cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
                         if ratios else "")
            print("| " + " | ".join(cells) + " |", flush=True)
        for library, runs in results.items():
            if runs:
                print(f"# {link}, {library}: {runs[0][1]} frames were drawn; at the worst found after "
                      f"{max(run[2] for run in runs):.0f} ms, exact after {max(run[3] for run in runs):.0f} ms", flush=True)


main()
