#!/usr/bin/env python3
"""Clients come without pause while adoptd is reloaded, restarted, handed over and killed,
under a real systemd: nobody may be refused or reset.

As a program it runs the whole of it, and prints what happened:

    ADOPTD=build/adoptd TOP_BUILDDIR=build tests/integration/churn.py [RELOADS RESTARTS HAND-OVERS KILLS]

Excused is only who was connected when adoptd was killed.
"""
import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import socket
import struct
import sys
import time

import harness
import lab

PROCESSES = 4
LONG_LIVED = 8
ECHO, PROXY, BACK = 7100, 7101, 7102
SERVICE = "churn.service"

CONFIG = """workers = 2
drain-timeout = 60s
# %d
port "echo" { max-connections = %d  echo {} }
port "proxy" { proxy { upstream = {"127.0.0.1:%d"}  session-timeout = %ds } }
"""

SOCKET = """[Socket]
ListenStream=127.0.0.1:%d
FileDescriptorName=%s
Backlog=4096
TriggerLimitIntervalSec=0
Service=churn.service
"""

UNIT = """[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart=%s -c /etc/churn.conf
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=0
TimeoutStopSec=70
LimitNOFILE=65536
"""


BACK_UNIT = """[Service]
Type=notify
ExecStart=%s -e 'port "back" { listen = {"127.0.0.1:%d"} echo {} }'
"""


class Client:
    """One process's clients: what each asked, and what went wrong."""

    def __init__(self, number, over, reports):
        self.number, self.over, self.reports = number, over, reports
        self.random = random.Random(number)
        self.served, self.failed = 0, []

    def source(self):
        """So many that ports do not run out in TIME_WAIT."""
        return f"127.{self.random.randint(1, 250)}.{self.random.randint(0, 250)}.1"

    def once(self, port):
        data = b"%d %d " % (self.number, self.served) * self.random.choice((1, 10, 5000))
        begun, connected = time.monotonic(), None
        try:
            with harness.connect(("127.0.0.1", port), source=self.source()) as sock:
                # Not by the clock now: adoptd may have been killed before we ran again.
                connected = begun
                # An echo stops reading while nobody takes what it has sent.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                back = harness.read_all(sock)
            if back != data:
                raise ConnectionError(f"{len(back)} of {len(data)} bytes came back")
            self.served += 1
        except OSError as error:
            self.failed.append((connected, time.monotonic(), f"port {port}: {error!r}"))

    def run(self):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for port in itertools.cycle((ECHO, PROXY)):
            if self.over.is_set():
                break
            self.once(port)
        self.reports.put((self.served, self.failed))


class LongLived:
    """Connections that stay, and are asked now and then."""

    def __init__(self, count):
        self.socks = [harness.connect(("127.0.0.1", (ECHO, PROXY)[i % 2])) for i in range(count)]
        self.asked = 0

    def ask(self):
        """Every byte comes back, on each of them."""
        self.asked += 1
        for i, sock in enumerate(self.socks):
            word = struct.pack("!II", i, self.asked) * 100
            sock.sendall(word)
            back = b""
            while len(back) < len(word):
                chunk = sock.recv(len(word) - len(back))
                if not chunk:
                    raise AssertionError(f"long-lived connection {i} has ended")
                back += chunk
            if back != word:
                raise AssertionError(f"long-lived connection {i}: other bytes come back")

    def close(self):
        for sock in self.socks:
            sock.close()


class Churn:
    """What happens to adoptd in a lab, and when. A context manager."""

    def __init__(self, the_lab):
        self.lab = the_lab
        self.kills = []
        self.reloads = 0

    def __enter__(self):
        self.configure()
        for port, name in ((ECHO, "echo"), (PROXY, "proxy")):
            self.lab.write(f"/etc/systemd/system/churn-{name}.socket", SOCKET % (port, name))
        # Of another adoptd: one that drains has no new clients, its own included.
        self.lab.add_unit("churn-back.service", BACK_UNIT % (self.lab.program, BACK))
        self.lab.add_unit(SERVICE, UNIT % self.lab.program)
        self.lab.run("systemctl", "start", "churn-back.service", "churn-echo.socket", "churn-proxy.socket")
        self.wait_served()
        return self

    def __exit__(self, *_):
        self.lab.run("systemctl", "stop", "churn-echo.socket", "churn-proxy.socket", SERVICE,
                     "churn-back.service")

    def configure(self):
        """Each time another one, so that no block stays as it is."""
        self.reloads += 1
        self.lab.write("/etc/churn.conf", CONFIG % (self.reloads, 2000 + self.reloads, BACK,
                                                    60 + self.reloads))

    def wait_served(self):
        harness.wait_for("churn", lambda: harness.echo_stream(("127.0.0.1", PROXY)) == b"hello\n")

    def main_pid(self):
        return int(self.lab.show(SERVICE, "MainPID")[0])

    def reload(self):
        self.configure()
        self.lab.run("systemctl", "reload", SERVICE)

    def restart(self):
        self.lab.run("systemctl", "restart", SERVICE)

    def hand_over(self):
        before = self.main_pid()
        self.lab.run("systemctl", "kill", "--kill-who=main", "-s", "USR2", SERVICE)
        harness.wait_for("the new one", lambda: self.main_pid() not in (0, before))

    def kill(self):
        before, begun = self.main_pid(), time.monotonic()
        # The others of the unit end with it.
        self.lab.run("systemctl", "kill", "--kill-who=main", "-s", "KILL", SERVICE)
        harness.wait_for("its end", lambda: self.main_pid() != before)
        self.kills.append((begun, time.monotonic()))
        self.wait_served()

    def excused(self, failure):
        connected, failed, _ = failure
        return any(connected is not None and connected <= end and failed >= begin
                   for begin, end in self.kills)


@contextlib.contextmanager
def clients(reports):
    """Clients in processes of their own, while it lasts."""
    over, queue = multiprocessing.Event(), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=Client(i, over, queue).run)
                 for i in range(PROCESSES)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        over.set()
        for _ in processes:
            reports.append(queue.get(timeout=3 * harness.BOUND))
        for process in processes:
            process.join()


def run(the_lab, reloads, restarts, hand_overs, kills):
    """Returns (how many were served, what failed, what failed and is excused)."""
    reports = []
    with Churn(the_lab) as churn:
        with clients(reports):
            long_lived = LongLived(LONG_LIVED)
            for i in range(max(reloads, hand_overs)):
                if i < reloads:
                    churn.reload()
                if i < hand_overs:
                    churn.hand_over()
                long_lived.ask()
            long_lived.close()
            for _ in range(restarts):
                churn.restart()
            for _ in range(kills):
                churn.kill()
    failed = [failure for _, failures in reports for failure in failures]
    return (sum(served for served, _ in reports),
            [text for failure in failed if not churn.excused(failure) for text in failure[2:]],
            [text for failure in failed if churn.excused(failure) for text in failure[2:]])


def main():
    counts = [int(word) for word in sys.argv[1:]] or [100, 20, 10, 5]
    begun = time.monotonic()
    with lab.Lab() as the_lab, the_lab.network():
        served, failed, excused = run(the_lab, *counts)
    print("%d reloads, %d restarts, %d hand-overs, %d kills in %.0f s"
          % (*counts, time.monotonic() - begun))
    print(f"{served} served, {len(failed)} failed, {len(excused)} cut off by a kill")
    for text in failed[:20]:
        print("failed:", text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
