"""Wrong configurations, dead brokers, unwritable sinks: one clear line each, and the right exit code."""

import json
import os
import unittest

from support import WeirTest, free_port

GOOD = """
[streams.s]
source = {{ type = "file", path = "{path}", format = "csv", columns = ["t", "k", "v"] }}
time   = {{ field = "t", unit = "s" }}
keys   = ["k"]
fields = {{ v = 3 }}

[[query]]
name     = "q"
from     = "s"
group_by = ["k"]
select   = ["avg(v)"]
window   = "10s"
{extra}
"""


class BadInput(WeirTest):
    def refused(self, text, *parts, command="check", code=2):
        self.write("c.toml", text)
        done = self.weir("--log-level", "error", command, "c.toml", expect=code)
        self.assert_one_line(done.stderr, "c.toml" if code == 2 else "weir:", *parts)

    def test_mistakes_in_the_configuration_name_the_line_and_the_way_out(self):
        good = GOOD.format(path="in.csv", extra="")
        self.refused(good.replace("avg(v)", "agv(v)"), "agv", "avg")
        self.refused(good.replace("window ", "windwo "), "c.toml:13", "windwo", "window")
        self.refused(good.replace('"10s"', '"10 parsecs"'), "c.toml:13", "parsecs")
        self.refused(good.replace("avg(v)", "avg(w)"), "'w'", "'v'")
        self.refused(good + 'slide = "3500us"\nwindow2 = 1', "window2")
        self.refused(good + 'slide = "1us"', "panes", "100")
        self.refused(good + "[[query]]\nname = \"q\"\nfrom = \"s\"\nselect = [\"count()\"]\n", "two queries")
        self.refused("[streams.s\n", "c.toml:1")

    def test_several_mistakes_are_reported_at_once(self):
        good = GOOD.format(path="in.csv", extra='having = "nothing > 1"')
        for text in (good.replace("avg(v)", "agv(v)").replace('["k"]\nselect', '["house"]\nselect'),
                     good.replace("window ", "windwo ") + "[pipelin]\n"):
            self.write("c.toml", text)
            self.assertGreaterEqual(len(self.weir("check", "c.toml", expect=2).stderr.splitlines()), 2)

    def test_arrival_windows_must_be_multiples_of_the_batch_interval(self):
        text = GOOD.format(path="in.csv", extra="").replace('time   = { field = "t", unit = "s" }', 'time = "arrival"')
        self.refused(text.replace('"10s"', '"2500ms"'), "2.5s", "1s", "3s")

    def test_a_file_that_is_not_there(self):
        self.refused(GOOD.format(path="absent.csv", extra=""), "absent.csv", command="replay", code=1)

    def test_a_sink_that_cannot_be_written(self):
        self.write("in.csv", "1,a,1\n")
        self.write("wall", "")
        sink = 'sinks = ["f"]\n[[sink]]\nname = "f"\ntype = "file"\npath = "wall/rows.jsonl"\n'
        self.refused(GOOD.format(path="in.csv", extra=sink), "wall", command="replay", code=1)

    def test_a_full_disk_is_one_line_and_exit_code_1(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        self.write("in.csv", "1,a,1\n")
        sink = 'sinks = ["f"]\n[[sink]]\nname = "f"\ntype = "file"\npath = "/dev/full"\n'
        self.refused(GOOD.format(path="in.csv", extra=sink), "/dev/full", command="replay", code=1)

    def test_bad_readings_are_counted_by_reason_and_sampled(self):
        self.write("in.csv", "1,a,1.5\nx,a,1\n2,a,nan\n3,a,99999999999999999999\n4\n5,a,2.5\n")
        text = '[pipeline]\ndead_letter = "dead.jsonl"\n' + GOOD.format(path="in.csv", extra="")
        self.write("c.toml", text)
        done = self.weir("replay", "c.toml")
        for part in ("6 received = 2 delivered", "bad_time 1", "not_a_number 1", "out_of_range 1", "wrong_columns 1", "balances"):
            self.assertIn(part, done.stderr)
        letters = [json.loads(line) for line in self.read("dead.jsonl").splitlines()]
        self.assertEqual([letter["reason"] for letter in letters], ["bad_time", "not_a_number", "out_of_range", "wrong_columns"])
        self.assertEqual(letters[0]["payload"], "x,a,1")

    def test_a_dead_broker_is_waited_for_and_a_stop_still_works(self):
        self.write("c.toml", GOOD.format(path="in.csv", extra="").replace(
            '{ type = "file", path = "in.csv",', f'{{ type = "mqtt", broker = "mqtt://127.0.0.1:{free_port()}", topics = ["x"],'))
        gateway = self.start_weir("run", "c.toml")
        self.eventually(lambda: "trying again" in self.log(gateway), "the log says that nobody listens")
        self.assertIn("0 readings in", self.stop(gateway))

    def test_a_wrong_password_is_one_line(self):
        self.write("users", "")
        self.write("in.csv", "")
        port = self.broker("allow_anonymous false\n").port
        self.write("c.toml", GOOD.format(path="in.csv", extra="").replace(
            '{ type = "file", path = "in.csv",',
            f'{{ type = "mqtt", broker = "mqtt://127.0.0.1:{port}", topics = ["x"], username = "u", password = "secret-word",'))
        done = self.weir("--log-level", "error", "run", "c.toml", expect=1)
        self.assert_one_line(done.stderr, "uthori")
        self.assertNotIn("secret-word", done.stderr)

    def test_a_password_that_every_user_can_read_is_a_warning(self):
        config = self.write("c.toml", GOOD.format(path="in.csv", extra="").replace(
            '{ type = "file", path = "in.csv",',
            '{ type = "mqtt", broker = "mqtt://127.0.0.1:1", topics = ["x"], username = "u", password = "secret-word",'))
        config.chmod(0o644)
        text = self.weir("check", "c.toml").stdout
        self.assertIn("'c.toml' holds a password", text)
        self.assertNotIn("secret-word", text)
        config.chmod(0o640)
        self.assertNotIn("holds a password", self.weir("check", "c.toml").stdout)

    def test_usage_errors_exit_with_2(self):
        self.assertIn("subcommand", self.weir(expect=2).stderr.lower())
        self.weir("run", expect=2)
        self.weir("replay", "x.toml", "--speed", "fast", expect=2)
        self.assertEqual(self.weir("bench", "csv", "nothing", expect=2).stdout, "")
        self.weir("--log-level", "loud", "devices", expect=2)

    def test_two_processes_cannot_share_a_state_directory(self):
        self.write("c.toml", '[pipeline]\nstate_dir = "state"\n' + GOOD.format(path="in.csv", extra="").replace(
            '{ type = "file", path = "in.csv",', f'{{ type = "tcp", host = "127.0.0.1", port = {free_port()},'))
        first = self.start_weir("run", "c.toml")
        self.eventually(lambda: "running" in self.log(first), "the first one runs")
        done = self.weir("--log-level", "error", "run", "c.toml", expect=1)
        self.assert_one_line(done.stderr, "state", str(first.pid))
        self.stop(first)


if __name__ == "__main__":
    unittest.main()
