"""Datagrams through the proxy: a session a client, each with an upstream of its own."""
import os
import resource
import socket

import backends
import harness
from backends import text
from harness import BOUND, connect, free_port, listener, wait_for

WHOLE = "max-packet-size = 65535"


class Case(backends.Case):
    def server(self, address=None, family=socket.AF_INET):
        """A datagram socket that is to be an upstream."""
        sock = self.use(listener(family, socket.SOCK_DGRAM, address))
        sock.settimeout(BOUND)
        return sock

    def relay(self, *upstreams, **how):
        return self.proxy(*upstreams, kind=socket.SOCK_DGRAM, **how)

    def client(self, address):
        """A client; one of a UNIX socket has a name, so that it can be answered."""
        if not isinstance(address, str):
            return self.use(connect(address, socket.SOCK_DGRAM))
        sock = self.server(self.path(f"client{len(os.listdir(self.directory))}"), socket.AF_UNIX)
        sock.connect(address)
        return sock

    def exchange(self, client, server, question=b"question", answer=b"answer"):
        """One question, one answer; returns where the server got the question from."""
        client.send(question)
        data, source = server.recvfrom(65536)
        self.assertEqual(data, question)
        server.sendto(answer, source)
        self.assertEqual(client.recv(65536), answer)
        return source


class Sessions(Case):
    def test_only_the_upstream_answers(self):
        server, stranger = self.server(), self.server()
        client = self.client(self.relay(text(server.getsockname())))
        source = self.exchange(client, server)
        stranger.sendto(b"forged", source)
        server.sendto(b"genuine", source)
        self.assertEqual(client.recv(100), b"genuine")

    def test_clients_are_told_apart(self):
        server = self.server()
        address = self.relay(text(server.getsockname()))
        clients = [self.client(address) for _ in range(50)]
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        for _ in clients:
            data, source = server.recvfrom(100)
            server.sendto(b"to " + data, source)
        for number, client in enumerate(clients):
            self.assertEqual(client.recv(100), b"to %d" % number)

    def test_longest_idle_makes_room(self):
        server = self.server()
        address = self.relay(text(server.getsockname()), options="max-sessions = 2")
        first, second, third = (self.client(address) for _ in range(3))
        sources = [self.exchange(client, server) for client in (first, second, third)]
        server.sendto(b"too late", sources[0])
        # The second has been silent for longer than the third, and makes room for the first.
        self.assertNotEqual(self.exchange(first, server), sources[0])
        self.assertEqual(self.exchange(third, server), sources[2])
        self.assertNotEqual(self.exchange(second, server), sources[1])

    @harness.need_proc
    def test_silent_sessions_end(self):
        server = self.server()
        address = self.relay(text(server.getsockname()), options="session-timeout = 300ms")
        wait_for("the start", lambda: "proxy on" in self.daemon.output())
        before = self.descriptors()
        for _ in range(10):
            self.exchange(self.client(address), server)
        wait_for("the sessions' end", lambda: self.descriptors() == before)

    def test_without_descriptors_the_longest_idle_makes_room(self):
        server = self.server()
        address = self.relay(text(server.getsockname()), limits={resource.RLIMIT_NOFILE: 40})
        for _ in range(60):
            self.exchange(self.client(address), server)
        self.assertEqual(self.daemon.output().count("no descriptor is left for a session"), 1)
        self.assertNotIn("does not answer", self.daemon.output())


