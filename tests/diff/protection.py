"""Protection information by hand: the tuples of the NVM Command Set, section 5.3."""

from __future__ import annotations

import struct
from functools import cache, lru_cache

TUPLE_BYTES = 8
POLYNOMIAL = 0x8BB7  # T10-DIF


@cache
def table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        value <<= 8
        for _ in range(8):
            value = value << 1 ^ (POLYNOMIAL if value & 0x8000 else 0)
        return value & 0xFFFF

    return tuple(entry(value) for value in range(256))


@lru_cache(maxsize=1024)
def guard(data: bytes) -> int:
    """The 16-bit guard of one LBA."""
    crc, entries = 0, table()
    for byte in data:
        crc = crc << 8 & 0xFFFF ^ entries[crc >> 8 ^ byte]
    return crc


def tuples(data: bytes, lba_bytes: int, application: int, reference: int, step: int) -> list[bytes]:
    """One tuple for each LBA; the reference tag rises by `step`."""
    return [
        struct.pack(
            ">HHI",
            guard(data[at : at + lba_bytes]),
            application,
            (reference + i * step) & 0xFFFFFFFF,
        )
        for i, at in enumerate(range(0, len(data), lba_bytes))
    ]


def interleaved(data: bytes, lba_bytes: int, metadata: list[bytes]) -> bytes:
    """Extended LBAs: the metadata of each stands behind its data."""
    parts = (
        data[at : at + lba_bytes] + metadata[i]
        for i, at in enumerate(range(0, len(data), lba_bytes))
    )
    return b"".join(parts)
