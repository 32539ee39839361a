"""Descriptors running out: no spin, one line in the log, and recovery."""
import re
import resource
import select
import socket

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
        # Quiet for half a second: that is how it stays.
        while ready := poll.poll(500):
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


if __name__ == "__main__":
    harness.main()
