"""A ring of pytest tests that another pytest runs, with its outcomes read as they come."""

import json
import os
import sys
import time
from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rings.process import Process
from rings.ring import LOGS, TOP, CannotRun, Outcome, Ring, tail

#: The item that stands for the process: how it ended, and what it said beside its tests.
SESSION = "session"
COLLECT_TIMEOUT_S = 120
TEST_TIMEOUT_S = 300
POLL_S = 0.05
RESTARTS = 5


def pytest_command(report: Path, *arguments: str) -> list[str]:
    """A pytest of the API tests that reports to a file; needs tests/ in PYTHONPATH."""
    options = ["-p", "rings.reporter", f"--ring-report={report}"]
    options += ["-p", "no:cacheprovider", f"--timeout={TEST_TIMEOUT_S}"]
    return [sys.executable, "-m", "pytest", *options, *arguments]


def lines(report: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The whole lines of a report from an offset, and the offset behind them."""
    if not report.exists():
        return [], offset
    with report.open("rb") as file:
        file.seek(offset)
        data = file.read()
    end = data.rfind(b"\n") + 1
    return [json.loads(line) for line in data[:end].splitlines()], offset + end


@cache
def collected(folder: str, long: bool) -> tuple[list[str], str]:
    """The tests of a folder, and what could not be collected. The package of .venv is used."""
    report, log = LOGS / "collect.jsonl", LOGS / "collect.log"
    report.unlink(missing_ok=True)
    arguments = ["--collect-only", "-q", folder] + ["--long"] * long
    environment = {"PYTHONPATH": str(TOP / "tests")}
    status = Process(pytest_command(report, *arguments), log, environment).wait(COLLECT_TIMEOUT_S)
    found = lines(report)[0]
    names = [line["nodeid"] for line in found if "nodeid" in line]
    fault = "\n".join(line["longrepr"] for line in found if "collect" in line)
    return names, fault or (tail(log) if status not in (0, 5) else "")


class ScriptRing(Ring):
    """The API tests, run by one child process; started anew behind a test that ended it."""

    folder = "tests/api"
    timeout_s = 900.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        self.report = LOGS / f"{name}.jsonl"
        self.wanted: list[str] = []
        self.phases: dict[str, list[dict[str, Any]]] = {}
        self.faults: list[str] = []
        self.offset = 0
        self.process: Process | None = None
        self.deadline = 0.0
        self.starts = 0
        self.long = False

    @abstractmethod
    def launch(self, names: Sequence[str]) -> Process:
        """Starts a pytest that runs these tests and reports to self.report."""

    def prepare(self) -> None:
        """What must be there before anything is collected. Raises CannotRun."""

    def session_faults(self) -> str:
        """What was found beside the tests once the process has ended; '' if nothing."""
        return ""

    def names(self, long: bool) -> list[str]:
        self.prepare()
        self.long = long
        names, fault = collected(self.folder, long)
        if fault:
            self.faults.append(fault)
        if not names and not fault:
            raise CannotRun(f"there are no tests in {self.folder}")
        return [*names, SESSION]

    def start(self, names: Sequence[str]) -> None:
        self.wanted = [name for name in names if name != SESSION]
        if self.early:
            self.begin()

    def stop(self) -> None:
        if self.process and not self.process.ended():
            self.process.stop()

    def begin(self) -> None:
        """Starts the process, once; with nothing to run there is none."""
        if self.starts or not self.wanted:
            return
        LOGS.mkdir(parents=True, exist_ok=True)
        for file in (self.log, self.report):
            file.unlink(missing_ok=True)
        self.deadline = time.monotonic() + self.timeout_s
        self.launch_once(self.wanted)

    def launch_once(self, names: Sequence[str]) -> None:
        self.starts += 1
        self.process = self.launch(names)

    def read(self) -> None:
        found, self.offset = lines(self.report, self.offset)
        for line in found:
            if "when" in line:
                self.phases.setdefault(line["nodeid"], []).append(line)
            elif "collect" in line:
                self.faults.append(line["longrepr"])

    def done(self, name: str) -> bool:
        return any(phase["when"] == "teardown" for phase in self.phases.get(name, ()))

    def pending(self) -> list[str]:
        return [name for name in self.wanted if not self.done(name)]

    def follow(self, name: str) -> None:
        """Reads on until the test is done, or nothing will come any more."""
        while True:
            over = self.process is None or self.process.ended()
            self.read()
            if self.done(name):
                return
            if over and not self.resumed():
                return
            if time.monotonic() > self.deadline:
                self.faults.append(f"ended after {self.timeout_s:.0f} s\n{tail(self.log)}")
                self.stop()
                self.read()
                self.starts = RESTARTS
                return
            time.sleep(POLL_S)

    def resumed(self) -> bool:
        """Whether a process that died in a test could be started anew for the tests behind it."""
        rest = self.pending()
        if not rest or self.process is None or self.starts >= RESTARTS or not self.phases:
            return False
        victim = next((name for name in rest if name in self.phases), None)
        if victim is None:
            return False
        self.phases[victim].append(self.death(victim))
        rest.remove(victim)
        if rest:
            self.launch_once(rest)
        return bool(rest)

    def death(self, name: str) -> dict[str, Any]:
        assert self.process
        status = self.process.wait(0)
        text = f"the process ended in this test, with status {status}\n{tail(self.log)}"
        return {
            "nodeid": name,
            "when": "teardown",
            "outcome": "failed",
            "longrepr": text,
            "duration": 0,
        }

    def outcome(self, name: str) -> Outcome:
        try:
            self.begin()
        except Exception as fault:  # a build that fails is the outcome of every test
            self.starts = RESTARTS
            self.faults.append(str(fault))
        if name == SESSION:
            return self.session()
        self.follow(name)
        phases = self.phases.get(name, [])
        if not self.done(name):
            why = self.faults[-1] if self.faults else tail(self.log)
            return Outcome("failed", f"did not run, or not to its end\n{why}")
        duration_s = sum(phase["duration"] for phase in phases)
        for kind in ("failed", "skipped", "xfailed"):
            texts = [phase["longrepr"] for phase in phases if phase["outcome"] == kind]
            if texts:
                return Outcome(kind, "\n".join(texts), duration_s)
        return Outcome("passed", "", duration_s)

    def session(self) -> Outcome:
        for name in self.pending():
            self.follow(name)
        if self.process:
            status = self.process.wait(max(1.0, self.deadline - time.monotonic()))
            if status not in (os.EX_OK, 1):
                self.faults.append(f"exit status {status}\n{tail(self.log)}")
        self.faults += filter(None, [self.session_faults()])
        return Outcome("failed", "\n".join(self.faults)) if self.faults else Outcome("passed")
