"""The proof by kill -9: a gateway behind a broker is killed again and again at random instants while readings come in; in
the end its files are those of an undisturbed run, byte for byte, and its ledger says what was published."""

import dataclasses

from crash_support import BROKER, OUT_OF_ORDER_S, CrashTest, lines_of, messages_of, sentinel
from mqtt_client import Publisher, create_session

PATIENCE_S = 60


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


SCENARIOS = {
    "qos_1": Scenario(),
    "qos_1_always": Scenario(pipeline='journal_sync = "always"', per_kill=150),
    "qos_1_mqtt_3": Scenario(version=4),
    "qos_2_mqtt_5": Scenario(qos=2),
    "qos_2_mqtt_3": Scenario(qos=2, version=4, source=', persistence_dir = "paho"'),
    "arrays": Scenario(per_message=25, per_kill=2000),
    "sent_twice": Scenario(repeated=0.2),
    "long_lives": Scenario(per_kill=1000, longest_s=1.5),
}


class KillLoop(CrashTest):
    def published(self, scenario, kills):
        """(lines, messages): readings once in their order, and what the publisher sends."""
        lines = lines_of(kills * scenario.per_kill, self.seed)
        messages = []
        for message in messages_of(lines, scenario.per_message):
            messages.append(message)
            if self.random.random() < scenario.repeated:  # again, a little later
                messages.insert(max(0, len(messages) - self.random.randrange(20)), message)
        return lines, messages

    def kill_loop(self, scenario, kills):
        self.out_of_order_s = OUT_OF_ORDER_S * scenario.per_message
        port = self.broker(BROKER).port
        lines, messages = self.published(scenario, kills)
        create_session(port, "gateway", ["plant/#"], scenario.qos, scenario.version)
        self.configure("live.toml", self.mqtt_source(port, scenario.qos, scenario.version, extra=scenario.source), "live",
                       pipeline=scenario.pipeline)
        last = messages_of([sentinel(len(lines))])
        publisher = Publisher(port, messages + last, scenario.qos, scenario.version)
        self.addCleanup(publisher.stop)
        allowed = 0
        for left in range(kills, 0, -1):
            if left % 6 != 0:  # now and then two lives without anything new between them
                allowed += self.random.randrange(2 * (len(messages) - allowed) // left + 1)
                publisher.allow(min(allowed, len(messages)))
            self.run_and_kill("live.toml", self.some_instant(scenario.longest_s))
        text = self.finish(publisher, len(lines), len(messages))
        whole = self.undisturbed(lines + [sentinel(len(lines))])
        expected = self.without_sentinel(whole, len(lines))
        self.assertTrue(all(text.count(b"\n") > 2 for text in expected.values()), "every query has rows to compare")
        self.assert_same_rows(self.output("live"), expected)
        self.assert_rotated_names()
        repeats = len(messages) - len(messages_of(lines, scenario.per_message))
        ledger = self.assert_ledger(text, len(lines) + 1)
        self.assertGreaterEqual(ledger.duplicate, repeats * scenario.per_message)

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
