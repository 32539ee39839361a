"""adoptd under loads of all kinds at once, for as long as is wanted."""
import contextlib
import os
import resource
import shutil
import statistics
import tempfile
import time

import harness
import loads
import wire

FLAT = 1.05, 1 << 20  # what memory may grow by under a load that stays as it is
SAMPLE = 0.25  # seconds
# AddressSanitizer keeps what was freed from being had again, which looks like growth.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
KEPT_DESCRIPTORS = 2 * 2 * 8  # the pipes that each of two workers keeps for the next bulk

FRONT = """workers = 2
log-level = warning
drain-timeout = 1s
port "echo" {{ listen = {{"{host}:{echo}"}} echo {{}} }}
port "proxy" {{ listen = {{"{host}:{proxy}"}} proxy {{ upstream = {{"127.0.0.1:{back}"}} }} }}
port "web" {{
    listen = {{"{host}:{web}"}}
    max-connections-per-source = {per_source}
    proxy {{ upstream = {{"127.0.0.1:{pages}"}} }}
}}
"""
BACK = 'log-level = warning port "back" {{ listen = {{"127.0.0.1:{back}"}} echo {{}} }}'
NGINX = """daemon off;
master_process off;
error_log stderr crit;
pid {directory}/nginx.pid;
worker_rlimit_nofile 4096;
events {{ worker_connections 1000; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    server {{ listen 127.0.0.1:{pages}; root {directory}/pages; }}
}}
"""
# nginx has room for so many slow ones, and the rest of its own for others.
PER_SOURCE = 300


def memory_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class Usage:
    """What some processes have together."""

    def __init__(self, pids):
        self.descriptors = sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
        self.memory = sum(memory_of(pid) for pid in pids)


class Servers:
    """Some adoptds in front, another one behind them, and nginx where it is installed. A
    context manager.

    host: their address. at: turns a command into one that runs where they are. reach: a
    context in which they are reached.
    """

    def __init__(self, copies=1, host="127.0.0.1", at=lambda argv: argv,
                 reach=contextlib.nullcontext):
        self.host, self.at, self.reach = host, at, reach
        self.ports = {name: harness.free_port() for name in ("back", "pages")}
        self.copies = [{name: harness.free_port() for name in ("echo", "proxy", "web")}
                       for _ in range(copies)]
        self.stack = contextlib.ExitStack()

    def start(self, argv):
        limits = {resource.RLIMIT_NOFILE: loads.raise_limit()}
        return self.stack.enter_context(harness.Process(self.at(argv), limits=limits,
                                                        env=ENVIRONMENT))

    def start_nginx(self):
        os.mkdir(os.path.join(self.directory, "pages"))
        with open(os.path.join(self.directory, "pages", "index.html"), "w", encoding="ascii") as page:
            page.write("slow and steady\n" * 20000)
        conf = os.path.join(self.directory, "conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(NGINX.format(directory=self.directory, **self.ports))
        self.start([shutil.which("nginx"), "-e", "stderr", "-p", self.directory, "-c", conf])

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.stack)
            self.directory = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="adoptd."))
            self.has_nginx = shutil.which("nginx") is not None
            if self.has_nginx:
                self.start_nginx()
            self.back = self.start([harness.ADOPTD, "-e", BACK.format(**self.ports)])
            self.fronts = [self.start([harness.ADOPTD, "-e", FRONT.format(
                host=self.host, per_source=PER_SOURCE, **self.ports, **copy)])
                           for copy in self.copies]
            self.warm()
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def warm(self):
        """Waits until all answer: what is made for the first client is there then."""
        with self.reach():
            for address in self.addresses("echo", "proxy"):
                harness.wait_for("an answer", lambda: harness.echo_stream(address) == b"hello\n")

    def addresses(self, *names):
        return [(self.host, copy[name]) for copy in self.copies for name in names]

    def usage(self):
        return Usage([front.pid for front in self.fronts])

    def said(self):
        return "".join(front.output() for front in self.fronts)


class Result:
    """What came of it all: faults is empty if it was good."""

    def __init__(self, name, seconds, parts, before, after, faults):
        self.name, self.seconds, self.parts = name, seconds, parts
        self.before, self.after, self.faults = before, after, faults
        self.served = sum(load.served for load in parts)
        self.failed = sum(load.failures for load in parts)

    def __str__(self):
        def memory(usage):
            return "%.1f MiB" % (usage.memory / (1 << 20))
        return (f"{self.name}: {self.seconds:.0f} s: {self.served} served, {self.failed} failed; "
                f"memory {memory(self.before)} at the begin, {memory(self.after)} at the end; "
                f"{self.before.descriptors} descriptors at the begin, "
                f"{self.after.descriptors} at the end")

    def details(self):
        for load in self.parts:
            yield f"  {load.name}: {load.served} served, {load.failures} failed" + (
                f"; {load.note}" if load.note else "")
            for told in load.told:
                yield "    " + told
        for fault in self.faults:
            yield "  FAULT: " + fault


def watch(servers, seconds):
    """What adoptd has while nothing but time changes."""
    samples, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(SAMPLE)
        samples.append(servers.usage().memory)
    return samples


def judge_memory(samples, faults):
    third = len(samples) // 3
    if third < 3:
        return
    early, late = statistics.median(samples[third:2 * third]), statistics.median(samples[-third:])
    if late > early * FLAT[0] + FLAT[1]:
        faults.append(f"memory grows under the same load: {early} bytes, then {late}")


def settle(servers, before, faults):
    """All clients are gone: what they had is, too."""
    try:
        harness.wait_for("descriptors", lambda: servers.usage().descriptors <=
                         before.descriptors + len(servers.fronts) * KEPT_DESCRIPTORS)
    except AssertionError:
        faults.append(f"{servers.usage().descriptors - before.descriptors} descriptors are left over")
    return servers.usage()


def run(name, servers, parts, seconds):
    """Puts all the loads on the servers. Returns the Result."""
    begun, faults = time.monotonic(), []
    before = servers.usage()
    for load in parts:
        load.start()
    for load in parts:
        if not load.ready.wait(6 * harness.BOUND):
            faults.append(f"{load.name} does not get as large as it is to be")
    judge_memory(watch(servers, seconds), faults)
    for load in reversed(parts):
        load.finish()
    after = settle(servers, before, faults)
    if said := servers.said():
        faults.append("adoptd said: " + said[:2000])
    faults += [f"{load.name} failed" for load in parts if load.failures]
    return Result(name, time.monotonic() - begun, parts, before, after, faults)
