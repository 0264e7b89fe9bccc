#!/bin/sh
# watched-test.sh COMMAND...: runs a test. One that goes on for more than WATCHED_SECONDS says on standard error what its
# threads are at, and is ended.
# SPDX-License-Identifier: LGPL-2.1-or-later
"$@" &
test=$!
(
    sleep "${WATCHED_SECONDS:-150}" >/dev/null 2>&1 &
    trap 'kill $!; exit' TERM
    wait $!
    echo "$1 still runs" >&2
    gdb -p $test -batch -ex 'thread apply all backtrace 16' >&2 2>/dev/null
    kill -KILL $test
) &
watch=$!
trap 'kill -TERM $test $watch' TERM INT
wait $test
status=$?
kill $watch 2>/dev/null
exit $status
