"""What a newcomer sees of a replay: rows where they are asked for, in the format and with the names that are asked for, a
progress bar that mixes with nothing, the range of event times, and mistakes in a CSV header before anything is read."""

import json
import os
import pty
import re
import socket
import subprocess
import threading
import unittest

from support import DEADLINE, WEIR, WeirTest

CONFIG = """
[pipeline]
batch_interval = "100ms"

[streams.machines]
source = {{ type = "file", path = "in.csv", format = "csv" }}
time   = {{ field = "t", unit = "s" }}
keys   = ["line"]
fields = {{ power = 1 }}

[[query]]
name     = "loads"
from     = "machines"
group_by = ["line"]
select   = ["count()", "max(power)", "avg(power) as mean"]
window   = "1s"
{sinks}

[[query]]
name   = "high"
from   = "machines"
where  = "power > 18"
select = ["power"]
{sinks}
"""
ONE_QUERY = CONFIG[:CONFIG.rindex("[[query]]")]
HEADER = "t,line,power\n"


def readings(count, per_second=10):
    return HEADER + "".join(f"{1377986400 + i / per_second:.1f},{'AB'[i % 2]},{i}.5\n" for i in range(count))


class Terminal:
    """A pseudo-terminal that is read to its end by a thread."""

    def __init__(self):
        self.leader, self.follower = pty.openpty()
        self.bytes = b""
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while True:
            try:
                got = os.read(self.leader, 65536)
            except OSError:  # the other end is closed
                return
            self.bytes += got

    def close(self):
        os.close(self.follower)
        self.reader.join(DEADLINE)
        os.close(self.leader)

    def text(self):
        return re.sub("\033\\[[0-9;]*m", "", self.bytes.decode()).replace("\r\n", "\n")  # without colours

    def lines(self):
        """What is left to be seen."""
        lines = [""]
        for part in re.split("(\r\033\\[K|\n)", self.text()):
            if part == "\n":
                lines.append("")
            elif part == "\r\033[K":
                lines[-1] = ""
            else:
                lines[-1] += part
        return lines


