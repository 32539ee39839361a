"""adoptctl: its command line, and setups of inetd and xinetd that move over to adoptd."""
import glob
import os
import re
import shutil
import socket
import unittest

import harness
import lab
from harness import (ADOPTD, adoptd, connect, echo_datagram, echo_stream, free_port, read_all,
                     wait_for)

ADOPTCTL = os.path.join(harness.TOP_BUILDDIR, "adoptctl")
OK, USAGE, DATA, INPUT, CREATE = 0, 64, 65, 66, 73

# All of it is served by adoptd, without programs, and nothing has to be said of it.
XINETD = """
defaults
{{
	instances = 25
	only_from = 127.0.0.0 ::1
}}
includedir {directory}/xinetd.d
"""
XINETD_SERVICES = {
    "echo": """
service echo
{{
	flags = NOLIBWRAP
	type = INTERNAL UNLISTED
	id = echo-stream
	bind = 127.0.0.1
	port = {echo}
	socket_type = stream
	wait = no
}}
service echo
{{
	flags = NOLIBWRAP
	type = INTERNAL UNLISTED
	id = echo-dgram
	bind = 127.0.0.1
	port = {echo}
	socket_type = dgram
	wait = yes
}}
""",
    "web": """
service web
{{
	flags = NOLIBWRAP KEEPALIVE
	type = UNLISTED
	bind = 127.0.0.1
	port = {web}
	protocol = tcp
	wait = no
	redirect = 127.0.0.1 {backend}
}}
""",
    "off": "service telnet\n{{\n	disable = yes\n}}\n",
    "web.dpkg-old": "service old\n{{\n	nonsense\n}}\n",
}
INETD = """
# A comment.
127.0.0.1:{echo}	stream	tcp	nowait	root	/bin/cat	cat
127.0.0.1:daytime	stream	tcp	nowait	root	internal
*:daytime	dgram	udp	wait	root	internal
"""


