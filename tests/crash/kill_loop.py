"""The proof by kill -9: a gateway behind a broker is killed again and again at random instants while readings come in; in
the end its files are those of an undisturbed run, byte for byte, and its ledger says what was published."""

import dataclasses
import glob
import json
import os

from crash_support import BROKER, OUT_OF_ORDER_S, QUERIES, CrashTest, lines_of, messages_of, sentinel
from mqtt_client import Publisher, create_session

PATIENCE_S = 60
# Keys that no topic can hold as they are: a non-character, nothing, wildcards, a level of its own, a control character.
POISON = ["\ufdd0", "", "a/+/#", "/", "\u0000", "$SYS", "\u202e\x1b[31m"]
TOO_LARGE = 224 << 10  # bytes of a message: more than max_message below, and what a packet may hold beside it (128 KiB)
# A sink whose broker takes the rows of two lines, and refuses those of the others.
REFUSED_QUERY = """
[[query]]
name     = "told"
from     = "plant"
group_by = ["line", "sensor"]
select   = ["count()"]
window   = "5s"
sinks    = ["refusing"]

[[sink]]
name  = "refusing"
type  = "mqtt"
topic = "rows/{{line}}/{{sensor}}"
qos   = 1
broker = "mqtt://127.0.0.1:PORT"
"""
ACCESS = "topic readwrite plant/#\ntopic write rows/A/#\ntopic write rows/B/#\n"


