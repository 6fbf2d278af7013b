"""What a controller tells beside completions: AERs, timeouts, devices that lie or leave."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nvme import warn

if TYPE_CHECKING:
    import logging

AerCallback = Callable[[int, int], Any]

AER_COMMAND = "Asynchronous Event Request (0c), qpair 0"

# enum nvme_event_type of src/nvme/ctrl.h
AER, TIMEOUT, UNKNOWN_CID, WRONG_SQID, BAD_SQHD, FATAL, GONE, VERIFY = range(8)

_LIES = {
    UNKNOWN_CID: "completion of a command that is not outstanding",
    WRONG_SQID: "completion that names another submission queue",
    BAD_SQHD: "completion with a submission queue head out of range",
}


class Event(NamedTuple):
    """struct nvme_event, as the extension hands it over."""

    kind: int
    sqid: int
    cid: int
    cdw0: int
    status1: int
    timeout_ms: int
    nsid: int
    lba: int
    stamp: int
    token: int
    crc_expected: int
    crc_got: int
    bad_lbas: int


class Mismatch(NamedTuple):
    """A read that did not return what was written; LBA is the first bad one."""

    nsid: int
    lba: int
    stamp: int  # LBA number found in the data
    token: int  # token found in the data
    crc_expected: int
    crc_got: int
    bad_lbas: int


def _log() -> logging.Logger:
    import logging  # late, as in many scripts nothing ever happens

    return logging.getLogger("nvme")


def _aer(event: Event, callback: AerCallback | None, stacklevel: int) -> None:
    if event.status1 >> 1:  # aborted: nothing happened
        warn.status(event.status1, f"{AER_COMMAND}, cid {event.cid}", stacklevel + 1)
        return
    _log().warning("AER triggered, dword0: 0x%x", event.cdw0)
    try:
        warnings.warn("AER notification is triggered", stacklevel=stacklevel + 1)
    finally:
        if callback is not None:
            try:
                callback(event.cdw0, event.status1)
            except AssertionError as failure:
                warnings.warn(f"ASSERT: {failure}", stacklevel=stacklevel + 1)
            except Exception:
                import traceback

                traceback.print_exc()
                raise


def mismatch(event: Event) -> Mismatch:
    found = Mismatch(event.nsid, *event[-6:])
    _log().error(
        "data mismatch: nsid %d, LBA 0x%x (%d of this read are bad): "
        "CRC expected 0x%08x, got 0x%08x; stamp LBA 0x%x, token %d",
        found.nsid,
        found.lba,
        found.bad_lbas,
        found.crc_expected,
        found.crc_got,
        found.stamp,
        found.token,
    )
    return found


def report(event: Event, callback: AerCallback | None, stacklevel: int) -> None:
    """Warn of an event; `stacklevel` 1 is the caller."""
    if event.kind == AER:
        _aer(event, callback, stacklevel + 1)
        return
    if event.kind == TIMEOUT:
        seconds = event.timeout_ms / 1000
        text = f"drive timeout: {seconds:g} sec, qpair: {event.sqid}, cid: {event.cid}"
    elif event.kind == FATAL:
        text = "controller fatal status (CSTS.CFS)"
    elif event.kind == GONE:
        text = "the device is gone"
    else:
        text = f"device error: {_LIES[event.kind]}, qpair: {event.sqid}, cid: {event.cid}"
    warnings.warn(text, stacklevel=stacklevel + 1)
