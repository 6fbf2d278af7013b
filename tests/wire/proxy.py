"""A TCP proxy between a host and a target that does to PDUs what a bad network or a bad peer does.

It knows where a PDU begins and ends (NVMe/TCP Transport, Common Header: HLEN at byte 2, PDO at byte
3, PLEN at bytes 4 to 7), so that a fault can be aimed at a header or at data, and counted. One
thread serves all connections; all chance comes from one seed.
"""

from __future__ import annotations

import random
import selectors
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 1 << 18
#: What waits for one side; beyond it nothing more is read from the other.
HELD_BYTES = 4 << 20
HEADER = struct.Struct("<BBBBI")
TO_TARGET, TO_HOST = "to target", "to host"

IC_REQ, IC_RESP, H2C_TERM, C2H_TERM = 0x00, 0x01, 0x02, 0x03
CAPSULE_CMD, CAPSULE_RESP, H2C_DATA, C2H_DATA, R2T = 0x04, 0x05, 0x06, 0x07, 0x09
HAS_DATA = (CAPSULE_CMD, H2C_DATA, C2H_DATA)


@dataclass
class Pdu:
    """One PDU on its way."""

    direction: str
    #: Number of the connection, in the order in which they were accepted.
    connection: int
    data: bytearray

    @property
    def type(self) -> int:
        return self.data[0]

    @property
    def header(self) -> range:
        """Its bytes that a header digest covers."""
        return range(min(self.data[2], len(self.data)))

    @property
    def payload(self) -> range:
        """Its data, without the digest behind it."""
        digest = 4 if self.data[1] & 2 else 0
        begin = self.data[3]
        return range(begin, len(self.data) - digest) if begin else range(0)


class Ended(Exception):
    """The connection is over; ``hard`` for RST in place of FIN."""

    def __init__(self, hard: bool) -> None:
        super().__init__("ended by a fault")
        self.hard = hard


class Fault:
    """Forwards what it gets. Subclasses do less, or more.

    A piece is (seconds to wait before it, bytes).
    """

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        #: How many times it has struck.
        self.count = 0

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        yield 0.0, bytes(pdu.data)


class Split(Fault):
    """Sends pieces of 1 to ``most`` bytes, each by itself."""

    def __init__(self, most: int = 1, seed: int = 0) -> None:
        super().__init__(seed)
        self.most = most

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        at = 0
        while at < len(pdu.data):
            size = self.random.randint(1, self.most)
            yield 0.0, bytes(pdu.data[at : at + size])
            at += size
            self.count += 1


class Coalesce(Fault):
    """Holds every PDU back for a moment, so that several arrive as one."""

    def __init__(self, hold_s: float = 0.002, seed: int = 0) -> None:
        super().__init__(seed)
        self.hold_s = hold_s

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        self.count += 1
        yield self.hold_s, bytes(pdu.data)


