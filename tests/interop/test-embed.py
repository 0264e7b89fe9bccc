# SPDX-License-Identifier: LGPL-2.1-or-later
"""libspice-server.so.1: Debian's QEMU and Xspice, untouched, on ours and on the field's. Viewers see
the same pictures on both, and what a host asks for is answered in the same way."""
import atexit
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (BUILD, GUEST, LONG, SOURCE, WORK, Failure, Xvfb, check, check_equal,
                     environment, picture, run, run_tests, shot, spicy_screenshot)
from vm import VM, free_port, wait_until
from xspice import Xspice

OURS = os.path.join(BUILD, "server", "embed")
FIELD = None
LIBRARIES = {"ours": OURS, "field": FIELD}
FIELD_FILE = "/usr/lib/x86_64-linux-gnu/libspice-server.so.1"

HIDE_TEXT_CURSOR = r"echo -e '\033[?25l' >/dev/tty1"
SCROLL = "i=0; while [ $i -lt 60 ]; do echo scrolled $i >/dev/tty1; i=$((i+1)); done"
NOISE = ("i=0; while [ $i -lt 8 ]; do "
         "(dd if=/bin/busybox bs=4096 skip=$i; cat /bin/busybox) 2>/dev/null | "
         "dd of=/dev/fb0 bs=4096 count=768 iflag=fullblock 2>/dev/null; i=$((i+1)); done")
BLANK = r"echo -e '\033c\033[?25l' >/dev/tty1"

machines = []


def file(name):
    return os.path.join(WORK, name)


def boot(which, name, spice="disable-ticketing=on", **options):
    """A machine on one of the libraries; it and its port."""
    port = free_port()
    vm = VM(WORK, f"{name}-{which}", f"port={port},addr=127.0.0.1,{spice}",
            library=LIBRARIES[which], **options)
    machines.append(vm)
    if options.get("guest"):
        vm.wait_ready()
        vm.run("dmesg -n 1")  # late messages come when they like
        vm.run(HIDE_TEXT_CURSOR)
    if not options.get("wrapper"):
        loaded = open(f"/proc/{vm.process.pid}/maps").read()
        check((OURS in loaded) == (which == "ours"), f"{name}: the wrong library was loaded")
    return vm, port


def close(vm):
    machines.remove(vm)
    vm.close()


@atexit.register
def close_all():
    for vm in list(machines):
        vm.close()


# The interface

def symbols(path):
    status, text = run(["nm", "-D", "--defined-only", "--with-symbol-versions", path])
    check(status == 0, text)
    return sorted(line.split()[-1] for line in text.splitlines() if " T " in line)


def test_the_97_names_stand_under_their_versions():
    ours = symbols(os.path.join(OURS, "libspice-server.so.1"))
    field = symbols(FIELD_FILE)
    check(len(field) == 97, f"{len(field)} names")
    check(ours == field, f"names differ: {set(ours) ^ set(field)}")


# Pictures

def settle(vm):
    """Waits until the guest's screen has stood still for a while."""
    before = None
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        vm.qmp("screendump", filename=os.path.join(vm.folder, "settle.ppm"))
        now = open(os.path.join(vm.folder, "settle.ppm"), "rb").read()
        if now == before:
            return
        before = now
        time.sleep(0.8)


def views(vm, port, name):
    """The picture that spice-gtk gets of the guest as it stands still, after comparing it with
    spicesrc's, with the viewer's, and with what QEMU itself finds in the guest's memory."""
    settle(vm)
    vm.qmp("stop")
    time.sleep(0.3)
    try:
        return compare_views(vm, port, name)
    finally:
        vm.qmp("cont")


def compare_views(vm, port, name):
    spicy, ours, dump = file(name + ".ppm"), file(name + "-src.ppm"), file(name + "-dump.ppm")
    spicy_screenshot(spicy, port)
    status, lines = shot(ours, "--location", f"spice://127.0.0.1:{port}")
    check(status == 0, "\n".join(lines))
    check_equal(ours, spicy, f"{name}: spicesrc")
    viewer = os.path.join(BUILD, "client", "spice-view")
    status, text = run([viewer, "--screenshot", file(name + "-view.png"),
                        f"spice://127.0.0.1:{port}"])
    check(status == 0, f"spice-view: {text}")
    check_equal(file(name + "-view.png"), spicy, f"{name}: spice-view")
    vm.qmp("screendump", filename=dump)
    check_equal(dump, spicy, f"{name}: QEMU's own picture")
    return spicy


