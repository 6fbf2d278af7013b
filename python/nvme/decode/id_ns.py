"""Identify Namespace: CNS 00h, 05h, 08h and 11h."""

from nvme.decode.bits import Bit, Bits
from nvme.decode.field import Flags, FlagsMany, Raw, Reserved, Uint, Vendor, Views
from nvme.decode.unit import BYTES, LBAS, LBAS_0, LOG2_BYTES, ZERO_BASED
from nvme.decode.view import View

FORMATS = 64
RP = {0: "best", 1: "better", 2: "good", 3: "degraded"}


class Nsfeat(Bits, bits=8):
    """Namespace Features."""

    thinp = Bit(0, "Thin Provisioning")
    nsabp = Bit(1, "NAWUN, NAWUPF and NACWU are the namespace's own")
    dae = Bit(2, "Deallocated Error (DULBE) supported")
    uidreuse = Bit(3, "NGUID and EUI64 are never reused")
    optperf = Bit(4, "NPWG, NPWA, NPDG, NPDA and NOWS are valid", 2)
    mam = Bit(6, "Multiple Atomicity Mode")
    optrperf = Bit(7, "NPRG, NPRA and NORS are valid")


class Flbas(Bits, bits=8):
    """Formatted LBA Size."""

    lbafl = Bit(0, "LBA Format Index, lower bits", 4)
    mset = Bit(4, "Metadata Settings", names={0: "separate buffer", 1: "at the end of the data"})
    lbafu = Bit(5, "LBA Format Index, upper bits", 2)

    @property
    def index(self) -> int:
        """The LBA format in use, 0..63."""
        return self.lbafu << 4 | self.lbafl


class Mc(Bits, bits=8):
    """Metadata Capabilities."""

    mtels = Bit(0, "Metadata at the end of the data supported")
    mtsbs = Bit(1, "Metadata in a separate buffer supported")


class Dpc(Bits, bits=8):
    """End-to-end Data Protection Capabilities."""

    pit1s = Bit(0, "Protection Information Type 1 Supported")
    pit2s = Bit(1, "Protection Information Type 2 Supported")
    pit3s = Bit(2, "Protection Information Type 3 Supported")
    piifb = Bit(3, "Protection Information In First Bytes")
    piilb = Bit(4, "Protection Information In Last Bytes")


class Dps(Bits, bits=8):
    """End-to-end Data Protection Type Settings."""

    pit = Bit(0, "Protection Information Type", 3, {0: "none"})
    pip = Bit(3, "Protection Information Position", names={0: "last bytes", 1: "first bytes"})


class Nmic(Bits, bits=8):
    """Namespace Multi-path I/O and Namespace Sharing Capabilities."""

    shrns = Bit(0, "Shared Namespace")
    disns = Bit(1, "Dispersed Namespace")


class Rescap(Bits, bits=8):
    """Reservation Capabilities."""

    ptpls = Bit(0, "Persist Through Power Loss Support")
    wes = Bit(1, "Write Exclusive Support")
    eas = Bit(2, "Exclusive Access Support")
    weros = Bit(3, "Write Exclusive - Registrants Only Support")
    earos = Bit(4, "Exclusive Access - Registrants Only Support")
    wears = Bit(5, "Write Exclusive - All Registrants Support")
    eaars = Bit(6, "Exclusive Access - All Registrants Support")
    iekr13 = Bit(7, "Ignore Existing Key as in version 1.3")


class Fpi(Bits, bits=8):
    """Format Progress Indicator."""

    fpir = Bit(0, "Format Progress Indicator Remaining, per cent", 7)
    fpis = Bit(7, "Format Progress Indicator Supported")


class Dlfeat(Bits, bits=8):
    """Deallocate Logical Block Features."""

    drb = Bit(
        0,
        "Deallocation Read Behavior",
        3,
        {0: "not said", 1: "reads zeros", 2: "reads FFh"},
    )
    wzds = Bit(3, "Write Zeroes Deallocation Support")
    gds = Bit(4, "Guard Deallocation Status", names={0: "FFFFh", 1: "CRC of the data"})


