#!/usr/bin/env python3
"""A real systemd as PID 1 of fresh namespaces, over a throw-away copy of the root.

As a program it boots one, runs a command in it (a shell, if none is given) and
ends it, with adoptd as built installed:

    tests/integration/lab.py [COMMAND...]

Everything in it (files, processes, network: only lo) is gone with its first
process, which dies with this one. Needs root and namespaces.
"""
import ctypes
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import harness

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab-init")
PR_SET_PDEATHSIG = 1
# What the sandbox of the units hides: nothing installed there can run in it.
HIDDEN = ("/tmp/", "/var/tmp/", "/home/", "/root/", "/run/")


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


class Lab:
    """A context manager. prepare(stage): may add files to the tree that is laid over the root."""

    def __init__(self, prepare=None):
        self.prepare = prepare
        self.stage = self.unshare = self.pid = None

    def __enter__(self):
        check_available()
        self.stage = tempfile.mkdtemp(prefix="adoptd-lab.")
        try:
            self.install()
            if self.prepare:
                self.prepare(self.stage)
            self.boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.unshare is not None:
            # Its child has asked to be killed with it, and PID 1 takes all with it.
            self.unshare.kill()
            self.unshare.wait()
            harness.wait_for("the lab's end", lambda: not os.path.exists(f"/proc/{self.pid}"))
            self.unshare = None
        if self.stage is not None:
            shutil.rmtree(self.stage)
            self.stage = None

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
        self.program = self.find("sbin/adoptd")
        self.configs = os.path.dirname(self.find("adoptd/small.conf"))
        self.units = os.path.dirname(self.find("adoptd-small.service"))
        if self.program.startswith(HIDDEN):
            raise Unavailable(f"the units' sandbox hides {self.program}: needs another --prefix")

    def find(self, name):
        """Where `make install` has put a file."""
        found = glob.glob(f"{self.stage}/**/{name}", recursive=True)
        if len(found) != 1:
            raise RuntimeError(f"make install has installed {len(found)} files {name}")
        return found[0][len(self.stage):]

    def boot(self):
        libc = ctypes.CDLL(None)
        self.unshare = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc", "--cgroup",
             "--kill-child", INIT, self.stage, self.units],
            stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
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
            raise AssertionError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def write(self, path, text):
        """Writes a file inside."""
        subprocess.run(self.command("sh", "-c", 'mkdir -p "${1%/*}" && cat >"$1"', "sh", path),
                       input=text, text=True, check=True)

    def show(self, unit, *properties):
        """The values of a unit's properties, in the order asked for."""
        lines = self.run("systemctl", "show", unit, *(f"-p{name}" for name in properties))
        values = dict(line.split("=", 1) for line in lines.splitlines())
        return [values[name] for name in properties]


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
