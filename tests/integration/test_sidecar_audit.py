"""No call without a record: a full disk denies, a killed process has lost nothing that a client saw complete."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from static_sidecar import DRIVER, StaticSidecar, rule  # noqa: E402
from upstream import Upstream  # noqa: E402

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the static Sidecar is not built")


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture
def small_disk(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small disk")
    where = tmp_path / "disk"
    where.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)]).returncode != 0:
        pytest.skip("cannot mount a tmpfs here")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def test_full_disk_denies_and_recovers(tmp_path, small_disk, upstream):
    with StaticSidecar(tmp_path, rule(upstream.authority), audit=small_disk / "audit.jsonl") as s:
        assert s.get(upstream.authority, "/before").status == 200
        allowed = []
        with s.client() as c:
            for i in range(20000):
                c.send(b"GET http://%s/%d HTTP/1.1\r\nHost: %s\r\n\r\n" %
                       (upstream.authority.encode(), i, upstream.authority.encode()))
                try:
                    r = c.answer()
                except (EOFError, ConnectionResetError):
                    break  # cut: its record could not be written
                if r.status == 403:
                    assert r.json() == {"denied": True, "detail": "AUDIT_UNAVAILABLE", "reason": "FailClosed"}
                    break
                assert r.status == 200
                allowed.append("/%d" % i)
            else:
                raise AssertionError("the disk never filled")
        # At the edge a line or two may still find room; whatever is allowed must be on file.
        for i in range(50):
            r = s.get(upstream.authority, "/during%d" % i)
            if r.status == 200:
                allowed.append("/during%d" % i)
            else:
                assert r.status == 403 and r.json()["detail"] == "AUDIT_UNAVAILABLE"
                assert all(not q.startswith(b"GET /during%d " % i) for q in upstream.requests)
        assert r.status == 403
        recorded = {e["resource"] for e in whole_lines(s.audit_path)}
        assert all(upstream.authority + p in recorded for p in allowed)
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        for _ in range(400):
            if s.get(upstream.authority, "/after").status == 200:
                break
            threading.Event().wait(0.05)
        else:
            raise AssertionError("no recovery")
        assert any(e["resource"].endswith("/after") and e["decision"] == 1 for e in whole_lines(s.audit_path))


def whole_lines(path):
    text = path.read_bytes()
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def test_kill_loses_no_completed_call(tmp_path, upstream):
    a = upstream.authority.encode()
    for round_ in range(5):
        directory = tmp_path / str(round_)
        directory.mkdir()
        s = StaticSidecar(directory, rule(upstream.authority))
        done = []
        stop = threading.Event()

        def run(n):
            try:
                with s.client() as c:
                    for i in range(100000):
                        c.send(b"GET http://%s/%d-%d HTTP/1.1\r\nHost: %s\r\n\r\n" % (a, n, i, a))
                        if c.answer().status == 200:
                            done.append("%s/%d-%d" % (upstream.authority, n, i))
                        if len(done) > 300:
                            stop.set()
            except (EOFError, OSError):
                pass
        threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
        [t.start() for t in threads]
        assert stop.wait(30)
        s.process.send_signal(signal.SIGKILL)
        [t.join() for t in threads]
        s.process.wait()
        s.process.stdout.close()
        s.log.close()
        recorded = {e["resource"] for e in whole_lines(s.audit_path)}
        assert len(done) > 300 and set(done) <= recorded


def test_lines_are_numbered_without_gaps(tmp_path, upstream):
    with StaticSidecar(tmp_path, rule(upstream.authority)) as s:
        for i in range(10):
            assert s.get(upstream.authority, "/%d" % i).status == 200
        seqs = [e["seq"] for e in s.events()]
        assert seqs == list(range(1, 11))
