"""Upstreams by name: a real name server in a network of the test's own, whose names come,
go and change."""
import collections
import concurrent.futures
import os
import signal
import socket

import harness
import lab
from harness import Process, echo_datagram, echo_stream, listener, wait_for

# The backends: a port each, which says its name.
BACKENDS = """
port "a" { listen = {"127.0.0.1:8001", "127.0.0.3:8003"} reject { message = "a" } }
port "b" { listen = {"127.0.0.1:8002", "127.0.0.2:8003"} reject { message = "b" } }
port "six" { listen = {"[::1]:8004"} reject { message = "six" } }
port "echo" { listen = {"127.0.0.1:8005", "udp:127.0.0.1:8005", "udp:192.0.2.1:8006",
                        "udp:127.0.0.1:8006"} echo {} }
port "silent" { listen = {"udp:127.0.0.9:53"} discard {} }
"""
SERVICES = ("_web._tcp.test,a.test,8001,1,3", "_web._tcp.test,a.test,8002,1,1",
            "_web._tcp.test,a.test,8005,2,1", "_spare._tcp.test,a.test,9,1,1",
            "_spare._tcp.test,a.test,8002,2,1")


@harness.need("dnsmasq", "nsenter")
class Names(harness.Case):
    def setUp(self):
        super().setUp()
        try:
            lab.check_available()
        except lab.Unavailable as why:
            self.skipTest(f"no namespaces: {why}")
        self.write("resolv.conf", "nameserver 127.0.0.1\n")
        self.write("etc-hosts", "127.0.0.1 localhost\n")
        os.mkfifo(self.path("wait"))
        self.network = self.use(Process([
            "unshare", "--net", "--mount", "sh", "-euc",
            'ip link set lo up; ip addr add 192.0.2.1 dev lo; cd "$0";'
            'mount --bind resolv.conf /etc/resolv.conf; mount --bind etc-hosts /etc/hosts;'
            'exec cat wait',
            self.directory]))
        wait_for("the network", lambda: os.readlink(f"/proc/{self.network.pid}/exe")
                 == os.path.realpath("/bin/cat"))
        backends = self.use(self.inside(harness.ADOPTD, "-e", BACKENDS))
        # One that refused its first client would not get its share at once.
        wait_for("the backends", lambda: 'port "silent"' in backends.output())
        self.hosts("127.0.0.1 a.test")
        self.server = self.use(self.inside(
            "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
            "--listen-address=127.0.0.1", "--bind-interfaces", "--user=root", "--pid-file=",
            "--local=/test/", "--local-ttl=1",
            "--addn-hosts=" + self.path("hosts"), "--log-facility=-", "--log-queries",
            *("--srv-host=" + service for service in SERVICES)))
        wait_for("dnsmasq", lambda: "read " + self.path("hosts") in self.server.output())

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def hosts(self, *lines):
        """What dnsmasq tells, from its next start or SIGHUP on."""
        self.write("hosts", "".join(line + "\n" for line in lines))

    def inside(self, *argv, **how):
        return Process(["nsenter", "-t", str(self.network.pid), "-n", "-m", *argv], **how)

    def proxy(self, upstream, kind=socket.SOCK_STREAM, options=""):
        """A proxy in that network, its socket in ours; returns its address. Beside it the same
        process has one that needs no names, at self.beside."""
        sock, beside = self.use(listener(kind=kind)), self.use(listener())
        self.beside = beside.getsockname()
        self.daemon = self.use(self.inside(
            harness.ADOPTD, "--fd", "p=3", "--fd", "q=4", "-e",
            f'port "p" {{ proxy {{ upstream = {{"{upstream}"}} {options} }} }}\n'
            'port "q" { proxy { upstream = {"127.0.0.1:8005"} } }',
            fds={3: sock.fileno(), 4: beside.fileno()}))
        return sock.getsockname()

    def hear(self, address):
        return echo_stream(address, b"").decode()

    def test_name_that_appears_late(self):
        address = self.proxy("late.test:8001", options="connect-timeout = 60s")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            heard = pool.submit(self.hear, address)
            wait_for("the log", lambda: "late.test has no address" in self.daemon.output())
            self.hosts("127.0.0.1 late.test")
            self.server.popen.send_signal(signal.SIGHUP)
            self.assertEqual(heard.result(harness.BOUND), "a")

    def test_address_that_changes(self):
        self.hosts("127.0.0.3 move.test")
        self.server.popen.send_signal(signal.SIGHUP)
        address = self.proxy("move.test:8003")
        self.assertEqual(self.hear(address), "a")
        self.hosts("127.0.0.2 move.test")
        self.server.popen.send_signal(signal.SIGHUP)
        wait_for("the other", lambda: self.hear(address) == "b")

    def test_both_families(self):
        self.hosts("127.0.0.1 two.test", "::1 two.test")
        self.server.popen.send_signal(signal.SIGHUP)
        address = self.proxy("two.test:8004")
        for _ in range(4):
            self.assertEqual(self.hear(address), "six")

    def test_service_by_weight(self):
        address = self.proxy("srv:_web._tcp.test")
        heard = collections.Counter(self.hear(address) for _ in range(40))
        self.assertEqual(heard, {"a": 30, "b": 10})

    def test_service_by_priority(self):
        address = self.proxy("srv:_spare._tcp.test")
        for _ in range(4):
            self.assertEqual(self.hear(address), "b")

    def test_addresses_outlive_the_name_server(self):
        address = self.proxy("a.test:8005")
        held = self.use(harness.connect(address))
        self.assertEqual(echo_stream(address), b"hello\n")
        self.server.stop()
        wait_for("the end of their time", lambda: echo_stream(address) == b"hello\n"
                 and "no name server answers" in self.daemon.output())
        self.assertEqual(echo_stream(address), b"hello\n")
        held.sendall(b"still")
        self.assertEqual(held.recv(5), b"still")

    def test_names_are_asked_once_in_their_time(self):
        address = self.proxy("a.test:8001")
        for _ in range(100):
            self.assertEqual(self.hear(address), "a")
        self.assertLess(self.server.output().count("query[A] a.test"), 50)

    def test_hosts_file(self):
        """It is asked before the name servers, and read again."""
        self.write("etc-hosts", "127.0.0.3 filed.test\n")
        address = self.proxy("filed.test:8003")
        self.assertEqual(self.hear(address), "a")
        self.write("etc-hosts", "127.0.0.2 filed.test\n")
        wait_for("the other", lambda: self.hear(address) == "b")

    def test_more_addresses_than_a_datagram_has_room_for(self):
        """One of a hundred serves, wherever in the answer it is: asked for over TCP."""
        names = [f"many{number}.test" for number in range(4)]
        lines = [f"127.0.2.{number} {' '.join(names)}" for number in range(100)]
        for number, name in enumerate(names):
            lines.insert(25 * number + 12, "127.0.0.3 " + name)
        self.hosts(*lines)
        self.server.popen.send_signal(signal.SIGHUP)
        for name in names:
            self.assertEqual(self.hear(self.proxy(name + ":8003")), "a", name)

    def test_silent_server_beside_one_that_answers(self):
        self.write("resolv.conf", "nameserver 127.0.0.9\nnameserver 127.0.0.1\n")
        self.assertEqual(self.hear(self.proxy("a.test:8001")), "a")

    def test_silent_server_holds_nobody_else(self):
        self.write("resolv.conf", "nameserver 127.0.0.9\n")
        address = self.proxy("a.test:8001", options="connect-timeout = 3s")
        with harness.connect(address) as client:
            for _ in range(50):
                self.assertEqual(echo_stream(self.beside), b"hello\n")
            # Neither has the client been given up meanwhile, nor has it been served.
            client.setblocking(False)
            self.assertRaises(BlockingIOError, client.recv, 1)
            client.settimeout(harness.BOUND)
            self.assertRaises(ConnectionResetError, client.recv, 1)

    def test_datagrams_leave_an_address_without_a_route(self):
        self.hosts("192.0.2.1 two.test", "127.0.0.1 two.test")
        self.server.popen.send_signal(signal.SIGHUP)
        address = self.proxy("two.test:8006", kind=socket.SOCK_DGRAM)
        clients = [self.use(harness.connect(address, socket.SOCK_DGRAM)) for _ in range(2)]
        for client in clients:
            client.send(b"before")
            self.assertEqual(client.recv(100), b"before")
        for change in (("addr", "del", "192.0.2.1/32", "dev", "lo"),
                       ("route", "add", "unreachable", "192.0.2.1/32")):
            with self.inside("ip", *change) as process:
                self.assertEqual(process.wait(), 0, process.output())
        for client in clients:
            client.settimeout(0.2)
            wait_for("an answer", lambda: client.send(b"after") and client.recv(100))
        self.assertIn("192.0.2.1:8006 does not answer", self.daemon.output())

    def test_datagrams(self):
        address = self.proxy("a.test:8005", kind=socket.SOCK_DGRAM)
        self.assertEqual(echo_datagram(address), b"hello\n")


if __name__ == "__main__":
    harness.main()
