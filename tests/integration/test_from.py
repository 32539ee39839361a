"""--from: descriptors over a UNIX socket, from adoptctl give, from HAProxy, and from nobody good."""
import os
import resource
import signal
import socket
import struct
import subprocess

import harness
from harness import ADOPTD, TOP_BUILDDIR, adoptd, connect, echo_stream, free_port, listener, wait_for

ADOPTCTL = os.path.join(TOP_BUILDDIR, "adoptctl")
NOBODY = 65534


class Give(harness.Case):
    def give(self, *words, fds=None, options=(), **how):
        """Starts a giver, and waits until it can be asked."""
        process = self.use(harness.Process([ADOPTCTL, "give", *options, self.path("give"), *words],
                                           fds=fds, **how))
        wait_for("adoptctl", lambda: os.path.exists(self.path("give")) and self.listens())
        return process

    def listens(self):
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
            return any(line.split()[-1] == self.path("give") and line.split()[3] == "00010000"
                       for line in table)

    def take(self, config, *options, **how):
        return self.use(adoptd(config, "--from", self.path("give"), *options, **how))

    def test_descriptors_and_addresses(self):
        """Those that adoptctl has, by number and from systemd, and those that it opens."""
        sock, port = self.use(listener()), free_port()
        udp, path = free_port(socket.SOCK_DGRAM), self.path("socket")
        self.give("web=9", f"web=tcp:127.0.0.1:{port}", f"dns=udp:127.0.0.1:{udp}", f"unix:{path}",
                  fds={9: sock.fileno()})
        process = self.take('port "web" { echo {} } port "dns" { echo {} } '
                            'port "listeners" { echo {} }')
        for address in (sock.getsockname(), ("127.0.0.1", port), path):
            self.assertEqual(echo_stream(address), b"hello\n")
        self.assertEqual(harness.echo_datagram(("127.0.0.1", udp)), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    @harness.need("systemd-socket-activate")
    def test_from_systemd(self):
        """What systemd hands to adoptctl goes on to adoptd, with its name."""
        port = free_port()
        giver = self.use(harness.Process(
            ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=web", ADOPTCTL,
             "give", self.path("give")]))
        wait_for("it to listen", lambda: "Listening on" in giver.output())
        with connect(("127.0.0.1", port)) as client:
            wait_for("adoptctl", self.listens)
            self.take('port "web" { echo {} }')
            client.sendall(b"hello")
            self.assertEqual(client.recv(64), b"hello")

    def test_restart(self):
        """The giver keeps the sockets: clients wait in them for the next adoptd."""
        port = free_port()
        giver = self.give(f"web=127.0.0.1:{port}")
        first = self.take('port "web" { echo {} }')
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
        first.stop()
        with connect(("127.0.0.1", port)) as client:
            client.sendall(b"waits")
            self.take('port "web" { echo {} }')
            self.assertEqual(client.recv(64), b"waits")
        self.assertEqual(giver.stop(), 0, giver.output())
        self.assertFalse(os.path.exists(self.path("give")))

    def test_hand_over(self):
        """The next adoptd gets them from the one before, not from the giver, which is gone."""
        sock = self.use(listener())
        giver = self.give("web=9", fds={9: sock.fileno()})
        process = self.take('port "web" { echo {} }')
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        giver.stop()
        process.popen.send_signal(signal.SIGUSR2)
        self.assertEqual(process.wait(), 0, process.output())
        try:
            self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        finally:
            self.end_successor(process)

    def end_successor(self, process):
        for line in process.output().splitlines():
            if "has taken over" in line:
                os.kill(int(line.split("process ")[1].split()[0]), signal.SIGTERM)

    def test_once(self):
        """A path that was made stays, for who has its socket."""
        path = self.path("socket")
        giver = self.give(f"web=unix:{path}", options=["--once"])
        self.take('port "web" { echo {} }')
        self.assertEqual(giver.wait(), 0, giver.output())
        self.assertEqual(echo_stream(path), b"hello\n")

    def test_abstract_name(self):
        """It is checked who asks, as all may connect."""
        name, port = f"@{self.path('give')}", free_port()
        self.use(harness.Process([ADOPTCTL, "give", name, f"web=127.0.0.1:{port}"]))
        wait_for("adoptctl", lambda: connect("\0" + name[1:])).close()
        self.use(adoptd('port "web" { echo {} }', "--from", name))
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
        if os.geteuid() == 0:
            self.assertEqual(self.asked("\0" + name[1:], "nobody"), "b''\n")

    def test_words(self):
        """A number is one only where a name alone comes before; stdin is left alone."""
        path = self.path("web=5")
        stdin = self.use(socket.socket(socket.AF_UNIX))
        self.give(f"web=unix:{path}", f"unix:{path}6", fds={0: stdin.fileno()})
        self.take('port "web" { echo {} } port "listeners" { echo {} }')
        for address in (path, path + "6"):
            self.assertEqual(echo_stream(address), b"hello\n")

    def test_stdin(self):
        """Where nothing is named, a socket that is stdin is given, as s6-fdholder has it."""
        sock = self.use(listener())
        self.give(fds={0: sock.fileno()})
        self.take('port "inetd" { echo {} }')
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")

    def test_many(self):
        """More than one message carries."""
        socks = [self.use(listener()) for _ in range(300)]
        self.give(*(f"web={i + 10}" for i in range(300)),
                  fds={i + 10: sock.fileno() for i, sock in enumerate(socks)})
        self.take('port "web" { echo {} }')
        for sock in (socks[0], socks[249], socks[250], socks[299]):
            self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")

    def test_short_of_descriptors(self):
        """Who asks meanwhile waits, and so does the giver."""
        sock = self.use(listener())
        giver = self.give("web=9", fds={9: sock.fileno()})
        limits = resource.prlimit(giver.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(giver.pid, resource.RLIMIT_NOFILE, (4, limits[1]))
        process = self.take('port "web" { echo {} }')
        wait_for("the complaint", lambda: "who asks has to wait" in giver.output())
        self.assertLess(giver.cpu_share(2), 0.1, "it spins")
        self.assertEqual(giver.output().count("has to wait"), 1, giver.output())
        resource.prlimit(giver.pid, resource.RLIMIT_NOFILE, limits)
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())
        self.assertEqual(giver.stop(), 0, giver.output())

    @harness.need_root
    def test_user(self):
        """The user that is named may ask, and no other."""
        os.chmod(self.directory, 0o755)
        self.give(f"web=127.0.0.1:{free_port()}", options=["--user", "daemon"])
        for user, said in (("daemon", "b'adFD'"), ("nobody", "Permission denied")):
            self.assertIn(said, self.asked(self.path("give"), user))

    def asked(self, address, user):
        """What another user is told first."""
        script = ("import socket; s = socket.socket(socket.AF_UNIX); "
                  f"s.connect({address!r}); print(s.recv(4))")
        done = subprocess.run(["python3", "-c", script], user=user, capture_output=True,
                              check=False, timeout=harness.BOUND)
        return (done.stdout + done.stderr).decode()

    def said(self, words, code, **how):
        got, said = harness.run([ADOPTCTL, "give", *words], **how)
        self.assertEqual(got, code, said)
        return said

    def test_refused(self):
        path = self.path("give")
        for code, text, words in (
                (64, "SOCKET is missing", ()),
                (64, "nothing to give", (path,)),
                (64, "no address as `listen`", (path, "web=nonsense")),
                (64, "there is no user", ("--user", "no-such-user", path, "127.0.0.1:0")),
                (78, "descriptor 900 is not open", (path, "web=900")),
                (73, "No such file", ("/nonexistent/give", f"127.0.0.1:{free_port()}")),
        ):
            with self.subTest(text):
                self.assertIn(text, self.said(words, code))
        with self.use(listener()) as sock:
            self.assertIn("somebody has it",
                          self.said((path, "127.0.0.1:%d" % sock.getsockname()[1]), 71))


