"""How far a long command is: a line of standard error on a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from nvme.progress import WORTH_SECONDS, wanted

STEP_SECONDS = 1.0
CLEAR = "\r\033[K"


class Line:
    """A line that is written over."""

    def __init__(self, what: str) -> None:
        self._what, self._on = what, wanted(WORTH_SECONDS)
        self._shown = False

    def show(self, text: str) -> None:
        """Bring it up to date."""
        if self._on:
            sys.stderr.write(f"{CLEAR}{self._what}: {text}")
            sys.stderr.flush()
            self._shown = True

    def portion(self, done: int, whole: int) -> None:
        """So many of so many bytes."""
        self.show(f"{100 * done // whole if whole else 100} % of {whole} bytes")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()


class Ticker(Line):
    """The seconds that something takes, which waits meanwhile; and what `look` says of it."""

    def __init__(self, what: str, look: Callable[[], str] | None = None) -> None:
        super().__init__(what)
        self._look = look
        self._over = threading.Event()
        self._began = time.monotonic()
        self._thread: threading.Thread | None = None

    def _tick(self) -> None:
        while not self._over.wait(STEP_SECONDS):
            said = ""
            if self._look:
                with contextlib.suppress(Exception):  # the line is a courtesy
                    said = self._look()
            self.show(f"{time.monotonic() - self._began:.0f} s{said and ', '}{said}")

    def __enter__(self) -> Self:
        if self._on:
            self._thread = threading.Thread(target=self._tick, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join(STEP_SECONDS)
        super().__exit__(*exc)
