#!/usr/bin/env python3
"""bench-server.py FOLDER [SESSIONS [PAIRS [SECONDS]]]

Runs bench-server-host of FOLDER (build/release/tests/bench/server) on our libspice-server.so.1 and
on the system's, in turn, each host with a viewer (spicy-stats) of its own, and prints a table: what
ours took, and how that relates to the other. Needs Debian's libspice-server1 and spice-client-gtk.

SPDX-License-Identifier: LGPL-2.1-or-later
"""
import statistics
import subprocess
import sys

from hosts import FIRST_PORT, environment, in_turn, spread, start_host

VALUES = ('cpu', 'bytes', 'rss', 'commands', 'held', 'dropped')


def measure(folder, library, n, seconds):
    """Workload -> sums over all hosts of the values; `rss` is the mean."""
    hosts = [start_host(folder, library, FIRST_PORT + i, seconds) for i in range(n)]
    viewers = [subprocess.Popen(['spicy-stats', '-h', '127.0.0.1', '-p', str(FIRST_PORT + i)],
                                env=environment('ours'), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL) for i in range(n)]
    sums = {}
    try:
        for host in hosts:
            output, _ = host.communicate(timeout=300)
            lines = output.split('\n')[:-1]
            if len(lines) != 4:
                raise RuntimeError(f'a host on {library} lost its viewer')
            for line in lines:
                name, *values = line.split()
                row = sums.setdefault(name, dict.fromkeys(VALUES, 0.0))
                for key, value in zip(VALUES, values):
                    row[key] += float(value)
    finally:
        for process in hosts + viewers:
            if process.poll() is None:
                process.terminate()
            process.wait()
    for row in sums.values():
        row['rss'] /= n
        row['held'] /= n
    return sums


def measure_latency(folder, library, n, keys):
    """What the latency program says of one session, the median over `n` at a time."""
    hosts = [start_host(folder, library, FIRST_PORT + i, 0) for i in range(n)]
    try:
        typists = [subprocess.Popen([f'{folder}/bench-server-latency', str(FIRST_PORT + i),
                                     str(keys)], env=environment('ours'), stdout=subprocess.PIPE,
                                    text=True) for i in range(n)]
        rows = [[float(value) for value in typist.communicate(timeout=300)[0].split()]
                for typist in typists]
        return [statistics.median(column) for column in zip(*rows)]
    finally:
        for host in hosts:
            host.terminate()
            host.wait()


def main():
    folder = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    results = in_turn(pairs, lambda library: measure(folder, library, n, seconds))
    for name in results[0][0]:
        cells = [name, str(n)]
        for key, form in (('cpu', '{:.3f}'), ('bytes', '{:.0f}'), ('rss', '{:.0f}')):
            ours = [pair[0][name][key] for pair in results]
            theirs = [pair[1][name][key] for pair in results]
            cells.append(form.format(statistics.median(ours)))
            cells.append(form.format(statistics.median(theirs)))
            cells.append(spread([a / max(b, 1e-9) for a, b in zip(ours, theirs)]))
        # what a host that cannot keep up did not do, or its server did not take
        for which in range(2):
            done = statistics.median(pair[which][name]['commands'] for pair in results)
            lost = statistics.median(pair[which][name]['dropped'] for pair in results)
            cells.append(f'{done:.0f} ({lost:.0f} dropped)')
        print('| ' + ' | '.join(cells) + ' |', flush=True)
    results = in_turn(pairs, lambda library: measure_latency(folder, library, n, 100))
    for i, name in enumerate(('median', '95 of 100', 'longest')):
        ours, theirs = [pair[0][i] for pair in results], [pair[1][i] for pair in results]
        print(f'| {name} | {n} | {statistics.median(ours):.0f} | {statistics.median(theirs):.0f} | '
              f'{spread([a / b for a, b in zip(ours, theirs)])} |', flush=True)


main()
