"""What is measured side by side, and how each is started."""
import os
import pwd
import socket

import harness
import machine
from place import System, workers_option

HERE = os.path.dirname(os.path.abspath(__file__))
SOCKET_PROXYD = "/usr/lib/systemd/systemd-socket-proxyd"
PYTHON = "/usr/bin/python3"  # Debian's, which Twisted comes for
NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"


def limit(name, *arguments):
    return [os.path.join(harness.TOP_BUILDDIR, "tests/bench", "limit-" + name), *arguments]


PASS_ON = 'proxy {{ upstream = {{"127.0.0.1:{backend}"}} }}'


def adoptd(place, port_block, kind=socket.SOCK_STREAM):
    return place.inherit([harness.ADOPTD, "--fd", "p=3", "-e",
                          f'{workers_option(place.workers)}port "p" {{ {port_block} }}'],
                         kind=kind)


# Proxies.

def limit_proxy(place):
    return place.inherit(limit("proxy", str(place.backend), str(place.workers)))


def adoptd_proxy(place):
    return adoptd(place, PASS_ON.format(backend=place.backend))


NGINX = """load_module {module};
daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log; user root;
worker_processes {workers};
events {{ worker_connections {connections}; }}
stream {{
    server {{ listen 127.0.0.1:{port}{listen} backlog=4096; proxy_pass 127.0.0.1:{backend}; }}
}}
"""


def nginx(place, port, listen=""):
    return ["nginx", "-c", place.stage.file("nginx.conf", NGINX.format(
        module=NGINX_STREAM, directory=place.stage.directory, workers=place.workers,
        connections=machine.descriptor_limit(), port=port, listen=listen,
        backend=place.backend))]


def nginx_proxy(place):
    port = machine.free_port()
    return place.opens(nginx(place, port), port)


HAPROXY = """global
    nbthread {workers}
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    {options}
listen p
    bind {bind} backlog 4096
    server s 127.0.0.1:{backend}
"""


def haproxy(place, name, bind, options=""):
    return ["haproxy", "-db", "-f", place.stage.file(name, HAPROXY.format(
        workers=place.workers, bind=bind, backend=place.backend, options=options))]


SPLICE = "option splice-request\n    option splice-response"


def haproxy_splice(place):
    port = machine.free_port()
    return place.opens(haproxy(place, "splice.cfg", f"127.0.0.1:{port}", SPLICE),
                       port)


def haproxy_copy(place):
    port = machine.free_port()
    return place.opens(haproxy(place, "copy.cfg", f"127.0.0.1:{port}"), port)


def proxyd(place):
    return [SOCKET_PROXYD, "--connections-max=65536", f"127.0.0.1:{place.backend}"]


def proxyd_proxy(place):
    return place.listen_fds(proxyd(place))


SSLH = """foreground: true; numeric: true; timeout: 3; {options}
listen: ( {{ host: "127.0.0.1"; port: "{port}"; }} );
protocols: ( {protocols} );
"""
SSLH_ANY = '{{ name: "anyprot"; host: "127.0.0.1"; port: "{backend}"; log_level: 0; }}'


def sslh(place, program, protocols=SSLH_ANY, options="", **ports):
    port = machine.free_port()
    config = place.stage.file(f"{program}.cfg", SSLH.format(
        port=port, options=options, protocols=protocols.format(backend=place.backend, **ports)))
    return place.opens([program, "-F" + config], port)


def sslh_select(place):
    return sslh(place, "sslh-select")


def sslh_fork(place):
    return sslh(place, "sslh")


def socat_proxy(place):
    port = machine.free_port()
    return place.opens(["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,backlog=4096,nodelay",
                          f"TCP:127.0.0.1:{place.backend},nodelay"], port)


def twisted(*arguments):
    return [PYTHON, "-B", os.path.join(HERE, "twisted_peer.py"), *arguments]


def twisted_proxy(place):
    return place.inherit(twisted("proxy", str(place.backend)))


def twisted_echo(place):
    return place.inherit(twisted("echo"))


TWISTED = "/usr/lib/python3/dist-packages/twisted"

LIMIT_PROXY = System("limit", limit_proxy)
ADOPTD_PROXY = System("adoptd", adoptd_proxy)
NGINX_PROXY = System("nginx stream", nginx_proxy, "nginx", NGINX_STREAM, package="nginx")
HAPROXY_SPLICE = System("HAProxy, splice", haproxy_splice, "haproxy", package="haproxy")
HAPROXY_COPY = System("HAProxy, no splice", haproxy_copy, "haproxy", package="haproxy")
PROXYD = System("systemd-socket-proxyd", proxyd_proxy, SOCKET_PROXYD, package="systemd",
                workers=False)
