"""Identify Controller: CNS 01h and 06h."""

from nvme.decode import id_ctrl_bits as bits
from nvme.decode.bits import Bit, Bits
from nvme.decode.field import Flags, Raw, Reserved, Text, Uint, Uints, Vendor, Views
from nvme.decode.unit import (
    BYTES,
    KELVIN,
    LBAS,
    LBAS_0,
    LOG2_PAGES,
    MINUTES,
    PAGES_4K,
    TENTHS,
    UNITS_16B,
    UNITS_64K,
    US,
    ZERO_BASED,
    celsius,
)
from nvme.decode.view import View

CNTRLTYPE = {1: "I/O controller", 2: "discovery controller", 3: "administrative controller"}
SCALE_WATTS = {1: 0.0001, 2: 0.01}


class PowerStateDescriptor(View, size=32, section="Base 2.1, figure 314"):
    """Power State Descriptor."""

    mp = Uint(0, 2, "Maximum Power, in the unit of MXPS")
    rsvd2 = Reserved(2, 1)
    flags = Flags(3, 1, bits.PsdFlags)
    enlat = Uint(4, 4, "Entry Latency", US)
    exlat = Uint(8, 4, "Exit Latency", US)
    rrt = Uint(12, 1, "Relative Read Throughput")
    rrl = Uint(13, 1, "Relative Read Latency")
    rwt = Uint(14, 1, "Relative Write Throughput")
    rwl = Uint(15, 1, "Relative Write Latency")
    idlp = Uint(16, 2, "Idle Power, in the unit of IPS")
    ips = Flags(18, 1, bits.Ips)
    rsvd19 = Reserved(19, 1)
    actp = Uint(20, 2, "Active Power, in the unit of APS")
    apws = Flags(22, 1, bits.Apws)
    rsvd23 = Reserved(23, 9)

    @property
    def maximum_watts(self) -> float:
        """MP in watts; 0 if the controller does not say."""
        return self.mp * (0.0001 if self.flags.mxps else 0.01)

    def note(self, name: str, value: int) -> str:
        watts = {
            "mp": self.maximum_watts,
            "idlp": value * SCALE_WATTS.get(self.ips.ips, 0),
            "actp": value * SCALE_WATTS.get(self.apws.aps, 0),
        }.get(name)
        return f"({watts:g} W)" if watts else ""


