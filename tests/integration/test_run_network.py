"""What a sandboxed agent reaches: the Sidecar, the names it routes, nothing else; by an own and by an external Sidecar."""

import json
import os
import pathlib
import socket
import struct
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import NAME, PERMIT_ALL, PYTHON, Project, wait_for  # noqa: E402
from real_sidecar import Daemon, free_port  # noqa: E402
from upstream import Upstream, answer  # noqa: E402


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture
def project(upstream):
    p = Project(upstream.port)
    yield p
    p.close()


def test_an_allowed_call_a_denied_one_and_an_unmapped_one(project, upstream):
    with project.agent() as agent:
        assert agent.ask("get", "http://%s/x" % project.host) == [200, "/x"] or \
            agent.ask("get", "http://%s/x" % project.host)[0] == 200
        status, body = agent.ask("get", "http://%s/x" % project.host, "POST")
        assert (status, json.loads(body)["denied"], json.loads(body)["reason"]) == (403, True, "PolicyDenied")
        status, body = agent.ask("get", "http://elsewhere.example/")
        assert (status, json.loads(body)["reason"]) == (403, "UnclassifiedIntent")
        agent.process.stdin.close()
        assert agent.process.wait(20) == 0
    assert all(request.startswith(b"GET ") for request in upstream.requests)
    events = project.events()
    assert [e["decision"] for e in events][-2:] == [2, 2]
    assert project.left() == []


DNS = r'''
import json, socket, struct, sys
def name(text):
    return b"".join(bytes([len(l)]) + l.encode() for l in text.split(".") if l) + b"\0"
def query(text, kind=1, flags=0x0100, count=1, klass=1):
    return struct.pack(">6H", 0x1234, flags, count, 0, 0, 0) + name(text) + struct.pack(">2H", kind, klass)
def udp(data):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.sendto(data, ("127.0.0.1", 53))
    try:
        return s.recv(4096)
    except TimeoutError:
        return None
def tcp(*all):
    s = socket.create_connection(("127.0.0.1", 53), 5)
    out = []
    for data in all:
        s.sendall(struct.pack(">H", len(data)) + data)
    for _ in all:
        head = s.recv(2, socket.MSG_WAITALL)
        if len(head) < 2:
            out.append(None)
            break
        out.append(s.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL))
    return out
def show(reply):
    if reply is None:
        return None
    ident, flags, q, a, ns, ar = struct.unpack(">6H", reply[:12])
    assert ident == 0x1234 and flags & 0x8000
    return [flags & 15, a, reply[-4:].hex() if a else ""]
routed = sys.argv[1]
out = {
    "a": show(udp(query(routed))),
    "upper": show(udp(query(routed.upper()))),
    "aaaa": show(udp(query(routed, 28))),
    "txt": show(udp(query(routed, 16))),
    "sub": show(udp(query("x." + routed))),
    "other": show(udp(query("secret-data.attacker.example"))),
    "root": show(udp(query(""))),
    "update": show(udp(query(routed, flags=0x2900))),
    "two": show(udp(query(routed, count=2))),
    "chaos": show(udp(query(routed, klass=3))),
    "short": udp(b"\x12\x34\x01"),
    "reply": udp(query(routed, flags=0x8100)),
    "cut": show(udp(query(routed)[:-3])),
    "long": show(udp(query(".".join(["a" * 63] * 4)))),
    "tcp": [show(r) for r in tcp(query(routed), query("other.example"), query(routed, 28))],
    "gethost": socket.gethostbyname(routed),
}
try:
    socket.gethostbyname("other.example")
    out["nohost"] = False
except socket.gaierror:
    out["nohost"] = True
s = socket.create_connection(("127.0.0.1", 53), 5)
s.sendall(struct.pack(">H", 65535) + b"x" * 100)
out["huge"] = s.recv(1).hex()
print(json.dumps(out))
'''


def check_dns(out):
    ok = [0, 1, "7f000001"]
    assert out["a"] == out["upper"] == ok
    assert out["aaaa"] == out["txt"] == [0, 0, ""]
    assert out["sub"] == out["other"] == [3, 0, ""] and out["root"][0] in (1, 3)
    assert out["update"][0] == 4 and out["chaos"][0] == 4
    assert out["two"][0] == 1 and out["cut"][0] == 1 and out["long"][0] in (1, 3)
    assert out["short"] is None and out["reply"] is None
    assert out["tcp"] == [ok, [3, 0, ""], [0, 0, ""]]
    assert out["gethost"] == "127.0.0.1" and out["nohost"] is True
    assert out["huge"] == ""


def test_the_dns_stub_over_udp_and_tcp(project):
    done = project.run(PYTHON, "-c", DNS, NAME)
    assert done.status == 0, done
    check_dns(json.loads(done.out))
    assert project.events() == []


def test_wildcard_routes(upstream):
    p = Project(upstream.port, rules='[[rules]]\nhost = "*.wild.example"\naction_class = "communication.external.send"\n')
    code = "import socket,sys\nfor n in sys.argv[1:]:\n  try: print(socket.gethostbyname(n))\n  except OSError: print('none')"
    try:
        done = p.run(PYTHON, "-c", code, "a.wild.example", "a.b.wild.example", "wild.example", "xwild.example")
        assert done.out.split() == ["127.0.0.1", "127.0.0.1", "none", "none"], done
    finally:
        p.close()


