"""Files that are not as they should be: long lines, unreadable, replaced, growing. One of them never ends a source."""

import json
import os
import signal
import time
import unittest

from support import DEADLINE, WeirTest

CONFIG = """
[pipeline]
batch_interval = "50ms"
state_dir = "state"
dead_letter = "dead.jsonl"
max_message = "1MiB"

[streams.s]
source = {{ {source} }}
time = {{ field = "t", unit = "s" }}
keys = ["k"]
fields = {{ v = 0 }}

[[query]]
name = "q"
from = "s"
select = ["v"]
sinks = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "rows.jsonl"
"""
DIRECTORY = 'type = "directory", path = "in", poll = "20ms", settle = "300ms"'
LONG = "x" * (3 << 20)


def reading(number, key="k"):
    return json.dumps({"t": number, "k": key, "v": number}) + "\n"


def as_nobody():
    """Root reads every file."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


class Files(WeirTest):
    def configure(self, source):
        self.write("c.toml", CONFIG.format(source=source))

    def put(self, name, text):
        """Complete when it appears."""
        directory = self.directory / "in"
        directory.mkdir(exist_ok=True)
        hidden = self.write("in/.written", text)
        os.utime(hidden, (1000, 1000))
        hidden.rename(directory / name)

    def values(self):
        path = self.directory / "rows.jsonl"
        return [json.loads(line)["v"] for line in path.read_text().splitlines()] if path.exists() else []

    def gives(self, values):
        self.eventually(lambda: self.values() == values, f"rows {values}")

    def reasons(self):
        return [json.loads(line)["reason"] for line in self.read("dead.jsonl").splitlines()]

    def test_a_bad_file_or_line_costs_itself_alone_live_and_in_a_replay(self):
        self.configure(DIRECTORY)
        self.put("1.json", reading(1))
        self.put("2.json", reading(2) + LONG + "\n" + reading(3))
        self.put("3.json", reading(0))
        (self.directory / "in/3.json").chmod(0)
        self.put("4.json", LONG)
        self.put("5.json", reading(5))
        self.directory.chmod(0o777)
        for command in ("run", "replay"):
            if command == "run":
                gateway = self.start_weir(command, "c.toml", preexec_fn=as_nobody)
                self.gives([1, 2, 3, 5])
                text = self.stop(gateway)
            else:
                text = self.weir(command, "c.toml", "--state-dir", "other", preexec_fn=as_nobody).stderr
            self.assertEqual(self.values(), [1, 2, 3, 5])
            self.assertIn("7 received = 4 delivered + 0 duplicate + 3 malformed", text)
            self.assertIn("too_large 2, unreadable 1", text)
            self.assertEqual(text.count("warning cannot read 'in/3.json': Permission denied"), 1, text)
        self.assertEqual(sorted(set(self.reasons())), ["too_large", "unreadable"])

    def test_an_unreadable_file_counts_once_over_restarts_and_is_read_when_it_can_be(self):
        self.configure(DIRECTORY)
        self.directory.chmod(0o777)
        self.put("1.json", reading(1))
        (self.directory / "in/1.json").chmod(0)
        self.put("2.json", reading(2))
        for life in range(3):
            gateway = self.start_weir("run", "c.toml", preexec_fn=as_nobody)
            self.gives([2])
            self.eventually(lambda: "1.json" in self.log(gateway), "the log names the file")
            self.assertIn("unreadable 1", self.stop(gateway))
        gateway = self.start_weir("run", "c.toml", preexec_fn=as_nobody)
        (self.directory / "in/1.json").chmod(0o644)
        self.gives([2, 1])
        self.assertIn("unreadable 1", self.stop(gateway))

    def test_a_file_that_was_replaced_is_read_from_its_beginning(self):
        self.configure('type = "file", path = "a.json"')
        self.write("a.json", "".join(reading(i) for i in range(3)))
        self.weir("run", "c.toml")
        self.write("a.json", "".join(reading(i) for i in range(3, 5)))
        self.assertIn("from its beginning", self.weir("run", "c.toml").stderr)
        self.write("new", "".join(reading(i) for i in range(5, 10))).rename(self.directory / "a.json")
        self.weir("run", "c.toml")
        with open(self.directory / "a.json", "a") as file:
            file.write(reading(10))
        self.assertNotIn("from its beginning", self.weir("run", "c.toml").stderr)
        self.assertEqual(self.values(), list(range(11)))

    def test_a_directory_goes_on_after_kills_with_what_came_meanwhile(self):
        self.configure(DIRECTORY)
        expected = []
        for life in range(6):
            # Each time an older modification time, and a name before those that were read.
            for name in (f"{9 - life}.json", f"{9 - life}-long.json"):
                expected.append(len(expected))
                self.put(name, reading(expected[-1]) + (LONG if "long" in name else ""))
                os.utime(self.directory / "in" / name, (1000 - life, 1000 - life))
            gateway = self.start_weir("run", "c.toml")
            self.eventually(lambda: sorted(self.values()) == expected, f"rows {expected}")
            os.utime(self.directory / "in" / name)  # touched
            if life % 2:
                gateway.kill()
                gateway.wait()
            else:
                text = self.stop(gateway)
        gateway = self.start_weir("run", "c.toml")
        self.eventually(lambda: "running" in self.log(gateway), "it runs")
        text = self.stop(gateway)
        self.assertIn("18 received = 12 delivered + 0 duplicate + 6 malformed", text)

    def test_a_merged_replay_of_directories_goes_on_after_kills(self):
        lines = [(i, reading(i)) for i in range(40_000)]
        for side in range(2):
            (self.directory / f"in{side}").mkdir()
            for part in range(40):
                text = "".join(text for i, text in lines[part * 1000:(part + 1) * 1000] if i % 2 == side)
                self.write(f"in{side}/{part:02}", text + (LONG if part % 10 == 5 else ""))
        config = CONFIG.replace("source = {{ {source} }}", 'sources = [{{ type = "directory", path = "in0" }}, '
                                '{{ type = "directory", path = "in1" }}]').format()
        self.write("c.toml", config.replace('batch_interval = "50ms"', 'checkpoint_interval = "5ms"\nbatch_rows = 512'))
        rows = self.directory / "rows.jsonl"
        for part in range(1, 5):
            replay = self.start_weir("replay", "c.toml", "--state-dir", "other")
            self.eventually(lambda: replay.poll() is not None or rows.exists() and rows.stat().st_size > part * 300_000,
                            "some rows are there")
            replay.kill()
            replay.wait()
        done = self.weir("replay", "c.toml", "--state-dir", "other")
        self.assertIn("40008 received = 40000 delivered + 0 duplicate + 8 malformed", done.stderr)
        self.assertEqual(self.values(), list(range(40_000)))

    def test_a_file_that_is_written_slowly_is_counted_once(self):
        self.configure(DIRECTORY)
        (self.directory / "in").mkdir()
        gateway = self.start_weir("run", "c.toml")
        self.eventually(lambda: "running" in self.log(gateway), "it runs")
        with open(self.directory / "in/slow.json", "w") as file:
            for i in range(20):
                file.write(reading(i))
                file.flush()
                soon = time.monotonic() + 0.02
                self.eventually(lambda: time.monotonic() > soon, "a while passes")
        self.gives(list(range(20)))
        self.assertIn("20 received = 20 delivered", self.stop(gateway))

    def test_many_files_with_long_names_make_a_small_journal(self):
        self.configure(DIRECTORY)
        for i in range(2000):
            self.put("n" * 240 + f"{i:05}", reading(i))
        gateway = self.start_weir("run", "c.toml")
        self.eventually(lambda: len(self.values()) == 2000, "all files are read")
        gateway.kill()
        gateway.wait()
        # Per file: the frame's header, the reading, what the file is known by.
        segments = list((self.directory / "state/journal/s").glob("*.weir"))
        self.assertLess(sum(len(path.read_bytes().rstrip(b"\0")) for path in segments), 2000 * 200)
        self.put("z", reading(2000))
        gateway = self.start_weir("run", "c.toml")
        self.gives(list(range(2001)))
        self.assertIn("2001 received = 2001 delivered", self.stop(gateway))

    def test_a_pipe_that_nobody_writes_to_does_not_hold_up_a_stop(self):
        self.configure('type = "file", path = "pipe"')
        os.mkfifo(self.directory / "pipe")
        gateway = self.start_weir("run", "c.toml")
        self.eventually(lambda: "running" in self.log(gateway), "it runs")
        self.stop(gateway)
        replay = self.start_weir("replay", "c.toml", "--state-dir", "other")
        self.eventually(lambda: (self.directory / "other/LOCK").exists(), "it runs")
        replay.send_signal(signal.SIGTERM)
        replay.wait(timeout=DEADLINE)

    def test_a_line_without_an_end_on_standard_input_takes_bounded_memory(self):
        self.configure('type = "stdin"')
        gateway = self.start_weir("run", "c.toml", stdin=-1)
        gateway.stdin.write(reading(1).encode())
        for _ in range(100):
            gateway.stdin.write(b"x" * (1 << 20))
        gateway.stdin.write(b"\n" + reading(2).encode())
        gateway.stdin.flush()
        self.gives([1, 2])
        status = (f"/proc/{gateway.pid}/status")
        with open(status) as lines:
            peak_kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        self.assertLess(peak_kib, 100 << 10)
        gateway.stdin.close()
        self.assertEqual(gateway.wait(timeout=DEADLINE), 0)
        self.assertIn("too_large 1", self.log(gateway))

    def test_a_gateway_whose_source_fails_does_not_end_as_if_well(self):
        self.configure('type = "file", path = "a.csv", format = "csv"')
        self.write("a.csv", LONG + "\n1,k,1\n")
        done = self.weir("run", "c.toml", expect=1)
        self.assertIn("header line is longer than max_message", done.stderr)

    def test_a_link_in_a_directory_leads_to_no_file_outside(self):
        self.configure(DIRECTORY)
        self.put("1.json", reading(1))
        self.write("private", "secret\n")
        (self.directory / "in/2.json").symlink_to("../private")
        self.put("3.json", reading(3))
        self.weir("replay", "c.toml", "--state-dir", "other")
        self.assertEqual(self.values(), [1, 3])
        self.assertNotIn("secret", self.read("dead.jsonl"))


if __name__ == "__main__":
    unittest.main()
