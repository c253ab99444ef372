"""A project of an operator in a short directory of its own, and `firma run` in it.

Nothing here needs root or a writable source tree; the directory is short because a Unix socket's path may not be longer
than 107 bytes.
"""

import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(os.environ.get("FIRMA_SRC") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
FIRMA = os.environ.get("FIRMA_BIN") or str(BUILD / "src/cli/firma")
PYTHON = "/usr/bin/python3"  # what the sandbox can see
NAME = "service.test.example"
SANITIZED = os.environ.get("FIRMA_SANITIZED") == "1"

POLICY = """permit (principal, action == Firma::Action::"communication.external.send", resource)
when { resource has method && resource.method == "GET" };
"""
PERMIT_ALL = "permit (principal, action, resource);\n"

# An agent that does as it is told, one line of JSON for one line of command.
AGENT = r'''
import json, os, socket, sys
def get(url, method="GET"):
    rest = url[7:]
    authority, _, path = rest.partition("/")
    s = socket.create_connection(("127.0.0.1", 18080), 10)
    s.settimeout(20)
    s.sendall(("%s http://%s/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % (method, authority, path, authority)).encode())
    data = b""
    while True:
        more = s.recv(65536)
        if not more:
            break
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    return [int(head.split()[1]) if head else 0, body.decode(errors="replace")]
for line in sys.stdin:
    verb, *args = json.loads(line)
    try:
        if verb == "get":
            out = get(*args)
        elif verb == "eval":
            out = eval(args[0])
        elif verb == "exit":
            sys.exit(args[0])
    except SystemExit:
        raise
    except BaseException as e:
        out = "%s: %s" % (type(e).__name__, e)
    print(json.dumps(out), flush=True)
'''


def read_lines_until(stream, mark, seconds=20):
    """Lines of an unbuffered binary stream up to and with the one that holds @mark."""
    end = time.monotonic() + seconds
    got = b""
    while mark not in got or not got.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0, end - time.monotonic()))
        assert ready, "no %r in %r" % (mark, got)
        more = os.read(stream.fileno(), 65536)
        assert more, "the stream ended before %r: %r" % (mark, got)
        got += more
    return got.decode()


class Done:
    """A finished `firma`: status, stdout, stderr as text."""

    def __init__(self, process, out, err):
        self.status = process.returncode
        self.out = out.decode(errors="replace")
        self.err = err.decode(errors="replace")

    def error(self):
        """The name in `error: Name: text`; the hint must stand in the next line."""
        lines = self.err.splitlines()
        for i, line in enumerate(lines):
            if line.startswith("error: "):
                assert i + 1 < len(lines) and lines[i + 1].startswith("  hint: "), self.err
                return line.split(": ")[1]
        return None

    def __repr__(self):
        return "Done(%r, out=%r, err=%r)" % (self.status, self.out, self.err)


class Run:
    """A running `firma run`; stdin and stdout are those of the agent."""

    def __init__(self, project, args, popen):
        self.project = project
        self.args = args
        self.process = popen

    @property
    def pid(self):
        return self.process.pid

    def ask(self, *command):
        """One command for AGENT, its answer."""
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.finish(signal.SIGKILL)
        return json.loads(line)

    def line(self):
        """The next line of the agent; what happened instead, when there is none."""
        line = self.process.stdout.readline().decode()
        return line.rstrip("\n") if line else repr(self.finish())

    def signal(self, sig):
        self.process.send_signal(sig)

    def finish(self, sig=None, seconds=30):
        if sig is not None:
            self.signal(sig)
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError("firma run did not end: %r" % Done(self.process, out, err))
        return Done(self.process, out, err)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        self.process.wait()


