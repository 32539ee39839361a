"""What the proxy promises, on real sockets: no byte lost, no client refused too early, no
descriptor left, and all that people miss in systemd-socket-proxyd."""
import concurrent.futures
import contextlib
import hashlib
import os
import select
import socket
import struct
import threading
import unittest

import harness
from backends import Case, echo, reset, text
from harness import BOUND, adoptd, connect, echo_stream, listener, read_all, wait_for

GIBIBYTE = 1 << 30
VANISHING = 200


class Wanting(Case):
    """What systemd-socket-proxyd leaves to be desired."""

    def test_answer_after_half_close(self):
        answer = os.urandom(1 << 20)

        def serve(client):
            asked = read_all(client)
            client.sendall(asked + answer)

        address = self.proxy(text(self.backend(serve).address))
        for _ in range(20):
            self.assertEqual(echo_stream(address, b"question"), b"question" + answer)

    def test_limit_of_connections_is_exact(self):
        inside = []

        def serve(client):
            inside.append(client)
            echo(client)
            inside.remove(client)

        address = self.proxy(text(self.backend(serve).address), port_options="max-connections = 5")
        clients = [self.use(connect(address)) for _ in range(7)]
        for client in clients:
            client.sendall(b"x")
        for client in clients[:5]:
            self.assertEqual(client.recv(1), b"x")
        clients[5].settimeout(0.3)
        self.assertRaises(TimeoutError, clients[5].recv, 1)
        self.assertEqual(len(inside), 5)
        clients[0].close()
        clients[5].settimeout(BOUND)
        self.assertEqual(clients[5].recv(1), b"x")

    def test_datagrams(self):
        sock = self.use(listener(kind=socket.SOCK_DGRAM))
        sock.settimeout(BOUND)
        address = self.proxy(text(sock.getsockname()), kind=socket.SOCK_DGRAM,
                             port_options="max-packet-size = 65535")
        client = self.use(connect(address, socket.SOCK_DGRAM))
        for size in (0, 1, 1472, 65507):
            client.send(b"x" * size)
            data, source = sock.recvfrom(65536)
            self.assertEqual(len(data), size)
            sock.sendto(data, source)
            self.assertEqual(len(client.recv(65536)), size)

    def test_every_address_is_tried(self):
        alive = self.backend(echo)
        address = self.proxy(self.dead_port(), self.dead_port(), text(alive.address))
        for _ in range(6):
            self.assertEqual(echo_stream(address), b"hello\n")

    def test_every_address_of_a_name_is_tried(self):
        """localhost is ::1 and 127.0.0.1 on most machines, and this server on one only."""
        address = self.proxy(f"localhost:{self.backend(echo).address[1]}")
        for _ in range(4):
            self.assertEqual(echo_stream(address), b"hello\n")

    def test_client_waits_for_a_backend_that_starts(self):
        late = self.use(socket.socket())
        late.bind(("127.0.0.1", 0))
        address = self.proxy(text(late.getsockname()), options="connect-timeout = 60s")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(echo_stream, address, b"patience") for _ in range(20)]
            wait_for("the log", lambda: "does not answer" in self.daemon.output())
            done, _ = concurrent.futures.wait(answers, timeout=2)
            self.assertEqual(done, set())
            late.listen(128)
            self.backend(echo, sock=late)
            for answer in answers:
                self.assertEqual(answer.result(BOUND), b"patience")

    def test_bytes_wait_in_the_kernel(self):
        """They cost nothing here while the backend starts, and the client is held back."""
        late = self.use(socket.socket())
        late.bind(("127.0.0.1", 0))
        address = self.proxy(text(late.getsockname()), options="connect-timeout = 60s")
        with connect(address) as client:
            wait_for("the log", lambda: "does not answer" in self.daemon.output())
            before = self.resident()
            sent = self.send_until_held(client)
            self.assertLess(self.resident() - before, 1 << 20)
            late.listen()
            late.settimeout(BOUND)
            with late.accept()[0] as server:
                server.settimeout(BOUND)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(hashlib.sha1(read_all(server)).digest(), sent)

    def send_until_held(self, client):
        """Sends until there is no room for a moment; returns the digest of what was sent."""
        digest, block = hashlib.sha1(), os.urandom(65536)
        while select.select([], [client], [], 0.5)[1]:
            digest.update(block[:client.send(block, socket.MSG_DONTWAIT)])
        return digest.digest()

    def test_unix_backend_that_starts_late(self):
        path = self.path("late.sock")
        address = self.proxy("unix:" + path, options="connect-timeout = 60s")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(echo_stream, address)
            wait_for("the log", lambda: "does not answer" in self.daemon.output())
            self.backend(echo, sock=listener(socket.AF_UNIX, address=path))
            self.assertEqual(answer.result(BOUND), b"hello\n")

    def test_datagram_backend_that_starts_late(self):
        upstream = "127.0.0.1", harness.free_port(socket.SOCK_DGRAM)
        address = self.proxy(text(upstream), options="connect-timeout = 60s",
                             kind=socket.SOCK_DGRAM)
        client = self.use(connect(address, socket.SOCK_DGRAM))
        client.send(b"asked once")
        wait_for("the log", lambda: "does not answer" in self.daemon.output())
        server = self.use(listener(kind=socket.SOCK_DGRAM, address=upstream))
        server.settimeout(BOUND)
        data, source = server.recvfrom(100)
        self.assertEqual(data, b"asked once")
        server.sendto(b"answered", source)
        self.assertEqual(client.recv(100), b"answered")


