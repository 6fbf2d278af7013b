"""Data pointers by hand: PRPs and SGLs over scattered memory, and lies in them (Base 4.3)."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Iterator

import nvme as d
from nvme.raw import PAGE, Sgl, prp_list

ARENA_PAGES = 96
LIST_PAGES = 8
#: An address that nothing is mapped at, for either device.
NOWHERE = 0x7FFF_FFF0_0000
GUARD = 0x5A
LONGEST_SGL_PIECE = 6000


class Memory:
    """Pages to scatter data over, and pages for lists; one for each device."""

    def __init__(self) -> None:
        self.arena = d.Buffer(ARENA_PAGES * PAGE, "arena")
        self.lists = d.Buffer(LIST_PAGES * PAGE, "lists")
        self.clean()

    def clean(self) -> None:
        self.arena[:] = bytes([GUARD]) * len(self.arena)


class Layout:
    """Where the bytes of one command are; pieces are (offset in the arena, bytes).

    A piece at -1 is a bit bucket.
    """

    pieces: list[tuple[int, int]]
    prp1 = prp2 = 0
    sgl: bytes | None = None

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.pieces = []

    def dptr(self) -> bytes:
        """The data pointer of the command."""
        return struct.pack("<QQ", self.prp1, self.prp2) if self.sgl is None else self.sgl

    def put(self, data: bytes) -> None:
        at = 0
        for offset, size in self.pieces:
            self.memory.arena[offset : offset + size] = data[at : at + size]
            at += size

    def take(self) -> list[tuple[int, bytes]]:
        """(offset in the data, bytes) of all that was to be moved to memory."""
        at, found = 0, []
        for offset, size in self.pieces:
            if offset >= 0:
                found.append((at, self.memory.arena[offset : offset + size]))
            at += size
        return found

    def clean(self) -> bool:
        """Puts the memory back; whether all around the pieces was left alone."""
        guard = bytes([GUARD])
        for offset, size in self.pieces:
            if offset >= 0:
                self.memory.arena[offset : offset + size] = guard * size
        untouched = True
        for page in self.pages():
            if self.memory.arena[page : page + PAGE] != guard * PAGE:
                self.memory.arena[page : page + PAGE] = guard * PAGE
                untouched = False
        return untouched

    def pages(self) -> Iterator[int]:
        """Arena offsets of the pages that the pieces touch, and of their neighbours."""
        touched = set()
        for offset, size in self.pieces:
            if offset >= 0:
                touched |= set(range(offset // PAGE - 1, (offset + size - 1) // PAGE + 2))
        return (page * PAGE for page in touched if 0 <= page < ARENA_PAGES)


class Prps(Layout):
    """PRP1, PRP2 and lists for `size` bytes; the same numbers make the same layout."""

    def __init__(self, memory: Memory, size: int, seed: int, lie: str = "") -> None:
        super().__init__(memory)
        rng = random.Random(seed)
        offset = rng.choice((0, 0, 4, 512, 2048, 4092, 4 * rng.randrange(1024)))
        count = -(-(offset + size) // PAGE)
        if count > ARENA_PAGES:
            offset, count = 0, min(count, ARENA_PAGES)
        pages = rng.sample(range(ARENA_PAGES), count)
        left = size
        for page in pages:
            piece = min(left, PAGE - offset)
            self.pieces.append((page * PAGE + offset, piece))
            left, offset = left - piece, 0
        base = memory.arena.phys_addr
        addresses = [base + at for at, _ in self.pieces]
        self.point(addresses, rng, lie)

    def point(self, addresses: list[int], rng: random.Random, lie: str) -> None:
        self.prp1, rest = addresses[0], addresses[1:]
        victim = rng.randrange(len(rest)) if rest else 0
        if lie == "entry offset" and len(rest) > 1:
            rest[victim] += rng.choice((4, 512))
        if len(rest) == 1:
            self.prp2 = rest[0]
        elif rest:
            self.prp2 = self.chain(rest, rng)
        if lie == "prp1 unaligned":
            self.prp1 |= rng.choice((1, 2, 3))
        if lie == "prp2 offset" and len(rest) == 1:
            self.prp2 += rng.choice((4, 512))
        if lie == "list unmapped" and len(rest) > 1:
            self.prp2 = NOWHERE
        if lie == "list unaligned" and len(rest) > 1:
            self.prp2 += rng.choice((1, 4))

    def chain(self, entries: list[int], rng: random.Random) -> int:
        """Lists that begin anywhere in a page; the last entry of a full one is the next list."""
        lists, page = self.memory.lists, 0
        room = rng.choice((512, 512, 1, 2, 3, rng.randint(1, 64)))
        first = lists.phys_addr + PAGE - 8 * room
        while len(entries) > room:
            following = lists.phys_addr + (page + 1) * PAGE
            prp_list(lists, [*entries[: room - 1], following], page * PAGE + PAGE - 8 * room)
            entries, page, room = entries[room - 1 :], page + 1, 512
        prp_list(lists, entries, page * PAGE + PAGE - 8 * room)
        return first


class Sgls(Layout):
    """An SGL for `size` bytes: data blocks in so many segments, or one block in the command."""

    def __init__(
        self,
        memory: Memory,
        size: int,
        seed: int,
        segments: int,
        buckets: bool = False,
        lie: str = "",
    ) -> None:
        super().__init__(memory)
        rng = random.Random(seed)
        if not segments:
            at = rng.randrange(PAGE)
            pieces = [min(size, ARENA_PAGES * PAGE - at)]
        else:
            pieces = list(self.cut(size, rng, segments))
        free = rng.sample(range(0, ARENA_PAGES - 1, 2), ARENA_PAGES // 2 - 1)
        blocks = []
        for piece in pieces:
            if segments:
                at = free.pop() * PAGE + rng.choice((0, 0, 1, 4, rng.randrange(2 * PAGE - piece)))
            if segments and buckets and rng.random() < 0.3:
                blocks.append(Sgl.bit_bucket(piece))
                self.pieces.append((-1, piece))
            else:
                blocks.append(Sgl.data_block(memory.arena.phys_addr + at, piece))
                self.pieces.append((at, piece))
        blocks = self.lied(blocks, rng, lie)
        self.sgl = self.chain(blocks, rng, segments, lie) if segments else blocks[0]

    def cut(self, size: int, rng: random.Random, at_least: int) -> Iterator[int]:
        """Pieces of all sizes, as many as there is room for."""
        for i in range(ARENA_PAGES // 2 - 2):
            least = -(-size // LONGEST_SGL_PIECE)
            tight = ARENA_PAGES // 2 - 2 - i <= least + 1
            whole = size if i >= at_least else max(1, size // 2)
            piece = LONGEST_SGL_PIECE if tight else rng.choice((whole, rng.randint(1, 6000), 512))
            piece = min(size, LONGEST_SGL_PIECE, piece)
            yield piece
            size -= piece
            if not size:
                return

    def lied(self, blocks: list[bytes], rng: random.Random, lie: str) -> list[bytes]:
        victim = rng.randrange(len(blocks))
        block = bytearray(blocks[victim])
        length = int.from_bytes(block[8:12], "little")
        match lie:
            case "unknown type":
                block[15] = 0x60
            case "subtype":
                block[15] |= rng.choice((1, 0xA, 0xF))
            case "too short":
                block[8:12] = (length - 1).to_bytes(4, "little")
            case "too long":
                block[8:12] = (length + 512).to_bytes(4, "little")
        return [*blocks[:victim], bytes(block), *blocks[victim + 1 :]]

    def chain(self, blocks: list[bytes], rng: random.Random, segments: int, lie: str) -> bytes:
        """Segments somewhere in pages of their own; returns the descriptor of the first."""
        cuts = sorted(rng.sample(range(1, len(blocks)), min(len(blocks), segments) - 1))
        bounds = [0, *cuts, len(blocks)]
        texts = [b"".join(blocks[a:b]) for a, b in itertools.pairwise(bounds)]
        lists, following = self.memory.lists, b""
        for i, text in reversed(list(enumerate(texts))):
            at = i * 2 * PAGE + 16 * rng.randrange(8)
            lists[at : at + len(text + following)] = text + following
            address, length = lists.phys_addr + at, len(text + following)
            if i == 0 and lie == "segment unmapped":
                address = NOWHERE
            if i == 0 and lie == "segment length":
                length += rng.choice((1, 8))
            if i == 0 and lie == "segment empty":
                length = 0
            last = not following or (i == 0 and lie == "segment after the last")
            following = Sgl.segment(address, length, last=last)
        return following