class Project:
    """@port: where the service behind NAME listens on loopback."""

    def __init__(self, port=0, policy=POLICY, rules=None, authority=True, more=""):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="fi-", dir="/tmp"))
        self.state = self.dir / "s"
        self.home = self.dir / "h"
        self.home.mkdir(mode=0o700)
        self.port = port
        self.host = "%s:%d" % (NAME, port)
        (self.dir / "policies").mkdir(mode=0o700)
        (self.dir / "issuance").mkdir(mode=0o700)
        (self.dir / "policies" / "test.cedar").write_text(policy)
        (self.dir / "issuance" / "test.cedar").write_text(PERMIT_ALL)
        (self.dir / "rules.toml").write_text(
            rules or '[[rules]]\nhost = "%s"\naction_class = "communication.external.send"\n' % self.host)
        self.config = self.dir / "firma.toml"
        self.audit = self.dir / "audit.jsonl"
        self.write_config(authority, more)

    def write_config(self, authority=True, more="", authority_more=""):
        text = ""
        if authority:
            text += '[authority]\nlisten_addr = "[::1]:0"\npolicy_dir = "policies"\nissuance_policy_dir = "issuance"\n' + authority_more
        text += '[sidecar.mapping]\nrules_path = "rules.toml"\n[sidecar.resolver]\nhosts = { "%s" = "127.0.0.1" }\n' % NAME
        text += '[sidecar.audit]\nsink = "file"\nfile_path = "%s"\n' % self.audit
        self.config.write_text(text + more)

    def env(self, **changes):
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "FIRMA_STATE_DIR": str(self.state),
            "FIRMA_CONFIG": str(self.config),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        for name, value in changes.items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = str(value)
        return env

    def start(self, *args, flags=("--authority", "local"), env=None, stdin=subprocess.PIPE, cwd=None, **kw):
        """`firma run @flags -- @args`, not waited for."""
        popen = subprocess.Popen([FIRMA, "run", *map(str, flags), "--", *map(str, args)], stdin=stdin, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=env or self.env(), cwd=cwd or self.dir, **kw)
        return Run(self, args, popen)

    def agent(self, flags=("--authority", "local"), **kw):
        """AGENT, once it answers."""
        run = self.start(PYTHON, "-c", AGENT, flags=flags, **kw)
        assert run.ask("eval", "1") == 1
        return run

    def run(self, *args, flags=("--authority", "local"), env=None, cwd=None, seconds=60, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        with self.start(*args, flags=flags, env=env, cwd=cwd, **kw) as run:
            return run.finish(seconds=seconds)

    def firma(self, *args, env=None, cwd=None, seconds=60, **kw):
        """Any other verb."""
        kw.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.Popen([FIRMA, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=env or self.env(), cwd=cwd or self.dir, **kw)
        out, err = done.communicate(timeout=seconds)
        return Done(done, out, err)

    def status(self, *args, env=None):
        return self.firma("sidecar", "status", *args, env=env)

    def rows(self, *args):
        done = self.status("--json", *args)
        return json.loads(done.out)

    def marker(self, sandbox_id):
        return self.state / "run" / sandbox_id

    def events(self):
        return [json.loads(line) for line in self.audit.read_text().splitlines()] if self.audit.exists() else []

    def left(self):
        """What runs have left in the state directory, but for the audit files and the lock."""
        found = []
        for folder in ("run", "capabilities"):
            if (self.state / folder).is_dir():
                found += [str(p.relative_to(self.state)) for p in (self.state / folder).iterdir() if p.name != ".lock"]
        return sorted(found)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def children(pid):
    """Pids of the children of a process, with the first word of what they are."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry) as f:
                    stat_line = f.read()
                fields = stat_line.rpartition(")")[2].split()
                if int(fields[1]) == pid:
                    found[int(entry)] = stat_line[stat_line.index("(") + 1:stat_line.rindex(")")]
            except (OSError, ValueError):
                pass
    return found


def descendants(pid):
    found = []
    todo = [pid]
    while todo:
        for child in children(todo.pop()):
            found.append(child)
            todo.append(child)
    return found


class Watched:
    """Pidfds of processes, taken while they live, so that their end can be waited for."""

    def __init__(self, pids):
        self.fds = {}
        for pid in pids:
            try:
                self.fds[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                pass

    def gone(self, seconds=10):
        """Waits for the end of all; the pids that are still there."""
        end = time.monotonic() + seconds
        left = dict(self.fds)
        while left:
            ready, _, _ = select.select(list(left.values()), [], [], max(0, end - time.monotonic()))
            if not ready:
                break
            left = {pid: fd for pid, fd in left.items() if fd not in ready}
        return sorted(left)

    def close(self):
        for fd in self.fds.values():
            os.close(fd)


def wait_for(condition, seconds=20):
    """For the few things that send no event: files that appear."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        select.select([], [], [], 0.005)
    raise AssertionError("it did not happen within %d s" % seconds)