class Bytes(Case):
    def send_and_hash(self, sock, seed):
        """Sends a gibibyte and its end; returns the digest of what was sent."""
        digest, left = hashlib.sha1(), GIBIBYTE
        block = bytearray(os.urandom(1 << 20))
        while left:
            block[:8] = struct.pack("=II", left & 0xffffffff, seed)
            digest.update(block)
            sock.sendall(block)
            left -= len(block)
        sock.shutdown(socket.SHUT_WR)
        return digest.hexdigest()

    def receive_and_hash(self, sock):
        digest, room = hashlib.sha1(), bytearray(1 << 20)
        while length := sock.recv_into(room):
            digest.update(memoryview(room)[:length])
        return digest.hexdigest()

    def both_ways(self, sock, pool, seed):
        sent = pool.submit(self.send_and_hash, sock, seed)
        received = pool.submit(self.receive_and_hash, sock)
        return sent, received

    def test_gibibyte_both_ways(self):
        server = self.use(listener())
        server.settimeout(BOUND)
        address = self.proxy(text(server.getsockname()))
        with concurrent.futures.ThreadPoolExecutor(4) as pool, connect(address) as client:
            accepted, _ = server.accept()
            accepted.settimeout(BOUND)
            with accepted:
                up, down = self.both_ways(client, pool, 1), self.both_ways(accepted, pool, 2)
                self.assertEqual(up[0].result(), down[1].result())
                self.assertEqual(down[0].result(), up[1].result())

    SIZES = (1, 100, 70000, 3, 5 << 20, 17, 300000, 1 << 20, 64)

    def talk(self, client, pool):
        """Little and much by turns, each echoed before the next is said."""
        for size in self.SIZES:
            said = os.urandom(size)
            sending = pool.submit(client.sendall, said)
            heard = bytearray()
            while len(heard) < size:
                heard += client.recv(size - len(heard))
            sending.result()
            self.assertEqual(heard, said)

    def test_little_and_much_by_turns(self):
        connections, pipes_kept = 20, 8
        for sock in listener(), listener(socket.AF_UNIX, address=self.path("echo")):
            upstream = text(self.backend(echo, sock=sock).address)
            front = self.use(listener())
            self.daemon = self.use(adoptd(
                f'access-log = true port "p" {{ proxy {{ upstream = {{"{upstream}"}} }} }}',
                "--fd", "p=3", fds={3: front.fileno()}))
            address = front.getsockname()
            echo_stream(address)
            before = self.descriptors()
            clients = [self.use(connect(address)) for _ in range(connections)]
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                for client in clients:
                    self.talk(client, pool)
            # At rest, a connection holds its two sockets alone.
            self.assertLessEqual(self.descriptors(), before + 2 * connections + 2 * pipes_kept)
            for client in clients:
                client.close()
            line = " received={0} sent={0} ".format(sum(self.SIZES))
            wait_for("the log", lambda: self.daemon.output().count(line) == connections)

    def test_slow_reader_costs_no_memory(self):
        def serve(client):
            while True:
                client.sendall(b"x" * 65536)

        address = self.proxy(text(self.backend(serve).address))
        with connect(address) as client:
            self.assertEqual(len(client.recv(1)), 1)
        before = self.resident()
        clients = [self.use(connect(address)) for _ in range(100)]
        for client in clients:
            self.assertEqual(len(client.recv(1)), 1)
        self.assertLess(self.resident() - before, 32 << 20)

    def test_slow_backend_costs_no_memory(self):
        server = self.use(listener())
        server.settimeout(BOUND)
        address = self.proxy(text(server.getsockname()))
        before, pairs = None, []
        for _ in range(10):
            client = self.use(connect(address))
            pairs.append((client, self.use(server.accept()[0])))
            before = before or self.resident()
            while select.select([], [client], [], 0.1)[1]:
                client.send(b"x" * 65536, socket.MSG_DONTWAIT)
        self.assertLess(self.resident() - before, 4 << 20)


