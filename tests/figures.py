"""What tests measured, as one table at the end of a session.

A test says it by ``record_property(name, value)``: a number, or text with its unit. Figures of a
test that another process ran come here with its outcome; a C program prints "# figure NAME: VALUE".
"""

from collections.abc import Iterator
from typing import Any

import pytest

Row = tuple[str, str, str]


def text_of(value: Any) -> str:
    match value:
        case bool():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
    return str(value)


def rows(reports: list[Any]) -> Iterator[Row]:
    """Test, figure and value; the test is named once."""
    for report in reports:
        test = report.nodeid.removeprefix("tests/")
        for name, value in report.user_properties:
            yield test, str(name), text_of(value)
            test = ""


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [
        report
        for group in terminalreporter.stats.values()
        for report in group
        if getattr(report, "when", "") == "call" and report.user_properties
    ]
    table = list(rows(sorted(reports, key=lambda report: report.nodeid)))
    if not table:
        return
    first, second, third = (max(len(row[column]) for row in table) for column in range(3))
    terminalreporter.section("figures")
    for test, name, value in table:
        terminalreporter.write_line(f"{test:{first}}  {name:{second}}  {value:>{third}}")
