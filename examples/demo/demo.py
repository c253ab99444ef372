#!/usr/bin/env python3
"""`./dev demo`: the whole product on real input. Starts a service of its own, runs an agent under `firma run`, prints what was
expected and what happened for each attempt, then the signed audit events and the run as `sidecar status` saw it.
Exit status 0 only when every line is as expected."""

import argparse
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = "service.demo.example"
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class Service(http.server.BaseHTTPRequestHandler):
    """Answers every request, and remembers that it came."""

    protocol_version = "HTTP/1.1"
    seen = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Service.seen.append((self.command, self.path, body))
        reply = b"hello from the demo service"
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


def start_service():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def write_project(folder, firma, port):
    """The files that an operator would keep: mapping, policies, keys."""
    (folder / "policies").mkdir(mode=0o700)
    (folder / "issuance").mkdir(mode=0o700)
    (folder / "mapping-rules.toml").write_text(f"""[[rules]]
host = "{NAME}:{port}"
action_class = "communication.external.send"
""")
    (folder / "policies" / "demo.cedar").write_text("""// Reading is allowed, sending data away is not.
permit (principal, action == Firma::Action::"communication.external.send", resource)
when { resource has method && resource.method == "GET" };
""")
    (folder / "issuance" / "issuance.cedar").write_text("permit (principal, action, resource);\n")
    subprocess.run([firma, "audit", "generate-key", "--output", folder / "audit.key"], check=True, stdout=subprocess.DEVNULL)
    (folder / "firma.toml").write_text(f"""[authority]
listen_addr = "[::1]:0"
policy_dir = "policies"
issuance_policy_dir = "issuance"

[sidecar.mapping]
rules_path = "mapping-rules.toml"

[sidecar.resolver]
hosts = {{ "{NAME}" = "127.0.0.1" }}

[sidecar.audit]
sink = "file"
file_path = "{folder}/audit.jsonl"
signing_key_path = "audit.key"
""")


class Report:
    def __init__(self):
        self.failed = 0

    def line(self, what, expected, happened, good):
        mark = "ok  " if good else "FAIL"
        if COLOUR:
            mark = f"\x1b[{32 if good else 31}m{mark}\x1b[0m"
        self.failed += not good
        print(f"  {mark}  {what:<24} expected {expected:<22} happened: {happened}")


EXPECTED = [
    ("allowed GET", "200", lambda s: s.startswith("200 hello")),
    ("denied POST", "403 PolicyDenied", lambda s: s == "403 PolicyDenied"),
    ("unmapped host", "403 UnclassifiedIntent", lambda s: s == "403 UnclassifiedIntent"),
    ("raw TCP past the proxy", "failed", lambda s: s.startswith("failed")),
    ("DNS, unrouted name", "NXDOMAIN", lambda s: s == "NXDOMAIN"),
    ("host secret file", "absent", lambda s: s == "absent"),
    ("host secret variable", "absent", lambda s: s == "absent"),
]


def run_agent(firma, folder, port, env):
    script = (HERE / "agent.py").read_text()
    secret = folder / "secret.txt"
    secret.write_text("the launch code\n")
    return subprocess.Popen(
        [firma, "run", "--config", folder / "firma.toml", "--authority", "local", "--sandbox-id", "demo", "--",
         "python3", "-c", script, f"http://{NAME}:{port}", str(secret), f"127.0.0.1:{port}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def show_attempts(agent, report):
    print("\nInside the sandbox:")
    for what, expected, good in EXPECTED:
        line = agent.stdout.readline()
        try:
            said = json.loads(line)
        except ValueError:
            said = {"what": "?", "outcome": f"the agent said {line!r}"}
        report.line(what, expected, said["outcome"], said["what"] == what and good(said["outcome"]))


def show_status(firma, env, report):
    print("\nThe run while it was alive (firma sidecar status):")
    table = subprocess.run([firma, "sidecar", "status"], env=env, capture_output=True, text=True, check=False)
    print("".join("  " + row + "\n" for row in table.stdout.splitlines()), end="")
    told = subprocess.run([firma, "sidecar", "status", "--json"], env=env, capture_output=True, text=True, check=False)
    rows = json.loads(told.stdout or "[]")
    good = len(rows) == 1 and rows[0]["state"] == "running" and rows[0]["sandbox_id"] == "demo" and told.returncode == 0
    report.line("state", "running", rows[0]["state"] if rows else "no row", good)


def show_audit(firma, folder, report):
    print("\nSigned audit events (firma audit verify):")
    verified = subprocess.run([firma, "audit", "verify", folder / "audit.jsonl", "--public-key", folder / "audit.pub"],
                              capture_output=True, text=True, check=False)
    signed = dict(line.split(None, 1)[::-1] for line in verified.stdout.splitlines() if line.startswith(("OK ", "BAD ")))
    events = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    for event in events:
        verdict = signed.get(event["event_id"], "MISSING")
        decision = {1: "ALLOW", 2: "DENY", 3: "ABORT"}.get(event["decision"], "?")
        report.line(f"{decision} {event['resource'][:40]}", "signature OK", f"signature {verdict}  {event['deny_reason'][:70]}",
                    verdict == "OK")
    decisions = [event["decision"] for event in events]
    report.line("decisions in the log", "[1, 2, 2]", str(decisions), decisions == [1, 2, 2])
    report.line("chain and signed head", "exit 0", f"exit {verified.returncode}", verified.returncode == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firma", required=True, help="the program")
    firma = os.path.abspath(parser.parse_args().firma)
    began = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="firma-demo-"))
    report = Report()
    try:
        server = start_service()
        port = server.server_address[1]
        write_project(folder, firma, port)
        env = dict(os.environ, FIRMA_STATE_DIR=str(folder / "state"), DEMO_SECRET="a variable of the host")
        print(f"A service of this host listens on 127.0.0.1:{port} as {NAME}.")
        print("Starting:  firma run --authority local -- python3 agent.py")
        agent = run_agent(firma, folder, port, env)
        show_attempts(agent, report)
        show_status(firma, env, report)
        agent.communicate("done\n", timeout=20)
        print("\nAfterwards:")
        report.line("exit status of the agent", "0", str(agent.returncode), agent.returncode == 0)
        reached = [(method, path) for method, path, _ in Service.seen]
        report.line("what reached the service", "GET /hello only", str(reached), reached == [("GET", "/hello")])
        left = list((folder / "state" / "run").glob("[!.]*"))
        report.line("markers left behind", "none", str(len(left)), not left)
        show_audit(firma, folder, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    verdict = "Everything as expected." if not report.failed else f"{report.failed} lines are not as expected."
    print(f"\n{verdict}  ({time.monotonic() - began:.1f} s)")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
