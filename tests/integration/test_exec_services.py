"""Services as of inetd, with their own clients: sshd, git, rsync, tftpd, and others that
get the socket itself."""
import getpass
import os
import shutil
import socket
import unittest

import harness
from harness import adoptd, connect, echo_stream, listener, read_all, wait_for

SSHD = """
HostKey {directory}/host
AuthorizedKeysFile {directory}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
PermitRootLogin prohibit-password
"""

RSYNCD = """
use chroot = no
reverse lookup = no
[files]
path = {directory}/served
read only = no
uid = {uid}
"""

# Accepts until nobody has come for a moment.
ACCEPTS = """
import os, socket
sock = socket.socket(fileno=0)
assert sock.getblocking(), "it does not block"
sock.settimeout(0.5)
try:
    while True:
        client, _ = sock.accept()
        with client:
            client.settimeout(20)
            client.sendall(b"%d " % os.getpid() + client.recv(100))
except TimeoutError:
    pass
"""


def run_well(*argv, **how):
    code, output = harness.run(argv, **how)
    assert code == 0, f"{argv}: {code}\n{output}"
    return output


def block(*command, options=""):
    words = ", ".join('"%s"' % word.replace("\\", r"\\").replace('"', r'\"') for word in command)
    return f"exec {{ command = {{{words}}} {options} }}"


class Case(harness.Case):
    def serve(self, handler, kind=socket.SOCK_STREAM, sock=None):
        sock = sock or self.use(listener(kind=kind))
        self.daemon = self.use(adoptd('port "p" { %s }' % handler, "--fd", "p=3",
                                      fds={3: sock.fileno()}))
        return sock.getsockname()


