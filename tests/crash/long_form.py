"""The kill loops for as long as one likes: scripts/crash-test."""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import time
import unittest

from kill_loop import SCENARIOS, KillLoop
from marker_loop import MarkerLoop

KILLS_A_LOOP = 25
HERE = pathlib.Path(__file__).resolve()


class Kills(KillLoop):
    scenario = None

    def test_kills(self):
        self.kill_loop(SCENARIOS[self.scenario], KILLS_A_LOOP)


class Marker(MarkerLoop):
    kills = 12

    def test_kills(self):
        self.marker_loop(self.kills)


LOOPS = [*SCENARIOS, "marker"]
BESIDE = {"marker": 3}  # so many loops at once, with load beside them


def kills_of(name):
    return Marker.kills if name == "marker" else KILLS_A_LOOP


def run_loop(name, seed):
    """Whether it went well; prints why not."""
    os.environ["WEIR_CRASH_SEED"] = str(seed)
    Kills.scenario = name
    loop = Marker("test_kills") if name == "marker" else Kills("test_kills")
    result = unittest.TextTestRunner(stream=open(os.devnull, "w"), verbosity=0).run(loop)
    for _, why in result.failures + result.errors:
        print(why[-3000:], flush=True)
    return result.wasSuccessful()


@contextlib.contextmanager
def load():
    """Every core has something else to do half of the time."""
    busy = [subprocess.Popen([sys.executable, HERE.parent / "load.py"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def run_beside(name, seeds):
    """Loops that run at the same time, each in a process of its own; the seeds that failed."""
    with load():
        loops = {seed: subprocess.Popen([sys.executable, HERE, "--alone", "--scenario", name, "--seed", str(seed)],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for seed in seeds}
        failed = []
        for seed, process in loops.items():
            said = process.communicate()[0]
            if process.returncode != 0:
                failed.append(seed)
                print(said, flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash-test")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--scenario", action="append", choices=LOOPS)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.scenario or LOOPS
    if options.alone:
        return 0 if run_loop(names[0], options.seed) else 1
    failed, kills, loops, seed = [], 0, 0, options.seed
    begin = time.monotonic()
    while kills < options.kills:
        name = names[loops % len(names)]
        seeds = range(seed, seed + BESIDE.get(name, 1))
        if len(seeds) > 1:
            bad = run_beside(name, seeds)
        else:
            bad = [] if run_loop(name, seed) else [seed]
        seed += len(seeds)
        kills += kills_of(name) * len(seeds)
        loops += 1
        failed += [(name, one) for one in bad]
        for one in bad:
            print(f"again: scripts/crash-test --kills 1 --seed {one} --scenario {name}", flush=True)
        print(f"{name:<14} {len(seeds)} x {kills_of(name)} kills, {'FAILED' if bad else 'good'}  "
              f"[{kills}/{options.kills}, {time.monotonic() - begin:.0f} s]", file=sys.stderr, flush=True)
    print(f"crash-test: {kills} kills in {seed - options.seed} loops from seed {options.seed}, {len(failed)} loops failed"
          + "".join(f"\n  seed {one}, {name}" for name, one in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
