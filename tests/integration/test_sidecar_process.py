"""`firma sidecar` as a process: the seven lines, the Authority's streams, seeds, signals, health."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import Client  # noqa: E402
from real_sidecar import FIRMA, PERMIT, Project, free_port, get  # noqa: E402
from static_sidecar import rule  # noqa: E402
from upstream import Upstream, answer  # noqa: E402

pytestmark = pytest.mark.skipif(not FIRMA.exists(), reason="firma is not built")


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture
def project(tmp_path, upstream):
    with Project(tmp_path, rule(upstream.authority)) as p:
        yield p


def until(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        threading.Event().wait(0.02)
    return False


def test_seven_lines_in_order_then_calls(project, upstream):
    project.start_authority()
    s = project.start_sidecar()
    messages = [re.sub(r"^\S+\s+INFO ", "", line) for line in s.lines if line]
    port = s.address[1]
    wanted = ['config loaded path="firma.toml"', "mapping table loaded rules=1",
              r'policy bundle loaded version="[0-9a-f]{8}" policies=1',
              'authority stream connected endpoint="http://127.0.0.1:%d"' % project.authority_port,
              "connector registry built hosts=0 default_timeout_ms=30000",
              'interceptor listening addr="127.0.0.1:%d"' % port, "sidecar ready"]
    at = 0
    for message in messages:
        if at < len(wanted) and re.fullmatch(wanted[at], message):
            at += 1
    assert at == 7, "\n".join(messages)
    assert get(s.address, upstream.authority, "/x").body == b"/x"
    assert get(s.address, "nowhere.invalid").json()["reason"] == "UnclassifiedIntent"
    assert s.stop() == 0
    events = [json.loads(line) for line in (project.dir / "audit.jsonl").read_text().splitlines()]
    assert [e["decision"] for e in events] == [1, 2]
    assert len(events[0]["bundle_version"]) == 64
    public = subprocess.run(["openssl", "ec", "-in", str(project.dir / "audit.key"), "-pubout"], capture_output=True, check=True)
    (project.dir / "audit.pub").write_bytes(public.stdout)
    r = project.firma("audit", "verify", "--public-key", "audit.pub", "audit.jsonl")
    assert r.stdout.count("OK") >= 2 and "BAD" not in r.stdout


def test_not_ready_before_the_authority_is_there(project, upstream):
    s = project.start_sidecar(ready=False)
    assert get(s.address, upstream.authority).json()["reason"] == "PolicyBundleNotReady"
    assert "sidecar ready" not in s.text()
    project.start_authority()
    s.wait_line("sidecar ready")
    assert get(s.address, upstream.authority).status == 200


def test_bundle_goes_stale_without_the_authority(tmp_path, upstream):
    with Project(tmp_path, rule(upstream.authority), bundle_ttl=1) as p:
        authority = p.start_authority()
        s = p.start_sidecar()
        assert get(s.address, upstream.authority).status == 200
        authority.process.kill()
        start = time.monotonic()
        assert until(lambda: get(s.address, upstream.authority).status == 403)
        assert time.monotonic() - start < 3
        assert get(s.address, upstream.authority).json()["reason"] == "PolicyBundleStale"
        p.start_authority()
        assert until(lambda: get(s.address, upstream.authority).status == 200, 8)


def test_new_policy_reaches_the_sidecar(project, upstream):
    project.start_authority()
    s = project.start_sidecar()
    assert get(s.address, upstream.authority).status == 200
    new = project.dir / "policies/.new"
    new.write_text(PERMIT + "forbid (principal, action, resource);\n")
    new.rename(project.dir / "policies/a.cedar")
    assert until(lambda: get(s.address, upstream.authority).status == 403)
    assert get(s.address, upstream.authority).json()["reason"] == "PolicyDenied"


def test_broken_policy_leaves_the_old_one(project, upstream):
    project.start_authority()
    s = project.start_sidecar()
    new = project.dir / "policies/.new"
    new.write_text("permit (principal, action")
    new.rename(project.dir / "policies/a.cedar")
    threading.Event().wait(0.5)  # nothing must happen, so there is no event to wait for
    assert get(s.address, upstream.authority).status == 200


def token_id(project):
    return re.search(r'token_id = "([^"]+)"', (project.dir / "capability.toml").read_text()).group(1)


def test_revocation_is_immediate(project, upstream):
    project.start_authority()
    s = project.start_sidecar()
    assert get(s.address, upstream.authority).status == 200
    project.firma("authority", "-c", "firma.toml", "revocations", "add", token_id(project))
    start = time.monotonic()
    assert until(lambda: get(s.address, upstream.authority).status == 403)
    assert time.monotonic() - start < 2
    assert get(s.address, upstream.authority).json()["reason"] == "TokenRevoked"
    s.wait_line("revocation added")


def test_seed_hot_reload(project, upstream):
    project.start_authority()
    s = project.start_sidecar()
    project.issue("narrow.toml", "sess_1", "other.example", 3600)
    good = (project.dir / "capability.toml").read_bytes()
    os.rename(project.dir / "narrow.toml", project.dir / "capability.toml")
    s.wait_line("capability map hot-reloaded")
    assert get(s.address, upstream.authority).json()["reason"] == "TokenInvalid"
    broken = project.dir / "broken.toml"
    broken.write_bytes(good.replace(b"agent_1", b"agent_2"))
    os.chmod(broken, 0o600)
    os.rename(broken, project.dir / "capability.toml")
    s.wait_line("capability seed reload failed; keeping previous map")
    assert get(s.address, upstream.authority).json()["reason"] == "TokenInvalid"


def test_tampered_or_foreign_seed_stops_the_start(project):
    seed = project.dir / "capability.toml"
    good = seed.read_bytes()
    seed.write_bytes(good.replace(b'agent_id = "agent_1"', b'agent_id = "agent_2"'))
    assert "raw_token claims do not match seed claims" in project.sidecar_fails()
    seed.write_bytes(good.replace(b"v4.public.ey", b"v4.public.eX"))
    assert "raw_token failed PASETO verification" in project.sidecar_fails()
    seed.unlink()
    assert "failed to read capability seed" in project.sidecar_fails()
    seed.write_bytes(good)
    os.chmod(seed, 0o622)
    assert "capability seed" in project.sidecar_fails()


@pytest.mark.parametrize("name, text", [
    ("sidecar.credentials.github", '[sidecar.credentials.github]\nmode = "basic"\ntarget_host = "api.github.com"\n'
     'header = "authorization"\nvalue_from_env = "X"\n'),
    ("sidecar.http_secret_providers", '[[sidecar.http_secret_providers]]\nprovider_id = "a"\nhost = "a.example"\n'),
    ("sidecar.secret_gateway", '[sidecar.secret_gateway]\nmax_buffer_size = "1MB"\n'),
    ("sidecar.connector.hosts", '[[sidecar.connector.hosts]]\nhost = "a.example"\nrps = 1\nburst = 1\ntimeout_ms = 1\n'),
    ("sidecar.local_exec", '[sidecar.local_exec]\nsocket_path = "/tmp/x"\n'),
    ("sidecar.constraint_enforcement.session_state_backend", '[sidecar.constraint_enforcement]\n'
     'session_state_backend = "persistent"\nsession_state_path = "/tmp/x"\n'),
])
def test_what_is_not_built_is_refused_by_name(project, name, text):
    project.write_config(lambda t: t + "\n" + text)
    said = project.sidecar_fails()
    assert name in said and "is not supported by this version" in said


def test_interception_that_is_asked_for_is_missed_aloud(project, upstream):
    project.write_config(lambda t: t.replace("https_mitm]\nenabled = false", "https_mitm]\nenabled = true"))
    project.start_authority()
    project.start_sidecar().wait_line("https_mitm is enabled, but this version opens no tunnel")


def test_tables_that_only_say_the_defaults_are_no_request(project, upstream):
    project.write_config(lambda t: t + "\n[sidecar.secret_gateway]\n[sidecar.credentials]\n")  # https_mitm: enabled = false
    project.start_authority()
    assert get(project.start_sidecar().address, upstream.authority).status == 200


def test_missing_signing_key_and_bad_rules(project):
    project.write_config(lambda t: t.replace('signing_key_path = "audit.key"', ""))
    assert "audit signing key not configured: set signing_key_path or signing_key_env" in project.sidecar_fails()
    project.write_config()
    (project.dir / "mapping-rules.toml").write_text('[[rules]]\nhost = "h"\naction_class = "http.get"\n')
    assert "rule 0: action class 'http.get' not in registry" in project.sidecar_fails()
    (project.dir / "mapping-rules.toml").unlink()
    assert "mapping-rules.toml" in project.sidecar_fails()


def test_health(project, upstream):
    def health(path, method="GET"):
        with Client(("127.0.0.1", port)) as c:
            c.send(b"%s %s HTTP/1.1\r\nHost: x\r\n\r\n" % (method.encode(), path.encode()))
            r = c.answer()
            return r.status, r.body
    port = free_port()
    s = project.start_sidecar(ready=False, args=("--health-bind-addr", "127.0.0.1:%d" % port))
    assert health("/healthz") == (503, b"not ready")
    project.start_authority()
    s.wait_line("sidecar ready")
    assert health("/healthz") == (200, b"ok")
    assert health("/metrics") == (404, b"not found")
    assert health("/healthz", "POST") == (404, b"not found")


def test_hangup_opens_the_log_anew(project, upstream):
    project.start_authority()
    s = project.start_sidecar()
    assert get(s.address, upstream.authority, "/1").status == 200
    os.rename(project.dir / "audit.jsonl", project.dir / "audit.1.jsonl")
    s.process.send_signal(signal.SIGHUP)
    s.wait_line("audit log opened anew")
    assert until(lambda: (project.dir / "audit.jsonl").exists() or get(s.address, upstream.authority, "/2").status == 0)
    assert get(s.address, upstream.authority, "/3").status == 200
    assert "/3" in (project.dir / "audit.jsonl").read_text()
    assert "/1" in (project.dir / "audit.1.jsonl").read_text()


def test_second_signal_ends_at_once(tmp_path):
    seen, go = threading.Event(), threading.Event()

    def serve(c):
        c.read_request()
        seen.set()
        go.wait(20)
        c.send(answer())
    with Upstream(serve) as u, Project(tmp_path, rule(u.authority)) as p:
        p.start_authority()
        s = p.start_sidecar()
        c = Client(s.address)
        c.send(b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n" % ((u.authority.encode(),) * 2))
        assert seen.wait(10)
        s.process.send_signal(signal.SIGTERM)
        s.wait_line("draining")
        start = time.monotonic()
        s.process.send_signal(signal.SIGTERM)
        assert s.process.wait(5) == 0
        assert time.monotonic() - start < 2
        go.set()
        event = json.loads((p.dir / "audit.jsonl").read_text().splitlines()[-1])
        assert event["decision"] == 3


def test_two_on_one_address(project):
    project.start_authority()
    s = project.start_sidecar()
    project.write_config(lambda t: t.replace('listen_addr = "127.0.0.1:0"', 'listen_addr = "127.0.0.1:%d"' % s.address[1]))
    assert "AlreadyRunning" in project.sidecar_fails()


def test_other_processes_cannot_look_inside(project):
    project.start_authority()
    s = project.start_sidecar()
    limits = pathlib.Path("/proc/%d/limits" % s.process.pid).read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)
    assert os.stat("/proc/%d/mem" % s.process.pid).st_uid == 0  # not dumpable: the kernel takes its files away
