"""Kills under a steady rate and without any patience: the watermark waits for nothing (`out_of_order` = 0) and the message
that closes every window follows right behind the last reading, so one reading that comes after its place changes rows.

A loop that fails says whose fault it was. The publisher knows what the broker acknowledged, the broker logs what it sent and
what it dropped, and the journal, of which nothing is lost here, has what came, in its order.
"""

import os
import re
import time

from crash_support import CrashTest, lines_of, messages_of, sentinel
from mqtt_client import Publisher, create_session

RATE = 3000  # readings a second
MARKER_AHEAD_MS = 60_000
PATIENCE_S = 60
MARKER_S = 20
BROKER = """allow_anonymous true
set_tcp_nodelay true
max_inflight_messages {inflight}
log_type error
log_type warning
log_type notice
log_type information
"""


class MarkerLoop(CrashTest):
    sentinel_ahead_ms = MARKER_AHEAD_MS
    out_of_order_s = 0

    def marker_loop(self, kills):
        inflight, window = self.random.choice((20, 100, 1000)), self.random.choice((20, 100, 1000))
        port = self.broker(BROKER.format(inflight=inflight)).port
        lives = [0.05 + self.some_instant(1.0) for _ in range(kills)]
        count = int(RATE * sum(lives) * self.random.uniform(0.7, 1.0)) + 1
        lines = lines_of(count, self.seed, disorder_ms=0)
        marker = sentinel(count, MARKER_AHEAD_MS)
        version = self.random.choice((4, 5))
        create_session(port, "gateway", ["plant/#"], 1, version)
        self.configure("live.toml", self.mqtt_source(port, 1, version), "live", out_of_order="0s", checkpoint="500ms",
                       segment="16MiB")
        publisher = Publisher(port, messages_of(lines) + messages_of([marker]), 1, version, window=window, rate=RATE,
                              log=self.directory / "log-publisher")
        self.addCleanup(publisher.stop)
        publisher.allow(count + 1)
        for life in lives:
            self.run_and_kill("live.toml", life)
            self.keep_journal()
        gateway = self.start_weir("run", "live.toml")
        self.assertTrue(publisher.wait_acknowledged(count + 1, PATIENCE_S), f"seed {self.seed}: {publisher.error}")
        self.eventually(lambda: "running on" in self.log(gateway), "it runs")
        self.wait_last(marker.encode())
        self.keep_journal()
        log = self.stop(gateway)
        self.assert_explained(lines + [marker])
        whole = self.undisturbed(lines + [marker], out_of_order="0s")
        self.assert_same_rows(self.output("live"), self.without_sentinel(whole, count))
        self.assertIn("the ledger balances", log)

    def wait_last(self, marker):
        """Until the marker is in the journal, or for long enough to say that it does not come."""
        deadline = time.monotonic() + MARKER_S
        while not self.is_journaled(marker) and time.monotonic() < deadline:
            time.sleep(0.05)

    def keep_journal(self):
        """Links to every segment that was ever there: what checkpoints release stays."""
        (self.directory / "kept").mkdir(exist_ok=True)
        for path in self.segments():
            if path.name.endswith(".tmp"):
                continue
            # One that was empty gives its name to the next.
            link = self.directory / "kept" / f"{path.name}.{path.stat().st_ino}"
            if not link.exists():
                os.link(path, link)

    def journaled(self):
        """The event times in the journal, in the order of arrival, each the first time only."""
        times = {}
        for path in sorted((self.directory / "kept").iterdir()):
            for found in re.finditer(rb'"t":(\d+),', path.read_bytes()):
                times.setdefault(int(found.group(1)), path.name)
        return list(times)

    def assert_explained(self, lines):
        """Every acknowledged reading is in the journal, and in the order of publishing."""
        published = [int(re.search(r'"t":(\d+),', line).group(1)) for line in lines]
        came = self.journaled()
        missing = sorted(set(published) - set(came))
        place = {t: at for at, t in enumerate(published)}
        overtaken = [(place[a], place[b]) for a, b in zip(came, came[1:]) if place[b] < place[a]]
        told = [line for process in self.processes for line in self.log(process).splitlines() if "dropped" in line]
        if missing or overtaken:
            whose = "the broker dropped messages" if told else "the broker or the journal, see the logs"
            self.fail(f"seed {self.seed}: {len(missing)} of {len(published)} acknowledged messages are not in the journal"
                      f" (from number {place[missing[0]] if missing else '-'}), {len(overtaken)} places out of order"
                      f" {overtaken[:3]}: {whose} {told[:2]}")
