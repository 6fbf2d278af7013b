"""What a ring is, and what came of one of its tests."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
LOGS = TOP / "build" / "logs"


@dataclass
class Outcome:
    """What came of one test: kind is passed, failed, skipped or xfailed.

    figures: what it measured, by name: numbers, or text with a unit; see tests/figures.py
    """

    kind: str
    text: str = ""
    duration_s: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)


class CannotRun(Exception):
    """The ring cannot run on this machine; the text says why. It becomes one skipped item."""


class Ring(ABC):
    """A set of tests that other processes run."""

    #: An early ring runs beside the others, one after another, and is asked for its outcomes last.
    early = False

    @abstractmethod
    def names(self, long: bool) -> Sequence[str]:
        """The names of its tests, without running any. Raises CannotRun."""

    @abstractmethod
    def outcome(self, name: str) -> Outcome:
        """What came of a test. Runs it, or waits for the process that does."""

    def start(self, names: Sequence[str]) -> None:
        """The names that will be asked for."""

    def work(self) -> None:
        """Runs to its end what will be asked for; of early rings, in a thread of their own."""

    def stop(self) -> None:
        """Ends what still runs."""


def tail(log: Path, lines: int = 40) -> str:
    """The end of a log, headed by where the rest is."""
    try:
        text = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        text = ["(no output)"]
    name = log.relative_to(TOP) if log.is_relative_to(TOP) else log
    return "\n".join([f"--- {name}", *text[-lines:]])
