"""A server on Twisted, on descriptor 3: twisted_peer.py echo | proxy PORT."""
import socket
import sys

from twisted.internet import protocol, reactor
from twisted.protocols import portforward


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


if sys.argv[1] == "echo":
    factory = protocol.Factory.forProtocol(Echo)
else:
    factory = portforward.ProxyFactory("127.0.0.1", int(sys.argv[2]))
listener = socket.socket(fileno=3)
listener.setblocking(False)
reactor.adoptStreamPort(listener.fileno(), socket.AF_INET, factory)
reactor.run()
