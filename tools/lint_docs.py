"""Documents that repeat what the code says: the parts of tools/lint.py that keep the two together. check(root, layers, say)
reports each difference by say(path, line, text). Called by itself it writes anew what can be:
the values of docs/reference/limits.md, and the known holes of docs/THREATS.md."""

import pathlib
import re

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
LIMIT = re.compile(r"^\| `([A-Z0-9_]+)` \| `([^`]+)` \| `([^`]+)` \|")
ERROR_ROW = re.compile(r"^\| `(\w+)` \| (\d) \|.*\| ([^|]*) \|$")
ERROR_DEF = re.compile(r'FB_ERR\(\w+, "(\w+)", (\d), *\s*"([^"]*)"\)')
# Headers that hold nothing but limits: each of their constants must stand on the page.
LIMIT_HEADERS = ("src/core/limits.h", "src/rpc/bounds.h")


def anchor(title):
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def anchors(path):
    return {anchor(re.sub(r"[`*]", "", m.group(1))) for m in re.finditer(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)}


def check_links(root, path, say):
    fenced = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, part = target.partition("#")
            where = (path.parent / name).resolve() if name else path
            if not where.exists():
                say(path, number, f"link to nothing: {target}")
            elif part and where.suffix == ".md" and part not in anchors(where):
                say(path, number, f"no such heading: {target}")


def check_limits(root, say):
    page = root / "docs/reference/limits.md"
    named = set()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        row = LIMIT.match(line)
        if row is None:
            continue
        name, value, header = row.groups()
        named.add(name)
        where = root / header
        text = where.read_text(encoding="utf-8") if where.is_file() else ""
        found = re.search(rf"\b{name}\s*=\s*([^,}}/\n]+)", text)
        if found is None or found.group(1).strip() != value:
            say(page, number, f"{name} is {found.group(1).strip() if found else 'not there'} in {header}, {value} here")
    for header in LIMIT_HEADERS:
        for name in re.findall(r"^    ([A-Z0-9_]+)\s*=", (root / header).read_text(encoding="utf-8"), re.M):
            if name not in named:
                say(page, 1, f"{name} of {header} is missing")


def check_errors(root, say):
    page = root / "docs/reference/errors.md"
    code = {m[0]: m[1:] for m in ERROR_DEF.findall((root / "src/base/err_table.h").read_text(encoding="utf-8"))}
    shown = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        row = ERROR_ROW.match(line)
        if row is not None:
            shown[row.group(1)] = row.groups()[1:]
    for name in sorted(code.keys() | shown.keys()):
        if code.get(name) != shown.get(name):
            say(page, 1, f"{name}: the table says {code.get(name)}, the page {shown.get(name)}")


def check_reasons(root, say):
    page = root / "docs/reference/denials.md"
    text = page.read_text(encoding="utf-8")
    table = (root / "src/core/reason_table.h").read_text(encoding="utf-8")
    for wire, shown in re.findall(r'FC_REASON\(\w+, "(\w+)", "([^"]+)"', table):
        if f"| `{wire}` | {shown} |" not in text:
            say(page, 1, f"the row of {wire}, '{shown}', is missing")


def check_actions(root, say):
    page = root / "docs/reference/action-classes.md"
    text = page.read_text(encoding="utf-8")
    registry = (root / "data/actions/registry.toml").read_text(encoding="utf-8")
    for name in re.findall(r'^name = "([\w.]+)"', registry, re.M):
        if f"`{name}`" not in text:
            say(page, 1, f"the class {name} is missing")


