#!/bin/sh
# run-fuzz-target.sh TARGET CORPUS N_TARGETS: replays a corpus, then fuzzes on from it. All targets
# together take a minute or two of processor time; 10 minutes each if SPICE_TEST_LONG is 1.
set -eu
target=$1 corpus=$2 n=$3
seconds=$((60 / n + 1))
[ "${SPICE_TEST_LONG:-0}" = 1 ] && seconds=600
set -- "$corpus"/*
[ -e "$1" ] || { echo "no corpus at $corpus" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
"$target" -rss_limit_mb=1024 -artifact_prefix="$work/" "$@" >"$work/log" 2>&1 ||
    { tail -n 40 "$work/log"; exit 1; }
mkdir "$work/corpus"
"$target" -rss_limit_mb=1024 -timeout=10 -max_total_time=$seconds -print_final_stats=1 \
    -artifact_prefix="$work/" "$work/corpus" "$corpus" >"$work/log" 2>&1 ||
    { tail -n 40 "$work/log"; for f in "$work"/crash-* "$work"/timeout-* "$work"/oom-*; do
        [ -e "$f" ] && { echo "$f:"; base64 "$f"; }; done; exit 1; }
grep -E 'number_of_executed_units|average_exec' "$work/log"
