"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

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


def _bar() -> Bar:
    # Imported by the first line that is shown: it takes longer than the whole package.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    # Whoever asked for the line in a pipe gets it there, too.
    console = Console(stderr=True, force_terminal=True)
    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rate]} IOPS"),
        console=console,
        transient=True,
        auto_refresh=False,  # a worker's run starts no thread but its own
        redirect_stdout=False,
        redirect_stderr=False,
    )


class Progress:
    """The line; use it in a with block, which takes it away at the end.

    seconds: length of the run, 0: not known
    """

    def __init__(self, seconds: float) -> None:
        self._on = wanted(seconds)
        self._bar: Bar | None = None
        self._then = time.monotonic()
        self._ios = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def show(self, progress: tuple[bool, float, int, int, int]) -> None:
        """Bring the line up to date; progress as _core.Worker has it."""
        if not self._on:
            return
        _, percent, ios, _, _ = progress
        now = time.monotonic()
        rate = (ios - self._ios) / (now - self._then) if now > self._then else 0.0
        self._ios, self._then = ios, now
        if not self._bar:
            self._bar = _bar()
            self._bar.add_task("", total=100, rate="")
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=percent, rate=_rate(rate), refresh=True)
