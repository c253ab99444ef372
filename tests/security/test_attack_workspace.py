"""Attacks by way of the writable workspace: what one run leaves for the next, and what is decided before it is there.

Every attack runs the whole product with the codex profile, by root and by an ordinary user. A case that is marked as
an expected failure is an open finding; it says what has to change.
"""

import os
import pathlib
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
FIRMA = pathlib.Path(os.environ.get("FIRMA_BIN", BUILD / "src/cli/firma"))
INIT = BUILD / "src/init/firma-init"
SECRET = "firma-attack-secret-19c2"

pytestmark = pytest.mark.skipif(not FIRMA.exists(), reason="firma is not built")


def finding(text):
    return pytest.mark.xfail(strict=True, reason=text)


def helper():
    """firma-init, where the build or an installation has it."""
    for path in (INIT, FIRMA.parent.parent / "libexec/firma/firma-init", FIRMA.parent / "firma-init"):
        if path.exists():
            return path
    pytest.skip("firma-init is not built")


class Attacker:
    """One host user with a directory, a workspace and a private state directory of their own."""

    def __init__(self, name):
        self.name = name
        self.ids = {}
        home = tempfile.mkdtemp(prefix="firma-attack-", dir="/var/tmp")
        self.dir = pathlib.Path(home)
        self.dir.chmod(0o755)
        if name == "user" and os.getuid() == 0:
            try:
                entry = pwd.getpwnam(os.environ.get("FIRMA_TEST_USER", "firma-test"))
            except KeyError:
                entry = pwd.getpwnam("nobody")
            self.ids = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.bin = self.make("bin")
        for source in (FIRMA, helper()):
            shutil.copy2(source, self.bin / source.name)
        self.home = self.make("home")
        self.work = self.make("work")
        self.state = self.make("var") / "state"

    def make(self, *parts):
        path = self.dir.joinpath(*parts)
        path.mkdir(parents=True)
        self.own(path)
        return path

    def own(self, path):
        if self.ids:
            for at in [path, *path.rglob("*")]:
                os.chown(at, self.ids["user"], self.ids["group"], follow_symlinks=False)

    def sh(self, script, cwd=None, options=("--profile", "codex", "--authority", "local"), state=None, home=None, env=()):
        host = {"PATH": "/usr/bin:/bin", "HOME": str(home or self.home), "FIRMA_STATE_DIR": str(state or self.state), **dict(env)}
        return subprocess.run([str(self.bin / "firma"), "run", *options, "--", "sh", "-c", script], env=host, cwd=cwd or self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, **self.ids)


@pytest.fixture(params=["user", "root"])
def attacker(request):
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("needs root: the run by root is a case of its own")
    made = Attacker(request.param)
    yield made
    shutil.rmtree(made.dir)


CLEAN = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def bare_repository(at, config):
    """What git takes for a repository: enough of it to be looked at. A clone or an archive can hold one."""
    (at / "objects").mkdir(parents=True)
    (at / "hooks").mkdir()
    (at / "HEAD").write_text("ref: refs/heads/main\n")
    (at / "config").write_text(config)


def test_a_link_in_a_path_that_git_configuration_names_is_not_followed(attacker):
    """The workspace brings a repository that includes lnk/.bashrc, and lnk is a link to the home: the real home, writable."""
    work = attacker.make("home", "proj")
    (attacker.home / ".bashrc").write_text("# mine\n")
    (attacker.home / "key").write_text(SECRET)
    bare_repository(work / "x", "[include]\n\tpath = ../lnk/.bashrc\n")
    (work / "lnk").symlink_to(os.path.relpath(attacker.home, work))
    attacker.own(attacker.home)
    attacker.own(work)
    done = attacker.sh("cat $HOME/key lnk/key; echo x > $HOME/planted; echo end", cwd=work)
    assert SECRET not in done.stdout
    assert not (attacker.home / "planted").exists()


def test_state_directory_made_by_this_very_run_is_hidden(attacker):
    """The first run ever, with the state directory inside the workspace: key, token and audit log."""
    done = attacker.sh("cat state/audit.key state/capabilities/* 2>/dev/null; echo end", state=attacker.work / "state")
    assert "PRIVATE KEY" not in done.stdout and "v4.public." not in done.stdout
    assert done.stdout == "end\n" or done.returncode == 1


def test_state_directory_of_an_earlier_run_is_hidden(attacker):
    """The second run finds it there, and covers it."""
    attacker.sh("true", state=attacker.work / "state")
    done = attacker.sh("ls -A state; echo x > state/x; echo end", state=attacker.work / "state")
    assert done.stdout == "end\n", done.stderr


