"""What the events of the Persistent Event Log carry: Base 2.1, 5.1.12.1.14.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nvme.decode.entries import Entries
from nvme.decode.field import Flags, Reserved, Text, Uint
from nvme.decode.id_ctrl_bits import Fna, Sanicap
from nvme.decode.id_ns import Dps, Flbas, Nmic
from nvme.decode.self_test import Scdw10, Sstat
from nvme.decode.smart import SmartLog
from nvme.decode.telemetry import TelemetryHeader
from nvme.decode.unit import LBAS, MS, SIXTY_FIVE_THOUSANDTHS
from nvme.decode.view import View, taken

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes


class EventBytes:
    """Data of an event that has no structure of its own."""

    def __init__(self, data: Bytes) -> None:
        self._data = bytes(data)

    def __bytes__(self) -> bytes:
        return self._data

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """The bytes, hexadecimal."""
        return {"bytes": self._data.hex()}

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """One line with the bytes."""
        return [f"{indent}{'bytes':<10}: {self._data.hex()}"]

    def __repr__(self) -> str:
        return f"EventBytes({self._data.hex()})"


class FirmwareCommitEvent(View, size=22):
    """Firmware Commit Event."""

    ofr = Text(0, 8, "Old Firmware Revision")
    nfr = Text(8, 8, "New Firmware Revision")
    fca = Uint(16, 1, "Firmware Commit Action")
    fs = Uint(17, 1, "Firmware Slot")
    sctfc = Uint(18, 1, "Status Code Type for the Firmware Commit command")
    scfc = Uint(19, 1, "Status Code for the Firmware Commit command", base=16)
    vafcrc = Uint(20, 2, "Vendor Assigned Firmware Commit Result Code", base=16)


class TimestampChangeEvent(View, size=16):
    """Timestamp Change Event."""

    pts = Uint(0, 8, "Previous Timestamp", base=16)
    msr = Uint(8, 8, "Milliseconds Since Reset", MS)


class ResetInformation(View, size=36):
    """Controller Reset Information."""

    cntlid = Uint(0, 2, "Controller ID", base=16)
    fa = Uint(2, 1, "Firmware Activation")
    oip = Uint(3, 1, "Operation in Progress", base=16)
    rsvd4 = Reserved(4, 12)
    cpc = Uint(16, 4, "Controller Power Cycle")
    pom = Uint(20, 8, "Power on milliseconds", MS)
    cts = Uint(28, 8, "Controller Timestamp", base=16)


class ResetList(Entries[ResetInformation]):
    """Reset information, an entry a controller."""

    TITLE = "Reset Information"
    ENTRY = ResetInformation


class PowerOnReset(View, size=8):
    """Power-on or Reset Event: `resets` has the information of each controller."""

    __slots__ = ("resets",)
    resets: ResetList | tuple[()]

    fr = Text(0, 8, "Firmware Revision")

    def __init__(self, data: Bytes) -> None:
        super().__init__(data)
        rest = taken(data, self.BYTES, self.TITLE)[self.BYTES :]
        whole = len(rest) >= ResetInformation.BYTES
        object.__setattr__(self, "resets", ResetList(rest) if whole else ())

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        resets = [each.asdict(bits=bits, units=units) for each in self.resets]
        return {**super().asdict(bits=bits, units=units), "resets": resets}

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        found = super().lines(bits, indent)
        for i, each in enumerate(self.resets):
            found += [f"{indent}reset[{i}]", *each.lines(bits, indent + "  ")]
        return found


class HardwareErrorEvent(View, size=4):
    """NVM Subsystem Hardware Error Event."""

    nshec = Uint(0, 2, "NVM Subsystem Hardware Error Event Code", base=16)
    rsvd2 = Reserved(2, 2)


class ChangeNamespaceEvent(View, size=48):
    """Change Namespace Event."""

    nmcdw10 = Uint(0, 4, "Namespace Management Command Dword 10", base=16)
    rsvd4 = Reserved(4, 4)
    nsze = Uint(8, 8, "Namespace Size", LBAS)
    rsvd16 = Reserved(16, 8)
    ncap = Uint(24, 8, "Namespace Capacity", LBAS)
    flbas = Flags(32, 1, Flbas)
    dps = Flags(33, 1, Dps)
    nmic = Flags(34, 1, Nmic)
    rsvd35 = Reserved(35, 1)
    anagrpid = Uint(36, 4, "ANA Group Identifier")
    nvmsetid = Uint(40, 2, "NVM Set Identifier")
    rsvd42 = Reserved(42, 2)
    nsid = Uint(44, 4, "Namespace ID", base=16)


class FormatStartEvent(View, size=12):
    """Format NVM Start Event."""

    nsid = Uint(0, 4, "Namespace Identifier", base=16)
    fna = Flags(4, 1, Fna)
    rsvd5 = Reserved(5, 3)
    fcdw10 = Uint(8, 4, "Format NVM Command Dword 10", base=16)


class FormatCompletionEvent(View, size=12):
    """Format NVM Completion Event."""

    nsid = Uint(0, 4, "Namespace Identifier", base=16)
    sfpi = Uint(4, 1, "Smallest Format Progress Indicator", base=16)
    fnvms = Uint(5, 1, "Format NVM Status", base=16)
    ci = Uint(6, 2, "Completion Information", base=16)
    sf = Uint(8, 4, "Status Field", base=16)


class SanitizeStartEvent(View, size=12):
    """Sanitize Start Event."""

    sanicap = Flags(0, 4, Sanicap)
    scdw10 = Flags(4, 4, Scdw10)
    scdw11 = Uint(8, 4, "Sanitize Command Dword 11", base=16)


class SanitizeCompletionEvent(View, size=8):
    """Sanitize Completion Event."""

    sprog = Uint(0, 2, "Sanitize Progress", SIXTY_FIVE_THOUSANDTHS)
    sstat = Flags(2, 2, Sstat)
    ci = Uint(4, 2, "Completion Information", base=16)
    rsvd6 = Reserved(6, 2)


class SetFeatureEvent(View, size=4):
    """Set Feature Event: `dwords` and `memory` are what was logged behind the layout."""

    __slots__ = ("dwords", "memory")
    dwords: tuple[int, ...]
    memory: bytes

    layout = Uint(0, 4, "Set Feature Event Layout", base=16)

    def __init__(self, data: Bytes) -> None:
        super().__init__(data)
        rest = taken(data, self.BYTES, self.TITLE)[self.BYTES :]
        count = (self.layout & 7) + (self.layout >> 3 & 1)
        words = rest[: min(4 * count, len(rest) & ~3)]
        dwords = tuple(
            int.from_bytes(words[at : at + 4], "little") for at in range(0, len(words), 4)
        )
        object.__setattr__(self, "dwords", dwords)
        object.__setattr__(self, "memory", rest[len(words) :][: self.layout >> 16])

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        found = super().asdict(bits=bits, units=units)
        return {**found, "dwords": list(self.dwords), "memory": self.memory.hex()}

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        words = " ".join(f"{word:#010x}" for word in self.dwords)
        found = [*super().lines(bits, indent), f"{indent}{'dwords':<10}: {words}"]
        return [*found, f"{indent}{'memory':<10}: {self.memory.hex()}"] if self.memory else found


class ThermalExcursionEvent(View, size=2):
    """Thermal Excursion Event."""

    ot = Uint(0, 1, "Over Temperature, kelvins beyond the threshold")
    th = Uint(1, 1, "Threshold: 0 minimum, 1 warning, 2 critical ...")


DATA: dict[int, Callable[[bytes], View]] = {
    0x01: SmartLog,
    0x02: FirmwareCommitEvent,
    0x03: TimestampChangeEvent,
    0x04: PowerOnReset,
    0x05: HardwareErrorEvent,
    0x06: ChangeNamespaceEvent,
    0x07: FormatStartEvent,
    0x08: FormatCompletionEvent,
    0x09: SanitizeStartEvent,
    0x0A: SanitizeCompletionEvent,
    0x0B: SetFeatureEvent,
    0x0C: TelemetryHeader,
    0x0D: ThermalExcursionEvent,
}
