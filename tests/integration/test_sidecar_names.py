"""Names and addresses: policy before look-up, the operator's table, the guard against inside addresses."""

import pathlib
import socket
import struct
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from static_sidecar import DRIVER, StaticSidecar, rule  # noqa: E402
from upstream import Upstream  # noqa: E402

pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the static Sidecar is not built")


class Dns:
    """Answers every A query from a table, AAAA with nothing, and remembers the names."""

    def __init__(self, table):
        self.table = table
        self.asked = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                query, peer = self.sock.recvfrom(4096)
            except OSError:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += query[at] + 1
            name = ".".join(labels)
            kind = struct.unpack(">H", query[at + 1:at + 3])[0]
            self.asked.append(name)
            addrs = self.table.get(name, []) if kind == 1 else []
            rcode = 0 if name in self.table else 3
            reply = query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(addrs), 0, 0) + query[12:at + 5]
            for a in addrs:
                reply += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(a)
            self.sock.sendto(reply, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def options(dns, *more):
    return ["--servers", "127.0.0.1:%d" % dns.port, *more]


def test_a_denied_name_is_never_looked_up(tmp_path):
    with Dns({}) as dns, StaticSidecar(tmp_path, rule("ok.example"), options=options(dns)) as s:
        assert s.get("c2VjcmV0.evil.example").status == 403
        assert s.ask(b"CONNECT c2VjcmV0.evil.example:443 HTTP/1.1\r\nHost: c2VjcmV0.evil.example:443\r\n\r\n").status == 403
        assert dns.asked == []


def test_name_that_does_not_exist(tmp_path):
    with Dns({}) as dns, StaticSidecar(tmp_path, rule("ok.example"), options=options(dns)) as s:
        r = s.get("ok.example")
        assert r.status == 504 and r.json()["reason"] == "CONNECTOR_FAILURE"
        assert set(dns.asked) == {"ok.example"}  # no search list


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
                                     "172.16.0.1", "224.0.0.1", "255.255.255.255"])
def test_wildcard_rules_never_reach_inside_addresses(tmp_path, address):
    with Dns({"a.wild.example": [address]}) as dns, StaticSidecar(tmp_path, rule("*.wild.example"), options=options(dns)) as s:
        r = s.get("a.wild.example")
        assert r.status == 403 and r.json()["reason"] == "LoopbackBlocked"
        (event,) = s.events()
        assert event["decision"] == 2 and event["resource"] == "a.wild.example/"


def test_a_rule_that_names_the_host_lifts_the_check_for_private_networks_only(tmp_path):
    with Upstream() as u, Dns({"here.example": ["127.0.0.1"], "lan.example": ["10.255.255.1"]}) as dns:
        rules = rule("here.example:%d" % u.port) + rule("lan.example:1")
        with StaticSidecar(tmp_path, rules, options=options(dns, "--limit", "dispatch_ms=300")) as s:
            r = s.get("here.example:%d" % u.port)
            assert (r.status, r.json()["reason"], u.connections) == (403, "LoopbackBlocked", 0)
            assert s.get("lan.example:1").status != 403  # tried, whoever is there or not


def test_a_rule_for_the_very_address_may(tmp_path):
    with Upstream() as u, Dns({}) as dns, StaticSidecar(tmp_path, rule(u.authority), options=options(dns)) as s:
        assert s.get(u.authority).status == 200


def test_literal_address_needs_its_own_rule(tmp_path):
    with Upstream() as u, Dns({}) as dns:
        with StaticSidecar(tmp_path, rule("*"), options=options(dns)) as s:
            assert s.get(u.authority).json()["reason"] == "LoopbackBlocked"
            assert s.get("[::1]:%d" % u.port).json()["reason"] == "LoopbackBlocked"
            assert s.get("[::ffff:127.0.0.1]:%d" % u.port).json()["reason"] == "LoopbackBlocked"
            assert dns.asked == [] and u.connections == 0


def test_the_operators_table_comes_first_and_vouches(tmp_path):
    with Upstream() as u, Dns({"svc.wild.example": ["10.9.9.9"]}) as dns:
        opts = options(dns, "--host", "svc.wild.example=127.0.0.1")
        with StaticSidecar(tmp_path, rule("*.wild.example:%d" % u.port), options=opts) as s:
            assert s.get("SVC.wild.example.:%d" % u.port).status == 200
            assert dns.asked == []


def test_public_addresses_among_inside_ones_are_the_only_ones_dialled(tmp_path):
    # 192.0.2.0/24 is documentation space, refused as well: nothing is left to dial.
    with Dns({"mix.wild.example": ["127.0.0.1", "192.0.2.1"]}) as dns:
        with StaticSidecar(tmp_path, rule("*.wild.example"), options=options(dns)) as s:
            assert s.get("mix.wild.example").json()["reason"] == "LoopbackBlocked"


def test_dead_name_server_is_a_timeout_not_a_hang(tmp_path):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    opts = ["--servers", "127.0.0.1:%d" % silent.getsockname()[1], "--limit", "dispatch_ms=600"]
    with StaticSidecar(tmp_path, rule("ok.example"), options=opts) as s:
        r = s.get("ok.example")
        assert r.status == 504 and r.json()["reason"] == "CONNECTOR_TIMEOUT"
    silent.close()
