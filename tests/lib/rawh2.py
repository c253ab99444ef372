"""An HTTP/2 client made of bytes, for what a well-behaved one never sends. Every wait has an end."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 7, 8, 11
FRAME_MAX = 16384


def packed(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    """An HPACK string without Huffman code."""
    data = value if isinstance(value, bytes) else value.encode()
    n = len(data)
    if n < 127:
        return bytes([n]) + data
    out, n = b"\x7f", n - 127
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n]) + data


def header_block(fields):
    """Literal fields that enter no table."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def grpc_fields(path, more=()):
    return [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"), *more]


class RawH2:
    def __init__(self, addr, settings=(), greet=True, acknowledge=True, timeout=20):
        host, _, port = addr.rpartition(":")
        self.sock = socket.create_connection((host.strip("[]"), int(port)), timeout=timeout)
        self.acknowledge = acknowledge  # the server's SETTINGS
        self.buffer = b""
        self.next_stream = 1
        self.seen = []  # every frame so far: (kind, flags, stream, payload)
        self.spent = {0: 0}  # bytes of DATA sent: in all, and on each stream
        if greet:
            self.send(PREFACE + packed(SETTINGS, 0, 0, b"".join(struct.pack(">HI", k, v) for k, v in settings)))

    def send(self, data):
        self.sock.sendall(data)

    def headers(self, fields, end=False):
        """Opens a stream; returns its number."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        block = header_block(fields)
        chunks = [block[i:i + FRAME_MAX] for i in range(0, len(block), FRAME_MAX)]
        out = b""
        for i, chunk in enumerate(chunks):
            flags = END_HEADERS if i + 1 == len(chunks) else 0
            flags |= END_STREAM if end and i == 0 else 0
            out += packed(CONTINUATION if i else HEADERS, flags, stream, chunk)
        self.send(out)
        return stream

    def data(self, stream, body, end=True):
        """Sends @body as the windows allow: reads updates in between."""
        at = 0
        while True:
            chunk = body[at:at + min(FRAME_MAX, self.window(stream))]
            at += len(chunk)
            if chunk or at == len(body):
                self.spent[0] += len(chunk)
                self.spent[stream] = self.spent.get(stream, 0) + len(chunk)
                self.send(packed(DATA, END_STREAM if end and at == len(body) else 0, stream, chunk))
            if at == len(body):
                return
            if self.window(stream) <= 0 and self.frame() is None:
                raise AssertionError("closed while sending")

    def window(self, stream):
        given = {0: 65535, stream: 65535}
        for kind, _, where, payload in self.seen:
            if kind == WINDOW_UPDATE and where in given:
                given[where] += struct.unpack(">I", payload)[0]
        return min(given[where] - self.spent.get(where, 0) for where in given)

    def frame(self):
        """The next frame; None when the peer has closed."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self.buffer += more
        size = int.from_bytes(self.buffer[:3], "big")
        found = (self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big"), self.buffer[9:9 + size])
        self.buffer = self.buffer[9 + size:]
        self.seen.append(found)
        if self.acknowledge and found[0] == SETTINGS and not found[1] & ACK:
            self.send(packed(SETTINGS, ACK, 0))
        return found

    def wait(self, kind, stream=None, most=20000):
        """The next frame of that kind (on that stream); None when the peer closes first."""
        for _ in range(most):
            got = self.frame()
            if got is None or (got[0] == kind and (stream is None or got[2] == stream)):
                return got
        raise AssertionError("no frame %d among %d" % (kind, most))

    def ping(self):
        """A round trip: all that was sent before has been dealt with. False when the peer has closed."""
        try:
            self.send(packed(PING, 0, 0, b"roundtrp"))
        except OSError:
            return False
        return self.wait(PING) is not None

    def frames(self, kind, stream=None):
        return [f for f in self.seen if f[0] == kind and (stream is None or f[2] == stream)]

    def resets(self):
        """{stream: error code}"""
        return {f[2]: struct.unpack(">I", f[3])[0] for f in self.frames(RST_STREAM)}

    def ended(self, stream):
        """How a call ended: the messages' bytes, "reset", or None when the peer has closed."""
        while True:
            got = self.frame()
            if got is None:
                return None
            if got[2] == stream and got[0] == RST_STREAM:
                return "reset"
            if got[2] == stream and got[0] in (HEADERS, DATA) and got[1] & END_STREAM:
                return b"".join(f[3] for f in self.frames(DATA, stream))

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
