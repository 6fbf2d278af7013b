"""What Get Features returns: a value, and for some features a structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nvme import spec
from nvme.decode import feature_bits as bits
from nvme.decode.bits import Bit, Bits
from nvme.decode.field import Flags, FlagsMany, Raw, Reserved, Uint, Views
from nvme.decode.unit import LBAS_0, MS
from nvme.decode.view import View

if TYPE_CHECKING:
    from typing_extensions import Buffer as Bytes

CAPABILITIES = 3


class LbaRange(View, size=64, section="NVM 1.1, 4.1.3.1"):
    """LBA Range Type entry."""

    type = Uint(0, 1, "Type")
    attributes = Uint(1, 1, "Attributes", base=16)
    rsvd2 = Reserved(2, 14)
    slba = Uint(16, 8, "Starting LBA")
    nlb = Uint(24, 8, "Number of Logical Blocks", LBAS_0)
    guid = Raw(32, 16, "Unique Identifier")
    rsvd48 = Reserved(48, 16)


class LbaRanges(View, size=4096, section="NVM 1.1, 4.1.3.1"):
    """LBA Range Type data."""

    entry = Views(0, LbaRange, 64, "LBA Ranges", lambda view: _filled(view.entry))


def _filled(entries: tuple[View, ...]) -> int:
    """Up to the last entry that is not all zeros."""
    used = [i for i, each in enumerate(entries, 1) if any(bytes(each))]
    return used[-1] if used else 0


class ApstEntry(Bits, bits=64):
    """Autonomous Power State Transition entry."""

    itps = Bit(3, "Idle Transition Power State", 5)
    itpt = Bit(8, "Idle Time Prior to Transition, ms", 24)


class ApstTable(View, size=256, section="Base 2.1, 5.1.25.1.6"):
    """Autonomous Power State Transition data."""

    entry = FlagsMany(0, 8, 32, ApstEntry, "An entry a power state")


class HmbAttributes(View, size=4096, section="Base 2.1, 5.1.25.2.4"):
    """Host Memory Buffer Attributes."""

    hsize = Uint(0, 4, "Host Memory Buffer Size, memory pages")
    hmdlal = Uint(4, 4, "Host Memory Descriptor List Address Lower", base=16)
    hmdlau = Uint(8, 4, "Host Memory Descriptor List Address Upper", base=16)
    hmdlec = Uint(12, 4, "Host Memory Descriptor List Entry Count")
    rsvd16 = Reserved(16, 4080)


class TimestampAttributes(Bits, bits=8):
    """Timestamp attributes."""

    synch = Bit(0, "Synch: the count may have stopped at times")
    to = Bit(1, "Timestamp Origin", 3, {0: "reset", 1: "set by the host"})


class Timestamp(View, size=8, section="Base 2.1, 5.1.25.1.7"):
    """Timestamp."""

    timestamp = Uint(0, 6, "Since 1970-01-01, or since the reset", MS)
    attributes = Flags(6, 1, TimestampAttributes)
    rsvd7 = Reserved(7, 1)


class HostBehavior(View, size=512, section="Base 2.1, 5.1.25.1.14"):
    """Host Behavior Support."""

    acre = Uint(0, 1, "Advanced Command Retry Enable")
    etdas = Uint(1, 1, "Extended Telemetry Data Area 4 Supported")
    lbafee = Uint(2, 1, "LBA Format Extension Enable")
    hdisns = Uint(3, 1, "Host Dispersed Namespace Support")
    cdfe = Uint(4, 2, "Copy Descriptor Formats Enable, a bit each", base=16)
    rsvd6 = Reserved(6, 506)


class HostId(View, size=16, section="Base 2.1, 5.1.25.1.28"):
    """Host Identifier."""

    hostid = Raw(0, 16, "Host Identifier; 8 bytes of it without EXHID")


class Layout(NamedTuple):
    """How a feature looks: its value, and its data if it has some."""

    value: type[Bits]
    data: type[View] | None = None


LAYOUTS: dict[int, Layout] = {
    spec.Feature.ARBITRATION: Layout(bits.Arbitration),
    spec.Feature.POWER_MANAGEMENT: Layout(bits.PowerManagement),
    spec.Feature.LBA_RANGE_TYPE: Layout(bits.LbaRangeType, LbaRanges),
    spec.Feature.TEMPERATURE_THRESHOLD: Layout(bits.TemperatureThreshold),
    spec.Feature.ERROR_RECOVERY: Layout(bits.ErrorRecovery),
    spec.Feature.VOLATILE_WRITE_CACHE: Layout(bits.VolatileWriteCache),
    spec.Feature.NUMBER_OF_QUEUES: Layout(bits.NumberOfQueues),
    spec.Feature.INTERRUPT_COALESCING: Layout(bits.InterruptCoalescing),
    spec.Feature.INTERRUPT_VECTOR_CONFIGURATION: Layout(bits.InterruptVector),
    spec.Feature.WRITE_ATOMICITY_NORMAL: Layout(bits.WriteAtomicity),
    spec.Feature.ASYNCHRONOUS_EVENT_CONFIGURATION: Layout(bits.AsyncEvent),
    spec.Feature.AUTONOMOUS_POWER_STATE_TRANSITION: Layout(bits.Apst, ApstTable),
    spec.Feature.HOST_MEMORY_BUFFER: Layout(bits.HostMemoryBuffer, HmbAttributes),
    spec.Feature.TIMESTAMP: Layout(bits.AnyValue, Timestamp),
    spec.Feature.KEEP_ALIVE_TIMER: Layout(bits.KeepAlive),
    spec.Feature.HOST_CONTROLLED_THERMAL_MANAGEMENT: Layout(bits.Hctm),
    spec.Feature.NON_OPERATIONAL_POWER_STATE_CONFIG: Layout(bits.NonOperational),
    spec.Feature.READ_RECOVERY_LEVEL_CONFIG: Layout(bits.ReadRecoveryLevel),
    spec.Feature.LBA_STATUS_INFORMATION_REPORT_INTERVAL: Layout(bits.LbaStatusInterval),
    spec.Feature.HOST_BEHAVIOR_SUPPORT: Layout(bits.AnyValue, HostBehavior),
    spec.Feature.SANITIZE_CONFIG: Layout(bits.SanitizeConfig),
    spec.Feature.ENDURANCE_GROUP_EVENT_CONFIGURATION: Layout(bits.EnduranceGroupEvent),
    spec.Feature.IO_COMMAND_SET_PROFILE: Layout(bits.CommandSetProfile),
    spec.Feature.SOFTWARE_PROGRESS_MARKER: Layout(bits.SoftwareProgress),
    spec.Feature.HOST_IDENTIFIER: Layout(bits.HostIdentifier, HostId),
    spec.Feature.RESERVATION_NOTIFICATION_MASK: Layout(bits.ReservationMask),
    spec.Feature.RESERVATION_PERSISTENCE: Layout(bits.ReservationPersistence),
    spec.Feature.NAMESPACE_WRITE_PROTECTION_CONFIG: Layout(bits.WriteProtection),
    spec.Feature.BOOT_PARTITION_WRITE_PROTECTION_CONFIG: Layout(bits.BootProtection),
}
NO_LAYOUT = Layout(bits.AnyValue)


def data_bytes(fid: int) -> int:
    """Bytes of data that Get Features of this feature returns; 0 if there are none, or unknown."""
    data = LAYOUTS.get(fid, NO_LAYOUT).data
    return data.BYTES if data else 0


class FeatureValue:
    """What Get Features returned.

    fid: feature identifier
    value: dword 0, an integer with the fields of this feature; with sel 3, of its capabilities
    data: a view of the structure that came with it, or None
    """

    def __init__(self, fid: int, value: int, data: Bytes | None = None, sel: int = 0) -> None:
        layout = Layout(bits.Capabilities) if sel == CAPABILITIES else LAYOUTS.get(fid, NO_LAYOUT)
        self.fid, self.sel = fid, sel
        self.value: Any = layout.value(value & 0xFFFFFFFF)
        self.data: Any = layout.data(data) if layout.data and data is not None else None

    @property
    def name(self) -> str:
        """The feature, as the specification spells it."""
        return spec.Feature.text_of(self.fid)

    def asdict(self, *, bits: bool = False, units: bool = False) -> dict[str, Any]:
        """fid, name, sel, value, and data if there are some."""
        found: dict[str, Any] = {"fid": self.fid, "name": self.name, "sel": self.sel}
        found["value"] = self.value.asdict() if bits else int(self.value)
        if self.data is not None:
            found["data"] = self.data.asdict(bits=bits, units=units)
        return found

    def lines(self, bits: bool = True, indent: str = "") -> list[str]:
        """The value, its fields, and the table of the data."""
        found = [f"{indent}{self.name} ({self.fid:#04x}): {int(self.value):#x}"]
        if bits:
            found += self.value.lines(indent + "  ")
        return [*found, *(self.data.lines(bits, indent + "  ") if self.data is not None else ())]

    def __repr__(self) -> str:
        return "\n".join(self.lines())
