"""Runs inside the sandbox and prints one JSON object: what it could reach, read, write, signal. Judged outside."""

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys

OUTSIDE = json.loads(sys.argv[1])  # what the test set up on the host, to be looked for in here


def attempt(action):
    """The name of the error, or "ok" with what came back."""
    try:
        got = action()
        return "ok" if got is None else f"ok {got}"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e.errno)) if e.errno else type(e).__name__


def tcp(family, address):
    def connect():
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(3)
            s.connect(address)
    return attempt(connect)


def udp(family, address):
    def send():
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.sendto(b"x", address)
    return attempt(send)


def unix(address):
    def connect():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(address)
    return attempt(connect)


def text(path):
    def read():
        with open(path, "rb") as f:
            return len(f.read(65536))
    return attempt(read)


def write(path, content="x"):
    def put():
        with open(path, "w", encoding="ascii") as f:
            f.write(content)
    return attempt(put)


def listing(path):
    try:
        return sorted(os.listdir(path))
    except OSError as e:
        return errno.errorcode[e.errno]


def pid1_memory():
    with open("/proc/1/mem", "r+b", buffering=0) as f:
        f.seek(0x1000)
        f.write(b"x")


def all_environments():
    found = b""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                found += f.read()
        except OSError:
            pass
    return found.decode("latin-1")


def status_fields():
    wanted = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Groups")
    with open("/proc/self/status", encoding="ascii") as f:
        return {k: v.strip() for k, v in (line.split(":", 1) for line in f) if k in wanted}


def interfaces():
    with open("/proc/net/dev", encoding="ascii") as f:
        return sorted(line.split(":")[0].strip() for line in f if ":" in line)


def fresh_pty():
    master, slave = os.openpty()
    name = os.ttyname(slave)
    os.close(master)
    os.close(slave)
    return name


print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "name": attempt(lambda: __import__("pwd").getpwuid(os.getuid()).pw_name),
    "pid": os.getpid(), "ppid": os.getppid(), "sid_is_own_group": os.getsid(0) == os.getpgrp(),
    "hostname": socket.gethostname(), "environ": dict(os.environ), "environments": all_environments(),
    "status": status_fields(), "descriptors": sorted(set(listing("/proc/self/fd")) - {"0", "1", "2"}),
    "root": listing("/"), "dev": listing("/dev"), "run": listing("/run"), "home": listing(os.environ.get("HOME", "/")),
    "tmp": listing("/tmp"), "sys": listing("/sys"), "interfaces": interfaces(), "pty": attempt(fresh_pty),
    "routes": open("/proc/net/route", encoding="ascii").read().count("\n") - 1,
    "tcp4": tcp(socket.AF_INET, ("192.0.2.1", 80)), "tcp4_dns": tcp(socket.AF_INET, ("8.8.8.8", 53)),
    "tcp6": tcp(socket.AF_INET6, ("2001:db8::1", 80)), "udp4": udp(socket.AF_INET, ("192.0.2.1", 80)),
    "udp4_dns": udp(socket.AF_INET, ("8.8.8.8", 53)), "udp6": udp(socket.AF_INET6, ("2001:db8::1", 80)),
    "broadcast": udp(socket.AF_INET, ("255.255.255.255", 9)), "any": tcp(socket.AF_INET, ("0.0.0.0", 9)),
    "host_tcp4": tcp(socket.AF_INET, ("127.0.0.1", OUTSIDE["port4"])),
    "host_tcp6": tcp(socket.AF_INET6, ("::1", OUTSIDE["port6"])) if OUTSIDE["port6"] else "ECONNREFUSED",
    "host_abstract": unix("\0" + OUTSIDE["abstract"]), "host_unix": unix(OUTSIDE["unix"]),
    "proxy": tcp(socket.AF_INET, ("127.0.0.1", 18080)),
    "listen_low": attempt(lambda: socket.socket().bind(("127.0.0.1", 80))),
    "steal_proxy": attempt(lambda: socket.socket().bind(("127.0.0.1", 18080))),
    "shadow": text("/etc/shadow"), "keys": text("/proc/keys"), "kcore": text("/proc/kcore"),
    "secret_file": text(OUTSIDE["secret_file"]), "by_proc_root": text("/proc/1/root" + OUTSIDE["secret_file"]),
    "pid1_environ": text("/proc/1/environ"), "pid1_mem": attempt(pid1_memory),
    "pid1_exe": attempt(lambda: os.readlink("/proc/1/exe")), "pid1_kill": attempt(lambda: os.kill(1, 9)),
    "core_pattern": write("/proc/sys/kernel/core_pattern"), "overcommit": write("/proc/sys/vm/overcommit_memory"),
    "route_localnet": write("/proc/sys/net/ipv4/conf/all/route_localnet"), "sysrq": write("/proc/sysrq-trigger"),
    "userns_map": write("/proc/self/uid_map", "0 0 1"),
    "write_usr": write("/usr/x"), "write_root": write("/x"), "write_etc": write("/etc/passwd"),
    "write_init": write("/run/firma/init"), "write_tmp": write("/tmp/x"), "write_home": write(os.environ.get("HOME", "") + "/x"),
    "kill_outside": attempt(lambda: os.kill(OUTSIDE["pid"], 0)),
    "tty": attempt(lambda: os.close(os.open("/dev/tty", os.O_RDWR))),
    "device_node": attempt(lambda: os.mknod("/tmp/sda", 0o60600, os.makedev(8, 0))),
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "clean_child": subprocess.run(["/usr/bin/env", "-i", "/usr/bin/python3", "-c",
        "import socket,sys\ns=socket.socket()\ntry: s.connect(('192.0.2.1',80))\nexcept OSError as e: print(e.errno)"],
        capture_output=True, text=True, check=False).stdout.strip(),
    "resolv": open("/etc/resolv.conf", encoding="ascii").read(),
}))
