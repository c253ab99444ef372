"""What the agent can reach from inside the sandbox: nothing but two loopback ports and its own files.

Every probe runs inside a real sandbox, made as root and as an ordinary user. The numbers in brackets are those of the
table of security properties in docs/architecture/linux-local-command-enforcement.md.
"""

import json
import os
import pathlib
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
DRIVER = pathlib.Path(os.environ.get("FIRMA_SANDBOX_DRIVER", BUILD / "tests/security/sandbox_driver"))
FIRMA = pathlib.Path(os.environ.get("FIRMA_BIN", BUILD / "src/cli/firma"))
SYSCALLS = BUILD / "tests/security/probe_syscalls"
PROBES = pathlib.Path(__file__).resolve().parent / "probes"
SECRET = "firma-probe-secret-7f3a"
INSIDE_PATH = "PATH=/usr/bin:/bin"

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the sandbox driver is not built")


class Caller:
    """Runs the driver as one host user."""

    def __init__(self, name):
        self.name = name
        self.ids = {}
        if name == "user" and os.getuid() == 0:
            try:
                entry = pwd.getpwnam(os.environ.get("FIRMA_TEST_USER", "firma-test"))
            except KeyError:
                entry = pwd.getpwnam("nobody")
            self.ids = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.uid = self.ids.get("user", os.getuid())
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="firma-probe-", dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        # The build tree may lie where this user cannot walk.
        for source in (DRIVER, SYSCALLS, BUILD / "src/init/firma-init"):
            shutil.copy2(source, self.bin / source.name)
        shutil.copytree(PROBES, self.bin / "probes")

    def own(self, path):
        """Gives a tree to the user who runs the sandbox."""
        if self.ids:
            for at in [path, *path.rglob("*")]:
                os.chown(at, self.ids["user"], self.ids["group"], follow_symlinks=False)

    def workspace(self, owner=None):
        path = pathlib.Path(tempfile.mkdtemp(prefix="ws-", dir=self.dir))
        if owner is not None:
            os.chown(path, owner, owner)
        else:
            self.own(path)
        return path

    def argv(self, *command, mounts=(), options=(), env=()):
        argv = [str(self.bin / "sandbox_driver"), "--env", INSIDE_PATH]
        for mount in (*mounts, f"{self.bin}:/opt/probe:ro"):
            argv += ["--mount", mount]
        for pair in env:
            argv += ["--env", pair]
        return [*argv, *options, "--", *map(str, command)]

    def start(self, *command, mounts=(), options=(), env=(), **kwargs):
        host_env = {"PATH": "/usr/bin:/bin", "SECRET_X": SECRET, "HOME": "/nonexistent"}
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.argv(*command, mounts=mounts, options=options, env=env), env=host_env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.dir, **self.ids, **kwargs)

    def run(self, *command, **kwargs):
        with self.start(*command, **kwargs) as child:
            out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def firma(self, *command):
        """The whole product instead of the driver: Authority, Sidecar and all; the probes are mounted by its config."""
        shutil.copy2(FIRMA, self.bin / "firma")
        config = self.dir / "firma.toml"
        config.write_text(f'[run.profiles.generic]\nmounts = [{{ source = "{self.bin}", target = "/opt/probe", read_only = true }}]\n')
        config.chmod(0o600)
        self.own(config)
        state = self.dir / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        self.own(state)
        env = {"PATH": "/usr/bin:/bin", "HOME": "/home/firma-user", "SECRET_X": SECRET, "FIRMA_STATE_DIR": str(state)}
        return subprocess.run([str(self.bin / "firma"), "run", "--config", str(config), "--authority", "local", "--", *map(str, command)],
                              env=env, cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False, **self.ids)

    def sh(self, script, **kwargs):
        return self.run("sh", "-c", script, **kwargs)


@pytest.fixture(scope="module", params=["user", "root"])
def caller(request):
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("needs root: the run by root is a case of its own")
    made = Caller(request.param)
    yield made
    shutil.rmtree(made.dir)


@pytest.fixture(scope="module", params=["driver", "firma run"])
def tool(request):
    if request.param != "driver" and not FIRMA.exists():
        pytest.skip("firma itself is not built")
    return request.param


