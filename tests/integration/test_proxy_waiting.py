"""Many clients wait for a backend that is still starting: what that costs, and what comes of them."""
import contextlib
import os
import resource
import signal
import socket
import threading
import time

import harness
import lab
from backends import text
from harness import BOUND, Process, connect, listener, wait_for

INTERVAL = 0.1  # seconds, retry-interval's default


class Waiting(harness.Case):
    """A UNIX socket that comes late, and in front of it a port in a network of adoptd's own
    that nobody listens on: there each round leaves a trace, and nobody else does."""

    def setUp(self):
        super().setUp()
        try:
            lab.check_available()
        except lab.Unavailable as why:
            self.skipTest(f"no namespaces: {why}")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.late, self.clients, self.heard = self.path("late"), [], []

    def start(self, options="connect-timeout = 60s"):
        self.port = self.use(listener(socket.AF_UNIX, address=self.path("port"), backlog=4096))
        self.write_config(options)
        self.daemon = self.use(Process(
            ["unshare", "--net", "sh", "-euc", 'ip link set lo up; exec "$@"', "sh", harness.ADOPTD,
             "-c", self.path("conf"), "--fd", "p=3"], fds={3: self.port.fileno()}))
        wait_for("the start", lambda: "proxy on" in self.daemon.output())

    def write_config(self, options):
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write('port "p" { proxy { upstream = {"127.0.0.1:9", "%s"} %s\n} }\n'
                       % (text(self.late), options))

    def rounds(self):
        """How many connects to the port have begun."""
        with open(f"/proc/{self.daemon.pid}/net/snmp", encoding="ascii") as file:
            names, values = (line.split() for line in file if line.startswith("Tcp:"))
        return int(values[names.index("ActiveOpens")])

    def held(self):
        """How many clients adoptd has, and a few descriptors more."""
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def come(self, count):
        """Clients that tell their number and wait."""
        for number in range(count):
            client = self.use(connect(self.path("port")))
            client.sendall(b"%d\n" % number)
            self.clients.append(client)

    def serve(self, backlog=4096):
        """The backend is there: one client after the other, each told what it has said. Who
        finds its backlog full comes later than those behind it."""
        late = self.use(listener(socket.AF_UNIX, address=self.late, backlog=backlog))

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    with late.accept()[0] as client:
                        client.settimeout(BOUND)
                        line = client.recv(100)
                        self.heard.append(int(line))
                        client.sendall(line)

        threading.Thread(target=accept, daemon=True).start()

    def check_answers(self):
        for number, client in enumerate(self.clients):
            self.assertEqual(client.recv(100), b"%d\n" % number)
            client.close()

    def test_one_tries_for_all_who_wait(self):
        self.start()
        begun, count = time.monotonic(), 2000
        self.come(count)
        wait_for("all to be held", lambda: self.held() >= count)
        wait_for("five more rounds", lambda end=self.rounds() + 5: self.rounds() >= end)
        # Who comes before the first one is refused tries as well; the rest does not. If each
        # tried for itself, all would, once an interval.
        each = count * (time.monotonic() - begun) / INTERVAL
        self.assertLess(self.rounds(), each / 5)
        self.serve()
        self.check_answers()
        self.assertEqual(sorted(self.heard), list(range(count)))

    def test_short_backlog_serves_all(self):
        self.start()
        self.come(300)
        wait_for("a round", self.rounds)
        self.serve(backlog=1)
        self.check_answers()
        self.assertEqual(sorted(self.heard), list(range(300)))

    def test_drain_while_they_wait(self):
        self.start()
        self.come(20)
        wait_for("all to be held", lambda: self.held() >= 20)
        self.daemon.popen.send_signal(signal.SIGTERM)
        wait_for("the drain", lambda: "drain" in self.daemon.output())
        self.serve()
        self.check_answers()
        self.assertEqual(self.daemon.wait(), 0)

    def test_reload_while_they_wait(self):
        """They keep the configuration that they began with, and do not hold up others."""
        self.start()
        self.come(20)
        wait_for("all to be held", lambda: self.held() >= 20)
        other = self.late
        self.late = self.path("other")
        self.serve()
        self.write_config("connect-timeout = 60s")
        self.daemon.popen.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "reloaded" in self.daemon.output())
        with connect(self.path("port")) as client:
            client.sendall(b"99\n")
            self.assertEqual(client.recv(100), b"99\n")
        self.late = other
        self.serve()
        self.check_answers()

    def test_each_keeps_its_own_time(self):
        self.start("connect-timeout = 500ms")
        self.come(50)
        for client in self.clients:
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(client.recv(1), b"")
        wait_for("nobody to be held", lambda: self.held() < 50)


if __name__ == "__main__":
    harness.main()