class IdentifyController(View, size=4096, section="Base 2.1, 5.1.13.2.1"):
    """Identify Controller."""

    vid = Uint(0, 2, "PCI Vendor ID", base=16)
    ssvid = Uint(2, 2, "PCI Subsystem Vendor ID", base=16)
    sn = Text(4, 20, "Serial Number")
    mn = Text(24, 40, "Model Number")
    fr = Text(64, 8, "Firmware Revision")
    rab = Uint(72, 1, "Recommended Arbitration Burst, power of two")
    ieee = Uint(73, 3, "IEEE OUI Identifier", base=16)
    cmic = Flags(76, 1, bits.Cmic)
    mdts = Uint(77, 1, "Maximum Data Transfer Size; 0: no limit", LOG2_PAGES)
    cntlid = Uint(78, 2, "Controller ID", base=16)
    ver = Flags(80, 4, bits.Ver)
    rtd3r = Uint(84, 4, "RTD3 Resume Latency", US)
    rtd3e = Uint(88, 4, "RTD3 Entry Latency", US)
    oaes = Flags(92, 4, bits.Oaes)
    ctratt = Flags(96, 4, bits.Ctratt)
    rrls = Uint(100, 2, "Read Recovery Levels Supported, a bit each", base=16)
    bpcap = Flags(102, 1, bits.Bpcap)
    rsvd103 = Reserved(103, 1)
    nssl = Uint(104, 4, "NVM Subsystem Shutdown Latency", US)
    rsvd108 = Reserved(108, 2)
    plsi = Flags(110, 1, bits.Plsi)
    cntrltype = Uint(111, 1, "Controller Type")
    fguid = Raw(112, 16, "FRU Globally Unique Identifier")
    crdt = Uints(128, 2, 3, "Command Retry Delay Times 1 to 3", TENTHS)
    crcap = Flags(134, 1, bits.Crcap)
    ciu = Uint(135, 1, "Controller Instance Uniquifier")
    cirn = Uint(136, 8, "Controller Instance Random Number", base=16)
    rsvd144 = Reserved(144, 96)
    mi_rsvd240 = Reserved(240, 13)
    nvmsr = Flags(253, 1, bits.Nvmsr)
    vwci = Flags(254, 1, bits.Vwci)
    mec = Flags(255, 1, bits.Mec)
    oacs = Flags(256, 2, bits.Oacs)
    acl = Uint(258, 1, "Abort Command Limit", ZERO_BASED)
    aerl = Uint(259, 1, "Asynchronous Event Request Limit", ZERO_BASED)
    frmw = Flags(260, 1, bits.Frmw)
    lpa = Flags(261, 1, bits.Lpa)
    elpe = Uint(262, 1, "Error Log Page Entries", ZERO_BASED)
    npss = Uint(263, 1, "Number of Power States Support", ZERO_BASED)
    avscc = Flags(264, 1, bits.Avscc)
    apsta = Flags(265, 1, bits.Apsta)
    wctemp = Uint(266, 2, "Warning Composite Temperature Threshold", KELVIN)
    cctemp = Uint(268, 2, "Critical Composite Temperature Threshold", KELVIN)
    mtfa = Uint(270, 2, "Maximum Time for Firmware Activation", TENTHS)
    hmpre = Uint(272, 4, "Host Memory Buffer Preferred Size", PAGES_4K)
    hmmin = Uint(276, 4, "Host Memory Buffer Minimum Size", PAGES_4K)
    tnvmcap = Uint(280, 16, "Total NVM Capacity", BYTES)
    unvmcap = Uint(296, 16, "Unallocated NVM Capacity", BYTES)
    rpmbs = Flags(312, 4, bits.Rpmbs)
    edstt = Uint(316, 2, "Extended Device Self-test Time", MINUTES)
    dsto = Flags(318, 1, bits.Dsto)
    fwug = Uint(319, 1, "Firmware Update Granularity; 0: not said, 255: any", PAGES_4K)
    kas = Uint(320, 2, "Keep Alive Support: granularity of the timer", TENTHS)
    hctma = Flags(322, 2, bits.Hctma)
    mntmt = Uint(324, 2, "Minimum Thermal Management Temperature", KELVIN)
    mxtmt = Uint(326, 2, "Maximum Thermal Management Temperature", KELVIN)
    sanicap = Flags(328, 4, bits.Sanicap)
    hmminds = Uint(332, 4, "Host Memory Buffer Minimum Descriptor Entry Size", PAGES_4K)
    hmmaxd = Uint(336, 2, "Host Memory Maximum Descriptors Entries")
    nsetidmax = Uint(338, 2, "NVM Set Identifier Maximum")
    endgidmax = Uint(340, 2, "Endurance Group Identifier Maximum")
    anatt = Uint(342, 1, "ANA Transition Time, seconds")
    anacap = Flags(343, 1, bits.Anacap)
    anagrpmax = Uint(344, 4, "ANA Group Identifier Maximum")
    nanagrpid = Uint(348, 4, "Number of ANA Group Identifiers")
    pels = Uint(352, 4, "Persistent Event Log Size", UNITS_64K)
    did = Uint(356, 2, "Domain Identifier")
    kpioc = Flags(358, 1, bits.Kpioc)
    rsvd359 = Reserved(359, 1)
    mptfawr = Uint(360, 2, "Maximum Processing Time for Firmware Activation Without Reset", TENTHS)
    rsvd362 = Reserved(362, 6)
    megcap = Uint(368, 16, "Max Endurance Group Capacity", BYTES)
    tmpthha = Flags(384, 1, bits.Tmpthha)
    rsvd385 = Reserved(385, 1)
    cqt = Uint(386, 2, "Command Quiesce Time, milliseconds")
    rsvd388 = Reserved(388, 124)
    sqes = Flags(512, 1, bits.Sqes)
    cqes = Flags(513, 1, bits.Cqes)
    maxcmd = Uint(514, 2, "Maximum Outstanding Commands")
    nn = Uint(516, 4, "Number of Namespaces: the highest NSID")
    oncs = Flags(520, 2, bits.Oncs)
    fuses = Flags(522, 2, bits.Fuses)
    fna = Flags(524, 1, bits.Fna)
    vwc = Flags(525, 1, bits.Vwc)
    awun = Uint(526, 2, "Atomic Write Unit Normal", LBAS_0)
    awupf = Uint(528, 2, "Atomic Write Unit Power Fail", LBAS_0)
    icsvscc = Flags(530, 1, bits.Icsvscc)
    nwpc = Flags(531, 1, bits.Nwpc)
    acwu = Uint(532, 2, "Atomic Compare & Write Unit", LBAS_0)
    cdfs = Flags(534, 2, bits.Cdfs)
    sgls = Flags(536, 4, bits.Sgls)
    mnan = Uint(540, 4, "Maximum Number of Allowed Namespaces")
    maxdna = Uint(544, 16, "Maximum Domain Namespace Attachments")
    maxcna = Uint(560, 4, "Maximum I/O Controller Namespace Attachments")
    oaqd = Uint(564, 4, "Optimal Aggregated Queue Depth")
    rhiri = Uint(568, 1, "Recommended Host-Initiated Refresh Interval, days")
    hirt = Uint(569, 1, "Host-Initiated Refresh Time, hours")
    cmmrtd = Uint(570, 2, "Controller Maximum Memory Range Tracking Descriptors")
    nmmrtd = Uint(572, 2, "NVM Subsystem Maximum Memory Range Tracking Descriptors")
    minmrtg = Uint(574, 1, "Minimum Memory Range Tracking Granularity", LOG2_PAGES)
    maxmrtg = Uint(575, 1, "Maximum Memory Range Tracking Granularity", LOG2_PAGES)
    trattr = Flags(576, 1, bits.Trattr)
    rsvd577 = Reserved(577, 1)
    mcudmq = Uint(578, 2, "Maximum Controller User Data Migration Queues")
    mnsudmq = Uint(580, 2, "Maximum NVM Subsystem User Data Migration Queues")
    mcmr = Uint(582, 2, "Maximum CDQ Memory Ranges")
    nmcmr = Uint(584, 2, "NVM Subsystem Maximum CDQ Memory Ranges")
    mcdqpc = Uint(586, 2, "Maximum Controller Data Queue PRP Count")
    rsvd588 = Reserved(588, 180)
    subnqn = Text(768, 256, "NVM Subsystem NVMe Qualified Name", "utf-8")
    rsvd1024 = Reserved(1024, 768)
    ioccsz = Uint(1792, 4, "I/O Queue Command Capsule Supported Size", UNITS_16B)
    iorcsz = Uint(1796, 4, "I/O Queue Response Capsule Supported Size", UNITS_16B)
    icdoff = Uint(1800, 2, "In Capsule Data Offset", UNITS_16B)
    fcatt = Flags(1802, 1, bits.Fcatt)
    msdbd = Uint(1803, 1, "Maximum SGL Data Block Descriptors; 0: no limit")
    ofcs = Flags(1804, 2, bits.Ofcs)
    dctype = Uint(1806, 1, "Discovery Controller Type")
    rsvd1807 = Reserved(1807, 241)
    psd = Views(
        2048, PowerStateDescriptor, 32, "Power State Descriptors", lambda view: view.npss + 1
    )
    vs = Vendor(3072, 1024, "Vendor Specific")

    def note(self, name: str, value: int) -> str:
        if name in ("wctemp", "cctemp", "mntmt", "mxtmt"):
            return celsius(value) and f"({celsius(value)})"
        if name == "ver":
            return f"({self.ver.mjr}.{self.ver.mnr}.{self.ver.ter})"
        if name == "cntrltype":
            return f"({CNTRLTYPE[value]})" if value in CNTRLTYPE else ""
        return ""


