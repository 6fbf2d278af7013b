"""What two devices must have in common in the data of Identify and Get Log Page."""

from __future__ import annotations

import struct
from typing import Any

#: Fields of Identify Controller that say how a device behaves in what the steps do.
CONTROLLER = {
    "ver": (80, 84),
    "aerl": (259, 260),
    "mdts": (77, 78),
    "sqes": (512, 513),
    "cqes": (513, 514),
    "vwc": (525, 526),
    "sgls supported": (536, 537),
}
#: Commands that both devices have, by log page 05h: admin, then NVM.
ADMIN = (0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0C, 0x15, 0x80)
NVM = (0x00, 0x01, 0x02, 0x05, 0x08, 0x09, 0x0C, 0x19)


def identify_view(cns: int, data: bytes, nsid: int) -> Any:
    """What must agree; lists and zeros whole, descriptions of the device by field."""
    if cns in (0x00, 0x11):
        return namespace_view(data)
    if cns == 0x01:
        return {name: data[a:b].hex() for name, (a, b) in CONTROLLER.items()}
    if cns in (0x12, 0x13):
        return data[0]  # how many controllers; identifiers are the device's
    if cns in (0x02, 0x07, 0x10, 0x1A):
        return [entry for (entry,) in struct.iter_unpack("<I", data) if entry]
    if cns == 0x03:
        return descriptors_view(data)
    if cns in (0x05, 0x06, 0x08, 0x1C):
        return "data"  # younger than the version that either claims; see the specification's tables
    return data.rstrip(b"\0").hex()


def namespace_view(data: bytes) -> Any:
    """Sizes and the format in use; all of it where the namespace is not active."""
    if not any(data):
        return "zeros"
    nsze, ncap = struct.unpack_from("<QQ", data)
    index = data[26] & 0xF
    ms, lbads = struct.unpack_from("<HB", data, 128 + 4 * index)
    return {"nsze": nsze, "ncap": ncap, "ms": ms, "lbads": lbads, "dps": data[29]}


def descriptors_view(data: bytes) -> Any:
    """Whether the list of descriptors is well made, and that it has the command set (1.4)."""
    at = 0
    while data[at]:
        kind, size = data[at], data[at + 1]
        if size != {1: 8, 2: 16, 3: 16, 4: 1}.get(kind):
            return f"descriptor of type {kind} with {size} bytes"
        at += 4 + size
    return "list" if not any(data[at:]) else "bytes behind the list"


def log_view(lid: int, data: bytes, offset: int, before: bytes, expected: tuple[int, int]) -> Any:
    """What must agree in a log page that was read from an offset."""
    if lid == 0x02:
        return smart_view(data, offset, before, expected)
    if lid == 0x04:
        return data.hex()
    if lid == 0x05:
        return effects_view(data, offset)
    if lid == 0x03 and not offset:
        return {"afi": data[0]}
    return "data"


def smart_view(data: bytes, offset: int, before: bytes, expected: tuple[int, int]) -> Any:
    """What was counted since the sequence began, where the page was read whole.

    Of reads and writes only what was counted beyond those that were sent.
    """
    if offset or len(data) < 512:
        return "data"

    def counted(at: int) -> int:
        now, then = (int.from_bytes(page[at : at + 16], "little") for page in (data, before))
        return now - then

    return {
        "critical warning": data[0],
        "more reads": counted(64) - expected[0],
        "more writes": counted(80) - expected[1],
        "power cycles": counted(112),
        "unsafe shutdowns": counted(144),
    }


def effects_view(data: bytes, offset: int) -> Any:
    """Whether the commands that both must have are there."""
    if offset or len(data) < 4096:
        return "data"
    supported = [data[4 * opc] & 1 for opc in ADMIN] + [data[1024 + 4 * opc] & 1 for opc in NVM]
    return supported
