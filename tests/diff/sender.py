"""One of the two devices, and the ways to send it a command."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import nvme as d
from diff import steps
from diff.oracle import Oracle
from diff.pointers import Memory
from nvme import raw

Result = dict[str, Any]

RAW_QID = 20
RAW_DEPTH = 16
DNR = 1 << 14
SETTLE_S = 0.001
#: Methods of Namespace, and the commands that they are.
METHODS = {
    "read": steps.READ,
    "write": steps.WRITE,
    "compare": steps.COMPARE,
    "write_zeroes": steps.WRITE_ZEROES,
    "verify": steps.VERIFY,
    "dsm": steps.DSM,
}
NAMES = {opcode: name for name, opcode in METHODS.items()}
DELETE_SQ, CREATE_SQ, GET_LOG, DELETE_CQ, CREATE_CQ = 0x00, 0x01, 0x02, 0x04, 0x05
IDENTIFY, ABORT, SET_FEATURES, GET_FEATURES = 0x06, 0x08, 0x09, 0x0A
NS_ATTACHMENT, FORMAT = 0x15, 0x80


@dataclass
class Counted:
    """Commands since the sequence began, and those that some devices count with them."""

    reads: int = 0
    writes: int = 0
    like_reads: int = 0
    copies: int = 0
    failed_compares: int = 0

    def add(self, opc: int, status: str) -> None:
        self.copies += opc == steps.COPY
        self.failed_compares += opc == steps.COMPARE and status == "02/85"
        if status == "00/00":
            self.reads += opc in (steps.READ, steps.COMPARE)
            self.writes += opc == steps.WRITE
            self.like_reads += opc == steps.VERIFY


class Sender:
    """A controller with what the steps use of it."""

    def __init__(self, address: str, sizes: dict[int, int]) -> None:
        self.nvme = d.Controller(address)
        self.nvme.register_aer_cb(lambda cdw0, status1: self.events.append(cdw0))
        self.memory = Memory()
        self.events: list[int] = []
        self.namespaces = {nsid: d.Namespace(self.nvme, nsid) for nsid in steps.NSIDS}
        self.oracles = {nsid: Oracle(512, sizes[nsid] // 512) for nsid in steps.NSIDS}
        self.sizes = sizes
        self.lbafs = {sizes: self.lbaf(*sizes) for sizes in ((512, 0), (4096, 0), (512, 8))}
        self.queues: dict[tuple[str, int], raw.CompletionQueue | raw.SubmissionQueue] = {}
        self.smart = bytes(512)
        self.counted = Counted()
        self.detached = self.was_reset = False
        self.formatted = False  # a namespace may be as another session has left it
        self.open_queues()

    def close(self) -> None:
        self.qpair.delete()
        for namespace in self.namespaces.values():
            namespace.close()
        self.queues.clear()
        self.namespaces.clear()
        del self.nvme, self.qpair, self.sq, self.cq, self.memory

    def lbaf(self, size: int, ms: int) -> int:
        """Number of the LBA format of these sizes."""
        number = self.namespaces[2].get_lba_format(size, ms)
        if number is None:
            raise RuntimeError(f"{self.nvme.addr}: no LBA format of {size} + {ms} bytes")
        return number

    def open_queues(self) -> None:
        self.queues.clear()
        self.qpair = d.Qpair(self.nvme, 16)
        self.cq = raw.CompletionQueue(self.nvme, RAW_QID, RAW_DEPTH)
        self.sq = raw.SubmissionQueue(self.nvme, RAW_QID, RAW_DEPTH, RAW_QID)
        if self.cq.create() or self.sq.create():
            raise RuntimeError(f"{self.nvme.addr}: no queues")
        self.cid = 0

    def settle(self, looks: int = 2) -> None:
        """Lets events come that a step has caused."""
        for _ in range(looks):
            time.sleep(SETTLE_S)
            self.nvme.getfeatures(7).waitdone()
            if self.events:
                break

    # --- ways to send a command ---

    def outcome(self, cdw0: int, status: int) -> Result:
        """Status and Do Not Retry; CDW0 only means something where a command succeeded."""
        found: Result = {"status": f"{status >> 8 & 7:02x}/{status & 0xFF:02x}"}
        if status & 0x7FF:
            found["dnr"] = bool(status & DNR)
        else:
            found["cdw0"] = cdw0
        if self.events:
            found["events"], self.events = [f"{event:x}" for event in self.events], []
        return found

    def admin(self, opc: int, nsid: int, buf: d.Buffer | None = None, **cdws: int) -> Result:
        answers: list[tuple[int, int]] = []
        self.nvme.send_cmd(opc, buf, nsid, **cdws, cb=lambda *answer: answers.append(answer))
        self.nvme.waitdone()
        cdw0, status1 = answers[0]
        return self.outcome(cdw0, status1 >> 1)

    def io(self, opc: int, nsid: int, buf: d.Buffer | None, **cdws: int) -> Result:
        """An IO command by send_cmd: the driver makes its entry and its data pointer."""
        answers: list[tuple[int, int]] = []
        namespace = self.namespaces[1]
        namespace.send_cmd(
            opc, self.qpair, buf, nsid, **cdws, cb=lambda *answer: answers.append(answer)
        )
        self.qpair.waitdone()
        cdw0, status1 = answers[0]
        found = self.outcome(cdw0, status1 >> 1)
        self.counted.add(opc, found["status"])
        return found

    def method(self, name: str, nsid: int, *args: Any) -> Result:
        """An IO command by a method of Namespace."""
        answers: list[tuple[int, int]] = []
        namespace = self.namespaces[nsid]
        getattr(namespace, name)(self.qpair, *args, cb=lambda *answer: answers.append(answer))
        self.qpair.waitdone()
        cdw0, status1 = answers[0]
        found = self.outcome(cdw0, status1 >> 1)
        self.counted.add(METHODS[name], found["status"])
        return found

    def raw(self, command: raw.Command) -> Result:
        """An IO command by queues of our own."""
        self.cid = (self.cid + 1) % 0xFFFF
        command.cid = self.cid
        self.sq.push(command)
        self.sq.ring()
        entry = self.cq.wait()
        found = self.outcome(entry.cdw0, entry.status1 >> 1)
        if (entry.cid, entry.sqid, entry.sqhd) != (self.cid, RAW_QID, self.sq.tail):
            found["fault"] = f"completion {entry} of command {self.cid}"
        self.counted.add(command.opc, found["status"])
        return found

    def read_log(self, lid: int, size: int) -> bytes:
        buf = d.Buffer(size)
        self.admin(GET_LOG, 0xFFFFFFFF, buf, cdw10=(size // 4 - 1) << 16 | 1 << 15 | lid)
        return buf[:]
