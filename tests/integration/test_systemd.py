"""The shipped units under a real systemd: activation, sandbox, journal, faults."""
import json
import os
import re
import signal
import socket
import time
import unittest

import harness
import lab
from harness import connect, echo_datagram, echo_stream, wait_for

SMALL = "adoptd-small.service"
HOSTS = ("127.0.0.1", "::1")
EPOCH_1900 = 2208988800


class Systemd(lab.Case):
    """adoptd-small.service, a fresh start for each case; and units of our own."""

    def setUp(self):
        super().setUp()
        self.open("echo")

    def open(self, *names):
        """Starts sockets of the small services, and closes them after the case."""
        units = [f"adoptd-{name}.socket" for name in names]
        self.lab.run("systemctl", "start", *units)
        self.addCleanup(self.lab.run, "systemctl", "stop", *units, SMALL)

    def state(self, unit=SMALL):
        return self.lab.show(unit, "ActiveState")[0]

    def pid(self):
        return int(self.lab.show(SMALL, "MainPID")[0])

    def answers(self, what):
        """Runs what must succeed, and shows the unit where it does not."""
        try:
            return what()
        except OSError as error:
            raise AssertionError(f"{error!r}\n{self.tell(SMALL)}") from None

    def test_first_connection_activates(self):
        self.assertEqual(self.state(), "inactive")
        self.assertEqual(self.answers(lambda: echo_stream(("127.0.0.1", 7))), b"hello\n")
        self.assertEqual(self.state(), "active")

    def test_first_datagram_activates(self):
        self.assertEqual(self.state(), "inactive")
        self.assertEqual(self.answers(lambda: echo_datagram(("::1", 7))), b"hello\n")
        self.assertEqual(self.state(), "active")

    def test_all_of_one_name(self):
        """IPv4 beside IPv6, UDP beside TCP: the four sockets of echo."""
        for host in HOSTS:
            self.assertEqual(self.answers(lambda: echo_stream((host, 7))), b"hello\n")
            self.assertEqual(self.answers(lambda: echo_datagram((host, 7))), b"hello\n")

    def test_every_service(self):
        self.open("discard", "daytime", "chargen", "time")
        for host in HOSTS:
            with self.subTest(host=host):
                self.assertEqual(self.answers(lambda: echo_stream((host, 9), b"x" * 100000)), b"")
                with connect((host, 13)) as sock:
                    self.assertRegex(harness.read_all(sock).decode(), r"\d\d:\d\d:\d\d.*\r\n$")
                with connect((host, 19)) as sock:
                    self.assertEqual(sock.recv(74, socket.MSG_WAITALL)[-2:], b"\r\n")
                with connect((host, 37)) as sock:
                    seconds = int.from_bytes(harness.read_all(sock), "big") - EPOCH_1900
                self.assertAlmostEqual(seconds, time.time(), delta=5)
                self.assertEqual(len(echo_datagram((host, 37), b"....")), 4)

    def test_stop_leaves_the_sockets(self):
        self.answers(lambda: echo_stream(("127.0.0.1", 7)))
        first = self.pid()
        self.lab.run("systemctl", "stop", SMALL)
        self.assertEqual(self.lab.show(SMALL, "ActiveState", "Result"), ["inactive", "success"])
        self.assertEqual(self.lab.show("adoptd-echo.socket", "SubState"), ["listening"])
        self.assertEqual(self.answers(lambda: echo_stream(("127.0.0.1", 7))), b"hello\n")
        self.assertNotEqual(self.pid(), first)

    def test_killed_comes_back(self):
        self.answers(lambda: echo_stream(("127.0.0.1", 7)))
        pid = self.host_pid()
        os.kill(pid, signal.SIGKILL)
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
        self.assertEqual(self.answers(lambda: echo_stream(("127.0.0.1", 7))), b"hello\n")
        self.assertEqual(self.state("adoptd-echo.socket"), "active")

    def host_pid(self):
        """The daemon's process, as this side numbers it."""
        inside = self.pid()
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/status", encoding="utf-8") as status:
                    numbers = re.search(r"^NSpid:\s+(.*)$", status.read(), re.M).group(1).split()
                same = os.readlink(f"/proc/{entry}/ns/pid") == os.readlink(
                    f"/proc/{self.lab.pid}/ns/pid")
            except OSError:
                continue
            if same and numbers[-1] == str(inside):
                return int(entry)
        raise AssertionError(f"no process {inside}\n{self.tell(SMALL)}")

    def test_notification(self):
        self.answers(lambda: echo_stream(("127.0.0.1", 7)))
        kind, text, errors = self.lab.show(SMALL, "Type", "StatusText", "NRestarts")
        self.assertEqual((kind, errors), ("notify", "0"))
        self.assertTrue(text, "no STATUS")

    def test_sandbox(self):
        self.answers(lambda: echo_stream(("127.0.0.1", 7)))
        pid = self.host_pid()
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        # systemd.exec(5): the dynamic users.
        for uid in status["Uid"].split():
            self.assertIn(int(uid), range(61184, 65520))
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")
        self.assertEqual(int(status["CapBnd"], 16), 0)
        self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/net"),
                            os.readlink(f"/proc/{self.lab.pid}/ns/net"))

    def test_unix(self):
        """Sockets of any kind under the same name, added by a drop-in."""
        self.lab.run("systemctl", "stop", "adoptd-echo.socket")
        self.addCleanup(self.lab.add_unit, "adoptd-echo.socket.d/unix.conf", "")
        self.lab.add_unit("adoptd-echo.socket.d/unix.conf",
                          "[Socket]\nListenStream=/run/echo\nListenDatagram=/run/echo.dgram\n"
                          "ListenSequentialPacket=/run/echo.seq\n")
        self.lab.run("systemctl", "start", "adoptd-echo.socket")
        path = self.lab.path("/run/echo")
        self.assertEqual(self.answers(lambda: echo_stream(path)), b"hello\n")
        self.assertEqual(self.answers(lambda: echo_stream(path + ".seq", kind=socket.SOCK_SEQPACKET)),
                         b"hello\n")
        # Its answer goes to the client's path: that must be one inside, that all may write to.
        client = """if True:
            import os, socket
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.settimeout(20)
            sock.bind("/run/echo.client")
            os.chmod("/run/echo.client", 0o666)
            sock.connect("/run/echo.dgram")
            sock.send(b"hello")
            print(sock.recv(100).decode())
        """
        self.lab.run("systemctl", "stop", SMALL)
        self.assertEqual(self.lab.run("/usr/bin/python3", "-c", client), "hello\n")
        self.assertEqual(self.state(), "active")
        self.lab.run("systemctl", "stop", SMALL)
        self.assertTrue(os.path.exists(path), "the path is systemd's, and is gone")

    def test_only_loopback(self):
        """The filter is the socket's: it holds for what the daemon inherits."""
        self.lab.run("systemctl", "stop", "adoptd-echo.socket")
        self.lab.add_unit("adoptd-echo.socket.d/wide.conf",
                          "[Socket]\nListenStream=\nListenDatagram=\nListenStream=0.0.0.0:7\n")
        self.addCleanup(self.lab.add_unit, "adoptd-echo.socket.d/wide.conf", "")
        self.lab.run("systemctl", "start", "adoptd-echo.socket")
        self.lab.run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")
        self.addCleanup(self.lab.run, "ip", "address", "del", "192.0.2.1/32", "dev", "lo")
        self.assertEqual(self.answers(lambda: echo_stream(("127.0.0.1", 7))), b"hello\n")
        with socket.socket() as stranger:
            stranger.settimeout(1)
            with self.assertRaises(OSError):
                stranger.connect(("192.0.2.1", 7))

    def journal(self, *options):
        """What the daemon itself has said, as the journal has it."""
        self.lab.run("journalctl", "--sync")
        text = self.lab.run("journalctl", "-o", "json", "-t", "adoptd", "-u", SMALL, *options)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def test_journal(self):
        self.answers(lambda: echo_stream(("127.0.0.1", 7)))
        entries = self.journal("_SYSTEMD_INVOCATION_ID=" + self.lab.show(SMALL, "InvocationID")[0])
        self.assertTrue(entries)
        for entry in entries:
            self.assertIn(entry["PRIORITY"], ("5", "6"), entry["MESSAGE"])
            self.assertNotRegex(entry["MESSAGE"], r"^<\d>")

    def test_fault_costs_no_socket(self):
        """A broken configuration: the client waits, and is served once it is mended."""
        path = f"{self.lab.configs}/small.conf"
        with open(self.lab.path(path), encoding="utf-8") as file:
            good = file.read()
        self.addCleanup(self.lab.write, path, good)
        for broken, word in (('\nport "echo" { ehco {} }\n', f"{path}:2: "),
                             ('port "nobody" { echo {} }\n', "nobody")):
            with self.subTest(broken):
                self.lab.run("systemctl", "stop", SMALL)
                self.lab.run("systemctl", "reset-failed", SMALL, check=False)
                self.lab.write(path, broken)
                start = time.time()
                with connect(("127.0.0.1", 7)) as client:
                    client.sendall(b"hello")
                    wait_for("a second start",
                             lambda: int(self.lab.show(SMALL, "NRestarts")[0]) >= 2)
                    self.assertEqual(self.state("adoptd-echo.socket"), "active")
                    said = " ".join(entry["MESSAGE"] for entry in self.journal(f"--since=@{start}"))
                    self.assertIn(word, said)
                    self.lab.write(path, good)
                    self.assertEqual(self.answers(lambda: client.recv(100)), b"hello")

    def test_reload(self):
        """What is wrong is told to whoever asks, and changes nothing."""
        path = f"{self.lab.configs}/small.conf"
        with open(self.lab.path(path), encoding="utf-8") as file:
            good = file.read()
        self.addCleanup(self.lab.write, path, good)
        with connect(("127.0.0.1", 7)) as client:
            client.sendall(b"hello")
            self.assertEqual(self.answers(lambda: client.recv(10)), b"hello")
            pid = self.pid()
            self.lab.write(path, 'port "echo" { ehco {} }\n')
            with self.assertRaises(AssertionError):
                self.lab.run("systemctl", "reload", SMALL)
            self.assertEqual(echo_stream(("127.0.0.1", 7)), b"hello\n")
            self.lab.write(path, 'port "echo" { reject { message = "new" } }\n')
            self.lab.run("systemctl", "reload", SMALL)
            self.assertEqual(wait_for("the new plan", lambda: echo_stream(("127.0.0.1", 7), b"")),
                             b"new")
            client.sendall(b"again")
            self.assertEqual(client.recv(10), b"again")
        self.assertEqual(self.pid(), pid)

    def test_hand_over(self):
        """The sandbox lets it start itself again."""
        with connect(("127.0.0.1", 7)) as client:
            client.sendall(b"hello")
            self.assertEqual(self.answers(lambda: client.recv(10)), b"hello")
            pid = self.pid()
            self.lab.run("systemctl", "kill", "--kill-whom=main", "-s", "USR2", SMALL)
            wait_for("the new one", lambda: self.pid() not in (0, pid))
            self.assertEqual(echo_stream(("127.0.0.1", 7)), b"hello\n")
            self.assertEqual(echo_datagram(("127.0.0.1", 7)), b"hello\n")
            client.sendall(b"again")
            self.assertEqual(client.recv(10), b"again")
        self.assertEqual(self.lab.show(SMALL, "ActiveState", "NRestarts"), ["active", "0"])

    def test_accept(self):
        """Accept=yes: an instance a connection, each ending with success."""
        self.lab.add_unit("each.socket", "[Socket]\nListenStream=127.0.0.1:4007\nAccept=yes\n")
        self.lab.add_unit("each@.service", "[Service]\nType=notify\nExecStart=%s -e "
                          '\'port "connection" { echo {} }\'\n' % self.lab.program)
        self.lab.run("systemctl", "start", "each.socket")
        self.addCleanup(self.lab.run, "systemctl", "stop", "each.socket")
        for text in (b"one", b"two", b"three"):
            self.assertEqual(echo_stream(("127.0.0.1", 4007), text), text)
        wait_for("the instances to end",
                 lambda: self.lab.show("each.socket", "NAccepted", "NConnections") == ["3", "0"])
        # One that fails would be listed still.
        self.assertEqual(self.lab.run("systemctl", "list-units", "--all", "--plain", "--no-legend",
                                      "each@*"), "")


if __name__ == "__main__":
    harness.main()
