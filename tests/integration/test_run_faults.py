"""Kill -9 of every part at many moments, many runs at once, and what is left: nothing."""

import json
import os
import pathlib
import select
import signal
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import PYTHON, SANITIZED, Project, Watched, children, descendants, wait_for  # noqa: E402
from upstream import Upstream  # noqa: E402


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture
def project(upstream):
    p = Project(upstream.port)
    yield p
    p.close()


def parts(run):
    """Pids of Sidecar, Authority and bubblewrap of a run that is up."""
    marker = next(p for p in (run.project.state / "run").iterdir() if not p.name.startswith("."))
    sidecar = int((marker / "sidecar.pid").read_text())
    authority = int((marker / "authority" / "authority.pid").read_text())
    bwrap = next(pid for pid, name in children(run.pid).items() if name == "bwrap")
    return {"sidecar": sidecar, "authority": authority, "bwrap": bwrap}


def mounts():
    with open("/proc/self/mounts") as f:
        return f.read()


@pytest.mark.parametrize("victim", ["sidecar", "authority"])
def test_a_component_killed_mid_run_ends_the_run_at_once(project, upstream, victim):
    with project.agent() as agent:
        assert agent.ask("get", "http://%s/x" % project.host)[0] == 200
        watched = Watched(descendants(agent.pid))
        before = upstream.connections
        began = time.monotonic()
        os.kill(parts(agent)[victim], signal.SIGKILL)
        agent.process.wait(30)
        done = agent.finish()
        took = time.monotonic() - began
    assert (done.status, done.error()) == (1, "Wait"), done
    assert victim in done.err
    assert SANITIZED or took < 2, took
    assert upstream.connections == before
    assert watched.gone() == []
    watched.close()
    assert project.left() == []


def test_a_killed_sidecar_allows_nothing_more(project, upstream):
    """A client that calls as fast as it can: no request arrives after the Sidecar's death."""
    code = """
import socket, sys
n = 0
while True:
    try:
        s = socket.create_connection(("127.0.0.1", 18080), 5)
        s.sendall(b"GET http://%s/n HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n")
        if s.recv(100).startswith(b"HTTP/1.1 200"):
            n += 1
            if n == 20:
                print("busy", flush=True)
    except OSError:
        pass
""".replace("%s", project.host)
    with project.start(PYTHON, "-c", code) as run:
        assert run.line() == "busy"
        pid = parts(run)["sidecar"]
        fd = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([fd], [], [], 10)
        os.close(fd)
        # What it had sent before may still be read by the service; a new connection may not come.
        after = upstream.connections
        done = run.finish()
    assert done.error() == "Wait"
    assert upstream.connections <= after + 1


def test_bubblewrap_killed_mid_run(project):
    with project.agent() as agent:
        watched = Watched(descendants(agent.pid))
        os.kill(parts(agent)["bwrap"], signal.SIGKILL)
        agent.process.wait(30)
        done = agent.finish()
    assert (done.status, done.error()) == (1, "Wait"), done
    assert watched.gone() == []
    watched.close()
    assert project.left() == []


def test_the_launcher_killed_mid_run(project):
    table = mounts()
    with project.agent(flags=["--authority", "local", "--sandbox-id", "gone"]) as agent:
        watched = Watched(descendants(agent.pid))
        assert len(watched.fds) >= 4
        agent.finish(signal.SIGKILL)
    assert watched.gone(5) == []
    watched.close()
    assert project.left() == ["capabilities/gone.toml", "run/gone"]
    done = project.status()
    assert done.status == 1 and "gone" in done.out and "stopped" in done.out
    assert project.left() == []
    assert project.status().status == 0
    assert mounts() == table


def test_the_launcher_killed_at_any_moment_of_the_start(project):
    (project.state / "run").mkdir(parents=True)
    os.chmod(project.state, 0o700)
    os.chmod(project.state / "run", 0o700)
    for step in range(16):
        with project.start("sh", "-c", "sleep 1000") as run:
            wait_for(lambda: project.left() or run.process.poll() is not None)
            if step:
                select.select([run.process.stdout], [], [], step * 0.003)
            watched = Watched(descendants(run.pid))
            run.process.kill()
            run.process.wait()
            # The pipes end only when nobody holds them any more.
            ready, _, _ = select.select([run.process.stdout], [], [], 10)
            assert ready and run.process.stdout.read() == b"", step
        assert watched.gone(5) == [], step
        watched.close()
        project.status()
        project.status()
        assert project.left() == [], step


@pytest.mark.parametrize("victim", ["sidecar", "authority", "bwrap"])
def test_a_part_killed_during_the_start(project, victim):
    """Whichever child is killed first, second or third: a typed error and nothing left."""
    index = ["authority", "sidecar", "bwrap"].index(victim)
    for step in range(6):
        with project.start("sh", "-c", "sleep 1000") as run:
            kids = wait_for(lambda: run.process.poll() is not None or len(children(run.pid)) > index and sorted(children(run.pid)))
            watched = Watched(descendants(run.pid))
            if step:
                select.select([run.process.stdout], [], [], step * 0.004)
            try:
                os.kill(kids[index], signal.SIGKILL)
            except ProcessLookupError:
                pass
            done = run.finish()
        assert done.status == 1 and done.error() in ("Wait", "AuthorityStartupFailed", "SidecarStartupFailed", "Backend", "Unavailable",
                                                     "Capability"), done
        assert watched.gone(5) == []
        watched.close()
        assert project.left() == [], (step, done)


