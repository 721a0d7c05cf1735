"""Shows that each rule of rooms.py and files.py, and what documents.py asks of named tests, can be broken: a small house that keeps them all, then one mistake at a
time.

    house_test.py
"""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents  # noqa: E402
import files  # noqa: E402
import rooms  # noqa: E402


class House(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name)
        lines = "".join(f"| [`{room}`]({room}) | what happens there |\n" for room in rooms.ARROWS)
        self.write("src/README.md", lines)
        for room, allowed in rooms.ARROWS.items():
            includes = "".join(f'#include "{other}/x.hpp"\n' for other in sorted(allowed))
            self.write(f"src/{room}/x.hpp", "// A room.\n" + includes)
            self.write(f"src/{room}/CMakeLists.txt", f"weir_room({room} SOURCES x.cpp ROOMS {' '.join(sorted(allowed))})")
        self.write("src/source/own.cpp", '#include "weir/receiver.hpp"\n')
        self.write("src/execute/cuda/x.cu", '#include "kernels/launch/step.hpp"\n')
        self.write("src/execute/cpu/x.cpp", "#include <vector>\n")
        self.write("include/weir/weir.hpp", "// The API.\n#include <string>\n")
        self.write("tests/oracle/oracle.hpp", "// The oracle.\n#include <map>\n")

    def write(self, path, text):
        file = self.source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def check(self, module):
        arguments, sys.argv = sys.argv, ["check", str(self.source)]
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                return module.main(), out.getvalue()
        finally:
            sys.argv = arguments

    def assert_kept(self):
        for module in (rooms, files):
            self.assertEqual(self.check(module)[0], 0, self.check(module)[1])

    def assert_broken(self, module, *words):
        status, text = self.check(module)
        self.assertEqual(status, 1, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        for word in words:
            self.assertIn(word, text)

    def test_a_house_that_keeps_the_rules_passes(self):
        self.assert_kept()

    def test_an_include_against_the_arrow(self):
        self.write("src/core/y.cpp", '#include "batch/x.hpp"\n')
        self.assert_broken(rooms, "src/core/y.cpp", "batch/x.hpp")

    def test_every_arrow_that_is_not_allowed(self):
        for room, allowed in rooms.ARROWS.items():
            for other in rooms.ARROWS.keys() - allowed - {room}:
                with self.subTest(room=room, other=other):
                    self.write(f"src/{room}/y.hpp", f'// Wrong.\n#  include  "{other}/x.hpp"\n')
                    self.assert_broken(rooms, f"src/{room}/y.hpp")
                    (self.source / f"src/{room}/y.hpp").unlink()

    def test_rooms_in_the_middle_do_not_know_each_other(self):
        for room in rooms.MIDDLE:
            self.assertEqual(rooms.ARROWS[room] & rooms.MIDDLE, set())

    def test_an_include_that_walks_around_the_arrow(self):
        self.write("src/decode/y.cpp", '#include "../sink/x.hpp"\n')
        self.assert_broken(rooms, "../sink/x.hpp")

    def test_a_room_with_a_log_of_its_own(self):
        self.write("src/app/y.cpp", "#include <spdlog/spdlog.h>\n")
        self.assert_kept()
        self.write("src/sink/y.cpp", "#include <spdlog/spdlog.h>\n")
        self.assert_broken(rooms, "src/sink/y.cpp", "core/log.hpp")

    def test_a_link_line_against_the_arrow(self):
        self.write("src/ops/CMakeLists.txt", "weir_room(ops ROOMS core\n  batch LINK fmt::fmt)")
        self.assert_broken(rooms, "src/ops/CMakeLists.txt", "batch")

    def test_backends_that_know_each_other(self):
        for one, other, suffix in (("cpu", "cuda", "cpp"), ("cuda", "cpu", "cu")):
            with self.subTest(backend=one):
                file = f"src/execute/{one}/y.{suffix}"
                self.write(file, f'#include "execute/{other}/x.hpp"\n')
                self.assert_broken(rooms, file)
                (self.source / file).unlink()

    def test_a_kernel_outside_the_cuda_backend(self):
        self.write("src/execute/y.cpp", '#include "kernels/launch/step.hpp"\n')
        self.assert_broken(rooms, "src/execute/y.cpp")

    def test_the_public_api_includes_a_room(self):
        self.write("include/weir/y.hpp", '// API.\n#include "core/x.hpp"\n')
        self.assert_broken(rooms, "include/weir/y.hpp")

    def test_a_room_includes_the_public_api(self):
        self.write("src/plan/y.cpp", "#include <weir/weir.hpp>\n")
        self.assert_broken(rooms, "src/plan/y.cpp")

    def test_the_oracle_shares_arithmetic(self):
        for header in ("ops/x.hpp", "kernels/x.cuh", "execute/x.hpp"):
            with self.subTest(header=header):
                self.write("tests/oracle/y.cpp", f'#include "{header}"\n')
                self.assert_broken(rooms, "tests/oracle/y.cpp", header)

    def test_a_folder_that_is_no_room(self):
        self.write("src/utils/x.txt", "")
        self.assert_broken(rooms, "src/utils")

    def test_a_room_without_a_line(self):
        readme = self.source / "src/README.md"
        readme.write_text(readme.read_text().replace("| [`plan`](plan) |", "| plan |"))
        self.assert_broken(rooms, "no line for room plan")

    def test_a_file_that_is_too_long(self):
        for folder in ("src/core", "include/weir", "kernels", "tests/core", "bench/micro"):
            with self.subTest(folder=folder):
                self.write(f"{folder}/y.cpp", "// line\n" * files.MAX_LINES)
                self.assert_kept()
                self.write(f"{folder}/y.cpp", "// line\n" * (files.MAX_LINES + 1))
                self.assert_broken(files, f"{folder}/y.cpp", "501 lines")
                (self.source / folder / "y.cpp").unlink()

    def test_the_list_of_longer_files(self):
        files.LONGER_ON_PURPOSE["src/core/y.cpp"] = "a table"
        self.addCleanup(files.LONGER_ON_PURPOSE.clear)
        self.write("src/core/y.cpp", "// line\n" * 501)
        self.assert_kept()
        self.write("src/core/y.cpp", "// line\n")
        self.assert_broken(files, "take it off the list")

    def test_a_header_without_a_purpose(self):
        self.write("src/core/y.hpp", "#pragma once\n")
        self.assert_broken(files, "src/core/y.hpp")

    def test_what_is_left_unfinished(self):
        for word in ("TO" + "DO: later", "FIX" + "ME", "TEST(A, DIS" + "ABLED_b)"):
            with self.subTest(word=word):
                self.write("src/core/y.cpp", f"// {word}\n")
                self.assert_broken(files, "src/core/y.cpp:1")

    def test_a_path_of_one_machine(self):
        self.write("docs/y.md", "see /ho" + "me/me/notes\n")
        self.assert_broken(files, "docs/y.md:1")

    def test_a_document_that_names_a_test(self):
        where = pathlib.Path("docs/y.md")
        self.write("tests/crash/kill_test.py", "class Kill:\n    def test_qos_1(self):\n        pass\n")
        self.write("tests/crash/CMakeLists.txt", "foreach(name kill broker)\n")
        self.assertEqual(documents.check_tests(self.source, where, "`kill_test.test_qos_1`"), [])
        problem = documents.check_tests(self.source, where, "`kill_test.test_qos_1`, `kill_test.test_qos`")
        self.assertEqual(problem, ["docs/y.md: there is no test kill_test.test_qos"])
        self.write("tests/crash/CMakeLists.txt", "foreach(name broker)\n")
        problem = documents.check_tests(self.source, where, "`kill_test.test_qos_1`")
        self.assertEqual(problem, ["docs/y.md: CTest does not run kill_test.test_qos_1"])

    def test_a_promise_without_a_test(self):
        head = "## What survives what\n\n| what | shown by |\n|---|---|\n| a kill | `kill_test.test_qos_1` |\n"
        self.write("tests/runtime/faults_test.cpp", "TEST_F(Faults, EveryCall) {}\n")
        for row, good in (("| a flood | no test floods |", True), ("| a flood | |", False), ("", True),
                          ("| a disk | `Faults.EveryCall` |", True), ("| a disk | `Faults.NoCall` |", False)):
            with self.subTest(row=row):
                self.write("docs/operations.md", head + row + "\n\n## Next\n\n| not | asked |\n")
                self.assertEqual(len(documents.check_promises(self.source)), 0 if good else 1)
        self.write("docs/operations.md", "## What survives what\n")
        self.assertEqual(len(documents.check_promises(self.source)), 1)


if __name__ == "__main__":
    unittest.main()
