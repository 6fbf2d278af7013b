"""Log pages: errors, firmware slots, supported logs and effects (00h, 01h, 03h, 05h, 12h)."""

from __future__ import annotations

from typing import Any, TypeVar

from nvme import spec
from nvme.decode.bits import Bit, Bits
from nvme.decode.entries import Entries
from nvme.decode.field import Flags, FlagsMany, Reserved, Texts, Uint
from nvme.decode.view import View

B = TypeVar("B", bound=Bits)


class StatusField(Bits, bits=16):
    """Status Field, as in a completion queue entry."""

    p = Bit(0, "Phase Tag")
    sc = Bit(1, "Status Code", 8)
    sct = Bit(9, "Status Code Type", 3)
    crd = Bit(12, "Command Retry Delay", 2)
    m = Bit(14, "More")
    dnr = Bit(15, "Do Not Retry")

    @property
    def status(self) -> int:
        """SCT << 8 | SC: compares with spec.Status."""
        return self.sct << 8 | self.sc

    @property
    def text(self) -> str:
        """The status in words."""
        return spec.Status.text_of(self.status)


class Pel(Bits, bits=16):
    """Parameter Error Location."""

    byte = Bit(0, "Byte in the command", 8)
    bit = Bit(8, "Bit in that byte", 3)


class ErrorEntry(View, size=64, section="Base 2.1, 5.1.12.1.2"):
    """Error Information Log Entry."""

    ec = Uint(0, 8, "Error Count; 0: no entry")
    sqid = Uint(8, 2, "Submission Queue ID")
    cid = Uint(10, 2, "Command ID", base=16)
    sf = Flags(12, 2, StatusField)
    pel = Flags(14, 2, Pel)
    lba = Uint(16, 8, "Logical Block Address", base=16)
    nsid = Uint(24, 4, "Namespace Identifier", base=16)
    vsi = Uint(28, 1, "Vendor Specific Information Log Page", base=16)
    trtype = Uint(29, 1, "Transport Type")
    csi = Uint(30, 1, "Command Set Indicator")
    opc = Uint(31, 1, "Opcode", base=16)
    csinfo = Uint(32, 8, "Command Specific Information", base=16)
    ttsi = Uint(40, 2, "Transport Type Specific Information", base=16)
    rsvd42 = Reserved(42, 21)
    lpver = Uint(63, 1, "Log Page Version")

    def note(self, name: str, value: Any) -> str:
        return f"({self.sf.text})" if name == "sf" else ""

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        found = super().asdict(bits=bits, units=units)
        return {**found, "status_text": self.sf.text}


class ErrorLog(Entries[ErrorEntry]):
    """Error Information, the newest entry first. Entries whose ec is 0 are empty."""

    TITLE = "Error Information"
    SECTION = "Base 2.1, 5.1.12.1.2"
    ENTRY = ErrorEntry

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        found = []
        for i, each in enumerate(self):
            if each.ec:
                found += [f"{indent}entry[{i}]", *each.lines(bits, indent + "  ")]
        empty = sum(not each.ec for each in self)
        return [*found, f"{indent}{empty} of {len(self)} entries are empty"] if empty else found


class Afi(Bits, bits=8):
    """Active Firmware Info."""

    cafs = Bit(0, "Current Active Firmware Slot", 3)
    nrafs = Bit(4, "Next Reset Active Firmware Slot; 0: the current one", 3)


class FirmwareLog(View, size=512, section="Base 2.1, 5.1.12.1.4"):
    """Firmware Slot Information."""

    afi = Flags(0, 1, Afi)
    rsvd1 = Reserved(1, 7)
    frs = Texts(8, 8, 7, "Firmware Revisions in Slots 1 to 7")
    rsvd64 = Reserved(64, 448)


CSE = {0: "none", 1: "alone in its namespace", 2: "alone in the subsystem"}


class CommandEffects(Bits, bits=32):
    """Command Supported and Effects."""

    csupp = Bit(0, "Command Supported")
    lbcc = Bit(1, "Logical Block Content Change")
    ncc = Bit(2, "Namespace Capability Change")
    nic = Bit(3, "Namespace Inventory Change")
    ccc = Bit(4, "Controller Capability Change")
    cser = Bit(14, "Command Submission and Execution Relaxations", 2)
    cse = Bit(16, "Command Submission and Execution", 3, CSE)
    uss = Bit(19, "UUID Selection Supported")
    csp = Bit(20, "Command Scope", 12)


class Named(FlagsMany[B]):
    """Bit fields by a number that has a name: opcodes, log pages, features."""

    def __init__(self, offset: int, bits: type[B], names: type[spec.Named], text: str) -> None:
        super().__init__(offset, 4, 256, bits, text)
        self.names = names

    def label(self, index: int) -> str:
        return f"{index:02x}h {self.names.text_of(index):<50}"

    def plain(self, view: View, value: tuple[B, ...], bits: bool, units: bool) -> dict[str, Any]:
        found = {}
        for i, each in enumerate(value):
            if each:
                said: dict[str, Any] = {"name": self.names.text_of(i)}
                found[str(i)] = {**said, **(each.asdict() if bits else {"raw": int(each)})}
        return found


class EffectsLog(View, size=4096, section="Base 2.1, 5.1.12.1.6"):
    """Commands Supported and Effects."""

    acs = Named(0, CommandEffects, spec.AdminOpcode, "Admin Commands Supported")
    iocs = Named(1024, CommandEffects, spec.IoOpcode, "I/O Commands Supported")
    rsvd2048 = Reserved(2048, 2048)


class LogSupported(Bits, bits=32):
    """LID Supported and Effects."""

    lsupp = Bit(0, "LID Supported")
    ios = Bit(1, "Index Offset Supported")
    lidsp = Bit(16, "LID Specific Parameter", 16)


class FeatureEffects(Bits, bits=32):
    """FID Supported and Effects."""

    fsupp = Bit(0, "FID Supported")
    udcc = Bit(1, "User Data Content Change")
    ncc = Bit(2, "Namespace Capability Change")
    nic = Bit(3, "Namespace Inventory Change")
    ccc = Bit(4, "Controller Capability Change")
    cse = Bit(16, "Command Submission and Execution", 3, CSE)
    uss = Bit(19, "UUID Selection Supported")
    nscpe = Bit(20, "Namespace Scope")
    cscpe = Bit(21, "Controller Scope")
    nsetscpe = Bit(22, "NVM Set Scope")
    egscpe = Bit(23, "Endurance Group Scope")
    dscpe = Bit(24, "Domain Scope")
    nsscpe = Bit(25, "NVM Subsystem Scope")
    cdqscp = Bit(26, "Controller Data Queue Scope")


class SupportedLogPages(View, size=1024, section="Base 2.1, 5.1.12.1.1"):
    """Supported Log Pages."""

    lids = Named(0, LogSupported, spec.LogPage, "LIDs Supported")


class FeatureEffectsLog(View, size=1024, section="Base 2.1, 5.1.12.1.18"):
    """Feature Identifiers Supported and Effects."""

    fids = Named(0, FeatureEffects, spec.Feature, "FIDs Supported")
