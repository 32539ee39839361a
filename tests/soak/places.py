"""The places where adoptd is put under load, and what loads there are in each."""
import collections
import shutil

import loads
import soak
import wire

Unavailable = wire.Unavailable
Size = collections.namedtuple("Size", "idle drip resets slow")

# Of those who come and go at once.
PASSING = 1000


def copies_for(size):
    """How many adoptds it takes: each accepts as many connections as have two descriptors."""
    room = loads.raise_limit() // 2 - PASSING
    return -(-(size.idle + size.drip) // room)


def crowd(size, seconds):
    """Very many clients who want nothing, or very little, or to be a nuisance; and some who
    are to be served nonetheless."""
    copies = copies_for(size)
    with soak.Servers(copies) as servers:
        everywhere = servers.addresses("echo", "proxy")
        parts = [loads.Idle(address, size.idle // len(everywhere)) for address in everywhere]
        parts += [loads.Drip(address, size.drip // copies) for address in servers.addresses("proxy")]
        parts += [loads.Resets(everywhere, size.resets), loads.Probe(everywhere)]
        if servers.has_nginx and shutil.which("slowhttptest"):
            web, *_ = servers.addresses("web")
            parts += [loads.SlowHttp(web, size.slow, servers.directory), loads.Pages(web)]
        return soak.run(f"crowd of {size.idle}, of {copies} adoptds", servers, parts, seconds)


def bad_wire(size, seconds):
    """Clients whose packets get lost, late, doubled and overtaken."""
    with wire.Wire() as line:
        with soak.Servers(1, line.SERVER, line.at_server, line.at_client) as servers:
            parts = [loads.Transfers(address, first, line.at_client)
                     for first in range(3) for address in servers.addresses("echo", "proxy")]
            return soak.run(f"bad wire ({line.kind})", servers, parts, seconds)


ALL = {"crowd": crowd, "bad-wire": bad_wire}
