# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums up what meson's test runner saw in the given build folders: the seconds of each suite, each
failure by name, and at last a line "N passed, N failed". Exit status 1 if anything failed or
nothing ran."""
import collections
import glob
import json
import sys
import xml.etree.ElementTree as ET

LAST_LINES = 80  # of what such a test printed
passed = 0
failures = []
seconds = collections.Counter()
for folder in sys.argv[1:]:
    logs = sorted(glob.glob(f"{folder}/meson-logs/testlog*.junit.xml"))
    blamed = set()
    for suite in (suite for log in logs for suite in ET.parse(log).getroot().iter("testsuite")):
        for case in suite.iter("testcase"):
            # A skipped test is a failed one: what it needs is installed before.
            bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            if bad:
                # A TAP test is a suite of its own, any other a case of one.
                blamed.update((suite.get("name").partition(".")[2], case.get("name")))
                failures.append(f"{bad[0].upper()} {folder}: {suite.get('name')} {case.get('name')}")
            else:
                passed += 1
    for log in glob.glob(f"{folder}/meson-logs/testlog*.json"):
        with open(log) as lines:
            for line in lines:
                test = json.loads(line)
                # "project:suite / test", or "project / test" for a test without a suite.
                seconds[f"{folder} {test['name'].split(' / ')[0]}"] += test["duration"]
                # One that was ended, or died between two subtests, has no case that failed; it says why at its end.
                if test["result"] not in ("OK", "EXPECTEDFAIL") and not blamed & {
                        test["name"], test["name"].split(" / ")[-1]}:
                    last = test.get("stderr", "").splitlines()[-LAST_LINES:]
                    failures.append("\n".join([*last, f"{test['result']} {folder}: {test['name']}"]))
for name, value in seconds.items():
    print(f"{value:8.1f} s  {name}")
if not passed and not failures:
    failures.append("ERROR: nothing ran")
for failure in failures:
    print(failure)
print(f"{passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
