"""A small NVMe/TCP target in Python: one subsystem in RAM, and as many lies as a test wants.

Speed is no aim. A test sets attributes of it, or a `hook`, which sees every command first.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

CH = struct.Struct("<BBBBI")
ICREQ = struct.Struct("<BBBBIHBBI112x")
CQE = struct.Struct("<QHHHH")
DATA = struct.Struct("<HHII4x")

IC_REQ, IC_RESP, H2C_TERM, C2H_TERM, CAPSULE, RESPONSE, H2C_DATA, C2H_DATA, R2T = (
    *range(8),
    9,
)
HDGST, DDGST, LAST, SUCCESS = 1, 2, 4, 8
SUBSYSTEM = "nqn.2026-01.org.example:fake"
DISCOVERY = "nqn.2014-08.org.nvmexpress.discovery"
LBA_BYTES = 512
CAP = 1 << 37 | 2 << 24 | 1 << 16 | 127  # NVM command set, 1 s, contiguous, 128 entries
VS = 0x20100
INVALID_FIELD = 0x2002


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def crc32c(data: bytes) -> bytes:
    """CRC32C of a header or of data, as it stands on the wire."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


@dataclass
class Command:
    """A command capsule."""

    raw: bytes
    data: bytes

    @property
    def opcode(self) -> int:
        return self.raw[0]

    @property
    def cid(self) -> int:
        return int.from_bytes(self.raw[2:4], "little")

    @property
    def fctype(self) -> int:
        return self.raw[4]

    @property
    def length(self) -> int:
        """Of the transfer, as the SGL descriptor says."""
        return int.from_bytes(self.raw[32:36], "little")

    @property
    def in_capsule(self) -> bool:
        return self.raw[39] == 0x01

    def dword(self, i: int) -> int:
        return int.from_bytes(self.raw[4 * i : 4 * i + 4], "little")

    @property
    def slba(self) -> int:
        return self.dword(10) | self.dword(11) << 32


class Hangup(Exception):
    """The connection is over."""


Hook = Callable[["Connection", Command], bool]


@dataclass
class Target:
    """Listens from the start on. As a context manager, it hangs up on everybody at the end.

    hook(connection, command) -> True: it has dealt with the command
    """

    lbas: int = 4096
    maxh2cdata: int = 8192
    ioccsz: int = (64 + 4096) // 16
    cpda: int = 0
    piece: int = 1 << 30  # data of a C2HData PDU
    grant: int = 1 << 30  # data of an R2T
    success: bool = False
    flow_control: bool = False
    digests: int = 3
    greeting: Callable[[Connection], None] | None = None
    hook: Hook | None = None
    entries: list[bytes] | None = None
    ofcs: int = 1
    keep_alives: int = 0
    cfs: bool = False
    terms: list[tuple[int, int]] = field(default_factory=list)
    commands: list[tuple[Connection, Command]] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.media = bytearray(self.lbas * LBA_BYTES)
        self.controllers: dict[int, dict[int, int]] = {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"{self.host}/{SUBSYSTEM}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()
        self.thread.join()

    def hang_up(self, qid: int | None = None) -> None:
        """End connections, all or those of a queue."""
        for connection in list(self.connections):
            if qid is None or connection.qid == qid:
                connection.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock)
            self.connections.append(connection)
            connection.thread.start()

    def of(self, qid: int) -> Connection:
        """The newest connection of a queue."""
        return [c for c in self.connections if c.qid == qid][-1]


