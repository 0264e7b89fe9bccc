# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of sound know about tones in files: how high they are, and what is missing of them."""
import array
import cmath
import math

from harness import LONG, check

def read_sound(path):
    """(left, right) of a file of raw sound, or of a WAV file of 16 bit and two channels."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] == b"RIFF":
        data = data[data.find(b"data") + 8:]
    values = array.array("h")
    values.frombytes(data[:len(data) // 4 * 4])
    return values[0::2], values[1::2]


def trim(samples, loudness=1500):
    """Without silence at both ends."""
    loud = [i for i, value in enumerate(samples) if abs(value) > loudness]
    return samples[loud[0]:loud[-1] + 1] if loud else samples[:0]


def frequency(samples, rate):
    """How often it rises through zero a second, to a fraction of a sample."""
    rises = [i - samples[i] / (samples[i] - samples[i - 1]) for i in range(1, len(samples))
             if samples[i - 1] < 0 <= samples[i]]
    return (len(rises) - 1) * rate / (rises[-1] - rises[0]) if len(rises) > 2 else 0


def usual_frequency(samples, rate):
    """That of most pieces of 50 ms: what is broken in between does not count."""
    size = rate // 20
    found = sorted(frequency(samples[i:i + size], rate) for i in range(0, len(samples) - size, size))
    return found[len(found) // 2] if found else 0


def gaps(samples, rate):
    """Where it is silent in between, or jumps: pieces of 10 ms whose loudness is not the others'."""
    size = rate // 100
    power = [math.sqrt(sum(v * v for v in samples[i:i + size]) / size)
             for i in range(0, len(samples) - size, size)]
    middle = sorted(power)[len(power) // 2]
    return [n for n, p in enumerate(power) if not 0.6 * middle < p < 1.5 * middle]


def broken(samples, hertz, rate):
    """Of the pieces of 10 ms of a tone, those that are not as loud as the others, or do not go on from the one
    before; and how many there are. What resamples it may draw it by some percent."""
    size = rate // 100
    table = [cmath.exp(-2j * math.pi * hertz * i / rate) for i in range(rate)]
    found = [sum(v * table[(n + i) % rate] for i, v in enumerate(samples[n:n + size])) / size
             for n in range(0, len(samples) - size, size)]
    middle = sorted(abs(value) for value in found)[len(found) // 2]
    bad = [n for n in range(1, len(found)) if not 0.6 * middle < abs(found[n]) < 1.5 * middle
           or abs(cmath.phase(found[n] / found[n - 1] if found[n - 1] else 1)) > 1]
    return bad, len(found)


def check_unbroken(path, what, seconds, tones=((0, 440), (1, 594)), most=0.01 if LONG else 0.05):
    """All of the tones is there, but for one frame in a hundred: in a short one five, as the link is not known yet
    at its beginning; or for `most` of them."""
    sides = read_sound(path)
    bad, n = set(), 0
    for channel, hertz in tones:
        samples = trim(sides[channel])
        check(len(samples) >= seconds * 48000, f"{what}: only {len(samples) / 48000:.2f} s of sound")
        found, n = broken(samples[24000:-9600], hertz, 48000)
        bad |= set(found)
    print(f"# {what}: {len(bad)} of {n} frames are lost or broken: {sorted(bad)[:20]}")
    check(len(bad) <= n * most, f"{what}: {len(bad)} of {n} frames are lost or broken")


def check_tone(path, hertz, what, rate=48000, seconds=1.5, channel=0, settle=0.2, tolerance=1.5, most=0):
    """A tone is there, of so many seconds at least; what is before it settled does not count. `most`: of its frames
    may be missing, as where a sink drops what a busy machine brings too late."""
    samples = trim(read_sound(path)[channel])
    check(len(samples) >= seconds * rate, f"{what}: only {len(samples) / rate:.2f} s of sound")
    samples = samples[int(settle * rate):-int(0.05 * rate)]
    found = (usual_frequency if most else frequency)(samples, rate)
    holes = gaps(samples, rate)
    print(f"# {what}: {found:.2f} Hz, {len(samples) / rate:.2f} s, {len(holes)} gaps")
    check(abs(found - hertz) < tolerance, f"{what}: {found:.2f} Hz instead of {hertz}")
    check(len(holes) <= most * len(samples) / (rate // 100),
          f"{what}: gaps at {holes[:10]} of {len(samples) // (rate // 100)}")
