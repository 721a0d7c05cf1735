"""Running `weir`, a private mosquitto, and finding the public data sets."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

WEIR = os.environ["WEIR"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("WEIR_DATA_DIR", SOURCE.parent / "shared" / "data"))
DEADLINE = 60


def data_file(name):
    path = DATA / name
    if not path.exists():
        raise unittest.SkipTest(f"{path} is not here")
    return path


class WeirTest(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.processes = []
        self.addCleanup(self.end_processes)

    def end_processes(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, name):
        return (self.directory / name).read_text()

    def weir(self, *words, expect=0, **options):
        """Runs to the end; the finished process with its text."""
        done = subprocess.run([WEIR, *map(str, words)], cwd=self.directory, text=True, capture_output=True,
                              timeout=DEADLINE, **options)
        if expect is not None:
            self.assertEqual(done.returncode, expect, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done

    def start(self, *words, **options):
        log = open(self.directory / f"log-{len(self.processes)}", "w+b")
        self.addCleanup(log.close)
        process = subprocess.Popen([str(w) for w in words], cwd=self.directory, stdout=log, stderr=log, **options)
        process.log_path = log.name
        self.processes.append(process)
        return process

    def start_weir(self, *words, **options):
        return self.start(WEIR, *words, **options)

    def log(self, process):
        return pathlib.Path(process.log_path).read_text()

    def eventually(self, condition, what):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"never came true: {what}")
            time.sleep(0.01)

    def stop(self, process, expect=0):
        """SIGTERM and wait."""
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=DEADLINE)
        text = self.log(process)
        self.assertEqual(code, expect, text)
        return text

    def assert_one_line(self, text, *parts):
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        for part in parts:
            self.assertIn(part, text)

    def broker(self, extra=""):
        """Starts a private mosquitto; its port."""
        port = free_port()
        config = self.write(f"mosquitto-{port}.conf",
                            f"listener {port} 127.0.0.1\nmax_queued_messages 0\nmax_inflight_messages 1000\n"
                            + (extra or "allow_anonymous true\n"))
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        self.assertTrue(program, "mosquitto is not installed")
        process = self.start(program, "-c", config)
        self.eventually(lambda: listens(port), "mosquitto listens")
        process.port = port
        return process


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
