"""CONNECT: recorded before it opens, and only towards the name that was decided."""

import pathlib
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import client_hello  # noqa: E402
from static_sidecar import DRIVER, StaticSidecar, rule  # noqa: E402
from upstream import Upstream  # noqa: E402

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the static Sidecar is not built")


def relay_back(c):
    """Says back what it hears, upper case, until the client's end; then a last word."""
    while True:
        if not c.buffer and not c.read_more():
            break
        data, c.buffer = c.buffer, b""
        c.send(data.upper())
    c.send(b"BYE")


@pytest.fixture
def upstream():
    with Upstream(relay_back) as u:
        yield u


@pytest.fixture
def sidecar(tmp_path, upstream):
    rules = rule("tls.example:%d" % upstream.port, "CONNECT") + rule("raw.example:%d" % upstream.port, "CONNECT", opaque=True)
    rules += rule("tls.example:1", "CONNECT") + rule("lost.example", "CONNECT")
    options = ["--host", "tls.example=127.0.0.1", "--host", "raw.example=127.0.0.1", "--limit", "tunnel_setup_ms=800",
               "--servers", "127.0.0.1:1"]
    with StaticSidecar(tmp_path, rules, options=options) as s:
        yield s


def connect(sidecar, authority, host=None):
    c = sidecar.client()
    c.send(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority.encode(), (host or authority).encode()))
    return c


def opened(sidecar, authority):
    c = connect(sidecar, authority)
    status, fields, _ = c.head()
    assert status == 200 and fields == []
    return c


def test_matching_hello_is_relayed_both_ways_with_half_close(sidecar, upstream):
    name = "tls.example:%d" % upstream.port
    c = opened(sidecar, name)
    (event,) = sidecar.events()  # on file before the 200
    assert event["decision"] == 1 and event["resource"] == name + "/" and event["dispatch_status"] == 0
    hello = client_hello("TLS.example")
    c.send(hello[:7])
    assert upstream.connections == 0
    c.send(hello[7:])
    assert c.take(len(hello)) == hello.upper()
    c.send(b"more")
    assert c.take(4) == b"MORE"
    c.half_close()
    assert c.rest() == b"BYE"
    last = sidecar.wait_events(2)[-1]
    assert last["decision"] == 1 and last["dispatch_status"] == 200
    assert last["response_size"] == len(hello) + 4 + 3


def test_hello_sent_along_with_connect(sidecar, upstream):
    name = "tls.example:%d" % upstream.port
    hello = client_hello("tls.example")
    with sidecar.client() as c:
        c.send(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (name.encode(), name.encode()) + hello)
        assert c.head()[0] == 200
        assert c.take(len(hello)) == hello.upper()


def test_megabytes_pass_unharmed(sidecar, upstream):
    c = opened(sidecar, "tls.example:%d" % upstream.port)
    hello = client_hello("tls.example")
    c.send(hello)
    c.take(len(hello))
    data = bytes(range(97, 123)) * 200000
    sender = threading.Thread(target=lambda: c.send(data).half_close())
    sender.start()
    assert c.rest() == data.upper() + b"BYE"
    sender.join()


WRONG = {
    "another name": client_hello("other.example"),
    "sub-domain": client_hello("a.tls.example"),
    "no name": client_hello(None),
    "address as name": client_hello("127.0.0.1"),
    "name with nul": client_hello("tls.example\0.evil.example"),
    "encrypted hello": client_hello("tls.example", b"\xfe\x0d\x00\x04\x00\x00\x00\x00"),
    "plain http": b"GET / HTTP/1.1\r\nHost: tls.example\r\n\r\n",
    "ssh": b"SSH-2.0-x\r\n",
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_other_first_bytes_end_it_before_anything_is_dialled(sidecar, upstream, what):
    c = opened(sidecar, "tls.example:%d" % upstream.port)
    c.send(WRONG[what])
    assert c.ended()
    last = sidecar.wait_events(2)[-1]
    assert last["decision"] == 3 and last["action"] == "network.connect"
    assert last["resource"] == "tls.example:%d/" % upstream.port
    assert last["deny_reason"].startswith("CONNECT_RELAY_FAILURE: tls_handshake: ")
    assert upstream.connections == 0


def test_silence_and_early_end(sidecar, upstream):
    silent = opened(sidecar, "tls.example:%d" % upstream.port)
    left = opened(sidecar, "tls.example:%d" % upstream.port)
    left.send(client_hello("tls.example")[:20]).half_close()
    assert left.ended() and silent.ended()
    assert [e["decision"] for e in sidecar.wait_events(4)].count(3) == 2
    assert upstream.connections == 0


def test_opaque_rule_carries_anything(sidecar, upstream):
    c = opened(sidecar, "raw.example:%d" % upstream.port)
    c.send(b"ssh")
    assert c.take(3) == b"SSH"


def test_unmapped_connect_is_denied_without_a_lookup(sidecar):
    r = connect(sidecar, "secret-data.attacker.example:443").answer()
    assert r.status == 403 and r.json()["reason"] == "UnclassifiedIntent"
    (event,) = sidecar.events()
    assert event["action"] == "network.connect" and event["resource"] == "secret-data.attacker.example/"


def test_host_field_of_connect_must_agree(sidecar, upstream):
    r = connect(sidecar, "tls.example:%d" % upstream.port, "tls.example:443").answer()
    assert r.status == 403 and r.json()["reason"] == "MalformedRequest"


@pytest.mark.parametrize("authority,cls", [("tls.example:1", "refused"), ("lost.example:443", "dns")])
def test_failures_after_the_200_are_recorded_with_their_class(sidecar, authority, cls):
    c = opened(sidecar, authority)
    c.send(client_hello(authority.partition(":")[0]))
    assert c.ended()
    last = sidecar.wait_events(2)[-1]
    assert last["decision"] == 3 and last["deny_reason"].startswith("CONNECT_RELAY_FAILURE: " + cls)
    assert "CONNECT relay failed after policy allow" in sidecar.log_text()


def test_a_tunnel_has_an_end(tmp_path, upstream):
    name = "tls.example:%d" % upstream.port
    options = ["--host", "tls.example=127.0.0.1", "--limit", "tunnel_life_ms=700"]
    with StaticSidecar(tmp_path, rule(name, "CONNECT"), options=options) as s:
        c = opened(s, name)
        hello = client_hello("tls.example")
        c.send(hello)
        assert c.take(len(hello)) == hello.upper()
        assert c.ended()
        assert s.wait_events(2)[-1]["deny_reason"].startswith("CONNECT_RELAY_FAILURE: timeout")
