"""Short connections through adoptd, without and with routes, and through sslh.

All do the same: pass a TLS client on to a backend, by its SNI where there are routes. The
systems take turns within each round; what is told are the medians of the rounds. The
server has one processor to itself, clients and backend share another. README has more.
"""
import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys

import harness

ROUTES = """port "p" {{
    route {{ protocol = {{"ssh"}}         proxy {{ upstream = {{"127.0.0.1:{other}"}} }} }}
    route {{ sni = {{"git.example.org"}}  proxy {{ upstream = {{"127.0.0.1:{backend}"}} }} }}
    route {{ sni = {{"*.example.org"}}    proxy {{ upstream = {{"127.0.0.1:{other}"}} }} }}
    proxy {{ upstream = {{"127.0.0.1:{other}"}} }}
}}"""
PLAIN = 'port "p" {{ proxy {{ upstream = {{"127.0.0.1:{backend}"}} }} }}'

SSLH = """foreground: true; numeric: true; timeout: 3; verbose-connections: 0;
listen: ( {{ host: "127.0.0.1"; port: "{port}"; }} );
protocols: (
    {{ name: "ssh"; host: "127.0.0.1"; port: "{other}"; log_level: 0; }},
    {{ name: "tls"; host: "127.0.0.1"; port: "{backend}"; log_level: 0;
       sni_hostnames: [ "git.example.org" ]; }},
    {{ name: "tls"; host: "127.0.0.1"; port: "{other}"; log_level: 0;
       sni_hostnames: [ "*.example.org" ]; }},
    {{ name: "anyprot"; host: "127.0.0.1"; port: "{other}"; log_level: 0; }}
);
"""


def backend():
    """A listening socket with a port as servers have them, below the ephemeral ones."""
    for port in range(18000, 32768):
        with contextlib.suppress(OSError):
            return harness.listener(address=("127.0.0.1", port), backlog=4096)
    raise OSError("no port is free")


class System:
    """A server, started; and what was measured of it."""

    def __init__(self, name, process, port):
        self.name, self.process, self.port = name, process, port
        self.rates, self.costs, self.failed = [], [], 0

    def cpu_seconds(self):
        """What its threads have used; schedstat counts in nanoseconds."""
        tasks = f"/proc/{self.process.pid}/task"
        total = 0
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9


class Bench(harness.Case):
    def runTest(self):
        self.backend = self.use(backend())
        self.backend.setblocking(False)
        ports = {"backend": self.backend.getsockname()[1], "other": harness.free_port()}
        self.processors = sorted(os.sched_getaffinity(0))
        systems = [self.adoptd("adoptd", PLAIN.format(**ports)),
                   self.adoptd("adoptd, routes", ROUTES.format(**ports))]
        for name in ("sslh-ev", "sslh-select"):
            program = shutil.which(name)
            if program:
                systems.append(self.sslh(name, program, ports))
            else:
                print(f"{name} is not installed", file=sys.stderr)
        for _ in range(options.rounds):
            for system in systems:
                self.measure(system)
        report(systems)

    def pinned(self, argv, **how):
        return harness.Process(["taskset", "-c", str(self.processors[0]), *argv], **how)

    def adoptd(self, name, config):
        sock = self.use(harness.listener(backlog=4096))
        argv = [harness.ADOPTD, "--fd", "p=3", "-e", config]
        return System(name, self.use(self.pinned(argv, fds={3: sock.fileno()})),
                      sock.getsockname()[1])

    def sslh(self, name, program, ports):
        port = harness.free_port()
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(SSLH.format(port=port, **ports))
        process = self.use(self.pinned([program, "-F" + path]))
        harness.wait_for(name, lambda: harness.connect(("127.0.0.1", port))).close()
        return System(name, process, port)

    def measure(self, system):
        before = system.cpu_seconds()
        with open(options.opening, "rb") as opening:
            done = subprocess.run(["taskset", "-c", str(self.processors[-1]), options.load,
                                   str(system.port), str(self.backend.fileno()),
                                   str(options.seconds), str(options.clients)], stdin=opening,
                                  stdout=subprocess.PIPE, pass_fds=[self.backend.fileno()],
                                  check=True)
        answered, failed = map(int, done.stdout.split())
        self.assertGreater(answered, 0, system.process.output())
        system.rates.append(answered / options.seconds)
        system.costs.append((system.cpu_seconds() - before) / answered * 1e6)
        system.failed += failed


def report(systems):
    """A line a system; the shares are those of the rounds, each within its own."""
    first = systems[0]
    print(f"{'':16}{'conn/s':>9}{'share':>7}{'CPU/conn':>11}{'share':>7}{'failed':>8}")
    for system in systems:
        rate = statistics.median(a / b for a, b in zip(system.rates, first.rates))
        cost = statistics.median(a / b for a, b in zip(system.costs, first.costs))
        print(f"{system.name:16}{statistics.median(system.rates):9.0f}{rate:7.2f}"
              f"{statistics.median(system.costs):8.1f} µs{cost:7.2f}{system.failed:8}")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--load", required=True, help="the built tests/bench/load")
parser.add_argument("--seconds", type=int, default=2, help="for each system in each round")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--clients", type=int, default=64, help="at a time")
parser.add_argument("--opening", default=os.path.join(
    harness.TOP_SRCDIR, "tests/fuzz/corpus/tls/openssl-sni"), help="what each client says")
options = parser.parse_args()
result = harness.unittest.TextTestRunner(verbosity=0).run(Bench())
sys.exit(0 if result.wasSuccessful() else 1)
