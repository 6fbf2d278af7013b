"""Firmware images for the software SSD.

An image is valid for it if it begins with this header of 64 bytes, little endian:
magic ``PYNVMEFW``, length of the whole image, CRC32C of everything behind the CRC, and the
Firmware Revision that the drive shows once the image is active.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from nvme.command_line import EXIT_CODES, Parser, UsageError, guarded

PROG = "pynvme sim firmware"
MAGIC = b"PYNVMEFW"
HEADER_BYTES = 64
MAX_BYTES = 16 << 20
REVISION_BYTES = 8
POLYNOMIAL = 0x82F63B78  # CRC32C, reflected


def _table() -> list[int]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        entries.append(value)
    return entries


def crc32c(data: bytes) -> int:
    """The checksum of iSCSI and NVMe."""
    table = _table()
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def build(payload: bytes, fr: str) -> bytes:
    """An image around ``payload`` that turns the drive's Firmware Revision into ``fr``.

    The image is padded to a multiple of 4 bytes, the unit of Firmware Image Download.
    """
    if not fr.isascii() or not fr.isprintable() or not fr.strip() or len(fr) > REVISION_BYTES:
        raise ValueError(f"a firmware revision is 1 to 8 printable ASCII characters, not {fr!r}")
    tail = fr.encode().ljust(REVISION_BYTES) + bytes(HEADER_BYTES - 24) + payload
    tail += bytes(-len(tail) % 4)
    size = len(tail) + 16
    if size > MAX_BYTES:
        raise ValueError(f"an image of {size} bytes; the drive takes at most {MAX_BYTES}")
    return MAGIC + struct.pack("<II", size, crc32c(tail)) + tail


def _main(argv: Sequence[str]) -> int:
    parser = Parser(
        prog=PROG, description="Make a firmware image for the software SSD.", epilog=EXIT_CODES
    )
    parser.add_argument("image", type=Path, help="the file to write")
    parser.add_argument(
        "--fr",
        default="2.0",
        metavar="REVISION",
        help="Firmware Revision once active, 1 to 8 ASCII characters (default: %(default)s)",
    )
    parser.add_argument(
        "--payload", type=Path, metavar="FILE", help="put into it (default: 64 KiB of zeros)"
    )
    args = parser.parse_args(argv)
    payload = args.payload.read_bytes() if args.payload else bytes(65536)
    try:
        image = build(payload, args.fr)
    except ValueError as error:
        raise UsageError(f"--fr, --payload: {error}") from None
    args.image.write_bytes(image)
    print(f"{args.image}: {len(image)} bytes, revision {args.fr}")
    return 0


def main(argv: Sequence[str]) -> int:
    """``pynvme sim firmware``: write an image; returns the exit code."""
    return guarded(PROG, lambda: _main(argv))
