"""Reload, drain, idle exit, and what the supervisor is told of them."""
import contextlib
import os
import select
import signal
import socket
import threading
import time

import harness
from harness import ADOPTD, connect, echo_datagram, echo_stream, free_port, listener, wait_for

# The clock of adoptd's timers goes in steps, and may lag behind.
CLOCK_STEP = 0.02


class Configured(harness.Case):
    """A daemon on a file that can be changed."""

    def write(self, config):
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write(config)

    def start(self, config, *options, **how):
        self.write(config)
        return self.use(harness.Process([ADOPTD, "-c", self.path("conf"), *options], **how))

    def reload(self, process, config, outcome="reloaded"):
        """Changes the file, and returns what is said up to the reload's outcome."""
        said = len(process.output())
        self.write(config)
        process.popen.send_signal(signal.SIGHUP)
        return wait_for(outcome, lambda: (
            outcome in (text := process.output()[said:])) and text)


class Reload(Configured):
    def test_new_clients_have_the_new_plan(self):
        """And those who are there keep theirs, to the last byte."""
        sock = self.use(listener())
        process = self.start('port "a" { echo {} }', "--fd", "a=3", fds={3: sock.fileno()})
        with connect(sock.getsockname()) as old:
            old.sendall(b"before")
            self.assertEqual(old.recv(6), b"before")
            self.reload(process, 'port "a" { reject { message = "changed" } }')
            with connect(sock.getsockname()) as new:
                self.assertEqual(harness.read_all(new), b"changed")
            old.sendall(b"after")
            old.shutdown(socket.SHUT_WR)
            self.assertEqual(harness.read_all(old), b"after")
        self.reload(process, 'port "a" { echo {} }')
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_fault_changes_nothing(self):
        sock = self.use(listener())
        # One that may listen and connect, for all that follow.
        process = self.start('port "a" { listen = {"127.0.0.1:1"} route { source = {"::1"} '
                             'proxy { upstream = {"127.0.0.1:1"} } } echo {} }',
                             "--fd", "a=3", fds={3: sock.fileno()})
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        for config, complaint in (
                ('port "a" { ecko {} }', ':1: unknown option "ecko"'),
                ('port "b" { echo {} }', "is taken by no port block"),
                ('port "a" { echo {} } port "b" { listen = {"127.0.0.1:%d"} echo {} }'
                 % sock.getsockname()[1], "somebody has this address"),
                ('port "a" { echo {} } port "b" { proxy { upstream = {"nowhere"} } }', ":1: "),
                ("", "no port block")):
            with self.subTest(config):
                said = self.reload(process, config, "nothing has changed")
                self.assertIn(complaint, said)
                self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        os.unlink(self.path("conf"))
        process.popen.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: "No such file" in process.output())
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_listen_comes_and_goes(self):
        one, other, kept = free_port(), free_port(), self.path("kept")
        blocks = 'port "kept" { listen = {"unix:%s"} echo {} }' % kept
        process = self.start(blocks + 'port "a" { listen = {"127.0.0.1:%d"} echo {} }' % one)
        wait_for("the port", lambda: echo_stream(("127.0.0.1", one)))
        inode = os.stat(kept).st_ino
        with connect(("127.0.0.1", one)) as old:
            old.sendall(b"x")
            self.assertEqual(old.recv(1), b"x")
            self.reload(process, blocks + 'port "a" { listen = {"127.0.0.1:%d", "udp:127.0.0.1:%d"}'
                        ' echo {} }' % (other, other))
            self.assertEqual(echo_stream(("127.0.0.1", other)), b"hello\n")
            self.assertEqual(echo_datagram(("127.0.0.1", other)), b"hello\n")
            self.assertRaises(ConnectionRefusedError, connect, ("127.0.0.1", one))
            old.sendall(b"y")
            self.assertEqual(old.recv(1), b"y")
        self.assertEqual(os.stat(kept).st_ino, inode)
        self.assertEqual(echo_stream(kept), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())
        self.assertFalse(os.path.exists(kept))

    def test_unchanged_block_keeps_its_sessions(self):
        """The backend sees a datagram client from the same port before and after."""
        back = self.use(listener(kind=socket.SOCK_DGRAM))
        back.settimeout(harness.BOUND)
        front = self.use(listener(kind=socket.SOCK_DGRAM))
        proxy = 'port "p" { proxy { upstream = {"127.0.0.1:%d"} } }' % back.getsockname()[1]
        process = self.start(proxy, "--fd", "p=3", fds={3: front.fileno()})
        with connect(front.getsockname(), socket.SOCK_DGRAM) as client:
            def there_and_back():
                client.send(b"ask")
                asked, peer = back.recvfrom(100)
                self.assertEqual(asked, b"ask")
                back.sendto(b"answer", peer)
                self.assertEqual(client.recv(100), b"answer")
                return peer

            before = there_and_back()
            self.reload(process, proxy + " drain-timeout = 20s")
            self.assertEqual(there_and_back(), before)
            # A block that has changed is another one; what is on its way still arrives.
            client.send(b"late")
            self.assertEqual(back.recvfrom(100), (b"late", before))
            self.reload(process, proxy.replace("proxy {", "proxy { session-timeout = 50s "))
            back.sendto(b"better late", before)
            self.assertEqual(client.recv(100), b"better late")
            self.assertNotEqual(there_and_back(), before)
        self.assertEqual(process.stop(), 0, process.output())

    def test_limits_change(self):
        sock = self.use(listener())
        config = 'port "a" { max-connections = %d echo {} }'
        process = self.start(config % 1, "--fd", "a=3", fds={3: sock.fileno()})
        first, second = (self.use(connect(sock.getsockname())) for _ in range(2))
        first.sendall(b"x")
        self.assertEqual(first.recv(1), b"x")
        second.sendall(b"x")
        self.assertEqual(select.select([second], [], [], 0.3)[0], [])
        self.reload(process, config % 2)
        self.assertEqual(second.recv(1), b"x")
        # Those of the old plan count in the new one.
        third = self.use(connect(sock.getsockname()))
        third.sendall(b"x")
        self.assertEqual(select.select([third], [], [], 0.3)[0], [])
        first.close()
        self.assertEqual(third.recv(1), b"x")

    def test_nothing_is_left_behind(self):
        """Reloads cost no descriptor."""
        sock = self.use(listener())
        config = 'port "a" { max-connections = %d echo {} } port "b" { listen = {"127.0.0.1:%d"} qotd {} }'
        port = free_port()
        process = self.start(config % (1, port), "--fd", "a=3", fds={3: sock.fileno()})

        def descriptors():
            return len(os.listdir(f"/proc/{process.pid}/fd"))

        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        for i in range(3):
            self.reload(process, config % (i + 2, port))
        before = descriptors()
        for i in range(10):
            self.reload(process, config % (i + 2, port))
            self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        wait_for("the descriptors", lambda: descriptors() <= before)


