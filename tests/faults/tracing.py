"""strace makes a system call of adoptd fail, and tells which there are."""
import collections
import contextlib
import os
import re

import harness

# The first thing that adoptd itself does; before it is the loader.
BEGIN = re.compile(r'"/proc/self/exe"')
# What a process is before it is the program that it was started for.
PROGRAM = "execve"
CALL = re.compile(r"^(?:(\d+) +)?(\w+)\(")


def injecting(fault):
    if not fault:
        return []
    return ["-e", f"trace={fault.call}",
            "-e", f"inject={fault.call}:error={fault.error}:when={fault.nth}"]


class Trace:
    """fault: None to look on."""

    def __init__(self, scenario, fault):
        self.log = scenario.path("trace")
        # strace lets adoptd have the process.
        self.words = ["strace", "-D", "-qq", "-e", "signal=none", "-o", self.log]
        if scenario.threads > 1:
            self.words.append("-f")
        self.words += injecting(fault)

    def lines(self):
        if not os.path.exists(self.log):  # it has not come to that
            return []
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.readlines()

    def activity(self):
        """How much has been done so far."""
        return len(self.lines())

    def fired(self):
        return any("INJECTED" in line for line in self.lines())

    def counts(self):
        """{call: (first, last)}: the calls that are adoptd's own, as strace numbers them.

        Threads are numbered each for itself: it is the one with the most that counts.
        """
        begun, numbers, before, last = False, collections.Counter(), {}, {}
        for line in self.lines():
            match = CALL.match(line)
            if not match:
                continue
            thread, call = match.groups()
            if not begun and BEGIN.search(line):
                begun, before = True, {call: number for (_, call), number in numbers.items()}
            numbers[thread, call] += 1
            if begun:
                last[call] = max(last.get(call, 0), numbers[thread, call])
        return {call: (before.get(call, 0) + 1, number) for call, number in last.items()
                if number > before.get(call, 0)}


class Follow(Trace):
    """Looks on, or injects the fault, from some moment on; in what adoptd starts as well."""

    def __init__(self, scenario, fault):
        super().__init__(scenario, None)
        self.children_only, self.pids = scenario.children_only, set()
        self.traced = scenario.traced
        self.words = ["strace", "-f", "-qq", "-e", "signal=none", "-o", self.log,
                      *injecting(fault)]

    @contextlib.contextmanager
    def attached(self, pids):
        self.pids = set(map(str, pids))
        with harness.Process([*self.words, *(f"--attach={pid}" for pid in pids)]) as strace:
            for pid in pids:
                harness.wait_for("strace", lambda pid=pid: is_traced(pid))
            yield
            strace.popen.terminate()
            strace.wait()

    def activity(self):
        """Of those that stay: who has handed over may be on its way out."""
        pids = set(map(str, self.traced()))
        return sum(line.split()[0] in pids for line in self.lines())

    def numbers(self):
        """{call: those of its numbers that are adoptd's own in any process}."""
        theirs = set(self.pids) if self.children_only else set()
        numbers, own = collections.Counter(), collections.defaultdict(set)
        for line in self.lines():
            match = CALL.match(line)
            if not match:
                continue
            process, call = match.groups()
            numbers[process, call] += 1
            if BEGIN.search(line):
                theirs.discard(process)
            if process not in theirs:
                own[call].add(numbers[process, call])
            if call == PROGRAM:
                theirs.add(process)
        return own


def is_traced(pid):
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
            if "TracerPid:\t0\n" in status.read():
                return False
    return True
