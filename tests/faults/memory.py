"""memory.c makes an allocation of adoptd fail, and counts them."""
import mmap
import os
import struct

import harness

# AddressSanitizer comes after memory.c, which asks it for memory.
SANITIZED = "ASAN_OPTIONS=verify_asan_link_order=0"
LIBRARY = os.path.join(harness.TOP_BUILDDIR, "tests", "faults", "memory.so")
MADE, FAILING = 0, 8


def possible():
    """It is built, and comes before what else allocates; clang's sanitizer is in the program,
    which has the name of gcc's, but not with the version of one that it is linked with."""
    if not os.path.exists(LIBRARY):
        return False
    with open(harness.ADOPTD, "rb") as file:
        return not harness.sanitized() or b"libasan.so." in file.read()


class Memory:
    """fault: None to count, until fail_next()."""

    def __init__(self, scenario, fault):
        path = scenario.path("memory")
        with open(path, "w+b") as file:
            file.write(bytes(16))
            file.flush()
            self.ledger = mmap.mmap(file.fileno(), 16)
        if fault:
            self.write(FAILING, fault.nth)
        self.words = ["env", f"LD_PRELOAD={LIBRARY}", f"FAIL_MEMORY={path}", SANITIZED]

    def read(self, where):
        return struct.unpack_from("Q", self.ledger, where)[0]

    def write(self, where, number):
        struct.pack_into("Q", self.ledger, where, number)

    def activity(self):
        return self.read(MADE)

    def fail_next(self, nth):
        """The nth one from now."""
        self.write(FAILING, self.read(MADE) + nth)

    def fired(self):
        return 0 < self.read(FAILING) <= self.read(MADE)
