"""Descriptors from other supervisors: the real ones where they are, else their exact format."""
import json
import os
import shutil
import signal
import socket
import subprocess

import harness
from harness import ADOPTD, adoptd, echo_stream, free_port, listener, wait_for


class ServerStarter(harness.Case):
    def start(self, config, *options):
        return self.use(harness.Process(["start_server", *options, "--", ADOPTD, "-e", config]))

    @harness.need("start_server")
    def test_port_and_path(self):
        port, path = free_port(), self.path("socket")
        config = f'port "{port}" {{ echo {{}} }} port "{path}" {{ discard {{}} }}'
        process = self.start(config, f"--port=127.0.0.1:{port}", f"--path={path}")
        address = ("127.0.0.1", port)
        self.assertEqual(wait_for("adoptd", lambda: echo_stream(address)), b"hello\n")
        self.assertEqual(wait_for("adoptd", lambda: echo_stream(path) or b"nothing"), b"nothing")
        process.stop()

    @harness.need("start_server")
    def test_restart(self):
        """It starts a worker in place of the one that is connected to, which drains."""
        port = free_port()
        process = self.start(f'port "{port}" {{ echo {{}} }}', "--interval=0",
                             f"--port=127.0.0.1:{port}")
        wait_for("adoptd", lambda: echo_stream(("127.0.0.1", port)))
        with harness.connect(("127.0.0.1", port)) as client:
            client.sendall(b"before")
            self.assertEqual(client.recv(64), b"before")
            process.popen.send_signal(signal.SIGHUP)
            wait_for("the first one to drain", lambda: "draining" in process.output())
            self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")
            client.sendall(b"after")
            self.assertEqual(client.recv(64), b"after")
        process.stop()

    @harness.need("start_server")
    def test_no_hand_over(self):
        """Whoever starts a worker for each that ends is not to find one that goes on."""
        port = free_port()
        process = self.start(f'port "{port}" {{ echo {{}} }}', f"--port=127.0.0.1:{port}",
                             "--signal-on-hup=USR2", "--interval=0")
        wait_for("adoptd", lambda: echo_stream(("127.0.0.1", port)))
        process.popen.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "not handing over: what has started" in process.output())
        process.stop()