def test_audit_log_made_by_this_very_run_is_out_of_reach(attacker):
    config = attacker.dir / "firma.toml"
    config.write_text(f'[sidecar.audit]\nsink = "file"\nfile_path = "{attacker.work}/audit.jsonl"\n')
    config.chmod(0o600)
    attacker.own(config)
    done = attacker.sh("echo forged >> audit.jsonl && echo WRITTEN; mv audit.jsonl.head h && echo MOVED; echo end",
                       options=("--config", str(config), "--profile", "codex", "--authority", "local"))
    assert "WRITTEN" not in done.stdout and "MOVED" not in done.stdout


def test_a_project_with_its_own_configuration_runs(attacker):
    """.firma/firma.toml in the workspace itself: the usual place, and it must be invisible inside."""
    (attacker.work / ".firma").mkdir(mode=0o755)
    (attacker.work / ".firma/firma.toml").write_text('[run.profiles.codex]\nenv_passthrough = ["LANG"]\n')
    (attacker.work / ".firma/firma.toml").chmod(0o600)
    attacker.own(attacker.work)
    done = attacker.sh("ls -A .firma; echo end")
    assert done.stdout == "end\n", done.stderr


@pytest.mark.parametrize("profile", ["codex", "generic"])
def test_configuration_planted_by_an_agent_is_not_obeyed(attacker, profile):
    """Run 1 leaves src/.firma/firma.toml; the person then works in src/deep and starts run 2 there."""
    outside = attacker.make("outside")
    (outside / "key").write_text(SECRET)
    attacker.own(outside)
    text = f'[run.profiles.{profile}]\nmounts = [{{ source = "{outside}", target = "/mnt/s", read_only = false }}]\nenv_passthrough = ["AWS_SECRET"]\n'
    (attacker.work / "payload").write_text(text)
    attacker.own(attacker.work)
    planted = attacker.sh("mkdir -p src/.firma src/deep && chmod 755 src src/.firma && cp payload src/.firma/firma.toml && chmod 600 src/.firma/firma.toml")
    assert planted.returncode == 0, planted.stderr
    done = attacker.sh("cat /mnt/s/key; echo AWS=$AWS_SECRET", cwd=attacker.work / "src/deep", env={"AWS_SECRET": SECRET}.items(),
                       options=("--profile", profile, "--authority", "local"))
    assert SECRET not in done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_repository_behind_a_closed_directory_stays_protected(attacker):
    """Run 1 takes the read bits of the directory above a repository away; run 2 puts them back and writes a hook."""
    if attacker.name == "root":
        pytest.xfail("root reads everything: only the ordinary user's scan can be blinded")
    subprocess.run(["git", "init", "-q", str(attacker.work / "sub/repo")], check=True, env=CLEAN)
    attacker.own(attacker.work)
    attacker.sh("chmod 000 sub")
    done = attacker.sh("chmod 755 sub; echo x > sub/repo/.git/hooks/pre-commit && echo PLANTED; git -C sub/repo config core.fsmonitor /x && echo CONFIGURED; echo end")
    os.chmod(attacker.work / "sub", 0o755)
    assert done.stdout == "end\n", done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_flooded_workspace_is_refused_or_protected(attacker):
    """Fail closed: either the nested repository is found, or the run does not start."""
    subprocess.run(["git", "init", "-q", str(attacker.work / "zz/deep/repo")], check=True, env=CLEAN)
    attacker.own(attacker.work)
    attacker.sh("mkdir aa && cd aa && seq 60000 | xargs touch")
    done = attacker.sh("echo x > zz/deep/repo/.git/hooks/pre-push && echo PLANTED; echo end")
    assert done.stdout == "end\n", done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("line,path", [("[core] hooksPath = hk", "hk/pre-commit"), ("[core]\n\tfsmonitor = ./prog", "prog"),
                                       ("[core]\n\tsshCommand = ./prog", "prog"), ('[filter "x"]\n\tclean = ./prog', "prog")])
def test_what_git_configuration_executes_is_read_only(attacker, line, path):
    """The person's own configuration runs a program of the workspace: the agent must not be the one who writes it."""
    subprocess.run(["git", "init", "-q", str(attacker.work)], check=True, env=CLEAN)
    (attacker.work / "hk").mkdir()
    (attacker.work / path).write_text("#!/bin/sh\n")
    with open(attacker.work / ".git/config", "a", encoding="ascii") as f:
        f.write(line + "\n")
    attacker.own(attacker.work)
    done = attacker.sh(f"echo evil > {path} && echo PLANTED; echo end")
    assert done.stdout == "end\n", done.stderr


