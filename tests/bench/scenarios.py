"""What can be measured."""
import dataclasses
import os
import socket
import statistics
import time

import harness
import machine
import report
import systems
from measure import Failed, Load, Runner, Stage, in_turns
from place import Place

STREAM, DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
MICRO, GIGA = 1e-6, 1e9
KIBI, MEBI = 1 << 10, 1 << 20


def backend_socket(kind):
    """A socket for the backend, with a port as servers have them."""
    sock = harness.listener(kind=kind, address=("127.0.0.1", machine.free_port(kind)),
                            backlog=4096)
    # What is lost is to be lost by the relay.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return sock


@dataclasses.dataclass
class Throughput:
    """Load on each of the systems for some time, round after round."""

    name: str
    what: str
    candidates: list
    mode: str               # of the load
    clients: int            # all together
    arguments: tuple = ()   # for the load
    backend: object = None  # the kind of its socket, where there is one
    command: list = None    # what is started for each connection, where something is
    lossy: bool = False     # more is sent than buffers hold
    unit: float = MICRO     # of the CPU an operation, in seconds
    scale: float = 1        # what rates are divided by
    titles: tuple = ("op/s", "CPU µs/op")
    latencies: tuple = ("p50", "p99", "p99.9")

    def run(self, options, workers):
        table = report.Table(self.name, self.what, workers, self.columns(), self.lossy)
        cpus, load_cpus = machine.processors(workers)
        with Stage() as stage:
            backend, port = self.open_backend(stage)

            def measure(runner, seconds=options.seconds):
                processes = len(load_cpus) if workers > 1 else 1
                with Load(load_cpus, runner.port, self.mode, self.clients, self.arguments,
                          backend, seconds, processes) as load:
                    before = runner.place.cpu_seconds()
                    counted = load.run()
                    used = runner.place.cpu_seconds() - before
                return self.figures(counted, used)

            runners = []
            for system in self.candidates:
                if table.leaves_out(system, options):
                    continue
                runner = Runner(system)
                place = Place(stage, cpus, workers, port, self.command)
                if self.serves(table, runner, place, measure):
                    runners.append(runner)
            in_turns(runners, options.rounds, measure)
        for runner in runners:
            self.add(table, runner, runners[0])
        return table

    def open_backend(self, stage):
        """Returns its socket and its port, where there is one."""
        if not self.backend:
            return None, None
        sock = stage.use(backend_socket(self.backend))
        return sock, sock.getsockname()[1]

    def columns(self):
        rate, cost = self.titles
        return [("rate", rate, "number"), ("rate_spread", "spread", "percent"),
                ("rate_share", "share", "share"), ("cpu", cost, "number"),
                ("cpu_spread", "spread", "percent"), ("cpu_share", "share", "share"),
                *((name, name + " µs", "number") for name in self.latencies),
                ("failed", "failed", "count"), ("wrong", "wrong", "count")]

    def serves(self, table, runner, place, measure):
        """Starts it, and has it serve a little, which also warms up."""
        try:
            runner.start(place)
            # Some are slow to start.
            if not any(measure(runner, 0.1)["rate"] for _ in range(20)):
                raise Failed("it does not serve")
        except Failed as failure:
            if runner.system.own:
                raise Failed(f"{runner.system.name}: {failure}\n{place.output()}") from None
            table.left_out[runner.system.name] = str(failure)
            return False
        return True

    def figures(self, counted, used):
        return {"rate": counted["operations"] / counted["seconds"] / self.scale,
                "cpu": used / max(counted["all"], 1) / self.unit, "all": counted["all"],
                "failed": counted["failed"], "wrong": counted["wrong"],
                **{name: counted[name] for name in self.latencies}}

    def add(self, table, runner, first):
        cost = runner.share(first, "cpu")
        table.add(runner.system, rounds=runner.rounds,
                  **{name: runner.median(name) for name in ("rate", "cpu", *self.latencies)},
                  rate_spread=runner.spread("rate"), cpu_spread=runner.spread("cpu"),
                  rate_share=runner.share(first, "rate"), cpu_share=1 / cost if cost else 0,
                  failed=sum(runner.column("failed")), wrong=sum(runner.column("wrong")))


