"""The log: JSON with the access log's fields, and repeats told as a number."""
import json
import re
import signal

import harness
from harness import adoptd, echo_stream, free_port, wait_for


class Json(harness.Case):
    def test_every_line_is_an_object(self):
        port = free_port()
        config = f"""log-format = json access-log = true
            port "a \\"b\\"" {{ listen = {{"127.0.0.1:{port}"}} echo {{}} }}"""
        with adoptd(config) as daemon:
            wait_for("the port", lambda: echo_stream(("127.0.0.1", port)) == b"hello\n")
            wait_for("its access line", lambda: '"access"' in daemon.output())
            self.assertEqual(daemon.stop(), 0)
            lines = [json.loads(line) for line in daemon.output().splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual(line["level"], "info")
        self.assertEqual(lines[0]["message"],
                         f'port "a "b"": echo on 127.0.0.1:{port}, from listen')
        access = next(line for line in lines if line["message"] == "access")
        self.assertGreaterEqual(access.pop("ms"), 0)
        self.assertRegex(access.pop("peer"), r"^127\.0\.0\.1:\d+$")
        del access["time"]
        self.assertEqual(access, {"level": "info", "message": "access", "port": 'a "b"',
                                  "route": 0, "handler": "echo", "received": 6, "sent": 6,
                                  "end": "closed"})

    def test_reload_changes_the_format(self):
        path = self.path("adoptd.conf")
        port = free_port()

        def write(form):
            with open(path, "w", encoding="ascii") as config:
                config.write(f'log-format = {form} port a {{ listen = {{"127.0.0.1:{port}"}} '
                             "echo {} }")

        write("text")
        with harness.Process([harness.ADOPTD, "-c", path]) as daemon:
            wait_for("the start", lambda: "adoptd: port" in daemon.output())
            write("json")
            daemon.popen.send_signal(signal.SIGHUP)
            line = wait_for("the reload", lambda: re.search(r"^\{.*reloaded.*\}$",
                                                            daemon.output(), re.M))
            self.assertEqual(json.loads(line[0])["message"], "reloaded")
            self.assertEqual(daemon.stop(), 0)


class Repeats(harness.Case):
    CONFIG = 'workers = 2 port a { listen = {"unix:%s"} echo {} }'

    def test_told_as_a_number(self):
        with adoptd(self.CONFIG % self.path("socket")) as daemon:
            wait_for("the start", lambda: "from listen" in daemon.output())

            def ask_and_find():
                daemon.popen.send_signal(signal.SIGUSR1)
                return re.search(r"status: 1 ports.* \(repeated (\d+) times?\)", daemon.output())

            found = wait_for("a count of repeats", ask_and_find)
            self.assertGreater(int(found[1]), 1)
            # Once for itself before each count.
            self.assertLessEqual(len(re.findall("^adoptd: status: 1 ports.* far$", daemon.output(),
                                                re.M)), 2)
            self.assertEqual(daemon.stop(), 0)

    def test_told_at_the_end(self):
        with adoptd(self.CONFIG % self.path("socket")) as daemon:
            wait_for("the start", lambda: "from listen" in daemon.output())
            daemon.popen.send_signal(signal.SIGUSR1)
            wait_for("a status", lambda: "ports," in daemon.output())
            daemon.popen.send_signal(signal.SIGUSR1)
            daemon.popen.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: "reloaded" in daemon.output())
            self.assertEqual(daemon.stop(), 0)
            self.assertRegex(daemon.output(),
                             r"1 ports, .* \(repeated 1 time\)|(1 ports, (?s:.*)){2}")


if __name__ == "__main__":
    harness.main()
