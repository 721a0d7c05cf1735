"""What the crash tests share: seeded readings, the pipeline that they go through, the undisturbed run to compare with, and
a gateway that can be killed at any moment."""

import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from support import DEADLINE, WEIR, WeirTest  # noqa: E402

START_MS = 1_714_910_400_000  # 2024-05-05T12:00:00Z, long before every arrival
STEP_MS = 20
DISORDER_MS = 400
# A redelivery goes back by no more messages than may be in flight (BROKER below). Twice that, and disorder, is what the
# watermark waits for: no reading is ever late, so the order of arrival cannot matter.
IN_FLIGHT = 100
OUT_OF_ORDER_S = (2 * IN_FLIGHT * STEP_MS + DISORDER_MS) // 1000 + 1
BROKER = f"allow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages {IN_FLIGHT}\n"
# So far behind the last reading that it closes every window of the others.
SENTINEL_AHEAD_MS = 3_600_000
DELIVERY_S = 20

STREAM = """
time   = {{ field = "t", unit = "ms" }}
keys   = ["line", "sensor"]
fields = {{ temperature = 3, power = 2 }}
out_of_order = "{out_of_order}"
dedupe = {dedupe}
max_keys = {max_keys}
"""

QUERIES = """
[[query]]
name     = "sliding"
from     = "plant"
group_by = ["line", "sensor"]
select   = ["count()", "sum(temperature)", "min(power)", "max(temperature)", "avg(power)", "quantile(power, 0.9)"]
window   = "10s"
slide    = "2s"
allowed_lateness = "{allowed_lateness}"
sinks    = ["rotated"]

[[query]]
name     = "lines"
from     = "plant"
where    = "temperature > -20"
let      = {{ kw = "power / 1000" }}
group_by = ["line"]
select   = ["count()", "sum(kw)", "distinct(sensor)", "stddev(temperature)"]
window   = "5s"
sinks    = ["table"]

[[query]]
name     = "all"
from     = "plant"
select   = ["count()", "first(power)", "last(temperature)"]
window   = "3s"
slide    = "2s"
sinks    = ["table", "rotated"]

# Rows of rows: nobody sees the first ones.
[[query]]
name     = "seconds"
from     = "plant"
group_by = ["line", "sensor"]
select   = ["count() as n", "sum(power) as power", "max(temperature) as hottest"]
window   = "1s"

[[query]]
name     = "tens"
from     = "seconds"
group_by = ["line"]
select   = ["count() as rows", "sum(n) as n", "sum(power) as power", "max(hottest) as hottest"]
window   = "10s"
sinks    = ["table", "rotated"]

[[query]]
name     = "all_tens"
from     = "tens"
where    = "n > 5"
select   = ["hottest", "power / n as mean"]
sinks    = ["rotated"]

[[sink]]
name = "rotated"
type = "file"
path = "{out}/{{query}}.jsonl"
rotate_bytes = "8KiB"

[[sink]]
name = "table"
type = "file"
path = "{out}/{{query}}.csv"
format = "csv"
"""

# Which queries read the rows of which others.
PARENTS = {"tens": "seconds", "all_tens": "tens"}

# Panes that are large enough for a checkpoint to leave them to its thread.
LARGE_QUERIES = """
[[query]]
name     = "large"
from     = "plant"
group_by = ["sensor"]
select   = ["count()", "sum(temperature)", "min(temperature)", "max(temperature)", "last(power)"]
window   = "1000s"
slide    = "250s"
allowed_lateness = "{allowed_lateness}"
sinks    = ["large"]

[[sink]]
name = "large"
type = "file"
path = "{out}/{{query}}.jsonl"
"""

# Every reading as a row, and the readings of each batch: both show the order of arrival.
ORDER_QUERIES = """
[[query]]
name     = "each"
from     = "plant"
where    = "power > 10"
select   = ["temperature", "power"]
sinks    = ["order"]

[[query]]
name     = "batches"
from     = "plant"
group_by = ["line"]
select   = ["count()", "sum(power)"]
sinks    = ["order"]

[[sink]]
name = "order"
type = "file"
path = "{out}/{{query}}.jsonl"
"""

LEDGER = re.compile(r"(\d+) received = (\d+) delivered \+ (\d+) duplicate \+ (\d+) malformed \+ (\d+) shed")