class Nsattr(Bits, bits=8):
    """Namespace Attributes."""

    cwp = Bit(0, "Currently Write Protected")


class Kpios(Bits, bits=8):
    """Key Per I/O Status."""

    kpioens = Bit(0, "Key Per I/O Enabled in Namespace")
    kpiosns = Bit(1, "Key Per I/O Supported in Namespace")


class Rp(Bits, bits=8):
    """Relative Performance."""

    rp = Bit(0, "Relative Performance", 2, RP)


class LbaFormat(View, size=4, section="NVM 1.1, figure 115"):
    """LBA Format."""

    ms = Uint(0, 2, "Metadata Size", BYTES)
    lbads = Uint(2, 1, "LBA Data Size; 0: not available", LOG2_BYTES)
    rp = Flags(3, 1, Rp)

    @property
    def data_bytes(self) -> int:
        """Bytes of an LBA; 0 if the format is not available. No real one has 2^64 or more."""
        return 1 << self.lbads if 0 < self.lbads < 64 else 0


class IdentifyNamespace(View, size=4096, section="NVM 1.1, 4.1.5.1"):
    """Identify Namespace, NVM Command Set."""

    nsze = Uint(0, 8, "Namespace Size", LBAS)
    ncap = Uint(8, 8, "Namespace Capacity", LBAS)
    nuse = Uint(16, 8, "Namespace Utilization", LBAS)
    nsfeat = Flags(24, 1, Nsfeat)
    nlbaf = Uint(25, 1, "Number of LBA Formats", ZERO_BASED)
    flbas = Flags(26, 1, Flbas)
    mc = Flags(27, 1, Mc)
    dpc = Flags(28, 1, Dpc)
    dps = Flags(29, 1, Dps)
    nmic = Flags(30, 1, Nmic)
    rescap = Flags(31, 1, Rescap)
    fpi = Flags(32, 1, Fpi)
    dlfeat = Flags(33, 1, Dlfeat)
    nawun = Uint(34, 2, "Namespace Atomic Write Unit Normal", LBAS_0)
    nawupf = Uint(36, 2, "Namespace Atomic Write Unit Power Fail", LBAS_0)
    nacwu = Uint(38, 2, "Namespace Atomic Compare & Write Unit", LBAS_0)
    nabsn = Uint(40, 2, "Namespace Atomic Boundary Size Normal", LBAS_0)
    nabo = Uint(42, 2, "Namespace Atomic Boundary Offset", LBAS)
    nabspf = Uint(44, 2, "Namespace Atomic Boundary Size Power Fail", LBAS_0)
    noiob = Uint(46, 2, "Namespace Optimal I/O Boundary", LBAS)
    nvmcap = Uint(48, 16, "NVM Capacity", BYTES)
    npwg = Uint(64, 2, "Namespace Preferred Write Granularity", LBAS_0)
    npwa = Uint(66, 2, "Namespace Preferred Write Alignment", LBAS_0)
    npdg = Uint(68, 2, "Namespace Preferred Deallocate Granularity", LBAS_0)
    npda = Uint(70, 2, "Namespace Preferred Deallocate Alignment", LBAS_0)
    nows = Uint(72, 2, "Namespace Optimal Write Size", LBAS_0)
    mssrl = Uint(74, 2, "Maximum Single Source Range Length of Copy", LBAS)
    mcl = Uint(76, 4, "Maximum Copy Length", LBAS)
    msrc = Uint(80, 1, "Maximum Source Range Count", ZERO_BASED)
    kpios = Flags(81, 1, Kpios)
    nulbaf = Uint(82, 1, "Number of Unique Attribute LBA Formats")
    rsvd83 = Reserved(83, 1)
    kpiodaag = Uint(84, 4, "Key Per I/O Data Access Alignment and Granularity")
    rsvd88 = Reserved(88, 4)
    anagrpid = Uint(92, 4, "ANA Group Identifier")
    rsvd96 = Reserved(96, 3)
    nsattr = Flags(99, 1, Nsattr)
    nvmsetid = Uint(100, 2, "NVM Set Identifier")
    endgid = Uint(102, 2, "Endurance Group Identifier")
    nguid = Raw(104, 16, "Namespace Globally Unique Identifier")
    eui64 = Raw(120, 8, "IEEE Extended Unique Identifier")
    lbaf = Views(
        128,
        LbaFormat,
        FORMATS,
        "LBA Formats",
        lambda view: min(FORMATS, view.nlbaf + 1 + view.nulbaf),
    )
    vs = Vendor(384, 3712, "Vendor Specific")

    @property
    def format_in_use(self) -> LbaFormat:
        """The LBA format that FLBAS names."""
        return self.lbaf[self.flbas.index]

    def note(self, name: str, value: int) -> str:
        if name == "flbas":
            used = self.format_in_use
            return f"(format {self.flbas.index}: {used.data_bytes} B + {used.ms} B)"
        return ""