def test_a_frozen_sidecar_does_not_hang_the_end(project):
    with project.agent(flags=["--authority", "local", "--sandbox-id", "cold"]) as agent:
        pids = parts(agent)
        os.kill(pids["sidecar"], signal.SIGSTOP)
        wait_for(lambda: ") T" in open("/proc/%d/stat" % pids["sidecar"]).read())
        done = project.status("--json")
        assert done.status == 1 and json.loads(done.out)[0]["state"] == "unhealthy"
        agent.process.stdin.close()
        assert agent.process.wait(30) == 0
    assert project.left() == []


def test_twenty_runs_at_once(project):
    runs = [project.start("sh", "-c", "echo $FIRMA_RUN_SANDBOX_ID; read x", env=project.env()) for _ in range(20)]
    ids = set()
    for run in runs:
        ids.add(run.line())
    assert len(ids) == 20
    rows = project.rows()
    assert {r["sandbox_id"] for r in rows} == ids and {r["state"] for r in rows} == {"running"}
    watched = Watched([pid for run in runs for pid in descendants(run.pid)])
    for run in runs:
        run.process.stdin.write(b"\n")
        run.process.stdin.flush()
    assert [run.finish().status for run in runs] == [0] * 20
    assert watched.gone() == []
    watched.close()
    assert project.left() == []


def test_status_and_collection_beside_runs_that_end_together(project):
    stop = threading.Event()
    bad = []

    def look():
        while not stop.is_set():
            done = project.status("--json")
            if done.status == 2:
                bad.append(done)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            runs = [project.start("true") for _ in range(10)]
            assert [run.finish().status for run in runs] == [0] * 10
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert bad == []
    assert project.left() == []


def test_an_id_in_use_is_refused_and_free_again_afterwards(project):
    flags = ["--authority", "local", "--sandbox-id", "mine"]
    with project.agent(flags=flags) as agent:
        done = project.run("true", flags=flags)
        assert (done.status, done.error()) == (1, "ConfigValidation") and "mine" in done.err
        assert project.rows()[0]["state"] == "running"
        agent.finish(signal.SIGKILL)
    wait_for(lambda: project.run("true", flags=flags).status == 0)
    assert project.left() == []


def test_markers_are_kept_on_request_and_collected_by_status(project):
    flags = ["--authority", "local", "--sandbox-id", "kept"]
    assert project.run("true", flags=flags, env=project.env(FIRMA_RUN_KEEP_MARKERS="Yes")).status == 0
    log = (project.marker("kept") / "sidecar.log").read_text()
    for line in ("config loaded path=", "mapping table loaded rules=", "policy bundle loaded version=", "authority stream connected endpoint=",
                 "connector registry built hosts=", "interceptor listening addr=", "sidecar ready"):
        assert line in log, line
    assert (project.marker("kept") / "authority.log").exists()
    assert project.status().status == 1
    assert project.left() == []


