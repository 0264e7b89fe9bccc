# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays a recorded SPICE session to a client: a server that says on each channel what the recorded
one said. It cannot read the client's ticket (the recorded key's other half is unknown) and takes
any."""
import gzip
import os
import socket
import struct
import threading

LINK_HEADER = struct.Struct("<4sIII")
CHANNEL_NAMES = {1: "main", 2: "display", 3: "inputs", 4: "cursor", 5: "playback", 6: "record",
                 8: "smartcard", 9: "usbredir", 10: "port", 11: "webdav"}
TICKET = 4 + 128  # auth mechanism and encrypted password
RESULT = 4


def receive(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("client closed")
        data += piece
    return data


def read_marks(folder):
    """{mark: {channel file stem: offset}} in order, as the recording has them."""
    marks = {}
    with open(os.path.join(folder, "marks.tsv")) as f:
        for line in f:
            fields = line.rstrip("\n").split("\t")
            if fields[0] != "mark":
                marks.setdefault(fields[0], {})[fields[2]] = int(fields[3])
    return marks


def read_picture(path):
    """(width, height, RGB bytes) of a gzipped or plain binary PPM."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        data = f.read()
    magic, width, height, maximum = data.split(maxsplit=4)[:4]
    header = 0
    fields = 0
    while fields < 4:  # magic, width, height, maximum, each followed by white space
        while data[header:header + 1].isspace():
            header += 1
        while not data[header:header + 1].isspace():
            header += 1
        fields += 1
    return int(width), int(height), data[header + 1:]


class ReplayServer:
    """Serves `folder` on a port of 127.0.0.1. `stop_at` maps channel file stems ("display-0") to
    the offset in their .s2c up to which they are played; others are played to their end.
    `cut` closes each played-out channel instead of leaving it open."""

    def __init__(self, folder, stop_at=None, cut=False):
        self.folder = folder
        self.stop_at = stop_at or {}
        self.cut = cut
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        self.played = {}  # stem -> threading.Event
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            _, _, _, size = LINK_HEADER.unpack(receive(sock, LINK_HEADER.size))
            mess = receive(sock, size)
            stem = f"{CHANNEL_NAMES.get(mess[4])}-{mess[5]}"
            path = os.path.join(self.folder, stem + ".s2c")
            if not os.path.exists(path):
                sock.close()
                return
            with open(path, "rb") as f:
                data = f.read()[:self.stop_at.get(stem)]
            reply = LINK_HEADER.size + LINK_HEADER.unpack(data[:LINK_HEADER.size])[3]
            sock.sendall(data[:reply])
            receive(sock, TICKET)
            sock.sendall(data[reply:])
            self.played.setdefault(stem, threading.Event()).set()
            if self.cut:
                sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except (OSError, ConnectionError):
            pass

    def close(self):
        self.listener.close()
        for sock in self.sockets:
            sock.close()
