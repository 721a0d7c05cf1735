"""Stop and start in the middle, by signal: the output is the same as without the stop."""

import signal
import unittest

from support import WeirTest

STREAM = """
time   = {{ field = "t", unit = "ms" }}
keys   = ["line", "sensor"]
fields = {{ temperature = 3, power = 2 }}
out_of_order = "500ms"
dedupe = true

[[query]]
name     = "sliding"
from     = "machines"
group_by = ["line", "sensor"]
select   = ["count()", "avg(temperature)", "max(power)", "stddev(temperature)", "quantile(power, 0.9)"]
window   = "10s"
slide    = "2s"
sinks    = ["rows"]

[[query]]
name     = "lines"
from     = "machines"
group_by = ["line"]
select   = ["count()", "sum(power)", "distinct(sensor)"]
window   = "5s"
sinks    = ["rows"]

[[query]]
name     = "seconds"
from     = "machines"
group_by = ["line", "sensor"]
select   = ["count() as n", "sum(power) as power"]
window   = "1s"

[[query]]
name     = "tens"
from     = "seconds"
group_by = ["line"]
select   = ["count()", "sum(n)", "max(power)"]
window   = "10s"
sinks    = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "{out}-{{query}}.jsonl"
"""

FILE = """
[pipeline]
state_dir = "{state}"
checkpoint_interval = "10ms"
[streams.machines]
source = {{ type = "file", path = "in.jsonl", format = "json" }}
""" + STREAM

MQTT = """
[pipeline]
batch_interval = "100ms"
state_dir = "{state}"
[streams.machines]
source = {{ type = "mqtt", broker = "mqtt://127.0.0.1:{port}", topics = ["plant/{{line}}/{{sensor}}/state"], qos = 1, client_id = "gw" }}
idle_timeout = "2s"
""" + STREAM

SIMULATE = ["--sensors", "20", "--rate", "1000", "--disorder", "400ms", "--start",
            "2024-05-05T12:00:00Z", "--seed", "7"]


class Restart(WeirTest):
    def rows(self, out):
        return [self.read(f"{out}-{query}.jsonl") for query in ("sliding", "lines", "tens")]

    def test_a_replay_that_is_interrupted_goes_on_where_it_stopped(self):
        self.weir("simulate", *SIMULATE, "--count", "60000", "--malformed", "0.01", "--output", "in.jsonl")
        self.write("whole.toml", FILE.format(state="", out="whole").replace('state_dir = ""', ""))
        self.weir("replay", "whole.toml")
        self.write("parts.toml", FILE.format(state="", out="parts").replace('state_dir = ""', ""))
        interrupted = 0
        for attempt in range(6):
            process = self.start_weir("replay", "parts.toml", "--state-dir", "state", "--speed", "30x")
            try:
                # 60 s of readings at 30x take 2 s; each start gets a part of that.
                process.wait(timeout=0.4)
            except Exception:
                interrupted += 1
                process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), 0, self.log(process))
        self.weir("replay", "parts.toml", "--state-dir", "state")
        self.assertGreater(interrupted, 0)
        self.assertEqual(self.rows("parts"), self.rows("whole"))

    def test_a_live_run_that_is_stopped_loses_nothing_and_repeats_nothing(self):
        self.weir("simulate", *SIMULATE, "--count", "6000", "--output", "in.jsonl")
        self.write("whole.toml", FILE.format(state="", out="whole").replace('state_dir = ""', ""))
        self.weir("replay", "whole.toml")
        port = self.broker().port
        self.write("live.toml", MQTT.format(state="state", out="live", port=port))
        gateway = self.start_weir("run", "live.toml")
        self.eventually(lambda: "receiving from" in self.log(gateway), "the subscription stands")
        publisher = self.start_weir("simulate", *SIMULATE, "--count", "6000", "--broker",
                                    f"mqtt://127.0.0.1:{port}", "--qos", "1")
        for _ in range(3):
            self.eventually(lambda: publisher.poll() is not None or (self.directory / "state").exists(), "state is there")
            try:
                publisher.wait(timeout=1.2)
            except Exception:
                pass
            # The persistent session keeps what is published while nobody reads.
            self.assertIn("the ledger balances", self.stop(gateway))
            gateway = self.start_weir("run", "live.toml")
        self.assertEqual(publisher.wait(timeout=60), 0)
        whole = self.rows("whole")
        self.eventually(lambda: [len(text) for text in self.rows("live")] >= [len(text) for text in whole], "all rows are there")
        text = self.stop(gateway)
        # What was journalled but not yet acknowledged at a stop comes again, and is recognised.
        self.assertIn("received = 6000 delivered", text)
        self.assertEqual(self.rows("live"), whole)


if __name__ == "__main__":
    unittest.main()
