"""Which faults there are to inject into a scenario, and the trials of them."""
import collections
import concurrent.futures
import os
import tempfile

import calls
import harness
from follow import Followed
from inject import Fault, Trial
from memory import Memory
from tracing import Follow, Trace

# A sanitizer makes calls of its own, which are not adoptd's to survive.
SANITIZERS_CALLS = ("clone", "mmap", "mprotect", "open", "openat", "prlimit64", "read",
                    "readlink", "sched_getaffinity", "sigaltstack")

Plan = collections.namedtuple("Plan", "tool scenario faults unknown descriptors complaints said")
Done = collections.namedtuple("Done", "fired complaints said")


def spared():
    return {*calls.SPARED, *(SANITIZERS_CALLS if harness.sanitized() else ())}


def plan(kind, choose):
    """A run without a fault, to see what there is to fail.

    choose(call, error, first, last): the numbers of the calls that are to fail so.
    """
    with tempfile.TemporaryDirectory(prefix="adoptd.") as directory, kind(directory) as scenario:
        trial = Trial(Trace, scenario, None).run()
        counts = trial.tool.counts()
    wanted = {call: numbers for call, numbers in counts.items() if call not in spared()}
    faults = [Fault(call, error, nth) for call, (first, last) in wanted.items()
              for error in calls.FAULTS.get(call, ()) for nth in choose(call, error, first, last)]
    unknown = [call for call in wanted if call not in calls.FAULTS]
    return Plan(Trace, kind, faults, unknown, trial.descriptors, trial.complaints, trial.said)


def memory_plan(kind, step):
    """The same for allocations, of which every `step`th is to fail."""
    with tempfile.TemporaryDirectory(prefix="adoptd.") as directory, kind(directory) as scenario:
        trial = Trial(Memory, scenario, None).run()
        count = trial.tool.activity()
    faults = [Fault("malloc", "ENOMEM", nth) for nth in range(1, count + 1, step)]
    return Plan(Memory, kind, faults, [], trial.descriptors, trial.complaints, trial.said)


def followed_plan(kind, choose):
    """The same for the calls of what adoptd starts.

    choose(call, error, numbers): those of the calls that are to fail so.
    """
    with tempfile.TemporaryDirectory(prefix="adoptd.") as directory, kind(directory) as scenario:
        trial = Followed(Follow, scenario, None).run()
        numbers = trial.tool.numbers()
    wanted = {call: sorted(those) for call, those in numbers.items()
              if call not in spared() and call not in kind.elsewhere}
    not_here = {*calls.FATAL, *kind.elsewhere}
    faults = [Fault(call, error, nth) for call, those in wanted.items()
              for error in calls.FAULTS.get(call, ()) if (call, error) not in not_here
              for nth in choose(call, error, those)]
    unknown = [call for call in wanted if call not in calls.FAULTS]
    return Plan(Follow, kind, faults, unknown, None, trial.complaints, trial.said)


def one(tool, kind, fault, descriptors):
    with tempfile.TemporaryDirectory(prefix="adoptd.") as directory, kind(directory) as scenario:
        make = Followed if tool is Follow else Trial
        trial = make(tool, scenario, fault, descriptors).run()
    return Done(trial.fired, trial.complaints, trial.said)


def trials(pool, made, faults):
    """Yields each of the faults of a plan with what came of it, in any order."""
    futures = {pool.submit(one, made.tool, made.scenario, fault, made.descriptors): fault
               for fault in faults}
    for future in concurrent.futures.as_completed(futures):
        yield futures[future], future.result()


def processes():
    """Trials at a time: more than processors, as they wait more than they do."""
    return concurrent.futures.ProcessPoolExecutor(2 * os.cpu_count())
