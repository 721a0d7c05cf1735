"""The state directory: damage to it, who may use it, and what a changed configuration may do with it."""

import re
import stat
import unittest

from crash_support import BROKER, CrashTest, lines_of, messages_of, sentinel
from kill_loop import PATIENCE_S
from mqtt_client import Publisher, create_session
from support import listens

READINGS = 3000


class State(CrashTest):
    def setUp(self):
        super().setUp()
        self.mosquitto = self.broker(BROKER)
        self.port = self.mosquitto.port
        self.lines = lines_of(READINGS, self.seed)
        self.configure("live.toml", self.mqtt_source(self.port), "live")
        create_session(self.port, "gateway", ["plant/#"])
        self.publisher = Publisher(self.port, messages_of(self.lines + [sentinel(READINGS)]))
        self.addCleanup(self.publisher.stop)

    def run_until(self, count, least_checkpoints=3):
        """Readings up to `count` are in a checkpoint, and then the gateway is killed."""
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(count)
        self.wait_delivered(gateway, count)
        self.eventually(lambda: len(self.checkpoints()) >= least_checkpoints, "checkpoints are kept")
        self.kill(gateway)

    def journal_only(self, count):
        """Readings up to `count` are in the journal, none of them in a checkpoint, and the gateway is killed."""
        text = (self.directory / "live.toml").read_text()
        self.write("live.toml", text.replace('checkpoint_interval = "30ms"', 'checkpoint_interval = "1h"'))
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(count)
        self.assertTrue(self.publisher.wait_acknowledged(count, PATIENCE_S), self.publisher.error)
        for line in self.lines[count - 20:count]:
            self.wait_journaled(gateway, line.encode())
        self.kill(gateway)
        self.write("live.toml", text)

    def place_of(self, line):
        """(segment, offset) of a reading in the journal."""
        for path in self.segments():
            at = path.read_bytes().find(line.encode())
            if at >= 0:
                return path, at
        return self.fail(f"{line} is not in the journal")

    def finish(self, gateway=None, most_lost=0):
        gateway = gateway or self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS - most_lost)
        self.publisher.allow(READINGS + 1)
        self.wait_delivered(gateway, READINGS + 1 - most_lost)
        text = self.stop(gateway)
        # What is gone from the journal comes again if the broker had no acknowledgement of it yet.
        counted = int(re.search(r"= (\d+) counted \+ 0 filtered", text)[1]) if most_lost else READINGS + 1
        self.assertGreaterEqual(counted, READINGS + 1 - most_lost)
        self.assert_ledger(text, counted)
        return text

    def assert_whole(self):
        expected = self.undisturbed(self.lines + [sentinel(READINGS)])
        self.assert_same_rows(self.output("live"), self.without_sentinel(expected, READINGS))

    # Damage

    def test_a_flipped_bit_in_the_newest_checkpoint(self):
        self.run_until(READINGS // 2)
        newest = self.checkpoints()[-1]
        data = bytearray(newest.read_bytes())
        data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        newest.write_bytes(data)
        gateway = self.start_weir("run", "live.toml")
        self.finish(gateway)
        self.assertIn(newest.name, self.log(gateway))
        self.assert_whole()

    def test_a_newest_checkpoint_that_is_cut_off(self):
        self.run_until(READINGS // 2)
        newest = self.checkpoints()[-1]
        newest.write_bytes(newest.read_bytes()[:self.random.randrange(newest.stat().st_size)])
        gateway = self.start_weir("run", "live.toml")
        self.finish(gateway)
        self.assertIn(newest.name, self.log(gateway))
        self.assert_whole()

    def test_a_stored_part_that_rots_while_the_gateway_runs(self):
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS // 2)
        self.wait_delivered(gateway, READINGS // 2)
        # Nothing comes in, so the oldest files are there only for what all newer checkpoints take from them.
        number = lambda path: int(path.stem.removeprefix("checkpoint-"))
        self.eventually(lambda: len(files := self.checkpoints()) > 3 and number(files[-3]) > number(files[0]) + 10,
                        "checkpoints refer to an older file")
        for path in self.checkpoints()[:-3]:
            try:
                with path.open("r+b") as file:
                    data = bytearray(file.read())
                    file.seek(28)  # behind the head, which tells a newer format
                    file.write(bytes(byte ^ 0x10 for byte in data[28:]))
            except FileNotFoundError:
                pass  # no longer needed
        self.eventually(lambda: "an older chunk of the checkpoint is damaged" in self.log(gateway), "it is noticed")
        self.eventually(lambda: "all is well again" in self.log(gateway), "the state is written anew")
        self.kill(gateway)
        self.finish()
        self.assert_whole()

    def test_no_good_checkpoint_is_a_refusal_that_changes_nothing(self):
        self.run_until(READINGS // 2)
        files = self.checkpoints()
        for path in files:
            data = bytearray(path.read_bytes())
            data[self.random.randrange(28, len(data))] ^= 0x10  # behind the head, which tells a newer format
            path.write_bytes(data)
        before, rows = self.state_files(), self.output("live")
        self.refused("run", "live.toml", parts=[path.name for path in files[-3:]])
        self.assertEqual(self.state_files(), before)
        self.assertEqual(self.output("live"), rows)

    def test_a_flipped_bit_in_the_journal_is_a_refusal_that_names_the_place(self):
        self.journal_only(READINGS // 2)
        path, at = self.place_of(self.lines[READINGS // 4])
        data = bytearray(path.read_bytes())
        data[at + 10] ^= 4
        path.write_bytes(data)
        before = self.everything()
        line = self.refused("run", "live.toml", parts=[path.name])
        self.assertRegex(line, r"\d", "the offset")
        self.assertEqual(self.everything(), before)
        data[at + 10] ^= 4  # repaired: nothing was lost by the attempt
        path.write_bytes(data)
        self.finish()
        self.assert_whole()

    def test_a_journal_that_is_cut_off_goes_on_with_what_it_holds(self):
        self.journal_only(READINGS // 2)
        path, at = self.place_of(self.lines[READINGS // 2 - 1])
        # Within the last record, as a power cut leaves it.
        path.write_bytes(self.with_synced_mark(path.read_bytes()[:at + 30], lambda mark: min(mark, at - 56)))
        self.finish(most_lost=1)

    def test_a_journal_that_is_cut_off_where_it_was_synced_is_a_refusal(self):
        self.journal_only(READINGS // 2)
        line = self.lines[READINGS // 2 - 1]
        path, at = self.place_of(line)
        path.write_bytes(self.with_synced_mark(path.read_bytes()[:at + 30], lambda _: at + len(line)))
        before = self.state_files()
        self.assertRegex(self.refused("run", "live.toml", parts=[path.name, "damaged at byte"]), "were safe on the disk")
        self.assertEqual(self.state_files(), before)
        self.finish(self.start_weir("run", "live.toml", "--skip-damage"), most_lost=1)

    def test_a_journal_without_its_newest_segment_is_a_refusal(self):
        self.run_until(READINGS // 2)
        newest = self.segments()[-1]
        data = newest.read_bytes()
        newest.unlink()
        before = self.everything()
        self.refused("run", "live.toml", parts=["is gone"])
        self.assertEqual(self.everything(), before)
        newest.write_bytes(data)
        self.finish()
        self.assert_whole()

    def test_a_journal_that_is_cut_off_while_the_gateway_writes_to_it_ends_the_run_with_an_error(self):
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS // 4)
        self.wait_delivered(gateway, READINGS // 4)
        with self.segments()[-1].open("r+b") as segment:
            segment.truncate(0)
        self.publisher.allow(READINGS)
        self.eventually(lambda: gateway.poll() is not None, "it ends")
        self.assertEqual(gateway.returncode, 1, self.log(gateway))
        self.assertIn("was cut off by another program", self.log(gateway))

    def test_a_broker_that_refuses_is_no_reason_to_change_anything(self):
        self.run_until(READINGS // 2)
        self.kill(self.mosquitto)
        strict = self.write("strict.conf", f"listener {self.port} 127.0.0.1\nallow_anonymous false\n")
        self.start(self.mosquitto.args[0], "-c", strict)
        self.eventually(lambda: listens(self.port), "the broker wants a password now")
        before = self.everything()
        self.refused("run", "live.toml", parts=["refused"])
        self.assertEqual(self.everything(), before)

    @staticmethod
    def with_synced_mark(segment, change):
        """The segment with another number of bytes that are known to be synced."""
        mark = int.from_bytes(segment[64:72], "little")
        return segment[:64] + change(mark).to_bytes(8, "little") + segment[72:]

    def everything(self):
        """State and output, to the byte."""
        return {**self.state_files(), **{str(path): path.read_bytes() for path in (self.directory / "live").glob("*")}}

    # Who may use it

    def test_files_and_directories_are_private(self):
        self.run_until(READINGS // 2)
        self.finish()
        root = self.directory / "state"
        for path in [root, *root.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, f"{path.relative_to(root)}: {mode:o}")

    def test_a_second_process_is_refused_until_the_first_is_dead(self):
        first = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS // 2)
        self.wait_delivered(first, READINGS // 2)
        self.refused("run", "live.toml", parts=["state", str(first.pid)])
        self.refused("replay", "live.toml", "--state-dir", "state", "--input", "nothing.jsonl", parts=[str(first.pid)])
        self.kill(first)
        self.finish()
        self.assert_whole()

    # A changed configuration

    def change_query(self):
        path = self.directory / "live.toml"
        path.write_text(path.read_text().replace('"sum(temperature)", "min(power)"', '"sum(power)", "min(power)"'))

    def test_a_changed_query_is_refused_and_can_be_discarded(self):
        self.run_until(READINGS // 2)
        self.change_query()
        before, rows = self.state_files(), self.output("live")
        self.refused("run", "live.toml", parts=["sliding", "--discard-state"], code=2)
        self.assertEqual(self.state_files(), before)
        self.assertEqual(self.output("live"), rows)
        gateway = self.start_weir("run", "live.toml", "--discard-state", "sliding")
        self.publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS)
        self.publisher.allow(READINGS + 1)
        self.wait_delivered(gateway, READINGS + 1)
        self.assertIn("the ledger balances", self.stop(gateway))
        expected = self.without_sentinel(self.undisturbed(self.lines + [sentinel(READINGS)]), READINGS)
        mine = self.output("live")
        del expected["sliding.jsonl"], mine["sliding.jsonl"]
        self.assert_same_rows(mine, expected)  # the others go on

    def test_a_changed_schema_is_refused(self):
        self.run_until(READINGS // 2)
        path = self.directory / "live.toml"
        path.write_text(path.read_text().replace("temperature = 3", "temperature = 4"))
        before = self.state_files()
        self.refused("run", "live.toml", parts=["plant"], code=2)
        self.assertEqual(self.state_files(), before)
        path.write_text(path.read_text().replace("temperature = 4", "temperature = 3"))
        self.finish()
        self.assert_whole()

    def change_topics(self, before="plant/#", now="plant/+"):
        path = self.directory / "live.toml"
        self.assertIn(before, path.read_text())
        path.write_text(path.read_text().replace(before, now))

    def test_other_topics_are_refused_while_messages_wait_in_the_journal(self):
        self.journal_only(READINGS // 2)
        self.change_topics()
        before = self.everything()
        self.refused("run", "live.toml", parts=["plant/#", "plant/+", "not counted yet", "--discard-state plant"], code=2)
        self.assertEqual(self.everything(), before)
        self.change_topics("plant/+", "plant/#")
        self.finish()
        self.assert_whole()

    def test_other_topics_are_taken_up_once_all_messages_are_counted(self):
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS // 2)
        self.wait_delivered(gateway, READINGS // 2)
        self.stop(gateway)
        self.change_topics()
        gateway = self.start_weir("run", "live.toml")
        self.finish(gateway)
        self.assertIn("is topics plant/+", self.log(gateway))
        self.assert_whole()

    def test_state_of_a_stream_that_is_given_up_is_told_of_with_what_it_costs(self):
        self.journal_only(READINGS // 2)
        self.change_topics()
        gateway = self.start_weir("run", "live.toml", "--discard-state", "plant")
        self.eventually(lambda: "running on" in self.log(gateway), "it starts")
        self.assertRegex(self.log(gateway), rf"{READINGS // 2} messages of the journal .* are given up")
        self.stop(gateway)

    def test_a_name_that_there_is_not_is_no_state_to_discard(self):
        self.run_until(READINGS // 2)
        before = self.everything()
        self.refused("run", "live.toml", "--discard-state", "slding", parts=["slding", "sliding, lines, all"], code=2)
        self.assertEqual(self.everything(), before)

    def test_rows_of_a_discarded_query_stay(self):
        self.run_until(READINGS // 2)
        rows = self.output("live")["sliding.jsonl"]
        self.change_query()
        gateway = self.start_weir("run", "live.toml", "--discard-state", "sliding")
        self.eventually(lambda: "running on" in self.log(gateway), "it starts")
        self.stop(gateway)
        self.assertTrue(self.output("live")["sliding.jsonl"].startswith(rows))

    def test_check_says_what_a_start_would_do(self):
        self.run_until(READINGS // 2)
        self.assertIn("a start goes on from checkpoint", self.weir("check", "live.toml").stdout)
        self.change_query()
        self.refused("check", "live.toml", parts=["sliding", "--discard-state"], code=2)

    def test_an_output_that_is_taken_away_is_told_of_once(self):
        gateway = self.start_weir("run", "live.toml")
        self.publisher.allow(READINGS // 2)
        self.wait_delivered(gateway, READINGS // 2)
        (self.directory / "live" / "lines.csv").rename(self.directory / "taken.csv")
        told = "lines.csv' was renamed or replaced while Weir writes to it"
        self.eventually(lambda: told in self.log(gateway), "it is noticed")
        self.publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS)
        self.assertEqual(self.log(gateway).count(told), 1)

    def test_a_killed_gateway_moves_to_another_directory(self):
        """State and output moved together, as to another machine; the broker's session waits."""
        self.run_until(READINGS // 2)
        (self.directory / "moved").mkdir()
        for name in ("state", "live", "live.toml"):
            (self.directory / name).rename(self.directory / "moved" / name)
        gateway = self.start_weir("run", "live.toml", at="moved")
        self.publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS, "moved/state")
        self.publisher.allow(READINGS + 1)
        self.wait_delivered(gateway, READINGS + 1, "moved/state")
        self.assert_ledger(self.stop(gateway), READINGS + 1)
        expected = self.undisturbed(self.lines + [sentinel(READINGS)])
        self.assert_same_rows(self.output("moved/live"), self.without_sentinel(expected, READINGS))

    def test_an_empty_journal_and_a_kill_before_the_first_checkpoint(self):
        """Kills so early that nothing was ever saved leave nothing behind that a later start trips over."""
        for delay in range(12):
            self.run_and_kill("live.toml", 0.001 * 1.5**delay)
        self.finish()
        self.assert_whole()


if __name__ == "__main__":
    unittest.main()
