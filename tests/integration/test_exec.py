"""exec with the real daemon: what a process is given, how many there are, how they end."""
import contextlib
import os
import re
import select
import signal
import socket
import struct

import harness
from harness import BOUND, adoptd, children, connect, echo_stream, listener, read_all, wait_for


def block(*command, **options):
    """An exec block. Options are written as they are, `_` standing for `-`."""
    words = ", ".join('"%s"' % re.sub(r'(["\\$])', r"\\\1", word) for word in command)
    rest = " ".join(f"{name.replace('_', '-')} = {value}" for name, value in options.items())
    return f"exec {{ command = {{{words}}} {rest} }}"


def shell(script, **options):
    return block("/bin/sh", "-c", script, **options)


def signals(status, name):
    """A set of signals in a process's status, but for the C library's own two."""
    [found] = re.findall(rf"^{name}:\s+(\w+)$", status, re.M)
    return int(found, 16) & ~(3 << 31)


class Case(harness.Case):
    def serve(self, handler, sock=None, port_options="", globals_="", **how):
        """Starts adoptd with one port; returns its address."""
        sock = sock or self.use(listener())
        how.setdefault("fds", {})[3] = sock.fileno()
        self.daemon = self.use(adoptd(f"{globals_} port \"p\" {{ {port_options}\n {handler} }}",
                                      "--fd", "p=3", **how))
        return sock.getsockname()

    def ask(self, address, data=b"", **how):
        return echo_stream(address, data, **how).decode()

    def logged(self, text):
        return wait_for(text, lambda: text in self.daemon.output())

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))


