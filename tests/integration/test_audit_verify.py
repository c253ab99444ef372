"""firma audit: a key is made once, a log is checked, what was changed is named, exit statuses tell good, bad and broken."""

import json
import os
import pathlib
import stat
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
FIRMA = os.environ.get("FIRMA_BIN") or str(BUILD / "src" / "cli" / "firma")
pytestmark = pytest.mark.skipif(not os.access(FIRMA, os.X_OK), reason="firma is not built")

# The published example lines (test key, never for use).
PUBLIC = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7
Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==
-----END PUBLIC KEY-----
"""
LOG = (ROOT / "tests" / "fuzz" / "corpus" / "audit_verify" / "two_lines").read_text()
IDS = [json.loads(line)["event_id"] for line in LOG.splitlines()]


def audit(*args, **kw):
    return subprocess.run([FIRMA, "audit", *map(str, args)], capture_output=True, text=True, timeout=30, **kw)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "log").write_text(LOG)
    (tmp_path / "pub").write_text(PUBLIC)
    return tmp_path


def test_good_lines_are_ok_in_any_order_of_arguments(place):
    for args in [(place / "log", "--public-key", place / "pub"), ("--public-key", place / "pub", place / "log")]:
        r = audit("verify", *args)
        assert r.returncode == 0
        assert r.stdout.splitlines()[:2] == ["OK  " + i for i in IDS]
        assert "HEAD ABSENT" in r.stdout


def test_standard_input_and_json(place):
    r = audit("verify", "-", "--public-key", place / "pub", "--json", input=LOG)
    assert r.returncode == 0
    rows = [json.loads(line) for line in r.stdout.splitlines()]
    assert [(x["result"], x["event_id"]) for x in rows[:2]] == [("OK", i) for i in IDS]


def test_a_changed_value_is_bad_by_name(place):
    (place / "log").write_text(LOG.replace('"decision":2', '"decision":1'))
    r = audit("verify", place / "log", "--public-key", place / "pub")
    assert r.returncode == 1
    assert "OK  " + IDS[0] in r.stdout.splitlines()
    assert "BAD " + IDS[1] in r.stdout.splitlines()


def test_hostile_text_in_a_log_cannot_reach_the_terminal(place):
    (place / "log").write_text('{"event_id":"\\u001b[2Jx","signature":"AAAA"}\n')
    r = audit("verify", place / "log", "--public-key", place / "pub")
    assert r.returncode == 1
    assert "\x1b" not in r.stdout


def test_what_cannot_be_checked_exits_2(place):
    (place / "nokey").write_text("x")
    for args in [
        (place / "absent", "--public-key", place / "pub"),
        (place / "log", "--public-key", place / "nokey"),
        (place / "log", "--public-key", place / "absent"),
        (place / "log",),
        ("--public-key", place / "pub"),
        (place / "log", "--public-key", place / "pub", "--head", place / "absent"),
        (place / "log", "--public-key", place / "pub", "--nonsense"),
        (place, "--public-key", place / "pub"),
    ]:
        r = audit("verify", *args)
        assert r.returncode == 2, args
        assert r.stderr.startswith("error: ")


def test_a_key_is_made_once(tmp_path):
    key = tmp_path / "audit.key"
    assert audit("generate-key", "-o", key).returncode == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "audit.pub").stat().st_mode) == 0o644
    before = key.read_bytes()
    again = audit("generate-key", "-o", key)
    assert again.returncode == 1 and "AlreadyExists" in again.stderr
    assert key.read_bytes() == before
