# SPDX-License-Identifier: LGPL-2.1-or-later
"""The link simulator passes on all bytes in order, none earlier than the link would have."""
import fcntl
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

SIMULATOR = sys.argv[1]
tests, failures = 0, 0


def ok(condition, what):
    global tests, failures
    tests += 1
    failures += not condition
    print(f"{'ok' if condition else 'not ok'} {tests} - {what}", flush=True)


class Link:
    def __init__(self, *options):
        self.process = subprocess.Popen([SIMULATOR, *map(str, options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.where = self.process.stdout.readline().split()[1]

    def tell(self, line):
        """A line of options; what it prints."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def close(self):
        """Bytes down and up."""
        self.process.send_signal(signal.SIGTERM)
        words = self.process.communicate(timeout=60)[0].split()
        if self.process.returncode != 0:
            raise RuntimeError(f"the simulator ended with {self.process.returncode}")
        return int(words[1]), int(words[3])


class Server:
    """Answers each connection with `reply`, and keeps what came."""

    def __init__(self, reply=b"", path=None):
        self.reply, self.got = reply, []
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen()
        self.port = path or self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.answer, args=[client], daemon=True).start()

    def answer(self, client):
        sender = threading.Thread(target=self.send, args=[client])
        sender.start()
        got = []
        while data := client.recv(65536):
            got.append(data)
        sender.join()
        self.got.append(hashlib.sha256(b"".join(got)).digest())
        client.close()

    def send(self, client):
        client.sendall(self.reply)
        client.shutdown(socket.SHUT_WR)


def connect(where):
    client = socket.socket(socket.AF_INET if where.isdigit() else socket.AF_UNIX)
    client.settimeout(60)
    client.connect(("127.0.0.1", int(where)) if where.isdigit() else where)
    return client


def read_all(client):
    parts = []
    while data := client.recv(65536):
        parts.append(data)
    return b"".join(parts)


def exchange(where, data):
    """Sends, and what comes."""
    client = connect(where)
    reader = []
    thread = threading.Thread(target=lambda: reader.append(read_all(client)))
    thread.start()
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    thread.join()
    client.close()
    return reader[0]


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_bytes_and_order():
    generator = random.Random(1)
    reply, data = generator.randbytes(700000), generator.randbytes(500000)
    server = Server(reply)
    link = Link("--rate", "50mbit", "--delay", "2ms", "--jitter", "5ms", "--loss", "1%", "--seed",
                7, server.port)
    came = [None] * 3
    threads = [threading.Thread(target=lambda i=i: came.__setitem__(i, exchange(link.where, data)))
               for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ok(came == [reply] * 3, "three connections each get all bytes in order")
    ok(wait_for(lambda: len(server.got) == 3) and
       set(server.got) == {hashlib.sha256(data).digest()}, "and so does the server")
    ok(link.close() == (3 * len(reply), 3 * len(data)), "the bytes of each way are told at the end")


def test_rate_and_change():
    server = Server(bytes(60000))
    link = Link("--rate", "1mbit", server.port)
    start = time.monotonic()
    read_all(connect(link.where))
    took = time.monotonic() - start
    ok(took > 60000 * 8 / 1e6 * 0.95, f"60000 bytes take half a second at 1 Mbit/s: {took:.3f} s")
    print(f"# {60000 * 8 / took / 1e6:.3f} Mbit/s")
    words = link.tell("--rate 200kbit --delay 5ms")
    ok(words[:2] == ["down", "60000"], f"a change is answered with what passed: {words}")
    start = time.monotonic()
    read_all(connect(link.where))
    took = time.monotonic() - start
    ok(took > 60000 * 8 / 2e5 * 0.95, f"and counts from then on: {took:.3f} s")
    link.close()


def test_delay():
    server = Server(b"hello")
    link = Link("--delay", "80ms", server.port)
    waits = []
    for _ in range(5):
        start = time.monotonic()
        client = connect(link.where)
        came = client.recv(100)
        waits.append(time.monotonic() - start)
        client.close()
    ok(came == b"hello" and min(waits) >= 0.08, f"nothing comes before the delay: {min(waits):.3f} s")
    link.close()


def test_back_pressure():
    listener = socket.create_server(("127.0.0.1", 0))
    link = Link("--rate", "400kbit", listener.getsockname()[1])
    client = connect(link.where)
    server, _ = listener.accept()
    server.setblocking(False)
    sent = 0
    start = time.monotonic()
    for _ in range(40):
        try:
            sent += server.send(bytes(1000000))
        except BlockingIOError:
            time.sleep(0.005)
    seconds = time.monotonic() - start
    # What left the sender's kernel is what the link passed and its short queue, not a megabyte.
    unacknowledged = int.from_bytes(fcntl.ioctl(server, termios.TIOCOUTQ, bytes(4)), "little")
    ok(sent - unacknowledged < 30000 + 50000 * seconds,
       f"what the link does not take yet stays with the sender: {unacknowledged} of {sent}")
    client.close()
    server.close()
    link.close()


def test_unix():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(b"x" * 1000, path=folder + "/server")
        link = Link("--listen", folder + "/link", server.port)
        ok(exchange(link.where, b"y") == b"x" * 1000, "unix sockets on both sides")
        link.close()
        ok(not os.path.exists(folder + "/link"), "its socket goes with it")


def test_gone():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    link = Link(port)
    client = connect(link.where)
    server, _ = listener.accept()
    client.close()
    server.settimeout(60)
    ok(server.recv(100) == b"", "a client's end is told to the server")
    server.close()
    listener.close()
    client = connect(link.where)
    try:
        ended = client.recv(100) == b""
    except ConnectionError:
        ended = True
    ok(ended, "without a server there is no connection")
    link.close()


for test in [value for name, value in list(globals().items()) if name.startswith("test_")]:
    test()
print(f"1..{tests}")
sys.exit(1 if failures else 0)
