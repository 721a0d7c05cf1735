"""The same readings in every format of the simulator give the same rows; what a replay of such files says when it refuses."""

import unittest

from support import WeirTest

CONFIG = """
[streams.s]
source = {{ type = "file", path = "in", {source} }}
{time}
keys   = {keys}
fields = {{ temperature = 3, vibration = 6, power = 2 }}

[[query]]
name   = "q"
from   = "s"
select = ["temperature", "vibration", "power"]
sinks  = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "{rows}"
"""

PLAIN = '["line", "sensor"]'
SIMULATE = ["--seed", "3", "--sensors", "7", "--rate", "20", "--count", "2000", "--start", "2026-01-01T08:00:00Z",
            "--malformed", "0.1"]


class Formats(WeirTest):
    def rows(self, form, source, time, keys):
        self.weir("simulate", *SIMULATE, "--format", form, "--output", "in")
        self.write("c.toml", CONFIG.format(source=source, time=time, keys=keys, rows=f"{form}.jsonl"))
        done = self.weir("replay", "c.toml")
        return self.read(f"{form}.jsonl"), done.stderr

    def test_the_simulators_formats_give_the_same_rows(self):
        json, _ = self.rows("json", 'format = "json"', 'time = { field = "t", unit = "ms" }', PLAIN)
        line, said = self.rows("line", 'format = "line", measurement = "machines"', "", PLAIN)
        self.assertGreater(json.count("\n"), 1900)
        self.assertEqual(line, json)
        for reason in ("bad_payload", "bad_time", "not_a_number", "out_of_range"):
            self.assertIn(reason, said)

    def test_line_protocol_in_a_file_a_directory_and_standard_input(self):
        text = 'a,line=A,sensor=s temperature=1.5,note="two\nlines" 1000\nb,line=A,sensor=s temperature=2i 2000\n'
        config = CONFIG.format(source='format = "line"', time='time = { unit = "s" }', keys=PLAIN, rows="out.jsonl")
        expected = ['{"query":"q","time":"1970-01-01T00:16:40Z","line":"A","sensor":"s","temperature":1.5,"vibration":null,"power":null}',
                    '{"query":"q","time":"1970-01-01T00:33:20Z","line":"A","sensor":"s","temperature":2,"vibration":null,"power":null}']
        self.write("in", text)
        self.write("c.toml", config)
        self.weir("replay", "c.toml")
        self.assertEqual(self.read("out.jsonl").replace(" ", "").splitlines(), expected)
        (self.directory / "d").mkdir()
        self.write("d/one", text)
        self.write("c.toml", config.replace('type = "file", path = "in"', 'type = "directory", path = "d"'))
        self.weir("replay", "c.toml")
        self.assertEqual(self.read("out.jsonl").replace(" ", "").splitlines(), expected)
        self.write("c.toml", config.replace('type = "file", path = "in"', 'type = "stdin"'))
        self.weir("replay", "c.toml", input=text)
        self.assertEqual(self.read("out.jsonl").replace(" ", "").splitlines(), expected)

    def test_a_replay_says_what_lacks_an_arrival(self):
        self.write("in", "m,line=A,sensor=s temperature=1\n")
        self.write("c.toml", CONFIG.format(source='format = "line"', time="", keys=PLAIN, rows="out.jsonl"))
        said = self.weir("replay", "c.toml", expect=None).stderr
        self.assertIn("missing_time", said)
        self.assertIn("recorded files have no arrivals", said)
        self.write("in", '[{"bver":11,"n":"temperature","bt":1700000000,"v":1}]\n')
        self.write("c.toml", CONFIG.format(source='format = "senml"', time="", keys="[]", rows="out.jsonl"))
        said = self.weir("replay", "c.toml", expect=None).stderr
        self.assertIn("bad_payload of 'bver' (a SenML pack of a version above 10 must not be used", said)


if __name__ == "__main__":
    unittest.main()
