"""Which upstream a client gets, and how it is reached."""
import os
import socket
import unittest

import harness
from backends import Case, echo, text
from harness import BOUND, connect, echo_stream, listener, wait_for


class Health(Case):
    def test_failed_is_skipped_and_comes_back(self):
        names = {}

        def server(name, **how):
            names[name] = self.backend(lambda client: client.sendall(name), **how)
            return names[name]

        first, second = server(b"first"), server(b"second")
        address = self.proxy(text(first.address), text(second.address))
        self.assertEqual([echo_stream(address, b"") for _ in range(4)],
                         [b"first", b"second"] * 2)
        gone = first.address
        first.__exit__()
        self.assertEqual({echo_stream(address, b"") for _ in range(10)}, {b"second"})
        self.assertEqual(self.daemon.output().count("does not answer"), 1)
        server(b"first", sock=listener(address=gone))
        wait_for("the first", lambda: echo_stream(address, b"") == b"first")
        self.assertEqual(self.daemon.output().count("answers again"), 1)

    def test_workers_know_the_same(self):
        alive = self.backend(echo)
        address = self.proxy(self.dead_port(), text(alive.address), globally="workers = 4")
        for _ in range(40):
            self.assertEqual(echo_stream(address), b"hello\n")
        self.assertEqual(self.daemon.output().count("does not answer"), 1)


class Balance(Case):
    def server(self, name):
        """A backend that tells its name, and keeps its clients until they leave."""
        def serve(client):
            client.sendall(name)
            client.recv(1)

        return self.backend(serve)

    def greeting(self, client):
        client.settimeout(BOUND)
        return client.recv(1)

    @harness.need_proc
    def test_least_connections(self):
        address = self.proxy(text(self.server(b"a").address), text(self.server(b"b").address),
                             options="balance = least-connections")
        wait_for("the start", lambda: "proxy on" in self.daemon.output())
        idle = self.descriptors()
        held = {b"a": [], b"b": []}
        for _ in range(6):
            client = self.use(connect(address))
            held[self.greeting(client)].append(client)
        self.assertEqual((len(held[b"a"]), len(held[b"b"])), (3, 3))
        for client in held[b"b"]:
            client.close()
        # Each client costs two.
        wait_for("the closed ones' end", lambda: self.descriptors() == idle + 6)
        for _ in range(3):
            self.assertEqual(self.greeting(self.use(connect(address))), b"b")

    def whom(self, address, source):
        with socket.create_connection(address, BOUND, (source, 0)) as client:
            return self.greeting(client)

    def test_source_hash(self):
        """A host keeps its server, and a lost server moves only its own hosts."""
        servers = {name: self.server(name) for name in (b"a", b"b", b"c")}
        address = self.proxy(*(text(server.address) for server in servers.values()),
                             options="balance = source-hash")
        hosts = [f"127.0.1.{number}" for number in range(1, 31)]
        before = {host: self.whom(address, host) for host in hosts}
        self.assertEqual(set(before.values()), set(servers))
        self.assertEqual({host: self.whom(address, host) for host in hosts}, before)
        servers[b"b"].__exit__()
        for host, server in before.items():
            now = self.whom(address, host)
            self.assertNotEqual(now, b"b")
            if server != b"b":
                self.assertEqual(now, server)


class Families(Case):
    def listeners(self):
        """One of each kind that a stream can be on; VSOCK has a test of its own."""
        yield listener()
        yield listener(socket.AF_INET6)
        yield listener(socket.AF_UNIX, address=self.path(os.urandom(4).hex()))
        yield listener(socket.AF_UNIX, address="\0adoptd." + os.urandom(4).hex())

    def test_each_to_each(self):
        # As much as the sockets on the way hold: it is sent before anything is read.
        question = os.urandom(1 << 18)
        for front in self.listeners():
            for back in self.listeners():
                with self.subTest(front=front.getsockname(), back=back.getsockname()):
                    self.backend(echo, sock=self.use(back))
                    self.proxy(text(back.getsockname()), sock=front)
                    address = front.getsockname()
                    address = os.fsdecode(address) if isinstance(address, bytes) else address
                    self.assertEqual(echo_stream(address, question), question)
            front.close()

    def test_records_stay_records(self):
        front, back = (self.use(listener(socket.AF_UNIX, socket.SOCK_SEQPACKET, self.path(name)))
                       for name in ("front", "back"))
        back.settimeout(BOUND)
        self.proxy(text(self.path("back")), sock=front)
        with connect(self.path("front"), socket.SOCK_SEQPACKET) as client:
            with back.accept()[0] as server:
                server.settimeout(BOUND)
                for sender, receiver in ((client, server), (server, client)):
                    for size in (1, 10000, 3):
                        sender.send(b"x" * size)
                    for size in (1, 10000, 3):
                        self.assertEqual(len(receiver.recv(65536)), size)

    @unittest.skipUnless(hasattr(socket, "AF_VSOCK"), "no VSOCK here")
    def test_vsock(self):
        try:
            sock = self.use(socket.socket(socket.AF_VSOCK))
            sock.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
            sock.listen()
            port = sock.getsockname()[1]
            with socket.socket(socket.AF_VSOCK) as probe:
                probe.settimeout(0.5)
                probe.connect((1, port))
            sock.accept()[0].close()
        except OSError as error:
            self.skipTest(f"no VSOCK loopback: {error}")
        self.backend(echo, sock=sock)
        self.assertEqual(echo_stream(self.proxy(f"vsock:1:{port}")), b"hello\n")


if __name__ == "__main__":
    harness.main()
