"""Controller properties: Base 2.1, section 3.1.4."""

from __future__ import annotations

from nvme.decode.bits import Bit, Bits
from nvme.decode.field import Flags, Reserved, Uint
from nvme.decode.id_ctrl_bits import Ver
from nvme.decode.view import View


class Cap(Bits, bits=64):
    """Controller Capabilities."""

    mqes = Bit(0, "Maximum Queue Entries Supported, less one", 16)
    cqr = Bit(16, "Contiguous Queues Required")
    ams = Bit(17, "Arbitration Mechanism Supported", 2)
    to = Bit(24, "Timeout, 500 ms", 8)
    dstrd = Bit(32, "Doorbell Stride, 4 << n bytes", 4)
    nssrs = Bit(36, "NVM Subsystem Reset Supported")
    css = Bit(37, "Command Sets Supported", 8)
    bps = Bit(45, "Boot Partition Support")
    cps = Bit(46, "Controller Power Scope", 2)
    mpsmin = Bit(48, "Memory Page Size Minimum, 4096 << n bytes", 4)
    mpsmax = Bit(52, "Memory Page Size Maximum, 4096 << n bytes", 4)
    pmrs = Bit(56, "Persistent Memory Region Supported")
    cmbs = Bit(57, "Controller Memory Buffer Supported")
    nsss = Bit(58, "NVM Subsystem Shutdown Supported")
    crwms = Bit(59, "Controller Ready With Media Support")
    crims = Bit(60, "Controller Ready Independent of Media Support")
    nsses = Bit(61, "NVM Subsystem Shutdown Enhancements Supported")


class Cc(Bits, bits=32):
    """Controller Configuration."""

    en = Bit(0, "Enable")
    css = Bit(4, "I/O Command Set Selected", 3, {0: "NVM", 6: "all supported", 7: "admin only"})
    mps = Bit(7, "Memory Page Size, 4096 << n bytes", 4)
    ams = Bit(11, "Arbitration Mechanism Selected", 3, {0: "round robin", 1: "weighted"})
    shn = Bit(14, "Shutdown Notification", 2, {0: "none", 1: "normal", 2: "abrupt"})
    iosqes = Bit(16, "I/O Submission Queue Entry Size, power of two", 4)
    iocqes = Bit(20, "I/O Completion Queue Entry Size, power of two", 4)
    crime = Bit(24, "Controller Ready Independent of Media Enable")


class Csts(Bits, bits=32):
    """Controller Status."""

    rdy = Bit(0, "Ready")
    cfs = Bit(1, "Controller Fatal Status")
    shst = Bit(2, "Shutdown Status", 2, {0: "normal", 1: "occurring", 2: "complete"})
    nssro = Bit(4, "NVM Subsystem Reset Occurred")
    pp = Bit(5, "Processing Paused")
    st = Bit(6, "Shutdown Type", names={0: "controller", 1: "subsystem"})


class Aqa(Bits, bits=32):
    """Admin Queue Attributes."""

    asqs = Bit(0, "Admin Submission Queue Size, less one", 12)
    acqs = Bit(16, "Admin Completion Queue Size, less one", 12)


class Cmbloc(Bits, bits=32):
    """Controller Memory Buffer Location."""

    bir = Bit(0, "Base Indicator Register", 3)
    cqmms = Bit(3, "CMB Queue Mixed Memory Support")
    cqpds = Bit(4, "CMB Queue Physically Discontiguous Support")
    cdpmls = Bit(5, "CMB Data Pointer Mixed Locations Support")
    cdpcils = Bit(6, "CMB Data Pointer and Command Independent Locations Support")
    cdmmms = Bit(7, "CMB Data Metadata Mixed Memory Support")
    cqda = Bit(8, "CMB Queue Dword Alignment")
    ofst = Bit(12, "Offset, in units of CMBSZ.SZU", 20)


class Cmbsz(Bits, bits=32):
    """Controller Memory Buffer Size."""

    sqs = Bit(0, "Submission Queue Support")
    cqs = Bit(1, "Completion Queue Support")
    lists = Bit(2, "PRP SGL List Support")
    rds = Bit(3, "Read Data Support")
    wds = Bit(4, "Write Data Support")
    szu = Bit(8, "Size Units, 4096 << 4n bytes", 4)
    sz = Bit(12, "Size", 20)


class Bpinfo(Bits, bits=32):
    """Boot Partition Information."""

    bpsz = Bit(0, "Boot Partition Size, 128 KiB", 15)
    brs = Bit(24, "Boot Read Status", 2)
    abpid = Bit(31, "Active Boot Partition ID")


