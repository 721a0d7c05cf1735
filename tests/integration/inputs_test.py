"""What a replay reads: several files, globs, directories, standard input, compressed files, other encodings."""

import gzip
import json
import shutil
import subprocess
import unittest

from support import WeirTest

CONFIG = """
[streams.s]
source = { type = "mqtt", broker = "mqtt://localhost:1", topics = ["x"], format = "csv", columns = ["t", "k", "v"] }
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 0 }
MORE
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
SECOND = """
[streams.temperatures]
source = { type = "mqtt", broker = "mqtt://localhost:1", topics = ["y"], client_id = "y" }
time = { field = "t", unit = "s" }
fields = { v = 0 }
"""


def rows(*numbers, key="k"):
    return "".join(f"{n},{key},{n}\n" for n in numbers)


class Inputs(WeirTest):
    def setUp(self):
        super().setUp()
        self.write("c.toml", CONFIG.replace("MORE", ""))

    def values(self, *words, expect=0, **options):
        """Of a replay, and its log."""
        path = self.directory / "rows.jsonl"
        path.unlink(missing_ok=True)
        done = self.weir("replay", *words, expect=expect, **options)
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["v"] for line in lines], done.stderr

    def test_several_files_are_one_source_in_the_order_given(self):
        for i in (1, 2, 3, 10):
            self.write(f"p-{i}.csv", rows(i))
        (self.directory / "d").mkdir()
        for name in ("p-10.csv", "p-2.csv"):
            shutil.copy(self.directory / name, self.directory / "d")
        for inputs, expected in (
            (["--input", "p-1.csv", "--input", "p-2.csv"], [1, 2]),
            (["--input", "p-*.csv"], [1, 2, 3, 10]),
            (["--input", "p-1.csv", "p-2.csv", "p-3.csv"], [1, 2, 3]),
            (["--input", "p-1.csv", "--input=p-2.csv", "p-3.csv", "--input", "p-10.csv"], [1, 2, 3, 10]),
            (["--input", "s=p-1.csv", "--input", "s=p-1[0].csv"], [1, 10]),
            (["--input", "d"], [2, 10]),
        ):
            with self.subTest(inputs=inputs):
                self.assertEqual(self.values("c.toml", *inputs)[0], expected)
        self.assertEqual(self.values("c.toml", "--input", "p-3.csv", "p-1.csv")[0], [3, 1], "they are not merged")

    def test_many_files_take_the_memory_of_one(self):
        (self.directory / "in").mkdir()
        for i in range(600):
            self.write(f"in/{i}.csv", rows(i))
        self.write("c.toml", '[pipeline]\nmemory_limit = "1GiB"\n' + CONFIG.replace("MORE", ""))
        self.assertEqual(self.values("c.toml", "--input", "in/*.csv")[0], list(range(600)))

    def test_standard_input(self):
        values, _ = self.values("c.toml", "--input", "-", input=rows(1, 2))
        self.assertEqual(values, [1, 2])
        with open(self.directory / "in.gz", "wb") as file:
            file.write(gzip.compress(rows(3, 4).encode()))
        with open(self.directory / "in.gz", "rb") as file:
            self.assertEqual(self.values("c.toml", "--input", "-", stdin=file)[0], [3, 4])
        self.write("a.csv", rows(1))
        self.assertIn("standard input is the only input",
                      self.values("c.toml", "--input", "-", "--input", "a.csv", expect=2, input="")[1])

    def test_mistakes_in_inputs_name_the_way_out(self):
        self.write("a.csv", rows(1))
        self.write("a=b.csv", rows(5))
        self.write("two.toml", CONFIG.replace("MORE", SECOND))
        for words, text in (
            (("two.toml", "--input", "temprature=a.csv"), "no stream 'temprature' (did you mean 'temperatures'?)"),
            (("two.toml", "--input", "a.csv"), "the configuration has 2 streams"),
            (("c.toml", "--input", "t=a.csv"), "no stream 't'"),
            (("c.toml", "--input", "a.csv", "none-*"), "none-*': no file matches"),
            (("c.toml", "--input", "a.csv", "none"), "none': No such file"),
        ):
            self.assertIn(text, self.values(*words, expect=2)[1])
        self.assertEqual(self.values("c.toml", "--input", "a=b.csv")[0], [5])

    def test_compressed_files_and_other_encodings(self):
        zstd = subprocess.run(["zstd", "-q", "-c"], input=rows(3).encode(), capture_output=True).stdout \
            if shutil.which("zstd") else gzip.compress(rows(3).encode())
        self.write("1.csv.gz", gzip.compress(rows(1).encode()) + gzip.compress(rows(2).encode()))
        self.write("2.csv.zst", zstd)
        self.write("3.csv", ("\ufeff" + rows(4)).encode("utf-16-le"))
        self.write("4.csv", rows(5).encode("utf-16-be"))
        self.write("5.csv", b"\xef\xbb\xbf" + rows(6).encode())
        self.assertEqual(self.values("c.toml", "--input", "*.csv*")[0], [1, 2, 3, 4, 5, 6])
        (self.directory / "live").mkdir()
        for name in ("1.csv.gz", "2.csv.zst", "3.csv", "4.csv", "5.csv"):
            shutil.move(self.directory / name, self.directory / "live" / name)
        self.write("live.toml", CONFIG.replace("MORE", "").replace(
            'type = "mqtt", broker = "mqtt://localhost:1", topics = ["x"]',
            'type = "directory", path = "live", settle = "0s", poll = "20ms"'))
        (self.directory / "rows.jsonl").unlink()
        gateway = self.start_weir("run", "live.toml")
        self.eventually(lambda: len(self.read("rows.jsonl").splitlines()) == 6
                        if (self.directory / "rows.jsonl").exists() else False, "all rows")
        self.assertIn("6 received = 6 delivered", self.stop(gateway))

    def test_latin1_is_named_and_read(self):
        self.write("a.csv", rows(1, key="K\u00fche").encode("latin-1"))
        config = CONFIG.replace("MORE", "").replace('type = "mqtt", broker = "mqtt://localhost:1", topics = ["x"]',
                                                    'type = "file", path = "a.csv"ENCODING')
        self.write("c.toml", config.replace("ENCODING", ""))
        _, log = self.values("c.toml")
        # Once by the look at the header before the start, once by the replay.
        self.assertLessEqual(log.count('encoding = "latin1"'), 2, log)
        self.assertIn("'a.csv': byte 3 of the text is no UTF-8", log)
        self.write("c.toml", config.replace("ENCODING", ', encoding = "latin1"'))
        values, log = self.values("c.toml")
        self.assertEqual(values, [1])
        self.assertNotIn("UTF-8", log)
        self.assertIn("K\u00fche", self.read("rows.jsonl"))

    def test_damage_is_never_a_good_end(self):
        text = "".join(rows(i) for i in range(50_000))
        self.write("a.csv.gz", gzip.compress(text.encode())[:-5000])
        done = self.weir("replay", "c.toml", "--input", "a.csv.gz", expect=1)
        self.assertIn("cannot read 'a.csv.gz': the compressed data is cut off", done.stderr)
        self.write("b.csv", rows(60_000))
        values, log = self.values("c.toml", "--input", "a.csv.gz", "b.csv")
        self.assertEqual(values[-1], 60_000)
        self.assertEqual(values[:-1], list(range(len(values) - 1)))
        self.assertIn("warning cannot read 'a.csv.gz': the compressed data is cut off", log)
        self.assertIn("unreadable 1", log)

    def test_a_replay_that_is_interrupted_goes_on(self):
        for part in range(8):
            text = "".join(rows(i) for i in range(part * 20_000, (part + 1) * 20_000))
            self.write(f"p-{part + 5}.csv" + (".gz" if part % 2 else ""),
                       gzip.compress(text.encode()) if part % 2 else text)
        self.write("c.toml", '[pipeline]\ncheckpoint_interval = "5ms"\nbatch_rows = 512\n' + CONFIG.replace("MORE", ""))
        words = ("replay", "c.toml", "--state-dir", "state", "--input", "p-*")
        path = self.directory / "rows.jsonl"
        for part in range(1, 5):
            replay = self.start_weir(*words)
            self.eventually(lambda: replay.poll() is not None or path.exists() and path.stat().st_size > part * 900_000,
                            "some rows are there")
            replay.kill()
            replay.wait()
        done = self.weir(*words)
        self.assertIn("160000 received = 160000 delivered", done.stderr)
        self.assertEqual([json.loads(line)["v"] for line in path.read_text().splitlines()], list(range(160_000)))

    def test_a_replay_of_which_nothing_could_be_read_says_so(self):
        self.write("a.csv", "x,k,1\ny,k,2\n1,k\n")
        values, log = self.values("c.toml", "--input", "a.csv", expect=3)
        self.assertEqual(values, [])
        self.assertIn("error none of 3 readings could be delivered: most often bad_time (2 times, in stream 's')", log)
        self.write("a.csv", "x,k,1\n" + rows(2))
        self.assertEqual(self.values("c.toml", "--input", "a.csv")[0], [2])
        self.write("a.csv", "")
        self.assertEqual(self.values("c.toml", "--input", "a.csv")[0], [])

    def test_a_list_in_a_configuration_is_one_source_also_when_it_runs(self):
        self.write("a.csv", rows(1))
        self.write("p-2.csv.gz", gzip.compress(rows(2).encode()))
        self.write("p-10.csv", rows(10))
        self.write("c.toml", '[pipeline]\nstate_dir = "state"\n' + CONFIG.replace("MORE", "").replace(
            'type = "mqtt", broker = "mqtt://localhost:1", topics = ["x"]', 'type = "file", path = ["a.csv", "p-*"]'))
        self.weir("check", "c.toml")
        for _ in range(2):
            done = self.weir("run", "c.toml")
            self.assertIn("3 received = 3 delivered", done.stderr)
            self.assertEqual([json.loads(line)["v"] for line in self.read("rows.jsonl").splitlines()], [1, 2, 10])


if __name__ == "__main__":
    unittest.main()
