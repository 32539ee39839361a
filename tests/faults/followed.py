"""Scenarios whose faults are in the processes that adoptd starts: see follow.py."""
import contextlib
import ctypes
import os
import re
import resource
import signal

import backends
import harness
import manager
from harness import children, listener
from scenarios import PATIENCE, Hangs, Reload, Scenario

PR_SET_CHILD_SUBREAPER = 36
# Where a process has to close each descriptor that there may be, strace looks at each. Nor may
# all of a user's processes together have more on their way than that (unix(7), ETOOMANYREFS):
# other tests send some hundreds.
FEW = {resource.RLIMIT_NOFILE: 1024}


class Programs(Reload):
    """All that becomes of a process before its program; a reload tries that out."""
    limits, children_only = FEW, True
    config = '''port "p" { max-connections = %(number)d
           exec { command = {"/bin/cat"} directory = "/" %(user)s } }'''

    def prepare(self):
        super().prepare()
        self.user = 'user = "nobody"' if os.geteuid() == 0 else ""

    def visit(self):
        served = super().visit()
        harness.wait_for("the programs' end", lambda: not children(self.process.pid), PATIENCE)
        return served


class HandOver(Scenario):
    """A new adoptd for each client, which a starter has started; who is connected stays so."""
    config = 'port "p" { echo {} }'
    limits = FEW
    # They serve clients, write the log that tells how it went, or are the loader's as well,
    # which may end without a word. A datagram is refused, or its reader is gone, but never who
    # is there still.
    elsewhere = ("accept4", "epoll_wait", "mmap", "mprotect", "recvfrom", "sendto", "shutdown",
                 "write", ("recvmsg", "ECONNREFUSED"), ("sendmsg", "EPIPE"))
    OUTCOMES = re.compile(r"process (\d+) has taken over|handing over failed|not handing over")

    def start(self, before=()):
        # Whoever takes over is nobody's child; so it is ours.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.strangers = set(children(os.getpid()))
        super().start(before)

    def visit(self):
        # The fault may be the first one's own, here and below.
        with harness.wait_for("a client", lambda: harness.connect(self.address)) as held:
            held.settimeout(PATIENCE)
            before = self.is_held(held)
            taken = self.hand_over()
            self.dropped += before and not self.is_held(held)
        if not self.exchange(self.address) and not self.exchange(self.address):
            raise AssertionError("nobody serves after the hand-over")
        return taken

    @staticmethod
    def is_held(held):
        try:
            held.sendall(b"x")
            return held.recv(1) == b"x"
        except TimeoutError:
            raise Hangs("who is connected") from None
        except OSError:
            return False

    def hand_over(self):
        said = len(self.process.output())
        os.kill(self.process.pid, signal.SIGUSR2)
        outcome = harness.wait_for("the hand-over's outcome", lambda: self.OUTCOMES.search(
            self.process.output()[said:]))
        if not outcome[1]:
            return False
        self.process.pid = int(outcome[1])
        os.close(self.watch)
        self.watch = os.pidfd_open(self.process.pid)
        return True

    def gives_up(self):
        return ("is missing; restart" in self.process.output() and
                self.exchange(self.address))

    def relatives(self):
        """Those that have been given up, and the starter."""
        self.reap()
        return len(self.adopted() - {self.process.pid}) + super().relatives()

    def reap(self):
        self.process.popen.poll()
        for pid in self.adopted() - {self.process.pid}:
            os.waitpid(pid, os.WNOHANG)

    def adopted(self):
        return set(children(os.getpid())) - self.strangers - {self.process.popen.pid}

    def stop(self, bound):
        pid = self.process.pid
        if pid == self.process.popen.pid:
            return super().stop(bound)
        os.kill(pid, signal.SIGTERM)
        _, status = harness.wait_for("its end", lambda: (done := os.waitpid(pid, os.WNOHANG))[0]
                                     and done, bound)
        return os.waitstatus_to_exitcode(status)

    def finish(self):
        if self.process is not None:
            ours = self.adopted()
            super().finish()
            for pid in ours:
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


class Copies(HandOver):
    """Without a sandbox, adoptd starts the new one itself."""
    config = 'sandbox = no ' + HandOver.config


class StartUnit(Scenario):
    """systemd is asked for the upstream by each client, and is the test: see manager.py."""
    config = '''port "p" { proxy { upstream = {"127.0.0.1:%(port)d"} connect-timeout = 1s
        start-unit = "back.service" } }'''
    # It is not asked again at once where it could not be asked.
    settle_seconds = 15
    elsewhere = ("accept4", "epoll_wait", "recvfrom", "sendto", "shutdown", "write",
                 ("sendmsg", "EPIPE"))

    def prepare(self):
        self.port, self.backend = harness.free_port(), None
        self.manager = self.end.enter_context(manager.Manager(self.path("run"), self.start_backend))

    def start(self, before=()):
        super().start([*self.manager.words, *before])

    def start_backend(self):
        self.backend = backends.Backend(backends.echo,
                                        listener(address=("127.0.0.1", self.port)))
        self.backend.__enter__()

    def visit(self):
        self.stop_backend()
        return self.exchange(self.address)

    def stop_backend(self):
        if self.backend is not None:
            self.backend.__exit__(None, None, None)
            self.backend = None

    def finish(self):
        super().finish()
        self.stop_backend()


FOLLOWED = (Programs, HandOver, Copies)
# The same, but each fault takes seconds.
SLOW = (StartUnit,) if os.geteuid() == 0 else ()
