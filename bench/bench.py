#!/usr/bin/env python3
"""Prints the speed table. Every figure stands beside its yardstick, bare bwrap or a direct connection, measured in the
same run. Nothing is asserted: a figure is news, not a test. Options: --build DIR, --short, and the parts to run."""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = "bench.example"
BARE_BWRAP = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
              "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin",
              "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev",
              "--tmpfs", "/tmp", "--", "true"]


def row(what, figure, beside=""):
    print(f"  {what:<58} {figure:>16}   {beside}", flush=True)


def timed(command, count, env=None):
    """Median and 99th percentile in milliseconds over @count runs, after one to warm up."""
    taken = []
    for i in range(count + 1):
        began = time.perf_counter()
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        spent = (time.perf_counter() - began) * 1000
        if done.returncode != 0:
            sys.exit(f"{command[0]} {command[1]} failed: {done.stderr.decode()}")
        if i > 0:
            taken.append(spent)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99) - 1 if len(taken) > 1 else 0]


class Bench:
    def __init__(self, build, short):
        self.firma = build / "src" / "cli" / "firma"
        self.build = build
        self.short = short
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="firma-bench-"))
        self.env = dict(os.environ, FIRMA_STATE_DIR=str(self.folder / "state"))
        self.children = []
        self.upstream = self.start([build / "bench" / "bench_upstream", "0"])
        self.port = int(self.upstream.stdout.readline())
        self.write_project()

    def start(self, command, **more):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.env, **more)
        self.children.append(child)
        return child

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.terminate()
                child.wait(timeout=10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write_project(self):
        f = self.folder
        for name in ("policies", "issuance", "scripts"):
            (f / name).mkdir(mode=0o755)
        f.chmod(0o755)
        shutil.copy(HERE / "proxied.lua", f / "scripts")
        (f / "rules.toml").write_text(
            f'[[rules]]\nhost = "{NAME}:{self.port}"\naction_class = "communication.external.send"\n')
        (f / "policies" / "bench.cedar").write_text(
            'permit (principal, action == Firma::Action::"communication.external.send", resource)\n'
            'when { resource has method && resource.method == "GET" };\n')
        (f / "issuance" / "issuance.cedar").write_text("permit (principal, action, resource);\n")
        (f / "firma.toml").write_text(f"""[authority]
listen_addr = "[::1]:0"
policy_dir = "policies"
issuance_policy_dir = "issuance"
[sidecar.mapping]
rules_path = "rules.toml"
[sidecar.resolver]
hosts = {{ "{NAME}" = "127.0.0.1" }}
[sidecar.limits]
clients = 2048
clients_per_peer = 2048
[run.profiles.bench]
mounts = [{{ source = "{f}/scripts", target = "/bench", read_only = true }}]
""")

    def run_command(self, *command):
        return [str(self.firma), "run", "--config", str(self.folder / "firma.toml"), "--profile", "bench", "--authority",
                "local", "--", *command]

    # ---- parts ------------------------------------------------------------------------------------------------

    def startup(self):
        count = 10 if self.short else 60
        print(f"\nStart-up, {count} runs each (wall clock, from exec to exit)")
        bare, bare_99 = timed(BARE_BWRAP, count)
        row("bwrap alone, the same namespaces, true", f"{bare:.1f} ms", f"p99 {bare_99:.1f} ms")
        mine, mine_99 = timed(self.run_command("true"), count, self.env)
        row("firma run -- true, Authority and Sidecar autostarted", f"{mine:.1f} ms",
            f"{mine / bare:.1f} x bwrap (budget 5 x), p99 {mine_99:.1f} ms")
        holder = self.holder()
        sock = self.folder / "state" / "run" / "bench" / "sidecar.sock"
        outside = [str(self.firma), "run", "--config", str(self.folder / "firma.toml"), "--sidecar", f"unix://{sock}", "--",
                   "true"]
        mine, mine_99 = timed(outside, count, self.env)
        row("firma run -- true, external Sidecar", f"{mine:.1f} ms",
            f"{mine / bare:.1f} x bwrap (budget 2 x), p99 {mine_99:.1f} ms")
        self.release(holder)

    def holder(self):
        """A run that stays alive until its standard input ends; its Sidecar is the one that others use."""
        command = self.run_command("sh", "-c", "echo ready; cat >/dev/null")
        command[2:2] = ["--sandbox-id", "bench"]
        child = self.start(command, stdin=subprocess.PIPE)
        if child.stdout.readline().strip() != "ready":
            sys.exit("the sandbox of the benchmark did not start")
        return child

    @staticmethod
    def release(child):
        child.stdin.close()
        child.wait(timeout=20)

    def wrk(self, url, connections, seconds, proxied):
        """Requests a second and median latency in microseconds."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
        if proxied:
            command += ["-s", "/bench/proxied.lua", "http://127.0.0.1:18080/", "--", url]
            command = self.run_command(*command)
            command[2:2] = ["--sandbox-id", "load"]
        else:
            command += [url]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        median = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout)
        if not rate or not median:
            sys.exit(f"wrk said: {done.stdout}{done.stderr}")
        if "Non-2xx" in done.stdout:
            print("  (some calls were refused)", done.stdout.split("Non-2xx")[1].splitlines()[0])
        unit = {"us": 1, "ms": 1000, "s": 1000000}[median.group(2)]
        return float(rate.group(1)), float(median.group(1)) * unit

    def latency(self, url, proxied):
        """Median microseconds of one call on a kept connection, with an ordinary client."""
        code = (HERE / "latency.py").read_text()
        command = ["/usr/bin/python3", "-c", code, url, "127.0.0.1:18080" if proxied else "", "300" if self.short else "3000"]
        if proxied:
            command = self.run_command(*command)
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"the latency client failed: {done.stderr}")
        return float(done.stdout)

    def http(self):
        if shutil.which("wrk") is None:
            print("\nHTTP: skipped, wrk is not installed")
            return
        seconds = 2 if self.short else 8
        url = f"http://{NAME}:{self.port}/hello"
        direct_url = f"http://127.0.0.1:{self.port}/hello"
        print(f"\nPlain HTTP, keep-alive, policy and audit on, {seconds} s each (wrk, upstream in C on loopback)")
        direct = self.latency(direct_url, proxied=False)
        row("one connection, direct: median latency, Python client", f"{direct:.0f} us")
        mine = self.latency(url, proxied=True)
        row("one connection, through the sandbox, Python client", f"{mine:.0f} us",
            f"{mine / direct:.1f} x direct (budget 2.5 x), +{mine - direct:.0f} us")
        _, direct = self.wrk(direct_url, 1, seconds, False)
        row("the same with wrk, direct", f"{direct:.0f} us")
        _, mine = self.wrk(url, 1, seconds, True)
        row("the same with wrk, through the sandbox", f"{mine:.0f} us", f"{mine / direct:.1f} x direct, +{mine - direct:.0f} us")
        rate, _ = self.wrk(direct_url, 32, seconds, False)
        row("32 connections, direct", f"{rate:,.0f} req/s")
        watcher = CpuWatcher(self.folder / "state")
        watcher.start()
        rate, _ = self.wrk(url, 32, seconds, True)
        usage = watcher.stop()
        row("32 connections, through the sandbox", f"{rate:,.0f} req/s", "budget 25,000 req/s")
        done = rate * seconds
        if usage:
            row("CPU of the Sidecar's loop, a request", f"{usage['loop'] / done * 1e6:.1f} us", "budget 40 us")
            row("CPU of its audit thread, an event", f"{usage['rest'] / done * 1e6:.1f} us", "budget 35 us")

    def memory(self):
        import socket
        print("\nMemory of the Sidecar")
        holder = self.holder()
        told = subprocess.run([str(self.firma), "sidecar", "status", "--json"], env=self.env, capture_output=True, text=True,
                              check=False)
        entry = next(e for e in json.loads(told.stdout) if e["sandbox_id"] == "bench")
        row("resident, idle", f"{resident_mb(entry['pid']):.1f} MB", "budget 10 MB")
        conns = []
        for _ in range(1000):
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(entry["listen"])
                s.sendall(f"GET http://{NAME}:{self.port}/hello HTTP/1.1\r\nHost: {NAME}:{self.port}\r\n\r\n".encode())
                s.recv(4096)
            except OSError:
                break
            conns.append(s)
        row(f"resident, {len(conns)} idle connections", f"{resident_mb(entry['pid']):.1f} MB", "budget 60 MB at 1,000")
        for s in conns:
            s.close()
        self.release(holder)
        size = self.firma.stat().st_size
        row("the program, with debug information", f"{size / 1e6:.1f} MB", "budget 15 MB with its libraries")

    def decide(self):
        for program in ("bench_decide", "bench_cedar"):
            path = self.build / "bench" / program
            if path.exists():
                print(f"\n{program}")
                calls = "20000" if self.short else "200000"
                done = subprocess.run([path, calls], capture_output=True, text=True, check=False)
                for line in (done.stdout + done.stderr).splitlines():
                    print("  " + line)


def resident_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


class CpuWatcher:
    """Reads what the Sidecar's threads have used while a load runs: the last sample before it ends counts."""

    def __init__(self, state):
        self.state = state

    def start(self):
        import threading
        self.over = threading.Event()
        self.last = None
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        first = None
        marker = self.state / "run" / "load" / "sidecar.pid"
        while not self.over.wait(0.05):
            try:
                pid = int(marker.read_text())
                now = {int(t.name): self.ticks(t / "stat") for t in pathlib.Path(f"/proc/{pid}/task").iterdir()}
            except (OSError, ValueError):
                continue
            first = first or now
            self.last = (pid, {t: now[t] - first.get(t, 0) for t in now})

    @staticmethod
    def ticks(path):
        fields = path.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.over.set()
        self.thread.join()
        if self.last is None:
            return None
        pid, used = self.last
        return {"loop": used.get(pid, 0), "rest": sum(v for t, v in used.items() if t != pid)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", type=pathlib.Path)
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("parts", nargs="*", metavar="PART", help="startup, http, memory, decide; default all")
    args = parser.parse_args()
    bench = Bench(args.build.resolve(), args.short)
    try:
        for part in args.parts or ["startup", "http", "memory", "decide"]:
            getattr(bench, part)()
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
