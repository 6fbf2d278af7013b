"""The fuzz targets: each corpus once, then hostile input for some seconds; FUZZ_SECONDS says more.

With FUZZ_TARGET only that target runs.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rings.builds import BuildFailure
from rings.fuzz_targets import LOADED, Program, Target, clang_lacks, targets
from rings.process import Process
from rings.ring import LOGS, CannotRun, Outcome, Ring, tail

SHORT_S, LONG_S = 10, 300
#: What a process may take beyond its time: it reads its corpus first.
GRACE_S = 180
REPLAY_S = 600
AT_ONCE = 2
POLL_S = 0.05
CORPUS = "::corpus"


@dataclass
class Run:
    """A target at work, or one that could not begin."""

    process: Process | None
    begin_s: float
    fault: str = ""

    def over(self) -> bool:
        return self.process is None or self.process.ended()


class FuzzRing(Ring):
    def __init__(self) -> None:
        self.seconds = 0.0
        self.targets: dict[str, Target] = {}
        self.wanted: list[str] = []
        self.runs: dict[str, Run] = {}

    def names(self, long: bool) -> Sequence[str]:
        self.seconds = float(os.environ.get("FUZZ_SECONDS", LONG_S if long else SHORT_S))
        wanted = os.environ.get("FUZZ_TARGET", "")
        self.targets = {t.name: t for t in targets() if wanted in ("", t.name)}
        if not self.targets:
            raise CannotRun(clang_lacks() or f"there is no target {wanted}")
        programs = [name for name, target in self.targets.items() if isinstance(target, Program)]
        return [name + CORPUS for name in programs] + list(self.targets)

    def start(self, names: Sequence[str]) -> None:
        self.wanted = [name for name in names if not name.endswith(CORPUS)]

    def stop(self) -> None:
        for run in self.runs.values():
            if run.process and not run.process.ended():
                run.process.stop()

    def outcome(self, name: str) -> Outcome:
        if name.endswith(CORPUS):
            return self.replayed(self.targets[name.removesuffix(CORPUS)])
        return self.fuzzed(self.targets[name])

    def replayed(self, target: Target) -> Outcome:
        assert isinstance(target, Program)
        log = LOGS / f"fuzz-{target.name}-corpus.log"
        try:
            target.build()
        except BuildFailure as failure:
            return Outcome("failed", f"does not build\n{failure}")
        begin_s = time.monotonic()
        status = Process(target.replay(), log).wait(REPLAY_S)
        took_s = time.monotonic() - begin_s
        text = log.read_text(errors="replace")
        loaded = LOADED.search(text)
        if status or not loaded:
            said = f"{tail(log, 60)}\nexit status {status}\n{target.again(text)}"
            return Outcome("failed", said, took_s)
        return Outcome("passed", "", took_s, {"inputs": int(loaded[1])})

    def begin(self, name: str) -> None:
        target = self.targets[name]
        try:
            target.build()
        except BuildFailure as failure:
            self.runs[name] = Run(None, 0.0, f"does not build\n{failure}")
            return
        process = Process(target.command(self.seconds), target.log, target.environment())
        self.runs[name] = Run(process, time.monotonic())

    def keep_busy(self, name: str) -> None:
        """This target runs, and the next ones as far as there is room."""
        for other in [name, *self.wanted]:
            if sum(not run.over() for run in self.runs.values()) >= AT_ONCE:
                return
            if other not in self.runs:
                self.begin(other)

    def fuzzed(self, target: Target) -> Outcome:
        self.keep_busy(target.name)
        # Whoever is waited for was begun before the ones behind it, or just now.
        run = self.runs[target.name]
        while not run.over() and time.monotonic() < run.begin_s + self.seconds + GRACE_S:
            self.keep_busy(target.name)
            time.sleep(POLL_S)
        if run.process is None:
            return Outcome("failed", run.fault)
        status = run.process.wait(0)
        took_s = time.monotonic() - run.begin_s
        text = target.log.read_text(errors="replace")
        figures = target.figures(text)
        if not status and figures.get("executions") and not target.faults(text):
            return Outcome("passed", "", took_s, figures)
        said = [*target.faults(text), tail(target.log, 60), f"exit status {status}"]
        return Outcome("failed", "\n".join([*said, target.again(text)]), took_s, figures)


RING = FuzzRing()
