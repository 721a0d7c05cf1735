"""What the program says, and where: nothing that it quotes steers a terminal or passes itself off as a line, a stream that
is closed takes nothing along, a stream that is full is a failure."""

import json
import os
import re
import subprocess
import unittest

from support import DEADLINE, WEIR, WeirTest, free_port

CONFIG = """
[streams.s]
source = { type = "file", path = "in.csv", format = "csv", columns = ["t", "k", "v"] }
time   = { field = "t", unit = "s" }
keys   = ["k"]
fields = { v = 0 }

[[query]]
name   = "q"
from   = "s"
group_by = ["k"]
select = ["count()"]
window = "10s"
sinks  = ["console", "rows"]

[[sink]]
name = "rows"
type = "file"
path = "rows.jsonl"
"""


class StandardStreams(WeirTest):
    def shell(self, command, expect=0):
        done = subprocess.run(["sh", "-c", command], cwd=self.directory, capture_output=True, timeout=DEADLINE,
                              env=os.environ | {"WEIR": WEIR})
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def setUp(self):
        super().setUp()
        self.write("c.toml", CONFIG)
        self.write("in.csv", "1,a,1\n11,a,1\n")
        self.weir("replay", "c.toml", "--quiet")
        self.rows = self.read("rows.jsonl")

    def test_closed_streams_leave_data_files_alone(self):
        for closed in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
            self.shell(f'"$WEIR" replay c.toml --state-dir st {closed}; rm -rf st.$$; mv st st.$$')
            self.assertEqual(self.read("rows.jsonl"), self.rows, closed)
        locks = list(self.directory.glob("st.*/LOCK"))
        self.assertTrue(locks)
        for lock in locks:
            self.assertRegex(lock.read_text(), r"\A[0-9]+\n\Z")

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.shell('"$WEIR" replay c.toml --state-dir st')
        for command in ("check c.toml", "inspect st", "inspect st --all", "devices", "--help", "--version",
                        "verify c.toml", "replay c.toml"):
            done = self.shell(f'"$WEIR" --log-level error {command} > /dev/full', expect=1)
            self.assertIn(b"standard output", done.stderr, command)
        for command in ("check c.toml", "inspect st"):
            read, write = os.pipe()
            os.close(read)
            done = subprocess.run([WEIR, *command.split()], cwd=self.directory, stdout=write, stderr=subprocess.PIPE,
                                  timeout=DEADLINE)
            os.close(write)
            self.assertEqual(done.returncode, 1, command)
            self.assertIn(b"Broken pipe", done.stderr)

    def test_a_file_name_cannot_forge_a_log_line(self):
        forged = "st\x1b[31mEVIL\u202e\n2026-01-01T00:00:00.000Z critical forged"
        self.weir("replay", "c.toml", "--state-dir", forged)
        log = self.weir("replay", "c.toml", "--state-dir", forged).stderr
        self.assertIn(r"in st\x1b[31mEVIL\u202e\x0a2026-01-01T", log)
        self.assertNotIn("\x1b", log)
        self.assertFalse([line for line in log.splitlines() if line.startswith("2026-01-01")], log)
        for arguments in (["inspect", forged + "/absent"], ["replay", "c.toml", "--input", forged]):
            done = self.weir(*arguments, expect=None)
            self.assertNotIn("\x1b", done.stdout + done.stderr)

    def test_every_line_of_a_json_log_is_json(self):
        done = self.weir("--json-log", "replay", "c.toml")
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertIn("the ledger balances", lines[-1]["message"])
        for line in lines:
            self.assertEqual(list(line), ["time", "level", "message"])
        self.write("bad.toml", CONFIG.replace('"10s"', '"10 parsecs"').replace("group_by", "groop_by"))
        for arguments in (["check", "bad.toml"], ["check", "absent\x1b.toml"], ["no-such-command"]):
            done = self.weir("--json-log", *arguments, expect=2 if arguments[-1] != "absent\x1b.toml" else None)
            for line in done.stderr.splitlines():
                self.assertEqual(json.loads(line)["level"], "error")
        self.weir("--json-log", "record", "c.toml", "--output", "recording")

    def test_messages_are_whole_and_printable_whatever_a_configuration_holds(self):
        self.write("nul.toml", CONFIG.replace('name   = "q"', 'name   = "q\\u0000\\u001b[31m\\u202e"')
                   .replace('"count()"', '"agv(v)"'))
        done = self.weir("check", "nul.toml", expect=2)
        self.assertNotIn("\x00", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("\u202e", done.stderr)
        self.write("nul.toml", CONFIG.replace('from   = "s"', 'from   = "s\\u0000ee"'))
        done = self.weir("check", "nul.toml", expect=2)
        self.assertIn(r"'s\x00ee'", done.stderr)
        done = self.weir("no\x1bsuch", expect=2)
        self.assertNotIn("\x1b", done.stderr)

    def test_a_password_in_the_address_of_a_broker_is_refused_and_not_shown(self):
        done = self.weir("simulate", "--broker", f"mqtt://bob:wrongsecret99@127.0.0.1:{free_port()}", "--count", "1",
                         expect=2)
        self.assertNotIn("wrongsecret99", done.stdout + done.stderr)
        self.assert_one_line(done.stderr, "--username")

    def test_a_thread_that_cannot_start_is_one_line_with_the_way_out(self):
        if os.geteuid() != 0:
            self.skipTest("needs another user, to have a limit of its own")
        self.directory.chmod(0o777)
        codes = set()
        for limit in range(1, 12):
            # A sanitizer that looks for leaks at the end starts a thread for it.
            done = self.shell(f'rm -f rows.jsonl; ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65533 --clear-groups prlimit --nproc={limit} '
                              f'"$WEIR" --log-level warn replay c.toml --quiet', expect=None)
            codes.add(done.returncode)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            if done.returncode == 1:
                text = done.stderr.decode()
                self.assert_one_line(text, "cannot start a thread")
                self.assertTrue(re.search("ulimit -u", text), text)
        self.assertEqual(codes, {0, 1})


if __name__ == "__main__":
    unittest.main()