def check_reachable(root, say):
    """Every page is named by another one, so that a reader finds it."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    named = set()
    for path in pages:
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            named.add((path.parent / target.partition("#")[0]).resolve())
    for path in pages:
        if path.name != "README.md" and path.resolve() not in named:
            say(path, 1, "no page leads here")


def check_architecture(root, layers, say):
    """The page names every folder of src/, and the layer table of the lint row by row."""
    page = root / "docs/ARCHITECTURE.md"
    text = page.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)/` \| [^|]* \| ([^|]*) \|", text, re.M))
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()}
    for name in sorted(folders ^ rows.keys()):
        say(page, 1, f"{name}/ is {'missing here' if name in folders else 'no folder of src/'}")
    for name in sorted(folders & rows.keys()):
        below = layers.get(name, set())
        wanted = "everything" if below is None else " ".join(sorted(below)) or "nothing"
        said = " ".join(sorted(re.sub(r"[`,]", "", rows[name]).split()))
        if said != wanted:
            say(page, 1, f"{name}/ may include {wanted}; the page says {said}")
    for file in re.findall(r"`((?:src|include|data|tools|tests|examples|bench)/[\w./-]+)`", text):
        if not (root / file).exists():
            say(page, 1, f"names a file that is not there: {file}")


def check_threats(root, say):
    """Every promise stands beside a test that exists, and that is not an open finding; known holes beside one that is."""
    page = root / "docs/THREATS.md"
    files = {p.name: p for p in (root / "tests").rglob("*") if p.suffix in {".py", ".c"}}
    is_hole = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            is_hole = line == "## Known holes"
            if line.startswith("## Not"):
                break
        if not line.startswith("| ") or re.match(r"\| (an agent cannot|promise|hole) ", line):
            continue
        named = re.findall(r"`(\w+\.(?:py|c))(?:::(\w+))?`", line.split("|")[2])
        if not named:
            say(page, number, "a promise without a test")
        for file, test in named:
            text = files[file].read_text(encoding="utf-8") if file in files else ""
            if file not in files or (test and f"def {test}(" not in text):
                say(page, number, f"no such test: {file}{'::' + test if test else ''}")
            elif bool(re.search(rf"^@(?:finding|pytest\.mark\.xfail)\((?:(?!\ndef )[\s\S])*?\ndef {test}\(", text, re.M)) != is_hole:
                say(page, number, f"{file}::{test} is {'no open finding' if is_hole else 'an open finding, not a promise'}")


def check_mentions(root, say):
    """Code and scripts name pages of docs/ too."""
    for folder in ("src", "include", "data", "tests", "tools", "bench", "examples", "packaging"):
        for path in (root / folder).rglob("*"):
            if path.suffix not in {".c", ".h", ".py", ".sh", ".toml", ".cedar", ".proto", ".build"} or "corpus" in path.parts:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                for name in re.findall(r"\bdocs/[\w/-]+\.md\b", line):
                    if not (root / name).is_file():
                        say(path, number, f"names a page that is not there: {name}")


def check(root, layers, say):
    for path in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        check_links(root, path, say)
    check_limits(root, say)
    check_errors(root, say)
    check_reasons(root, say)
    check_actions(root, say)
    check_reachable(root, say)
    check_architecture(root, layers, say)
    check_threats(root, say)
    check_mentions(root, say)


def write_limits(root):
    """The values of the rows that are there; rows are added by hand, because what a limit means is not in its name."""
    page = root / "docs/reference/limits.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        row = LIMIT.match(line)
        header = root / row.group(3) if row else None
        found = header and header.is_file() and re.search(rf"\b{row.group(1)}\s*=\s*([^,}}/\n]+)", header.read_text(encoding="utf-8"))
        if found:
            lines[i] = line.replace(f"| `{row.group(2)}` |", f"| `{found.group(1).strip()}` |", 1)
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


HOLE = re.compile(r"^@(?:finding|pytest\.mark\.xfail)\(((?:(?!\ndef )[\s\S])*?)\)\n(?:@[^\n]*\n)*def (test_\w+)", re.M)


def write_holes(root):
    """Tests that are expected to fail, with their reasons; a test that no longer is has to be given its row by hand."""
    rows = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        for mark, test in HOLE.findall(path.read_text(encoding="utf-8")):
            reason = "".join(re.findall(r'"([^"]*)"', mark.split("\n@")[0]))
            rows.append(f"| {reason} | `{path.name}::{test}` |")
    page = root / "docs/THREATS.md"
    text = re.sub(r"\n## Known holes\n.*?(?=\n## Not protected)", "", page.read_text(encoding="utf-8"), flags=re.S)
    head = ("\n## Known holes\n\nFound by our own attacks and not closed yet. Each test is expected to fail until then, and then has to "
            "move up.\n\n| hole | test |\n|---|---|\n")
    if rows:
        text = text.replace("\n## Not protected", head + "\n".join(rows) + "\n\n## Not protected", 1)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_limits(pathlib.Path(__file__).resolve().parent.parent)
    write_holes(pathlib.Path(__file__).resolve().parent.parent)