class Drain(Configured):
    def test_started_with_signals_blocked(self):
        """As nginx starts what it believes to be the next nginx."""
        sock = self.use(listener())
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            process = self.start('port "a" { echo {} }', "--fd", "a=3", fds={3: sock.fileno()})
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_who_is_there_finishes(self):
        """Who comes waits in the socket, for the next one."""
        sock = self.use(listener())
        config = 'port "a" { echo {} }'
        process = self.start(config, "--fd", "a=3", fds={3: sock.fileno()})
        old = self.use(connect(sock.getsockname()))
        old.sendall(b"x")
        self.assertEqual(old.recv(1), b"x")
        process.popen.send_signal(signal.SIGTERM)
        wait_for("the drain", lambda: "draining" in process.output())
        new = self.use(connect(sock.getsockname()))
        new.sendall(b"new")
        old.sendall(b"still here" * 10000)
        old.shutdown(socket.SHUT_WR)
        self.assertEqual(harness.read_all(old), b"still here" * 10000)
        self.assertEqual(process.wait(), 0, process.output())
        self.assertEqual(select.select([new], [], [], 0)[0], [])
        self.start(config, "--fd", "a=3", fds={3: sock.fileno()})
        self.assertEqual(new.recv(3), b"new")

    def test_drain_timeout(self):
        sock = self.use(listener())
        process = self.start('drain-timeout = 200ms port "a" { echo {} }', "--fd", "a=3",
                             fds={3: sock.fileno()})
        client = self.use(connect(sock.getsockname()))
        client.sendall(b"x")
        self.assertEqual(client.recv(1), b"x")
        begun = time.monotonic()
        self.assertEqual(process.stop(), 0, process.output())
        self.assertGreaterEqual(time.monotonic() - begun, 0.2 - CLOCK_STEP)
        self.assertIn("what is left is closed", process.output())
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(client.recv(1), b"")

    def test_datagram_answers_are_awaited(self):
        """A session without a question ends at once; one with a question, with its answer."""
        back, front = (self.use(listener(kind=socket.SOCK_DGRAM)) for _ in range(2))
        config = 'port "p" { proxy { upstream = {"127.0.0.1:%d"} } }' % back.getsockname()[1]
        back.settimeout(harness.BOUND)
        process = self.start(config, "--fd", "p=3", fds={3: front.fileno()})
        with connect(front.getsockname(), socket.SOCK_DGRAM) as client:
            client.send(b"ask")
            _, peer = back.recvfrom(100)
            process.popen.send_signal(signal.SIGTERM)
            wait_for("the drain", lambda: "draining" in process.output())
            self.assertTrue(process.running())
            back.sendto(b"answer", peer)
            self.assertEqual(client.recv(100), b"answer")
            self.assertEqual(process.wait(harness.BOUND / 4), 0, process.output())

    def test_with_workers(self):
        sock = self.use(listener())
        process = self.start('workers = 3 port "a" { echo {} }', "--fd", "a=3",
                             fds={3: sock.fileno()})
        clients = [self.use(connect(sock.getsockname())) for _ in range(12)]
        for client in clients:
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
        process.popen.send_signal(signal.SIGTERM)
        wait_for("the drain", lambda: "draining" in process.output())
        for client in clients:
            client.sendall(b"y")
            self.assertEqual(client.recv(1), b"y")
            self.assertTrue(process.running())
            client.close()
        self.assertEqual(process.wait(), 0, process.output())


