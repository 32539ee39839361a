#!/usr/bin/env python3
"""A real systemd as PID 1 of fresh namespaces, over a throw-away copy of the root.

As a program it boots one, runs a command in it (a shell, if none is given) and
ends it, with adoptd as built installed:

    tests/integration/lab.py [COMMAND...]

Everything in it (files, processes, network: only lo) is gone with its first
process, which dies with this one. Needs root and namespaces.
"""
import contextlib
import ctypes
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import harness

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab-init")
PR_SET_PDEATHSIG = 1
CLONE_NEWNET = 0x40000000


class Unavailable(Exception):
    """The lab cannot run here; the text says why."""


def check_available():
    if os.geteuid() != 0:
        raise Unavailable("not root")
    for tool in ("unshare", "nsenter", "ip", "/lib/systemd/systemd"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is missing")
    probe = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc",
                            "--cgroup", "mount", "-t", "tmpfs", "probe", "/mnt"],
                           capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise Unavailable("no namespaces: " + probe.stderr.strip())


@contextlib.contextmanager
def in_network(path):
    """What this thread opens within this is in another network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(which):
        with open(which, "rb") as namespace:
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns {which}")

    with open("/proc/thread-self/ns/net", "rb") as ours:
        enter(path)
        try:
            yield
        finally:
            enter(f"/proc/self/fd/{ours.fileno()}")


class Lab:
    """A context manager; all of the lab is gone at its end."""

    def __init__(self):
        self.stage = self.unshare = self.pid = self.group = None

    def __enter__(self):
        check_available()
        try:
            with tempfile.TemporaryDirectory(prefix="adoptd-lab.") as self.stage:
                self.install()
                self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.unshare is None:
            return
        # Its child has asked to be killed with it, and PID 1 takes all with it.
        self.unshare.kill()
        self.unshare.wait()
        self.unshare = None
        harness.wait_for("the lab's end", lambda: not os.path.exists(f"/proc/{self.pid}"))
        self.group.remove()

    def install(self):
        os.chmod(self.stage, 0o755)
        # Nothing of what an outer make told its children.
        env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        done = subprocess.run(["make", "-C", harness.TOP_BUILDDIR, "install",
                               "DESTDIR=" + self.stage], env=env, umask=0o022,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError("make install failed:\n" + done.stdout)
        self.installed = done.stdout
        prefix = self.find("sbin/adoptd").removesuffix("/sbin/adoptd")
        if prefix not in ("/usr", "/usr/local"):
            self.move(prefix, "/usr/local")
        self.program = self.find("sbin/adoptd")
        self.configs = os.path.dirname(self.find("adoptd/small.conf"))
        self.units = os.path.dirname(self.find("adoptd-small.service"))

    def move(self, prefix, to):
        """Installed below /home or /tmp, the units' sandbox would hide all of it."""
        os.makedirs(os.path.dirname(self.stage + to), exist_ok=True)
        os.rename(self.stage + prefix, self.stage + to)
        for path in glob.glob(f"{self.stage}/**/adoptd*.service", recursive=True):
            with open(path, "r+", encoding="utf-8") as file:
                text = file.read().replace(prefix, to)
                file.seek(0)
                file.truncate()
                file.write(text)

    def find(self, name):
        """Where `make install` has put a file."""
        found = glob.glob(f"{self.stage}/**/{name}", recursive=True)
        if len(found) != 1:
            raise RuntimeError(f"make install has installed {len(found)} files {name}:\n{self.installed}")
        return found[0][len(self.stage):]

    def boot(self):
        libc = ctypes.CDLL(None)
        # Units of the same name in another lab are not to be in the same group, where they could
        # neither be killed nor be seen to have ended.
        self.group = harness.ControlGroup("adoptd-lab.")

        def prepare():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            self.group.enter()

        self.unshare = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc", "--cgroup",
             "--kill-child", INIT, self.stage, self.units],
            stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=prepare)
        harness.wait_for("the lab's first process", self.find_init)
        harness.wait_for("the lab's systemd", self.is_up)

    def find_init(self):
        if self.unshare.poll() is not None:
            raise RuntimeError("lab-init failed")
        with open(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children") as children:
            self.pid = int((children.read().split() or [0])[0])
        return self.pid

    def is_up(self):
        if self.unshare.poll() is not None:
            raise RuntimeError("the lab's systemd ended")
        if os.readlink(f"/proc/{self.pid}/exe") != os.path.realpath("/lib/systemd/systemd"):
            return False
        state = self.run("systemctl", "is-system-running", check=False).strip()
        return state in ("running", "degraded")

    def command(self, *argv):
        """The argv that runs argv inside."""
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w",
                *argv]

    def run(self, *argv, check=True, bound=harness.BOUND * 3):
        """Runs a command inside, bounded; returns what it wrote, stderr included."""
        done = subprocess.run(self.command(*argv), stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=bound,
                              check=False)
        if check and done.returncode != 0:
            why = self.tell(*argv[2:]) if argv[:2] == ("systemctl", "start") else ""
            raise AssertionError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}{why}")
        return done.stdout

    def tell(self, *units):
        """What there is to know about units that have not done what they should."""
        return (self.run("systemctl", "status", "--no-pager", "-n0", *units, check=False) +
                self.run("journalctl", "--no-pager", "-n40", *(f"-u{unit}" for unit in units),
                         check=False))

    def network(self):
        """Sockets made within this are made in the lab's network."""
        return in_network(f"/proc/{self.pid}/ns/net")

    def path(self, inside):
        """Where a path of the lab is to be found from here."""
        return f"/proc/{self.pid}/root{inside}"

    def write(self, path, text):
        """Writes a file inside."""
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def add_unit(self, name, text):
        """Writes a unit of our own, or a drop-in (NAME.d/x.conf), and has it read."""
        self.write("/etc/systemd/system/" + name, text)
        self.run("systemctl", "daemon-reload")

    def show(self, unit, *properties):
        """The values of a unit's properties, in the order asked for."""
        lines = self.run("systemctl", "show", unit, *(f"-p{name}" for name in properties))
        values = dict(line.split("=", 1) for line in lines.splitlines())
        return [values[name] for name in properties]


class Case(harness.Case):
    """Cases that share one lab. Skipped where there can be none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.lab = cls.enterClassContext(Lab())
        except Unavailable as why:
            raise unittest.SkipTest(f"no lab: {why}") from None
        cls.enterClassContext(cls.lab.network())

    def tell(self, unit):
        return self.lab.tell(unit)


def main():
    # So that the lab is cleaned up then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        with Lab() as lab:
            sys.exit(subprocess.run(lab.command(*(sys.argv[1:] or ["bash"])), check=False).returncode)
    except Unavailable as why:
        print("skipped:", why)
        sys.exit(77)


if __name__ == "__main__":
    main()
