# SPDX-License-Identifier: LGPL-2.1-or-later
"""spicesink against spice-gtk and remote-viewer: they see, to the pixel, the desktop that it
serves; by each way in, in each mode of image compression, however it changes."""
import base64
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import (BUILD, LONG, SANITIZED_BUILD, SOURCE, WORK, Failure, Xvfb, check, check_equal,
                     environment, picture, run, run_tests, shot, spicy_screenshot,
                     window_shows)
from vm import accepts, free_port, wait_until

LSAN = "suppressions=" + os.path.join(SOURCE, "tests", "interop", "lsan.supp")


def file(name):
    return os.path.join(WORK, name)


class Steps:
    """A desktop that changes on command (steps.c)."""

    def __init__(self, *arguments, build=BUILD, port=0):
        program = os.path.join(build, "tests", "interop", "steps")
        properties = list(arguments)
        if port is not None:
            properties.append(f"port={port}")
        self.process = subprocess.Popen(
            [program, *properties], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(build, LSAN_OPTIONS=LSAN, ASAN_OPTIONS="fast_unwind_on_malloc=0"))
        line = self.process.stdout.readline().decode()
        check(line.startswith("port "), f"steps did not start: {line}"
                                        f"{self.process.stderr.read().decode() if not line else ''}")
        self.port = int(line.split()[1])

    def tell(self, command):
        """Gives a command; the lines that come before its "ok"."""
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline().decode().strip()
            check(self.process.poll() is None or line, "steps died: "
                                                       f"{self.process.returncode}")
            if line == "ok":
                return lines
            lines.append(line)

    def close(self):
        """Ends it; its end has to be clean."""
        self.process.stdin.close()
        status = self.process.wait(timeout=60)
        text = self.process.stderr.read().decode()
        check(status == 0, f"steps ended with {status}: {text[-3000:]}")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.close()


def same_picture(steps, name, **where):
    """spice-gtk and spicesrc get the desktop as it is."""
    truth = file(name + "-truth.ppm")
    steps.tell("save " + truth)
    spicy_screenshot(file(name + "-spicy.ppm"), **where)
    check_equal(file(name + "-spicy.ppm"), truth, f"{name}: spicy-screenshot")
    location = where.get("uri") or f"spice://127.0.0.1:{where['port']}"
    status, lines = shot(file(name + "-ours.ppm"), "--location", location)
    check(status == 0, "\n".join(lines))
    check_equal(file(name + "-ours.ppm"), truth, f"{name}: spicesrc")


# Ways in

def test_tcp():
    with Steps() as steps:
        same_picture(steps, "tcp", port=steps.port)
        steps.tell("step 50 2")
        same_picture(steps, "tcp-changed", port=steps.port)


def test_unix_socket():
    path = file("spice.sock")
    with Steps("unix-path=" + path, port=None) as steps:
        steps.tell("step 20 2")
        same_picture(steps, "unix", uri="spice+unix://" + path)
    check(not os.path.exists(path), "the socket's file is left")


def make_certificates():
    folder = file("tls")
    if not os.path.isdir(folder):
        os.makedirs(folder)
        for command in (
                "req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca-cert.pem -days 9 "
                "-subj /CN=TestCA -addext basicConstraints=critical,CA:true",
                "req -newkey rsa:2048 -nodes -keyout server-key.pem -out server.csr "
                "-subj /CN=localhost",
                "x509 -req -in server.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial "
                "-days 9 -out server-cert.pem -extfile ext.cnf"):
            with open(os.path.join(folder, "ext.cnf"), "w") as ext:
                ext.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
            status, text = run(["openssl", *command.split()], cwd=folder)
            check(status == 0, text)
    return folder


