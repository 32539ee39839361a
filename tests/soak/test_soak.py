"""The soak for some seconds: all are served, and nothing grows or is left over."""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import harness  # noqa: E402
import places  # noqa: E402

SIZE = places.Size(idle=3000, drip=300, resets=300, slow=300)
SECONDS = 6


@harness.need_proc
class Soak(harness.Case):
    def soak(self, place):
        try:
            result = place(SIZE, SECONDS)
        except places.Unavailable as why:
            self.skipTest(str(why))
        self.assertEqual(result.faults, [], "\n".join([str(result), *result.details()]))
        self.assertTrue(all(load.served for load in result.parts), "\n".join(result.details()))

    def test_crowd(self):
        self.soak(places.crowd)

    def test_bad_wire(self):
        self.soak(places.bad_wire)


if __name__ == "__main__":
    harness.main()
