"""Bit fields of Identify Controller: Base 2.1, section 5.1.13.2.1."""

from nvme.decode.bits import Bit, Bits


class Cmic(Bits, bits=8):
    """Controller Multi-Path I/O and Namespace Sharing Capabilities."""

    mports = Bit(0, "Multiple Ports")
    mctrs = Bit(1, "Multiple Controllers")
    ft = Bit(2, "Function Type", names={0: "PCI function or fabrics", 1: "SR-IOV virtual function"})
    anars = Bit(3, "Asymmetric Namespace Access Reporting Support")


class Ver(Bits, bits=32):
    """Version."""

    ter = Bit(0, "Tertiary Version", 8)
    mnr = Bit(8, "Minor Version", 8)
    mjr = Bit(16, "Major Version", 16)


class Oaes(Bits, bits=32):
    """Optional Asynchronous Events Supported."""

    nsan = Bit(8, "Attached Namespace Attribute Notices")
    fan = Bit(9, "Firmware Activation Notices")
    anacn = Bit(11, "Asymmetric Namespace Access Change Notices")
    plean = Bit(12, "Predictable Latency Event Aggregate Log Change Notices")
    lsian = Bit(13, "LBA Status Information Alert Notices")
    egean = Bit(14, "Endurance Group Event Aggregate Log Page Change Notices")
    nnss = Bit(15, "Normal NVM Subsystem Shutdown")
    tthr = Bit(16, "Temperature Threshold Hysteresis Recovery")
    rgcns = Bit(17, "Reachability Groups Change Notices Support")
    ansan = Bit(19, "Allocated Namespace Attribute Notices")
    zdcn = Bit(27, "Zone Descriptor Changed Notices")
    dlpcn = Bit(31, "Discovery Log Page Change Notification")


class Ctratt(Bits, bits=32):
    """Controller Attributes."""

    hids = Bit(0, "Host Identifier Support")
    nopspm = Bit(1, "Non-Operational Power State Permissive Mode")
    nsets = Bit(2, "NVM Sets")
    rrlvls = Bit(3, "Read Recovery Levels")
    egs = Bit(4, "Endurance Groups")
    plm = Bit(5, "Predictable Latency Mode")
    tbkas = Bit(6, "Traffic Based Keep Alive Support")
    ng = Bit(7, "Namespace Granularity")
    sqa = Bit(8, "SQ Associations")
    ulist = Bit(9, "UUID List")
    mds = Bit(10, "Multi-Domain Subsystem")
    fcm = Bit(11, "Fixed Capacity Management")
    vcm = Bit(12, "Variable Capacity Management")
    deg = Bit(13, "Delete Endurance Group")
    dnvms = Bit(14, "Delete NVM Set")
    elbas = Bit(15, "Extended LBA Formats Supported")
    mem = Bit(16, "MDTS and Size Limits Exclude Metadata")
    hmbr = Bit(17, "HMB Restrict Non-Operational Power State Access")
    rhii = Bit(18, "Reservations and Host Identifier Interaction")
    fdps = Bit(19, "Flexible Data Placement Support")


class Bpcap(Bits, bits=8):
    """Boot Partition Capabilities."""

    rpmbbpwps = Bit(
        0,
        "RPMB Boot Partition Write Protection Support",
        2,
        {0: "not specified", 1: "no", 2: "yes"},
    )
    sfbpwps = Bit(2, "Set Features Boot Partition Write Protection Support")


class Plsi(Bits, bits=8):
    """Power Loss Signaling Information."""

    plsepf = Bit(0, "PLS Emergency Power Fail")
    plsfq = Bit(1, "PLS Forced Quiescence")


class Crcap(Bits, bits=8):
    """Controller Reachability Capabilities."""

    rrsup = Bit(0, "Reachability Reporting Supported")
    rgidc = Bit(1, "Reachability Group ID Changeable")


class Nvmsr(Bits, bits=8):
    """NVM Subsystem Report."""

    nvmesd = Bit(0, "NVMe Storage Device")
    nvmee = Bit(1, "NVMe Enclosure")


class Vwci(Bits, bits=8):
    """VPD Write Cycle Information."""

    vwcr = Bit(0, "VPD Write Cycles Remaining", 7)
    vwcrv = Bit(7, "VPD Write Cycles Remaining Valid")


class Mec(Bits, bits=8):
    """Management Endpoint Capabilities."""

    twpme = Bit(0, "2-Wire Port Management Endpoint")
    pcieme = Bit(1, "PCIe Port Management Endpoint")