class Idle(Configured):
    IDLE = 0.3

    def config(self, port, options=""):
        return "idle-exit = 300ms %s %s" % (options, port)

    def test_counted_from_the_start(self):
        sock = self.use(listener())
        begun = time.monotonic()
        process = self.start(self.config('port "a" { echo {} }'), "--fd", "a=3",
                             fds={3: sock.fileno()})
        self.assertEqual(process.wait(), 0, process.output())
        self.assertGreaterEqual(time.monotonic() - begun, self.IDLE - CLOCK_STEP)
        self.assertIn("idle", process.output())

    def test_counted_from_the_last_client(self):
        for options in ("", "workers = 3"):
            with self.subTest(options):
                sock = self.use(listener())
                process = self.start(self.config('port "a" { echo {} }', options), "--fd", "a=3",
                                     fds={3: sock.fileno()})
                client = self.use(connect(sock.getsockname()))
                client.sendall(b"x")
                self.assertEqual(client.recv(1), b"x")
                # It stays as long as the client does, however silent that is.
                with self.assertRaises(AssertionError):
                    process.wait(3 * self.IDLE)
                begun = time.monotonic()
                client.close()
                self.assertEqual(process.wait(), 0, process.output())
                self.assertGreaterEqual(time.monotonic() - begun, self.IDLE - CLOCK_STEP)

    def test_datagram_sessions_count(self):
        back, front = (self.use(listener(kind=socket.SOCK_DGRAM)) for _ in range(2))
        proxy = ('port "p" { proxy { upstream = {"127.0.0.1:%d"} session-timeout = 700ms } }'
                 % back.getsockname()[1])
        process = self.start(self.config(proxy), "--fd", "p=3", fds={3: front.fileno()})
        with connect(front.getsockname(), socket.SOCK_DGRAM) as client:
            begun = time.monotonic()
            client.send(b"ask")
            self.assertEqual(process.wait(), 0, process.output())
            self.assertGreaterEqual(time.monotonic() - begun, 0.7 + self.IDLE - 2 * CLOCK_STEP)

    def test_nobody_is_lost(self):
        """Clients come all the time, and adoptd goes and comes in between, as under systemd."""
        sock = self.use(listener())
        self.write('idle-exit = 1ms workers = 2 port "a" { echo {} }')
        served, failed, starts = [], [], 0
        over = threading.Event()

        def client(pause):
            while not over.is_set():
                try:
                    served.append(echo_stream(sock.getsockname()) == b"hello\n")
                except OSError as error:
                    failed.append(error)
                over.wait(pause)

        threads = [threading.Thread(target=client, args=(pause,)) for pause in (0.003, 0.02, 0.05)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()

        def enough():
            passed = time.monotonic() - begun
            return passed > 4 and (starts > 3 and len(served) > 50 or passed > harness.BOUND)

        while not enough():
            # The supervisor starts it when somebody waits.
            if not select.select([sock], [], [], 0.1)[0]:
                continue
            with harness.Process([ADOPTD, "-c", self.path("conf"), "--fd", "a=3"],
                                 fds={3: sock.fileno()}) as process:
                starts += 1
                while process.running():
                    with contextlib.suppress(AssertionError):
                        process.wait(0.05)
                    if enough():
                        over.set()
                self.assertEqual(process.wait(), 0, process.output())
        over.set()
        # Who came last is served by the last.
        with harness.Process([ADOPTD, "-c", self.path("conf"), "--fd", "a=3"],
                             fds={3: sock.fileno()}):
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])
        self.assertTrue(all(served))
        self.assertGreater(starts, 3)
        self.assertGreater(len(served), 50)


