"""Saving what is known of the data, so that a later process can check it."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from weakref import WeakSet

if TYPE_CHECKING:
    from nvme.namespace import Namespace

__tracebackhide__ = True

#: Namespaces that are open, or were.
known: WeakSet[Namespace] = WeakSet()

MAGIC = b"pynvme verify 1\0"
#: Magic, serial number, address, namespace, bytes of the table that follows.
HEAD = struct.Struct("<16s20s256sIQ")
#: Of the head; the table has its own.
CRC = struct.Struct("<I")
HEAD_BYTES = HEAD.size + CRC.size


def _identity(namespace: Namespace) -> tuple[str, str, int]:
    """What a namespace is known by later; asks nothing of the drive, which may be off or gone."""
    nvme = namespace._nvme
    return nvme._serial, nvme.addr, namespace.nsid


def _open_ones() -> dict[tuple[str, str, int], Namespace]:
    """One object of each namespace that is open."""
    found = {}
    for namespace in known:
        try:
            found[_identity(namespace)] = namespace
        except SystemError:  # closed
            continue
    return found


def save(path: str | os.PathLike[str]) -> int:
    """Save what is known of the data of every open namespace: CRCs, and what is durable.

    Data in flight is saved as unknown, so let the workers end first; and flush, or shut down,
    before a loss of power. The drive is not needed: it may be shut down, without power, or gone.
    Returns how many namespaces were saved. Raises ValueError if none is open.
    """
    namespaces = _open_ones()
    if not namespaces:
        raise ValueError("no namespace is open: there is nothing to save")
    temporary = Path(f"{os.fspath(path)}.new")
    with temporary.open("wb") as file:
        for (serial, address, nsid), namespace in namespaces.items():
            begin = file.tell()
            file.write(bytes(HEAD_BYTES))
            file.flush()
            namespace._verify_save(file.fileno())
            end = file.seek(0, os.SEEK_END)
            file.seek(begin)
            size = end - begin - HEAD_BYTES
            head = HEAD.pack(MAGIC, serial.encode(), address.encode()[:256], nsid, size)
            file.write(head + CRC.pack(zlib.crc32(head)))
            file.seek(end)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return len(namespaces)


def _matching(serial: str, address: str, nsid: int) -> Namespace | None:
    same = {key: ns for key, ns in _open_ones().items() if key[0] == serial and key[2] == nsid}
    if len(same) > 1:
        same = {key: ns for key, ns in same.items() if key[1] == address}
    return next(iter(same.values()), None)


def _load_one(file: BinaryIO) -> tuple[str, bool] | None:
    """Loads the next table: which it is, and whether its namespace is open. None at the end."""
    raw = file.read(HEAD_BYTES)
    if not raw:
        return None
    if len(raw) < HEAD_BYTES or not raw.startswith(MAGIC):
        raise ValueError(f"{file.name} is not a file of verification data")
    if CRC.unpack_from(raw, HEAD.size)[0] != zlib.crc32(raw[: HEAD.size]):
        raise ValueError(f"{file.name} is damaged")
    _, serial, address, nsid, size = HEAD.unpack_from(raw)
    begin = file.tell()
    name = serial.rstrip(b"\0").decode()
    namespace = _matching(name, address.rstrip(b"\0").decode(), nsid)
    if namespace is not None:
        # The C side reads the file by its descriptor.
        os.lseek(file.fileno(), begin, os.SEEK_SET)
        namespace._verify_load(file.fileno())
    file.seek(begin + size)
    return f"namespace {nsid} of {name}", namespace is not None


def load(path: str | os.PathLike[str]) -> int:
    """Load what verify_save() has saved, for every namespace that is open now.

    Devices are found by serial number. From then on reads are checked against it (with
    config(verify=True)). Returns how many namespaces were loaded.
    Raises ValueError if the file is not right, or none of its namespaces is open.
    """
    seen = []
    with Path(path).open("rb", buffering=0) as file:
        while (one := _load_one(file)) is not None:
            seen.append(one)
    loaded = sum(is_open for _, is_open in seen)
    if not loaded:
        names = ", ".join(name for name, _ in seen) or "nothing"
        raise ValueError(f"{os.fspath(path)} has {names}; none of it is open")
    return loaded
