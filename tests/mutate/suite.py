"""The tests that judge mutants: unit programs in C, files of API tests, and one in a guest."""

import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mutate.tree import Program, Tree
from rings.process import Process

#: A test may take this many times what it took without a mutant, and so much more: a machine may
#: be busy, and a wait that times out is a result, too.
SLOWER, GRACE_S = 4, 30
API = ("tests/api", "tests/wire")
#: A function of tests, as pytest's summary names it when it failed.
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+\.py::\w+)", re.MULTILINE)
LOG = "test.log"
#: VFIO and UIO are at work in a guest only, where nothing is counted.
GUEST, GUEST_S, GUEST_SOURCES = "tests/vm/test_guest_bus.py", 120.0, "src/bus/"


@dataclass(frozen=True)
class Run:
    """How a test ended. why: empty, "failed" or "hangs"."""

    why: str
    took_s: float


@dataclass(frozen=True)
class Test:
    """One process that passes or fails.

    program: None for a file of Python tests, whose name is then its path
    """

    name: str
    program: Program | None

    @property
    def is_unit(self) -> bool:
        return self.program is not None

    @property
    def is_api(self) -> bool:
        return self.name.startswith(API)

    def culprit(self, tree: Tree) -> "Test":
        """What failed of a file of Python tests that has just run, as a test of its own."""
        found = FAILED.search((tree.folder / LOG).read_text(errors="replace"))
        return Test(found[1], None) if found and not self.program else self

    def targets(self, tree: Tree) -> list[str]:
        """What must be built before it runs."""
        return [tree.extension] if self.program is None else list(self.program.targets)

    def stamp(self, tree: Tree) -> str:
        """Another one when its own sources are others."""
        names = self.program.sources if self.program else (self.name,)
        return sha256(b"".join((tree.folder / name).read_bytes() for name in names)).hexdigest()

    def run(
        self,
        tree: Tree,
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
        first_failure_only: bool = True,
    ) -> Run:
        log = tree.folder / LOG
        begin = time.monotonic()
        status = self.start(tree, log, environment or {}, first_failure_only).wait(timeout_s)
        took_s = time.monotonic() - begin
        if took_s >= timeout_s:
            return Run("hangs", took_s)
        return Run("" if status in (0, 77) else "failed", took_s)

    def start(
        self, tree: Tree, log: Path, environment: Mapping[str, str], first_failure_only: bool
    ) -> Process:
        if self.program:
            place = Path(self.program.folder)
            return Process(self.program.command, log, environment, folder=place)
        paths = [*environment.get("PYTHONPATH", "").split(os.pathsep), tree.site, "tests"]
        paths = paths if self.is_api else ["tests"]
        variables = {
            **environment,
            "PYTHONPATH": os.pathsep.join(str(path) for path in paths if str(path)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        options = ["-q", "-p", "no:cacheprovider", *["-x"] * first_failure_only]
        options += [] if self.is_api else ["-p", "no:nvme"]
        command = [sys.executable, "-m", "pytest", *options, self.name]
        return Process(command, log, variables, folder=tree.folder)


def countable_tests(tree: Tree) -> list[Test]:
    units = [Test(name, program) for name, program in sorted(tree.programs.items())]
    files = sorted(path for name in API for path in (tree.folder / name).rglob("test_*.py"))
    return units + [Test(str(path.relative_to(tree.folder)), None) for path in files]


def all_tests(tree: Tree) -> list[Test]:
    return [*countable_tests(tree), Test(GUEST, None)]
