"""The benchmark itself: a little of each scenario, and faults that it must see.

No time is judged, only bytes and failures.
"""
import contextlib
import json
import os
import socket
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))

import harness  # noqa: E402 (the path comes first)
import machine  # noqa: E402
from measure import Load, Runner, in_turns  # noqa: E402
from place import System  # noqa: E402
from report import Table  # noqa: E402

CPUS = sorted(os.sched_getaffinity(0))
RUN = [sys.executable, "-B", os.path.join(HERE, "run"), "--rounds=1", "--seconds=0.1",
       "--systems=limit,adoptd", "--connections=50"]


@harness.need("taskset", "ss")
class Scenarios(harness.Case):
    def run_some(self, *arguments):
        path = self.path("figures.json")
        with harness.Process([*RUN, *arguments, "--json", path]) as process:
            self.assertEqual(process.wait(10 * harness.BOUND), 0, process.output())
        with open(path, encoding="utf-8") as file:
            return json.load(file)["scenarios"]

    def check(self, table):
        rows = {row["name"].split(",")[0]: row for row in table["systems"]}
        for kind in {"limit", "adoptd"} - set(rows):
            self.assertIn(table["left out"][kind], ("it cannot do that yet", "it has no workers"))
        for row in rows.values():
            self.assertEqual(row.get("wrong", 0), 0, table)
            if table["scenario"] != "udp-burst":
                self.assertEqual(row.get("failed", 0), 0, table)
            # Of what so short a time is too short for, it is enough that it ends later.
            done = sum(each.get("all", 0) for each in row.get("rounds", ()))
            self.assertGreater(done or row.get("connections") or row.get("ms"), 0)

    def test_each(self):
        tables = self.run_some()
        self.assertGreater(len(tables), 10)
        for table in tables:
            with self.subTest(table["scenario"]):
                self.check(table)

    def test_two_workers(self):
        table, = self.run_some("--workers=2", "proxy-short")
        self.check(table)


def flipped(data, first):
    return data[:-1] + bytes([data[-1] ^ 1]) if first else data


def shortened(data, first):
    return data[:-1] if first else data


def repeated(data, first):
    return data + data[-1:] if first else data


def nothing(_data, _first):
    return b""


def nothing_more(data, first):
    return data if first else b""


def late(data, _first):
    time.sleep(0.03)
    return data


class Faulty:
    """An echo server on a socket that was opened for it, with a fault in the first of what
    each connection, or each tenth packet, brings. A context manager."""

    def __init__(self, fault, kind=socket.SOCK_STREAM):
        self.fault = fault
        self.sock = harness.listener(kind=kind)
        self.port = self.sock.getsockname()[1]
        serve = self.accept if kind == socket.SOCK_STREAM else self.serve_packets
        threading.Thread(target=serve, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.sock.accept()[0]
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), client:
            first = True
            while data := client.recv(65536):
                client.sendall(self.fault(data, first))
                first = False

    def serve_packets(self):
        number = 0
        with contextlib.suppress(OSError):
            while True:
                data, peer = self.sock.recvfrom(65536)
                answer = self.fault(data, number % 10 == 0)
                number += 1
                if answer:
                    self.sock.sendto(answer, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


@harness.need("taskset", "ss")
class Faults(harness.Case):
    def count(self, fault, mode, *arguments, kind=socket.SOCK_STREAM, seconds=0.1):
        with Faulty(fault, kind) as server:
            with Load(CPUS, server.port, mode, 2, arguments, seconds=seconds) as load:
                return load.run()

    def test_flipped(self):
        self.assertGreater(self.count(flipped, "short")["wrong"], 0)
        self.assertEqual(self.count(flipped, "bulk")["wrong"], 2)
        self.assertGreater(self.count(flipped, "udp", kind=socket.SOCK_DGRAM)["wrong"], 0)

    def test_missing(self):
        self.assertGreater(self.count(shortened, "short", "-h")["failed"], 0)
        self.assertEqual(self.count(shortened, "bulk")["wrong"], 2)
        self.assertEqual(self.count(nothing_more, "pingpong", "-1")["failed"], 2)
        self.assertGreater(self.count(nothing, "udp", kind=socket.SOCK_DGRAM)["failed"], 0)

    def test_repeated(self):
        self.assertGreater(self.count(repeated, "short", "-h")["wrong"], 0)
        self.assertEqual(self.count(repeated, "bulk")["wrong"], 2)

    def test_late(self):
        counted = self.count(late, "pingpong", "-1", seconds=harness.BOUND)
        self.assertGreater(counted["p50"], 29000)
        self.assertGreaterEqual(counted["p99"], counted["p50"])
        self.assertGreaterEqual(counted["p99.9"], counted["p99"])

    def test_none(self):
        for mode, kind in (("short", socket.SOCK_STREAM), ("pingpong", socket.SOCK_STREAM),
                           ("bulk", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
            with self.subTest(mode):
                counted = self.count(lambda data, _: data, mode, kind=kind)
                self.assertEqual((counted["failed"], counted["wrong"]), (0, 0))
                self.assertGreater(counted["all"], 0)


# A child that its parent never waits for burns 50 ms.
BURNER = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 0.05:
        pass
    os._exit(0)
signal.pause()
"""


class Accounts(harness.Case):
    def test_children_are_counted(self):
        account = self.use(machine.Account())
        if not account.group.path:
            self.skipTest("no control groups for us here")
        argv = account.entering([sys.executable, "-c", BURNER])
        pid = self.use(harness.Process(argv)).pid
        harness.wait_for("the child's time", lambda: account.cpu_seconds([pid]) >= 0.05)


class Figures(unittest.TestCase):
    """Medians, spreads and shares of rounds."""

    def runner(self, *rates):
        runner = Runner(System("peer", None))
        runner.rounds = [{"rate": rate} for rate in rates]
        return runner

    def test_rounds(self):
        runner = self.runner(80, 120, 90)
        self.assertEqual(runner.median("rate"), 90)
        self.assertAlmostEqual(runner.spread("rate"), 40 / 90)

    def test_shares_are_those_of_a_round(self):
        slow, fast = self.runner(10, 40, 90), self.runner(20, 80, 100)
        self.assertEqual(slow.share(fast, "rate"), 0.5)
        self.assertEqual(slow.share(self.runner(0, 0, 100), "rate"), 0.9)

    def test_turns(self):
        runners = [self.runner(), self.runner(), self.runner()]
        order = []
        in_turns(runners, 2, lambda runner: order.append(runners.index(runner)))
        self.assertEqual(order, [0, 1, 2, 2, 1, 0])

    def test_table(self):
        table = Table("s", "what", 1, [("rate", "op/s", "number"), ("share", "share", "share")])
        table.add(System("adoptd", None), rate=123.4, share=0.5)
        table.left_out["other"] = table.left_out["third"] = "it is not installed"
        self.assertIn("adoptd   123   0.50\n", table.text())
        self.assertIn("as it is not installed: other; third.", table.text())
        table.add(System("peer", None), failed=1)
        self.assertEqual(table.own_failures(), [])
        table.add(System("limit, other", None), failed=1)
        self.assertEqual(table.own_failures(), ["limit, other"])


harness.main()
