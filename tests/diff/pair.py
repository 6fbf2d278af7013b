"""Two devices side by side: runs sequences on both, compares, and shrinks what differs."""

from __future__ import annotations

import inspect
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from diff.justified import Difference, justified
from diff.sender import Result
from diff.side import Side
from diff.steps import Generator, Step

LENGTH = 60
SHRINK_TRIES = 300


class Pair:
    """Our device and theirs. commands: how many steps were compared; seen: justified ones."""

    def __init__(self, ours: Side, theirs: Side) -> None:
        self.ours = ours
        self.theirs = theirs
        self.commands = 0
        self.seen: Counter[str] = Counter()

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

    def differences(self, step: Step, ours: Result, theirs: Result) -> list[Difference]:
        keys = {key for key in ours.keys() | theirs.keys() if not key.startswith("_")}
        if ours.get("status") != theirs.get("status"):
            keys -= {"cdw0", "data", "dnr"}  # what follows from the status
        found = [
            Difference(step, key, ours.get(key), theirs.get(key), (ours, theirs))
            for key in sorted(keys)
            if key == "fault" or ours.get(key) != theirs.get(key)
        ]
        return [difference for difference in found if not self.known(difference)]

    def known(self, difference: Difference) -> bool:
        entry = justified(difference)
        if entry:
            self.seen[entry.name] += 1
        return entry is not None

    def run(self, sequence: Sequence[Step]) -> list[Difference]:
        """The differences at the first step that has any."""
        self.ours.begin()
        self.theirs.begin()
        for step in sequence:
            self.commands += 1
            found = self.differences(step, self.ours.do(step), self.theirs.do(step))
            if found:
                return found
        return []

    def shrink(self, sequence: Sequence[Step], first: Difference) -> list[Step]:
        """A shorter sequence in which the same value of the same kind of step differs."""

        def still(candidate: Sequence[Step]) -> bool:
            found = self.run(candidate)
            return any((d.step.kind, d.key) == (first.step.kind, first.key) for d in found)

        steps, tries = list(sequence), 0
        size = len(steps) // 2
        while size and tries < SHRINK_TRIES:
            at = 0
            while at < len(steps) and tries < SHRINK_TRIES:
                candidate = steps[:at] + steps[at + size :]
                tries += 1
                if candidate and still(candidate):
                    steps = candidate
                else:
                    at += size
            size //= 2
        for i, step in enumerate(steps):
            for name in optional(step):
                fewer = {key: value for key, value in steps[i].args.items() if key != name}
                candidate = [*steps[:i], Step(step.kind, fewer), *steps[i + 1 :]]
                if still(candidate):
                    steps = candidate
        return steps


def optional(step: Step) -> list[str]:
    """Arguments that a step also works without."""
    known = inspect.signature(getattr(Side, step.kind)).parameters
    return [name for name in step.args if known[name].default is not inspect.Parameter.empty]


class Failed(AssertionError):
    """A difference that no entry of the list covers."""


def explore(pair: Pair, seed: int, commands: int, record: Path, length: int = LENGTH) -> None:
    """Compares so many commands; raises Failed with the shortest sequence that was found."""
    until = pair.commands + commands
    number = 0
    while pair.commands < until:
        sequence = Generator(seed * 1_000_003 + number).sequence(length)
        number += 1
        found = pair.run(sequence)
        if found:
            at = pair.commands
            steps = pair.shrink(sequence, found[0])
            final = pair.run(steps) or found
            record.write_text(json.dumps([[step.kind, step.args] for step in steps], indent=1))
            lines = [f"  {step}" for step in steps]
            raise Failed(
                "\n".join(
                    [
                        f"after {at} commands, sequence {number - 1} of seed {seed}:",
                        *(str(difference) for difference in final),
                        f"the shortest sequence found ({record}):",
                        *lines,
                    ]
                )
            )


def replay(record: Path) -> list[Step]:
    """A sequence that an earlier run has kept."""
    return [Step(kind, args) for kind, args in json.loads(record.read_text())]


def rate(pair: Pair, start: float) -> float:
    """Commands a second."""
    return pair.commands / (time.monotonic() - start)