class Aocs(Bits, bits=16):
    """Admin Optional Command Support."""

    rals = Bit(0, "Reporting Allocated LBA Supported")


class IdentifyControllerNvm(View, size=4096, section="NVM 1.1, 4.1.5.4"):
    """I/O Command Set specific Identify Controller, NVM Command Set."""

    vsl = Uint(0, 1, "Verify Size Limit; 0: no limit", LOG2_PAGES)
    wzsl = Uint(1, 1, "Write Zeroes Size Limit; 0: no limit", LOG2_PAGES)
    wusl = Uint(2, 1, "Write Uncorrectable Size Limit; 0: no limit", LOG2_PAGES)
    dmrl = Uint(3, 1, "Dataset Management Ranges Limit; 0: no limit")
    dmrsl = Uint(4, 4, "Dataset Management Range Size Limit; 0: no limit", LBAS)
    dmsl = Uint(8, 8, "Dataset Management Size Limit; 0: no limit", LBAS)
    kpiocap = Uint(16, 1, "Key Per I/O Capabilities", base=16)
    wzdsl = Uint(17, 1, "Write Zeroes with Deallocate Size Limit; 0: no limit", LOG2_PAGES)
    aocs = Flags(18, 2, Aocs)
    ver = Flags(20, 4, bits.Ver)
    lbamqf = Uint(24, 1, "LBA Migration Queue Format")
    rsvd25 = Reserved(25, 4071)
