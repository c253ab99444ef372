"""Plain HTTP through the Sidecar: decisions, what is sent on, what comes back, what is recorded."""

import pathlib
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import Client  # noqa: E402
from static_sidecar import DRIVER, PERMIT, StaticSidecar, rule  # noqa: E402
from upstream import Upstream, answer  # noqa: E402

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the static Sidecar is not built")


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture
def sidecar(tmp_path, upstream):
    a = upstream.authority
    rules = rule(a, "GET", "/allow") + rule(a, "POST", "/deny") + rule(a, path="/any*")
    forbid = 'forbid (principal, action, resource == Firma::Resource::"%s/deny");\n' % a
    with StaticSidecar(tmp_path, rules, PERMIT + forbid) as s:
        yield s


def get(authority, path, fields=b"", version=b"1.1"):
    a = authority.encode()
    return b"GET http://%s%s HTTP/%s\r\nHost: %s\r\n%s\r\n" % (a, path.encode(), version, a, fields)


def test_allowed_get_arrives_rewritten(sidecar, upstream):
    a = upstream.authority.encode()
    r = sidecar.ask(b"GET http://%s/allow HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
                    b"Proxy-Connection: Keep-Alive\r\nx-firma-session-id: sess_1\r\n\r\n" % (a, a))
    assert (r.status, r.body) == (200, b"/allow")
    assert upstream.requests == [b"GET /allow HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n" % a]
    (event,) = sidecar.events()
    assert event["decision"] == 1 and event["deny_reason"] == ""
    assert event["resource"] == upstream.authority + "/allow"
    assert event["dispatch_status"] == 200 and event["response_size"] == 6
    assert event["session_id"] == "sess_1" and event["agent_id"] == "agent_1"


def test_denied_post_is_not_sent(sidecar, upstream):
    a = upstream.authority
    r = sidecar.ask(b"POST http://%s/deny HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\n\r\nleak" % (a.encode(), a.encode()))
    detail = "policy denied action 'communication.external.send' on resource '%s/deny'" % a
    assert r.status == 403
    assert r.body == ('{"denied":true,"detail":"%s","reason":"PolicyDenied"}' % detail).encode()
    assert r.field("content-type") == "application/json"
    assert r.field("cache-control") == "no-store"
    assert upstream.connections == 0
    (event,) = sidecar.events()
    assert event["decision"] == 2 and event["deny_reason"] == "policy denied: " + detail
    assert event["event_id"] == r.field("x-firma-event-id")
    assert event["bundle_version"] == "" and event["token_id"] != ""


def test_unmapped_path_is_unclassified(sidecar, upstream):
    r = sidecar.ask(get(upstream.authority, "/other"))
    assert r.status == 403 and r.json()["reason"] == "UnclassifiedIntent"
    (event,) = sidecar.events()
    assert event["action"] == "raw.http.GET" and event["token_id"] == ""
    assert event["deny_reason"] == ("unclassified intent: protected action could not be classified: GET /other (host: %s)"
                                    % upstream.authority)


def test_query_is_sent_whole_and_recorded_redacted(sidecar, upstream):
    assert sidecar.ask(get(upstream.authority, "/allow?b=2&token=abc&b=1")).status == 200
    assert upstream.requests[0].startswith(b"GET /allow?b=2&token=abc&b=1 HTTP/1.1\r\n")
    assert sidecar.events()[0]["resource"] == upstream.authority + "/allow?b=2&token=<redacted>&b=1"


def test_the_decided_path_is_the_sent_path(sidecar, upstream):
    assert sidecar.ask(get(upstream.authority, "/x/../allow")).status == 200
    assert upstream.requests[0].startswith(b"GET /allow HTTP/1.1\r\n")
    assert sidecar.ask(get(upstream.authority, "/allow/%2e%2e/other")).status == 403
    assert len(upstream.requests) == 1


def test_origin_form_with_host(sidecar, upstream):
    a = upstream.authority.encode()
    assert sidecar.ask(b"GET /allow HTTP/1.1\r\nHost: %s\r\n\r\n" % a).body == b"/allow"


def test_keep_alive_and_pipelining_one_decision_each(sidecar, upstream):
    a = upstream.authority
    with sidecar.client() as c:
        c.send(get(a, "/allow") + get(a, "/other") + get(a, "/any1") + get(a, "/allow"))
        assert [c.answer().status for _ in range(4)] == [200, 403, 200, 200]
        c.send(get(a, "/any2"))
        assert c.answer().body == b"/any2"
    assert upstream.connections == 1
    assert [e["decision"] for e in sidecar.events()] == [1, 2, 1, 1, 1]


def test_many_pipelined_denials_do_not_nest(sidecar):
    request = b"GET http://x.invalid/ HTTP/1.1\r\nHost: x.invalid\r\n\r\n"
    with sidecar.client(30) as c:
        sender = threading.Thread(target=c.send, args=(request * 3000,))
        sender.start()
        assert all(c.answer().status == 403 for _ in range(3000))
        sender.join()
    assert len(sidecar.events()) == 3000


