# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ports, USB, card reader and agent of Debian's QEMU on our libspice-server: bytes both ways, through our
own client and through spice-gtk, with slow readers at either end; nothing is lost, changed or out of
order. Our client is tried with the field's server, too."""
import functools
import hashlib
import json
import os
import struct
import threading
import time

from device_stage import SECONDS, SIZE, gtk, machines, ours, pattern, peers, vm
from harness import WORK, Failure, check, run_tests
from vm import wait_until

# Chunks and messages of the guest's agent
TEXT, CLIPBOARD, CAPABILITIES, GRAB, REQUEST = 1, 4, 6, 7, 8
CLIENT_PORT = 1
AGENT_CAPS = 1 << 5 | 1 << 6  # by demand, with selections
TEXT_SIZE = min(SIZE, 24 << 20)  # our client sends no message of more than 32 MiB

# A monitor of QEMU's on a port

def ask(peer, line):
    peer.write(line)
    while True:
        answer = json.loads(peer.read_line())
        if "return" in answer or "error" in answer:
            return answer


def talk_to_monitor(peer):
    check("QMP" in json.loads(peer.read_line()), "the monitor does not greet")
    check(ask(peer, b'{"execute": "qmp_capabilities"}\n') == {"return": {}}, "capabilities")
    first = ask(peer, b'{"execute": "query-qmp-schema"}\n')
    size = len(json.dumps(first))
    check(size > 100000, f"a schema of {size} bytes")
    for _ in range(SIZE // 4 // size):
        check(ask(peer, b'{"execute": "query-qmp-schema"}\n') == first, "another schema")
    # spaces in amounts before a command
    writer = threading.Thread(target=peer.write, args=[b" " * (SIZE // 4)])
    writer.start()
    writer.join(SECONDS)
    check(not writer.is_alive(), "the monitor does not take spaces")
    check(ask(peer, b'{"execute": "query-status"}\n')["return"]["running"], "it does not run")
    peer.close()


def test_a_monitor_is_spoken_to_through_a_port():
    vm()
    peer = ours("port", 1)
    check(peer.wait_for("opened") == "opened org.example.qmp 1", peer.lines)
    talk_to_monitor(peer)


def test_a_monitor_is_spoken_to_by_spice_gtk():
    vm()
    peer = gtk("port", "org.example.qmp")
    check(peer.wait_for("opened") == "opened org.example.qmp 1", peer.lines)
    talk_to_monitor(peer)


# Streams of bytes

def from_guest(peer, device, server="ours"):
    """All bytes of a file in the guest, to a client that reads slowly at first."""
    guest, _ = vm(server)
    guest.run(f"cat /tmp/data >/dev/{device} &")
    check(peer.read_sum(SIZE, slow=True) == machines[server]["sum"],
          "other bytes came from the guest")


def to_guest(peer, device, server="ours"):
    """All bytes to a guest that looks at them late."""
    guest, _ = vm(server)
    data = pattern(SIZE, 1)
    writer = threading.Thread(target=peer.write, args=[data])
    guest.run(f"(sleep 1; head -c {SIZE} | md5sum >/tmp/sum; touch /tmp/done) </dev/{device} &")
    writer.start()
    guest.run("while ! [ -e /tmp/done ]; do sleep 0.1; done; rm /tmp/done", SECONDS)
    check(hashlib.md5(data).hexdigest() in guest.run("cat /tmp/sum"), "other bytes came to the guest")


def both_ways(peer, device, server="ours"):
    from_guest(peer, device, server)
    to_guest(peer, device, server)
    peer.close()


def test_a_port_carries_all_bytes():
    vm()
    peer = ours("port", 0)
    check(peer.wait_for("opened") == "opened org.example.p 0", peer.lines)
    both_ways(peer, "org.example.p")
    check("event 0" in peer.lines and "event 1" in peer.lines, f"no events: {peer.lines}")


def test_a_port_carries_all_bytes_for_spice_gtk():
    vm()
    peer = gtk("port", "org.example.p")
    peer.wait_for("opened")
    both_ways(peer, "org.example.p")


def test_a_folder_channel_carries_all_bytes():
    vm()
    peer = ours("webdav", 0)
    check(peer.wait_for("opened").startswith("opened org.spice-space.webdav.0"), peer.lines)
    both_ways(peer, "org.spice-space.webdav.0")


def test_a_usb_channel_carries_all_bytes():
    guest, _ = vm()
    peer = ours("usbredir", 1)
    # It is a device while the guest has it open, which only one may.
    guest.run(f"(cat /tmp/data >&3; sleep 1; head -c {SIZE} <&3 | md5sum >/tmp/sum; touch /tmp/done; "
              "sleep 1000) 3<>/dev/org.example.u &")
    peer.wait_for("opened")
    check(peer.read_sum(SIZE, slow=True) == machines["ours"]["sum"],
          "other bytes came from the guest")
    data = pattern(SIZE, 3)
    threading.Thread(target=peer.write, args=[data], daemon=True).start()
    guest.run("while ! [ -e /tmp/done ]; do sleep 0.1; done; rm /tmp/done", SECONDS)
    check(hashlib.md5(data).hexdigest() in guest.run("cat /tmp/sum"), "other bytes came to the guest")
    guest.run("killall sleep")
    peer.wait_for("closed")  # with the device
    peer.close()


def test_our_client_gets_all_bytes_from_the_fields_server():
    vm("field")
    peer = ours("port", 0, "field")
    peer.wait_for("opened")
    both_ways(peer, "org.example.p", "field")


def test_nothing_moves_while_the_machine_stands_still():
    guest, _ = vm()
    peer = ours("port", 0)
    peer.wait_for("opened")
    guest.run("(head -c 12 >/tmp/got; touch /tmp/done) </dev/org.example.p &")
    guest.qmp("stop")
    peer.write(b"not too soon")
    time.sleep(0.5)
    guest.qmp("cont")
    guest.run("while ! [ -e /tmp/done ]; do sleep 0.1; done; rm /tmp/done")
    check("not too soon" in guest.run("cat /tmp/got; echo"), "what was sent meanwhile is lost")
    peer.close()


def test_one_client_at_a_time_has_a_device():
    vm()
    first = ours("port", 0)
    first.wait_for("opened")
    second = ours("port", 0)
    time.sleep(1)
    check(not second.lines, f"a second client got the port: {second.lines}")
    first.close()
    second.wait_for("opened")  # it is offered the port when it is free
    second.close()


# The agent

def message(kind, data):
    return struct.pack("<IIQI", 1, kind, 0, len(data)) + data


def chunks(stream, size=2048):
    return b"".join(struct.pack("<II", CLIENT_PORT, len(stream[at:at + size])) + stream[at:at + size]
                    for at in range(0, len(stream), size))


def messages(wire):
    """[(type, data)] of what a guest's agent got for the client's port."""
    stream, at = b"", 0
    while at + 8 <= len(wire):
        port, size = struct.unpack_from("<II", wire, at)
        check(port in (1, 2) and size <= 2048, f"a chunk of port {port} with {size} bytes")
        if port == CLIENT_PORT:
            stream += wire[at + 8:at + 8 + size]
        at += 8 + size
    found, at = [], 0
    while at + 20 <= len(stream):
        _, kind, _, size = struct.unpack_from("<IIQI", stream, at)
        if len(stream) - at - 20 < size:
            break  # not all of it has come
        found.append((kind, stream[at + 20:at + 20 + size]))
        at += 20 + size
    return found


class Agent:
    """The guest's agent: what it says is brought into the guest through a port, what it hears out."""

    def __init__(self):
        self.guest, _ = vm()
        self.port = ours("port", 0)
        self.port.wait_for("opened")
        # only one process may have a port open
        self.guest.run("rm -f /tmp/say; mkfifo /tmp/say; (cat <&3 >/tmp/heard & "
                       "while [ -e /tmp/say ]; do cat /tmp/say >&3; done) "
                       "3<>/dev/com.redhat.spice.0 &")
        wait_until(lambda: "yes" in self.guest.run("[ -e /tmp/heard ] && echo y''es"), 30, "agent")

    def say(self, *wanted):
        data = b"".join(chunks(message(kind, data)) for kind, data in wanted)
        self.guest.run(f"(head -c {len(data)} >/tmp/said; touch /tmp/done) </dev/org.example.p &")
        threading.Thread(target=self.port.write, args=[data], daemon=True).start()
        self.guest.run("while ! [ -e /tmp/done ]; do sleep 0.1; done; rm /tmp/done; "
                       "cat /tmp/said >/tmp/say", SECONDS)

    def heard_size(self):
        return int(self.guest.run("echo size=$(wc -c </tmp/heard)").split("size=")[-1].split()[0])

    def heard(self):
        """All that was heard so far."""
        size = self.heard_size()
        self.guest.run(f"head -c {size} /tmp/heard >/dev/org.example.p &")
        return messages(self.port.read(size))

    def hear_large(self):
        """The last message, once more than TEXT_SIZE was heard, and all of that message."""
        found = []

        def is_whole():
            if self.heard_size() > TEXT_SIZE:
                found[:] = self.heard()[-1:]
            return found and len(found[0][1]) >= TEXT_SIZE
        wait_until(is_whole, SECONDS, "large message in the guest")
        return found[0]

    def close(self):
        self.guest.run("rm /tmp/say; killall cat")
        self.port.close()

    def wait_heard(self, condition, what):
        """Waits until a message was heard of which `condition` is true."""
        wait_until(lambda: any(condition(*each) for each in self.heard()), SECONDS, what)


def test_an_agent_and_our_client_speak():
    agent = Agent()
    peer = ours("agent", hex(AGENT_CAPS))
    text = pattern(TEXT_SIZE, 2)
    agent.wait_heard(lambda kind, data: kind == CAPABILITIES, "announcement in the guest")
    agent.say((CAPABILITIES, struct.pack("<II", 0, AGENT_CAPS)))
    check(peer.wait_for("agent") == f"agent {hex(AGENT_CAPS)}", peer.lines)
    agent.say((CLIPBOARD, text), (99, b""))
    kind, size = struct.unpack("<II", peer.read(8))
    check((kind, size) == (CLIPBOARD, TEXT_SIZE), f"message {kind} of {size} bytes")
    check(peer.read_sum(TEXT_SIZE, slow=True) == hashlib.md5(text).hexdigest(), "another message came")
    check(struct.unpack("<II", peer.read(8)) == (99, 0), "no empty message came")
    path = os.path.join(WORK, "message")
    with open(path, "wb") as f:
        f.write(text)
    peer.write(f"{CLIPBOARD} {path}\n".encode())
    check(agent.hear_large() == (CLIPBOARD, text), "another message came to the guest")
    peer.close()
    agent.close()


SELECTION = b"\0\0\0\0"  # the clipboard


def test_an_agent_and_spice_gtk_copy_text():
    agent = Agent()
    peer = gtk("agent")
    text = pattern(TEXT_SIZE // 2, 4).hex().encode()
    agent.wait_heard(lambda kind, data: kind == CAPABILITIES, "announcement in the guest")
    agent.say((CAPABILITIES, struct.pack("<II", 0, AGENT_CAPS)),
              (GRAB, SELECTION + struct.pack("<I", TEXT)))
    peer.wait_for("grab")
    agent.wait_heard(lambda kind, data: (kind, data) == (REQUEST, SELECTION + struct.pack("<I", TEXT)),
                     "request in the guest")
    agent.say((CLIPBOARD, SELECTION + struct.pack("<I", TEXT) + text))
    size, = struct.unpack("<I", peer.read(4))
    check(size == TEXT_SIZE, f"{size} bytes of text")
    check(peer.read_sum(TEXT_SIZE, slow=True) == hashlib.md5(text).hexdigest(), "another text came")
    path = os.path.join(WORK, "text")
    with open(path, "wb") as f:
        f.write(text)
    peer.write(f"{path}\n".encode())
    agent.wait_heard(lambda kind, data: kind == GRAB, "grab in the guest")
    agent.say((REQUEST, SELECTION + struct.pack("<I", TEXT)))
    check(agent.hear_large() == (CLIPBOARD, SELECTION + struct.pack("<I", TEXT) + text),
          "another text came to the guest")
    peer.close()
    agent.close()


# A USB device of the client's

DESCRIPTORS = {
    0x0100: bytes.fromhex("120100020000004034127856000101020001"),
    0x0200: bytes.fromhex("09021200010100c0320904000000ff000000"),
    0x0300: bytes.fromhex("04030904"),
    0x0301: b"\x0e\x03" + "guests".encode("utf-16-le"),
    0x0302: b"\x18\x03" + "test device".encode("utf-16-le"),
}
HELLO, CONNECT, INTERFACES, ENDPOINTS, CONTROL = 0, 1, 4, 5, 100
SET_CONFIGURATION, CONFIGURATION = 6, 8
STALL = 4


def usb_packet(kind, number, header, data=b""):
    return struct.pack("<III", kind, len(header) + len(data), number) + header + data


def usb_answer(kind, number, body):
    """What the device says to a packet of the guest's; None: nothing."""
    if kind == CONTROL:
        endpoint, request, direction, _, value, index, length = struct.unpack_from("<BBBBHHH", body)
        data = DESCRIPTORS.get(value) if (direction, request) == (0x80, 6) else None
        if (direction, request) == (0x80, 0):  # status
            data = b"\1\0"
        status = 0 if data is not None else STALL
        data = (data or b"")[:length]
        return usb_packet(CONTROL, number, struct.pack("<BBBBHHH", endpoint, request, direction,
                                                       status, value, index, len(data)), data)
    if kind == SET_CONFIGURATION:
        return usb_packet(CONFIGURATION, number, struct.pack("<BB", 0, body[0]))
    return None


def be_a_usb_device(peer):
    try:
        while True:
            kind, size, number = struct.unpack("<III", peer.read(12))
            answer = usb_answer(kind, number, peer.read(size))
            if answer:
                peer.write(answer)
    except Failure:
        pass  # it was unplugged


def test_a_guest_finds_a_usb_device_of_the_client():
    guest, _ = vm()
    peer = ours("usbredir", 0)
    peer.wait_for("opened")
    peer.write(usb_packet(HELLO, 0, b"test".ljust(64, b"\0"), struct.pack("<I", 0)))
    kind, size, _ = struct.unpack("<III", peer.read(12))
    check(kind == HELLO and b"qemu" in peer.read(size).lower(), "QEMU does not say hello")
    peer.write(usb_packet(ENDPOINTS, 0, bytes([0] + [255] * 15 + [0] + [255] * 15) + bytes(64)) +
               usb_packet(INTERFACES, 0, struct.pack("<I", 1) + bytes(32) + bytes([255] * 32) +
                          bytes(64)) +
               usb_packet(CONNECT, 0, struct.pack("<BBBBHH", 2, 0, 0, 0, 0x1234, 0x5678)))
    threading.Thread(target=be_a_usb_device, args=[peer], daemon=True).start()
    wait_until(lambda: "test device" in guest.run("cat /sys/bus/usb/devices/*/product"), 30,
               "USB device in the guest")
    peer.close()
    wait_until(lambda: "test device" not in guest.run("cat /sys/bus/usb/devices/*/product"), 30,
               "end of the USB device in the guest")


# A card reader of the client's

def test_qemus_card_reader_answers():
    vm()
    peer = ours("smartcard", 0)
    peer.wait_for("opened")
    name = b"a reader\0"
    peer.write(struct.pack("<III", 3, 0xffffffff, len(name)) + name)  # it is there
    kind, reader, size = struct.unpack("<III", peer.read(12))
    check((kind, reader, size) == (2, 0, 4), f"message {kind} of reader {reader} with {size} bytes")
    check(peer.read(4) == bytes(4), "the reader is not welcome")
    atr = bytes.fromhex("3b9513813f00")
    peer.write(struct.pack("<III", 5, 0, len(atr)) + atr)  # and a card in it
    peer.close()


def test_a_machine_ends_with_clients_at_its_devices():
    guest, _ = vm()
    clients = [ours("port", 0), ours("port", 1), ours("agent", hex(AGENT_CAPS))]
    for client in clients[:2]:
        client.wait_for("opened")
    guest.qmp("quit")
    check(guest.process.wait(30) == 0, f"QEMU ended with {guest.process.returncode}")
    for client in clients:
        client.wait_for("closed")
        client.close()
    machines.pop("ours")["vm"].close()


def alone(test):
    """A test without clients that one before left behind."""
    @functools.wraps(test)
    def run_alone():
        for peer in list(peers):
            peer.close()
        test()
    return run_alone


if __name__ == "__main__":
    raise SystemExit(run_tests([alone(value) for name, value in list(globals().items())
                                if name.startswith("test_")]))
