# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users with passwords, by SASL: spice-gtk and our client at our server and at QEMU on both libraries,
under TLS and with a security layer of SASL's own."""
import os
import socket
import subprocess

from harness import (BUILD, WORK, check, environment, run, run_tests, shot)
from vm import VM, accepts, free_port, wait_until

LIBRARIES = {"ours": os.path.join(BUILD, "server", "embed"), "field": None}
LOGIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spice-gtk-login.py")


def file(name):
    return os.path.join(WORK, name)


def make_users():
    """SASL's configuration, and a user joe whose password is secret."""
    for application in ("spice", "qemu"):
        with open(file(application + ".conf"), "w") as out:
            out.write("pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
                      f"sasldb_path: {file('users.db')}\n")
    subprocess.run(["/usr/sbin/saslpasswd2", "-p", "-c", "-f", file("users.db"), "-u", socket.gethostname(),
                    "joe"], input=b"secret", check=True)
    os.environ["SASL_CONF_PATH"] = WORK


def make_certificate():
    """As QEMU wants them."""
    status, text = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        file("server-key.pem"), "-out", file("server-cert.pem"), "-days", "30",
                        "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"])
    check(status == 0, text)
    with open(file("server-cert.pem")) as certificate, open(file("ca-cert.pem"), "w") as out:
        out.write(certificate.read())


def login(**properties):
    """What spice-gtk says of it."""
    status, text = run(["/usr/bin/python3", LOGIN] + [f"{name.replace('_', '-')}={value}"
                                                      for name, value in properties.items()])
    check(status == 0, text)
    return text.split()[-1]


class Sink:
    """A picture behind a spicesink that asks for SASL."""

    def __init__(self, *properties):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["gst-launch-1.0", "-q", "videotestsrc", "pattern=blue", "!",
             "video/x-raw,width=320,height=240,framerate=5/1", "!", "videoconvert", "!",
             "spicesink", "address=127.0.0.1", "sasl=true",
             *(text.replace("PORT", str(self.port)) for text in properties)], env=environment())
        wait_until(lambda: accepts(self.port), 20, "server")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()


def tls_sink():
    return Sink("tls-port=PORT", "tls-cert-file=" + file("server-cert.pem"),
                "tls-key-file=" + file("server-key.pem"))


def shows(location, *options):
    return shot(file("sasl.ppm"), "--location", location, "--ca-file", file("ca-cert.pem"), *options)


def test_spice_gtk_logs_in_under_tls():
    with tls_sink() as sink:
        common = {"host": "localhost", "tls_port": sink.port, "ca_file": file("ca-cert.pem")}
        said = login(username="joe", password="secret", **common)
        check(said == "opened", f"the right password: {said}")
        said = login(username="joe", password="wrong", **common)
        check(said == "error-auth", f"a wrong password: {said}")


def test_our_client_logs_in_under_tls():
    with tls_sink() as sink:
        where = f"spice+tls://localhost:{sink.port}"
        status, lines = shows(where, "--username", "joe", "--password", "secret")
        check(status == 0, "\n".join(lines))
        for options in (("--username", "joe", "--password", "wrong"), ("--password", "secret"),
                        ("--username", "joe")):
            status, lines = shows(where, *options)
            # GST_RESOURCE_ERROR_NOT_AUTHORIZED
            check(status == 1 and lines[0].startswith("error gst-resource-error-quark 15"),
                  f"{options}: {lines}")


def test_a_layer_of_sasl_protects_a_plain_port():
    """A mechanism that has one; all that goes over the wire passes it."""
    with Sink("port=PORT", "sasl-mechanisms=DIGEST-MD5") as sink:
        said = login(host="localhost", port=sink.port, username="joe", password="secret")
        check(said == "opened", f"spice-gtk: {said}")
        status, lines = shows(f"spice://localhost:{sink.port}", "--username", "joe", "--password",
                              "secret")
        check(status == 0, "\n".join(lines))
        status, lines = shows(f"spice://localhost:{sink.port}", "--username", "joe", "--password",
                              "wrong")
        check(status == 1 and "15" in lines[0].split()[2], str(lines))


def test_a_plain_port_offers_no_password_in_the_clear():
    with Sink("port=PORT") as sink:
        status, lines = shows(f"spice://localhost:{sink.port}", "--username", "joe", "--password",
                              "secret")
        check(status == 1 and "no way of authentication" in lines[0], str(lines))


def qemu(which):
    port = free_port()
    vm = VM(WORK, "sasl-" + which, f"tls-port={port},addr=127.0.0.1,sasl=on,x509-dir={WORK}",
            library=LIBRARIES[which])
    try:
        wait_until(lambda: accepts(port), 20, "QEMU")
        vm.qmp("stop")
        said = login(host="localhost", tls_port=port, ca_file=file("ca-cert.pem"), username="joe",
                     password="secret")
        check(said == "opened", f"spice-gtk at QEMU on {which}: {said}")
        status, lines = shows(f"spice+tls://localhost:{port}", "--username", "joe", "--password",
                              "secret")
        check(status == 0, f"QEMU on {which}: " + "\n".join(lines))
        status, lines = shows(f"spice+tls://localhost:{port}", "--username", "joe", "--password",
                              "wrong")
        check(status == 1 and "15" in lines[0].split()[2], f"QEMU on {which}: {lines}")
    finally:
        vm.close()


def test_qemu_on_our_library_asks_for_a_user():
    qemu("ours")


def test_qemu_on_the_fields_library_asks_our_client_for_one():
    qemu("field")


tests = [test_spice_gtk_logs_in_under_tls, test_our_client_logs_in_under_tls,
         test_a_layer_of_sasl_protects_a_plain_port,
         test_a_plain_port_offers_no_password_in_the_clear,
         test_qemu_on_our_library_asks_for_a_user,
         test_qemu_on_the_fields_library_asks_our_client_for_one]

if __name__ == "__main__":
    import sys
    make_users()
    make_certificate()
    wanted = sys.argv[1:]
    sys.exit(run_tests([test for test in tests
                        if not wanted or any(word in test.__name__ for word in wanted)]))
