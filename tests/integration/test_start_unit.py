"""start-unit under a real systemd: the first client starts the server behind the proxy."""
import concurrent.futures

import harness
import lab
from harness import connect, echo_datagram, echo_stream, wait_for

SOCKET = """[Socket]
FileDescriptorName=front
{listen}
"""
# A server that takes its time: it listens a second after it was started.
SERVER = """[Service]
ExecStartPre=/bin/sleep 1
ExecStart={program} -e 'port "back" {{ listen = {{"127.0.0.1:7001", "udp:127.0.0.1:7001"}} echo {{}} }}'
"""
CONFIG = ('port "front" {{ proxy {{ upstream = {{"127.0.0.1:7001"}} start-unit = "{unit}" '
          'connect-timeout = {timeout} }} }}\n')


class StartUnit(lab.Case):
    def start(self, listen, unit="back.service", timeout="60s", drop_in="[Service]\nDynamicUser=no\n"):
        write = self.lab.write
        write(f"{self.lab.configs}/front.conf", CONFIG.format(unit=unit, timeout=timeout))
        write("/etc/systemd/system/adoptd@front.service.d/user.conf", drop_in)
        write("/etc/systemd/system/back.service", SERVER.format(program=self.lab.program))
        self.lab.add_unit("adoptd@front.socket", SOCKET.format(listen=listen))
        self.addCleanup(self.lab.run, "systemctl", "stop", "adoptd@front.socket",
                        "adoptd@front.service", "back.service")
        self.lab.run("systemctl", "start", "adoptd@front.socket")

    def said(self, text):
        self.lab.run("journalctl", "--sync")
        return self.lab.run("journalctl", "-u", "adoptd@front", "--no-pager").count(text)

    def test_first_of_many_clients(self):
        self.start("ListenStream=127.0.0.1:7000")
        before = self.said("back.service is being started")
        with concurrent.futures.ThreadPoolExecutor(20) as pool, self.lab.network():
            sockets = [self.use(connect(("127.0.0.1", 7000))) for _ in range(20)]
            for client in sockets:
                client.sendall(b"hello\n")
            for answer in pool.map(lambda client: client.recv(100), sockets):
                self.assertEqual(answer, b"hello\n")
        self.assertEqual(self.lab.show("back.service", "ActiveState"), ["active"])
        self.assertEqual(self.said("back.service is being started"), before + 1)

    def test_once_for_streams_and_datagrams(self):
        self.start("ListenStream=127.0.0.1:7000\nListenDatagram=127.0.0.1:7000")
        before = self.said("back.service is being started")
        self.assertEqual(echo_datagram(("127.0.0.1", 7000)), b"hello\n")
        self.assertEqual(echo_stream(("127.0.0.1", 7000)), b"hello\n")
        self.assertEqual(self.said("back.service is being started"), before + 1)

    def test_again_after_it_has_ended(self):
        self.start("ListenStream=127.0.0.1:7000")
        for _ in range(2):
            self.assertEqual(echo_stream(("127.0.0.1", 7000)), b"hello\n")
            self.lab.run("systemctl", "stop", "back.service")

    def test_first_datagram(self):
        self.start("ListenDatagram=127.0.0.1:7000")
        self.assertEqual(echo_datagram(("127.0.0.1", 7000), b"once\n"), b"once\n")

    def test_no_such_unit(self):
        self.start("ListenStream=127.0.0.1:7000", unit="nowhere.service", timeout="1s")
        with connect(("127.0.0.1", 7000)) as client:
            with self.assertRaises(ConnectionResetError):
                client.recv(1)
        wait_for("the log", lambda: self.said("nowhere.service cannot be started: "
                                              "Unit nowhere.service not found."))

    def test_user_without_the_right(self):
        """The bus or its policy refuses: it is told, and the proxy goes on."""
        self.start("ListenStream=127.0.0.1:7000", timeout="1s", drop_in="")
        with connect(("127.0.0.1", 7000)) as client:
            with self.assertRaises(ConnectionResetError):
                client.recv(1)
        wait_for("the log", lambda: self.said("back.service cannot be started: "))
        self.lab.run("systemctl", "start", "back.service")
        self.assertEqual(echo_stream(("127.0.0.1", 7000)), b"hello\n")

    def test_user_manager(self):
        """A unit of the user's asks the user's manager."""
        self.lab.run("systemctl", "start", "user@0.service")
        run = ("env", "XDG_RUNTIME_DIR=/run/user/0", "systemd-run", "--user", "--quiet")
        self.lab.write("/root/.config/systemd/user/back.service",
                       SERVER.format(program=self.lab.program))
        self.lab.run("env", "XDG_RUNTIME_DIR=/run/user/0", "systemctl", "--user", "daemon-reload")
        config = CONFIG.format(unit="back.service", timeout="60s").replace(
            '"front" {', '"front" { listen = {"127.0.0.1:7000"}')
        self.lab.run(*run, "--unit=front", self.lab.program, "-e", config)
        wait_for("the proxy", lambda: connect(("127.0.0.1", 7000))).close()
        self.assertEqual(echo_stream(("127.0.0.1", 7000)), b"hello\n")
        self.lab.run("systemctl", "stop", "user@0.service")


class WithoutSystemd(harness.Case):
    def test_is_a_fault(self):
        code, output = harness.run([harness.ADOPTD, "--check", "-e",
                                    CONFIG.format(unit="back.service", timeout="1s")])
        if "systemd does not run here" not in output:
            self.skipTest("systemd runs here")
        self.assertEqual(code, 78)
        self.assertIn("start-unit", output)


if __name__ == "__main__":
    harness.main()
