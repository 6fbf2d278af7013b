"""``pynvme perf``: a quick benchmark of any device, with the options and job files of fio."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from nvme.command_line import INTERRUPTED, TROUBLE, UsageError, complain, guarded
from nvme.perf import options
from nvme.perf.jobs import Run, run_of
from nvme.perf.report import as_json, as_text
from nvme.perf.runner import Outcome, Task, run

PROG = "pynvme perf"


def _check_writable(option: str, path: str | None) -> None:
    """Before the run: a report that cannot be kept is no use."""
    if path is None:
        return
    file = Path(path)
    new = not file.exists()
    try:
        with file.open("a"):
            pass
        if new:
            file.unlink()
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from None


def _write_log(path: str, tasks: Sequence[Task]) -> None:
    """One line a second, one column a job."""
    with Path(path).open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["second", *(f"job{i}" for i in range(len(tasks)))])
        seconds = [task.worker.seconds for task in tasks]
        for second in range(max(map(len, seconds), default=0)):
            out.writerow([second, *(s[second] if second < len(s) else 0 for s in seconds)])


def _deliver(wanted: Run, outcome: Outcome) -> None:
    if wanted.output_format == "normal":
        report = as_text(outcome.tasks)
    else:
        report = json.dumps(as_json(outcome.tasks, wanted.output_format == "json+"), indent=2)
    try:
        if wanted.output:
            Path(wanted.output).write_text(f"{report}\n")
        if wanted.log:
            _write_log(wanted.log, outcome.tasks)
    except OSError as error:
        # What was measured is worth more than where it should have gone.
        outcome.complaints.append(f"{error.filename}: {error.strerror}")
        print(report)
    if not wanted.output:
        print(report)


def _main(argv: Sequence[str]) -> int:
    if {"-h", "--help"} & set(argv):
        options.parser().print_help()
        return 0
    wanted = run_of(argv)
    _check_writable("--output", wanted.output)
    _check_writable("--log", wanted.log)
    for note in wanted.notes:
        complain(PROG, note)
    outcome = run(wanted.jobs)
    if outcome.tasks:
        _deliver(wanted, outcome)
    for complaint in outcome.complaints:
        complain(PROG, complaint)
    if outcome.interrupted:
        complain(PROG, "interrupted")
        return INTERRUPTED
    return TROUBLE if outcome.complaints else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    return guarded(PROG, lambda: _main(sys.argv[1:] if argv is None else argv))
