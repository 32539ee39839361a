"""The PROXY headers that the proxy sends, read by those who are sent them in real life."""
import os
import socket
import struct

import harness
from harness import Process, adoptd, connect, free_port, listener, read_all, wait_for

HAPROXY = """global
    stats socket {directory}/stats
defaults
    mode http
    timeout client 20s
    timeout connect 20s
    timeout server 20s
frontend tcp
    bind 127.0.0.1:{port} accept-proxy
    bind {directory}/back.sock accept-proxy
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"
"""

NGINX = """daemon off; pid {directory}/nginx.pid; error_log stderr; events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} proxy_protocol;
        listen unix:{directory}/back.sock proxy_protocol;
        return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
    }}
}}
"""

DNSDIST = """setSecurityPollSuffix("")
setLocal("127.0.0.1:{port}")
setProxyProtocolACL({{"127.0.0.1/32"}})
addAction(AllRule(), LogAction("", false, false, false, false, true))
addAction(AllRule(), SpoofAction("192.0.2.1"))
"""


class Headers(harness.Case):
    def receiver(self, text, *argv):
        """Starts a program that reads headers; returns its address, as an upstream."""
        port = free_port()
        with open(self.path("receiver.conf"), "w", encoding="utf-8") as file:
            file.write(text.format(port=port, directory=self.directory))
        self.program = self.use(Process([*argv, self.path("receiver.conf")]))
        wait_for(argv[0], lambda: connect(("127.0.0.1", port))).close()
        return f"127.0.0.1:{port}"

    def proxy(self, upstream, version, sock, port_options=""):
        self.use(adoptd(f'port "p" {{ {port_options} proxy {{ upstream = {{"{upstream}"}} '
                        f'send-proxy = {version} }} }}', "--fd", "p=3", fds={3: sock.fileno()}))

    def ask(self, client, first=b""):
        client.sendall(first + b"GET / HTTP/1.0\r\n\r\n")
        return read_all(client).rpartition(b"\r\n\r\n")[2].decode()

    def check(self, upstream):
        for version in ("v1", "v2"):
            for family in (socket.AF_INET, socket.AF_INET6):
                with self.subTest(version=version, family=family):
                    sock = self.use(listener(family))
                    self.proxy(upstream, version, sock)
                    with connect(sock.getsockname()) as client:
                        host, port = client.getsockname()[:2]
                        own, own_port = client.getpeername()[:2]
                        self.assertEqual(self.ask(client), f"{host} {port} {own} {own_port}")
            with self.subTest(version=version, told=True):
                # Who it was told to be the client is whom it tells.
                sock = self.use(listener())
                self.proxy(upstream, version, sock, 'accept-proxy = {"127.0.0.1"}')
                with connect(sock.getsockname()) as client:
                    answer = self.ask(client, b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n")
                    self.assertEqual(answer.split()[:2], ["192.0.2.7", "4711"])

    @harness.need("haproxy")
    def test_haproxy(self):
        self.check(self.receiver(HAPROXY, "haproxy", "-db", "-f"))

    @harness.need("nginx")
    def test_nginx(self):
        self.check(self.receiver(NGINX, "nginx", "-p", self.directory, "-c"))

    @harness.need("haproxy")
    def test_haproxy_unix(self):
        """From a UNIX socket there is a client to tell of only where a header told of it."""
        self.receiver(HAPROXY, "haproxy", "-db", "-f")
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                front = self.path(version)
                self.proxy(f"unix:{self.path('back.sock')}", version,
                           self.use(listener(socket.AF_UNIX, address=front)),
                           'accept-proxy = {"unix"}')
                with connect(front) as client:
                    self.assertEqual(self.ask(client, b"PROXY UNKNOWN\r\n"), "   ")
                with connect(front) as client:
                    header = b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n"
                    self.assertEqual(self.ask(client, header), "192.0.2.7 4711 0.0.0.0 ")

    @harness.need("nginx")
    def test_nginx_unix(self):
        """It takes a name of a UNIX client, which HAProxy 2.6 does not, and tells none."""
        self.receiver(NGINX, "nginx", "-p", self.directory, "-c")
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                front = self.path(version)
                self.proxy(f"unix:{self.path('back.sock')}", version,
                           self.use(listener(socket.AF_UNIX, address=front)))
                for client in (connect(front), self.named_client(front)):
                    with client:
                        self.assertEqual(self.ask(client), "   ")

    def named_client(self, address):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(harness.BOUND)
        client.bind(self.path(f"client{len(os.listdir(self.directory))}"))
        client.connect(address)
        return client

    def test_unix_names(self):
        """Section 2.2 of the PROXY protocol: 108 bytes each for who came, and where to."""
        server, front = (self.use(listener(socket.AF_UNIX, address=self.path(name)))
                         for name in ("server", "front"))
        server.settimeout(harness.BOUND)
        self.proxy(f"unix:{self.path('server')}", "v2", front)
        with self.named_client(self.path("front")) as client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            with server.accept()[0] as accepted:
                accepted.settimeout(harness.BOUND)
                names = (os.fsencode(client.getsockname()), os.fsencode(self.path("front")))
                self.assertEqual(read_all(accepted),
                                 b"\r\n\r\n\0\r\nQUIT\n\x21\x31" + struct.pack("!H108s108s", 216, *names)
                                 + b"hello")

    def test_datagrams(self):
        server = self.use(listener(kind=socket.SOCK_DGRAM))
        server.settimeout(harness.BOUND)
        sock = self.use(listener(kind=socket.SOCK_DGRAM))
        self.proxy("%s:%d" % server.getsockname(), "v2", sock)
        for _ in range(2):
            with connect(sock.getsockname(), socket.SOCK_DGRAM) as client:
                client.send(b"first")
                header = self.header(client)
                data, source = server.recvfrom(65536)
                self.assertEqual(data, header + b"first")
                client.send(b"second")
                self.assertEqual(server.recvfrom(65536), (b"second", source))
                server.sendto(b"answer", source)
                self.assertEqual(client.recv(100), b"answer")

    @harness.need("dnsdist", "dig")
    def test_dnsdist(self):
        """It takes headers in datagrams too, and tells whose question it was."""
        upstream = self.receiver(DNSDIST, "dnsdist", "--supervised", "--disable-syslog", "-C")
        sock = self.use(listener(kind=socket.SOCK_DGRAM))
        self.proxy(upstream, "v2", sock)
        code, output = harness.run(["dig", "@127.0.0.1", "-p", str(sock.getsockname()[1]), "-b",
                                    "127.0.0.77", "+short", "adoptd.test"])
        self.assertEqual((code, output), (0, "192.0.2.1\n"))
        wait_for("the log", lambda: "Packet from 127.0.0.77:" in self.program.output())

    def header(self, client):
        """Section 2.2 of the PROXY protocol: version 2, PROXY, UDP over IPv4."""
        (source, source_port), (own, own_port) = client.getsockname(), client.getpeername()
        addresses = socket.inet_aton(source) + socket.inet_aton(own)
        return (b"\r\n\r\n\0\r\nQUIT\n\x21\x12" + struct.pack("!H", 12) + addresses
                + struct.pack("!HH", source_port, own_port))


if __name__ == "__main__":
    harness.main()
