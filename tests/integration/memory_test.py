"""No case of `weir bench memory` needs more memory than `weir check` foresees: small forms of all of them."""
import json
import subprocess
import unittest

from support import WEIR


class Memory(unittest.TestCase):
    def test_no_peak_is_above_the_estimate(self):
        bench = subprocess.run([WEIR, "bench", "memory", "--small", "--json"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, timeout=300, check=False)
        cases = [json.loads(line) for line in bench.stdout.splitlines()]
        self.assertEqual(bench.returncode, 0, bench.stdout + bench.stderr)
        self.assertGreaterEqual(len(cases), 12)
        for case in cases:
            with self.subTest(case=case["case"]):
                self.assertGreaterEqual(case["planned_bytes"], case["peak_bytes"])
                self.assertGreater(case["peak_bytes"], 0)


if __name__ == "__main__":
    unittest.main()
