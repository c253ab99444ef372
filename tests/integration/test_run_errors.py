"""`firma run` refuses: every typed error with its name, exit status, one line of remedy, and nothing left behind."""

import json
import os
import pathlib
import pty
import socket
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from project import BUILD, FIRMA, Project  # noqa: E402


@pytest.fixture
def project():
    p = Project()
    yield p
    p.close()


def refused(project, name, *needles, args=("true",), flags=("--authority", "local"), status=1, clean=True, **kw):
    """The launch fails by @name, says every needle, and leaves no trace."""
    done = project.run(*args, flags=flags, **kw)
    assert (done.error(), done.status) == (name, status), done
    for needle in needles:
        assert needle in done.err, done
    assert done.out == ""
    if clean:
        assert not project.state.exists() or project.left() == []
    return done


# ---- the command line ----


@pytest.mark.parametrize("flags", [["--no-such-flag"], ["--profile"], ["--backend", "docker"], ["--identity-mode", "root"],
                                   ["--sidecar-startup-timeout-secs", "soon"], ["--sidecar-startup-timeout-secs", "-1"],
                                   ["--no-autostart=yes"], ["-q"]])
def test_usage_errors_are_2(project, flags):
    refused(project, "Usage", flags=flags, status=2)
    assert not project.state.exists()


def test_a_mistyped_flag_gets_a_suggestion(project):
    assert "--profile" in refused(project, "Usage", flags=["--profil", "generic"], status=2).err


def test_nothing_to_run(project):
    for words in (["run"], ["run", "--"], ["run", "--authority", "local", "--"]):
        done = project.firma(*words)
        assert (done.error(), done.status) == ("MissingCommand", 2)


def test_help_is_on_stdout_and_names_every_public_flag(project):
    done = project.firma("run", "--help")
    assert done.status == 0
    for flag in ("profile", "config", "backend", "sidecar", "no-autostart", "sidecar-config", "sidecar-startup-timeout-secs",
                 "capability-file", "identity-mode", "preserve-host-user", "print-effective-config", "authority",
                 "authority-profile"):
        assert "--" + flag in done.out


def test_conflicts_come_before_any_trace(project):
    refused(project, "SidecarLocalNoAutostart", flags=["--sidecar", "local", "--no-autostart"], status=2)
    refused(project, "AuthorityLocalNoAutostart", flags=["--authority", "local", "--no-autostart"], status=2)
    assert not project.state.exists()


def test_the_reserved_variable(project):
    for value in ("x", ""):
        refused(project, "ReservedSandboxIdEnvironment", env=project.env(FIRMA_RUN_SANDBOX_ID=value))
    assert not project.state.exists()


@pytest.mark.parametrize("bad", ["", "a/b", "..", ".", "x" * 65, "a b", "\x1b[31m", "é", ".new-x"])
def test_sandbox_ids_that_can_be_none(project, bad):
    refused(project, "ConfigValidation", flags=["--authority", "local", "--sandbox-id", bad])
    assert not project.state.exists()


@pytest.mark.parametrize("good", ["my-sandbox", "x" * 64, "A.b_c-9", "...", "-x"])
def test_sandbox_ids_that_are_fine(project, good):
    assert project.run("true", flags=["--authority", "local", "--sandbox-id", good]).status == 0
    assert project.left() == []


# ---- configuration ----


@pytest.mark.parametrize("text,place", [("[authority\n", ":1:11:"), ("x = \n", ":1:"), ("[run]\nprofile = 'a\n", ":2:"),
                                        ("[run]\n\n\nprofile = 1.2.3\n", ":4:"), ("a = 1\na = 2\n", ":2:1:")])
def test_broken_toml_names_file_line_and_column(project, text, place):
    project.config.write_text(text)
    refused(project, "ConfigParse", str(project.config) + place)
    assert not project.state.exists()


def test_a_config_that_is_named_must_be_there(project):
    missing = project.dir / "none.toml"
    refused(project, "ConfigParse", str(missing), flags=["--config", missing, "--authority", "local"])
    refused(project, "ConfigParse", str(missing), env=project.env(FIRMA_CONFIG=missing))
    assert not project.state.exists()


def test_insecure_config_files_are_refused(project):
    os.chmod(project.config, 0o666)
    done = project.run("true")
    assert done.status == 1 and done.error() in ("ConfigParse", "InsecureFile") and str(project.config) in done.err
    os.chmod(project.config, 0o600)
    link = project.dir / "link.toml"
    link.symlink_to(project.config)
    done = project.run("true", flags=["--config", link, "--authority", "local"])
    assert done.status == 1 and done.error() in ("ConfigParse", "InsecureFile") and str(link) in done.err
    assert not project.state.exists()


