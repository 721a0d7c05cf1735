"""Checks what no compiler checks: a file holds one concept (its length), nothing is left half done, nothing points to
the machine it was written on.

    files.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

MAX_LINES = 500
# A file that is longer on purpose: its path -> why. The reason is the price; an entry that is no longer needed is a
# mistake as well.
LONGER_ON_PURPOSE: dict[str, str] = {}
CODE = {".cpp", ".hpp", ".cu", ".cuh", ".h"}
TEXT = CODE | {".md", ".txt", ".cmake", ".toml", ".py", ".sh", ".json", ".yml", ""}
FOLDERS = ["src", "include", "tests", "bench", "examples", "kernels", "cmake", "docs", "scripts", "sample-data", ".ci"]
# Spelt in two pieces, so that this file does not find itself.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "\\bXX" + "X\\b", "DIS" + "ABLED_", r"\bHA" + r"CK\b"]))
OWN_MACHINE = re.compile("|".join(["/wo" + "rk/", "/ho" + r"me/\w", r"\.libr" + "ary/"]))


def files(source: pathlib.Path):
    for folder in FOLDERS:
        for file in sorted((source / folder).rglob("*")):
            if file.is_file() and file.suffix in TEXT and "__pycache__" not in file.parts:
                yield file
    yield from (file for file in sorted(source.iterdir()) if file.is_file() and file.suffix in TEXT)


def main() -> int:
    source = pathlib.Path(sys.argv[1])
    problems = []
    for file in files(source):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a sample or a fuzzer's input
        where = file.relative_to(source)
        lines = text.splitlines()
        if file.suffix in CODE and len(lines) > MAX_LINES and str(where) not in LONGER_ON_PURPOSE:
            problems.append(f"{where}: {len(lines)} lines, more than {MAX_LINES}: is this still one concept?")
        if str(where) in LONGER_ON_PURPOSE and len(lines) <= MAX_LINES:
            problems.append(f"{where}: short enough: take it off the list in tests/house/files.py")
        if file.suffix == ".hpp" and not text.startswith("//"):
            problems.append(f"{where}:1: a header begins with a comment that says what it is for")
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line):
                problems.append(f"{where}:{number}: left unfinished: {line.strip()[:80]}")
            if OWN_MACHINE.search(line):
                problems.append(f"{where}:{number}: a path of one machine: {line.strip()[:80]}")
    print("\n".join(problems) or "nothing found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
