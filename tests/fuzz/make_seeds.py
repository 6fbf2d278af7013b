"""Writes the seeds of the fuzz targets: inputs that reach deep, to be bent from there.

python make_seeds.py FOLDER    one folder a target, named after it
"""

import struct
import sys
from pathlib import Path

PLAUSIBLE = 0x01 | 0x02 | 0x04 | 0x08
ADMIN = [0, 1, 2, 4, 5, 6, 8, 9, 0x0A, 0x0C, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x19, 0x1A, 0x7C]
ADMIN += [0x80, 0x81, 0x82, 0x84, 0x86]
IO = [0, 1, 2, 4, 5, 8, 9, 0x0C, 0x19]


PROFILES = 16
MEMORY, IOVA = 0x40, 0x10000
PRACT = 1 << 29


def command(
    where: int,
    opcode: int,
    how: int = PLAUSIBLE,
    cdw: tuple[int, ...] = (),
    memory: bytes = b"",
    offset: int = 0,
) -> bytes:
    """One record of fuzz_command.c; memory goes to an offset of the drive's memory before."""
    words = [*cdw, *[0] * (6 - len(cdw))]
    sqe = struct.pack("<BBHIQQQQ", opcode, 0, 1, 1, 0, 4096, 8192, 12288)
    if memory:
        how |= MEMORY
        sqe = struct.pack("<HB", offset // 8, len(memory)) + memory + sqe
    return bytes([where, how]) + sqe + struct.pack("<6I", *words)


def start(profile: int) -> bytes:
    """How a record list begins; profiles 8 and 9 want to know what happens to their file."""
    return bytes([profile, 0]) if profile % PROFILES in (8, 9) else bytes([profile])


def deeper_commands() -> dict[str, bytes]:
    """Metadata of every format, host memory, shadow doorbells, a file that is opened again."""
    seeds = {}
    reads = b"".join(
        command(1, code, cdw=(8, 0, pract | check << 26 | 3, 0, 8, 0xFFFF))
        for code in (1, 2, 5, 0x0C, 8, 1, 2)
        for pract, check in ((PRACT, 7), (0, 7))
    )
    for form in range(1, 8):
        for profile in (2, 9):
            seeds[f"format-{form}-{profile}"] = start(profile | form << 4) + reads
    every = b"".join(command(0, 0x80, 3, (form,)) for form in range(6))
    seeds["formats"] = start(2) + every + reads
    entry = struct.pack("<QII", IOVA + 0x20000, 8, 0)
    for profile in (10, 15):
        enable = command(0, 0x09, 0, (0x0D, 1, 8, IOVA + 0x9000, 0, 1), entry, 0x9000)
        seeds[f"hmb-{profile}"] = start(profile) + enable + command(0, 0x0A, 3, (0x0D,)) + enable
    shadow = command(0, 0x7C, 3) + command(1, 2, cdw=(0, 0, 7), memory=bytes(8), offset=0x9000)
    seeds["shadow"] = start(0) + shadow * 2
    copy = struct.pack("<QQHHIQ", 0, 8, 7, 0, 0, 0) * 2
    seeds["copy"] = start(11) + command(1, 0x19, cdw=(64, 0, 1), memory=copy, offset=0x9000) * 2
    again = b"\x01\x01" + struct.pack("<HB", 56, 4) + b"\x01\x01\x01\x00"
    seeds["again"] = b"\x09" + again + command(1, 1, cdw=(0, 0, 7)) * 2
    return seeds


def commands() -> dict[str, bytes]:
    seeds = deeper_commands()
    for profile in range(PROFILES):
        io = b"".join(command(1 | profile << 4, code, cdw=(8, 0, 7)) for code in IO)
        seeds[f"io-{profile}"] = start(profile) + io
    for number, codes in enumerate((ADMIN[:8], ADMIN[8:16], ADMIN[16:])):
        for cdw10 in (0, 1, 2, 0x00FF0002, 0x000F0003):
            records = b"".join(command(0, code, 3, (cdw10, 1)) for code in codes)
            seeds[f"admin-{number}-{cdw10:x}"] = bytes([number]) + records
    features = b"".join(command(0, 0x09, 3, (fid, 1)) for fid in range(1, 0x19))
    features += b"".join(command(0, 0x0A, 3, (fid,)) for fid in range(1, 0x19))
    seeds["features"] = b"\x01" + features
    logs = b"".join(command(0, 0x02, 3, (0x007F0000 | lid,)) for lid in range(1, 0x12))
    seeds["logs"] = b"\x06" + logs
    seeds["identify"] = b"\x02" + b"".join(command(0, 0x06, 3, (cns,)) for cns in range(0x18))
    seeds["exec"] = b"\x02" + b"".join(command(0xF3, code, cdw=(0, 0, 3)) for code in IO)
    seeds["sgl"] = b"\x01" + b"".join(command(1, code, 0x1D, (0, 0, 7)) for code in IO)
    return seeds


def registers() -> dict[str, bytes]:
    def write(offset: int, value: int, width: int = 2) -> bytes:
        return bytes([width << 4]) + struct.pack("<HQ", offset, value)

    enable = write(0x24, 31 << 16 | 31) + write(0x28, 0x10000, 3) + write(0x30, 0x11000, 3)
    enable += write(0x14, 0x460001)
    return {
        "enable": b"\x00\x00" + enable + b"\x05",
        "identify": b"\x00\x01\x04\x00\x00\x40\x06" + bytes(63) + b"\x03\x00\x01\x00\x05",
        "shutdown": b"\x01\x01" + write(0x14, 0x464001) + b"\x0e\xff\xff",
        "subsystem": b"\x01\x01" + write(0x20, 0x4E564D65) + b"\x05" + enable,
        "power": b"\x01\x01\x07\x02\x05\x07\x03\x05" + enable + b"\x05",
        "config": b"\x00\x01" + b"".join(bytes([2, off, 0, 4, 0]) for off in range(0, 256, 4)),
        "msix": b"\x00\x01\x02\xb2\x00\x02\x01\x00\x80" + write(0x2000, 0xFEE00000),
    }


#: Kinds of PDUs of fuzz_tcp.c.
RESPONSE, C2H_DATA, R2T, TERM = range(4)


def pdu(kind: int, cid: int, *fields: int, flags: int = 0, cut: int = 0) -> bytes:
    """One record: a PDU sent in pieces of `cut` bytes."""
    specific = struct.pack("<HHII4x", cid, 0, *fields) if fields else bytes(12)
    if kind == RESPONSE:
        specific = bytes(12) + struct.pack("<HH", cid, 0)
    return bytes([cut, kind]) + specific.ljust(16, b"\0") + bytes([flags])


def targets() -> dict[str, bytes]:
    """Answers of a target to the commands of fuzz_tcp.c, which have the CIDs 0 to 7."""
    last, success = 4, 8
    reads = pdu(C2H_DATA, 0, 0, 512, flags=last | success)
    reads += pdu(C2H_DATA, 1, 0, 2048) + pdu(C2H_DATA, 1, 2048, 2048, flags=last)
    reads += pdu(C2H_DATA, 4, 0, 24576, flags=last, cut=100) + pdu(RESPONSE, 1) + pdu(RESPONSE, 4)
    writes = pdu(R2T, 3, 0, 8192) + pdu(R2T, 6, 0, 12288) + pdu(R2T, 6, 12288, 12288)
    writes += b"".join(pdu(RESPONSE, cid) for cid in (2, 3, 5, 6, 7))
    ends = pdu(TERM, 0) + reads
    lies = pdu(C2H_DATA, 1, 4096, 4096) + pdu(R2T, 3, 8192, 8192) + pdu(RESPONSE, 99)
    seeds = {}
    for how in range(16):
        seeds[f"all-{how}"] = bytes([how]) + reads + writes
    for name, records in (("reads", reads), ("writes", writes), ("ends", ends), ("lies", lies)):
        seeds[name] = b"\0" + records
        seeds[f"{name}-digests"] = b"\3" + records
    seeds["bytes"] = b"\0" + bytes([0x80, 24]) + bytes([5, 0, 24, 0, 24, 0, 0, 0]) + bytes(16)
    return seeds


#: Bits of the first byte of fuzz_driver.c, and the lies of liar.h.
HAS_CAP, HAS_ID, HAS_NS, OWN_INIT, TRAPPED, CTRL_DIES = 1, 2, 4, 8, 16, 32
COMMANDS, NAPS, REGISTERS = 1, 2, 4
#: What a script does: the low nibble of an operation, the high one says more.
QUEUE, NAMESPACE, POLL, RESET, LIFE, LOOK, DEVICE = 0x0A, 0x0E, 0x05, 0x0C, 0x0D, 0x09, 0x0F
SUBMIT_ADMIN, EXEC, LATER, POST, DELETE = 0x03, 0x04, 0x07, 0x08, 0x0B
#: Bring-up, a namespace and a queue, before which no lie is told.
HONEST = bytes(10)


def script(
    *parts: bytes | int, how: int = 0, lies: int = 0, quirks: int = 0, told: bytes = b""
) -> bytes:
    """A device of that kind and what is done with it; its lies are read from the end."""
    body = b"".join(bytes([part]) if isinstance(part, int) else part for part in parts)
    return bytes([how, lies, quirks]) + body + told[::-1]


def io(*opcodes: int, queue: int = 0) -> bytes:
    """One command each, by its place in the table of driver_rig.c: stamped and checked."""
    records = {5: b"", 3: b"", 4: b"\x08\x00\x01", 6: b"\x08\x00"}
    ends = [bytes([0x20 | code]) + records.get(code, b"\x03\x08\x00") for code in opcodes]
    return b"".join(bytes([queue]) + end for end in ends)


def namespace(flbas: int, dps: int = 0) -> bytes:
    data = bytearray(192)
    data[:24] = struct.pack("<3Q", 1 << 20, 1 << 20, 1 << 20)
    data[25], data[26], data[29] = 3, flbas, dps
    data[128:144] = struct.pack("<4I", 9 << 16, 9 << 16 | 8, 12 << 16, 12 << 16 | 64)
    return bytes(data)


def sick_drivers() -> dict[str, bytes]:
    """Devices that are not ready, not idle, fatal, gone, without end; and every kind of lie."""
    queue, work = bytes([NAMESPACE, QUEUE, 6]), io(0, 1, 0) + bytes([POLL])
    seeds = {}
    for bit in range(8):
        quirk = bytes([DEVICE | 0x20, 1 << bit])
        for kind in range(4):
            body = (queue, work, quirk, work, RESET | kind << 4, DEVICE | 0x20, 0, LIFE | 0x10)
            seeds[f"quirk-{bit}-{kind}"] = script(*body, queue, work)
        seeds[f"born-{bit}"] = script(queue, work, quirks=1 << bit)
    for kind in range(16):
        told = HONEST + bytes([0x90 | kind, 1, 2, 3, 4, 5, 6, 7]) * 6
        seeds[f"lie-{kind:x}"] = script(queue, work * 3, lies=COMMANDS, told=told)
        told = bytes([0x90 | kind, 0xF0 | kind, 1, 2])
        admin = bytes([EXEC, 0x08, 0x00, 0x01, 0x01, 0x00])
        body = (queue, work, DEVICE | 0x30, NAPS, admin, RESET, LIFE | 0x20, queue, work)
        seeds[f"nap-{kind:x}"] = script(*body, told=told * 8)
    for bit in range(4):
        told = bytes(12 + bit) + bytes([0x90 | bit, 5, 0, 0]) * 8
        seeds[f"register-{bit}"] = script(queue, work, lies=REGISTERS, told=told)
    return seeds


def drivers() -> dict[str, bytes]:
    controller = bytearray(128)
    controller[77], controller[78] = 5, 1
    queue = bytes([NAMESPACE, QUEUE, 6])
    registers = struct.pack("<QIIB", 0x2001_0100_FF01_003F, 0x20000, 0xFF00FF, 0)
    all_io = io(*range(8)) + bytes([POLL])
    raw = bytes([0x00, 0x80, 0x18, 0x00, 0x10]) + bytes(24)
    admin = b"".join(bytes([SUBMIT_ADMIN | code << 4, 0x01, 0x00, 0x00]) for code in range(8))
    post = bytes([POST, 0x1D]) + bytes(16)
    # What waits for a slot meets a namespace of larger LBAs.
    bigger = script(queue, 0x70, io(1)[1:] * 8, DEVICE | 0x50, 0x1B, NAMESPACE, POLL)[3:] + b"\0\2"
    seeds = sick_drivers()
    seeds |= {
        "io": script(queue, all_io * 3),
        "raw": script(queue, raw * 4, POLL),
        "trapped": script(queue, all_io, how=TRAPPED),
        "stride": script(queue, all_io, how=HAS_CAP)[:3] + registers + queue + all_io,
        "interrupts": script(queue, 0xCA, 6, all_io, quirks=0x80),
        "held": script(queue, io(0, 1, 7) * 8, POLL, post * 3, POLL, lies=1, told=b"\x90" * 40),
        "wait": script(queue, bytes([0x70]) + io(0)[1:] * 8, 0x9E, 0x70, io(1)[1:] * 8, POLL),
        "admin": script(queue, admin, POLL, admin, POLL),
        "events": script(bytes([DEVICE | 0x50, 0x02]) * 12, POLL, LOOK, POLL),
        "late": script(queue, 0xF9, 1, 0, io(0), LATER | 0xF0, 0xFF, 0xFF, POLL, lies=1),
        "identify": script(how=HAS_ID)[:3] + bytes(controller) + queue + all_io,
        "own": script(0, 1, 2, 3, 4, 5, 7, queue, all_io, how=OWN_INIT),
        "dies": script(queue, all_io, how=CTRL_DIES),
        "power": script(queue, 0x3D, 0x4D, queue, all_io, 0x2D, 0x1D, queue, all_io),
        "poke": script(queue, 0x5D, 0x6D, queue, all_io, 0x0D, 0x1D, 0x7D),
        "callbacks": script(queue, LOOK | 0x80, all_io * 3),
        "verify": script(queue, 0xCE, io(1, 0, 7, 3, 0), POLL, 0xA2, io(0), POLL),
        "bigger": script(how=HAS_NS)[:3] + namespace(0) + bigger,
    }
    for flbas in range(4):
        for dps in (0, 1, 9):
            form = namespace(flbas | flbas << 4 & 0x10, dps if flbas & 1 else 0)
            body = queue + io(1, 0, 2, 7) * 3 + bytes([POLL])
            seeds[f"format-{flbas}-{dps}"] = script(how=HAS_NS) + form + body
    return seeds


def addresses() -> dict[str, bytes]:
    texts = ["sim", "", "01:00.0", "0000:01:00.0", "sim:size=20G", "size=1M,lba=4K,ms=8,ns=3"]
    texts += ["size=1.5G,read_us=1ms,erase_s=0.5s", "vs=2.0,mqes=65536,seed=0x10,thread=always"]
    texts += ["sn=x,mn=y,fr=z,vid=0x1234", "media=null,latency=none,cache=0", "temp=400,awupf=255"]
    return {f"text-{number}": text.encode() for number, text in enumerate(texts)}


def cmdlogs() -> dict[str, bytes]:
    record = struct.pack("<3Q", 2, 1, 1)
    patches = b"".join(bytes([4, off, 0, 24]) + record for off in (0, 128))

    def old(kind: int, pid: int) -> bytes:
        return struct.pack("<BBHI", kind, 0, 1, pid)

    files = b"".join(old(kind, pid) + bytes([pid]) for pid in (1, 2, 3) for kind in (0, 1, 2, 3))
    return {
        "whole": b"\x00",
        "cut": b"\x01" + struct.pack("<I", 5000),
        "records": b"\x00" + patches,
        "slot": b"\x00" + b"\x01\x08\x00\x08" + struct.pack("<Q", 1 << 63),
        "kind": b"\x00\x01" + struct.pack("<HB", 50, 2) + b"\xff\xff",
        "texts": b"\x00\x01" + struct.pack("<HB", 1568, 9) + b"\x01" + b"\xff" * 8,
        "counts": b"\x00\x02" + struct.pack("<HB", 320, 63) + b"\xff" * 63,
        "cids": b"\x00" + b"\x01\x28\x00\x04" + b"\xff" * 4,
        "prune": b"\x02\x03" + files,
        "names": b"\x02\x00" + b"".join(old(4, pid) + b"pynvme-0-1-1" * 3 for pid in range(1, 6)),
    }


def tables() -> dict[str, bytes]:
    record = b"\x01\x00\x00" + b"\x01" * 64
    return {
        "whole": b"\x02" + struct.pack("<Q", 77) + record * 2,
        "damaged": b"\x42" + struct.pack("<Q", 77) + record * 2 + b"\x01",
        "short": b"\x83" + struct.pack("<Q", 1) + record * 3 + b"\x30\x10",
        "head": b"\x21" + struct.pack("<Q", 1) + record + b"\x28" + b"\xff" * 8,
        "groups": b"\x13" + b"\xff" * 300,
    }


SEEDS = {
    "address": addresses,
    "cmdlog": cmdlogs,
    "command": commands,
    "device": registers,
    "driver": drivers,
    "tcp": targets,
    "verify": tables,
}

if __name__ == "__main__":
    for target, seeds in SEEDS.items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds().items():
            (folder / name).write_bytes(data)