@pytest.mark.parametrize("text,needles", [
    ("[run]\ncolour = 'red'\n", ["colour", ":2:1"]),
    ("[run.defaults]\nenv_passthru = []\n", ["env_passthru", ":2:1"]),
    ("[run.profiles.generic.network]\nfail_closed = false\n", ["fail_closed"]),
    ("[run.defaults]\nmounts = [{ source = 'x', target = '/x' }]\n", ["absolute"]),
    ("[run.defaults]\nmounts = [{ source = '/no/such/place', target = '/x' }]\n", ["/no/such/place"]),
    ("[run.defaults]\nidentity_mode = 'root'\n", ["identity_mode"]),
    ("[run.defaults]\nbackend = 'docker'\n", ["backend"]),
    ("[run.defaults.capability]\nrefresh_ratio = 1.0\n", ["refresh_ratio"]),
    ("[run.defaults.capability]\nrefresh_ratio = 0.0\n", ["refresh_ratio"]),
    ("[run.defaults.capability]\ngrace_seconds = 0\n", ["grace_seconds"]),
    ("[run.defaults.capability.source]\nkind = 'file'\n", ["path"]),
    ("[run]\nprofile = 'nobody'\n", ["nobody", "generic", "codex"]),
    ("[run.defaults.env_set]\n\"A=B\" = 'x'\n", ["A=B"]),
    ("[run.defaults]\nsidecar_endpoint = 'ftp://x'\n", ["ftp://x", "unix://"]),
    ("[sidecar]\nsurprise = 1\n[authority]\nlisten_addr = '[::1]:0'\n", ["surprise"]),
])
def test_wrong_values_are_named(project, text, needles):
    project.config.write_text(text)
    refused(project, "ConfigValidation", *needles)


def test_namespace_off_needs_more_than_a_key(project):
    project.config.write_text("[run.defaults.network]\nenforce_network_namespace = false\n")
    refused(project, "NonStructuralBackendRequiresOptIn")
    refused(project, "ConfigValidation", flags=["--authority", "local", "--allow-non-structural"])


def test_unknown_profiles_are_listed(project):
    project.config.write_text("[run.profiles.mine]\nidentity_mode = 'host_user'\n")
    refused(project, "ConfigValidation", "generic", "codex", "mine", flags=["--profile", "nobody"])
    done = project.firma("run", "--profile", "mine", "--print-effective-config", "--", "true")
    assert json.loads(done.out)["profile"]["id"] == "mine"


@pytest.mark.parametrize("backend", ["vz", "wsl2", "firecracker"])
def test_backends_that_cannot_run_here(project, backend):
    refused(project, "UnsupportedBackend", backend, flags=["--authority", "local", "--backend", backend])
    assert not project.state.exists()


def test_a_required_session_id(project):
    refused(project, "ConfigValidation", "FIRMA_RUN_SESSION_ID", env=project.env(FIRMA_RUN_REQUIRE_SESSION_ID=" Yes "))
    refused(project, "ConfigValidation", "FIRMA_RUN_SESSION_ID", env=project.env(FIRMA_RUN_SESSION_ID="a b"))
    done = project.run("sh", "-c", "echo $FIRMA_RUN_SESSION_ID", env=project.env(FIRMA_RUN_SESSION_ID=" sess-1 "))
    assert (done.status, done.out) == (0, "sess-1\n")


# ---- state directory ----


def test_a_hostile_state_directory_is_refused(project):
    elsewhere = project.dir / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    project.state.symlink_to(elsewhere)
    done = project.run("true")
    assert done.status == 1 and str(project.state) in done.err and done.error() is not None
    assert list(elsewhere.iterdir()) == []
    project.state.unlink()
    project.state.mkdir(mode=0o755)
    os.chmod(project.state, 0o755)
    done = project.run("true")
    assert done.status == 1 and str(project.state) in done.err and done.error() is not None
    assert list(project.state.iterdir()) == []


def test_a_state_directory_too_deep_for_a_socket_is_said_so(project):
    deep = project.dir / ("d" * 60)
    done = project.run("true", env=project.env(FIRMA_STATE_DIR=deep))
    assert done.status == 1 and done.error() is not None
    assert "107" in done.err, done
    assert not (deep / "run").exists() or [p for p in (deep / "run").iterdir() if p.name != ".lock"] == []


# ---- Sidecar ----


@pytest.mark.parametrize("endpoint", ["ftp://x", "unix://relative", "tcp://host", "tcp://host:0", "tcp://host:65536", "tcp://:1",
                                      "unix://" + "/x" * 54, "tcp://ho st:1", "tcp://::1:80"])