def marked_points(which, gpu, whole):
    """Pictures at each point of a guest's life, on one library; `whole`: with its beginning and what
    comes after a reset."""
    pictures = {}
    if whole:
        vm, port = boot(which, "firmware-" + gpu, gpu=gpu)
        time.sleep(2.5)
        pictures["firmware"] = views(vm, port, f"{which}-{gpu}-firmware")
        close(vm)
    vm, port = boot(which, "kernel-" + gpu, gpu=gpu, guest=GUEST,
                    kernel_args="console=tty0 printk.time=0")
    if whole:
        views(vm, port, f"{which}-{gpu}-messages")  # they differ from boot to boot
    for _ in range(3):
        vm.run(SCROLL)
    time.sleep(0.3)
    pictures["scrolled"] = views(vm, port, f"{which}-{gpu}-scrolled")
    vm.run(NOISE)
    vm.run("echo . >/dev/tty1")  # what was written may reach the screen with the next text only
    time.sleep(0.3)
    # The guest's kernel leaves out a part of such writes now and then, on either library: these
    # pictures are compared with what QEMU itself finds, not with another guest's.
    pixels = picture(views(vm, port, f"{which}-{gpu}-noise"))[2]
    check(len({pixels[i:i + 3] for i in range(0, len(pixels), 30)}) > 1000, "there is no noise")
    if whole:
        vm.forget_log()
        vm.qmp("system_reset")
        vm.wait_ready()
        vm.run("dmesg -n 1")
        vm.run(BLANK)
        vm.run(SCROLL)
        time.sleep(0.3)
        pictures["reset"] = views(vm, port, f"{which}-{gpu}-reset")
    close(vm)
    return pictures


def check_but_text_cursor(ours, theirs, what):
    """Equal, but for the blinking cursor of a text mode, which nobody can hide there: one cell's
    lowest two rows."""
    a, b = picture(ours), picture(theirs)
    check(a[:2] == b[:2], f"{what}: {a[:2]} {b[:2]}")
    wrong = [(i // 3 % a[0], i // 3 // a[0]) for i in range(0, len(a[2]), 3)
             if a[2][i:i + 3] != b[2][i:i + 3]]
    if wrong:
        width = max(x for x, _ in wrong) - min(x for x, _ in wrong) + 1
        height = max(y for _, y in wrong) - min(y for _, y in wrong) + 1
        check(width <= 9 and height <= 2, f"{what}: {len(wrong)} pixels differ, from {wrong[0]}")


def compare_points(gpu, whole):
    with ThreadPoolExecutor() as pool:
        ours, field = pool.map(lambda which: marked_points(which, gpu, whole), ("ours", "field"))
    for point in field:
        if point == "firmware":
            check_but_text_cursor(ours[point], field[point], f"{gpu}, {point}")
        else:
            check_equal(ours[point], field[point], f"{gpu}, {point}: ours and the field's")


def test_qxl_shows_the_same_at_each_point():
    compare_points("qxl", True)


def test_virtio_gpu_shows_the_same_at_each_point():
    compare_points("virtio-gpu", LONG)


# In a sandbox

SANDBOX = ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]


def test_starts_and_serves_in_a_sandbox():
    home = file("empty-home")
    os.makedirs(home, exist_ok=True)
    os.chmod(home, 0o500)
    env = dict(os.environ, HOME=home, XDG_CACHE_HOME=home)
    trace = file("strace.txt")
    vm, port = boot("ours", "sandbox", extra=SANDBOX, env=env,
                    wrapper=["strace", "-f", "-qq", "-o", trace, "-e",
                             "trace=fork,vfork,clone,clone3,execve,execveat,open,openat,creat"])
    time.sleep(2)
    spicy_screenshot(file("sandbox.ppm"), port)
    vm.qmp("quit")
    vm.process.wait(timeout=20)
    machines.remove(vm)
    bad = []
    for line in open(trace):
        if re.search(r"\b(fork|vfork|execveat|creat)\(", line):
            bad.append(line)
        elif re.search(r"\bclone3?\(", line) and "CLONE_THREAD" not in line:
            bad.append(line)
        elif "execve(" in line and "qemu-system-x86_64" not in line:
            bad.append(line)
        elif re.search(r"O_(WRONLY|RDWR|CREAT)", line) and not re.search(
                r'"(/dev/|/proc/|/sys/|' + re.escape(vm.folder) + ")", line) and " = -1 " not in line:
            bad.append(line)
    check(not bad, "in the sandbox: " + "".join(bad[:5]))
    check(os.listdir(home) == [], f"it left {os.listdir(home)}")