class Ledger:
    """The ledger of one stream as it was printed."""

    def __init__(self, match):
        self.received, self.delivered, self.duplicate, self.malformed, self.shed = map(int, match.groups())

    def __repr__(self):
        return (f"{self.received} received = {self.delivered} delivered + {self.duplicate} duplicate + "
                f"{self.malformed} malformed + {self.shed} shed")


def ledgers(text):
    return [Ledger(match) for match in LEDGER.finditer(text)]


def lines_of(count, seed, sensors=12, disorder_ms=DISORDER_MS):
    """JSON lines in the order of publishing. No two readings have the same event time, so that keys and event time
    identify each of them."""
    chance = random.Random(seed)
    readings = []
    for i in range(count):
        t = START_MS + i * STEP_MS
        sensor = chance.randrange(sensors)
        line = (f'{{"line":"{"ABCD"[sensor % 4]}","sensor":"s{sensor:02d}","t":{t},'
                f'"temperature":{chance.randint(-40_000, 90_000) / 1000:.3f},"power":{chance.randint(0, 500_000) / 100:.2f}}}')
        readings.append((t + chance.uniform(0, disorder_ms), line))
    return [line for _, line in sorted(readings)]


def sentinel(count, ahead_ms=SENTINEL_AHEAD_MS):
    t = START_MS + count * STEP_MS + ahead_ms
    return f'{{"line":"A","sensor":"end","t":{t},"temperature":0.5,"power":1.25}}'


def messages_of(lines, per_message=1):
    """(topic, payload) of each message."""
    messages = []
    for begin in range(0, len(lines), per_message):
        part = lines[begin:begin + per_message]
        payload = part[0] if per_message == 1 else "[" + ",".join(part) + "]"
        messages.append((f"plant/{zlib.crc32(part[0].encode()) % 8}", payload.encode()))
    return messages


