"""What the integration tests share: bounded waits, adoptd by hand, verdicts.

A test file is run by `make check` with these variables: ADOPTD (the built
daemon), TOP_SRCDIR, TOP_BUILDDIR. It ends with harness.main(): exit code 0, 1,
or 77 where every case was skipped.
"""
import contextlib
import fcntl
import glob
import os
import random
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BOUND = 20.0  # seconds; what is late by more than this is broken

ADOPTD = os.path.abspath(os.environ.get("ADOPTD", "./adoptd"))
TOP_SRCDIR = os.path.abspath(os.environ.get("TOP_SRCDIR", "."))
TOP_BUILDDIR = os.path.abspath(os.environ.get("TOP_BUILDDIR", "."))

SANITIZERS = (b"__asan_init", b"__tsan_init")
# LeakSanitizer wants a process at the end, and cannot look where strace does.
LEAKS_UNSEEN = {"ASAN_OPTIONS": "detect_leaks=0"}


def wait_for(what, condition, bound=BOUND):
    """Calls condition() until it gives something true, and returns that.

    An OSError counts as 'not yet'; its text is part of the complaint.
    """
    end = time.monotonic() + bound
    last = None
    while True:
        try:
            result = condition()
            if result:
                return result
        except OSError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"waited {bound}s for {what}" + (f": {last}" if last else ""))
        select.select([], [], [], 0.01)


def connect(address, kind=socket.SOCK_STREAM, source=None):
    """A connected socket with a bound on every call. address: (host, port) or a path.

    source: the host to come from.
    """
    if isinstance(address, str):
        family = socket.AF_UNIX
    else:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.settimeout(BOUND)
    try:
        if source is not None:
            sock.bind((source, 0))
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def read_all(sock):
    """Everything up to the peer's end."""
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


def echo_stream(address, data=b"hello\n", kind=socket.SOCK_STREAM):
    """Sends data, half-closes, and returns all that comes back."""
    with connect(address, kind) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return read_all(sock)


