"""Limits: descriptors running out (no spin, a line in the log, recovery), and a port's own."""
import os
import re
import resource
import select
import signal
import socket
import unittest

import harness
from harness import adoptd, connect, echo_stream, listener, wait_for

LIMIT = 40
CLIENTS = 100


@harness.need_proc
class Descriptors(harness.Case):
    def answered(self, clients):
        """Says x to all; returns those that were echoed, those closed, those left waiting."""
        counts = {"echoed": [], "closed": [], "waiting": list(clients)}
        poll = select.poll()
        numbers = {client.fileno(): client for client in clients}
        for client in clients:
            try:
                client.send(b"x")
            except OSError:
                pass  # the read tells
            poll.register(client, select.POLLIN)
        # Once it has begun, quiet for half a second: that is how it stays.
        patience = harness.BOUND * 1000
        while ready := poll.poll(patience):
            patience = 500
            for fd, _ in ready:
                client = numbers[fd]
                try:
                    kind = "echoed" if client.recv(1) else "closed"
                except ConnectionError:
                    kind = "closed"
                counts[kind].append(client)
                counts["waiting"].remove(client)
                poll.unregister(fd)
        return counts

    def exhaust(self, config):
        sock = self.use(listener(backlog=CLIENTS * 2))
        process = self.use(adoptd(config, "--fd", "busy=3", fds={3: sock.fileno()},
                                  limits={resource.RLIMIT_NOFILE: LIMIT}))
        clients = [self.use(connect(sock.getsockname())) for _ in range(CLIENTS)]
        counts = self.answered(clients)
        self.assertGreater(len(counts["echoed"]), 5)
        self.assertLess(len(counts["echoed"]), LIMIT)

        # Clients are still waiting or were turned away; either way it rests.
        self.assertLess(process.cpu_share(), 0.1, "it spins")
        lines = [line for line in process.output().splitlines()
                 if re.search(r"descriptor|connections|limit|paus", line, re.I)]
        self.assertEqual(len(lines), 1, process.output())

        # Room again: all that waited are served, and so is who comes now.
        for client in counts["echoed"]:
            client.close()
        waiting = counts["waiting"]
        while waiting:
            later = self.answered(waiting)
            self.assertTrue(later["echoed"] or later["closed"], "nobody who waited is served")
            for client in later["echoed"]:
                client.close()
            waiting = later["waiting"]
        self.assertEqual(wait_for("room for one more", lambda: echo_stream(sock.getsockname())),
                         b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_echo(self):
        self.exhaust('port "busy" { echo {} }')

    def test_proxy(self):
        with listener() as upstream, adoptd('port "back" { echo {} }', "--fd", "back=3",
                                            fds={3: upstream.fileno()}):
            self.exhaust('port "busy" { proxy { upstream = {"127.0.0.1:%d"} } }'
                         % upstream.getsockname()[1])


class PortBlock(harness.Case):
    """What a port block says of who may come, and how many."""

    def start(self, options):
        sock = self.use(listener())
        self.address = sock.getsockname()
        self.daemon = self.use(adoptd('port "p" { %s echo {} }' % options, "--fd", "p=3",
                                      fds={3: sock.fileno()}))

    def client(self, source="127.0.0.1"):
        """Connects and says x."""
        client = self.use(connect(self.address, source=source))
        client.sendall(b"x")
        return client

    def served(self, source="127.0.0.1"):
        try:
            return self.client(source).recv(1) == b"x"
        except ConnectionError:
            return False

    def logged(self, text):
        wait_for(f"{text} in the log", lambda: text in self.daemon.output())

    def test_max_connections(self):
        self.start("max-connections = 2")
        first, second = self.client(), self.client()
        self.assertEqual(first.recv(1) + second.recv(1), b"xx")
        self.logged("accepting pauses, max-connections (2) is reached")
        waiting = [self.client() for _ in range(2)]
        self.assertEqual(select.select(waiting, [], [], 0.3)[0], [])
        for leaves, comes in zip((first, second), waiting):
            leaves.close()
            self.assertEqual(comes.recv(1), b"x")

    def test_max_connections_per_source(self):
        self.start("max-connections-per-source = 1")
        first = self.client("127.0.0.2")
        self.assertEqual(first.recv(1), b"x")
        self.assertFalse(self.served("127.0.0.2"))
        self.assertTrue(self.served("127.0.0.3"))
        self.logged("(max-connections-per-source)")
        first.close()
        wait_for("the source's turn", lambda: self.served("127.0.0.2"))

    def test_rate_per_source(self):
        self.start("rate-per-source = 2/h")
        self.assertEqual([self.served("127.0.0.2") for _ in range(4)], [True, True, False, False])
        self.assertTrue(self.served("127.0.0.3"))
        self.logged("(rate-per-source)")

    def test_allow_and_deny(self):
        self.start('allow = {"127.0.0.0/29"} deny = {"127.0.0.2"}')
        self.assertEqual([self.served(f"127.0.0.{host}") for host in (1, 2, 3, 8)],
                         [True, False, True, False])

    @unittest.skipUnless(os.path.exists("/proc/net/tcp"), "no /proc/net/tcp here")
    def test_keepalive(self):
        self.start("keepalive = 1h")
        client = self.client()
        self.assertEqual(client.recv(1), b"x")

        def timer():
            """What runs for the server's end, and for how many hundredths of a second yet."""
            ends = [f"0100007F:{address[1]:04X}"
                    for address in (client.getpeername(), client.getsockname())]
            with open("/proc/net/tcp", encoding="ascii") as table:
                for line in table:
                    fields = line.split()
                    if fields[1:3] == ends:
                        kind, left = fields[5].split(":")
                        return kind, int(left, 16)

        # 02 is another timer than that of retransmission, which runs until the x is acknowledged.
        wait_for("probes to be due in an hour",
                 lambda: timer()[0] == "02" and 350000 < timer()[1] <= 360000)


@harness.need_root
@harness.need("setpriv")
class Processes(harness.Case):
    """RLIMIT_NPROC counts threads too, of one user; root's are not bounded."""
    USER = str(30000 + os.getpid() % 30000)  # whom nobody else has
    MOST = 2

    def start(self, workers):
        how = {"fds": {3: self.use(listener()).fileno()},
               "env": {**os.environ, **harness.LEAKS_UNSEEN},
               "limits": {resource.RLIMIT_NPROC: self.MOST}}
        return self.use(harness.Process(
            ["setpriv", f"--reuid={self.USER}", f"--regid={self.USER}", "--clear-groups",
             harness.ADOPTD, "--fd", "p=3", "-e",
             'sandbox = no workers = %d port "p" { echo {} }' % workers], **how))

    def test_threads(self):
        process = self.start(workers=4)
        self.assertEqual(process.wait(), os.EX_OSERR)
        self.assertRegex(process.output(), "cannot serve: no more processes .* RLIMIT_NPROC")

    def test_hand_over(self):
        process = self.start(workers=2)
        wait_for("adoptd", lambda: "echo on" in process.output())
        process.popen.send_signal(signal.SIGUSR2)
        wait_for("why not", lambda: re.search("cannot start .*: no more processes",
                                              process.output()))
        self.assertEqual(process.stop(), 0)


if __name__ == "__main__":
    harness.main()
