"""What adoptd does while a fault is injected: a start, some clients, an end."""
import contextlib
import json
import os
import select
import signal
import socket
import threading
import time

import backends
import harness
from harness import listener

# What takes longer than this for one client has been lost.
PATIENCE = 10.0 if harness.sanitized() else 3.0
PIECE = 65536


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
        environment = {**os.environ, **harness.LEAKS_UNSEEN, **self.environment()}
        self.process = harness.Process([*before, harness.ADOPTD, *self.arguments()],
                                       fds=self.descriptors(), limits=self.limits,
                                       env=environment)
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
        return [self.process.pid, *harness.children(self.process.pid)]

    def gives_up(self):
        """It has said that it will not do any more what the clients want, but a restart does."""
        return False

    def relatives(self):
        """How many processes adoptd has started."""
        return len(harness.children(self.process.pid))

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
    config = '''port "p" { echo {} } port "own" { listen = {"127.0.0.1:%(port)d",
           "udp:127.0.0.1:%(port)d", "unix:%(unix)s"} echo {} }'''

    def prepare(self):
        self.port, self.unix = harness.free_port(), self.path("socket")

    def visit(self):
        served = super().visit()
        if not self.lives():
            return False
        try:
            own = [self.exchange(("127.0.0.1", self.port)), self.exchange(self.unix)]
            return served and all(own)
        except OSError:
            return False

    def left_behind(self):
        return [self.unix]


class Notifying(Scenario):
    """A service that says READY=1."""

    def prepare(self):
        path = self.path("notify")
        self.notify = self.end.enter_context(
            listener(socket.AF_UNIX, socket.SOCK_DGRAM, path))
        self.variables = {"NOTIFY_SOCKET": path}

    def environment(self):
        return self.variables


class Systemd(Notifying):
    """A service whose sockets are systemd's, and that has a watchdog."""
    config = Echo.config

    def prepare(self):
        super().prepare()
        self.variables |= {"WATCHDOG_USEC": "200000", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "p"}

    def arguments(self):
        return ["-e", self.text()]

    def start(self, before=()):
        super().start(["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *before])


class Workers(Scenario):
    config = 'workers = 3 port "p" { echo {} }'
    threads = 3


class Reload(Notifying):
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
        if not super().visit():
            return False
        while select.select([self.notify], [], [], 0)[0]:
            self.notify.recv(PIECE)
        self.write()
        self.process.popen.send_signal(signal.SIGHUP)
        return self.is_ready()

    def is_ready(self):
        """Whether that is told in time, after a reload; its line in the log may be held back."""
        end = time.monotonic() + PATIENCE
        while self.notify in select.select([self.notify, self.watch], [], [],
                                           max(0, end - time.monotonic()))[0]:
            if b"READY=1" in self.notify.recv(PIECE):
                return True
        return False


ALL = (Echo, Proxy, Names, Exec, Routed, Datagrams, Control, Listen, Systemd, Workers, Reload)
