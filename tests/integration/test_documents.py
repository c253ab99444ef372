"""What README, the reference and the examples show works as it stands there."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(os.environ.get("FIRMA_SRC") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))
FIRMA = os.environ.get("FIRMA_BIN") or str(BUILD / "src/cli/firma")


@pytest.fixture
def place():
    """Short, because the path of a socket has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="fd-", dir="/tmp") as where:
        os.chmod(where, 0o755)
        yield pathlib.Path(where)


def run(place, *command, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FIRMA_", "XDG_"))}
    env.update(FIRMA_STATE_DIR=str(place / "s"), HOME=str(place), **more.pop("env", {}))
    return subprocess.run([str(c) for c in command], cwd=more.pop("cwd", place), env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)


def page(name):
    path = ROOT / name
    if not path.is_file():
        pytest.skip(f"{name} is not here")
    return path.read_text()


def owned(path):
    """As umask 077 would make it: others may not write what decides about security."""
    for each in [path, *path.rglob("*")]:
        each.chmod(0o700 if each.is_dir() else 0o600)


def test_the_first_example_of_the_readme(place):
    files = re.findall(r"^\$ cat > (\S+) <<'END'\n(.*?)^END$", page("README.md"), re.S | re.M)
    assert [name for name, _ in files] == [".firma/rules.toml", ".firma/policies/mine.cedar", ".firma/firma.toml"]
    for name, text in files:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    owned(place / ".firma")
    ask = ("import urllib.request, urllib.error\n"
           "def ask(url):\n"
           "    try: return urllib.request.urlopen(url, timeout=60).status\n"
           "    except urllib.error.HTTPError as e: return e.code\n"
           "print(ask('http://example.com/') != 403, ask('http://example.org/'))\n")
    done = run(place, FIRMA, "run", "--", "/usr/bin/python3", "-c", ask)
    assert done.returncode == 0, done.stderr
    # Allowed: the answer of the real host, or 504 where there is no network. Refused: always 403.
    assert done.stdout == "True 403\n"
    checked = run(place, FIRMA, "audit", "verify", place / "s/audit.jsonl", "--public-key", place / "s/audit.pub")
    assert checked.returncode == 0 and "CHAIN OK" in checked.stdout and "HEAD OK" in checked.stdout


def test_the_complete_configuration_of_the_reference(place):
    text = re.findall(r"^```toml\n(.*?)^```$", page("docs/reference/config.md"), re.S | re.M)[-1]
    (place / "firma.toml").write_text(text)
    (place / "rules.toml").write_text('[[rules]]\nhost = "build.internal"\naction_class = "code.read"\n')
    (place / "policies").mkdir()
    (place / "policies/all.cedar").write_text("permit (principal, action, resource);\n")
    owned(place)
    place.chmod(0o755)
    made = run(place, FIRMA, "audit", "generate-key", "-o", "audit.key")
    assert made.returncode == 0, made.stderr
    done = run(place, FIRMA, "run", "-c", "firma.toml", "--", "true")
    assert done.returncode == 0, done.stderr


def test_every_flag_of_run_stands_in_the_reference(place):
    helped = run(place, FIRMA, "run", "--help").stdout
    text = page("docs/cli.md")
    for flag in re.findall(r"^ {2,6}(?:-\w, )?(--[\w-]+)", helped, re.M):
        assert f"`{flag}" in text or f"`-c`, `{flag}" in text or f", `{flag}" in text, flag


def test_the_local_example_sets_itself_up_twice_and_runs(place):
    source = ROOT / "examples/firma-run/local/setup.sh"
    if not source.is_file():
        pytest.skip("no examples here")
    tree = place / "r"
    (tree / "examples/firma-run/local").mkdir(parents=True)
    setup = tree / "examples/firma-run/local/setup.sh"
    shutil.copy(source, setup)
    first = run(place, "sh", setup, env={"FIRMA": FIRMA})
    assert first.returncode == 0, first.stderr
    local = tree / ".local"
    assert {p.name for p in local.iterdir()} == {"firma.toml", "mapping-rules.toml", "audit-key.pem", "audit-key.pub"}
    assert stat.S_IMODE((local / "audit-key.pem").stat().st_mode) == 0o600
    before = {p: p.read_bytes() for p in local.iterdir()}
    again = run(place, "sh", setup, env={"FIRMA": FIRMA})
    assert again.returncode == 0 and "[ok]" in again.stdout
    assert {p: p.read_bytes() for p in local.iterdir()} == before
    done = run(place, FIRMA, "run", "-c", local / "firma.toml", "--authority", "local", "--", "sh", "-c", "exit 3", cwd=tree)
    assert done.returncode == 3, done.stderr
