"""The sandbox of the running daemon: what is given up, and how more is had again."""
import ctypes.util
import os
import signal
import unittest

import harness
import lab
from harness import children, connect, echo_stream, listener, wait_for

ECHO = 'port "a" { echo {} }'
PROXY = 'port "a" { proxy { upstream = {"127.0.0.1:%d"} } }'


def status(pid):
    """What /proc tells of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


need_seccomp = unittest.skipIf(ctypes.util.find_library("seccomp") is None, "no libseccomp here")


@need_seccomp
@harness.need_proc
class Sandbox(harness.Case):
    def start(self, config, *options):
        self.sock = self.use(listener())
        self.write(config)
        process = self.use(harness.Process([harness.ADOPTD, "-c", self.path("conf"), "--fd", "a=3",
                                            *options], fds={3: self.sock.fileno()}))
        self.assertEqual(self.ask(), b"hello\n", process.output())
        return process

    def write(self, config):
        with open(self.path("conf"), "w", encoding="utf-8") as file:
            file.write("log-level = debug\n" + config)

    def ask(self):
        return echo_stream(self.sock.getsockname())

    def reload(self, process, config, outcome):
        self.write(config)
        process.popen.send_signal(signal.SIGHUP)
        wait_for(outcome, lambda: outcome in process.output())

    def backend(self):
        return self.use(harness.adoptd(
            'port "b" { listen = {"127.0.0.1:%d"} echo {} }' % (port := harness.free_port()))), port

    # --- what is given up ---

    def test_every_thread(self):
        process = self.start("workers = 3\n" + ECHO)
        threads = os.listdir(f"/proc/{process.pid}/task")
        self.assertGreaterEqual(len(threads), 3)
        for thread in threads:
            of_thread = status(f"{process.pid}/task/{thread}")
            self.assertEqual(of_thread["NoNewPrivs"], "1")
            self.assertEqual(of_thread["Seccomp"], "2")
            # CAP_DAC_READ_SEARCH: a reload reads what may be another's.
            self.assertIn(int(of_thread["CapPrm"], 16), (0, 1 << 2))
            self.assertEqual(of_thread["CapEff"], of_thread["CapPrm"])
        self.assertEqual(process.stop(), 0, process.output())

    def test_no(self):
        process = self.start("sandbox = no\n" + ECHO)
        self.assertEqual(status(process.pid)["NoNewPrivs"], status("self")["NoNewPrivs"])
        self.assertEqual(children(process.pid), [])

    def test_programs(self):
        """They are as free as they are without, and so is adoptd; unless it is strict."""
        for word, given_up in (("yes", status("self")["NoNewPrivs"]), ("strict", "1")):
            with self.subTest(word):
                process = self.start(f"sandbox = {word}\n"
                                     'port "a" { exec { command = {"/bin/cat", "-u"} } }')
                self.assertEqual(status(process.pid)["NoNewPrivs"], given_up)
                self.assertEqual(process.stop(), 0, process.output())

    # --- more than that ---

    def test_reload_that_needs_more(self):
        """It is refused, with the line that needs it; a hand-over has it."""
        process = self.start(ECHO)
        _, port = self.backend()
        self.reload(process, PROXY % port, "reloading failed")
        self.assertIn(f'{self.path("conf")}:2: port "a" connects to others, which the sandbox does '
                      "not allow since the start: hand over (SIGUSR2) or restart",
                      process.output())
        self.assertEqual(self.ask(), b"hello\n")
        process.popen.send_signal(signal.SIGUSR2)
        self.assertEqual(process.wait(), 0, process.output())
        self.assertIn("has taken over", process.output())
        pid = int(process.output().split(" has taken over")[0].rsplit(" ", 1)[1])
        self.addCleanup(os.kill, pid, signal.SIGTERM)
        self.assertEqual(self.ask(), b"hello\n")
        self.assertEqual(status(pid)["Seccomp"], "2")

    def test_reload_that_needs_less(self):
        _, port = self.backend()
        process = self.start(PROXY % port)
        for config in (ECHO, PROXY % port):
            said = process.output().count("reloaded")
            self.write(config)
            process.popen.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: process.output().count("reloaded") > said)
            self.assertEqual(self.ask(), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_reload_to_names(self):
        """What looks them up is loaded when they are there, and not before."""
        _, port = self.backend()
        for word in ("yes", "strict"):
            with self.subTest(word):
                process = self.start(f"sandbox = {word}\n" + PROXY % port)
                with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
                    self.assertNotIn("libcares", maps.read())
                self.reload(process, f"sandbox = {word}\n" +
                            'port "a" { proxy { upstream = {"localhost:%d"} } }' % port,
                            "reloaded")
                self.assertEqual(self.ask(), b"hello\n", process.output())
                self.assertEqual(process.stop(), 0, process.output())

    def test_strict_has_no_hand_over(self):
        process = self.start("sandbox = strict\n" + ECHO)
        self.assertEqual(children(process.pid), [])
        process.popen.send_signal(signal.SIGUSR2)
        wait_for("the answer", lambda: "not handing over: the sandbox is strict" in process.output())
        self.assertEqual(self.ask(), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    # --- who starts the next ---

    def test_starter_holds_nothing(self):
        process = self.start(ECHO)
        starter, = children(process.pid)
        # It has its turn when the processor has one for it.
        wait_for("one descriptor", lambda: len({int(fd) for fd in os.listdir(
            f"/proc/{starter}/fd")} - {0, 1, 2}) == 1)
        self.assertEqual(process.stop(), 0, process.output())
        self.assertFalse(os.path.exists(f"/proc/{starter}"))

    def test_starter_is_of_no_use(self):
        """Who has started adoptd ends it with its first process: there is no second one."""
        self.sock = self.use(listener())
        self.write('port "*" { echo {} }')
        announced = dict(os.environ, SERVER_STARTER_PORT="127.0.0.1:%d=3" % self.sock.getsockname()[1])
        process = self.use(harness.Process([harness.ADOPTD, "-c", self.path("conf")], env=announced,
                                           fds={3: self.sock.fileno()}))
        self.assertEqual(self.ask(), b"hello\n", process.output())
        self.assertEqual(children(process.pid), [])
        self.assertEqual(status(process.pid)["Seccomp"], "2")
        self.assertEqual(process.stop(), 0, process.output())

    def test_starter_ends_with_a_killed_one(self):
        process = self.start(ECHO)
        starter, = children(process.pid)
        process.stop(signal.SIGKILL)
        wait_for("its end", lambda: not os.path.exists(f"/proc/{starter}") or
                 status(starter)["State"].startswith("Z"))

    def test_starter_is_killed(self):
        """There is no hand-over then, and the rest goes on."""
        process = self.start(ECHO)
        starter, = children(process.pid)
        os.kill(starter, signal.SIGKILL)
        wait_for("its end", lambda: status(starter)["State"].startswith("Z"))
        process.popen.send_signal(signal.SIGUSR2)
        wait_for("the answer", lambda: "handing over failed, this adoptd goes on" in process.output())
        process.popen.send_signal(signal.SIGUSR2)
        wait_for("the next one", lambda: "not handing over: the process that would start a new "
                 "adoptd is missing; restart" in process.output())
        self.assertEqual(self.ask(), b"hello\n")
        self.assertEqual(process.stop(), 0, process.output())

    def test_starter_is_stopped(self):
        """The end of adoptd does not wait for it."""
        process = self.start(ECHO)
        starter, = children(process.pid)
        os.kill(starter, signal.SIGSTOP)
        wait_for("the stop", lambda: status(starter)["State"].startswith("T"))
        self.assertEqual(process.stop(), 0, process.output())
        self.assertFalse(os.path.exists(f"/proc/{starter}"))

    def test_files_are_replaced(self):
        """As editors do it; and the directory of an include may fill later."""
        os.mkdir(self.path("conf.d"))
        process = self.start('include("conf.d/*.conf")\n' + ECHO)
        with open(self.path("new"), "w", encoding="utf-8") as file:
            file.write('log-level = debug\ninclude("conf.d/*.conf")\n'
                       'port "a" { reject { message = "new" } }')
        with open(self.path("conf.d/one.conf"), "w", encoding="utf-8") as file:
            file.write("drain-timeout = 1s\n")
        os.rename(self.path("new"), self.path("conf"))
        process.popen.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "adoptd: reloaded" in process.output())
        with connect(self.sock.getsockname()) as client:
            self.assertEqual(harness.read_all(client), b"new")
        self.assertEqual(process.stop(), 0, process.output())


@need_seccomp
class Unit(lab.Case):
    def test_in_the_unit(self):
        """What systemd leaves to it suffices for its own."""
        self.lab.write(f"{self.lab.configs}/boxed.conf",
                       'log-level = debug\nport "web" { echo {} }\n')
        self.lab.add_unit("adoptd@boxed.socket",
                          "[Socket]\nFileDescriptorName=web\nListenStream=127.0.0.1:7080\n")
        self.addCleanup(self.lab.run, "systemctl", "stop", "adoptd@boxed.socket",
                        "adoptd@boxed.service")
        self.lab.run("systemctl", "start", "adoptd@boxed.socket")
        with self.lab.network():
            self.assertEqual(echo_stream(("127.0.0.1", 7080)), b"hello\n")
        self.lab.run("journalctl", "--sync")
        said = self.lab.run("journalctl", "-u", "adoptd@boxed", "--no-pager")
        self.assertIn("sandbox: seccomp", said)
        self.assertIn("sandbox: Landlock", said)
        self.assertNotIn("sandbox: without", said)


if __name__ == "__main__":
    harness.main()
