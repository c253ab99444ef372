#!/usr/bin/env python3
"""Runs a conformance runner over a corpus: with_corpus.py NAME RUNNER [ARG...]

The corpus is $FIRMA_CORPORA/NAME, or ../shared/corpora/NAME beside the source tree. Archives in it are unpacked into a
private temporary folder; the runner gets that folder (or the corpus folder itself, when it holds no archive) as
its last argument. Exits with the runner's status; 77, with the reason, when the corpus is absent.
"""
import os
import subprocess
import sys
import tarfile
import tempfile

SKIP = 77


def corpus_dir(name):
    base = os.environ.get("FIRMA_CORPORA")
    if not base:
        source = os.environ.get("FIRMA_SRC") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        base = os.path.join(source, "..", "shared", "corpora")
    return os.path.abspath(os.path.join(base, name))


def unpack(archives, target):
    for archive in archives:
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                # Test data needs plain files and folders inside the target, nothing else.
                clean = os.path.normpath(member.name)
                if clean.startswith(("/", "..")) or not (member.isfile() or member.isdir()):
                    continue
                tar.extract(member, target)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    name, command = sys.argv[1], sys.argv[2:]
    where = corpus_dir(name)
    if not os.path.isdir(where):
        print(f"skipped: no corpus at {where} (set FIRMA_CORPORA to the folder that holds '{name}')")
        return SKIP
    archives = sorted(os.path.join(where, f) for f in os.listdir(where) if f.endswith((".tar.xz", ".tar.gz", ".tar")))
    if not archives:
        return subprocess.call(command + [where])
    with tempfile.TemporaryDirectory(prefix="firma-corpus-") as target:
        unpack(archives, target)
        return subprocess.call(command + [target])


if __name__ == "__main__":
    sys.exit(main())
