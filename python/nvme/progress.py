"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import os
import sys
import time
from typing import Self

#: Shorter runs are over before anybody looks.
WORTH_SECONDS = 5.0
SETTING = "PYNVME_PROGRESS"


def wanted(seconds: float) -> bool:
    """Whether to show a line for a run of so many seconds (0: not known).

    PYNVME_PROGRESS=1 or 0 in the environment decides; else on a terminal, not under pytest.
    """
    setting = os.environ.get(SETTING)
    if setting is not None:
        return setting not in ("", "0")
    return (
        seconds >= WORTH_SECONDS and sys.stderr.isatty() and "PYTEST_CURRENT_TEST" not in os.environ
    )


def _rate(ios: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if ios >= size:
            return f"{ios / size:.2f}{unit}"
    return f"{ios:.0f}"


class Progress:
    """The line; use it in a with block, which takes it away at the end.

    seconds: length of the run, 0: not known
    """

    def __init__(self, seconds: float) -> None:
        self._on = wanted(seconds)
        self._begin = self._then = time.monotonic()
        self._ios = 0
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def show(self, progress: tuple[bool, float, int, int, int]) -> None:
        """Bring the line up to date; progress as _core.Worker has it."""
        if not self._on:
            return
        _, percent, ios, _, _ = progress
        now = time.monotonic()
        rate = (ios - self._ios) / (now - self._then) if now > self._then else 0.0
        self._ios, self._then = ios, now
        done = int(percent / 5)
        self.write(
            f"[{'#' * done}{'.' * (20 - done)}] {percent:3.0f} %  {now - self._begin:.0f} s  "
            f"{_rate(rate)} IOPS"
        )

    def write(self, text: str) -> None:
        """Show any text in place of the line."""
        if self._on:
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = max(self._width, len(text))