def workspace(project):
    work = project.dir / "w"
    (work / ".git" / "refs").mkdir(parents=True)
    (work / ".git" / "objects").mkdir()
    (work / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    os.chmod(project.dir, 0o755)
    if os.geteuid() == 0:
        for p in [work, *work.rglob("*")]:
            os.chown(p, 65534, 65534)
    return work, sorted(str(p) for p in work.rglob("*"))


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_no_mount_point_stays_in_a_workspace(project, how):
    work, before = workspace(project)
    flags = ["--profile", "codex", "--authority", "local", "--sandbox-id", "w1"]
    with project.agent(flags=flags, cwd=work) as agent:
        during = sorted(str(p) for p in work.rglob("*"))
        assert len(during) > len(before)
        said = agent.ask("eval", "open('.git/hooks/pre-commit', 'w')")
        assert "Error" in said, said
        assert agent.ask("eval", "open('made', 'w').close() or 1") == 1
        if how == "kill":
            watched = Watched(descendants(agent.pid))
            agent.finish(signal.SIGKILL)
            assert watched.gone() == []
            watched.close()
            assert project.status().status == 1
        else:
            agent.process.stdin.close()
            assert agent.process.wait(20) == 0
    assert sorted(str(p) for p in work.rglob("*")) == sorted(before + [str(work / "made")])
    assert project.left() == []


def test_the_control_plane_is_not_shown_in_a_workspace(project):
    """Policies, rules, keys and the file itself, all below the working directory of a codex run.

    The audit log is replaced while the agent runs, and takes a cover with it: a mount that shows it is refused by name.
    """
    work, _ = workspace(project)
    for name in ("policies", "issuance", "rules.toml"):
        (project.dir / name).rename(work / name)
    key = work / "audit.key"
    assert project.firma("audit", "generate-key", "--output", key).status == 0
    project.config = work / "firma.toml"
    outside, project.audit = project.audit, work / "audit.jsonl"
    project.audit.write_text("")
    os.chmod(project.audit, 0o600)
    project.write_config(more='signing_key_path = "audit.key"\n')
    refused = project.run("true", flags=["--profile", "codex", "--authority", "local"], cwd=work)
    assert refused.status == 1 and str(project.audit) in refused.err, refused
    project.audit.unlink()
    project.audit = outside
    project.write_config(more='signing_key_path = "audit.key"\n')
    probe = """
import json, os
out = {}
for name in ("policies", "issuance", "rules.toml", "audit.key", "firma.toml"):
    try:
        out[name] = sorted(os.listdir(name)) if os.path.isdir(name) else open(name).read()
    except OSError as e:
        out[name] = "error"
    for f in (lambda: open(name + "/planted" if os.path.isdir(name) else name, "w"), lambda: os.rename(name, "x" + name), lambda: os.unlink(name)):
        try:
            f()
            out[name] = "WRITTEN"
        except OSError:
            pass
print(json.dumps(out))
"""
    done = project.run(PYTHON, "-c", probe, flags=["--profile", "codex", "--authority", "local"], cwd=work)
    assert done.status == 0, (done, project.firma("run", "--profile", "codex", "--print-effective-config", "--", "true", cwd=work).out)
    for name, seen in json.loads(done.out).items():
        assert seen in ("", [], "error"), (name, seen)


def test_renewal_keeps_calls_allowed(project):
    """Tokens of the shortest life there is: the second call is made when the first token has long expired."""
    project.write_config(authority_more="max_ttl_seconds = 4\n",
                         more="[run.defaults.capability]\nrefresh_ratio = 0.4\ngrace_seconds = 1\n")
    with project.agent(flags=["--authority", "local", "--sandbox-id", "renew"]) as agent:
        assert agent.ask("get", "http://%s/1" % project.host)[0] == 200
        token = project.state / "capabilities" / "renew.toml"
        first = token.read_text()
        seen = {first}

        def fresh():
            seen.add(token.read_text())
            return len(seen) >= 4
        wait_for(fresh, 30)
        for i in range(20):
            assert agent.ask("get", "http://%s/%d" % (project.host, i))[0] == 200
        agent.process.stdin.close()
        assert agent.process.wait(20) == 0


def test_the_guides_capability_file_example(project):
    """`firma authority issue --output`, then `firma run --profile generic --capability-file`."""
    assert project.firma("authority", "generate-key", "-o", "authority.key").status == 0
    project.write_config(authority_more='key_file = "authority.key"\n')
    session = "0f8fad5b-d9cb-469f-a165-70867728950e"
    issued = project.firma("authority", "-c", "firma.toml", "issue", "--agent-id", "local-dev", "--session-id", session, "--action",
                           "communication.external.send", "--output", "capability-local-dev.toml")
    assert issued.status == 0, issued
    flags = ["--profile", "generic", "--capability-file", "capability-local-dev.toml"]
    with project.agent(flags=flags) as agent:
        assert agent.ask("get", "http://%s/x" % project.host)[0] == 200
        row = project.rows()[0]
        assert (row["agent_id"], row["session_id"]) == ("local-dev", session)
        assert agent.ask("eval", "__import__('os').environ['FIRMA_RUN_SESSION_ID']") == session
        raw = [l for l in (project.dir / "capability-local-dev.toml").read_text().splitlines() if "v4.public." in l][0]
        assert raw[20:60] not in agent.ask("eval", "repr(dict(__import__('os').environ))")
        agent.process.stdin.close()
        assert agent.process.wait(20) == 0
    assert {(e["agent_id"], e["session_id"]) for e in project.events()} == {("local-dev", session)}
    # Of another session, or another agent than the configured one: refused before anything starts.
    done = project.run("true", flags=flags, env=project.env(FIRMA_RUN_SESSION_ID="other"))
    assert (done.status, done.error()) == (1, "Capability") and "other" in done.err
    assert project.run("true", flags=flags, env=project.env(FIRMA_RUN_SESSION_ID=session)).status == 0
    project.write_config(authority_more='key_file = "authority.key"\n', more='[sidecar.authority]\nagent_id = "someone-else"\n')
    done = project.run("true", flags=flags)
    assert (done.status, done.error()) == (1, "Capability") and "someone-else" in done.err
    # Tampered with: one letter of the token.
    text = (project.dir / "capability-local-dev.toml").read_text()
    at = text.index("v4.public.") + 40
    (project.dir / "capability-local-dev.toml").write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])
    project.write_config(authority_more='key_file = "authority.key"\n')
    done = project.run("true", flags=flags)
    assert (done.status, done.error()) == (1, "Capability"), done
    assert project.left() == []