class CrashTest(WeirTest):
    """`WEIR_CRASH_SEED` takes the place of a test's own seed, which every failure names."""

    out_of_order_s = OUT_OF_ORDER_S
    sentinel_ahead_ms = SENTINEL_AHEAD_MS

    def setUp(self):
        super().setUp()
        self.addCleanup(self.keep_evidence)
        self.seed = int(os.environ.get("WEIR_CRASH_SEED", zlib.crc32(self.id().encode())))
        self.random = random.Random(self.seed)
        print(f"seed {self.seed}", end=" ", file=sys.stderr, flush=True)

    def keep_evidence(self):
        """Of a test that failed: configuration, state, output and the logs of all programs stay, and it is said where."""
        outcome = self._outcome.result
        if any(test is self for test, _ in getattr(outcome, "failures", []) + getattr(outcome, "errors", [])):
            self.end_processes()
            kept = pathlib.Path(tempfile.mkdtemp(prefix=f"weir-crash-{self.seed}-"))
            shutil.copytree(self.directory, kept, dirs_exist_ok=True, symlinks=True, ignore_dangling_symlinks=True)
            print(f"\nseed {self.seed}: logs, state and output are kept in {kept}", file=sys.stderr, flush=True)

    # The pipeline

    # What is faked for every gateway: an environment, e.g. for a clock.
    environment = None

    def configure(self, name, source, out, state="state", pipeline="", dedupe=True, queries=QUERIES, sources=None,
                  allowed_lateness="0s", out_of_order=None, max_keys=100, checkpoint="30ms", segment="64KiB"):
        """Writes NAME: `source` is the stream's source table without its braces."""
        head = (f'[pipeline]\nbatch_interval = "20ms"\ncheckpoint_interval = "{checkpoint}"\nthreads = 1\n'
                f'journal_segment = "{segment}"\n{pipeline}\n')
        if state:
            head += f'state_dir = "{state}"\n'
        stream = STREAM.format(out_of_order=out_of_order or f"{self.out_of_order_s}s", dedupe=str(dedupe).lower(),
                               max_keys=max_keys)
        given = f"source = {{ {source} }}" if sources is None else sources
        return self.write(name, f"{head}\n[streams.plant]\n{given}\n{stream}"
                          + queries.format(out=out, allowed_lateness=allowed_lateness))

    def mqtt_source(self, port, qos=1, version=5, client_id="gateway", extra=""):
        return (f'type = "mqtt", broker = "mqtt://127.0.0.1:{port}", topics = ["plant/#"], qos = {qos}, '
                f'client_id = "{client_id}", mqtt_version = "{"5" if version == 5 else "3.1.1"}"{extra}')

    def undisturbed(self, lines, out="whole", **options):
        """The same readings from a file, from end to end, into the directory `out`; what it held."""
        self.write(f"{out}.jsonl", "".join(line + "\n" for line in lines))
        self.configure(f"{out}.toml", f'type = "file", path = "{out}.jsonl", format = "json"', out, state="", **options)
        self.weir("--log-level", "error", "replay", f"{out}.toml")
        return self.output(out)

    def output(self, out):
        """Result rows by query and format: all files of a rotation in the order of their names, the current one last."""
        whole = {}
        for path in (self.directory / out).glob("*"):
            pieces = path.name.split(".")
            whole.setdefault((pieces[0], pieces[-1]), []).append(path)
        rows = {}
        for (query, ending), paths in sorted(whole.items()):
            rotated = sorted(p for p in paths if p.name.count(".") == 2)
            current = [p for p in paths if p.name.count(".") == 1]
            texts = [p.read_bytes() for p in rotated + current]
            if ending == "csv" and texts:
                head = texts[0].split(b"\n", 1)[0] + b"\n"
                for text in texts:
                    self.assertTrue(not text or text.startswith(head), "every CSV file has its header")
                texts = [head] + [text[len(head):] for text in texts]
            rows[f"{query}.{ending}"] = b"".join(texts)
        return rows

    def without_sentinel(self, rows, count):
        """Rows without those of windows that hold the sentinel, which a graceful stop leaves open."""
        longest_ms = min(60_000, self.sentinel_ahead_ms // 2)  # no window is longer
        border = (START_MS + count * STEP_MS + self.sentinel_ahead_ms - self.out_of_order_s * 1000 - longest_ms) // 1000
        border = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(border)).encode()
        kept = {}
        for name, text in rows.items():
            lines = text.splitlines(keepends=True)
            times = [re.search(rb"20\d\d-[^Z\"]*", line) for line in lines]  # window_start comes first
            kept[name] = b"".join(line for line, found in zip(lines, times) if not found or found.group() < border)
        return kept

    def assert_same_rows(self, got, expected):
        self.assertEqual(sorted(got), sorted(expected))
        for name, text in expected.items():
            if got[name] != text:
                mine, theirs = got[name].splitlines(), text.splitlines()
                at = next((i for i, pair in enumerate(zip(mine, theirs)) if pair[0] != pair[1]), min(len(mine), len(theirs)))
                self.fail(f"seed {self.seed}: {name}: {len(mine)} rows, expected {len(theirs)}; row {at} is\n"
                          f"{mine[at:at + 2]}\nexpected\n{theirs[at:at + 2]}")

    # The gateway

    def start_weir(self, *words, at=".", **options):
        """In the directory `at`."""
        options.setdefault("env", self.environment)
        return super().start(WEIR, *words, **options) if at == "." else super().start(
            "env", "-C", self.directory / at, WEIR, *words, **options)

    def kill(self, process):
        process.kill()
        process.wait(timeout=DEADLINE)

    def run_and_kill(self, configuration, after_s, words=("run",), meanwhile=None):
        """Starts the gateway and kills it after so long; it may only have ended by itself at the end of its input.
        `meanwhile` is called about half way."""
        process = self.start_weir(*words, configuration)
        deadline = time.monotonic() + after_s
        while process.poll() is None and time.monotonic() < deadline:
            if meanwhile and time.monotonic() > deadline - after_s / 2:
                meanwhile()
                meanwhile = None
            time.sleep(min(0.001, max(0.0, deadline - time.monotonic())))  # the instant is the experiment
        self.assertIn(process.poll(), (None, 0), f"seed {self.seed}: {self.log(process)}")
        if process.poll() is None:
            self.kill(process)
        # A record of the journal may be torn by the kill; a checkpoint never is, and nothing else is an error.
        self.assertNotRegex(self.log(process), r"(?m)checkpoint-\d+\.weir is damaged|^\S+ error ", f"seed {self.seed}")
        return process

    def some_instant(self, longest_s=0.5):
        """Half of them log-uniform from a millisecond on, which is the start and the recovery, half any time."""
        if self.random.random() < 0.5:
            return 0.001 * (longest_s / 0.001) ** self.random.random()
        return self.random.uniform(0.0, longest_s)

    def saved_ledger(self, state="state"):
        """Of the newest checkpoint, also while the gateway runs; None while there is none."""
        done = self.weir("inspect", state, expect=None)
        found = ledgers(done.stdout)
        return found[-1] if done.returncode == 0 and found else None

    def state_files(self, state="state"):
        """Path below the state directory -> bytes, without the lock, whose content is a process id, and what a crash left
        unfinished, which any start may remove."""
        root = self.directory / state
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*"))
                if path.is_file() and path.name != "LOCK" and path.suffix != ".tmp"}

    def checkpoints(self, state="state"):
        """Oldest first."""
        return sorted((self.directory / state).glob("checkpoint-*.weir"))

    def segments(self, state="state"):
        """Journal segments, oldest first."""
        return sorted(path for path in (self.directory / state).rglob("*")
                      if path.is_file() and path.name.startswith("journal-") and path.suffix == ".weir")

    def is_journaled(self, text, state="state"):
        """Whether a segment of the journal holds this text."""
        try:
            return any(text in path.read_bytes() for path in self.segments(state))
        except FileNotFoundError:  # a segment that was being made ready has got its name since
            return False

    def wait_journaled(self, process, text, state="state"):
        def found():
            self.assertIsNone(process.poll(), f"seed {self.seed}: {self.log(process)}")
            return self.is_journaled(text, state)
        self.eventually(found, f"{text} is in the journal (seed {self.seed})")

    def refused(self, *words, parts=(), code=1):
        """A start that fails with one line."""
        done = self.weir("--log-level", "error", *words, expect=code)
        self.assert_one_line(done.stderr, *parts)
        return done.stderr

    def wait_delivered(self, process, count, state="state"):
        """Until the newest checkpoint has so many distinct readings in it."""
        deadline = time.monotonic() + DELIVERY_S
        while True:
            ledger = self.saved_ledger(state)
            # Before it says that it runs it does not yet know how to stop gracefully.
            if ledger is not None and ledger.delivered >= count and "running on" in self.log(process):
                return
            if process.poll() is not None or time.monotonic() > deadline:
                self.fail(f"seed {self.seed}: {count} readings were not delivered; the newest checkpoint has {ledger};\n"
                          f"{self.log(process)}")
            time.sleep(0.01)

    def assert_ledger(self, text, delivered, duplicates=None, malformed=0):
        """`malformed`: messages that are none, each at least once (a redelivery is not recognised)."""
        self.assertIn("the ledger balances", text)
        ledger = ledgers(text)[0]
        shown = f"seed {self.seed}: {ledger}\n{text[-1500:]}"
        self.assertEqual(ledger.shed, 0, shown)
        self.assertGreaterEqual(ledger.malformed, malformed, shown)
        if malformed == 0:
            self.assertEqual(ledger.malformed, 0, shown)
        self.assertEqual(ledger.received, ledger.delivered + ledger.duplicate + ledger.malformed, shown)
        # A broker that goes back further than the watermark waits delivers what can no longer be recognised as duplicate;
        # it is late then, in every query, and counted in none.
        again = ledger.delivered - delivered
        self.assertGreaterEqual(again, 0, shown)
        if duplicates is not None:
            self.assertEqual((ledger.duplicate, again), (duplicates, 0), shown)
        rows_of = {}
        for query in re.finditer(r"query (\w+): (\d+) delivered = (\d+) counted \+ (\d+) filtered \+ (\d+) late; "
                                 r"\d+ windows, (\d+) rows", text):
            name = query.group(1)
            of_query, counted, filtered, late, rows_of[name] = map(int, query.groups()[1:])
            if name in PARENTS:
                self.assertEqual((of_query, late), (rows_of[PARENTS[name]], 0), f"{name}: {shown}")
                continue
            self.assertEqual(of_query, ledger.delivered, shown)
            if filtered == 0:
                self.assertEqual((counted, late), (delivered, again), shown)
            else:
                self.assertLessEqual(late, again, shown)
        return ledger


__all__ = ["BROKER", "CrashTest", "DEADLINE", "IN_FLIGHT", "ORDER_QUERIES", "OUT_OF_ORDER_S", "QUERIES", "ledgers",
           "lines_of", "messages_of", "sentinel"]
