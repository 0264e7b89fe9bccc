# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clipboard that spice-view shares with Debian's agent (spice-vdagentd, spice-vdagent), with programs
that copy and paste on either side; and one that is handed over between viewers."""
import atexit
import os
import signal
import subprocess
import time

from harness import BUILD, WORK, Xvfb, check, environment, run, run_tests
from vm import wait_until

HOST = os.path.join(BUILD, "tests", "interop", "agent-host")
VIEW = os.path.join(BUILD, "client", "spice-view")
TEXT = "Grüße\nan alle \N{BLACK HEART SUIT}\n"

stage = {}
programs = []


@atexit.register
def end_all():
    for program in programs:
        program.kill()
    for name in ("guest", "client"):
        if name in stage:
            stage[name].close()


def file(name):
    return os.path.join(WORK, name)


def start(command, env, **options):
    options.setdefault("stdout", subprocess.DEVNULL)
    program = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                               stderr=open(file(os.path.basename(command[0]) + ".log"), "ab"),
                               **options)
    programs.append(program)
    return program


def end(program):
    program.terminate()
    program.wait()
    programs.remove(program)


def copy(x, data, selection="clipboard", target=None):
    """Has a program on an X server own a selection; it answers until another owns it."""
    path = file(f"copied-{len(os.listdir(WORK))}")
    with open(path, "wb") as f:
        f.write(data)
    command = ["xclip", "-selection", selection, "-quiet", "-i", path]
    if target:
        command[1:1] = ["-t", target]
    return start(command, x.environment())


def paste(x, selection="clipboard", target="UTF8_STRING"):
    """What a program pastes; None if there is nothing."""
    try:
        result = subprocess.run(["xclip", "-selection", selection, "-t", target, "-o"],
                                env=x.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    except subprocess.TimeoutExpired:
        return None
    return result.stdout if result.returncode == 0 else None


def wait_pasted(x, expected, what, **options):
    found = []

    def is_there():
        found[:] = [paste(x, **options)]
        return found[0] == expected
    try:
        wait_until(is_there, 40, what)
    except TimeoutError:
        raise TimeoutError(f"no {what}, but {str(found[0])[:100]}")


def wait_shared(source, target, data):
    """Copies until it can be pasted at the other side: Debian's agent does not tell a new client of
    what was copied before it came."""
    for _ in range(20):
        owner = copy(source, data)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            if paste(target) == data:
                end(owner)
                return
            time.sleep(0.05)
        end(owner)
    raise TimeoutError(f"{data} is not shared")


def view():
    """A viewer, which will speak with the agent."""
    return start([VIEW, f"spice://127.0.0.1:{stage['port']}"], stage["client"].environment())


def set_stage():
    """Debian's agent on an X server of its own, a host that it is connected to, and a viewer."""
    if stage:
        return
    stage["guest"], stage["client"] = Xvfb(), Xvfb()
    port, private = file("port"), file("agent")
    host = start([HOST, port], environment(), stdout=subprocess.PIPE)
    stage["port"] = int(host.stdout.readline().split()[1])
    with open(file("uinput"), "wb"):
        pass
    start(["/usr/sbin/spice-vdagentd", "-x", "-d", "-X", "-s", port, "-S", private, "-f", "-u",
           file("uinput")], environment())
    wait_until(lambda: os.path.exists(private), 20, "socket of spice-vdagentd")
    start(["spice-vdagent", "-x", "-d", "-s", port, "-S", private, "-f", WORK, "-o", "0"],
          stage["guest"].environment())
    check(host.stdout.readline() == b"agent\n", "Debian's agent does not come")
    stage["view"] = view()


def test_text_copied_in_the_guest_is_pasted_here():
    set_stage()
    wait_shared(stage["guest"], stage["client"], TEXT.encode())


def test_text_copied_here_is_pasted_in_the_guest():
    set_stage()
    owner = copy(stage["client"], TEXT.encode() * 2)
    wait_pasted(stage["guest"], TEXT.encode() * 2, "text of the client's")
    end(owner)


def test_the_primary_selection_is_shared_by_itself():
    set_stage()
    owners = [copy(stage["guest"], b"selected", selection="primary"),
              copy(stage["client"], b"copied")]
    wait_pasted(stage["client"], b"selected", "selection of the guest's", selection="primary")
    wait_pasted(stage["guest"], b"copied", "text of the client's")
    for owner in owners:
        end(owner)


def test_large_text_and_a_picture():
    set_stage()
    text = b"".join(b"line %d\n" % i for i in range(400000))
    owner = copy(stage["guest"], text)
    wait_pasted(stage["client"], text, "large text of the guest's")
    end(owner)
    owner = copy(stage["client"], text)
    wait_pasted(stage["guest"], text, "large text of the client's")
    end(owner)
    picture = file("picture.png")
    status, _ = run(["convert", "-size", "60x40", "gradient:red-blue", picture])
    check(status == 0, "no picture")
    with open(picture, "rb") as f:
        data = f.read()
    owner = copy(stage["client"], data, target="image/png")
    wait_pasted(stage["guest"], data, "picture of the client's", target="image/png")
    end(owner)


def test_many_changes_end_as_they_were_made_last():
    set_stage()
    owners = []
    for i in range(12):
        owners.append(copy(stage["guest" if i % 3 else "client"], b"copy %d" % i))
        time.sleep(0.05)
    time.sleep(0.5)
    owners.append(copy(stage["client"], b"the last"))
    wait_pasted(stage["guest"], b"the last", "last text")
    check(paste(stage["client"]) == b"the last", "the client's own text is not its last")
    for owner in owners:
        end(owner)


def test_the_agent_goes_to_a_new_viewer_and_back():
    set_stage()
    second = Xvfb()
    try:
        stage["client"], first = second, stage["client"]
        newer = view()
        wait_shared(stage["guest"], second, b"for the newer")
        check(paste(first) != b"for the newer", "the older viewer still has the agent")
        newer.send_signal(signal.SIGTERM)
        check(newer.wait(20) == 0, "the viewer does not end well")
        wait_shared(stage["guest"], first, b"for the older")
    finally:
        stage["client"] = first
        second.close()


if __name__ == "__main__":
    raise SystemExit(run_tests([value for name, value in list(globals().items())
                                if name.startswith("test_")]))
