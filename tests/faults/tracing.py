"""strace makes a system call of adoptd fail, and tells which there are."""
import collections
import re

# The first thing that adoptd itself does; before it is the loader.
BEGIN = re.compile(r'"/proc/self/exe"')
CALL = re.compile(r"^(?:(\d+) +)?(\w+)\(")


class Trace:
    """fault: None to look on."""

    def __init__(self, scenario, fault):
        self.log = scenario.path("trace")
        # strace lets adoptd have the process.
        self.words = ["strace", "-D", "-qq", "-e", "signal=none", "-o", self.log]
        if scenario.threads > 1:
            self.words.append("-f")
        if fault:
            self.words += ["-e", f"trace={fault.call}",
                           "-e", f"inject={fault.call}:error={fault.error}:when={fault.nth}"]

    def lines(self):
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