class Bprsel(Bits, bits=32):
    """Boot Partition Read Select."""

    bprsz = Bit(0, "Boot Partition Read Size, 4 KiB", 10)
    bprof = Bit(10, "Boot Partition Read Offset, 4 KiB", 20)
    bpid = Bit(31, "Boot Partition Identifier")


class Cmbmsc(Bits, bits=64):
    """Controller Memory Buffer Memory Space Control."""

    cre = Bit(0, "Capabilities Registers Enabled")
    cmse = Bit(1, "Controller Memory Space Enable")
    cba = Bit(12, "Controller Base Address, bits 63:12", 52)


class Cmbsts(Bits, bits=32):
    """Controller Memory Buffer Status."""

    cbai = Bit(0, "Controller Base Address Invalid")


class Crto(Bits, bits=32):
    """Controller Ready Timeouts."""

    crwmt = Bit(0, "Controller Ready With Media Timeout, 500 ms", 16)
    crimt = Bit(16, "Controller Ready Independent of Media Timeout, 500 ms", 16)


class Pmrcap(Bits, bits=32):
    """Persistent Memory Region Capabilities."""

    rds = Bit(3, "Read Data Support")
    wds = Bit(4, "Write Data Support")
    bir = Bit(5, "Base Indicator Register", 3)
    pmrtu = Bit(8, "Time Units", 2, {0: "500 ms", 1: "minutes"})
    pmrwbm = Bit(10, "Write Barrier Mechanisms", 4)
    pmrto = Bit(16, "Timeout", 8)
    cmss = Bit(24, "Controller Memory Space Supported")


class Pmrctl(Bits, bits=32):
    """Persistent Memory Region Control."""

    en = Bit(0, "Enable")


class Pmrsts(Bits, bits=32):
    """Persistent Memory Region Status."""

    err = Bit(0, "Error", 8)
    nrdy = Bit(8, "Not Ready")
    hsts = Bit(9, "Health Status", 3)
    cbai = Bit(12, "Controller Base Address Invalid")


class PmrRegisters(View, size=28, section="Base 2.1, 3.1.4.24"):
    """Persistent Memory Region Properties, from E00h on."""

    pmrcap = Flags(0, 4, Pmrcap)
    pmrctl = Flags(4, 4, Pmrctl)
    pmrsts = Flags(8, 4, Pmrsts)
    pmrebs = Uint(12, 4, "PMR Elasticity Buffer Size", base=16)
    pmrswtp = Uint(16, 4, "PMR Sustained Write Throughput", base=16)
    pmrmscl = Uint(20, 4, "PMR Memory Space Control Lower", base=16)
    pmrmscu = Uint(24, 4, "PMR Memory Space Control Upper", base=16)


class Registers(View, size=112, section="Base 2.1, 3.1.4"):
    """Controller Properties."""

    cap = Flags(0, 8, Cap)
    vs = Flags(8, 4, Ver)
    intms = Uint(12, 4, "Interrupt Mask Set", base=16)
    intmc = Uint(16, 4, "Interrupt Mask Clear", base=16)
    cc = Flags(20, 4, Cc)
    rsvd24 = Reserved(24, 4)
    csts = Flags(28, 4, Csts)
    nssr = Uint(32, 4, "NVM Subsystem Reset", base=16)
    aqa = Flags(36, 4, Aqa)
    asq = Uint(40, 8, "Admin Submission Queue Base Address", base=16)
    acq = Uint(48, 8, "Admin Completion Queue Base Address", base=16)
    cmbloc = Flags(56, 4, Cmbloc)
    cmbsz = Flags(60, 4, Cmbsz)
    bpinfo = Flags(64, 4, Bpinfo)
    bprsel = Flags(68, 4, Bprsel)
    bpmbl = Uint(72, 8, "Boot Partition Memory Buffer Location", base=16)
    cmbmsc = Flags(80, 8, Cmbmsc)
    cmbsts = Flags(88, 4, Cmbsts)
    cmbebs = Uint(92, 4, "Controller Memory Buffer Elasticity Buffer Size", base=16)
    cmbswtp = Uint(96, 4, "Controller Memory Buffer Sustained Write Throughput", base=16)
    nssd = Uint(100, 4, "NVM Subsystem Shutdown", base=16)
    crto = Flags(104, 4, Crto)
    rsvd108 = Reserved(108, 4)