class Given(Case):
    """What a process is started with."""

    def environment(self, text):
        return dict(line.split("=", 1) for line in text.splitlines())

    def test_environment(self):
        how = {"env": {**os.environ, "SECRET": "adoptd's own", "LISTEN_FDNAMES": "x"}}
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with self.subTest(family=family):
                address = self.serve(block("/usr/bin/env", environment='{"GREETING=a = b"}'),
                                     self.use(listener(family)), **how)
                with connect(address) as client:
                    own = str(client.getsockname()[1])
                    self.assertEqual(self.environment(read_all(client).decode()), {
                        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "GREETING": "a = b", "PROTO": "TCP", "REMOTE_ADDR": host,
                        "REMOTE_PORT": own, "TCPREMOTEIP": host, "TCPREMOTEPORT": own,
                        "TCPLOCALIP": host, "TCPLOCALPORT": str(address[1])})

    def test_environment_of_ipv4_on_ipv6(self):
        sock = self.use(socket.socket(socket.AF_INET6))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", 0))
        sock.listen()
        address = self.serve(block("/usr/bin/env"), sock)
        with connect(("127.0.0.1", address[1])) as client:
            said = self.environment(read_all(client).decode())
        self.assertEqual((said["REMOTE_ADDR"], said["TCPREMOTEIP"], said["TCPLOCALIP"]),
                         ("127.0.0.1",) * 3)

    def test_environment_of_unix(self):
        path, own = self.path("p"), self.path("client")
        self.serve(block("/usr/bin/env"), self.use(listener(socket.AF_UNIX, address=path)))
        said = self.environment(self.ask(path))
        self.assertEqual(said.keys(), {"PATH", "PROTO"})
        self.assertEqual(said["PROTO"], "UNIX")
        with socket.socket(socket.AF_UNIX) as client:
            client.bind(own)
            client.settimeout(BOUND)
            client.connect(path)
            self.assertEqual(self.environment(read_all(client).decode())["REMOTE_ADDR"],
                             "unix:" + own)

    def test_peer_of_a_proxy_header(self):
        address = self.serve(block("/usr/bin/env"), port_options='accept-proxy = {"127.0.0.1"}')
        header = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 22\r\n"
        said = self.environment(self.ask(address, header))
        self.assertEqual((said["REMOTE_ADDR"], said["REMOTE_PORT"], said["TCPREMOTEIP"],
                          said["TCPREMOTEPORT"]), ("2001:db8::7", "4711") * 2)

    def test_only_three_descriptors(self):
        """And nothing of what adoptd itself was given, or has open for others."""
        other = self.use(listener())
        stray = self.use(open("/etc/passwd", "rb"))  # nobody tells adoptd of it
        address = self.serve(shell("ls -l /proc/self/fd; exec ls /proc/self/fd"),
                             fds={7: stray.fileno(), 8: other.fileno()})
        with connect(address):
            said = self.ask(address)
        # The last is what ls has opened to list them.
        self.assertEqual(said.split()[-4:], ["0", "1", "2", "3"])
        self.assertRegex(said, r" 0 -> socket:.*\n.* 1 -> socket:.*\n.* 2 -> pipe:")

    def test_signals_and_session(self):
        address = self.serve(block("/bin/cat", "/proc/self/status", "/proc/self/stat"))
        said = self.ask(address)
        for name in ("SigBlk", "SigIgn", "SigCgt"):
            self.assertEqual(signals(said, name), 0, name)
        fields = said.splitlines()[-1].rsplit(")", 1)[1].split()
        pid = said.splitlines()[-1].split()[0]
        # State, parent, group, session, terminal.
        self.assertEqual(fields[2:5], [pid, pid, "0"])

    def test_ignored_signals_are_not_inherited(self):
        sock = self.use(listener())
        process = self.use(harness.Process(
            ["sh", "-c", 'trap "" HUP CHLD INT; exec "$@"', "sh", harness.ADOPTD, "-e",
             f'port "p" {{ {shell("grep SigIgn /proc/self/status")} }}', "--fd", "p=3"],
            fds={3: sock.fileno()}))
        for _ in range(3):
            self.assertEqual(signals(self.ask(sock.getsockname()), "SigIgn"), 0)
        self.assertTrue(process.running())
        wait_for("the processes", lambda: not children(process.pid))

    def test_limit_of_descriptors(self):
        sock = self.use(listener())
        self.use(harness.Process(
            ["sh", "-c", 'ulimit -Sn 300; exec "$@"', "sh", harness.ADOPTD, "-e",
             f'port "p" {{ {shell("ulimit -Sn; ulimit -Hn; umask")} }}', "--fd", "p=3"],
            fds={3: sock.fileno()}))
        soft, hard, umask = self.ask(sock.getsockname()).split()
        self.assertEqual(soft, "300")
        self.assertGreater(int(hard), 300)
        was = os.umask(0)
        os.umask(was)
        self.assertEqual(int(umask, 8), was)

    def test_directory(self):
        address = self.serve(block("/bin/pwd", directory=f'"{self.directory}"'))
        self.assertEqual(self.ask(address), self.directory + "\n")

    @harness.need_root
    def test_user(self):
        for options, expected in (
                ({"user": "nobody"}, "65534 65534 65534"),
                ({"user": "65534", "group": "12345"}, "65534 12345 12345"),
                ({"user": "4000000", "group": "12345"}, "4000000 12345 12345"),
                ({"group": "12345"}, "0 12345 12345")):
            with self.subTest(**options):
                address = self.serve(shell("echo `id -u` `id -g` `id -G`", **options))
                uid, gid, *groups = self.ask(address).split()
                self.assertEqual((uid, gid, *sorted(groups)),
                                 tuple(expected.split()[:2] + sorted(expected.split()[2:])))

    @harness.need_root
    def test_user_has_no_capabilities(self):
        address = self.serve(shell("grep ^Cap /proc/self/status", user="nobody"))
        said = self.ask(address)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertRegex(said, name + r":\s+0{16}\n")

    @harness.need_root
    @harness.need("setpriv")
    def test_user_by_capabilities_alone(self):
        """Not root, but let to become others: what lets it so is not passed on."""
        sock = self.use(listener())
        os.chmod(self.directory, 0o755)
        self.use(harness.Process(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "--inh-caps=+setuid,+setgid", "--ambient-caps=+setuid,+setgid", harness.ADOPTD, "-e",
             'port "p" { %s }' % shell("id -u; grep ^Cap /proc/self/status", user="daemon"),
             "--fd", "p=3"], fds={3: sock.fileno()}))
        uid, *said = self.ask(sock.getsockname()).splitlines()
        self.assertEqual(uid, "1")
        for line in said:
            if not line.startswith(("CapBnd", "CapInh")):
                self.assertRegex(line, r"0{16}$")

    @harness.need_root
    @harness.need("setpriv")
    def test_user_without_the_right(self):
        sock = self.use(listener())
        code, output = harness.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", harness.ADOPTD, "-e",
             'port "p" { %s }' % block("/bin/cat", user="root"), "--fd", "p=3"],
            fds={3: sock.fileno()})
        self.assertEqual(code, 78, output)
        self.assertRegex(output, "-e:1: .*its handler is to run as another user or group, for "
                                 "which adoptd has not the right")

    def test_stderr(self):
        """Never the client's, who is to see nothing of it."""
        address = self.serve(shell("echo out; echo err >&2; echo more >&2"))
        self.assertEqual(self.ask(address), "out\n")
        self.logged("]: more")
        self.assertRegex(self.daemon.output(),
                         r"exec: sh\[\d+\]: err\nadoptd: exec: sh\[\d+\]: more\n")
        address = self.serve(shell("echo out; echo err >&2; readlink /proc/self/fd/2",
                                   stderr="null"))
        self.assertEqual(self.ask(address), "out\n/dev/null\n")
        self.assertNotIn("err", self.daemon.output().replace("stderr", ""))

    def test_no_shell(self):
        address = self.serve(block("/bin/echo", "$HOME", "`id`", "; false", "", "two words"))
        self.assertEqual(self.ask(address), "$HOME `id` ; false  two words\n")

    def test_records(self):
        sock = self.use(listener(socket.AF_UNIX, socket.SOCK_SEQPACKET, self.path("p")))
        address = self.serve(block("/bin/cat"), sock)
        with connect(address, socket.SOCK_SEQPACKET) as client:
            for record in (b"one", b"x" * 30000, b"three"):
                client.sendall(record)
                self.assertEqual(client.recv(65536), record)


