"""A systemd that starts one unit, as far as adoptd can tell: on a socket of systemd's, in a
namespace of its own."""
import contextlib
import os
import socket
import struct
import threading

from harness import listener

# The call's header: byte order, kind, flags, version, length of the body, serial, of fields.
HEADER = struct.Struct("<4BIII")
CALL, RETURN, NO_REPLY = 1, 2, 1
JOB = b"/org/freedesktop/systemd1/job/1"
ENTER = '''mount -t tmpfs adoptd /run && mkdir /run/systemd && mount --bind "$0" /run/systemd &&
exec "$@"'''


class Manager:
    """start: what is called when the unit is to be started. words: whoever is run behind them
    finds this systemd. A context manager."""

    def __init__(self, directory, start):
        os.makedirs(os.path.join(directory, "system"))
        self.sock = listener(socket.AF_UNIX, address=os.path.join(directory, "private"))
        self.start = start
        self.words = ["unshare", "--mount", "sh", "-c", ENTER, directory]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.sock.accept()
                with client, contextlib.suppress(OSError, EOFError):
                    client.settimeout(5)
                    self.answer(client)

    def answer(self, client):
        stream = client.makefile("rb")
        while (line := stream.readline()) != b"BEGIN\r\n":
            if not line:
                return
            if b"DATA" in line:
                client.sendall(b"DATA\r\nOK " + b"0" * 32 + b"\r\n")
            elif b"NEGOTIATE" in line:
                client.sendall(b"AGREE_UNIX_FD\r\n")
        while len(header := stream.read(HEADER.size)) == HEADER.size:
            _, kind, _, _, body, serial, fields = HEADER.unpack(header)
            text = stream.read((fields + 7) // 8 * 8 + body)
            if kind == CALL and b"StartUnit" in text:
                self.start()
                client.sendall(reply(serial))


def reply(serial):
    body = struct.pack("<I", len(JOB)) + JOB + b"\0"
    fields = b"\5\1u\0" + struct.pack("<I", serial) + b"\x08\1g\0\1o\0"
    header = HEADER.pack(ord("l"), RETURN, NO_REPLY, 1, len(body), 1, len(fields))
    return (header + fields).ljust(HEADER.size + (len(fields) + 7) // 8 * 8, b"\0") + body
