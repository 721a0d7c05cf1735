"""Work beside the loops of scripts/crash-test: busy for a while, a file written and synced, idle for a while."""

import os
import random
import tempfile
import time

with tempfile.TemporaryFile() as file:
    while os.getppid() != 1:
        busy_until = time.monotonic() + random.uniform(0.05, 0.4)
        while time.monotonic() < busy_until:
            pass
        file.seek(0)
        file.write(os.urandom(1 << 20))
        os.fsync(file.fileno())
        time.sleep(random.uniform(0.05, 0.4))
