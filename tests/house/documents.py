"""Checks the documents against the program: every setting is documented, every configuration that they show is one that
`weir check` accepts, and every link between them leads somewhere.

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
    problems = check_settings(source)
    files = [*sorted(source.glob("*.md")), *sorted((source / "docs").rglob("*.md")), source / "src/README.md",
             source / "sample-data/README.md"]
    for file in files:
        text = file.read_text(encoding="utf-8")
        problems += check_links(source, file, text)
        if len(sys.argv) > 2:
            problems += check_configurations(sys.argv[2], file.relative_to(source), text)
    print("\n".join(problems) or f"{len(files)} documents are in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
