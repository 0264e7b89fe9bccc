#!/bin/sh
# CPU of a small change in a window: GTK 3 with each presenter, and GTK 4 where it was built.
#
#     run.sh DIRECTORY     of bench-gtk3 and bench-gtk4
#
# On Xvfb, and on weston within it (software rendering). Weston and GTK 4 are optional.
set -u
cd "$1" || exit 1
seconds=${SECONDS_EACH:-10}
folder=$(mktemp -d)
export XDG_RUNTIME_DIR="$folder"
Xvfb -displayfd 3 -screen 0 2200x1300x24 -nolisten tcp 3>"$folder/display" >/dev/null 2>&1 &
x=$!
weston=
trap 'kill $weston $x 2>/dev/null; rm -rf "$folder"' EXIT INT TERM
for i in 1 2 3 4 5 6 7 8 9 10; do [ -s "$folder/display" ] && break; sleep 0.5; done
DISPLAY=:$(cat "$folder/display")
export DISPLAY

export GDK_BACKEND=x11
for presenter in x11 plain; do SPICE_VIEW_PRESENTER=$presenter ./bench-gtk3 "$seconds"; done
if [ -x bench-gtk4 ]; then
    for way in shm picture area; do GSK_RENDERER=cairo ./bench-gtk4 $way "$seconds"; done
fi
command -v weston >/dev/null || { echo "weston is not installed: nothing on Wayland"; exit 0; }
weston --backend=x11-backend.so --use-pixman --width=2100 --height=1200 --socket=bench \
    --idle-time=0 --no-config >"$folder/weston.log" 2>&1 &
weston=$!
for i in 1 2 3 4 5 6 7 8 9 10; do [ -S "$folder/bench" ] && break; sleep 0.5; done
export WAYLAND_DISPLAY=bench GDK_BACKEND=wayland
for presenter in wayland plain; do SPICE_VIEW_PRESENTER=$presenter ./bench-gtk3 "$seconds"; done
if [ -x bench-gtk4 ]; then
    for way in picture area; do GSK_RENDERER=cairo ./bench-gtk4 $way "$seconds"; done
fi
exit 0
