"""A client that sends exactly the bytes it is given and takes answers apart strictly."""

import json
import socket
import struct


class Answer:
    def __init__(self, status, fields, body, raw_head):
        self.status = status
        self.fields = fields
        self.body = body
        self.raw_head = raw_head

    def json(self):
        return json.loads(self.body)

    def field(self, name):
        values = [v for n, v in self.fields if n == name]
        return values[0] if values else None

    def __repr__(self):
        return "Answer(%r, %r, %r)" % (self.status, self.fields, self.body)


class Client:
    def __init__(self, address, timeout=10):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)
        return self

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def more(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise EOFError("connection ended inside a message: %r" % self.buffer)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.more():
                raise EOFError("connection ended inside a line: %r" % self.buffer)
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def head(self):
        status_line = self.line()
        assert status_line.startswith(b"HTTP/1.1 "), status_line
        fields = []
        raw = status_line
        while True:
            line = self.line()
            if not line:
                break
            raw += b"\r\n" + line
            name, _, value = line.partition(b": ")
            fields.append((name.decode().lower(), value.decode()))
        return int(status_line[9:12]), fields, raw

    def answer(self, method="GET"):
        status, fields, raw = self.head()
        names = dict(fields)
        body = b""
        if method == "HEAD" or status in (204, 304) or status < 200:
            pass
        elif names.get("transfer-encoding") == "chunked":
            while True:
                size = int(self.line(), 16)
                body += self.take(size)
                assert self.take(2) == b"\r\n"
                if size == 0:
                    break
        elif "content-length" in names:
            body = self.take(int(names["content-length"]))
        else:
            body = self.rest()
        return Answer(status, fields, body, raw)

    def rest(self):
        """Everything up to the end of the stream."""
        while self.more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def ended(self):
        """True when the other side has closed without another byte."""
        try:
            return self.rest() == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def client_hello(name, extra=b""):
    """A minimal TLS 1.2 ClientHello; `name` None leaves the server name out."""
    extensions = extra
    if name is not None:
        host = name.encode()
        entry = b"\x00" + struct.pack(">H", len(host)) + host
        names = struct.pack(">H", len(entry)) + entry
        extensions += struct.pack(">HH", 0, len(names)) + names
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x2f" + b"\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake
