"""What clients may try: smuggling, limits, slowness, floods. Refused by name, at most one decision a request, nothing sent on."""

import os
import pathlib
import resource
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import Client  # noqa: E402
from static_sidecar import DRIVER, StaticSidecar, rule  # noqa: E402
from upstream import Upstream, answer  # noqa: E402

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the static Sidecar is not built")


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory, upstream):
    with StaticSidecar(tmp_path_factory.mktemp("s"), rule(upstream.authority) + rule("h.example")) as s:
        yield s


A = b"h.example"
# Each is a whole request that one parser or another is known to read differently.
FRAMING = {
    "both lengths": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two equal lengths": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    "two different lengths": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "length list": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: 1, 1\r\n\r\na", 400),
    "signed length": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: +1\r\n\r\na", 400),
    "hex length": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: 0x1\r\n\r\na", 400),
    "huge length": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nContent-Length: 18446744073709551617\r\n\r\na", 400),
    "chunked twice": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in two fields": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked not last": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", None),
    "other coding": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", None),
    "masked coding": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", None),
    "coding in 1.0": (b"POST http://@/ HTTP/1.0\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "bare lf": (b"GET http://@/ HTTP/1.1\nHost: @\n\n", 400),
    "bare cr": (b"GET http://@/ HTTP/1.1\r\nHost: @\r\nA: b\rC: d\r\n\r\n", 400),
    "nul": (b"GET http://@/ HTTP/1.1\r\nHost: @\r\nA: b\0c\r\n\r\n", 400),
    "folded": (b"GET http://@/ HTTP/1.1\r\nHost: @\r\nA: b\r\n c\r\n\r\n", 400),
    "blank before colon": (b"GET http://@/ HTTP/1.1\r\nHost : @\r\n\r\n", 400),
    "no colon": (b"GET http://@/ HTTP/1.1\r\nHost: @\r\nnonsense\r\n\r\n", 400),
    "two hosts": (b"GET http://@/ HTTP/1.1\r\nHost: @\r\nHost: @\r\n\r\n", 400),
    "http 2": (b"GET http://@/ HTTP/2.0\r\nHost: @\r\n\r\n", 505),
    "h2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "no version": (b"GET http://@/\r\nHost: @\r\n\r\n", None),
    "connection names length": (b"POST http://@/ HTTP/1.1\r\nHost: @\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\na", 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "proxy v2 on tcp": (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 400),
}


@pytest.mark.parametrize("what", sorted(FRAMING))
def test_framing_doubts_end_the_connection(sidecar, what):
    raw, status = FRAMING[what]
    before = len(sidecar.events())
    with sidecar.client() as c:
        # Behind it stands a request that must never be seen as one.
        c.send(raw.replace(b"@", A))
        c.send(b"GET http://h.example/smuggled HTTP/1.1\r\nHost: h.example\r\n\r\n")
        r = c.answer()
        assert r.status == status or (status is None and r.status in (400, 501))
        assert r.json()["reason"] == "MalformedRequest"
        assert r.json()["detail"].startswith("MALFORMED_REQUEST: ")
        assert r.field("connection") == "close"
        assert c.ended()
    events = sidecar.wait_events(before + 1)
    assert len(events) == before + 1
    assert events[-1]["decision"] == 2
    assert events[-1]["deny_reason"].startswith("malformed request: MALFORMED_REQUEST: ")


AUTHORITY = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "target and host differ": b"GET http://h.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
    "ports differ": b"GET http://h.example:81/ HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "userinfo": b"GET http://h.example@evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "octal address": b"GET http://0177.0.0.1/ HTTP/1.1\r\nHost: 0177.0.0.1\r\n\r\n",
    "decimal address": b"GET http://2130706433/ HTTP/1.1\r\nHost: 2130706433\r\n\r\n",
    "short address": b"GET http://127.1/ HTTP/1.1\r\nHost: 127.1\r\n\r\n",
    "underscore": b"GET http://h_x.example/ HTTP/1.1\r\nHost: h_x.example\r\n\r\n",
    "encoded host": b"GET http://h%2eexample/ HTTP/1.1\r\nHost: h%2eexample\r\n\r\n",
    "encoded slash": b"GET http://h.example/a%2fb HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "encoded nul": b"GET http://h.example/a%00b HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "backslash": b"GET http://h.example/a\\b HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "bad escape": b"GET http://h.example/a%zz HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "ftp": b"GET ftp://h.example/ HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "connect with path": b"CONNECT h.example:443/x HTTP/1.1\r\nHost: h.example:443\r\n\r\n",
    "connect without port": b"CONNECT h.example HTTP/1.1\r\nHost: other.example\r\n\r\n",
}


