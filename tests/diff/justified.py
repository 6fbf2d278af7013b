"""The differences that are known, with who is right and where the specification says so.

"theirs" is QEMU's NVMe device (hw/nvme of QEMU 7.2). Sections are those of NVM Express Base 2.1
and of the NVM Command Set 1.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diff.steps import COMPARE, Step

BROADCAST = 0xFFFFFFFF


@dataclass(frozen=True)
class Difference:
    """One value that is not the same on both sides, or a fault of either."""

    step: Step
    key: str
    ours: Any
    theirs: Any
    results: tuple[dict[str, Any], dict[str, Any]] = field(default=({}, {}), repr=False)

    def __str__(self) -> str:
        return f"{self.key}: {self.ours!r} on ours, {self.theirs!r} on theirs, after {self.step}"

    def arg(self, name: str) -> Any:
        return self.step.args.get(name)

    def status(self, ours: str | None = None, theirs: str | None = None) -> bool:
        """Whether statuses differ, and are these, where given."""
        return self.key == "status" and ours in (None, self.ours) and theirs in (None, self.theirs)

    def both_refuse(self, *statuses: str) -> bool:
        return self.key == "status" and self.ours in statuses and self.theirs in statuses


@dataclass(frozen=True)
class Justified:
    """A difference that may be. right: "ours", "theirs" or "both"."""

    name: str
    section: str
    right: str
    why: str
    covers: Callable[[Difference], bool]


def kind(*kinds: str) -> Callable[[Callable[[Difference], bool]], Callable[[Difference], bool]]:
    def of(covers: Callable[[Difference], bool]) -> Callable[[Difference], bool]:
        return lambda difference: difference.step.kind in kinds and covers(difference)

    return of


#: Features that both devices have, and those that theirs does not let a host change.
BOTH_HAVE = (0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0E)
FIXED = (0x01, 0x02, 0x08, 0x09, 0x0A)


def counts_more(difference: Difference) -> bool:
    """Whether their SMART counters are ours with Verify, Copy and Compare that failed added."""
    if difference.arg("lid") != 2 or difference.key != "data":
        return False
    ours, theirs = dict(difference.ours), dict(difference.theirs)
    counted = difference.results[1]["_counted"]
    reads = theirs.pop("more reads") - ours.pop("more reads") - counted.like_reads
    writes = theirs.pop("more writes") - ours.pop("more writes")
    most_reads = range(counted.copies + counted.failed_compares + 1)
    most_writes = range(counted.copies + 1)
    detached = difference.results[1]["_detached"]
    if difference.results[1]["_reset"]:
        # their thresholds outlive resets: see "features after a reset"
        del ours["critical warning"], theirs["critical warning"]
    return ours == theirs and (detached or (reads in most_reads and writes in most_writes))


def finds_deallocated(difference: Difference) -> bool:
    """Whether one of them says 02/87: of a command, or of reads through a step's own queue."""
    if difference.step.kind != "use":
        return "02/87" in (difference.ours, difference.theirs)
    return difference.key == "answers" and all(
        ours == theirs or (ours[:3] == theirs[:3] and 0x287 in (ours[3], theirs[3]))
        for ours, theirs in zip(difference.ours, difference.theirs, strict=True)
    )


#: What steps may be refused with that have more than one thing wrong.
ORDER = {
    "create_sq": ("01/00", "01/01", "01/02", "00/02", "00/13"),
    "create_cq": ("01/01", "01/02", "01/08", "00/02", "00/13"),
    "attach": ("00/02", "00/0b"),
    "plain": ("00/01", "00/0b", "00/02"),
    "log": ("01/09", "00/02", "00/0b"),
    "set": ("01/0e", "01/0d", "01/0f", "00/02", "00/0b"),
    "get": ("00/02", "00/0b"),
    "moves": tuple(
        ["02/85", "00/0f", "00/0e", "00/0d", "00/11", "00/13", "00/04", "00/0b", "00/02", "00/80"]
    ),
}


def refused_otherwise(difference: Difference) -> bool:
    """Several things are wrong, of which each device reports another."""
    step = difference.step
    if step.kind == "moves" and not (step.args.get("lie") or step.args.get("fields")):
        return False
    return difference.both_refuse(*ORDER.get(step.kind, ()))