class Aimed(Fault):
    """A fault that strikes some PDUs only.

    direction: TO_TARGET, TO_HOST, or "" for both; types: PDU types; probability: of each of them;
    after: how many of them pass first; most: how many are struck, at most
    """

    def __init__(
        self,
        direction: str = "",
        types: tuple[int, ...] = (),
        probability: float = 1.0,
        after: int = 0,
        most: int | None = None,
        connection: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self.direction, self.types, self.probability = direction, types, probability
        self.after, self.most, self.connection = after, most, connection

    def strikes(self, pdu: Pdu) -> bool:
        if self.direction not in ("", pdu.direction) or (self.types and pdu.type not in self.types):
            return False
        if self.connection not in (None, pdu.connection):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.most is not None and self.count >= self.most:
            return False
        if self.random.random() >= self.probability:
            return False
        self.count += 1
        return True


class Corrupt(Aimed):
    """Flips one bit of the header, or of the data; a PDU that has no data passes."""

    def __init__(self, part: str = "payload", **aim: object) -> None:
        super().__init__(**aim)  # type: ignore[arg-type]
        self.part = part

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        where = pdu.payload if self.part == "payload" else pdu.header
        if len(where) and self.strikes(pdu):
            pdu.data[self.random.choice(where)] ^= 1 << self.random.randrange(8)
        yield 0.0, bytes(pdu.data)


class Truncate(Aimed):
    """Sends a part of the PDU, then closes both connections."""

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        if self.strikes(pdu):
            yield 0.0, bytes(pdu.data[: self.random.randrange(len(pdu.data))])
            raise Ended(hard=False)
        yield 0.0, bytes(pdu.data)


class Reset(Aimed):
    """Sends a part of the PDU, then resets both connections (RST)."""

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        if self.strikes(pdu):
            yield 0.0, bytes(pdu.data[: self.random.randrange(len(pdu.data))])
            raise Ended(hard=True)
        yield 0.0, bytes(pdu.data)


class Stall(Aimed):
    """Nothing comes any more in this direction of this connection, which stays open."""

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        yield (float("inf") if self.strikes(pdu) else 0.0), bytes(pdu.data)


class Delay(Aimed):
    """The PDU, and all behind it, come late."""

    def __init__(self, seconds: float, **aim: object) -> None:
        super().__init__(**aim)  # type: ignore[arg-type]
        self.seconds = seconds

    def pieces(self, pdu: Pdu) -> Iterator[tuple[float, bytes]]:
        yield (self.seconds if self.strikes(pdu) else 0.0), bytes(pdu.data)


@dataclass(eq=False)
class Way:
    """One direction of one connection."""

    direction: str
    connection: int
    source: socket.socket
    sink: socket.socket
    gathered: bytearray = field(default_factory=bytearray)
    #: (when it may go, bytes); an end is (when, Ended)
    waiting: deque[tuple[float, bytes | Ended]] = field(default_factory=deque)
    held: int = 0

    def pdus(self) -> Iterator[Pdu]:
        """Whole PDUs of what was gathered. Bytes that are no PDU pass as they are."""
        while len(self.gathered) >= HEADER.size:
            length = HEADER.unpack_from(self.gathered)[4]
            if not HEADER.size <= length <= HELD_BYTES:
                length = len(self.gathered)
            if len(self.gathered) < length:
                return
            pdu = Pdu(self.direction, self.connection, self.gathered[:length])
            del self.gathered[:length]
            yield pdu

    def queue(self, fault: Fault, now: float) -> None:
        for pdu in self.pdus():
            try:
                for wait_s, piece in fault.pieces(pdu):
                    due = max(now, self.waiting[-1][0] if self.waiting else now)
                    self.waiting.append((due + wait_s, piece))
                    self.held += len(piece)
            except Ended as end:
                self.waiting.append((now, end))
                return


class Proxy:
    """Listens on a free port of 127.0.0.1 and forwards to a target; a context manager.

    ``address`` is "127.0.0.1:PORT" with the "/nqn" of the target behind it, if there is one.
    ``fault`` may be set anew at any time.
    """

    def __init__(self, target: str, fault: Fault | None = None) -> None:
        where, slash, nqn = target.partition("/")
        host, _, port = where.rpartition(":")
        self.subsystem = slash + nqn
        self.target = (host, int(port))
        self.fault = fault or Fault()
        self.accepted = 0
        self.ways: list[Way] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.waker, self.woken = socket.socketpair()
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.stopping = False
        self.thread = threading.Thread(target=self.run, name="proxy", daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}{self.subsystem}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections and the thread."""
        self.stopping = True
        self.waker.send(b"x")
        self.thread.join()
        self.waker.close()
        self.woken.close()

    def run(self) -> None:
        while not self.stopping:
            for key, events in self.selector.select(self.patience()):
                if key.fileobj is self.listener:
                    self.accept()
                elif isinstance(key.data, list):
                    self.serve(key.data, events)
            now = time.monotonic()
            for way in list(self.ways):
                self.forward(way, now)
        for way in list(self.ways):
            self.end(way.connection, hard=False)
        self.listener.close()
        self.selector.close()

    def patience(self) -> float | None:
        """Until the first piece is due that waits for its time; None if there is none."""
        now = time.monotonic()
        first = min((way.waiting[0][0] for way in self.ways if way.waiting), default=float("inf"))
        return None if first == float("inf") else max(0.0, first - now)

    def accept(self) -> None:
        host, _ = self.listener.accept()
        try:
            target = socket.create_connection(self.target, timeout=10)
        except OSError:
            host.close()
            return
        number, self.accepted = self.accepted, self.accepted + 1
        ways = [Way(TO_TARGET, number, host, target), Way(TO_HOST, number, target, host)]
        for side in (host, target):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(side, selectors.EVENT_READ, ways)
        self.ways += ways

    def serve(self, ways: list[Way], events: int) -> None:
        for way in ways:
            if way not in self.ways or way.held > HELD_BYTES:
                continue
            try:
                data = way.source.recv(CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                self.end(way.connection, hard=True)
                return
            if not data:
                # What was sent before the end still goes through, but for what never should.
                self.forward(way, sys.float_info.max)
                self.end(way.connection, hard=False)
                return
            way.gathered += data
            way.queue(self.fault, time.monotonic())

    def forward(self, way: Way, now: float) -> None:
        """Sends what is due; a sink that takes nothing is tried again a moment later."""
        while way.waiting and way.waiting[0][0] <= now:
            due, piece = way.waiting[0]
            if isinstance(piece, Ended):
                self.end(way.connection, piece.hard)
                return
            try:
                sent = way.sink.send(piece)
            except BlockingIOError:
                way.waiting[0] = (time.monotonic() + 0.001, piece)
                return
            except OSError:
                self.end(way.connection, hard=True)
                return
            way.held -= sent
            if sent == len(piece):
                way.waiting.popleft()
            else:
                way.waiting[0] = (due, piece[sent:])

    def end(self, number: int, hard: bool) -> None:
        """Closes both sides of a connection; hard: by RST."""
        for way in [way for way in self.ways if way.connection == number]:
            self.ways.remove(way)
            if way.direction == TO_TARGET:
                for side in (way.source, way.sink):
                    self.selector.unregister(side)
                    if hard:
                        linger = struct.pack("ii", 1, 0)
                        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    side.close()
