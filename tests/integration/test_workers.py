"""Several workers: clients are spread evenly, and limits hold for all together."""
import contextlib
import re
import select
import signal
import socket
import threading

import harness
from harness import adoptd, connect, echo_datagram, echo_stream, listener, wait_for

WORKERS = 4


class Workers(harness.Case):
    def start(self, port, *socks, options=""):
        config = 'workers = %d %s port "echo" { %s echo {} }' % (WORKERS, options, port)
        argv = [word for i in range(len(socks)) for word in ("--fd", f"echo={3 + i}")]
        return self.use(adoptd(config, *argv, fds={3 + i: s.fileno() for i, s in enumerate(socks)}))

    def keep(self, address, count):
        """So many clients that have been served, and stay."""
        clients = [self.use(connect(address)) for _ in range(count)]
        for client in clients:
            client.sendall(b"x")
        for client in clients:
            self.assertEqual(client.recv(1), b"x")
        return clients

    def shares(self, process):
        """How many connections each worker has."""
        said = len(process.output())
        process.popen.send_signal(signal.SIGUSR1)
        pattern = re.compile(r"status: worker \d+: (\d+) connections")
        return wait_for("the status", lambda: (
            (found := pattern.findall(process.output()[said:])) and
            len(found) == WORKERS and [int(count) for count in found]))

    def test_connections_are_spread(self):
        """Whether they come one by one or all at once."""
        sock = self.use(listener(backlog=512))
        process = self.start("", sock)
        self.keep(sock.getsockname(), 40)
        counts = self.shares(process)
        self.assertEqual(sum(counts), 40, counts)
        self.assertLessEqual(max(counts) - min(counts), 5, counts)
        process.popen.send_signal(signal.SIGSTOP)
        burst = [self.use(connect(sock.getsockname())) for _ in range(200)]
        process.popen.send_signal(signal.SIGCONT)
        for client in burst:
            client.sendall(b"y")
        for client in burst:
            self.assertEqual(client.recv(1), b"y")
        counts = self.shares(process)
        self.assertEqual(sum(counts), 240, counts)
        self.assertLessEqual(max(counts) - min(counts), 20, counts)

    def reuse_port(self, count, kind, address=("127.0.0.1", 0)):
        socks = []
        for _ in range(count):
            sock = self.use(socket.socket(socket.AF_INET, kind))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(address)
            address = sock.getsockname()
            if kind == socket.SOCK_STREAM:
                sock.listen(128)
            socks.append(sock)
        return socks

    def test_siblings_go_one_to_a_worker(self):
        """As systemd's ReusePort= hands them over: the kernel's choice is the worker's."""
        socks = self.reuse_port(WORKERS, socket.SOCK_STREAM)
        process = self.start("", *socks)
        self.keep(socks[0].getsockname(), 80)
        counts = self.shares(process)
        self.assertEqual(sum(counts), 80, counts)
        self.assertTrue(all(counts), counts)

    def test_fewer_siblings_than_workers(self):
        socks = self.reuse_port(2, socket.SOCK_STREAM)
        process = self.start("", *socks)
        self.keep(socks[0].getsockname(), 40)
        counts = self.shares(process)
        self.assertEqual(sum(counts), 40, counts)
        self.assertTrue(all(counts), counts)

    def test_datagrams(self):
        one = self.use(listener(kind=socket.SOCK_DGRAM))
        socks = self.reuse_port(WORKERS, socket.SOCK_DGRAM)
        self.start("", one, *socks)
        for _ in range(20):
            self.assertEqual(echo_datagram(one.getsockname()), b"hello\n")
            self.assertEqual(echo_datagram(socks[0].getsockname()), b"hello\n")

    def served(self, clients):
        """Those that are echoed from the first one on until there is silence for half a second."""
        served = []
        waiting = set(clients)
        patience = harness.BOUND
        while ready := select.select(waiting, [], [], patience)[0]:
            patience = 0.5
            for client in ready:
                self.assertEqual(client.recv(1), b"x")
                served.append(client)
                waiting.discard(client)
        return served

    def exactly(self, maximum, port, options=""):
        """No more are served than may be, and all in the end."""
        sock = self.use(listener(backlog=512))
        self.start(port, sock, options=options)
        clients = [self.use(connect(sock.getsockname())) for _ in range(40)]
        for client in clients:
            client.sendall(b"x")
        while clients:
            served = self.served(clients)
            self.assertEqual(len(served), min(maximum, len(clients)))
            for client in served:
                client.close()
                clients.remove(client)

    def test_max_connections(self):
        for maximum in (1, 5, 13):
            with self.subTest(maximum=maximum):
                self.exactly(maximum, f"max-connections = {maximum}")

    def test_max_connections_of_all_ports(self):
        self.exactly(13, "", options="max-connections = 13")

    def test_max_connections_per_source(self):
        sock = self.use(listener(backlog=512))
        self.start("max-connections-per-source = 7", sock)
        clients = [self.use(connect(sock.getsockname())) for _ in range(30)]
        let_in = 0
        for client in clients:
            with contextlib.suppress(ConnectionError):
                client.sendall(b"x")
                let_in += client.recv(1) == b"x"
        self.assertEqual(let_in, 7)

    def test_short_connections_from_many(self):
        """Every byte of every one, while the setup changes under them."""
        sock = self.use(listener(backlog=512))
        path = self.path("conf")
        config = ('workers = %d port "echo" { max-connections = %%d echo {} }' % WORKERS)
        with open(path, "w", encoding="utf-8") as file:
            file.write(config % 30)
        process = self.use(harness.Process([harness.ADOPTD, "-c", path, "--fd", "echo=3"],
                                           fds={3: sock.fileno()}))
        wait_for("adoptd", lambda: echo_stream(sock.getsockname()))
        failed = []

        def client(number):
            try:
                for i in range(60):
                    data = b"%d %d\n" % (number, i) * 500
                    if echo_stream(sock.getsockname(), data) != data:
                        failed.append((number, i))
            except OSError as error:
                failed.append((number, error))

        threads = [threading.Thread(target=client, args=(i,)) for i in range(12)]
        for thread in threads:
            thread.start()
        for i in range(20):
            said = process.output().count("reloaded")
            with open(path, "w", encoding="utf-8") as file:
                file.write(config % (5 + i))
            process.popen.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: process.output().count("reloaded") > said)
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.assertEqual(process.stop(), 0, process.output())


if __name__ == "__main__":
    harness.main()
