"""The running Authority over HTTP/2: issuance, the two streams, reload while it runs, hostile peers, the end."""

import hashlib
import os
import re
import socket
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from authority_dir import OPEN, AuthorityDir, Server
from grpc_curl import SERVICE, Call, frame, issue_request, put, take, unary


@pytest.fixture
def where(tmp_path):
    return AuthorityDir(tmp_path)


@pytest.fixture
def server(where):
    with Server(where) as running:
        running.where = where
        yield running


def connect(server):
    host, _, port = server.addr.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=20)


def test_the_four_ready_lines_come_in_order(server):
    text = "".join(server.lines)
    order = [text.index(" INFO config loaded "), text.index(" INFO policy bundle loaded policies=1\n"),
             text.index(' INFO listening addr="'), text.index(" INFO authority ready\n")]
    assert order == sorted(order)
    assert "not for production" in text


def test_a_capability_is_granted_and_mirrors_its_claims(server):
    reply, status = unary(server.addr, SERVICE + "IssueCapability",
                          issue_request("agent_1", "sess_1", ["code.read", "code.read"], "wttr.in*", 120))
    assert status[0] == 0
    fields = take(reply)
    assert fields[1] == [1]
    token = take(fields[2][0])
    assert re.fullmatch(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", token[1][0])
    assert token[4] == [b"code.read", b"code.read"] and token[5] == [b"wttr.in*"]
    assert token[9][0].startswith(b"v4.public.") and token[10] == [1]
    assert take(token[7][0])[1][0] - take(token[6][0])[1][0] == 120
    assert token[9][0].decode() not in "".join(server.lines)


def test_a_denial_is_a_reply_and_a_bad_id_is_an_error(server):
    reply, status = unary(server.addr, SERVICE + "IssueCapability", issue_request("a", "s", ["no.such"]))
    assert status[0] == 0 and 1 not in take(reply) and take(reply)[3] == [b"CONTEXT_BUILD_FAILED"]
    reply, status = unary(server.addr, SERVICE + "IssueCapability", issue_request("a b", "s", ["code.read"]))
    assert reply is None and status[0] == 3 and "agent_id" in status[1]


def test_unknown_paths_bad_framing_and_other_protocols_get_their_status(server):
    assert unary(server.addr, "/no.Such/Method", b"")[1][0] == 12
    assert unary(server.addr, "/grpc.health.v1.Health/Check", b"") == (b"\x08\x01", (0, ""))
    assert unary(server.addr, "/grpc.health.v1.Health/Check", put(1, "firma.v1.AuthorityService"))[0] == b"\x08\x01"
    assert unary(server.addr, "/grpc.health.v1.Health/Check", put(1, "other"))[1][0] == 5
    for body, status in ((b"\1\0\0\0\0", 12), (b"\0\0\0\0\5x", 3), (b"", 3), (frame(b"") * 2, 3),
                         (b"\0\0\x40\0\1", 8), (frame(b"\x0a\x05x"), 3)):
        with Call(server.addr, SERVICE + "IssueCapability", body) as call:
            assert call.status()[0] == status, body
    with Call(server.addr, SERVICE + "IssueCapability", frame(b""), content_type="text/plain") as call:
        assert call.status()[0] is None


def test_the_bundle_comes_at_once_and_again_after_a_change(server):
    with Call(server.addr, SERVICE + "WatchPolicyBundle", frame(b"")) as call:
        first = take(take(call.message())[1][0])
        schema = first[3][0]
        assert first[2] == [OPEN.encode()] and first[4] == [30]
        assert first[1][0].decode() == hashlib.sha256(OPEN.encode() + b"|" + schema).hexdigest()
        server.where.write("policies/more.cedar",
                           'forbid(principal, action == Firma::Action::"payment.transfer", resource);\n')
        second = take(take(call.message())[1][0])
        # Files in bytewise order, a line feed between them.
        assert second[2][0].startswith(b"forbid") and second[2][0].endswith(b";\n\n" + OPEN.encode())
        assert second[1] != first[1]


def test_who_states_the_version_in_force_gets_nothing_at_first(server):
    with Call(server.addr, SERVICE + "WatchPolicyBundle", frame(b"")) as call:
        version = take(take(call.message())[1][0])[1][0]
    with Call(server.addr, SERVICE + "WatchPolicyBundle", frame(put(1, version))) as call:
        server.wait_line("policy stream.*" + version.decode())
        server.where.write("policies/open.cedar", "// changed\n" + OPEN)
        assert take(take(call.message())[1][0])[1][0] != version


def test_a_bad_edit_is_refused_and_the_last_good_bundle_stays(server):
    with Call(server.addr, SERVICE + "WatchPolicyBundle", frame(b"")) as call:
        call.message()
        server.where.write("policies/open.cedar", "permit(principal")
        assert "ERROR" in server.wait_line("policy reload failed")
        server.where.write("policies/open.cedar", OPEN + "// good again\n")
        assert take(take(call.message())[1][0])[2] == [OPEN.encode() + b"// good again\n"]


def test_the_issuance_bundle_is_reloaded_too(server):
    server.where.write("issuance/open.cedar", "forbid(principal, action, resource);\n")
    server.wait_line('policy reloaded bundle="issuance policy"')
    reply, _ = unary(server.addr, SERVICE + "IssueCapability", issue_request("a", "s", ["code.read"]))
    assert take(reply)[3] == [b"POLICY_DENIED"] and b"policy0" in take(reply)[4][0]


def test_revocations_are_replayed_and_then_come_live_once_each(server):
    ids = [str(uuid.uuid4()) for _ in range(3)]
    server.where.tool("revocations", "add", "-r", "first", ids[0], check=True)
    server.wait_line("revocations added")
    with Call(server.addr, SERVICE + "WatchRevocations", frame(b"")) as call:
        event = take(call.message())
        assert event[1] == [ids[0].encode()] and event[2] == [b"first"]
        server.where.tool("revocations", "add", ids[1], check=True)
        assert take(call.message())[1] == [ids[1].encode()]
        # A compaction replaces the file; nothing is told twice, nothing is forgotten.
        server.where.tool("revocations", "compact", check=True)
        server.where.tool("revocations", "add", ids[2], check=True)
        assert take(call.message())[1] == [ids[2].encode()]
    since = put(1, put(1, take(event[3][0])[1][0] + 3600))
    with Call(server.addr, SERVICE + "WatchRevocations", frame(since)) as call:
        late = str(uuid.uuid4())
        server.wait_line("revocation stream since")
        server.wait_line("revocation stream since")
        server.where.tool("revocations", "add", late, check=True)
        assert take(call.message())[1] == [late.encode()]


def test_garbage_and_silence_do_not_hurt_other_clients(server):
    silent = [connect(server) for _ in range(8)]
    loud = connect(server)
    loud.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    loud.settimeout(20)
    while loud.recv(4096):
        pass
    assert unary(server.addr, "/grpc.health.v1.Health/Check", b"")[1][0] == 0
    # Who never says a word is cut.
    for s in silent:
        while s.recv(4096):
            pass
        s.close()
    loud.close()


def test_a_graceful_stop_ends_streams_with_unavailable(server):
    with Call(server.addr, SERVICE + "WatchRevocations", frame(b"")) as call:
        server.wait_line("revocation stream")
        assert server.stop() == 0
        assert call.status()[0] == 14
