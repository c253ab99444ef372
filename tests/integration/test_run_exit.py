"""`firma run`: the agent's exit status, signals, and what the agent is handed."""

import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import termios

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import FIRMA, PYTHON, Project, Watched, descendants, read_lines_until, wait_for  # noqa: E402


@pytest.fixture
def project():
    p = Project()
    yield p
    p.close()


@pytest.mark.parametrize("code", [0, 1, 2, 7, 126, 127, 128, 255])
def test_the_exit_status_is_the_agents(project, code):
    done = project.run("sh", "-c", "exit %d" % code)
    assert (done.status, done.err) == (code, "")
    assert project.left() == []


@pytest.mark.parametrize("name", ["TERM", "KILL", "HUP", "INT", "SEGV", "USR1"])
def test_an_agent_ended_by_signal_n_gives_128_plus_n(project, name):
    done = project.run("sh", "-c", "kill -%s $$" % name)
    assert done.status == 128 + signal.Signals["SIG" + name]
    assert project.left() == []


def test_a_command_that_is_not_there_is_127(project):
    done = project.run("/usr/bin/no-such-program")
    assert (done.status, done.error()) == (127, "Spawn")
    done = project.run("no-such-program")
    assert (done.status, done.error()) == (127, "Spawn")
    assert project.left() == []


def test_a_command_that_may_not_run_is_126(project):
    done = project.run("/usr/lib/os-release")
    assert (done.status, done.error()) == (126, "Spawn"), done
    assert project.left() == []


def test_words_after_the_dashes_are_passed_as_they_are(project):
    done = project.run(PYTHON, "-c", "import sys; print(sys.argv[1:])", "--help", "-x", "", "a b", "--", "\xe4\n")
    assert done.out == repr(["--help", "-x", "", "a b", "--", "\xe4\n"]) + "\n"


def test_stdin_stdout_and_stderr_are_the_callers(project):
    with project.start("sh", "-c", "read x; echo out $x; echo err $x >&2") as run:
        run.process.stdin.write(b"hello\n")
        done = run.finish()
    assert (done.status, done.out, done.err) == (0, "out hello\n", "err hello\n")


def test_closed_standard_descriptors(project):
    """With 0, 1 and 2 closed nothing that is opened later is taken for one of them."""
    check = "import os, sys; sys.exit(sum(os.readlink('/proc/self/fd/%d' % i) == '/dev/null' for i in (0, 1, 2)) + 40)"
    status = subprocess.run(["sh", "-c", 'exec <&- >&- 2>&-; exec "$@"', "sh", FIRMA, "run", "--authority", "local", "--",
                             PYTHON, "-c", check], env=project.env(), cwd=project.dir, check=False).returncode
    assert status == 43
    assert project.left() == []


def test_a_directory_as_standard_input_is_refused(project):
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    done = project.run("true", stdin=fd)
    os.close(fd)
    assert (done.status, done.error()) == (1, "Spawn")
    assert project.left() == []


def test_a_full_or_closed_stdout_is_the_agents_matter(project):
    with project.start("sh", "-c", "trap '' PIPE; echo x || exit 3") as run:
        run.process.stdout.close()
        status = run.process.wait(20)
    assert status == 3
    assert project.left() == []


