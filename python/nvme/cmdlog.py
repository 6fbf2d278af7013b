"""The command log: records of queues, decoded."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nvme import _core
from nvme.number import U64, field

__tracebackhide__ = True

# struct nvme_cmdlog_record of src/nvme/cmdlog/cmdlog.h
_TIMES = struct.Struct("<8xQQ")
_SQE = struct.Struct("<BBHIIIQQQIIIIII")
_CQE = struct.Struct("<IIHHHH")
_SQE_AT = 24
_CQE_AT = 88
RECORD_BYTES = 128
FABRICS = 0x7F


def wall_clock(monotonic_ns: int) -> str:
    """A time of the clock of records, which all processes share, as local time."""
    ns = monotonic_ns + time.time_ns() - time.monotonic_ns()
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{time.strftime('%F %T', time.localtime(seconds))}.{rest // 1000:06}"


def printable(text: str) -> str:
    """A text that a file of somebody else holds, or its name: without control of the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Entry(NamedTuple):
    """One command: what was sent, when, and what came back (None while outstanding)."""

    sqid: int
    submit_ns: int
    opcode: int
    flags: int
    cid: int
    nsid: int
    mptr: int
    prp1: int
    prp2: int
    cdw10: int
    cdw11: int
    cdw12: int
    cdw13: int
    cdw14: int
    cdw15: int
    complete_ns: int | None
    cdw0: int | None
    sqhd: int | None
    status1: int | None  # phase bit included

    @property
    def name(self) -> str:
        """Name of the command."""
        if self.opcode == FABRICS:
            return _core.fctype_name(self.nsid & 0xFF)
        return _core.io_name(self.opcode) if self.sqid else _core.admin_name(self.opcode)

    @property
    def status(self) -> int | None:
        """SCT << 8 | SC."""
        return None if self.status1 is None else self.status1 >> 1 & 0x7FF

    @property
    def latency_us(self) -> float | None:
        """Microseconds from submission to the reaping of its completion."""
        return None if self.complete_ns is None else (self.complete_ns - self.submit_ns) / 1000

    def __str__(self) -> str:
        sent = (
            f"{wall_clock(self.submit_ns)} {self.name} ({self.opcode:02x}) "
            f"sqid:{self.sqid} cid:{self.cid} nsid:{self.nsid:x} "
            f"cdw10:{self.cdw10:08x} cdw11:{self.cdw11:08x} cdw12:{self.cdw12:08x}"
        )
        if self.status is None:
            return f"{sent} => outstanding"
        sct, sc = divmod(self.status, 256)
        return (
            f"{sent} => {_core.status_name(self.status)} ({sct:02x}/{sc:02x}) "
            f"cdw0:{self.cdw0:08x} sqhd:{self.sqhd:04x}, {self.latency_us:.1f} us"
        )


def decode(records: bytes, sqid: int) -> Iterator[Entry]:
    """Entries of a queue, in the order of `records`."""
    for at in range(0, len(records), RECORD_BYTES):
        submit, complete = _TIMES.unpack_from(records, at)
        opc, flags, cid, nsid, _, _, mptr, prp1, prp2, *cdws = _SQE.unpack_from(
            records, at + _SQE_AT
        )
        cdw0, _, sqhd, _, _, status1 = _CQE.unpack_from(records, at + _CQE_AT)
        done = (complete, cdw0, sqhd, status1) if complete else (None, None, None, None)
        yield Entry(sqid, submit, opc, flags, cid, nsid, mptr, prp1, prp2, *cdws, *done)


def newest_first(records: bytes, sqid: int) -> list[Entry]:
    """Entries of a queue by the time of their submission."""
    return sorted(decode(records, sqid), key=lambda entry: entry.submit_ns, reverse=True)


class Log:
    """The command log of one queue."""

    if TYPE_CHECKING:

        def _records(self) -> bytes: ...

    def cmdlog_entries(self, count: int = 0) -> list[Entry]:
        """The last commands of this queue, newest first; count 0: all that are kept (2,048)."""
        count = field(count, "count", U64)
        entries = newest_first(self._records(), getattr(self, "sqid", 0))
        return entries[:count] if count else entries

    def cmdlog(self, count: int = 0) -> None:
        """Print the last commands of this queue, newest first; count 0: all that are kept."""
        for entry in self.cmdlog_entries(count):
            print(entry)
