"""Runs sidecar_driver: the real proxy with fixed rules, policy and capability, no Authority."""

import json
import os
import pathlib
import select
import signal
import subprocess
import time

from rawclient import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
DRIVER = BUILD / "tests/unit/sidecar/sidecar_driver"

PERMIT = 'permit (principal, action == Firma::Action::"communication.external.send", resource)\nwhen { context.risk_score < 80 };\n'


def rule(host, method=None, path=None, opaque=False):
    text = '[[rules]]\nhost = "%s"\naction_class = "communication.external.send"\n' % host
    if method:
        text += 'method = "%s"\n' % method
    if path:
        text += 'path = "%s"\n' % path
    if opaque:
        text += "opaque = true\n"
    return text


class StaticSidecar:
    def __init__(self, directory, rules, policies=PERMIT, options=(), audit=None, unix=None, preexec=None):
        self.dir = pathlib.Path(directory)
        self.audit_path = pathlib.Path(audit or self.dir / "audit.jsonl")
        (self.dir / "rules.toml").write_text(rules)
        (self.dir / "policies.cedar").write_text(policies)
        self.log = open(self.dir / "sidecar.log", "ab")
        where = ["--unix", str(unix)] if unix else ["--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [str(DRIVER), "--rules", str(self.dir / "rules.toml"), "--policies", str(self.dir / "policies.cedar"),
             "--audit", str(self.audit_path), *where, *options],
            stdout=subprocess.PIPE, stderr=self.log, preexec_fn=preexec)
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline().decode().strip() if ready else ""
        assert line.startswith("ready "), (line, self.log_text())
        self.addr = line[6:]
        if unix:
            self.address = self.addr
        else:
            host, _, port = self.addr.rpartition(":")
            self.address = (host, int(port))

    def client(self, timeout=10):
        return Client(self.address, timeout)

    def ask(self, request, method="GET"):
        with self.client() as c:
            c.send(request)
            return c.answer(method)

    def get(self, authority, path="/", extra=b""):
        return self.ask(b"GET http://%s%s HTTP/1.1\r\nHost: %s\r\n%s\r\n" %
                        (authority.encode(), path.encode(), authority.encode(), extra))

    def log_text(self):
        return (self.dir / "sidecar.log").read_text()

    def events(self):
        if not self.audit_path.exists():
            return []
        return [json.loads(line) for line in self.audit_path.read_text().splitlines()]

    def wait_events(self, n, seconds=10):
        """The events, once there are at least n."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            events = self.events()
            if len(events) >= n:
                return events
            select.select([], [], [], 0.01)
        raise AssertionError("only %r" % self.events())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.process.stdout.close()
        self.log.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        status = self.stop()
        if exc[0] is None:
            assert status == 0, (status, self.log_text())
