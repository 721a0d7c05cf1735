"""Checks the documents against the program: every setting is documented, every configuration that they show is one that
`weir check` accepts, every link between them leads somewhere, and every test that they name as a proof exists and is run.

    documents.py SOURCE_DIRECTORY [WEIR]
"""
import pathlib
import re
import subprocess
import sys

FENCED = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# How the configuration's reader asks for an entry.
SETTING = re.compile(r'\b(?:reader|details|stream|query)\.(?:\w+)(?:<[^>]*>)?\("([a-z_0-9]+)"')
# A test of the program as a whole: `kill_test.test_qos_1` is in tests/*/kill_test.py.
TEST = re.compile(r"`(\w+_test)\.(test_\w+)`")
# One of a room: `Faults.EveryCallMayFail` is in tests/*/*.cpp.
UNIT_TEST = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that a renderer makes of headings: lower case, no punctuation, blanks as hyphens."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def check_links(source: pathlib.Path, file: pathlib.Path, text: str) -> list[str]:
    problems = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        where = file.relative_to(source)
        if not target.exists():
            problems.append(f"{where}: the link {link} leads nowhere")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            problems.append(f"{where}: the link {link} leads to no heading")
    return problems


def check_tests(source: pathlib.Path, where: pathlib.Path, text: str) -> list[str]:
    problems = []
    for module, test in TEST.findall(text):
        files = list((source / "tests").glob(f"*/{module}.py"))
        if not any(re.search(rf"^    def {test}\(self", file.read_text(encoding="utf-8"), re.MULTILINE) for file in files):
            problems.append(f"{where}: there is no test {module}.{test}")
        name = module.removesuffix("_test")
        lists = [file.parent / "CMakeLists.txt" for file in files]
        if not any(re.search(rf"(?:foreach|set)\([^)]*\b{name}\b", file.read_text(encoding="utf-8")) for file in lists if file.exists()):
            problems.append(f"{where}: CTest does not run {module}.{test}")
    return problems


def check_promises(source: pathlib.Path) -> list[str]:
    """Each line of the table of what survives what names its test, or says that there is none."""
    file = source / "docs/operations.md"
    section = file.read_text(encoding="utf-8").partition("## What survives what")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    if not rows:
        return ["docs/operations.md: no table of what survives what"]
    problems = []
    for row in rows:
        proof = row.rsplit("|", 2)[1]
        units = UNIT_TEST.findall(proof)
        if not TEST.search(proof) and not units and "no test" not in proof:
            problems.append(f"docs/operations.md: no test is named for: {row[:80]}")
        for suite, test in units:
            if not any(re.search(rf"^TEST(?:_[FP])?\({suite}, {test}\)", path.read_text(encoding="utf-8"), re.MULTILINE)
                       for path in (source / "tests").glob("*/*.cpp")):
                problems.append(f"docs/operations.md: there is no test {suite}.{test}")
    return problems


def check_configurations(weir: str, where: pathlib.Path, text: str) -> list[str]:
    problems = []
    for configuration in FENCED.findall(text):
        if "[streams." not in configuration:
            continue  # a fragment
        result = subprocess.run([weir, "check", "-"], input=configuration, capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            problems.append(f"{where}: weir check refuses a configuration:\n{result.stderr}")
    return problems


def check_settings(source: pathlib.Path) -> list[str]:
    document = (source / "docs/configuration.md").read_text(encoding="utf-8")
    asked = set()
    for file in sorted((source / "src/plan").glob("configuration*.cpp")):
        asked |= set(SETTING.findall(file.read_text(encoding="utf-8")))
    if len(asked) < 50:
        return [f"only {len(asked)} settings were found in src/plan: has the reader changed its style?"]
    return [f"docs/configuration.md does not name `{name}`" for name in sorted(asked)
            if not re.search(rf"[`\[\s]{name}(`|\]|\.NAME| =)", document)]


def main() -> int:
    source = pathlib.Path(sys.argv[1]).resolve()
    problems = check_settings(source) + check_promises(source)
    files = [*sorted(source.glob("*.md")), *sorted((source / "docs").rglob("*.md")), source / "src/README.md",
             source / "sample-data/README.md"]
    for file in files:
        text = file.read_text(encoding="utf-8")
        problems += check_links(source, file, text)
        problems += check_tests(source, file.relative_to(source), text)
        if len(sys.argv) > 2:
            problems += check_configurations(sys.argv[2], file.relative_to(source), text)
    print("\n".join(problems) or f"{len(files)} documents are in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
