"""`weir record` keeps what arrives as it arrives; `weir replay` of it gives the rows of the input itself."""

import unittest

from support import WeirTest

STREAM = """
[streams.machines]
source = {{ {source} }}
time   = {{ field = "t", unit = "ms" }}
keys   = ["line", "sensor"]
fields = {{ temperature = 3, power = 2 }}
out_of_order = "500ms"
dedupe = true

[[query]]
name     = "sliding"
from     = "machines"
group_by = ["line", "sensor"]
select   = ["count()", "avg(temperature)", "first(power)", "last(power)"]
window   = "10s"
slide    = "2s"
sinks    = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "{out}.jsonl"
"""

COUNT = 5000
SIMULATE = ["--sensors", "20", "--rate", "1000", "--disorder", "400ms", "--start", "2024-05-05T12:00:00Z", "--seed", "11",
            "--count", str(COUNT), "--malformed", "0.01"]


class Record(WeirTest):
    def rows_of(self, name, *words):
        self.weir("replay", f"{name}.toml", *words)
        return self.read(f"{name}.jsonl")

    def test_a_file_with_a_header_line(self):
        self.weir("simulate", *SIMULATE, "--format", "csv", "--output", "in.csv")
        for name in ("whole", "again"):
            self.write(f"{name}.toml", STREAM.format(source='type = "file", path = "in.csv", format = "csv"', out=name))
        self.weir("record", "again.toml", "--output", "recording")
        self.assertFalse((self.directory / "again.jsonl").exists(), "nothing is computed while it is recorded")
        rows = self.rows_of("whole")
        self.assertGreater(rows.count("\n"), 100)
        self.assertEqual(self.rows_of("again", "--input", "recording"), rows)
        self.assertEqual(self.rows_of("again", "--input", "recording/machines"), rows)
        self.assertIn("journal-00000000000000000000.weir", self.weir("inspect", "recording/machines").stdout)

    def test_messages_of_a_broker_over_two_recordings(self):
        self.weir("simulate", *SIMULATE, "--output", "in.jsonl")
        port = self.broker().port
        self.write("whole.toml", STREAM.format(source='type = "file", path = "in.jsonl", format = "json"', out="whole"))
        self.write("again.toml", STREAM.format(
            source=f'type = "mqtt", broker = "mqtt://127.0.0.1:{port}", qos = 1, client_id = "gateway", '
                   'topics = ["plant/{line}/{sensor}/state"]', out="again"))
        rows = self.rows_of("whole")
        record = ("record", "again.toml", "--output", "recording", "--client-id", "recorder")
        recorder = self.start_weir(*record)
        self.eventually(lambda: "receiving from" in self.log(recorder), "the subscription stands")
        publisher = self.start_weir("simulate", *SIMULATE, "--broker", f"mqtt://127.0.0.1:{port}", "--qos", "1")
        segments = self.directory / "recording" / "machines"
        self.eventually(lambda: any(b"plant/" in path.read_bytes() for path in segments.glob("*.weir")), "it records")
        # The persistent session keeps what is published between the two.
        self.stop(recorder)
        recorder = self.start_weir(*record)
        self.assertEqual(publisher.wait(timeout=60), 0)
        self.eventually(lambda: self.rows_of("again", "--input", "recording") == rows, "all of it is recorded")
        self.stop(recorder)
        self.assertEqual(self.rows_of("again", "--input", "recording"), rows)


if __name__ == "__main__":
    unittest.main()
