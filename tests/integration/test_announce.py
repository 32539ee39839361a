"""exec with `announce`: programs that take their socket as from another supervisor."""
import json
import os
import shutil
import sys
import unittest

import harness
from harness import ADOPTD, adoptd, connect, echo_stream, free_port, listener, read_all, wait_for

# Who takes a socket by the library of its dialect, answers one client, and says what it is
# called.
SYSTEMD = """
import socket
from systemd import daemon
(fd, name), = daemon.listen_fds_with_names().items()
with socket.socket(fileno=fd).accept()[0] as client:
    client.sendall(name.encode())
"""
SERVER_STARTER = """
use Server::Starter qw(server_ports);
my ($name, $fd) = %{server_ports()};
open(my $socket, "+<&=", $fd) or die;
accept(my $client, $socket) or die;
print $client $name;
"""
NGINX = """
daemon off; worker_processes 1; user root; pid {directory}/pid; error_log {directory}/errors notice;
events {{ }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 adopted; }} }}
"""
UWSGI = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"adopted"]
"""


def find_python(module):
    """A python that has a module, or None."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and harness.run([python, "-c", f"import {module}"])[0] == 0:
            return python
    return None


PYTHON = find_python("systemd.daemon")


class Announce(harness.Case):
    def serve(self, how, *command):
        """A port "web" whose socket a command gets. Returns the socket's address."""
        sock = self.use(listener())
        words = ", ".join(json.dumps(word) for word in command)
        self.daemon = self.use(adoptd(
            f'port "web" {{ exec {{ command = {{{words}}} wait = true announce = {how} }} }}',
            "--fd", "web=7", fds={7: sock.fileno()}))
        return sock.getsockname()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def ask(self, address, data=b""):
        with connect(address) as client:
            client.sendall(data)
            return read_all(client)

    def get(self, address):
        return self.ask(address, b"GET / HTTP/1.0\r\n\r\n")

    @unittest.skipUnless(PYTHON, "not installed: python3-systemd")
    def test_systemd(self):
        """Each client starts another process, which has LISTEN_PID of its own."""
        address = self.serve("systemd", PYTHON, self.write("taker.py", SYSTEMD))
        for _ in range(3):
            self.assertEqual(self.ask(address), b"web")

    @harness.need("perl", "start_server")
    def test_server_starter(self):
        address = self.serve("server-starter", shutil.which("perl"),
                             self.write("taker.pl", SERVER_STARTER))
        self.assertEqual(self.ask(address), f"127.0.0.1:{address[1]}".encode())

    @harness.need("nginx")
    def test_nginx(self):
        port = free_port()
        conf = self.write("conf", NGINX.format(directory=self.directory, port=port))
        daemon = self.use(adoptd(
            f'port "web" {{ listen = {{"127.0.0.1:{port}"}} exec {{ wait = true '
            f'command = {{"{shutil.which("nginx")}", "-e", "stderr", "-c", "{conf}"}} '
            'announce = nginx } }'))
        answer = wait_for("nginx", lambda: self.get(("127.0.0.1", port)))
        self.assertTrue(answer.endswith(b"adopted"), answer)
        wait_for("its log", lambda: 'using inherited sockets from "3;"' in daemon.output())

    @unittest.skipUnless(os.path.exists("/usr/lib/uwsgi/plugins/python3_plugin.so"),
                         "not installed: uwsgi-plugin-python3")
    def uwsgi(self, how):
        address = self.serve(how, shutil.which("uwsgi-core"), "--plugin", "python3", "--master",
                             "--die-on-term", "--protocol", "http", "--wsgi-file",
                             self.write("app.py", UWSGI))
        answer = self.get(address)
        self.assertTrue(answer.endswith(b"adopted"), answer)

    def test_uwsgi_by_systemd(self):
        self.uwsgi("systemd")

    def test_uwsgi_by_upstart(self):
        self.uwsgi("upstart")

    def test_adoptd(self):
        """It takes what it gives, in every dialect."""
        for how, name in (("systemd", "web"), ("upstart", "upstart"), ("server-starter", "*"),
                          ("einhorn", "einhorn"), ("nginx", "nginx"), ("inetd", "inetd")):
            with self.subTest(how):
                conf = self.write(how + ".conf", f'port "{name}" {{ echo {{}} }}')
                address = self.serve(how, ADOPTD, "-c", conf)
                self.assertEqual(echo_stream(address), b"hello\n")


if __name__ == "__main__":
    harness.main()
