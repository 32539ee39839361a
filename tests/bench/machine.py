"""What the benchmark knows of the machine: processors, limits, and what a process uses."""
import contextlib
import datetime
import itertools
import os
import platform
import resource
import shutil
import socket

import harness

DESCRIPTORS = 1 << 17


def raise_limits():
    """As many descriptors as are allowed, for everything that is started from here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (max(hard, DESCRIPTORS), hard):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            break


def descriptor_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


PROCESSORS = sorted(os.sched_getaffinity(0))


def processors(workers):
    """Those of the server and those of the load, apart where there are enough. The latter
    have this process too."""
    server, load = PROCESSORS, PROCESSORS
    if len(PROCESSORS) > workers:
        server, load = PROCESSORS[:workers], PROCESSORS[workers:][:workers]
    os.sched_setaffinity(0, load)
    return server, load


def pinned(cpus, argv):
    return ["taskset", "-c", ",".join(map(str, cpus)), *argv]


ports = itertools.count(18000 + os.getpid() % 4096)


def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 that nobody has, below those that the kernel gives to clients."""
    for port in itertools.takewhile(lambda port: port < 32768, ports):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as sock:
            sock.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def is_open(port, kind):
    """Whether a server has a port: asking it by a connection would be load."""
    return harness.run(["ss", "-Hln" + ("t" if kind == socket.SOCK_STREAM else "u"),
                        "sport", "=", f":{port}"])[1] != ""


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as children:
                    found += map(int, children.read().split())
    return found


def cpu_seconds(pid):
    """What the tree has used, children that have ended included."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/schedstat", encoding="ascii") as stat:
                    total += int(stat.read().split()[0]) / 1e9
            with open(f"/proc/{one}/stat", encoding="ascii") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


class Account:
    """What some processes use, and all that they start, with a life however short: they
    are in a control group of their own. Where that is not allowed, what /proc tells, which
    forgets children that nobody has waited for. A context manager."""

    def __init__(self):
        self.group = harness.ControlGroup("adoptd-bench.")

    def entering(self, argv):
        """The command that runs another one inside."""
        if not self.group.path:
            return argv
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self.group.path + "/cgroup.procs", *argv]

    def cpu_seconds(self, pids):
        """pids: of the processes that were started."""
        if not self.group.path:
            return sum(map(cpu_seconds, pids))
        used = field(self.group.path + "/cpu.stat", "usage_usec", None)
        return int(used) / 1e6

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.group.path:
            # Children of a server that has ended may be left.
            with contextlib.suppress(OSError):
                with open(self.group.path + "/cgroup.kill", "w", encoding="ascii") as kill:
                    kill.write("1")
        self.group.remove()


def pss_bytes(pid):
    """The tree's memory; what it shares with others is divided among them."""
    total = 0
    for one in tree(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total * 1024


def descriptors(pid):
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in tree(pid))


def field(path, name, separator=":"):
    """The first line `name value` of a file of the kernel's."""
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(name):
                return line.split(separator, 1)[1].strip()
    return "unknown"


def describe():
    """What the figures depend on, as words."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return {
        "processor": f"{field('/proc/cpuinfo', 'model name')}, {len(PROCESSORS)} "
                     "processors",
        "memory": field("/proc/meminfo", "MemTotal"),
        "system": f"{system}, Linux {platform.release()}",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "date": datetime.date.today().isoformat(),
    }


def version(package):
    """The version of a Debian package, or nothing."""
    if not package or not shutil.which("dpkg-query"):
        return ""
    code, text = harness.run(["dpkg-query", "-W", "-f", "${Version}", package])
    return text if code == 0 else ""
