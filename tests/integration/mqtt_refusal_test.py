"""Rows and messages that a broker does not take, with the program as a user runs it."""

import json
import subprocess
import unittest

from support import WeirTest

CONFIGURATION = """
[pipeline]
batch_interval = "100ms"
state_dir = "state"
dead_letter = "dead.jsonl"

[streams.s]
source = {{ type = "mqtt", broker = "mqtt://127.0.0.1:{port}", topics = ["in"], client_id = "gateway" }}
time = "arrival"
keys = ["k"]
fields = {{ v = 0 }}

[[query]]
name = "q"
from = "s"
select = ["v"]
sinks = ["m", "f"]

[[sink]]
name = "m"
type = "mqtt"
broker = "mqtt://127.0.0.1:{port}"
topic = "res/{{query}}/{{k}}"

[[sink]]
name = "f"
type = "file"
path = "rows.jsonl"
"""


class MqttRefusalTest(WeirTest):
    def broker_with_list(self):
        """A broker at which one topic may not be written to."""
        acl = self.write("acl", "topic readwrite in\ntopic readwrite res/q/ok\n")
        self.directory.chmod(0o755)
        acl.chmod(0o644)
        return self.broker(f"allow_anonymous true\nacl_file {acl}\n")

    def publish(self, port, key, value):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", "in", "-m",
                        json.dumps({"k": key, "v": value})], check=True)

    def rows(self):
        return (self.directory / "rows.jsonl").read_text().splitlines()

    def test_a_gateway_outlives_the_rows_that_a_broker_refuses(self):
        port = self.broker_with_list().port
        self.write("c.toml", CONFIGURATION.format(port=port))
        weir = self.start_weir("run", "c.toml")
        self.eventually(lambda: "receiving from" in self.log(weir), "it receives")
        for value, key in enumerate(("ok", "new", "ok", "other")):
            self.publish(port, key, value)
        self.eventually(lambda: len(self.rows()) == 4, "every row is in the file")
        text = self.stop(weir)
        self.assertIn("sink m: 2 rows written, 2 refused (not_authorized 2)", text)
        self.assertEqual(text.count("will not take a row"), 1, text)
        dead = [json.loads(line) for line in self.read("dead.jsonl").splitlines()]
        self.assertEqual([(d["sink"], d["reason"], json.loads(d["payload"])["v"]) for d in dead],
                         [("m", "not_authorized", 1), ("m", "not_authorized", 3)])

        again = self.start_weir("run", "c.toml")
        self.eventually(lambda: "receiving from" in self.log(again), "it receives again")
        self.publish(port, "ok", 4)
        self.eventually(lambda: len(self.rows()) == 5, "the row after the restart")
        self.assertIn("sink m: 3 rows written, 2 refused (not_authorized 2)", self.stop(again))

    def test_a_topic_that_is_denied_to_the_simulator_is_one_error(self):
        port = self.broker_with_list().port
        done = self.weir("simulate", "--broker", f"mqtt://127.0.0.1:{port}", "--topic", "denied/{sensor}", "--count", "5",
                         "--fast", expect=1)
        # Some brokers end the connection, which the log may tell first.
        self.assert_one_line(done.stderr.splitlines()[-1], "denied/", "not authorised")

    def test_a_password_in_the_brokers_address_is_refused_and_not_shown(self):
        done = self.weir("simulate", "--broker", "mqtt://bob:wrongsecret99@127.0.0.1:1", "--count", "5", expect=2)
        self.assert_one_line(done.stderr, "--broker", "user and password")
        self.assertNotIn("wrongsecret99", done.stderr + done.stdout)

    def test_ids_of_readings_are_the_same_when_they_come_again(self):
        port = self.broker().port
        self.write("in.jsonl", "".join(json.dumps({"t": t // 3, "k": "ab"[t % 2], "v": t}) + "\n" for t in range(60)))
        seen = []
        for rows in (1, 7, 65536):
            self.write("c.toml", f"""
[pipeline]
batch_rows = {rows}
[streams.s]
source = {{ type = "file", path = "in.jsonl" }}
time = {{ field = "t", unit = "s" }}
keys = ["k"]
fields = {{ v = 0 }}
[[query]]
name = "q"
from = "s"
where = "v % 5 > 0"
select = ["v"]
sinks = ["m"]
[[sink]]
name = "m"
type = "mqtt"
broker = "mqtt://127.0.0.1:{port}"
topic = "res"
""")
            # A session of its own: what is published while nobody listens waits in it.
            subscribe = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", "res", "-q", "1", "-i", f"test-{rows}",
                         "-c"]
            subprocess.run([*subscribe, "-E"], check=True, timeout=60)
            self.weir("replay", "c.toml")
            received = subprocess.run([*subscribe, "-C", "48"], check=True, timeout=60, capture_output=True, text=True)
            seen.append([json.loads(line) for line in received.stdout.splitlines()])
        self.assertEqual(len(seen[0]), 48)
        self.assertEqual(len({row["id"] for row in seen[0]}), 48)
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])


if __name__ == "__main__":
    unittest.main()
