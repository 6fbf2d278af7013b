"""Pytest plugin: writes the outcome of every test as it comes, a JSON object a line.

    python -m pytest -p vm.report --outcomes=FILE ...

Each phase of a test has a line with ``nodeid``, ``when`` (setup, call, teardown), ``outcome``
(passed, failed, skipped), ``longrepr`` (text, empty if all is well), ``duration`` (seconds),
``wasxfail`` (text) where a failure was expected, and ``figures`` (an object) where the test has
recorded properties. Before them stands a line with ``when`` "start":
a test that has no "teardown" after it was running when its process died. Before all of them, every
test that was selected has a line with ``when`` "selected", and a module that cannot be collected
one with ``when`` "collect".
"""

from __future__ import annotations

import json
import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", metavar="FILE", help="append the outcome of every test to FILE")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--outcomes"):
        config.pluginmanager.register(OutcomeWriter(path))


def text_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why it did not pass, with the output that was captured; only the reason for a skip."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    if not report.failed:
        return report.longreprtext
    captured = [f"--- {title}\n{content}" for title, content in report.sections]
    return "\n".join([report.longreprtext, *captured])


class OutcomeWriter:
    def __init__(self, path: str) -> None:
        # each line is one write: nothing is lost with the process
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, **fields: object) -> None:
        os.write(self.file, json.dumps(fields, default=str).encode() + b"\n")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.write(nodeid=item.nodeid, when="selected", outcome="", longrepr="", duration=0.0)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.write(nodeid=nodeid, when="start", outcome="", longrepr="", duration=0.0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        more = {"wasxfail": report.wasxfail} if hasattr(report, "wasxfail") else {}
        if report.user_properties:
            more["figures"] = dict(report.user_properties)
        self.write(
            nodeid=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            longrepr=text_of(report),
            duration=report.duration,
            **more,
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self.write(
                nodeid=report.nodeid,
                when="collect",
                outcome=report.outcome,
                longrepr=text_of(report),
                duration=0.0,
            )

    def pytest_unconfigure(self) -> None:
        os.close(self.file)
