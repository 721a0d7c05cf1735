"""State that an earlier version wrote, in the first format of checkpoints, is taken up and goes on.

checkpoint_v1/ holds what that version left when it was interrupted in the middle of in.csv."""

import shutil
import unittest

from support import SOURCE, WeirTest

OUTPUTS = ("sliding.jsonl", "all.jsonl")


class CheckpointV1(WeirTest):
    def setUp(self):
        super().setUp()
        shutil.copytree(SOURCE / "tests" / "integration" / "checkpoint_v1", self.directory, dirs_exist_ok=True)

    def test_the_state_is_taken_up_and_the_rows_go_on(self):
        before = [self.read(name) for name in OUTPUTS]
        self.assertIn("checkpoint 28 ", self.weir("replay", "weir.toml", "--state-dir", "state").stderr)
        parts = [self.read(name) for name in OUTPUTS]
        shown = self.weir("inspect", "state").stdout
        self.weir("replay", "weir.toml")
        whole = [self.read(name) for name in OUTPUTS]
        self.assertEqual(parts, whole)
        for early, late in zip(before, whole):
            self.assertTrue(late.startswith(early))
            self.assertGreater(len(late), len(early))
        self.assertGreaterEqual(shown.count("checksums good"), 2)
        self.assertIn("251 received", shown)

    def test_it_is_shown_and_damage_in_it_is_named(self):
        self.assertIn("number 28", self.weir("inspect", "state").stdout)
        path = next((self.directory / "state").iterdir())
        good = path.read_bytes()
        for at in range(0, len(good), 97):
            bad = bytearray(good)
            bad[at] ^= 0x10
            path.write_bytes(bytes(bad))
            refused = self.weir("replay", "weir.toml", "--state-dir", "state", expect=None)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertIn(path.name, refused.stderr)


if __name__ == "__main__":
    unittest.main()
