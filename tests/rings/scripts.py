"""A ring of pytest tests that another pytest runs, with its outcomes read as they come."""

import json
import sys
import time
from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun, Outcome, Ring, tail

#: The item that stands for the process: how it ended, and what it said beside its tests.
SESSION = "session"
#: Exit statuses of a pytest that did its work: all passed, some failed, none there.
WORKED = (0, 1, 5)
COLLECT_TIMEOUT_S = 120
TEST_TIMEOUT_S = 300
#: A test whose call fails or takes too long may hang in its teardown, which has no limit there.
STALL_S = TEST_TIMEOUT_S + 60
#: Long forms take hours.
LONG_TIMEOUT_S = 24 * 3600
POLL_S = 0.05
STARTS = 6

Phase = dict[str, Any]


def pytest_command(report: Path, *arguments: str) -> list[str]:
    """A pytest that reports to a file; needs tests/ in PYTHONPATH."""
    options = ["-p", "vm.report", f"--outcomes={report}", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", *options, *arguments]


def lines(report: Path, offset: int = 0) -> tuple[list[Phase], int]:
    """The whole lines of a report from an offset, and the offset behind them."""
    if not report.exists():
        return [], offset
    with report.open("rb") as file:
        file.seek(offset)
        data = file.read()
    end = data.rfind(b"\n") + 1
    return [json.loads(line) for line in data[:end].splitlines()], offset + end


@cache
def collected(folder: str, long: bool, on_a_drive: bool) -> tuple[list[str], str]:
    """The tests of a folder, or those that touch a drive, and what could not be collected.

    The package of .venv is used, and no drive.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    report, log = LOGS / "collect.jsonl", LOGS / "collect.log"
    report.unlink(missing_ok=True)
    arguments = ["--collect-only", "-q", folder, *["--long"] * long]
    arguments += ["--pciaddr=00:00.0"] * on_a_drive
    environment = {"PYTHONPATH": str(TOP / "tests")}
    status = Process(pytest_command(report, *arguments), log, environment).wait(COLLECT_TIMEOUT_S)
    found = lines(report)[0]
    names = [line["nodeid"] for line in found if line["when"] == "selected"]
    fault = "\n".join(line["longrepr"] for line in found if line["outcome"] == "failed")
    return names, fault or ("" if status in WORKED else tail(log))


class ScriptRing(Ring):
    """The API tests, run by one child process; started anew behind a test that ended it."""

    folder = "tests/api"
    #: Only tests that touch the drive run on another than the software SSD.
    on_a_drive = False
    #: A test that hangs is ended long before.
    timeout_s = 3600.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        self.all: list[str] = []
        self.wanted: list[str] = []
        self.options: list[str] = []
        self.phases: dict[str, list[Phase]] = {}
        self.faults: list[str] = []
        self.again: dict[str, str] = {}
        self.process: Process | None = None
        self.report = LOGS / f"{name}.jsonl"
        self.offset = 0
        self.deadline = 0.0
        self.stall_s = float(STALL_S)
        self.heard = 0.0
        self.starts = 0
        #: Of an early ring one thread does the work while another asks.
        self.turn = RLock()

    @abstractmethod
    def launch(self, report: Path, arguments: Sequence[str]) -> Process:
        """Starts a pytest with these arguments that reports to the file."""

    def prepare(self) -> None:
        """What must be there before anything is collected. Raises CannotRun."""

    def crash(self) -> str:
        """Why the process ended, where that is no fault of the test that ran; '' if it is one."""
        return ""

    def session_faults(self) -> str:
        """What was found beside the tests once the process has ended; '' if nothing."""
        return ""

    def is_excused(self) -> bool:
        """Whether a bad exit status says nothing, for the process had done all its work."""
        return False

    def names(self, long: bool) -> list[str]:
        self.prepare()
        self.all, fault = collected(self.folder, long, self.on_a_drive)
        if long:
            self.timeout_s = self.stall_s = LONG_TIMEOUT_S
            self.options = ["--long", f"--timeout={LONG_TIMEOUT_S}"]
        else:
            self.options = [f"--timeout={TEST_TIMEOUT_S}"]
        if fault:
            self.faults.append(fault)
        elif not self.all:
            raise CannotRun(f"there are no tests in {self.folder}")
        return [*self.all, SESSION]

    def start(self, names: Sequence[str]) -> None:
        self.wanted = [name for name in names if name != SESSION]

    def work(self) -> None:
        self.begin()
        for name in self.wanted:
            self.follow(name)
        # A process ends with the thread that started it.
        while self.process and not self.process.ended() and time.monotonic() < self.deadline:
            time.sleep(POLL_S)

    def stop(self) -> None:
        self.starts = STARTS
        if self.process and not self.process.ended():
            self.process.stop()

    def begin(self) -> None:
        """Starts the process, the first time that anybody asks."""
        with self.turn:
            if self.starts or not self.wanted:
                return
            for file in (self.log, *LOGS.glob(f"{self.name}-*.jsonl")):
                file.unlink(missing_ok=True)
            self.deadline = time.monotonic() + self.timeout_s
            self.run(self.wanted)

    def run(self, names: Sequence[str]) -> None:
        self.starts += 1
        self.report, self.offset = LOGS / f"{self.name}-{self.starts}.jsonl", 0
        # Files without a test that is wanted would be read all the same: a guest is slow.
        files = dict.fromkeys(name.partition("::")[0] for name in names)
        where = list(files) if list(names) == self.all else names
        try:
            self.process = self.launch(self.report, [*self.options, *where])
        except Exception as fault:
            # A build that fails, say: no test can run, and the session's item says why.
            self.faults.append(str(fault))
            self.starts = STARTS
        self.heard = time.monotonic()

    def read(self) -> None:
        found, self.offset = lines(self.report, self.offset)
        if found:
            self.heard = time.monotonic()
        for line in found:
            if line["when"] == "collect":
                self.faults += [line["longrepr"]] * (line["outcome"] == "failed")
            elif line["when"] != "selected":
                self.phases.setdefault(line["nodeid"], []).append(line)

    def done(self, name: str) -> bool:
        return any(phase["when"] == "teardown" for phase in self.phases.get(name, ()))

    def follow(self, name: str) -> None:
        """Reads on until the test is done, or nothing will come any more."""
        while True:
            with self.turn:
                over = self.process is None or self.process.ended()
                self.read()
                if self.done(name) or (over and not self.resumed()):
                    return
                if time.monotonic() > self.deadline:
                    self.faults.append(f"ended after {self.timeout_s:.0f} s\n{tail(self.log)}")
                    self.stop()
                elif self.stalled() and self.process:
                    self.process.stop()
            time.sleep(POLL_S)

    def victim(self) -> str | None:
        """The test that began and has not ended."""
        begun = (name for name in self.wanted if name in self.phases)
        return next((name for name in begun if not self.done(name)), None)

    def stalled(self) -> bool:
        """Whether a test has hung for so long that the ones behind it would not be reached."""
        return time.monotonic() - self.heard > self.stall_s and self.victim() is not None

    def resumed(self) -> bool:
        """Whether a process that died in a test was started anew for the tests behind it."""
        rest = [name for name in self.wanted if not self.done(name)]
        victim = self.victim()
        if victim is None or self.process is None or self.starts >= STARTS:
            return False
        crash = self.crash()
        if crash and victim not in self.again:
            self.again[victim] = crash
            del self.phases[victim]
            self.run(rest)
            return True
        how = "hung and was ended" if self.stalled() else "ended"
        text = f"the process {how} in this test\n{tail(self.log)}"
        death = {"when": "teardown", "outcome": "failed", "longrepr": text, "duration": 0.0}
        self.phases[victim].append(death)
        rest.remove(victim)
        if rest:
            self.run(rest)
        return True

    def outcome(self, name: str) -> Outcome:
        self.begin()
        if name == SESSION:
            return self.session()
        self.follow(name)
        if not self.done(name):
            return Outcome("failed", f"did not run to its end; {SESSION!r} of this ring says why")
        phases = self.phases[name]
        outcome = self.judged(phases)
        outcome.duration_s = sum(phase["duration"] for phase in phases)
        for phase in phases:
            outcome.figures |= phase.get("figures", {})
        if name in self.again:
            outcome.figures["run again"] = self.again[name]
        return outcome

    @staticmethod
    def judged(phases: Sequence[Phase]) -> Outcome:
        """Its kind and text, which the first phase that did not pass has decided."""
        for phase in phases:
            text = phase["longrepr"].removeprefix("Skipped: ")
            if phase["outcome"] == "skipped" and "wasxfail" in phase:
                return Outcome("xfailed", phase["wasxfail"])
            if phase["outcome"] in ("failed", "skipped"):
                return Outcome(phase["outcome"], text)
        return Outcome("passed")

    def session(self) -> Outcome:
        for name in self.wanted:
            self.follow(name)
        if self.process:
            status = self.process.wait(max(1.0, self.deadline - time.monotonic()))
            if status not in WORKED and not self.is_excused():
                self.faults.append(f"exit status {status}\n{tail(self.log)}")
            if fault := self.session_faults():
                self.faults.append(fault)
        return Outcome("failed", "\n".join(self.faults)) if self.faults else Outcome("passed")
