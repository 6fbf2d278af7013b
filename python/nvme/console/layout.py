"""Headers of the recorder's file, as src/nvme/cmdlog/format.h has them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from nvme.cmdlog import printable

_HEADER = struct.Struct("<QIiQqQ1024s")
_SLOT = struct.Struct("<QQQQQIIHHIII256s")
_COUNTS = struct.Struct("<12Q144Q")
_CTRL = struct.Struct("<Q40s20s8sIQIIQQ")
_WORKER = struct.Struct("<6I6Q16B16IQII128s")
_COUNTS_AT = _SLOT.size
_ROOM_AT = _COUNTS_AT + _COUNTS.size

ADMIN, IO, WORKER = 0, 1, 2
#: Of a controller, by their numbers in the file.
STATES = ("unknown", "ready", "resetting", "down", "fatal", "gone")
KELVIN = 273
_OPS = 16
_SUB_BITS = 2
BUCKETS = 144
#: No integer of an answer is larger: JavaScript has it exactly. Only forged files reach it.
EXACT = 2**53 - 1


def text(raw: bytes) -> str:
    """What a file says, up to its zero, and such that a terminal can show it."""
    return printable(raw.partition(b"\0")[0].decode("utf-8", "backslashreplace")).strip()


def bucket_end_ns(index: int) -> int:
    """The highest latency of a bucket."""
    shift = max((index + 1 >> _SUB_BITS) - 1, 0)
    return (index + 1 - (shift << _SUB_BITS) << shift) - 1


@dataclass(frozen=True)
class Header:
    """The first page: whose file it is."""

    pid: int
    realtime_ns: int  # wall clock minus the clock of all other times
    opened_ns: int
    title: str

    @classmethod
    def of(cls, raw: bytes) -> Header:
        """Of the bytes that nvme._core.recorder() returns."""
        _, _, pid, _, realtime_ns, opened_ns, title = _HEADER.unpack_from(raw)
        return cls(pid, realtime_ns, opened_ns, text(title))


@dataclass(frozen=True)
class Counts:
    """What has completed in a queue."""

    updated_ns: int  # 0: nothing
    commands: int
    errors: int
    reads: int
    writes: int
    read_bytes: int
    written_bytes: int
    latency_sum_ns: int
    latency_max_ns: int
    latency: tuple[int, ...]  # by bucket

    @classmethod
    def of(cls, raw: bytes) -> Counts:
        """Of a slot's header; all zero where nothing has completed."""
        words = _COUNTS.unpack_from(raw, _COUNTS_AT)
        updated_ns, *ways = words[:9]
        return cls(
            updated_ns,
            commands=min(sum(ways[:4]), EXACT),
            errors=min(words[9], EXACT),
            reads=min(ways[2], EXACT),
            writes=min(ways[1], EXACT),
            read_bytes=min(ways[6], EXACT),
            written_bytes=min(ways[5], EXACT),
            latency_sum_ns=words[10],
            latency_max_ns=words[11],
            latency=words[12:],
        )


@dataclass(frozen=True)
class Controller:
    """What the slot of an admin queue says of its controller."""

    model: str | None
    serial: str | None
    firmware: str | None
    version: str | None
    capacity_bytes: int | None
    state: str
    resets: int
    temperature_celsius: int | None
    temperature_ns: int

    @classmethod
    def of(cls, raw: bytes) -> Controller:
        """Of a slot's header."""
        texts, model, serial, firmware, vs, capacity, state, resets, kelvin, when_ns = (
            _CTRL.unpack_from(raw, _ROOM_AT)
        )
        known = texts and not texts & 1
        return cls(
            text(model) if known else None,
            text(serial) if known else None,
            text(firmware) if known else None,
            f"{vs >> 16}.{vs >> 8 & 0xFF}.{vs & 0xFF}" if known and vs else None,
            min(capacity, EXACT) if known and capacity else None,
            STATES[state] if state < len(STATES) else STATES[0],
            resets,
            min(kelvin, 0xFFFF) - KELVIN if kelvin else None,
            when_ns,
        )


@dataclass(frozen=True)
class Worker:
    """Parameters and progress of an IOWorker."""

    qdepth: int
    lba_bytes: int
    min_nlb: int
    max_nlb: int
    random_percent: int
    region_start: int
    region_end: int
    iops: float | None
    time_s: float | None
    io_count: int | None
    seed: int
    ops: tuple[tuple[int, int], ...]  # opcode, weight
    elapsed_ns: int
    running: bool
    percent: float
    why: str

    @classmethod
    def of(cls, raw: bytes) -> Worker:
        """Of a slot's header."""
        qdepth, lba_bytes, low, high, percent, nops, *rest = _WORKER.unpack_from(raw, _ROOM_AT)
        start, end, micro_iops, time_ns, io_count, seed, *rest = rest
        opcodes, weights, rest = rest[:_OPS], rest[_OPS : 2 * _OPS], rest[2 * _OPS :]
        elapsed_ns, running, ppm, why = rest
        return cls(
            qdepth,
            lba_bytes,
            low,
            high,
            percent,
            min(start, EXACT),
            min(end, EXACT),
            micro_iops / 1e6 or None,
            time_ns / 1e9 or None,
            min(io_count, EXACT) or None,
            seed,
            tuple(zip(opcodes, weights, strict=True))[:nops],
            elapsed_ns,
            bool(running),
            min(ppm / 1e4, 100.0),
            text(why),
        )


@dataclass(frozen=True)
class Slot:
    """A queue."""

    index: int
    edition: int
    opened_ns: int
    closed_ns: int
    sqid: int
    kind: int
    controller: int
    depth: int
    address: str
    outstanding: int
    counts: Counts
    about: Controller | Worker | None

    @classmethod
    def of(cls, index: int, raw: bytes, outstanding: int) -> Slot:
        """Of the bytes that nvme._core.recorder() returns."""
        _, _, edition, opened, closed, _, _, sqid, kind, controller, depth, _, address = (
            _SLOT.unpack_from(raw)
        )
        about: Controller | Worker | None = None
        if kind == ADMIN:
            about = Controller.of(raw)
        elif kind == WORKER:
            about = Worker.of(raw)
        return cls(
            index,
            edition,
            opened,
            closed,
            sqid,
            kind,
            controller,
            depth,
            text(address),
            outstanding,
            Counts.of(raw),
            about,
        )
