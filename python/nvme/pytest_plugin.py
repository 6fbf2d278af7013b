"""The pytest plugin: options, fixtures, order between tests, logs of failures.

With --nvme-strict, or nvme_strict in the ini file, the test fails that causes what otherwise is a
warning: an error status without a callback, a timeout, an unexpected event, a failed worker, data
that does not match, an assertion in a callback. What a test expects it says by pytest.warns(), by a
callback, by the fixture "aer", or by the mark filterwarnings.
"""

import contextlib
import os
import sys
import time
from collections.abc import Generator
from typing import Any

import pytest

from nvme import _core, failure, hang, warn
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
HANG_FD = pytest.StashKey[int]()
HELP = "address of the device under test, like 01:00.0; the software SSD if not given"


STRICT_OPTION = "--nvme-strict"
STRICT_INI = "nvme_strict"
STRICT_HELP = (
    "error statuses, timeouts, events, failed workers, wrong data are failures, not warnings"
)
#: As in the ini option filterwarnings. A warning that nobody can be raised at is unraisable.
STRICT_FILTERS = [
    f"error:({warn.STRICT}):UserWarning",
    f"error:(?s).*UserWarning. ({warn.STRICT}):pytest.PytestUnraisableExceptionWarning",
    f"error:(?s).*UserWarning. ({warn.STRICT}):pytest.PytestUnhandledThreadExceptionWarning",
    "default::nvme.warn.ExpectedWarning",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(GROUP)
    group.addoption(STRICT_OPTION, action="store_true", help=STRICT_HELP)
    parser.addini(STRICT_INI, STRICT_HELP, type="bool", default=False)


def _is_strict(config: pytest.Config) -> bool:
    return bool(config.getoption(STRICT_OPTION) or config.getini(STRICT_INI))


def _be_strict(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin("warnings"):
        raise pytest.UsageError(f"{STRICT_OPTION} needs pytest's own plugin 'warnings'")
    # First, so that filters of the script folder, and of -W, win.
    config.getini("filterwarnings")[:0] = STRICT_FILTERS
    _core.strict(True)


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
    ours = [option for option in group.options if OPTION in option.names()]
    for option in ours:
        group.options.remove(option)
        config._parser.optparser._option_string_actions.pop(OPTION)
    if _is_strict(config):
        _be_strict(config)
    if config.getoption("capture") == "no":
        _show_logs(config)
    _report_hangs(config)


def _report_hangs(config: pytest.Config) -> None:
    """Ctrl-\\ on a test that hangs says where, past pytest's capture."""
    try:
        fd = os.dup(sys.__stderr__.fileno() if sys.__stderr__ else -1)
    except (OSError, ValueError):
        return  # there is nobody to say it to
    if hang.report(fd):
        config.stash[HANG_FD] = fd
    else:
        os.close(fd)


def _show_logs(config: pytest.Config) -> None:
    """With -s the lines of log_cli_level are shown, as with pynvme 1.0.

    For itself pytest shows none without log_cli, and the level is without effect.
    """
    level = config.getini("log_cli_level") if config.pluginmanager.has_plugin("logging") else None
    if level and config.getoption("log_cli_level") is None:
        config.option.log_cli_level = level


def pytest_unconfigure(config: pytest.Config) -> None:
    _core.strict(False)
    if HANG_FD in config.stash:
        hang.forget()
        os.close(config.stash[HANG_FD])
        del config.stash[HANG_FD]


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
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """What a test has caused and not looked at is its own failure, if it is one."""
    result = yield
    if _is_strict(item.config):
        for controller in list(opened):
            with contextlib.suppress(NvmeError, SystemError):  # closed, or another process's
                controller._settle()
    return result


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
