"""`--print-effective-config`: says what would be done, does none of it."""

import json
import os
import pathlib
import socket
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import Project  # noqa: E402


@pytest.fixture
def project():
    p = Project()
    yield p
    p.close()


def snapshot(folder):
    return sorted((str(p.relative_to(folder)), p.lstat().st_mtime_ns, p.lstat().st_size) for p in folder.rglob("*"))


def effective(project, *flags, cmd=("echo", "hi"), **kw):
    before = snapshot(project.dir)
    done = project.firma("run", *flags, "--print-effective-config", "--", *cmd, **kw)
    assert (done.status, done.err) == (0, ""), done
    assert snapshot(project.dir) == before
    return json.loads(done.out), done.out


def test_the_guides_example(project):
    shown, text = effective(project, "--profile", "generic")
    assert text.startswith("{\n  \"") and text.endswith("}\n")
    assert list(shown) == ["identity", "profile", "sidecar_selection", "env", "sandbox_mounts", "state_dir", "config", "working_dir"]
    assert shown["profile"]["backend"] == "bwrap" and shown["profile"]["id"] == "generic"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        assert shown["env"][name] == "http://127.0.0.1:18080"
    assert shown["sidecar_selection"] == "local"
    assert shown["identity"]["session_id"] is None and shown["identity"]["sandbox_id"] is None
    assert shown["identity"]["agent_id"] == "generic"
    remap = shown["identity"]["remap"]
    assert remap["inside"] == {"uid": 10001, "gid": 10001} and remap["outside"]["uid"] != 0
    assert any(m["target"] == "/usr" for m in shown["sandbox_mounts"])
    assert list(shown["profile"]) == ["id", "backend", "sidecar_endpoint", "env_passthrough", "env_set", "mounts", "seccomp_policy",
                                      "allowed_domains", "network", "identity_mode", "capability", "sidecar_local_exec",
                                      "executable_policies", "use_http_proxy_sidecar", "allow_non_structural"]


def test_nothing_is_started_probed_or_asked(project):
    project.write_config(authority=False)
    with socket.create_server(("127.0.0.1", 0)) as up:
        up.settimeout(0.2)
        addr = "127.0.0.1:%d" % up.getsockname()[1]
        shown, _ = effective(project, "--sidecar", "tcp://" + addr, "--authority", "http://" + addr)
        with pytest.raises(TimeoutError):
            up.accept()
    assert shown["sidecar_selection"] == {"remote": "tcp://" + addr}
    assert shown["profile"]["sidecar_endpoint"] == {"kind": "tcp", "addr": addr}
    assert not project.state.exists()


def test_codex_shows_the_workspace_and_its_covers(project):
    work = project.dir / "w"
    (work / ".git" / "hooks").mkdir(parents=True)
    (work / ".git" / "config").write_text("")
    os.chmod(project.dir, 0o755)
    if os.geteuid() == 0:
        for p in [work, *work.rglob("*")]:
            os.chown(p, 65534, 65534)
    shown, _ = effective(project, "--profile", "codex", cwd=work)
    assert {"source": str(work), "target": str(work), "read_only": False} in shown["profile"]["mounts"]
    steps = {(m["kind"], m["target"]) for m in shown["sandbox_mounts"]}
    assert ("bind", str(work)) in steps and ("bind-ro", str(work / ".git" / "hooks")) in steps
    assert shown["working_dir"] == str(work)


def test_the_profile_is_inferred_from_the_command(project):
    work = project.dir / "work"
    work.mkdir()
    assert effective(project, cmd=("/usr/bin/codex", "x"), cwd=work)[0]["profile"]["id"] == "codex"
    assert effective(project, cmd=("curl",))[0]["profile"]["id"] == "generic"
    project.config.write_text('[run]\nprofile = "codex"\n')
    assert effective(project, cwd=work)[0]["profile"]["id"] == "codex"
    assert effective(project, "--profile", "generic")[0]["profile"]["id"] == "generic"


def test_layers_and_secrets(project):
    project.config.write_text("""[run.defaults]
env_passthrough = ["API_KEY", "LANG"]
env_set = { A = "1", B = "1" }
[run.profiles.generic]
env_set = { B = "2" }
env_passthrough = ["EXTRA"]
[run.profiles.generic.capability]
refresh_ratio = 0.5
""")
    shown, text = effective(project, env=project.env(API_KEY="sk-secret", LANG="C.UTF-8", EXTRA="x", SECRET_X="no"))
    assert "sk-secret" not in text and "SECRET_X" not in text
    assert shown["env"]["API_KEY"] == "<from host>"
    assert shown["env"]["LANG"] == "C.UTF-8"
    assert (shown["env"]["A"], shown["env"]["B"]) == ("1", "2")
    assert "EXTRA" in shown["profile"]["env_passthrough"] and "API_KEY" in shown["profile"]["env_passthrough"]
    assert shown["profile"]["env_passthrough"] == sorted(shown["profile"]["env_passthrough"])
    assert shown["profile"]["capability"]["refresh_ratio"] == 0.5


def test_host_user(project):
    for flags in (["--identity-mode", "host-user"], ["--preserve-host-user"], ["--preserve-host-user", "--identity-mode", "sandbox-user"]):
        shown, _ = effective(project, *flags)
        assert shown["profile"]["identity_mode"] == "host_user"
        assert shown["identity"]["remap"]["inside"] == shown["identity"]["remap"]["outside"]


def test_a_capability_file_is_named_but_not_read(project):
    shown, _ = effective(project, "--capability-file", "/no/such/file")
    assert shown["profile"]["capability"]["source"] == {"kind": "file", "path": "/no/such/file"}


def test_resolution_errors_as_usual(project):
    done = project.firma("run", "--profile", "nobody", "--print-effective-config", "--", "x")
    assert (done.status, done.error(), done.out) == (1, "ConfigValidation", "")


def test_a_full_disk_under_stdout_is_said(project):
    with open("/dev/full", "w") as full:
        import subprocess
        done = subprocess.run([os.environ["FIRMA_BIN"] if "FIRMA_BIN" in os.environ else "firma", "run", "--print-effective-config", "--", "x"],
                              stdout=full, stderr=subprocess.PIPE, env=project.env(), cwd=project.dir, check=False)
    assert done.returncode == 1 and b"error: Io: " in done.stderr


def test_tables_at_the_top_of_a_file_of_their_own(project):
    own = project.dir / "run.toml"
    own.write_text('[defaults]\nidentity_mode = "host_user"\n[profiles.generic]\nenv_set = { Q = "1" }\n')
    shown, _ = effective(project, "--config", own)
    assert shown["profile"]["identity_mode"] == "host_user" and shown["env"]["Q"] == "1"
    assert shown["config"] == str(own)
