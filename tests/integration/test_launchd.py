"""The whole adoptd, with launchd.c in it, under a launchd of the tests' own: launchd.py."""
import errno
import os
import shutil
import socket
import unittest

import harness
import launchd
from harness import TOP_SRCDIR, connect, echo_datagram, echo_stream, listener, wait_for

STREAM = {"SockType": "stream", "SockFamily": "IPv4", "SockNodeName": "127.0.0.1",
          "SockServiceName": 0}
DATAGRAM = dict(STREAM, SockType="dgram")
ECHO = 'port "listeners" { echo {} }'


def plist(config, sockets, **keys):
    return {"Label": "org.adoptd.test", "Sockets": sockets, **keys,
            "ProgramArguments": [os.path.join(launchd.SBINDIR, "adoptd"), "-e", config]}


def at_port_zero(value):
    """A property list whose sockets get ports that nobody has, and that need no privilege."""
    for entries in value["Sockets"].values():
        for entry in entries:
            entry["SockServiceName"] = 0
    return value


def descriptors(process):
    """What a process has open: how many files, sockets, pipes and others."""
    directory = f"/proc/{process.pid}/fd"
    links = [os.readlink(os.path.join(directory, fd)) for fd in os.listdir(directory)]
    return sorted(link.split(":")[0] if ":" in link else "file" for link in links)


@unittest.skipUnless(os.access(os.path.join(launchd.SBINDIR, "adoptd"), os.X_OK),
                     "no adoptd with the shim was built")
class Launchd(harness.Case):
    def launchd(self, config, sockets, keys=(), **how):
        return self.use(launchd.Launchd(plist(config, sockets, **dict(keys)), self.directory, **how))

    def fails(self, code, text, *arguments, **how):
        """The job ends at once, and says why. It would be started again."""
        with launchd.Launchd(plist(*arguments, ThrottleInterval=1000), self.directory, **how) as run:
            address = run.addresses("listeners")[0] if run.sockets["listeners"] else run.address("other")
            with connect(address):
                job = run.job()
                self.assertEqual(job.wait(), code, job.output())
                self.assertIn(text, job.output())


class Shipped(Launchd):
    def shipped(self, name, config):
        os.mkdir(self.path("adoptd"))
        if config is None:
            shutil.copy(os.path.join(TOP_SRCDIR, "units", f"{name}.conf"), self.path("adoptd"))
        else:
            with open(self.path(f"adoptd/{name}.conf"), "w", encoding="utf-8") as file:
                file.write(config)
        value = at_port_zero(launchd.shipped(f"org.adoptd.{name}.plist", self.directory))
        return self.use(launchd.Launchd(value, self.directory))

    def test_small(self):
        run = self.shipped("small", None)
        for sock, address in zip(run.sockets["echo"], run.addresses("echo")):
            echo = echo_stream if sock.type == socket.SOCK_STREAM else echo_datagram
            self.assertEqual(echo(address), b"hello\n")
        for sock, address in zip(run.sockets["time"], run.addresses("time")):
            if sock.type == socket.SOCK_STREAM:
                with connect(address) as client:
                    self.assertEqual(len(harness.read_all(client)), 4)
        self.assertEqual(sorted(run.asked), sorted(run.sockets))
        self.assertEqual(run.bootout(), 0, run.job().output())
        self.assertEqual(len(run.jobs), 1)

    def test_proxy(self):
        backend = self.use(listener())
        port = backend.getsockname()[1]
        run = self.shipped("proxy", f'port "web" {{ proxy {{ upstream = {{"127.0.0.1:{port}"}} }} }}')
        for address in run.addresses("web"):
            with connect(address) as client:
                client.sendall(b"question")
                server, _ = backend.accept()
                with server:
                    server.settimeout(harness.BOUND)
                    self.assertEqual(server.recv(100), b"question")
                    server.sendall(b"answer")
                self.assertEqual(harness.read_all(client), b"answer")
        self.assertEqual(run.bootout(), 0, run.job().output())


