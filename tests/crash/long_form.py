"""The kill loops for as long as one likes: scripts/crash-test."""

import argparse
import os
import sys
import time
import unittest

from kill_loop import SCENARIOS, KillLoop

KILLS_A_LOOP = 25


class Loop(KillLoop):
    scenario = None

    def test_kills(self):
        self.kill_loop(SCENARIOS[self.scenario], KILLS_A_LOOP)


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash-test")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    options = parser.parse_args()
    names = options.scenario or list(SCENARIOS)
    loops = max(1, -(-options.kills // KILLS_A_LOOP))
    failed = []
    begin = time.monotonic()
    for loop in range(loops):
        Loop.scenario, seed = names[loop % len(names)], options.seed + loop
        os.environ["WEIR_CRASH_SEED"] = str(seed)
        result = unittest.TextTestRunner(stream=open(os.devnull, "w"), verbosity=0).run(Loop("test_kills"))
        good = result.wasSuccessful()
        print(f"{Loop.scenario:<14} {KILLS_A_LOOP} kills, {'good' if good else 'FAILED'}  "
              f"[{loop + 1}/{loops}, {time.monotonic() - begin:.0f} s]", file=sys.stderr, flush=True)
        if not good:
            failed.append((Loop.scenario, seed))
            for _, why in result.failures + result.errors:
                print(why[-3000:], flush=True)
            print(f"again: scripts/crash-test --kills {KILLS_A_LOOP} --seed {seed} --scenario {Loop.scenario}", flush=True)
    print(f"crash-test: {loops * KILLS_A_LOOP} kills in {loops} loops from seed {options.seed}, {len(failed)} loops failed"
          + "".join(f"\n  seed {seed}, {name}" for name, seed in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
