"""Health: log pages 02h and 09h."""

from nvme.decode.bits import Bit, Bits
from nvme.decode.field import Flags, Reserved, Uint, Uints
from nvme.decode.unit import (
    BYTES,
    DATA_UNITS,
    GB,
    HOURS,
    KELVIN,
    MINUTES,
    PERCENT,
    SECONDS,
    celsius,
)
from nvme.decode.view import View


class CriticalWarning(Bits, bits=8):
    """Critical Warning."""

    ascbt = Bit(0, "Available Spare Capacity Below Threshold")
    ttc = Bit(1, "Temperature Threshold Condition")
    ndr = Bit(2, "NVM Subsystem Degraded Reliability")
    amro = Bit(3, "All Media Read-Only")
    vmbf = Bit(4, "Volatile Memory Backup Failed")
    pmrro = Bit(5, "Persistent Memory Region Read-Only or unreliable")


class EnduranceGroupWarning(Bits, bits=8):
    """Endurance Group Critical Warning."""

    egascbt = Bit(0, "Endurance Group Available Spare Capacity Below Threshold")
    egdr = Bit(2, "Endurance Group Degraded Reliability")
    egro = Bit(3, "Endurance Group Read-Only")


class SmartLog(View, size=512, section="Base 2.1, 5.1.12.1.3"):
    """SMART / Health Information."""

    cw = Flags(0, 1, CriticalWarning)
    ctemp = Uint(1, 2, "Composite Temperature", KELVIN)
    avsp = Uint(3, 1, "Available Spare", PERCENT)
    avspt = Uint(4, 1, "Available Spare Threshold", PERCENT)
    pused = Uint(5, 1, "Percentage Used", PERCENT)
    egcws = Flags(6, 1, EnduranceGroupWarning, "Endurance Group Critical Warning Summary")
    rsvd7 = Reserved(7, 25)
    dur = Uint(32, 16, "Data Units Read", DATA_UNITS)
    duw = Uint(48, 16, "Data Units Written", DATA_UNITS)
    hrc = Uint(64, 16, "Host Read Commands")
    hwc = Uint(80, 16, "Host Write Commands")
    cbt = Uint(96, 16, "Controller Busy Time", MINUTES)
    pwrc = Uint(112, 16, "Power Cycles")
    poh = Uint(128, 16, "Power On Hours", HOURS)
    upl = Uint(144, 16, "Unexpected Power Losses (unsafe shutdowns)")
    mdie = Uint(160, 16, "Media and Data Integrity Errors")
    neile = Uint(176, 16, "Number of Error Information Log Entries")
    wctt = Uint(192, 4, "Warning Composite Temperature Time", MINUTES)
    cctt = Uint(196, 4, "Critical Composite Temperature Time", MINUTES)
    tsen = Uints(200, 2, 8, "Temperature Sensors 1 to 8; 0: not there", KELVIN)
    tmt1tc = Uint(216, 4, "Thermal Management Temperature 1 Transition Count")
    tmt2tc = Uint(220, 4, "Thermal Management Temperature 2 Transition Count")
    tttmt1 = Uint(224, 4, "Total Time For Thermal Management Temperature 1", SECONDS)
    tttmt2 = Uint(228, 4, "Total Time For Thermal Management Temperature 2", SECONDS)
    rsvd232 = Reserved(232, 280)

    def note(self, name: str, value: int) -> str:
        if name == "ctemp":
            return celsius(value) and f"({celsius(value)})"
        if name in ("dur", "duw") and value:
            return f"({value * 512_000 / 1e9:.2f} GB)"
        return ""


class Egfeat(Bits, bits=8):
    """Endurance Group Features."""

    egrmedia = Bit(0, "Endurance Group Rotational Media")


class EnduranceGroupLog(View, size=512, section="Base 2.1, 5.1.12.1.10"):
    """Endurance Group Information."""

    cw = Flags(0, 1, EnduranceGroupWarning)
    egfeat = Flags(1, 1, Egfeat)
    rsvd2 = Reserved(2, 1)
    avsp = Uint(3, 1, "Available Spare", PERCENT)
    avspt = Uint(4, 1, "Available Spare Threshold", PERCENT)
    pused = Uint(5, 1, "Percentage Used", PERCENT)
    did = Uint(6, 2, "Domain Identifier")
    rsvd8 = Reserved(8, 24)
    ee = Uint(32, 16, "Endurance Estimate", GB)
    dur = Uint(48, 16, "Data Units Read", GB)
    duw = Uint(64, 16, "Data Units Written", GB)
    muw = Uint(80, 16, "Media Units Written", GB)
    hrc = Uint(96, 16, "Host Read Commands")
    hwc = Uint(112, 16, "Host Write Commands")
    mdie = Uint(128, 16, "Media and Data Integrity Errors")
    neile = Uint(144, 16, "Number of Error Information Log Entries")
    tegcap = Uint(160, 16, "Total Endurance Group Capacity", BYTES)
    uegcap = Uint(176, 16, "Unallocated Endurance Group Capacity", BYTES)
    rsvd192 = Reserved(192, 320)
