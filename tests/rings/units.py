"""A ring of C test programs: one item for each cmocka test, and one for the program as a whole."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rings.builds import Build, BuildFailure
from rings.process import Process
from rings.ring import LOGS, CannotRun, Outcome, Ring, tail

#: Exit status of a test program that cannot run here, as Meson has it.
SKIPPED = 77
#: Meson's time limits are for programs without sanitizers on a machine with nothing else to do.
SLOWER = 4
#: A file may give cmocka's macros a shorter name: #define T(test) cmocka_unit_test_setup(test, ...)
SHORTHAND = re.compile(r"^#define (\w+)\((\w+)\)\s+cmocka_unit_test\w*\(\2\b.*$", re.MULTILINE)
FIGURE = re.compile(r"^# figure ([^:\n]+): (.+)$", re.MULTILINE)
TAP_LINE = re.compile(r"^(not ok|ok) \d+ (?:- |# SKIP )(\w+)", re.MULTILINE)
ENVIRONMENT = {
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
    "ASAN_OPTIONS": "detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def cases(text: str) -> list[str]:
    """The cmocka tests that a source declares."""
    words = ["cmocka_unit_test\\w*", *(match[1] for match in SHORTHAND.finditer(text))]
    declared = re.compile(rf"\b(?:{'|'.join(words)})\(\s*(\w+)")
    return list(dict.fromkeys(declared.findall(SHORTHAND.sub("", text))))


def c_sources(target: Mapping[str, Any]) -> list[Path]:
    """The C files of a target, as Meson describes it."""
    names = [name for group in target["target_sources"] for name in group.get("sources", [])]
    return [Path(name) for name in names if name.endswith(".c")]


def tap_outcomes(text: str) -> dict[str, str]:
    """What a program said of each of its tests."""
    outcomes: dict[str, str] = {}
    for match in TAP_LINE.finditer(text):
        word, name = match.groups()
        # Versions of cmocka differ in what they put before "# SKIP".
        kind = "skipped" if "# SKIP" in match[0] else "passed" if word == "ok" else "failed"
        outcomes[name] = kind
    return outcomes


def figures(text: str) -> dict[str, str]:
    """What a program measured, by name."""
    return dict(FIGURE.findall(text))


@dataclass
class Program:
    """One test() of a meson.build."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    timeout_s: float
    targets: Sequence[str]
    sources: Sequence[Path]
    result: Outcome | None = None
    outcomes: dict[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        declared = [case for source in self.sources for case in cases(source.read_text())]
        return [self.name, *(f"{self.name}::{case}" for case in declared)]

    def run(self, wrapper: Sequence[str], log: Path) -> None:
        begin = time.monotonic()
        command = [*wrapper, *self.command]
        environment = {**ENVIRONMENT, **self.environment}
        status = Process(command, log, environment, folder=self.folder).wait(self.timeout_s)
        took_s = time.monotonic() - begin
        text = log.read_text(errors="replace")
        self.outcomes = tap_outcomes(text)
        if status == SKIPPED:
            self.result = Outcome("skipped", tail(log, 1), took_s)
        elif status == 0:
            self.result = Outcome("passed", "", took_s)
        else:
            self.result = Outcome("failed", f"{tail(log)}\nexit status {status}", took_s)
        self.result.figures = figures(text)

    def outcome(self, case: str, log: Path) -> Outcome:
        assert self.result
        if not case:
            return self.result
        kind = self.outcomes.get(case)
        if kind is None:
            if self.result.kind == "skipped":
                return self.result
            return Outcome("failed", f"{tail(log)}\n{case} did not run")
        return Outcome(kind, tail(log) if kind == "failed" else "skipped by the test")


class UnitRing(Ring):
    """The programs of one build whose suites say that they belong to it."""

    def __init__(self, build: Build, wrapper: Sequence[str] = ()) -> None:
        self.build = build
        self.wrapper = wrapper
        self.wanted: list[Program] = []

    def belongs(self, suites: set[str]) -> bool:
        """Whether tests of these suites are run by this ring."""
        return "plain" not in suites

    @cached_property
    def programs(self) -> dict[str, Program]:
        targets = {target["id"]: target for target in self.build.introspect("targets")}
        programs = {}
        for test in self.build.introspect("tests"):
            needed = [targets[name] for name in test["depends"]]
            if self.belongs({suite.rpartition(":")[2] for suite in test["suite"]}):
                programs[test["name"]] = Program(
                    name=test["name"],
                    command=test["cmd"],
                    folder=Path(test["workdir"] or self.build.folder),
                    environment=test["env"],
                    timeout_s=test["timeout"] * SLOWER,
                    targets=[name for target in needed for name in target["filename"]],
                    # Of a script, the programs that it starts: not cmocka's, as a rule.
                    sources=[path for target in needed for path in c_sources(target)],
                )
        return programs

    def names(self, long: bool) -> list[str]:
        names = [name for program in self.programs.values() for name in program.names()]
        if not names:
            raise CannotRun(f"no test program belongs to the build {self.build.name}")
        return names

    def start(self, names: Sequence[str]) -> None:
        wanted = {name.partition("::")[0] for name in names}
        self.wanted = [program for name, program in self.programs.items() if name in wanted]

    @cached_property
    def compiled(self) -> bool:
        """Builds all that was asked for at once; False if some of it does not build."""
        try:
            self.build.compile(*(name for program in self.wanted for name in program.targets))
        except BuildFailure:
            return False
        return True

    def outcome(self, name: str) -> Outcome:
        program_name, _, case = name.partition("::")
        program = self.programs[program_name]
        log = LOGS / self.build.name / f"{program_name.replace('/', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if program.result is None:
            try:
                if not self.compiled:
                    self.build.compile(*program.targets)
            except BuildFailure as failure:
                program.result = Outcome("failed", f"does not build\n{failure}")
                return program.result
            program.run(self.wrapper, log)
        return program.outcome(case, log)