TWISTED_PROXY = System("Twisted portforward", twisted_proxy, TWISTED, package="python3-twisted",
                       workers=False)

PROXIES = [
    LIMIT_PROXY, ADOPTD_PROXY, NGINX_PROXY, HAPROXY_SPLICE, HAPROXY_COPY,
    System("sslh, select", sslh_select, "sslh-select", package="sslh", workers=False),
    PROXYD, TWISTED_PROXY,
    System("sslh, fork", sslh_fork, "sslh", package="sslh", workers=False),
    System("socat, fork", socat_proxy, "socat", package="socat", workers=False),
]

# Those that keep many connections.
KEEPERS = [LIMIT_PROXY, ADOPTD_PROXY, NGINX_PROXY, HAPROXY_COPY, PROXYD, TWISTED_PROXY]


# Echo.

def limit_echo(place):
    return place.inherit(limit("echo", str(place.workers)))


def adoptd_echo(place):
    return adoptd(place, "echo {}")


ECHOES = [
    System("limit", limit_echo),
    System("adoptd", adoptd_echo),
    System("Twisted", twisted_echo, TWISTED, package="python3-twisted", workers=False),
]


# Datagrams.

def limit_udp(place):
    # One worker whatever is asked for: a port of datagrams without siblings has no more.
    return place.inherit(limit("udp", str(place.backend)), kind=socket.SOCK_DGRAM)


def adoptd_udp(place):
    return adoptd(place, PASS_ON.format(backend=place.backend), socket.SOCK_DGRAM)


def nginx_udp(place):
    port = machine.free_port(socket.SOCK_DGRAM)
    # A port of datagrams has no backlog, and one of several workers needs one for each.
    listen = " udp" + (" reuseport" if place.workers > 1 else "")
    argv = nginx(place, port, listen)
    with open(argv[-1], encoding="utf-8") as file:
        place.stage.file("nginx.conf", file.read().replace(" backlog=4096", ""))
    return place.opens(argv, port, socket.SOCK_DGRAM)


DNSDIST = """setLocal("127.0.0.1:{port}")
setACL("127.0.0.0/8")
setMaxUDPOutstanding(65535)
newServer({{address="127.0.0.1:{backend}"}}):setUp()
"""


def dnsdist(place):
    port = machine.free_port(socket.SOCK_DGRAM)
    config = place.stage.file("dnsdist.conf", DNSDIST.format(port=port, backend=place.backend))
    return place.opens(["dnsdist", "--supervised", "--disable-syslog", "-C", config], port,
                       socket.SOCK_DGRAM)


def socat_udp(place):
    port = machine.free_port(socket.SOCK_DGRAM)
    return place.opens(["socat", f"UDP-LISTEN:{port},bind=127.0.0.1,fork",
                        f"UDP:127.0.0.1:{place.backend}"], port, socket.SOCK_DGRAM)


RELAYS = [
    System("limit", limit_udp),
    System("adoptd", adoptd_udp),
    System("dnsdist", dnsdist, "dnsdist", package="dnsdist", workers=False),
    System("nginx stream", nginx_udp, "nginx", NGINX_STREAM, package="nginx"),
    System("socat, fork", socat_udp, "socat", package="socat", workers=False),
]


# Routes: a TLS client is recognised, by its SNI.

ROUTES = """
    route {{ protocol = {{"ssh"}}         proxy {{ upstream = {{"127.0.0.1:9"}} }} }}
    route {{ sni = {{"git.example.org"}}  proxy {{ upstream = {{"127.0.0.1:{backend}"}} }} }}
    route {{ sni = {{"*.example.org"}}    proxy {{ upstream = {{"127.0.0.1:9"}} }} }}
    proxy {{ upstream = {{"127.0.0.1:9"}} }}
"""
SSLH_ROUTES = """
    {{ name: "ssh"; host: "127.0.0.1"; port: "9"; log_level: 0; }},
    {{ name: "tls"; host: "127.0.0.1"; port: "{backend}"; log_level: 0;
       sni_hostnames: [ "git.example.org" ]; }},
    {{ name: "tls"; host: "127.0.0.1"; port: "9"; log_level: 0;
       sni_hostnames: [ "*.example.org" ]; }},
    {{ name: "anyprot"; host: "127.0.0.1"; port: "9"; log_level: 0; }}
"""


