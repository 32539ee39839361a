"""One trial: an adoptd that something fails for, and what may come of it."""
import collections
import contextlib
import errno
import os
import select

import calls
import harness
from scenarios import PATIENCE, Hangs

CLIENTS = 3
# adoptd's own stops, and what it says of them: see adoptd(8).
EXIT_SYSTEM, EXIT_CONFIG = 71, 78
IDLE_SECONDS = 0.1
STOP_SECONDS = PATIENCE
REST_SECONDS = 0.2
# What is done in an idle moment: the timers of what went wrong, and a watchdog's.
IDLE_CALLS = 40
Fault = collections.namedtuple("Fault", "call error nth")


class Trial:
    """fault: None to find out what there is to fail. tool: Trace or Memory, which injects it.

    complaints: what was wrong. fired: whether the fault was injected at all.
    """

    def __init__(self, tool, scenario, fault, descriptors=None):
        self.scenario, self.fault, self.descriptors = scenario, fault, descriptors
        self.tool = tool(scenario, fault)
        self.complaints, self.said, self.fired = [], None, False

    def complain(self, text):
        self.complaints.append(text)

    def run(self):
        scenario = self.scenario
        scenario.start(self.tool.words)
        try:
            served = self.visits()
            if scenario.lives():
                self.lived(served)
            else:
                self.stopped(served)
        except Hangs as hang:
            self.complain(f"a client hangs: {hang}")
        except AssertionError as error:
            self.complain(str(error).splitlines()[0])
        finally:
            if self.said is None:
                self.said = scenario.process.output()
            scenario.finish()
            self.fired = self.tool.fired()
        return self

    def visits(self):
        served = []
        while self.scenario.lives() and (len(served) < CLIENTS or
                                         len(served) < 2 * CLIENTS and not served[-1]):
            served.append(self.visit())
            if not served[-1]:
                # Who comes at once is turned away with those that have waited.
                select.select([self.scenario.watch], [], [], REST_SECONDS)
        return served

    def visit(self):
        try:
            return self.scenario.visit()
        except Hangs:
            if self.is_one_of(calls.GONE):
                self.scenario.hang_up()
                return False
            raise

    def fatal(self):
        """The exit code with which a library ends adoptd at this fault, or None."""
        return calls.FATAL.get(self.fault and self.fault[:2])

    def is_one_of(self, faults):
        return self.fault is not None and self.fault[:2] in faults

    def losses(self):
        """How many clients the fault may cost: those that wait where no descriptor is left."""
        if not self.fault:
            return 0
        return CLIENTS if self.fault.error in ("EMFILE", "ENFILE") else self.scenario.threads

    def lived(self, served):
        """At most one client of each thread has met the fault, and nothing is left of it."""
        scenario = self.scenario
        if served.count(False) > self.losses() or not served[-1]:
            self.complain(f"served: {served}")
        if self.descriptors is None:
            self.descriptors = scenario.opened()
        harness.wait_for(f"{self.descriptors} descriptors: a leak",
                         lambda: scenario.opened() <= self.descriptors, bound=2)
        self.rests()
        self.ask_to_stop()
        code = scenario.process.wait(bound=STOP_SECONDS)
        if code == self.fatal():
            return
        if code != 0:
            self.complain(f"asked to stop, it ends with {code}")
        self.leaves_nothing()

    def ask_to_stop(self):
        """A signal that libevent cannot write down is lost: it is asked again."""
        process = self.scenario.process
        process.popen.terminate()
        if self.fault and self.fault.call == "write":
            with contextlib.suppress(AssertionError):
                harness.wait_for("draining", lambda: not process.running() or
                                 "draining" in process.output(), bound=STOP_SECONDS / 10)
                return
            process.popen.terminate()

    def rests(self):
        before, start = self.scenario.process.cpu_seconds(), self.tool.activity()
        select.select([], [], [], IDLE_SECONDS)
        spent = self.scenario.process.cpu_seconds() - before
        made = self.tool.activity() - start
        if spent > IDLE_SECONDS / 2 or made > IDLE_CALLS:
            self.complain(f"it spins: {spent:.2f} s, {made} calls in {IDLE_SECONDS} s")

    def stopped(self, served):
        """It may, before it has taken anybody, if it says why; another one can take its place."""
        code = self.scenario.process.wait(bound=STOP_SECONDS)
        said = self.said = self.scenario.process.output()
        if True in served:
            self.complain(f"it stops ({code}) with clients to serve")
        if code == self.fatal():
            return
        if code not in (EXIT_SYSTEM, EXIT_CONFIG):
            self.complain(f"it ends with {code}")
        if not self.says_why(said):
            self.complain(f"it does not say why: {' or '.join(self.reasons())}")
        self.leaves_nothing()
        self.scenario.finish()
        self.scenario.start()
        if not self.scenario.visit():
            self.complain("the next adoptd does not serve")

    def reasons(self):
        if self.fault is None:
            return []
        words = calls.WORDS.get(self.fault[:2])
        return [os.strerror(getattr(errno, self.fault.error)), *([words] if words else [])]

    def says_why(self, said):
        return any(reason.lower() in said.lower() for reason in self.reasons())

    def leaves_nothing(self):
        if self.fault and self.fault.call in calls.LEAVING:
            return
        for path in self.scenario.left_behind():
            if os.path.exists(path):
                self.complain(f"{path} is left behind")