def test_tls_and_ticket():
    folder = make_certificates()
    with Steps("tls-port=0", "ticket=open sesame", f"tls-cert-file={folder}/server-cert.pem",
               f"tls-key-file={folder}/server-key.pem", port=None) as steps:
        # steps prints the plain port only: find the other
        port = tls_port(steps)
        truth = file("tls-truth.ppm")
        steps.tell("step 20 2")
        steps.tell("save " + truth)
        with open(os.path.join(folder, "ca-cert.pem")) as ca:
            authority = ca.read().replace("\n", "\\n")
        with open(file("tls.vv"), "w") as vv:
            vv.write(f"[virt-viewer]\ntype=spice\nhost=127.0.0.1\ntls-port={port}\n"
                     f"password=open sesame\nca={authority}\nsecure-channels=all\n")
        xvfb = Xvfb()
        viewer = subprocess.Popen(["remote-viewer", file("tls.vv")], env=xvfb.environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            window_shows(xvfb, truth, "remote-viewer by TLS")
        finally:
            viewer.terminate()
            viewer.wait()
            xvfb.close()
        ours = ("--location", f"spice+tls://127.0.0.1:{port}", "--ca-file",
                f"{folder}/ca-cert.pem")
        status, lines = shot(file("tls-ours.ppm"), *ours, "--password", "open sesame")
        check(status == 0, "\n".join(lines))
        check_equal(file("tls-ours.ppm"), truth, "spicesrc by TLS")
        status, lines = shot(file("tls-wrong.ppm"), *ours, "--password", "sesame")
        check(status == 1 and " 15 " in "\n".join(lines), f"a wrong ticket: {lines}")


def handshake(port, *options, ask=b""):
    """What openssl's client says of the handshake, and of `ask` after it."""
    client = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cipher",
                             "ALL:@SECLEVEL=0", *options], input=ask, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=20, check=False)
    return client.stdout.decode(errors="replace")


def test_tls_is_new_and_shaken_on_once():
    """Old versions are refused, and so is a client that wants to shake hands again and again."""
    folder = make_certificates()
    with Steps("tls-port=0", f"tls-cert-file={folder}/server-cert.pem",
               f"tls-key-file={folder}/server-key.pem", port=None) as steps:
        port = tls_port(steps)
        for version, good in (("-tls1", False), ("-tls1_1", False), ("-tls1_2", True),
                              ("-tls1_3", True)):
            said = handshake(port, version)
            check(("Cipher is (NONE)" not in said and "BEGIN CERTIFICATE" in said) == good,
                  f"{version}: {said[-600:]}")
        said = handshake(port, "-tls1_2", ask=b"R\n")
        check("RENEGOTIATING" in said and "no renegotiation" in said,
              f"a second handshake: {said[-600:]}")
        status, lines = shot(file("after.ppm"), "--location", f"spice+tls://127.0.0.1:{port}",
                             "--ca-file", f"{folder}/ca-cert.pem")
        check(status == 0, "\n".join(lines))
    with Steps("tls-port=0", f"tls-cert-file={folder}/server-cert.pem",
               f"tls-key-file={folder}/server-key.pem",
               "tls-ciphers=ECDHE-RSA-AES256-GCM-SHA384", port=None) as steps:
        port = tls_port(steps)
        for cipher, good in (("ECDHE-RSA-AES256-GCM-SHA384", True),
                             ("ECDHE-RSA-AES128-GCM-SHA256", False)):
            said = handshake(port, "-tls1_2", "-cipher", cipher)
            check((f"Cipher is {cipher}" in said) == good, f"{cipher}: {said[-600:]}")


def tls_port(steps):
    """The port that a process listens on."""
    inodes = {os.readlink(f"/proc/{steps.process.pid}/fd/{fd}")
              for fd in os.listdir(f"/proc/{steps.process.pid}/fd")
              if os.path.islink(f"/proc/{steps.process.pid}/fd/{fd}")}
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                return int(fields[1].split(":")[1], 16)
    raise Failure("it does not listen")


# WebSocket

