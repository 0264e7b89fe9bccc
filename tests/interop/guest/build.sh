#!/bin/sh
# Builds the test guest: a Debian kernel and an initrd with busybox and the graphics drivers.
#
#   build.sh DIRECTORY     leaves DIRECTORY/vmlinux and DIRECTORY/initrd
#
# Both are left unpacked: a machine without acceleration takes longer to unpack them than for all else.
#
# The kernel package is downloaded, not installed. Nothing is done if both files are there.
# The guest prints READY on its serial port and then runs each line that it gets there; a shell on
# tty1 takes typed keys.
set -eu
mkdir -p "$1"
cd "$1"
[ -s vmlinux ] && [ -s initrd ] && exit 0

package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || { echo "no kernel package known; run apt-get update" >&2; exit 1; }
rm -rf kernel root
mkdir kernel root
(cd kernel && apt-get download -q "$package" >/dev/null && dpkg -x linux-image-*.deb . && rm linux-image-*.deb)
version=$(ls kernel/lib/modules)
depmod -b kernel "$version"

modules="qxl virtio-gpu bochs virtio_pci virtio_console psmouse evdev snd-hda-intel
    snd-hda-codec-generic usbhid hid-generic ehci-pci uhci-hcd xhci-pci"
mkdir -p root/bin root/dev root/proc root/sys root/tmp root/sbin root/usr
cp "$(command -v busybox)" root/bin/
for module in $modules; do
    files=$(sed -n "s|^\([^:]*/$module\.ko\): *\(.*\)|\1 \2|p" "kernel/lib/modules/$version/modules.dep")
    for file in $files; do
        mkdir -p "root/lib/modules/$version/$(dirname "$file")"
        cp -u "kernel/lib/modules/$version/$file" "root/lib/modules/$version/$file"
    done
done
cp "kernel/lib/modules/$version/modules.builtin" "kernel/lib/modules/$version/modules.order" \
    "root/lib/modules/$version/"
depmod -b root "$version"

cat >root/init <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec >/dev/ttyS0 2>&1 </dev/ttyS0
for module in virtio_pci virtio_console psmouse evdev ${GPU:-qxl} ${MODULES:-}; do
    modprobe $module
done
sleep 1
i=0
while [ $i -lt 60 ]; do
    echo "line $i: the quick brown fox jumps over the lazy dog" >/dev/tty1
    i=$((i + 1))
done
setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1' &
echo READY
while read -r line; do
    eval "$line"
    echo "rc=$?"
done
INIT
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet) >initrd.new
# The kernel in its box; what stands behind it makes xz complain.
packed="kernel/boot/vmlinuz-$version"
offset=$(LC_ALL=C grep -abo -P '\xFD7zXZ\x00' "$packed" | head -n 1 | cut -d: -f1)
[ -n "$offset" ] && { tail -c "+$((offset + 1))" "$packed" | xz -dc >vmlinux.new 2>/dev/null || true; }
head -c 4 vmlinux.new 2>/dev/null | grep -q ELF || cp "$packed" vmlinux.new
mv vmlinux.new vmlinux
mv initrd.new initrd
rm -rf kernel root
