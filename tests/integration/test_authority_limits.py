"""Every bound of the transport, at it and one past it, by a peer that obeys no rule; and that others are served meanwhile."""

import os
import select
import socket
import struct
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from authority_dir import OPEN, AuthorityDir, Server
from grpc_curl import SERVICE, frame, issue_request, put, take, unary, varint
from rawh2 import (CONTINUATION, DATA, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING,
                   REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, RawH2, grpc_fields, header_block, packed)

HEALTH = "/grpc.health.v1.Health/Check"
SERVING = frame(b"\x08\x01")
MESSAGE_MAX = 4 << 20
SCOPE_MAX = 2048
ACTION_MAX = 256


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    where = AuthorityDir(tmp_path_factory.mktemp("authority"))
    with Server(where) as running:
        running.where = where
        yield running
        assert running.stop() == 0


def healthy(server):
    return unary(server.addr, HEALTH, b"") == (b"\x08\x01", (0, ""))


def padded(message, size):
    """The message with an unknown field that makes it exactly so long."""
    head = varint(99 << 3 | 2)
    for width in range(1, 6):
        n = size - len(message) - len(head) - width
        if len(varint(n)) == width:
            return message + head + varint(n) + bytes(n)
    raise AssertionError(size)


def test_a_message_of_four_mib_is_taken_and_one_byte_more_is_not(server):
    reply, status = unary(server.addr, SERVICE + "IssueCapability", padded(issue_request("a", "s", ["code.read"]), MESSAGE_MAX))
    assert status[0] == 0 and take(reply)[1] == [1]
    reply, status = unary(server.addr, SERVICE + "IssueCapability",
                          padded(issue_request("a", "s", ["code.read"]), MESSAGE_MAX + 1))
    assert reply is None and status[0] == 8


def test_a_length_alone_takes_no_memory_and_is_refused_past_the_limit(server):
    with RawH2(server.addr) as c:
        stream = c.headers(grpc_fields(HEALTH))
        c.data(stream, b"\0" + struct.pack(">I", 0xFFFFFFFF))
        assert c.ended(stream) == b""  # a status, no message
    assert healthy(server)


def test_a_thousand_and_twenty_four_actions_are_judged_and_one_more_is_refused(server):
    reply, status = unary(server.addr, SERVICE + "IssueCapability", issue_request("a", "s", ["code.read"] * 1024))
    assert status[0] == 0 and take(reply)[1] == [1] and len(take(take(reply)[2][0])[4]) == 1024
    reply, status = unary(server.addr, SERVICE + "IssueCapability", issue_request("a", "s", ["code.read"] * 1025))
    assert reply is None and status[0] == 3 and "actions" in status[1]


def test_fields_of_a_message_are_counted(server):
    request = issue_request("a", "s", ["code.read"])
    fields = len(take(request))
    assert unary(server.addr, SERVICE + "IssueCapability", request + put(77, 1) * (4096 - fields))[1][0] == 0
    assert unary(server.addr, SERVICE + "IssueCapability", request + put(77, 1) * (4097 - fields))[1][0] == 3


@pytest.mark.parametrize("field, at, past", [("agent_id", 128, 129), ("session_id", 128, 129)])
def test_ids_have_a_longest_length(server, field, at, past):
    for n, status in ((at, 0), (past, 3)):
        agent, session = ("a" * n, "s") if field == "agent_id" else ("a", "s" * n)
        got = unary(server.addr, SERVICE + "IssueCapability", issue_request(agent, session, ["code.read"]))[1]
        assert got[0] == status and (status == 0 or field in got[1])


def test_scope_and_action_have_a_longest_length(server):
    for scope, action, status in (("x" * SCOPE_MAX, "code.read", 0), ("x" * (SCOPE_MAX + 1), "code.read", 3),
                                  ("*", "x" * ACTION_MAX, 0), ("*", "x" * (ACTION_MAX + 1), 3)):
        got = unary(server.addr, SERVICE + "IssueCapability", issue_request("a", "s", [action], scope))[1]
        assert got[0] == status, (len(scope), len(action), got)


def test_the_header_block_has_a_ceiling(server):
    used = sum(len(name) + len(value) for name, value in grpc_fields(HEALTH)) + len("x-pad")
    for size, ok in ((8192, True), (8193, False)):
        with RawH2(server.addr) as c:
            stream = c.headers(grpc_fields(HEALTH, [("x-pad", "y" * (size - used))]))
            c.send(packed(DATA, END_STREAM, stream, frame(b"")))
            assert c.ended(stream) == (SERVING if ok else "reset")
            assert c.ping()  # the connection lives on either way


def test_a_header_block_without_end_is_cut(server):
    with RawH2(server.addr) as c:
        c.send(packed(HEADERS, 0, 1, header_block(grpc_fields(HEALTH))))
        try:
            for _ in range(2000):
                c.send(packed(CONTINUATION, 0, 1, header_block([("a", "b" * 100)] * 50)))
        except OSError:
            pass  # cut while we were still talking
        else:
            assert c.wait(GOAWAY) is not None
    assert healthy(server)


