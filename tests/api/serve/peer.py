"""A host of NVMe/TCP in a few lines, that says what it is told to, right or wrong.

TCP transport 1.1 section 3.6 (PDUs), Base 2.1 section 6 (Fabrics commands).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

ICREQ, ICRESP, H2C_TERM, C2H_TERM, CAPSULE, RESPONSE, H2C_DATA, C2H_DATA, _, R2T = range(10)
HDGST, DDGST, LAST, SUCCESS = 1, 2, 4, 8
IN_CAPSULE, TRANSPORT = 0x01, 0x5A
DYNAMIC = 0xFFFF
CAP, VS, CC, CSTS, NSSR = 0x00, 0x08, 0x14, 0x1C, 0x20
ENABLE = 0x00460001
DISCOVERY = "nqn.2014-08.org.nvmexpress.discovery"
HOST = "nqn.2019-08.org.pynvme:host:a"
TIMEOUT_S = 60
#: Of ICResp.
MAXH2CDATA = 256 << 10

TABLE = [0] * 256
for _i in range(256):
    _crc = _i
    for _bit in range(8):
        _crc = _crc >> 1 ^ (0x82F63B78 if _crc & 1 else 0)
    TABLE[_i] = _crc


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class ClosedError(Exception):
    """The target closed the connection."""


@dataclass
class Pdu:
    """What came: the header without its common part, and the data."""

    type: int
    flags: int
    pdo: int
    header: bytes
    data: bytes

    @property
    def fes(self) -> int:
        return int.from_bytes(self.header[:2], "little")

    @property
    def fei(self) -> int:
        return int.from_bytes(self.header[2:6], "little")


@dataclass
class Completion:
    """A completion queue entry."""

    cdw0: int
    cdw1: int
    sqhd: int
    cid: int
    status: int  # SCT << 8 | SC
    data: bytes = b""

    @classmethod
    def of(cls, cqe: bytes) -> Completion:
        cdw0, cdw1, sqhd, _, cid, status = struct.unpack("<IIHHHH", cqe)
        return cls(cdw0, cdw1, sqhd, cid, status >> 1 & 0x7FF)


def sqe(
    opcode: int,
    *,
    cid: int = 1,
    nsid: int = 0,
    sgl: tuple[int, int, int] = (0, 0, 0),
    cdw: tuple[int, ...] = (),
    flags: int = 0x40,
) -> bytes:
    """A submission queue entry; sgl is (address, length, type)."""
    dwords = [*cdw, *[0] * (6 - len(cdw))]
    return struct.pack("<BBHI16xQI3xB6I", opcode, flags, cid, nsid, *sgl, *dwords)


class Peer:
    """One connection to a target, which is one queue once it is connected."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.hdgst = self.ddgst = False
        self.cid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    # --- bytes and PDUs ---

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise ClosedError(f"after {len(data)} of {size} bytes")
            data += more
        return data

    def is_closed(self) -> bool:
        """Whether the target ends the connection without another word."""
        try:
            self.receive(1)
        except ClosedError:
            return True
        return False

    def pdu(
        self, kind: int, header: bytes, data: bytes = b"", flags: int = 0, **wrong: int
    ) -> bytes:
        """A PDU with its digests; `wrong` replaces hlen, pdo, plen, header_digest, data_digest."""
        hlen = 8 + len(header)
        pdo = hlen + 4 * self.hdgst if data else 0
        plen = hlen + 4 * self.hdgst + len(data) + 4 * (self.ddgst and bool(data))
        flags |= HDGST * self.hdgst | DDGST * (self.ddgst and bool(data))
        head = struct.pack(
            "<BBBBI",
            kind,
            wrong.get("flags", flags),
            wrong.get("hlen", hlen),
            wrong.get("pdo", pdo),
            wrong.get("plen", plen),
        )
        out = head + header
        if self.hdgst:
            out += struct.pack("<I", wrong.get("header_digest", crc32c(out)))
        out += data
        if self.ddgst and data:
            out += struct.pack("<I", wrong.get("data_digest", crc32c(data)))
        return out

    def get(self) -> Pdu:
        """The next PDU; its digests are right."""
        head = self.receive(8)
        kind, flags, hlen, pdo, plen = struct.unpack("<BBBBI", head)
        rest = self.receive(plen - 8)
        header, rest = rest[: hlen - 8], rest[hlen - 8 :]
        if flags & HDGST:
            assert int.from_bytes(rest[:4], "little") == crc32c(head + header)
        if not pdo:
            return Pdu(kind, flags, pdo, header, rest)
        data = rest[pdo - hlen :]
        if flags & DDGST:
            assert int.from_bytes(data[-4:], "little") == crc32c(data[:-4])
            data = data[:-4]
        return Pdu(kind, flags, pdo, header, data)

    # --- the steps of a connection ---

    def icreq(
        self, *, hdgst: bool = False, ddgst: bool = False, hpda: int = 0, pfv: int = 0
    ) -> Pdu:
        dgst = hdgst | ddgst << 1
        self.send(self.pdu(ICREQ, struct.pack("<HBBI112x", pfv, hpda, dgst, 0)))
        answer = self.get()
        if answer.type == ICRESP:
            self.hdgst, self.ddgst = hdgst, ddgst
        return answer

    def command(self, entry: bytes, data: bytes = b"") -> Completion:
        """A capsule to its completion, with what was read; data is asked for, if by transport."""
        in_capsule = data if entry[39] != TRANSPORT else b""
        self.send(self.pdu(CAPSULE, entry, in_capsule))
        return self.completion(data)

    def completion(self, data: bytes = b"") -> Completion:
        read = b""
        while True:
            pdu = self.get()
            if pdu.type == RESPONSE:
                done = Completion.of(pdu.header)
                done.data = read
                return done
            if pdu.type == R2T:
                self.send_data(pdu, data)
            elif pdu.type == C2H_DATA:
                read += pdu.data
                if pdu.flags & SUCCESS:
                    return Completion(0, 0, 0, int.from_bytes(pdu.header[:2], "little"), 0, read)
            else:
                raise AssertionError(pdu)

    def completion_of_many(self, count: int) -> list[int]:
        """The CIDs of the next `count` commands to end, in that order; all succeeded."""
        found = [self.completion() for _ in range(count)]
        assert not any(done.status for done in found)
        return [done.cid for done in found]

    def send_data(self, r2t: Pdu, data: bytes) -> None:
        cid, tag, offset, length = struct.unpack("<HHII4x", r2t.header)
        end = offset + length
        for at in range(offset, end, MAXH2CDATA):
            piece = data[at : min(at + MAXH2CDATA, end)]
            self.send(self.data(cid, tag, at, piece, LAST * (at + len(piece) == end)))

    def data(self, cid: int, tag: int, offset: int, data: bytes, flags: int, **wrong: int) -> bytes:
        header = struct.pack("<HHII4x", cid, tag, offset, wrong.get("datal", len(data)))
        return self.pdu(H2C_DATA, header, data, flags, **wrong)

    def next_cid(self) -> int:
        self.cid = self.cid + 1 & 0x7FFF
        return self.cid

    # --- Fabrics commands ---

    def connect(
        self,
        nqn: str,
        qid: int = 0,
        cntlid: int = DYNAMIC,
        *,
        host: str = HOST,
        sqsize: int = 31,
        kato_ms: int = 0,
        sqflow: bool = True,
        recfmt: int = 0,
    ) -> Completion:
        entry = struct.pack(
            "<BBHB19xQI3xBHHHBxI12x",
            *(0x7F, 0x40, self.next_cid(), 1, 0, 1024, IN_CAPSULE),
            *(recfmt, qid, sqsize, 0 if sqflow else 4, kato_ms),
        )
        data = struct.pack(
            "<16sH238x256s256s256x", b"host-identifier!", cntlid, nqn.encode(), host.encode()
        )
        return self.command(entry, data)

    def property_get(self, offset: int, size: int = 0) -> Completion:
        entry = struct.pack("<BBHB35xB3xI16x", 0x7F, 0x40, self.next_cid(), 4, size, offset)
        return self.command(entry)

    def property_set(self, offset: int, value: int, size: int = 0) -> Completion:
        entry = struct.pack("<BBHB35xB3xIQ8x", 0x7F, 0x40, self.next_cid(), 0, size, offset, value)
        return self.command(entry)

    def disconnect(self) -> Completion:
        return self.command(struct.pack("<BBHB59x", 0x7F, 0x40, self.next_cid(), 8))

    def enable(self) -> None:
        self.property_set(CC, ENABLE)
        while not self.property_get(CSTS).cdw0 & 1:
            pass

    # --- commands ---

    def identify(self, cns: int = 1, nsid: int = 0) -> Completion:
        return self.command(
            sqe(6, cid=self.next_cid(), nsid=nsid, sgl=(0, 4096, TRANSPORT), cdw=(cns,))
        )

    def read(self, slba: int, nlb: int, room: int = 0) -> Completion:
        return self.command(
            sqe(
                2,
                cid=self.next_cid(),
                nsid=1,
                sgl=(0, room or nlb * 512, TRANSPORT),
                cdw=(slba, 0, nlb - 1),
            )
        )

    def write(self, slba: int, data: bytes, kind: int = TRANSPORT) -> Completion:
        return self.command(
            sqe(
                1,
                cid=self.next_cid(),
                nsid=1,
                sgl=(0, len(data), kind),
                cdw=(slba, 0, len(data) // 512 - 1),
            ),
            data,
        )


def admin(address: str, nqn: str, **connect: object) -> Peer:
    """A connected and enabled admin queue; its controller is .cntlid."""
    peer = Peer(address)
    peer.icreq()
    done = peer.connect(nqn, **connect)  # type: ignore[arg-type]
    assert not done.status, hex(done.status)
    peer.cntlid = done.cdw0  # type: ignore[attr-defined]
    peer.enable()
    return peer


def queue(address: str, nqn: str, cntlid: int, qid: int = 1, **connect: object) -> Peer:
    """A connected I/O queue of that controller."""
    peer = Peer(address)
    peer.icreq()
    done = peer.connect(nqn, qid, cntlid, **connect)  # type: ignore[arg-type]
    assert not done.status, hex(done.status)
    return peer
