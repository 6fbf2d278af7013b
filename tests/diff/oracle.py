"""What the LBAs of one device hold, as far as its answers allow to know."""

from __future__ import annotations

import random
from functools import lru_cache

from diff.steps import HEAD, TAIL


@lru_cache(maxsize=4096)
def pattern(seed: int, size: int) -> bytes:
    """Data to write; no two seeds have the same."""
    return random.Random(seed).randbytes(size)


class Oracle:
    """The data of one namespace, in the window that steps touch. LBAs outside are not kept."""

    def __init__(self, lba_bytes: int, lbas: int) -> None:
        self.reset(lba_bytes, lbas)

    def reset(self, lba_bytes: int, lbas: int, pi: int = 0, extended: bool = False) -> None:
        """All zeros: what deallocated LBAs read as, and what Format leaves."""
        self.lba_bytes = lba_bytes
        self.pi = pi
        self.extended = extended
        self.lbas = lbas
        self.zeros = bytes(lba_bytes)
        self.kept: dict[int, bytes] = {}
        self.unknown: set[int] = set()

    def window(self) -> list[tuple[int, int]]:
        """The parts of the namespace that steps touch, as SLBA and number of LBAs."""
        return [(0, HEAD), (self.lbas - TAIL, TAIL)]

    def at(self, slba: int) -> int:
        """An SLBA of a step: below zero it counts from the end."""
        return self.lbas + slba if slba < 0 else slba

    def inside(self, slba: int, nlb: int) -> bool:
        return slba + nlb <= self.lbas

    def data(self, slba: int, nlb: int) -> bytes:
        return b"".join(self.kept.get(lba, self.zeros) for lba in range(slba, slba + nlb))

    def known(self, slba: int, nlb: int) -> bool:
        return self.unknown.isdisjoint(range(slba, slba + nlb))

    def store(self, slba: int, data: bytes) -> None:
        for at in range(0, len(data), self.lba_bytes):
            self.unknown.discard(slba)
            self.kept[slba] = data[at : at + self.lba_bytes]
            slba += 1

    def clear(self, slba: int, nlb: int) -> None:
        for lba in range(slba, slba + nlb):
            self.unknown.discard(lba)
            self.kept.pop(lba, None)

    def differs(self, slba: int, data: bytes) -> str:
        """Where data that was read is not what it must be; '' where it is."""
        for at in range(0, len(data), self.lba_bytes):
            lba = slba + at // self.lba_bytes
            expected, got = self.kept.get(lba, self.zeros), data[at : at + self.lba_bytes]
            if got != expected and lba not in self.unknown:
                byte = next(i for i in range(self.lba_bytes) if got[i] != expected[i])
                wanted = expected[byte : byte + 8].hex()
                return f"LBA {lba:#x} byte {byte}: {got[byte : byte + 8].hex()}, not {wanted}"
        return ""
