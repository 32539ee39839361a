"""One port, many protocols: real clients, real servers, real senders of PROXY headers."""
import getpass
import os
import re
import shutil
import socket
import struct
import tempfile
import threading
import time
import unittest

import harness
from harness import Process, adoptd, connect, echo_datagram, echo_stream, free_port, listener, wait_for

HTTP = """daemon off; pid {directory}/nginx.pid; error_log stderr; events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{ listen 127.0.0.1:{blog}; return 200 "the blog"; }}
    server {{ listen 127.0.0.1:{shop}; return 200 "the shop"; }}
}}
"""

SSHD = """ListenAddress 127.0.0.1:{port}
HostKey {directory}/host
AuthorizedKeysFile {directory}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""

# In the order of a real setup: a certificate's renewal is told by ALPN, whatever its name.
CONFIG = """port "all" {{
    route {{ protocol = {{"ssh"}}           proxy {{ upstream = {{"127.0.0.1:{ssh}"}} }} }}
    route {{ alpn = {{"acme-tls/1"}}        proxy {{ upstream = {{"127.0.0.1:{acme}"}} }} }}
    route {{ sni = {{"git.example.org"}}    proxy {{ upstream = {{"127.0.0.1:{git}"}} }} }}
    route {{ sni = {{"*.example.org"}}      proxy {{ upstream = {{"127.0.0.1:{wild}"}} }} }}
    route {{ host = {{"blog.example.org"}}  proxy {{ upstream = {{"127.0.0.1:{blog}"}} }} }}
    route {{ host = {{"*.shop.example"}}    proxy {{ upstream = {{"127.0.0.1:{shop}"}} }} }}
    echo {{}}
}}"""

SITES = ("git", "wild", "acme")


def run_well(*argv, **how):
    """Runs a command that has to succeed; returns what it wrote."""
    code, output = harness.run(argv, **how)
    if code != 0:
        raise AssertionError(f"{' '.join(argv)}: exit code {code}\n{output}")
    return output


class OnePort(unittest.TestCase):
    """Everything that a host has to offer, behind one inherited TCP port."""

    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="adoptd."))
        names = ("ssh", *SITES, "blog", "shop")
        cls.ports = {name: free_port() for name in names}
        sock = cls.enterClassContext(listener())
        cls.address = sock.getsockname()
        cls.daemon = cls.enterClassContext(adoptd(CONFIG.format(**cls.ports), "--fd", "all=3",
                                                  fds={3: sock.fileno()}))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.directory, name)

    def serve(self, *argv, ports):
        """Starts a real server; returns once it listens."""
        server = self.enterContext(Process(argv))
        for name in ports:
            wait_for(f"{argv[0]} for {name}",
                     lambda name=name: connect(("127.0.0.1", self.ports[name]))).close()
        return server

    def serve_tls(self, site, name, *options):
        """An HTTPS server with a certificate of its own, which its client insists on."""
        key, cert = self.path(site + ".key"), self.path(site + ".crt")
        run_well("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + site, "-addext",
                 f"subjectAltName=DNS:{name}", "-keyout", key, "-out", cert)
        self.serve("openssl", "s_server", "-accept", f"127.0.0.1:{self.ports[site]}", "-www",
                   "-key", key, "-cert", cert, *options, ports=[site])

    def curl(self, scheme, host, *options):
        """Fetches / of a host, which is found at the one port."""
        port = self.address[1]
        return run_well("curl", "-sS", "--fail", "--noproxy", "*", "--max-time",
                        str(int(harness.BOUND)), "--resolve", f"{host}:{port}:127.0.0.1", *options,
                        f"{scheme}://{host}:{port}/")

    @harness.need("openssl", "curl")
    def test_sites_by_sni(self):
        self.serve_tls("git", "git.example.org")
        self.serve_tls("wild", "*.example.org")
        # Each client takes the one site's certificate and no other's.
        for site, host in (("git", "git.example.org"), ("wild", "www.example.org")):
            for version in ("--tlsv1.3", "--tls-max=1.2"):
                with self.subTest(host=host, version=version):
                    option = version.split("=")
                    page = self.curl("https", host, "--cacert", self.path(site + ".crt"), *option)
                    self.assertIn(f"-accept 127.0.0.1:{self.ports[site]} ", page)

    def s_client(self, site, *options):
        return run_well("openssl", "s_client", "-connect", f"127.0.0.1:{self.address[1]}",
                        "-servername", "git.example.org", "-CAfile", self.path(site + ".crt"),
                        "-verify_return_error", *options)

    @harness.need("openssl")
    def test_alpn(self):
        self.serve_tls("git", "git.example.org", "-alpn", "h2")
        self.serve_tls("acme", "git.example.org", "-alpn", "acme-tls/1")
        self.assertIn("ALPN protocol: acme-tls/1", self.s_client("acme", "-alpn", "acme-tls/1"))
        self.assertIn("ALPN protocol: h2", self.s_client("git", "-alpn", "h2"))
        self.assertIn("No ALPN negotiated", self.s_client("git"))
        # A hello of many records, longer than a segment.
        many = ",".join(f"protocol-{n:04}" for n in range(1000)) + ",acme-tls/1"
        self.assertIn("ALPN protocol: acme-tls/1",
                      self.s_client("acme", "-max_send_frag", "512", "-alpn", many))

    @harness.need("nginx", "curl")
    def test_http_by_host(self):
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(HTTP.format(directory=self.directory, **self.ports))
        self.serve("nginx", "-p", self.directory, "-c", self.path("nginx.conf"),
                   ports=["blog", "shop"])
        self.assertEqual(self.curl("http", "blog.example.org"), "the blog")
        self.assertEqual(self.curl("http", "shoes.shop.example", "--http2"), "the shop")
        # A name behind a head of some length.
        padding = [f"-HX-Padding-{n}: {'x' * 200}" for n in range(20)]
        self.assertEqual(self.curl("http", "127.0.0.1", *padding, "-HHost:",
                                   "-HhOsT:   BLOG.example.org:80  "), "the blog")

    def start_sshd(self):
        for name in ("host", "user"):
            run_well("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name))
        with open(self.path("sshd_config"), "w", encoding="utf-8") as file:
            file.write(SSHD.format(port=self.ports["ssh"], directory=self.directory))
        with open(self.path("host.pub"), encoding="utf-8") as key, \
                open(self.path("known_hosts"), "w", encoding="utf-8") as file:
            file.write(f"[127.0.0.1]:{self.address[1]} {key.read()}")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # its package makes it at boot only
        self.serve(shutil.which("sshd"), "-D", "-e", "-f", self.path("sshd_config"), ports=["ssh"])

    @harness.need("sshd", "ssh", "ssh-keygen")
    def test_ssh_logs_in(self):
        self.start_sshd()
        ssh = ("ssh", "-F", "none", "-i", self.path("user"), "-p", str(self.address[1]),
               "-o", f"UserKnownHostsFile={self.path('known_hosts')}",
               "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
               f"{getpass.getuser()}@127.0.0.1")
        self.assertEqual(run_well(*ssh, "echo logged in"), "logged in\n")
        with open(self.path("big"), "w+", encoding="ascii") as big:
            big.write("0123456789abcde\n" * 65536)
            big.flush()
            big.seek(0)
            self.assertEqual(run_well(*ssh, "cksum", fds={0: big.fileno()}).split()[:2],
                             run_well("cksum", big.name).split()[:2])

    def test_the_rest(self):
        for data in (b"hello\n", b"", b"\x16\x03", b"SSH", b"GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(data=data):
                self.assertEqual(echo_stream(self.address, data), data)
        # Of an unknown name, plain or with TLS.
        with connect(self.address) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: else.example\r\n\r\n")
            self.assertEqual(client.recv(4), b"GET ")


class Silence(harness.Case):
    def test_fallback_has_who_says_nothing(self):
        sock = self.use(listener())
        self.use(adoptd('port "p" { sniff-timeout = 100ms route { protocol = {"ssh"} discard {} } '
                        'reject { message = "well?" } }', "--fd", "p=3", fds={3: sock.fileno()}))
        for said in (b"", b"SS"):
            with self.subTest(said=said), connect(sock.getsockname()) as client:
                client.sendall(said)
                self.assertEqual(client.recv(100), b"well?")

    @harness.need_proc
    def test_many_who_say_half_of_it(self):
        """They cost no time while they wait, and more bytes do not buy them more of it."""
        sock = self.use(listener(backlog=200))
        daemon = self.use(adoptd('port "p" { sniff-timeout = 4s route { sni = {"x"} discard {} } '
                                 'reject { message = "well?" } }', "--fd", "p=3",
                                 fds={3: sock.fileno()}))
        clients = [self.use(connect(sock.getsockname())) for _ in range(200)]
        for client in clients:
            client.sendall(b"\x16\x03\x01\x02\x00\x01")
        self.assertLess(daemon.cpu_share(2), 0.1, "it spins")
        start = time.monotonic()
        for client in clients:
            client.sendall(b"\x00")
        for client in clients:
            self.assertEqual(client.recv(100), b"well?")
        self.assertLess(time.monotonic() - start, 4)


class UnixPeer(harness.Case):
    @unittest.skipUnless(hasattr(socket, "SO_PEERCRED"), "no credentials of peers here")
    def test_user_and_group(self):
        path = self.path("socket")
        sock = self.use(listener(socket.AF_UNIX, address=path))
        config = """port "p" {
            route { peer-uid = {"%d"} reject { message = "stranger" } }
            route { peer-uid = {"%d"} peer-gid = {"%d"} reject { message = "me" } }
            reject { message = "nobody" }
        }""" % (os.geteuid() + 1, os.geteuid(), os.getegid())
        self.use(adoptd(config, "--fd", "p=3", fds={3: sock.fileno()}))
        with connect(path) as client:
            self.assertEqual(harness.read_all(client), b"me")


class LocalAddress(harness.Case):
    def test_on_a_socket_for_both_families(self):
        """What came by IPv4 came to an IPv4 address, with or without its port."""
        port = free_port()
        stream = self.use(listener(socket.AF_INET6, address=("::ffff:127.0.0.1", port)))
        datagrams = self.use(listener(socket.AF_INET6, socket.SOCK_DGRAM,
                                      ("::ffff:127.0.0.1", port)))
        for local in (f"127.0.0.1:{port}", "127.0.0.1", "127.0.0.0/8"):
            with self.subTest(local=local), \
                    adoptd('port "p" { route { local = {"%s"} echo {} } reject {} }' % local,
                           "--fd", "p=3", "--fd", "p=4",
                           fds={3: stream.fileno(), 4: datagrams.fileno()}):
                self.assertEqual(echo_stream(("127.0.0.1", port), b"hello"), b"hello")
                self.assertEqual(echo_datagram(("127.0.0.1", port)), b"hello\n")


# What stands in front, and what it is told to say of its clients.
HAPROXY = """defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen front
    bind 127.0.0.1:{front}
    bind [::1]:{front}
    server adoptd {target} {options}
