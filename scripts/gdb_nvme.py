# SPDX-License-Identifier: BSD-3-Clause
"""Commands of gdb for a process that uses pynvme, alive or as a core: see docs/debug.md.

    gdb -p PID -x scripts/gdb_nvme.py
    gdb .venv/bin/python3 CORE -x scripts/gdb_nvme.py

    nvme queues             every queue that is open
    nvme inflight           the commands they wait for
    nvme cmdlog [COUNT]     their last commands; 16 of each, or 0 for all that are kept

Runs in gdb's own Python. Everything is found through the debug information of the extension, and
nothing is called in the process. The log of a queue is shared memory, which a core does not have:
gdb reads it from the recorder's file, which stays when a process ends.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gdb

EXTENSION = "_core."
RECORDER = "nvme/cmdlog/cmdlog.c"
NAMES = "spec/names.c"
KINDS = ("admin", "io", "worker")
FABRICS = 0x7F
#: Opcodes from here on are the vendor's (Base 2.1, figures 141 and 88).
ADMIN_VENDOR, IO_VENDOR = 0xC0, 0x80
SHOWN = 16
#: What a slot begins with; memory that a core does not have reads as zero.
SLOT_MAGIC = b"NVMCSLOT"
#: What a record begins with: sequence, submission, completion.
TIMES = struct.Struct("<QQQ")


class CannotRead(gdb.GdbError):
    """What is not to be had, in words for whom asked; gdb prints them without a traceback."""


# --- where the extension keeps things ---


def extension() -> str:
    """The path of the extension that the process has loaded."""
    if not gdb.selected_inferior().pid:
        raise CannotRead(
            "no process: gdb -p PID takes a live one, gdb .venv/bin/python3 CORE a dead one"
        )
    for objfile in gdb.objfiles():
        path = Path(objfile.filename or "")
        if path.name.startswith(EXTENSION) and path.parent.name == "nvme":
            return str(path)
    raise CannotRead("no pynvme in this process: it has not loaded nvme/_core*.so")


def static(name: str, source: str) -> gdb.Value:
    """A static variable of a source file."""
    path = extension()
    for symbol in gdb.lookup_static_symbols(name):
        if symbol.symtab.filename.endswith(source):
            return symbol.value()
    raise CannotRead(f"no debug information in {path}: it was stripped; ./install.sh makes it anew")


def text_of(value: gdb.Value) -> str:
    """A string of the process, such that a terminal can show it."""
    raw = value.string("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in raw)


def name_of(table: str, index: int, vendor_first: int) -> str:
    entry = static(table, NAMES)[index]
    if int(entry):
        return text_of(entry)
    return text_of(static("vendor" if index >= vendor_first else "unknown", NAMES))


def status_name(status: int) -> str:
    table = static("statuses", NAMES)
    low, high = table.type.range()
    for i in range(low, high + 1):
        if int(table[i]["sc11"]) == status:
            return text_of(table[i]["name"])
    vendor = status >> 8 == 7 or status & 0xFF >= 0xC0
    return text_of(static("vendor" if vendor else "unknown", NAMES))


# --- the recorder ---


class Recorder:
    """The logs of all queues, in memory or in the file."""

    def __init__(self) -> None:
        self.state = static("file", RECORDER)
        self.path = text_of(self.state["path"])
        self.slot_type = gdb.lookup_type("struct nvme_cmdlog_slot")
        self.record_type = gdb.lookup_type("struct nvme_cmdlog_record")
        self.wall_minus_clock_ns = self._wall_minus_clock_ns()

    def _wall_minus_clock_ns(self) -> int:
        """As the file has it; else of this machine as it is now."""
        header = gdb.lookup_type("struct nvme_cmdlog_header")
        try:
            with open(self.path, "rb") as file:
                return int(gdb.Value(file.read(header.sizeof), header)["realtime_ns"])
        except (OSError, ValueError):
            return time.time_ns() - time.monotonic_ns()

    def queues(self) -> list[Queue]:
        """Open ones, by controller and identifier. Those whose log is lost are said at once."""
        logs = []
        pointer = self.state["slots"]
        while int(pointer):
            logs.append(pointer.dereference())
            pointer = logs[-1]["next"]
        if not logs:
            raise CannotRead("pynvme is loaded, but no drive was opened yet")
        raws = [(log, self._read(log)) for log in logs if not int(log["closed"])]
        found = [Queue(self, log, raw) for log, raw in raws if raw]
        if lost := len(raws) - len(found):
            print(
                f"{lost} queues cannot be read: their log is shared memory, which a core does not "
                f"have, and the recorder's file {self.path} is gone or not the one of this process"
            )
        return sorted(found, key=lambda queue: (queue.controller, queue.sqid))

    def _read(self, log: gdb.Value) -> bytes:
        """The slot of a queue; nothing if it is not there."""
        try:
            memory = gdb.selected_inferior().read_memory(int(log["slot"]), int(log["bytes"]))
        except gdb.MemoryError:
            return b""
        raw = bytes(memory)
        return raw if raw.startswith(SLOT_MAGIC) else b""

    def when(self, clock_ns: int) -> str:
        """A time of a record as local time."""
        seconds, rest = divmod(clock_ns + self.wall_minus_clock_ns, 1_000_000_000)
        return f"{time.strftime('%F %T', time.localtime(seconds))}.{rest // 1000:06}"


class Record(NamedTuple):
    """One command."""

    submit_ns: int
    complete_ns: int  # 0: outstanding
    raw: bytes


class Queue:
    """A queue, of the bytes of its slot."""

    def __init__(self, recorder: Recorder, log: gdb.Value, raw: bytes) -> None:
        size = recorder.slot_type.sizeof
        slot = gdb.Value(raw[:size], recorder.slot_type)
        self.recorder = recorder
        self.controller = int(slot["controller"])
        self.sqid = int(slot["sqid"])
        self.kind = int(slot["kind"])
        self.depth = int(slot["depth"])
        self.address = text_of(slot["addr"])
        self.completed = int(log["completed"])
        live_end = size + int(slot["ncids"]) * recorder.record_type.sizeof
        self.live = [
            record._replace(complete_ns=0)
            for record in self._records(raw[size:live_end])
            if record.submit_ns
        ]
        self.ring = raw[live_end : live_end + int(slot["nrecords"]) * recorder.record_type.sizeof]

    def _records(self, raw: bytes) -> Iterator[Record]:
        """Those that were ever written, and are not just being written."""
        size = self.recorder.record_type.sizeof
        for at in range(0, len(raw) - size + 1, size):
            seq, submit_ns, complete_ns = TIMES.unpack_from(raw, at)
            if seq and not seq & 1:
                yield Record(submit_ns, complete_ns, raw[at : at + size])

    @property
    def title(self) -> str:
        return f"{self.address} qpair {self.sqid}"

    def commands(self, count: int) -> list[Record]:
        """Newest first, as `pynvme cmdlog` has them; count 0: all."""
        records = [*self.live, *self._records(self.ring)]
        records.sort(key=lambda record: record.submit_ns, reverse=True)
        return records[: count or None]

    def _name(self, opcode: int, nsid: int) -> str:
        if opcode == FABRICS:
            return name_of("fctypes", nsid & 0xFF, ADMIN_VENDOR)
        if self.sqid:
            return name_of("io_opcodes", opcode, IO_VENDOR)
        return name_of("admin_opcodes", opcode, ADMIN_VENDOR)

    def line(self, record: Record) -> str:
        """A command, in the words of `pynvme cmdlog`."""
        fields: Any = gdb.Value(record.raw, self.recorder.record_type)
        sqe, cqe = fields["sqe"], fields["cqe"]
        opcode, nsid = int(sqe["opc"]), int(sqe["nsid"])
        sent = (
            f"{self.recorder.when(record.submit_ns)} {self._name(opcode, nsid)} ({opcode:02x}) "
            f"sqid:{self.sqid} cid:{int(sqe['cid'])} nsid:{nsid:x} cdw10:{int(sqe['cdw10']):08x} "
            f"cdw11:{int(sqe['cdw11']):08x} cdw12:{int(sqe['cdw12']):08x}"
        )
        if not record.complete_ns:
            return f"{sent} => outstanding"
        status = int(cqe["status"]) >> 1 & 0x7FF
        sct, sc = divmod(status, 256)
        return (
            f"{sent} => {status_name(status)} ({sct:02x}/{sc:02x}) cdw0:{int(cqe['cdw0']):08x} "
            f"sqhd:{int(cqe['sqhd']):04x}, {(record.complete_ns - record.submit_ns) / 1000:.1f} us"
        )


# --- the commands ---


class Nvme(gdb.Command):
    """What a process that uses pynvme does: queues, inflight, cmdlog."""

    def __init__(self) -> None:
        super().__init__("nvme", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class Queues(gdb.Command):
    """Every queue that is open: its controller, its size, what it waits for, what it has done."""

    def __init__(self) -> None:
        super().__init__("nvme queues", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        for queue in Recorder().queues():
            kind = KINDS[queue.kind] if queue.kind < len(KINDS) else str(queue.kind)
            print(
                f"controller {queue.controller}: {queue.title} ({kind}), {queue.depth} commands "
                f"at once: {len(queue.live)} outstanding, {queue.completed} completed"
            )


class Inflight(gdb.Command):
    """The commands that were sent and have not come back, newest first."""

    def __init__(self) -> None:
        super().__init__("nvme inflight", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        for queue in Recorder().queues():
            print(f"{queue.title}: {len(queue.live)} outstanding")
            for record in sorted(queue.live, reverse=True):
                print(f"  {queue.line(record)}")


class Cmdlog(gdb.Command):
    """The last commands of every queue that is open, newest first: nvme cmdlog [COUNT]."""

    def __init__(self) -> None:
        super().__init__("nvme cmdlog", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        if argument.strip() and not argument.strip().isdecimal():
            raise CannotRead(f"nvme cmdlog {argument}: commands of each queue are a number; 0: all")
        count = int(argument) if argument.strip() else SHOWN
        for queue in Recorder().queues():
            print(f"{queue.title}: commands, newest first")
            for record in queue.commands(count):
                print(f"  {queue.line(record)}")


for command in (Nvme, Queues, Inflight, Cmdlog):
    command()
