"""Servers behind a proxy, and the proxy before them, for the tests of proxying."""
import contextlib
import os
import socket
import struct
import threading

import harness
from harness import BOUND, adoptd, listener


def reset(sock):
    """Closes with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Backend:
    """A server of one handler function, a thread a connection. A context manager."""

    def __init__(self, serve, sock=None):
        self.serve, self.sock = serve, sock or listener()
        self.address = self.sock.getsockname()

    def accept(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            client.settimeout(BOUND)
            threading.Thread(target=self.run, args=[client], daemon=True).start()

    def run(self, client):
        with client, contextlib.suppress(OSError):
            self.serve(client)

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def echo(client):
    while data := client.recv(65536):
        client.sendall(data)


def text(address):
    """An address as the configuration writes it."""
    if isinstance(address, (str, bytes)):
        return "unix:" + os.fsdecode(address).replace("\0", "@", 1)
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


class Case(harness.Case):
    def proxy(self, *upstreams, options="", port_options="", globally="", kind=socket.SOCK_STREAM,
              sock=None, **how):
        """Starts a proxy, on a socket of 127.0.0.1 unless there is one; returns its address."""
        sock = sock or self.use(listener(kind=kind))
        listed = ", ".join(f'"{upstream}"' for upstream in upstreams)
        self.daemon = self.use(adoptd(
            f'{globally}\nport "p" {{ {port_options}\n proxy {{ upstream = {{{listed}}} {options}\n}} }}',
            "--fd", "p=3", fds={3: sock.fileno()}, **how))
        return sock.getsockname()

    def backend(self, serve, **how):
        return self.use(Backend(serve, **how))

    def descriptors(self):
        """How many the proxy has."""
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def resident(self):
        """The bytes of memory that the proxy uses."""
        with open(f"/proc/{self.daemon.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def dead_port(self):
        """An address that is refused for as long as the case lasts."""
        sock = self.use(socket.socket())
        sock.bind(("127.0.0.1", 0))
        return text(sock.getsockname())
