"""Hosts on one library or the other, for the benches of this folder."""
import os
import statistics
import subprocess
import time

FIRST_PORT = 23100
SYSTEM = '/usr/lib/x86_64-linux-gnu'


def environment(library):
    values = {name: value for name, value in os.environ.items() if name != 'LD_LIBRARY_PATH'}
    if library == 'theirs':
        values['LD_LIBRARY_PATH'] = SYSTEM
    return values


def start_host(folder, library, port, *arguments):
    host = subprocess.Popen([f'{folder}/bench-server-host', str(port), *map(str, arguments)],
                            env=environment(library), stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    if host.stdout.readline() != 'ready\n':
        raise RuntimeError(f'a host on {library} does not start')
    return host


def spread(values, form='{:.2f}'):
    low, middle, high = min(values), statistics.median(values), max(values)
    return f'{form} ({form} to {form})'.format(middle, low, high)


def in_turn(pairs, one):
    """[(ours, theirs)], who begins changing from pair to pair."""
    results = []
    for i in range(pairs):
        both = {}
        for library in ('ours', 'theirs') if i % 2 == 0 else ('theirs', 'ours'):
            both[library] = one(library)
            time.sleep(0.3)
        results.append((both['ours'], both['theirs']))
    return results