class S6(harness.Case):
    """s6-fdholder holds two listening sockets under their names."""

    def hold(self, **socks):
        rules = self.path("rules/uid/{}".format(os.geteuid()))
        os.makedirs(rules + "/env")
        open(rules + "/allow", "w").close()
        for name, value in (("GETDUMP", "1"), ("STORE_REGEX", ".*"), ("RETRIEVE_REGEX", ".*")):
            with open(f"{rules}/env/S6_FDHOLDER_{name}", "w", encoding="ascii") as variable:
                variable.write(value + "\n")
        path = self.path("fdholder")
        self.use(harness.Process(["s6-fdholder-daemon", "-i", self.path("rules"), path]))
        for name, sock in socks.items():
            wait_for("s6-fdholder-daemon",
                     lambda: harness.run(["s6-fdholder-store", path, name],
                                         fds={0: sock.fileno()})[0] == 0)
        return path

    @harness.need("s6-fdholder-daemon", "s6-fdholder-getdump")
    def test_dump(self):
        web, dns = self.use(listener()), self.use(listener())
        path = self.hold(web=web, dns=dns)
        process = self.use(harness.Process(
            ["s6-fdholder-getdump", path, ADOPTD, "-e",
             'port "web" { echo {} } port "dns" { echo {} }']))
        for sock in (web, dns):
            self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    @harness.need("s6-fdholder-daemon", "s6-fdholder-retrieve")
    def test_one(self):
        web = self.use(listener())
        path = self.hold(web=web)
        process = self.use(harness.Process(["s6-fdholder-retrieve", path, "web", ADOPTD, "-e",
                                            'port "inetd" { echo {} }']))
        self.assertEqual(echo_stream(web.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())


class Einhorn(harness.Case):
    """In its exact format: Debian has no Einhorn. This process is the parent."""

    def start(self, config, socks, **variables):
        env = dict(os.environ, EINHORN_MASTER_PID=str(os.getpid()), **variables,
                   EINHORN_FD_COUNT=str(len(socks)))
        fds = dict(enumerate((sock.fileno() for sock in socks), 6))
        env |= {f"EINHORN_FD_{i}": str(number) for i, number in enumerate(fds)}
        return self.use(adoptd(config, env=env, fds=fds))

    def test_acknowledges_and_drains(self):
        socks = [self.use(listener()) for _ in range(2)]
        master = self.use(listener(socket.AF_UNIX, address=self.path("einhorn.sock")))
        master.settimeout(harness.BOUND)
        process = self.start('port "einhorn" { echo {} }', socks,
                             EINHORN_SOCK_PATH=self.path("einhorn.sock"))
        with master.accept()[0] as said:
            said.settimeout(harness.BOUND)
            line = harness.read_all(said)
        self.assertTrue(line.endswith(b"\n"))
        self.assertEqual(json.loads(line), {"command": "worker:ack", "pid": process.pid})
        with harness.connect(socks[0].getsockname()) as client:
            client.sendall(b"a")
            self.assertEqual(client.recv(1), b"a")
            process.popen.send_signal(signal.SIGUSR2)
            wait_for("it to drain", lambda: "draining, as Einhorn asks" in process.output())
            client.sendall(b"b")
            self.assertEqual(client.recv(1), b"b")
        self.assertEqual(process.wait(), 0, process.output())

    def test_giver(self):
        """adoptctl acknowledges too, and leaves no path behind."""
        sock = self.use(listener())
        master = self.use(listener(socket.AF_UNIX, address=self.path("einhorn.sock")))
        master.settimeout(harness.BOUND)
        env = dict(os.environ, EINHORN_MASTER_PID=str(os.getpid()), EINHORN_FD_COUNT="1",
                   EINHORN_FD_0="6", EINHORN_SOCK_PATH=self.path("einhorn.sock"))
        giver = self.use(harness.Process(
            [os.path.join(harness.TOP_BUILDDIR, "adoptctl"), "give", self.path("give")], env=env,
            fds={6: sock.fileno()}))
        with master.accept()[0] as said:
            said.settimeout(harness.BOUND)
            self.assertEqual(json.loads(harness.read_all(said)),
                             {"command": "worker:ack", "pid": giver.pid})
        self.use(adoptd('port "einhorn" { echo {} }', "--from", self.path("give")))
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(giver.stop(signal.SIGUSR2), 0, giver.output())
        self.assertFalse(os.path.exists(self.path("give")))

    def test_parent_is_another(self):
        sock = self.use(listener())
        code, said = harness.run([ADOPTD, "-e", 'port "einhorn" { echo {} }'],
                                 env=dict(os.environ, EINHORN_MASTER_PID="1",
                                          EINHORN_FD_COUNT="1", EINHORN_FD_0="6"),
                                 fds={6: sock.fileno()})
        self.assertEqual(code, 78)
        self.assertIn("EINHORN_MASTER_PID", said)


NGINX = """
worker_processes 1; pid {directory}/pid; error_log {directory}/errors; user root;
events {{ }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 204; }} }}
"""


@harness.need("nginx")
class Nginx(harness.Case):
    """nginx upgrades to what is adoptd by now: no client of its address is ever refused."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.program = shutil.copy(shutil.which("nginx"), self.path("nginx"))
        with open(self.path("conf"), "w", encoding="ascii") as conf:
            conf.write(NGINX.format(directory=self.directory, port=self.port))

    def end(self, name):
        """Ends the process whose number is in a file, if there is one."""
        try:
            with open(self.path(name), encoding="ascii") as pid:
                os.kill(int(pid.read()), signal.SIGTERM)
            os.unlink(self.path(name))  # its number may be another's by then
        except OSError:
            pass

    def test_upgrade(self):
        subprocess.run([self.program, "-p", self.directory, "-c", self.path("conf")], check=True,
                       timeout=harness.BOUND)
        self.addCleanup(self.end, "pid")
        self.addCleanup(self.end, "pid.oldbin")
        self.addCleanup(self.end, "adoptd.pid")
        wait_for("nginx's number", lambda: os.path.getsize(self.path("pid")) > 0)
        # It is deaf to signals until it has workers.
        wait_for("nginx", lambda: self.ask(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 204"))
        os.remove(self.program)
        with open(self.program, "w", encoding="ascii") as script:
            script.write(f"""#!/bin/sh
echo $$ >{self.directory}/adoptd.pid
exec {ADOPTD} -e 'port "nginx" {{ echo {{}} }}' 2>{self.directory}/adoptd.log
""")
        os.chmod(self.program, 0o755)
        with open(self.path("pid"), encoding="ascii") as pid:
            master = int(pid.read())
        os.kill(master, signal.SIGUSR2)
        wait_for("adoptd", lambda: self.knock() and os.path.exists(self.path("adoptd.log")))
        os.kill(master, signal.SIGQUIT)
        wait_for("adoptd", lambda: self.knock() == b"hello\n")
        self.end("adoptd.pid")
        wait_for("adoptd to heed it", lambda: "draining" in self.said())

    def said(self):
        with open(self.path("adoptd.log"), encoding="utf-8") as log:
            return log.read()

    def knock(self):
        """Asks where a refusal is none of those that may come again: it fails the test."""
        try:
            return self.ask()
        except ConnectionRefusedError as error:
            raise AssertionError("a client was refused") from error

    def ask(self, data=b"hello\n"):
        return echo_stream(("127.0.0.1", self.port), data)


class Formats(harness.Case):
    """Those whose givers are not in Debian, or not to be had for the asking."""

    def check(self, name, variables):
        """A socket as descriptor 5 that is announced by variables."""
        sock = self.use(listener())
        process = self.use(adoptd(f'port "{name}" {{ echo {{}} }}',
                                  env=dict(os.environ, **variables), fds={5: sock.fileno()}))
        self.assertEqual(echo_stream(sock.getsockname()), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_systemfd(self):
        self.check("unknown", {"LISTEN_FDS": "1", "LISTEN_FDS_FIRST_FD": "5"})

    def test_upstart(self):
        self.check("upstart", {"UPSTART_EVENTS": "socket", "UPSTART_FDS": "5"})

    def test_gunicorn(self):
        self.check("gunicorn", {"GUNICORN_FD": "5", "GUNICORN_PID": str(os.getpid())})

    def test_puma(self):
        self.check("9292", {"PUMA_INHERIT_0": "5:tcp://127.0.0.1:9292"})

    def test_php_fpm(self):
        self.check("9000", {"FPM_SOCKETS": "127.0.0.1:9000=5"})

    def test_refused(self):
        """A variable that is wrong is named, with what would be right, and nothing is served."""
        code, said = harness.run([ADOPTD, "-e", 'port "nginx" { echo {} }'],
                                 env=dict(os.environ, NGINX="/usr/sbin/nginx"))
        self.assertEqual(code, 78, said)
        self.assertIn('NGINX=/usr/sbin/nginx: "/usr/sbin/nginx" is no descriptor', said)
        self.assertIn("NGINX=3;4;, or not to be set", said)


if __name__ == "__main__":
    harness.main()