class Outputs(WeirTest):
    def setUp(self):
        super().setUp()
        self.configure()
        self.write("in.csv", readings(20))

    def configure(self, text=CONFIG, sinks="", extra=""):
        self.write("c.toml", text.format(sinks=sinks) + extra)

    def replay(self, *words, **options):
        return self.weir("replay", "c.toml", *words, **options)

    def in_a_terminal(self, *words, output=True, expect=0):
        """(terminal, what went to a standard output that is none)"""
        terminal = Terminal()
        done = subprocess.run([WEIR, "replay", "c.toml", *words], cwd=self.directory, timeout=DEADLINE,
                              stdout=terminal.follower if output else subprocess.PIPE, stderr=terminal.follower,
                              env=os.environ | {"TERM": "xterm"})
        terminal.close()
        self.assertEqual(done.returncode, expect, terminal.text())
        return terminal, "" if output else done.stdout.decode()

    def test_all_rows_of_all_queries_go_where_the_command_line_says(self):
        self.replay("--output", "out/rows.jsonl")
        rows = [json.loads(line) for line in self.read("out/rows.jsonl").splitlines()]
        self.assertEqual([row["query"] for row in rows].count("loads"), 4)
        self.assertEqual([row for row in rows if row["query"] == "high"],
                         [{"query": "high", "time": "2013-08-31T22:00:01.8Z", "line": "A", "power": 18.5},
                          {"query": "high", "time": "2013-08-31T22:00:01.9Z", "line": "B", "power": 19.5}])
        done = self.replay("--output", "-", "--quiet")
        self.assertEqual(sorted(done.stdout.splitlines()), sorted(self.read("out/rows.jsonl").splitlines()))
        self.assertEqual(done.stderr, "")

    def test_rows_that_only_other_queries_read_stay_inside(self):
        self.write("c.toml", CONFIG.format(sinks="").replace('"count()", "max(power)"', '"count() as n", "max(power)"') + """
[[query]]
name   = "in_all"
from   = "loads"
select = ["sum(n) as n", "count() as rows", "avg(mean) as mean"]
window = "2s"
""")
        done = self.replay()
        self.assertIn("query: in_all", done.stdout)
        self.assertIn("query: high", done.stdout)
        self.assertNotIn("query: loads", done.stdout)
        self.replay("--output", "out/rows.jsonl")
        rows = [json.loads(line) for line in self.read("out/rows.jsonl").splitlines()]
        self.assertEqual({row["query"] for row in rows}, {"in_all", "high"})
        self.assertEqual([(row["n"], row["rows"], row["mean"]) for row in rows if row["query"] == "in_all"], [(20, 4, 10)])
        # Asked for by name it is shown too.
        self.write("c.toml", self.read("c.toml").replace('window   = "1s"', 'window   = "1s"\nsinks = ["console"]'))
        self.assertIn("query: loads", self.replay().stdout)

    def test_csv_of_several_queries_needs_a_file_each(self):
        done = self.replay("--output", "out/rows.csv", expect=2)
        self.assert_one_line(done.stderr, "--output out/rows.csv: 2 queries", "--output 'out/rows-{query}.csv'")
        self.assertFalse((self.directory / "out").exists())
        done = self.replay("--output", "-", "--format", "csv", expect=2)
        self.assert_one_line(done.stderr, "--format jsonl, or --output '{query}.csv'")
        self.replay("--output", "out/{query}.csv")
        self.assertEqual(self.read("out/high.csv"), "query,time,line,power\n"
                         "high,2013-08-31T22:00:01.8Z,A,18.5\nhigh,2013-08-31T22:00:01.9Z,B,19.5\n")
        self.assertEqual(self.read("out/loads.csv").splitlines()[:2],
                         ["query,window_start,window_end,line,count(),max(power),mean,revision",
                          "loads,2013-08-31T22:00:00Z,2013-08-31T22:00:01Z,A,5,8.5,4.5,0"])

    def test_the_format_goes_by_the_ending_unless_it_is_given(self):
        self.configure(ONE_QUERY)
        self.replay("--output", "rows.csv", "--format", "jsonl")
        self.assertEqual(json.loads(self.read("rows.csv").splitlines()[0])["count()"], 5)
        self.replay("--output", "rows.parquet", "--format", "csv")
        self.assertTrue(self.read("rows.parquet").startswith("query,"))
        done = self.replay("--output", "x.parquet", expect=2)
        self.assert_one_line(done.stderr, "x.parquet", "JSON lines and CSV can be")
        done = self.replay("--format", "csv", expect=2)
        self.assertIn("--format requires --output", done.stderr)
        done = self.replay("--output", "-", "--format", "xml", expect=2)
        self.assertIn("xml", done.stderr)
        self.assertEqual(self.replay("--output", "-", "--format", "csv").stdout.splitlines()[0],
                         "query,window_start,window_end,line,count(),max(power),mean,revision")

    def test_an_output_must_not_be_what_is_read(self):
        before = self.read("in.csv"), self.read("c.toml")
        self.write("other.csv", before[0])
        for output, words in (("in.csv", []), ("./c.toml", []), ("other.csv", ["--input", "other.csv"]),
                              ("other.csv", ["--input", "machines=other.csv"])):
            done = self.replay("--output", output, "--format", "jsonl", *words, expect=2)
            self.assert_one_line(done.stderr, "--output")
            self.assertEqual((self.read("in.csv"), self.read("c.toml")), before)
            self.assertEqual(self.read("other.csv"), before[0])

    def test_no_sink_of_the_configuration_is_opened(self):
        with socket.socket() as broker:
            broker.bind(("127.0.0.1", 0))
            broker.listen()
            broker.setblocking(False)
            port = broker.getsockname()[1]
            self.configure(sinks='sinks = ["live", "rows"]', extra=f"""
[[sink]]
name = "live"
type = "mqtt"
broker = "mqtt://127.0.0.1:{port}"
topic = "weir/{{query}}"

[[sink]]
name = "rows"
type = "file"
path = "rows.jsonl"
""")
            self.replay("--output", "-")
            self.assertRaises(BlockingIOError, broker.accept)
        self.assertFalse((self.directory / "rows.jsonl").exists())

    def test_a_file_sink_goes_by_its_path(self):
        sink = '\n[[sink]]\nname = "rows"\ntype = "file"\npath = "{}"\n'
        self.configure(ONE_QUERY, 'sinks = ["rows"]', sink.format("rows.csv"))
        self.replay()
        self.assertTrue(self.read("rows.csv").startswith("query,window_start,"))
        for path in ("-", "/dev/stdout"):
            self.configure(ONE_QUERY, 'sinks = ["rows"]', sink.format(path))
            done = self.replay()
            self.assertEqual(len([json.loads(line) for line in done.stdout.splitlines()]), 4)
            self.assertFalse((self.directory / "-").exists())
        with open(self.directory / "appended", "w") as out:
            out.write("first\n")
            out.flush()
            subprocess.run([WEIR, "replay", "c.toml"], cwd=self.directory, stdout=out, stderr=subprocess.DEVNULL,
                           timeout=DEADLINE, check=True)
        self.assertEqual(self.read("appended").splitlines()[0], "first")
        self.assertEqual(len(self.read("appended").splitlines()), 5)
        self.configure(ONE_QUERY, 'sinks = ["rows"]', sink.format("rows.xlsx"))
        done = self.weir("check", "c.toml", expect=2)
        self.assert_one_line(done.stderr, "c.toml:", "rows.xlsx", ".jsonl or .csv")

    def test_columns_may_have_plain_names_in_every_sink(self):
        self.configure(ONE_QUERY, 'sinks = ["rows"]',
                       '\n[[sink]]\nname = "rows"\ntype = "file"\npath = "rows.jsonl"\nnames = "plain"\n')
        self.replay()
        self.assertEqual(list(json.loads(self.read("rows.jsonl").splitlines()[0]))[3:], ["line", "count", "max_power", "mean"])
        self.configure(ONE_QUERY)
        done = self.replay("--output", "-", "--format", "csv", "--names", "plain")
        self.assertEqual(done.stdout.splitlines()[0],
                         "query,window_start,window_end,line,count,max_power,mean,revision")
        self.assertIn("  count  max_power  mean\n", self.replay("--names", "plain").stdout)
        self.write("clash.toml", (self.directory / "c.toml").read_text().replace("as mean", "as max_power"))
        self.weir("replay", "clash.toml")
        done = self.weir("replay", "clash.toml", "--names", "plain", expect=2)
        self.assert_one_line(done.stderr, "clash.toml:", "'max_power'", "'max(power)'")

    def test_rows_that_a_console_does_not_show_are_counted(self):
        self.configure(ONE_QUERY)
        self.write("in.csv", readings(200))
        done = self.replay()
        self.assertEqual(done.stdout.count("loads"), 1)
        self.assertIn("sink console: 30 more rows are not shown: rows = 0 shows all, and so does --rows 0", done.stderr)
        done = self.replay("--rows", "0")
        self.assertEqual(done.stdout.count("2013-08-31T22:00:07Z"), 4)
        self.assertNotIn("more rows", done.stderr)
        self.assertIn("sink console: 39 more rows", self.replay("--rows", "1").stderr)
        self.assertIn("--rows", self.replay("--rows", "-1", expect=2).stderr)
        self.assertIn("--rows", self.replay("--rows", "1", "--output", "-", expect=2).stderr)

    def test_the_closing_lines_show_the_range_of_event_times(self):
        done = self.replay()
        self.assertIn("stream machines: event times 2013-08-31T22:00:00Z .. 2013-08-31T22:00:01.9Z\n", done.stderr)
        self.write("c.toml", (self.directory / "c.toml").read_text().replace('unit = "s"', 'unit = "ms"'))
        done = self.replay("--from", "2013-01-01T00:00:00Z")
        self.assertIn("stream machines: event times 1970-01-16T22:46:26.4Z .. 1970-01-16T22:46:26.4019Z\n", done.stderr)

    def test_a_progress_bar_mixes_with_neither_rows_nor_lines(self):
        self.write("in.csv", readings(40))
        plain = self.replay("--speed", "5x")
        terminal, _ = self.in_a_terminal("--speed", "5x")
        self.assertRegex(terminal.text(), "\\[#+ *\\] +[0-9]+ %  0.0 MB  [0-9]+ MB/s")
        seen = terminal.lines()
        self.assertFalse([line for line in seen if "MB/s " in line or "[#" in line or "\033" in line or "\r" in line], seen)
        rows = [line for line in plain.stdout.splitlines() if line.startswith("2013")]
        self.assertEqual([line for line in seen if line.startswith("2013") and " info " not in line], rows)
        self.assertTrue(rows)
        self.assertEqual([line for line in seen if line.startswith(("stream ", "query "))],
                         [line for line in plain.stderr.splitlines() if line.startswith(("stream ", "query "))])

    def test_a_progress_bar_is_drawn_whenever_standard_error_is_a_terminal(self):
        self.write("in.csv", readings(20))
        terminal, rows = self.in_a_terminal("--speed", "5x", "--output", "-", output=False)
        self.assertIn("MB/s", terminal.text())
        self.assertTrue(all(json.loads(line) for line in rows.splitlines()))
        self.assertEqual(len(rows.splitlines()), 6)
        terminal, rows = self.in_a_terminal("--speed", "5x", "--quiet")
        self.assertNotIn("MB/s", terminal.text())
        self.assertNotIn("info", terminal.text())
        self.assertNotIn("stream machines", terminal.text())

    def test_quiet_is_quiet(self):
        self.assertEqual(self.replay("--quiet").stderr, "")
        self.assertIn("info", self.weir("--log-level", "debug", "replay", "c.toml", "--quiet").stderr)

    def test_all_missing_columns_are_named_before_anything_is_read(self):
        self.write("in.csv", readings(3).replace("power", "powr").replace("line", "lines"))
        for words in (["check"], ["replay"], ["verify"]):
            done = self.weir(*words, "c.toml", expect=2)
            self.assert_one_line(done.stderr, "c.toml:6:", "'in.csv', line 1", "'line' (did you mean 'lines'?)",
                                 "'power' (did you mean 'powr'?)", "it has t, lines, powr")
        self.configure(sinks='sinks = ["rows"]', extra='\n[[sink]]\nname = "rows"\ntype = "file"\npath = "rows.jsonl"\n')
        self.write("rows.jsonl", "of an earlier run\n")
        self.replay(expect=2)
        self.assertEqual(self.read("rows.jsonl"), "of an earlier run\n")
        log = self.weir("run", "c.toml").stderr
        self.assertRegex(log, "warning? .*'line' \\(did you mean 'lines'\\?\\)")
        self.assertIn("wrong_columns 3", log)

    def test_another_separator_is_named(self):
        self.write("in.csv", readings(3).replace(",", ";"))
        done = self.weir("check", "c.toml", expect=2)
        self.assert_one_line(done.stderr, "lacks 't', 'line', 'power'", 'separator = ";"')

    def test_a_header_without_a_name_for_the_rows_is_refused_by_name(self):
        text = readings(3).splitlines()
        self.write("in.csv", "\n".join([text[0], *(f"{i},{line}" for i, line in enumerate(text[1:], 1))]) + "\n")
        done = self.weir("check", "c.toml", expect=2)
        hint = 'columns = ["row", "t", "line", "power"], header = true'
        self.assert_one_line(done.stderr, "every row has 4 cells, but the header has 3 names", hint)
        done = self.replay()
        self.assertIn(hint, done.stderr)
        self.assertIn("wrong_columns 3", done.stderr)
        fixed = (self.directory / "c.toml").read_text().replace('format = "csv"', f'format = "csv", {hint}')
        self.write("c.toml", fixed)
        self.assertIn("3 received = 3 delivered", self.replay().stderr)

    def test_a_pipe_is_not_read_for_its_header(self):
        os.mkfifo(self.directory / "pipe")
        writer = threading.Thread(target=lambda: (self.directory / "pipe").write_text(readings(20)))
        writer.start()
        done = self.replay("--input", "pipe")
        writer.join(DEADLINE)
        self.assertIn("20 received = 20 delivered", done.stderr)


if __name__ == "__main__":
    unittest.main()