@pytest.fixture(scope="module")
def seen(caller, tool):
    """The report of probes/inside.py, with things on the host that it must not find."""
    secret_file = caller.dir / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o644)
    unix_path = str(caller.dir / f"host-{tool[0]}.sock")
    servers = [socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    servers[0].bind(("127.0.0.1", 0))
    abstract = f"firma-probe-{os.getpid()}-{caller.name}-{tool[0]}"
    servers[1].bind("\0" + abstract)
    servers[2].bind(unix_path)
    os.chmod(unix_path, 0o777)
    port6 = 0
    try:
        six = socket.socket(socket.AF_INET6)
        six.bind(("::1", 0))
        servers.append(six)
        port6 = six.getsockname()[1]
    except OSError:
        pass
    for s in servers:
        s.listen()
    outside = {"port4": servers[0].getsockname()[1], "port6": port6, "abstract": abstract, "unix": unix_path,
               "secret_file": str(secret_file), "pid": os.getpid()}
    command = ("python3", "/opt/probe/probes/inside.py", json.dumps(outside))
    done = caller.firma(*command) if tool != "driver" else caller.run(*command, env=["HOME=/home/firma-user", "MARK=1"])
    for s in servers:
        s.close()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- network

@pytest.mark.parametrize("probe", ["tcp4", "tcp6", "udp4", "udp6", "tcp4_dns", "udp4_dns", "broadcast"])
def test_no_packet_leaves_the_sandbox(seen, probe):
    """[1, 2, 4] No route: the kernel refuses at once."""
    assert seen[probe] in ("ENETUNREACH", "EADDRNOTAVAIL", "EACCES")


def test_only_loopback_exists(seen):
    """[1] One interface, no route."""
    assert seen["interfaces"] == ["lo"]
    assert seen["routes"] == 0


def test_child_with_clean_environment_has_no_way_out_either(seen):
    """[5] The proxy variables are no part of the wall."""
    assert seen["clean_child"] == "101"  # ENETUNREACH


def test_curl_without_proxy_fails(caller):
    """[3] curl says that it cannot connect."""
    done = caller.run("curl", "-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "https://192.0.2.1/")
    assert done.returncode in (6, 7)
    assert done.stdout == "000"


@pytest.mark.parametrize("probe", ["host_tcp4", "host_tcp6"])
def test_services_on_the_hosts_loopback_are_out_of_reach(seen, probe):
    """[7] The sandbox's loopback is another one."""
    assert seen[probe] == "ECONNREFUSED"


def test_unix_sockets_of_the_host_are_out_of_reach(seen):
    """[8] Abstract names belong to the network namespace; path names are not mounted."""
    assert seen["host_abstract"] == "ECONNREFUSED"
    assert seen["host_unix"] == "ENOENT"


def test_proxy_port_listens_and_cannot_be_taken_over(seen):
    """[16] The listeners are there before the agent is, and are not its own."""
    assert seen["proxy"] == "ok"
    assert seen["steal_proxy"] == "EADDRINUSE"
    assert seen["listen_low"] == "EACCES"


# --- environment, identity, processes

def test_nothing_of_the_hosts_environment_shows(seen):
    """[17] Not in the agent's, not in pid 1's, not in any process's."""
    for name in ("SECRET_X", "FIRMA_STATE_DIR", "FIRMA_CAPABILITY_FILE", "FIRMA_CAPABILITY_TOKEN", "XDG_RUNTIME_DIR"):
        assert name not in seen["environ"]
    assert "v4.public." not in seen["environments"]
    assert SECRET not in seen["environments"]


def test_values_stand_in_no_command_line_on_the_host(caller):
    """[17, 18] /proc/<pid>/cmdline is world-readable: the environment travels by descriptor."""
    child = caller.start("sh", "-c", "echo up; read line", env=["TOKEN=" + "x" * 10], stdin=subprocess.PIPE)
    assert child.stdout.readline() == "up\n"
    driver_line = pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes()
    lines = [p.read_bytes() for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if p.parent.name != str(child.pid)]
    child.communicate("\n", timeout=30)
    assert b"TOKEN=" in driver_line  # the driver's own, which is how this test told it; a plain fork of it shows the same
    assert not [line for line in lines if b"TOKEN=xxxxxxxxxx" in line and line != driver_line]


def test_identity_is_the_sandbox_users(seen):
    """[29] uid and gid 10001 with a name; no group of the host that root could have given away."""
    assert (seen["uid"], seen["gid"], seen["name"]) == (10001, 10001, "ok firma-user")
    assert seen["hostname"] == "firma"


def test_host_user_mode_keeps_the_hosts_number(caller):
    """[29] The number of the user whose rights it has; for root that is never 0."""
    done = caller.run("id", "-u", options=["--host-user"])
    assert done.returncode == 0
    assert int(done.stdout) == (caller.uid if caller.uid != 0 else 65534)


def test_no_process_of_the_sandbox_has_host_uid_0(caller):
    """[25] Seen from the host, by its kernel's own count."""
    child = caller.start("sh", "-c", "echo up; read line", stdin=subprocess.PIPE)
    assert child.stdout.readline() == "up\n"
    uids = {}
    todo = [child.pid]
    while todo:
        pid = todo.pop()
        todo += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        uids[pid] = pathlib.Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split("\n")[0].split()
    child.communicate("\n", timeout=30)
    del uids[child.pid]
    assert len(uids) >= 3  # bubblewrap, firma-init, the agent
    assert "0" not in {u for ids in uids.values() for u in ids}


def test_powers_are_gone(seen):
    """[25] Every capability set empty, no new privileges, filter on."""
    status = seen["status"]
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_set_uid_programs_gain_nothing(caller):
    """[25] su and its kind are there, and are ordinary programs."""
    done = caller.sh("for p in su passwd mount; do test -u /usr/bin/$p && /usr/bin/$p -h >/dev/null 2>&1; done; id -u")
    assert done.stdout.strip() == "10001"


def test_pid_1_is_out_of_reach(seen):
    """[23, 24] It has the agent's uid, but cannot be written, read, named or killed."""
    assert seen["pid1_mem"] in ("EACCES", "ENOENT", "EPERM")
    assert seen["pid1_environ"] in ("EACCES", "ENOENT", "EPERM")
    assert seen["pid1_exe"] in ("EACCES", "ENOENT", "EPERM")
    assert seen["by_proc_root"] in ("EACCES", "ENOENT", "EPERM")
    assert seen["dumpable"] == 1  # the agent itself is an ordinary process


def test_processes_of_the_host_do_not_exist(seen):
    """[23] Another pid namespace."""
    assert seen["kill_outside"] == "ESRCH"
    assert seen["pid"] < 100


def test_no_descriptor_is_inherited(seen):
    """[28] 0, 1, 2; the listing itself opens one more."""
    assert len(seen["descriptors"]) <= 1


def test_descriptors_of_the_launcher_do_not_pass(caller):
    """[28] Even those that somebody left open without close-on-exec."""
    with open("/etc/passwd", "rb") as left:
        os.set_inheritable(left.fileno(), True)
        done = caller.run("sh", "-c", "ls /proc/self/fd", pass_fds=[left.fileno()])
    assert done.stdout.split() == ["0", "1", "2", "3"]


def test_a_directory_as_standard_input_is_refused(caller):
    """[28] openat from it would walk the host."""
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    done = caller.run("true", stdin=fd)
    os.close(fd)
    assert done.returncode == 1
    assert "error: Spawn: standard input is a directory" in done.stderr


def test_a_file_given_for_reading_cannot_be_written(caller):
    """[21, 28] /proc/self/fd/0 would open the host's file anew: a door that mounts leave open."""
    work = caller.workspace()
    given, log = work / "given", work / "log"
    given.write_text("given\n")
    log.write_text("earlier\n")
    caller.own(work)
    if caller.uid == 0:
        given.chmod(0o666)
        log.chmod(0o666)
    with open(given, encoding="ascii") as stdin, open(log, "a", encoding="ascii") as stdout:
        with subprocess.Popen(caller.argv("sh", "-c", "echo evil > /proc/self/fd/0; cat /proc/self/fd/1 >&2; cat; true"),
                              stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True, env={}, **caller.ids) as child:
            _, err = child.communicate(timeout=60)
    assert child.returncode == 0
    assert given.read_text() == "given\n"
    assert log.read_text() == "earlier\ngiven\n"
    assert "earlier" not in err


def test_terminals_are_private(seen):
    """[28] No host terminal by name; a new one works."""
    assert seen["tty"] in ("ENOENT", "ENXIO")
    assert seen["pty"].startswith("ok /dev/pts/")
    assert "console" not in seen["dev"]


# --- files

def test_root_holds_only_what_the_plan_says(seen):
    """[19, 21] An allow list, not the host's root."""
    assert set(seen["root"]) <= {"bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run",
                                 "sbin", "tmp", "usr", "var"}
    assert seen["sys"] == "ENOENT"
    assert "firma" in seen["run"] and set(seen["run"]) <= {"firma"}
    assert seen["home"] == []


@pytest.mark.parametrize("probe", ["shadow", "secret_file"])
def test_host_files_are_invisible(seen, probe):
    """[19]"""
    assert seen[probe] == "ENOENT"


def test_kernel_tables_say_nothing(seen):
    """[19] Key names, memory."""
    assert seen["keys"] == "ok 0"
    assert seen["kcore"] in ("ok 0", "EACCES", "EPERM", "ENOENT")


@pytest.mark.parametrize("probe", ["core_pattern", "overcommit", "route_localnet", "sysrq"])
def test_kernel_settings_cannot_be_written(seen, probe):
    """[25] Not even by a run of root's, whose uid could."""
    assert seen[probe] in ("EROFS", "EACCES", "EPERM") or (probe == "sysrq" and seen[probe] == "ENOENT")


@pytest.mark.parametrize("probe", ["write_usr", "write_root", "write_etc", "write_init"])
def test_nothing_outside_scratch_space_can_be_written(seen, probe):
    """[21]"""
    assert seen[probe] in ("EROFS", "EACCES", "ETXTBSY")


def test_scratch_space_works(seen):
    """[21]"""
    assert seen["write_tmp"] == "ok"
    assert seen["write_home"] == "ok"


def test_identity_map_and_devices_are_closed(seen):
    """[27]"""
    assert seen["userns_map"] in ("EPERM", "EACCES")
    assert seen["device_node"] in ("EPERM", "EACCES")


def test_resolver_is_the_stub(seen):
    """[4] Nothing of the host's resolver configuration."""
    assert seen["resolv"].splitlines()[0] == "nameserver 127.0.0.1"


# --- system calls

ENOSYS = {"clone3", "openat2", "open_tree_attr", "beyond-newest", "far-beyond"}
KILLED = {"x32-getpid", "x32-mount", "i386-getpid", "i386-unshare", "negative"}


def test_every_forbidden_call_is_refused(caller, tool):
    """[10, 24, 26, 27, 28] As the list says, whatever the upper half of an argument holds."""
    done = (caller.firma if tool != "driver" else caller.run)("/opt/probe/probe_syscalls")
    assert done.returncode == 0, done.stderr
    outcome = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert len(outcome) >= 90
    for name, got in outcome.items():
        if name in KILLED:
            assert got == "signal 31", name
        elif name in ENOSYS:
            assert got == "ENOSYS", name
        elif name.startswith("socket"):
            assert got in ("EAFNOSUPPORT", "EPERM", "EPROTONOSUPPORT"), name
        else:
            assert got == "EPERM", name


def test_ordinary_programs_still_run(caller):
    """The filter and the view are for use: threads, subprocesses, name services, a pty, a compiler where there is one."""
    script = ("import threading,subprocess,socket,multiprocessing as m,tempfile,os\n"
              "t=threading.Thread(target=lambda:None);t.start();t.join()\n"
              "assert subprocess.run(['sh','-c','echo a | tr a b'],capture_output=True).stdout==b'b\\n'\n"
              "assert socket.getaddrinfo('localhost',80)[0][4][0] in ('127.0.0.1','::1')\n"
              "q=m.Pool(2);assert q.map(abs,[-1,-2])==[1,2];q.terminate()\n"
              "with tempfile.NamedTemporaryFile() as f: os.chmod(f.name,0o755)\n"
              "a,b=socket.socketpair();a.send(b'x');assert b.recv(1)==b'x'\n"
              "print('fine')\n")
    done = caller.run("python3", "-c", script)
    assert done.stdout == "fine\n", done.stderr


# --- life cycle

@pytest.mark.parametrize("script,status", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
def test_status_is_the_agents(caller, script, status):
    assert caller.sh(script).returncode == status


def test_missing_and_unexecutable_commands(caller):
    assert caller.run("no-such-command").returncode == 127
    assert caller.run("/etc/hostname").returncode == 126
    assert "No such file" in caller.run("no-such-command").stderr


def test_without_go_nothing_runs(caller):
    """The gate: READY and then the end of the launcher, and no exec."""
    work = caller.workspace()
    done = caller.sh("echo ran > ran", mounts=[f"{work}:{work}"], options=["--no-go", "--cwd", str(work)])
    assert done.returncode == 0
    assert not (work / "ran").exists()


def test_a_daemon_does_not_outlive_the_run(caller):
    """[6] setsid, double fork, closed descriptors: gone when the main process ends."""
    work = caller.workspace()
    done = caller.sh("(setsid sh -c 'exec >/dev/null 2>&1; while :; do date > beat; done' &) ; while ! test -s beat; do :; done",
                     mounts=[f"{work}:{work}"], options=["--cwd", str(work)])
    assert done.returncode == 0
    (work / "beat").unlink()
    survivors = [p for p in pathlib.Path("/proc").glob("[0-9]*/cwd") if os.path.islink(p) and _link(p) == str(work)]
    assert survivors == []
    assert not (work / "beat").exists()


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _tree(pid):
    found = []
    todo = [pid]
    while todo:
        at = todo.pop()
        children = pathlib.Path(f"/proc/{at}/task/{at}/children").read_text().split()
        found += map(int, children)
        todo += map(int, children)
    return found


def _wait_gone(pids):
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([fd], [], [], 10)
        os.close(fd)
        assert ready, f"process {pid} outlived the launcher"


def test_kill_9_of_the_launcher_ends_everything(caller):
    """[38]"""
    child = caller.start("sh", "-c", "setsid sleep 1000 & echo up; sleep 1000", stdin=subprocess.PIPE)
    assert child.stdout.readline() == "up\n"
    below = _tree(child.pid)
    assert len(below) >= 4
    child.kill()
    child.wait()
    _wait_gone(below)


def test_kill_9_of_bubblewrap_ends_everything(caller):
    child = caller.start("sh", "-c", "echo up; sleep 1000", stdin=subprocess.PIPE)
    assert child.stdout.readline() == "up\n"
    below = _tree(child.pid)
    os.kill(below[0], signal.SIGKILL)
    _wait_gone(below[1:])
    _, err = child.communicate(timeout=30)
    assert child.returncode == 1
    assert "error: Wait" in err


def test_signals_reach_the_agents_group(caller):
    """[39] TERM is the agent's to handle."""
    child = caller.start("sh", "-c", "trap 'exit 42' TERM; echo up; while :; do sleep 1000 & wait; done")
    assert child.stdout.readline() == "up\n"
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert child.returncode == 42


def test_standard_streams_are_the_callers(caller):
    child = caller.start("sh", "-c", "cat; echo err >&2", stdin=subprocess.PIPE)
    out, err = child.communicate("in\n", timeout=30)
    assert (out, err) == ("in\n", "err\n")


# --- workspace

def test_workspace_is_writable_and_nothing_else(caller):
    """[21] Files come out as the workspace owner's."""
    work = caller.workspace(owner=caller.uid or 12345)
    done = caller.sh("echo hello > new && mkdir d && cat new && rm -r d && ls -n new", mounts=[f"{work}:{work}"], options=["--cwd", str(work)])
    assert done.returncode == 0, done.stderr
    assert (work / "new").stat().st_uid == (caller.uid or 12345)


def test_a_link_in_the_workspace_leads_nowhere(caller):
    """[22]"""
    work = caller.workspace()
    (work / "link").symlink_to("/etc/shadow")
    (work / "ssh").symlink_to(caller.dir / "secret")
    done = caller.sh("cat link; cat ssh", mounts=[f"{work}:{work}"], options=["--cwd", str(work)])
    assert done.stdout == ""


def _repository(caller, work, inner=""):
    top = work / inner
    subprocess.run(["git", "init", "-q", str(top)], check=True, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    caller.own(work)
    return top


PLANTS = [
    "echo x > .git/hooks/pre-commit", "echo x >> .git/config", "mv .git g", "rm -rf .git/hooks && mkdir .git/hooks",
    "mv .git/config .git/c", "echo ../evil > .git/commondir", "echo x > .git/config.worktree", "mkdir .firma/x",
    "echo x > firma.toml", "echo x > .vscode/tasks.json", "rmdir .vscode && mkdir .vscode", "mv .claude c",
    "ln -sf /tmp .git/hooks", "echo x > sub/repo/.git/hooks/pre-push", "mv sub s", "mv sub/repo sub/r",
    "echo x > sub/.firma/firma.toml", "echo x > bare/hooks/update", "echo x > bare/config", "echo x > tools/hooks/pre-commit",
    "mv tools t", "rm -rf bare/hooks; test ! -e bare/hooks",
]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_nothing_can_be_planted_for_the_host(caller):
    """[20] Hooks, configuration, settings: neither written, nor renamed away, nor made anew."""
    work = caller.workspace()
    _repository(caller, work, "sub/repo")
    subprocess.run(["git", "init", "-q", "--bare", str(work / "bare")], check=True, env={"PATH": "/usr/bin:/bin"})
    _repository(caller, work)
    (work / "tools/hooks").mkdir(parents=True)
    with open(work / ".git/config", "a", encoding="ascii") as f:
        f.write("[core]\n\thooksPath = tools/hooks\n")
    (work / "sub/.firma").mkdir()
    caller.own(work)
    if not caller.ids and caller.uid == 0:
        for at in [work, *work.rglob("*")]:
            os.chown(at, 12345, 12345)
    before = sorted(str(p) for p in work.rglob("*"))
    script = "".join(f"if ( {plant} ) 2>/dev/null; then echo 'PLANTED: {plant}'; fi\n" for plant in PLANTS)
    done = caller.sh(script + "echo end", mounts=[f"{work}:{work}"], options=["--cwd", str(work)])
    assert done.stdout == "end\n", done.stdout + done.stderr
    assert sorted(str(p) for p in work.rglob("*")) == before  # and the mount points are gone again


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_still_works_in_a_protected_repository(caller):
    work = caller.workspace(owner=caller.uid or 12345)
    _repository(caller, work)
    if caller.uid == 0:
        for at in [work, *work.rglob("*")]:
            os.chown(at, 12345, 12345)
    done = caller.sh("echo x > f && git add f && git -c user.name=a -c user.email=a@b commit -qm x && git status --porcelain && git log --oneline | wc -l",
                     mounts=[f"{work}:{work}"], options=["--cwd", str(work)])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]


def test_a_run_that_ends_does_not_uncover_another(caller):
    """[20] Removing a mount point on the host would unmount it everywhere: the last run in the workspace removes."""
    work = caller.workspace(owner=caller.uid or 12345)
    _repository(caller, work)
    if caller.uid == 0:
        for at in [work, *work.rglob("*")]:
            os.chown(at, 12345, 12345)
    shared = {"mounts": [f"{work}:{work}"], "options": ["--cwd", str(work)]}
    first = caller.start("sh", "-c", "echo up; read line", stdin=subprocess.PIPE, **shared)
    assert first.stdout.readline() == "up\n"
    second = caller.start("sh", "-c", "echo up; read line; mkdir .firma && echo PLANTED; echo /x > .git/commondir && echo PLANTED; echo end",
                          stdin=subprocess.PIPE, **shared)
    assert second.stdout.readline() == "up\n"
    first.communicate("\n", timeout=30)
    out, _ = second.communicate("\n", timeout=30)
    assert out == "end\n"
    assert not (work / ".firma").exists() and not (work / ".git/commondir").exists()


@pytest.mark.parametrize("name", [".firma", ".git", ".claude"])
def test_a_protected_name_that_is_a_link_is_refused(caller, name):
    work = caller.workspace()
    (work / "elsewhere").mkdir()
    (work / name).symlink_to("elsewhere")
    done = caller.run("true", mounts=[f"{work}:{work}"])
    assert done.returncode == 1
    assert "error: InsecureFile" in done.stderr and "symbolic link" in done.stderr


def test_control_plane_cannot_be_mounted_and_is_hidden(caller):
    """[20] A source inside the state directory is refused; a source around it shows it empty."""
    work = caller.workspace(owner=caller.uid or 12345)
    state = work / "state"
    (state / "run").mkdir(parents=True)
    (state / "token").write_text(SECRET)
    done = caller.run("true", mounts=[f"{state}/run:/mnt/x"], options=["--state", str(state)])
    assert done.returncode == 1 and "error: ConfigValidation" in done.stderr
    done = caller.sh("ls -A state; cat state/token", mounts=[f"{work}:{work}"], options=["--state", str(state), "--cwd", str(work)])
    assert done.stdout == ""
    done = caller.run("true", mounts=[f"{work}:{work}"], options=["--state", str(state), "--cwd", str(state)])
    assert done.returncode == 1 and "state directory" in done.stderr


@pytest.mark.parametrize("mount,text", [("relative:/x", "not absolute"), ("/no/such/dir:/x", "cannot mount"),
                                        ("/usr:/etc", "belongs to the sandbox"), ("/usr:/proc/x", "belongs to the sandbox"),
                                        ("/usr:/", "nothing can be mounted"), ("/usr:x", "not absolute"),
                                        ("/usr:/a/../b", "plain form")])
def test_mounts_that_make_no_sense_are_refused(caller, mount, text):
    done = caller.run("true", mounts=[mount])
    assert done.returncode == 1
    assert "error: ConfigValidation" in done.stderr and text in done.stderr


def test_set_uid_bits_do_not_reach_the_host(caller):
    """[25] A root run must not leave a set-uid root file behind."""
    work = caller.workspace()
    caller.sh("cp /bin/sh s; chmod 4755 s; chmod u+s s; install -m 6755 /bin/sh t; mkdir -m 2755 d; python3 -c 'import os; os.open(\"u\", 65, 0o4755)'",
              mounts=[f"{work}:{work}"], options=["--cwd", str(work)])
    assert not [p for p in work.rglob("*") if p.lstat().st_mode & 0o6000]


def test_root_owned_workspace_of_a_root_run(caller):
    """An id-mapped mount: the agent, not root, writes files that are root's on disk."""
    if caller.uid != 0:
        pytest.skip("only a run by root meets this")
    work = caller.workspace()
    (work / "old").write_text("old\n")
    done = caller.sh("id -u; cat old; echo new > new; echo more >> old; ls -n old | cut -d' ' -f3", mounts=[f"{work}:{work}"],
                     options=["--cwd", str(work)])
    if "idmap" in done.stderr:
        pytest.skip("this file system cannot be id-mapped: " + done.stderr)
    assert done.stdout.split() == ["10001", "old", "10001"], done.stderr
    assert (work / "new").stat().st_uid == 0
    assert (work / "old").read_text() == "old\nmore\n"


def test_a_directory_that_only_root_can_walk_to_is_mounted(caller):
    """The run by root collects its mounts before it gives root up."""
    if caller.uid != 0:
        pytest.skip("only a run by root meets this")
    closed = caller.workspace()
    closed.chmod(0o700)
    work = closed / "inner"
    work.mkdir()
    os.chown(work, 12345, 12345)
    done = caller.sh("echo x > f; echo ok", mounts=[f"{work}:/mnt/work"], options=["--cwd", "/mnt/work"])
    assert done.stdout == "ok\n", done.stderr
    assert (work / "f").stat().st_uid == 12345
