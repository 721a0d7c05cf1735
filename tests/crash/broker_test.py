"""What a broker and the network to it can do: die, cut, deliver twice, promise nothing."""

import unittest

from crash_support import BROKER, OUT_OF_ORDER_S, ledgers, lines_of, messages_of, sentinel
from kill_loop import PATIENCE_S, KillLoop
from mqtt_client import Publisher, create_session
from proxy import Proxy

READINGS = 2000
CUTS = 4  # each costs at least the 250 ms that a reconnect waits
DURABLE = BROKER + "persistence true\npersistence_location {0}/\nautosave_interval 1\nautosave_on_changes true\n"


class Broker(KillLoop):
    def prepare(self, port, qos=1, version=5, source="", pipeline="", publisher_port=None, distrust=0, messages=None):
        """Readings, their publisher, a session for them and the configuration live.toml; (lines, publisher)."""
        lines = lines_of(READINGS, self.seed)
        create_session(publisher_port or port, "gateway", ["plant/#"], qos, version)
        self.configure("live.toml", self.mqtt_source(port, qos, version, extra=source), "live", pipeline=pipeline)
        self.messages = messages_of(lines) if messages is None else messages(lines)
        publisher = Publisher(publisher_port or port, self.messages + messages_of([sentinel(READINGS)]), qos, version,
                              distrust=distrust)
        self.addCleanup(publisher.stop)
        return lines, publisher

    def assert_whole(self, lines, text):
        whole = self.undisturbed(lines + [sentinel(len(lines))])
        self.assert_same_rows(self.output("live"), self.without_sentinel(whole, len(lines)))
        return self.assert_ledger(text, len(lines) + 1)

    def finish_running(self, gateway, publisher):
        """As finish(), with a gateway that runs already."""
        publisher.allow(len(self.messages))
        self.assertTrue(publisher.wait_acknowledged(len(self.messages), PATIENCE_S), publisher.error)
        self.wait_delivered(gateway, READINGS)
        publisher.allow(len(self.messages) + 1)
        self.wait_delivered(gateway, READINGS + 1)
        return self.stop(gateway)

    def test_the_broker_is_killed(self):
        self.out_of_order_s = 3 * OUT_OF_ORDER_S  # the publisher goes back, too
        (self.directory / "broker").mkdir(mode=0o777)
        (self.directory / "broker").chmod(0o777)  # a broker that is started as root becomes another user
        self.directory.chmod(0o755)
        extra = DURABLE.format(self.directory / "broker")
        broker = self.broker(extra)
        # It saves a moment after it acknowledges; the publisher covers that moment, so that a loss would be Weir's.
        lines, publisher = self.prepare(broker.port, distrust=200)
        gateway = self.start_weir("run", "live.toml")
        for life in range(1, 5):
            publisher.allow(life * READINGS // 5)
            target = self.random.randrange((life - 1) * READINGS // 5, life * READINGS // 5)
            self.assertTrue(publisher.wait_acknowledged(target, PATIENCE_S), publisher.error)
            for victim in [[gateway, broker], [broker, gateway], [broker]][life % 3]:
                self.kill(victim)
            broker = self.start(broker.args[0], "-c", broker.args[2])
            if gateway.poll() is not None:
                gateway = self.start_weir("run", "live.toml")
        text = self.finish_running(gateway, publisher)
        self.assert_whole(lines, text)
        self.assertGreater(publisher.reconnects, 0)

    def cut_and_finish(self, qos, version, source=""):
        broker = self.broker(BROKER).port
        proxy = Proxy(broker, lambda: int(25 * 800 ** self.random.random()) if proxy.cuts < CUTS else None)
        self.addCleanup(proxy.stop)
        lines, publisher = self.prepare(proxy.port, qos, version, source, publisher_port=broker)
        gateway = self.start_weir("run", "live.toml")
        for step in range(1, CUTS + 1):
            publisher.allow(step * READINGS // CUTS)
            self.eventually(lambda: proxy.cuts >= step, f"cut {step} of the connection")
        ledger = self.assert_whole(lines, self.finish_running(gateway, publisher))
        return ledger

    def test_the_connection_is_cut_within_packets_at_qos_1(self):
        ledger = self.cut_and_finish(1, 5)
        self.assertGreater(ledger.duplicate, 0, "something was in flight at some cut")

    def test_the_connection_is_cut_within_packets_at_qos_1_over_mqtt_3(self):
        self.cut_and_finish(1, 4)

    def test_the_connection_is_cut_within_packets_at_qos_2(self):
        self.cut_and_finish(2, 5)

    def test_the_connection_is_cut_within_packets_at_qos_2_over_mqtt_3(self):
        self.cut_and_finish(2, 4, ', persistence_dir = "paho"')

    def test_qos_0_promises_nothing_and_the_ledger_balances(self):
        port = self.broker(BROKER).port
        lines, publisher = self.prepare(port, qos=0)
        published = 0
        for _ in range(6):
            gateway = self.start_weir("run", "live.toml")
            self.eventually(lambda: "receiving from" in self.log(gateway) or gateway.poll() is not None, "it receives")
            published += READINGS // 8
            publisher.allow(published)
            self.assertTrue(publisher.wait_acknowledged(published, PATIENCE_S))
            self.kill(gateway)
        gateway = self.start_weir("run", "live.toml")
        self.eventually(lambda: "receiving from" in self.log(gateway), "it receives")
        before = self.saved_ledger()
        publisher.allow(READINGS)
        # Nobody is killed any more: what comes from now on is all counted.
        self.wait_delivered(gateway, (before.delivered if before else 0) + READINGS - published)
        text = self.stop(gateway)
        self.assertIn("the ledger balances", text)
        ledger = ledgers(text)[0]
        self.assertEqual((ledger.duplicate, ledger.malformed, ledger.shed), (0, 0, 0))
        self.assertLessEqual(ledger.delivered, READINGS)
        # What it shows is a part of what was published, each reading once.
        total = sum(int(row.split(b'"count()":')[1].split(b",")[0]) for row in self.output("live")["all.jsonl"].splitlines())
        self.assertLessEqual(total, 2 * READINGS)

    def test_a_publisher_that_sends_everything_twice(self):
        def twice(lines):
            messages = messages_of(lines)
            return [message for at in range(0, len(messages), 50) for message in 2 * messages[at:at + 50]]

        port = self.broker(BROKER).port
        lines, publisher = self.prepare(port, messages=twice)
        gateway = self.start_weir("run", "live.toml")
        publisher.allow(READINGS)
        self.wait_delivered(gateway, READINGS // 2)
        self.kill(gateway)
        ledger = self.assert_whole(lines, self.finish_running(self.start_weir("run", "live.toml"), publisher))
        self.assertGreaterEqual(ledger.duplicate, READINGS)


if __name__ == "__main__":
    unittest.main()
