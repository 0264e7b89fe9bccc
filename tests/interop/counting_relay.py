# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passes connections on to a server, and counts the bytes that come back on each type of channel, which the client
names in its first message."""
import contextlib
import socket
import struct
import threading

from replay import CHANNEL_NAMES, LINK_HEADER, receive


class CountingRelay:
    def __init__(self, server_port):
        self.server_port = server_port
        self.counts = dict.fromkeys(CHANNEL_NAMES.values(), 0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                threading.Thread(target=self.serve, args=[client], daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self.server_port))
            self.sockets += [client, server]
            header = receive(client, LINK_HEADER.size)
            body = receive(client, LINK_HEADER.unpack(header)[3])
            name = CHANNEL_NAMES.get(struct.unpack_from("<IB", body)[1], "unknown")
            server.sendall(header + body)
            threading.Thread(target=self.copy, args=[client, server, None], daemon=True).start()
            self.copy(server, client, name)

    def copy(self, source, sink, name):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if name:
                    self.counts[name] = self.counts.get(name, 0) + len(data)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        for end in (self.listener, *self.sockets):
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
