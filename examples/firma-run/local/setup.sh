#!/bin/sh
# Makes .local/ at the root of the repository: a Sidecar's configuration, one mapping rule and an audit key, to try things
# with. Existing files are left as they are, so it may be called again. FIRMA names the program, else the one just built
# is taken, else the one in PATH.
set -eu
umask 077
cd "$(dirname "$0")/../../.."
dir=${1:-.local}

ok() { printf '[ok]   %s\n' "$*"; }
warn() { printf '[warn] %s\n' "$*"; }
fail() { printf '[fail] %s\n' "$*" >&2; exit 1; }

firma=${FIRMA:-}
if [ -z "$firma" ]; then
    if [ -x build/src/cli/firma ]; then firma=$PWD/build/src/cli/firma; else firma=$(command -v firma || true); fi
fi
[ -n "$firma" ] && [ -x "$firma" ] || fail "firma is not built: run ./dev build"

[ -d "$dir" ] || mkdir "$dir"
[ ! -L "$dir" ] || fail "$dir is a link"

# put FILE: standard input becomes FILE unless it is there already.
put() {
    if [ -e "$1" ]; then ok "$1 is there already"; cat >/dev/null; else cat >"$1"; ok "$1 written"; fi
}

put "$dir/firma.toml" <<'TOML'
# A Sidecar to try things with. For a real workload: default_protected = true, and rules and policies for what may be done.
[sidecar.interceptor]
mode = "http_proxy"
listen_addr = "127.0.0.1:8080"

[sidecar.mapping]
rules_path = "mapping-rules.toml"
default_protected = false # what no rule names is passed on and recorded

[sidecar.audit]
sink = "file"
file_path = "audit.jsonl"
signing_key_path = "audit-key.pem"
TOML

put "$dir/mapping-rules.toml" <<'TOML'
# One rule to start from; docs/reference/mapping-rules.md has the rest.
glob = "segment"

[[rules]]
method = "POST"
host = "api.example.com"
path = "/v1/messages"
action_class = "communication.external.send"
TOML

if [ -e "$dir/audit-key.pem" ]; then
    ok "$dir/audit-key.pem is there already"
else
    "$firma" audit generate-key -o "$dir/audit-key.pem" >/dev/null || fail "no audit key could be made"
    ok "$dir/audit-key.pem and $dir/audit-key.pub written"
fi

command -v bwrap >/dev/null || warn "bubblewrap is not installed: firma run needs it (apt install bubblewrap)"

cat <<NEXT

Next, for example:
  $firma sidecar -c $dir/firma.toml                                       # the proxy alone, until Ctrl-C
  $firma run -c $dir/firma.toml --authority local -- curl http://example.com/
  $firma audit verify $dir/audit.jsonl --public-key $dir/audit-key.pub
NEXT
