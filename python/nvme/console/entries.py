"""Records of a queue as entries of a command log, and which of them are wanted."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nvme import _core
from nvme.cmdlog import RECORD_BYTES
from nvme.console import commands
from nvme.console.feed import Session, now_ms
from nvme.console.layout import Slot

COUNT_MAX = 4096

# struct nvme_cmdlog_record of src/nvme/cmdlog/cmdlog.h
_RECORD = struct.Struct("<QQQ16I4I")


class Record(NamedTuple):
    """A command as the recorder has it; complete_ns 0: outstanding."""

    seq: int
    submit_ns: int
    complete_ns: int
    sqe: tuple[int, ...]
    cqe: tuple[int, ...]

    @property
    def status(self) -> int | None:
        """SCT << 8 | SC."""
        return self.cqe[3] >> 17 & 0x7FF if self.complete_ns else None


def records(raw: bytes) -> Iterator[Record]:
    """In the order of `raw`."""
    for at in range(0, len(raw) - RECORD_BYTES + 1, RECORD_BYTES):
        seq, submit_ns, complete_ns, *dwords = _RECORD.unpack_from(raw, at)
        yield Record(seq, submit_ns, complete_ns, tuple(dwords[:16]), tuple(dwords[16:]))


def _line(record: Record, admin: bool, detail: str) -> str:
    text = commands.name(record.sqe, admin)
    if record.sqe[1] and not admin:
        text += f" nsid {record.sqe[1]}" if record.sqe[1] != 0xFFFFFFFF else " all namespaces"
    if detail:
        text += f" {detail}" if not admin else f": {detail}"
    if record.status is None:
        return f"{text} => outstanding"
    sct, sc = divmod(record.status, 256)
    return f"{text} => {commands.status_name(record.sqe, record.status)} ({sct:02x}/{sc:02x})"


def entry(record: Record, sqid: int, session: Session) -> dict[str, Any]:
    """An entry as docs/console.md has it."""
    sqe, status, admin = record.sqe, record.status, sqid == 0
    at = commands.where(sqe, admin)
    told = commands.words(sqe, admin)
    done = status is not None
    cid = sqe[0] >> 16
    return {
        "key": f"c{record.seq >> 1}" if done else f"o{record.seq}.{cid}",
        "sqid": sqid,
        "cid": cid,
        "opcode": sqe[0] & 0xFF,
        "nsid": sqe[1],
        "name": commands.name(sqe, admin),
        "slba": None if at.slba is None else f"{at.slba:#x}",
        "nlb": at.nlb,
        "submit_ms": session.ms(record.submit_ns),
        "complete_ms": session.ms(record.complete_ns) if done else None,
        "latency_us": (record.complete_ns - record.submit_ns) / 1e3 if done else None,
        "status": status,
        "status_name": commands.status_name(sqe, status) if status is not None else None,
        "dnr": bool(record.cqe[3] >> 31) if done else None,
        "more": bool(record.cqe[3] >> 30 & 1) if done else None,
        "cdw0": record.cqe[0] if done else None,
        "sqhd": record.cqe[2] & 0xFFFF if done else None,
        "text": _line(record, admin, told.line),
        "details": told.details,
        "sqe": list(sqe),
        "cqe": list(record.cqe) if done else None,
    }


class Filter(NamedTuple):
    """Which entries are wanted; docs/console.md."""

    opcodes: frozenset[int] | None = None
    status: str = "all"
    text: str = ""

    def wants(self, record: Record, admin: bool) -> bool:
        """Whether a record passes."""
        if self.opcodes is not None and record.sqe[0] & 0xFF not in self.opcodes:
            return False
        if not STATUSES[self.status](record.status):
            return False
        if not self.text:
            return True
        return self.text in _line(record, admin, commands.words(record.sqe, admin).line).lower()


STATUSES: dict[str, Callable[[int | None], bool]] = {
    "all": lambda status: True,
    "error": lambda status: bool(status),
    "success": lambda status: status == 0,
    "outstanding": lambda status: status is None,
}


class Log(NamedTuple):
    """Entries of a queue, newest first."""

    time_ms: float
    total: int
    matched: int
    entries: list[dict[str, Any]]


def read(session: Session, slot: Slot, count: int, wanted: Filter) -> Log:
    """The command log of a queue. OSError ESTALE: the slot is another queue's by now."""
    raw = _core.recorder_records(session.path, slot.index, slot.edition)
    time_ms, admin = now_ms(), slot.sqid == 0
    kept = list(records(raw))
    passed = [record for record in kept if wanted.wants(record, admin)]
    shown = [entry(record, slot.sqid, session) for record in passed[:count]]
    return Log(time_ms, len(kept), len(passed), shown)
