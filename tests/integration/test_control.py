"""The control socket and adoptctl: what is told, what is changed, and who harms nobody."""
import concurrent.futures
import contextlib
import json
import os
import resource
import select
import signal
import socket
import stat
import subprocess
import threading

import harness
from harness import ADOPTD, BOUND, connect, echo_datagram, echo_stream, free_port, wait_for

ADOPTCTL = os.path.join(harness.TOP_BUILDDIR, "adoptctl")
OK, NOT_FOUND, USAGE, UNAVAILABLE, SYSTEM, LATER, PERMISSION, CONFIG = 0, 1, 64, 69, 71, 75, 77, 78
NOBODY = 65534


class Controlled(harness.Case):
    """A daemon on a file that can be changed, and adoptctl."""

    def setUp(self):
        super().setUp()
        self.control = self.path("control")

    def write(self, config):
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write(config)

    def start(self, config, control=True, **how):
        self.write((f'control = "{self.control}"\n' if control else "") + config)
        daemon = self.use(harness.Process([ADOPTD, "-c", self.path("conf")], **how))
        if control:
            self.await_control()
        return daemon

    def await_control(self):
        """It is reachable before the daemon listens to signals, but answers after that."""
        def answers():
            with connect(self.control) as sock:
                sock.sendall(b'{"version":1,"command":"status"}\n')
                return sock.recv(1)

        wait_for("the control socket", answers)

    def run_ctl(self, *argv, **how):
        return subprocess.run([ADOPTCTL, "-s", self.control, *argv], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=3 * BOUND, check=False, **how)

    def ctl(self, *argv, code=OK, **how):
        """Runs adoptctl. Returns what it printed: on stderr, where it is to fail."""
        done = self.run_ctl(*argv, **how)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code != OK:
            self.assertEqual(done.stdout, "")
            return done.stderr
        return done.stdout

    def ask(self, *argv):
        """What adoptctl prints for programs."""
        return json.loads(self.ctl("--json", *argv))

    def talk(self):
        """A bare connection to the control socket, and a reader of lines."""
        sock = self.use(connect(self.control))
        return sock, self.use(sock.makefile("r", encoding="utf-8"))

    def held(self, address, data=b"x"):
        """A client of an echo that is there."""
        client = self.use(connect(address))
        client.sendall(data)
        self.assertEqual(client.recv(len(data), socket.MSG_WAITALL), data)
        return client


