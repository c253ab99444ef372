"""Attempts on what `firma sidecar` shares between calls: addresses, pooled connections, body budget, time, attribution, audit."""

import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rawclient import Client  # noqa: E402
from real_sidecar import FIRMA, Daemon, Project, get  # noqa: E402
from static_sidecar import rule  # noqa: E402
from upstream import Upstream  # noqa: E402

pytestmark = pytest.mark.skipif(not FIRMA.exists(), reason="firma is not built")


class Dns:
    """Answers A and AAAA from a table whose entries may be functions, and remembers the names."""

    def __init__(self):
        self.table = {}
        self.asked = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            query, peer = self.sock.recvfrom(4096)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += query[at] + 1
            name, kind = ".".join(labels).lower(), struct.unpack(">H", query[at + 1:at + 3])[0]
            self.asked.append(name)
            addrs = self.table.get(name, [])
            addrs = [a for a in (addrs() if callable(addrs) else addrs) if (":" in a) == (kind == 28)]
            reply = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(addrs), 0, 0) + query[12:at + 5]
            for a in addrs:
                raw = socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a)
                reply += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(raw)) + raw
            self.sock.sendto(reply, peer)


@pytest.fixture(scope="module")
def dns():
    return Dns()


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as u:
        yield u


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory, dns, upstream):
    port = upstream.port
    rules = (rule("*.wild.example:%d" % port) + rule(upstream.authority, path="/named") +
             rule("named.example:%d" % port) + rule("*:%d" % port, path="/any"))
    with Project(tmp_path_factory.mktemp("p"), rules) as p:
        p.write_config(edit=lambda t: t + '\n[sidecar.resolver]\nservers = ["127.0.0.1:%d"]\n' % dns.port)
        p.start_authority()
        yield p.start_sidecar()