LIST: tuple[Justified, ...] = (
    # --- both may ---
    Justified(
        "abort of nothing",
        "Base 5.1.1",
        "both",
        "CDW0 bit 0 says that nothing was aborted; a queue that is not there may be an error, too",
        kind("abort")(lambda d: d.status("00/00", "00/02")),
    ),
    Justified(
        "order of checks",
        "Base 4.2.3",
        "both",
        "where several things are wrong, the specification does not say which is reported",
        refused_otherwise,
    ),
    Justified(
        "the broadcast value in a command for one namespace",
        "Base 3.2.1.2",
        "both",
        "FFFFFFFFh is not an invalid NSID by definition, but no namespace either",
        lambda d: d.arg("nsid") == BROADCAST and d.both_refuse("00/0b", "00/02"),
    ),
    Justified(
        "optional features",
        "Base 5.1.25",
        "both",
        "the list of features that a controller has is its own",
        kind("get", "set")(
            lambda d: (
                (d.arg("fid") not in BOTH_HAVE and d.status(theirs="00/02"))
                or (d.arg("fid") == 0x19 and d.status(ours="00/02"))
            )
        ),
    ),
    Justified(
        "features that cannot be changed",
        "Base 5.1.25",
        "both",
        "theirs answers 01/0e to Set Features of what it does not change",
        kind("set")(lambda d: d.arg("fid") in FIXED and d.status("00/00", "01/0e")),
    ),
    Justified(
        "values of features that cannot be changed",
        "Base 5.1.11",
        "both",
        "what was set before on ours stands; theirs has the value that it always has",
        kind("get")(lambda d: d.arg("fid") in FIXED and d.key == "cdw0"),
    ),
    Justified(
        "capabilities, defaults and saved values of features",
        "Base 5.1.11",
        "both",
        "SEL 1 to 3 tell what the device has chosen",
        kind("get")(lambda d: d.arg("sel") in (1, 2, 3) and d.key == "cdw0"),
    ),
    Justified(
        "capabilities of a namespace's feature",
        "Base 5.1.11",
        "both",
        "what SEL 3 says concerns no namespace, and ours does not ask for a valid one",
        kind("get")(
            lambda d: d.arg("fid") == 5 and d.arg("sel") == 3 and d.status("00/00", "00/0b")
        ),
    ),
    Justified(
        "features that can be saved",
        "Base 5.1.25",
        "both",
        "theirs saves none",
        kind("set")(lambda d: d.arg("sv") == 1 and d.status(theirs="01/0d")),
    ),
    Justified(
        "registers that describe the device",
        "PCIe 3.1.3, Base 3.1.4",
        "both",
        "CAP tells what each can; CC.CSS follows CAP.CSS",
        lambda d: (
            d.key == "register"
            and (
                d.step.kind in ("reset", "flr") or d.arg("offset") in (0x00, 0x04, 0x14, 0x38, 0x3C)
            )
        ),
    ),
    Justified(
        "younger and other data structures",
        "Base 5.1.13",
        "both",
        "ours has structures of version 2.0, theirs SR-IOV and the Zoned Namespace command set",
        kind("identify")(
            lambda d: (
                (d.arg("cns") in (0x08, 0x1A, 0x1B, 0x1F) and d.status(theirs="00/02"))
                or (d.arg("cns") in (0x14, 0x15) and d.status("00/02", "00/00"))
                or (d.arg("csi") is not None and d.key == "status")
            )
        ),
    ),
    Justified(
        "identifiers of controllers",
        "Base 5.1.13.2.9",
        "both",
        "ours is controller 1, theirs 0: lists that begin at 1 differ",
        kind("identify")(
            lambda d: d.arg("cns") in (0x12, 0x13) and d.key == "data" and bool(d.arg("cntid"))
        ),
    ),
    Justified(
        "optional log pages",
        "Base 5.1.12",
        "both",
        "ours has telemetry, persistent events and the lists of what is supported",
        kind("log")(lambda d: d.arg("lid") not in range(1, 6) and d.status(theirs="00/02")),
    ),
    Justified(
        "SGLs longer than the data",
        "Base 4.3.2",
        "both",
        "ours takes them (SGLS.LARGER), theirs only where the last block is too long",
        kind("moves")(lambda d: d.arg("lie") == "too long" and d.status(theirs="00/0f")),
    ),
    Justified(
        "what SMART counts as reads and writes",
        "NVM 4.1.4.2",
        "both",
        "theirs counts Verify as a read, Copy as both and a Compare that failed once its place "
        "is used again, and forgets what a namespace did that is not attached",
        kind("log")(counts_more),
    ),
    Justified(
        "entries of the Error Information log",
        "Base 5.1.12.1.2",
        "both",
        "ELPE is 63 on ours and 0 on theirs, so offsets beyond the first entry are wrong there",
        kind("log")(lambda d: d.arg("lid") == 1 and d.status("00/00", "00/02")),
    ),
    Justified(
        "who is told of a namespace that was attached or detached",
        "Base 5.1.2.1",
        "both",
        "theirs also tells the host that did it",
        kind("attach")(lambda d: d.key == "events" and d.theirs == ["40002"]),
    ),
    Justified(
        "events while their type is masked",
        "Base 5.1.2",
        "both",
        "theirs keeps them until the log page is read, ours reports what happens after that",
        kind("log")(lambda d: d.arg("lid") == 1 and d.key == "events" and not d.ours),
    ),
    # --- ours is right ---
    Justified(
        "deletion of a completion queue that is not there",
        "Base 5.2.3",
        "ours",
        "Invalid Queue Identifier is the status; theirs says Completion Queue Invalid",
        kind("delete")(lambda d: d.arg("opc") == 4 and d.status("01/01", "01/00")),
    ),
    Justified(
        "Copy from LBAs that cannot be read",
        "NVM 3.3.2",
        "ours",
        "LBA Out of Range, or with DULBE 02/87; theirs says Internal Error",
        kind("copy")(lambda d: d.status(theirs="00/06") and d.ours in ("00/80", "02/87", "00/00")),
    ),
    Justified(
        "Dataset Management beyond the namespace",
        "NVM 3.3.3",
        "ours",
        "LBA Out of Range; theirs leaves such ranges out",
        kind("dsm")(lambda d: d.status("00/80", "00/00")),
    ),
    Justified(
        "features after a reset",
        "Base 4.4",
        "ours",
        "what was not saved is lost with any Controller Level Reset; theirs keeps it",
        kind("get")(lambda d: d.key == "cdw0" and d.results[1]["_reset"] is True),
    ),
    Justified(
        "reserved values of SEL",
        "Base 5.1.11",
        "ours",
        "reserved coded values are Invalid Field in Command; theirs ignores the upper bit",
        kind("get")(lambda d: d.arg("sel") > 3 and d.key == "status" and d.ours == "00/02"),
    ),
    Justified(
        "thresholds of sensors that are not there",
        "Base 5.1.25.1.3",
        "ours",
        "theirs accepts them and forgets them",
        kind("get", "set")(lambda d: d.arg("fid") == 4 and d.status("00/02", "00/00")),
    ),
    Justified(
        "log pages of the controller for one namespace",
        "Base 5.1.12",
        "ours",
        "the NSID must be 0 or FFFFFFFFh; theirs does not look at it",
        kind("log")(
            lambda d: (
                d.arg("nsid") in (1, 2, 300) and d.key == "status" and d.ours in ("00/02", "00/0b")
            )
        ),
    ),
    Justified(
        "SMART log with NSID 0",
        "Base 5.1.12",
        "ours",
        "0h asks for the controller, as FFFFFFFFh does",
        kind("log")(
            lambda d: d.arg("nsid") == 0 and d.arg("lid") == 2 and d.status("00/00", "00/0b")
        ),
    ),
    Justified(
        "Identify Namespace of all namespaces",
        "NVM 4.1.5.1",
        "ours",
        "with Namespace Management FFFFFFFFh asks for what all namespaces have in common",
        kind("identify")(
            lambda d: (
                d.arg("cns") == 0 and d.arg("nsid") == BROADCAST and d.status("00/00", "00/0b")
            )
        ),
    ),
    Justified(
        "Identify of controller lists for an invalid NSID",
        "Base 3.2.1.5",
        "ours",
        "an invalid NSID is Invalid Namespace or Format",
        kind("identify")(lambda d: d.arg("cns") in (0x08, 0x12) and d.status("00/0b", "00/02")),
    ),
    Justified(
        "notice after Format NVM",
        "Base 5.1.2.1",
        "ours",
        "Identify Namespace data has changed; theirs does not say so",
        kind("format")(lambda d: d.key == "events" and d.theirs is None),
    ),
    Justified(
        "Changed Attached Namespace List",
        "Base 5.1.12.1.5",
        "ours",
        "follows the notices above, which are not the same",
        kind("log")(lambda d: d.arg("lid") == 4 and d.key == "data"),
    ),
    Justified(
        "Do Not Retry",
        "Base 4.2.3",
        "ours",
        "the same command would fail again; theirs leaves DNR clear after errors of data and of "
        "protection information, of pointers, and of flags",
        lambda d: (
            d.key == "dnr"
            and d.ours is True
            and (
                d.results[0].get("status") in ("02/82", "02/83", "02/84", "02/85", "02/87")
                or d.results[0].get("status") in ("00/04", "01/81")
                or not {"fuse", "psdt"}.isdisjoint(d.arg("fields") or {})
            )
        ),
    ),
    Justified(
        "PRACT of Compare and Verify",
        "NVM 3.3.1, 3.3.6",
        "both",
        "it must be clear; theirs says Invalid Protection Information, ours does not look at it",
        kind("tagged")(lambda d: d.arg("prinfo") & 8 != 0 and d.status(theirs="01/81")),
    ),
    Justified(
        "what a Compare finds first",
        "NVM 3.3.1",
        "both",
        "where both the data and its protection information are wrong, either may be reported",
        kind("tagged")(
            lambda d: (
                d.arg("opc") == COMPARE
                and d.both_refuse("02/82", "02/83", "02/84", "02/85", "01/81")
            )
        ),
    ),
    Justified(
        "which LBAs are deallocated",
        "NVM 3.3.3.2.1",
        "both",
        "with DULBE theirs refuses what its file system holds as zeros, ours what was deallocated",
        kind("moves", "plain", "copy", "check", "use")(finds_deallocated),
    ),
    Justified(
        "offset at the end of a log page",
        "Base 5.1.12",
        "ours",
        "an offset greater than the page is wrong, one that equals its size is not",
        kind("log")(
            lambda d: (
                (d.arg("lid"), d.arg("offset")) in ((2, 512), (3, 512), (4, 4096), (5, 4096))
                and d.status("00/00", "00/02")
            )
        ),
    ),
    Justified(
        "Copy descriptor formats",
        "NVM 3.3.2",
        "ours",
        "one that is not supported is an invalid field; theirs says Invalid Format",
        kind("copy")(lambda d: d.status("00/02", "01/0a")),
    ),
    Justified(
        "bit buckets",
        "Base 4.3.2",
        "ours",
        "theirs leaves them out of the transfer, and what follows them is moved up",
        kind("moves")(lambda d: d.arg("buckets") is True),
    ),
    Justified(
        "three SGL segments",
        "Base 4.3.2",
        "ours",
        "theirs looks at a descriptor that it has overwritten, and takes segment 2 for the last",
        kind("moves")(lambda d: d.arg("segments") == 3 and d.theirs == "00/0d"),
    ),
    Justified(
        "PRP1 that is not dword aligned",
        "Base 4.3.1",
        "both",
        "a controller may report it or take the low bits as zero",
        kind("moves")(
            lambda d: d.arg("lie") in ("prp1 unaligned", "list unaligned") and d.status("00/13")
        ),
    ),
    Justified(
        "SGL descriptor subtypes",
        "Base 4.3.2",
        "ours",
        "an offset means nothing on PCIe: SGL Descriptor Type Invalid; theirs does not look at it",
        kind("moves")(lambda d: d.arg("lie") == "subtype" and d.status("00/11")),
    ),
)


def justified(difference: Difference) -> Justified | None:
    """The entry that covers a difference, if there is one."""
    return next((entry for entry in LIST if entry.covers(difference)), None)
