"""Measuring: the load on a server, in turns with others."""
import contextlib
import json
import os
import select
import shutil
import statistics
import subprocess
import tempfile

import harness
import machine


class Stage(contextlib.ExitStack):
    """What a scenario has started and opened, and a directory, all gone at its end."""

    def __init__(self):
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="adoptd.")
        self.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.use = self.enter_context

    def file(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Failed(Exception):
    """Something could not be measured; the text says why."""


class Load:
    """The load program on a server, waiting to begin. A context manager.

    clients: all together, which the processes share.
    """

    def __init__(self, cpus, port, mode, clients, arguments=(), backend=None, seconds=1.0,
                 processes=1):
        argv = [os.path.join(harness.TOP_BUILDDIR, "tests/bench/load"), *arguments,
                "-s", str(seconds), "-c", str(-(-clients // processes)), "-j", str(processes)]
        if backend:
            argv += ["-b", str(backend.fileno())]
        self.bound = seconds + 4 * harness.BOUND
        self.popen = subprocess.Popen(
            machine.pinned(cpus, argv + [mode, str(port)]), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, pass_fds=[backend.fileno()] if backend else ())
        try:
            self.line()
        except Failed:
            self.end()
            raise

    def line(self):
        if not select.select([self.popen.stdout], [], [], self.bound)[0]:
            raise Failed("the load does not end")
        line = self.popen.stdout.readline()
        if not line:
            raise Failed("the load has failed")
        return line

    def run(self):
        """Lets the time run. Returns what was counted; the connections are still there."""
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.write(b"\n")
            self.popen.stdin.flush()
        return json.loads(self.line())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end()
        if kind is None and self.popen.returncode != 0:
            raise Failed(f"the load ends with {self.popen.returncode}")

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()
        try:
            self.popen.wait(harness.BOUND)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stdout.close()


class Runner:
    """One system, and what the rounds have told of it."""

    def __init__(self, system):
        self.system, self.place, self.port = system, None, None
        self.rounds = []

    def start(self, place):
        self.place = place
        self.port = self.system.start(place)

    def column(self, name):
        return [each[name] for each in self.rounds]

    def median(self, name):
        return statistics.median(self.column(name))

    def spread(self, name):
        """How far the rounds are apart, as a share of their median."""
        middle = self.median(name)
        return (max(self.column(name)) - min(self.column(name))) / middle if middle else 0

    def share(self, first, name):
        """The median of what it has of the first one's figure in the same round."""
        shares = [own[name] / other[name] for own, other in zip(self.rounds, first.rounds)
                  if other[name]]
        return statistics.median(shares) if shares else 0


def in_turns(runners, rounds, measure):
    """A B C, C B A, A B C, ...: whoever is last in one round is the first of the next."""
    for number in range(rounds):
        for runner in runners if number % 2 == 0 else runners[::-1]:
            runner.rounds.append(measure(runner))
