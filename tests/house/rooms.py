"""Checks that every #include follows the arrows of the rooms (src/README.md), that the link lines in each room's
CMakeLists.txt say the same, and that src/README.md has a line for each room. house_test.py shows that it can fail.

    rooms.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

# Room -> the rooms whose headers it may include. Rooms in the middle never include each other.
DATA = {"core", "spec", "ops", "batch"}
MIDDLE = {"source", "journal", "decode", "plan", "state", "sink"}
MQTT = {"source", "plan", "sink"}  # those of them that know MQTT
ARROWS = {
    "core": set(),
    "spec": {"core"},
    "ops": {"core"},
    "batch": {"core"},
    "mqtt": {"core"},
    **{room: DATA for room in MIDDLE},
    **{room: DATA | {"mqtt"} for room in MQTT},
    "execute": DATA | {"plan", "state"},
    "runtime": DATA | MIDDLE | {"execute"},
    "api": DATA | MIDDLE | {"execute", "runtime"},
    "app": DATA | MIDDLE | {"mqtt", "execute", "runtime"},
}
# Who may include the public API: the room that implements it, and the one that drives a user's own receiver.
PUBLIC = {"core": {"weir/error.hpp"}, "source": {"weir/receiver.hpp"}, "api": None}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
ROOMS_ARGUMENT = re.compile(r"\bROOMS\s+([^)]*?)(?=\b(?:SOURCES|LINK|PUBLIC_LINK)\b|\))", re.DOTALL)
CODE = {".cpp", ".hpp", ".h", ".cu", ".cuh"}


def code(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix in CODE)


def room_of(include: str) -> str | None:
    first = include.split("/", 1)[0]
    return first if first in ARROWS else None


def check_includes(source: pathlib.Path) -> list[str]:
    problems = []
    for room, allowed in ARROWS.items():
        for file in code(source / "src" / room):
            for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
                target = room_of(include)
                where = file.relative_to(source)
                if target is not None and target != room and target not in allowed:
                    problems.append(f'{where}: room {room} may not include "{include}"')
                if ".." in include.split("/"):
                    problems.append(f'{where}: name the room instead of "{include}"')
                if include.startswith("spdlog/") and room != "app":
                    problems.append(f'{where}: only the program sets a log up; rooms write to "core/log.hpp"')
                if include.startswith("kernels/") and "src/execute/cuda/" not in file.as_posix():
                    problems.append(f'{where}: only the cuda backend may include "{include}"')
                public = PUBLIC.get(room, set())
                if include.startswith("weir/") and public is not None and include not in public:
                    problems.append(f'{where}: room {room} may not include the public API ("{include}")')
    for backend, other in (("cpu", "cuda"), ("cuda", "cpu")):
        for file in code(source / "src/execute" / backend):
            for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
                if include.startswith(f"execute/{other}/"):
                    problems.append(f'{file.relative_to(source)}: the {backend} backend may not include "{include}"')
    return problems


def check_links(source: pathlib.Path) -> list[str]:
    problems = []
    for room, allowed in ARROWS.items():
        lists = source / "src" / room / "CMakeLists.txt"
        if not lists.exists():
            continue
        for match in ROOMS_ARGUMENT.finditer(lists.read_text(encoding="utf-8")):
            for linked in match.group(1).split():
                if linked in ARROWS and linked not in allowed:
                    problems.append(f"{lists.relative_to(source)}: room {room} may not link room {linked}")
    return problems


def check_public(source: pathlib.Path) -> list[str]:
    """What is installed must compile without the rooms."""
    problems = []
    for file in code(source / "include"):
        for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
            if room_of(include) is not None:
                problems.append(f'{file.relative_to(source)}: the public API may not include "{include}"')
    return problems


def check_oracle(source: pathlib.Path) -> list[str]:
    """The oracle must not share arithmetic with what it judges."""
    problems = []
    for file in code(source / "tests/oracle"):
        for include in INCLUDE.findall(file.read_text(encoding="utf-8")):
            if include.startswith(("ops/", "execute/", "kernels/")):
                problems.append(f'{file.relative_to(source)}: the oracle may not include "{include}"')
    return problems


def check_readme(source: pathlib.Path, folders: set[str]) -> list[str]:
    readme = source / "src/README.md"
    lines = readme.read_text(encoding="utf-8") if readme.exists() else ""
    return [
        f"src/README.md: no line for room {room}"
        for room in sorted(folders & ARROWS.keys())
        if not re.search(rf"^\|\s*\[`{room}`\]\({room}\)\s*\|\s*\S", lines, re.MULTILINE)
    ]


def main() -> int:
    source = pathlib.Path(sys.argv[1])
    folders = {path.name for path in (source / "src").iterdir() if path.is_dir()}
    problems = [f"src/{name}: a folder that is no room" for name in sorted(folders - ARROWS.keys())]
    problems += check_includes(source) + check_links(source) + check_public(source) + check_oracle(source)
    problems += check_readme(source, folders)
    print("\n".join(problems) or f"{len(ARROWS)} rooms keep to their arrows")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
