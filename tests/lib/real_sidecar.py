"""A project directory with keys, policies and rules, and the real `firma authority` and `firma sidecar` running on it."""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading
import time

from rawclient import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
FIRMA = pathlib.Path(os.environ.get("FIRMA_BIN", BUILD / "src/cli/firma"))

PERMIT = 'permit (principal, action == Firma::Action::"communication.external.send", resource)\nwhen { context.risk_score < 80 };\n'
SCHEMA = (ROOT / "data/schema/firma.cedarschema")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    """A process whose stderr is kept, and whose lines can be waited for."""

    def __init__(self, args, cwd, env=None):
        self.lines = []
        self.changed = threading.Condition()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FIRMA_") and k != "RUST_LOG"}
        self.process = subprocess.Popen([str(FIRMA), *args], cwd=cwd, env={**clean, **(env or {})}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.decode().rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def text(self):
        return "\n".join(line for line in self.lines if line is not None)

    def wait_line(self, pattern, seconds=20):
        """The match of the first line that has it."""
        end = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    if line is None:
                        raise AssertionError("ended without %r:\n%s" % (pattern, self.text()))
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = len(self.lines)
                if not self.changed.wait(max(0, end - time.monotonic())) and time.monotonic() >= end:
                    raise AssertionError("no line %r:\n%s" % (pattern, self.text()))

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.reader.join(5)
            self.process.stdout.close()
            self.process.stderr.close()


class Project:
    def __init__(self, directory, rules, policies=None, scope="*", session="sess_1", ttl=3600, bundle_ttl=30):
        self.dir = pathlib.Path(directory)
        self.authority_port = free_port()
        self.daemons = []
        (self.dir / "policies").mkdir()
        (self.dir / "issuance-policies").mkdir()
        for i, text in enumerate(policies or [PERMIT]):
            (self.dir / "policies" / ("%c.cedar" % (97 + i))).write_text(text)
        (self.dir / "policies/schema.cedarschema").write_text(SCHEMA.read_text())
        (self.dir / "issuance-policies/issuance.cedar").write_text("permit (principal, action, resource);\n")
        (self.dir / "issuance-policies/schema.cedarschema").write_text(SCHEMA.read_text())
        (self.dir / "mapping-rules.toml").write_text(rules)
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                        str(self.dir / "audit.key")], check=True, capture_output=True)
        os.chmod(self.dir / "audit.key", 0o600)
        self.write_config(bundle_ttl=bundle_ttl)
        self.firma("authority", "generate-key", "-o", "firma-authority.key")
        self.issue("capability.toml", session, scope, ttl)

    def config_text(self, bundle_ttl=30, extra=""):
        return f"""
[authority]
listen_addr = "127.0.0.1:{self.authority_port}"
policy_dir = "policies"
issuance_policy_dir = "issuance-policies"
key_file = "firma-authority.key"
revocation_file = "{self.dir}/revocations.txt"
bundle_ttl_seconds = {bundle_ttl}

[sidecar.interceptor]
mode = "http_proxy"
listen_addr = "127.0.0.1:0"
drain_timeout_secs = 3

[sidecar.interceptor.https_mitm]
enabled = false

[sidecar.policy]
dir = "policies"

[sidecar.mapping]
rules_path = "mapping-rules.toml"

[sidecar.authority]
url = "http://127.0.0.1:{self.authority_port}"
public_key_path = "firma-authority.pub"

[sidecar.capability_seed]
paths = ["capability.toml"]

[sidecar.audit]
sink = "file"
file_path = "audit.jsonl"
signing_key_path = "audit.key"
{extra}
"""

    def write_config(self, edit=None, **how):
        text = self.config_text(**how)
        path = self.dir / "firma.toml"
        path.write_text(edit(text) if edit else text)
        os.chmod(path, 0o600)

    def firma(self, *args, check=True):
        r = subprocess.run([str(FIRMA), *args], cwd=self.dir, capture_output=True, text=True, timeout=30)
        if check:
            assert r.returncode == 0, r.stderr
        return r

    def issue(self, name, session, scope, ttl, action="communication.external.send"):
        self.firma("authority", "-c", "firma.toml", "issue", "--agent-id", "agent_1", "--session-id", session, "--action", action,
                   "--resource-scope", scope, "--ttl-seconds", str(ttl), "--output", name)

    def start_authority(self):
        d = Daemon(["authority", "-c", "firma.toml"], self.dir)
        self.daemons.append(d)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.authority_port), 1).close()
                return d
            except OSError:
                assert d.process.poll() is None, d.text()
                select.select([], [], [], 0.01)
        raise AssertionError(d.text())

    def start_sidecar(self, ready=True, args=("--health-bind-addr", "off"), env=None):
        d = Daemon(["sidecar", "-c", "firma.toml", *args], self.dir, env)
        self.daemons.append(d)
        host, port = d.wait_line(r'interceptor listening addr="([^"]*):(\d+)"').groups()
        d.address = (host, int(port))
        if ready:
            d.wait_line("sidecar ready")
        return d

    def sidecar_fails(self):
        r = self.firma("sidecar", "-c", "firma.toml", "--health-bind-addr", "off", check=False)
        assert r.returncode != 0
        return r.stderr

    def close(self):
        for d in self.daemons:
            if d.process.poll() is None:
                d.process.kill()
                d.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(address, authority, path="/"):
    a = authority.encode()
    with Client(address) as c:
        c.send(b"GET http://%s%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (a, path.encode(), a))
        return c.answer()