def test_endpoints_that_can_be_none(project, endpoint):
    refused(project, "ConfigValidation", endpoint, flags=["--sidecar", endpoint])
    assert not project.state.exists()


def test_an_external_sidecar_that_is_down_stops_the_launch(project):
    ran = "touch /tmp/ran"
    for endpoint in ("unix://%s/none.sock" % project.dir, "tcp://127.0.0.1:1", "tcp://localhost:1", "unix:%s/none" % project.dir):
        refused(project, "SidecarUnreachable", args=("sh", "-c", ran), flags=["--sidecar", endpoint])
    assert not project.state.exists()


def test_a_persisted_endpoint_counts_and_never_autostarts(project):
    project.config.write_text("[run.defaults]\nsidecar_endpoint = 'unix://%s/none.sock'\n" % project.dir)
    refused(project, "SidecarUnreachable", flags=[])
    refused(project, "SidecarUnreachable", flags=["--no-autostart"])
    project.write_config()
    refused(project, "SidecarUnreachable", flags=[], env=project.env(FIRMA_SIDECAR_ENDPOINT="tcp://127.0.0.1:1"))
    assert not project.state.exists()


def test_no_autostart_with_nothing_configured(project):
    project.write_config(authority=False)
    refused(project, "MissingAuthority", flags=["--no-autostart"])
    with socket.create_server(("127.0.0.1", 0)) as up:
        url = "http://127.0.0.1:%d" % up.getsockname()[1]
        refused(project, "MissingSidecar", flags=["--no-autostart", "--authority", url])
    project.write_config()
    refused(project, "MissingAuthority", flags=["--no-autostart"])
    assert not project.state.exists()


def test_a_sidecar_that_cannot_start_says_why(project):
    project.write_config(more='[sidecar.policy]\ndir = "policies"\n[sidecar.interceptor]\ndrain_timeout_secs = "never"\n')
    done = project.run("true")
    assert done.status == 1 and done.error() in ("SidecarStartupFailed", "ConfigValidation"), done
    assert "drain_timeout_secs" in done.err
    assert project.left() == []
    project.write_config()
    (project.dir / "rules.toml").write_text("[[rules]]\nhost = 3\n")
    done = project.run("true")
    assert done.status == 1 and done.error() in ("SidecarStartupFailed", "ConfigValidation", "ConfigParse"), done
    assert "rules.toml" in done.err
    assert project.left() == []


def test_a_template_that_is_missing_or_broken(project):
    missing = project.dir / "none.toml"
    refused(project, "ConfigParse", str(missing), flags=["--authority", "local", "--sidecar-config", missing])
    refused(project, "ConfigParse", str(missing), env=project.env(FIRMA_SIDECAR_CONFIG_FILE=missing))
    missing.write_text("[sidecar\n")
    refused(project, "ConfigParse", str(missing) + ":1:", flags=["--authority", "local", "--sidecar-config", missing])


# ---- Authority ----


def test_an_authority_that_does_not_answer(project):
    for url in ("http://127.0.0.1:1", "127.0.0.1:1", "http://no.such.host.invalid:50051"):
        refused(project, "AuthorityUnreachable", url, flags=["--authority", url])
    refused(project, "ConfigValidation", flags=["--authority", "gopher://x"])
    project.write_config(authority=False, more='[sidecar.authority]\nurl = "http://127.0.0.1:1"\n')
    refused(project, "AuthorityUnreachable", flags=[])
    assert not project.state.exists()


def test_an_unknown_authority_profile(project):
    refused(project, "AuthorityUnknownProfile", "nobody", flags=["--authority", "local", "--authority-profile", "nobody"])
    assert project.run("true", flags=["--authority", "local", "--authority-profile", "developer"]).status == 0


def test_a_listener_that_is_not_provably_ours(project):
    with socket.create_server(("127.0.0.1", 0)) as up:
        listen = "127.0.0.1:%d" % up.getsockname()[1]
        project.config.write_text('[authority]\nlisten_addr = "%s"\n' % listen)
        refused(project, "AuthorityTransportAmbiguous", listen, flags=[])


@pytest.mark.parametrize("key", ["policy_dir", "issuance_policy_dir", "schema_path"])
def test_authority_paths_that_lead_nowhere_are_refused_by_name(project, key):
    project.config.write_text('[authority]\nlisten_addr = "[::1]:0"\n%s = "nowhere"\n' % key)
    refused(project, "ConfigValidation", key, str(project.dir / "nowhere"))


def test_broken_policies_stop_the_launch(project):
    (project.dir / "policies" / "test.cedar").write_text("permit (principal, action\n")
    done = project.run("true")
    assert done.status == 1 and done.error() is not None and "test.cedar" in done.err
    assert project.left() == []


