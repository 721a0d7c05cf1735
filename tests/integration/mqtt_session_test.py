"""What a gateway and its broker remember of each other, and who else may listen."""

import json
import shutil
import subprocess
import unittest

from support import WeirTest

CONFIG = """
[pipeline]
batch_interval = "100ms"
{pipeline}

[streams.s]
source = {{ type = "mqtt", broker = "mqtt://127.0.0.1:{port}", topics = {topics}, client_id = "gateway", {source} }}
time = "arrival"
keys = ["id"]
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


class MqttSession(WeirTest):
    def setUp(self):
        super().setUp()
        self.port = self.broker().port

    def configure(self, topics, name="c.toml", pipeline="", source="qos = 1"):
        self.write(name, CONFIG.format(port=self.port, topics=json.dumps(topics), pipeline=pipeline, source=source))

    def publish(self, topic, value):
        program = shutil.which("mosquitto_pub")
        self.assertTrue(program, "mosquitto_pub is not installed")
        subprocess.run([program, "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", topic, "-m",
                        json.dumps({"id": topic[-1], "v": value})], check=True, timeout=60)

    def values(self):
        path = self.directory / "rows.jsonl"
        return [json.loads(line)["v"] for line in path.read_text().split("\n")[:-1]] if path.exists() else []

    def receive(self, *words):
        weir = self.start_weir(*(words or ("run", "c.toml")))
        self.eventually(lambda: "receiving from" in self.log(weir), "the subscription stands")
        return weir

    def test_a_topic_that_was_taken_out_counts_no_more(self):
        for version in ("3.1.1", "5"):
            for state in ("", f'state_dir = "state-{version}"'):
                with self.subTest(version=version, state=state):
                    (self.directory / "rows.jsonl").unlink(missing_ok=True)
                    source = f'mqtt_version = "{version}"'
                    self.configure(["hall/a", "hall/b"], pipeline=state, source=source)
                    weir = self.receive()
                    self.publish("hall/b", 1)
                    self.eventually(lambda: self.values() == [1], "it counts")
                    self.stop(weir)
                    self.publish("hall/b", 100)
                    self.configure(["hall/a"], pipeline=state, source=source)
                    weir = self.receive()
                    self.publish("hall/b", 200)
                    self.publish("hall/a", 3)
                    self.eventually(lambda: 3 in self.values(), "what is still wanted counts")
                    log = self.stop(weir)
                    self.assertEqual(self.values(), [1, 3])
                    self.assertRegex(log, r"other_topic [12]")
                    self.assertIn("the ledger balances", log)

    def test_a_recorder_takes_nothing_from_the_gateway(self):
        for topics in (["in/+"], ["$share/gateways/in/+"]):
            with self.subTest(topics=topics):
                (self.directory / "rows.jsonl").unlink(missing_ok=True)
                self.configure(topics, pipeline=f'state_dir = "state-{len(topics[0])}"')
                weir = self.receive()
                self.publish("in/a", 0)
                self.eventually(lambda: self.values() == [0], "it counts")
                self.stop(weir)
                for value in range(1, 6):
                    self.publish("in/a", value)
                output = f"recording-{len(topics[0])}"
                recorder = self.receive("record", "c.toml", "--output", output)
                weir = self.receive()
                for value in range(6, 12):
                    self.publish("in/a", value)
                self.eventually(lambda: 11 in self.values(), "the last one came")
                self.stop(weir)
                self.assertEqual(self.values(), list(range(12)))
                self.eventually(lambda: b'"v": 11' in b"".join(
                    path.read_bytes() for path in (self.directory / output).rglob("*.weir")), "it is recorded too")
                self.assertRegex(self.stop(recorder), "stream s: 6 messages")

    def test_a_recording_of_more_topics_is_read_with_those_of_the_configuration(self):
        self.configure(["in/#"])
        recorder = self.receive("record", "c.toml", "--output", "recording")
        for topic, value in (("in/a", 1), ("in/b", 2), ("in/a", 3)):
            self.publish(topic, value)
        self.eventually(lambda: b'"v": 3' in b"".join(
            path.read_bytes() for path in (self.directory / "recording").rglob("*.weir")), "it is recorded")
        self.stop(recorder)
        self.configure(["in/a"])
        log = self.weir("replay", "c.toml", "--input", "recording").stderr
        self.assertEqual(self.values(), [1, 3])
        self.assertIn("other_topic 1", log)


if __name__ == "__main__":
    unittest.main()
