"""Allocations fail: some of the start and the end, and all of those that serve a client."""
import os
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import harness  # noqa: E402
import memory  # noqa: E402
import scenarios  # noqa: E402
import sweep  # noqa: E402

# Of the allocations of a scenario each so many-th; prime, so that others come first.
STEP = 61


@unittest.skipUnless(memory.possible(), "no memory.so: not on Linux, or a sanitizer of clang's")
class Memory(unittest.TestCase):
    def test_each_so_many_th(self):
        with sweep.processes() as pool:
            for kind in scenarios.ALL:
                plan = sweep.memory_plan(kind, STEP)
                with self.subTest(scenario=kind.__name__):
                    self.assertEqual(plan.complaints, [], plan.said)
                self.assertGreater(len(plan.faults), 5)
                for fault, done in sweep.trials(pool, plan, plan.faults):
                    with self.subTest(scenario=kind.__name__, **fault._asdict()):
                        self.assertEqual(done.complaints, [], done.said)

    def test_every_one_of_a_client(self):
        for kind in scenarios.ALL:
            with self.subTest(scenario=kind.__name__), \
                    tempfile.TemporaryDirectory(prefix="adoptd.") as directory, \
                    kind(directory) as scenario:
                self.serve(scenario)

    def serve(self, scenario):
        """One adoptd, whose clients meet the faults one after the other."""
        tool = memory.Memory(scenario, None)
        scenario.start(tool.words)
        self.assertTrue(scenario.visit())
        opened = scenario.opened()
        for nth in range(1, 1000):
            tool.fail_next(nth)
            scenario.visit()
            self.assertTrue(scenario.lives(), scenario.process.output())
            if not tool.fired():
                break
        else:
            self.fail("a client takes more allocations than are tried")
        tool.fail_next(0)
        self.assertGreater(nth, 1)
        self.assertTrue(harness.wait_for("the next client", scenario.visit))
        most = opened + scenario.kept * (nth + 1)
        harness.wait_for("descriptors: a leak", lambda: scenario.opened() <= most)
        self.assertEqual(scenario.process.stop(), 0, scenario.process.output())


if __name__ == "__main__":
    harness.main()