"""

NGINX = """daemon off; pid {directory}/nginx.pid; error_log stderr;
load_module {module};
events {{}}
stream {{ server {{
    listen 127.0.0.1:{front}; listen [::1]:{front};
    proxy_pass {target}; proxy_protocol on;
}} }}
"""

NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"

BEHIND = """log-level = debug access-log = true
port "behind" {
    accept-proxy = {"127.0.0.1"}
    deny = {"127.0.0.9"}
    sniff-timeout = 500ms
    route { source = {"127.0.0.2/31"}  reject { message = "two" } }
    route { source = {"::1"}           reject { message = "six" } }
    route { source = {"127.0.0.1"}     reject { message = "the front itself" } }
    echo {}
}"""


def connect_from(source, port):
    """A client with an address of its choice."""
    return connect(("::1" if ":" in source else "127.0.0.1", port), source=source)


class BehindProxy(harness.Case):
    def start(self, config=BEHIND, sock=None):
        sock = self.use(sock or listener())
        if sock.family == socket.AF_UNIX:
            self.target = "unix@" + sock.getsockname()
        else:
            self.port = sock.getsockname()[1]
            self.target = f"127.0.0.1:{self.port}"
        self.daemon = self.use(adoptd(config, "--fd", "behind=3", fds={3: sock.fileno()}))

    def start_front(self, text, *argv, **values):
        """Starts the program that sends headers; returns the port that it listens on."""
        front = free_port()
        with open(self.path("front.conf"), "w", encoding="utf-8") as file:
            file.write(text.format(front=front, target=self.target, directory=self.directory,
                                   **values))
        self.use(Process([*argv, self.path("front.conf")]))
        wait_for(argv[0], lambda: connect(("127.0.0.1", front))).close()
        return front

    def logged(self, pattern):
        """Waits for a line of adoptd's log."""
        return wait_for(f"{pattern} in the log",
                        lambda: re.search(pattern, self.daemon.output(), re.M))

    def ask(self, front, source):
        """What a client hears, and the address that it has."""
        with connect_from(source, front) as client:
            try:
                return harness.read_all(client), client.getsockname()[1]
            except ConnectionError:
                return None, client.getsockname()[1]

    def check_true_client(self, front):
        for source, route, answer, text in (("127.0.0.2", 1, b"two", "127.0.0.2"),
                                            ("127.0.0.3", 1, b"two", "127.0.0.3"),
                                            ("::1", 2, b"six", "[::1]")):
            with self.subTest(source=source):
                heard, port = self.ask(front, source)
                self.assertEqual(heard, answer)
                self.logged(rf"{re.escape(text)}:{port} takes route {route}$")
                self.logged(rf"access port=.* route={route} handler=reject received=0 sent=3 "
                            rf"ms=\d+ end=closed peer={re.escape(text)}:{port}$")
        # Whom the header names is who is denied, though the front itself is not.
        heard, port = self.ask(front, "127.0.0.9")
        self.assertIn(heard, (b"", None))
        self.logged(rf"refused 127\.0\.0\.9:{port} \(not allowed\)")
        self.logged(rf" handler=none .* end=refused peer=127\.0\.0\.9:{port}$")
        with connect_from("127.0.0.4", front) as client:
            client.sendall(b"all bytes\n")
            self.assertEqual(client.recv(100), b"all bytes\n")

    @harness.need("haproxy")
    def test_haproxy(self):
        for options in ("send-proxy", "send-proxy-v2",
                        "send-proxy-v2 proxy-v2-options crc32c,unique-id"):
            with self.subTest(options=options):
                self.start()
                self.check_true_client(self.start_front(HAPROXY, "haproxy", "-db", "-f",
                                                        options=options))

    @harness.need("haproxy")
    def test_haproxy_asks_for_itself(self):
        """Its health checks say LOCAL: their peer is HAProxy."""
        self.start()
        self.start_front(HAPROXY, "haproxy", "-db", "-f",
                         options="send-proxy-v2 check-send-proxy check inter 100ms")
        self.logged(r"127\.0\.0\.1:\d+ takes route 3$")

    @harness.need("nginx")
    @unittest.skipUnless(os.path.exists(NGINX_STREAM), "nginx has no stream module")
    def test_nginx(self):
        self.start()
        self.check_true_client(self.start_front(NGINX, "nginx", "-p", self.directory, "-c",
                                                module=NGINX_STREAM))

    @harness.need("haproxy")
    def test_allow(self):
        self.start('port "behind" { accept-proxy = {"127.0.0.1"} allow = {"127.0.0.1", "127.0.0.2"} '
                   'reject { message = "come in" } }')
        front = self.start_front(HAPROXY, "haproxy", "-db", "-f", options="send-proxy-v2")
        self.assertEqual(self.ask(front, "127.0.0.2")[0], b"come in")
        heard, port = self.ask(front, "127.0.0.3")
        self.assertIn(heard, (b"", None))
        self.logged(rf"refused 127\.0\.0\.3:{port} ")

    @harness.need("haproxy")
    def test_over_a_unix_socket(self):
        self.start('port "behind" { accept-proxy = {"unix"} route { source = {"127.0.0.2"} '
                   'reject { message = "two" } } reject { message = "else" } }',
                   listener(socket.AF_UNIX, address=self.path("socket")))
        front = self.start_front(HAPROXY, "haproxy", "-db", "-f", options="send-proxy-v2")
        self.assertEqual(self.ask(front, "127.0.0.2")[0], b"two")
        self.assertEqual(self.ask(front, "127.0.0.3")[0], b"else")

    def test_header_is_required(self):
        self.start()
        for opening in (b"hello\n", b"PROXY TCP4 127.0.0.2", b"", b"PROXY TCP4 x y 1 2\r\n"):
            with self.subTest(opening=opening), connect(("127.0.0.1", self.port)) as client:
                client.sendall(opening)
                try:
                    self.assertEqual(client.recv(100), b"")
                except ConnectionResetError:
                    pass
        self.logged("its PROXY header did not come in time")
        self.logged("it must open with a PROXY header, and has not")

    def test_header_of_others_is_not_believed(self):
        self.start()
        forged = b"PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\n"
        with connect_from("127.0.0.4", self.port) as client:
            client.sendall(forged)
            self.assertEqual(client.recv(100), forged)