class Socket(Controlled):
    ECHO = 'port "a" { listen = {"unix:%s"} echo {} }'

    def echo(self):
        return "\n" + self.ECHO % self.path("echo")

    def mode(self, path=None):
        return stat.S_IMODE(os.lstat(path or self.control).st_mode)

    def test_is_for_its_owner_alone(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        daemon = self.start(self.echo())
        self.assertEqual(self.mode(), 0o600)
        self.assertEqual(daemon.stop(), 0, daemon.output())
        self.assertFalse(os.path.exists(self.control))

    @harness.need_root
    def test_others_are_turned_away(self):
        os.chmod(self.directory, 0o755)
        self.start(self.echo())
        self.assertIn("Permission denied", self.ctl("status", code=PERMISSION, user=NOBODY,
                                                    extra_groups=[]))
        self.write(f'control = "{self.control}" control-group = {NOBODY}' + self.echo())
        self.ctl("reload")
        self.assertEqual(self.mode(), 0o660)
        self.assertEqual(os.lstat(self.control).st_gid, NOBODY)
        self.ctl("status", user=NOBODY - 1, group=NOBODY, extra_groups=[])
        self.ctl("status", code=PERMISSION, user=NOBODY - 1, group=NOBODY - 1, extra_groups=[])

    def test_a_stale_one_is_replaced(self):
        daemon = self.start(self.echo())
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(os.path.exists(self.control))
        self.assertIn("nobody answers", self.ctl("status", code=UNAVAILABLE))
        os.unlink(self.path("echo"))
        self.start(self.echo())
        self.assertEqual(self.ask("status")["state"], "serving")

    def test_a_live_one_is_not(self):
        self.start(self.echo())
        inode = os.lstat(self.control).st_ino
        config = f'control = "{self.control}" port "b" {{ listen = {{"127.0.0.1:0"}} echo {{}} }}'
        code, output = harness.run([ADOPTD, "-e", config])
        self.assertEqual(code, SYSTEM, output)
        self.assertIn("control: cannot listen on", output)
        self.assertIn("somebody answers there already", output)
        self.assertEqual(os.lstat(self.control).st_ino, inode)
        self.ctl("status")

    def test_a_file_is_not(self):
        with open(self.control, "w", encoding="ascii"):
            pass
        code, _ = harness.run([ADOPTD, "-e", f'control = "{self.control}"' + self.echo()])
        self.assertEqual(code, SYSTEM)
        self.assertTrue(stat.S_ISREG(os.lstat(self.control).st_mode))

    def test_anothers_is_left_at_the_end(self):
        daemon = self.start(self.echo())
        os.unlink(self.control)
        other = self.use(socket.socket(socket.AF_UNIX))
        other.bind(self.control)
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(os.path.exists(self.control))

    def test_reloads_add_move_and_remove_it(self):
        daemon = self.start(self.echo(), control=False)
        wait_for("the port", lambda: echo_stream(self.path("echo")))

        def reload(config):
            said = len(daemon.output())
            self.write(config + self.echo())
            daemon.popen.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: "reloaded" in daemon.output()[said:])

        reload(f'control = "{self.control}"')
        inode = os.lstat(self.control).st_ino
        sock, answers = self.talk()
        reload(f'control = "{self.control}" log-level = debug ')
        self.assertEqual(os.lstat(self.control).st_ino, inode)
        self.assertEqual(self.ask("status")["log_level"], "debug")

        moved = self.path("moved")
        reload(f'control = "{moved}"')
        self.assertFalse(os.path.exists(self.control))
        self.assertEqual(self.mode(moved), 0o600)
        self.control = moved
        self.ctl("status")
        # Who was there stays.
        sock.sendall(b'{"version":1,"command":"status"}\n')
        self.assertTrue(json.loads(answers.readline())["ok"])

        os.unlink(moved)
        reload(f'control = "{moved}"')
        self.ctl("status")
        reload("")
        self.assertFalse(os.path.exists(moved))
        self.assertEqual(echo_stream(self.path("echo")), b"hello\n")
        self.assertEqual(daemon.stop(), 0)

    def test_a_failed_reload_leaves_it(self):
        self.start(self.echo())
        self.write(f'control = "{self.path("no/where")}"' + self.echo())
        self.assertIn('control: cannot listen on', self.ctl("reload", code=SYSTEM))
        self.write(f'control = "{self.path("other")}" log-level = loud' + self.echo())
        self.assertIn("log-level", self.ctl("reload", code=CONFIG))
        self.assertFalse(os.path.exists(self.path("other")))
        self.ctl("status")

    def test_it_is_found_without_an_option(self):
        self.start(self.echo())
        env = dict(os.environ, ADOPTD_CONTROL=self.control)
        done = subprocess.run([ADOPTCTL, "status"], env=env, capture_output=True, timeout=BOUND,
                              check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"serving", done.stdout)
        self.control = self.path("none")
        self.assertIn("does not run", self.ctl("status", code=UNAVAILABLE))


