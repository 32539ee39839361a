"""Hand-over and restart under a real systemd: MAINPID, the watchdog, the descriptor store."""
import contextlib
import json
import os
import threading

import harness
import lab
from harness import connect, echo_stream, wait_for

SERVICE = "own.service"
ECHO, OWN = 4107, 4108
PATH = "/run/own"

SOCKET = """[Socket]
ListenStream=127.0.0.1:%d
ListenDatagram=127.0.0.1:%d
FileDescriptorName=echo
Service=%s
""" % (ECHO, ECHO, SERVICE)

UNIT = """[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart=%s -c /etc/own.conf
Restart=on-failure
RestartSec=0
%s
"""

INHERITED = 'port "echo" { echo {} }\n'
OPENED = 'port "own" { listen = {"127.0.0.1:%d", "udp:127.0.0.1:%d", "unix:%s"} echo {} }\n' % (
    OWN, OWN, PATH)


class Takeover(lab.Case):
    def begin(self, config, more="", *, socket=True):
        self.lab.write("/etc/own.conf", config)
        if socket:
            self.lab.write("/etc/systemd/system/own.socket", SOCKET)
        self.lab.add_unit(SERVICE, UNIT % (self.lab.program, more))
        units = [SERVICE] + ["own.socket"] * socket
        self.addCleanup(self.lab.run, "systemctl", "reset-failed", check=False)
        self.addCleanup(self.lab.run, "systemctl", "stop", *units)
        if socket:
            self.lab.run("systemctl", "start", "own.socket")
        self.lab.run("systemctl", "start", SERVICE)

    def main_pid(self):
        return int(self.lab.show(SERVICE, "MainPID")[0])

    def ask_to_hand_over(self):
        self.lab.run("systemctl", "kill", "--kill-whom=main", "-s", "USR2", SERVICE)

    def hand_over(self):
        before = self.main_pid()
        self.ask_to_hand_over()
        wait_for("the new one", lambda: self.main_pid() not in (0, before))
        return before

    def journal(self):
        """What was said of the unit, by itself and by systemd, since it was started."""
        self.lab.run("journalctl", "--sync")
        invocation, = self.lab.show(SERVICE, "InvocationID")
        entries = [json.loads(line) for line in self.lab.run(
            "journalctl", "-o", "json", "_SYSTEMD_INVOCATION_ID=" + invocation, "+",
            "INVOCATION_ID=" + invocation).splitlines()]
        return [entry["MESSAGE"] for entry in entries if isinstance(entry["MESSAGE"], str)]

    def assert_well(self):
        self.assertEqual(self.lab.show(SERVICE, "ActiveState", "SubState", "Result", "NRestarts"),
                         ["active", "running", "success", "0"], self.tell(SERVICE))

    def processes(self):
        """How many adoptds there are: each has one who starts the next."""
        group, = self.lab.show(SERVICE, "ControlGroup")
        with open(self.lab.path(f"/sys/fs/cgroup{group}/cgroup.procs"), encoding="ascii") as procs:
            return len(procs.read().split()) / 2

    # --- handing over ---

    def test_main_pid(self):
        """systemd follows, from one to the next, and hears of nothing that it refuses."""
        self.begin(INHERITED + OPENED)
        with connect(("127.0.0.1", ECHO)) as sock:
            for word in (b"one", b"two", b"three"):
                self.hand_over()
                self.assert_well()
                sock.sendall(word)
                self.assertEqual(sock.recv(10), word)
                self.assertEqual(echo_stream(("127.0.0.1", OWN)), b"hello\n")
                self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")
            self.assertEqual(self.processes(), 2)
        wait_for("the old ones to end", lambda: self.processes() == 1)
        self.assert_well()
        wait_for("its status", lambda: self.lab.show(SERVICE, "StatusText")[0].startswith("Serving"))
        said = "\n".join(self.journal())
        for trouble in ("only permitted", "not our child", "refus", "not belong"):
            self.assertNotIn(trouble, said)
        self.lab.run("systemctl", "stop", SERVICE)
        self.assertEqual(self.lab.show(SERVICE, "ActiveState", "Result"), ["inactive", "success"])

    def test_killed_after_it(self):
        """systemd watches the new one as it did the old one."""
        self.begin(INHERITED)
        self.hand_over()
        self.lab.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", SERVICE)
        wait_for("a restart", lambda: self.lab.show(SERVICE, "NRestarts")[0] == "1")
        self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")

    def test_watchdog(self):
        """It is fed by whoever is the service."""
        self.begin(INHERITED, "WatchdogSec=2s")
        for _ in range(2):
            self.hand_over()
            for _ in range(2):
                last, = self.lab.show(SERVICE, "WatchdogTimestampMonotonic")
                wait_for("the watchdog's food",
                         lambda: self.lab.show(SERVICE, "WatchdogTimestampMonotonic") != [last])
        self.assert_well()
        self.assertNotIn("only permitted", "\n".join(self.journal()))

    def test_failure(self):
        """Nothing changes, and the status says so."""
        self.begin(INHERITED)
        pid = self.main_pid()
        self.lab.write("/etc/own.conf", 'port "echo" { ecko {} }')
        self.ask_to_hand_over()
        wait_for("its status", lambda: "failed" in self.lab.show(SERVICE, "StatusText")[0])
        self.assertEqual(self.main_pid(), pid)
        self.assert_well()
        self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")
        self.assertNotIn("only permitted", "\n".join(self.journal()))
        self.lab.write("/etc/own.conf", INHERITED)
        self.hand_over()
        self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")

    def test_without_notify(self):
        """systemd would take the old one's end for the service's."""
        self.begin(INHERITED, "Type=simple")
        pid = self.main_pid()
        # It is started before it is ready.
        self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")
        self.ask_to_hand_over()
        wait_for("its refusal", lambda: any("needs Type=notify" in text for text in self.journal()))
        self.assertEqual(self.main_pid(), pid)
        self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")

    def test_stop_while_draining(self):
        """Stopping means all of the service: it takes as long as the old one drains."""
        self.begin(INHERITED)
        with connect(("127.0.0.1", ECHO)) as sock:
            sock.sendall(b"x")
            self.assertEqual(sock.recv(1), b"x")
            self.hand_over()
            self.lab.run("systemctl", "stop", "--no-block", SERVICE)
            wait_for("its turn", lambda: any("draining since the hand-over" in text
                                             for text in self.journal()))
            sock.sendall(b"y")
            self.assertEqual(sock.recv(1), b"y")
        wait_for("the end", lambda: self.lab.show(SERVICE, "ActiveState", "Result") ==
                 ["inactive", "success"])

    # --- the descriptor store ---

    STORE = "FileDescriptorStoreMax=16"

    def stored(self):
        return int(self.lab.show(SERVICE, "NFileDescriptorStore")[0])

    @contextlib.contextmanager
    def nobody_there(self, *command):
        """Runs a command that starts the service again, and has nobody there meanwhile."""
        os.mkfifo(self.lab.path("/run/gate"))
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        path = self.lab.path("/run/gate")
        self.lab.add_unit(SERVICE + ".d/gate.conf",
                          "[Service]\nExecStartPre=/bin/sh -c 'read line </run/gate'\n")
        restart = threading.Thread(target=self.lab.run, args=command)
        restart.start()
        try:
            wait_for("its start", lambda: self.lab.show(SERVICE, "SubState") == ["start-pre"])
            yield
        finally:
            with open(path, "w", encoding="ascii") as gate:
                gate.write("\n")
            restart.join()
            os.unlink(path)
            self.lab.add_unit(SERVICE + ".d/gate.conf", "")
        wait_for("the service", lambda: self.lab.show(SERVICE, "SubState") == ["running"])

    def waits_meanwhile(self, *command):
        """Who comes while there is no adoptd is served by the next one."""
        addresses = (("127.0.0.1", OWN), self.lab.path(PATH))
        with contextlib.ExitStack() as stack:
            with self.nobody_there(*command):
                clients = [stack.enter_context(connect(address)) for address in addresses]
                for client in clients:
                    client.sendall(b"hello")
                datagrams = stack.enter_context(connect(("127.0.0.1", OWN),
                                                        harness.socket.SOCK_DGRAM))
                datagrams.send(b"hello")
            for client in [*clients, datagrams]:
                self.assertEqual(client.recv(10), b"hello", self.tell(SERVICE))

    def test_restart(self):
        self.begin(OPENED, self.STORE, socket=False)
        self.assertEqual(self.stored(), 3)
        inode = os.stat(self.lab.path(PATH)).st_ino
        for _ in range(2):
            self.waits_meanwhile("systemctl", "restart", SERVICE)
            self.assertEqual(self.stored(), 3)
            self.assertEqual(os.stat(self.lab.path(PATH)).st_ino, inode)

    def test_crash(self):
        self.begin(OPENED, self.STORE, socket=False)
        self.waits_meanwhile("systemctl", "kill", "-s", "KILL", SERVICE)
        self.assertEqual(self.stored(), 3)

    def test_store_with_others(self):
        """What is stored is no descriptor for a port block, nor for `*`."""
        self.begin('port "*" { echo {} }\n' + OPENED, self.STORE)
        for _ in range(2):
            self.assertEqual(self.stored(), 3)
            self.assertEqual(echo_stream(("127.0.0.1", OWN)), b"hello\n")
            self.assertEqual(echo_stream(("127.0.0.1", ECHO)), b"hello\n")
            self.lab.run("systemctl", "restart", SERVICE)

    def test_store_follows(self):
        """Through reloads, hand-overs and restarts: what is not listened on is not kept."""
        self.begin(OPENED, self.STORE, socket=False)
        less = 'port "own" { listen = {"127.0.0.1:%d"} echo {} }\n' % OWN

        def reload():
            self.lab.run("systemctl", "kill", "--kill-whom=main", "-s", "HUP", SERVICE)

        for change in (reload, self.hand_over, lambda: self.lab.run("systemctl", "restart", SERVICE)):
            for config, count in ((less, 1), (OPENED, 3)):
                self.lab.write("/etc/own.conf", config)
                change()
                wait_for(f"{count} stored", lambda: self.stored() == count)
                self.assertEqual(os.path.exists(self.lab.path(PATH)), count == 3)
                self.assertEqual(echo_stream(("127.0.0.1", OWN)), b"hello\n")

    def test_stop_and_start(self):
        """Stopping gives up what was stored; what is left of it is no hindrance."""
        self.begin(OPENED, self.STORE, socket=False)
        self.lab.run("systemctl", "stop", SERVICE)
        with self.assertRaises(ConnectionRefusedError):
            connect(("127.0.0.1", OWN))
        self.lab.run("systemctl", "start", SERVICE)
        self.assertEqual(self.stored(), 3)
        self.assertEqual(echo_stream(self.lab.path(PATH)), b"hello\n")

    def test_path_that_is_gone(self):
        """A stored socket that nobody can reach is not taken for the address."""
        self.begin(OPENED, self.STORE, socket=False)
        os.unlink(self.lab.path(PATH))
        self.lab.run("systemctl", "restart", SERVICE)
        self.assertEqual(echo_stream(self.lab.path(PATH)), b"hello\n")
        wait_for("the store", lambda: self.stored() == 3)

    def test_fault_keeps_the_store(self):
        """A start that fails loses nobody who waits."""
        self.begin(OPENED, self.STORE, socket=False)
        self.lab.write("/etc/own.conf", 'port "own" { ecko {} }')
        self.lab.run("systemctl", "restart", SERVICE, check=False)
        with connect(("127.0.0.1", OWN)) as client, connect(self.lab.path(PATH)) as other:
            client.sendall(b"hello")
            other.sendall(b"hello")
            wait_for("two starts", lambda: int(self.lab.show(SERVICE, "NRestarts")[0]) >= 2)
            self.lab.write("/etc/own.conf", OPENED)
            self.assertEqual(client.recv(10), b"hello", self.tell(SERVICE))
            self.assertEqual(other.recv(10), b"hello")


if __name__ == "__main__":
    harness.main()
