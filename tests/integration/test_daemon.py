"""`firma sidecar start` and `stop`: Authority and Sidecar as one unit, and what `status --daemon` says of it."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import FIRMA, NAME, Project, Watched, wait_for  # noqa: E402
from rawclient import Client  # noqa: E402
from real_sidecar import free_port  # noqa: E402
from upstream import Upstream  # noqa: E402

FILES = ["authority.listen", "authority.pid", "sidecar.listen", "sidecar.pid", "stack.lock", "stack.pid"]


class Pair(Project):
    def __init__(self, upstream):
        super().__init__(upstream.port)
        self.authority_port, self.sidecar_port = free_port(), free_port()
        assert self.firma("authority", "generate-key", "-o", "authority.key").status == 0
        assert self.firma("audit", "generate-key", "--output", "audit.key").status == 0
        self.configure()
        issued = self.firma("authority", "-c", "firma.toml", "issue", "--agent-id", "a", "--session-id", "s", "--action",
                            "communication.external.send", "--output", "cap.toml")
        assert issued.status == 0, issued

    def configure(self):
        self.config.write_text("""[authority]
listen_addr = "127.0.0.1:%d"
policy_dir = "policies"
issuance_policy_dir = "issuance"
key_file = "authority.key"
revocation_file = "%s/revocations.txt"
[sidecar.interceptor]
mode = "http_proxy"
listen_addr = "127.0.0.1:%d"
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
""" % (self.authority_port, self.dir, self.sidecar_port, self.authority_port, NAME, self.audit))

    def env(self, **changes):
        return super().env(**{"FIRMA_SIDECAR_HEALTH_BIND_ADDR": "off", **changes})

    def begin(self, *args):
        return self.firma("sidecar", "start", "--detach", *args)

    def stop(self, *args):
        return self.firma("sidecar", "stop", *args)

    def pid(self, name):
        return int((self.state / (name + ".pid")).read_text().split()[0])

    def files(self):
        return sorted(p.name for p in self.state.iterdir() if p.suffix in (".pid", ".listen", ".lock"))

    def get(self):
        """Status of one call through the proxy."""
        with Client(("127.0.0.1", self.sidecar_port)) as c:
            c.send(("GET http://%s/x HTTP/1.1\r\nHost: %s\r\n\r\n" % (self.host, self.host)).encode())
            return c.answer().status


@pytest.fixture
def pair():
    with Upstream() as up:
        p = Pair(up)
        yield p
        p.stop("--timeout", "1")
        p.close()


def daemon_state(pair):
    done = pair.status("--daemon", "--json")
    rows = json.loads(done.out)
    return (rows[0]["state"] if rows else None, done.status)


def test_detach_status_and_stop(pair):
    done = pair.begin()
    assert done.status == 0 and len(done.out.splitlines()) == 1 and str(pair.sidecar_port) in done.out, done
    assert daemon_state(pair) == ("running", 0)
    (row,) = pair.rows("--daemon")
    assert (row["sandbox_id"], row["agent_id"], row["pid"]) == ("daemon", "daemon", pair.pid("sidecar"))
    assert row["listen"] == "127.0.0.1:%d" % pair.sidecar_port
    assert wait_for(lambda: pair.get() == 200)
    assert pair.files() == FILES
    watched = Watched([pair.pid(n) for n in ("sidecar", "authority", "stack")])
    done = pair.stop()
    assert (done.status, done.err) == (0, "")
    assert watched.gone() == []
    watched.close()
    assert pair.files() == []
    assert daemon_state(pair) == (None, 0)
    assert pair.stop().status == 0


def test_a_second_start_is_refused_first_of_all(pair):
    assert pair.begin().status == 0
    pair.config.write_text("not toml at all [")
    done = pair.begin()
    assert (done.status, done.error()) == (2, "AlreadyRunning")
    assert daemon_state(pair) == ("running", 0)


def test_frozen_and_killed(pair):
    assert pair.begin().status == 0
    sidecar = pair.pid("sidecar")
    watched = Watched([pair.pid(n) for n in ("authority", "stack", "sidecar")])
    os.kill(sidecar, signal.SIGSTOP)
    wait_for(lambda: ") T" in open("/proc/%d/stat" % sidecar).read())
    assert daemon_state(pair) == ("unhealthy", 1)
    os.kill(sidecar, signal.SIGCONT)
    wait_for(lambda: daemon_state(pair) == ("running", 0))
    os.kill(sidecar, signal.SIGKILL)
    assert watched.gone() == []
    watched.close()
    # The supervisor ended the other one and cleared up.
    wait_for(lambda: pair.files() == [])
    assert pair.begin().status == 0


def test_everything_killed_at_once_shows_stopped_and_starts_again(pair):
    assert pair.begin().status == 0
    pids = [pair.pid(n) for n in ("stack", "sidecar", "authority")]
    watched = Watched(pids)
    os.kill(pids[0], signal.SIGKILL)
    assert watched.gone() == [], "the components must not outlive their supervisor"
    watched.close()
    assert daemon_state(pair) == ("stopped", 1)
    assert pair.begin().status == 0
    assert daemon_state(pair) == ("running", 0)


def test_the_authoritys_death_ends_the_sidecar(pair):
    assert pair.begin().status == 0
    watched = Watched([pair.pid(n) for n in ("sidecar", "stack")])
    os.kill(pair.pid("authority"), signal.SIGKILL)
    assert watched.gone() == []
    watched.close()
    assert "authority" in (pair.state / "supervisor.log").read_text()


@pytest.mark.parametrize("who", ["authority", "sidecar"])
def test_a_taken_port_is_said_quickly(pair, who):
    port = getattr(pair, who + "_port")
    with socket.create_server(("127.0.0.1", port)):
        began = time.monotonic()
        done = pair.begin()
        assert (done.status, done.error()) == (2, "Readiness") and who in done.err, done
        assert time.monotonic() - began < 10
    assert pair.files() == [] or pair.files() == ["stack.lock"]
    assert pair.begin().status == 0


def test_a_component_that_cannot_start_is_said_quickly(pair):
    (pair.dir / "rules.toml").write_text("[[rules]]\nhost = 3\n")
    done = pair.begin()
    assert (done.status, done.error()) == (2, "Readiness") and "sidecar.log" in done.err, done
    assert "rules.toml" in (pair.state / "sidecar.log").read_text()
    assert pair.files() == []


def test_wrong_configurations_are_2(pair):
    pair.config.write_text("[sidecar")
    assert (pair.begin().status, pair.begin().error()) == (2, "ConfigParse")
    pair.configure()
    pair.config.write_text(pair.config.read_text().replace('"127.0.0.1:%d"\n[sidecar.auth' % pair.sidecar_port, '"127.0.0.1:0"\n[sidecar.auth'))
    done = pair.begin()
    assert (done.status, done.error()) == (2, "ConfigValidation") and "port" in done.err
    done = pair.firma("sidecar", "start", "--detach", env=pair.env(FIRMA_CONFIG=None))
    assert (done.status, done.error()) == (2, "ConfigValidation")
    assert pair.firma("sidecar", "start", "--nonsense").status == 2
    assert pair.stop("--timeout", "x").status == 2


def test_stop_kills_what_is_frozen(pair):
    assert pair.begin().status == 0
    watched = Watched([pair.pid(n) for n in ("sidecar", "authority", "stack")])
    for name in ("sidecar", "authority", "stack"):
        os.kill(pair.pid(name), signal.SIGSTOP)
    assert pair.stop("--timeout", "1").status == 0
    assert watched.gone() == []
    watched.close()
    assert pair.files() == []


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_signal_ends_both(pair, sig):
    process = subprocess.Popen([FIRMA, "sidecar", "start"], env=pair.env(), cwd=pair.dir, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: daemon_state(pair)[0] == "running")
        watched = Watched([pair.pid(n) for n in ("sidecar", "authority")])
        process.send_signal(sig)
        assert process.wait(20) == 0
        assert watched.gone() == []
        watched.close()
        assert pair.files() == []
    finally:
        process.kill()
        process.communicate()


def test_a_state_dir_given_by_flag(pair):
    other = pair.dir / "o"
    assert pair.begin("--state-dir", other).status == 0
    assert (other / "sidecar.pid").exists() and not pair.state.exists()
    assert pair.stop("--state-dir", other).status == 0
    assert not (other / "sidecar.pid").exists()


def test_the_pair_serves_a_run(pair):
    assert pair.begin().status == 0
    flags = ["--sidecar", "tcp://127.0.0.1:%d" % pair.sidecar_port]
    wait_for(lambda: pair.get() == 200)
    with pair.agent(flags=flags) as agent:
        assert agent.ask("get", "http://%s/x" % pair.host)[0] == 200
        agent.process.stdin.close()
        assert agent.process.wait(20) == 0
