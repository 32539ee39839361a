"""A launchd for tests on other systems than Apple's.

It reads a property list, makes its sockets, starts the job when somebody comes to one of
them, and answers launch_activate_socket() of tests/shim/launch_simulator.c. Written from
launchd.plist(5) and launch(3); what is not in there is a parameter, so that a test can have
it either way. Of the keys it leaves UserName and StandardErrorPath alone: the job runs as
whoever runs the tests, and says what it has to say to its Process.
"""
import contextlib
import errno
import os
import plistlib
import re
import select
import signal
import socket
import threading
import time

import harness
from harness import BOUND, TOP_BUILDDIR, TOP_SRCDIR

# adoptd with the shim in it: where a property list looks for adoptd, in this directory.
SBINDIR = os.path.join(TOP_BUILDDIR, "tests", "shim")

KINDS = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM,
         "seqpacket": socket.SOCK_SEQPACKET}
FAMILIES = {None: socket.AF_UNSPEC, "IPv4": socket.AF_INET, "IPv6": socket.AF_INET6,
            "IPv4v6": socket.AF_INET6}


def shipped(name, sysconfdir):
    """The property list that is installed as name, with adoptd from SBINDIR."""
    with open(os.path.join(TOP_SRCDIR, "launchd", name + ".in"), encoding="utf-8") as file:
        text = file.read()
    places = {"sbindir": SBINDIR, "sysconfdir": sysconfdir, "launchddir": "/Library/LaunchDaemons"}
    return plistlib.loads(re.sub(r"@(\w+)@", lambda match: places[match[1]], text).encode())


def as_list(value):
    return value if isinstance(value, list) else [value]


def make_path_socket(entry, kind):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(entry["SockPathName"])
    # The number is decimal in a property list, as in any other.
    os.chmod(entry["SockPathName"], entry.get("SockPathMode", 0o666))
    return sock


def make_inet_socket(entry, kind, family, address):
    sock = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, entry.get("SockFamily") != "IPv4v6")
    sock.bind(address)
    return sock


def make_sockets(entry):
    """The sockets of one dictionary of Sockets: one for each address of its name."""
    kind = KINDS[entry.get("SockType", "stream")]
    if "SockPathName" in entry:
        socks = [make_path_socket(entry, kind)]
    else:
        infos = socket.getaddrinfo(entry.get("SockNodeName"), entry["SockServiceName"],
                                   FAMILIES[entry.get("SockFamily")], kind, flags=socket.AI_PASSIVE)
        socks = [make_inet_socket(entry, kind, info[0], info[4]) for info in infos]
    for sock in socks:
        if kind != socket.SOCK_DGRAM:
            sock.listen(128)
    return socks


class Launchd:
    """Has one job, from its bootstrap to its bootout. A context manager.

    plist: what plistlib has read; ThrottleInterval is 0 if it is not there, which is launchd's
    10 s for those who can wait. directory: for the simulator's own socket.
    unknown: the error for a name that is not in the plist. before: names that the job has
    activated before adoptd asks. cloexec, nonblocking: what the descriptors are on their first
    way to adoptd. After that O_NONBLOCK is what adoptd made of it, as it is with launchd.
    """

    def __init__(self, plist, directory, unknown=errno.ENOENT, before=(), cloexec=False,
                 nonblocking=False):
        self.plist, self.unknown, self.before = plist, unknown, before
        self.sockets = {name: [sock for entry in as_list(entries) for sock in make_sockets(entry)]
                        for name, entries in plist["Sockets"].items()}
        for sock in self.all_sockets():
            os.set_blocking(sock.fileno(), not nonblocking)
        self.environment = dict(os.environ, XPC_SERVICE_NAME=plist["Label"],
                                LAUNCHD_SIMULATOR=os.path.join(directory, "launchd"))
        if cloexec:
            self.environment["LAUNCHD_CLOEXEC"] = "1"
        self.listener = harness.listener(socket.AF_UNIX, socket.SOCK_SEQPACKET,
                                         self.environment["LAUNCHD_SIMULATOR"])
        self.jobs = []          # Processes, one a launch, the last one perhaps running
        self.activated = set()  # names, by the last job
        self.asked = []         # names, by all jobs
        self.earliest = 0       # when the next job may start
        self.wake, self.woken = os.pipe()
        self.thread = threading.Thread(target=self.run)

    def all_sockets(self):
        return [sock for socks in self.sockets.values() for sock in socks]

    def addresses(self, name):
        return [sock.getsockname()[:2] if sock.family != socket.AF_UNIX else sock.getsockname()
                for sock in self.sockets[name]]

    def address(self, name):
        address, = self.addresses(name)
        return address

    def job(self, number=1):
        """Waits for the job's so manieth launch, and returns its Process."""
        harness.wait_for(f"launch {number} of the job", lambda: len(self.jobs) >= number)
        return self.jobs[number - 1]

    def run(self):
        while True:
            running = self.jobs and self.jobs[-1].running()
            wait = max(self.earliest - time.monotonic(), 0)
            watched = [self.wake, self.listener]
            # While it runs they are the job's to look at, and until it may run nobody's.
            if not running and not wait:
                watched += self.all_sockets()
            readable, _, _ = select.select(watched, [], [], 0.02 if running or wait else BOUND)
            if self.wake in readable:
                return
            if self.listener in readable:
                self.answer()
            elif readable:
                self.launch()

    def launch(self):
        self.activated = set(self.before)
        self.earliest = time.monotonic() + self.plist.get("ThrottleInterval", 0)
        self.jobs.append(harness.Process(self.plist["ProgramArguments"], env=self.environment))

    def answer(self):
        """One question: a name. The answer: an error's number, and descriptors."""
        client, _ = self.listener.accept()
        with client:
            name = client.recv(1024).decode()
            self.asked.append(name)
            if name not in self.sockets:
                error, fds = self.unknown, []
            elif name in self.activated:
                error, fds = errno.EALREADY, []
            else:
                error, fds = 0, [sock.fileno() for sock in self.sockets[name]]
                self.activated.add(name)
            # Without descriptors there is no such message to be.
            if fds:
                socket.send_fds(client, [str(error).encode()], fds)
            else:
                client.send(str(error).encode())

    def kill(self, how=signal.SIGTERM):
        """`launchctl kill`: the job stays known."""
        self.jobs[-1].popen.send_signal(how)

    def bootout(self):
        """Ends the job as launchd does, and closes the sockets. Returns the job's exit code."""
        if self.thread.is_alive():
            os.write(self.woken, b"x")
            self.thread.join()
        code = None
        if self.jobs:
            # An exit that is late is SIGKILL's.
            self.jobs[-1].popen.terminate()
            with contextlib.suppress(AssertionError):
                self.jobs[-1].wait(self.plist.get("ExitTimeOut", BOUND))
            if self.jobs[-1].running():
                self.jobs[-1].popen.kill()
            code = self.jobs[-1].wait()
        for sock in [*self.all_sockets(), self.listener]:
            sock.close()
        return code

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *how):
        self.bootout()
        for job in self.jobs:
            job.__exit__(*how)
        os.close(self.wake)
        os.close(self.woken)
