"""`firma authority`: keys, offline issuance, the revocation file, and configurations that must be refused."""

import os
import re
import stat
import sys
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from authority_dir import AuthorityDir


@pytest.fixture
def where(tmp_path):
    return AuthorityDir(tmp_path)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_key_pair_has_the_right_sizes_and_modes_and_is_never_overwritten(where):
    secret, public = where.at("keys/authority.key"), where.at("keys/authority.pub")
    assert os.path.getsize(secret) == 64 and mode(secret) == 0o600
    assert os.path.getsize(public) == 32 and mode(public) == 0o644
    before = open(secret, "rb").read()
    assert before[32:] == open(public, "rb").read()
    again = where.run("generate-key", "--output", secret)
    assert again.returncode == 1 and "AlreadyExists" in again.stderr
    assert open(secret, "rb").read() == before


def test_a_key_without_extension_gets_pub_appended_and_a_lone_public_file_blocks(where):
    where.run("generate-key", "-o", where.at("keys/plain"), check=True)
    assert os.path.getsize(where.at("keys/plain.pub")) == 32
    open(where.at("keys/other.pub"), "w").close()
    refused = where.run("generate-key", "-o", where.at("keys/other.key"))
    assert refused.returncode == 1
    assert not os.path.exists(where.at("keys/other.key"))


def test_a_capability_file_has_its_nine_keys_in_order_and_is_private(where):
    done = where.issue("code.read", "communication.external.send")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "issued capability to %s\n" % where.at("capability.toml")
    text = where.read("capability.toml")
    keys = re.findall(r"^(\w+) = ", text, re.M)
    assert keys == ["raw_token", "token_id", "agent_id", "session_id", "action_set", "resource_scope", "issued_at",
                    "expiry", "context_hash"]
    assert '"v4.public.' in text and mode(where.at("capability.toml")) == 0o600


def test_a_forbidden_action_is_denied_with_the_policy_named(where):
    where.write("issuance/no_money.cedar", 'forbid(principal, action == Firma::Action::"payment.transfer", resource);\n')
    done = where.issue("code.read", "payment.transfer")
    assert done.returncode == 1
    assert "error: IssuanceDenied: issuance failed: cedar denied issuance (POLICY_DENIED): " in done.stderr
    assert "'payment.transfer'" in done.stderr and "policy0" in done.stderr
    assert not os.path.exists(where.at("capability.toml"))


def test_each_reason_code_has_its_case(where):
    assert "(CONTEXT_BUILD_FAILED)" in where.issue("no.such.action").stderr
    where.write("issuance/open.cedar", 'permit(principal, action == Firma::Action::"code.read", resource);\n')
    assert "default, nothing permitted it" in where.issue("code.write").stderr
    os.unlink(where.at("issuance/open.cedar"))
    assert "(NO_POLICIES)" in where.issue("code.read").stderr


def test_issuance_asks_the_issuance_bundle_not_the_enforcement_bundle(where):
    where.write("policies/open.cedar", "forbid(principal, action, resource);\n")
    assert where.issue("code.read").returncode == 0


def test_ids_that_could_carry_cedar_text_are_refused(where):
    for bad in ('a"; permit(principal,action,resource); //', "", "a b", "é", "x" * 129):
        done = where.tool("issue", "--agent-id", bad, "--session-id", "s", "--action", "code.read", "-o",
                          where.at("c.toml"))
        assert done.returncode == 1 and "agent_id" in done.stderr
    done = where.tool("issue", "--agent-id", "x" * 128, "--session-id", str(uuid.uuid4()), "--action", "code.read",
                      "-o", where.at("c.toml"))
    assert done.returncode == 0, done.stderr


def test_usage_errors_exit_with_two(where):
    for args in (["issue"], ["revocations"], ["revocations", "add"], ["nonsense"], ["--nonsense"], ["init-tls"]):
        assert where.tool(*args).returncode == 2, args
    for args in (["--help"], ["issue", "--help"], ["generate-key", "-h"], ["revocations", "--help"],
                 ["revocations", "add", "--help"]):
        done = where.run(*args)
        assert done.returncode == 0 and "Examples:" in done.stdout, args