class Kinds(Case):
    """Connections that adoptd was handed over, and where they go."""

    def test_connection(self):
        """Accept=yes: adoptd ends when the process does, not before."""
        ours, theirs = socket.socketpair()
        with ours:
            daemon = self.use(adoptd('port "p" { %s }' % shell("echo hello; read a; echo $a"),
                                     "--fd", "p=5", fds={5: theirs.fileno()}))
            theirs.close()
            ours.settimeout(BOUND)
            self.assertEqual(ours.recv(100), b"hello\n")
            self.assertTrue(daemon.running())
            ours.sendall(b"bye\n")
            self.assertEqual(read_all(ours), b"bye\n")
        self.assertEqual(daemon.wait(), 0, daemon.output())

    def test_inetd(self):
        """The client has all three of adoptd's descriptors, as inetd gives them."""
        sock = self.use(listener())
        with connect(sock.getsockname()) as client:
            server = sock.accept()[0]
            config = 'port "inetd" { %s }' % shell("echo hello; echo hidden >&2; cat")
            daemon = self.use(harness.Process(
                ["sh", "-c", 'exec "$0" -e "$1" >&0 2>&0', harness.ADOPTD, config],
                fds={0: server.fileno()}))
            server.close()
            client.sendall(b"data")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(client), b"hello\ndata")
            self.assertEqual(daemon.wait(), 0)

    def test_route(self):
        """The first bytes that were looked at are the process's."""
        address = self.serve('route { starts-with = {"SSH-"} %s } reject { message = "no" }'
                             % block("/bin/cat"))
        self.assertEqual(self.ask(address, b"SSH-2.0-x\r\n"), "SSH-2.0-x\r\n")
        with connect(address) as client:
            client.sendall(b"GET /")
            self.assertEqual(client.recv(100), b"no")

    def test_inherited_socket_is_not_harmed(self):
        sock = self.use(listener())
        address = self.serve(block("/bin/cat"), sock)
        self.assertEqual(self.ask(address, b"one"), "one")
        self.assertEqual(self.daemon.stop(), 0, self.daemon.output())
        with connect(address) as client:
            server = sock.accept()[0]
            with server:
                server.sendall(b"still there")
            self.assertEqual(client.recv(100), b"still there")


