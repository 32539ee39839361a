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
port "echo" { listen = {"127.0.0.1:8005", "udp:127.0.0.1:8005"} echo {} }
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
        os.mkfifo(self.path("wait"))
        self.network = self.use(Process([
            "unshare", "--net", "--mount", "sh", "-euc",
            'ip link set lo up; cd "$0"; mount --bind resolv.conf /etc/resolv.conf; exec cat wait',
            self.directory]))
        wait_for("the network", lambda: os.readlink(f"/proc/{self.network.pid}/exe")
                 == os.path.realpath("/bin/cat"))
        self.use(self.inside(harness.ADOPTD, "-e", BACKENDS))
        self.hosts("127.0.0.1 a.test")
        self.server = self.use(self.inside(
            "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
            "--user=root", "--pid-file=", "--local=/test/", "--local-ttl=1",
            "--addn-hosts=" + self.path("hosts"), "--log-facility=-", "--log-queries",
            *("--srv-host=" + service for service in SERVICES)))
        wait_for("dnsmasq", lambda: "read " + self.path("hosts") in self.server.output())

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def hosts(self, *lines):
        self.write("hosts", "".join(line + "\n" for line in lines))

    def inside(self, *argv, **how):
        return Process(["nsenter", "-t", str(self.network.pid), "-n", "-m", *argv], **how)

    def proxy(self, upstream, kind=socket.SOCK_STREAM, options=""):
        """A proxy in that network, its socket in ours; returns its address."""
        sock = self.use(listener(kind=kind))
        self.daemon = self.use(self.inside(
            harness.ADOPTD, "--fd", "p=3", "-e",
            f'port "p" {{ proxy {{ upstream = {{"{upstream}"}} {options} }} }}',
            fds={3: sock.fileno()}))
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

    def test_datagrams(self):
        address = self.proxy("a.test:8005", kind=socket.SOCK_DGRAM)
        self.assertEqual(echo_datagram(address), b"hello\n")


if __name__ == "__main__":
    harness.main()