def check_signals(vm):
    """The host's signals are for its own threads: all of ours block them."""
    ours = 0
    for task in os.listdir(f"/proc/{vm.process.pid}/task"):
        with open(f"/proc/{vm.process.pid}/task/{task}/status") as status:
            text = status.read()
        name = re.search(r"Name:\s+(.*)", text).group(1)
        if name.startswith("spice"):
            ours += 1
            blocked = int(re.search(r"SigBlk:\s+(\w+)", text).group(1), 16)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1,
                           signal.SIGIO, signal.SIGPIPE):
                check(blocked >> number - 1 & 1, f"{name} takes signal {number}")
    check(ours >= 4, f"only {ours} threads of ours were found")


def anonymous_kb(which):
    vm, port = boot(which, "memory")
    time.sleep(2)
    vm.qmp("stop")
    spicy_screenshot(file(f"memory-{which}.ppm"), port)
    if which == "ours":
        check_signals(vm)
    with open(f"/proc/{vm.process.pid}/status") as status:
        value = int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1))
    close(vm)
    return value


def test_memory_at_the_first_picture():
    values = {which: sorted(anonymous_kb(which) for _ in range(3))[1] for which in LIBRARIES}
    print(f"# RssAnon at the first picture: ours {values['ours']} kB, "
          f"the field's {values['field']} kB")
    # one library against itself moves by as much
    check(values["ours"] <= values["field"] * 1.05, f"too much memory: {values}")


# Ways in

def make_certificates():
    """ca-cert.pem, server-cert.pem, server-key.pem as QEMU looks for them."""
    folder = file("x509")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "ext.cnf"), "w") as ext:
        ext.write("subjectAltName=IP:127.0.0.1\n")
    for command in (
            "req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca-cert.pem -days 9 "
            "-subj /CN=TestCA -addext basicConstraints=critical,CA:true",
            "req -newkey rsa:2048 -nodes -keyout server-key.pem -out server.csr -subj /CN=vm",
            "x509 -req -in server.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 9 "
            "-out server-cert.pem -extfile ext.cnf"):
        status, text = run(["openssl", *command.split()], cwd=folder)
        check(status == 0, text)
    return folder


def test_tls_secure_channels_and_a_unix_socket():
    folder, tls = make_certificates(), free_port()
    vm, port = boot("ours", "tls", spice=f"disable-ticketing=on,tls-port={tls},x509-dir={folder},"
                                         "tls-channel=main,tls-channel=inputs")
    time.sleep(2)
    vm.qmp("stop")
    status, lines = shot(file("tls.ppm"), "--location", f"spice+tls://127.0.0.1:{tls}", "--ca-file",
                         os.path.join(folder, "ca-cert.pem"))
    check(status == 0, "\n".join(lines))
    vm.qmp("screendump", filename=file("tls-dump.ppm"))
    check_but_text_cursor(file("tls.ppm"), file("tls-dump.ppm"), "by TLS")
    status, lines = shot(file("plain.ppm"), "--location", f"spice://127.0.0.1:{port}")
    check(status == 1, "main was to be had without TLS")
    vm.qmp("query-status")  # so that the events before it are in
    secured = {event["data"]["client"]["channel-type"]: event["data"]["client"]["tls"]
               for event in vm.events if event["event"] == "SPICE_INITIALIZED"}
    check(secured.get(1) is True and secured.get(2) is True, f"channels by TLS: {secured}")
    close(vm)
    path = file("vm.sock")
    vm = VM(WORK, "unix-ours", f"unix=on,addr={path},disable-ticketing=on", library=OURS)
    machines.append(vm)
    time.sleep(2)
    vm.qmp("stop")
    status, lines = shot(file("unix.ppm"), "--location", "spice+unix://" + path)
    check(status == 0, "\n".join(lines))
    vm.qmp("screendump", filename=file("unix-dump.ppm"))
    check_but_text_cursor(file("unix.ppm"), file("unix-dump.ppm"), "by a unix socket")
    close(vm)


