#!/usr/bin/env python3
"""Runs the fuzzers one after the other for a given time, then keeps a minimised corpus. `./dev fuzz --help`."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus"


def targets(build):
    return sorted(p.name[len("fuzz_"):] for p in (build / "tests" / "fuzz").glob("fuzz_*") if p.is_file() and "." not in p.name)


def run(build, name, seconds, keep):
    """Fuzzes into a scratch corpus; prints one line; true when nothing was found."""
    program = build / "tests" / "fuzz" / f"fuzz_{name}"
    seeds = CORPUS / name
    with tempfile.TemporaryDirectory(prefix=f"firma-fuzz-{name}-") as scratch:
        work = pathlib.Path(scratch) / "corpus"
        work.mkdir()
        command = [program, f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048",
                   f"-artifact_prefix={scratch}/", work]
        if seeds.is_dir():
            command.append(seeds)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        count = re.findall(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
        cover = re.findall(r"cov: (\d+)", done.stderr)
        print(f"{name:<16} {int(count[-1]) if count else 0:>12,} executions  {cover[-1] if cover else '?':>6} edges  {seconds} s  "
              f"{'ok' if done.returncode == 0 else 'FOUND SOMETHING'}", flush=True)
        for found in pathlib.Path(scratch).glob("*-*"):
            if found.is_file():
                kept = ROOT / f"fuzz-{name}-{found.name}"
                shutil.copy(found, kept)
                print(f"  input kept in {kept.name}")
        if done.returncode != 0:
            print(done.stderr[-4000:])
        elif keep:
            seeds.mkdir(exist_ok=True)
            subprocess.run([program, "-merge=1", seeds, work], capture_output=True, check=False)
        return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, prog="./dev fuzz")
    parser.add_argument("--build", default="build-fuzz", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=1, help="for each target (default 1)")
    parser.add_argument("--keep", action="store_true", help="merge new coverage into the corpus folder")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default all")
    args = parser.parse_args()
    known = targets(args.build.resolve())
    unknown = set(args.targets) - set(known)
    if unknown:
        sys.exit(f"no such fuzzer: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    results = [run(args.build.resolve(), name, int(args.minutes * 60), args.keep) for name in args.targets or known]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