@pytest.mark.parametrize("what", sorted(AUTHORITY))
def test_one_authority_and_one_path_or_none(sidecar, what):
    before = len(sidecar.events())
    with sidecar.client() as c:
        c.send(AUTHORITY[what])
        r = c.answer()
        assert r.status == 403 and r.json()["reason"] == "MalformedRequest"
        # The message itself could be framed: the connection goes on.
        c.send(b"GET http://nowhere.invalid/ HTTP/1.1\r\nHost: nowhere.invalid\r\n\r\n")
        assert c.answer().json()["reason"] == "UnclassifiedIntent"
    assert len(sidecar.wait_events(before + 2)) == before + 2


def test_missing_host_says_so(sidecar):
    r = sidecar.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert r.json()["detail"] == "MALFORMED_REQUEST: missing host"
    assert sidecar.events()[-1]["resource"] == "?"


def head_of(authority, total):
    start = b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\nA: " % (authority, authority)
    return start + b"x" * (total - len(start) - 4) + b"\r\n\r\n"


def test_head_size_limit(sidecar, upstream):
    a = upstream.authority.encode()
    assert sidecar.ask(head_of(a, 65536)).status == 200
    r = sidecar.ask(head_of(a, 65537))
    assert r.status == 431 and r.json()["reason"] == "MalformedRequest"


def test_head_size_limit_in_small_pieces(sidecar, upstream):
    a = upstream.authority.encode()
    for size, status in ((65536, 200), (65537, 431)):
        with sidecar.client() as c:
            c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw = head_of(a, size)
            for at in range(0, len(raw), 1021):
                c.send(raw[at:at + 1021])
            assert c.answer().status == status


