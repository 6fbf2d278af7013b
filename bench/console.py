"""What it costs sixteen workers that a console watches them."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import Drive, Run, workers
from table import Figure, Section, ratios

JOBS = 16
INTERVAL_MS = 1000
#: The console looks once a second: a run has several looks in it.
LEAST_SECONDS = 3.0


class Console:
    """``pynvme console``, whose answers somebody reads and drops."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", "from nvme.cli import main; main()", "console", "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        with self._process.stdout as answers:
            self._reader = subprocess.Popen(["cat"], stdin=answers, stdout=subprocess.DEVNULL)
        self._subscription = 0

    def _send(self, method: str, **params: Any) -> None:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        self._subscription += 1
        self._send("subscribe", interval_ms=INTERVAL_MS)
        yield
        self._send("unsubscribe", subscription=self._subscription)

    def cpu_s(self) -> float:
        """CPU time that it has had so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._reader.wait()


def measure(address: str, repetitions: int, seconds: float) -> Section:
    section = Section(
        f"(h) {JOBS} workers at QD 32 while a console watches them, every {INTERVAL_MS} ms"
    )
    seconds = max(seconds, LEAST_SECONDS)
    drive, console = Drive(address), Console()
    alone: list[Run] = []
    watched: list[Run] = []
    shares = []
    cpus = len(os.sched_getaffinity(0))
    with console.watching():
        workers(drive, 1, 32, jobs=JOBS)  # by its end the console has been loaded
    for turn in range(repetitions):
        # Which of the two is first changes, so that a machine that slows down favours neither.
        for is_watched in (turn % 2 == 0, turn % 2 == 1):
            before = console.cpu_s()
            with console.watching() if is_watched else contextlib.nullcontext():
                run = workers(drive, seconds, 32, jobs=JOBS)
            (watched if is_watched else alone).append(run)
            if is_watched:
                shares.append(100 * (console.cpu_s() - before) / seconds / cpus)
    console.close()
    drive.close()
    section.figures = [
        Figure("alone", "M IOPS", [run.iops / 1e6 for run in alone]),
        Figure("watched", "M IOPS", [run.iops / 1e6 for run in watched]),
        Figure(
            "watched / alone",
            "times",
            ratios([run.iops for run in watched], [run.iops for run in alone]),
            at_least=0.98,
        ),
        # What the ratio is on a machine that does nothing else.
        Figure("the console's share of all CPUs", "%", shares, at_most=2),
    ]
    return section