class Memory:
    """Connections that are held, and what a system needs for them."""

    name = "memory"
    columns = [("connections", "held", "count"), ("rest", "at rest MiB", "number"),
               ("bytes", "KiB each", "number"), ("descriptors", "descriptors each", "number"),
               ("failed", "failed", "count"), ("wrong", "wrong", "count")]

    def run(self, options, workers):
        table = report.Table(self.name, "idle proxied connections, each with 64 bytes there and "
                             "back before and after; PSS", workers, self.columns)
        for connections in options.connections:
            for system in systems.KEEPERS:
                if table.leaves_out(system, options):
                    continue
                reason = self.measure(table, system, connections)
                if reason:
                    table.left_out[f"{system.name}, {connections}"] = reason
        return table

    def measure(self, table, system, connections):
        """Adds a row. Returns why not, where it cannot."""
        cpus, load_cpus = machine.processors(table.workers)
        # A client and the backend behind it have one each, and so has each side of a proxy.
        copies = -(-2 * connections // (machine.descriptor_limit() - 500))
        with Stage() as stage:
            backend = stage.use(backend_socket(STREAM))
            place = Place(stage, cpus, table.workers, backend.getsockname()[1],
                                  copies=copies)
            port = system.start(place)
            if copies > len(place.processes):
                return "it would need more descriptors"
            try:
                figures = self.hold(place, load_cpus, port, connections, backend)
            except Failed as failure:
                if system.own:
                    raise
                return str(failure)
        table.add(system, **figures)
        return None

    def hold(self, place, load_cpus, port, connections, backend):
        copies = len(place.processes)
        with Load(load_cpus, port, "pingpong", 1, ["-1"], backend) as load:
            load.run()  # so that it runs
        rest, descriptors = place.pss_bytes(), place.descriptors()
        with Load(load_cpus, port, "pingpong", connections, ["-1"], backend, harness.BOUND,
                  copies) as load:
            more_bytes = place.pss_bytes() - rest
            more_descriptors = place.descriptors() - descriptors
            counted = load.run()
        held = max(counted["operations"], 1)
        return {"connections": held, "rest": rest / MEBI / copies,
                "bytes": more_bytes / held / KIBI, "descriptors": more_descriptors / held,
                "failed": counted["failed"], "wrong": counted["wrong"]}


class ColdStart:
    """From a client's connect until it has its bytes back, where nothing runs yet."""

    name = "cold-start"
    tries = 5  # in a round
    columns = [("ms", "ms", "number"), ("ms_spread", "spread", "percent"),
               ("share", "share", "share")]

    def run(self, options, workers):
        if workers > 1:
            return None  # it takes none for the first client
        table = report.Table(self.name, "the server is started by systemd-socket-activate when "
                             "the client connects", workers, self.columns)
        cpus, load_cpus = machine.processors(workers)
        with Stage() as stage:
            backend = stage.use(backend_socket(STREAM))
            stage.use(harness.Process(machine.pinned(load_cpus, systems.limit("echo")),
                                      fds={3: backend.fileno()}))
            runners = [Runner(system) for system in systems.COLD
                       if not table.leaves_out(system, options)]

            def measure(runner):
                times = [self.start(runner.system, cpus, backend.getsockname()[1])
                         for _ in range(self.tries)]
                return {"ms": statistics.median(times)}

            in_turns(runners, options.rounds, measure)
        for runner in runners:
            table.add(runner.system, rounds=runner.rounds, ms=runner.median("ms"),
                      ms_spread=runner.spread("ms"), share=1 / runner.share(runners[0], "ms"))
        return table

    def start(self, system, cpus, backend_port):
        """Returns the milliseconds of one start."""
        with Stage() as stage:
            place = Place(stage, cpus, backend=backend_port)
            address = "127.0.0.1", system.start(place)
            began = time.perf_counter()
            with harness.connect(address) as client:
                client.sendall(b"hello")
                answer = client.recv(64)
                taken = time.perf_counter() - began
            if answer != b"hello":
                raise Failed(f"{system.name}: {answer!r} came back\n{place.output()}")
        return taken * 1000


BULK = {"unit": 1 / GIGA, "scale": GIGA, "titles": ("GB/s", "CPU s/GB"), "latencies": ()}
HELLO = os.path.join(harness.TOP_SRCDIR, "tests/fuzz/corpus/tls/openssl-sni")

ALL = [
    Throughput("proxy-short", "64 clients connect, say 64 bytes, are answered, read the end",
               systems.PROXIES, "short", 64, backend=STREAM),
    Throughput("proxy-pingpong", "64 kept connections, 64 bytes there and back",
               systems.PROXIES, "pingpong", 64, backend=STREAM),
    Throughput("proxy-bulk", "4 downloads", systems.PROXIES, "download", 4, backend=STREAM,
               **BULK),
    Throughput("echo-short", "64 clients connect, say 64 bytes, read them back, close",
               systems.ECHOES, "short", 64),
    Throughput("echo-pingpong", "64 kept connections, 64 bytes there and back",
               systems.ECHOES, "pingpong", 64),
    Throughput("echo-bulk", "4 connections, each a stream there and back",
               systems.ECHOES, "bulk", 4, **BULK),
    Throughput("udp-relay", "16 clients, each with 8 packets of 65 bytes under way",
               systems.RELAYS, "udp", 16, ("-w", "8"), DATAGRAM),
    Throughput("udp-burst", "16 clients, each with 32 packets: more than a socket's buffer holds",
               systems.RELAYS, "udp", 16, ("-w", "32"), DATAGRAM, lossy=True),
    Throughput("routing", "64 TLS clients say their hello, are answered, read the end",
               systems.ROUTERS, "short", 64, ("-f", HELLO), STREAM),
    Throughput("exec", "8 clients connect, /bin/true is started, they read the end",
               systems.STARTERS, "short", 8, ("-z", "0"), command=["/bin/true"]),
    Throughput("exec-cat", "8 clients connect, say 64 bytes, half-close, /bin/cat is started",
               systems.STARTERS, "short", 8, ("-h",), command=["/bin/cat"]),
    Memory(),
    ColdStart(),
]
