#!/usr/bin/env python3
"""bench-desktops.py FOLDER [DESKTOPS [PAIRS [SECONDS]]]

Runs so many bench-server-hosts of FOLDER (build/release/tests/bench/server) on our
libspice-server.so.1 and on the system's, in turn, each with a viewer that only counts
(bench-server-viewer). All viewers connect at once. Then every fifth desktop shows a film and somebody
types on the others. Prints how long it took until the first picture, what the hosts took of the
processors and of memory, and what was seen of films and letters.

SPDX-License-Identifier: LGPL-2.1-or-later
"""
import statistics
import subprocess
import sys

from hosts import FIRST_PORT, environment, in_turn, spread, start_host

ROWS = (('first picture, median, ms', '{:.0f}'), ('first picture, longest, ms', '{:.0f}'),
        ('processor, s', '{:.2f}'), ('of it films, s', '{:.2f}'), ('memory, MB', '{:.0f}'),
        ('frames of a film in a second', '{:.1f}'), ('letters of a desktop in a second', '{:.1f}'),
        ('sent, MB', '{:.1f}'))


def measure(folder, library, n, seconds):
    kinds = ['film' if i % 5 == 0 else 'typing' for i in range(n)]
    hosts = [start_host(folder, library, FIRST_PORT + i, seconds, kind) for i, kind in enumerate(kinds)]
    viewers = [subprocess.Popen([f'{folder}/bench-server-viewer', str(FIRST_PORT + i)], text=True,
                                env=environment('ours'), stdout=subprocess.PIPE) for i in range(n)]
    first, cpu, films, memory, sent, frames, letters = [], 0, 0, 0, 0, [], []
    try:
        for kind, host, viewer in zip(kinds, hosts, viewers):
            line = host.communicate(timeout=300)[0].split()
            seen = viewer.communicate(timeout=300)[0].split()
            if len(line) < 4 or len(seen) != 3:
                raise RuntimeError(f'a desktop on {library} was lost')
            first.append(float(seen[0]))
            cpu += float(line[1])
            sent += float(line[2]) / 1e6
            memory += float(line[3]) / 1024
            if kind == 'film':
                films += float(line[1])
                frames.append((int(seen[1]) + int(seen[2])) / seconds)
            else:
                letters.append(int(seen[1]) / 2 / seconds)  # each letter is two draws
    finally:
        for process in hosts + viewers:
            if process.poll() is None:
                process.terminate()
            process.wait()
    return (statistics.median(first), max(first), cpu, films, memory, statistics.mean(frames),
            statistics.mean(letters) if letters else 0, sent)


def main():
    folder = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 10
    results = in_turn(pairs, lambda library: measure(folder, library, n, seconds))
    for i, (name, form) in enumerate(ROWS):
        ours, theirs = [pair[0][i] for pair in results], [pair[1][i] for pair in results]
        print(f'| {name} | {n} | {form.format(statistics.median(ours))} | '
              f'{form.format(statistics.median(theirs))} | '
              f'{spread([a / max(b, 1e-9) for a, b in zip(ours, theirs)])} |', flush=True)


main()