class WebSocket:
    """A browser's side, as spice-html5 does it: protocol "binary", one frame a write."""

    def __init__(self, port, origin, path="/", tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        if tls:
            context = ssl.create_default_context(
                cafile=os.path.join(make_certificates(), "ca-cert.pem"))
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                             "User-Agent: Mozilla/5.0\r\nConnection: keep-alive, Upgrade\r\n"
                             f"Origin: {origin}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: binary\r\n"
                             "Upgrade: websocket\r\n\r\n").encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                break
            answer += byte
        self.status = answer.split(b" ")[1].decode() if b" " in answer else ""
        accept = base64.b64encode(hashlib.sha1(
            (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        self.accepted = b"Sec-WebSocket-Accept: " + accept in answer and \
            b"Sec-WebSocket-Protocol: binary" in answer
        self.buffer = b""

    def send(self, data):
        mask = os.urandom(4)
        size = len(data)
        head = bytes([0x82]) + (bytes([0x80 | size]) if size < 126
                                else bytes([0xfe]) + struct.pack(">H", size))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def raw(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            check(more, "the server closed the WebSocket")
            data += more
        return data

    def receive(self, n):
        while len(self.buffer) < n:
            first, size = self.raw(2)
            check(first == 0x82, f"a frame that is not binary: {first:x}")
            if size == 126:
                size = struct.unpack(">H", self.raw(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.raw(8))[0]
            self.buffer += self.raw(size)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data


def encrypt_ticket(public_key, ticket):
    """A ticket as a client sends it, by OpenSSL."""
    with open(file("key.der"), "wb") as out:
        out.write(public_key)
    process = subprocess.run(
        ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", file("key.der"),
         "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"],
        input=ticket + b"\0", stdout=subprocess.PIPE, check=True)
    return process.stdout


def link(stream, channel_type, channel_id=0, connection_id=0, ticket=b""):
    """The link of one channel over anything with send() and receive(); its result."""
    common = 1 << 0 | 1 << 1 | 1 << 3
    mess = struct.pack("<IBBIII", connection_id, channel_type, channel_id, 1, 0, 18)
    mess += struct.pack("<I", common)
    stream.send(struct.pack("<4sIII", b"REDQ", 2, 2, len(mess)) + mess)
    magic, major, minor, size = struct.unpack("<4sIII", stream.receive(16))
    check(magic == b"REDQ", "no SPICE reply")
    reply = stream.receive(size)
    check(struct.unpack("<I", reply[:4])[0] == 0, "the link was refused")
    stream.send(struct.pack("<I", 1) + encrypt_ticket(reply[4:166], ticket))
    return struct.unpack("<I", stream.receive(4))[0]


def test_websocket_of_a_browser():
    with Steps("websocket=true", "ticket=t") as steps:
        same = f"http://127.0.0.1:{steps.port}"
        web = WebSocket(steps.port, same)
        check(web.status == "101" and web.accepted, f"the upgrade was refused: {web.status}")
        check(link(web, 1, ticket=b"t") == 0, "the ticket was refused")
        kind, size = struct.unpack("<HI", web.receive(6))
        check((kind, size) == (103, 32), f"no INIT but {kind}")
        session = struct.unpack("<I", web.receive(32)[:4])[0]
        check(session != 0, "a session without id")
        # a display on a second WebSocket, up to its first picture
        display = WebSocket(steps.port, same)
        check(link(display, 2, connection_id=session, ticket=b"t") == 0, "no display")
        display.send(struct.pack("<HI", 101, 14) + struct.pack("<BqBi", 1, 1 << 20, 1, 1 << 20))
        kinds = []
        while 102 not in kinds:  # MARK
            kind, size = struct.unpack("<HI", display.receive(6))
            display.receive(size)
            kinds.append(kind)
        check(314 in kinds and 304 in kinds, f"no surface or picture: {kinds}")
        foreign = WebSocket(steps.port, "http://evil.example")
        check(foreign.status == "403", f"a foreign page got {foreign.status}")
        # and SPICE itself goes on as before
        status, lines = shot(file("beside-websocket.ppm"), "--location",
                             f"spice://127.0.0.1:{steps.port}", "--password", "t")
        check(status == 0, "\n".join(lines))
    folder = make_certificates()
    with Steps("websocket=true", "tls-port=0", f"tls-cert-file={folder}/server-cert.pem",
               f"tls-key-file={folder}/server-key.pem", port=None) as steps:
        port = tls_port(steps)
        web = WebSocket(port, f"https://127.0.0.1:{port}", tls=True)
        check(web.status == "101" and web.accepted, f"the upgrade by TLS was refused: {web.status}")
        check(link(web, 1) == 0, "no link over a WebSocket over TLS")
        check(struct.unpack("<HI", web.receive(6)) == (103, 32), "no INIT")
    with Steps() as steps:
        web = socket.create_connection(("127.0.0.1", steps.port), 10)
        web.sendall(b"GET / HTTP/1.1\r\n\r\n")
        check(not web.recv(4096).startswith(b"HTTP"), "a WebSocket though nobody asked for it")


# Modes

MODES = ["adaptive", "off", "auto-glz", "auto-lz", "quic", "glz", "lz", "lz4"]


def watch_changes(mode, *properties, changes=150, name=None):
    """A client of each kind that is there through many changes ends with the exact picture."""
    name = name or mode
    go = file("go-" + name)
    result = {}
    with Steps("image-compression=" + mode, *properties) as steps:
        def watch():
            result["ours"] = shot(file(name + "-live.ppm"), "--location",
                                  f"spice://127.0.0.1:{steps.port}", "--until", go, "--max",
                                  "60000", "--settle", "700", "--stats", seconds=90)
        xvfb = Xvfb()
        viewer = subprocess.Popen(["spicy", "-h", "127.0.0.1", "-p", str(steps.port)],
                                  env=xvfb.environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        watcher = threading.Thread(target=watch)
        try:
            watcher.start()
            time.sleep(1.5)
            steps.tell(f"step {changes} 8")
            truth = file(name + "-truth.ppm")
            steps.tell("save " + truth)
            open(go, "w").close()
            watcher.join()
            status, lines = result["ours"]
            check(status == 0, "\n".join(lines))
            check_equal(file(name + "-live.ppm"), truth, f"{name}: spicesrc through all")
            window_shows(xvfb, truth, name + "-window")
        finally:
            viewer.terminate()
            viewer.wait()
            xvfb.close()
        return lines


def make_mode_test(mode):
    def test():
        lines = watch_changes(mode)
        stats = [line for line in lines if "images-" in line][0]
        print("# " + " ".join(part.strip() for part in stats.split(",")
                              if "images-" in part and ")0" not in part)[:300])
    test.__name__ = "test_changes_with_" + mode.replace("-", "_")
    return test


def test_two_displays_of_one_dictionary():
    with Steps("--displays=2", "image-compression=glz") as steps:
        result = {}

        def watch(number):
            result[number] = shot(file(f"two-{number}.ppm"), "--location",
                                  f"spice://127.0.0.1:{steps.port}", "--all", "--monitor",
                                  str(number), "--until", file("go-two"), "--max", "60000",
                                  "--settle", "700", seconds=90)
        watchers = [threading.Thread(target=watch, args=(n,)) for n in range(2)]
        for watcher in watchers:
            watcher.start()
        time.sleep(1)
        steps.tell("step 100 8")
        steps.tell("save " + file("two-truth"))
        open(file("go-two"), "w").close()
        for watcher in watchers:
            watcher.join()
        for number in range(2):
            status, lines = result[number]
            check(status == 0, "\n".join(lines))
            check_equal(file(f"two-{number}.ppm"),
                        file("two-truth" + (".1" if number else "")), f"display {number}")


def test_lossy_is_refreshed():
    """JPEG at first, exact when it is still."""
    lines = watch_changes("auto-lz", "jpeg-wan-compression=always", name="lossy")
    check(any("images-jpeg=" in line and "images-jpeg=(guint64)0," not in line for line in lines),
          "no JPEG was sent")


def test_dictionary_under_zlib():
    lines = watch_changes("glz", "zlib-glz-wan-compression=always", name="zlib")
    check(any("images-zlib-glz" in line and "images-zlib-glz-rgb=(guint64)0," not in line
              for line in lines), "no ZLIB_GLZ_RGB was sent:\n" + "\n".join(lines)[-1500:])


# Viewer

def test_remote_viewer_shows_a_test_picture():
    port = free_port()
    xvfb = Xvfb()
    server = subprocess.Popen(
        ["gst-launch-1.0", "-q", "videotestsrc", "pattern=smpte75", "!",
         "video/x-raw,width=640,height=480,framerate=10/1", "!", "videoconvert", "!", "spicesink",
         f"port={port}", "address=127.0.0.1"], env=environment())
    wait_until(lambda: accepts(port), 20, "server")
    viewer = subprocess.Popen(["remote-viewer", f"spice://127.0.0.1:{port}"],
                              env=xvfb.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        spicy_screenshot(file("bars.ppm"), port)
        status, text = run(["gst-launch-1.0", "-q", "videotestsrc", "pattern=smpte75",
                            "num-buffers=1", "!", "video/x-raw,width=640,height=480,format=BGRx",
                            "!", "videoconvert", "!", "pnmenc", "!", "filesink",
                            "location=" + file("bars-truth.ppm")])
        check(status == 0, text)
        check_equal(file("bars.ppm"), file("bars-truth.ppm"), "spicy-screenshot")
        window_shows(xvfb, file("bars-truth.ppm"), "remote-viewer")
    finally:
        viewer.terminate()
        viewer.wait()
        server.terminate()
        server.wait()
        xvfb.close()


# Clean under the sanitizers

def test_clean_under_sanitizers():
    with Steps("image-compression=adaptive", build=SANITIZED_BUILD) as steps:
        for number in range(100 if LONG else 10):
            steps.tell("step 5 5")
            spicy_screenshot(file("sanitized.ppm"), steps.port)
        same_picture(steps, "sanitized", port=steps.port)


tests = [test_tcp, test_unix_socket, test_tls_and_ticket, test_tls_is_new_and_shaken_on_once,
         test_websocket_of_a_browser,
         *(make_mode_test(mode) for mode in MODES), test_two_displays_of_one_dictionary,
         test_lossy_is_refreshed, test_dictionary_under_zlib,
         test_remote_viewer_shows_a_test_picture,
         test_clean_under_sanitizers]

if __name__ == "__main__":
    import sys
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
