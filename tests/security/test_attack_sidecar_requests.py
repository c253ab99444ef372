"""Attempts by a client on `firma sidecar`: one parser, one authority, one path, one method; nothing is sent on in doubt."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import Client  # noqa: E402
from real_sidecar import FIRMA, PERMIT, Project  # noqa: E402
from static_sidecar import rule  # noqa: E402
from upstream import Upstream  # noqa: E402

pytestmark = pytest.mark.skipif(not FIRMA.exists(), reason="firma is not built")

CONNECT_ONLY = "connect-only.example"


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory, upstream):
    a = upstream.authority
    policies = [
        PERMIT,
        'forbid (principal, action, resource == Firma::Resource::"%s/deny");' % a,
        'forbid (principal, action, resource) when { context.params like "*x-block*" };',
        'forbid (principal, action, resource == Firma::Resource::"%s/guarded")\n'
        'unless { context.params like "*\\"x-approved\\":\\"yes\\"*" };' % a,
    ]
    rules = rule(a) + rule("%s:%d" % (CONNECT_ONLY, upstream.port), method="CONNECT")
    with Project(tmp_path_factory.mktemp("p"), rules, policies=policies) as p:
        p.write_config(edit=lambda t: t + '\n[sidecar.resolver]\nhosts = {"%s" = "127.0.0.1"}\n' % CONNECT_ONLY)
        p.start_authority()
        yield p.start_sidecar()


def ask(sidecar, raw):
    with Client(sidecar.address) as c:
        c.send(raw)
        return c.answer()


def get(sidecar, upstream, path, fields=b"", method=b"GET"):
    """The answer, and what the upstream was sent for it."""
    before = len(upstream.requests)
    a = upstream.authority.encode()
    r = ask(sidecar, b"%s http://%s%s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (method, a, path, a, fields))
    return r, upstream.requests[before:]


DENIED_PATHS = [b"/deny", b"/deny/", b"//deny", b"/./deny", b"/x/../deny", b"/x/%2e%2e/deny", b"/deny/%2e", b"/deny/x/..",
                b"/deny#f", b"/../deny"]
ENCODED = [b"/%64eny", b"/den%79", b"/%64%65%6e%79", b"/x/../%64eny"]
DENIED_PATHS += ENCODED + [b"/deny?"]


@pytest.mark.parametrize("path", DENIED_PATHS)
def test_a_forbidden_path_is_forbidden_however_it_is_spelt(sidecar, upstream, path):
    r, sent = get(sidecar, upstream, path)
    assert (r.status, sent) == (403, [])


@pytest.mark.parametrize("path", [b"/a%2fb", b"/a%5cb", b"/a\\b", b"/a%00", b"/a%", b"/a%zz", b"/%2e%2e%2fdeny",
                                  b"/%2564eny", b"/%25%36%34eny", b"/a%0d%0a", b"/a%1f", b"/a%7f"])
def test_ambiguous_escapes_are_refused(sidecar, upstream, path):
    r, sent = get(sidecar, upstream, path)
    assert (r.status, r.json()["reason"], sent) == (403, "MalformedRequest", [])


@pytest.mark.parametrize("method", [b"CONNECT", b"connect", b"CoNNECT"])
def test_a_tunnel_rule_never_lets_plain_http_out(sidecar, upstream, method):
    before = len(upstream.requests)
    host = b"%s:%d" % (CONNECT_ONLY.encode(), upstream.port)
    r = ask(sidecar, b"%s http://%s/any HTTP/1.1\r\nHost: %s\r\n\r\n" % (method, host, host))
    assert r.status in (400, 403)
    assert upstream.requests[before:] == []


@pytest.mark.parametrize("method", [b"get", b"Delete"])
def test_a_method_is_what_its_bytes_are(sidecar, upstream, method):
    r, sent = get(sidecar, upstream, b"/x", method=method)
    assert (r.status, sent) == (403, [])


@pytest.mark.parametrize("fields", [b"X-Block: 1\r\n", b"x-BLOCK: 1\r\n", b"X-A: \xff\xfe\r\nX-Block: 1\r\n"])
def test_a_field_that_policy_refuses_is_seen(sidecar, upstream, fields):
    r, sent = get(sidecar, upstream, b"/x", fields)
    assert (r.status, sent) == (403, [])


def test_a_refused_field_that_connection_names_is_not_sent(sidecar, upstream):
    """Policy sees what is sent: this one is neither seen nor sent."""
    r, sent = get(sidecar, upstream, b"/x", b"X-Block: 1\r\nConnection: x-block\r\n")
    assert r.status == 200 and b"block" not in sent[0].lower()


@pytest.mark.parametrize("fields", [b"Connection: host\r\n", b"Connection: close, Content-Length\r\n", b"Connection: Transfer-Encoding\r\n",
                                    b"Authorization: Bearer x\r\nConnection: authorization\r\n", b"x_firma_agent: root\r\n",
                                    b"X-Firma_Session-Id: other\r\n", b"Transfer_Encoding: chunked\r\n", b"Content_Length: 5\r\n"])
def test_names_that_others_read_otherwise_are_refused(sidecar, upstream, fields):
    r, sent = get(sidecar, upstream, b"/x", fields)
    assert r.status in (400, 403) and (r.json()["reason"], sent) == ("MalformedRequest", [])


def test_a_field_that_policy_asks_for_is_sent(sidecar, upstream):
    r, sent = get(sidecar, upstream, b"/guarded")
    assert (r.status, sent) == (403, [])
    r, sent = get(sidecar, upstream, b"/guarded", b"X-Approved: yes\r\n")
    assert r.status == 200 and b"X-Approved: yes\r\n" in sent[0]


def test_what_policy_saw_is_what_is_sent(sidecar, upstream):
    r, sent = get(sidecar, upstream, b"/guarded", b"X-Approved: yes\r\nConnection: x-approved\r\n")
    assert r.status != 200 or b"X-Approved: yes\r\n" in sent[0]


def test_nothing_of_ours_and_no_proxy_credential_goes_on(sidecar, upstream):
    r, sent = get(sidecar, upstream, b"/x", b"X-Firma-Session-Id: other\r\nx-FIRMA-agent: root\r\n"
                  b"Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                  b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n")
    assert r.status == 200
    assert sent == [b"GET /x HTTP/1.1\r\nHost: %s\r\n\r\n" % upstream.authority.encode()]


HOSTS = [b"127.0.0.1:0", b"127.0.0.1:00080", b"127.0.0.1:65536", b"127.0.0.1:", b"127.0.0.1:+80", b"[::1%25lo]:80", b"[::1%lo]",
         b"::1", b"127.0.0.1..", b"0x7f.1", b"0177.0.0.1", b"1", b"2130706433", b"017700000001", b"127.1", b"\xd0\xbf.example",
         b"[::1]x:80", b"a@127.0.0.1", b"127.0.0.1,evil.example", b"evil.example\\", b"a_b.example", b"a..b", b"-a.b", b"%31.example"]


@pytest.mark.parametrize("host", HOSTS)
def test_odd_authorities_are_refused_by_name(sidecar, host):
    r = ask(sidecar, b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
    assert (r.status, r.json()["reason"]) == (403, "MalformedRequest")


@pytest.mark.parametrize("host", [b"[::ffff:127.0.0.1]:@", b"[0:0:0:0:0:ffff:7f00:1]:@", b"localhost:@", b"LOCALHOST.:@"])
def test_other_names_of_an_allowed_address_are_not_allowed(sidecar, upstream, host):
    before = len(upstream.requests)
    r = ask(sidecar, b"GET /x HTTP/1.1\r\nHost: %s\r\n\r\n" % host.replace(b"@", b"%d" % upstream.port))
    assert (r.status, r.json()["reason"]) == (403, "UnclassifiedIntent")
    assert upstream.requests[before:] == []


def test_pipelined_heads_are_decided_one_by_one(sidecar, upstream):
    a = upstream.authority.encode()
    before = len(upstream.requests)
    body = b"GET /smuggled HTTP/1.1\r\nHost: %s\r\n\r\n" % a
    with Client(sidecar.address) as c:
        c.send(b"GET http://%s/1 HTTP/1.1\r\nHost: %s\r\n\r\nGET http://evil.example/2 HTTP/1.1\r\nHost: evil.example\r\n\r\n"
               b"POST http://%s/3 HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s"
               b"GET http://%s/4 HTTP/1.1\r\nHost: %s\r\n\r\n" % (a, a, a, a, len(body), body, a, a))
        assert [c.answer().status for _ in range(4)] == [200, 403, 200, 200]
    assert [x.split(b" ")[1] for x in upstream.requests[before:]] == [b"/1", b"/3", b"/4"]


def test_secrets_of_a_query_stay_out_of_answers_and_log(sidecar):
    r = ask(sidecar, b"GET http://no.example/?token=SEKRET1&%74oken=SEKRET2&x=1;password=SEKRET3 HTTP/1.1\r\nHost: no.example\r\n"
            b"Authorization: Bearer SEKRET4\r\nCookie: SEKRET5\r\n\r\n")
    assert r.status == 403
    assert b"SEKRET" not in r.body and "SEKRET" not in sidecar.text()
