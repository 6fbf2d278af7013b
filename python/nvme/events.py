"""What a controller tells beside completions: AERs, timeouts, devices that lie or leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nvme import warn

if TYPE_CHECKING:
    import logging

__tracebackhide__ = True

AerCallback = Callable[[int, int], Any]

SUCCESS, ABORTED = 0x00, 0x07  # an AER is posted again after these
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
    """A read that did not return what was written, as the host found; LBA is the first bad one."""

    nsid: int
    lba: int
    stamp: int  # LBA number found in the data
    token: int  # token found in the data
    crc_expected: int
    crc_got: int
    bad_lbas: int

    def __str__(self) -> str:
        return (
            f"host: data mismatch, LBA 0x{self.lba:x}, CRC expected 0x{self.crc_expected:08x}, "
            f"got 0x{self.crc_got:08x}; nsid {self.nsid}, {self.bad_lbas} LBAs of the read are "
            f"bad, stamp LBA 0x{self.stamp:x}, token {self.token}"
        )


def _log() -> logging.Logger:
    import logging  # late, as in many scripts nothing ever happens

    return logging.getLogger("nvme")


def _aer(event: Event, callback: AerCallback | None) -> None:
    code = event.status1 >> 1 & 0x7FF
    if code not in (SUCCESS, ABORTED):
        warn.status(event.status1, f"{AER_COMMAND}, cid {event.cid}")
        return
    _log().warning("AER triggered, dword0: 0x%x", event.cdw0)
    what = f"ERROR status: {warn.describe(code)}" if code else f"0x{event.cdw0:x}"
    try:
        warn.say(
            f"AER notification is triggered: {what}",
            UserWarning if callback is None else warn.ExpectedWarning,
        )
    finally:
        if callback is not None:
            try:
                callback(event.cdw0, event.status1)
            except AssertionError as failure:
                warn.say(f"ASSERT: {failure}")
            except Exception:
                import traceback

                traceback.print_exc()
                raise


def mismatch(event: Event) -> Mismatch:
    found = Mismatch(event.nsid, *event[-6:])
    _log().error("%s", found)
    return found


def report(event: Event, callback: AerCallback | None) -> None:
    """Warn of an event."""
    if event.kind == AER:
        _aer(event, callback)
        return
    if event.kind == TIMEOUT:
        seconds = event.timeout_ms / 1000
        text = f"drive timeout: {seconds:g} sec, qpair: {event.sqid}, cid: {event.cid}"
    elif event.kind == FATAL:
        text = "controller fatal status (CSTS.CFS)"
    elif event.kind == GONE:
        text = "the device is gone, or the connection to it"
    else:
        text = f"device error: {_LIES[event.kind]}, qpair: {event.sqid}, cid: {event.cid}"
    warn.say(text)
