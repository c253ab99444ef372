"""examples/cedar builds with its Makefile against an installed libcedar, found by pkg-config, and decides as its policies say."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(os.environ.get("FIRMA_SRC") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))


def run(*command, cwd, env=None):
    return subprocess.run([str(c) for c in command], cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Calls the built example with the words that follow its two files."""
    if os.environ.get("FIRMA_SANITIZED"):
        pytest.skip("the sanitized library needs a sanitized program")
    for tool in ("make", "pkg-config", "cc", "meson"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if not (BUILD / "build.ninja").is_file() or not os.access(BUILD / "meson-logs", os.W_OK):
        pytest.skip("no build directory of ours to install from")
    dest = tmp_path_factory.mktemp("dest")
    log = BUILD / "meson-logs/install-log.txt"
    before = log.read_bytes() if log.is_file() else None
    done = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", dest, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    # What a person has installed from this directory must stay removable.
    if before is not None:
        log.write_bytes(before)
    else:
        log.unlink()
    where = tmp_path_factory.mktemp("example") / "cedar"
    shutil.copytree(ROOT / "examples/cedar", where)
    found = list(dest.rglob("libcedar.pc"))
    assert len(found) == 1
    built = run("make", "authorize", "CFLAGS=-O1 -Wall -Wextra -Werror", cwd=where,
                env={"PKG_CONFIG_LIBDIR": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(dest)})
    assert built.returncode == 0, built.stdout + built.stderr
    libraries = next(dest.rglob("libcedar.so")).parent

    def call(*words, policies="policies.cedar", entities="entities.json"):
        return run("./authorize", policies, entities, *words, cwd=where, env={"LD_LIBRARY_PATH": str(libraries)})
    call.where = where
    return call


@pytest.mark.parametrize("words, status, printed", [
    (("alice", "read", "plan", "10"), 0, "allow\n  readers may read (line 1)\n"),
    (("bob", "write", "plan", "17"), 0, "allow\n  the owner may do anything (line 4)\n"),
    (("alice", "write", "plan", "10"), 1, "deny\n"),
    (("mallory", "read", "plan", "10"), 1, "deny\n"),
    (("bob", "write", "plan", "18"), 1, "deny\n  nothing outside office hours (line 8)\n"),
    (("alice", "read", 'odd "name', "8"), 0, "allow\n  readers may read (line 1)\n"),
])
def test_the_example_decides_and_prints_its_reasons(ask, words, status, printed):
    done = ask(*words)
    assert (done.returncode, done.stdout, done.stderr) == (status, printed, "")


def test_a_policy_that_errs_is_named_and_left_out(ask):
    (ask.where / "erring.cedar").write_text('permit (principal, action, resource) when { context.absent };\n')
    done = ask("alice", "read", "plan", "10", policies="erring.cedar")
    assert (done.returncode, done.stdout) == (1, "deny\n  policy0 (line 1) erred and was left out\n")


def test_what_cannot_be_read_is_2_and_shows_its_place(ask):
    (ask.where / "broken.cedar").write_text("permit (principal, action, resource)\nwhen { context. };\n")
    done = ask("alice", "read", "plan", "10", policies="broken.cedar")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("broken.cedar:2:")
    assert ask("alice", "read", "plan", "10", policies="no-such-file").returncode == 2
    assert ask("alice", "read", "plan", "10", entities="policies.cedar").returncode == 2
    for hour in ("24", "-1", "x", ""):
        assert ask("alice", "read", "plan", hour).returncode == 2, hour
