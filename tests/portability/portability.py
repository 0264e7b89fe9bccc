#!/usr/bin/env python3
"""Compiles core/'s plain sources for another platform, without a warning, and test programs with
them; runs these where the platform can be had. Prints TAP.

    portability.py wasm32|windows ROOT VECTORS PROGRAM... -- SOURCE...

PROGRAM is the sources of one test program, separated by commas, below ROOT. It must be one that needs
core/'s plain sources only and prints TAP; it gets the vectors' folder as its argument.
"""
# SPDX-License-Identifier: LGPL-2.1-or-later
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

PLATFORMS = {
    'wasm32': (['clang-14', '--target=wasm32-wasi'], 'wasm'),
    'windows': (['x86_64-w64-mingw32-gcc', '-D__USE_MINGW_ANSI_STDIO=1'], 'exe'),
}
CORE_FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Wshadow', '-Wconversion',
              '-Wno-sign-conversion', '-Wno-unused-parameter', '-Wno-missing-field-initializers',
              '-Werror']
TEST_FLAGS = ['-std=gnu11', '-O2']

count = 0
failures = 0


def report(ok, name, output=''):
    global count, failures
    count += 1
    failures += not ok
    print(f'{"ok" if ok else "not ok"} {count} - {name}')
    if not ok:
        for line in output.splitlines()[-40:]:
            print('#', line)
    sys.stdout.flush()


def run(command):
    """Whether a command succeeds, and what it prints."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                errors='replace', timeout=240)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return result.returncode == 0, result.stdout


def nodejs():
    """Debian's own, which the project names, if there is more than one."""
    return '/usr/bin/nodejs' if os.path.exists('/usr/bin/nodejs') else \
        shutil.which('nodejs') or shutil.which('node') or 'nodejs'


def run_program(program, vectors):
    """Whether a wasm32 test program passes all it says it does, and how much that is."""
    runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'run-wasi.mjs')
    ok, output = run([nodejs(), '--no-warnings', '--experimental-wasi-unstable-preview1', runner,
                      program, vectors])
    lines = output.splitlines()
    passed = sum(line.startswith('ok ') for line in lines)
    complete = f'1..{passed}' in lines and passed > 0
    return ok and complete, passed, '\n'.join(l for l in lines if not l.startswith('ok '))


def main():
    platform, root, vectors, *rest = sys.argv[1:]
    programs = rest[:rest.index('--')]
    sources = rest[rest.index('--') + 1:]
    compiler, suffix = PLATFORMS[platform]
    compiler = compiler + ['-I', root]

    with tempfile.TemporaryDirectory() as work, \
            concurrent.futures.ThreadPoolExecutor(2) as executor:
        objects = [os.path.join(work, f'{i}.o') for i in range(len(sources))]
        results = executor.map(
            lambda pair: run(compiler + CORE_FLAGS + ['-c', pair[0], '-o', pair[1]]),
            zip(sources, objects))
        for source, (ok, output) in zip(sources, results):
            report(ok, f'{os.path.relpath(source, root)} compiles', output)
        if failures:
            return
        for program in programs:
            files = [os.path.join(root, name) for name in program.split(',')]
            name = os.path.splitext(os.path.basename(files[0]))[0]
            built = os.path.join(work, f'{name}.{suffix}')
            ok, output = run(compiler + TEST_FLAGS + files + objects + ['-lm', '-o', built])
            report(ok, f'{name} links', output)
            if ok and platform == 'wasm32':
                ok, passed, output = run_program(built, vectors)
                report(ok, f'{name} passes: {passed} results', output)


main()
print(f'1..{count}')
sys.exit(1 if failures else 0)