class Import(harness.Case):
    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def ends(self, code, *argv):
        """Runs adoptctl. Returns what it wrote, both stdout and stderr."""
        end, output = harness.run([ADOPTCTL, *argv])
        self.assertEqual(end, code, output)
        return output

    def xinetd(self, **ports):
        """Writes a whole xinetd configuration. Returns the path of its xinetd.conf."""
        for name, text in XINETD_SERVICES.items():
            self.write("xinetd.d/" + name, text.format(**ports))
        return self.write("xinetd.conf", XINETD.format(directory=self.directory))

    def imported(self, *files, code=OK):
        """Imports into a directory; the units start the adoptd of this build."""
        output = self.ends(code, "import", "--output", self.path("out"), "--adoptd", ADOPTD,
                           *files)
        return output, self.path("out/adoptd.conf")

    def verify(self):
        units = glob.glob(self.path("out/*.socket")) + glob.glob(self.path("out/*.service"))
        self.assertTrue(units)
        code, output = harness.run(["systemd-analyze", "verify", "--man=no", *units])
        self.assertEqual((code, output), (0, ""))

    def check(self, config):
        self.assertEqual(harness.run([ADOPTD, "--check", "--strict", "-c", config]), (0, ""))

    def socket_options(self, name):
        """What a socket unit says, as a dictionary of lists."""
        options = {}
        with open(self.path(f"out/adoptd-import-{name}.socket"), encoding="utf-8") as file:
            for key, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.M):
                options.setdefault(key, []).append(value)
        return options

    def test_usage(self):
        for argv in ([], ["--frobnicate"], ["import"], ["import", "--from", "cron", "x"],
                     ["import", "--force", "x"], ["import", "--adoptd", "adoptd", "x"],
                     ["-s", "x", "import", "/dev/null"], ["--json", "import", "/dev/null"]):
            with self.subTest(argv=argv):
                self.assertTrue(self.ends(USAGE, *argv))
        self.assertIn('did you mean "import"?', self.ends(USAGE, "imprt"))
        self.assertRegex(self.ends(OK, "--version"), r"^adoptctl \d+\.\d+")
        self.assertIn("import", self.ends(OK, "--help"))
        self.assertIn("--output", self.ends(OK, "import", "--help"))

    def test_input(self):
        self.assertIn("nothing-here", self.ends(INPUT, "import", self.path("nothing-here")))
        self.assertIn("NUL", self.ends(DATA, "import", self.write("nul", "a\0b")))
        self.assertIn("larger", self.ends(DATA, "import", self.write("big", "#\n" * 600000)))
        self.assertIn("directory", self.ends(INPUT, "import", self.directory))
        good = self.write("inetd.conf", "echo stream tcp nowait root internal\n")
        # Nothing at all, if something is missing.
        self.assertNotIn("####", self.ends(INPUT, "import", good, self.path("nothing-here")))
        self.assertIn('port "echo"', self.ends(OK, "import", good))
        self.assertIn("no service", self.ends(OK, "import", "-o", self.path("out"), "/dev/null"))
        self.assertFalse(os.path.exists(self.path("out")))

    def test_faults_do_not_stop_it(self):
        path = self.write("inetd.conf", "echo stream\ndaytime stream tcp nowait root internal\n")
        output, config = self.imported(path, code=DATA)
        self.assertIn(f"{path}:1: ", output)
        self.check(config)
        self.assertEqual(os.listdir(self.path("out")).count("adoptd-import-daytime.socket"), 1)

    def test_standard_input(self):
        with open(self.write("x", "service echo\n{\n type = INTERNAL\n wait = no\n"
                                  " socket_type = stream\n flags = NOLIBWRAP\n}\n"), "rb") as text:
            code, output = harness.run([ADOPTCTL, "import", "-"], fds={0: text.fileno()})
        self.assertEqual(code, OK, output)
        self.assertIn("# As in stdin:1\n", output)
        with open(self.write("y", "# nothing\n"), "rb") as text:
            code, output = harness.run([ADOPTCTL, "import", "--from", "xinetd", "-"],
                                       fds={0: text.fileno()})
        self.assertEqual(code, OK, output)

    def test_overwriting(self):
        path = self.write("inetd.conf", "echo stream tcp nowait root internal\n")
        self.imported(path)
        self.assertIn("--force", self.imported(path, code=CREATE)[0])
        shutil.rmtree(self.path("out"))
        self.write("out/adoptd.conf", "mine")
        self.imported(path, code=CREATE)
        self.assertEqual(os.listdir(self.path("out")), ["adoptd.conf"])
        self.ends(OK, "import", "-o", self.path("out"), "--force", path)
        self.check(self.path("out/adoptd.conf"))
        self.assertIn(self.path("none/at/all"),
                      self.ends(CREATE, "import", "-o", self.path("none/at/all"), path))

    def test_print_can_be_divided(self):
        path = self.write("inetd.conf", INETD.format(echo=7007))
        self.imported(path)
        output = self.ends(OK, "import", "--adoptd", ADOPTD, path)
        printed = dict(re.findall(r"^#### (.*)\n((?:(?!#### ).*\n)*)", output, re.M))
        self.assertEqual(sorted(printed), sorted(os.listdir(self.path("out"))))
        for name, text in printed.items():
            with open(self.path("out/" + name), encoding="utf-8") as file:
                written = file.read()
            # Only the place of the configuration differs.
            self.assertEqual(re.sub(r"-c \S+", "-c", text), re.sub(r"-c \S+", "-c", written))

    @harness.need("systemd-analyze")
    def test_units_of_xinetd(self):
        path = self.xinetd(echo=7007, web=7080, backend=7081)
        output, config = self.imported(path)
        # Of the directory alone, which is below /tmp.
        self.assertEqual(output.count("warning"), 1, output)
        self.check(config)
        self.verify()
        self.assertEqual(self.socket_options("web")["KeepAlive"], ["yes"])
        with open(config, encoding="utf-8") as file:
            self.assertIn("imported: telnet\n", file.read())

    @harness.need("systemd-analyze")
    def test_units_of_inetd(self):
        _, config = self.imported(self.write("inetd.conf", INETD.format(echo=7007)))
        self.check(config)
        self.verify()
        daytime = self.socket_options("daytime")
        self.assertEqual(daytime["ListenStream"], ["127.0.0.1:13"])
        self.assertEqual(daytime["ListenDatagram"], ["0.0.0.0:13", "[::]:13"])

    def activate(self, name, config):
        """Has systemd-socket-activate do for the streams of a unit what systemd would."""
        options = self.socket_options(name)
        listen = [f"--listen={address}" for address in options["ListenStream"]]
        process = self.use(harness.Process(
            ["systemd-socket-activate", *listen,
             "--fdname=" + ":".join(options["FileDescriptorName"] * len(listen)),
             ADOPTD, "-c", config]))
        wait_for("systemd-socket-activate to listen",
                 lambda: process.output().count("Listening on") == len(listen))
        return process

    @harness.need("systemd-socket-activate")
    def test_serving(self):
        with harness.listener() as backend:
            ports = {"echo": free_port(), "web": free_port(),
                     "backend": backend.getsockname()[1]}
            _, config = self.imported(self.xinetd(**ports))
            process = self.activate("echo", config)
            self.assertEqual(echo_stream(("127.0.0.1", ports["echo"])), b"hello\n")
            self.assertEqual(process.stop(), 0, process.output())
            self.activate("web", config)
            backend.settimeout(harness.BOUND)
            with connect(("127.0.0.1", ports["web"])) as client:
                client.sendall(b"question")
                client.shutdown(socket.SHUT_WR)
                server = backend.accept()[0]
                with server:
                    self.assertEqual(read_all(server), b"question")
                    server.sendall(b"answer")
                self.assertEqual(read_all(client), b"answer")

    @harness.need("systemd-socket-activate")
    @unittest.skipIf(os.geteuid(), "a program of another user needs root")
    def test_serving_by_a_program(self):
        port = free_port()
        _, config = self.imported(self.write("inetd.conf", INETD.format(echo=port)))
        self.activate(str(port), config)
        self.assertEqual(echo_stream(("127.0.0.1", port)), b"hello\n")

    def test_datagrams(self):
        port = free_port(socket.SOCK_DGRAM)
        _, config = self.imported(self.xinetd(echo=port, web=1, backend=2))
        with harness.listener(kind=socket.SOCK_DGRAM, address=("127.0.0.1", port)) as sock, \
                harness.Process([ADOPTD, "-c", config, "--fd", "echo=3"],
                                fds={3: sock.fileno()}):
            self.assertEqual(echo_datagram(("127.0.0.1", port)), b"hello\n")


