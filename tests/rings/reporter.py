"""A pytest plugin that writes what happens to a file, one JSON object a line, as it happens.

``{"nodeid": ...}`` for each test selected; then for each phase of each test
``{"nodeid": ..., "when": ..., "outcome": ..., "longrepr": ..., "duration": ...}``, where the
outcome of a test that was expected to fail is "xfailed"; ``{"collect": ..., "longrepr": ...}`` for
a file that could not be collected.
"""

import json
from typing import Any, TextIO

import pytest


class Reporter:
    """Writes each line at once: the process that reads them may outlive this one."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, **fields: Any) -> None:
        self.file.write(json.dumps(fields) + "\n")
        self.file.flush()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.write(collect=report.nodeid, longrepr=report.longreprtext)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.write(nodeid=item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome, text = str(report.outcome), report.longreprtext
        if report.skipped and isinstance(report.longrepr, tuple):
            text = report.longrepr[2].removeprefix("Skipped: ")
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "failed"
            text = report.wasxfail
        for title, content in report.sections if outcome == "failed" else ():
            text += f"\n--- {title}\n{content}"
        self.write(
            nodeid=report.nodeid,
            when=report.when,
            outcome=outcome,
            longrepr=text,
            duration=report.duration,
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ring-report", metavar="FILE", help="write what happens to FILE as JSON")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--ring-report"):
        file = open(path, "a")  # noqa: SIM115 - until the process ends
        config.pluginmanager.register(Reporter(file), "ring-reporter")
