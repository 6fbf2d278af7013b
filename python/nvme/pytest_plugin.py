"""The pytest plugin: the option --pciaddr, fixtures, order between tests, logs of failures."""

import time
from collections.abc import Generator
from typing import Any

import pytest

from nvme import failure
from nvme._core import NvmeError
from nvme.controller import DEFAULT_ADDRESS, opened
from nvme.fixtures import (
    aer,
    buf,
    device_address,
    nvme0,
    nvme0n1,
    pciaddr,
    pcie,
    qpair,
    subsystem,
    verify,
)

__all__ = ["aer", "buf", "nvme0", "nvme0n1", "pciaddr", "pcie", "qpair", "subsystem", "verify"]

GROUP = "nvme"
OPTION = "--pciaddr"
HELP = "address of the device under test, like 01:00.0; the software SSD if not given"


def _has_option(parser: pytest.Parser) -> bool:
    groups = [parser._anonymous, *parser._groups]
    return any(OPTION in option.names() for group in groups for option in group.options)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, Any, Any]:
    """Adds the option only when no conftest has brought its own."""
    result = yield
    if not _has_option(parser):
        parser.getgroup(GROUP).addoption(OPTION, default="", help=HELP)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """The option is parsed: a conftest that is found later may still add its own."""
    group = config._parser.getgroup(GROUP)
    if group.options:
        group.options.clear()
        config._parser.optparser._option_string_actions.pop(OPTION)


def pytest_report_header(config: pytest.Config) -> str:
    address = device_address(config)
    if address.split(":")[0] == DEFAULT_ADDRESS:
        return (
            f"nvme: the device under test is the software SSD ({address}); {OPTION}= names another"
        )
    return f"nvme: the device under test is {address}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid: str, location: Any) -> None:
    failure.begin(time.monotonic_ns())


def pytest_runtest_logfinish(nodeid: str, location: Any) -> None:
    """What a test left on an admin queue is nobody else's business."""
    for controller in list(opened):
        try:
            controller._forget()
        except (NvmeError, SystemError):
            continue  # closed or gone, so there is nothing left


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        text = failure.commands()
        if text:
            report.sections.append(("nvme commands of this test, newest first", text))
    return report
