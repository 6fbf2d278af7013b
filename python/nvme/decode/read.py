"""How structures are read from a drive: the commands, in pieces where they are large.

Every function takes `send`, which sends an admin command, waits, and raises if its status is not
success; so they serve the methods of Controller and the commands of the command line alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nvme import admin
from nvme.buffer import Buffer
from nvme.decode.events import PersistentEventHeader, PersistentEventLog
from nvme.decode.features import FeatureValue, data_bytes
from nvme.decode.logs import ErrorEntry, ErrorLog
from nvme.decode.telemetry import TelemetryHeader, TelemetryLog

if TYPE_CHECKING:
    from collections.abc import Callable

IDENTIFY_BYTES = 4096
ALL = 0xFFFFFFFF
PIECE_BYTES = 64 << 10

TELEMETRY_HOST, TELEMETRY_CONTROLLER = 0x07, 0x08
PERSISTENT_EVENT = 0x0D
READ, ESTABLISH, RELEASE = 0, 1, 2


class Send(Protocol):
    """Sends an admin command and waits for it. Returns dword 0, raises at an error status."""

    def __call__(
        self, opcode: int, buf: Buffer | None = None, nsid: int = 0, **cdws: int
    ) -> int: ...


def identify(
    send: Send, cns: int, nsid: int = 0, cntid: int = 0, csi: int = 0, cnssid: int = 0
) -> Buffer:
    """Identify data."""
    buf = Buffer(IDENTIFY_BYTES, "identify")
    send(admin.IDENTIFY, buf, nsid, cdw10=cntid << 16 | cns, cdw11=csi << 24 | cnssid)
    return buf


def log(
    send: Send,
    lid: int,
    size: int,
    *,
    nsid: int = ALL,
    offset: int = 0,
    lsp: int = 0,
    lsi: int = 0,
    rae: int = 0,
    uuid: int = 0,
    csi: int = 0,
    ot: int = 0,
) -> Buffer:
    """`size` bytes of a log page in one command; size and offset are multiples of 4.

    lsp, lsi: log specific parameter and identifier; rae: retain asynchronous event; ot: the offset
    is an index
    """
    buf = Buffer(size, "log page")
    numd = size // 4 - 1
    send(
        admin.GET_LOG_PAGE,
        buf,
        nsid,
        cdw10=(numd & 0xFFFF) << 16 | rae << 15 | lsp << 8 | lid,
        cdw11=lsi << 16 | numd >> 16,
        cdw12=offset & ALL,
        cdw13=offset >> 32,
        cdw14=csi << 24 | ot << 23 | uuid,
    )
    return buf


def long_log(
    send: Send,
    lid: int,
    size: int,
    *,
    nsid: int = ALL,
    rae: int = 1,
    lsi: int = 0,
    start: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> bytes:
    """Bytes `start` to `size` of a log page, in pieces.

    progress: called with the bytes that are there and all that there will be
    """
    found = bytearray()
    for offset in range(start, size, PIECE_BYTES):
        piece = min(PIECE_BYTES, size - offset)
        whole = (piece + 3) & ~3
        found += log(send, lid, whole, nsid=nsid, offset=offset, rae=rae, lsi=lsi)[:piece]
        if progress:
            progress(start + len(found), size)
    return bytes(found)


def error_log(send: Send, entries: int) -> ErrorLog:
    """The newest entries of the error log."""
    return ErrorLog(log(send, 0x01, entries * ErrorEntry.BYTES))


def persistent_event_log(
    send: Send, limit: int = 0, progress: Callable[[int, int], None] | None = None
) -> PersistentEventLog:
    """The whole Persistent Event Log, or `limit` bytes of it.

    The controller establishes a reporting context for it, and it is released again. One that
    somebody left behind is released first.
    """
    size = PersistentEventHeader.BYTES
    log(send, PERSISTENT_EVENT, size, lsp=RELEASE)
    head = bytes(memoryview(log(send, PERSISTENT_EVENT, size, lsp=ESTABLISH)))
    try:
        total = PersistentEventHeader(head).tll
        total = min(total, limit) if limit else total
        data = head + long_log(send, PERSISTENT_EVENT, total, start=size, progress=progress)
    finally:
        log(send, PERSISTENT_EVENT, size, lsp=RELEASE)
    return PersistentEventLog(data)


def telemetry_log(
    send: Send,
    area: int = 3,
    *,
    controller_initiated: bool = False,
    create: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> TelemetryLog:
    """The telemetry log up to a data area, 1..4; 0: the header alone.

    create: have the controller collect host-initiated data anew
    """
    lid = TELEMETRY_CONTROLLER if controller_initiated else TELEMETRY_HOST
    size = TelemetryHeader.BYTES
    lsp = int(create and not controller_initiated)
    head = bytes(memoryview(log(send, lid, size, lsp=lsp, rae=1)))
    total = TelemetryHeader(head).area_bytes(area) if area else size
    return TelemetryLog(head + long_log(send, lid, total, start=size, progress=progress))


def feature(
    send: Send,
    fid: int,
    *,
    sel: int = 0,
    nsid: int = 0,
    cdw11: int = 0,
    uuid: int = 0,
    size: int | None = None,
) -> FeatureValue:
    """Get Features. size: bytes of data; None: as many as the feature is known to have."""
    capabilities = 3
    if size is None:
        size = 0 if sel == capabilities else data_bytes(fid)
    buf = Buffer(size, "feature") if size else None
    value = send(admin.GET_FEATURES, buf, nsid, cdw10=sel << 8 | fid, cdw11=cdw11, cdw14=uuid)
    return FeatureValue(fid, value, buf, sel)