def test_a_revocation_is_appended_once_and_survives_compaction(where):
    token = str(uuid.uuid4())
    assert where.tool("revocations", "add", "-r", "laptop\u00a0lost", token).stdout == "revoked token: %s\n" % token
    assert where.tool("revoke", "add", token).returncode == 0
    line = where.read("revocations.txt")
    assert line.count("\n") == 1
    assert re.fullmatch(token + r"\t\d{4}-\d\d-\d\dT[\d:.]+\+00:00\tlaptop\u00a0lost\n", line)
    with open(where.at("revocations.txt"), "a") as f:
        f.write("\n%s\t2001-01-01T00:00:00Z\told\n%s" % (uuid.uuid4(), "0" * 8 + token[8:]))
    done = where.tool("rev", "compact")
    assert done.stdout == "compacted: %s\n" % where.at("revocations.txt")
    lines = where.read("revocations.txt").splitlines()
    assert len(lines) == 2 and lines == sorted(lines) and "file-based revocation" in lines[0]
    assert mode(where.at("revocations.txt")) == 0o600


def test_bad_revocations_are_refused(where):
    for args in (["not-an-id"], ["-r", "two\nlines", str(uuid.uuid4())], ["-r", "tab\there", str(uuid.uuid4())]):
        assert where.tool("revocations", "add", *args).returncode == 1
    assert where.read("revocations.txt") == "" if os.path.exists(where.at("revocations.txt")) else True


@pytest.mark.parametrize("changes, words", [
    ({"no_such_key": 1}, "no_such_key"),
    ({"max_ttl_seconds": 0}, "max_ttl_seconds"),
    ({"max_ttl_seconds": -5}, "max_ttl_seconds"),
    ({"bundle_ttl_seconds": 0}, "bundle_ttl_seconds"),
    ({"max_ttl": "0s"}, "max_ttl"),
    ({"listen_addr": "localhost:50051"}, "listen_addr"),
    ({"listen_addr": "127.0.0.1"}, "listen_addr"),
    ({"listen_addr": "0.0.0.0:0"}, "allow_insecure_remote_listen"),
    ({"listen_addr": "[::]:0"}, "allow_insecure_remote_listen"),
    ({"tls_cert_path": "x.crt"}, "TlsPairMismatch"),
    ({"mtls_client_ca_cert_path": "x.crt"}, "MtlsPairMismatch"),
    ({"mtls_client_ca_cert_path": "x.crt", "authorized_clients_path": "y"}, "MtlsRequiresServerTls"),
    ({"tls_cert_path": "x.crt", "tls_key_path": "y"}, "TLS"),
    ({"policy_dir": ""}, "policy_dir"),
    ({"policy_dir": "nowhere"}, "PolicyLoadFailed"),
    ({"key_file": "nowhere.key"}, "nowhere.key"),
])
def test_a_configuration_that_is_wrong_stops_the_start_and_is_named(where, changes, words):
    where.configure(**changes)
    done = where.tool()
    assert done.returncode == 1
    assert "error: " in done.stderr and words in done.stderr


def test_the_environment_wins_over_the_file_and_is_checked(where):
    assert "TlsPairMismatch" in where.tool(env={"FIRMA_AUTHORITY_TLS_CERT_PATH": "x"}).stderr
    assert "MAX_TTL_SECONDS" in where.tool(env={"FIRMA_AUTHORITY_MAX_TTL_SECONDS": "soon"}).stderr.upper()
    done = where.tool("issue", "--agent-id", "a", "--session-id", "s", "--action", "code.read", "-o", where.at("c"),
                      env={"FIRMA_AUTHORITY_ISSUANCE_POLICY_DIR": "/nonexistent"})
    assert "PolicyLoadFailed" in done.stderr


def test_a_key_that_others_may_read_or_that_is_damaged_stops_the_start(where):
    key = where.at("keys/authority.key")
    os.chmod(key, 0o640)
    assert "InsecureFile" in where.tool().stderr
    os.chmod(key, 0o600)
    good = open(key, "rb").read()
    for bad in (good[:32], good + b"\n", good[:63] + bytes([good[63] ^ 1]), b""):
        with open(key, "wb") as f:
            f.write(bad)
        done = where.tool()
        assert done.returncode == 1 and "invalid private key" in done.stderr, bad


def test_a_policy_that_does_not_parse_stops_the_start_and_names_file_and_line(where):
    where.write("policies/zz.cedar", "permit(principal, action, resource);\npermit(principal\n")
    done = where.tool()
    assert done.returncode == 1
    assert re.search(r"error: PolicyLoadFailed: .*zz\.cedar:[23]:", done.stderr), done.stderr
