"""Which tests reach a line, from a run of every test in a build that counts."""

import ast
import json
import os
import re
import subprocess
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mutate.draw import Mutant, sources
from mutate.suite import GUEST, GUEST_S, GUEST_SOURCES, Run, Test, countable_tests
from mutate.tree import Tree

TEST_TIMEOUT_S = 900
#: A macro, and what NVME_GET() calls it.
MACRO = re.compile(r"#define (NVME_(\w+?)(?:_SHIFT|_MASK)|\w+)\b")
WORD = re.compile(r"[A-Za-z_]\w{2,}")
#: A word on more lines than these says nothing about who uses it.
COMMON = 40
#: NVME_GET(value, FIELD) and its like make the names of both from one.
FIELD = re.compile(r"#define\s+NVME_(\w+)_(?:MASK|SHIFT)\b")
HEADING = re.compile(r"^[A-Za-z_#].*?(\w+)(\[[^\]]*\])*\s*(=\s*)?\{")
BOOT = "import coverage; coverage.process_startup()\n"
SETTINGS = "[run]\nparallel = true\nsource = {site}\ndata_file = {data}\nsigterm = true\n"


Lines = dict[str, set[int]]


@dataclass
class Coverage:
    """What each test reached.

    hits: test -> file -> lines; code: file -> lines that hold code, reached or not;
    took_s: test -> duration; broken: tests that fail without any mutant;
    stamps: test -> what its sources were when it was measured; files: those that are known
    """

    hits: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    code: dict[str, list[int]] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @cached_property
    def by_line(self) -> Mapping[tuple[str, int], set[str]]:
        found: dict[tuple[str, int], set[str]] = defaultdict(set)
        for test, files in self.hits.items():
            for path, lines in files.items():
                for line in lines:
                    found[path, line].add(test)
        return found

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    def follow(self, before: Path, after: Path) -> None:
        """Moves what is known along with the lines of sources that somebody has edited."""
        for path in self.code:
            old, new = before / path, after / path
            if old.is_file() and new.is_file() and old.read_bytes() != new.read_bytes():
                origins = line_origins(old.read_text(), new.read_text())
                for lines_of in (self.code, *self.hits.values()):
                    known = set(lines_of.get(path, ()))
                    lines_of[path] = [line for line, old in origins.items() if old & known]

    def add(self, test: Test, stamp: str, run: Run, hits: Lines, code: Lines) -> None:
        if run.why:
            self.broken.append(test.name)
        self.took_s[test.name] = run.took_s
        self.stamps[test.name] = stamp
        self.hits[test.name] = {path: sorted(lines) for path, lines in hits.items()}
        for path, lines in code.items():
            self.code[path] = sorted({*self.code.get(path, ()), *lines})

    def forget(self, test: str) -> None:
        for what in (self.hits, self.took_s, self.stamps):
            what.pop(test, None)
        self.broken = [name for name in self.broken if name != test]

    @classmethod
    def load(cls, path: Path) -> "Coverage":
        return cls(**json.loads(path.read_text()))


def line_origins(before: str, after: str) -> dict[int, set[int]]:
    """For each line, those that it was made of; of a new line, the one above it."""
    old, new = before.splitlines(), after.splitlines()
    origins: dict[int, set[int]] = {}
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new, False).get_opcodes():
        for line in range(j, j_end):
            same = range(i + line - j, i + line - j + 1)
            origins[line + 1] = {
                k + 1 for k in (same if tag == "equal" else range(i - (i == i_end), i_end))
            }
    return origins


def read_gcov(folder: Path, tree: Tree) -> Iterator[tuple[str, int, int]]:
    """(file, line, count) of every C line that the objects below folder know."""
    counts = sorted(folder.rglob("*.gcda"))
    for path in counts:
        notes = Path("/") / path.relative_to(folder).with_suffix(".gcno")
        path.with_suffix(".gcno").symlink_to(notes)
    if not counts:
        return
    command = ["gcov", "--json-format", "--stdout", *map(str, counts)]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    for text in output.splitlines():
        unit: dict[str, Any] = json.loads(text)
        for file in unit["files"]:
            path = Path(os.path.normpath(tree.build / file["file"]))
            if path.is_relative_to(tree.folder / "src"):
                name = str(path.relative_to(tree.folder))
                yield from ((name, line["line_number"], line["count"]) for line in file["lines"])