class Connection:
    """One connection, which becomes one queue."""

    def __init__(self, target: Target, sock: socket.socket) -> None:
        self.target = target
        self.sock = sock
        self.qid = -1
        self.discovery = False
        self.digests = 0
        self.cntlid = 0
        self.held: list[Command] = []
        self.send_lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)

    @property
    def sqhd(self) -> int:
        return 0 if self.target.flow_control else 0xFFFF

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            if self.target.greeting:
                self.target.greeting(self)
            self._greet()
            while True:
                self._serve()
        except (Hangup, OSError):
            pass
        finally:
            self.sock.close()
            if self in self.target.connections:
                self.target.connections.remove(self)

    # --- bytes ---

    def read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self.sock.recv(length - len(data))
            if not piece:
                raise Hangup
            data += piece
        return data

    def send(self, data: bytes) -> None:
        with self.send_lock:
            self.sock.sendall(data)

    def pdu(
        self,
        kind: int,
        specific: bytes,
        data: bytes | None = None,
        flags: int = 0,
        **wrong: int,
    ) -> bytes:
        """A PDU with its digests. wrong: fields of the header that are to be a lie."""
        hlen = CH.size + len(specific)
        digest = 4 if self.digests & HDGST else 0
        flags |= self.digests & HDGST
        pdo, plen = 0, hlen + digest
        if data is not None:
            flags |= self.digests & DDGST
            pdo, plen = plen, plen + len(data) + (4 if self.digests & DDGST else 0)
        values = {"kind": kind, "flags": flags, "hlen": hlen, "pdo": pdo, "plen": plen, **wrong}
        header = CH.pack(*values.values()) + specific
        out = header + (crc32c(header) if digest else b"")
        if data is not None:
            out += data + (crc32c(data) if self.digests & DDGST else b"")
        return out

    def complete(self, command: Command, status: int = 0, result: int = 0) -> None:
        """A response capsule; status is the upper half of dword 3 without the phase, times 2."""
        cqe = CQE.pack(result, self.sqhd, 0, command.cid, status << 1)
        self.send(self.pdu(RESPONSE, cqe))

    def give(self, command: Command, data: bytes) -> None:
        """Data of a command, and its completion."""
        at = 0
        out = b""
        while at < len(data):
            piece = data[at : at + self.target.piece]
            last = at + len(piece) == len(data)
            flags = (LAST if last else 0) | (SUCCESS if last and self.target.success else 0)
            specific = DATA.pack(command.cid, 0, at, len(piece))
            out += self.pdu(C2H_DATA, specific, piece, flags)
            at += len(piece)
        if not self.target.success:
            out += self.pdu(RESPONSE, CQE.pack(0, self.sqhd, 0, command.cid, 0))
        self.send(out)

    def take(self, command: Command) -> bytes:
        """Data of a command, by as many R2Ts as it takes."""
        data = b""
        while len(data) < command.length:
            want = min(command.length - len(data), self.target.grant)
            self.send(self.pdu(R2T, DATA.pack(command.cid, 7, len(data), want)))
            data += self._granted(command, len(data), want)
        return data

    def _granted(self, command: Command, at: int, want: int) -> bytes:
        data = b""
        while len(data) < want:
            kind, flags, specific, piece = self._read_pdu()
            cccid, ttag, offset, length = DATA.unpack(specific)
            assert (kind, cccid, ttag) == (H2C_DATA, command.cid, 7)
            assert (offset, length) == (at + len(data), len(piece))
            assert length <= self.target.maxh2cdata
            data += piece
            assert bool(flags & LAST) == (len(data) == want)
        return data

    # --- PDUs ---

    def _greet(self) -> None:
        fields = ICREQ.unpack(self.read(ICREQ.size))
        agreed = fields[7] & self.target.digests
        self.send(
            ICREQ.pack(IC_RESP, 0, 128, 0, 128, 0, self.target.cpda, agreed, self.target.maxh2cdata)
        )
        self.digests = agreed

    def _read_pdu(self) -> tuple[int, int, bytes, bytes]:
        head = self.read(CH.size)
        kind, flags, hlen, pdo, plen = CH.unpack(head)
        if kind == H2C_TERM:
            rest = self.read(plen - CH.size)
            self.target.terms.append(struct.unpack_from("<HI", rest))
            raise Hangup
        specific = self.read(hlen - CH.size)
        at = hlen
        if self.digests & HDGST:
            assert self.read(4) == crc32c(head + specific)
            at += 4
        data = b""
        if pdo:
            pad = (self.target.cpda + 1) * 4
            assert pdo % pad == 0
            self.read(pdo - at)
            tail = 4 if self.digests & DDGST else 0
            data = self.read(plen - pdo - tail)
            if tail:
                assert self.read(4) == crc32c(data)
        return kind, flags, specific, data

    def _serve(self) -> None:
        kind, _, specific, data = self._read_pdu()
        assert kind == CAPSULE
        command = Command(specific, data)
        self.target.commands.append((self, command))
        if self.target.hook and self.target.hook(self, command):
            return
        if command.opcode == 0x7F:
            self._fabrics(command)
        elif self.qid:
            self._io(command)
        else:
            self._admin(command)

    def _fabrics(self, command: Command) -> None:
        if command.fctype == 0x01:
            self._connect(command)
        elif command.fctype == 0x00:
            self.registers[command.dword(11)] = command.dword(12)
            self.complete(command)
        elif command.fctype == 0x04:
            self._property_get(command)
        else:
            self.complete(command)
            if command.fctype == 0x08:
                raise Hangup

    def _connect(self, command: Command) -> None:
        self.qid = int.from_bytes(command.raw[42:44], "little")
        subnqn = command.data[256:512].rstrip(b"\0").decode()
        self.discovery = subnqn == DISCOVERY
        if subnqn not in (SUBSYSTEM, DISCOVERY):
            self.complete(command, 0x182, 0x10000 | 256)
            return
        self.cntlid = int.from_bytes(command.data[16:18], "little")
        if not self.qid:
            self.cntlid = len(self.target.controllers) + 1
            self.target.controllers[self.cntlid] = {}
        self.complete(command, 0, self.cntlid)

    @property
    def registers(self) -> dict[int, int]:
        return self.target.controllers[self.cntlid]

    def _property_get(self, command: Command) -> None:
        offset, wide = command.dword(11), command.raw[40] & 7
        cc = self.registers.get(0x14, 0)
        shst = 2 << 2 if cc >> 14 & 3 else 0
        csts = (cc & 1) | shst | (2 if self.target.cfs else 0)
        values = {0: CAP, 8: VS, 0x14: cc, 0x1C: csts}
        if offset not in values or bool(wide) != (offset == 0):
            self.complete(command, INVALID_FIELD)
        else:
            self.complete(command, 0, values[offset])

    # --- commands ---

    def _admin(self, command: Command) -> None:
        if command.opcode == 0x06:
            self.give(command, self._identify(command.dword(10) & 0xFF))
        elif command.opcode == 0x02:
            self.give(command, self._log(command))
        elif command.opcode == 0x09 and command.dword(10) & 0xFF == 7:
            self.complete(command, 0, 3 << 16 | 3)
        elif command.opcode == 0x0C:
            self.held.append(command)
        elif command.opcode == 0x18:
            self.target.keep_alives += 1
            self.complete(command)
        elif command.opcode in (0x11, 0x81) and not command.in_capsule:
            self.take(command)
            self.complete(command)
        else:
            self.complete(command)

    def _identify(self, cns: int) -> bytes:
        data = bytearray(4096)
        if cns == 0:
            struct.pack_into("<QQQ", data, 0, self.target.lbas, self.target.lbas, 0)
            data[130] = 9
        elif cns == 1:
            data[4:24] = b"FAKE".ljust(20)
            data[24:64] = b"a target of the tests".ljust(40)
            data[77] = 5
            data[259] = 3
            struct.pack_into("<I", data, 516, 1)
            struct.pack_into("<IIH", data, 1792, self.target.ioccsz, 1, 0)
            struct.pack_into("<H", data, 1804, self.target.ofcs)
        elif cns == 2:
            struct.pack_into("<I", data, 0, 1)
        return bytes(data)

    def _log(self, command: Command) -> bytes:
        length = ((command.dword(10) >> 16 | (command.dword(11) & 0xFFFF) << 16) + 1) * 4
        offset = command.dword(12)
        log = b""
        if command.dword(10) & 0xFF == 0x70:
            entries = self.target.entries
            if entries is None:
                entries = [entry(2, "127.0.0.1", self.target.port, SUBSYSTEM)]
            log = struct.pack("<QQH1006x", 1, len(entries), 0) + b"".join(entries)
        return log[offset : offset + length].ljust(length, b"\0")

    def _io(self, command: Command) -> None:
        start = command.slba * LBA_BYTES
        length = ((command.dword(12) & 0xFFFF) + 1) * LBA_BYTES
        if command.opcode in (1, 2, 8) and start + length > len(self.target.media):
            self.complete(command, 0x80)
        elif command.opcode == 2:
            self.give(command, bytes(self.target.media[start : start + length]))
        elif command.opcode == 1:
            data = command.data if command.in_capsule else self.take(command)
            assert len(data) == length
            self.target.media[start : start + length] = data
            self.complete(command)
        else:
            self.complete(command)


def entry(subtype: int, host: str, port: int | str, nqn: str, trtype: int = 3) -> bytes:
    """An entry of the discovery log."""
    return struct.pack(
        "<BBBBHHHH20x32s192x256s256s256x",
        trtype,
        1,
        subtype,
        0,
        1,
        0xFFFF,
        32,
        0,
        str(port).encode().ljust(32),
        nqn.encode(),
        host.encode().ljust(256),
    )
