"""scripts/gpu-check with programs that only pretend, for there is no GPU where the tests run: its order, its budget of
time, what it writes, and that a failure is one. And the picture of a timeline."""
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile
import unittest
import xml.etree.ElementTree as xml

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"

WEIR = r"""#!/bin/sh
echo "weir $*" >>"$PRETEND_LOG"
case "$1" in
  devices) echo "cpu      available     some"; [ "$PRETEND_DEVICE" = none ] || echo 'cuda:0   available     A "GPU"' ;;
  bench)
    echo '{"benchmark":"'"$2"'","readings_per_s":1}'
    while [ $# -gt 0 ]; do
      if [ "$1" = --timeline ]; then cp "$PRETEND_TIMELINE" "$2"; fi
      shift
    done ;;
  verify) echo "every bit identical" ;;
esac
"""
CONTRACT = r"""#!/bin/sh
echo "contract $*" >>"$PRETEND_LOG"
echo "[  PASSED  ] 3 tests."
exit "$PRETEND_STATUS"
"""
# compute-sanitizer and ncu: what they run follows their own options.
TOOL = r"""#!/bin/sh
echo "tool $*" >>"$PRETEND_LOG"
echo '"ID","Kernel Name"'
"""


def span(lane, begin, end, name, size=0):
    return {"ph": "X", "name": name, "pid": 1, "tid": lane, "ts": begin, "dur": end - begin, "args": {"bytes": size}}


def lane(number, name):
    return {"ph": "M", "name": "thread_name", "pid": 1, "tid": number, "args": {"name": name}}


TIMELINE = {"otherData": {"device": "A <GPU>", "readings": 7}, "traceEvents": [
    lane(0, "copies to the device"), lane(1, "kernels"),
    span(0, 0, 4000, "copy to device", 100), span(0, 6000, 10000, "copy to device", 60),
    span(1, 3000, 7000, "GlobalStep")]}


class GpuCheck(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.kit = pathlib.Path(self.folder.name) / "kit"
        self.log = self.kit / "log"
        (self.kit / "bin").mkdir(parents=True)
        (self.kit / "path").mkdir()
        (self.kit / "sample-data").mkdir()
        (self.kit / "sample-data/one.toml").touch()
        for script in ("gpu-check", "timeline-picture"):
            self.write(script, (SCRIPTS / script).read_text())
        self.write("bin/weir", WEIR)
        self.write("bin/weir_test_contract", CONTRACT)
        for tool in ("compute-sanitizer", "ncu"):
            self.write(f"path/{tool}", TOOL)
        (self.kit / "timeline").write_text(json.dumps(TIMELINE))
        self.asked = self.kit / "asked"

    def write(self, name, text):
        (self.kit / name).write_text(text)
        (self.kit / name).chmod(0o755)

    def check(self, *options, status="0", device="one"):
        environment = {**os.environ, "PATH": f"{self.kit}/path:{os.environ['PATH']}", "PRETEND_STATUS": status,
                       "PRETEND_DEVICE": device, "PRETEND_LOG": str(self.asked),
                       "PRETEND_TIMELINE": str(self.kit / "timeline")}
        return subprocess.run([self.kit / "gpu-check", "--log", self.log, *options], env=environment,
                              capture_output=True, text=True, timeout=60)

    def steps(self):
        return json.loads((self.log / "summary.json").read_text())["steps"]

    def test_everything_runs_the_important_first_and_few_files_come_back(self):
        done = self.check("--minutes", "9")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        steps = self.steps()
        self.assertEqual({step["verdict"] for step in steps}, {"passed"})
        names = [step["step"] for step in steps]
        order = ["contract suite", "bench gpu: latency, timeline", "bench gpu: 10000 groups", "timeline as a picture",
                 "compute-sanitizer memcheck", "ncu GlobalStep", "verify one.toml", "replay on cuda", "replay on cpu",
                 "bench gpu: 10000000 groups"]
        self.assertEqual([name for name in names if name in order], order)
        self.assertLessEqual(len(list(self.log.iterdir())), 8)
        for line in (self.log / "bench.jsonl").read_text().splitlines():
            json.loads(line)
        self.assertIn("Kernel Name", (self.log / "ncu.csv").read_text())
        self.assertIn("timeline.svg", os.listdir(self.log))
        with tarfile.open(self.log / "logs.tar.gz") as logs:
            self.assertIn("./contract.txt", logs.getnames())
        asked = self.asked.read_text()
        self.assertIn("*DeviceFault*", asked)
        # A test that breaks the device is what a sanitizer would complain about.
        self.assertFalse([line for line in asked.splitlines() if line.startswith("tool") and "Fault" in line])

    def test_without_time_everything_is_left_out_and_said_so(self):
        done = self.check("--minutes", "0")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual({step["verdict"] for step in self.steps()}, {"left out"})
        self.assertNotIn("contract", self.asked.read_text())

    def test_a_failure_is_a_failure_and_the_rest_still_runs(self):
        done = self.check(status="3")
        self.assertEqual(done.returncode, 1)
        verdicts = {step["step"]: step["verdict"] for step in self.steps()}
        self.assertEqual(verdicts["contract suite"], "FAILED (3)")
        self.assertEqual(verdicts["replay on cuda"], "passed")

    def test_without_a_device_nothing_is_proven(self):
        self.assertEqual(self.check(device="none").returncode, 1)

    def test_dry_run_runs_nothing(self):
        done = self.check("--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("contract suite: ", done.stdout)
        self.assertFalse(self.asked.exists())


class TimelinePicture(unittest.TestCase):
    def draw(self, *options, timeline=TIMELINE):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(timeline, file)
            file.flush()
            return subprocess.run([SCRIPTS / "timeline-picture", file.name, *options], capture_output=True, text=True,
                                  timeout=60)

    def test_table_adds_up_and_overlap_is_that_of_the_shorter_lane(self):
        table = self.draw("--table").stdout
        self.assertIn("| copies to the device | copy to device | 2 | 8.000 | 160 |", table)
        self.assertIn("| kernels | GlobalStep | 1 | 4.000 |", table)
        self.assertIn("| copies to the device, kernels | 50 % |", table)  # 3 to 4 and 6 to 7 ms of 4

    def test_picture_has_a_box_for_each_span(self):
        picture = xml.fromstring(self.draw().stdout)
        titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
        self.assertEqual(titles, ["copy to device, 4.000 ms, 100 bytes", "copy to device, 4.000 ms, 60 bytes",
                                  "GlobalStep, 4.000 ms"])

    def test_an_empty_timeline_is_an_error(self):
        self.assertNotEqual(self.draw(timeline={"otherData": {}, "traceEvents": []}).returncode, 0)


if __name__ == "__main__":
    unittest.main()