def test_head_has_no_body(tmp_path):
    def serve(c):
        while c.read_request():
            c.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        a = u.authority.encode()
        for _ in range(2):
            c.send(b"HEAD http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n" % (a, a))
            r = c.answer("HEAD")
            assert r.status == 200 and r.field("content-length") == "10"
        # A denied one has the length of the body that it leaves out.
        c.send(b"HEAD http://nowhere.invalid/ HTTP/1.1\r\nHost: nowhere.invalid\r\n\r\n")
        r = c.answer("HEAD")
        assert r.status == 403 and int(r.field("content-length")) > 0


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_without_body_keep_the_connection(tmp_path, status):
    def serve(c):
        while c.read_request():
            c.send(b"HTTP/1.1 " + status + b"\r\netag: x\r\n\r\n")
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        for _ in range(2):
            c.send(get(u.authority, "/"))
            assert c.answer().status == int(status[:3])
        assert u.connections == 1


def test_chunked_request_is_sent_with_a_length(sidecar, upstream):
    a = upstream.authority.encode()
    with sidecar.client() as c:
        c.send(b"POST http://%s/any HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % (a, a))
        c.send(b"4;x=y\r\nWiki\r\n5\r\npe").send(b"dia\r\n0\r\nTrailer: dropped\r\n\r\n")
        assert c.answer().status == 200
    assert upstream.requests[0].endswith(b"content-length: 9\r\n\r\nWikipedia")
    assert b"chunked" not in upstream.requests[0].lower() and b"railer" not in upstream.requests[0]


def test_chunked_answer_is_chunked_anew_as_it_comes(tmp_path):
    go = threading.Event()

    def serve(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nfirst\r\n")
        go.wait(10)
        c.send(b"6\r\nsecond\r\n0\r\nX-Trailer: no\r\n\r\n")
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        c.send(get(u.authority, "/"))
        status, fields, _ = c.head()
        assert status == 200 and ("transfer-encoding", "chunked") in fields
        assert c.line() == b"5" and c.take(7) == b"first\r\n"  # before the second part exists
        assert s.events() == []
        go.set()
        assert c.line() == b"6" and c.take(8) == b"second\r\n"
        assert c.take(5) == b"0\r\n\r\n"
        assert s.events()[0]["response_size"] == 11


def test_answer_until_close_gets_an_end(tmp_path):
    def serve(c):
        c.read_request()
        c.send(b"HTTP/1.1 200 OK\r\n\r\nall there is")
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        c.send(get(u.authority, "/"))
        assert c.answer().body == b"all there is"
        c.send(get(u.authority, "/"))
        assert c.answer().body == b"all there is"
        # An old client cannot read chunks: it gets the bytes and the end of the connection.
        with s.client() as old:
            old.send(get(u.authority, "/", version=b"1.0"))
            r = old.answer()
            assert r.body == b"all there is" and r.field("transfer-encoding") is None
        assert [e["response_size"] for e in s.wait_events(3)] == [12, 12, 12]


def test_large_answer_and_large_request_pass_unharmed(tmp_path):
    body = bytes(range(256)) * 4096

    def serve(c):
        request = c.read_request()
        assert request.endswith(body)
        c.send(answer(body * 8))
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client(30) as c:
        a = u.authority.encode()
        c.send(b"POST http://%s/ HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (a, a, len(body)) + body)
        assert c.answer().body == body * 8
        assert s.events()[0]["response_size"] == len(body) * 8


def test_hop_by_hop_fields_stay_here(sidecar, upstream):
    fields = (b"Connection: close, X-Secret-Hop\r\nX-Secret-Hop: 1\r\nProxy-Authorization: Basic eA==\r\nTE: trailers\r\n"
              b"Keep-Alive: 5\r\nUpgrade: h2c\r\nX-FIRMA-Agent: root\r\nAuthorization: Bearer mine\r\nCookie: a=b\r\n")
    assert sidecar.ask(get(upstream.authority, "/allow", fields)).status == 200
    lines = upstream.requests[0].split(b"\r\n")
    assert lines[2:-2] == [b"Authorization: Bearer mine", b"Cookie: a=b"]


def test_our_own_fields_cannot_come_from_upstream(tmp_path):
    def serve(c):
        c.read_request()
        c.send(answer(b"x", extra=b"x-firma-event-id: forged\r\nConnection: X-Hop\r\nX-Hop: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"))
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s:
        r = s.get(u.authority)
        assert [n for n, _ in r.fields] == ["set-cookie", "set-cookie", "content-length"]


def test_redirects_are_not_followed(tmp_path):
    def serve(c):
        while c.read_request():
            c.send(answer(b"", b"302 Found", b"location: http://169.254.169.254/\r\n"))
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s:
        r = s.get(u.authority)
        assert r.status == 302 and r.field("location") == "http://169.254.169.254/"
        assert u.connections == 1


def test_expect_continue(sidecar, upstream):
    a = upstream.authority.encode()
    with sidecar.client() as c:
        c.send(b"POST http://%s/any HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n" % (a, a))
        assert c.head()[0] == 100
        c.send(b"body")
        assert c.answer().status == 200
    assert b"xpect" not in upstream.requests[0]


def test_interim_answers_are_swallowed_and_101_is_refused(tmp_path):
    replies = [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer(b"final"),
               b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"]

    def serve(c):
        while c.read_request():
            c.send(replies.pop(0))
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        c.send(get(u.authority, "/"))
        assert c.answer().body == b"final"
        c.send(get(u.authority, "/", b"Connection: upgrade\r\nUpgrade: websocket\r\n"))
        r = c.answer()
        assert r.status == 504 and r.json()["reason"] == "CONNECTOR_FAILURE"


BAD_ANSWERS = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded field": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "no http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "cut head": b"HTTP/1.1 200 OK\r\nContent-",
    "endless interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
}


@pytest.mark.parametrize("what", sorted(BAD_ANSWERS))
def test_doubtful_answers_are_aborts(tmp_path, what):
    def serve(c):
        c.read_request()
        c.send(BAD_ANSWERS[what])
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s:
        r = s.get(u.authority)
        assert r.status == 504
        assert r.json()["aborted"] is True and r.json()["reason"] == "CONNECTOR_FAILURE"
        (event,) = s.events()
        assert event["decision"] == 3 and event["deny_reason"].startswith("CONNECTOR_FAILURE: ")
        assert event["dispatch_status"] == 0 and event["token_id"] != "" and event["bundle_version"] == "v1"
        assert event["event_id"] == r.field("x-firma-event-id")


@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
                                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
                                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n"])
def test_a_broken_stream_never_looks_whole(tmp_path, reply):
    def serve(c):
        c.read_request()
        c.send(reply)
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        c.send(get(u.authority, "/"))
        with pytest.raises(EOFError):
            c.answer()
        (event,) = s.wait_events(1)
        assert event["decision"] == 3 and event["deny_reason"].startswith("CONNECTOR_FAILURE: ")


def test_fixture_stopped(tmp_path):
    with Upstream() as u:
        authority = u.authority
    with StaticSidecar(tmp_path, rule(authority)) as s:
        r = s.get(authority)
        assert r.status == 504
        assert r.json() == {"aborted": True, "detail": "connect: Connection refused", "reason": "CONNECTOR_FAILURE"}


def test_a_connection_closed_while_idle_is_replaced(tmp_path):
    def serve(c):  # one answer a connection, then it hangs up without saying so
        if c.read_request():
            c.send(answer(b"once"))
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s, s.client() as c:
        for _ in range(20):
            c.send(get(u.authority, "/"))
            assert c.answer().body == b"once"
        assert all(e["decision"] == 1 for e in s.events())


def test_client_half_close_still_gets_its_answer(sidecar, upstream):
    with sidecar.client() as c:
        c.send(get(upstream.authority, "/allow")).half_close()
        assert c.answer().body == b"/allow"
        assert c.ended()


def test_client_that_goes_away_is_recorded(tmp_path):
    seen = threading.Event()
    gone = threading.Event()

    def serve(c):
        c.read_request()
        seen.set()
        gone.wait(10)
        try:
            while True:
                c.send(b"x" * 65536) if c.buffer else c.send(answer(b"y" * (8 << 20)))
                break
        except OSError:
            pass
    with Upstream(serve) as u, StaticSidecar(tmp_path, rule(u.authority)) as s:
        c = s.client()
        c.send(get(u.authority, "/"))
        assert seen.wait(10)
        c.reset()
        gone.set()
        (event,) = s.wait_events(1)
        assert event["decision"] == 3 and event["deny_reason"].startswith("CONNECTOR_FAILURE: ")


def test_passthrough_when_unprotected(tmp_path, upstream):
    with StaticSidecar(tmp_path, rule("only.example.com"), options=["--unprotected", "--host", "free.example=127.0.0.1"]) as s:
        r = s.get("free.example:%d" % upstream.port, "/x")
        assert r.status == 200
        (event,) = s.events()
        assert event["decision"] == 1 and event["action"] == "raw.http.GET" and event["token_id"] == ""
        assert upstream.requests[0].startswith(b"GET /x HTTP/1.1\r\nHost: free.example:%d\r\n" % upstream.port)


def test_https_in_absolute_form_is_not_faked(tmp_path):
    with StaticSidecar(tmp_path, rule("h.example")) as s:
        r = s.ask(b"GET https://h.example/ HTTP/1.1\r\nHost: h.example\r\n\r\n")
        assert r.status == 504 and r.json()["reason"] == "CONNECTOR_INVALID_REQUEST"


def test_stop_drains_what_is_in_flight(tmp_path):
    go = threading.Event()
    seen = threading.Event()

    def serve(c):
        c.read_request()
        seen.set()
        go.wait(10)
        c.send(answer(b"late but whole"))
    with Upstream(serve) as u:
        s = StaticSidecar(tmp_path, rule(u.authority))
        idle = s.client()
        c = s.client()
        c.send(get(u.authority, "/"))
        assert seen.wait(10)
        s.process.terminate()
        assert idle.ended()  # told at once
        with pytest.raises(OSError):
            Client(s.address)
        go.set()
        r = c.answer()
        assert r.body == b"late but whole"
        assert s.stop() == 0
        assert s.events()[0]["decision"] == 1