HAPROXY = """
global
    stats socket {directory}/stats level admin {expose}
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend both
    bind 127.0.0.1:{port}
    bind {directory}/front
    bind 127.0.0.1:{other}
    http-request return status 204
"""


@harness.need("haproxy")
class Haproxy(harness.Case):
    def start(self, expose="expose-fd listeners"):
        self.port, self.other = free_port(), free_port()
        with open(self.path("conf"), "w", encoding="ascii") as conf:
            conf.write(HAPROXY.format(directory=self.directory, port=self.port, other=self.other,
                                      expose=expose))
        self.haproxy = self.use(harness.Process(["haproxy", "-db", "-f", self.path("conf")]))
        wait_for("haproxy", lambda: self.get(self.port))

    def get(self, port):
        with connect(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(64).startswith(b"HTTP/1")

    def test_take_over(self):
        """From a real HAProxy: what has a port block is adopted, the rest is left to it."""
        self.start()
        process = self.use(adoptd(
            f'port "{self.port}" {{ echo {{}} }} port "{self.path("front")}" {{ echo {{}} }}',
            "--from", "haproxy:" + self.path("stats")))
        wait_for("adoptd", lambda: "from --from" in process.output())
        self.assertIn(f'"{self.other}" is left to HAProxy', process.output())
        self.haproxy.popen.send_signal(signal.SIGUSR1)
        self.haproxy.wait()
        self.assertEqual(echo_stream(("127.0.0.1", self.port)), b"hello\n")
        self.assertEqual(echo_stream(self.path("front")), b"hello\n")
        with self.assertRaises(ConnectionRefusedError):
            connect(("127.0.0.1", self.other))

    def test_stats_stay(self):
        """HAProxy keeps its stats socket, by whatever path it was found."""
        self.start()
        process = self.use(adoptd('port "*" { echo {} }', "--from",
                                  f"haproxy:{self.directory}/./stats"))
        wait_for("adoptd", lambda: "from --from" in process.output())
        wait_for("the other path", lambda: self.path("front") in process.output())
        self.assertNotIn(self.path("stats") + ".", process.output())
        with connect(self.path("stats")) as client:
            client.sendall(b"show info\n")
            self.assertIn(b"Name: HAProxy", harness.read_all(client))

    def test_not_exposed(self):
        self.start(expose="")
        code, said = harness.run([ADOPTD, "--from", "haproxy:" + self.path("stats"), "-e",
                                  'port "*" { echo {} }'])
        self.assertEqual(code, 71, said)
        self.assertIn("expose-fd listeners", said)


class Givers(harness.Case):
    """Givers that this test makes up: whatever they do, adoptd has an end of it."""

    def start(self, prefix="", config='port "*" { echo {} }'):
        """Starts adoptd, which asks here. Returns it, and its connection."""
        with listener(socket.AF_UNIX, address=self.path("giver")) as sock:
            sock.settimeout(harness.BOUND)
            process = self.use(adoptd(config, "--from", prefix + self.path("giver")))
            connection = self.use(sock.accept()[0])
        os.unlink(self.path("giver"))
        connection.settimeout(harness.BOUND)
        return process, connection

    def ends(self, process, code, text):
        self.assertEqual(process.wait(), code, process.output())
        self.assertIn(text, process.output())

    def check(self, text, answer, prefix="", code=71):
        """What adoptd says of an answer."""
        process, connection = self.start(prefix)
        answer(connection)
        self.ends(process, code, text)
        connection.close()

    def test_hangs(self):
        """Each has its time, and both are tried at once here."""
        haproxy = self.start("haproxy:")
        process, connection = self.start()
        connection.sendall(b"adFD\0\1")
        self.ends(process, 71, "has come in time")
        self.ends(haproxy[0], 71, "has come in time")

    def test_nonsense(self):
        self.check("does not give as adoptctl does", lambda c: c.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
        self.check("of another version", lambda c: c.sendall(b"adFD\0\7" + bytes(10)))

    def test_ends_early(self):
        self.check("before everything", lambda c: c.shutdown(socket.SHUT_RDWR))

    def test_no_socket(self):
        record = b"\0\0\0\0\5web\0me\0"
        message = struct.pack(">4sHHII", b"adFD", 1, 1, len(record) + 2, 1) + struct.pack(
            ">H", len(record)) + record
        with open("/dev/null", "rb") as null:
            self.check('given as "web" is no socket',
                       lambda c: socket.send_fds(c, [message], [null.fileno()]), code=78)

    def test_nobody(self):
        code, said = harness.run([ADOPTD, "--from", self.path("nobody"), "-e",
                                  'port "web" { echo {} }'])
        self.assertEqual(code, 71)
        self.assertIn("No such file", said)

    @harness.need_root
    def test_giver_is_another_user(self):
        """One that is neither root nor adoptd's own has nothing to give."""
        os.chmod(self.directory, 0o777)
        script = ("import socket; s = socket.socket(socket.AF_UNIX); "
                  f"s.bind('{self.path('giver')}'); s.listen(); print('ready', flush=True); "
                  "s.accept()[0].recv(1)")
        with subprocess.Popen(["python3", "-c", script], user=NOBODY, stdout=subprocess.PIPE) as giver:
            self.assertEqual(giver.stdout.readline(), b"ready\n")
            code, said = harness.run([ADOPTD, "--from", self.path("giver"), "-e",
                                      'port "web" { echo {} }'])
            giver.wait(harness.BOUND)
        self.assertEqual(code, 71)
        self.assertIn(f"user {NOBODY}, neither root nor adoptd's own", said)

    # --- HAProxy's words, as haproxy_ask() is to hear them ---

    def batch(self, connection, socks, namespace=b"", options=0):
        record = bytes([len(namespace)]) + namespace + b"\4eth0" + struct.pack("=i", options)
        socket.send_fds(connection, [record * len(socks)], [sock.fileno() for sock in socks])
        return struct.unpack("=i", connection.recv(4))[0]

    def test_haproxy_with_many(self):
        """As many as HAProxy sends at once, and the rest; each batch is answered."""
        socks = [self.use(listener()) for _ in range(300)]
        process, connection = self.start("haproxy:")
        self.assertEqual(connection.recv(64), b"_getsocks\n")
        connection.sendall(struct.pack("=i", 300))
        self.assertEqual(self.batch(connection, socks[:252], namespace=b"blue"), 252)
        self.assertEqual(self.batch(connection, socks[252:], options=7), 300)
        for sock in (socks[0], socks[299]):
            self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_haproxy_with_nonsense(self):
        text = "does not give its sockets"
        self.check(text, lambda c: c.sendall(b"Permission denied\n"), "haproxy:")
        self.check(text, lambda c: c.sendall(struct.pack("=i", -1)), "haproxy:")
        # Records without descriptors, and the other way round.
        self.check(text, lambda c: c.sendall(struct.pack("=i", 1) + bytes(12)), "haproxy:")
        with listener() as sock:
            self.check(text, lambda c: (c.sendall(struct.pack("=i", 1)),
                                        socket.send_fds(c, [bytes(12)], [sock.fileno()])),
                       "haproxy:")
            # More than were announced.
            self.check(text, lambda c: (c.sendall(struct.pack("=i", 1)),
                                        socket.send_fds(c, [bytes(12)], [sock.fileno()] * 2)),
                       "haproxy:")


if __name__ == "__main__":
    harness.main()
