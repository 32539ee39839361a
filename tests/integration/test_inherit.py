"""Descriptors handed over by hand: --fd, LISTEN_*, inetd's 0, and those refused."""
import os
import signal
import socket
import sys
import unittest

import harness
from harness import ADOPTD, adoptd, connect, echo_datagram, echo_stream, free_port, listener, wait_for

ECHO = 'port "echo" { echo {} }'


class Inherit(harness.Case):
    def start(self, config, *options, **how):
        return self.use(adoptd(config, *options, **how))

    def ends_well(self, process, how=signal.SIGTERM):
        self.assertEqual(process.stop(how), 0, process.output())

    def test_fd(self):
        four, six = self.use(listener()), self.use(listener(socket.AF_INET6))
        udp = self.use(listener(kind=socket.SOCK_DGRAM))
        process = self.start('port "listeners" { echo {} } port "other" { echo {} }', "--fd", "7",
                             "--fd=other=9", "--fd", "other=12", fds={7: four.fileno(),
                                                                     9: six.fileno(),
                                                                     12: udp.fileno()})
        self.assertEqual(echo_stream(four.getsockname()), b"hello\n")
        self.assertEqual(echo_stream(six.getsockname()[:2]), b"hello\n")
        self.assertEqual(echo_datagram(udp.getsockname()), b"hello\n")
        self.ends_well(process, signal.SIGINT)

    def test_fd_zero(self):
        """0 is a descriptor like any other, and --fd has the say about its name."""
        sock = self.use(listener())
        process = self.start(ECHO, "--fd", "echo=0", fds={0: sock.fileno()})
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.ends_well(process)

    def test_inetd(self):
        sock = self.use(listener())
        process = self.start('port "inetd" { echo {} }', fds={0: sock.fileno()})
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.ends_well(process)

    def test_connection(self):
        """An adoptd that has no connection left ends with success."""
        ours, theirs = socket.socketpair()
        with ours:
            process = self.start(ECHO, "--fd", "echo=5", fds={5: theirs.fileno()})
            theirs.close()
            ours.settimeout(harness.BOUND)
            ours.sendall(b"hello")
            ours.shutdown(socket.SHUT_WR)
            self.assertEqual(harness.read_all(ours), b"hello")
        self.assertEqual(process.wait(), 0, process.output())

    def listen_fds(self, config, fds, **variables):
        """As systemd does it; pid: what LISTEN_PID is to be in the shell."""
        pid = variables.pop("pid", "$$")
        sets = "".join(f"{name}={value}; export {name}; " for name, value in variables.items())
        return self.use(harness.Process(
            ["sh", "-c", f'LISTEN_PID={pid}; export LISTEN_PID; {sets} exec "$0" -e "$1"', ADOPTD,
             config], fds=dict(enumerate((sock.fileno() for sock in fds), 3))))

    def test_listen_fds(self):
        socks = [self.use(listener()) for _ in range(3)]
        process = self.listen_fds(ECHO, socks, LISTEN_FDS=3, LISTEN_FDNAMES="echo:echo:echo")
        for sock in socks:
            self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.ends_well(process)

    def test_listen_fds_of_another(self):
        sock = self.use(listener())
        port = free_port()
        process = self.listen_fds('port "echo" { listen = {"127.0.0.1:%d"} echo {} }' % port, [sock],
                                  pid=1, LISTEN_FDS=1, LISTEN_FDNAMES="echo")
        self.assertEqual(wait_for("adoptd", lambda: echo_stream(("127.0.0.1", port))), b"hello\n")
        self.ends_well(process)

    def test_listen(self):
        """Without any supervisor."""
        port, path = free_port(), self.path("echo")
        process = self.start('port "echo" { listen = {"127.0.0.1:%d", "[::1]:%d", "udp:127.0.0.1:%d",'
                             '"unix:%s", "unix:@%s", "unix-dgram:%s.dgram", "unix-seqpacket:%s.seq"}'
                             'echo {} }' % (port, port, port, path, path, path, path))
        wait_for("adoptd", lambda: echo_stream(path + ".seq", kind=socket.SOCK_SEQPACKET))
        for address in (("127.0.0.1", port), ("::1", port), path, "\0" + path):
            with self.subTest(address=address):
                self.assertEqual(echo_stream(address), b"hello\n")
        self.assertEqual(echo_datagram(("127.0.0.1", port)), b"hello\n")
        self.assertEqual(echo_datagram(path + ".dgram", bind=self.path("client")), b"hello\n")
        self.ends_well(process)

    def test_close_on_exec(self):
        """No child that it ever has inherits anything but 0, 1 and 2."""
        socks = {3: self.use(listener()), 4: self.use(listener(kind=socket.SOCK_DGRAM))}
        process = self.start(ECHO, "--fd", "echo=3", "--fd", "echo=4",
                             fds={number: sock.fileno() for number, sock in socks.items()})
        with connect(socks[3].getsockname()) as client:
            client.sendall(b"x")
            client.recv(1)
            leaking = []
            for fd in os.listdir(f"/proc/{process.pid}/fd"):
                with open(f"/proc/{process.pid}/fdinfo/{fd}", encoding="ascii") as info:
                    flags = next(line for line in info if line.startswith("flags:"))
                if int(fd) > 2 and not int(flags.split()[1], 8) & os.O_CLOEXEC:
                    leaking.append(os.readlink(f"/proc/{process.pid}/fd/{fd}"))
            self.assertEqual(leaking, [])
        self.ends_well(process)

    def test_stop_harms_nothing(self):
        """Clients in the backlog are served by the next one, on the same socket."""
        sock = self.use(listener(socket.AF_UNIX, address=self.path("echo")))
        first = self.start(ECHO, "--fd", "echo=3", fds={3: sock.fileno()})
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.ends_well(first)
        with connect(self.path("echo")) as waiting:
            second = self.start(ECHO, "--fd", "echo=3", fds={3: sock.fileno()})
            waiting.sendall(b"hello")
            self.assertEqual(waiting.recv(5), b"hello")
        self.ends_well(second)


class Refused(harness.Case):
    """What cannot be served: an error that says which descriptor, its name, its kind."""

    def refused(self, fd, *words, code=78, config='port "odd" { echo {} }'):
        end, output = harness.run([ADOPTD, "-e", config, "--fd", "odd=5"],
                                  fds={} if fd is None else {5: fd})
        self.assertEqual(end, code, output)
        for word in ("odd", "5", *words):
            self.assertIn(word.lower(), output.lower())

    def test_fifo(self):
        os.mkfifo(self.path("fifo"))
        fd = os.open(self.path("fifo"), os.O_RDWR)
        self.addCleanup(os.close, fd)
        self.refused(fd, "FIFO")

    def test_file(self):
        with open(self.path("file"), "w", encoding="ascii") as file:
            self.refused(file.fileno(), "file")

    def test_special(self):
        with open("/dev/null", "rb") as file:
            self.refused(file.fileno(), "special")

    @unittest.skipUnless(hasattr(socket, "AF_NETLINK"), "no netlink here")
    def test_netlink(self):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
            self.refused(sock.fileno(), "netlink")

    @unittest.skipUnless(sys.platform == "linux", "no eventfd here")
    def test_eventfd(self):
        fd = os.eventfd(0)
        self.addCleanup(os.close, fd)
        self.refused(fd)

    def test_unconnected(self):
        with socket.socket() as sock:
            self.refused(sock.fileno())

    def test_closed(self):
        self.refused(None, "not open")


if __name__ == "__main__":
    harness.main()