class Ends(Case):
    """Of one side, which the other is to hear of."""

    def pair(self, **how):
        """A client, and the backend's end of its connection; a byte has gone both ways."""
        server = self.use(listener())
        server.settimeout(BOUND)
        client = self.use(connect(self.proxy(text(server.getsockname()), **how)))
        accepted = self.use(server.accept()[0])
        accepted.settimeout(BOUND)
        for sender, receiver in ((client, accepted), (accepted, client)):
            sender.sendall(b"x")
            self.assertEqual(receiver.recv(1), b"x")
        return client, accepted

    def test_reset_reaches_the_other_side(self):
        for resetting in (0, 1):
            pair = self.pair()
            reset(pair[resetting])
            self.assertRaises(ConnectionResetError, pair[1 - resetting].recv, 1)

    def test_half_close_timeout(self):
        for ending in (0, 1):
            pair = self.pair(options="half-close-timeout = 300ms")
            pair[ending].shutdown(socket.SHUT_WR)
            self.assertEqual(pair[1 - ending].recv(1), b"")
            self.assertRaises(ConnectionResetError, pair[ending].recv, 1)
            # Linux calls it a broken pipe where the end of file has come before.
            wait_for("the other reset", lambda: pair[1 - ending].getsockopt(
                socket.SOL_SOCKET, socket.SO_ERROR))

    def test_idle_timeout(self):
        for sock in self.pair(port_options="idle-timeout = 300ms"):
            self.assertRaises(ConnectionResetError, sock.recv, 1)


@unittest.skipUnless(os.path.isdir("/proc/self/fd"), "no /proc here")
class Vanishing(Case):
    """Clients that go away while the proxy still looks for somebody to serve them."""

    def vanish(self, *upstreams):
        # The timeout is short: nobody may wait for a place in the queue.
        address = self.proxy(*upstreams, options="connect-timeout = 2s",
                             sock=self.use(listener(backlog=2 * VANISHING)))
        with connect(address) as first:
            self.assertRaises(ConnectionResetError, first.recv, 1)
        idle = self.descriptors()
        clients = [connect(address) for _ in range(VANISHING)]
        for client in clients:
            client.sendall(b"x")
        wait_for("all clients", lambda: self.descriptors() >= idle + VANISHING)
        for number, client in enumerate(clients):
            if number % 2:
                reset(client)
            else:
                client.close()
        wait_for("the descriptors", lambda: self.descriptors() <= idle)
        self.assertTrue(self.daemon.running())
        self.assertEqual(self.daemon.stop(), 0, self.daemon.output())

    def test_nobody_listens(self):
        self.vanish(self.dead_port())

    def test_nobody_answers(self):
        """A backlog that is full lets nobody in and refuses nobody."""
        full = self.use(listener(backlog=0))
        for _ in range(2):
            sock = self.use(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        self.vanish(text(full.getsockname()))


def unprivileged(*argv):
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *argv]