def served(host):
    """What the small services answer: the same, whoever serves them."""
    answers = {"echo": echo_stream((host, 7)), "echo udp": echo_datagram((host, 7)),
               "discard": echo_stream((host, 9), b"x" * 10000)}
    with connect((host, 13)) as sock:
        answers["daytime"] = bool(re.search(rb"\d\d:\d\d:\d\d", read_all(sock)))
    with connect((host, 19)) as sock:
        answers["chargen"] = len(sock.recv(74, socket.MSG_WAITALL))
    with connect((host, 37)) as sock:
        answers["time"] = len(read_all(sock))
    return answers


class Migration(lab.Case):
    """Under a real systemd: everything that adoptctl(1) tells to do."""

    def setUp(self):
        super().setUp()
        prefix = os.path.dirname(os.path.dirname(self.lab.program))
        self.adoptctl = os.path.join(prefix, "bin/adoptctl")
        self.addCleanup(self.lab.run, "rm", "-rf", "/etc/adoptd-import")

    def move(self, *files):
        """Imports, checks and switches on. Returns what was said."""
        said = self.lab.run(self.adoptctl, "import", "-o", "/etc/adoptd-import", "--adoptd",
                            self.lab.program, *files)
        self.lab.run(self.lab.program, "--check", "-c", "/etc/adoptd-import/adoptd.conf")
        self.shell("systemd-analyze verify --man=no /etc/adoptd-import/*.socket "
                   "/etc/adoptd-import/*.service")
        self.addCleanup(self.shell, "cd /etc/adoptd-import && systemctl disable --now *.socket && "
                                    "systemctl disable --now *.service")
        self.shell("systemctl link /etc/adoptd-import/*.service")
        self.shell("systemctl enable --now /etc/adoptd-import/*.socket")
        return said

    def shell(self, command):
        return self.lab.run("/bin/sh", "-c", command)

    def answers(self, probe, unit="adoptd-imported.service"):
        try:
            return probe()
        except OSError as error:
            raise AssertionError(f"{error!r}\n{self.tell(unit)}") from None

    def test_xinetd(self):
        self.lab.write("/etc/import/xinetd.conf",
                       XINETD.format(directory="/etc/import"))
        with harness.listener() as backend:
            for name, text in XINETD_SERVICES.items():
                self.lab.write("/etc/import/xinetd.d/" + name, text.format(
                    echo=4007, web=4080, backend=backend.getsockname()[1]))
            self.move("/etc/import/xinetd.conf")
            self.assertEqual(self.answers(lambda: echo_stream(("127.0.0.1", 4007))), b"hello\n")
            self.assertEqual(self.answers(lambda: echo_datagram(("127.0.0.1", 4007))), b"hello\n")
            with connect(("127.0.0.1", 4080)) as client:
                client.sendall(b"question")
                backend.settimeout(harness.BOUND)
                with backend.accept()[0] as server:
                    self.assertEqual(server.recv(100), b"question")

    def test_inetd(self):
        self.lab.write("/etc/import/inetd.conf", INETD.format(echo=4007))
        self.move("/etc/import/inetd.conf")
        self.assertEqual(self.answers(lambda: echo_stream(("127.0.0.1", 4007)),
                                      "adoptd-imported-programs.service"), b"hello\n")
        said = self.answers(lambda: echo_datagram(("::1", 13), b"x" * 64))
        self.assertRegex(said.decode(), r"\d\d:\d\d:\d\d.*\r\n$")

    @unittest.skipUnless(os.path.exists("/usr/sbin/xinetd"), "xinetd is not installed")
    def test_shipped(self):
        """Debian's xinetd package, all its services switched on: xinetd serves, then adoptd."""
        self.shell("sed -i 's/disable.*/disable = no/' /etc/xinetd.d/*")
        self.lab.run("systemctl", "start", "xinetd")
        before = {host: wait_for("xinetd", lambda: served(host)) for host in ("127.0.0.1", "::1")}
        self.lab.run("systemctl", "stop", "xinetd")
        said = self.move("/etc/xinetd.conf")
        for host, answers in before.items():
            self.assertEqual(self.answers(lambda: served(host)), answers)
        # What it ships twice, and its own listings.
        self.assertRegex(said, r"/xinetd.d/echo-udp:\d+: warning: echo: datagram \[::\]:7 is served"
                               r" already, for /etc/xinetd.d/echo:\d+")
        self.assertRegex(said, r"/xinetd.d/services:\d+: warning: type INTERNAL: adoptd has no")


