"""SIGUSR2: a new adoptd takes over, and nobody notices."""
import ctypes
import fcntl
import itertools
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import stat
import sys
import threading
import unittest

import harness
from harness import ADOPTD, connect, echo_datagram, echo_stream, free_port, listener, wait_for

PR_SET_CHILD_SUBREAPER = 36
HUNG = "#!/bin/sh\nexec sleep 1000\n"


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Line:
    """An adoptd, and those that take over from it, one after the other: they all write into
    the first one's log, and end with the case. Their program is a copy that may change."""

    def __init__(self, case, config, *options, **how):
        self.program, self.file = case.path("adoptd"), case.path("conf")
        shutil.copy(ADOPTD, self.program)
        self.write(config)
        self.first = case.use(harness.Process([self.program, "-c", self.file, *options], **how))
        self.pid = self.first.pid
        case.addCleanup(self.end)

    def write(self, config):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(config)

    def replace(self, script):
        """Puts a script where the program was."""
        with open(self.program + ".new", "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(self.program + ".new", 0o755)
        os.rename(self.program + ".new", self.program)

    def restore(self):
        shutil.copy(ADOPTD, self.program + ".new")
        os.rename(self.program + ".new", self.program)

    def signal(self, number):
        os.kill(self.pid, number)

    def output(self):
        return self.first.output()

    def wait_said(self, text, after=0):
        return wait_for(text, lambda: text in self.output()[after:])

    def started(self):
        """The processes that were started to take over."""
        return [int(pid) for pid in re.findall(r"handing over to process (\d+)", self.output())]

    def hand_over(self):
        """Returns the pid of the one before, which may be draining."""
        before = self.pid
        count = len(self.taken())
        self.signal(signal.SIGUSR2)
        wait_for("the new one", lambda: len(self.taken()) > count)
        self.pid = self.taken()[-1]
        return before

    def taken(self):
        return [int(pid) for pid in re.findall(r"process (\d+) has taken over", self.output())]

    def fails(self, why):
        """Has it hand over in vain."""
        said = len(self.output())
        self.signal(signal.SIGUSR2)
        self.wait_said("handing over failed", said)
        self_said = self.output()[said:]
        if not re.search(why, self_said):
            raise AssertionError(f"{why!r} is not in:\n{self_said}")

    def wait_gone(self, pid):
        """Waits for the end of one of them. Returns its exit code."""
        if pid == self.first.pid:
            return self.first.wait()
        _, status = wait_for(f"process {pid} to end",
                             lambda: (done := os.waitpid(pid, os.WNOHANG))[0] and done)
        return os.waitstatus_to_exitcode(status)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait_gone(self.pid)

    def end(self):
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
            ours = set(map(int, children.read().split())) - {self.first.pid}
        for pid in ours:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@unittest.skipUnless(sys.platform == "linux", "successors are found by Linux's means")
class HandOver(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Whoever takes over is nobody's child; so it is ours.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def setUp(self):
        super().setUp()
        self.port = free_port()

    def start(self, config=None, *options, **how):
        line = Line(self, config or self.echo(), *options, **how)
        if config is None or str(self.port) in config:
            wait_for("adoptd", lambda: echo_stream(("127.0.0.1", self.port)))
        return line

    def echo(self, more=""):
        return 'port "echo" { listen = {"127.0.0.1:%d"} echo {} }\n%s' % (self.port, more)

    def still_serves(self, line):
        self.assertEqual(echo_stream(("127.0.0.1", self.port)), b"hello\n", line.output())

    def is_refused(self, port=None):
        try:
            connect(("127.0.0.1", port or self.port)).close()
        except ConnectionRefusedError:
            return True
        return False

    def test_nobody_is_refused(self):
        """What was handed over, and what adoptd opened, while clients come without pause."""
        inherited = self.use(listener())
        # On every address: so no client is given its port, which adoptd would not answer.
        udp = self.use(listener(kind=socket.SOCK_DGRAM, address=("0.0.0.0", 0)))
        udp_address = ("127.0.0.1", udp.getsockname()[1])
        path = self.path("socket")
        line = self.start(
            'workers = 2\n'
            'port "echo" { echo {} } port "dns" { echo {} }'
            'port "own" { listen = {"127.0.0.1:%d", "unix:%s", "unix-seqpacket:%s.seq"} echo {} }'
            % (self.port, path, path), "--fd", "echo=7", "--fd=dns=9",
            fds={7: inherited.fileno(), 9: udp.fileno()})
        wait_for("adoptd", lambda: echo_stream(path + ".seq", kind=socket.SOCK_SEQPACKET))
        over, failures, counts = threading.Event(), [], {}
        sources = (f"127.{i // 250 % 250}.{i % 250}.1" for i in itertools.count(1))

        def come(what, once):
            counts[what] = 0
            while not over.is_set():
                try:
                    if (answer := once()) != b"hello\n":
                        failures.append(f"{what}: {answer!r} came back")
                except OSError as error:
                    failures.append(f"{what}: {error!r}")
                counts[what] += 1

        clients = [threading.Thread(target=come, args=pair) for pair in (
            ("inherited", lambda: echo_stream(inherited.getsockname())),
            # Each from another address: one alone is not answered so often.
            ("datagrams", lambda: echo_datagram(udp_address, bind=(next(sources), 0))),
            ("own", lambda: echo_stream(("127.0.0.1", self.port))),
            ("unix", lambda: echo_stream(path)),
            ("seqpacket", lambda: echo_stream(path + ".seq", kind=socket.SOCK_SEQPACKET)))]
        for client in clients:
            client.start()
        try:
            for _ in range(10):
                self.assertEqual(line.wait_gone(line.hand_over()), 0, line.output())
        finally:
            over.set()
            for client in clients:
                client.join()
        self.assertEqual(failures, [])
        for what, count in counts.items():
            self.assertGreater(count, 10, what)
        self.assertEqual(line.stop(), 0, line.output())
        self.assertEqual(len(line.taken()), 10)

    def test_control_socket(self):
        """It is the new one's, and never away; who asks the old one is still answered."""
        path = self.path("control")
        control = f'control = "{path}"'
        line = self.start(self.echo(control))
        inode = os.lstat(path).st_ino

        def status(sock):
            sock.sendall(b'{"version":1,"command":"status"}\n')
            return json.loads(sock.makefile("r", encoding="utf-8").readline())["data"]

        with connect(("127.0.0.1", self.port)) as client, connect(path) as asker:
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
            self.assertEqual(status(asker)["pid"], line.pid)
            before = line.hand_over()
            for _ in range(5):
                with connect(path) as sock:
                    self.assertEqual(status(sock)["pid"], line.pid)
                    self.assertEqual(status(sock)["elders"], 1)
            self.assertEqual(status(asker)["pid"], before)
            self.assertEqual(status(asker)["state"], "draining")
        self.assertEqual(line.wait_gone(before), 0)
        self.assertEqual(os.lstat(path).st_ino, inode)
        # One that fails takes nothing along, be it the path or who may open it.
        line.write(self.echo(control + " control-group = 0 workers = 0"))
        line.fails("the new adoptd has ended")
        line.write(self.echo(control + ' port "b" { listen = {"unix:/no/where"} echo {} }'))
        line.fails("the new adoptd has ended")
        self.assertEqual(stat.S_IMODE(os.lstat(path).st_mode), 0o600)
        line.write(self.echo(f'control = "{path}.moved"'))
        self.assertEqual(line.wait_gone(line.hand_over()), 0)
        wait_for("the old path's end", lambda: not os.path.exists(path))
        with connect(path + ".moved") as sock:
            self.assertEqual(status(sock)["pid"], line.pid)
        self.assertEqual(line.stop(), 0)
        self.assertFalse(os.path.exists(path + ".moved"))

    def test_long_lived(self):
        """A connection that is never silent loses no byte, and ends in its own time."""
        line = self.start()
        with connect(("127.0.0.1", self.port)) as sock:
            sock.setblocking(False)
            sent = received = 0
            handed_over = []
            while len(handed_over) < 3 or received < sent:
                more = len(handed_over) < 3
                readable, writable, _ = select.select([sock], [sock] if more else [], [], harness.BOUND)
                self.assertTrue(readable or writable, line.output())
                if readable:
                    for byte in sock.recv(65536):
                        self.assertEqual(byte, received % 251)
                        received += 1
                if writable:
                    sent += sock.send(bytes((sent + i) % 251 for i in range(1000)))
                if more and received > 200000 * (len(handed_over) + 1):
                    handed_over.append(line.hand_over())
            self.assertTrue(is_alive(line.first.pid), line.output())
            sock.setblocking(True)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(harness.read_all(sock), b"")
        for pid in handed_over:
            self.assertEqual(line.wait_gone(pid), 0, line.output())
        self.assertEqual(line.stop(), 0)

    def test_inherited(self):
        """What was inherited is known by its number and its giver still."""
        sock = self.use(listener())
        line = self.start('port "echo" { echo {} }', "--fd", "echo=4", fds={4: sock.fileno()})
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        line.write('port "else" { echo {} }')
        line.fails(r'descriptor 4 \("echo", from --fd\) is taken by no port block')
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")

    def test_new_configuration(self):
        """It is read anew: addresses come and go, and what stays is the same socket."""
        path, other = self.path("socket"), free_port()
        line = self.start(self.echo('port "gone" { listen = {"unix:%s"} echo {} }' % path))
        self.assertEqual(echo_stream(path), b"hello\n")
        inode = os.stat(path).st_ino
        line.write(self.echo('port "new" { listen = {"127.0.0.1:%d", "unix:%s"} echo {} }'
                             % (other, path)))
        line.wait_gone(line.hand_over())
        self.assertEqual(echo_stream(("127.0.0.1", other)), b"hello\n")
        self.assertEqual(echo_stream(path), b"hello\n")
        self.assertEqual(os.stat(path).st_ino, inode)
        self.still_serves(line)
        line.write(self.echo())
        line.wait_gone(line.hand_over())
        # The new one accepts before it closes what it has no use for.
        wait_for("the path to go", lambda: not os.path.exists(path))
        wait_for("the port to go", lambda: self.is_refused(other))
        self.still_serves(line)
        self.assertEqual(line.stop(), 0)

    def test_unix_path_goes_with_the_last(self):
        path = self.path("socket")
        line = self.start('port "echo" { listen = {"unix:%s"} echo {} }' % path)
        wait_for("adoptd", lambda: echo_stream(path))
        for _ in range(3):
            line.wait_gone(line.hand_over())
            self.assertEqual(echo_stream(path), b"hello\n")
        self.assertEqual(line.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_nothing_leaks(self):
        """However often it is handed over: no descriptor, no child, no variable more."""
        line = self.start()
        line.wait_gone(line.hand_over())
        before = self.describe(line)
        for _ in range(5):
            line.wait_gone(line.hand_over())
        self.assertEqual(self.describe(line), before)
        for fd in os.listdir(f"/proc/{line.pid}/fd"):
            with open(f"/proc/{line.pid}/fdinfo/{fd}", encoding="ascii") as info:
                flags = next(text for text in info if text.startswith("flags:"))
            if int(fd) > 2:
                self.assertTrue(int(flags.split()[1], 8) & os.O_CLOEXEC, fd)
        self.assertEqual(line.stop(), 0)

    def describe(self, line):
        self.still_serves(line)
        pid = line.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(text.split(":\t", 1) for text in file.read().splitlines() if ":\t" in text)
        with open(f"/proc/{pid}/environ", "rb") as file:
            environment = sorted(file.read().replace(b"ADOPTD_HANDOVER=3\0", b"").split(b"\0"))
        return (len(os.listdir(f"/proc/{pid}/fd")), environment, os.readlink(f"/proc/{pid}/cwd"),
                [status[key] for key in ("SigBlk", "SigIgn", "SigCgt", "Threads")])

    def test_limit_of_descriptors(self):
        """Each raises the limit for itself alone."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        line = self.start(limits={resource.RLIMIT_NOFILE: 512})
        line.wait_gone(line.hand_over())
        self.assertEqual(resource.prlimit(line.pid, resource.RLIMIT_NOFILE), (512, 512))
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (soft, hard))

    # --- what fails costs nothing ---

    def test_faulty_configuration(self):
        line = self.start()
        line.write('port "echo" { ecko {} }')
        line.fails('unknown option "ecko"(.|\n)*the new adoptd has ended')
        self.still_serves(line)
        line.write(self.echo('port "taken" { listen = {"127.0.0.1:%d"} echo {} }'
                             % self.use(listener()).getsockname()[1]))
        line.fails("somebody has this address already")
        self.still_serves(line)
        line.write(self.echo())
        line.wait_gone(line.hand_over())
        self.still_serves(line)
        self.assertEqual(line.stop(), 0)

    def test_faulty_program(self):
        line = self.start()
        for script in ("#!/bin/sh\nexit 0\n", "#!/bin/sh\nkill -9 $$\n", "#!/nonexistent\n",
                       "no program at all", "#!/bin/sh\necho adFD >&3\n"):
            with self.subTest(script):
                line.replace(script)
                line.fails("this adoptd goes on")
                self.still_serves(line)
        os.unlink(line.program)
        line.fails("this adoptd goes on")
        self.still_serves(line)
        line.restore()
        line.wait_gone(line.hand_over())
        self.assertEqual(line.stop(), 0)

    def test_program_of_another_version(self):
        """One that neither knows of the hand-over nor of how it is told."""
        line = self.start()
        line.replace(f"#!/bin/sh\nunset ADOPTD_HANDOVER\nexec {ADOPTD} \"$@\"\n")
        line.fails("somebody has this address already(.|\n)*the new adoptd has ended")
        self.still_serves(line)
        line.replace("#!/usr/bin/env python3\nimport socket\n"
                     "sock = socket.socket(fileno=3)\nsock.recv(65536)\n"
                     "sock.send(b'adFD\\0\\2\\0\\3' + bytes(8))\nsock.recv(1)\n")
        line.fails("this adoptd goes on: (?!the new adoptd has ended)")
        self.still_serves(line)

    def hang(self, line):
        """Has it hand over to a program that hangs, and returns that one's pid."""
        line.replace(HUNG)
        count = len(line.started())
        line.signal(signal.SIGUSR2)
        return wait_for("the hung one", lambda: len(line.started()) > count and line.started()[-1])

    def test_one_at_a_time(self):
        line = self.start()
        hung = self.hang(line)
        line.signal(signal.SIGUSR2)
        line.wait_said("not handing over: a hand-over is under way")
        self.assertTrue(is_alive(hung))
        os.kill(hung, signal.SIGKILL)
        line.wait_said("handing over failed")
        line.wait_gone(hung)
        line.restore()
        line.wait_gone(line.hand_over())
        self.still_serves(line)
        self.assertEqual(line.stop(), 0)

    def test_called_off(self):
        """SIGTERM means both: the one that hangs is gone, the old one drains."""
        line = self.start()
        hung = self.hang(line)
        with connect(("127.0.0.1", self.port)) as sock:
            sock.sendall(b"x")
            self.assertEqual(sock.recv(1), b"x")
            line.signal(signal.SIGTERM)
            line.wait_said("the hand-over is called off")
            self.assertEqual(line.wait_gone(hung), -signal.SIGKILL)
            sock.sendall(b"y")
            self.assertEqual(sock.recv(1), b"y")
        self.assertEqual(line.wait_gone(line.pid), 0, line.output())

    def test_reload_meanwhile(self):
        """It is put off: whoever serves in the end does it."""
        line = self.start()
        hung = self.hang(line)
        other = free_port()
        line.write(self.echo('port "new" { listen = {"127.0.0.1:%d"} echo {} }' % other))
        line.signal(signal.SIGHUP)
        line.wait_said("reloading after the hand-over")
        with self.assertRaises(ConnectionRefusedError):
            connect(("127.0.0.1", other))
        os.kill(hung, signal.SIGKILL)
        line.wait_said("reloaded")
        self.assertEqual(echo_stream(("127.0.0.1", other)), b"hello\n")
        line.wait_gone(hung)
        self.assertEqual(line.stop(), 0)

    def test_reload_of_the_new(self):
        """A reload that was asked of the old one is done by the new one."""
        line = self.start()
        line.replace(f"#!/bin/sh\nread line <'{self.path('go')}'\nexec {ADOPTD} \"$@\"\n")
        os.mkfifo(self.path("go"))
        line.signal(signal.SIGUSR2)
        wait_for("the new one", line.started)
        line.signal(signal.SIGHUP)
        line.wait_said("reloading after the hand-over")
        with open(self.path("go"), "w", encoding="ascii") as go:
            go.write("\n")
        wait_for("the new one", line.taken)
        line.wait_gone(line.pid)
        line.pid = line.taken()[-1]
        line.wait_said("reloaded")
        self.still_serves(line)
        self.assertEqual(line.stop(), 0)

    # --- draining ---

    def test_old_one_ends_in_peace(self):
        """It drains as on SIGTERM: a SIGTERM changes nothing, the second ends it."""
        line = self.start()
        with connect(("127.0.0.1", self.port)) as sock:
            sock.sendall(b"x")
            self.assertEqual(sock.recv(1), b"x")
            old = line.hand_over()
            os.kill(old, signal.SIGUSR2)
            line.wait_said("not handing over: this adoptd is draining")
            os.kill(old, signal.SIGTERM)
            line.wait_said("draining since the hand-over")
            sock.sendall(b"y")
            self.assertEqual(sock.recv(1), b"y")
            os.kill(old, signal.SIGTERM)
            self.assertEqual(line.wait_gone(old), 0, line.output())
        self.still_serves(line)
        self.assertEqual(line.stop(), 0)

    def test_drain_timeout(self):
        line = self.start(self.echo("drain-timeout = 100ms"))
        with connect(("127.0.0.1", self.port)) as sock:
            sock.sendall(b"x")
            self.assertEqual(sock.recv(1), b"x")
            self.assertEqual(line.wait_gone(line.hand_over()), 0, line.output())
            with self.assertRaises(ConnectionResetError):
                sock.recv(1)
        self.still_serves(line)
        self.assertEqual(line.stop(), 0)

    def test_idle_exit(self):
        """Each counts for itself, but is not idle while others drain."""
        line = self.start()
        with connect(("127.0.0.1", self.port)) as sock:
            sock.sendall(b"x")
            self.assertEqual(sock.recv(1), b"x")
            # Not before: it would perhaps end before anybody comes.
            line.write(self.echo("idle-exit = 100ms"))
            line.signal(signal.SIGHUP)
            line.wait_said("reloaded")
            old = line.hand_over()
            self.still_serves(line)
            sock.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                sock.recv(1)
            self.assertTrue(is_alive(line.pid))
        self.assertEqual(line.wait_gone(old), 0)
        self.assertEqual(line.wait_gone(line.pid), 0)
        self.assertIn("idle: exiting", line.output())

    def test_end_waits_for_all(self):
        """Who ends the newest, ends the old ones too: it is the last to go. Those between
        are gone as soon as they have nothing to do."""
        line = self.start()
        with connect(("127.0.0.1", self.port)) as sock:
            sock.sendall(b"x")
            self.assertEqual(sock.recv(1), b"x")
            first = line.hand_over()
            between = line.hand_over()
            self.assertEqual(line.wait_gone(between), 0)
            line.signal(signal.SIGTERM)
            line.wait_said("adoptd: draining\n")
            wait_for("its end of accepting", self.is_refused)
            self.assertTrue(is_alive(line.pid))
            sock.sendall(b"y")
            self.assertEqual(sock.recv(1), b"y")
        self.assertEqual(line.wait_gone(first), 0)
        self.assertEqual(line.wait_gone(line.pid), 0)

    # --- where there can be none ---

    def test_connections_only(self):
        ours, theirs = socket.socketpair()
        with ours:
            line = self.start('port "echo" { echo {} }', "--fd", "echo=5", fds={5: theirs.fileno()})
            theirs.close()
            ours.settimeout(harness.BOUND)
            ours.sendall(b"x")
            self.assertEqual(ours.recv(1), b"x")
            line.signal(signal.SIGUSR2)
            line.wait_said("not handing over: ")
            ours.sendall(b"y")
            self.assertEqual(ours.recv(1), b"y")
        self.assertEqual(line.wait_gone(line.pid), 0)

    def test_lent(self):
        """A program that has the socket for itself keeps it, as it is, until it ends."""
        sock = self.use(listener())
        line = self.start('port "own" { exec { wait = true  command = {"/bin/sh", "-c", '
                          '"read line <%s"} } }' % self.path("go"), "--fd", "own=5",
                          fds={5: sock.fileno()})
        os.mkfifo(self.path("go"))

        def is_lent():
            return not fcntl.fcntl(sock, fcntl.F_GETFL) & os.O_NONBLOCK

        line.wait_said("exec on ")
        with connect(sock.getsockname()):
            wait_for("the program", is_lent)
            line.signal(signal.SIGUSR2)
            line.wait_said("not handing over: a program has a socket for itself")
            self.assertTrue(is_lent())
            sock.accept()[0].close()
            with open(self.path("go"), "w", encoding="ascii") as go:
                go.write("\n")
        wait_for("its end", lambda: not is_lent())
        line.wait_gone(line.hand_over())
        self.assertEqual(line.stop(), 0)

    def test_inetd(self):
        sock = self.use(listener())
        line = self.start('port "inetd" { echo {} }', fds={0: sock.fileno()})
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        line.signal(signal.SIGUSR2)
        line.wait_said("not handing over: what has started this process")
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(line.stop(), 0)


if __name__ == "__main__":
    harness.main()
