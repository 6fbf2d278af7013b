"""One process of a ring, with its output in a log."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rings.ring import LOGS, TOP

GRACE_S = 5.0
#: A session that is killed takes its processes with it.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")


class Process:
    """A command in a process group of its own; standard output and error go to the log."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        append: bool = False,
        folder: Path = TOP,
    ) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("ab" if append else "wb") as output:
            self.child = subprocess.Popen(
                [*ENDS_WITH_US, *(str(word) for word in command)],
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self) -> bool:
        return self.child.poll() is not None

    def wait(self, timeout_s: float) -> int:
        """The exit status, negative for a signal. A process that takes too long is ended."""
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.stop()
            with self.log.open("a") as log:
                log.write(f"\nended after {timeout_s:.0f} s\n")
            return self.child.wait()

    def stop(self) -> None:
        """Ends the whole group, politely at first."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + GRACE_S
            try:
                os.killpg(self.child.pid, number)
            except ProcessLookupError:
                break
            while not self.ended() and time.monotonic() < deadline:
                time.sleep(0.02)
            if self.ended() and number == signal.SIGTERM:
                continue  # the leader is gone; what it left behind goes with SIGKILL
        self.child.wait()