def test_nothing_else_is_reachable(project, upstream):
    code = """
import errno, socket, sys
def attempt(f):
    try:
        f()
        return "reached"
    except OSError as e:
        return errno.errorcode.get(e.errno, "?")
def tcp(host, port, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(3)
    s.connect((host, port))
print(attempt(lambda: tcp("127.0.0.1", int(sys.argv[1]))))
print(attempt(lambda: tcp("8.8.8.8", 53)))
print(attempt(lambda: tcp("2001:4860:4860::8888", 53, socket.AF_INET6)))
print(attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("8.8.8.8", 53))))
print(attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)))
print(attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)))
"""
    done = project.run(PYTHON, "-c", code, str(upstream.port))
    said = done.out.split()
    assert said[0] == "ECONNREFUSED" and said[1] == "ENETUNREACH" and said[2] in ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT")
    assert said[3] == "ENETUNREACH" and said[4] != "reached" and said[5] != "reached"
    assert upstream.connections == 0


# ---- an external Sidecar ----


class External:
    """`firma authority` and `firma sidecar` of @project, with a capability for one agent and session."""

    def __init__(self, project, listen, more="", agent="generic", session="sess-ext"):
        self.project = project
        port = free_port()
        assert project.firma("authority", "generate-key", "-o", "authority.key").status == 0
        project.config.write_text("""[authority]
listen_addr = "127.0.0.1:%d"
policy_dir = "policies"
issuance_policy_dir = "issuance"
key_file = "authority.key"
revocation_file = "%s/revocations.txt"
[sidecar.interceptor]
%s
[sidecar.authority]
url = "http://127.0.0.1:%d"
public_key_path = "authority.pub"
[sidecar.capability_seed]
paths = ["cap.toml"]
[sidecar.mapping]
rules_path = "rules.toml"
[sidecar.resolver]
hosts = { "%s" = "127.0.0.1" }
[sidecar.audit]
sink = "file"
file_path = "%s"
signing_key_path = "audit.key"
%s""" % (port, project.dir, listen, port, NAME, project.audit, more))
        issued = project.firma("authority", "-c", "firma.toml", "issue", "--agent-id", agent, "--session-id", session, "--action",
                               "communication.external.send", "--output", "cap.toml")
        assert issued.status == 0, issued
        assert project.firma("audit", "generate-key", "--output", "audit.key").status == 0
        self.authority = Daemon(["authority", "-c", "firma.toml"], project.dir, project.env())
        self.authority.wait_line("authority ready$")
        self.sidecar = Daemon(["sidecar", "-c", "firma.toml", "--health-bind-addr", "off"], project.dir, project.env())
        self.sidecar.wait_line("ready$")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.sidecar.stop()
        self.authority.stop()


def test_an_external_unix_sidecar_attributes_by_the_connection(project):
    sock = project.dir / "x.sock"
    with External(project, 'mode = "unix_socket"\nsocket_path = "%s"' % sock):
        flags = ["--sidecar", "unix://%s" % sock, "--sandbox-id", "box-1"]
        env = project.env(FIRMA_RUN_SESSION_ID="sess-ext")
        with project.agent(flags=flags, env=env) as agent:
            assert agent.ask("get", "http://%s/x" % project.host)[0] == 200
            assert agent.ask("get", "http://elsewhere.example/")[0] == 403
            forged = ("import socket; s=socket.create_connection(('127.0.0.1',18080)); "
                      "s.sendall(b'GET http://%s/f HTTP/1.1\\r\\nHost: %s\\r\\nx-firma-session-id: evil\\r\\nx-firma-sandbox-id: evil\\r\\n"
                      "x-firma-agent: evil\\r\\nConnection: close\\r\\n\\r\\n'); s.recv(100).decode()[:12]" % (project.host, project.host))
            assert agent.ask("eval", "exec(%r) or 1" % forged) == 1
            assert not any(n != ".lock" and not n.startswith(".new-") for n in os.listdir(project.state / "run"))
            agent.process.stdin.close()
            assert agent.process.wait(20) == 0
        events = wait_for(lambda: len(project.events()) >= 3 and project.events())
        for e in events:
            assert (e["session_id"], e["agent_id"]) == ("sess-ext", "generic"), e
            assert "box-1" in json.dumps(e) and "evil" not in json.dumps(e)
        # And the stub knows what it routes.
        done = project.run(PYTHON, "-c", DNS, NAME, flags=flags)
        check_dns(json.loads(done.out))
    assert project.left() == []


