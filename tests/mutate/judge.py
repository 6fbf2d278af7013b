"""What becomes of one mutant."""

import ast
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from mutate.cover import Finder
from mutate.draw import Mutant
from mutate.suite import GRACE_S, SLOWER, Test, all_tests
from mutate.tree import Tree

#: No more API tests are begun for a mutant when they have taken so long.
API_BUDGET_S = 60
#: Test programs that are linked at once: most mutants die in the first of them.
FIRST, MORE = 3, 8
HEADER_FLAGS = "-fsyntax-only -std=gnu11 -D_GNU_SOURCE -DPy_LIMITED_API=0x030b0000 -x c"


@dataclass(frozen=True)
class Verdict:
    """kind: invalid (it does not compile), same (the compiler makes the same code of it), killed,
    survived. by: the test that noticed, with "hangs" if it had to be ended; or why none did.
    """

    mutant: Mutant
    kind: str
    by: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Verdict":
        return cls(Mutant(**entry["mutant"]), entry["kind"], entry["by"])


def compiled(text: str) -> tuple[Any, ...]:
    """What the interpreter makes of a Python program, but for docstrings and line numbers.

    What only a type checker reads does not count. Raises SyntaxError.
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        match node:
            case ast.If() if ast.unparse(node.test) == "TYPE_CHECKING":
                node.body = [ast.Pass()]
            case ast.FunctionDef():
                node.returns = None
            case ast.arg():
                node.annotation = None
    return substance(compile(ast.fix_missing_locations(tree), "", "exec", optimize=2))


def substance(code: CodeType) -> tuple[Any, ...]:
    constants = [
        substance(one) if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts
    ]
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags)
    return code.co_code, code.co_exceptiontable, names, counts, tuple(constants)


class Judge:
    """Judges mutants in one tree, one after another."""

    def __init__(self, tree: Tree, finder: Finder) -> None:
        self.tree, self.finder = tree, finder
        self.tests = {test.name: test for test in all_tests(tree)}
        self.originals: dict[str, bytes] = {}

    def judge(self, mutant: Mutant) -> Verdict:
        if kind := self.trivial(mutant):
            return Verdict(mutant, kind)
        names = [name for name in self.finder.order(mutant) if name in self.tests]
        with self.tree.changed(mutant):
            if not names:
                return self.unreached(mutant)
            for batch in self.batches(names):
                targets = {name for test in batch for name in test.targets(self.tree)}
                if not self.tree.compiles(sorted(targets)):
                    return Verdict(mutant, "invalid")
                for test in batch:
                    if why := self.noticed(test):
                        return Verdict(mutant, "killed", f"{test.name} {why}")
        return Verdict(mutant, "survived", f"{len(names)} tests reach it")

    def noticed(self, test: Test) -> str:
        """How a test fails. On a busy machine one may fail by itself: so it has to fail twice."""
        limit_s = GRACE_S + SLOWER * self.finder.usual_s(test.name)
        why = test.run(self.tree, limit_s).why
        return test.culprit(self.tree).run(self.tree, limit_s).why if why == "failed" else why

    def unreached(self, mutant: Mutant) -> Verdict:
        # What is not C or not compiled into a file of its own has been seen to be valid, or not.
        if mutant.path.endswith(".h") and not self.tree.compiles([self.tree.extension]):
            return Verdict(mutant, "invalid")
        return Verdict(mutant, "survived", "no test reaches it")

    def batches(self, names: Sequence[str]) -> Iterator[list[Test]]:
        """Unit programs first, then the API tests that there is time for; or the guest."""
        units = [self.tests[name] for name in names if self.tests[name].is_unit]
        yield from (units[:FIRST], *(units[i : i + MORE] for i in range(FIRST, len(units), MORE)))
        # Not what is usual: that was measured while lines were counted, and others worked.
        took_s = 0.0
        for name in names:
            if not self.tests[name].is_unit and took_s < API_BUDGET_S:
                begin = time.monotonic()
                yield [self.tests[name]]
                took_s += time.monotonic() - begin

    def trivial(self, mutant: Mutant) -> str:
        """invalid or same if that can be seen without a test."""
        text = (self.tree.folder / mutant.path).read_text()
        changed = mutant.applied(text)
        match Path(mutant.path).suffix:
            case ".py":
                try:
                    return "same" if compiled(changed) == compiled(text) else ""
                except SyntaxError:
                    return "invalid"
            case ".c" if mutant.path in self.tree.compile_commands:
                if mutant.path not in self.originals:
                    self.originals[mutant.path] = self.optimised(mutant.path, text)
                assert self.originals[mutant.path], f"{mutant.path} does not compile by itself"
                code = self.optimised(mutant.path, changed)
                same = code == self.originals[mutant.path]
                return "same" if same else "" if code else "invalid"
            case _:
                if not self.is_header(mutant.path, changed):
                    return "invalid"
                return "same" if self.finder.is_idle(mutant) else ""

    def optimised(self, path: str, text: str) -> bytes:
        """What the compiler makes of a C file if it tries hard; empty if it refuses."""
        output = self.tree.folder / "object"
        words = self.tree.compile_commands[path]
        words = words[: words.index("-o")]
        skipped = {"-O0", "-MD", "-MQ", "-MF", "-g"}
        kept = [word for word in words if word not in skipped and not word.endswith((".o", ".o.d"))]
        # Not -I: there is a time.h of ours.
        beside = f"-iquote{(self.tree.folder / path).parent}"
        place = [beside, "-x", "c", "-", "-o", output]
        done = subprocess.run(
            [*kept, "-O2", "-w", *place, "-c"],
            input=text,
            text=True,
            cwd=self.tree.build,
            capture_output=True,
        )
        return output.read_bytes() if done.returncode == 0 else b""

    def is_header(self, path: str, text: str) -> bool:
        beside = f"-iquote{(self.tree.folder / path).parent}"
        folders = [f"-I{self.tree.folder / 'src'}", f"-I{sysconfig.get_path('include')}", beside]
        command = ["cc", *HEADER_FLAGS.split(), "-w", *folders, "-"]
        done = subprocess.run(
            command, input=text, text=True, cwd=self.tree.folder, capture_output=True
        )
        return done.returncode == 0
