"""Clocks: arrival time goes through the journal, and a wall clock that steps back harms nothing."""

import os
import shutil
import subprocess
import unittest

from crash_support import BROKER, DEADLINE, ORDER_QUERIES, lines_of, messages_of, sentinel
from kill_loop import PATIENCE_S, KillLoop, faketime_library
from mqtt_client import Publisher, create_session

READINGS = 1500
ARRIVAL_QUERIES = ORDER_QUERIES + """
[[query]]
name     = "arrivals"
from     = "plant"
group_by = ["line"]
select   = ["count()", "sum(power)", "last(temperature)"]
window   = "200ms"
slide    = "40ms"
sinks    = ["order"]
"""


class Clock(KillLoop):
    def test_a_journal_replays_to_the_rows_of_the_run_in_arrival_time(self):
        """Where the time is the arrival, rows depend on when and in which batch a reading came: all that is in the
        journal, so kills change nothing, and the journal replayed gives what the run wrote."""
        port = self.broker(BROKER).port
        lines = lines_of(READINGS, self.seed)
        create_session(port, "gateway", ["plant/#"])
        self.configure("live.toml", self.mqtt_source(port), "live", dedupe=False, out_of_order="0s",
                       queries=ARRIVAL_QUERIES)
        text = (self.directory / "live.toml").read_text().replace('journal_segment = "64KiB"', 'journal_segment = "1MiB"')
        text = text.replace('time   = { field = "t", unit = "ms" }', 'time = "arrival"')
        # Only starts write checkpoints, and what these release was copied after an earlier kill: a recording of it all.
        self.write("live.toml", text.replace('checkpoint_interval = "30ms"', 'checkpoint_interval = "1h"'))
        publisher = Publisher(port, messages_of(lines))
        self.addCleanup(publisher.stop)
        for life in range(1, 7):
            publisher.allow(life * READINGS // 6)
            self.run_and_kill("live.toml", 0.05 + self.some_instant())
            self.record()
        gateway = self.start_weir("run", "live.toml")
        self.assertTrue(publisher.wait_acknowledged(READINGS, PATIENCE_S), publisher.error)
        self.wait_journaled(gateway, lines[-1].encode())
        least = sum(1 for line in lines if float(line.split('"power":')[1][:-1]) > 10)
        self.eventually(lambda: self.output("live")["each.jsonl"].count(b"\n") >= least, "every reading is a row")
        self.kill(gateway)
        self.record()
        # The next life reads the journal again.
        gateway = self.start_weir("run", "live.toml")
        self.eventually(lambda: "running on" in self.log(gateway), "it runs")
        log = self.stop(gateway)
        self.assertIn("the ledger balances", log)
        live = self.output("live")
        self.write("again.toml", text.replace("live/{query}", "again/{query}").replace('state_dir = "state"\n', ""))
        self.weir("replay", "again.toml", "--input", "recorded")
        again = self.output("again")
        # The run went on for a moment after the copy, and the end of the recording closes the windows that were open.
        for name, rows in again.items():
            mine, theirs = live[name].splitlines(), rows.splitlines()
            # On a fast machine the run is over in a few batches.
            rows_in_all = min(len(mine), len(theirs))
            self.assertGreater(rows_in_all, 8, name)
            least = max(rows_in_all - 8 * 4, rows_in_all // 2)
            self.assertEqual(mine[:least], theirs[:least], f"seed {self.seed}: {name}")
        self.assertGreaterEqual(len(live["each.jsonl"].splitlines()), len(again["each.jsonl"].splitlines()))

    def record(self):
        """Copies the journal to where earlier copies are."""
        (self.directory / "recorded").mkdir(exist_ok=True)
        for path in self.segments():
            if not path.name.endswith(".tmp"):
                shutil.copy(path, self.directory / "recorded")

    def test_the_wall_clock_steps_back_by_an_hour(self):
        library = faketime_library()
        if library is None:
            self.skipTest("libfaketime is not installed")
        port = self.broker(BROKER).port
        lines = lines_of(READINGS, self.seed)
        create_session(port, "gateway", ["plant/#"])
        self.configure("live.toml", self.mqtt_source(port), "live")
        publisher = Publisher(port, messages_of(lines + [sentinel(READINGS)]))
        self.addCleanup(publisher.stop)
        clock = self.write("clock", "+0s\n")
        faked = dict(os.environ, LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1",
                     FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")
        self.assert_fakes(faked, clock)
        gateway = self.start_weir("run", "live.toml", env=faked)
        publisher.allow(READINGS // 3)
        self.wait_delivered(gateway, READINGS // 3)
        self.write("clock", "-3600s\n")  # under a running gateway
        publisher.allow(2 * READINGS // 3)
        self.wait_delivered(gateway, 2 * READINGS // 3)
        self.kill(gateway)
        self.write("clock", "-7200s\n")  # and while it was down
        gateway = self.start_weir("run", "live.toml", env=faked)
        publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS)
        publisher.allow(READINGS + 1)
        self.wait_delivered(gateway, READINGS + 1)
        self.assert_ledger(self.stop(gateway), READINGS + 1)
        expected = self.undisturbed(lines + [sentinel(READINGS)])
        self.assert_same_rows(self.output("live"), self.without_sentinel(expected, READINGS))

    def assert_fakes(self, environment, clock):
        """The library really moves the clock that programs here read."""
        clock.write_text("-3600s\n")
        said = subprocess.run(["date", "+%s"], env=environment, capture_output=True, text=True, timeout=DEADLINE).stdout
        real = subprocess.run(["date", "+%s"], capture_output=True, text=True, timeout=DEADLINE).stdout
        clock.write_text("+0s\n")
        self.assertLess(int(said), int(real) - 3000)


if __name__ == "__main__":
    unittest.main()