def test_field_count_limit(sidecar, upstream):
    a = upstream.authority.encode()
    for fields, status in ((99, 200), (100, 431)):  # and Host
        r = sidecar.ask(b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n" % (a, a) + b"A: b\r\n" * fields + b"\r\n")
        assert r.status == status


def post(authority, n, send=None):
    return (b"POST http://%s/ HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (authority, authority, n) +
            b"x" * (n if send is None else send))


def test_body_size_limit(tmp_path, upstream):
    a = upstream.authority.encode()
    with StaticSidecar(tmp_path, rule(upstream.authority), options=["--limit", "body_bytes=1000"]) as s:
        assert s.ask(post(a, 1000)).status == 200
        r = s.ask(post(a, 1001, send=0))  # refused before the body is read
        assert r.status == 403 and r.json()["detail"] == "MALFORMED_REQUEST: request body exceeds 1000 bytes limit"
        head = b"POST http://%s/ HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % (a, a)
        assert s.ask(head + b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n").status == 200
        r = s.ask(head + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n")
        assert r.json()["detail"] == "MALFORMED_REQUEST: request body exceeds 1000 bytes limit"


def test_body_budget_over_all_connections(tmp_path, upstream):
    a = upstream.authority.encode()
    options = ["--limit", "body_bytes=1000", "--limit", "bodies_bytes=1500"]
    with StaticSidecar(tmp_path, rule(upstream.authority), options=options) as s:
        with s.client() as waiting:
            waiting.send(post(a, 1000, send=999))
            s_ok = s.ask(post(a, 501))  # what has come counts, not what was announced
            r = s.ask(post(a, 502))
            assert (s_ok.status, r.status) == (200, 403)
            assert r.json()["detail"] == "MALFORMED_REQUEST: sidecar body budget exceeded"
            waiting.send(b"x")
            assert waiting.answer().status == 200
        assert s.ask(post(a, 1000)).status == 200  # given back


def test_bad_chunks_are_refused_before_anything_is_sent(sidecar, upstream):
    a = upstream.authority.encode()
    before = len(upstream.requests)
    head = b"POST http://%s/ HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % (a, a)
    for body in (b"zz\r\n", b"1\nx\r\n0\r\n\r\n", b"1\r\nxx\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", b"0x1\r\nx\r\n"):
        with sidecar.client() as c:
            c.send(head + body)
            r = c.answer()
            assert r.status == 400 and r.json()["reason"] == "MalformedRequest"
            assert c.ended()
    assert len(upstream.requests) == before


def test_truncated_body_is_refused(sidecar, upstream):
    a = upstream.authority.encode()
    before = len(upstream.requests)
    with sidecar.client() as c:
        c.send(post(a, 10, send=5)).half_close()
        assert c.answer().status == 403
    assert len(upstream.requests) == before


def test_slow_head_and_slow_body_are_cut(tmp_path, upstream):
    a = upstream.authority.encode()
    options = ["--limit", "head_ms=400", "--limit", "body_gap_ms=400", "--limit", "idle_ms=600"]
    with StaticSidecar(tmp_path, rule(upstream.authority), options=options) as s:
        slow, body, idle = s.client(), s.client(), s.client()
        start = time.monotonic()
        slow.send(b"GET http://%s/ HT" % a)
        body.send(post(a, 10, send=5))
        assert slow.answer().status == 408 and slow.ended()
        assert body.answer().status == 403
        assert idle.ended()
        assert time.monotonic() - start < 5


def test_a_body_that_drips_is_cut_however_short_the_pauses(tmp_path, upstream):
    a = upstream.authority.encode()
    with StaticSidecar(tmp_path, rule(upstream.authority), options=["--limit", "body_gap_ms=500"]) as s, s.client() as c:
        over = threading.Event()

        def drip():
            try:
                while not over.wait(0.05):
                    c.send(b"x")
            except OSError:
                pass
        c.send(post(a, 4000, send=5).replace(b"/ HTTP", b"/drip HTTP", 1))
        start = time.monotonic()
        thread = threading.Thread(target=drip)
        thread.start()
        r = c.answer()
        over.set()
        thread.join()
        assert (r.status, r.json()["detail"]) == (403, "MALFORMED_REQUEST: failed to read body: timed out")
        assert time.monotonic() - start < 5
        assert not any(b"/drip" in x for x in upstream.requests)


def test_surplus_behind_an_answer_is_for_nobody(tmp_path):
    def serve(c):
        while c.read_request() is not None:
            c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s:
        for _ in range(5):
            assert s.get(u.authority).body == b"ok"
        assert u.connections == 5


def test_upstream_that_never_answers(tmp_path):
    held = threading.Event()

    def serve(c):
        c.read_request()
        held.wait(20)
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority), options=["--limit", "dispatch_ms=500"]) as s:
        r = s.get(u.authority)
        held.set()
        assert r.status == 504
        assert r.json() == {"aborted": True, "detail": "transport: no answer in time", "reason": "CONNECTOR_TIMEOUT"}
        assert s.events()[0]["decision"] == 3


def test_client_that_does_not_read_is_cut_and_bounded(tmp_path):
    done = threading.Event()

    def serve(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            for _ in range(1024):
                c.send(bytes(1 << 20))
        finally:
            done.set()
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority), options=["--limit", "body_gap_ms=500"]) as s:
        with s.client() as c:
            c.send(b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n" % ((u.authority.encode(),) * 2))
            (event,) = s.wait_events(1)
            assert event["decision"] == 3
            assert done.wait(10)  # the upstream was cut, too
        rss = int([line for line in open("/proc/%d/status" % s.process.pid) if line.startswith("VmHWM")][0].split()[1])
        assert rss < 200 << 10 if os.environ.get("FIRMA_SANITIZED") else rss < 40 << 10


def test_full_house_waits_and_is_served_after(tmp_path, upstream):
    options = ["--limit", "clients=8"]
    with StaticSidecar(tmp_path, rule(upstream.authority), options=options) as s:
        inside = [s.client() for _ in range(8)]
        for c in inside:
            c.send(b"GET http://h.x/")  # not idle: these may stay
        outside = s.client()
        outside.send(b"GET http://%s/late HTTP/1.1\r\nHost: %s\r\n\r\n" % ((upstream.authority.encode(),) * 2))
        outside.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            outside.more()
        inside.pop().close()
        outside.sock.settimeout(5)
        assert outside.answer().body == b"/late"


def test_out_of_descriptors_neither_spins_nor_stays_deaf(tmp_path, upstream):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    with StaticSidecar(tmp_path, rule(upstream.authority), preexec=limit) as s:
        held = []
        for _ in range(60):
            c = s.client()
            c.send(b"GET http://h.x/")
            held.append(c)
        stat = "/proc/%d/stat" % s.process.pid

        def cpu():
            fields = open(stat).read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        before = cpu()
        quiet = threading.Event()
        quiet.wait(1.0)  # a second of wall time is what is measured
        assert cpu() - before < 0.1
        for c in held:
            c.close()
        start = time.monotonic()
        assert s.get(upstream.authority, "/after").body == b"/after"
        assert time.monotonic() - start < 2


def test_hundred_at_once(tmp_path):
    with Upstream() as u, StaticSidecar(tmp_path, rule(u.authority)) as s:
        statuses = []

        def run(i):
            statuses.append(s.get(u.authority, "/%d" % i).status if i % 2 else s.get("nowhere.invalid").status)
        threads = [threading.Thread(target=run, args=(i,)) for i in range(100)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert sorted(statuses) == [200] * 50 + [403] * 50
        assert len(s.wait_events(100)) == 100