class Notify(Configured):
    """A manager's side of sd_notify(3)."""

    def setUp(self):
        super().setUp()
        self.manager = self.use(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.manager.bind(self.path("notify"))
        self.manager.settimeout(harness.BOUND)
        self.env = {"NOTIFY_SOCKET": self.path("notify")}

    def until(self, word):
        """Returns the first message that has a line that begins so."""
        while True:
            lines = self.manager.recv(4096).decode().split("\n")
            if any(line.startswith(word) for line in lines):
                return dict(line.split("=", 1) for line in lines)

    def test_reload(self):
        port = free_port()
        config = 'port "a" { listen = {"127.0.0.1:%d"} echo {} } access-log = %s'
        process = self.start(config % (port, "false"), env=self.env)
        self.until("READY=1")
        begun = time.clock_gettime(time.CLOCK_MONOTONIC)
        self.reload(process, config % (port, "true"))
        self.assertGreaterEqual(int(self.until("RELOADING=1")["MONOTONIC_USEC"]), begun * 1e6 - 1)
        self.until("READY=1")
        self.reload(process, "nonsense", "nothing has changed")
        self.until("RELOADING=1")
        self.assertIn("nothing has changed", self.until("READY=1")["STATUS"])

    def test_drain_asks_for_time(self):
        port = free_port()
        process = self.start('port "a" { listen = {"127.0.0.1:%d"} echo {} }' % port, env=self.env)
        self.until("READY=1")
        client = self.use(connect(("127.0.0.1", port)))
        client.sendall(b"x")
        self.assertEqual(client.recv(1), b"x")
        process.popen.send_signal(signal.SIGTERM)
        self.assertGreaterEqual(int(self.until("STOPPING=1")["EXTEND_TIMEOUT_USEC"]), 5000000)
        # And again, while it lasts.
        self.assertGreaterEqual(int(self.until("EXTEND_TIMEOUT_USEC")["EXTEND_TIMEOUT_USEC"]),
                                5000000)

    def test_watchdog(self):
        port = free_port()
        config = 'workers = 3 port "a" { listen = {"127.0.0.1:%d"} echo {} }' % port
        self.start(config, env={**self.env, "WATCHDOG_USEC": "300000"})
        self.until("READY=1")
        begun = time.monotonic()
        for _ in range(5):
            self.until("WATCHDOG=1")
        self.assertLess(time.monotonic() - begun, harness.BOUND)

    def test_status(self):
        port = free_port()
        self.start('port "a" { listen = {"127.0.0.1:%d"} echo {} }' % port, env=self.env)
        self.until("READY=1")
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
        with connect(("127.0.0.1", port)):
            self.assertRegex(self.until("STATUS=")["STATUS"],
                             r"^Serving 1 port, [01] connections?, \d+\.\d new a second$")


if __name__ == "__main__":
    harness.main()
