#!/usr/bin/env python3
"""The rules of this tree that a compiler does not check: who may include whom, header contracts, banned calls, sizes,
words that must not stay, documents that repeat the code (lint_docs.py). Prints one line a finding and closes with a
count; exit 1 when there is any."""

import pathlib
import re
import subprocess
import sys

import lint_docs

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# Folder -> folders it may include besides itself. docs/ARCHITECTURE.md shows the same table.
BELOW_L2 = {"base", "core", "net"}
LAYERS = {
    "base": set(),
    "core": {"base"},
    "net": {"base"},
    "cedar": set(),
    "paseto": set(),
    "token": BELOW_L2,
    "rpc": BELOW_L2,
    "enforce": BELOW_L2 | {"token"},
    "audit": BELOW_L2 | {"token"},
    "stack": BELOW_L2 | {"token"},
    "init": set(),
    "run": BELOW_L2 | {"token", "rpc", "enforce", "audit", "stack", "init"},
    "sidecar": BELOW_L2 | {"token", "rpc", "enforce", "audit", "stack"},
    "authority": BELOW_L2 | {"token", "rpc", "enforce", "audit", "stack"},
    "cli": None,  # everything
}
# Public headers of the standalone libraries, and who may use them.
PUBLIC = {"cedar/cedar.h": {"cedar", "enforce", "authority", "cli"}, "paseto/paseto.h": {"paseto", "token"},
          "firma/sidecar_markers.h": {"stack", "cli"}}

BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|system|popen|mktemp|tmpnam|alloca|atoi|atol|atoll|strtol|strtoll|"
    r"usleep|sleep)\s*\(")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
FOREIGN = re.compile(r"(?<![\w}])/work/|(?<!\.\.)/shared/|registry\.npmjs\.org|deb\.debian\.org|\bseeds?/0", re.I)

FILE_HARD_LINES = 800
FUNCTION_HARD_LINES = 100
HEADER_HARD_LINES = 320

findings = []


def say(path, line, text):
    findings.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def strip_comments(text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def check_includes(path, text):
    folder = path.relative_to(SRC).parts[0]
    allowed = LAYERS.get(folder, set())
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        name = match.group(2)
        if name in PUBLIC:
            if folder not in PUBLIC[name]:
                say(path, number, f"{folder}/ may not use <{name}>")
            continue
        if match.group(1) == "<":
            continue
        top = name.split("/")[0]
        if top == name:
            continue  # generated, beside the file
        if top not in LAYERS:
            continue
        if allowed is not None and top != folder and top not in allowed:
            say(path, number, f"layer: {folder}/ may not include {top}/")
        if name.endswith(("_priv.h", "_int.h")) and top != folder:
            say(path, number, f"{name} belongs to {top}/ alone")


def check_header(path, text):
    head = text[:1500]
    if not text.startswith("/*"):
        say(path, 1, "a header begins with its purpose")
    if "Layer:" not in head and "layer" not in head.lower():
        say(path, 1, "the header does not say its layer")
    if len(text.splitlines()) > HEADER_HARD_LINES:
        say(path, 1, f"header longer than {HEADER_HARD_LINES} lines")


def check_functions(path, code):
    start = None
    for number, line in enumerate(code.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_HARD_LINES:
                say(path, start, f"function of {number - start - 1} lines, at most {FUNCTION_HARD_LINES}")
            start = None


def check_words(path, text, code):
    for number, line in enumerate(code.splitlines(), 1):
        match = BANNED.search(line)
        if match:
            say(path, number, f"banned call: {match.group(1)}")
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            say(path, number, "unfinished: " + line.strip()[:60])
        if len(line) > 140:
            say(path, number, "line longer than 140 columns")
    lines = len(text.splitlines())
    if lines > FILE_HARD_LINES:
        say(path, 1, f"{lines} lines, at most {FILE_HARD_LINES}")


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = out.stdout.splitlines() if out.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
    return [ROOT / n for n in names if (ROOT / n).is_file()]


def main():
    count = 0
    for path in tracked():
        if path.suffix in {".bin", ".seed", ".png"} or "corpus" in path.parts:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != pathlib.Path(__file__).resolve():
            for number, line in enumerate(text.splitlines(), 1):
                if FOREIGN.search(line):
                    say(path, number, "names something that is not part of this project: " + line.strip()[:60])
        if path.suffix not in {".c", ".h"}:
            continue
        count += 1
        code = strip_comments(text)
        if SRC in path.parents:
            check_includes(path, text)
            if path.suffix == ".h" and not path.name.endswith("_table.h"):
                check_header(path, text)
            check_functions(path, code)
        if SRC in path.parents or "include" in path.parts:
            check_words(path, text, code)
    lint_docs.check(ROOT, LAYERS, say)
    for line in findings:
        print(line)
    print(f"lint: {count} C files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
