"""Clients of many kinds, each in a process of its own, until they are told to stop.

Each reports how many of its requests were served, how many failed, and why some did.
"""
import contextlib
import hashlib
import multiprocessing
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import time

import harness

TOLD = 5  # failures of a load that are told one by one
ANSWER = 5.0  # seconds; who is served meanwhile waits no longer
SLOT = 0.1  # seconds in which a tenth of those who drip say something


def raise_limit():
    """As many descriptors as there may be; root may have more than that."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (max(hard, 1 << 17), hard):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
    return hard


def source(number):
    """One of so many that no port of theirs is wanted twice."""
    return f"127.{1 + number // 250 % 250}.{number % 250}.1"


class Load:
    """What all kinds have in common. ready: set once the load is as large as it gets."""

    def __init__(self, name):
        self.name = name
        self.over, self.ready = multiprocessing.Event(), multiprocessing.Event()
        self.reports = multiprocessing.SimpleQueue()
        self.served = self.failures = 0
        self.told, self.note = [], ""

    def fail(self, why):
        self.failures += 1
        if len(self.told) < TOLD:
            self.told.append(f"{self.name}: {why!r}")

    @contextlib.contextmanager
    def request(self):
        """One request: served, or failed."""
        try:
            yield
            self.served += 1
        except (OSError, AssertionError) as error:
            self.fail(error)

    def main(self):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise_limit()
        try:
            self.run()
        except Exception as error:  # pylint: disable=broad-except
            self.fail(error)
        self.ready.set()
        self.reports.put((self.served, self.failures, self.told, self.note))

    def start(self):
        self.process = multiprocessing.Process(target=self.main, daemon=True)
        self.process.start()

    def finish(self):
        """Ends it, and takes its report over."""
        self.over.set()
        if self.process.is_alive() or not self.reports.empty():
            self.served, self.failures, self.told, self.note = self.reports.get()
        else:
            self.fail("ended without a report")
        self.process.join()


class Idle(Load):
    """Connections that say nothing, and are there in the end."""

    def __init__(self, address, count):
        super().__init__("idle")
        self.address, self.count = address, count

    def run(self):
        socks = []
        for number in range(self.count):
            try:
                socks.append(harness.connect(self.address, source=source(number)))
            except OSError as error:
                self.fail(error)
        self.ready.set()
        self.over.wait()
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.sendall(b"x")
        for sock in socks:
            with self.request(), sock:
                assert sock.recv(2) == b"x", "no answer after the silence"


class Drip(Load):
    """Connections that send a byte a second, each of which comes back."""

    def __init__(self, address, count):
        super().__init__("drip")
        self.address, self.count = address, count

    class Line:
        def __init__(self, address, number):
            self.sock = harness.connect(address, source=source(number))
            self.sock.setblocking(False)
            self.sent = self.back = 0

        def send(self):
            if self.sent == self.back:
                self.since = time.monotonic()
            elif time.monotonic() - self.since > harness.BOUND:
                raise AssertionError("a byte does not come back")
            self.sock.send(bytes([self.sent % 256]))
            self.sent += 1

        def receive(self):
            data = self.sock.recv(65536)
            if not data:
                raise AssertionError("closed by the server")
            for byte in data:
                if byte != self.back % 256 or self.back == self.sent:
                    raise AssertionError("another byte comes back")
                self.back += 1
            self.since = time.monotonic()
            return len(data)

    def drop(self, line, why):
        self.fail(why)
        self.poll.unregister(line.sock)
        del self.lines[line.sock.fileno()]
        line.sock.close()

    def listen_until(self, end):
        while (left := end - time.monotonic()) > 0:
            for fd, _ in self.poll.poll(left):
                line = self.lines[fd]
                try:
                    self.served += line.receive()
                except BlockingIOError:
                    pass
                except (OSError, AssertionError) as error:
                    self.drop(line, error)

    def send(self, line):
        try:
            line.send()
        except (OSError, AssertionError) as error:
            self.drop(line, error)

    def run(self):
        self.poll, self.lines = select.epoll(), {}
        for number in range(self.count):
            line = self.Line(self.address, number)
            self.lines[line.sock.fileno()] = line
            self.poll.register(line.sock, select.EPOLLIN)
        self.ready.set()
        slots = round(1 / SLOT)
        turn, next_slot = 0, time.monotonic()
        while not self.over.is_set():
            for line in list(self.lines.values())[turn % slots::slots]:
                self.send(line)
            turn, next_slot = turn + 1, max(next_slot + SLOT, time.monotonic() - 1)
            self.listen_until(next_slot)
        end = time.monotonic() + harness.BOUND
        while time.monotonic() < end and any(line.back < line.sent for line in self.lines.values()):
            self.listen_until(time.monotonic() + SLOT)
        for line in list(self.lines.values()):
            if line.back < line.sent:
                self.fail("the last byte has not come back")
            line.sock.close()


class Resets(Load):
    """Clients who come, say something or nothing, and reset the connection."""

    def __init__(self, addresses, rate):
        super().__init__("resets")
        self.addresses, self.rate = addresses, rate

    def once(self, number):
        with self.request():
            sock = harness.connect(self.addresses[number % len(self.addresses)],
                                   source=source(number))
            with sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if number % 3:
                    sock.send(os.urandom(random.choice((1, 1000, 60000))))
                if number % 3 == 2:
                    sock.recv(1)

    def run(self):
        self.ready.set()
        begun, number = time.monotonic(), 0
        while not self.over.is_set():
            due = (time.monotonic() - begun) * self.rate
            while number < due and not self.over.is_set():
                self.once(number)
                number += 1
            self.over.wait(0.01)
        self.note = "%.0f/s" % (number / (time.monotonic() - begun))


class Probe(Load):
    """Who is served meanwhile: each answer is whole, and comes in time."""

    def __init__(self, addresses):
        super().__init__("probe")
        self.addresses = addresses

    def ask(self, address, number):
        data = b"%d " % number * random.choice((1, 100, 10000))
        with harness.connect(address, source=source(number)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            assert harness.read_all(sock) == data, "other bytes come back"

    def run(self):
        self.ready.set()
        number, worst = 0, 0.0
        while not self.over.wait(0.02):
            begun = time.monotonic()
            with self.request():
                self.ask(self.addresses[number % len(self.addresses)], number)
                worst = max(worst, time.monotonic() - begun)
                assert worst < ANSWER, f"an answer took {worst:.1f} s"
            number += 1
        self.note = "the slowest took %.0f ms" % (worst * 1000)


class Pages(Probe):
    """The same of a web server."""

    def __init__(self, address):
        super().__init__([address])
        self.name = "pages"

    def ask(self, address, number):
        with harness.connect(address, source=source(number)) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b" 200 " in harness.read_all(sock).split(b"\r\n")[0], "no page"


class SlowHttp(Load):
    """slowhttptest: headers, bodies and readers that take their time."""

    def __init__(self, address, count, directory):
        super().__init__("slow HTTP")
        self.address, self.count, self.directory = address, count, directory

    def attack(self, kind):
        argv = ["slowhttptest", kind, "-c", str(self.count), "-r", str(self.count), "-i", "1",
                "-l", "10", "-p", "1", "-u", "http://%s:%d/" % self.address]
        with subprocess.Popen(argv, cwd=self.directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not self.over.wait(0.1):
                pass
            ended = process.poll()
            process.kill()
            if ended not in (None, 0):
                raise AssertionError(f"slowhttptest {kind} ended with {ended}")

    def run(self):
        self.ready.set()
        number = 0
        while not self.over.is_set():
            with self.request():
                self.attack(("-H", "-B", "-X")[number % 3])
            number += 1


class Transfers(Load):
    """Bytes both ways at once through a bad wire, whole and in order."""

    def __init__(self, address, first, at_client):
        super().__init__("transfers")
        self.address, self.first, self.at_client = address, first, at_client

    def exchange(self, sock, data):
        """Sends all, and takes what comes back until the end. Returns the hash of that."""
        back, sent = hashlib.sha256(), 0
        sock.settimeout(0)
        end = time.monotonic() + 3 * harness.BOUND
        while True:
            wanted = [sock] if sent < len(data) else []
            readable, writable, _ = select.select([sock], wanted, [], max(0, end - time.monotonic()))
            assert readable or writable, "the transfer stands still"
            if writable:
                sent += sock.send(data[sent:sent + 65536])
                if sent == len(data):
                    sock.shutdown(socket.SHUT_WR)
            if readable:
                chunk = sock.recv(65536)
                if not chunk:
                    return back.digest()
                back.update(chunk)

    def one(self, number):
        data = random.Random(number).randbytes((1, 5000, 200000)[number % 3])
        with self.request(), socket.socket() as sock:
            sock.settimeout(3 * harness.BOUND)
            sock.connect(self.address)
            assert self.exchange(sock, data) == hashlib.sha256(data).digest(), "other bytes come back"

    def run(self):
        self.ready.set()
        number = self.first
        with self.at_client():
            while not self.over.is_set():
                self.one(number)
                number += 1
