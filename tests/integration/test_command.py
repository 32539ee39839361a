"""The command line: options, exit codes, what --check and --dump say, signals, notification."""
import contextlib
import os
import re
import signal
import socket
import unittest

import harness
from harness import ADOPTD, adoptd, connect, echo_stream, free_port, listener, wait_for

GOOD = 'port "echo" { listen = {"127.0.0.1:%d"} echo {} }\n'
OK, USAGE, REFUSED, CONFIG = 0, 64, 71, 78


class Command(harness.Case):
    def write(self, text, name="adoptd.conf"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def ends(self, code, *argv):
        end, output = harness.run([ADOPTD, *argv])
        self.assertEqual(end, code, output)
        return output

    def test_version_and_help(self):
        self.assertRegex(self.ends(OK, "--version"), r"^adoptd \d+\.\d+")
        for option in ("--config", "--execute", "--fd", "--check", "--strict", "--dump", "--version"):
            self.assertIn(option, self.ends(OK, "--help"))

    def test_usage(self):
        for argv in (["--no-such"], ["-e"], ["-e", "", "stray"], ["-c", "/dev/null", "-e", ""],
                     ["--fd", "echo=three"]):
            with self.subTest(argv=argv):
                self.assertTrue(self.ends(USAGE, *argv))

    def test_check(self):
        good = self.write(GOOD % 1)
        self.assertEqual(self.ends(OK, "--check", "-c", good), "")

    def test_check_shipped(self):
        for name in ("small.conf", "proxy.conf"):
            path = os.path.join(harness.TOP_SRCDIR, "units", name)
            self.assertEqual(self.ends(OK, "--check", "--strict", "-c", path), "")
        # A warning that git is not there is right where it is not.
        self.ends(OK, "--check", "-c", os.path.join(harness.TOP_SRCDIR, "units", "git.conf"))

    def test_faults_have_lines_and_hints(self):
        bad = self.write('idle-exit = soon\n'
                         'port "a" {\n\techo {}\n\tmax-packet-size = -4\n}\n'
                         'port "b" {\n\tproxy { upstraem = {"127.0.0.1:1"} }\n}\n')
        output = self.ends(CONFIG, "--check", "-c", bad)
        for line in (1, 4):
            self.assertIn(f"{bad}:{line}: ", output)
        self.ends(CONFIG, "-c", bad)
        hint = self.write('port "b" {\n\tproxy { upstraem = {"127.0.0.1:1"} }\n}\n')
        output = self.ends(CONFIG, "--check", "-c", hint)
        self.assertIn(f"{hint}:2: ", output)
        self.assertIn("upstream", output)

    def test_no_such_file(self):
        self.assertIn("nothing-here", self.ends(CONFIG, "-c", self.path("nothing-here")))

    def test_port_without_descriptor(self):
        self.assertIn("echo", self.ends(CONFIG, "-e", 'port "echo" { echo {} }'))

    def test_nothing_left_to_do(self):
        self.ends(OK, "-e", 'port "echo" { optional = true echo {} }')

    def test_address_in_use(self):
        with listener() as taken:
            self.assertIn(str(taken.getsockname()[1]),
                          self.ends(REFUSED, "-e", GOOD % taken.getsockname()[1]))

    def test_dump_is_a_configuration(self):
        first = self.ends(OK, "--dump", "-e", 'log-level = debug\n' + GOOD % 1 + 'port "p" {'
                          'listen = {"unix:/x"} proxy { upstream = {"127.0.0.1:2"} } }')
        # What is said, and what is left out.
        self.assertRegex(first, r"(?m)^log-level\s*=\s*\"?debug")
        self.assertRegex(first, r'max-packet-size\s*=\s*"?8')
        again = self.ends(OK, "--dump", "-c", self.write(first, "dump.conf"))
        self.assertEqual(first, again)

    def test_signals(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how), listener() as sock, \
                    adoptd('port "echo" { echo {} }', "--fd", "echo=3",
                           fds={3: sock.fileno()}) as process, \
                    connect(sock.getsockname()) as client:
                client.sendall(b"x")
                self.assertEqual(client.recv(1), b"x")
                # The first drains, which the client outlasts; the second does not wait.
                process.popen.send_signal(how)
                wait_for("the drain", lambda: "draining" in process.output())
                client.sendall(b"y")
                self.assertEqual(client.recv(1), b"y")
                self.assertEqual(process.stop(how), 0, process.output())
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(client.recv(1), b"")

    def test_notify(self):
        port = free_port()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(self.path("notify"))
            manager.settimeout(harness.BOUND)
            seen = []

            def until(word):
                while not any(line.startswith(word) for line in seen):
                    seen.extend(manager.recv(4096).decode().split("\n"))

            with adoptd(GOOD % port, env={"NOTIFY_SOCKET": self.path("notify")}) as process:
                until("READY=1")
                # Ready means ready.
                self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
                until("STATUS=")
                self.assertEqual(process.stop(), 0, process.output())
                until("STOPPING=1")

    def test_journal_lines(self):
        """Where stderr is the journal's, each line bears its priority: sd-daemon(3)."""
        port = free_port()
        with open(self.path("journal"), "wb") as stream:
            stat = os.fstat(stream.fileno())
            env = {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
            with adoptd(GOOD % port, env=env, fds={2: stream.fileno()}) as process:
                wait_for("adoptd", lambda: echo_stream(("127.0.0.1", port)))
                self.assertEqual(process.stop(), 0)
        with open(self.path("journal"), encoding="utf-8") as log:
            lines = log.read().splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, r"^<[3-7]>")
        plain = self.ends(REFUSED, "-e", GOOD % 1 if os.geteuid() else
                          'port "x" { listen = {"192.0.2.1:1"} echo {} }')
        self.assertIsNone(re.search(r"^<\d>", plain, re.M))


if __name__ == "__main__":
    harness.main()
