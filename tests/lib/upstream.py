"""A service on loopback whose answers are bytes that the test wrote, and which keeps every byte that it was sent.

Each connection is served by one thread. The handler gets the connection object; `read_request` gives one whole request
(head and framed body) as bytes, or None at the end of the stream.
"""

import socket
import threading


class UpstreamConnection:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def read_more(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def read_until(self, mark):
        while mark not in self.buffer:
            if not self.read_more():
                return None
        at = self.buffer.index(mark) + len(mark)
        data, self.buffer = self.buffer[:at], self.buffer[at:]
        return data

    def read_exactly(self, n):
        while len(self.buffer) < n:
            if not self.read_more():
                return None
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def read_request(self):
        head = self.read_until(b"\r\n\r\n")
        if head is None:
            return None
        body = b""
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                body = self.read_exactly(int(value)) or b""
        return head + body

    def send(self, data):
        self.sock.sendall(data)


def answer(body=b"ok", status=b"200 OK", extra=b""):
    return b"HTTP/1.1 " + status + b"\r\n" + extra + b"content-length: %d\r\n\r\n" % len(body) + body


class Upstream:
    """`handler(connection)` runs once a connection; the default answers every request with its path."""

    def __init__(self, handler=None, host="127.0.0.1"):
        self.handler = handler or self.echo
        self.requests = []
        self.connections = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server((host, 0), backlog=1024)
        self.host, self.port = self.listener.getsockname()[:2]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def authority(self):
        return "%s:%d" % (self.host, self.port)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            with sock:
                self.handler(UpstreamConnection(sock))
        except OSError:
            pass

    def remember(self, request):
        with self.lock:
            self.requests.append(request)

    def echo(self, connection):
        while True:
            request = connection.read_request()
            if request is None:
                return
            self.remember(request)
            connection.send(answer(request.split(b" ", 2)[1]))

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # an accept under way would take one more
        except OSError:
            pass
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
