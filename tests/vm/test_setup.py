"""scripts/setup.sh in a guest: it takes a drive, gives it back, and leaves one in use alone."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vm.guest import Guest
from vm.presets import IOMMU, NOIOMMU, NVME_BDF, Preset
from vm.probe import probe

SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup.sh"
NVME = f"""
echo {NVME_BDF} >/sys/bus/pci/drivers_probe
until [ -b /dev/nvme0n1 ]; do sleep 0.1; done
"""
STEPS = f"""
step() {{ echo "@$1"; shift; "$@" 2>&1; echo "status $?"; }}
setup() {{ step "$1" {SETUP} "$2" {NVME_BDF}; }}
modprobe nvme
{NVME}
"""
HOLD = 'import os, time; print(os.open("/dev/nvme0n1", os.O_EXCL), flush=True); time.sleep(600)'
AS_USER = f'import os; os.setuid(65534); os.execv("{SETUP}", ["setup", "list"])'
WITH_IOMMU = f"""
setup named status
modprobe ext4
mke2fs -q -t ext4 /dev/nvme0n1 && mkdir -p /tmp/mnt && mount /dev/nvme0n1 /tmp/mnt
setup mounted bind
step listed {sys.executable} -c '{AS_USER}'
umount /tmp/mnt
mkswap -q /dev/nvme0n1 && swapon /dev/nvme0n1
setup swap bind
swapoff /dev/nvme0n1
{sys.executable} -c '{HOLD}' >/tmp/held &
until [ -s /tmp/held ]; do sleep 0.1; done
setup held bind
kill $!
step everything {SETUP} bind
setup again bind
step user env SUDO_UID=1000 SUDO_USER=tester {SETUP} bind {NVME_BDF}
echo @owner; stat -c %u /dev/vfio/[0-9]*
step status {SETUP} status
step data {SETUP} list
setup release release
setup released release
step port {SETUP} bind 00:10.0
step nothing {SETUP} bind 7f:00.0
step nonsense {SETUP} bind nvme0
echo @huge; cat /proc/sys/vm/nr_hugepages
"""
WITHOUT_IOMMU = f"""
step everything {SETUP} bind
step reset {SETUP} release
echo @huge; cat /proc/sys/vm/nr_hugepages
"""


def run(preset: Preset, script: str, folder: Path) -> dict[str, str]:
    """What each step of the script printed."""
    data = bytearray()
    guest = Guest(preset=preset, cwd=folder, timeout_s=400, sink=data.extend)
    assert guest.run(["sh", "-c", STEPS + script]) == 0, data.decode()
    parts = re.split(r"^@(\w+)\n", data.decode(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def iommu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if why := probe():
        pytest.skip(why)
    preset = replace(IOMMU, modules=(), setup="")
    return run(preset, WITH_IOMMU, tmp_path_factory.mktemp("iommu"))


@pytest.fixture(scope="module")
def noiommu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if why := probe():
        pytest.skip(why)
    preset = replace(NOIOMMU, modules=(), setup="", append=())
    return run(preset, WITHOUT_IOMMU, tmp_path_factory.mktemp("noiommu"))


def test_mounted_drive_is_left_alone(iommu: dict[str, str]) -> None:
    assert "in use and is left alone: mounted at /tmp/mnt" in iommu["mounted"]
    assert iommu["mounted"].endswith("status 1\n")


def test_swap_is_left_alone(iommu: dict[str, str]) -> None:
    assert "left alone: used as swap" in iommu["swap"]
    assert iommu["swap"].endswith("status 1\n")


def test_drive_that_something_else_holds_is_left_alone(iommu: dict[str, str]) -> None:
    assert "left alone: /dev/nvme0n1: Device or resource busy" in iommu["held"]
    assert iommu["held"].endswith("status 1\n")


def test_every_unused_drive_is_taken(iommu: dict[str, str]) -> None:
    assert iommu["everything"] == f"{NVME_BDF}: bound to vfio-pci\nstatus 0\n"


def test_taking_it_twice_is_harmless(iommu: dict[str, str]) -> None:
    assert iommu["again"] == f"{NVME_BDF}: already bound to vfio-pci\nstatus 0\n"


def test_the_caller_of_sudo_gets_the_group(iommu: dict[str, str]) -> None:
    assert re.search(r"/dev/vfio/\d+ belongs to tester now\nstatus 0\n$", iommu["user"])
    assert iommu["owner"] == "1000\n"


def test_status_says_who_has_the_drive(iommu: dict[str, str]) -> None:
    assert iommu["status"] == f"{NVME_BDF}: vfio-pci\nstatus 0\n"


def test_the_list_for_programs_needs_no_root(iommu: dict[str, str]) -> None:
    line = f"{NVME_BDF}\tnvme\t/dev/nvme0\tmounted at /tmp/mnt\n"
    assert iommu["listed"] == f"{line}status 0\n"


def test_the_list_for_programs_has_what_the_kernel_no_longer_drives(iommu: dict[str, str]) -> None:
    assert iommu["data"] == f"{NVME_BDF}\tvfio-pci\t\t\nstatus 0\n"


def test_status_has_the_name_that_the_kernel_gave(iommu: dict[str, str]) -> None:
    assert iommu["named"] == f"{NVME_BDF}: nvme (/dev/nvme0)\nstatus 0\n"


def test_drive_is_given_back_to_the_kernel(iommu: dict[str, str]) -> None:
    assert iommu["release"] == f"{NVME_BDF}: given back, now driven by nvme\nstatus 0\n"


def test_giving_it_back_twice_is_harmless(iommu: dict[str, str]) -> None:
    assert iommu["released"] == f"{NVME_BDF}: already driven by nvme\nstatus 0\n"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("port", "is not an NVMe drive (class 0x060400)"),
        ("nothing", "no PCI device at 0000:7f:00.0"),
        ("nonsense", "nvme0 is not a PCI address like 01:00.0"),
    ],
)
def test_wrong_addresses_are_explained(iommu: dict[str, str], step: str, why: str) -> None:
    assert why in iommu[step]
    assert iommu[step].endswith("status 1\n")


def test_no_huge_pages_with_an_iommu(iommu: dict[str, str]) -> None:
    assert iommu["huge"] == "0\n"


def test_without_an_iommu_it_says_what_that_means(noiommu: dict[str, str]) -> None:
    assert "reserved 64 huge pages of 2 MiB\n" in noiommu["everything"]
    assert re.search(r"bound to \S+ \(no IOMMU: .* any memory\)\n", noiommu["everything"])


def test_huge_pages_are_given_back(noiommu: dict[str, str]) -> None:
    assert "gave the huge pages back\n" in noiommu["reset"]
    assert noiommu["huge"] == "0\n"