class Completion(harness.Case):
    """What bash offers behind some words."""

    def offered(self, *words):
        script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _adoptctl; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        path = os.path.join(harness.TOP_SRCDIR, "src/adoptctl/bash/adoptctl")
        code, output = harness.run(["bash", "-c", script, "bash", path, ADOPTCTL, *words])
        self.assertEqual(code, 0, output)
        return output.split()

    @harness.need("bash")
    def test_completion(self):
        # Every command of the program's own tables.
        for name in self.offered(""):
            code, output = harness.run([ADOPTCTL, name, "--help"])
            self.assertEqual(code, OK, output)
        self.assertEqual(len(self.offered("")), 11)
        self.assertEqual(self.offered("und"), ["undrain"])
        self.assertEqual(self.offered("-s", "x", "imp"), ["import"])
        self.assertEqual(self.offered("--js"), ["--json"])
        self.assertEqual(self.offered("log-level", "w"), ["warning"])
        self.assertEqual(self.offered("import", "--fo"), ["--force"])
        self.assertEqual(self.offered("give", "--on"), ["--once"])
        self.assertEqual(self.offered("import", "--from", "x"), ["xinetd"])
        os.mkdir(self.path("sub"))
        with open(self.path("some.conf"), "w", encoding="utf-8"):
            pass
        self.assertEqual(sorted(self.offered("import", self.path("s"))),
                         [self.path("some.conf"), self.path("sub")])
        self.assertEqual(self.offered("import", "-o", self.path("s")), [self.path("sub")])

    @harness.need("bash")
    def test_what_adoptd_knows(self):
        """Ports and connections of the one that runs; nothing where none does."""
        control, path = self.path("control"), self.path("echo")
        words = ("-s", control)
        self.assertEqual(self.offered(*words, "drain", ""), [])
        self.use(adoptd('control = "%s" port "web" { listen = {"unix:%s", "unix:%s"} echo {} } '
                        'port "wide" { optional = true echo {} } '
                        "port '$(touch %s) *' { optional = true echo {} }"
                        % (control, path, self.path("other"), self.path("run"))))
        wait_for("adoptd", lambda: self.offered(*words, "drain", ""))
        self.assertEqual(self.offered(*words, "drain", "w"), ["web", "wide"])
        # As bash splits --socket=PATH.
        self.assertEqual(self.offered("--socket", "=", control, "drain", "w"), ["web", "wide"])
        self.assertEqual(self.offered(*words, "undrain", "\\$"),
                         ["\\$\\(touch\\", self.path("run") + "\\)\\", "\\*"])
        self.assertEqual(self.offered(*words, "kill", ""), [])
        with connect(path) as client:
            client.sendall(b"x")
            client.recv(1)
            self.assertEqual(self.offered(*words, "kill", ""), ["1"])
        self.assertFalse(os.path.exists(self.path("run")))


if __name__ == "__main__":
    harness.main()