class Oacs(Bits, bits=16):
    """Optional Admin Command Support."""

    ssrs = Bit(0, "Security Send and Receive Supported")
    fnvms = Bit(1, "Format NVM Supported")
    fwds = Bit(2, "Firmware Download and Commit Supported")
    nms = Bit(3, "Namespace Management Supported")
    dsts = Bit(4, "Device Self-test Supported")
    dirs = Bit(5, "Directives Supported")
    nsrs = Bit(6, "NVMe-MI Send and Receive Supported")
    vms = Bit(7, "Virtualization Management Supported")
    dbcs = Bit(8, "Doorbell Buffer Config Supported")
    glss = Bit(9, "Get LBA Status Supported")
    cfls = Bit(10, "Command and Feature Lockdown Supported")
    hmlms = Bit(11, "Host Managed Live Migration Support")


class Frmw(Bits, bits=8):
    """Firmware Updates."""

    ffsro = Bit(0, "First Firmware Slot Read Only")
    nofs = Bit(1, "Number Of Firmware Slots", 3)
    fawr = Bit(4, "Firmware Activation Without Reset")
    smud = Bit(5, "Support Multiple Update Detection")


class Lpa(Bits, bits=8):
    """Log Page Attributes."""

    smarts = Bit(0, "SMART Support, for each namespace")
    cses = Bit(1, "Commands Supported and Effects Support")
    lpeds = Bit(2, "Log Page Extended Data Support")
    ts = Bit(3, "Telemetry Support")
    pes = Bit(4, "Persistent Event Support")
    mlps = Bit(5, "Miscellaneous Log Page Support")
    da4s = Bit(6, "Data Area 4 Support")


class Avscc(Bits, bits=8):
    """Admin Vendor Specific Command Configuration."""

    vscf = Bit(0, "Vendor Specific Command Format", names={1: "as in the specification"})


class Apsta(Bits, bits=8):
    """Autonomous Power State Transition Attributes."""

    apts = Bit(0, "Autonomous Power Transition Support")


class Rpmbs(Bits, bits=32):
    """Replay Protected Memory Block Support."""

    nrpmbu = Bit(0, "Number of RPMB Units", 3)
    authm = Bit(3, "Authentication Method", 3, {0: "HMAC SHA-256"})
    tsze = Bit(16, "Total Size, 128 KiB units less one", 8)
    asze = Bit(24, "Access Size, 512-byte units less one", 8)


class Dsto(Bits, bits=8):
    """Device Self-test Options."""

    sdso = Bit(0, "Single Device Self-test Operation in the subsystem")
    hirs = Bit(1, "Host-Initiated Refresh Support")


class Hctma(Bits, bits=16):
    """Host Controlled Thermal Management Attributes."""

    hctms = Bit(0, "Host Controlled Thermal Management Support")


class Sanicap(Bits, bits=32):
    """Sanitize Capabilities."""

    ces = Bit(0, "Crypto Erase Support")
    bes = Bit(1, "Block Erase Support")
    ows = Bit(2, "Overwrite Support")
    vers = Bit(3, "Verification Support")
    ndi = Bit(29, "No-Deallocate Inhibited")
    nodmmas = Bit(
        30,
        "No-Deallocate Modifies Media After Sanitize",
        2,
        {0: "not defined", 1: "no", 2: "yes"},
    )


class Anacap(Bits, bits=8):
    """Asymmetric Namespace Access Capabilities."""

    ranaos = Bit(0, "Report ANA Optimized State")
    rananos = Bit(1, "Report ANA Non-Optimized State")
    ranais = Bit(2, "Report ANA Inaccessible State")
    ranapls = Bit(3, "Report ANA Persistent Loss State")
    ranacs = Bit(4, "Report ANA Change State")
    anagidlwas = Bit(6, "ANA Group ID Locked When Attached Support")
    anagids = Bit(7, "ANA Group ID Support")


class Kpioc(Bits, bits=8):
    """Key Per I/O Capabilities."""

    kpios = Bit(0, "Key Per I/O Supported")
    kpiosc = Bit(1, "Key Per I/O Scope", names={0: "some namespaces", 1: "all namespaces"})


class Tmpthha(Bits, bits=8):
    """Temperature Threshold Hysteresis Attributes."""

    tmpthmh = Bit(0, "Temperature Threshold Maximum Hysteresis", 3)


class Sqes(Bits, bits=8):
    """Submission Queue Entry Size, powers of two."""

    minsqes = Bit(0, "Minimum I/O Submission Queue Entry Size", 4)
    maxsqes = Bit(4, "Maximum I/O Submission Queue Entry Size", 4)


class Cqes(Bits, bits=8):
    """Completion Queue Entry Size, powers of two."""

    mincqes = Bit(0, "Minimum I/O Completion Queue Entry Size", 4)
    maxcqes = Bit(4, "Maximum I/O Completion Queue Entry Size", 4)