class Clients(Case):
    """A process a client."""

    @harness.need("sshd", "ssh", "ssh-keygen")
    def test_sshd(self):
        for name in ("host", "user"):
            run_well("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name))
        with open(self.path("sshd_config"), "w", encoding="utf-8") as file:
            file.write(SSHD.format(directory=self.directory))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # its package makes it at boot only
        _, port = self.serve(block(shutil.which("sshd"), "-i", "-e", "-f",
                                   self.path("sshd_config")))
        ssh = ("ssh", "-F", "none", "-i", self.path("user"), "-p", str(port),
               "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no",
               "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1")
        self.assertEqual(run_well(*ssh, "echo $SSH_CONNECTION").split()[:1], ["127.0.0.1"])
        with open(self.path("big"), "w+", encoding="ascii") as big:
            big.write("0123456789abcde\n" * 65536)
            big.flush()
            big.seek(0)
            self.assertEqual(run_well(*ssh, "cksum", fds={0: big.fileno()}).split()[:2],
                             run_well("cksum", big.name).split()[:2])
        self.assertIn("Accepted publickey for", self.daemon.output())

    @harness.need("git")
    def test_git(self):
        env = {**os.environ, "HOME": self.directory, "GIT_CONFIG_NOSYSTEM": "1"}
        for name in ("AUTHOR", "COMMITTER"):
            env[f"GIT_{name}_NAME"], env[f"GIT_{name}_EMAIL"] = "tester", "tester@localhost"

        def git(*argv):
            return run_well("git", *argv, env=env)

        work, bare, clone = (self.path(name) for name in ("work", "bare.git", "clone"))
        git("init", "-q", work)
        for number in range(20):
            with open(f"{work}/file{number}", "wb") as file:
                file.write(os.urandom(100000))
        git("-C", work, "add", ".")
        git("-C", work, "commit", "-q", "-m", "all")
        git("clone", "-q", "--bare", work, bare)
        _, port = self.serve(block(shutil.which("git"), "daemon", "--inetd", "--export-all",
                                   "--enable=receive-pack", f"--base-path={self.directory}",
                                   options=f'environment = {{"HOME={self.directory}"}}'))
        url = f"git://127.0.0.1:{port}/bare.git"
        git("clone", "-q", url, clone)
        self.assertEqual(git("-C", clone, "rev-parse", "HEAD"), git("-C", work, "rev-parse", "HEAD"))
        with open(f"{clone}/more", "wb") as file:
            file.write(os.urandom(1 << 20))
        git("-C", clone, "add", ".")
        git("-C", clone, "commit", "-q", "-m", "more")
        git("-C", clone, "push", "-q", url, "HEAD")
        self.assertEqual(git("-C", bare, "rev-parse", "HEAD"), git("-C", clone, "rev-parse", "HEAD"))

    @harness.need("rsync")
    def test_rsync(self):
        for name in ("served", "sent"):
            os.mkdir(self.path(name))
        for number in range(50):
            with open(self.path(f"sent/{number}"), "wb") as file:
                file.write(os.urandom(50000))
        with open(self.path("rsyncd.conf"), "w", encoding="utf-8") as file:
            file.write(RSYNCD.format(directory=self.directory, uid=os.geteuid()))
        _, port = self.serve(block(shutil.which("rsync"), "--daemon", "--config",
                                   self.path("rsyncd.conf")))
        url = f"rsync://127.0.0.1:{port}/files/"
        run_well("rsync", "-a", self.path("sent") + "/", url)
        run_well("rsync", "-a", url, self.path("back") + "/")
        run_well("diff", "-r", self.path("sent"), self.path("back"))


class Sockets(Case):
    """A process for the socket itself."""

    def pid_of(self, address):
        return int(echo_stream(address).split()[0])

    def test_listener(self):
        """One process for all who come, and another one later."""
        sock = self.use(listener())
        address = self.serve(block(shutil.which("python3"), "-c", ACCEPTS, options="wait = true"),
                             sock=sock)
        clients = [self.use(connect(address)) for _ in range(5)]
        for client in clients:
            client.sendall(b"x")
        [pid] = {int(read_all(client).split()[0]) for client in clients}
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
        self.assertNotEqual(self.pid_of(address), pid)
        self.assertNotIn("without taking", self.daemon.output())
        self.assertEqual(self.daemon.stop(), 0, self.daemon.output())
        with connect(address), sock.accept()[0]:
            pass

    def test_several_workers(self):
        """Whoever looks, there is one process."""
        sock = self.use(listener())
        self.daemon = self.use(adoptd(
            'workers = 4 port "p" { %s }' % block(shutil.which("python3"), "-c", ACCEPTS,
                                                  options="wait = true"),
            "--fd", "p=3", fds={3: sock.fileno()}))
        clients = [self.use(connect(sock.getsockname())) for _ in range(20)]
        for client in clients:
            client.sendall(b"x")
        self.assertEqual(len({read_all(client).split()[0] for client in clients}), 1)

    @unittest.skipUnless(os.geteuid() == 0, "not root: the server wants a user of its own")
    @unittest.skipUnless(os.path.exists("/usr/sbin/in.tftpd"), "not installed: tftpd-hpa")
    @harness.need("curl")
    def test_tftpd(self):
        """It waits for datagrams, and ends when none have come for a second."""
        os.chmod(self.directory, 0o755)
        with open(self.path("file"), "wb") as file:
            file.write(os.urandom(100000))
        os.chmod(self.path("file"), 0o644)
        _, port = self.serve(block("/usr/sbin/in.tftpd", "-t", "1", "-u", "nobody", "-s",
                                   self.directory, options="wait = true"), socket.SOCK_DGRAM)
        for number in range(2):
            run_well("curl", "-s", "-S", "-o", self.path(f"got{number}"),
                     f"tftp://127.0.0.1:{port}/file")
            run_well("cmp", self.path("file"), self.path(f"got{number}"))
            wait_for("its end", lambda: not harness.children(self.daemon.pid))
        self.assertNotIn("without taking", self.daemon.output())

    def test_nobody_takes_it(self):
        """No tight loop, and a line in the log."""
        address = self.serve(block("/bin/true", options="wait = true"), socket.SOCK_DGRAM)
        with connect(address, socket.SOCK_DGRAM) as client:
            client.send(b"x")
            wait_for("the log", lambda: "without taking what waits" in self.daemon.output())
            self.assertLess(self.daemon.cpu_share(), 0.1)
        self.assertEqual(self.daemon.output().count("without taking what waits"), 1)

    def test_connection_is_refused(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            code, output = harness.run(
                [harness.ADOPTD, "-e", 'port "p" { %s }' % block("/bin/cat",
                                                                 options="wait = true"),
                 "--fd", "p=5"], fds={5: theirs.fileno()})
        self.assertEqual(code, 78)
        self.assertIn("its handler has `wait`, and takes the listening socket", output)

    def test_datagrams_need_it(self):
        with listener(kind=socket.SOCK_DGRAM) as sock:
            code, output = harness.run([harness.ADOPTD, "-e", 'port "p" { %s }' % block("/bin/cat"),
                                        "--fd", "p=5"], fds={5: sock.fileno()})
        self.assertEqual(code, 78)
        self.assertIn("its handler serves datagrams only with `wait = true`", output)


if __name__ == "__main__":
    harness.main()
