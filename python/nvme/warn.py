"""Texts of the warnings that scripts match, and whose line they name."""

import os
import sys
import warnings

from nvme import _core

__tracebackhide__ = True

#: How the warnings begin that --nvme-strict makes failures; in filters a colon separates.
STRICT = (
    "ERROR status|drive timeout|AER notification is triggered|ASSERT. |ioworker |device error|"
    "controller fatal status|the device is gone"
)
PACKAGE = os.path.dirname(__file__) + os.sep


class ExpectedWarning(UserWarning):
    """A warning of what the script itself has asked to be told: --nvme-strict lets it pass."""


def say(text: str, category: type[UserWarning] = UserWarning) -> None:
    """Warn at the line of the script that called the package, however deep in it this is."""
    level = 2
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
        level += 1
    warnings.warn(text, category, stacklevel=level)


def status(cdw: int, what: str) -> None:
    """Warn of an error status; `cdw` is the upper half of dword 3, phase bit included."""
    code = cdw >> 1 & 0x7FF
    if code:
        say(f"ERROR status: {describe(code)}: {what}")


def describe(code: int) -> str:
    """SCT << 8 | SC in figures and in words."""
    return f"{code >> 8:02x}/{code & 0xFF:02x}, {_core.status_name(code)}"


def stall(seconds: float) -> None:
    """Warn of a host that was stopped or suspended while a worker ran."""
    say(f"the host did not run for {seconds:.1f} s: no device is late because of that")
