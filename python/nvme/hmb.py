"""Host Memory Buffer (Base 2.1, 8.2.3) by feature 0Dh."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nvme import admin, fabric
from nvme.buffer import Buffer

if TYPE_CHECKING:
    from nvme.controller import Controller

UNIT = 4096  # of HMPRE, and of the memory pages that we set CC.MPS to
CHUNK = 2 << 20
FEATURE = 0x0D


def enable(nvme: Controller) -> int:
    """Give the device HMPRE bytes of host memory; returns how many."""
    wanted = nvme.id_data(275, 272) * UNIT
    if not wanted:
        return 0
    fabric.refuse(nvme, "access to host memory")
    chunks = [
        Buffer(min(CHUNK, wanted - offset), "host memory") for offset in range(0, wanted, CHUNK)
    ]
    entries = Buffer(max(16 * len(chunks), UNIT), "host memory descriptors")
    for i, chunk in enumerate(chunks):
        entry = struct.pack("<QII", chunk.phys_addr, len(chunk) // UNIT, 0)
        entries[i * 16 : i * 16 + 16] = entry
    nvme._run(
        admin.SET_FEATURES,
        cdw10=FEATURE,
        cdw11=1,
        cdw12=wanted // UNIT,
        cdw13=entries.phys_addr & 0xFFFFFFFF,
        cdw14=entries.phys_addr >> 32,
        cdw15=len(chunks),
    )
    nvme._hmb = [entries, *chunks]
    return wanted


def disable(nvme: Controller) -> None:
    """Take the memory back."""
    nvme._run(admin.SET_FEATURES, cdw10=FEATURE, cdw11=0)
    nvme._hmb = None