def adoptd_routes(place):
    return adoptd(place, ROUTES.format(backend=place.backend))


def sslh_select_routes(place):
    return sslh(place, "sslh-select", SSLH_ROUTES)


def sslh_ev_routes(place):
    return sslh(place, "sslh-ev", SSLH_ROUTES)


ROUTERS = [
    System("limit, no routes", limit_proxy),
    System("adoptd, no routes", adoptd_proxy),
    System("adoptd, routes", adoptd_routes),
    System("sslh, ev", sslh_ev_routes, "sslh-ev", package="sslh", workers=False),
    System("sslh, select", sslh_select_routes, "sslh-select", package="sslh", workers=False),
]


# A program for each connection.

def limit_exec(place):
    return place.inherit(limit("exec", str(place.workers), *place.command))


def adoptd_exec(place):
    command = ", ".join(f'"{word}"' for word in place.command)
    return adoptd(place, f"exec {{ command = {{{command}}} }}")


def tcpserver(place):
    port = machine.free_port()
    return place.opens(["tcpserver", "-q", "-H", "-R", "-l0", "-c1000", "-b4096", "127.0.0.1",
                        str(port), *place.command], port)


XINETD = """service bench
{{
    type = UNLISTED
    socket_type = stream
    protocol = tcp
    wait = no
    user = {user}
    bind = 127.0.0.1
    port = {port}
    server = {server}
    server_args = {arguments}
    instances = UNLIMITED
    per_source = UNLIMITED
    cps = 1000000 1
    disable = no
}}
"""


def xinetd(place):
    port = machine.free_port()
    config = place.stage.file("xinetd.conf", XINETD.format(
        user=pwd.getpwuid(os.getuid()).pw_name, port=port, server=place.command[0],
        arguments=" ".join(place.command[1:])))
    return place.opens(["xinetd", "-dontfork", "-f", config, "-pidfile",
                        os.path.join(place.stage.directory, "xinetd.pid"), "-filelog",
                        "/dev/null"], port)


def socket_activate(place):
    port = machine.free_port()
    return place.opens(["systemd-socket-activate", "--accept", "--inetd",
                        f"--listen=127.0.0.1:{port}", *place.command], port)


STARTERS = [
    System("limit", limit_exec),
    System("adoptd", adoptd_exec,
           config='port "p" { exec { command = {"/bin/true"} } }'),
    System("tcpserver", tcpserver, "tcpserver", package="ucspi-tcp", workers=False),
    System("xinetd", xinetd, "xinetd", package="xinetd", workers=False),
    System("systemd-socket-activate", socket_activate, "systemd-socket-activate",
           package="systemd", workers=False),
]


# Started by the first client.

def limit_cold(place):
    return place.activate(limit("proxy", str(place.backend)))


def limit_echo_cold(place):
    return place.activate(limit("echo"))


def adoptd_cold(place):
    block = PASS_ON.format(backend=place.backend)
    return place.activate([harness.ADOPTD, "-e", f'port "p" {{ {block} }}'])


def adoptd_echo_cold(place):
    return place.activate([harness.ADOPTD, "-e", 'port "p" { echo {} }'])


def proxyd_cold(place):
    return place.activate(proxyd(place))


def nginx_cold(place):
    # It takes what it believes to come from an older nginx, by the port that it has.
    port = machine.free_port()
    return place.activate(nginx(place, port), ["NGINX=3;"], port)


def haproxy_cold(place):
    return place.activate(haproxy(place, "cold.cfg", "fd@3"))


def twisted_cold(place):
    return place.activate(twisted("proxy", str(place.backend)))


COLD = [
    System("limit, proxy", limit_cold),
    System("adoptd, proxy", adoptd_cold),
    System("systemd-socket-proxyd", proxyd_cold, SOCKET_PROXYD, package="systemd"),
    System("nginx stream", nginx_cold, "nginx", NGINX_STREAM, package="nginx"),
    System("HAProxy", haproxy_cold, "haproxy", package="haproxy"),
    System("Twisted portforward", twisted_cold, TWISTED, package="python3-twisted"),
    System("limit, echo", limit_echo_cold),
    System("adoptd, echo", adoptd_echo_cold),
]