WAITER = """
import os, signal, sys
names = sys.argv[1:]
def on(sig, frame):
    os.write(1, ("got " + signal.Signals(sig).name + "\\n").encode())
for n in names:
    signal.signal(getattr(signal, n), on)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"])
def test_signals_to_the_launcher_reach_the_agent(project, name):
    with project.start(PYTHON, "-c", WAITER, name, "SIGUSR2") as run:
        assert run.line() == "ready"
        run.signal(getattr(signal, name))
        assert run.line() == "got " + name
        done = run.finish(signal.SIGKILL)
    assert done.status == -9


@pytest.mark.parametrize("name,status", [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129), ("SIGQUIT", 131)])
def test_an_agent_that_takes_the_signal_gives_128_plus_n(project, name, status):
    with project.start("sh", "-c", "echo ready; exec sleep 1000") as run:
        assert run.line() == "ready"
        done = run.finish(getattr(signal, name))
    assert done.status == status
    assert project.left() == []


def test_the_first_termination_asks_the_second_kills(project):
    with project.start(PYTHON, "-c", WAITER, "SIGTERM", "SIGINT") as run:
        assert run.line() == "ready"
        run.signal(signal.SIGTERM)
        assert run.line() == "got SIGTERM"
        done = run.finish(signal.SIGTERM)
    assert done.status == 137
    assert project.left() == []


def test_children_of_the_agent_get_the_signal_too_and_none_outlives_the_run(project):
    child = "trap 'echo child; exit 0' TERM; echo up; while :; do sleep 1000 & wait; done"
    script = 'sh -c "%s" & c=$!; trap "echo parent; wait $c; exit 9" TERM; wait; wait' % child
    with project.start("sh", "-c", script) as run:
        assert run.line() == "up"
        watched = Watched(descendants(run.pid))
        run.signal(signal.SIGTERM)
        assert sorted([run.line(), run.line()]) == ["child", "parent"]
        done = run.finish()
    assert done.status == 9
    assert watched.gone() == []
    watched.close()


@pytest.mark.parametrize("sig,status", [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_during_start_up_leaves_nothing(project, sig, status):
    """At many moments of the launch: as soon as the first trace is on disk, or later."""
    (project.state / "run").mkdir(parents=True)
    os.chmod(project.state, 0o700)
    os.chmod(project.state / "run", 0o700)
    ran = project.dir / "ran"
    seen = set()
    for step in range(12):
        with project.start("sh", "-c", "echo ran; exec sleep 1000") as run:
            wait_for(lambda: project.left() or run.process.poll() is not None)
            watched = Watched(descendants(run.pid))
            if step:
                select.select([run.process.stdout], [], [], step * 0.004)
            done = run.finish(sig)
        assert done.status == status or done.status == -sig and not done.out, done
        seen.add(done.status)
        assert watched.gone() == []
        watched.close()
        assert project.left() == [], step
    assert status in seen
    assert not ran.exists()


def on_terminal(project, *args, flags=("--authority", "local"), env=None):
    """`firma run` in a session of its own with a pty as its terminal; (process, master)."""
    master, slave = pty.openpty()

    def take_terminal():
        os.setsid()
        import fcntl
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen([FIRMA, "run", *flags, "--", *args], stdin=slave, stdout=slave, stderr=slave, cwd=project.dir,
                               env=env or project.env(), preexec_fn=take_terminal)
    os.close(slave)
    return process, os.fdopen(master, "r+b", buffering=0)


def test_ctrl_c_on_a_terminal_reaches_the_agent_once_and_nobody_else(project):
    code = WAITER.replace("while True:\n    signal.pause()",
                          "signal.pause()\nsignal.setitimer(signal.ITIMER_REAL, 1)\nsignal.signal(signal.SIGALRM, lambda *_: sys.exit(33))\n"
                          "while True:\n    signal.pause()")
    process, terminal = on_terminal(project, PYTHON, "-c", code, "SIGINT")
    with terminal:
        read_lines_until(terminal, b"ready\r\n")
        watched = Watched(descendants(process.pid))
        terminal.write(b"\x03")
        said = read_lines_until(terminal, b"got SIGINT\r\n")
        # A second delivery would print again before the alarm ends the agent.
        assert process.wait(20) == 33
        try:
            rest = os.read(terminal.fileno(), 4096).decode()
        except OSError:  # nothing was left to read
            rest = ""
    assert (said + rest).count("got SIGINT") == 1
    assert watched.gone() == []
    watched.close()
    assert project.left() == []


def test_ctrl_c_ends_an_agent_that_does_not_handle_it(project):
    process, terminal = on_terminal(project, "sh", "-c", "echo ready; exec sleep 1000")
    with terminal:
        read_lines_until(terminal, b"ready\r\n")
        terminal.write(b"\x03")
        assert process.wait(20) == 130
    assert project.left() == []


def test_the_terminals_end_ends_the_run(project):
    process, terminal = on_terminal(project, "sh", "-c", "echo ready; exec sleep 1000")
    read_lines_until(terminal, b"ready\r\n")
    watched = Watched(descendants(process.pid))
    terminal.close()
    assert process.wait(20) == 129
    assert watched.gone() == []
    watched.close()
    assert project.left() == []
