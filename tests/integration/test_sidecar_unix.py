"""The Unix door: who may use it, for whom a relay speaks, the routed names, and what stands in the socket's place."""

import os
import pathlib
import pwd
import socket
import stat
import struct
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from static_sidecar import DRIVER, PERMIT, StaticSidecar, rule  # noqa: E402
from upstream import Upstream  # noqa: E402

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the static Sidecar is not built")


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture
def path(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir(mode=0o700)
    return directory / "sidecar.sock"


def proxy_v2(session, sandbox=b"box-1", agent=b"agent_1", command=0x21):
    tlvs = b"".join(struct.pack(">BH", kind, len(v)) + v for kind, v in ((0xE0, sandbox), (0xE1, session), (0xE2, agent)))
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", command, 0, len(tlvs)) + tlvs


def request(upstream, path=b"/"):
    a = upstream.authority.encode()
    return b"GET http://%s%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (a, path, a)


def test_socket_is_private_and_removed_at_the_end(tmp_path, path, upstream):
    with StaticSidecar(tmp_path, rule(upstream.authority), unix=path) as s:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with s.client() as c:
            c.send(request(upstream))
            assert c.answer().status == 200
    assert not path.exists()


def test_relay_says_for_whom_it_speaks(tmp_path, path, upstream):
    with StaticSidecar(tmp_path, rule(upstream.authority), unix=path) as s:
        with s.client() as c:
            header = proxy_v2(b"sess_1")
            c.send(header[:5]).send(header[5:] + request(upstream, b"/1"))
            assert c.answer().status == 200
            c.send(request(upstream, b"/2"))
            assert c.answer().status == 200
        with s.client() as c:
            c.send(b"GET http://nowhere.invalid/ HTTP/1.1\r\nHost: nowhere.invalid\r\nx-firma-session-id: forged\r\n\r\n")
            assert c.answer().status == 403
        first, second, third = s.events()
        assert first["sandbox_id"] == second["sandbox_id"] == "box-1" and first["session_id"] == "sess_1"
        assert third["sandbox_id"] == "" and third["session_id"] == ""


def test_second_or_malformed_header_is_refused(tmp_path, path, upstream):
    bad = [proxy_v2(b"sess_1") + proxy_v2(b"sess_1"), proxy_v2(b""), proxy_v2(b"s" * 129), proxy_v2(b"a b"),
           proxy_v2(b"sess_1", command=0x20), b"\r\n\r\n\0\r\nQUIT\n\xff\xff\xff\xff",
           b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"]
    with StaticSidecar(tmp_path, rule(upstream.authority), unix=path) as s:
        for raw in bad:
            with s.client() as c:
                c.send(raw + request(upstream))
                try:
                    rest = c.rest()
                except ConnectionResetError:
                    rest = b""
                assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")
        assert upstream.requests == []


def test_routes(tmp_path, path, upstream):
    rules = rule("api.example.com", "GET") + rule("api.example.com", "POST") + rule("*.Example.org:8443") + rule("10.0.0.1")
    with StaticSidecar(tmp_path, rules, unix=path) as s:
        r = s.ask(b"GET /routes HTTP/1.1\r\nHost: firma\r\nConnection: close\r\n\r\n")
        assert r.status == 200
        # Two stars: any number of labels.
        assert sorted(r.body.split()) == [b"**.example.org", b"api.example.com"]
        assert s.events() == []


def test_routes_are_not_shown_on_tcp(tmp_path):
    with StaticSidecar(tmp_path, rule("api.example.com")) as s:
        assert s.ask(b"GET /routes HTTP/1.1\r\nHost: firma\r\n\r\n").status == 403


def test_another_uid_is_refused(tmp_path, path, upstream):
    if os.getuid() != 0:
        pytest.skip("needs root to become somebody else")
    with StaticSidecar(tmp_path, rule(upstream.authority), unix=path) as s:
        os.chmod(path, 0o666)
        for d in [path.parent, *path.parents]:
            if str(d).startswith("/tmp/"):
                os.chmod(d, 0o755)
        code = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                "s.sendall(b'GET /routes HTTP/1.1\\r\\nHost: firma\\r\\n\\r\\n'); "
                "sys.stdout.buffer.write(s.recv(100))")
        r = subprocess.run(["/usr/bin/python3", "-c", code, str(path)], user=65534, group=65534, extra_groups=[],
                           capture_output=True, timeout=10)
        assert r.stdout == b""
        assert "peer uid not trusted" in s.log_text()


def start_fails(tmp_path, path):
    (tmp_path / "rules.toml").write_text(rule("h.example"))
    (tmp_path / "policies.cedar").write_text(PERMIT)
    r = subprocess.run([str(DRIVER), "--rules", str(tmp_path / "rules.toml"), "--policies", str(tmp_path / "policies.cedar"),
                        "--audit", str(tmp_path / "a.jsonl"), "--unix", str(path)], capture_output=True, timeout=20)
    assert r.returncode == 1
    return r.stderr.decode()


def test_a_live_socket_is_left_alone(tmp_path, path, upstream):
    with StaticSidecar(tmp_path, rule(upstream.authority), unix=path) as s:
        (tmp_path / "second").mkdir()
        assert "another process answers" in start_fails(tmp_path / "second", path)
        with s.client() as c:
            c.send(request(upstream))
            assert c.answer().status == 200


def test_a_dead_socket_is_replaced(tmp_path, path, upstream):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with StaticSidecar(tmp_path, rule(upstream.authority), unix=path) as s:
        assert s.ask(request(upstream)).status == 200


def test_anything_else_is_never_removed(tmp_path, path):
    path.write_text("mine")
    assert "is not a socket" in start_fails(tmp_path, path)
    assert path.read_text() == "mine"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert "is not a socket" in start_fails(tmp_path, path)


def test_an_open_directory_is_refused(tmp_path):
    directory = tmp_path / "wide"
    directory.mkdir()
    os.chmod(directory, 0o755)
    assert "InsecureFile" in start_fails(tmp_path, directory / "s.sock")