@pytest.mark.parametrize("above", [False, True], ids=["home", "above home"])
def test_a_home_directory_is_no_workspace(attacker, above):
    """cwd = $HOME or above it: refused, or every masked path hidden and nothing to plant."""
    parent = attacker.make("people")
    home = attacker.make("people", "me")
    for name in (".aws/credentials", ".netrc", ".config/gh/hosts.yml", ".gnupg/key", ".kube/config"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(SECRET)
    attacker.own(parent)
    done = attacker.sh(f"cd {home}; cat .aws/credentials .netrc .config/gh/hosts.yml .gnupg/key .kube/config; mkdir -p .config/git && echo x > .config/git/config && echo PLANTED; echo x > .gitconfig && echo PLANTED; echo end",
                       cwd=parent if above else home, home=home)
    assert SECRET not in done.stdout and "PLANTED" not in done.stdout


def test_a_directory_swapped_for_a_link_after_the_plan_is_not_followed(attacker):
    """Two runs in one workspace. The second has planned; then the first swaps a directory for a link to somewhere else.

    A Sidecar of our own makes the moment: it is asked for its routes between the plan and the mounts.
    """
    if attacker.name == "root":
        pytest.xfail("root's staged mounts move the link's base: there it takes a faster swap, which no test can time")
    outside = attacker.home
    outside.chmod(0o777)
    (outside / "key").write_text(SECRET)
    attacker.own(outside)
    (attacker.work / "sub/.firma").mkdir(parents=True)
    attacker.own(attacker.work)
    path = str(attacker.dir / "side.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o777)
    server.listen()
    server.settimeout(30)

    def serve():
        try:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    if connection.recv(1000).startswith(b"GET /routes"):
                        (attacker.work / "sub").rename(attacker.work / "gone")
                        (attacker.work / "sub").symlink_to("../home")
                        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    done = attacker.sh(f"cat sub/key {outside}/key; echo x > {outside}/planted; echo end", options=("--profile", "codex", "--sidecar", f"unix://{path}"))
    server.close()
    thread.join()
    assert (attacker.work / "sub").is_symlink(), done.stderr
    assert SECRET not in done.stdout
    assert sorted(p.name for p in outside.iterdir() if p.name != ".local") == ["key"]


def test_a_set_uid_file_of_roots_workspace_cannot_be_rewritten(attacker):
    if attacker.name != "root":
        pytest.xfail("only a root-owned workspace holds files that are root's on the host")
    tool = attacker.work / "tool"
    shutil.copy("/bin/true", tool)
    tool.chmod(0o4755)
    script = ("import mmap,os\nf=os.open('tool',os.O_RDWR)\nm=mmap.mmap(f,0,mmap.MAP_SHARED)\nm[0:5]=b'EVIL!'\nm.flush()\n")
    (attacker.work / "a.py").write_text(script)
    done = attacker.sh("python3 a.py; true")
    if "idmap" in done.stderr:
        pytest.xfail("this file system cannot be id-mapped")
    evil = tool.read_bytes().startswith(b"EVIL!")
    assert not (evil and tool.stat().st_mode & stat.S_ISUID)


# --- attempts that failed

def test_hostile_home_cannot_forge_a_passwd_line(attacker):
    done = attacker.sh("cat /etc/passwd", home="/home/x\nroot2::0:0::/:/bin/sh")
    assert done.returncode == 1 and "error: ConfigValidation" in done.stderr


@pytest.mark.parametrize("name", ["esc\x1b[31m", 'quo"te\\n', "q" * 250, "with space", "-dash"])
def test_odd_workspace_names_are_only_names(attacker, name):
    odd = attacker.make(name)
    done = attacker.sh("pwd; echo x > made", cwd=odd)
    assert done.stdout == f"{odd}\n", done.stderr
    assert (odd / "made").read_text() == "x\n"


def test_a_workspace_with_a_line_feed_is_refused_before_anything_is_made(attacker):
    """The list of mount points is a file of lines: a forged one would name other people's files."""
    odd = attacker.make("a\nd /etc")
    done = attacker.sh("true", cwd=odd)
    assert done.returncode == 1 and "line feed" in done.stderr
    assert not list(odd.iterdir())


@pytest.mark.parametrize("target", ["127.0.0.1:22", "[::1]:50051", "localhost:22", "169.254.169.254:80", "0.0.0.0:22", "2130706433:22"])
def test_the_proxy_is_no_way_to_the_hosts_loopback(attacker, target):
    script = ("import socket\nc=socket.create_connection(('127.0.0.1',18080),5)\n"
              f"c.sendall(b'CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n')\nprint(c.recv(12).decode())\n")
    (attacker.work / "c.py").write_text(script)
    attacker.own(attacker.work)
    assert attacker.sh("python3 c.py").stdout.startswith(("HTTP/1.1 403", "HTTP/1.1 400"))


def test_loader_variables_of_the_launcher_do_not_pass(attacker):
    done = attacker.sh("env", env={"GCONV_PATH": "/x", "BASH_ENV": "/x", "LD_LIBRARY_PATH": "/x", "PYTHONPATH": "/x"}.items())
    assert done.returncode == 0
    assert not [line for line in done.stdout.splitlines() if line.startswith(("GCONV", "BASH_ENV", "LD_", "PYTHONPATH"))]
