"""A bad wire between two network namespaces: packets are lost, late, doubled and overtaken.

It is a veth pair with netem where the kernel has that, and else two tun devices, between which
a process carries the packets as netem would.
"""
import contextlib
import fcntl
import heapq
import itertools
import multiprocessing
import os
import random
import select
import struct
import subprocess
import time

import harness
import lab

LOST, DOUBLED, OVERTAKEN = 0.02, 0.005, 0.2
DELAY, JITTER = 0.010, 0.015  # seconds
NETEM = "delay 10ms 5ms loss 2% duplicate 0.5% reorder 20% 50%".split()

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000


class Unavailable(Exception):
    """Why there is no such wire here."""


def run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(argv)}: {done.stderr.strip()}")


class Namespace:
    """A network of its own, which goes with the process that holds it. A context manager."""

    def __enter__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"],
                                       stdin=subprocess.DEVNULL)
        self.path = f"/proc/{self.holder.pid}/ns/net"
        try:
            harness.wait_for("a network namespace", self.is_there)
        except BaseException:
            self.__exit__()
            raise
        return self

    def is_there(self):
        if self.holder.poll() is not None:
            raise Unavailable("no network namespaces")
        return os.readlink(self.path) != os.readlink("/proc/self/ns/net")

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()

    def words(self, *argv):
        """A command that runs in it."""
        return ["nsenter", f"--net={self.path}", *argv]

    def ip(self, *words):
        run(self.words("ip", *words))

    def network(self):
        return lab.in_network(self.path)


def open_tun(namespace, name):
    with namespace.network():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class Carrier:
    """Carries packets from each of two tun devices to the other, badly."""

    def __init__(self, fds):
        self.to = {fds[0]: fds[1], fds[1]: fds[0]}
        self.late, self.numbers = [], itertools.count()
        self.random = random.Random(1)

    def take(self, fd):
        with contextlib.suppress(BlockingIOError):
            while packet := os.read(fd, 65536):
                for _ in range(1 + (self.random.random() < DOUBLED)):
                    if self.random.random() >= LOST:
                        self.put(fd, packet)

    def put(self, fd, packet):
        delay = DELAY
        if self.random.random() < OVERTAKEN:
            delay += self.random.random() * JITTER
        heapq.heappush(self.late, (time.monotonic() + delay, next(self.numbers), self.to[fd], packet))

    def run(self):
        while True:
            wait = max(0, self.late[0][0] - time.monotonic()) if self.late else None
            for fd in select.select(list(self.to), [], [], wait)[0]:
                self.take(fd)
            while self.late and self.late[0][0] <= time.monotonic():
                _, _, fd, packet = heapq.heappop(self.late)
                with contextlib.suppress(OSError):
                    os.write(fd, packet)


def carry(namespaces, ready):
    fds = [open_tun(namespace, "soak") for namespace in namespaces]
    ready.set()
    Carrier(fds).run()


class Wire:
    """The namespaces, and the wire. A context manager. kind: what it is made of."""

    SERVER, CLIENT = "10.77.0.1", "10.77.0.2"

    def __init__(self):
        self.stack = contextlib.ExitStack()

    def join_by_veth(self):
        self.server.ip("link", "add", "soak", "type", "veth", "peer", "soak", "netns",
                       str(self.client.holder.pid))
        try:
            for namespace in (self.server, self.client):
                run(namespace.words("tc", "qdisc", "add", "dev", "soak", "root", "netem", *NETEM))
        except Unavailable:
            self.server.ip("link", "del", "soak")
            raise

    def join_by_tun(self):
        ready = multiprocessing.Event()
        carrier = multiprocessing.Process(target=carry, args=((self.server, self.client), ready),
                                          daemon=True)
        carrier.start()
        self.stack.callback(carrier.join)
        self.stack.callback(carrier.terminate)
        if not ready.wait(10):
            raise Unavailable("no tun devices")

    def join(self):
        try:
            self.join_by_veth()
            return "netem"
        except (Unavailable, OSError):
            self.join_by_tun()
            return "tun"

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.stack)
            self.server = self.stack.enter_context(Namespace())
            self.client = self.stack.enter_context(Namespace())
            for namespace in (self.server, self.client):
                namespace.ip("link", "set", "lo", "up")
            self.kind = self.join()
            for namespace, address, peer in ((self.server, self.SERVER, self.CLIENT),
                                             (self.client, self.CLIENT, self.SERVER)):
                namespace.ip("address", "add", address, "peer", peer, "dev", "soak")
                namespace.ip("link", "set", "soak", "up")
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def at_client(self):
        """What is opened within this is at the client's end."""
        return self.client.network()

    def at_server(self, argv):
        """A command that runs where the server is."""
        return self.server.words(*argv)
