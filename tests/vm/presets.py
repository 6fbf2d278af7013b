"""The machines the tests know by name: devices, kernel modules and what is set up in the guest.

Every machine but ``nvmet`` has one NVMe function at ``NVME_BDF`` below the PCIe port ``PORT_BDF``.
Its namespaces belong to an NVM subsystem: they outlive a controller that is unplugged (QMP
``device_del id=nv0``), and one that is plugged in again finds them (``device_add driver=nvme id=nv0
bus=rp0 subsys=ss0 serial=PYNVMEVM0001``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

NVME_BDF = "0000:01:00.0"
VF_BDF = "0000:01:00.1"
PORT_BDF = "0000:00:10.0"
NVMET_NQN = "nqn.2014-08.org.nvmexpress:uuid:5b1b7b2e-9d0c-4a34-9a4e-6f1d2c3b4a59"
MIB = 1 << 20

PORT = f"-device pcie-root-port,id=rp0,bus=pcie.0,addr={PORT_BDF[8:10]},chassis=1,slot=1"
VFIO_MODULES = ("vfio-pci", "vfio_iommu_type1")


@dataclass(frozen=True)
class Preset:
    """A machine and its set-up.

    ``devices`` are QEMU arguments in which ``{run}`` is the folder of ``images`` (name to bytes,
    sparse); ``setup`` is a shell script that root runs in the guest before the command;
    ``pciaddr`` is the address of the device under test as the tests are told it; ``memlock_kib``
    is the command's RLIMIT_MEMLOCK where it is not the guest's own; ``bzimage`` boots by the
    firmware, three seconds slower, which is what a guest can wake from suspend with.
    """

    name: str
    devices: tuple[str, ...] = ()
    images: Mapping[str, int] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    setup: str = ""
    pciaddr: str = NVME_BDF
    iommu: bool = True
    append: tuple[str, ...] = ()
    user: int | None = None
    memlock_kib: int | None = None
    bzimage: bool = False


def namespace(nsid: int, size: int, options: str = "") -> tuple[tuple[str, ...], dict[str, int]]:
    """Namespace `nsid` of `size` bytes on the controller ``nv0``, with its image."""
    name = f"ns{nsid}"
    drive = (
        f"-drive file={{run}}/{name}.img,format=raw,if=none,id=d{name},cache=unsafe,discard=unmap"
    )
    device = f"-device nvme-ns,id={name},bus=nv0,drive=d{name},nsid={nsid}"
    device += f",eui64={0x5254000000000000 + nsid}{options and ',' + options}"
    return (drive, device), {f"{name}.img": size}


def controller(*namespaces: tuple[tuple[str, ...], dict[str, int]], options: str = "") -> Preset:
    """A nameless preset: the root port, the subsystem, the controller and its namespaces."""
    devices = [
        PORT,
        "-device nvme-subsys,id=ss0,nqn=pynvme-vm",
        f"-device nvme,id=nv0,bus=rp0,subsys=ss0,serial=PYNVMEVM0001{options and ',' + options}",
    ]
    images: dict[str, int] = {}
    for arguments, files in namespaces:
        devices += arguments
        images |= files
    return Preset("", tuple(devices), images)


def bind(driver: str, bdf: str = NVME_BDF) -> str:
    """Shell text that gives a function to `driver` and fails if the driver does not take it."""
    sysfs = f"/sys/bus/pci/devices/{bdf}"
    return f"""