class Bounds(Case):
    def test_max_processes(self):
        """Across all workers: never one more, and all that come are served."""
        os.mkdir(self.path("running"))
        address = self.serve(shell(f"cd {self.path('running')}; : >$$; ls | wc -l; read a; rm $$",
                                   max_processes=3), globals_="workers = 4")
        clients = [self.use(connect(address)) for _ in range(12)]
        counts = []
        while clients:
            ready, _, _ = select.select(clients, [], [], BOUND)
            self.assertTrue(ready, "nobody has a turn")
            # Each tells how many there were when it came; all three are there at first.
            if not counts:
                wait_for("three", lambda: len(os.listdir(self.path("running"))) == 3)
            counts.append(int(ready[0].recv(100)))
            ready[0].sendall(b"end\n")
            clients.remove(ready[0])
        self.assertEqual(max(counts), 3)

    def test_connections_of_a_source(self):
        """They count for as long as their processes run."""
        address = self.serve(block("/bin/cat"), port_options="max-connections-per-source = 2")
        clients = [self.use(connect(address)) for _ in range(2)]
        for client in clients:
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
        with self.assertRaises(ConnectionResetError), connect(address) as third:
            third.recv(1)
        clients[0].close()
        wait_for("room", lambda: self.ask(address, b"y") == "y")

    def test_timeout(self):
        """TERM for all of the group, KILL for those who do not care."""
        address = self.serve(shell("echo ready; trap '' TERM; sleep 1000 & sleep 1000",
                                   timeout="500ms"))
        with connect(address) as client:
            self.assertEqual(client.recv(100), b"ready\n")
            [pid] = children(self.daemon.pid)
            self.assertEqual(read_all(client), b"")
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
        self.assertIn(f"exec: sh[{pid}]: its time is over", self.daemon.output())
        self.assertEqual(children(self.daemon.pid), [])

    def test_access_log(self):
        address = self.serve(shell("sleep 0.3"), globals_="access-log = true")
        self.ask(address)
        self.logged("access port")
        line = re.search(r"access .*", self.daemon.output()).group()
        self.assertRegex(line, r'^access port="p" route=0 handler=exec .* end=closed peer=127')
        self.assertGreaterEqual(int(re.search(r"ms=(\d+)", line).group(1)), 300)

    def test_vanishing_clients(self):
        """Those who leave at any moment leave no descriptor and no process."""
        address = self.serve(block("/bin/cat", max_processes=20), globals_="workers = 2")
        self.ask(address, b"x")
        wait_for("its end", lambda: not children(self.daemon.pid))
        before = self.descriptors()
        for number in range(200):
            client = connect(address)
            if number % 3:
                client.sendall(b"x" * 1000)
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.assertEqual(self.ask(address, b"still there"), "still there")
        wait_for("the processes", lambda: not children(self.daemon.pid))
        wait_for("the descriptors", lambda: self.descriptors() <= before)

    def test_flood_on_stderr(self):
        """One that floods the log costs nothing else, nor a client anything."""
        address = self.serve(shell("yes flood >&2 & read a; echo $a; kill $!"))
        with connect(address) as client:
            self.logged("flood")
            self.assertLess(self.daemon.cpu_share(), 0.5)
            other = self.use(connect(address))
            other.sendall(b"other\n")
            self.assertEqual(other.recv(100), b"other\n")
            client.sendall(b"done\n")
            self.assertEqual(read_all(client), b"done\n")
        self.assertLess(self.daemon.output().count("flood"), 450)

    def test_program_that_is_missing(self):
        path = self.path("late")
        address = self.serve(block(path))
        self.assertEqual(self.ask_bad(address), b"")
        self.assertEqual(self.ask_bad(address), b"")
        self.assertEqual(self.daemon.output().count(f"exec: {path}: cannot run its program"), 1)
        with open(path, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho here\n")
        os.chmod(path, 0o755)
        self.assertEqual(self.ask(address), "here\n")

    def ask_bad(self, address):
        with connect(address) as client:
            return read_all(client)


class Ends(Case):
    def test_drain(self):
        """Told to stop, adoptd waits for what runs, and takes nobody else."""
        sock = self.use(listener())
        address = self.serve(shell("echo ready; read a; echo $a"), sock)
        with connect(address) as client, connect(address) as second:
            self.assertEqual(client.recv(100), b"ready\n")
            self.assertEqual(second.recv(100), b"ready\n")
            self.daemon.popen.send_signal(signal.SIGTERM)
            self.logged("draining")
            with connect(address):
                client.sendall(b"done\n")
                self.assertEqual(read_all(client), b"done\n")
                self.assertTrue(self.daemon.running())
                second.sendall(b"done\n")
                self.assertEqual(read_all(second), b"done\n")
                self.assertEqual(self.daemon.wait(), 0, self.daemon.output())

    def test_second_signal(self):
        """Who cannot wait has the processes asked to end."""
        # With adoptd goes who would have read its stderr.
        address = self.serve(shell("exec 2>/dev/null; trap 'echo asked; exit' TERM; echo ready; "
                                   "while :; do sleep 0.1; done"))
        with connect(address) as client:
            self.assertEqual(client.recv(100), b"ready\n")
            self.daemon.popen.send_signal(signal.SIGTERM)
            self.logged("draining")
            self.assertEqual(self.daemon.stop(), 0, self.daemon.output())
            self.assertEqual(read_all(client), b"asked\n")

    def test_drain_timeout(self):
        address = self.serve(shell("echo ready; exec sleep 1000"),
                             globals_="drain-timeout = 300ms")
        with connect(address) as client:
            self.assertEqual(client.recv(100), b"ready\n")
            self.assertEqual(self.daemon.stop(), 0, self.daemon.output())
            self.assertEqual(read_all(client), b"")

    def test_reload(self):
        """Who runs goes on; who comes is served as the new block says."""
        config = self.path("conf")

        def write(greeting):
            with open(config, "w", encoding="ascii") as file:
                file.write('port "p" { %s }' % shell(f"echo {greeting}; read a; echo $a"))

        write("old")
        sock = self.use(listener())
        self.daemon = self.use(harness.Process([harness.ADOPTD, "-c", config, "--fd", "p=3"],
                                               fds={3: sock.fileno()}))
        with connect(sock.getsockname()) as first, connect(sock.getsockname()) as second:
            self.assertEqual(first.recv(100), b"old\n")
            self.assertEqual(second.recv(100), b"old\n")
            write("new")
            self.daemon.popen.send_signal(signal.SIGHUP)
            self.logged("reloaded")
            with connect(sock.getsockname()) as third:
                self.assertEqual(third.recv(100), b"new\n")
                first.sendall(b"a\n")
                self.assertEqual(read_all(first), b"a\n")
            second.sendall(b"b\n")
            self.assertEqual(read_all(second), b"b\n")

    def test_reload_keeps_the_bound(self):
        """Who runs from before the reload counts."""
        config, running = self.path("conf"), self.path("running")
        os.mkdir(running)

        def write(max_processes):
            with open(config, "w", encoding="ascii") as file:
                file.write('port "p" { %s }' % shell(
                    f"cd {running}; : >$$; ls | wc -l; read a; rm $$",
                    max_processes=max_processes))

        write(3)
        sock = self.use(listener())
        self.daemon = self.use(harness.Process([harness.ADOPTD, "-c", config, "--fd", "p=3"],
                                               fds={3: sock.fileno()}))
        clients = [self.use(connect(sock.getsockname())) for _ in range(3)]
        for client in clients:
            client.recv(100)
        write(2)
        self.daemon.popen.send_signal(signal.SIGHUP)
        self.logged("reloaded")
        last = self.use(connect(sock.getsockname()))
        for client in clients[:2]:
            client.sendall(b"end\n")
            self.assertEqual(read_all(client), b"")
        self.assertEqual(last.recv(100), b"2\n")

    def test_idle_exit(self):
        """A process is something to do, whoever has the connection."""
        address = self.serve(shell("exec <&- >&-; sleep 1.5; echo late >&2"),
                             globals_="idle-exit = 300ms")
        self.assertEqual(self.ask_end(address), b"")
        self.assertEqual(self.daemon.wait(), 0, self.daemon.output())
        self.assertIn("]: late", self.daemon.output())

    def ask_end(self, address):
        with connect(address) as client:
            return read_all(client)


if __name__ == "__main__":
    harness.main()