class Sockets(Launchd):
    def test_one(self):
        """As Homebrew writes it."""
        entry = {"SockNodeName": "127.0.0.1", "SockServiceName": "0", "SockProtocol": "TCP"}
        run = self.launchd(ECHO, {"listeners": entry})
        self.assertEqual(echo_stream(run.address("listeners")), b"hello\n")

    def test_two_of_a_name_without_a_family(self):
        local = {"SockNodeName": "localhost", "SockServiceName": 0}
        run = self.launchd(ECHO, {"listeners": local})
        self.assertGreater(len(run.addresses("listeners")), 0)
        for address in run.addresses("listeners"):
            self.assertEqual(echo_stream(address), b"hello\n")

    def test_two_of_a_name_and_each_by_number(self):
        run = self.launchd('port "listeners#0" { reject { message = "first" } }'
                           'port "listeners#1" { reject { message = "second" } }',
                           {"listeners": [STREAM, STREAM]})
        for address, text in zip(run.addresses("listeners"), (b"first", b"second")):
            with connect(address) as client:
                self.assertEqual(harness.read_all(client), text)
        # Its answer the second time would be EALREADY.
        self.assertEqual(run.asked, ["listeners"])

    def test_one_for_both_families(self):
        run = self.launchd(ECHO, {"listeners": {"SockFamily": "IPv4v6", "SockServiceName": 0}})
        port = run.address("listeners")[1]
        for host in ("127.0.0.1", "::1"):
            self.assertEqual(echo_stream((host, port)), b"hello\n")

    def test_path_is_left_to_launchd(self):
        path = self.path("echo")
        # Octal 600.
        run = self.launchd(ECHO, {"listeners": {"SockPathName": path, "SockPathMode": 384}})
        self.assertEqual(echo_stream(path), b"hello\n")
        self.assertEqual(run.bootout(), 0, run.job().output())
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_in_any_state(self):
        """close-on-exec or not, non-blocking already or not: a program gets neither."""
        config = 'port "listeners" { exec { command = {"/bin/ls", "/proc/self/fd"} } }'
        for cloexec in (False, True):
            for nonblocking in (False, True):
                with self.subTest(cloexec=cloexec, nonblocking=nonblocking), \
                     launchd.Launchd(plist(config, {"listeners": STREAM}), self.directory,
                                     cloexec=cloexec, nonblocking=nonblocking) as run:
                    # Its third is what it reads the directory with.
                    self.assertEqual(echo_stream(run.address("listeners"), b""), b"0\n1\n2\n3\n")
                    self.assertEqual(run.bootout(), 0, run.job().output())
                os.unlink(self.path("launchd"))

    def test_datagram_where_a_stream_is_configured(self):
        config = 'port "listeners" { exec { command = {"/bin/cat"} } }'
        with launchd.Launchd(plist(config, {"listeners": DATAGRAM}, ThrottleInterval=1000),
                             self.directory) as run:
            with connect(run.address("listeners"), socket.SOCK_DGRAM) as client:
                client.send(b"x")
                job = run.job()
                self.assertEqual(job.wait(), 78, job.output())
                self.assertIn("listeners", job.output())

    @harness.need_proc
    def test_no_descriptor_more_than_with_the_same_by_option(self):
        sockets = {"listeners": [STREAM, STREAM, DATAGRAM]}
        # With a sandbox, one that can hand over has a socket for that.
        config = "sandbox = no " + ECHO
        run = self.launchd(config, sockets)
        self.assertEqual(echo_stream(run.addresses("listeners")[0]), b"hello\n")
        ours = [sock for entry in sockets["listeners"] for sock in launchd.make_sockets(entry)]
        for sock in ours:
            self.addCleanup(sock.close)
            sock.setblocking(False)
        options = [word for number in (3, 4, 5) for word in ("--fd", f"listeners={number}")]
        other = self.use(harness.adoptd(config, *options,
                                        fds={3 + at: sock.fileno() for at, sock in enumerate(ours)}))
        self.assertEqual(echo_stream(ours[0].getsockname()), b"hello\n")
        wait_for("the connections to be gone", lambda: descriptors(run.job()) == descriptors(other))


class Errors(Launchd):
    def test_unknown_name_listens_itself(self):
        """ENOENT, and ESRCH, which is given for an unknown name as well: not handed over."""
        for unknown in (errno.ENOENT, errno.ESRCH):
            path = self.path("own")
            config = ECHO + f'port "own" {{ listen = {{"unix:{path}"}} echo {{}} }}'
            with self.subTest(unknown), \
                 launchd.Launchd(plist(config, {"listeners": STREAM}), self.directory,
                                 unknown=unknown) as run:
                self.assertEqual(echo_stream(run.address("listeners")), b"hello\n")
                self.assertEqual(echo_stream(path), b"hello\n")
                self.assertEqual(sorted(run.asked), ["listeners", "own"])
                self.assertEqual(run.bootout(), 0, run.job().output())
            os.unlink(self.path("launchd"))

    def test_not_under_launchd(self):
        program = os.path.join(launchd.SBINDIR, "adoptd")
        code, text = harness.run([program, "-e", ECHO])
        self.assertEqual(code, 78, text)
        self.assertIn('port "listeners"', text)

    def test_activated_before(self):
        self.fails(71, 'launchd\'s socket "listeners": was activated before', ECHO,
                   {"listeners": STREAM}, before=["listeners"])

    def test_none_of_a_name(self):
        self.fails(78, 'port "listeners"', ECHO + 'port "other" { echo {} }',
                   {"listeners": [], "other": STREAM})


class Life(Launchd):
    def test_idle_exit_and_the_next_launch(self):
        run = self.launchd("idle-exit = 100ms " + ECHO, {"listeners": STREAM})
        for number in (1, 2, 3):
            self.assertEqual(echo_stream(run.address("listeners")), b"hello\n")
            job = run.job(number)
            self.assertEqual(job.wait(), 0, job.output())
            # It stays on the open file, into the next launch.
            self.assertFalse(os.get_blocking(run.sockets["listeners"][0].fileno()))
        self.assertEqual(run.asked, ["listeners"] * 3)

    def test_term_during_work_and_the_next_launch(self):
        run = self.launchd(ECHO, {"listeners": STREAM})
        with connect(run.address("listeners")) as client:
            client.sendall(b"before")
            self.assertEqual(client.recv(100), b"before")
            run.kill()
            wait_for("adoptd to drain", lambda: "drain" in run.job().output())
            # Who comes now waits in the queue for the next one.
            with connect(run.address("listeners")) as late:
                late.sendall(b"late")
                client.sendall(b"after")
                self.assertEqual(client.recv(100), b"after")
                self.assertEqual(len(run.jobs), 1)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(harness.read_all(client), b"")
                self.assertEqual(run.job(1).wait(), 0, run.job().output())
                self.assertEqual(late.recv(100), b"late")
        self.assertEqual(run.bootout(), 0, run.job(2).output())

    def test_bootout_is_in_time(self):
        """A client that stays does not keep adoptd past what launchd grants it."""
        run = self.launchd("drain-timeout = 100ms " + ECHO, {"listeners": STREAM})
        with connect(run.address("listeners")) as client:
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
            self.assertEqual(run.bootout(), 0, run.job().output())


if __name__ == "__main__":
    harness.main()
