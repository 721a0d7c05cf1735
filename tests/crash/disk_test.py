"""Disks that are full, get free again, or cannot be written, under the state directory and under the output."""

import os
import unittest

import small_disk
from crash_support import BROKER, CrashTest, lines_of, messages_of, sentinel
from mqtt_client import Publisher, create_session

READINGS = 3000
SEGMENT_MIB = 64  # a journal's segment is allocated whole


def setUpModule():
    small_disk.own_mounts()


class Disk(CrashTest):
    def prepare(self, state="state", out="live"):
        self.port = self.broker(BROKER).port
        self.lines = lines_of(READINGS, self.seed)
        self.configure("live.toml", self.mqtt_source(self.port), out, state=state)
        create_session(self.port, "gateway", ["plant/#"])
        self.publisher = Publisher(self.port, messages_of(self.lines + [sentinel(READINGS)]))
        self.addCleanup(self.publisher.stop)

    def small_disk(self, name, mebibytes):
        path = self.directory / name
        path.mkdir()
        small_disk.mount_small(path, mebibytes << 20)
        self.addCleanup(small_disk.unmount, path)
        return path

    def go_through_a_full_disk(self, disk, state, out):
        """The disk fills up under a running gateway and is freed again; nothing acknowledged may be missing after that,
        whether the gateway waits or ends with one line and is started again."""
        gateway = self.start_weir("--log-level", "warn", "run", "live.toml")
        self.publisher.allow(READINGS // 3)
        deadline_log = lambda: self.saved_ledger(state)  # noqa: E731
        self.eventually(lambda: (ledger := deadline_log()) is not None and ledger.delivered >= READINGS // 3, "a third is in")
        ballast = small_disk.fill(disk)
        self.publisher.allow(2 * READINGS // 3)
        self.eventually(lambda: gateway.poll() is not None or self.log(gateway).strip(), "it ends, or says that it waits")
        if gateway.poll() is not None:
            self.assertEqual(gateway.returncode, 1, self.log(gateway))
            last = self.log(gateway).strip().splitlines()[-1]
            self.assertRegex(last, "[Nn]o space left")
            self.assertIn(disk.name, last)
            # A disk that is still full is a refusal, or a start that waits, but never a loss.
            again = self.run_and_kill_whatever("live.toml", 0.3)
            self.assertIn(again.returncode, (1, -9), self.log(again))
        os.remove(ballast)
        if gateway.poll() is None:
            self.kill(gateway)
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS, state)
        self.publisher.allow(READINGS + 1)
        self.wait_delivered(gateway, READINGS + 1, state)
        self.assert_ledger(self.stop(gateway), READINGS + 1)
        expected = self.undisturbed(self.lines + [sentinel(READINGS)])
        self.assert_same_rows(self.output(out), self.without_sentinel(expected, READINGS))

    def run_and_kill_whatever(self, configuration, after_s):
        process = self.start_weir("run", configuration)
        try:
            process.wait(timeout=after_s)
        except Exception:  # it runs
            self.kill(process)
        return process

    def test_the_disk_of_the_state_fills_up_and_is_freed(self):
        disk = self.small_disk("small", 2 * SEGMENT_MIB)
        self.prepare(state="small/state")
        self.go_through_a_full_disk(disk, "small/state", "live")

    def test_the_disk_of_the_output_fills_up_and_is_freed(self):
        disk = self.small_disk("small", 1)
        self.prepare(out="small/live")
        self.go_through_a_full_disk(disk, "state", "small/live")

    def test_a_state_directory_that_cannot_be_written(self):
        self.prepare(state="wall/state")
        (self.directory / "wall").mkdir()
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS // 3)
        self.wait_delivered(gateway, READINGS // 3, "wall/state")
        self.kill(gateway)
        before, rows = self.state_files("wall/state"), self.output("live")
        small_disk.mount_read_only(self.directory / "wall")
        self.refused("run", "live.toml", parts=["wall/state", "ead-only"])
        self.assertEqual(self.output("live"), rows)
        small_disk.unmount(self.directory / "wall")
        self.assertEqual(self.state_files("wall/state"), before)
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS, "wall/state")
        self.assert_ledger(self.stop(gateway), READINGS)

    def test_a_disk_that_is_full_from_the_start(self):
        disk = self.small_disk("small", 1)
        self.prepare(state="small/state")
        ballast = small_disk.fill(disk)
        self.refused("run", "live.toml", parts=["small/state", "o space left"])
        os.remove(ballast)


if __name__ == "__main__":
    unittest.main()
