"""Play driver: queues, commands and data pointers of one's own, legal or not.

Everything here is bytes in Buffers and writes to registers, in the terms of the NVMe Base
specification (4.1 submission queue entry, 4.2 completion queue entry, 4.3 data pointers); nothing
is checked but that it fits its field, for the device is to be tested, not the script::

    cq = raw.CompletionQueue(nvme0, qid=9, depth=8)
    sq = raw.SubmissionQueue(nvme0, qid=9, depth=8, cqid=9)
    assert cq.create() == 0 and sq.create() == 0
    sq.push(raw.Command(opc=2, cid=5, nsid=1, prp1=buf.phys_addr))
    sq.ring()
    print(cq.wait())
    sq.delete()
    cq.delete()

Choose identifiers beyond those of the Qpairs that are open; a Qpair that is made later takes one
that is free.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nvme import _core, fabric
from nvme.buffer import Buffer
from nvme.number import U16, U32, U64, field, seconds

if TYPE_CHECKING:
    from nvme.controller import Controller

PAGE = 4096
SQE_BYTES = 64
CQE_BYTES = 16
CSTS = 0x1C
DOORBELLS = 0x1000
DPTR_BYTES = 16
LOOKS = 100  # at a queue before the first pause

DELETE_SQ, CREATE_SQ, DELETE_CQ, CREATE_CQ = 0x00, 0x01, 0x04, 0x05

_SQE = struct.Struct("<BBHIIIQ16sIIIIII")
_CQE = struct.Struct("<IIHHHH")


_CDWS = ("cdw10", "cdw11", "cdw12", "cdw13", "cdw14", "cdw15")


class Command:
    """A submission queue entry. Every field is an attribute; bytes(command) is the entry.

    dptr: the 16 bytes of the data pointer; prp1, prp2 and sgl1 set it, too.
    """

    def __init__(
        self,
        opc: int = 0,
        cid: int = 0,
        nsid: int = 0,
        *,
        fuse: int = 0,
        psdt: int = 0,
        cdw2: int = 0,
        cdw3: int = 0,
        mptr: int = 0,
        prp1: int = 0,
        prp2: int = 0,
        sgl1: bytes | None = None,
        cdw10: int = 0,
        cdw11: int = 0,
        cdw12: int = 0,
        cdw13: int = 0,
        cdw14: int = 0,
        cdw15: int = 0,
    ) -> None:
        self.opc, self.cid, self.nsid = opc, cid, nsid
        self.fuse, self.psdt = fuse, psdt
        self.cdw2, self.cdw3, self.mptr = cdw2, cdw3, mptr
        prps = field(prp1, "prp1", U64), field(prp2, "prp2", U64)
        self.dptr = struct.pack("<QQ", *prps) if sgl1 is None else sgl1
        self.cdw10, self.cdw11, self.cdw12 = cdw10, cdw11, cdw12
        self.cdw13, self.cdw14, self.cdw15 = cdw13, cdw14, cdw15
        bytes(self)  # what the entry has no room for is an error where it was written

    def __bytes__(self) -> bytes:
        fuse, psdt = field(self.fuse, "fuse", 3), field(self.psdt, "psdt", 3)
        if not isinstance(self.dptr, bytes) or len(self.dptr) != DPTR_BYTES:
            raise ValueError(f"dptr, or sgl1, must be {DPTR_BYTES} bytes")
        return _SQE.pack(
            field(self.opc, "opc", 0xFF),
            psdt << 6 | fuse,
            field(self.cid, "cid", U16),
            field(self.nsid, "nsid", U32),
            field(self.cdw2, "cdw2", U32),
            field(self.cdw3, "cdw3", U32),
            field(self.mptr, "mptr", U64),
            self.dptr,
            *(field(getattr(self, name), name, U32) for name in _CDWS),
        )


class Completion(NamedTuple):
    """A completion queue entry; status1 includes the phase tag, as callbacks see it."""

    cdw0: int
    cdw1: int
    sqhd: int
    sqid: int
    cid: int
    status1: int

    @property
    def phase(self) -> int:
        """The phase tag."""
        return self.status1 & 1

    @property
    def status(self) -> int:
        """SCT << 8 | SC."""
        return self.status1 >> 1 & 0x7FF


def _is_buffer(buf: object, name: str) -> None:
    if not isinstance(buf, Buffer):
        raise TypeError(f"{name} must be a Buffer, not {type(buf)}")


def _is_sequence(value: object, name: str) -> None:
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} must be a list, not {type(value)}")


def prp_list(buf: Buffer, addresses: list[int], offset: int = 0) -> int:
    """Write addresses as a PRP list into buf at `offset`; returns the address of the list."""
    _is_buffer(buf, "buf")
    offset = field(offset, "offset", len(buf))
    _is_sequence(addresses, "addresses")
    packed = [field(address, "addresses", U64) for address in addresses]
    if offset + 8 * len(packed) > len(buf):
        raise IndexError(f"addresses need {8 * len(packed)} bytes of buf from {offset} on")
    buf[offset : offset + 8 * len(packed)] = struct.pack(f"<{len(packed)}Q", *packed)
    return buf.phys_addr + offset


def prps(address: int, size: int, lists: Buffer) -> tuple[int, int]:
    """PRP1 and PRP2 of `size` bytes at `address`, as the specification wants them (4.3.1).

    lists: where a PRP list goes if one is needed; one page holds 512 entries
    """
    address = field(address, "address", U64)
    size = field(size, "size", U64)
    _is_buffer(lists, "lists")
    first = PAGE - address % PAGE
    if size > first + PAGE * max(1, len(lists) // 8):
        raise ValueError(f"size {size} needs more entries than lists has room for")
    pages = list(range(address + first, address + size, PAGE))
    if not pages:
        return address, 0
    if len(pages) == 1:
        return address, pages[0]
    return address, prp_list(lists, pages)


class Sgl:
    """SGL descriptors of 16 bytes (4.3.2)."""

    @staticmethod
    def descriptor(kind: int, address: int, length: int, subtype: int = 0) -> bytes:
        """Any descriptor."""
        return struct.pack("<QI3xB", address, length, kind << 4 | subtype)

    @staticmethod
    def data_block(address: int, length: int) -> bytes:
        """`length` bytes at `address`."""
        return Sgl.descriptor(0, address, length)

    @staticmethod
    def bit_bucket(length: int) -> bytes:
        """Bytes of a read that go nowhere."""
        return Sgl.descriptor(1, 0, length)

    @staticmethod
    def segment(address: int, length: int, last: bool = False) -> bytes:
        """`length` bytes of further descriptors at `address`; `last`: none of them a segment."""
        return Sgl.descriptor(3 if last else 2, address, length)


class _Queue:
    """What both kinds of queues have: memory, an identifier, a doorbell."""

    def __init__(
        self, nvme: Controller, qid: int, depth: int, entry: int, buf: Buffer | None, offset: int
    ) -> None:
        if not isinstance(nvme, _core.Controller):
            raise TypeError(f"nvme must be a Controller, not {type(nvme)}")
        fabric.refuse(nvme, f"ring of queue {qid} in memory")
        if buf is not None:
            _is_buffer(buf, "buf")
        self.nvme = nvme
        self.qid = field(qid, "qid", U16)
        self.depth = depth = field(depth, "depth", U16 + 1, 1)
        offset = field(offset, "offset", U32)
        self.buf = buf if buf is not None else Buffer(offset + depth * entry, f"queue {qid}")
        self.offset = offset

    def _doorbell(self, completion: int) -> int:
        stride = 4 << (self.nvme.cap >> 32 & 0xF)
        return DOORBELLS + (2 * self.qid + completion) * stride

    def _admin(self, opcode: int, cdw10: int, cdw11: int = 0, buf: Buffer | None = None) -> int:
        """Status (SCT << 8 | SC) of an admin command."""
        status1 = self.nvme._execute(opcode, buf, cdw10=cdw10, cdw11=cdw11)[1]
        return status1 >> 1 & 0x7FF

    def _create(self, opcode: int, cdw10: int, cdw11: int) -> int:
        """The same, with the queue's part of the buffer; what the script transfers stays."""
        offset, size = self.buf.offset, self.buf.size
        self.buf.offset = self.offset
        try:
            return self._admin(opcode, cdw10, cdw11, self.buf)
        finally:
            self.buf.offset = offset
            self.buf.size = size