def test_another_session_has_no_capability_of_an_external_sidecar(project):
    sock = project.dir / "x.sock"
    with External(project, 'mode = "unix_socket"\nsocket_path = "%s"' % sock):
        with project.agent(flags=["--sidecar", "unix://%s" % sock], env=project.env(FIRMA_RUN_SESSION_ID="sess-other")) as agent:
            status, body = agent.ask("get", "http://%s/x" % project.host)[:2]
            agent.process.stdin.close()
            agent.process.wait(20)
        assert status == 403 and "TokenInvalid" in body
    # Refused before a capability spoke for anybody: recorded as whom the relay named.
    (event,) = [e for e in project.events() if e["decision"] == 2]
    assert (event["session_id"], event["agent_id"]) == ("sess-other", "generic"), event


def test_an_agent_that_speaks_proxy_v2_itself_is_not_believed(project):
    sock = project.dir / "x.sock"
    v2 = b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x00" + struct.pack(">H", 0)
    with External(project, 'mode = "unix_socket"\nsocket_path = "%s"' % sock):
        code = ("import socket,sys\ns=socket.create_connection(('127.0.0.1',18080))\ns.settimeout(10)\n"
                "s.sendall(%r + b'GET http://%s/x HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n')\nprint(s.recv(100)[:12])" % (v2, project.host, project.host))
        done = project.run(PYTHON, "-c", code, flags=["--sidecar", "unix://%s" % sock], env=project.env(FIRMA_RUN_SESSION_ID="sess-ext"))
        assert done.out.strip() in ("b''", "b'HTTP/1.1 400'"), done


def test_an_external_tcp_sidecar_by_name_with_its_sole_session(project, upstream):
    port = free_port()
    with External(project, 'mode = "http_proxy"\nlisten_addr = "127.0.0.1:%d"' % port):
        for host in ("localhost", "127.0.0.1"):
            with project.agent(flags=["--sidecar", "tcp://%s:%d" % (host, port)]) as agent:
                assert agent.ask("get", "http://%s/x" % project.host)[0] == 200
                assert agent.ask("get", "http://elsewhere.example/")[0] == 403
        done = project.run(PYTHON, "-c", DNS, NAME, flags=["--sidecar", "tcp://localhost:%d" % port])
        check_dns(json.loads(done.out))
        # The endpoint of the environment, and the configured one, count as well.
        done = project.run("true", flags=[], env=project.env(FIRMA_SIDECAR_ENDPOINT="tcp:127.0.0.1:%d" % port))
        assert done.status == 0
    assert project.left() == []


def test_a_capability_file_cannot_reach_an_external_sidecar(project):
    done = project.run("true", flags=["--sidecar", "unix:///run/x.sock", "--capability-file", "cap.toml"])
    assert (done.status, done.error()) == (1, "Capability")
    assert not project.state.exists()


def test_an_external_sidecar_that_dies_is_a_closed_door(project, upstream):
    sock = project.dir / "x.sock"
    with External(project, 'mode = "unix_socket"\nsocket_path = "%s"' % sock) as external:
        with project.agent(flags=["--sidecar", "unix://%s" % sock], env=project.env(FIRMA_RUN_SESSION_ID="sess-ext")) as agent:
            assert agent.ask("get", "http://%s/x" % project.host)[0] == 200
            before = upstream.connections
            external.sidecar.process.kill()
            external.sidecar.process.wait()
            for _ in range(3):
                said = agent.ask("get", "http://%s/x" % project.host)
                assert said == [0, ""] or "Reset" in said or "refused" in said, said
            assert upstream.connections == before
            agent.process.stdin.close()
            assert agent.process.wait(20) == 0


def test_large_bodies_both_ways_through_the_relay(project):
    body = os.urandom(1 << 20) * 4

    def mirror(connection):
        while True:
            request = connection.read_request()
            if request is None:
                return
            connection.send(answer(request.partition(b"\r\n\r\n")[2]))

    with Upstream(mirror) as up:
        p = Project(up.port, policy=PERMIT_ALL)
        sock = p.dir / "x.sock"
        (p.dir / "body").write_bytes(body)
        try:
            with External(p, 'mode = "unix_socket"\nsocket_path = "%s"' % sock):
                code = """
import hashlib, sys, urllib.request
body = sys.stdin.buffer.read()
back = urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=body, method="POST")).read()
print(hashlib.sha256(back).hexdigest() == hashlib.sha256(body).hexdigest(), len(back))
"""
                for flags, env in ((["--sidecar", "unix://%s" % sock], p.env(FIRMA_RUN_SESSION_ID="sess-ext")),):
                    with open(p.dir / "body", "rb") as source:
                        done = p.run(PYTHON, "-c", code, "http://%s/" % p.host, flags=flags, env=env, stdin=source)
                    assert done.out.split() == ["True", str(len(body))], done
        finally:
            p.close()


def test_a_unix_listener_that_is_no_sidecar(project):
    path = project.dir / "x.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        import threading

        def answer_wrong():
            while True:
                try:
                    c, _ = s.accept()
                except OSError:
                    return
                try:
                    c.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                except BrokenPipeError:
                    pass
                c.close()
        threading.Thread(target=answer_wrong, daemon=True).start()
        done = project.run("true", flags=["--sidecar", "unix://%s" % path])
    assert (done.status, done.error()) == (1, "SidecarUnreachable")
    assert not project.state.exists()