class Telling(Controlled):
    def test_status(self):
        port = free_port()
        daemon = self.start(f"""workers = 2 access-log = true
            port "a" {{ listen = {{"127.0.0.1:{port}"}} echo {{}} }}""")
        self.held(("127.0.0.1", port))
        for _ in range(3):
            echo_stream(("127.0.0.1", port))
        wait_for("their ends", lambda: self.ask("status")["connections"] == 1)
        status = self.ask("status")
        self.assertEqual(status["pid"], daemon.pid)
        self.assertEqual(status["state"], "serving")
        self.assertEqual(status["config"], self.path("conf"))
        self.assertEqual(status["log_level"], "info")
        self.assertEqual((status["ports"], status["clients"]), (1, 4))
        self.assertGreater(status["rate"], 0)
        self.assertGreaterEqual(status["uptime_ms"], 0)
        self.assertRegex(status["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        self.assertIsNone(status["reload"])
        self.assertEqual([worker["worker"] for worker in status["workers"]], [0, 1])
        self.assertEqual(sum(worker["clients"] for worker in status["workers"]), 4)
        text = self.ctl("status")
        self.assertRegex(text, rf"(?m)^pid +{daemon.pid}$")
        self.assertRegex(text, r"(?m)^WORKER  PORTS  CONNECTIONS  CLIENTS  RATE$")

        self.ctl("reload")
        self.assertTrue(self.ask("status")["reload"]["ok"])
        self.write("faulty")
        self.ctl("reload", code=CONFIG)
        last = self.ask("status")["reload"]
        self.assertEqual((last["ok"], last["error"]), (False, "the configuration has faults"))

    def test_ports(self):
        port = free_port()
        path = self.path("seq")
        self.start(f"""workers = 2
            port "a b" {{ listen = {{"127.0.0.1:{port}", "udp:127.0.0.1:{port}"}} echo {{}}
                          route {{ local = 127.0.0.2 discard {{}} }} }}
            port "s" {{ listen = {{"unix-seqpacket:{path}"}} max-connections = 1 echo {{}} }}
            port "none" {{ optional = true discard {{}} }}""")
        self.held(("127.0.0.1", port))
        self.use(connect(path, socket.SOCK_SEQPACKET))
        wait_for("the limit", lambda: self.ask("ports")["ports"][1]["state"] == "held")
        a, s, none = self.ask("ports")["ports"]
        datagrams = a["sockets"][1]["workers"]
        self.assertEqual(len(datagrams), 1)
        self.assertEqual(a, {
            "port": "a b", "handler": "echo", "routes": 1, "state": "open", "connections": 1,
            "clients": 1, "sockets": [
                {"address": f"127.0.0.1:{port}", "kind": "stream", "source": "listen",
                 "workers": [0, 1]},
                {"address": f"127.0.0.1:{port}", "kind": "datagram", "source": "listen",
                 "workers": datagrams}]})
        self.assertEqual((s["connections"], s["sockets"][0]["kind"]), (1, "seqpacket"))
        self.assertEqual((none["sockets"], none["state"]), ([], "open"))
        lines = self.ctl("ports").splitlines()
        self.assertEqual(len(lines), 5)
        self.assertEqual(len({line.index("listen") for line in lines[1:4]}), 1, "not in a column")

    def test_clients_are_counted_over_reloads(self):
        port = free_port()
        config = f"""control = "{self.control}"
            port "a" {{ listen = {{"127.0.0.1:{port}"}} idle-timeout = %s echo {{}} }}"""
        self.start(config % "1h", control=False)
        self.await_control()
        client = self.held(("127.0.0.1", port))
        self.write(config % "2h")
        self.ctl("reload")
        self.held(("127.0.0.1", port))
        self.assertEqual([(of["connections"], of["clients"]) for of in self.ask("ports")["ports"]],
                         [(2, 2)])
        client.close()
        wait_for("its end", lambda: self.ask("ports")["ports"][0]["connections"] == 1)
        self.assertEqual(self.ask("ports")["ports"][0]["clients"], 2)
        self.assertEqual(self.ask("status")["clients"], 2)

    def test_connections(self):
        backend, port = free_port(), free_port()
        self.start(f"""workers = 2
            port "back" {{ listen = {{"127.0.0.1:{backend}", "udp:127.0.0.1:{backend}"}} echo {{}} }}
            port "front" {{
                listen = {{"127.0.0.1:{port}", "udp:127.0.0.1:{port}"}}
                route {{ source = 192.0.2.1 reject {{}} }}
                route {{ local = 127.0.0.1 proxy {{ upstream = {{"127.0.0.1:{backend}"}} }} }}
                echo {{}}
            }}""")
        client = self.held(("127.0.0.1", port), b"hello")
        with connect(("127.0.0.1", port), socket.SOCK_DGRAM) as datagrams:
            datagrams.send(b"abc")
            self.assertEqual(datagrams.recv(10), b"abc")
            listed = self.ask("connections")["connections"]
            peers = {"{}:{}".format(*sock.getsockname()): sock for sock in (client, datagrams)}
            mine = {of["kind"]: of for of in listed if of["peer"] in peers}
        self.assertEqual([of["id"] for of in listed], sorted({of["id"] for of in listed}))
        for kind, count in (("stream", 5), ("datagram", 3)):
            of = mine[kind]
            self.assertEqual((of["port"], of["route"], of["handler"], of["upstream"]),
                             ("front", 2, "proxy", f"127.0.0.1:{backend}"))
            self.assertEqual((of["received"], of["sent"]), (count, count))
            self.assertGreaterEqual(of["age_ms"], 0)
            self.assertIn(of["worker"], (0, 1))
        head, *rows = self.ctl("connections").splitlines()
        self.assertEqual(head.split(), ["ID", "KIND", "PEER", "PORT", "ROUTE", "HANDLER",
                                        "UPSTREAM", "RECEIVED", "SENT", "AGE", "WORKER"])
        # The client's, the session, and the proxy's own at the echo.
        self.assertEqual(len(rows), 3)

    def test_bulk_is_counted_while_it_flows(self):
        """Bytes that the kernel moves from one socket to the other are not overlooked."""
        backend, port = free_port(), free_port()
        self.start(f"""
            port "back" {{ listen = {{"127.0.0.1:{backend}"}} discard {{}} }}
            port "front" {{ listen = {{"127.0.0.1:{port}"}}
                            proxy {{ upstream = {{"127.0.0.1:{backend}"}} }} }}""")
        client = self.use(connect(("127.0.0.1", port)))
        total = 64 << 20
        block = bytes(1 << 20)
        for _ in range(total // len(block)):
            client.sendall(block)

        def received():
            return [of["received"] for of in self.ask("connections")["connections"]]

        wait_for("all bytes", lambda: received() == [total, total])

    def test_upstreams(self):
        alive, dead, port = free_port(), free_port(), free_port()
        self.start(f"""workers = 2
            port "back" {{ listen = {{"127.0.0.1:{alive}"}} echo {{}} }}
            port "front" {{ listen = {{"127.0.0.1:{port}"}}
                proxy {{ upstream = {{"127.0.0.1:{alive}", "127.0.0.1:{dead}", "nowhere.invalid:1"}}
                         connect-timeout = 10s }} }}""")
        names = {of["name"]: of["state"] for of in self.ask("upstreams")["upstreams"]}
        self.assertEqual(names, {None: "up", "nowhere.invalid": "unresolved"})
        # One of the workers has two of them, whose turns differ.
        for _ in range(3):
            self.held(("127.0.0.1", port))

        def failed():
            return {of["address"]: of for of in self.ask("upstreams")["upstreams"]
                    if of["state"] == "failed"}

        down = wait_for("the failure", failed)
        self.assertEqual(list(down), [f"127.0.0.1:{dead}"])
        self.assertGreaterEqual(down[f"127.0.0.1:{dead}"]["failed_ms"], 0)
        up = [of for of in self.ask("upstreams")["upstreams"] if of["state"] == "up"]
        self.assertEqual([(of["address"], of["connections"], of["kind"], of["route"])
                          for of in up], [(f"127.0.0.1:{alive}", 3, "stream", 0)])
        # A block that a reload leaves as it is keeps what it knows.
        self.ctl("reload")
        self.assertEqual(list(failed()), [f"127.0.0.1:{dead}"])
        self.assertIn("unresolved", self.ctl("upstreams"))

    def test_many_connections_come_page_by_page(self):
        count = 1300
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 4 * count:
            self.skipTest("too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.start('workers = 3 port "a" { listen = {"unix:%s"} echo {} }' % self.path("echo"))
        clients = [self.use(connect(self.path("echo"))) for _ in range(count)]
        wait_for("all of them", lambda: self.ask("status")["connections"] == count)
        ids = [of["id"] for of in self.ask("connections")["connections"]]
        self.assertEqual(len(ids), count)
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual(len(self.ctl("connections").splitlines()), 1 + count)

        sock, answers = self.talk()
        seen, after, more = [], 0, True
        while more:
            sock.sendall(b'{"version":1,"command":"connections","limit":100,"after":%d}\n' % after)
            page = json.loads(answers.readline())["data"]
            self.assertTrue(page["connections"])
            self.assertLessEqual(len(page["connections"]), 102)
            seen += [of["id"] for of in page["connections"]]
            after, more = seen[-1], page["more"]
        self.assertEqual(seen, ids)
        del clients


class Changing(Controlled):
    def test_kill(self):
        port = free_port()
        self.start(f"""workers = 2 access-log = true
            port "a" {{ listen = {{"127.0.0.1:{port}"}} echo {{}} }}""")
        clients = [self.held(("127.0.0.1", port)) for _ in range(4)]
        ids = {of["peer"]: of["id"] for of in self.ask("connections")["connections"]}
        gone = clients.pop(1)
        number = ids["{}:{}".format(*gone.getsockname())]
        self.ctl("kill", str(number))
        with self.assertRaises(ConnectionResetError):
            gone.recv(1)
        for client in clients:
            client.sendall(b"y")
            self.assertEqual(client.recv(1), b"y")
        self.assertIn("there is no connection", self.ctl("kill", str(number), code=NOT_FOUND))
        self.ctl("kill", "0", code=USAGE)
        self.ctl("kill", code=USAGE)

    def test_kill_of_what_is_joined(self):
        """Both ends of a proxied connection hear of it, and a session begins anew."""
        backend, datagrams, port = free_port(), free_port(socket.SOCK_DGRAM), free_port()
        self.start(f"""
            port "back" {{ listen = {{"127.0.0.1:{backend}", "udp:127.0.0.1:{datagrams}"}} echo {{}} }}
            port "front" {{ listen = {{"127.0.0.1:{port}"}}
                            proxy {{ upstream = {{"127.0.0.1:{backend}"}} }} }}
            port "dns" {{ listen = {{"udp:127.0.0.1:{port}"}}
                          proxy {{ upstream = {{"127.0.0.1:{datagrams}"}} }} }}""")
        client = self.held(("127.0.0.1", port))
        with connect(("127.0.0.1", port), socket.SOCK_DGRAM) as session:
            session.send(b"a")
            self.assertEqual(session.recv(1), b"a")
            for of in self.ask("connections")["connections"]:
                if of["port"] != "back":
                    self.ctl("kill", str(of["id"]))
            with self.assertRaises(ConnectionResetError):
                client.recv(1)
            wait_for("both ends", lambda: self.ask("connections")["connections"] == [])
            session.send(b"b")
            self.assertEqual(session.recv(1), b"b")

    def test_drain_and_undrain(self):
        one, other = free_port(), free_port()
        config = f"""workers = 2 control = "{self.control}" %s
            port "a" {{ listen = {{"127.0.0.1:{one}"}} idle-timeout = %s echo {{}} }}
            port "b" {{ listen = {{"127.0.0.1:{other}"}} echo {{}} }}"""
        self.start(config % ("", "1h"), control=False)
        self.await_control()
        here = self.held(("127.0.0.1", one))
        self.assertIn("there is no port", self.ctl("drain", "c", code=NOT_FOUND))
        self.ctl("drain", "a")
        self.ctl("drain", "a")
        self.assertEqual([of["state"] for of in self.ask("ports")["ports"]], ["drained", "open"])
        self.assertEqual(self.ask("status")["drained"], ["a"])
        self.assertRegex(self.ctl("status"), r"(?m)^drained +a$")

        waiting = self.use(connect(("127.0.0.1", one)))
        waiting.sendall(b"z")
        here.sendall(b"y")
        self.assertEqual(here.recv(1), b"y")
        self.assertEqual(echo_stream(("127.0.0.1", other)), b"hello\n")
        # Neither a reload that leaves the port alone lets anybody in, nor one that changes it.
        for how in ("1h", "2h"):
            self.write(config % ("", how))
            self.ctl("reload")
            self.assertEqual(self.ask("ports")["ports"][0]["state"], "drained")
            self.assertEqual(select.select([waiting], [], [], 0.3)[0], [])
        self.ctl("undrain", "a")
        self.assertEqual(waiting.recv(1), b"z")
        self.assertEqual(echo_stream(("127.0.0.1", one)), b"hello\n")

        self.ctl("drain")
        self.assertEqual({of["state"] for of in self.ask("ports")["ports"]}, {"drained"})
        late = [self.use(connect(("127.0.0.1", port))) for port in (one, other)]
        self.ctl("undrain")
        for client in late:
            client.sendall(b"l")
            self.assertEqual(client.recv(1), b"l")

    def test_a_port_that_is_gone_is_not_drained_when_it_comes_back(self):
        port = free_port()
        a = f'port "a" {{ listen = {{"127.0.0.1:{port}"}} echo {{}} }}'
        rest = f'control = "{self.control}" port "b" {{ optional = true echo {{}} }}'
        self.start(rest + a, control=False)
        self.await_control()
        self.ctl("drain", "a")
        for config in (rest, rest + a):
            self.write(config)
            self.ctl("reload")
        self.assertEqual(self.ask("status")["drained"], [])
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")

    def test_reload(self):
        path = self.path("echo")
        port = f'control = "{self.control}" port "a" {{ listen = {{"unix:{path}"}} %s {{}} }}'
        daemon = self.start(port % "echo", control=False)
        self.await_control()
        self.write(port % "discard")
        self.assertEqual(self.ctl("reload"), "")
        self.assertEqual(echo_stream(path), b"")
        self.write((port % "echo") + "\nlog-level = loud\nworkers = 0\n")
        said = self.ctl("reload", code=CONFIG)
        conf = self.path("conf")
        self.assertRegex(said, rf'(?m)^{conf}:2: log-level: unknown value "loud"')
        self.assertRegex(said, rf'(?m)^{conf}:3: workers: ')
        self.assertRegex(said, r"(?m)^adoptctl reload: the configuration has faults$")
        self.assertIn(f"{conf}:2: log-level", daemon.output())
        self.assertEqual(echo_stream(path), b"")
        # What is only doubtful is told, and served.
        self.write((port % "echo") + "control-group = 0 access-log = true log-level = error")
        done = self.run_ctl("reload")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: access-log: has no effect", done.stderr)
        self.assertEqual(echo_stream(path), b"hello\n")

    def test_log_level(self):
        daemon = self.start('port "a" { listen = {"unix:%s"} reject {} }' % self.path("s"))
        self.ctl("log-level", "error")
        self.assertEqual(self.ask("status")["log_level"], "error")
        self.ctl("log-level", "debug")
        self.assertIn("log-level is debug until", daemon.output())
        self.ctl("log-level", "loud", code=USAGE)
        self.ctl("reload")
        self.assertEqual(self.ask("status")["log_level"], "info")


class NoClients(Controlled):
    """Who controls adoptd is nobody's client."""

    def test_idle_exit_does_not_wait_for_them(self):
        daemon = self.start('idle-exit = 1s port "a" { listen = {"unix:%s"} echo {} }'
                            % self.path("s"))
        sock, answers = self.talk()
        sock.sendall(b'{"version":1,"command":"status"}\n')
        self.assertEqual(json.loads(answers.readline())["data"]["connections"], 0)
        self.assertEqual(daemon.wait(), 0)
        self.assertIn("idle: exiting", daemon.output())
        self.assertFalse(os.path.exists(self.control))

    def test_idle_exit_does_not_forget_what_is_drained(self):
        path = self.path("s")
        daemon = self.start('idle-exit = 500ms port "a" { listen = {"unix:%s"} echo {} }' % path)
        client = self.held(path)  # so that it does not end before it is told
        self.ctl("drain", "a")
        client.close()
        select.select([], [], [], 1.5)
        self.assertTrue(daemon.running())
        self.ctl("undrain", "a")
        self.assertEqual(daemon.wait(), 0)

    def test_drain_does_not_wait_for_them(self):
        path = self.path("s")
        daemon = self.start('port "a" { listen = {"unix:%s"} echo {} }' % path)
        client = self.held(path)
        sock, _ = self.talk()
        sock.sendall(b'{"version":1,')
        daemon.popen.send_signal(signal.SIGTERM)
        wait_for("the drain", lambda: self.ask("status")["state"] == "draining")
        self.assertEqual(self.ask("ports"), {"ports": []})
        self.assertEqual(len(self.ask("connections")["connections"]), 1)
        for command in ("reload", "drain", "undrain"):
            self.assertIn("adoptd is draining", self.ctl(command, code=LATER))
        client.close()
        self.assertEqual(daemon.wait(), 0)

    def test_limits_do_not_count_them(self):
        path = self.path("s")
        self.start('max-connections = 1 port "a" { listen = {"unix:%s"} echo {} }' % path)
        held = [self.talk() for _ in range(5)]
        self.assertEqual(echo_stream(path), b"hello\n")
        self.held(path)
        self.assertEqual(self.ask("status")["connections"], 1)
        del held


class Hostile(Controlled):
    """Who is stuck, slow or wrong harms nobody."""

    def setUp(self):
        super().setUp()
        self.echo = self.path("echo")
        self.daemon = self.start('workers = 2 port "a" { listen = {"unix:%s"} echo {} }'
                                 % self.echo)

    def alive(self):
        self.assertEqual(echo_stream(self.echo), b"hello\n")
        self.ctl("status")

    def test_what_is_wrong_is_told_and_the_next_is_answered(self):
        sock, answers = self.talk()
        for request, code in (
                (b"", "request"), (b"status", "request"), (b"\xff\x00", "request"),
                (b'{"version":1}', "request"), (b'{"version":7,"command":"status"}', "version"),
                (b'{"version":1,"command":"explode"}', "command"),
                (b'{"version":1,"command":"kill","id":7}', "not-found"),
                (b"[" * 4000, "request")):
            sock.sendall(request + b"\n")
            answer = json.loads(answers.readline())
            self.assertEqual((answer["version"], answer["ok"], answer["code"]), (1, False, code))
            self.assertTrue(answer["error"])
        sock.sendall(b'{"version":1,"command":"status"}\n')
        self.assertTrue(json.loads(answers.readline())["ok"])

    def test_requests_may_come_in_pieces_and_together(self):
        sock, answers = self.talk()
        request = b'{"version":1,"command":"status"}\n'
        for at in range(len(request)):
            sock.sendall(request[at:at + 1])
        sock.sendall(20 * request)
        for _ in range(21):
            self.assertTrue(json.loads(answers.readline())["ok"])
        # All that was asked is answered before the end of who asks no more.
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        self.assertTrue(json.loads(answers.readline())["ok"])
        self.assertEqual(answers.readline(), "")

    def test_request_that_never_ends(self):
        sock, answers = self.talk()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(b"x" * 100000)
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(json.loads(answers.readline())["code"], "request")
            self.assertEqual(answers.readline(), "")
        self.alive()

    @harness.need_proc
    def test_who_does_not_read_is_not_written_to_for_ever(self):
        clients = [self.use(connect(self.echo)) for _ in range(300)]
        wait_for("all of them", lambda: self.ask("status")["connections"] == len(clients))
        request = b'{"version":1,"command":"connections"}\n'
        stuck = [self.talk()[0] for _ in range(8)]
        for sock in stuck:
            sock.setblocking(False)
        # Whatever is taken of them: what is asked behind an answer that is not read waits.
        sent = 0
        for _ in range(200):
            for sock in stuck:
                with contextlib.suppress(BlockingIOError):
                    sent += sock.send(request)
        self.assertGreater(sent, 0)
        self.alive()
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        limit = 100 << 10 if "fsanitize" not in os.environ.get("CFLAGS", "") else 400 << 10
        self.assertLess(memory, limit, "KiB")
        self.assertLess(self.daemon.cpu_share(), 0.5, "it spins")

    def test_more_than_there_is_room_for_wait(self):
        stuck = [self.use(connect(self.control)) for _ in range(32)]
        # Each is there once it is answered.
        for sock in stuck:
            sock.sendall(b'{"version":1,"command":"status"}\n')
            self.assertTrue(sock.recv(1))
        with subprocess.Popen([ADOPTCTL, "-s", self.control, "--json", "status"],
                              stdout=subprocess.PIPE) as late:
            self.assertEqual(select.select([late.stdout], [], [], 0.5)[0], [])
            self.assertEqual(echo_stream(self.echo), b"hello\n")
            stuck.pop().close()
            self.assertIn(b"serving", late.communicate(timeout=BOUND)[0])
        for sock in stuck:
            sock.close()
        self.alive()

    def test_several_at_once_while_clients_come(self):
        end = threading.Event()

        def come_and_go():
            while not end.is_set():
                echo_stream(self.echo)

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            clients = [pool.submit(come_and_go) for _ in range(4)]
            commands = ["status", "ports", "connections", "upstreams", "reload", "drain",
                        "undrain"]
            done = list(pool.map(lambda i: self.run_ctl(commands[i % len(commands)]), range(70)))
            self.ctl("undrain")
            end.set()
            for client in clients:
                client.result()
        self.assertEqual({one.returncode for one in done}, {OK},
                         [one.stderr for one in done if one.returncode != OK])
        self.alive()
        self.assertEqual(self.daemon.stop(), 0, self.daemon.output())


class CommandLine(Controlled):
    def test_words(self):
        for argv, complaint in (
                (["status", "now"], '"now" is left over'), (["kill"], "ID is missing"),
                (["kill", "seven"], "no number of a connection"),
                (["drain", "a", "b"], '"b" is left over'), (["log-level"], "LEVEL is missing"),
                (["statsu"], 'did you mean "status"?'), (["ports", "--all"], "is no option")):
            self.assertIn(complaint, self.ctl(*argv, code=USAGE))
        for command in ("status", "ports", "connections", "upstreams", "kill", "drain", "undrain",
                        "reload", "log-level"):
            self.assertIn("usage: adoptctl", self.ctl(command, "--help"))

    def test_no_adoptd(self):
        self.assertIn("there is no " + self.control, self.ctl("status", code=UNAVAILABLE))
        # Somebody else.
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(self.control)
            sock.listen()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                def answer(text):
                    with sock.accept()[0] as client:
                        client.recv(1000)
                        client.sendall(text)
                for text, code in ((b"", UNAVAILABLE), (b"hello\n", 76), (b"{}\n", 76),
                                   (b'{"version":1,"ok":false}\n', 76),
                                   (b'{"version":1,"ok":false,"code":"x","error":"y"}\n', 76)):
                    done = pool.submit(answer, text)
                    self.ctl("status", code=code)
                    done.result()

    def test_what_cannot_be_written(self):
        self.start('port "a" { listen = {"unix:%s"} echo {} }' % self.path("s"))
        for argv in (["status"], ["--json", "status"], ["connections"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([ADOPTCTL, "-s", self.control, *argv], stdout=full,
                                      stderr=subprocess.PIPE, timeout=BOUND, check=False)
            self.assertEqual(done.returncode, SYSTEM)


if __name__ == "__main__":
    harness.main()
