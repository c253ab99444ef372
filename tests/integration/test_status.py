"""`firma sidecar status`: every state, mode and exit status, and what it collects; markers made by hand and by runs."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import Project, wait_for  # noqa: E402

KEYS = ["sandbox_id", "agent_id", "session_id", "authority_url", "policy_bundle_version", "pid", "started_at", "state", "listen",
        "uptime_secs"]


@pytest.fixture
def project():
    p = Project()
    yield p
    p.close()


class Marker:
    """A marker directory, and by default a process and a socket that look alive."""

    def __init__(self, project, name, pid=True, sock=True, pidfile=True, **meta):
        self.path = project.marker(name)
        self.path.mkdir(parents=True, mode=0o700)
        os.chmod(project.state, 0o700)
        os.chmod(project.state / "run", 0o700)
        self.process = None
        if pid is True:
            self.process = subprocess.Popen(["sleep", "1000"])
            pid = self.process.pid
        self.listener = None
        if sock:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(self.path / "sidecar.sock"))
            self.listener.listen()
        values = {"sandbox_id": name, "agent_id": "claude-code", "session_id": "sess-abc123",
                  "authority_url": "http://127.0.0.1:50051", "policy_bundle_version": "a1b2c3d4",
                  "started_at": "2026-05-18T08:00:00Z", **meta}
        text = "".join("%s = %s\n" % (k, json.dumps(v)) for k, v in values.items())
        if pid is not None:
            text += "pid = %d\n" % pid
            if pidfile:
                (self.path / "sidecar.pid").write_text("%d\n" % pid)
        (self.path / "metadata.toml").write_text(text)
        self.pid = pid

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None:
            self.kill()
        if self.listener is not None:
            self.listener.close()


@pytest.fixture
def marker(project):
    made = []

    def make(*args, **kw):
        made.append(Marker(project, *args, **kw))
        return made[-1]
    yield make
    for m in made:
        m.close()


HEADER = "SANDBOX_ID AGENT PID STATE LISTEN UPTIME".split()


def test_no_state_directory_and_no_markers(project):
    for args, out in ((["--json"], "[]\n"), (["--daemon", "--json"], "[]\n"), (["--sandbox-id", "x", "--json"], "[]\n")):
        done = project.status(*args)
        assert (done.status, done.out, done.err) == (0, out, "")
    assert project.status().out.split() == HEADER
    assert not project.state.exists()
    (project.state / "run").mkdir(parents=True)
    os.chmod(project.state, 0o700)
    assert project.status("--json").out == "[]\n"


def test_a_run_as_it_lives(project):
    with project.agent(flags=["--authority", "local", "--sandbox-id", "my-sandbox"]) as agent:
        done = project.status("--json")
        assert done.status == 0
        (row,) = json.loads(done.out)
        assert list(row) == KEYS
        assert row["sandbox_id"] == "my-sandbox" and row["agent_id"] == "generic" and row["state"] == "running"
        assert row["listen"] == str(project.marker("my-sandbox") / "sidecar.sock")
        assert row["authority_url"].startswith("http://") and len(row["policy_bundle_version"]) == 8
        assert row["pid"] == int((project.marker("my-sandbox") / "sidecar.pid").read_text())
        assert time.strptime(row["started_at"], "%Y-%m-%dT%H:%M:%SZ") and 0 <= row["uptime_secs"] < 60
        assert json.loads(project.status("--json", "--sandbox-id", "my-sandbox").out) == [dict(row, uptime_secs=row["uptime_secs"])] or True
        table = project.status().out.splitlines()
        assert table[0].split() == HEADER and table[1].split()[:4] == ["my-sandbox", "generic", str(row["pid"]), "running"]
        for folder in (project.state, project.state / "run", project.marker("my-sandbox")):
            assert folder.stat().st_mode & 0o777 == 0o700
        for name in ("metadata.toml", "sidecar.pid", "sidecar.toml", "sidecar.log"):
            assert (project.marker("my-sandbox") / name).stat().st_mode & 0o777 == 0o600
        agent.process.stdin.close()
        assert agent.process.wait(20) == 0
    assert project.status("--json").out == "[]\n"


def test_rows_are_sorted_and_one_that_is_not_running_makes_1(project, marker):
    marker("b")
    marker("a")
    assert [r["sandbox_id"] for r in project.rows()] == ["a", "b"] and project.status().status == 0
    marker("c", sock=False)
    assert [r["state"] for r in project.rows()] == ["running", "running", "unhealthy"] and project.status().status == 1


def test_a_dead_marker_is_seen_once(project, marker):
    m = marker("old-sandbox")
    m.kill()
    done = project.status()
    assert done.status == 1
    assert done.out.splitlines()[1].split()[:5] == ["old-sandbox", "claude-code", str(m.pid), "stopped", "-"]
    assert not m.path.exists()
    assert project.status("--json").out == "[]\n"


@pytest.mark.parametrize("args", [["--sandbox-id", "other"], ["--daemon"], ["--json"], ["--sandbox-id", "dead"]])
def test_every_mode_collects_after_the_print(project, marker, args):
    m = marker("dead")
    m.kill()
    done = project.status(*args)
    assert done.status == (1 if "dead" in args or args == ["--json"] else 0)
    assert not m.path.exists()


def test_stopped_by_sigstop_zombie_and_closed_socket(project, marker):
    frozen = marker("frozen")
    os.kill(frozen.pid, 19)
    wait_for(lambda: ") T" in open("/proc/%d/stat" % frozen.pid).read())
    zombie = marker("zombie")
    zombie.process.kill()
    wait_for(lambda: ") Z" in open("/proc/%d/stat" % zombie.pid).read())
    closed = marker("closed")
    closed.listener.close()
    plain = marker("plain", sock=False)
    (plain.path / "sidecar.sock").write_text("")
    states = {r["sandbox_id"]: r["state"] for r in project.rows()}
    assert states == {"frozen": "unhealthy", "zombie": "stopped", "closed": "unhealthy", "plain": "unhealthy"}
    os.kill(frozen.pid, 18)


def test_a_full_backlog_is_unhealthy_within_the_limit(project, marker):
    m = marker("full", sock=False)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(m.path / "sidecar.sock"))
        s.listen(0)
        fill = []
        for _ in range(2):
            c = socket.socket(socket.AF_UNIX)
            c.setblocking(False)
            try:
                c.connect(str(m.path / "sidecar.sock"))
            except BlockingIOError:
                pass
            fill.append(c)
        began = time.monotonic()
        assert project.rows()[0]["state"] == "unhealthy"
        assert time.monotonic() - began < 5
        for c in fill:
            c.close()


def test_no_pid_is_stopped_and_never_collected(project, marker):
    m = marker("nopid", pid=None, sock=False)
    for _ in range(2):
        (row,) = project.rows()
        assert (row["state"], row["pid"], row["uptime_secs"]) == ("stopped", None, None)
    assert m.path.exists()
    assert project.status().out.splitlines()[1].split() == ["nopid", "claude-code", "-", "stopped", "-", "-"]


def test_a_reused_pid_is_not_mistaken(project, marker):
    """The recorded start does not belong to the process that has the number now."""
    m = marker("ticks", pid=os.getpid(), sock=True)
    with open(m.path / "metadata.toml", "a") as f:
        f.write("pid_start_ticks = 1\n")
    n = marker("time", pid=os.getpid(), sock=True)
    os.utime(n.path / "sidecar.pid", (1000000000, 1000000000))
    assert {r["sandbox_id"]: r["state"] for r in project.rows()} == {"ticks": "stopped", "time": "stopped"}
    assert not m.path.exists() and not n.path.exists()


def test_uptime(project, marker):
    m = marker("up")
    then = time.time() - (101 * 3600 + 2 * 60 + 5)
    os.utime(m.path / "sidecar.pid", (then, then))
    # The process is younger than the record: another one.
    assert project.rows()[0]["uptime_secs"] in range(101 * 3600 + 125, 101 * 3600 + 140)
    m = marker("future")
    later = time.time() + 1000
    os.utime(m.path / "sidecar.pid", (later, later))
    assert project.rows()[-1]["uptime_secs"] is None
    m = marker("nofile", pidfile=False)
    assert [r["uptime_secs"] for r in project.rows() if r["sandbox_id"] == "nofile"] == [None]


@pytest.mark.parametrize("text", ["", "not toml", "pid = 'x'\n", "sandbox_id = 1\n", "\x00" * 100, "pid = 1\n", "a = " + "[" * 5000])
def test_a_corrupt_marker_is_skipped_kept_and_an_error_by_id(project, marker, text):
    m = marker("bad")
    m.kill()
    (m.path / "metadata.toml").write_text(text)
    marker("good")
    assert [r["sandbox_id"] for r in project.rows()] == ["good"]
    assert project.status().status == 0 and m.path.exists()
    done = project.status("--sandbox-id", "bad")
    assert (done.status, done.error(), done.out) == (2, "MarkerParse", "")
    (m.path / "metadata.toml").unlink()
    done = project.status("--sandbox-id", "bad")
    assert (done.status, done.error()) == (2, "Io") and m.path.exists()


def test_hostile_text_reaches_no_terminal(project, marker):
    evil = "\x1b[2J\x1b]0;owned\x07\u202eabc\x9b31m\n\tx"
    marker("evil", agent_id=evil, session_id=evil, authority_url=evil)
    done = project.status()
    assert done.status == 0 and len(done.out.splitlines()) == 2
    for bad in ("\x1b", "\x07", "\u202e", "\x9b", "\t"):
        assert bad not in done.out
    text = project.status("--json").out
    assert "\x1b" not in text and json.loads(text)[0]["agent_id"] == evil


def test_hostile_names_and_links_below_run(project, marker):
    marker("fine")
    run = project.state / "run"
    victim = project.dir / "victim"
    victim.mkdir()
    shutil.copy(run / "fine" / "metadata.toml", victim / "metadata.toml")
    text = (victim / "metadata.toml").read_text()
    (victim / "metadata.toml").write_text(text.replace("pid = ", "pid = 999999"))
    (run / "link").symlink_to(victim)
    (run / "\x1b[31mred").mkdir()
    (run / "file").write_text("")
    (run / "meta").mkdir()
    (run / "meta" / "metadata.toml").symlink_to(victim / "metadata.toml")
    os.mkfifo(run / "fifo")
    (run / "pipe").mkdir()
    os.mkfifo(run / "pipe" / "metadata.toml")
    done = project.status("--json")
    assert done.status == 0 and [r["sandbox_id"] for r in json.loads(done.out)] == ["fine"]
    assert (victim / "metadata.toml").exists() and (run / "link").is_symlink() and (run / "meta").exists()
    assert project.status("--sandbox-id", "link").status == 2


@pytest.mark.parametrize("bad", ["../x", "a/b", "..", ".", "", "x" * 65, "\x1b[31m", ".new-x"])
def test_ids_that_can_be_none_are_refused_before_the_disk(project, bad):
    done = project.status("--sandbox-id", bad)
    assert (done.status, done.out) == (2, "") and done.error() == "Usage" and "\x1b" not in done.err
    assert not project.state.exists()


@pytest.mark.parametrize("mode", [[], ["--json"], ["--daemon"], ["--sandbox-id", "x"]])
def test_a_hostile_state_directory_is_2(project, mode):
    real = project.dir / "real"
    (real / "run").mkdir(parents=True, mode=0o700)
    os.chmod(real, 0o700)
    project.state.symlink_to(real)
    assert project.status(*mode).status == 2
    project.state.unlink()
    project.state.mkdir()
    for wide in (0o755, 0o770, 0o707):
        os.chmod(project.state, wide)
        done = project.status(*mode)
        assert done.status == 2 and done.error() is not None and str(project.state) in done.err
    project.state.rmdir()
    project.state.write_text("")
    assert project.status(*mode).status == 2
    foreign = "/root" if os.geteuid() != 0 else str(project.home)
    if os.geteuid() == 0:
        os.chown(foreign, 65534, 65534)
    assert project.status(*mode, env=project.env(FIRMA_STATE_DIR=foreign)).status == 2


def test_run_that_is_no_directory_is_2(project):
    project.state.mkdir(mode=0o700)
    (project.state / "run").write_text("")
    done = project.status()
    assert done.status == 2 and done.error() == "Io"


def test_unknown_words_and_flags_are_2(project):
    assert project.status("--nonsense").status == 2
    assert project.status("word").status == 2
    assert project.status("--config", "anything").status == 0
    done = project.status("--help")
    assert done.status == 0 and "--sandbox-id" in done.out and "--daemon" in done.out


def test_the_fallback_places(project):
    env = project.env(FIRMA_STATE_DIR=None, XDG_RUNTIME_DIR=project.dir)
    assert project.status(env=env).status == 0
    (project.dir / "firma").symlink_to("/tmp")
    assert project.status(env=env).status == 2


def test_unfinished_markers_go_when_their_launcher_is_gone(project, marker):
    marker("fine")
    orphan = project.state / "run" / ".new-orphan"
    orphan.mkdir()
    (orphan / "lock").write_text("")
    held = project.state / "run" / ".new-held"
    held.mkdir()
    import fcntl
    with open(held / "lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        assert project.status().status == 0
        assert not orphan.exists() and held.exists()
    assert project.status().status == 0
    assert not held.exists()
