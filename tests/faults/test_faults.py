"""Every system call that adoptd makes fails, each with each error: a few of each; see README."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import followed  # noqa: E402
import harness  # noqa: E402
import scenarios  # noqa: E402
import sweep  # noqa: E402
from inject import Fault  # noqa: E402
from tracing import Follow  # noqa: E402


def may_trace():
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                              capture_output=True).returncode == 0
    except OSError:
        return False


def first_one(_call, _error, numbers):
    """Of each error of each call the first."""
    return numbers[:1]


class Some:
    """Of each error of each call one at the beginning, one in between; in one scenario."""

    def __init__(self):
        self.seen = set()

    def __call__(self, call, error, first, last):
        if (call, error) in self.seen:
            return ()
        self.seen.add((call, error))
        return sorted({first, (first + last + 1) // 2})


@unittest.skipUnless(may_trace(), "no strace here, or it may not trace")
class Faults(unittest.TestCase):
    def test_every_call(self):
        self.inject(scenarios.ALL, sweep.plan, Some())

    def test_before_programs_and_hand_overs(self):
        self.inject(followed.FOLLOWED, sweep.followed_plan, first_one)

    @harness.need_root
    def test_systemd_cannot_be_asked(self):
        """What is told is why systemd itself is out of reach, not the bus that is tried next."""
        with tempfile.TemporaryDirectory(prefix="adoptd.") as directory, \
                followed.StartUnit(directory) as scenario:
            scenario.start()
            harness.wait_for("a client that is served", scenario.visit)
            # The first socket is the upstream's, which nobody serves now.
            tool = Follow(scenario, Fault("socket", "EMFILE", 2))
            with tool.attached(scenario.traced()):
                scenario.visit()
            self.assertTrue(tool.fired())
            self.assertIn("back.service cannot be started: Too many open files",
                          scenario.process.output())

    def inject(self, kinds, make_plan, choose):
        planned = injected = 0
        with sweep.processes() as pool:
            for kind in kinds:
                plan = make_plan(kind, choose)
                with self.subTest(scenario=kind.__name__):
                    self.assertEqual(plan.complaints, [], plan.said)
                    self.assertEqual(plan.unknown, [], "no row in calls.py")
                planned += len(plan.faults)
                for fault, done in sweep.trials(pool, plan, plan.faults):
                    injected += done.fired
                    with self.subTest(scenario=kind.__name__, **fault._asdict()):
                        self.assertEqual(done.complaints, [], done.said)
        self.assertGreater(injected, planned / 2)


if __name__ == "__main__":
    harness.main()