def faketime_library():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What one loop of kills goes through; each is a line of the table in docs/operations.md."""

    qos: int = 1
    version: int = 5
    pipeline: str = ""  # further lines of [pipeline]
    source: str = ""  # further members of the source
    per_message: int = 1  # readings packed into a message
    repeated: float = 0.0  # part of the messages that the publisher itself sends twice
    per_kill: int = 250  # readings published for each kill
    longest_s: float = 0.5  # before a kill
    refusing_sink: bool = False  # rows go to a broker as well, which refuses some of them
    poison: float = 0.0  # part of the readings that have a key which is no topic
    too_large: float = 0.0  # messages above max_message, for each reading
    clock: bool = False  # the wall clock jumps ahead and back, while the gateway runs and while it is down


SCENARIOS = {
    "qos_1": Scenario(),
    "qos_1_always": Scenario(pipeline='journal_sync = "always"', per_kill=150),
    "qos_1_mqtt_3": Scenario(version=4),
    "qos_2_mqtt_5": Scenario(qos=2),
    "qos_2_mqtt_3": Scenario(qos=2, version=4, source=', persistence_dir = "paho"'),
    "arrays": Scenario(per_message=25, per_kill=2000),
    "sent_twice": Scenario(repeated=0.2),
    "long_lives": Scenario(per_kill=1000, longest_s=1.5),
    "refusing_sink": Scenario(refusing_sink=True, poison=0.02),
    "poison_keys": Scenario(poison=0.05, version=4, refusing_sink=True),
    "too_large": Scenario(too_large=0.02, pipeline='max_message = "64KiB"'),
    "too_large_mqtt_3": Scenario(too_large=0.02, version=4, pipeline='max_message = "64KiB"'),
    "clock": Scenario(clock=True),
}


class KillLoop(CrashTest):
    def published(self, scenario, kills):
        """(lines, messages): readings once in their order, and what the publisher sends."""
        lines = [self.poisoned(line) if self.random.random() < scenario.poison else line
                 for line in lines_of(kills * scenario.per_kill, self.seed)]
        messages = []
        for message in messages_of(lines, scenario.per_message):
            messages.append(message)
            if self.random.random() < scenario.repeated:  # again, a little later
                messages.insert(max(0, len(messages) - self.random.randrange(20)), message)
            if self.random.random() < scenario.too_large:
                messages.append(("plant/large", b" " * TOO_LARGE + message[1]))
        return lines, messages

    def poisoned(self, line):
        reading = json.loads(line)
        reading["sensor"] = self.random.choice(POISON)
        return json.dumps(reading, separators=(",", ":"))

    def set_clock(self, seconds=None):
        """What the gateway takes for the time, now and from now on."""
        if seconds is None:
            seconds = self.random.choice((0, 3600, -1800, 7200, 5))
        self.write("clock", f"{seconds:+d}s\n")

    def fake_clock(self):
        library = faketime_library()
        if library is None:
            self.skipTest("libfaketime is not installed")
        self.set_clock(0)
        self.environment = dict(os.environ, LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=str(self.directory / "clock"),
                                FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")

    def kill_loop(self, scenario, kills):
        self.out_of_order_s = OUT_OF_ORDER_S * scenario.per_message
        port = self.broker(BROKER + self.access(scenario)).port
        queries = QUERIES + (REFUSED_QUERY.replace("PORT", str(port)) if scenario.refusing_sink else "")
        if scenario.clock:
            self.fake_clock()
        lines, messages = self.published(scenario, kills)
        create_session(port, "gateway", ["plant/#"], scenario.qos, scenario.version)
        self.configure("live.toml", self.mqtt_source(port, scenario.qos, scenario.version, extra=scenario.source), "live",
                       pipeline=scenario.pipeline, queries=queries)
        last = messages_of([sentinel(len(lines))])
        publisher = Publisher(port, messages + last, scenario.qos, scenario.version)
        self.addCleanup(publisher.stop)
        allowed = 0
        for left in range(kills, 0, -1):
            if left % 6 != 0:  # now and then two lives without anything new between them
                allowed += self.random.randrange(2 * (len(messages) - allowed) // left + 1)
                publisher.allow(min(allowed, len(messages)))
            if scenario.clock:
                self.set_clock()
            self.run_and_kill("live.toml", self.some_instant(scenario.longest_s),
                              meanwhile=self.set_clock if scenario.clock else None)
        text = self.finish(publisher, len(lines), len(messages))
        whole = self.undisturbed(lines + [sentinel(len(lines))])
        expected = self.without_sentinel(whole, len(lines))
        self.assertTrue(all(text.count(b"\n") > 2 for text in expected.values()), "every query has rows to compare")
        self.assert_same_rows(self.output("live"), expected)
        self.assert_rotated_names()
        repeats = len(messages) - len(messages_of(lines, scenario.per_message))
        refused = sum(len(payload) >= TOO_LARGE for _, payload in messages)
        repeats -= refused
        # A broker of MQTT 5 knows how much the gateway takes, and keeps the rest to itself.
        ledger = self.assert_ledger(text, len(lines) + 1, malformed=refused if scenario.version == 4 else 0)
        self.assertGreaterEqual(ledger.duplicate, repeats * scenario.per_message)

    def access(self, scenario):
        """What is said to the broker about who may write where."""
        if not scenario.refusing_sink:
            return ""
        path = self.write("access", ACCESS)
        path.chmod(0o644)
        self.directory.chmod(0o755)  # a broker that is started as root becomes another user
        return f"acl_file {path}\n"

    def finish(self, publisher, readings, messages):
        """Lets everything arrive, then the sentinel, and stops gracefully; the log."""
        publisher.allow(messages)
        self.assertTrue(publisher.wait_acknowledged(messages, PATIENCE_S), f"seed {self.seed}: {publisher.error}")
        gateway = self.start_weir("run", "live.toml")
        self.wait_delivered(gateway, readings)
        publisher.allow(messages + 1)
        self.wait_delivered(gateway, readings + 1)
        return self.stop(gateway)

    def assert_rotated_names(self):
        """Rotation falls where it falls in an undisturbed run."""
        names = {out: sorted(path.name for path in (self.directory / out).glob("*.*.jsonl")) for out in ("live", "whole")}
        for stem in {name.split(".")[0] for name in names["whole"]}:
            live, whole = ([n for n in names[out] if n.split(".")[0] == stem] for out in ("live", "whole"))
            self.assertEqual(live, whole[:len(live)])
            self.assertLessEqual(len(whole) - len(live), 2)  # the last one, and what the sentinel's windows fill
