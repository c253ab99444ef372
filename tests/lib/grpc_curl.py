"""gRPC calls through curl (HTTP/2 with prior knowledge), and as much protobuf as the Authority's contract needs."""

import struct
import subprocess
import tempfile


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while True:
        out += bytes([n & 0x7F | (0x80 if n > 0x7F else 0)])
        n >>= 7
        if not n:
            return out


def put(field, value):
    if isinstance(value, int):
        return varint(field << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def take(data):
    """All fields of a message: {number: [values]}; bytes for length-delimited ones, else numbers."""
    fields, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return n

    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            value = number()
        else:
            assert tag & 7 == 2, tag
            size = number()
            value = data[at : at + size]
            assert len(value) == size
            at += size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def frame(message):
    return b"\0" + struct.pack(">I", len(message)) + message


def issue_request(agent, session, actions, scope="*", ttl=600):
    message = put(1, agent)
    for action in actions:
        message += put(2, action)
    return message + put(3, scope) + put(4, session) + (put(5, ttl) if ttl else b"")


class Call:
    """One call; messages are read as they come, the status once the stream has ended."""

    def __init__(self, addr, path, body, content_type="application/grpc"):
        self.headers = tempfile.NamedTemporaryFile(mode="rb")
        self.proc = subprocess.Popen(
            ["curl", "-sS", "-N", "--http2-prior-knowledge", "-g", "-X", "POST", "-H", "te: trailers",
             "-H", "content-type: " + content_type, "--data-binary", "@-", "-D", self.headers.name,
             "http://%s%s" % (addr, path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.proc.stdin.write(body)
        self.proc.stdin.close()

    def message(self):
        """The next message; None when the stream has ended."""
        head = self.proc.stdout.read(5)
        if not head:
            return None
        assert head[0] == 0 and len(head) == 5, head
        size = struct.unpack(">I", head[1:])[0]
        body = self.proc.stdout.read(size)
        assert len(body) == size
        return body

    def status(self):
        """(grpc-status, grpc-message) after the end."""
        self.proc.stdout.read()
        self.proc.wait(timeout=10)
        fields = {}
        for line in open(self.headers.name, "rb").read().decode().splitlines():
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        status = fields.get("grpc-status")
        return (int(status) if status is not None else None, fields.get("grpc-message", ""))

    def close(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()
        self.proc.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()


SERVICE = "/firma.v1.AuthorityService/"


def unary(addr, path, message):
    with Call(addr, path, frame(message)) as call:
        reply = call.message()
        return reply, call.status()
