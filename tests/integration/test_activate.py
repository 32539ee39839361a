"""adoptd started by systemd-socket-activate: every kind of socket it can make."""
import os
import re
import signal
import socket
import unittest

import harness
from harness import ADOPTD, connect, echo_datagram, echo_stream, free_port, wait_for

ECHO = 'port "echo" { echo {} }'


@harness.need("systemd-socket-activate")
class Activate(harness.Case):
    def activate(self, config, *options, listen, names=None):
        """Starts it, and waits until it listens: its first line says so of each address."""
        argv = ["systemd-socket-activate", *options]
        argv += [f"--listen={address}" for address in listen]
        if names:
            argv.append("--fdname=" + ":".join(names))
        process = self.use(harness.Process([*argv, ADOPTD, "-e", config]))
        wait_for("systemd-socket-activate to listen",
                 lambda: process.output().count("Listening on") == len(listen))
        return process

    def ends_well(self, process):
        self.assertEqual(process.stop(), 0, process.output())

    def test_inet(self):
        port = free_port()
        process = self.activate(ECHO, listen=[f"127.0.0.1:{port}"], names=["echo"])
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
        big = os.urandom(1 << 20)
        with connect(("127.0.0.1", port)) as sock:
            sock.sendall(big[:1000])
            self.assertEqual(sock.recv(1000, socket.MSG_WAITALL), big[:1000])
        self.ends_well(process)

    def test_several_of_one_name(self):
        port, path = free_port(), self.path("echo")
        process = self.activate(ECHO, listen=[f"127.0.0.1:{port}", f"[::1]:{port}", path, "@" + path],
                                names=["echo"] * 4)
        for address in (("::1", port), ("127.0.0.1", port), path, "\0" + path):
            with self.subTest(address=address):
                self.assertEqual(echo_stream(address), b"hello\n")
        self.ends_well(process)
        # It is the supervisor's.
        self.assertTrue(os.path.exists(path))

    def test_datagram(self):
        port, path = free_port(socket.SOCK_DGRAM), self.path("echo")
        process = self.activate(ECHO, "--datagram", listen=[f"127.0.0.1:{port}", f"[::1]:{port}", path],
                                names=["echo"] * 3)
        self.assertEqual(echo_datagram(("127.0.0.1", port)), b"hello\n")
        self.assertEqual(echo_datagram(("::1", port), b"x" * 1000), b"x" * 1000)
        self.assertEqual(echo_datagram(path, bind=self.path("client")), b"hello\n")
        self.ends_well(process)

    def test_seqpacket_keeps_records(self):
        path = self.path("echo")
        process = self.activate(ECHO, "--seqpacket", listen=[path], names=["echo"])
        with connect(path, socket.SOCK_SEQPACKET) as sock:
            for record in (b"one", b"twotwo", b"3" * 3000):
                sock.send(record)
            for record in (b"one", b"twotwo", b"3" * 3000):
                self.assertEqual(sock.recv(65536), record)
        self.ends_well(process)

    def test_names(self):
        ports = [free_port() for _ in range(4)]
        process = self.activate('port "hello" { reject { message = "hello" } }'
                                'port "twice#0" { reject { message = "first" } }'
                                'port "twice#1" { reject { message = "second" } }'
                                'port "*" { reject { message = "rest" } }',
                                listen=[f"127.0.0.1:{port}" for port in ports],
                                names=["twice", "hello", "twice", "other"])
        for port, text in zip(ports, (b"first", b"hello", b"second", b"rest")):
            with connect(("127.0.0.1", port)) as sock:
                self.assertEqual(harness.read_all(sock), text)
        self.ends_well(process)

    def test_no_names(self):
        port = free_port()
        process = self.activate('port "unknown" { echo {} }', listen=[f"127.0.0.1:{port}"])
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
        self.ends_well(process)

    def test_name_that_no_block_takes(self):
        port = free_port()
        process = self.activate(ECHO, listen=[f"127.0.0.1:{port}"], names=["ehco"])
        connect(("127.0.0.1", port)).close()
        self.assertEqual(process.wait(), 78, process.output())
        self.assertRegex(process.output(), r'ehco')

    def accepted(self, config, *options, names=None):
        """An instance a connection: each must end with the code 0 by itself."""
        port = free_port()
        process = self.activate(config, "--accept", *options, listen=[f"127.0.0.1:{port}"],
                                names=names)
        for text in (b"first", b"second"):
            self.assertEqual(echo_stream(("127.0.0.1", port), text), text)
        # Its supervisor tells how each has ended.
        ends = wait_for("both instances to end", lambda: re.findall(
            r"died with code (\d+)", process.output())[1:] and re.findall(
            r"died with code (\d+)", process.output()))
        self.assertEqual(ends, ["0", "0"], process.output())

    def test_accept(self):
        self.accepted('port "connection" { echo {} }', names=["connection"])

    def test_inetd_nowait(self):
        self.accepted('port "inetd" { echo {} }', "--inetd")

    def test_accept_proxied(self):
        with harness.listener() as upstream:
            port = free_port()
            self.activate('port "connection" { proxy { upstream = {"127.0.0.1:%d"} } }'
                          % upstream.getsockname()[1], "--accept", listen=[f"127.0.0.1:{port}"],
                          names=["connection"])
            upstream.settimeout(harness.BOUND)
            with connect(("127.0.0.1", port)) as client:
                client.sendall(b"question")
                client.shutdown(socket.SHUT_WR)
                server = upstream.accept()[0]
                with server:
                    self.assertEqual(harness.read_all(server), b"question")
                    server.sendall(b"answer")
                self.assertEqual(harness.read_all(client), b"answer")

    def test_inetd_wait(self):
        port = free_port()
        process = self.activate('port "inetd" { echo {} }', "--inetd", listen=[f"127.0.0.1:{port}"])
        for _ in range(2):
            self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
        self.assertEqual(process.stop(signal.SIGINT), 0, process.output())


if __name__ == "__main__":
    harness.main()
