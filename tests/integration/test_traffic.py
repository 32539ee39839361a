"""Real servers behind a socket-activated adoptd@.service: redis, dnsmasq, nginx."""
import hashlib
import os
import unittest

import harness
import lab
from harness import wait_for

SOCKET = """[Socket]
FileDescriptorName={name}
{listen}
[Install]
WantedBy=sockets.target
"""
CONFIG = 'port "{name}" {{ proxy {{ upstream = {{"{upstream}"}} }} }}\n'
NGINX = """daemon off; pid /run/nginx.pid; error_log stderr; events {{}}
http {{ access_log off; server {{ listen unix:/run/nginx.sock; root {root}; }} }}
"""


class Traffic(lab.Case):
    def proxy(self, name, upstream, *listen):
        """An adoptd@NAME.service of our own; returns once its sockets listen."""
        self.lab.write(f"{self.lab.configs}/{name}.conf", CONFIG.format(name=name, upstream=upstream))
        self.lab.add_unit(f"adoptd@{name}.socket",
                          SOCKET.format(name=name, listen="\n".join(listen)))
        self.lab.run("systemctl", "start", f"adoptd@{name}.socket")
        self.addCleanup(self.lab.run, "systemctl", "stop", f"adoptd@{name}.socket",
                        f"adoptd@{name}.service")

    def serve(self, unit, *argv):
        """A real server, as a unit of the lab's."""
        self.lab.run("systemd-run", "--quiet", f"--unit=lab-{unit}", *argv)
        self.addCleanup(self.lab.run, "systemctl", "stop", f"lab-{unit}.service")

    def served_well(self, name):
        """It was started by the socket, is there still, and has complained of nothing."""
        unit = f"adoptd@{name}.service"
        self.assertEqual(self.lab.show(unit, "ActiveState", "NRestarts"), ["active", "0"],
                         self.tell(unit))
        self.lab.run("journalctl", "--sync")
        self.assertIn("-- No entries --", self.lab.run("journalctl", "-u", unit, "-p", "warning",
                                                       "--no-pager"))

    @harness.need("redis-server", "redis-benchmark")
    def test_redis(self):
        self.serve("redis", "redis-server", "--port", "6380", "--bind", "127.0.0.1", "--save", "")
        wait_for("redis", lambda: harness.connect(("127.0.0.1", 6380))).close()
        self.proxy("redis", "127.0.0.1:6380", "ListenStream=127.0.0.1:6379")
        for tests, *options in (("ping,set,get,lpush,lrange_100", "-n", "10000", "-c", "50"),
                                ("ping,set,get", "-n", "100000", "-c", "50", "-P", "16"),
                                ("set,get", "-n", "2000", "-c", "20", "-d", "20000")):
            with self.subTest(tests=tests, options=options):
                output = self.lab.run("redis-benchmark", "-p", "6379", "-q", "-t", tests, *options)
                self.assertGreaterEqual(output.count("requests per second"), tests.count(",") + 1)
                self.assertNotRegex(output.lower(), "error|reset|closed")
        self.served_well("redis")

    @harness.need("dnsmasq", "dig")
    def test_dns(self):
        self.serve("dnsmasq", "dnsmasq", "--keep-in-foreground", "--port=5353", "--no-resolv",
                   "--no-hosts", "--conf-file=/dev/null", "--listen-address=127.0.0.1",
                   "--bind-interfaces", "--user=root", "--address=/adoptd.test/192.0.2.7",
                   *(f"--txt-record=long.test,{'x' * 200}{n}" for n in range(6)))
        wait_for("dnsmasq", lambda: harness.connect(("127.0.0.1", 5353))).close()
        self.proxy("dns", "127.0.0.1:5353", "ListenStream=127.0.0.1:53", "ListenDatagram=127.0.0.1:53",
                   "ListenStream=[::1]:53", "ListenDatagram=[::1]:53")
        for host in ("127.0.0.1", "::1"):
            for options in ([], ["+tcp"]):
                with self.subTest(host=host, options=options):
                    answer = self.lab.run("dig", f"@{host}", "+short", "+tries=1", *options,
                                          "adoptd.test")
                    self.assertEqual(answer, "192.0.2.7\n")
            # Too long for a datagram of 512 bytes: dig asks again over TCP.
            answer = self.lab.run("dig", f"@{host}", "+noedns", "long.test", "TXT")
            self.assertIn("retrying in TCP mode", answer)
            self.assertIn("ANSWER: 6", answer)
        # One client's questions, many at a time, each with its own answer.
        self.lab.write("/run/questions", "".join(f"n{n}.adoptd.test\n" for n in range(200)))
        answers = self.lab.run("dig", "@127.0.0.1", "+short", "-f", "/run/questions")
        self.assertEqual(answers, "192.0.2.7\n" * 200)
        self.served_well("dns")

    @harness.need("nginx", "curl")
    def test_nginx(self):
        big = os.urandom(8 << 20)
        os.makedirs(self.lab.path("/srv/pages"))
        with open(self.lab.path("/srv/pages/big"), "wb") as file:
            file.write(big)
        self.lab.write("/srv/pages/index.html", "<p>hello\n")
        self.lab.write("/etc/nginx-lab.conf", NGINX.format(root="/srv/pages"))
        self.serve("nginx", "nginx", "-c", "/etc/nginx-lab.conf")
        wait_for("nginx", lambda: harness.connect(self.lab.path("/run/nginx.sock"))).close()
        self.proxy("web", "unix:/run/nginx.sock", "ListenStream=127.0.0.1:80", "ListenStream=[::1]:80")
        for url in ("http://127.0.0.1/", "http://[::1]/"):
            self.assertEqual(self.lab.run("curl", "-sS", "--fail", url), "<p>hello\n")
        digest = self.lab.run("sh", "-c", "curl -sS --fail http://127.0.0.1/big | sha256sum")
        self.assertEqual(digest.split()[0], hashlib.sha256(big).hexdigest())
        # Side by side; curl draws a progress meter then, whatever it is told.
        many = "http://127.0.0.1/index.html?[1-50]"
        answers = self.lab.run("sh", "-c", 'curl -sS --fail -Z "$1" 2>/dev/null', "sh", many)
        self.assertEqual(answers, "<p>hello\n" * 50)
        self.served_well("web")

    @harness.need("curl")
    def test_shipped_proxy(self):
        """adoptd@proxy as it is installed: 8080 to 80."""
        self.lab.write("/srv/small/index.html", "<p>port 80\n")
        self.serve("port80", "/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", "-d",
                   "/srv/small", "80")
        wait_for("port 80", lambda: harness.connect(("127.0.0.1", 80))).close()
        self.lab.run("systemctl", "start", "adoptd@proxy.socket")
        self.addCleanup(self.lab.run, "systemctl", "stop", "adoptd@proxy.socket",
                        "adoptd@proxy.service")
        self.assertEqual(self.lab.run("curl", "-sS", "--fail", "http://127.0.0.1:8080/"),
                         "<p>port 80\n")
        self.served_well("proxy")


if __name__ == "__main__":
    harness.main()