class SubmissionQueue(_Queue):
    """A submission queue in a Buffer. create() and delete() return the status, 0 for success.

    buf, offset: where it is, from that byte on; None: a Buffer of its own
    """

    def __init__(
        self,
        nvme: Controller,
        qid: int,
        depth: int,
        cqid: int,
        prio: int = 0,
        buf: Buffer | None = None,
        offset: int = 0,
    ) -> None:
        super().__init__(nvme, qid, depth, SQE_BYTES, buf, offset)
        self.cqid = field(cqid, "cqid", U16)
        self.prio = field(prio, "prio", 3)
        self.tail = 0

    def create(self) -> int:
        """Create I/O Submission Queue (5.2.2), physically contiguous."""
        cdw10 = (self.depth - 1) << 16 | self.qid
        cdw11 = self.cqid << 16 | self.prio << 1 | 1
        return self._create(CREATE_SQ, cdw10, cdw11)

    def delete(self) -> int:
        """Delete I/O Submission Queue (5.2.4)."""
        return self._admin(DELETE_SQ, self.qid)

    def push(self, command: Command | bytes) -> None:
        """Put an entry at the tail; ring() tells the device."""
        if not isinstance(command, Command | bytes):
            raise TypeError(f"command must be a Command or bytes, not {type(command)}")
        entry = bytes(command)
        if len(entry) != SQE_BYTES:
            raise ValueError(f"command must be {SQE_BYTES} bytes, not {len(entry)}")
        at = self.offset + self.tail * SQE_BYTES
        self.buf[at : at + SQE_BYTES] = entry
        self.tail = (self.tail + 1) % self.depth

    def ring(self, value: int | None = None) -> None:
        """Write the tail, or any `value`, to the doorbell."""
        self.nvme[self._doorbell(0)] = self.tail if value is None else value