class Upstreams(Case):
    def test_refusal_is_survived(self):
        server = self.server()
        address = server.getsockname()
        client = self.client(self.relay(text(address)))
        self.exchange(client, server)
        for times in (1, 2):
            server.close()
            client.send(b"lost")
            wait_for("the refusal",
                     lambda: self.daemon.output().count("does not answer") == times)
            server = self.server(address)
            self.exchange(client, server)
            self.assertEqual(self.daemon.output().count("answers again"), times)

    def test_next_one_is_asked(self):
        server = self.server()
        dead = (text(("127.0.0.1", free_port(socket.SOCK_DGRAM))) for _ in range(2))
        address = self.relay(*dead, text(server.getsockname()))
        for _ in range(3):
            self.exchange(self.client(address), server)

    def test_unix_upstream_that_is_replaced(self):
        path = self.path("server")
        server = self.server(path, socket.AF_UNIX)
        client = self.client(self.relay(text(path)))
        self.exchange(client, server)
        server.close()
        os.unlink(path)
        client.send(b"lost")
        wait_for("the refusal", lambda: "does not answer" in self.daemon.output())
        self.exchange(client, self.server(path, socket.AF_UNIX))

    def test_families(self):
        for name, sock in (("6", self.server(family=socket.AF_INET6)),
                           ("path", self.server(self.path("path"), socket.AF_UNIX)),
                           ("abstract", self.server(f"\0adoptd.{os.getpid()}", socket.AF_UNIX))):
            fronts = (listener(socket.AF_INET6, socket.SOCK_DGRAM),
                      listener(socket.AF_UNIX, socket.SOCK_DGRAM, self.path(f"front-{name}")))
            for front in fronts:
                with self.subTest(upstream=name, front=front.family):
                    address = self.relay(text(sock.getsockname()), sock=self.use(front))
                    self.exchange(self.client(address), sock)


class Sizes(Case):
    def test_largest_of_all(self):
        """UNIX sockets carry more than UDP, whose headers must have room in 65,535 bytes."""
        largest = os.urandom(65535)
        server = self.server(self.path("server"), socket.AF_UNIX)
        front = self.use(listener(socket.AF_UNIX, socket.SOCK_DGRAM, self.path("front")))
        client = self.client(self.relay(text(server.getsockname()), port_options=WHOLE, sock=front))
        self.exchange(client, server, largest, largest[::-1])
        self.exchange(client, server, b"", b"")

    def test_longer_ones_are_dropped(self):
        server = self.server()
        client = self.client(self.relay(text(server.getsockname()),
                                        port_options="max-packet-size = 1000"))
        for size in (1001, 1000, 9000, 999):
            client.send(b"x" * size)
        for size in (1000, 999):
            self.assertEqual(len(server.recv(65536)), size)
        self.assertEqual(self.daemon.output().count("longer than max-packet-size"), 1)

    def test_answers_may_be_longer(self):
        server = self.server()
        client = self.client(self.relay(text(server.getsockname()),
                                        port_options="max-packet-size = 1000"))
        self.exchange(client, server, answer=os.urandom(65507))


class Locals(Case):
    """A socket that is bound to all addresses answers from the one that was asked: a client
    whose socket is connected hears no other."""

    def ask(self, front, *hosts):
        server = self.server()
        self.relay(text(server.getsockname()), sock=self.use(front))
        for host in hosts:
            with self.subTest(host=host):
                self.exchange(self.client((host, front.getsockname()[1])), server)

    def test_inet(self):
        self.ask(listener(kind=socket.SOCK_DGRAM, address=("0.0.0.0", 0)),
                 "127.0.0.1", "127.0.0.2", "127.9.9.9")

    def test_inet6(self):
        self.ask(listener(socket.AF_INET6, socket.SOCK_DGRAM, ("::", 0)), "::1", "127.0.0.2")

    def test_one_client_two_addresses(self):
        """What one socket asks of two addresses are two sessions."""
        server = self.server()
        front = listener(kind=socket.SOCK_DGRAM, address=("0.0.0.0", 0))
        self.relay(text(server.getsockname()), sock=self.use(front))
        asked = [(host, front.getsockname()[1]) for host in ("127.0.0.1", "127.0.0.2")]
        client = self.server()
        for address in asked:
            client.sendto(address[0].encode(), address)
        for _ in asked:
            data, source = server.recvfrom(100)
            server.sendto(data, source)
        for _ in asked:
            data, source = client.recvfrom(100)
            self.assertEqual(source, (data.decode(), asked[0][1]))


if __name__ == "__main__":
    harness.main()
