"""Values of features, dword 0 of Get Features and dword 11 of Set Features: Base 2.1, 5.1.25."""

from nvme.decode.bits import Bit, Bits


class Arbitration(Bits, bits=32):
    """Arbitration."""

    ab = Bit(0, "Arbitration Burst, power of two; 7: no limit", 3)
    lpw = Bit(8, "Low Priority Weight, less one", 8)
    mpw = Bit(16, "Medium Priority Weight, less one", 8)
    hpw = Bit(24, "High Priority Weight, less one", 8)


class PowerManagement(Bits, bits=32):
    """Power Management."""

    ps = Bit(0, "Power State", 5)
    wh = Bit(5, "Workload Hint", 3)


class LbaRangeType(Bits, bits=32):
    """LBA Range Type."""

    num = Bit(0, "Number of LBA Ranges, less one", 6)


class TemperatureThreshold(Bits, bits=32):
    """Temperature Threshold."""

    tmpth = Bit(0, "Temperature Threshold, kelvins", 16)
    tmpsel = Bit(16, "Threshold Temperature Select; 0: composite", 4)
    thsel = Bit(20, "Threshold Type Select", 2, {0: "over", 1: "under"})
    tmpthh = Bit(22, "Temperature Threshold Hysteresis, kelvins", 3)


class ErrorRecovery(Bits, bits=32):
    """Error Recovery."""

    tler = Bit(0, "Time Limited Error Recovery, 100 ms; 0: no limit", 16)
    dulbe = Bit(16, "Deallocated or Unwritten Logical Block Error Enable")


class VolatileWriteCache(Bits, bits=32):
    """Volatile Write Cache."""

    wce = Bit(0, "Volatile Write Cache Enable")


class NumberOfQueues(Bits, bits=32):
    """Number of Queues."""

    nsq = Bit(0, "Number of I/O Submission Queues, less one", 16)
    ncq = Bit(16, "Number of I/O Completion Queues, less one", 16)


class InterruptCoalescing(Bits, bits=32):
    """Interrupt Coalescing."""

    thr = Bit(0, "Aggregation Threshold, entries less one", 8)
    time = Bit(8, "Aggregation Time, 100 us", 8)


class InterruptVector(Bits, bits=32):
    """Interrupt Vector Configuration."""

    iv = Bit(0, "Interrupt Vector", 16)
    cd = Bit(16, "Coalescing Disable")


class WriteAtomicity(Bits, bits=32):
    """Write Atomicity Normal."""

    dn = Bit(0, "Disable Normal")


class AsyncEvent(Bits, bits=32):
    """Asynchronous Event Configuration."""

    smart = Bit(0, "SMART / Health Critical Warnings, a bit each", 8)
    nsan = Bit(8, "Attached Namespace Attribute Notices")
    fan = Bit(9, "Firmware Activation Notices")
    tln = Bit(10, "Telemetry Log Notices")
    anacn = Bit(11, "Asymmetric Namespace Access Change Notices")
    plean = Bit(12, "Predictable Latency Event Aggregate Log Change Notices")
    lsian = Bit(13, "LBA Status Information Alert Notices")
    egean = Bit(14, "Endurance Group Event Aggregate Log Page Change Notices")
    nnss = Bit(15, "Normal NVM Subsystem Shutdown")
    tthr = Bit(16, "Temperature Threshold Hysteresis Recovery")
    rgcns = Bit(17, "Reachability Groups Change Notices")
    ansan = Bit(19, "Allocated Namespace Attribute Notices")
    zdcn = Bit(27, "Zone Descriptor Changed Notices")
    dlpcn = Bit(31, "Discovery Log Page Change Notification")


class Apst(Bits, bits=32):
    """Autonomous Power State Transition."""

    apste = Bit(0, "Autonomous Power State Transition Enable")


class HostMemoryBuffer(Bits, bits=32):
    """Host Memory Buffer."""

    ehm = Bit(0, "Enable Host Memory")
    mr = Bit(1, "Memory Return")
    hmnare = Bit(2, "Host Memory Non-operational Access Restriction Enable")


class KeepAlive(Bits, bits=32):
    """Keep Alive Timer."""

    kato = Bit(0, "Keep Alive Timeout, ms; 0: off", 32)


class Hctm(Bits, bits=32):
    """Host Controlled Thermal Management."""

    tmt2 = Bit(0, "Thermal Management Temperature 2, kelvins", 16)
    tmt1 = Bit(16, "Thermal Management Temperature 1, kelvins", 16)


class NonOperational(Bits, bits=32):
    """Non-Operational Power State Config."""

    noppme = Bit(0, "Non-Operational Power State Permissive Mode Enable")


class ReadRecoveryLevel(Bits, bits=32):
    """Read Recovery Level Config."""

    rrl = Bit(0, "Read Recovery Level", 4)


class LbaStatusInterval(Bits, bits=32):
    """LBA Status Information Report Interval."""

    lsiri = Bit(0, "LBA Status Information Report Interval, 100 ms", 16)
    lsipi = Bit(16, "LBA Status Information Poll Interval, 100 ms", 16)


class SanitizeConfig(Bits, bits=32):
    """Sanitize Config."""

    nodrm = Bit(0, "No-Deallocate Response Mode", names={0: "error", 1: "warning"})


class EnduranceGroupEvent(Bits, bits=32):
    """Endurance Group Event Configuration."""

    endgid = Bit(0, "Endurance Group Identifier", 16)
    egcw = Bit(16, "Endurance Group Critical Warnings, a bit each", 8)


class CommandSetProfile(Bits, bits=32):
    """I/O Command Set Profile."""

    iocsci = Bit(0, "I/O Command Set Combination Index", 9)


class SoftwareProgress(Bits, bits=32):
    """Software Progress Marker."""

    pbslc = Bit(0, "Pre-boot Software Load Count", 8)


class HostIdentifier(Bits, bits=32):
    """Host Identifier."""

    exhid = Bit(0, "Extended Host Identifier, 128 bits")


class ReservationMask(Bits, bits=32):
    """Reservation Notification Mask."""

    regpre = Bit(1, "Mask Registration Preempted Notification")
    resrel = Bit(2, "Mask Reservation Released Notification")
    respre = Bit(3, "Mask Reservation Preempted Notification")


class ReservationPersistence(Bits, bits=32):
    """Reservation Persistence."""

    ptpl = Bit(0, "Persist Through Power Loss")


class WriteProtection(Bits, bits=32):
    """Namespace Write Protection Config."""

    wps = Bit(
        0,
        "Write Protection State",
        3,
        {
            0: "no write protect",
            1: "write protect",
            2: "until power cycle",
            3: "permanent",
        },
    )


class BootProtection(Bits, bits=32):
    """Boot Partition Write Protection Config."""

    bp0wps = Bit(0, "Boot Partition 0 Write Protection State", 3)
    bp1wps = Bit(3, "Boot Partition 1 Write Protection State", 3)


class AnyValue(Bits, bits=32):
    """Value of a feature that has no fields here."""


class Capabilities(Bits, bits=32):
    """Feature Capabilities, dword 0 of Get Features with SEL 3."""

    savable = Bit(0, "Saveable")
    nsspec = Bit(1, "Namespace Specific")
    chang = Bit(2, "Changeable")