class Pic(Bits, bits=8):
    """Protection Information Capabilities."""

    pic16bpists = Bit(0, "16b Guard Protection Information Storage Tag Support")
    pic16bpistm = Bit(1, "16b Guard Protection Information Storage Tag Mask")
    stcrs = Bit(2, "Storage Tag Check Read Support")
    qpifs = Bit(3, "Qualified Protection Information Format Support")


class Pifa(Bits, bits=8):
    """Protection Information Format Attributes."""

    stmla = Bit(0, "Storage Tag Masking Level Attribute", 3)


class Elbaf(Bits, bits=32):
    """Extended LBA Format."""

    sts = Bit(0, "Storage Tag Size, bits", 7)
    pif = Bit(
        7,
        "Protection Information Format",
        2,
        {0: "16b guard", 1: "32b guard", 2: "64b guard", 3: "see QPIF"},
    )
    qpif = Bit(9, "Qualified Protection Information Format", 4)


class IdentifyNamespaceNvm(View, size=4096, section="NVM 1.1, 4.1.5.3"):
    """I/O Command Set specific Identify Namespace, NVM Command Set."""

    lbstm = Uint(0, 8, "Logical Block Storage Tag Mask", base=16)
    pic = Flags(8, 1, Pic)
    pifa = Flags(9, 1, Pifa)
    rsvd10 = Reserved(10, 2)
    elbaf = FlagsMany(12, 4, FORMATS, Elbaf, "Extended LBA Formats")
    npdgl = Uint(268, 4, "Namespace Preferred Deallocate Granularity Large", LBAS)
    nprg = Uint(272, 4, "Namespace Preferred Read Granularity", LBAS)
    npra = Uint(276, 4, "Namespace Preferred Read Alignment", LBAS)
    nors = Uint(280, 4, "Namespace Optimal Read Size", LBAS)
    npdal = Uint(284, 4, "Namespace Preferred Deallocate Alignment Large", LBAS)
    lbapss = Uint(288, 4, "LBA Format Placement Shard Size", LBAS)
    tlbaag = Uint(292, 4, "Tracked LBA Allocation Granularity", LBAS)
    rsvd296 = Reserved(296, 3800)


class Nstat(Bits, bits=8):
    """Namespace Status."""

    nrdy = Bit(0, "Namespace Ready")


class IdentifyNamespaceIndependent(View, size=4096, section="Base 2.1, 5.1.13.2.8"):
    """I/O Command Set Independent Identify Namespace."""

    nsfeat = Uint(0, 1, "Common Namespace Features", base=16)
    nmic = Flags(1, 1, Nmic)
    rescap = Flags(2, 1, Rescap)
    fpi = Flags(3, 1, Fpi)
    anagrpid = Uint(4, 4, "ANA Group Identifier")
    nsattr = Flags(8, 1, Nsattr)
    rsvd9 = Reserved(9, 1)
    nvmsetid = Uint(10, 2, "NVM Set Identifier")
    endgid = Uint(12, 2, "Endurance Group Identifier")
    nstat = Flags(14, 1, Nstat)
    kpios = Flags(15, 1, Kpios)
    maxkt = Uint(16, 2, "Maximum Key Tag")
    rgrpid = Uint(18, 2, "Reachability Group Identifier")
    rsvd20 = Reserved(20, 4076)
