#!/usr/bin/python3
"""libcedar against Cedar's official build, the npm package @cedar-policy/cedar-wasm, on made-up cases.

  tests/differential/run.py [--count N] [--seed S] [--driver PROGRAM] [--package DIR]

Without --package the package comes from the cache ($XDG_CACHE_HOME/firma/differential) and is put there by `npm install` when it
is absent. Prints every difference that docs/reference/cedar-differences.md does not explain, and closes with
"N passed, N failed". Exit 0 all agree, 1 not, 77 when node, npm or the package cannot be had (the reason is printed)."""

import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("FIRMA_BUILD", HERE.parents[1] / "build"))
NAME = "@cedar-policy/cedar-wasm"
VERSION = "4.12.0"  # 4.13.0 turned one class of validation errors into warnings
SKIP = 77
CHUNK = 500
INSTALL_TIMEOUT_S = 180
CHUNK_TIMEOUT_S = 300


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIP)


def package():
    """The folder of the reference."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    home = pathlib.Path(cache) / "firma" / "differential" / VERSION
    where = home / "node_modules" / NAME
    if (where / "nodejs" / "cedar_wasm.js").is_file():
        return where
    if shutil.which("npm") is None:
        skip("npm is not installed, and the package is not in the cache")
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_text("{}\n")
    try:
        done = subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", f"{NAME}@{VERSION}"],
                              cwd=home, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        skip(f"npm install {NAME}@{VERSION} did not end within {INSTALL_TIMEOUT_S} s")
    if done.returncode != 0 or not (where / "nodejs" / "cedar_wasm.js").is_file():
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        skip(f"npm install {NAME}@{VERSION} failed: " + " / ".join(said[:2]))
    return where


def compare(command):
    """One chunk in a node of its own. V8 itself died on long runs, so a node that a signal ended is asked once more, unoptimised."""
    done = None
    for options in ([], ["--no-opt"]):
        done = subprocess.run(["node", *options, *command], capture_output=True, text=True, timeout=CHUNK_TIMEOUT_S,
                              stdin=subprocess.DEVNULL)
        if done.returncode >= 0:
            break
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--driver", default=str(BUILD / "tests/differential/cedar_driver"))
    parser.add_argument("--package", help="an unpacked package, instead of the cache")
    args = parser.parse_args()
    if shutil.which("node") is None:
        skip("node is not installed")
    if not os.access(args.driver, os.X_OK):
        skip(f"{args.driver} is not built")
    reference = pathlib.Path(args.package) if args.package else package()

    passed = failed = 0
    seen = collections.Counter()
    for number, begin in enumerate(range(0, args.count, CHUNK)):
        command = [str(HERE / "compare.js"), "--package", str(reference), "--driver", args.driver,
                   "--seed", str((args.seed * 1000003 + number) % 2**32), "--count", str(min(CHUNK, args.count - begin))]
        done = compare(command + (["--fixed"] if number == 0 else []))
        *rows, summary, last = ["", "", *done.stdout.splitlines()]
        match = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
        if match is None or done.returncode not in (0, 1):
            print(f"chunk {number}: node ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            failed += 1
            continue
        passed += int(match[1])
        failed += int(match[2])
        for word, n in re.findall(r"((?:explained: )?[^:,]+): (\d+)", summary):
            seen[word.strip()] += int(n)
        for row in filter(None, rows):
            print(row, flush=True)
    for word, n in sorted(seen.items()):
        print(f"{n:8} {word}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
