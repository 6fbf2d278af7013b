"""What is done to both devices: steps made of numbers, from a seeded generator."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

#: NSIDs 1 and 2 are there; the others never are, whatever NN says.
BAD_NSIDS = (0, 300, 0xFFFFFFFE, 0xFFFFFFFF)
NSIDS = (1, 2)
#: The LBAs of a namespace that commands touch: its first ones and its last ones.
HEAD = 96
#: Sequences on a namespace with protection information.
PROTECTED_PERCENT = 8
#: LBAs that are written before: what the tuples of others are is not agreed on.
PRIMED = 16
#: Of a queue that neither has, and inside the smaller BAR.
HIGHEST_DOORBELL = 400
TAIL = 32

FLUSH, WRITE, READ, COMPARE = 0x00, 0x01, 0x02, 0x05
WRITE_ZEROES, DSM, VERIFY, COPY = 0x08, 0x09, 0x0C, 0x19
#: Features that no other step depends on: arbitration, power, interrupts, atomicity.
UNUSED_FEATURES = (0x01, 0x02, 0x08, 0x09, 0x0A)
FUA = 1 << 14

#: Data that is not mapped is not among the lies: QEMU 7.2 loses such commands for good.
PRP_LIES = (
    "prp1 unaligned",
    "prp2 offset",
    "list unaligned",
    "list unmapped",
    "entry offset",
)
SGL_LIES = (
    "unknown type",
    "subtype",
    "too short",
    "too long",
    "segment length",
    "segment empty",
    "segment unmapped",
    "segment after the last",
)


@dataclass(frozen=True)
class Step:
    """One thing to do; the arguments are numbers, texts and lists of them, nothing else."""

    kind: str
    args: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.args.items())})"


class Generator:
    """Sequences of steps; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def sequence(self, length: int) -> list[Step]:
        if self.sometimes(PROTECTED_PERCENT):
            return self.protected(length)
        kinds = (self.io, self.admin, self.queue, self.register, self.whole)
        picks = self.random.choices(kinds, (60, 24, 8, 5, 3), k=length)
        return [pick() for pick in picks]

    def sometimes(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def pick(self, *values: Any) -> Any:
        return self.random.choice(values)

    def bits(self, count: int) -> int:
        """Few bits set, or any, or all: what fields are wrong with."""
        kind = self.random.randrange(4)
        if kind == 0:
            return 1 << self.random.randrange(count)
        if kind == 1:
            return (1 << count) - 1
        return self.random.getrandbits(count)

    def protected(self, length: int) -> list[Step]:
        """A namespace with protection information, and nothing but commands that use it."""
        kind, extended = self.pick(1, 1, 2, 3), self.pick(0, 1)
        first = Step(
            "format", {"nsid": 2, "size": 512, "ms": 8, "pi": kind, "mset": extended, "ses": 0}
        )
        return [first, *(self.with_tags() for _ in range(length - 1))]

    def with_tags(self) -> Step:
        nlb = self.random.randint(1, 4)
        args: dict[str, Any] = {
            "opc": self.pick(WRITE, WRITE, WRITE, READ, READ, READ, COMPARE, VERIFY),
            "slba": self.random.randrange(1, PRIMED - 4),  # QEMU takes any guard of LBA 0
            "nlb": nlb,
            "prinfo": self.pick(0, 8, 15, 7, self.random.randrange(16)),
            "seed": self.random.getrandbits(32),
        }
        if self.sometimes(25):
            args["application"] = self.random.getrandbits(16)
            args["mask"] = self.pick(0, 0xFFFF, self.random.getrandbits(16))
        if self.sometimes(12):
            args["reference"] = self.pick(1, 0xFFFFFFFF, 0x1000)
        if self.sometimes(10):
            args["wrong"] = self.random.randrange(nlb * 8)
        return Step("tagged", args)

    # --- IO commands ---

    def range(self, most: int) -> tuple[int, int]:
        """SLBA and number of LBAs; below zero counts from the end of the namespace."""
        nlb = min(most, self.pick(1, 1, 1, 2, 3, 7, 8, 9, 16, 17, 33, self.random.randint(1, most)))
        if self.sometimes(80):
            return self.random.randrange(0, HEAD - nlb + 1), nlb
        return -self.random.randint(min(nlb, TAIL), TAIL), min(nlb, TAIL)

    def nsid(self) -> int:
        return self.random.choice(NSIDS if self.sometimes(97) else BAD_NSIDS)

    def io(self) -> Step:
        makers = (self.moves, self.zeroes, self.deallocate, self.copy, self.flush, self.odd_io)
        return self.random.choices(makers, (70, 7, 7, 5, 4, 7))[0]()

    def moves(self) -> Step:
        slba, nlb = self.range(64)
        args: dict[str, Any] = {
            "opc": self.pick(WRITE, WRITE, READ, READ, COMPARE),
            "nsid": self.nsid(),
            "slba": slba,
            "nlb": nlb,
            "via": self.pick("method", "send_cmd", "prp", "prp", "sgl", "sgl"),
            "seed": self.random.getrandbits(32),
        }
        if self.sometimes(10):
            args["flags"] = FUA
        if self.sometimes(4):
            args["slba"] = self.pick(0, -1, -nlb + 1, 1 << 40, 0xFFFFFFFFFFFFFFFF)
        if self.sometimes(2):
            args["nlb"] = self.pick(257, 1024, 65536)
        if args["opc"] == COMPARE and self.sometimes(30):
            args["differs"] = True
        if args["via"] == "sgl":
            args["segments"] = self.pick(0, 0, 1, 1, 2, 3)
            if args["opc"] == READ and self.sometimes(5):
                args["buckets"] = True
        if args["via"] in ("prp", "sgl") and self.sometimes(12):
            args["lie"] = self.random.choice(PRP_LIES if args["via"] == "prp" else SGL_LIES)
        elif args["via"] in ("prp", "sgl") and self.sometimes(8):
            args["fields"] = self.wrong_fields(args["via"])
        return Step("moves", args)

    def wrong_fields(self, via: str) -> dict[str, int]:
        """Fields of the submission queue entry that are not what the command asks for.

        The bits are changed. PSDT only becomes the reserved value: a pointer that is taken for
        one of the other kind points nowhere.
        """
        name = self.pick("fuse", "psdt", "cdw2", "cdw3", "mptr", "cdw12", "cdw13", "cdw14", "cdw15")
        if name == "cdw12":
            return {"cdw12": 1 << self.random.randrange(16, 32)}
        if name == "psdt":
            return {"psdt": 3 if via == "prp" else 2}
        return {name: self.bits(2 if name == "fuse" else 32)}

    def zeroes(self) -> Step:
        slba, nlb = self.range(64)
        opc = self.pick(WRITE_ZEROES, WRITE_ZEROES, VERIFY)
        flags = self.pick(0, 0, FUA, 1 << 9) if opc == WRITE_ZEROES else 0
        if self.sometimes(5):
            slba = self.pick(-1, 1 << 40, 0xFFFFFFFFFFFFFFFF)
            nlb = 2
        via = self.pick("method", "send_cmd")
        args = {"opc": opc, "nsid": self.nsid(), "slba": slba, "nlb": nlb, "flags": flags}
        return Step("plain", {**args, "via": via})

    def ranges(self, most: int) -> list[list[int]]:
        count = self.pick(1, 1, 2, 3, most)
        return [list(self.range(16)) for _ in range(count)]

    def deallocate(self) -> Step:
        ranges = self.ranges(8)
        if self.sometimes(6):
            ranges[-1] = [self.pick(-1, 1 << 40), 2]
        args = {"nsid": self.nsid(), "ranges": ranges, "attribute": self.pick(4, 4, 4, 0, 1, 7)}
        return Step("dsm", args)

    def copy(self) -> Step:
        ranges = self.ranges(4)
        if self.sometimes(6):
            ranges[-1] = [self.pick(-1, 1 << 40), 2]
        args = {"nsid": self.nsid(), "ranges": ranges, "sdlba": self.random.randrange(0, 48)}
        if self.sometimes(8):
            args["sdlba"] = self.pick(-1, 1 << 40)
        if self.sometimes(5):
            args["format"] = self.random.randrange(1, 16)
        return Step("copy", args)

    def flush(self) -> Step:
        nsid = self.pick(1, 2, *BAD_NSIDS) if self.sometimes(30) else self.pick(1, 2)
        return Step("plain", {"opc": FLUSH, "nsid": nsid, "via": "send_cmd"})

    def odd_io(self) -> Step:
        """An opcode that neither device should have, or that only some have."""
        opc = self.pick(
            0x03, 0x06, 0x07, 0x0A, 0x0B, 0x0D, 0x0F, 0x11, 0x18, 0x20, 0x7F, 0x81, 0xFF
        )
        return Step("plain", {"opc": opc, "nsid": self.nsid(), "via": "send_cmd"})

    # --- admin commands ---

    def admin(self) -> Step:
        makers = (self.identify, self.log, self.get, self.set, self.abort, self.odd_admin)
        return self.random.choices(makers, (30, 25, 20, 15, 5, 5))[0]()

    def identify(self) -> Step:
        cns = self.pick(0, 0, 1, 1, 2, 2, 3, 3, 5, 6, 7, 8, 0x10, 0x11, 0x12, 0x13, 0x1C)
        if self.sometimes(8):
            cns = self.random.randrange(256)
        args = {
            "cns": cns,
            "nsid": self.pick(1, 2) if self.sometimes(75) else self.pick(*BAD_NSIDS),
        }
        if self.sometimes(15):
            args["cntid"] = self.pick(1, 0xFFFF, self.random.getrandbits(16))
        if self.sometimes(10):
            args["csi"] = self.pick(1, 2, 0xFF)
        if self.sometimes(5):
            args["lie"] = self.pick("offset", "page")
        return Step("identify", args)

    def log(self) -> Step:
        lid = self.pick(1, 2, 2, 3, 4, 5)
        if self.sometimes(8):
            lid = self.random.randrange(256)
        args = {"lid": lid, "size": self.pick(16, 512, 4096, 4 * self.random.randint(1, 1024))}
        args["nsid"] = 0xFFFFFFFF if self.sometimes(85) else self.pick(0, 1, 2, 300)
        if self.sometimes(20):
            args["offset"] = self.pick(4, 64, 508, 512, 4096, 1 << 20, 1 << 40)
        if self.sometimes(5):
            args["offset"] = self.pick(1, 2, 3)
        if self.sometimes(20):
            args["rae"] = 1
        if self.sometimes(3):
            args["size"] = 256 * 1024
        return Step("log", args)

    def get(self) -> Step:
        fid = self.pick(1, 2, 4, 5, 6, 7, 8, 9, 0xA, 0xB, 0xC, 0xD, 0xE, 0x10, 0x11, 0x16, 0x19)
        if self.sometimes(10):
            fid = self.random.randrange(256)
        args = {"fid": fid, "sel": self.pick(0, 0, 0, 1, 2, 3), "nsid": self.pick(0, 0, 1, 2)}
        if self.sometimes(8):
            args["nsid"] = self.pick(*BAD_NSIDS)
        if self.sometimes(4):
            args["sel"] = self.random.randrange(4, 8)
        if fid in (4, 9, 5):
            args["cdw11"] = self.pick(0, 0, 1, 1 << 20, 5 << 16, 0x100)
        return Step("get", args)

    def set(self) -> Step:
        value = self.random.getrandbits(32)
        feature: tuple[int, int] = self.pick(
            (0x01, value & 7),
            (0x02, self.pick(0, 0, 1, 31)),
            (
                0x04,
                self.pick(0x1FF, 0x17F, 0x157, 0x10000 | 0x1FF, 1 << 20 | 0x80, 1 << 20, 2 << 20),
            ),
            (0x05, self.pick(0, 1 << 16, value & 0xFFFF, 1 << 16 | 5)),
            (0x06, self.pick(0, 1, 1)),
            (0x08, value & 0xFFFF),
            (0x09, self.pick(0, 1, 1 << 16 | 1, 0x1000)),
            (0x0A, value & 1),
            (0x0B, self.pick(0, 0xFF, 0x1FF, 0x1F, value & 0x7FF)),
            (self.random.randrange(256), value),
        )
        args = {"fid": feature[0], "cdw11": feature[1], "nsid": self.pick(0, 0, 0xFFFFFFFF)}
        if feature[0] == 5:
            args["nsid"] = self.pick(1, 2, 2, 0xFFFFFFFF)
        if self.sometimes(8):
            args["nsid"] = self.pick(1, 2, 300)
        if args["fid"] in UNUSED_FEATURES and self.sometimes(15):
            args["sv"] = 1  # others would come back after resets, on a device that saves them
        return Step("set", args)

    def abort(self) -> Step:
        return Step("abort", {"sqid": self.pick(0, 1, 300), "cid": self.random.getrandbits(16)})

    def odd_admin(self) -> Step:
        """Opcodes that no device has, and Asynchronous Event Requests beyond the limit."""
        opc = self.pick(
            0x03, 0x07, 0x0B, 0x0C, 0x0E, 0x0F, 0x12, 0x13, 0x1B, 0x3F, 0x7E, 0xC0, 0xFF
        )
        return Step("admin", {"opc": opc, "nsid": self.pick(0, 1, 0xFFFFFFFF)})

    # --- queues ---

    def queue(self) -> Step:
        qid = self.pick(10, 10, 10, 11, 11, 12)
        if self.sometimes(10):
            qid = self.pick(0, 1, 33, 300, 0xFFFF)
        makers = (self.create_cq, self.create_sq, self.use, self.delete, self.doorbell)
        return self.random.choices(makers, (25, 30, 25, 25, 5))[0](qid)

    def create_cq(self, qid: int) -> Step:
        args = {"qid": qid, "depth": self.depth(), "flags": 1}
        if self.sometimes(15):
            args["flags"] = self.pick(0, 3, 2)
        if self.sometimes(15):
            args["iv"] = self.pick(1, 31, 33, 0xFFFF)
            args["flags"] = 3
        if self.sometimes(6):
            args["offset"] = self.pick(4, 8, 64, 2048)
        return Step("create_cq", args)

    def create_sq(self, qid: int) -> Step:
        args = {"qid": qid, "depth": self.depth(), "flags": 1, "cqid": qid}
        if self.sometimes(15):
            args["cqid"] = self.pick(0, 1, 10, 11, 12, 33, 300)
        if self.sometimes(15):
            args["flags"] = self.pick(0, 3, 5, 7)
        if self.sometimes(6):
            args["offset"] = self.pick(4, 8, 64, 2048)
        return Step("create_sq", args)

    def depth(self) -> int:
        """Entries as QSIZE has them, zero based, and so 0 is one entry."""
        return self.random.choice((1, 2, 7, 63, 255) if self.sometimes(92) else (0, 2048, 65535))

    def use(self, qid: int) -> Step:
        """Read commands through a pair of queues that may be there."""
        return Step("use", {"qid": qid, "count": self.random.randint(1, 12)})

    def delete(self, qid: int) -> Step:
        return Step("delete", {"opc": self.pick(0, 0, 4), "qid": qid})

    def doorbell(self, qid: int) -> Step:
        """A doorbell that no queue has, or a value outside the ring."""
        index = 2 * min(qid, HIGHEST_DOORBELL) + self.random.randrange(2)
        return Step("doorbell", {"index": index, "value": 0xFFFF})

    # --- registers, and what concerns the whole controller ---

    def register(self) -> Step:
        offset = self.pick(0x00, 0x04, 0x08, 0x14, 0x1C, 0x20, 0x24, 0x38, 0x3C, 0x40, 0x48)
        args = {"offset": offset}
        if offset in (0x00, 0x04, 0x08) and self.sometimes(50):
            args["write"] = self.bits(32)
        return Step("register", args)

    def whole(self) -> Step:
        kinds = ("reset", "flr", "format", "attach", "check")
        kind = self.random.choices(kinds, (20, 5, 35, 15, 25))[0]
        if kind == "format":
            return self.format()
        if kind == "attach":
            return Step("attach", {"sel": self.pick(0, 1, 2), "nsid": self.pick(2, 2, 300)})
        return Step(kind)

    def format(self) -> Step:
        args: dict[str, Any] = {"nsid": 2, "size": self.pick(512, 4096), "ses": self.pick(0, 0, 1)}
        if self.sometimes(10):
            args["nsid"] = self.pick(0, 300)
        if self.sometimes(10):
            args["lbaf"] = self.pick(15, 14, 60)
        if self.sometimes(8):
            args["pi"] = self.pick(1, 3, 5)
        return Step("format", args)
