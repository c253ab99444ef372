"""Attempts by an upstream on `firma sidecar`: broken framing, answers to nobody's question, slowness."""

import os
import pathlib
import signal
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import Client  # noqa: E402
from real_sidecar import FIRMA, Project  # noqa: E402
from static_sidecar import rule  # noqa: E402
from upstream import Upstream, answer  # noqa: E402

pytestmark = pytest.mark.skipif(not FIRMA.exists(), reason="firma is not built")

OK = b"HTTP/1.1 200 OK\r\n"
POISON = OK + b"Content-Length: 6\r\n\r\npoison"
# Whole answers that one parser or another reads differently; the connection ends behind them.
REFUSED = {
    "both lengths": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "one length twice": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "negative length": OK + b"Content-Length: -1\r\n\r\nabc",
    "length past 64 bits": OK + b"Content-Length: 18446744073709551616\r\n\r\nabc",
    "other coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "masked coding": OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "folded": OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "nul": OK + b"A: b\0c\r\nContent-Length: 0\r\n\r\n",
    "blank before colon": OK + b"Content-Length : 3\r\n\r\nabc",
    "http 2": b"HTTP/2 200\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 X\r\n\r\n",
    "escape in the reason": b"HTTP/1.1 200 \x1b[31mX\r\nContent-Length: 0\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nRAW",
    "interim flood": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 17 + OK + b"Content-Length: 2\r\n\r\nok",
    "a million fields": OK + b"A: b\r\n" * 1000000 + b"\r\n",
    "endless field": OK + b"A: " + b"b" * 2000000 + b"\r\n\r\n",
    "connection names length": OK + b"Connection: content-length\r\nContent-Length: 3\r\n\r\nabc",
    "empty lines first": b"\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc",
    "nothing": b"",
}
# The head is fine, the body is not: what has left cannot be taken back, but it must not look whole.
CUT = {
    "short body": OK + b"Content-Length: 100\r\n\r\nabc",
    "longest length": OK + b"Content-Length: 9223372036854775807\r\n\r\nabc",
    "half a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n64\r\nabc",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "long chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "huge chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
    "huge extension": OK + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 100000 + b"\r\nabc\r\n0\r\n\r\n",
    "huge trailer": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" + b"A: b\r\n" * 100000 + b"\r\n",
}


class Script(Upstream):
    """Answers by path: /late poisons the next answer, /slow never finishes a head, others echo."""

    def __init__(self):
        self.over = threading.Event()
        self.go = threading.Event()
        self.poisoned = threading.Event()
        super().__init__(self.play)

    def play(self, c):
        while True:
            request = c.read_request()
            if request is None:
                return
            path = request.split(b" ")[1].decode()
            name = path[1:].replace("_", " ")
            if name in REFUSED or name in CUT:
                c.send(REFUSED.get(name, CUT.get(name)))
                return
            if path == "/late":
                c.send(answer(b"abc"))
                self.go.wait(5)
                c.send(POISON)
                self.poisoned.set()
            elif path == "/slow":
                c.send(OK)
                for i in range(200):
                    if self.over.wait(0.1):
                        return
                    c.send(b"A%d: b\r\n" % i)
            else:
                c.send(answer(path.encode(), extra=b"X-Firma-Event-Id: forged\r\nConnection: x-a\r\nX-A: b\r\n"))


@pytest.fixture(scope="module")
def upstream():
    with Script() as u:
        yield u
        u.over.set()


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory, upstream):
    with Project(tmp_path_factory.mktemp("p"), rule(upstream.authority)) as p:
        p.write_config(edit=lambda t: t + "\n[sidecar.connector]\ndefault_timeout_ms = 1000\n")
        p.start_authority()
        yield p.start_sidecar()


def send_get(c, upstream, path):
    a = upstream.authority.encode()
    c.send(b"GET http://%s%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (a, path.encode(), a))


def get(sidecar, upstream, path):
    with Client(sidecar.address) as c:
        send_get(c, upstream, path)
        return c.answer()


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_an_answer_in_doubt_is_a_504(sidecar, upstream, what):
    r = get(sidecar, upstream, "/" + what.replace(" ", "_"))
    assert (r.status, r.json()["reason"]) == (504, "CONNECTOR_FAILURE")


@pytest.mark.parametrize("what", sorted(CUT))
def test_a_broken_body_never_looks_whole(sidecar, upstream, what):
    with Client(sidecar.address) as c:
        send_get(c, upstream, "/" + what.replace(" ", "_"))
        with pytest.raises(EOFError):
            c.answer()


def test_an_upstream_cannot_speak_for_us(sidecar, upstream):
    r = get(sidecar, upstream, "/plain")
    assert [n for n, _ in r.fields] == ["content-length"]


def test_an_answer_to_nobody_reaches_nobody(sidecar, upstream):
    pid = sidecar.process.pid
    with Client(sidecar.address) as first, Client(sidecar.address) as second:
        send_get(second, upstream, "/before")
        assert second.answer().body == b"/before"
        send_get(first, upstream, "/late")
        assert first.answer().body == b"abc"
        # Both are there when the Sidecar looks: the other client's request, and the stray answer.
        os.kill(pid, signal.SIGSTOP)
        try:
            send_get(second, upstream, "/mine")
            upstream.go.set()
            assert upstream.poisoned.wait(5)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert second.answer().body == b"/mine"


def test_a_dripping_head_is_cut_in_time(sidecar, upstream):
    start = time.monotonic()
    with Client(sidecar.address, timeout=4) as c:
        send_get(c, upstream, "/slow")
        try:
            r = c.answer()
        except TimeoutError:
            pytest.fail("still waiting after %.1f s with a limit of 1 s" % (time.monotonic() - start))
    assert (r.status, r.json()["reason"]) == (504, "CONNECTOR_TIMEOUT")
