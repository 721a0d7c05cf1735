"""Clocks that are wrong, the gateway's and the sensors', with the program as a user runs it."""

import glob
import json
import os
import socket
import time
import unittest
from datetime import datetime

from support import WeirTest

CONFIGURATION = """
[pipeline]
batch_interval = "100ms"
checkpoint_interval = "200ms"
state_dir = "state"

[streams.s]
sources = [ {sources} ]
fields = {{ v = 0 }}
{stream}

[[query]]
name = "q"
from = "s"
select = ["count() as n"]
window = "1s"
{query}
sinks = ["rows"]

[[sink]]
name = "rows"
type = "file"
path = "rows.jsonl"
"""
EVENT_TIME = 'time = { field = "t", unit = "ms" }\n'


class Sensor:
    """A peer that Weir connects to and reads lines from."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(60)
        self.peer = None

    def source(self):
        return f'{{ type = "tcp", host = "127.0.0.1", port = {self.server.getsockname()[1]} }}'

    def accept(self):
        if self.peer is not None:
            self.peer.close()
        self.peer, _ = self.server.accept()

    def send(self, reading):
        self.peer.sendall((json.dumps(reading) + "\n").encode())

    def close(self):
        for each in (self.server, self.peer):
            if each is not None:
                each.close()


def now_ms():
    return int(time.time() * 1000)


class Clock(WeirTest):
    def setUp(self):
        super().setUp()
        self.sensors = []

    def sensor(self):
        self.sensors.append(Sensor())
        self.addCleanup(self.sensors[-1].close)
        return self.sensors[-1]

    def configure(self, stream, query=""):
        sources = ", ".join(sensor.source() for sensor in self.sensors)
        self.write("weir.toml", CONFIGURATION.format(sources=sources, stream=stream, query=query))

    def run_weir(self, **options):
        process = self.start_weir("run", "weir.toml", **options)
        for sensor in self.sensors:
            sensor.accept()
        return process

    def rows(self):
        try:
            return [json.loads(line) for line in self.read("rows.jsonl").splitlines(keepends=True) if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def send_for(self, seconds, make, sensor=0):
        """One reading each 50 ms, until the time is over."""
        begin = time.monotonic()
        sent = 0
        while time.monotonic() < begin + seconds:
            if time.monotonic() >= begin + sent * 0.05:
                self.sensors[sensor].send(make())
                sent += 1
            time.sleep(0.005)
        return sent

    def faked(self):
        found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not found:
            self.skipTest("libfaketime is not installed")
        return dict(os.environ, LD_PRELOAD=found[0], FAKETIME_TIMESTAMP_FILE=str(self.directory / "clock"),
                    FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")

    def test_a_wall_clock_that_is_ten_years_ahead_for_three_seconds_makes_nothing_late(self):
        self.sensor()
        self.configure(EVENT_TIME + 'idle_timeout = "500ms"\n')
        self.write("clock", "+0s\n")
        process = self.run_weir(env=self.faked())
        reading = lambda: {"t": now_ms(), "v": 1}
        sent = self.send_for(1.2, reading)
        self.write("clock", "+10y\n")
        sent += self.send_for(3, reading)
        self.write("clock", "+0s\n")
        sent += self.send_for(2.5, reading)
        log = self.stop(process)
        self.assertIn(f"{sent} delivered = {sent} counted + 0 filtered + 0 late", log)
        self.assertIn("jumped ahead", log)
        self.assertGreaterEqual(len(self.rows()), 5)
        process = self.run_weir()
        self.send_for(1.5, reading)
        self.assertIn("+ 0 late", self.stop(process))

    def test_windows_that_a_wrong_clock_closed_open_again_with_the_next_start(self):
        self.sensor()
        self.configure(EVENT_TIME + 'idle_timeout = "300ms"\n')
        self.write("clock", "+0s\n")
        process = self.run_weir(env=self.faked())
        reading = lambda: {"t": now_ms(), "v": 1}
        self.send_for(1.2, reading)
        self.write("clock", "+10y\n")
        self.eventually(lambda: "set forward" in self.log(process), "the clock is believed in the end")
        # The sensor is silent, so the windows of ten years close.
        self.eventually(lambda: "203" in self.weir("inspect", "state", expect=None).stdout, "the watermark is far ahead")
        self.stop(process)
        before = self.rows()
        process = self.run_weir()
        sent = self.send_for(2.5, reading)
        log = self.stop(process)
        self.assertIn("set back", log)
        self.assertIn("+ 0 late", log)
        self.assertGreater(sent, 0)
        rows = self.rows()
        self.assertGreater(len(rows), len(before) + 1)
        windows = [row["window_start"] for row in rows]
        self.assertEqual(len(windows), len(set(windows)), "no row comes twice")

    def test_a_gateway_that_started_hours_ahead_is_right_after_the_next_start(self):
        self.sensor()
        self.configure('time = "arrival"\n')
        self.write("clock", "+8h\n")
        process = self.run_weir(env=self.faked())
        self.send_for(1.5, lambda: {"v": 1})
        self.write("clock", "+0s\n")
        self.eventually(lambda: "set back" in self.log(process), "it is said")
        self.stop(process)
        process = self.run_weir()
        sent = len(self.rows())
        self.send_for(2.5, lambda: {"v": 1})
        self.eventually(lambda: len(self.rows()) > sent + 1, "windows go on")
        self.assertIn("+ 0 late", self.stop(process))
        end = datetime.fromisoformat(self.rows()[-1]["window_end"].replace("Z", "+00:00")).timestamp()
        self.assertLess(abs(end - time.time()), 60)

    def test_one_sensor_that_is_ahead_makes_no_other_late_and_is_named(self):
        self.sensor()
        self.configure(EVENT_TIME + 'keys = ["k"]\nout_of_order = "300ms"\n')
        process = self.run_weir()
        self.sensors[0].send({"t": now_ms() + 50 * 60 * 1000, "v": 1, "k": "fast"})
        sent = 1 + self.send_for(3, lambda: {"t": now_ms(), "v": 1, "k": "right"})
        # No further message: the windows close as the clock passes them.
        rows = len(self.rows())
        self.eventually(lambda: len(self.rows()) > rows, "windows close by the clock")
        log = self.stop(process)
        self.assertIn(f"{sent} delivered = {sent} counted + 0 filtered + 0 late", log)
        self.assertEqual(log.count("k = fast"), 1, log)

    def test_a_source_that_sends_no_readings_holds_no_window(self):
        self.sensor()
        self.sensor()
        self.configure(EVENT_TIME + 'idle_timeout = "500ms"\n')
        process = self.run_weir()
        self.sensors[1].send({"t": now_ms(), "v": 1})
        deadline = time.monotonic() + 20
        while len(self.rows()) < 3 and time.monotonic() < deadline:
            self.send_for(0.1, lambda: {"t": now_ms(), "v": 1})
            self.sensors[1].send({"alive": True})
            self.sensors[1].send([])
        self.assertGreaterEqual(len(self.rows()), 3)
        self.stop(process)

    def test_a_device_that_begins_in_1970_causes_no_flood_and_a_stop_is_obeyed(self):
        self.sensor()
        self.configure(EVENT_TIME, query="emit_empty = true")
        process = self.run_weir()
        self.sensors[0].send({"t": 0, "v": 1})
        self.send_for(2.5, lambda: {"t": now_ms(), "v": 1})
        begin = time.monotonic()
        log = self.stop(process)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("empty windows in a row", log)
        rows = self.rows()
        self.assertEqual(rows[0]["window_start"], "1970-01-01T00:00:00Z")
        self.assertLess(len(rows), 10)
        self.assertNotEqual(rows[1]["n"], 0)


if __name__ == "__main__":
    unittest.main()
