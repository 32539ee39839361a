"""What adoptd does while a fault is injected: a start, some clients, an end."""
import contextlib
import ctypes
import json
import os
import re
import resource
import select
import signal
import socket
import threading
import time

import backends
import harness
import manager
from harness import listener

SANITIZERS = (b"__asan_init", b"__tsan_init")


def sanitized():
    with open(harness.ADOPTD, "rb") as file:
        data = file.read()
    return any(name in data for name in SANITIZERS)


# What takes longer than this for one client has been lost.
PATIENCE = 10.0 if sanitized() else 3.0
PIECE = 65536
PR_SET_CHILD_SUBREAPER = 36
# LeakSanitizer cannot look where strace does.
UNTRACED = {"ASAN_OPTIONS": "detect_leaks=0"}


def children(pid):
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            found += map(int, file.read().split())
    return found


class Hangs(Exception):
    """A client was neither served nor turned away."""


class Scenario:
    """adoptd on a socket of the test's, with clients that want to be served.

    config: the configuration; %(NAME)s stands for an attribute. directory: for paths.
    """
    config = ""
    options = ()
    payload = b"hello\n"
    threads = 1
    kept = 0  # descriptors, of each client that has been served
    kind = socket.SOCK_STREAM
    limits = None
    settle_seconds = 5  # until all is as before
    dropped = 0  # who is connected, by a hand-over
    children_only = False  # adoptd's own calls fail in another scenario
    elsewhere = ()  # calls, and (call, error), that fail in another one, too

    def __init__(self, directory):
        self.directory = directory
        self.end = contextlib.ExitStack()
        self.sock = self.end.enter_context(listener(kind=self.kind))
        self.address = self.sock.getsockname()
        self.process = None
        self.prepare()

    def prepare(self):
        """Opens what the configuration refers to."""

    def path(self, name):
        return os.path.join(self.directory, name)

    def text(self):
        return self.config % vars(self)

    def arguments(self):
        return ["-e", self.text(), "--fd", "p=3"]

    def descriptors(self):
        return {3: self.sock.fileno()}

    def environment(self):
        return {}

    def start(self, before=()):
        """Starts adoptd behind the words `before`, which end up as adoptd's own process."""
        self.process = harness.Process([*before, harness.ADOPTD, *self.arguments()],
                                       fds=self.descriptors(), limits=self.limits,
                                       env={**os.environ, **UNTRACED, **self.environment()})
        self.watch = os.pidfd_open(self.process.pid)

    def visit(self):
        """One client. Tells whether it was served; raises Hangs where nobody tells it."""
        return self.exchange(self.address)

    def exchange(self, address):
        try:
            with harness.connect(address) as client:
                return self.echoed(client)
        except ConnectionError:
            return False

    def echoed(self, client):
        """Sends the payload, half-closes, and compares what comes back."""
        client.setblocking(False)
        sent, back = 0, b""
        deadline = time.monotonic() + PATIENCE
        while True:
            writable = [client] if sent < len(self.payload) else []
            ready, able, _ = select.select([client, self.watch], writable, [],
                                           max(0, deadline - time.monotonic()))
            try:
                if client in ready:
                    data = client.recv(PIECE)
                    back += data
                    if not data:
                        break
                elif able:
                    sent += client.send(self.payload[sent:sent + PIECE])
                    if sent == len(self.payload):
                        client.shutdown(socket.SHUT_WR)
                elif self.watch in ready:
                    return False
                else:
                    raise Hangs(f"{len(back)} of {sent} bytes came back, then nothing")
            except (ConnectionError, OSError):
                break
        if not self.payload.startswith(back):
            raise AssertionError("other bytes came back than went")
        return back == self.payload

    def hang_up(self):
        """Ends what adoptd is connected to."""

    def lives(self):
        return not select.select([self.watch], [], [], 0)[0]

    def opened(self):
        """How many descriptors adoptd has."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def traced(self):
        """The processes that a fault is to meet, and those that they will start."""
        return [self.process.pid, *children(self.process.pid)]

    def gives_up(self):
        """It has said that it will not do any more what the clients want, but a restart does."""
        return False

    def relatives(self):
        """How many processes adoptd has started."""
        return len(children(self.process.pid))

    def left_behind(self):
        """Paths that an adoptd that has ended must not leave."""
        return []

    def stop(self, bound):
        """Returns the exit code."""
        self.process.popen.terminate()
        return self.process.wait(bound)

    def finish(self):
        """Ends whatever still is of adoptd."""
        if self.process is not None:
            os.close(self.watch)
            self.process.__exit__(None, None, None)
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.finish()
        self.end.close()


class Echo(Scenario):
    config = 'port "p" { echo {} }'


class Proxy(Scenario):
    """Enough bytes that the kernel is asked to move them."""
    config = 'port "p" { proxy { upstream = {"%(upstream)s"} } }'
    payload = bytes(range(256)) * 4096

    def prepare(self):
        self.served = []
        backend = self.end.enter_context(backends.Backend(self.serve))
        self.upstream = backends.text(backend.address)

    def serve(self, client):
        self.served.append(client)
        backends.echo(client)

    def hang_up(self):
        for client in self.served:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


class Names(Proxy):
    """The upstream has to be looked up."""
    payload = b"hello\n"

    def prepare(self):
        super().prepare()
        self.upstream = "localhost:" + self.upstream.rsplit(":", 1)[1]


class Exec(Scenario):
    config = 'port "p" { exec { command = {"/bin/cat"} } }'


class Routed(Scenario):
    """A router that looks at first bytes, with limits, an access log and a PROXY header."""
    config = '''access-log = true log-level = debug
port "p" { accept-proxy = {"127.0.0.0/8"} max-connections-per-source = 10 keepalive = 1m
           route { starts-with = {"hello"} echo {} } reject {} }'''

    def echoed(self, client):
        client.sendall(b"PROXY TCP4 127.0.0.9 127.0.0.1 9 9\r\n")
        return super().echoed(client)


class Datagrams(Scenario):
    """One datagram socket of the small services, one of the proxy: which keeps sessions."""
    kept = 1
    config = 'port "p" { echo {} } port "d" { proxy { upstream = {"%(upstream)s"} } }'
    kind = socket.SOCK_DGRAM

    def prepare(self):
        server = self.end.enter_context(listener(kind=socket.SOCK_DGRAM))
        self.proxied = self.end.enter_context(listener(kind=socket.SOCK_DGRAM))
        self.upstream = backends.text(server.getsockname())
        threading.Thread(target=self.serve, args=[server], daemon=True).start()

    @staticmethod
    def serve(server):
        with contextlib.suppress(OSError):
            while True:
                data, source = server.recvfrom(PIECE)
                server.sendto(data, source)

    def arguments(self):
        return [*super().arguments(), "--fd", "d=4"]

    def descriptors(self):
        return {**super().descriptors(), 4: self.proxied.fileno()}

    def visit(self):
        return all([self.exchange(sock.getsockname()) for sock in (self.sock, self.proxied)])

    def exchange(self, address):
        """A datagram may be lost: it is sent again, as clients do."""
        with harness.connect(address, socket.SOCK_DGRAM) as client:
            for _ in range(20):
                with contextlib.suppress(OSError):
                    client.send(self.payload)
                ready = select.select([client, self.watch], [], [], PATIENCE / 20)[0]
                if self.watch in ready:
                    return False
                with contextlib.suppress(OSError):
                    if client in ready:
                        return client.recv(PIECE) == self.payload
        raise Hangs("no datagram came back")


class Control(Scenario):
    config = 'control = "%(control)s" port "p" { echo {} }'

    def prepare(self):
        self.control = self.path("control")

    def visit(self):
        served = self.exchange(self.address)
        return self.asked() and served

    def asked(self):
        try:
            with harness.connect(self.control) as client:
                client.settimeout(PATIENCE)
                client.sendall(b'{"version":1,"command":"status"}\n')
                answer = client.makefile("rb").readline()
                return answer.endswith(b"\n") and "error" not in json.loads(answer)
        except TimeoutError:
            raise Hangs("no answer from the control socket") from None
        except OSError:
            return False

    def left_behind(self):
        return [self.control]


class Listen(Scenario):
    """adoptd opens its own sockets."""
    config = '''port "p" { echo {} } port "own" { listen = {"127.0.0.1:%(port)d", "udp:127.0.0.1:%(port)d",
        "unix:%(unix)s"} echo {} }'''

    def prepare(self):
        self.port, self.unix = harness.free_port(), self.path("socket")

    def visit(self):
        served = super().visit()
        if not self.lives():
            return False
        try:
            return all([self.exchange(("127.0.0.1", self.port)), self.exchange(self.unix)]) and served
        except OSError:
            return False

    def left_behind(self):
        return [self.unix]


class Systemd(Scenario):
    """A service that says READY=1 and has a watchdog."""
    config = Echo.config

    def prepare(self):
        path = self.path("notify")
        self.notify = self.end.enter_context(
            listener(socket.AF_UNIX, socket.SOCK_DGRAM, path))
        self.variables = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000", "LISTEN_FDS": "1",
                          "LISTEN_FDNAMES": "p"}

    def arguments(self):
        return ["-e", self.text()]

    def environment(self):
        return self.variables

    def start(self, before=()):
        super().start(["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *before])


class Workers(Scenario):
    config = 'workers = 3 port "p" { echo {} }'
    threads = 3


class Reload(Scenario):
    """Each client but the first comes after a reload that changes something."""
    config = 'port "p" { max-connections = %(number)d echo {} }'
    number = 1

    def arguments(self):
        self.write()
        return ["-c", self.path("conf"), "--fd", "p=3"]

    def write(self):
        Reload.number += 1
        self.number = Reload.number
        with open(self.path("conf"), "w", encoding="ascii") as file:
            file.write(self.text())

    def visit(self):
        said = len(self.process.output())
        if not super().visit():
            return False
        self.write()
        self.process.popen.send_signal(signal.SIGHUP)
        words = ("reloaded", "reload")
        end = time.monotonic() + PATIENCE
        while not any(word in self.process.output()[said:] for word in words):
            if time.monotonic() > end or not self.lives():
                return False
            select.select([self.watch], [], [], 0.01)
        return True


# Where a process has to close each descriptor that there may be, strace looks at each.
FEW = {resource.RLIMIT_NOFILE: 256}


class Programs(Reload):
    """All that becomes of a process before its program; a reload tries that out."""
    limits, children_only = FEW, True
    config = '''port "p" { max-connections = %(number)d
           exec { command = {"/bin/cat"} directory = "/" %(user)s } }'''

    def prepare(self):
        self.user = 'user = "nobody"' if os.geteuid() == 0 else ""


class HandOver(Scenario):
    """A new adoptd for each client, which a starter has started; who is connected stays so."""
    config = 'port "p" { echo {} }'
    limits = FEW
    # They serve clients, write the log that tells how it went, or are the loader's as well,
    # which may end without a word. A datagram is refused, or its reader is gone, but never who
    # is there still.
    elsewhere = ("accept4", "epoll_wait", "mmap", "mprotect", "recvfrom", "sendto", "shutdown", "write",
                 ("recvmsg", "ECONNREFUSED"), ("sendmsg", "EPIPE"))
    OUTCOMES = re.compile(r"process (\d+) has taken over|handing over failed|not handing over")

    def start(self, before=()):
        # Whoever takes over is nobody's child; so it is ours.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.strangers = set(children(os.getpid()))
        super().start(before)

    def visit(self):
        # The fault may be the first one's own, here and below.
        with harness.wait_for("a client", lambda: harness.connect(self.address)) as held:
            held.settimeout(PATIENCE)
            before = self.is_held(held)
            taken = self.hand_over()
            self.dropped += before and not self.is_held(held)
        if not self.exchange(self.address) and not self.exchange(self.address):
            raise AssertionError("nobody serves after the hand-over")
        return taken

    @staticmethod
    def is_held(held):
        try:
            held.sendall(b"x")
            return held.recv(1) == b"x"
        except TimeoutError:
            raise Hangs("who is connected") from None
        except OSError:
            return False

    def hand_over(self):
        said = len(self.process.output())
        os.kill(self.process.pid, signal.SIGUSR2)
        outcome = harness.wait_for("the hand-over's outcome", lambda: self.OUTCOMES.search(
            self.process.output()[said:]))
        if not outcome[1]:
            return False
        self.process.pid = int(outcome[1])
        os.close(self.watch)
        self.watch = os.pidfd_open(self.process.pid)
        return True

    def gives_up(self):
        return ("is missing; restart" in self.process.output() and
                self.exchange(self.address))

    def relatives(self):
        """Those that have been given up, and the starter."""
        self.reap()
        return len(self.adopted() - {self.process.pid}) + super().relatives()

    def reap(self):
        self.process.popen.poll()
        for pid in self.adopted() - {self.process.pid}:
            os.waitpid(pid, os.WNOHANG)

    def adopted(self):
        return set(children(os.getpid())) - self.strangers - {self.process.popen.pid}

    def stop(self, bound):
        pid = self.process.pid
        if pid == self.process.popen.pid:
            return super().stop(bound)
        os.kill(pid, signal.SIGTERM)
        _, status = harness.wait_for("its end", lambda: (done := os.waitpid(pid, os.WNOHANG))[0]
                                     and done, bound)
        return os.waitstatus_to_exitcode(status)

    def finish(self):
        if self.process is not None:
            ours = self.adopted()
            super().finish()
            for pid in ours:
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


class Copies(HandOver):
    """Without a sandbox, adoptd starts the new one itself."""
    config = 'sandbox = no ' + HandOver.config


class StartUnit(Scenario):
    """systemd is asked for the upstream by each client, and is the test: see manager.py."""
    config = '''port "p" { proxy { upstream = {"127.0.0.1:%(port)d"} connect-timeout = 1s
        start-unit = "back.service" } }'''
    # It is not asked again at once where it could not be asked.
    settle_seconds = 15
    elsewhere = ("accept4", "epoll_wait", "recvfrom", "sendto", "shutdown", "write",
                 ("sendmsg", "EPIPE"))

    def prepare(self):
        self.port, self.backend = harness.free_port(), None
        self.manager = self.end.enter_context(manager.Manager(self.path("run"), self.start_backend))

    def start(self, before=()):
        super().start([*self.manager.words, *before])

    def start_backend(self):
        self.backend = backends.Backend(backends.echo,
                                        listener(address=("127.0.0.1", self.port)))
        self.backend.__enter__()

    def visit(self):
        self.stop_backend()
        return self.exchange(self.address)

    def stop_backend(self):
        if self.backend is not None:
            self.backend.__exit__(None, None, None)
            self.backend = None

    def finish(self):
        super().finish()
        self.stop_backend()


ALL = (Echo, Proxy, Names, Exec, Routed, Datagrams, Control, Listen, Systemd, Workers, Reload)

# Whose faults are in the processes that adoptd starts.
FOLLOWED = (Programs, HandOver, Copies)
# The same, but each fault takes seconds.
SLOW = (StartUnit,) if os.geteuid() == 0 else ()