def test_a_connection_has_thirty_two_calls_and_the_next_is_refused(server):
    with RawH2(server.addr, acknowledge=False) as c:
        open_ = [c.headers(grpc_fields(HEALTH)) for _ in range(32)]
        assert c.ping() and not c.resets()
        extra = c.headers(grpc_fields(HEALTH))
        assert c.ping()
        assert c.resets() == {extra: REFUSED_STREAM}
        for stream in open_:  # the others go on
            c.send(packed(DATA, END_STREAM, stream, frame(b"")))
        for stream in open_:
            while not any(f[1] & END_STREAM for f in c.frames(HEADERS, stream)):
                assert c.frame() is not None
        again = c.headers(grpc_fields(HEALTH))
        c.send(packed(DATA, END_STREAM, again, frame(b"")))
        assert c.ended(again) == SERVING


def test_who_has_acknowledged_the_limit_and_breaks_it_is_sent_away(server):
    with RawH2(server.addr) as c:
        assert c.ping()
        for _ in range(33):
            c.headers(grpc_fields(HEALTH))
        assert c.wait(GOAWAY) is not None
    assert healthy(server)


def test_resetting_streams_is_borne_a_hundred_times(server):
    with RawH2(server.addr) as c:
        for i in range(100):
            c.send(packed(RST_STREAM, 0, c.headers(grpc_fields(HEALTH)), struct.pack(">I", 8)))
        assert c.ping() and not c.frames(GOAWAY)
        c.send(packed(RST_STREAM, 0, c.headers(grpc_fields(HEALTH)), struct.pack(">I", 8)))
        last = c.wait(GOAWAY)
        assert struct.unpack(">I", last[3][4:8])[0] == ENHANCE_YOUR_CALM
        while c.frame() is not None:
            pass
    assert healthy(server)


@pytest.mark.parametrize("flood", [packed(PING, 0, 0, b"12345678"), packed(SETTINGS, 0, 0),
                                   packed(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)), packed(0x42, 0, 0, b"unknown")],
                         ids=["ping", "settings", "window", "unknown"])
def test_a_peer_that_floods_and_never_reads_is_bounded(server, flood):
    with RawH2(server.addr) as c:
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.sock.settimeout(2)
        sent = 0
        try:
            while sent < 8 << 20:
                c.send(flood * 1000)
                sent += len(flood) * 1000
        except OSError:  # cut, or no longer read from
            pass
        assert healthy(server)
        with open("/proc/%d/status" % server.proc.pid) as f:
            assert int(f.read().split("VmRSS:")[1].split()[0]) < 65536


@pytest.mark.parametrize("bytes_", [
    packed(HEADERS, 5, 2, header_block(grpc_fields(HEALTH))),  # an even stream
    packed(DATA, END_STREAM, 1, b"x"),  # data before headers
    packed(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff"),  # a broken block
    packed(SETTINGS, 0, 0, b"\0"),  # a cut setting
    packed(PING, 0, 0, b"short"),
    b"\xff\xff\xff\0\0\0\0\0\1",  # a frame of 16 MiB
    packed(8, 0, 0, struct.pack(">I", 0)),  # a window update of nothing
    packed(8, 0, 0, struct.pack(">I", 0x7FFFFFFF)),  # one too far
    packed(CONTINUATION, 4, 1, b""),
    packed(5, 4, 1, struct.pack(">I", 2)),  # a client's push promise
], ids=["even", "data", "hpack", "settings", "ping", "length", "zero", "overflow", "continuation", "push"])
def test_what_no_client_may_send_ends_its_connection_and_no_other(server, bytes_):
    with RawH2(server.addr) as other:
        with RawH2(server.addr) as c:
            c.send(bytes_)
            assert c.wait(GOAWAY) is not None
            while c.frame() is not None:
                pass
        assert other.ping()
    assert healthy(server)


def test_sixty_four_connections_are_served_and_the_next_waits_for_a_place(server):
    many = [RawH2(server.addr) for _ in range(64)]
    try:
        assert all(c.ping() for c in many)
        late = RawH2(server.addr)
        many.append(late)
        late.send(packed(PING, 0, 0, b"roundtrp"))
        assert select.select([late.sock], [], [], 0.3)[0] == []  # in the backlog: not a byte
        many[0].close()
        assert late.wait(PING) is not None
    finally:
        for c in many:
            c.close()
    assert healthy(server)


def test_a_peer_that_takes_no_reply_costs_one_bundle_and_then_gets_the_newest(server):
    with RawH2(server.addr, settings=[(INITIAL_WINDOW_SIZE, 0)]) as c:
        stream = c.headers(grpc_fields(SERVICE + "WatchPolicyBundle"))
        c.send(packed(DATA, END_STREAM, stream, frame(b"")))
        assert c.wait(HEADERS, stream) is not None
        for i in range(4):
            server.where.write("policies/open.cedar", "// %d\n" % i + OPEN)
            server.wait_line('policy reloaded bundle="policy"')
        assert c.ping() and c.frames(DATA, stream) == []
        c.send(packed(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1 << 20)))
        body = b""
        while b"// 3" not in body:
            body += c.wait(DATA, stream)[3]
        assert [b"// %d\n" % i in body for i in range(4)] == [False, False, False, True]
    assert healthy(server)