class CompletionQueue(_Queue):
    """A completion queue in a Buffer. create() and delete() return the status, 0 for success.

    buf, offset: where it is, from that byte on; None: a Buffer of its own
    """

    def __init__(
        self,
        nvme: Controller,
        qid: int,
        depth: int,
        iv: int | None = None,
        buf: Buffer | None = None,
        offset: int = 0,
    ) -> None:
        super().__init__(nvme, qid, depth, CQE_BYTES, buf, offset)
        self.iv = None if iv is None else field(iv, "iv", U16)
        self.head = 0
        self.phase = 1

    def create(self) -> int:
        """Create I/O Completion Queue (5.2.1), physically contiguous; iv None: no interrupts."""
        cdw10 = (self.depth - 1) << 16 | self.qid
        cdw11 = 1 if self.iv is None else self.iv << 16 | 0b11
        return self._create(CREATE_CQ, cdw10, cdw11)

    def delete(self) -> int:
        """Delete I/O Completion Queue (5.2.3)."""
        return self._admin(DELETE_CQ, self.qid)

    def entry(self, index: int) -> Completion:
        """The entry at `index`, new or old."""
        at = self.offset + field(index, "index", self.depth - 1) * CQE_BYTES
        return Completion(*_CQE.unpack(self.buf[at : at + CQE_BYTES]))

    def poll(self) -> Completion | None:
        """The next completion if it is there; ring() gives its slot back."""
        entry = self.entry(self.head)
        if entry.phase != self.phase:
            return None
        self.head = (self.head + 1) % self.depth
        self.phase ^= not self.head
        return entry

    def wait(self, timeout: float = 5.0) -> Completion:
        """The next completion, and its slot given back.

        Raises TimeoutError after `timeout` seconds, SystemError when the device is gone.
        """
        until = time.monotonic() + seconds(timeout, "timeout")
        looks = 0
        while True:
            late = time.monotonic() > until
            entry = self.poll()
            if entry is not None:
                self.ring()
                return entry
            if late:
                raise TimeoutError(f"no completion in queue {self.qid} after {timeout:g} sec")
            looks += 1
            if looks > LOOKS:
                time.sleep(0.0001)
            # Finds a device that was removed; and the software SSD works when it is looked at.
            self.nvme[CSTS]

    def ring(self, value: int | None = None) -> None:
        """Write the head, or any `value`, to the doorbell."""
        self.nvme[self._doorbell(1)] = self.head if value is None else value