def test_an_authority_that_denies_the_capability(project):
    (project.dir / "issuance" / "test.cedar").write_text("forbid (principal, action, resource);\n")
    refused(project, "CapabilityDenied", "generic")


# ---- the question ----


def prompt(project, answer, flags=(), env=None):
    """Exit status and what was shown on a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([FIRMA, "run", *flags, "--", "true"], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=env or project.env(), cwd=project.dir)
    os.close(slave)
    os.write(master, answer)
    out, err = process.communicate(timeout=30)
    os.close(master)
    return process.returncode, out.decode(), err.decode()


SEED_PROMPT = """No Authority is configured for this project.
firma run can start a local Mini Authority for development on [::1]:<ephemeral-port>.
This is suitable for a single developer on a trusted workstation.
Start a local Mini Authority? [y/N]: """


def test_without_a_terminal_nothing_is_asked(project):
    project.write_config(authority=False)
    done = refused(project, "AuthorityPromptNoTty", flags=[])
    assert "[y/N]" not in done.err
    assert not project.state.exists()


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"no\n", b"yess\n", b"y n\n", b"\x04", b"q" * 100 + b"\n"])
def test_anything_but_yes_declines(project, answer):
    project.write_config(authority=False)
    before = project.config.read_text()
    status, out, err = prompt(project, answer)
    assert status == 1 and out == "" and err.startswith(SEED_PROMPT), err
    assert "error: AuthorityDeclined: " in err
    assert project.config.read_text() == before
    assert not project.state.exists()


@pytest.mark.parametrize("answer", [b"y\n", b"YES\n", b"  Yes \n"])
def test_yes_is_kept_and_not_asked_again(project, answer):
    project.config.write_text("# keep me\n[sidecar.mapping]\nrules_path = \"rules.toml\" # and me\n")
    before = project.config.read_text()
    status, _, err = prompt(project, answer)
    assert (status, err) == (0, SEED_PROMPT)
    after = project.config.read_text()
    assert after.startswith(before) and after.count("[authority]") == 1 and 'listen_addr = "[::1]:0"' in after
    assert project.run("true", flags=[]).status == 0
    assert project.left() == []


def test_yes_without_a_file_goes_to_the_users_place(project):
    env = project.env(FIRMA_CONFIG=None)
    status, _, err = prompt(project, b"y\n", env=env)
    assert (status, err) == (0, SEED_PROMPT)
    kept = project.home / ".config" / "firma" / "firma.toml"
    assert "[authority]" in kept.read_text() and (kept.stat().st_mode & 0o777) == 0o600
    assert project.run("true", flags=[], env=env).status == 0


def test_a_terminal_is_not_asked_when_autostart_is_off(project):
    project.write_config(authority=False)
    status, _, err = prompt(project, b"y\n", flags=["--no-autostart"])
    assert status == 1 and "error: MissingAuthority: " in err and "[y/N]" not in err


# ---- capability files ----


def test_capability_files_that_are_none(project):
    missing = project.dir / "none.toml"
    flags = ["--authority", "local", "--capability-file", missing]
    refused(project, "Capability", flags=flags)
    key = project.dir / "authority.key"
    assert project.firma("authority", "generate-key", "-o", key).status == 0
    project.write_config(authority_more='key_file = "authority.key"\n')
    refused(project, "Capability", str(missing), flags=flags)
    for text in ("", "raw_token = 'v4.public.AAAA'\n", "not toml", "\x00"):
        missing.write_text(text)
        os.chmod(missing, 0o600)
        refused(project, "Capability", flags=flags)
    assert not project.state.exists()


def test_a_silent_listener_in_place_of_an_authority_ends_in_time(project):
    """It accepts and says nothing: the launch must not hang."""
    with socket.create_server(("127.0.0.1", 0)) as up:
        url = "http://127.0.0.1:%d" % up.getsockname()[1]
        done = project.run("true", flags=["--authority", url, "--sidecar-startup-timeout-secs", "1"], seconds=30)
    assert done.status == 1 and done.error() is not None, done
    assert project.left() == []


def test_a_peer_that_hangs_up_in_place_of_an_authority(project):
    with socket.create_server(("127.0.0.1", 0)) as up:
        def hang_up():
            while True:
                try:
                    up.accept()[0].close()
                except OSError:
                    return
        threading.Thread(target=hang_up, daemon=True).start()
        url = "http://127.0.0.1:%d" % up.getsockname()[1]
        done = project.run("true", flags=["--authority", url], seconds=40)
    assert done.status == 1 and done.error() is not None, done
    assert project.left() == []


def test_the_program_is_where_the_tests_think():
    assert os.access(FIRMA, os.X_OK), (FIRMA, BUILD)