def echo_datagram(address, data=b"hello\n", bind=None):
    """Sends one datagram and returns the answer. bind: our own path, for AF_UNIX."""
    family = socket.AF_UNIX if isinstance(address, str) else (
        socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(BOUND)
        if bind is not None:
            sock.bind(bind)
        sock.connect(address)
        sock.send(data)
        return sock.recv(65536)


def listener(family=socket.AF_INET, kind=socket.SOCK_STREAM, address=None, backlog=128):
    """A bound socket, listening where its kind does; the address defaults to a free port."""
    sock = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM and family != socket.AF_UNIX:
        # Its address may be wanted again at once.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address is None:
        address = ("::1", 0) if family == socket.AF_INET6 else ("127.0.0.1", 0)
    elif kind == socket.SOCK_STREAM:
        # Connections of whoever listened here before may still be on their way out.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    if kind != socket.SOCK_DGRAM:
        sock.listen(backlog)
    return sock


def children(pid):
    """The processes that a process has started and not waited for."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            found += map(int, file.read().split())
    return found


def own_control_group():
    """The directory of this process's group in the unified hierarchy, or None."""
    with contextlib.suppress(OSError, StopIteration):
        with open("/proc/mounts", encoding="utf-8") as mounts:
            root = next(line.split()[1] for line in mounts if line.split()[2] == "cgroup2")
        with open("/proc/self/cgroup", encoding="utf-8") as groups:
            own = next(line[3:].strip() for line in groups if line.startswith("0::"))
        return root + own
    return None


class ControlGroup:
    """A new one within that. path: its directory, None where there can be none."""

    def __init__(self, prefix):
        self.path, parent = None, own_control_group()
        if parent:
            with contextlib.suppress(OSError):
                self.path = tempfile.mkdtemp(prefix=prefix, dir=parent)

    def enter(self):
        """Puts the calling process into it, if that is allowed."""
        if self.path:
            with contextlib.suppress(OSError), \
                    open(self.path + "/cgroup.procs", "w", encoding="ascii") as procs:
                procs.write("0")

    def remove(self):
        """Waits until its processes have ended, and removes it and those within."""
        def gone():
            for path, _, _ in os.walk(self.path, topdown=False):
                os.rmdir(path)
            return True

        if self.path:
            wait_for("the end of " + self.path, gone)


def sanitized():
    """Whether adoptd is built with a sanitizer."""
    with open(ADOPTD, "rb") as file:
        data = file.read()
    return any(name in data for name in SANITIZERS)


# Below those that the kernel gives to clients and to who asks for any; none comes twice.
ports = iter(random.sample(range(24000, 32768), 32768 - 24000))
kept = []  # sockets that keep such a port from others, for as long as this process lives


def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 that nobody has, nor comes by before it is opened by its number."""
    for port in ports:
        sock = socket.socket(socket.AF_INET, kind)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            continue
        if sys.platform == "linux" and kind == socket.SOCK_STREAM:
            # Whoever listens with the same option may have it beside this one; who looks for
            # a port here, and binds without it, does not.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.append(sock)
        else:
            sock.close()
        return port
    raise OSError("no port is free")


class Process:
    """A command of our own: its stderr in a file, its end bounded. A context manager.

    fds: {number in the child: our descriptor}. limits: {resource.RLIMIT_...: value}.
    """

    def __init__(self, argv, fds=None, env=None, limits=None):
        self.log = tempfile.TemporaryFile()
        fds = fds or {}
        # Out of the way of the numbers that they are to have.
        high = {number: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for number, fd in fds.items()}

        def prepare():
            for number, fd in high.items():
                os.dup2(fd, number, inheritable=True)
            # Whatever else whoever runs the tests has left open.
            for number in set(range(3, 1024)) - set(high):
                with contextlib.suppress(OSError):
                    os.set_inheritable(number, False)
            for which, value in (limits or {}).items():
                resource.setrlimit(which, (value, value))

        self.popen = subprocess.Popen(argv, stdin=None if 0 in fds else subprocess.DEVNULL,
                                      stdout=self.log, stderr=self.log, env=env,
                                      preexec_fn=prepare, close_fds=False)
        for fd in high.values():
            os.close(fd)
        self.pid = self.popen.pid

    def output(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait(self, bound=BOUND):
        """Returns the exit code, a negative signal number where one killed it."""
        try:
            return self.popen.wait(bound)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.popen.args} runs on; it said:\n{self.output()}") from None

    def running(self):
        return self.popen.poll() is None

    def cpu_share(self, seconds=1):
        """The share of a processor that it uses in so long a time from now; needs /proc."""
        before, start = self.cpu_seconds(), time.monotonic()
        select.select([], [], [], seconds)
        return (self.cpu_seconds() - before) / (time.monotonic() - start)

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, how=signal.SIGTERM):
        self.popen.send_signal(how)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        # Politely first: some have children of their own to take along. Asked twice, adoptd
        # does not wait for its clients.
        for end, seconds in ((self.popen.terminate, BOUND / 100), (self.popen.terminate, BOUND / 10),
                             (self.popen.kill, BOUND)):
            if not self.running():
                break
            end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        self.popen.wait()
        if kind is not None:
            sys.stderr.write(f"--- {self.popen.args} said:\n{self.output()}---\n")
        self.log.close()


def adoptd(config, *options, **how):
    """Starts the built adoptd on a configuration text."""
    return Process([ADOPTD, *options, "-e", config], **how)


def run(argv, **how):
    """Runs a command to its end, bounded; returns (exit code, what it wrote)."""
    with Process(argv, **how) as process:
        code = process.wait()
        return code, process.output()


class Case(unittest.TestCase):
    """A case with a directory of its own; its path is short enough for sun_path."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="adoptd.")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def use(self, manager):
        """Enters a context manager that ends with the case."""
        return self.enterContext(manager)


def need(*tools):
    """Skips where a tool is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, "not installed: " + " ".join(missing))


def newest(pattern):
    """The last of the paths that a pattern finds, or None."""
    return max(glob.glob(pattern), default=None)


need_root = unittest.skipUnless(os.geteuid() == 0, "not root")
need_proc = unittest.skipUnless(os.path.exists("/proc/self/stat"), "no /proc here")


def main():
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) >= result.testsRun else 0)
