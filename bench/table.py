"""Figures of several repetitions, as a table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figure:
    """One line: what was measured, in what unit, how often, and what it must be."""

    name: str
    unit: str
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.at_least is not None:
            return f"{'ok' if self.median >= self.at_least else 'SHORT'}, >= {self.at_least:g}"
        if self.at_most is not None:
            return f"{'ok' if self.median <= self.at_most else 'MISSED'}, <= {self.at_most:g}"
        return ""

    def row(self) -> str:
        numbers = (self.median, min(self.values), max(self.values))
        shown = "  ".join(f"{number:>10,.{self.digits}f}" for number in numbers)
        return f"  {self.name:<48}{shown}  {self.unit:<14}{self.verdict}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "values": list(self.values),
            "verdict": self.verdict,
        }


@dataclass
class Section:
    """Figures that belong together."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    note: str = ""

    def show(self) -> None:
        print(f"\n{self.title}")
        print(f"  {'':<48}{'median':>10}  {'least':>10}  {'most':>10}")
        for figure in self.figures:
            print(figure.row())
        if self.note:
            print(f"  {self.note}")


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Of each pair; the two of a pair were measured one right after the other."""
    return [a / b for a, b in zip(ours, theirs, strict=True) if b]