def read_python(folder: Path, tree: Tree) -> Iterator[tuple[str, int, int]]:
    import coverage.exceptions

    whole = coverage.CoverageData(no_disk=True)
    for path in folder.glob("cov.*"):
        part = coverage.CoverageData(str(path))
        # Of a process that a test killed there may be half a file.
        with suppress(coverage.exceptions.DataError):
            part.read()
            whole.update(part)
    for file in whole.measured_files():
        name = f"python/{Path(file).relative_to(tree.site)}"
        yield from ((name, line, 1) for line in whole.lines(file) or ())


def reached(test: Test, tree: Tree) -> tuple[Test, str, Run, Lines, Lines]:
    """Runs a test: itself, its stamp, how it ended, the lines it reached, those there are."""
    stamp = test.stamp(tree)
    # What a test leaves running may go on writing there.
    with TemporaryDirectory(dir=tree.folder, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(BOOT)
        (folder / "rc").write_text(SETTINGS.format(site=tree.site / "nvme", data=folder / "cov"))
        environment = {"GCOV_PREFIX": name}
        if test.is_api:
            environment |= {"PYTHONPATH": name, "COVERAGE_PROCESS_START": str(folder / "rc")}
        run = test.run(tree, TEST_TIMEOUT_S, environment, first_failure_only=False)
        if run.why:  # on a busy machine one may fail by itself
            run = test.run(tree, TEST_TIMEOUT_S, environment, first_failure_only=False)
        hits: Lines = defaultdict(set)
        code: Lines = defaultdict(set)
        for read in (read_gcov, read_python):
            for path, line, count in read(folder, tree):
                code[path].add(line)
                if count:
                    hits[path].add(line)
    return test, stamp, run, hits, code


def collect(tree: Tree, jobs: int, coverage: Coverage, place: Path) -> None:
    """Runs the tests that are new or were edited, without a mutant, in a tree that counts.

    What is known so far is saved after each, so that an end in between costs no more than one.
    """
    tests = {test.name: test for test in countable_tests(tree)}
    stamps = {name: test.stamp(tree) for name, test in tests.items()}
    for name, stamp in list(coverage.stamps.items()):
        if stamps.get(name) != stamp or name in coverage.broken:
            coverage.forget(name)
    due = [test for name, test in tests.items() if name not in coverage.stamps]
    # What takes long comes first, so that no job waits alone at the end.
    due.sort(key=lambda test: not test.is_api)
    with ThreadPoolExecutor(jobs) as pool:
        begun = [pool.submit(reached, test, tree) for test in due]
        try:
            for number, done in enumerate(as_completed(begun), 1):
                coverage.add(*done.result())
                coverage.save(place)
                print(f"\r{number} of {len(due)} tests measured", end="", file=sys.stderr)
        finally:
            pool.shutdown(cancel_futures=True)
    coverage.save(place)
    print(file=sys.stderr)


class Finder:
    """Answers which tests are worth running for a mutant."""

    def __init__(self, top: Path, coverage: Coverage) -> None:
        self.top, self.coverage = top, coverage

    @cached_property
    def uses(self) -> Mapping[str, list[tuple[str, int]]]:
        """The lines that each word stands on."""
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for path in sources(self.top):
            for number, line in enumerate((self.top / path).read_text().splitlines(), 1):
                for word in set(WORD.findall(line)):
                    found[word].append((path, number))
        return found

    @cached_property
    def words_of_tests(self) -> frozenset[str]:
        files = [path for end in "ch" for path in (self.top / "tests").rglob(f"*.{end}")]
        return frozenset(word for path in files for word in WORD.findall(path.read_text()))

    def is_idle(self, mutant: Mutant) -> bool:
        """Whether it is in a macro that nothing uses: src/spec has the fields of a dword whole."""
        if not (match := MACRO.match(mutant.old)):
            return False
        names = set(filter(None, match.groups()))
        uses = {place for name in names for place in self.uses[name]}
        return uses == {(mutant.path, mutant.line)} and not self.words_of_tests & names

    def names(self, mutant: Mutant) -> set[str]:
        """Every test that may notice."""
        if mutant.path.endswith(".py"):
            return self.coverage.by_line.get((mutant.path, statement(self.top, mutant)), set())
        code = self.coverage.code.get(mutant.path, [])
        if mutant.line in code:
            return self.coverage.by_line.get((mutant.path, mutant.line), set())
        lines = (self.top / mutant.path).read_text().splitlines()
        above = bisect_right(code, mutant.line) - 1
        if above >= 0 and not any(line[:1] == "}" for line in lines[code[above] : mutant.line]):
            return self.coverage.by_line.get((mutant.path, code[above]), set())
        found = self.of_words(self.words(lines, mutant.line))
        if mutant.path.startswith("src/spec/"):  # layouts and values are tested as such
            found |= {
                name
                for name in self.coverage.hits
                if name.startswith(("spec", "tests/api/decode/"))
            }
        return found

    def words(self, lines: Sequence[str], line: int) -> set[str]:
        """What a line outside of functions is about: its words, and the table it belongs to."""
        words = set(WORD.findall(lines[line - 1]))
        if field := FIELD.match(lines[line - 1]):
            words = {field[1]}
        for text in reversed(lines[:line]):
            if match := HEADING.match(text):
                words.add(match[1])
            if text[:1] not in ("", " ", "\t"):
                break
        return {word for word in words if len(self.uses[word]) <= COMMON}

    def of_words(self, words: set[str], deep: int = 2) -> set[str]:
        """The tests that reach a line with one of the words, or what is defined by them."""
        found: set[str] = set()
        beyond: set[str] = set()
        for path, line in (place for word in words for place in self.uses[word]):
            if line in self.coverage.code.get(path, ()):
                found |= self.coverage.by_line.get((path, line), set())
            elif match := re.match(r"#define (\w+)", (self.text(path))[line - 1]):
                beyond.add(match[1])
        return found | (
            self.of_words(beyond - words, deep - 1) if deep and beyond - words else set()
        )

    @cache  # noqa: B019 - there is one finder
    def text(self, path: str) -> list[str]:
        return (self.top / path).read_text().splitlines()

    def order(self, mutant: Mutant) -> list[str]:
        """The tests for a mutant, those first that know most of its file in the least time.

        A line that few tests reach says more of them. Unit programs come before API tests.
        """

        def cost(name: str) -> tuple[bool, float]:
            lines = self.coverage.hits[name].get(mutant.path, ())
            known = sum(1 / len(self.coverage.by_line[mutant.path, line]) for line in lines)
            return name.endswith(".py"), (0.1 + self.coverage.took_s[name]) / (0.01 + known)

        found = sorted(self.names(mutant) - set(self.coverage.broken), key=cost)
        return found or [GUEST] * mutant.path.startswith(GUEST_SOURCES)

    def usual_s(self, name: str) -> float:
        """What a test takes without a mutant."""
        return self.coverage.took_s.get(name, GUEST_S)


def statement(top: Path, mutant: Mutant) -> int:
    """The first line of the innermost Python statement that a mutant is in."""
    best = mutant.line
    size = sys.maxsize
    for node in ast.walk(ast.parse((top / mutant.path).read_text())):
        if isinstance(node, ast.stmt) and node.end_lineno:
            length = node.end_lineno - node.lineno
            if node.lineno <= mutant.line <= node.end_lineno and length < size:
                best, size = node.lineno, length
    return best