# Keyboard and pointer

def viewer_window(xvfb, title):
    status, text = xvfb.xdotool("search", "--onlyvisible", "--name", title)
    windows = text.split() if status == 0 else []
    return windows[-1] if windows else None


def test_remote_viewer_types_into_the_guest():
    vm, port = boot("ours", "typing", guest=GUEST)
    xvfb = Xvfb()
    viewer = subprocess.Popen(["remote-viewer", "--full-screen", f"spice://127.0.0.1:{port}"],
                              env=xvfb.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        window = wait_until(lambda: viewer_window(xvfb, "QEMU|127"), 60, "window")
        time.sleep(3)
        xvfb.xdotool("windowfocus", "--sync", window)
        xvfb.xdotool("mousemove", "640", "512", "click", "1")
        time.sleep(0.5)
        for key in ("Return", *"echo", "space", *"q", "space", "Shift+minus", "greater", "slash",
                    *"tmp", "slash", *"typed", "Return"):
            xvfb.xdotool("key", "--delay", "30", key)
        time.sleep(1.5)
        text = vm.run("cat /tmp/typed").replace("\r", "")
        check("q _\n" in text, f"the guest read {text!r}")
    finally:
        viewer.terminate()
        viewer.wait()
        xvfb.close()
        close(vm)


# What QMP tells

def normal(events):
    """Events of connections, without what differs from run to run."""
    wanted = ("SPICE_CONNECTED", "SPICE_INITIALIZED", "SPICE_DISCONNECTED")
    counts = {}
    for event in events:
        if event["event"] in wanted:
            data = event["data"]
            check(data["server"]["host"] == "127.0.0.1" and data["client"]["host"] == "127.0.0.1",
                  f"{data}")
            counts[event["event"]] = counts.get(event["event"], 0) + 1
            if event["event"] == "SPICE_INITIALIZED":
                check("connection-id" in data["client"], f"{data}")
    return counts


def qmp_session(which):
    """What a host is told while clients come with the right and with a wrong password."""
    vm, port = boot(which, "qmp", spice="password-secret=pw", extra=[
        "-object", "secret,id=pw,data=first"])
    time.sleep(1)
    answers = []
    status, _ = run(["spicy-screenshot", "-h", "127.0.0.1", "-p", str(port), "-w", "first", "-o",
                     file("qmp.ppm")])
    answers.append(("first", status == 0))
    vm.qmp("set_password", protocol="spice", password="second")
    for word in ("first", "second"):
        if os.path.exists(file("qmp.ppm")):
            os.unlink(file("qmp.ppm"))
        run(["timeout", "8", "spicy-screenshot", "-h", "127.0.0.1", "-p", str(port), "-w", word, "-o",
             file("qmp.ppm")])
        answers.append((word, os.path.exists(file("qmp.ppm"))))
    vm.qmp("expire_password", protocol="spice", time="now")
    time.sleep(1.2)
    os.unlink(file("qmp.ppm"))
    run(["timeout", "8", "spicy-screenshot", "-h", "127.0.0.1", "-p", str(port), "-w", "second", "-o",
         file("qmp.ppm")])
    answers.append(("expired", os.path.exists(file("qmp.ppm"))))
    vm.qmp("set_password", protocol="spice", password="third")
    vm.qmp("expire_password", protocol="spice", time="never")
    # one that stays is listed
    stats = subprocess.Popen(["spicy-stats", f"--uri=spice://127.0.0.1:{port}?password=third"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    listed = vm.qmp("query-spice")
    stats.kill()
    stats.wait()
    time.sleep(1)
    after = vm.qmp("query-spice")
    answers.append(("channels", sorted((channel["channel-type"], channel["channel-id"],
                                        channel["tls"]) for channel in listed["channels"])))
    answers.append(("one connection",
                    len({channel["connection-id"] for channel in listed["channels"]}) == 1))
    answers.append(("auth", listed["auth"], listed["mouse-mode"], listed["enabled"]))
    answers.append(("left", after["channels"]))
    events = normal(vm.events)
    close(vm)
    return answers, events


def test_qmp_answers_as_on_the_fields_library():
    ours, our_events = qmp_session("ours")
    field, field_events = qmp_session("field")
    # channels that are not there yet on ours: sound
    drop = {"channels"}
    check([a for a in ours if a[0] not in drop] == [a for a in field if a[0] not in drop],
          f"ours {ours}\nthe field's {field}")
    our_channels = dict((a[0], a[1]) for a in ours if a[0] == "channels")["channels"]
    field_channels = dict((a[0], a[1]) for a in field if a[0] == "channels")["channels"]
    check(set(our_channels) <= set(field_channels) and len(our_channels) == 4,
          f"{our_channels} {field_channels}")
    print(f"# events on ours {our_events}, on the field's {field_events}")
    check(set(our_events) == set(field_events), f"{our_events} {field_events}")
    check(our_events["SPICE_CONNECTED"] == our_events["SPICE_DISCONNECTED"],
          f"connections do not add up: {our_events}")


# Life

def test_stop_cont_and_quit_while_clients_draw():
    vm, port = boot("ours", "life", guest=GUEST, modules="ehci-pci usbhid hid-generic",
                    extra=["-device", "usb-ehci,id=eh", "-device", "usb-tablet,bus=eh.0,id=tab"])
    watcher = subprocess.Popen(["spicy-stats", f"--uri=spice://127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    vm.serial.sendall(b"(while true; do cat /bin/busybox >/dev/fb0; done) 2>/dev/null &\n")
    for number in range(5):
        vm.qmp("stop")
        time.sleep(0.1)
        vm.qmp("screendump", filename=file("life.ppm"))
        vm.qmp("cont")
        time.sleep(0.3)
        vm.qmp("screendump", filename=file("life.ppm"))
        spicy_screenshot(file("life-spicy.ppm"), port)
    vm.qmp("device_del", id="tab")
    time.sleep(1)
    check(vm.qmp("query-spice")["mouse-mode"] == "server", "the mouse mode without a tablet")
    check(watcher.poll() is None, "the watching client was dropped")
    vm.qmp("quit")
    check(vm.process.wait(timeout=20) == 0, f"QEMU ended with {vm.process.returncode}")
    machines.remove(vm)
    watcher.kill()
    watcher.wait()


def rate(vm):
    """Full screens that the guest writes in three seconds."""
    text = vm.run("e=$(($(date +%s)+4)); n=0; while [ $(date +%s) -lt $e ]; do "
                  "cat /bin/busybox >/dev/fb0 2>/dev/null; n=$((n+1)); done; echo wrote $n")
    return int(re.search(r"wrote (\d+)", text).group(1))


def storm(vm, port, count):
    """Clients that come and go at random moments, are killed, are stopped, and send garbage."""
    chance = random.Random(5)
    stopped = []
    for number in range(count):
        kind = chance.randrange(4)
        if kind == 0:
            client = socket.create_connection(("127.0.0.1", port), 5)
            client.sendall(chance.randbytes(chance.randrange(1, 400)))
            time.sleep(chance.random() * 0.1)
            client.close()
            continue
        client = subprocess.Popen(
            ["spicy-stats", f"--uri=spice://127.0.0.1:{port}"] if kind < 3 else
            ["spicy-screenshot", "-h", "127.0.0.1", "-p", str(port), "-o", "/dev/null"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.5)
        if kind == 2:
            client.send_signal(signal.SIGSTOP)
            stopped.append(client)
            if len(stopped) > 3:
                victim = stopped.pop(0)
                victim.kill()
                victim.wait()
        else:
            client.kill()
            client.wait()
    for client in stopped:
        client.kill()
        client.wait()


def memory_kb(vm):
    """Anonymous memory of the host, without what is the machine's: its RAM, its video memory and its
    translated code are large mappings of their own, and fill as the guest goes on."""
    total, size = 0, 0
    with open(f"/proc/{vm.process.pid}/smaps") as maps:
        for line in maps:
            if line.startswith("Size:"):
                size = int(line.split()[1])
            elif line.startswith("Anonymous:") and size < 60 * 1024:
                total += int(line.split()[1])
    return total


def check_guest_did_not_wait(vm):
    """Of a machine with debug messages of the server: no draw waited as long as clients stopped."""
    with open(os.path.join(vm.folder, "stderr.log"), errors="replace") as log:
        longest = int(re.findall(r"longest publishing (\d+) us", log.read())[-1])
    print(f"# the guest's draws were published in {longest} us at most")
    check(longest < 1000 * 1000, "a draw of the guest waited as long as clients were stopped")


def test_a_storm_of_clients_disturbs_nobody():
    vm, port = boot("ours", "storm", guest=GUEST,
                    env=dict(os.environ, G_MESSAGES_DEBUG="spice-server"))
    steady = subprocess.Popen(["spicy-stats", f"--uri=spice://127.0.0.1:{port}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        calm = rate(vm)
        fds = len(os.listdir(f"/proc/{vm.process.pid}/fd"))
        vm.serial.sendall(b"(while true; do cat /bin/busybox >/dev/fb0; done) 2>/dev/null & echo $! "
                          b">/tmp/pid\n")
        sizes = []
        for _ in range(5):
            storm(vm, port, 200 if LONG else 10)
            sizes.append(memory_kb(vm))
        vm.run("kill $(cat /tmp/pid)")
        time.sleep(1.5)
        fds_after = len(os.listdir(f"/proc/{vm.process.pid}/fd"))
        print(f"# memory after each fifth of the storm: {sizes} kB; descriptors {fds}, {fds_after}")
        check(vm.process.poll() is None, "QEMU ended")
        check(steady.poll() is None, "the steady client was dropped")
        check(fds_after <= fds + 2, f"descriptors leak: {fds} {fds_after}")
        # it goes up and down with what the guest draws: what leaks is still there later
        check(min(sizes[3:]) - max(sizes[:2]) < 16 * 1024, f"memory leaks: {sizes}")
        stopped = subprocess.Popen(["spicy-stats", f"--uri=spice://127.0.0.1:{port}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        stopped.send_signal(signal.SIGSTOP)
        beside = rate(vm)
        stopped.kill()
        stopped.wait()
        print(f"# screens written in the guest: {calm} with one client, {beside} beside a stopped one")
        check(beside * 2 > calm, "the guest waits for a stopped client")
        time.sleep(0.5)
        check_guest_did_not_wait(vm)
        vm.run(BLANK)
        vm.run(SCROLL)
        time.sleep(0.5)
        views(vm, port, "after-storm")
    finally:
        steady.kill()
        steady.wait()
        close(vm)


def session(port, number):
    """A client of one kind or the other, that looks on."""
    command = (["spicy-stats", f"--uri=spice://127.0.0.1:{port}"] if number % 2 else
               ["gst-launch-1.0", "-q", "spicesrc", f"location=spice://127.0.0.1:{port}", "!",
                "fakesink"])
    return subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def test_sessions_for_long_cost_no_more_memory():
    """Many sessions while the guest draws without end; one is replaced now and then, one stopped."""
    seconds = int(os.environ.get("SPICE_SOAK_SECONDS", 3600 if LONG else 15))
    vm, port = boot("ours", "soak", guest=GUEST,
                    env=dict(os.environ, G_MESSAGES_DEBUG="spice-server"))
    sessions = [session(port, number) for number in range(20 if LONG else 4)]
    try:
        time.sleep(2)
        # an hour at an office's pace, that other work goes on beside it; seconds without any
        pause = "3" if LONG else "0.1"
        vm.serial.sendall(b"(while true; do cat /bin/busybox >/dev/fb0; for i in 1 2 3 4; do "
                          b"ls -l /bin >/dev/tty1; sleep %s; done; done) 2>/dev/null & "
                          b"echo $! >/tmp/pid\n" % pause.encode())
        sizes = []
        for turn in range(20):
            stopped, replaced = sessions[turn % len(sessions)], (turn + 1) % len(sessions)
            stopped.send_signal(signal.SIGSTOP)
            sessions[replaced].kill()
            sessions[replaced].wait()
            sessions[replaced] = session(port, turn)
            time.sleep(seconds / 20)
            stopped.send_signal(signal.SIGCONT)
            sizes.append(memory_kb(vm))
            check(vm.process.poll() is None, "QEMU ended")
        vm.run("kill $(cat /tmp/pid)")
        check(all(client.poll() is None for client in sessions), "a session ended")
        print(f"# memory in {seconds} s of {len(sessions)} sessions: {sizes} kB")
        check(min(sizes[15:]) - max(sizes[5:10]) < 16 * 1024, f"memory grows: {sizes}")
        check(rate(vm) > 0, "the guest does not draw any more")
        check_guest_did_not_wait(vm)
    finally:
        for client in sessions:
            client.kill()
            client.wait()
        close(vm)


# Pointer

READ_EVENTS = ("n=0; for f in /dev/input/event*; do (timeout 240 cat $f >/tmp/ev.$n 2>/dev/null &); "
               "n=$((n+1)); done; sleep 1")


def events(vm):
    """(type, code, value) of all that the guest's input devices said since READ_EVENTS. The serial
    line garbles a character now and then: what is not whole is read again."""
    found = {}
    for _ in range(20):
        text = vm.run("for f in /tmp/ev.*; do echo size ${f##*.} $(wc -c <$f) end; done")
        sizes = re.findall(r"size (\d+) (\d+) end", text)
        text = vm.run("for f in /tmp/ev.*; do hexdump -v -e '24/1 \"%02x\" \"\\n\"' $f | "
                      "awk -v f=${f##*.} '{ print f \":\" NR \":\" $0 \":end\" }'; done")
        for device, number, record in re.findall(r"\b(\d+):(\d+):([0-9a-f]{48}):end", text):
            found.setdefault((int(device), int(number)), bytes.fromhex(record))
        if sizes and all((int(device), number) in found for device, size in sizes
                         for number in range(1, int(size) // 24 + 1)):
            return [(int.from_bytes(raw[16:18], "little"), int.from_bytes(raw[18:20], "little"),
                     int.from_bytes(raw[20:24], "little", signed=True))
                    for _, raw in sorted(found.items())]
    raise Failure("the guest's events could not be read")


def with_viewer(vm, port, act):
    """Lets a viewer of ours stand in a window; `act` gets its X server and window."""
    xvfb = Xvfb()
    viewer = subprocess.Popen([os.path.join(BUILD, "client", "spice-view"),
                               f"spice://127.0.0.1:{port}"], env=xvfb.environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        window = wait_until(lambda: xvfb.window_of_size(1024, 768), 60, "window")
        xvfb.xdotool("windowfocus", "--sync", window)
        time.sleep(1)
        act(xvfb, window)
    finally:
        viewer.terminate()
        viewer.wait()
        xvfb.close()


def test_both_mouse_modes():
    vm, port = boot("ours", "mouse", guest=GUEST, modules="ehci-pci usbhid hid-generic",
                    extra=["-device", "usb-ehci,id=eh", "-device", "usb-tablet,bus=eh.0,id=tab"])
    absolute, relative, button = 3, 2, 1
    try:
        vm.run(READ_EVENTS)  # a tablet counts from when somebody in the guest reads it
        wait_until(lambda: any(mouse["absolute"] and mouse["current"]
                               for mouse in vm.qmp("query-mice")), 30, "tablet of the guest's")

        # the tablet's range is 0 to 32767 over the screen's pixels
        expect_x, expect_y = 511 * 32767 // 1023, 383 * 32767 // 767

        def has_clicked_there():
            seen = events(vm)
            places = [(code, value) for kind, code, value in seen if kind == absolute]
            return (any(code == 0 and abs(value - expect_x) <= 40 for code, value in places) and
                    any(code == 1 and abs(value - expect_y) <= 50 for code, value in places) and
                    (button, 272, 1) in seen and (button, 272, 0) in seen)

        def point(xvfb, window):
            wait_until(lambda: vm.qmp("query-spice")["mouse-mode"] == "client", 20, "client mode")
            for x, y in ((100, 100), (1023, 767), (0, 0), (511, 383)):
                xvfb.xdotool("mousemove", "--window", window, str(x), str(y))
                time.sleep(0.3)
            xvfb.xdotool("click", "1")
            wait_until(has_clicked_there, 20, f"click at {expect_x},{expect_y} of the tablet")
        with_viewer(vm, port, point)
        vm.qmp("device_del", id="tab")
        wait_until(lambda: vm.qmp("query-spice")["mouse-mode"] == "server", 10, "server mode")
        vm.run("rm -f /tmp/ev.*; pkill cat")
        vm.run(READ_EVENTS)

        def motion():
            seen = events(vm)
            return tuple(sum(value for kind, code, value in seen if (kind, code) == (relative, axis))
                         for axis in (0, 1))

        def move(xvfb, window):
            xvfb.xdotool("mousemove", "--window", window, "500", "400")
            xvfb.xdotool("click", "1")  # captures the pointer
            wait_until(lambda: "Shift+F12" in xvfb.xdotool("getwindowname", window)[1], 20,
                       "captured pointer")
            for _ in range(20):
                xvfb.xdotool("mousemove_relative", "--", "7", "-3")
                time.sleep(0.05)
            try:
                wait_until(lambda: motion() == (140, -60), 20, "whole motion")
            finally:
                print("# motion of 140,-60 came as", *motion())
        with_viewer(vm, port, move)
    finally:
        close(vm)


# Xspice

def xspice_picture(which):
    """A desktop with a terminal that scrolled, and dialogs that were moved about."""
    server = Xspice(file(f"xspice-{which}"), LIBRARIES[which])
    try:
        server.start("openbox")
        time.sleep(0.5)
        server.start("xsetroot", "-solid", "#204060").wait()
        server.start("xterm", "-geometry", "80x24+20+20", "-bc", "+bc", "-e", "sh", "-c",
                     "i=0; while [ $i -lt 200 ]; do echo line $i of the text; i=$((i+1)); done; "
                     "printf '\\033[?25l'; sleep 60")
        # Curves, and what Render blends.
        server.start("xeyes", "-geometry", "160x120+760+30")
        server.start("xlogo", "-render", "-geometry", "140x140+760+220")
        server.start("zenity", "--info", "--title=notice", "--text=A GTK program, drawn through QXL",
                     "--width=360")
        wait_until(lambda: run(["xdotool", "search", "--name", "notice"],
                               env=environment(DISPLAY=server.display))[0] == 0, 20, "dialog")
        time.sleep(1)
        for x, y in ((300, 200), (500, 350), (200, 420)):
            run(["xdotool", "search", "--name", "notice", "windowmove", str(x), str(y)],
                env=environment(DISPLAY=server.display))
            time.sleep(0.4)
        for width, height in ((500, 260), (420, 180)):
            run(["xdotool", "search", "--name", "notice", "windowsize", str(width), str(height)],
                env=environment(DISPLAY=server.display))
            time.sleep(0.4)
        run(["xdotool", "mousemove", "900", "700"], env=environment(DISPLAY=server.display))
        time.sleep(1.5)
        out = file(f"xspice-{which}.ppm")
        spicy_screenshot(out, server.port)
        run(["import", "-display", server.display, "-window", "root",
             file(f"xspice-{which}-x.png")])
        check_equal(out, file(f"xspice-{which}-x.png"), f"Xspice on {which}: its own picture")
        status, lines = shot(file(f"xspice-{which}-src.ppm"), "--location",
                             f"spice://127.0.0.1:{server.port}")
        check(status == 0, "\n".join(lines))
        check_equal(file(f"xspice-{which}-src.ppm"), out, f"Xspice on {which}: spicesrc")
        return out
    finally:
        server.close()


def test_xspice_shows_the_same():
    check_equal(xspice_picture("ours"), xspice_picture("field"), "Xspice: ours and the field's")


tests = [test_the_97_names_stand_under_their_versions, test_qxl_shows_the_same_at_each_point,
         test_virtio_gpu_shows_the_same_at_each_point, test_starts_and_serves_in_a_sandbox,
         test_memory_at_the_first_picture,
         test_tls_secure_channels_and_a_unix_socket, test_remote_viewer_types_into_the_guest,
         test_both_mouse_modes, test_xspice_shows_the_same,
         test_qmp_answers_as_on_the_fields_library, test_stop_cont_and_quit_while_clients_draw,
         test_a_storm_of_clients_disturbs_nobody, test_sessions_for_long_cost_no_more_memory]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
