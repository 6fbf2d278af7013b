"""Which mutants are tried: lines drawn by a seed, one mutant a line."""

import contextlib
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

RULES = {
    ".c": ("universal.rules", "c_like.rules", "c.rules"),
    ".h": ("universal.rules", "c_like.rules", "c.rules"),
    ".py": ("universal.rules", "python.rules"),
}
FOLDERS = ("src", "python/nvme")


@dataclass(frozen=True)
class Mutant:
    """One line of one file, replaced.

    path: relative to the project; line: one-based; new may be more than one line
    """

    path: str
    line: int
    old: str
    new: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is, wherever edits of the file have moved the line."""
        return self.path, " ".join(self.old.split()), " ".join(self.new.split())

    def applied(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        assert lines[self.line - 1] == self.old
        lines[self.line - 1] = self.new
        return "".join(lines)


def sources(top: Path, patterns: Sequence[str] = ()) -> list[str]:
    """The files that are mutated, relative to top; those that match a pattern, if there is one."""
    found = [
        str(path.relative_to(top))
        for folder in FOLDERS
        for path in sorted((top / folder).rglob("*"))
        if path.suffix in RULES
    ]
    if not patterns:
        return found
    return [name for name in found if any(fnmatch(name, pattern) for pattern in patterns)]


def prose(path: str, lines: Sequence[str]) -> set[int]:
    """One-based numbers of the lines that are comments or docstrings, or say nothing."""
    inside = False
    found = set()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if path.endswith(".py"):
            if inside or text.startswith('"""'):
                found.add(number)
                inside ^= bool(text.count('"""') % 2)
            elif text.startswith(("#", "import ", "from ", "@overload")):
                found.add(number)
        elif inside or text.startswith(("/*", "//", "#include", "#pragma")):
            found.add(number)
            inside = "*/" not in text and (inside or text.startswith("/*"))
        if not any(char.isalnum() for char in text):
            found.add(number)
    return found


@cache
def mutants(top: Path, path: str) -> dict[int, list[Mutant]]:
    """Every mutant of a file, by line."""
    from universalmutator import mutator

    lines = (top / path).read_text().splitlines(keepends=True)
    rules = list(RULES[Path(path).suffix])
    with contextlib.redirect_stdout(io.StringIO()):  # it says what it does
        made = mutator.mutants_regexp(lines, rules, ignorePatterns=[], ignoreStringOnly=True)
    skipped = prose(path, lines)
    found: dict[int, list[Mutant]] = {}
    for number, new, *_ in made:
        if number not in skipped:
            mutant = Mutant(path, number, lines[number - 1], new)
            found.setdefault(number, []).append(mutant)
    return found


def sequence(top: Path, seed: int, patterns: Sequence[str] = ()) -> Iterator[Mutant]:
    """Mutants in the order of a seed, without end but for the lines: every line is as likely."""
    rng = random.Random(seed)
    # Only lines of code weigh; which have mutants is known once their file has been read.
    lines: list[tuple[str, int]] = []
    for path in sources(top, patterns):
        text = (top / path).read_text().splitlines()
        skipped = prose(path, text)
        lines += [(path, n) for n in range(1, len(text) + 1) if n not in skipped]
    rng.shuffle(lines)
    for path, number in lines:
        # The choice must not hang on what was chosen before, so that a redraw changes no other.
        choice = random.Random(f"{seed}:{path}:{number}")
        if candidates := mutants(top, path).get(number):
            yield choice.choice(candidates)