INSIDE = ["127.0.0.1", "127.255.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
          "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1", "169.254.169.254", "169.254.1.1", "10.0.0.1",
          "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "fe80::1", "fec0::1", "255.255.255.255", "224.0.0.1", "198.18.0.1"]


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(sidecar, dns, upstream, address):
    name = "h%d.wild.example" % INSIDE.index(address)
    dns.table[name] = [address]
    r = get(sidecar.address, "%s:%d" % (name, upstream.port))
    assert (r.status, r.json()["reason"]) == (403, "LoopbackBlocked")


@pytest.mark.parametrize("literal", ["127.0.0.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254",
                                     "[64:ff9b::7f00:1]"])
def test_an_inside_address_that_no_rule_names_is_refused(sidecar, upstream, literal):
    r = get(sidecar.address, "%s:%d" % (literal, upstream.port), "/any")
    assert (r.status, r.json()["reason"]) == (403, "LoopbackBlocked")


def test_the_checked_address_is_the_dialled_one(sidecar, dns, upstream):
    """A resolver that answers with an outside address first and an inside one after that."""
    answers = itertools.chain([["198.51.100.7"]], itertools.repeat(["127.0.0.1"]))
    dns.table["flip.wild.example"] = lambda: next(answers)
    before = len(upstream.requests)
    for _ in range(3):
        assert get(sidecar.address, "flip.wild.example:%d" % upstream.port).status == 403
    assert upstream.requests[before:] == []


def test_a_denied_name_is_never_looked_up(sidecar, dns):
    assert get(sidecar.address, "c2VjcmV0.denied.example").json()["reason"] == "UnclassifiedIntent"
    assert not [n for n in dns.asked if "denied.example" in n]


def test_the_guard_holds_for_pooled_connections(sidecar, upstream):
    """A rule names the address, for one path only; a connection made for that one is not for the others."""
    assert get(sidecar.address, upstream.authority, "/any").status == 403
    assert get(sidecar.address, upstream.authority, "/named").status == 200
    assert get(sidecar.address, upstream.authority, "/any").status == 403


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.1.1", "127.0.0.1", "::1", "0.0.0.0", "224.0.0.1", "fd00:ec2::254"])
def test_a_named_host_does_not_lead_to_the_metadata_service(sidecar, dns, upstream, address):
    dns.table["named.example"] = [address]
    r = get(sidecar.address, "named.example:%d" % upstream.port)
    assert (r.status, r.json().get("reason")) == (403, "LoopbackBlocked")


def test_announced_bodies_do_not_starve_others(tmp_path, upstream):
    a = upstream.authority.encode()
    with Project(tmp_path, rule(upstream.authority)) as p:
        p.start_authority()
        s = p.start_sidecar()
        held = [Client(s.address) for _ in range(17)]
        for c in held:
            c.send(b"POST http://%s/ HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 4194304\r\n\r\n" % (a, a))
        for c in held:
            c.line()  # an interim answer or a refusal: it has been looked at
        with Client(s.address) as c:
            c.send(b"POST http://%s/ HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n\r\nhello" % (a, a))
            status = c.answer().status
        for c in held:
            c.close()
    assert status == 200


SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t c, struct timespec *t)
{
    long r = syscall(SYS_clock_gettime, c, t);
    if (r == 0 && c == CLOCK_REALTIME) {
        char b[32] = { 0 };
        int fd = open(getenv("SHIM_OFFSET"), O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, b, sizeof b - 1) > 0)
            t->tv_sec += atol(b);
        if (fd >= 0)
            close(fd);
    }
    return (int)r;
}
"""


@pytest.fixture
def stepped(tmp_path, upstream):
    """A Sidecar, a call, and a way to step its wall clock."""
    if os.environ.get("FIRMA_SANITIZED") or shutil.which("cc") is None:
        pytest.skip("the clock is stepped by a preloaded library: needs a compiler and no sanitizer")
    (tmp_path / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(tmp_path / "shim.so"), str(tmp_path / "shim.c")], check=True)
    offset = tmp_path / "offset"
    offset.write_text("0")
    (tmp_path / "p").mkdir()
    with Project(tmp_path / "p", rule(upstream.authority), ttl=600) as p:
        p.start_authority()
        s = p.start_sidecar(env={"LD_PRELOAD": str(tmp_path / "shim.so"), "SHIM_OFFSET": str(offset)})

        def call(seconds):
            offset.write_text(str(seconds))
            r = get(s.address, upstream.authority)
            return r.status if r.status == 200 else r.json()["reason"]
        yield call


def test_an_expired_capability_stays_dead_when_the_clock_goes_back(stepped):
    assert stepped(0) == 200
    assert stepped(700) == "TokenExpired"
    assert stepped(0) == "TokenExpired"


def test_a_capability_from_the_future_is_refused(stepped):
    assert stepped(0) == 200
    assert stepped(-86400) != 200


def proxy_header(sandbox=b"sb", session=b"sess_1", agent=b"agent_1"):
    tlvs = b"".join(bytes([t]) + struct.pack(">H", len(v)) + v for t, v in proxy_types(sandbox, session, agent))
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x00" + struct.pack(">H", len(tlvs)) + tlvs


def proxy_types(*values):
    return zip((0xe0, 0xe1, 0xe2), values)


@pytest.fixture(scope="module")
def unix(tmp_path_factory, upstream):
    directory = tmp_path_factory.mktemp("u")
    (directory / "s").mkdir(mode=0o700)
    path = str(directory / "s/s.sock")
    if len(path) > 100:
        pytest.skip("the temporary directory's path is too long for a socket")
    with Project(directory, rule(upstream.authority)) as p:
        p.write_config(edit=lambda t: t.replace('mode = "http_proxy"', 'mode = "unix_socket"\nsocket_path = "%s"' % path)
                       .replace('listen_addr = "127.0.0.1:0"\ndrain', "drain"))
        p.start_authority()
        d = Daemon(["sidecar", "-c", "firma.toml", "--health-bind-addr", "off"], p.dir)
        p.daemons.append(d)
        d.wait_line("sidecar ready")
        d.address = path
        yield d


def request(upstream, path=b"/x"):
    return b"GET http://%s%s HTTP/1.1\r\nHost: %s\r\n\r\n" % ((upstream.authority.encode(), path, upstream.authority.encode()))


def test_a_proxy_header_binds_the_session_once(unix, upstream):
    with Client(unix.address) as c:
        c.send(proxy_header() + request(upstream))
        assert c.answer().status == 200
    with Client(unix.address) as c:  # the agent's own, behind the relay's
        c.send(proxy_header(session=b"another") + proxy_header() + request(upstream))
        r = c.answer()
        assert (r.status, r.json()["reason"]) == (400, "MalformedRequest")
        assert c.ended()


def test_a_session_without_capability_gets_no_other_ones(unix, upstream):
    with Client(unix.address) as c:
        c.send(proxy_header(session=b"another", agent=b"agent_2") + request(upstream))
        r = c.answer()
        assert (r.status, r.status != 200 and r.json()["reason"]) == (403, "TokenInvalid")


def test_the_agent_behind_a_relay_gets_no_routes(unix):
    with Client(unix.address) as c:
        c.send(proxy_header() + b"GET /routes HTTP/1.1\r\nHost: firma\r\n\r\n")
        assert c.answer().status != 200


def test_killed_at_any_moment_no_completed_call_is_missing(tmp_path, upstream):
    with Project(tmp_path, rule(upstream.authority)) as p:
        p.start_authority()
        for i in range(6):
            s = p.start_sidecar()
            done = []

            def load():
                try:
                    for k in itertools.count():
                        path = "/%d-%d" % (i, k)
                        if get(s.address, upstream.authority, path).status == 200:
                            done.append(upstream.authority + path)
                            if len(done) == 20 * (i + 1):
                                s.process.kill()
                except (OSError, EOFError, AssertionError):
                    pass
            threads = [threading.Thread(target=load) for _ in range(3)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            assert s.process.wait(5) == -signal.SIGKILL
            lines = (p.dir / "audit.jsonl").read_bytes().split(b"\n")[:-1]
            recorded = {json.loads(line)["resource"] for line in lines}
            assert [d for d in done if d not in recorded] == []
        subprocess.run(["openssl", "pkey", "-in", str(p.dir / "audit.key"), "-pubout", "-out", str(p.dir / "audit.pub")], check=True,
                       capture_output=True)
        p.start_sidecar().stop()
        p.firma("audit", "verify", "audit.jsonl", "--public-key", "audit.pub")
