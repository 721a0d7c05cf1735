"""Sources that are no broker: files, standard input, TCP. The gateway is killed and started again while it reads them."""

import socket
import subprocess
import threading
import unittest

from crash_support import DEADLINE, LARGE_QUERIES, ORDER_QUERIES, CrashTest, lines_of, sentinel

MAX_LIVES = 15


class Feeder:
    """Listens, and sends everything from the beginning to whoever connects, as a logger with a memory does."""

    def __init__(self, lines):
        self.data = "".join(line + "\n" for line in lines).encode()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            with client:
                try:
                    client.sendall(self.data)
                    client.recv(1)  # until the other side goes
                except OSError:
                    pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(DEADLINE)


class Sources(CrashTest):
    def live_until_the_end(self, words, longest_s=0.15, **options):
        """Kills until a life ends by itself; how many were killed, and the log of the last."""
        for life in range(MAX_LIVES):
            # The first lives are so short that none of them gets to the end, however fast the machine.
            longest = longest_s if life > 2 else longest_s / 8
            process = self.run_and_kill("live.toml", self.some_instant(longest), words, **options)
            if process.returncode == 0:
                return life, self.log(process)
        process = self.start_weir(*words, "live.toml")
        self.assertEqual(process.wait(timeout=DEADLINE), 0, self.log(process))
        return MAX_LIVES, self.log(process)

    def file_is_killed(self, words, count, **options):
        lines = lines_of(count, self.seed)
        expected = self.undisturbed(lines, **options)
        self.configure("live.toml", 'type = "file", path = "whole.jsonl", format = "json"', "live", dedupe=False, **options)
        killed, log = self.live_until_the_end(words)
        self.assertGreater(killed, 2)
        self.assert_same_rows(self.output("live"), expected)
        return log

    def test_a_file_is_read_on(self):
        self.assert_ledger(self.file_is_killed(("run",), 60_000), 60_000, 0)

    def test_a_replay_is_killed(self):
        self.assert_ledger(self.file_is_killed(("replay",), 60_000), 60_000, 0)

    def test_late_readings_and_revisions_are_decided_the_same(self):
        log = self.file_is_killed(("run",), 40_000, out_of_order="100ms", allowed_lateness="250ms")
        rows = self.output("live")["sliding.jsonl"]
        self.assertIn(b'"revision":', rows)
        self.assertRegex(log, r"query lines: .* [1-9]\d* late")

    def test_large_panes_that_late_readings_change(self):
        sensors = 12_000
        lines = lines_of(150_000, self.seed, sensors, disorder_ms=400_000)
        options = {"queries": LARGE_QUERIES, "max_keys": sensors, "out_of_order": "100s", "allowed_lateness": "400s",
                   "dedupe": False}
        expected = self.undisturbed(lines, **options)
        self.configure("live.toml", 'type = "file", path = "whole.jsonl", format = "json"', "live", **options)
        killed, _ = self.live_until_the_end(("run",), longest_s=0.4)
        self.assertGreater(killed, 2)
        self.assertIn(b'"revision":', expected["large.jsonl"])
        self.assert_same_rows(self.output("live"), expected)

    def test_readings_as_rows_keep_their_order(self):
        lines = lines_of(30_000, self.seed)
        queries = ORDER_QUERIES.split("[[query]]\nname     = \"batches\"")[0] + ORDER_QUERIES[ORDER_QUERIES.index("[[sink]]"):]
        expected = self.undisturbed(lines, queries=queries)
        self.configure("live.toml", 'type = "file", path = "whole.jsonl", format = "json"', "live", queries=queries)
        self.live_until_the_end(("run",))
        self.assert_same_rows(self.output("live"), expected)

    def test_files_that_appear_in_a_directory(self):
        lines = lines_of(20_000, self.seed)
        expected = self.undisturbed(lines + [sentinel(len(lines))])
        self.configure("live.toml", 'type = "directory", path = "inbox", poll = "10ms", settle = "0s", format = "json"', "live")
        (self.directory / "inbox").mkdir()
        for part in range(20):
            text = "".join(line + "\n" for line in lines[part * 1000:(part + 1) * 1000])
            self.write(f"inbox/{part:03d}.tmp", text).rename(self.directory / f"inbox/{part:03d}.jsonl")
            self.run_and_kill("live.toml", self.some_instant())
        gateway = self.start_weir("run", "live.toml")
        self.wait_delivered(gateway, len(lines))
        self.write("inbox/999.tmp", sentinel(len(lines)) + "\n").rename(self.directory / "inbox/999.jsonl")
        self.wait_delivered(gateway, len(lines) + 1)
        self.assert_ledger(self.stop(gateway), len(lines) + 1, 0)
        self.assert_same_rows(self.output("live"), self.without_sentinel(expected, len(lines)))

    def test_a_tcp_peer_that_sends_again(self):
        self.out_of_order_s = 1000  # what comes again from the beginning finds its windows open, and so is a duplicate
        lines = lines_of(4_000, self.seed)
        expected = self.undisturbed(lines + [sentinel(len(lines))])
        feeder = Feeder(lines)
        self.configure("live.toml", f'type = "tcp", host = "127.0.0.1", port = {feeder.port}, format = "json"', "live")
        for _ in range(8):
            self.run_and_kill("live.toml", self.some_instant())
        gateway = self.start_weir("run", "live.toml")
        self.wait_delivered(gateway, len(lines))
        text = self.stop(gateway)
        feeder.stop()
        self.assert_ledger(text, len(lines))
        last = Feeder([sentinel(len(lines))])
        self.addCleanup(last.stop)
        self.configure("live.toml", f'type = "tcp", host = "127.0.0.1", port = {last.port}, format = "json"', "live")
        gateway = self.start_weir("run", "live.toml")
        self.wait_delivered(gateway, len(lines) + 1)
        self.assert_ledger(self.stop(gateway), len(lines) + 1)
        self.assert_same_rows(self.output("live"), self.without_sentinel(expected, len(lines)))

    def test_standard_input_that_comes_again(self):
        """Whoever feeds a pipe has to feed it again after a crash; dedupe makes that harmless."""
        self.out_of_order_s = 1000
        lines = lines_of(20_000, self.seed)
        expected = self.undisturbed(lines)
        self.configure("live.toml", 'type = "stdin", format = "json"', "live")
        for _ in range(6):
            with open(self.directory / "whole.jsonl", "rb") as whole:
                feed = subprocess.Popen(["cat"], stdin=whole, stdout=subprocess.PIPE)
                process = self.start_weir("run", "live.toml", stdin=feed.stdout)
                feed.stdout.close()
                try:
                    process.wait(timeout=self.some_instant(0.1))
                except subprocess.TimeoutExpired:
                    self.kill(process)
                feed.wait(timeout=DEADLINE)
                if process.returncode == 0:
                    break  # it came to the end, which is final
        if process.returncode != 0:
            with open(self.directory / "whole.jsonl", "rb") as whole:
                process = self.start_weir("run", "live.toml", stdin=whole)
                self.assertEqual(process.wait(timeout=DEADLINE), 0, self.log(process))
        self.assert_ledger(self.log(process), len(lines))
        self.assert_same_rows(self.output("live"), expected)


if __name__ == "__main__":
    unittest.main()
