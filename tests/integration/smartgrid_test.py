"""The smart-plug queries SG1 and SG2 on public data, against the oracle: to the last digit."""

import unittest

import oracle
from support import WeirTest, data_file

COLUMNS = ["count()", "avg(load)", "stddev(load)", "min(load)", "max(load)", "first(load)", "last(load)"]
SELECT = ", ".join(f'"{c}"' for c in COLUMNS)


def configuration(source, extra=""):
    return f"""
[pipeline]
batch_interval = "1s"
{extra}
[streams.plugs]
source = {source}
time   = {{ field = "ts", unit = "s" }}
keys   = ["property", "house", "household", "plug"]
fields = {{ load = 3 }}
idle_timeout = "2s"

[[query]]
name     = "sg1"
from     = "plugs"
where    = "property == '1'"
select   = [{SELECT}]
window   = "3600s"
slide    = "1s"
sinks    = ["rows"]

[[query]]
name     = "sg2"
from     = "plugs"
where    = "property == '1'"
group_by = ["plug", "household", "house"]
select   = [{SELECT}]
window   = "128s"
slide    = "1s"
sinks    = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "{{query}}.jsonl"
"""


FORMAT = 'format = "csv", separator = " ", columns = ["ts", "load", "property", "plug", "household", "house"]'


def readings(path):
    for line in path.read_text().splitlines():
        ts, load, kind, plug, household, house = line.split()
        if kind == "1":
            whole, _, part = load.partition(".")
            yield int(ts), (plug, household, house), int(whole + part.ljust(3, "0"))


class SmartGrid(WeirTest):
    def expected(self, path):
        rows = list(readings(path))
        return (oracle.window_rows("sg1", [(t, (), u) for t, _, u in rows], 3600, 1, [], COLUMNS),
                oracle.window_rows("sg2", rows, 128, 1, ["plug", "household", "house"], COLUMNS))

    def test_replay_gives_what_the_oracle_gives(self):
        path = data_file("smartgrid-debs2014.txt")
        self.write("sg.toml", configuration(f'{{ type = "file", path = "{path}", {FORMAT} }}'))
        self.weir("replay", "sg.toml")
        sg1, sg2 = self.expected(path)
        self.assertTrue(self.read("sg1.jsonl") == sg1, "SG1 differs from the oracle")
        self.assertTrue(self.read("sg2.jsonl") == sg2, "SG2 differs from the oracle")

    def test_the_same_file_through_mqtt_gives_the_same_bytes(self):
        path = data_file("smartgrid-debs2014.txt")
        self.write("file.toml", configuration(f'{{ type = "file", path = "{path}", {FORMAT} }}'))
        self.weir("replay", "file.toml")
        replayed = self.read("sg1.jsonl"), self.read("sg2.jsonl")

        port = self.broker().port
        self.write("mqtt.toml", configuration(
            f'{{ type = "mqtt", broker = "mqtt://127.0.0.1:{port}", topics = ["plugs"], qos = 1, client_id = "sg", {FORMAT} }}'))
        for name in ("sg1.jsonl", "sg2.jsonl"):
            (self.directory / name).unlink()
        gateway = self.start_weir("run", "mqtt.toml")
        self.eventually(lambda: "receiving from" in self.log(gateway), "the subscription stands")
        with open(path, "rb") as lines:
            publisher = self.start("mosquitto_pub", "-p", port, "-q", "1", "-t", "plugs", "-l", stdin=lines)
            self.assertEqual(publisher.wait(timeout=60), 0)
        # The source falls silent; the watermark then follows the wall clock and closes every window.
        self.eventually(lambda: (self.directory / "sg1.jsonl").exists() and len(self.read("sg1.jsonl")) >= len(replayed[0])
                        and len(self.read("sg2.jsonl")) >= len(replayed[1]), "all rows are written")
        text = self.stop(gateway)
        self.assertIn("the ledger balances", text)
        self.assertTrue(self.read("sg1.jsonl") == replayed[0], "SG1 differs between MQTT and file")
        self.assertTrue(self.read("sg2.jsonl") == replayed[1], "SG2 differs between MQTT and file")

    def test_verify_finds_every_bit_identical(self):
        path = data_file("smartgrid-debs2014.txt")
        self.write("sg.toml", configuration(f'{{ type = "file", path = "{path}", {FORMAT} }}'))
        self.assertIn("every bit identical", self.weir("verify", "sg.toml").stdout)


if __name__ == "__main__":
    unittest.main()
