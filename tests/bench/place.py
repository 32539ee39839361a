"""How a system is started for being measured."""
import os
import shutil
import socket

import harness
import machine
from measure import Failed


def workers_option(workers):
    return f"workers = {workers}\n" if workers > 1 else ""


def takes(config, workers):
    """Whether the built adoptd has what a configuration asks for."""
    return harness.run([harness.ADOPTD, "--check", "-e", workers_option(workers) + config])[0] == 0


class Place:
    """Where a system is started: pinned, with ports and files of its own.

    backend: the port that a proxy or a relay passes things on to.
    command: what a server that starts programs is to start.
    copies: of a server that takes a socket, all on the same one.
    wrapper: the command that runs the server's.
    """

    def __init__(self, stage, cpus, workers=1, backend=None, command=None, copies=1,
                 wrapper=()):
        self.stage, self.cpus, self.workers = stage, cpus, workers
        self.backend, self.command, self.copies = backend, command, copies
        self.wrapper = wrapper
        self.account = stage.use(machine.Account())
        self.processes = []

    def start(self, argv, **how):
        argv = self.account.entering(machine.pinned(self.cpus, [*self.wrapper, *argv]))
        self.processes.append(self.stage.use(harness.Process(argv, **how)))

    def inherit(self, argv, kind=socket.SOCK_STREAM):
        """Starts what takes a socket as descriptor 3. Returns its port."""
        sock = self.stage.use(harness.listener(kind=kind, backlog=4096))
        for _ in range(self.copies):
            self.start(argv, fds={3: sock.fileno()})
        return sock.getsockname()[1]

    def listen_fds(self, argv):
        """Starts what takes its socket as systemd hands it over. Returns its port."""
        return self.inherit(["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *argv])

    def opens(self, argv, port, kind=socket.SOCK_STREAM):
        """Starts what opens its port by itself, and waits for it."""
        self.start(argv)
        try:
            harness.wait_for(argv[0], lambda: self.has_ended() or machine.is_open(port, kind))
        except AssertionError as late:
            raise Failed(f"{late}; it said: {self.output()}") from None
        if self.has_ended():
            raise Failed(f"it does not start, and said: {self.output()}")
        return port

    def has_ended(self):
        return not all(process.running() for process in self.processes)

    def activate(self, argv, environment=(), port=None):
        """Starts what is started by its first client. Returns its port."""
        port = port or machine.free_port()
        options = [f"--setenv={variable}" for variable in environment]
        return self.opens(["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=p",
                           *options, *argv], port)

    def output(self):
        return "".join(process.output() for process in self.processes)

    def cpu_seconds(self):
        return self.account.cpu_seconds(process.pid for process in self.processes)

    def pss_bytes(self):
        return sum(machine.pss_bytes(process.pid) for process in self.processes)

    def descriptors(self):
        return sum(machine.descriptors(process.pid) for process in self.processes)


class System:
    """A server that can be measured.

    start: starts it in a Place, and returns its port.
    files: programs and others that are to be there.
    package: the Debian package that the first of them comes in.
    config: what the built adoptd must take.
    """

    def __init__(self, name, start, *files, package=None, workers=True, config=None):
        self.name, self.start, self.files = name, start, files
        self.package, self.workers, self.config = package, workers, config
        self.kind = name.split(",")[0]
        self.own = self.kind in ("limit", "adoptd")
        if not self.own:
            self.kind = "peer"

    def missing(self, workers):
        """Why it cannot be measured here, or None."""
        if not all(shutil.which(path) or os.path.exists(path) for path in self.files):
            return "it is not installed"
        if workers > 1 and not self.workers:
            return "it has no workers"
        if self.kind == "adoptd" and not takes(self.config or 'port "p" { echo {} }', workers):
            return "it cannot do that yet"
        return None
