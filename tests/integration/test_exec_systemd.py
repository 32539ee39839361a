"""The shipped unit for programs, under a real systemd: sandbox, users, and its end."""
import json

import harness
import lab
from harness import connect, read_all, wait_for

SOCKET = """[Socket]
FileDescriptorName=slow
ListenStream=127.0.0.1:7000
"""
SLOW = 'port "slow" { exec { command = {"/bin/sh", "-c", "%s"} %s } }\n'


class Exec(lab.Case):
    def start(self, instance):
        socket = f"adoptd-exec@{instance}.socket"
        self.lab.run("systemctl", "start", socket)
        self.addCleanup(self.lab.run, "systemctl", "stop", socket, f"adoptd-exec@{instance}.service")

    def start_slow(self, script, options="", globals_="", drop_in=""):
        self.lab.write(f"{self.lab.configs}/slow.conf", globals_ + SLOW % (script, options))
        self.lab.write("/etc/systemd/system/adoptd-exec@slow.service.d/test.conf", drop_in)
        self.lab.add_unit("adoptd-exec@slow.socket", SOCKET)
        self.start("slow")

    def connect(self, instance="slow", port=7000):
        try:
            return self.use(connect(("127.0.0.1", port)))
        except OSError as error:
            raise AssertionError(f"{error!r}\n{self.tell(f'adoptd-exec@{instance}')}") from None

    @harness.need("git")
    def test_git(self):
        """As it is shipped: somebody's repository is cloned by nobody's process."""
        self.lab.run("sh", "-ec", """
            export HOME=/root
            git init -q /root/work
            echo content >/root/work/file
            git -C /root/work add file
            git -C /root/work -c user.name=x -c user.email=x@localhost commit -q -m first
            mkdir -p /srv/git
            git clone -q --bare /root/work /srv/git/x.git
            touch /srv/git/x.git/git-daemon-export-ok
            chmod -R a+rX /srv/git
        """)
        self.start("git")
        for host in ("127.0.0.1", "[::1]"):
            said = self.lab.run("sh", "-c", f"cd /tmp && rm -rf x && "
                                f"HOME=/root git clone -q git://{host}/x.git && cat x/file",
                                check=False)
            self.assertEqual(said, "content\n", self.tell("adoptd-exec@git"))

    def test_sandbox(self):
        self.start_slow("id -u; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; "
                        "touch /etc/x /usr/x 2>&1 || echo no; ls /home /root 2>&1 || echo no")
        uid, *said = read_all(self.connect()).decode().splitlines()
        # systemd.exec(5): the dynamic users.
        self.assertIn(int(uid), range(61184, 65520))
        self.assertIn("CapBnd:\t0000000000000000", said)
        self.assertIn("NoNewPrivs:\t1", said)
        self.assertIn("Seccomp:\t2", said)
        self.assertEqual(said.count("no"), 2, said)

    def test_stop_lets_programs_finish(self):
        self.start_slow("echo ready; read a; echo $a")
        client = self.connect()
        self.assertEqual(client.recv(100), b"ready\n")
        self.lab.run("systemctl", "stop", "--no-block", "adoptd-exec@slow.service")
        wait_for("the drain", lambda: self.lab.show("adoptd-exec@slow.service", "ActiveState") ==
                 ["deactivating"])
        client.sendall(b"finished\n")
        self.assertEqual(read_all(client), b"finished\n")
        wait_for("the end", lambda: self.lab.show("adoptd-exec@slow.service", "ActiveState",
                                                  "Result") == ["inactive", "success"])

    def test_nothing_is_left(self):
        """What outlives the drain-timeout, its whole group deaf to being asked."""
        self.start_slow("trap '' TERM; echo ready; sleep 1000 & sleep 1000",
                        globals_="drain-timeout = 500ms\n")
        client = self.connect()
        self.assertEqual(client.recv(100), b"ready\n")
        self.lab.run("systemctl", "stop", "adoptd-exec@slow.service")
        self.assertEqual(read_all(client), b"")
        self.assertEqual(self.lab.run("pgrep", "-x", "sleep", check=False), "")

    def test_users(self):
        """What the unit says a block's own user needs."""
        self.start_slow("id -un; sleep 1000", "user = daemon timeout = 500ms",
                        drop_in="[Service]\nDynamicUser=no\nPrivateUsers=no\n"
                                "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL\n")
        self.assertEqual(read_all(self.connect()), b"daemon\n")

    def test_stderr_in_the_journal(self):
        self.start_slow("echo lost and found >&2")
        read_all(self.connect())

        def entry():
            self.lab.run("journalctl", "--sync")
            text = self.lab.run("journalctl", "-o", "json", "-t", "adoptd", "-u",
                                "adoptd-exec@slow", "--no-pager")
            return [found for found in map(json.loads, text.splitlines())
                    if "lost and found" in found["MESSAGE"]]

        [found] = wait_for("the journal", entry)
        self.assertRegex(found["MESSAGE"], r"^exec: sh\[\d+\]: lost and found$")
        self.assertEqual(found["PRIORITY"], "5")


if __name__ == "__main__":
    harness.main()