class Oncs(Bits, bits=16):
    """Optional NVM Command Support."""

    nvmcmps = Bit(0, "Compare Supported")
    nvmwusv = Bit(1, "Write Uncorrectable Support Variants")
    nvmdsmsv = Bit(2, "Dataset Management Support Variants")
    nvmwzsv = Bit(3, "Write Zeroes Support Variants")
    ssfs = Bit(4, "Save and Select Feature Support")
    reservs = Bit(5, "Reservations Support")
    tss = Bit(6, "Timestamp Support")
    nvmvfys = Bit(7, "Verify Support")
    nvmcpys = Bit(8, "Copy Support")
    nvmcsa = Bit(9, "NVM Copy Single Atomicity")
    nvmafc = Bit(10, "NVM All Fast Copy")
    maxwzd = Bit(11, "Maximum Write Zeroes with Deallocate")
    nszs = Bit(12, "Namespace Zeroes Support")


class Fuses(Bits, bits=16):
    """Fused Operation Support."""

    fcws = Bit(0, "Fused Compare and Write Supported")


class Fna(Bits, bits=8):
    """Format NVM Attributes."""

    fns = Bit(0, "Format Namespace Scope", names={0: "one namespace", 1: "all namespaces"})
    sens = Bit(1, "Secure Erase Namespace Scope", names={0: "one namespace", 1: "all namespaces"})
    cryes = Bit(2, "Cryptographic Erase Supported")
    fnvmbs = Bit(3, "Format NVM Broadcast Support", names={0: "yes", 1: "no"})


class Vwc(Bits, bits=8):
    """Volatile Write Cache."""

    vwcp = Bit(0, "Volatile Write Cache Present")
    fb = Bit(
        1,
        "Flush Behavior with NSID FFFFFFFFh",
        2,
        {0: "not said", 2: "not supported", 3: "supported"},
    )


class Icsvscc(Bits, bits=8):
    """I/O Command Set Vendor Specific Command Configuration."""

    snvscf = Bit(0, "Same NVM Vendor Specific Command Format")


class Nwpc(Bits, bits=8):
    """Namespace Write Protection Capabilities."""

    nwpwps = Bit(0, "No Write Protect and Write Protect Support")
    wpupcs = Bit(1, "Write Protect Until Power Cycle Support")
    pwps = Bit(2, "Permanent Write Protect Support")


class Cdfs(Bits, bits=16):
    """Copy Descriptor Formats Supported."""

    cdf0s = Bit(0, "Copy Descriptor Format 0 Support")
    cdf1s = Bit(1, "Copy Descriptor Format 1 Support")
    cdf2s = Bit(2, "Copy Descriptor Format 2 Support")
    cdf3s = Bit(3, "Copy Descriptor Format 3 Support")
    cdf4s = Bit(4, "Copy Descriptor Format 4 Support")


class Sgls(Bits, bits=32):
    """SGL Support."""

    sgls = Bit(
        0, "SGL Support", 2, {0: "no", 1: "no alignment needed", 2: "dword alignment needed"}
    )
    ksdbds = Bit(2, "Keyed SGL Data Block Descriptor Support")
    sdt = Bit(8, "SGL Descriptor Threshold", 8)
    sbbds = Bit(16, "SGL Bit Bucket Descriptor Supported")
    mba = Bit(17, "Metadata Buffer Alignment", names={1: "byte aligned"})
    lldts = Bit(18, "Length Larger than Data Transfer Support")
    msds = Bit(19, "MPTR SGL Descriptor Support")
    saos = Bit(20, "SGL Address Offset Supported")
    tsdbds = Bit(21, "Transport SGL Data Block Descriptor Support")


class Trattr(Bits, bits=8):
    """Tracking Attributes."""

    thmcs = Bit(0, "Track Host Memory Changes Support")
    tudcs = Bit(1, "Track User Data Changes Support")
    mrtll = Bit(2, "Memory Range Tracking Length Limit")


class Fcatt(Bits, bits=8):
    """Fabrics Controller Attributes."""

    dcms = Bit(0, "Dynamic Controller Model", names={0: "dynamic", 1: "static"})
    nznsetids = Bit(1, "Non-Zero NVM Set Identifiers")


class Ofcs(Bits, bits=16):
    """Optional Fabrics Command Support."""

    dcs = Bit(0, "Disconnect Command Support")


class PsdFlags(Bits, bits=8):
    """Power State Descriptor flags."""

    mxps = Bit(0, "Max Power Scale", names={0: "0.01 W", 1: "0.0001 W"})
    nops = Bit(1, "Non-Operational State")


SCALE = {0: "not reported", 1: "0.0001 W", 2: "0.01 W"}


class Ips(Bits, bits=8):
    """Idle Power Scale."""

    ips = Bit(6, "Idle Power Scale", 2, SCALE)


class Apws(Bits, bits=8):
    """Active Power Workload and Scale."""

    apw = Bit(0, "Active Power Workload", 3)
    aps = Bit(6, "Active Power Scale", 2, SCALE)
