"""What a busy machine may do to a test that looks at the clock."""

import time
from collections.abc import Callable
from contextlib import suppress

from nvme.ioworker import IOWorker

TRIES = 5


def at_best(attempt: Callable[[], None]) -> None:
    """One attempt in some holds: whatever else the machine does only makes things later."""
    for _ in range(TRIES - 1):
        with suppress(AssertionError):
            return attempt()
    return attempt()


def wait_for_end(worker: IOWorker) -> None:
    """Until it is no longer at work."""
    limit = time.monotonic() + 120
    while worker.running and time.monotonic() < limit:
        time.sleep(0.001)
