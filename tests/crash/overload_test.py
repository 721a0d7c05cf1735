"""An engine that stands still because nobody takes its rows: memory stays bounded, QoS 1 is held back or kept on disk, QoS 0
is shed and counted, nothing that was acknowledged is lost."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import unittest

from crash_support import BROKER, QUERIES, CrashTest, ledgers, lines_of, messages_of, sentinel
from kill_loop import PATIENCE_S
from mqtt_client import Publisher, create_session

PAD = 20_000  # bytes of blanks in each message, so that they are far more than memory may hold
MESSAGES = 2500
MEMORY_KIB = 20 << 10  # what the program may grow by, of the 48 MiB that come: the queue, buffers
PIPE_QUERY = """
[[query]]
name     = "watched"
from     = "plant"
select   = ["temperature", "power"]
sinks    = ["pipe"]

[[sink]]
name = "pipe"
type = "console"
rows = 0
"""


def resident_kib(process):
    """Of VmRSS what the kernel cannot drop again, as it can the pages of mapped files: heap and shared memory."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return sum(int(status.split(name)[1].split()[0]) for name in ("RssAnon:", "RssShmem:"))


class Overload(CrashTest):
    def prepare(self, qos):
        self.port = self.broker(BROKER + "max_queued_bytes 0\n").port
        self.lines = lines_of(MESSAGES, self.seed)
        self.configure("live.toml", self.mqtt_source(self.port, qos), "live", queries=PIPE_QUERY + QUERIES,
                       pipeline='journal_memory = "4MiB"')
        create_session(self.port, "gateway", ["plant/#"], qos)
        padded = [(topic, payload + b" " * PAD) for topic, payload in messages_of(self.lines)]
        self.publisher = Publisher(self.port, padded + messages_of([sentinel(MESSAGES)]), qos)
        self.addCleanup(self.publisher.stop)

    def start_blocked(self):
        """A gateway whose standard output nobody reads, and the end that could be read."""
        reader, writer = os.pipe()
        log = open(self.directory / f"log-{len(self.processes)}", "w+b")
        self.addCleanup(log.close)
        gateway = subprocess.Popen([os.environ["WEIR"], "run", "live.toml"], cwd=self.directory, stdout=writer, stderr=log)
        os.close(writer)
        gateway.log_path = log.name
        self.processes.append(gateway)
        self.eventually(lambda: "receiving from" in self.log(gateway), "it receives")
        return gateway, reader

    def drain(self, reader):
        def run():
            with open(reader, "rb") as pipe:
                while pipe.read(1 << 16):
                    pass
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

    def flood(self, gateway):
        """Publishes everything at a gateway that stands still; how much its memory grew, in KiB."""
        self.publisher.allow(200)
        self.assertTrue(self.publisher.wait_acknowledged(200, PATIENCE_S))
        begin = highest = resident_kib(gateway)
        self.publisher.allow(MESSAGES)

        def all_sent():
            nonlocal highest
            highest = max(highest, resident_kib(gateway))
            self.assertIsNone(gateway.poll(), self.log(gateway))
            return self.publisher.acknowledged >= MESSAGES
        self.eventually(all_sent, "the broker took everything")
        print(f"grew by {highest - begin} KiB", end=" ", file=sys.stderr)
        return highest - begin

    def test_qos_1_waits_on_disk_or_at_the_broker(self):
        self.prepare(1)
        gateway, reader = self.start_blocked()
        self.assertLess(self.flood(gateway), MEMORY_KIB)
        self.drain(reader)
        self.wait_delivered(gateway, MESSAGES)
        self.publisher.allow(MESSAGES + 1)
        self.wait_delivered(gateway, MESSAGES + 1)
        self.assert_ledger(self.stop(gateway), MESSAGES + 1)

    def test_qos_1_is_not_lost_when_the_one_that_stands_still_is_killed(self):
        self.prepare(1)
        gateway, reader = self.start_blocked()
        self.flood(gateway)
        self.kill(gateway)
        os.close(reader)
        gateway, reader = self.start_blocked()
        self.drain(reader)
        self.wait_delivered(gateway, MESSAGES)
        self.publisher.allow(MESSAGES + 1)
        self.wait_delivered(gateway, MESSAGES + 1)
        self.assert_ledger(self.stop(gateway), MESSAGES + 1)
        expected = self.undisturbed(self.lines + [sentinel(MESSAGES)])
        self.assert_same_rows(self.output("live"), self.without_sentinel(expected, MESSAGES))

    def test_qos_0_is_shed_and_counted(self):
        self.prepare(0)
        gateway, reader = self.start_blocked()
        self.assertLess(self.flood(gateway), MEMORY_KIB)
        self.drain(reader)
        self.publisher.allow(MESSAGES + 1)

        def all_counted():
            ledger = self.saved_ledger()
            return ledger is not None and ledger.received == MESSAGES + 1
        self.eventually(all_counted, "everything is in the ledger")
        text = self.stop(gateway)
        self.assertIn("the ledger balances", text)
        ledger = ledgers(text)[0]
        self.assertEqual(ledger.received, MESSAGES + 1)
        self.assertGreater(ledger.shed, 0)
        self.assertEqual(ledger.delivered + ledger.shed, MESSAGES + 1)

    def test_a_consumer_that_is_stopped_for_a_while(self):
        """The same with a reader at the other end of the pipe that is only stopped (SIGSTOP), and goes on."""
        self.prepare(1)
        gateway, reader = self.start_blocked()
        with open(self.directory / "read", "wb") as read:
            consumer = subprocess.Popen(["cat"], stdin=reader, stdout=read)
        os.close(reader)
        self.processes.append(consumer)
        consumer.send_signal(signal.SIGSTOP)
        self.assertLess(self.flood(gateway), MEMORY_KIB)
        consumer.send_signal(signal.SIGCONT)
        self.wait_delivered(gateway, MESSAGES)
        self.stop(gateway)
        self.assertEqual(consumer.wait(timeout=PATIENCE_S), 0)


if __name__ == "__main__":
    unittest.main()
