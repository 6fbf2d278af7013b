"""Texts of the warnings that scripts match."""

import warnings

from nvme import _core


def status(cdw: int, what: str, stacklevel: int) -> None:
    """Warn of an error status; `cdw` is the upper half of dword 3, phase bit included."""
    code = cdw >> 1 & 0x7FF
    if code:
        warnings.warn(
            f"ERROR status: {code >> 8:02x}/{code & 0xFF:02x}, {_core.status_name(code)}: {what}",
            stacklevel=stacklevel + 1,
        )


def worker(text: str, stacklevel: int) -> None:
    """Warn of a worker that failed."""
    warnings.warn(text, stacklevel=stacklevel + 1)
