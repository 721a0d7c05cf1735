"""Per-source averages of temperature over 10 s windows from real, messy SenML packs."""

import json
import unittest

import oracle
from support import WeirTest, data_file

CONFIGURATION = """
[streams.city]
source = {{ type = "file", path = "{path}", format = "senml" }}
time   = {{ unit = "ms" }}
keys   = ["source"]
fields = {{ temperature = 3 }}
out_of_order = "10s"

[[query]]
name     = "temperature"
from     = "city"
group_by = ["source"]
select   = ["count()", "avg(temperature)"]
window   = "10s"
sinks    = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "rows.jsonl"
"""


def readings(path):
    for line in path.read_text().splitlines():
        pack = json.loads(line[line.index("{"):])
        values = {entry["n"]: entry for entry in pack["e"]}
        text = values["temperature"]["v"]
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
        whole, _, part = digits.partition(".")
        yield pack["bt"] // 1000, (values["source"]["sv"],), sign * int(whole + part.ljust(3, "0"))


class Riotbench(WeirTest):
    def test_averages_are_exact(self):
        path = data_file("riotbench-sys-senml.csv")
        self.write("city.toml", CONFIGURATION.format(path=path))
        self.weir("replay", "city.toml")
        columns = ["count()", "avg(temperature)"]
        expected = oracle.window_rows("temperature", list(readings(path)), 10, 10, ["source"], columns)
        self.assertEqual(self.read("rows.jsonl"), expected)


if __name__ == "__main__":
    unittest.main()
