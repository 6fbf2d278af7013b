"""The API tests on the software SSD, with the package built under both sanitizers."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from rings.builds import ASAN
from rings.process import Process
from rings.ring import LOGS, TOP
from rings.scripts import ScriptRing, pytest_command

#: Frames of the allocator and of the sanitizer itself stand above the caller that matters.
RUNTIME = re.compile(r"libasan|libubsan|sanitizer_common|/libsanitizer/|\bin __interceptor_")
#: Its tracer dies at times when a thread ends under it: then nothing was looked for.
BLIND = "LeakSanitizer has encountered a fatal error"
UNDEFINED = re.compile(r"^.*: runtime error: .*$", re.MULTILINE)
OURS = re.compile(r"_core\.|/src/(base|spec|bus|verify|nvme|ssd|target|ioworker|pyext)/")


def runtime_library(name: str) -> str:
    """The path of a sanitizer's library, as the compiler links it."""
    command = ["cc", f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def our_leaks(report: str) -> Iterator[str]:
    """The leaks that our code allocated; the interpreter leaves much of its own behind."""
    for block in re.split(r"\n\s*\n", report):
        if not re.match(r"(Direct|Indirect) leak of", block.lstrip()):
            continue
        frames = [line for line in block.splitlines() if line.lstrip().startswith("#")]
        callers = [frame for frame in frames if not RUNTIME.search(frame)]
        if callers and OURS.search(callers[0]):
            yield block


def findings(report: str) -> list[str]:
    """What is wrong in one report of a sanitizer."""
    if BLIND in report and "ERROR:" not in report:
        return []
    if "ERROR: LeakSanitizer" in report:
        return list(our_leaks(report))
    return [report] if report.strip() else []


def sanitizer_options(where: str = "") -> dict[str, str]:
    """The environment that both sanitizers read.

    where: an option of both, with a colon behind it
    """
    return {
        # An exit status of 0 for leaks, most of which are the interpreter's, is one for all that
        # is found: without a signal the parent of a child that crashed would see it end well.
        "ASAN_OPTIONS": f"{where}detect_stack_use_after_return=1:print_legend=0:abort_on_error=1",
        "LSAN_OPTIONS": "exitcode=0",
        # The last one to be read decides for both, yet undefined behaviour goes to standard
        # error all the same: without capture that is the log.
        "UBSAN_OPTIONS": f"{where}print_stacktrace=1",
    }


def instrumented(where: str = "") -> dict[str, str]:
    """Builds and installs the package under both sanitizers; the environment that it wants."""
    return {
        "PYTHONPATH": f"{ASAN.installed}:{TOP / 'tests'}",
        "LD_PRELOAD": runtime_library("libasan.so"),
        # The interpreter's own pools would hide our pointers from the leak check.
        "PYTHONMALLOC": "malloc",
        **sanitizer_options(where),
    }


class ApiRing(ScriptRing):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reports = LOGS / f"{name}-sanitizers"

    def begin(self) -> None:
        with self.turn:
            if not self.starts:
                shutil.rmtree(self.reports, ignore_errors=True)
                self.reports.mkdir(parents=True)
            super().begin()

    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        environment = instrumented(f"log_path={self.reports}/report:")
        options = ["--capture=sys", "-p", "no:faulthandler"]
        command = pytest_command(report, *options, *arguments)
        return Process(command, self.log, environment, append=True)

    def said(self) -> list[str]:
        """The reports of the sanitizers."""
        return [path.read_text(errors="replace") for path in sorted(self.reports.glob("report*"))]

    def is_excused(self) -> bool:
        """A leak check that fails by itself aborts the process, after its last test."""
        blind = any(BLIND in report for report in self.said())
        return blind and all(self.done(name) for name in self.wanted)

    def session_faults(self) -> str:
        found = [finding for report in self.said() for finding in findings(report)]
        if undefined := UNDEFINED.findall(self.log.read_text(errors="replace")):
            found += [*undefined, f"(with stacks in {self.log})"]
        return "\n".join(found)


class EarlyApiRing(ApiRing):
    # The longest one.
    early = True


RING = EarlyApiRing("api")