echo {driver} >{sysfs}/driver_override
if [ -e {sysfs}/driver ]; then echo {bdf} >{sysfs}/driver/unbind; fi
echo {bdf} >/sys/bus/pci/drivers_probe
[ "$(basename "$(readlink {sysfs}/driver)")" = {driver} ]
"""


TWO_NAMESPACES = (
    namespace(1, 4096 * MIB),
    namespace(2, 256 * MIB, "logical_block_size=4096,physical_block_size=4096"),
)
IOMMU = replace(
    controller(*TWO_NAMESPACES), name="iommu", modules=VFIO_MODULES, setup=bind("vfio-pci")
)
NOIOMMU = replace(
    controller(*TWO_NAMESPACES),
    name="noiommu",
    iommu=False,
    append=("hugepages=32",),
    modules=("uio_pci_generic",),
    setup=bind("uio_pci_generic"),
)
METADATA = replace(
    controller(
        namespace(1, 256 * MIB, "ms=8"),
        namespace(2, 256 * MIB, "ms=16,mset=1"),
        namespace(3, 256 * MIB, "ms=64,logical_block_size=4096,physical_block_size=4096"),
        namespace(4, 256 * MIB, "ms=8,pi=1"),
        namespace(5, 256 * MIB, "ms=8,mset=1,pi=2"),
    ),
    name="metadata",
    modules=VFIO_MODULES,
    setup=bind("vfio-pci"),
)
DIFF = replace(
    controller(
        namespace(1, 64 * MIB),
        namespace(2, 64 * MIB),
        options="mdts=5,max_ioqpairs=32,msix_qsize=33",
    ),
    name="diff",
    modules=VFIO_MODULES,
    setup=bind("vfio-pci"),
)
"""Like the software SSD that tests/diff compares it with."""
USER = replace(IOMMU, name="user", user=1000, memlock_kib=1024)
POWERCTL = replace(
    IOMMU,
    name="powerctl",
    devices=(*IOMMU.devices, "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"),
)
S3 = replace(
    IOMMU,
    name="s3",
    devices=tuple(
        f"{text},power_controller_present=off" if text == PORT else text for text in IOMMU.devices
    ),
    bzimage=True,
)
"""For ramroot.py alone: no usual root lives through suspend."""
NVMET = Preset(
    name="nvmet",
    iommu=False,
    modules=("nvmet-tcp", "loop"),
    pciaddr=f"127.0.0.1:4420/{NVMET_NQN}",
    setup=f"""
busybox ip link set lo up
busybox truncate -s 1G /dev/shm/ns1
busybox losetup /dev/loop0 /dev/shm/ns1
mount -t configfs configfs /sys/kernel/config
cd /sys/kernel/config/nvmet
mkdir subsystems/{NVMET_NQN}
echo 1 >subsystems/{NVMET_NQN}/attr_allow_any_host
mkdir subsystems/{NVMET_NQN}/namespaces/1
echo /dev/loop0 >subsystems/{NVMET_NQN}/namespaces/1/device_path
echo 1 >subsystems/{NVMET_NQN}/namespaces/1/enable
mkdir ports/1
echo tcp >ports/1/addr_trtype
echo ipv4 >ports/1/addr_adrfam
echo 127.0.0.1 >ports/1/addr_traddr
echo 4420 >ports/1/addr_trsvcid
ln -s /sys/kernel/config/nvmet/subsystems/{NVMET_NQN} ports/1/subsystems/
""",
)
"""On a block device: a file would have blocks of 4 KiB, where the manual's examples want 512 B."""
TCPHOST = Preset(name="tcphost", iommu=False, modules=("nvme-tcp",), pciaddr="")
"""No drive, and what connects to one over the network."""
SRIOV = replace(
    controller(
        namespace(1, 256 * MIB),
        options="sriov_max_vfs=1,sriov_vq_flexible=2,sriov_vi_flexible=1,max_ioqpairs=4,msix_qsize=4",
    ),
    name="sriov",
    modules=("nvme", *VFIO_MODULES),
    pciaddr=VF_BDF,
    setup=f"""
echo {NVME_BDF} >/sys/bus/pci/drivers_probe
tries=0
until [ -c /dev/nvme0n1 ] || [ -b /dev/nvme0n1 ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ]
    sleep 0.1
done
echo 0 >/sys/bus/pci/devices/{NVME_BDF}/sriov_drivers_autoprobe
echo 1 >/sys/bus/pci/devices/{NVME_BDF}/sriov_numvfs
nvme virt-mgmt /dev/nvme0 --cntlid=1 --rt=0 --act=8 --nr=2
nvme virt-mgmt /dev/nvme0 --cntlid=1 --rt=1 --act=8 --nr=1
echo 1 >/sys/bus/pci/devices/{VF_BDF}/reset
nvme virt-mgmt /dev/nvme0 --cntlid=1 --act=9
{bind("vfio-pci", VF_BDF)}""",
)
NONE = Preset(name="none", iommu=False, pciaddr="")

PRESETS = {
    preset.name: preset
    for preset in (IOMMU, NOIOMMU, NVMET, TCPHOST, METADATA, DIFF, USER, POWERCTL, SRIOV, NONE)
}
