"""Installing into a directory of one's own: what is put where, that it works from there, and that it goes away again."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(os.environ.get("FIRMA_SRC", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", ROOT / "build"))

MAN = ["man1/firma.1", "man1/firma-run.1", "man1/firma-sidecar.1", "man1/firma-authority.1", "man1/firma-audit.1",
       "man5/firma.toml.5"]
HEADERS = ["cedar/cedar.h", "paseto/paseto.h", "firma/sidecar_markers.h"]

C_PROGRAM = r"""
#include <firma/sidecar_markers.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct firma_sidecar_list list = { 0 };
    struct firma_markers_error error = { 0 };
    if (argc != 2 || firma_sidecar_markers_list(argv[1], &list, &error) != FIRMA_MARKERS_OK)
        return 1;
    printf("%zu\n", list.count);
    firma_sidecar_list_done(&list);
    return 0;
}
"""


@pytest.fixture(scope="module")
def dest(tmp_path_factory):
    if not (BUILD / "build.ninja").is_file() or not os.access(BUILD / "meson-logs", os.W_OK):
        pytest.skip("no build directory of ours to install from")
    where = tmp_path_factory.mktemp("dest")
    log = BUILD / "meson-logs/install-log.txt"
    before = log.read_bytes() if log.is_file() else None
    done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", where],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    yield where
    # What a person has installed from this directory must stay removable.
    if before is not None:
        log.write_bytes(before)


@pytest.fixture
def state():
    """The path of a socket has room for 107 bytes, which a test's own folder would use up."""
    with tempfile.TemporaryDirectory(prefix="fi-", dir="/tmp") as where:
        yield pathlib.Path(where) / "s"


@pytest.fixture(scope="module")
def prefix(dest):
    """Below the destination, wherever the build's prefix is."""
    found = [p for p in dest.rglob("bin/firma") if p.is_file()]
    assert len(found) == 1
    return found[0].parent.parent


def run(command, state=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FIRMA_", "XDG_"))}
    env.update(more.pop("env", {}))
    if state is not None:
        env["FIRMA_STATE_DIR"] = str(state)
    return subprocess.run(command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
                          check=False, **more)


def test_program_helper_pages_headers_and_pkg_config_are_there(prefix):
    assert os.access(prefix / "bin/firma", os.X_OK)
    assert os.access(prefix / "libexec/firma/firma-init", os.X_OK)
    for page in MAN:
        assert (prefix / "share/man" / page).is_file(), page
    for header in HEADERS:
        assert (prefix / "include" / header).is_file(), header
    assert {p.name for p in prefix.rglob("*.pc")} == {"libcedar.pc", "paseto.pc", "firma-markers.pc"}


def test_nothing_that_is_installed_names_the_build_or_source_directory(prefix):
    told = [str(BUILD.resolve()).encode(), str(ROOT.resolve()).encode()]
    if os.environ.get("FIRMA_SANITIZED"):
        pytest.skip("a sanitized program names its sources in its reports")
    for path in [*prefix.rglob("*.pc"), *prefix.rglob("man*/*")]:
        if path.is_file():
            assert not any(word in path.read_bytes() for word in told), path


def test_an_installed_firma_finds_its_helper_and_runs_a_program(prefix, state):
    done = run([prefix / "bin/firma", "run", "--authority", "local", "--", "sh", "-c", "id -un; exit 7"],
               state=state, cwd="/")
    assert done.returncode == 7, done.stderr
    assert done.stdout == "firma-user\n"


def test_it_works_through_a_link_and_from_path(prefix, tmp_path, state):
    link = tmp_path / "firma"
    link.symlink_to(prefix / "bin/firma")
    done = run([link, "run", "--authority", "local", "--", "true"], state=state, cwd="/")
    assert done.returncode == 0, done.stderr
    done = run(["firma", "run", "--authority", "local", "--", "true"], state=state, cwd="/",
               env={"PATH": f"{prefix / 'bin'}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr


def test_without_its_helper_the_run_is_refused_by_name(prefix, tmp_path, state):
    lone = tmp_path / "alone/bin"
    lone.mkdir(parents=True)
    shutil.copy(prefix / "bin/firma", lone / "firma")
    done = run([lone / "firma", "run", "--authority", "local", "--", "true"], state=state, cwd="/")
    assert done.returncode == 1
    assert "error: Backend: firma-init is missing" in done.stderr
    assert "reinstall" in done.stderr


def test_a_program_can_be_built_against_the_markers_library(prefix, dest, tmp_path):
    if os.environ.get("FIRMA_SANITIZED"):
        pytest.skip("the sanitized library needs a sanitized program")
    if shutil.which("pkg-config") is None or shutil.which("gcc") is None:
        pytest.skip("gcc or pkg-config is not installed")
    source = tmp_path / "program.c"
    source.write_text(C_PROGRAM)
    pc = next(prefix.rglob("firma-markers.pc")).parent
    flags = run(["pkg-config", "--cflags", "--libs", "firma-markers"],
                env={"PKG_CONFIG_LIBDIR": str(pc), "PKG_CONFIG_SYSROOT_DIR": str(dest)})
    assert flags.returncode == 0, flags.stderr
    built = run(["gcc", "-Wall", "-Werror", "-o", tmp_path / "program", source, *flags.stdout.split()])
    assert built.returncode == 0, built.stderr
    library = next(prefix.rglob("libfirma-markers.so")).parent
    (tmp_path / "empty").mkdir()
    done = run([tmp_path / "program", tmp_path / "empty"], env={"LD_LIBRARY_PATH": str(library)})
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_the_pages_are_read_without_a_complaint(prefix):
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    for page in MAN:
        done = run(["groff", "-P-cbou", "-mdoc", "-Tutf8", "-ww", prefix / "share/man" / page])
        assert (done.returncode, done.stderr) == (0, ""), page
        assert "NAME" in done.stdout


def test_every_public_option_stands_on_its_page(prefix):
    verbs = {"firma-run.1": ["run"], "firma-audit.1": ["audit", "verify"],
             "firma-sidecar.1": ["sidecar"], "firma-authority.1": ["authority", "issue"]}
    for page, words in verbs.items():
        text = (prefix / "share/man/man1" / page).read_text()
        helped = run([prefix / "bin/firma", *words, "--help"]).stdout
        for option in re.findall(r"^ {2,6}(?:-\w, )?--([\w-]+)", helped, re.M):
            assert option == "help" or f"-{option}" in text, (page, option)


def test_uninstall_leaves_nothing_behind(dest, prefix, tmp_path):
    """Last in the file: it empties the directory."""
    done = run(["ninja", "-C", BUILD, "uninstall"])
    assert done.returncode == 0, done.stdout + done.stderr
    left = [p for p in dest.rglob("*") if p.is_file() or p.is_symlink()]
    assert left == []