class AccessLog(harness.Case):
    def test_what_a_connection_was(self):
        back, front = self.use(listener()), self.use(listener())
        config = """access-log = true
            drain-timeout = 100ms
            port "back" { echo {} }
            port "front" {
                idle-timeout = 1s
                route { starts-with = {"bulk"} proxy { upstream = {"127.0.0.1:%d"} } }
                discard {}
            }""" % back.getsockname()[1]
        daemon = self.use(adoptd(config, "--fd", "back=3", "--fd", "front=4",
                                 fds={3: back.fileno(), 4: front.fileno()}))

        def logged(pattern):
            wait_for(f"{pattern} in the log",
                     lambda: re.search(f"access {pattern}", daemon.output(), re.M))

        data = b"bulk" + bytes(5_000_000)
        with connect(front.getsockname()) as client:
            port = client.getsockname()[1]
            sender = threading.Thread(target=lambda: (client.sendall(data),
                                                      client.shutdown(socket.SHUT_WR)))
            sender.start()
            self.assertEqual(harness.read_all(client), data)
            sender.join()
        size = len(data)
        logged(f'port="front" route=1 handler=proxy received={size} sent={size} ms=\\d+ '
               f'end=closed peer=127.0.0.1:{port}$')
        logged(f'port="back" route=0 handler=echo received={size} sent={size} .* end=closed ')
        # One that says enough and no more, and one that leaves without a goodbye.
        with connect(front.getsockname()) as client:
            port = client.getsockname()[1]
            client.sendall(b"hello")
            self.assertRaises(ConnectionResetError, client.recv, 1)
        logged(f'port="front" route=0 handler=discard received=5 sent=0 ms=1\\d\\d\\d '
               f'end=timeout peer=127.0.0.1:{port}$')
        with connect(front.getsockname()) as client:
            port = client.getsockname()[1]
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"bye")
        logged(f'port="front" .* end=reset peer=127.0.0.1:{port}$')
        with connect(front.getsockname()) as client:
            client.sendall(b"hello again")
            port = client.getsockname()[1]
            self.assertEqual(daemon.stop(), 0)
        logged(f'.* end=stopped peer=127.0.0.1:{port}$')


class Datagrams(harness.Case):
    @harness.need("kdig")
    def test_quic(self):
        upstream = self.use(listener(kind=socket.SOCK_DGRAM))
        upstream.settimeout(harness.BOUND)
        sock = self.use(listener(kind=socket.SOCK_DGRAM))
        address = sock.getsockname()
        self.use(adoptd('port "dns" { route { protocol = {"quic"} proxy { upstream = '
                        '{"127.0.0.1:%d"} } } echo {} }' % upstream.getsockname()[1],
                        "--fd", "dns=3", fds={3: sock.fileno()}))
        self.assertEqual(echo_datagram(address), b"hello\n")
        with Process(["kdig", "+quic", "@127.0.0.1", "-p", str(address[1]), "example.org"]):
            initial = upstream.recv(65536)
        # RFC 9000, 14.1 and 17.2: a long header, of version 1, padded to 1200 bytes.
        self.assertGreaterEqual(len(initial), 1200)
        self.assertEqual(initial[0] & 0xf0, 0xc0)
        self.assertEqual(initial[1:5], b"\x00\x00\x00\x01")
        self.assertEqual(echo_datagram(address), b"hello\n")


if __name__ == "__main__":
    harness.main()
