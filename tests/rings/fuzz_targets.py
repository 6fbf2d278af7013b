"""What the fuzz ring runs: programs that libFuzzer drives, and random calls of the extension."""

import os
import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rings.builds import Build
from rings.process import Process
from rings.ring import LOGS, TOP
from rings.ring_api import instrumented, our_leaks

SOURCES = TOP / "tests" / "fuzz"
#: Inputs that broke something; they stay until somebody has mended it.
FINDINGS = TOP / "build" / "findings"
#: What was found to reach something new; it grows from one session to the next.
GROWN = TOP / "build" / "corpus"
OPTIONS = ["-Dfuzz=enabled", "-Db_sanitize=address,undefined", "-Db_lundef=false"]
#: Of one input. A machine that is busy may be slow; an endless loop is longer than that.
INPUT_TIMEOUT_S = 30
WRITTEN = re.compile(r"^.*Test unit written to (\S+)$", re.MULTILINE)
FINAL = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)
DONE = re.compile(r"^#\d+\s+DONE\s+cov: (\d+)", re.MULTILINE)
LOADED = re.compile(r"seed corpus: files: (\d+)")


@cache
def clang_lacks() -> str:
    """Why no program can be built here, or nothing."""
    if not shutil.which("clang"):
        return "needs clang"
    LOGS.mkdir(parents=True, exist_ok=True)
    source, log = LOGS / "fuzz-probe.c", LOGS / "fuzz-probe.log"
    source.write_text("int LLVMFuzzerTestOneInput(const char *d, long n) { return 0; }")
    command = ["clang", "-fsanitize=fuzzer,address", "-o", os.devnull, source]
    return "needs libclang-rt, to link a fuzzer" if Process(command, log).wait(60) else ""


@cache
def configured() -> Build:
    """The build with clang, made or brought up to date."""
    build = Build("fuzz", OPTIONS)
    known = ["--reconfigure"] if (build.folder / "build.ninja").exists() else []
    meson = Path(sys.executable).parent / "meson"
    command = [meson, "setup", *known, build.folder, TOP, "-Dtests=disabled", *OPTIONS]
    build.run("configure", 120, "env", "CC=clang", *command)
    return build


class Target(ABC):
    """Something that takes hostile input for a while."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log = LOGS / f"fuzz-{name}.log"

    @abstractmethod
    def build(self) -> None:
        """Makes it ready. Raises BuildFailure."""

    @abstractmethod
    def command(self, seconds: float) -> Sequence[str | Path]: ...

    def environment(self) -> Mapping[str, str]:
        # Each input makes a drive of its own. Freed memory is watched up to 4 MiB of it: with the
        # 256 that are usual, taking new pages from the kernel would be most of the work.
        return {"ASAN_OPTIONS": "quarantine_size_mb=4"}

    @abstractmethod
    def figures(self, text: str) -> dict[str, Any]:
        """What it says of itself in its log."""

    def faults(self, text: str) -> list[str]:
        """What is wrong although it ended well."""
        return []

    @abstractmethod
    def again(self, text: str) -> str:
        """How to see once more what its log says."""


class Program(Target):
    """A fuzz_NAME.c. Seeds, and inputs that once broke it, are in corpus/NAME."""

    @property
    def corpus(self) -> Path:
        return SOURCES / "corpus" / self.name

    @property
    def path(self) -> Path:
        return TOP / "build" / "fuzz" / "tests" / "fuzz" / f"fuzz_{self.name}"

    def build(self) -> None:
        build = configured()
        ninja = Path(sys.executable).parent / "ninja"
        target = str(self.path.relative_to(build.folder))
        build.run("compile", 900, ninja, "-C", build.folder, "-j2", target)

    # Without -max_len nothing is cut: it is 4096, or the longest input of the corpus.
    def options(self) -> list[str]:
        FINDINGS.mkdir(parents=True, exist_ok=True)
        return [f"-timeout={INPUT_TIMEOUT_S}", f"-artifact_prefix={FINDINGS}/{self.name}-"]

    def command(self, seconds: float) -> Sequence[str | Path]:
        grown = GROWN / self.name
        grown.mkdir(parents=True, exist_ok=True)
        limits = [f"-max_total_time={max(1, round(seconds))}", "-len_control=0"]
        folders = [grown, self.corpus]
        return [self.path, *folders, *limits, "-print_final_stats=1", *self.options()]

    def replay(self) -> Sequence[str | Path]:
        """Every input of the corpus once, and none else."""
        return [self.path, self.corpus, "-runs=0", *self.options()]

    def figures(self, text: str) -> dict[str, Any]:
        final = {name: int(value) for name, value in FINAL.findall(text)}
        if "number_of_executed_units" not in final:
            return {}
        figures: dict[str, Any] = {
            "executions": final["number_of_executed_units"],
            "executions/s": final.get("average_exec_per_sec", 0),
        }
        if done := DONE.search(text):
            figures["edges covered"] = int(done[1])
        return figures

    def again(self, text: str) -> str:
        program = self.path.relative_to(TOP)
        return "\n".join(
            f"run it again: {program} {os.path.relpath(path, TOP)}"
            for path in WRITTEN.findall(text)
        )


class Calls(Target):
    """random_calls.py, on a package that is built under both sanitizers."""

    SCRIPT = SOURCES / "random_calls.py"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.seed = int.from_bytes(os.urandom(4))

    def build(self) -> None:
        self.variables = instrumented()

    def command(self, seconds: float) -> Sequence[str | Path]:
        return [sys.executable, "-X", "faulthandler", self.SCRIPT, str(self.seed), str(seconds)]

    def environment(self) -> Mapping[str, str]:
        return {**self.variables, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}

    def faults(self, text: str) -> list[str]:
        return list(our_leaks(text))

    def figures(self, text: str) -> dict[str, Any]:
        match text.split()[-2:]:
            case [returned, raised] if returned.isdigit() and raised.isdigit():
                return {"executions": int(returned) + int(raised), "that raised": int(raised)}
        return {}

    def again(self, text: str) -> str:
        words = [f"{name}='{value}'" for name, value in self.environment().items()]
        words += [os.path.relpath(word, TOP) for word in (sys.executable, self.SCRIPT)]
        return " ".join(["run it again:", *words, str(self.seed), "60"])


def targets() -> list[Target]:
    """All that can run on this machine."""
    found: list[Target] = [Calls("calls")]
    if not clang_lacks():
        sources = sorted(SOURCES.glob("fuzz_*.c"))
        found += [Program(path.stem.removeprefix("fuzz_")) for path in sources]
    return found