class Databases(Case):
    """What people keep behind a proxy, with the load that it is measured by."""

    def run_well(self, *argv):
        code, output = harness.run(argv)
        self.assertEqual(code, 0, output)
        return output

    @harness.need("redis-server", "redis-benchmark")
    def test_redis(self):
        path, port = self.path("redis.sock"), harness.free_port()
        self.use(harness.Process(["redis-server", "--port", str(port), "--bind", "127.0.0.1",
                                  "--unixsocket", path, "--save", "", "--dir", self.directory]))
        for number, upstream in enumerate((path, ("127.0.0.1", port))):
            wait_for("redis", lambda: connect(upstream)).close()
            front = self.path(f"front{number}")
            self.check_redis("-s", self.proxy(text(upstream), sock=self.use(
                listener(socket.AF_UNIX, address=front))))
            self.check_redis("-p", str(self.proxy(text(upstream))[1]))

    def check_redis(self, *where):
        with self.subTest(where=where):
            output = self.run_well("redis-benchmark", *where, "-q", "-t", "ping,set,get,lrange_100",
                                   "-n", "10000", "-c", "50", "-P", "4")
            self.assertGreaterEqual(output.count("requests per second"), 4)
            self.assertNotRegex(output.lower(), "error|reset|closed")

    @unittest.skipUnless(os.geteuid() == 0, "not root: the server wants a user of its own")
    @harness.need("setpriv")
    def test_postgres(self):
        tools = harness.newest("/usr/lib/postgresql/*/bin")
        if not tools:
            self.skipTest("not installed: postgresql")
        os.chmod(self.directory, 0o777)
        data = self.path("data")
        self.run_well(*unprivileged(f"{tools}/initdb", "-D", data, "-A", "trust", "-U",
                                    "tester", "--no-sync"))
        port = harness.free_port()
        server = self.use(harness.Process(unprivileged(
            f"{tools}/postgres", "-D", data, "-k", self.directory, "-p", str(port), "-F")))
        # It lets clients come before it serves them.
        wait_for("postgres", lambda: harness.run(
            [f"{tools}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)])[0] == 0)
        for upstream in (f"127.0.0.1:{port}", f"unix:{self.directory}/.s.PGSQL.{port}"):
            _, front = self.proxy(upstream)
            self.check_postgres(tools, "-h", "127.0.0.1", "-p", str(front))
        # A client of a UNIX socket is told the directory, and a port for the name in it.
        os.mkdir(self.path("front"))
        self.proxy(upstream, sock=self.use(listener(socket.AF_UNIX,
                                                    address=self.path("front/.s.PGSQL.1"))))
        self.check_postgres(tools, "-h", self.path("front"), "-p", "1")
        server.stop()

    def check_postgres(self, tools, *where):
        with self.subTest(where=where):
            where += ("-U", "tester", "postgres")
            self.run_well(f"{tools}/pgbench", "-i", "-q", *where)
            output = self.run_well(f"{tools}/pgbench", "-c", "8", "-t", "20", "-C", *where)
            self.assertIn("number of transactions actually processed: 160/160", output)
            output = self.run_well(f"{tools}/pgbench", "-c", "8", "-t", "100", *where)
            self.assertIn("number of transactions actually processed: 800/800", output)


if __name__ == "__main__":
    harness.main()
